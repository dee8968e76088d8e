/* Buffers of callers: do they fit, and to and from packed ones. */
#ifndef PG_PIXELS_H
#define PG_PIXELS_H

#include "error.h"

/* The check of a buffer of `channels` (0: masks) that must have that size. */
posegen_status pg_check_input(const char *name, const posegen_input *input, int height, int width,
                              int channels, posegen_input *checked, pg_error *error);
posegen_status pg_check_output(const char *name, const posegen_output *output, int height,
                               int width, posegen_output *checked, pg_error *error);

/* Refuses what is read while images are written there: `bytes` at `data`, or a checked input. */
posegen_status pg_check_apart(const char *name, const void *data, size_t bytes,
                              const posegen_output *images, pg_error *error);
posegen_status pg_check_input_apart(const char *name, const posegen_input *input, int channels,
                                    const posegen_output *images, pg_error *error);

/* Rows `first` to `first + count` of a checked buffer, packed: where they lie if they are packed
 * there, else copied to `*room`, which is allocated if it is NULL. NULL when no memory is left. */
const uint8_t *pg_packed(const posegen_input *input, int channels, int first, int count,
                         uint8_t **room);

/* Where to write packed images, and how they get from there into a checked buffer. */
uint8_t *pg_target(const posegen_output *output, int first, int count, uint8_t **room);
void pg_unpack(const posegen_output *output, int first, int count, const uint8_t *packed);

#endif
