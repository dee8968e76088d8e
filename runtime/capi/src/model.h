/* The graphs of a bundle, checked against it, and how they are run. */
#ifndef PG_MODEL_H
#define PG_MODEL_H

#include "bundle.h"
#include "engine.h"

typedef struct {
    pg_engine engine;
    pg_graph conditions; /* without a session where the variant takes none */
    pg_graph generator;  /* of masks and, where it takes them, of encoded conditions */
    int height, width;
    bool takes[PG_INPUTS];
} pg_model;

/* What `conditions` returned, in the order of its outputs. */
typedef struct {
    OrtValue *values[PG_TENSORS];
    size_t count;
} pg_encoded;

/* To be closed also after an error. */
posegen_status pg_model_open(const char *folder, const pg_bundle *bundle,
                             const posegen_options *options, pg_model *model, pg_error *error);
void pg_model_close(pg_model *model);

/* Encode `count` rows of packed images, NULL where they are not taken. To be released, also after an
 * error. */
posegen_status pg_model_encode(const pg_model *model, const uint8_t *appearance,
                               const uint8_t *background, int count, pg_encoded *encoded,
                               pg_error *error);
void pg_model_release(const pg_model *model, pg_encoded *encoded);

/* Packed masks to packed images, up to the largest batch; `viewpoints` NULL where not taken. */
posegen_status pg_model_run(const pg_model *model, const pg_encoded *encoded, const uint8_t *masks,
                            const float *viewpoints, int count, uint8_t *images, pg_error *error);

#endif
