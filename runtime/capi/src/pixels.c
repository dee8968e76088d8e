#include "pixels.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const void *data;
    size_t bytes;
    int count, height, width;
    size_t *row_stride, *image_stride;
} buffer;

static posegen_status check(const char *name, buffer of, int height, int width, int channels,
                            pg_error *error) {
    if (!of.data) return pg_fail(error, POSEGEN_ERROR_ARGUMENT, "%s: data is NULL", name);
    if (of.height != height || of.width != width)
        return pg_fail(error, POSEGEN_ERROR_ARGUMENT,
                       "%s: %dx%d pixels; must be %dx%d, the bundle's size", name, of.width,
                       of.height, width, height);
    if (of.count < 1)
        return pg_fail(error, POSEGEN_ERROR_ARGUMENT, "%s: count %d; must be at least 1", name,
                       of.count);
    size_t row = (size_t)width * (size_t)(channels ? channels : 1), rows = (size_t)height;
    if (*of.row_stride == 0) *of.row_stride = row;
    if (*of.row_stride < row)
        return pg_fail(error, POSEGEN_ERROR_ARGUMENT,
                       "%s: row_stride %zu is less than the %zu bytes of a row", name,
                       *of.row_stride, row);
    /* Division, so that nothing overflows. */
    bool fits = of.bytes >= row && (rows == 1 || *of.row_stride <= (of.bytes - row) / (rows - 1));
    size_t image = fits ? *of.row_stride * (rows - 1) + row : 0;
    if (fits && *of.image_stride == 0) *of.image_stride = *of.row_stride * rows;
    if (fits && of.count > 1) {
        if (*of.image_stride < image)
            return pg_fail(error, POSEGEN_ERROR_ARGUMENT,
                           "%s: image_stride %zu is less than the %zu bytes of an image", name,
                           *of.image_stride, image);
        fits = *of.image_stride <= (of.bytes - image) / (size_t)(of.count - 1);
    }
    if (!fits)
        return pg_fail(error, POSEGEN_ERROR_ARGUMENT,
                       "%s: %zu bytes are too few for %d of %dx%d pixels with these strides", name,
                       of.bytes, of.count, width, height);
    return POSEGEN_OK;
}

posegen_status pg_check_input(const char *name, const posegen_input *input, int height, int width,
                              int channels, posegen_input *checked, pg_error *error) {
    if (!input) return pg_fail(error, POSEGEN_ERROR_ARGUMENT, "%s: is NULL", name);
    *checked = *input;
    buffer of = {checked->data,  checked->bytes,       checked->count,        checked->height,
                 checked->width, &checked->row_stride, &checked->image_stride};
    return check(name, of, height, width, channels, error);
}

posegen_status pg_check_output(const char *name, const posegen_output *output, int height,
                               int width, posegen_output *checked, pg_error *error) {
    if (!output) return pg_fail(error, POSEGEN_ERROR_ARGUMENT, "%s: is NULL", name);
    *checked = *output;
    buffer of = {checked->data,  checked->bytes,       checked->count,        checked->height,
                 checked->width, &checked->row_stride, &checked->image_stride};
    return check(name, of, height, width, 3, error);
}

/* From the first to behind the last byte of a checked buffer. */
static size_t span(int count, int height, int width, int channels, size_t row_stride,
                   size_t image_stride) {
    return (size_t)(count - 1) * image_stride + (size_t)(height - 1) * row_stride +
           (size_t)width * (size_t)(channels ? channels : 1);
}

posegen_status pg_check_apart(const char *name, const void *data, size_t bytes,
                              const posegen_output *images, pg_error *error) {
    uintptr_t in = (uintptr_t)data, out = (uintptr_t)images->data;
    size_t written = span(images->count, images->height, images->width, 3, images->row_stride,
                          images->image_stride);
    if (out - in >= bytes && in - out >= written) return POSEGEN_OK; /* unsigned: they wrap */
    return pg_fail(error, POSEGEN_ERROR_ARGUMENT,
                   "%s: in memory that overlaps the images'; give the images their own", name);
}

posegen_status pg_check_input_apart(const char *name, const posegen_input *input, int channels,
                                    const posegen_output *images, pg_error *error) {
    size_t bytes = span(input->count, input->height, input->width, channels, input->row_stride,
                        input->image_stride);
    return pg_check_apart(name, input->data, bytes, images, error);
}

static bool is_packed(size_t row, int height, size_t row_stride, size_t image_stride, int count) {
    return row_stride == row && (count == 1 || image_stride == row * (size_t)height);
}

const uint8_t *pg_packed(const posegen_input *input, int channels, int first, int count,
                         uint8_t **room) {
    size_t row = (size_t)input->width * (size_t)(channels ? channels : 1);
    size_t rows = (size_t)input->height;
    const uint8_t *from = input->data + (size_t)first * input->image_stride;
    if (is_packed(row, input->height, input->row_stride, input->image_stride, count)) return from;
    if (!*room) *room = malloc(row * rows * (size_t)count);
    uint8_t *to = *room;
    for (int image = 0; to && image < count; image++, from += input->image_stride)
        for (size_t y = 0; y < rows; y++, to += row) memcpy(to, from + y * input->row_stride, row);
    return *room;
}

uint8_t *pg_target(const posegen_output *output, int first, int count, uint8_t **room) {
    size_t row = (size_t)output->width * 3;
    if (is_packed(row, output->height, output->row_stride, output->image_stride, count))
        return output->data + (size_t)first * output->image_stride;
    if (!*room) *room = malloc(row * (size_t)output->height * (size_t)count);
    return *room;
}

void pg_unpack(const posegen_output *output, int first, int count, const uint8_t *packed) {
    size_t row = (size_t)output->width * 3, rows = (size_t)output->height;
    uint8_t *to = output->data + (size_t)first * output->image_stride;
    if (packed == to) return;
    for (int image = 0; image < count; image++, to += output->image_stride)
        for (size_t y = 0; y < rows; y++, packed += row)
            memcpy(to + y * output->row_stride, packed, row);
}
