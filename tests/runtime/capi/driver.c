/* Raw files in, raw files out, for the tests:
 *
 *     driver BUNDLE PRECISION THREADS MODE PAD MASKS APPEARANCE BACKGROUND VIEWPOINTS OUT [BACKEND]
 *
 * MODE: shared (conditions made once) or each. PAD: unused bytes behind every row, and three times
 * as many behind every image. "-" stands for an input that is not given. Files hold packed uint8,
 * VIEWPOINTS float32. */
#include <posegen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILL = 0xAB };

static void die(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static void check(posegen_status status, const posegen_generator *generator) {
    if (status == POSEGEN_OK) return;
    fprintf(stderr, "%s: %s\n", posegen_status_name(status), posegen_message(generator));
    exit(3);
}

static uint8_t *read_file(const char *path, size_t *size) {
    *size = 0;
    if (strcmp(path, "-") == 0) return NULL;
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0) die(path);
    *size = (size_t)ftell(file);
    rewind(file);
    uint8_t *data = malloc(*size ? *size : 1);
    if (!data || fread(data, 1, *size, file) != *size) die(path);
    fclose(file);
    return data;
}

typedef struct {
    uint8_t *data;
    size_t bytes, row, row_stride, image_stride;
    int count;
} spread;

/* Room for `count` images with `pad` unused bytes behind each row. */
static spread make_room(int count, int height, size_t row, size_t pad) {
    spread room = {.row = row, .row_stride = row + pad, .count = count};
    room.image_stride = room.row_stride * (size_t)height + 3 * pad;
    /* No unused bytes at the end: what reads or writes them is seen by AddressSanitizer. */
    room.bytes = room.image_stride * (size_t)count - 4 * pad;
    if (count == 0) return room;
    room.data = malloc(room.bytes);
    if (!room.data) die("no memory");
    memset(room.data, FILL, room.bytes);
    return room;
}

static void copy(spread *room, uint8_t *packed, int height, int out) {
    for (int image = 0; image < room->count; image++)
        for (int y = 0; y < height; y++, packed += room->row) {
            uint8_t *at = room->data + (size_t)image * room->image_stride +
                          (size_t)y * room->row_stride;
            memcpy(out ? packed : at, out ? at : packed, room->row);
        }
}

static posegen_input spread_input(const char *path, int height, int width, int channels,
                                  size_t pad) {
    size_t size, row = (size_t)width * (size_t)channels;
    uint8_t *packed = read_file(path, &size);
    spread room = make_room((int)(size / row / (size_t)height), height, row, pad);
    copy(&room, packed, height, 0);
    free(packed);
    posegen_input input = {room.data, room.bytes,      room.count,       height,
                           width,     room.row_stride, room.image_stride};
    return input;
}

int main(int count, char **arguments) {
    if (count != 11 && count != 12) die("usage");
    posegen_options options = POSEGEN_OPTIONS;
    options.precision = arguments[2];
    options.threads = atoi(arguments[3]);
    if (count == 12) {
        options.backend = arguments[11];
        options.device = 2;
        options.engine_cache = "engines";
    }
    size_t pad = (size_t)atoi(arguments[5]), viewpoint_bytes;
    posegen_generator *generator;
    check(posegen_create(arguments[1], &options, &generator), NULL);
    posegen_info info = {.size = sizeof info};
    check(posegen_get_info(generator, &info), generator);
    printf("%s\n%s\n%s\n%s\n%s\n%d %d %d\n%d %d %d\n%s\n%s\n", info.name, info.arch, info.variant,
           info.precision, info.engine, info.height, info.width, info.max_batch,
           info.takes_appearance, info.takes_background, info.takes_viewpoint,
           info.default_appearance ? info.default_appearance : "-",
           info.default_background ? info.default_background : "-");

    posegen_input masks = spread_input(arguments[6], info.height, info.width, 1, pad);
    posegen_input appearance = spread_input(arguments[7], info.height, info.width, 3, pad);
    posegen_input background = spread_input(arguments[8], info.height, info.width, 3, pad);
    float *viewpoints = (float *)(void *)read_file(arguments[9], &viewpoint_bytes);
    int viewpoint_count = (int)(viewpoint_bytes / (3 * sizeof(float)));
    const posegen_input *photo = appearance.data ? &appearance : NULL;
    const posegen_input *scene = background.data ? &background : NULL;
    spread room = make_room(masks.count, info.height, 3 * (size_t)info.width, pad);
    posegen_output images = {room.data,  room.bytes,      room.count,       info.height,
                             info.width, room.row_stride, room.image_stride};
    posegen_conditions *conditions = NULL;
    if (strcmp(arguments[4], "shared") == 0) {
        if (photo || scene)
            check(posegen_conditions_create(generator, photo, scene, &conditions), generator);
        check(posegen_generate(generator, conditions, &masks, viewpoints, viewpoint_count, &images),
              generator);
    } else {
        check(posegen_generate_each(generator, photo, scene, &masks, viewpoints, viewpoint_count,
                                    &images),
              generator);
    }
    for (size_t i = 0; i < room.bytes; i++)
        if (i % room.image_stride % room.row_stride >= room.row ||
            i % room.image_stride >= room.row_stride * (size_t)info.height)
            if (room.data[i] != FILL) die("bytes between rows were written");

    size_t packed_bytes = room.row * (size_t)info.height * (size_t)room.count;
    uint8_t *packed = malloc(packed_bytes);
    if (!packed) die("no memory");
    copy(&room, packed, info.height, 1);
    FILE *file = fopen(arguments[10], "wb");
    if (!file || fwrite(packed, 1, packed_bytes, file) != packed_bytes || fclose(file) != 0)
        die(arguments[10]);
    free(packed);
    free(room.data);
    free(viewpoints);
    free((void *)masks.data);
    free((void *)appearance.data);
    free((void *)background.data);
    check(posegen_destroy(&generator), NULL); /* before its conditions */
    check(posegen_conditions_destroy(&conditions), NULL);
    if (generator || conditions) die("a handle was not cleared");
    return 0;
}
