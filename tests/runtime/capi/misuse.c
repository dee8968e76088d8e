/* Every wrong call that a program can make:
 *
 *     misuse BUNDLE POSE_BUNDLE
 *
 * of a bundle that takes everything but a viewpoint, and one that takes only a mask. Prints the
 * status and the message of each; ends with 1 when a status is not what it must be. */
#include <posegen.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int wrong;

static void expect(const char *what, posegen_status got, posegen_status wanted,
                   const posegen_generator *generator) {
    printf("%s: %s: %s\n", what, posegen_status_name(got), posegen_message(generator));
    if (got != wanted || (got != POSEGEN_OK && !posegen_message(generator)[0])) {
        printf("  WRONG, must be %s with a message\n", posegen_status_name(wanted));
        wrong++;
    }
}

#define ARGUMENT(what, call) expect(what, call, POSEGEN_ERROR_ARGUMENT, NULL)

static void create(const char *bundle) {
    posegen_generator *generator = (posegen_generator *)(void *)&wrong;
    posegen_options options = POSEGEN_OPTIONS;
    ARGUMENT("create into NULL", posegen_create(bundle, NULL, NULL));
    ARGUMENT("create from NULL", posegen_create(NULL, NULL, &generator));
    if (generator) wrong++;
    options.size = 0;
    ARGUMENT("options without a size", posegen_create(bundle, &options, &generator));
    for (size_t size = 1; size < 2 * sizeof options; size++) {
        options.size = size;
        if (size != sizeof options)
            ARGUMENT("options of another size", posegen_create(bundle, &options, &generator));
    }
    options.size = SIZE_MAX;
    ARGUMENT("options of all memory", posegen_create(bundle, &options, &generator));
    options = (posegen_options)POSEGEN_OPTIONS;
    options.threads = -1;
    ARGUMENT("threads", posegen_create(bundle, &options, &generator));
    options.threads = 1025;
    ARGUMENT("too many threads", posegen_create(bundle, &options, &generator));
    options.threads = INT32_MAX;
    ARGUMENT("all threads", posegen_create(bundle, &options, &generator));
    options = (posegen_options)POSEGEN_OPTIONS;
    options.device = -1;
    ARGUMENT("device", posegen_create(bundle, &options, &generator));
    options.device = 1;
    ARGUMENT("another CPU", posegen_create(bundle, &options, &generator));
    options.backend = "cpu";
    ARGUMENT("another cpu", posegen_create(bundle, &options, &generator));
    options = (posegen_options)POSEGEN_OPTIONS;
    options.backend = "gpu";
    ARGUMENT("backend", posegen_create(bundle, &options, &generator));
    options = (posegen_options)POSEGEN_OPTIONS;
    options.precision = "fp8";
    ARGUMENT("precision", posegen_create(bundle, &options, &generator));
    options = (posegen_options)POSEGEN_OPTIONS;
    options.backend = "cuda";
    expect("cuda", posegen_create(bundle, &options, &generator), POSEGEN_ERROR_BACKEND, NULL);
    options.backend = "tensorrt";
    expect("tensorrt", posegen_create(bundle, &options, &generator), POSEGEN_ERROR_BACKEND, NULL);
    options = (posegen_options)POSEGEN_OPTIONS;
    options.onnxruntime = "/nowhere/libonnxruntime.so";
    expect("no library", posegen_create(bundle, &options, &generator), POSEGEN_ERROR_BACKEND, NULL);
    options.onnxruntime = "libm.so.6";
    expect("another library", posegen_create(bundle, &options, &generator), POSEGEN_ERROR_BACKEND,
           NULL);
    expect("no bundle", posegen_create("/nowhere", NULL, &generator), POSEGEN_ERROR_BUNDLE, NULL);
    expect("a file", posegen_create("/dev/null", NULL, &generator), POSEGEN_ERROR_BUNDLE, NULL);
    if (generator) wrong++;
    options = (posegen_options)POSEGEN_OPTIONS;
    options.threads = 1024;
    options.backend = "cuda"; /* the number is not what is wrong; nothing starts that many */
    expect("1024 threads", posegen_create(bundle, &options, &generator), POSEGEN_ERROR_BACKEND,
           NULL);
}

static void handles(void) {
    posegen_generator *generator = NULL;
    posegen_conditions *conditions = NULL;
    posegen_info info = {.size = sizeof info};
    posegen_input input = {0};
    posegen_output output = {0};
    ARGUMENT("destroy NULL", posegen_destroy(NULL));
    ARGUMENT("destroy no conditions", posegen_conditions_destroy(NULL));
    expect("destroy a cleared handle", posegen_destroy(&generator), POSEGEN_OK, NULL);
    expect("destroy cleared conditions", posegen_conditions_destroy(&conditions), POSEGEN_OK, NULL);
    ARGUMENT("info of a cleared handle", posegen_get_info(generator, &info));
    ARGUMENT("conditions of a cleared handle",
             posegen_conditions_create(generator, &input, &input, &conditions));
    ARGUMENT("conditions into NULL", posegen_conditions_create(generator, &input, &input, NULL));
    ARGUMENT("generate by a cleared handle",
             posegen_generate(generator, conditions, &input, NULL, 0, &output));
    ARGUMENT("generate each by a cleared handle",
             posegen_generate_each(generator, &input, &input, &input, NULL, 0, &output));
    if (strcmp(posegen_status_name((posegen_status)99), "unknown") != 0) wrong++;
}

static void buffers(posegen_generator *generator, posegen_generator *pose) {
    posegen_info info = {.size = sizeof info};
    ARGUMENT("info into NULL", posegen_get_info(generator, NULL));
    info.size = 0;
    ARGUMENT("info without a size", posegen_get_info(generator, &info));
    info.width = -7;
    for (size_t size = 1; size < 2 * sizeof info; size++) {
        info.size = size;
        if (size != sizeof info)
            ARGUMENT("info of another size", posegen_get_info(generator, &info));
    }
    if (info.width != -7) wrong++;
    info.size = sizeof info;
    posegen_get_info(generator, &info);
    size_t pixels = (size_t)info.height * (size_t)info.width;
    uint8_t *memory = calloc(2 * pixels, 3), *written = calloc(2 * pixels, 3);
    const posegen_input mask = {memory, pixels, 1, info.height, info.width, 0, 0};
    const posegen_input photo = {memory, 3 * pixels, 1, info.height, info.width, 0, 0};
    const posegen_output image = {written, 3 * pixels, 1, info.height, info.width, 0, 0};
    posegen_conditions *conditions = NULL;

    ARGUMENT("no appearance", posegen_conditions_create(generator, NULL, &photo, &conditions));
    ARGUMENT("no background", posegen_conditions_create(generator, &photo, NULL, &conditions));
    posegen_input in = photo;
    in.count = 2, in.bytes = 6 * pixels;
    ARGUMENT("two appearances", posegen_conditions_create(generator, &in, &photo, &conditions));
    in = photo, in.bytes--;
    ARGUMENT("a byte too few", posegen_conditions_create(generator, &photo, &in, &conditions));
    ARGUMENT("conditions of a pose bundle",
             posegen_conditions_create(pose, &photo, &photo, &conditions));
    if (conditions) wrong++;
    expect("conditions", posegen_conditions_create(generator, &photo, &photo, &conditions),
           POSEGEN_OK, generator);

#define MASK(what, change)                                                                         \
    do {                                                                                           \
        in = mask;                                                                                 \
        change;                                                                                    \
        ARGUMENT(what, posegen_generate(generator, conditions, &in, NULL, 0, &image));             \
    } while (0)
    MASK("masks without data", in.data = NULL);
    MASK("no masks", in.count = 0);
    MASK("minus one mask", in.count = -1);
    MASK("masks too high", in.height++);
    MASK("masks too narrow", in.width--);
    MASK("masks turned inside out", (in.width = -in.width, in.height = -in.height));
    MASK("no bytes", in.bytes = 0);
    MASK("a byte less than the mask", in.bytes--);
    MASK("rows that overlap", in.row_stride = (size_t)info.width - 1);
    MASK("rows too far apart", in.row_stride = (size_t)info.width + 1);
    MASK("rows beyond all memory", in.row_stride = SIZE_MAX);
    MASK("rows that come round", in.row_stride = SIZE_MAX / (size_t)(info.height - 1) + 1);
    MASK("more masks than bytes", in.count = 2);
    MASK("as many masks as there are numbers", in.count = INT32_MAX);
    MASK("masks that overlap", (in.count = 2, in.bytes = 2 * pixels, in.image_stride = pixels - 1));
    MASK("masks side by side", (in.count = 2, in.bytes = 2 * pixels,
                                in.image_stride = (size_t)info.width,
                                in.row_stride = 2 * (size_t)info.width));
    MASK("masks too far apart", (in.count = 2, in.bytes = 2 * pixels, in.image_stride = SIZE_MAX));
    MASK("more masks than images", (in.count = 2, in.bytes = 2 * pixels));
    memory[5] = 1;
    MASK("masks of 0 and 1", (void)0);
    memory[5] = 0;
    MASK("masks where images go", in.data = written);
    MASK("masks that begin in the last pixel", in.data = written + 3 * pixels - 1);
    ARGUMENT("no masks at all", posegen_generate(generator, conditions, NULL, NULL, 0, &image));

    posegen_output out;
#define IMAGE(what, change)                                                                        \
    do {                                                                                           \
        out = image;                                                                               \
        change;                                                                                    \
        ARGUMENT(what, posegen_generate(generator, conditions, &mask, NULL, 0, &out));             \
    } while (0)
    IMAGE("images without data", out.data = NULL);
    IMAGE("images too wide", out.width++);
    IMAGE("a byte less than the image", out.bytes--);
    IMAGE("rows of masks, not of images", out.row_stride = (size_t)info.width);
    IMAGE("more images than masks", (out.count = 2, out.bytes = 6 * pixels));
    ARGUMENT("no images", posegen_generate(generator, conditions, &mask, NULL, 0, NULL));

    const float front[3] = {1, 0, 0};
    ARGUMENT("no conditions", posegen_generate(generator, NULL, &mask, NULL, 0, &image));
    ARGUMENT("others' conditions", posegen_generate(pose, conditions, &mask, NULL, 0, &image));
    ARGUMENT("a viewpoint that is not taken",
             posegen_generate(generator, conditions, &mask, front, 1, &image));
    ARGUMENT("each without conditions",
             posegen_generate_each(generator, NULL, NULL, &mask, NULL, 0, &image));
    ARGUMENT("an appearance that is not taken",
             posegen_generate_each(pose, &photo, NULL, &mask, NULL, 0, &image));
    in = photo, in.count = 2, in.bytes = 6 * pixels;
    ARGUMENT("two backgrounds for one mask",
             posegen_generate_each(generator, &photo, &in, &mask, NULL, 0, &image));
    in = photo, in.data = written + 1;
    ARGUMENT("an appearance where images go",
             posegen_generate_each(generator, &in, &photo, &mask, NULL, 0, &image));
    ARGUMENT("a background where images go",
             posegen_generate_each(generator, &photo, &in, &mask, NULL, 0, &image));
    for (size_t i = 0; i < 3 * pixels; i++)
        if (written[i]) {
            printf("WRONG: written in spite of an error\n");
            wrong++;
            break;
        }
    if (!strstr(posegen_message(pose), "takes none")) wrong++; /* each handle has its own */

    expect("an empty mask", posegen_generate(generator, conditions, &mask, NULL, 0, &image),
           POSEGEN_OK, generator);
    expect("pose alone", posegen_generate(pose, NULL, &mask, NULL, 0, &image), POSEGEN_OK, pose);
    in = mask, in.data = written + 3 * pixels;
    expect("masks behind the images", posegen_generate(generator, conditions, &in, NULL, 0, &image),
           POSEGEN_OK, generator);
    in.data = written, out = image, out.data = written + pixels;
    memset(written, 0, 6 * pixels);
    expect("masks before the images", posegen_generate(generator, conditions, &in, NULL, 0, &out),
           POSEGEN_OK, generator);
    posegen_conditions_destroy(&conditions);
    if (conditions) wrong++;
    free(memory);
    free(written);
}

static void viewpoints(const char *bundle) {
    posegen_generator *generator = NULL;
    expect("create", posegen_create(bundle, NULL, &generator), POSEGEN_OK, NULL);
    if (!generator) return;
    posegen_info info = {.size = sizeof info};
    posegen_get_info(generator, &info);
    size_t pixels = (size_t)info.height * (size_t)info.width;
    uint8_t *memory = calloc(pixels, 6), *written = calloc(pixels, 6);
    const posegen_input masks = {memory, 2 * pixels, 2, info.height, info.width, 0, 0};
    const posegen_input photo = {memory, 3 * pixels, 1, info.height, info.width, 0, 0};
    const posegen_output images = {written, 6 * pixels, 2, info.height, info.width, 0, 0};
    float given[9] = {1, 0, 0, 0, 0, 0, 0, 1, 0};
#define VIEWPOINT(what, from, count)                                                               \
    ARGUMENT(what,                                                                                 \
             posegen_generate_each(generator, &photo, &photo, &masks, from, count, &images))
    VIEWPOINT("three viewpoints for two masks", given, 3);
    VIEWPOINT("viewpoints that are NULL", NULL, 2);
    VIEWPOINT("no viewpoints", given, 0);
    VIEWPOINT("minus one viewpoint", given, -1);
    VIEWPOINT("viewpoints where images go", (float *)(void *)(written + 64), 2);
    given[3] = 0.5f;
    VIEWPOINT("half a viewpoint", given, 2);
    uint32_t nan = 0x7FC00000;
    memcpy(&given[3], &nan, sizeof nan);
    VIEWPOINT("a viewpoint that is no number", given, 2);
    free(memory);
    free(written);
    posegen_destroy(&generator);
}

int main(int count, char **arguments) {
    if (count != 4) return 2;
    if (posegen_message(NULL)[0]) wrong++;
    create(arguments[1]);
    handles();
    posegen_generator *generator = NULL, *pose = NULL;
    expect("create", posegen_create(arguments[1], NULL, &generator), POSEGEN_OK, NULL);
    expect("create", posegen_create(arguments[2], NULL, &pose), POSEGEN_OK, NULL);
    if (generator && pose) buffers(generator, pose);
    posegen_destroy(&generator);
    posegen_destroy(&pose);
    if (generator || pose) wrong++;
    viewpoints(arguments[3]);
    printf("%d wrong\n", wrong);
    return wrong != 0;
}
