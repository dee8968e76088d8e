/* A mask goes in, an image comes out: PNG by libpng, the image by PoseGen.
 *
 *     generate BUNDLE MASK.png IMAGE.png [APPEARANCE.png BACKGROUND.png]
 *
 * The mask has the bundle's size. Without the last two, the bundle's own are taken. */
#include <png.h>
#include <posegen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Pixels of a PNG file, in `channels` 1 (grey) or 3 (RGB); NULL and a message when it fails. */
static uint8_t *read_png(const char *path, int channels, int *height, int *width) {
    png_image png;
    memset(&png, 0, sizeof png);
    png.version = PNG_IMAGE_VERSION;
    if (!png_image_begin_read_from_file(&png, path)) {
        fprintf(stderr, "%s: %s\n", path, png.message);
        return NULL;
    }
    png.format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
    uint8_t *pixels = malloc(PNG_IMAGE_SIZE(png));
    if (!pixels || !png_image_finish_read(&png, NULL, pixels, 0, NULL)) {
        fprintf(stderr, "%s: %s\n", path, pixels ? png.message : "no memory left");
        png_image_free(&png);
        free(pixels);
        return NULL;
    }
    *height = (int)png.height;
    *width = (int)png.width;
    return pixels;
}

static int write_png(const char *path, const uint8_t *rgb, int height, int width) {
    png_image png;
    memset(&png, 0, sizeof png);
    png.version = PNG_IMAGE_VERSION;
    png.format = PNG_FORMAT_RGB;
    png.height = (png_uint_32)height;
    png.width = (png_uint_32)width;
    if (png_image_write_to_file(&png, path, 0, rgb, 0, NULL)) return 1;
    fprintf(stderr, "%s: %s\n", path, png.message);
    return 0;
}

/* One packed image as the library takes it; with `data` NULL if it cannot be read. */
static posegen_input read_input(const char *path, int channels) {
    posegen_input input = {NULL, 0, 1, 0, 0, 0, 0};
    input.data = read_png(path, channels, &input.height, &input.width);
    input.bytes = (size_t)input.height * (size_t)input.width * (size_t)channels;
    return input;
}

int main(int count, char **arguments) {
    if (count != 4 && count != 6) {
        fprintf(stderr, "usage: %s BUNDLE MASK.png IMAGE.png [APPEARANCE.png BACKGROUND.png]\n",
                arguments[0]);
        return 2;
    }
    posegen_generator *generator = NULL;
    posegen_conditions *conditions = NULL;
    posegen_input mask = {0}, appearance = {0}, background = {0};
    uint8_t *pixels = NULL;
    int failed = 1;

    posegen_options options = POSEGEN_OPTIONS;
    options.threads = 1; /* as posegen-run on a CPU: the same bytes */
    if (posegen_create(arguments[1], &options, &generator) != POSEGEN_OK) {
        fprintf(stderr, "%s\n", posegen_message(NULL));
        return 1;
    }
    posegen_info info;
    info.size = sizeof info;
    posegen_get_info(generator, &info);
    printf("%s, %s, %dx%d, %s\n", info.name, info.variant, info.width, info.height, info.engine);

    /* What every mask shares is encoded once. */
    if (info.takes_appearance || info.takes_background) {
        const char *photo = count == 6 ? arguments[4] : info.default_appearance;
        const char *scene = count == 6 ? arguments[5] : info.default_background;
        if ((info.takes_appearance && !photo) || (info.takes_background && !scene)) {
            fprintf(stderr, "%s has no default images: name them\n", arguments[1]);
            goto end;
        }
        if (info.takes_appearance && !(appearance = read_input(photo, 3)).data) goto end;
        if (info.takes_background && !(background = read_input(scene, 3)).data) goto end;
        if (posegen_conditions_create(generator, info.takes_appearance ? &appearance : NULL,
                                      info.takes_background ? &background : NULL,
                                      &conditions) != POSEGEN_OK)
            goto message;
    }

    if (!(mask = read_input(arguments[2], 1)).data) goto end;
    size_t bytes = 3 * (size_t)info.height * (size_t)info.width;
    if (!(pixels = malloc(bytes))) goto end;
    posegen_output image = {pixels, bytes, 1, info.height, info.width, 0, 0};
    if (posegen_generate(generator, conditions, &mask, NULL, 0, &image) != POSEGEN_OK) goto message;
    failed = !write_png(arguments[3], pixels, info.height, info.width);
    goto end;

message:
    fprintf(stderr, "%s\n", posegen_message(generator));
end:
    free(pixels);
    free((void *)mask.data);
    free((void *)appearance.data);
    free((void *)background.data);
    posegen_conditions_destroy(&conditions);
    posegen_destroy(&generator);
    return failed;
}
