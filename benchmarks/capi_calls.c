/* Calls of the C interface, timed for `capi.py`:
 *
 *     capi_calls BUNDLE MASK [APPEARANCE BACKGROUND]
 *
 * of raw files, at batch 1 on one thread. For each number on standard input it makes as many calls
 * and prints the seconds of processor time that they took. */
#include <posegen.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static posegen_input read_file(const char *path, const posegen_info *info, size_t channels) {
    posegen_input input = {NULL, 0, 1, info->height, info->width, 0, 0};
    input.bytes = (size_t)info->height * (size_t)info->width * channels;
    uint8_t *data = malloc(input.bytes);
    FILE *file = fopen(path, "rb");
    if (!data || !file || fread(data, 1, input.bytes, file) != input.bytes) exit(2);
    fclose(file);
    input.data = data;
    return input;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

int main(int count, char **arguments) {
    posegen_options options = POSEGEN_OPTIONS;
    posegen_generator *generator = NULL;
    posegen_conditions *conditions = NULL;
    posegen_info info = {.size = sizeof info};
    options.threads = 1;
    if ((count != 3 && count != 5) ||
        posegen_create(arguments[1], &options, &generator) != POSEGEN_OK) {
        fprintf(stderr, "%s\n", posegen_message(NULL));
        return 1;
    }
    posegen_get_info(generator, &info);
    posegen_input mask = read_file(arguments[2], &info, 1), photo, scene;
    if (count == 5) {
        photo = read_file(arguments[3], &info, 3);
        scene = read_file(arguments[4], &info, 3);
        if (posegen_conditions_create(generator, &photo, info.takes_background ? &scene : NULL,
                                      &conditions) != POSEGEN_OK)
            return 1;
    }
    posegen_output image = {malloc(3 * mask.bytes), 3 * mask.bytes, 1, info.height, info.width, 0,
                            0};
    for (int calls; scanf("%d", &calls) == 1;) {
        double start = now();
        for (int call = 0; call < calls; call++)
            if (posegen_generate(generator, conditions, &mask, NULL, 0, &image) != POSEGEN_OK) {
                fprintf(stderr, "%s\n", posegen_message(generator));
                return 1;
            }
        printf("%.9f\n", now() - start);
        fflush(stdout);
    }
    posegen_conditions_destroy(&conditions);
    posegen_destroy(&generator);
    return 0;
}
