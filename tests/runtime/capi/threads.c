/* Many threads on one generator:
 *
 *     threads BUNDLE THREADS CALLS
 *
 * Each call must give the bytes that one thread alone gave. Every eighth call fails on purpose and
 * must leave its own message. */
#include <posegen.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KINDS = 5 };

static posegen_generator *generator;
static posegen_conditions *conditions;
static posegen_info info;
static posegen_input photos[KINDS], scenes[KINDS], masks[KINDS];
static uint8_t *expected[KINDS];
static int calls;
static atomic_int wrong, done;

static posegen_input noise(int channels, unsigned seed) {
    size_t bytes = (size_t)info.height * (size_t)info.width * (size_t)channels;
    uint8_t *data = malloc(bytes);
    for (size_t i = 0; i < bytes; i++) {
        seed = seed * 1664525u + 1013904223u;
        data[i] = channels == 1 ? (seed >> 28 > 7 ? 255 : 0) : (uint8_t)(seed >> 24);
    }
    posegen_input input = {data, bytes, 1, info.height, info.width, 0, 0};
    return input;
}

static posegen_status generate(int kind, uint8_t *pixels, size_t bytes) {
    posegen_output image = {pixels, bytes, 1, info.height, info.width, 0, 0};
    if (kind % 2)
        return posegen_generate_each(generator, &photos[kind], &scenes[kind], &masks[kind], NULL, 0,
                                     &image);
    return posegen_generate(generator, conditions, &masks[kind], NULL, 0, &image);
}

static void *work(void *argument) {
    int number = (int)(size_t)argument;
    size_t bytes = 3 * (size_t)info.height * (size_t)info.width;
    uint8_t *pixels = malloc(bytes);
    for (int call = 0; call < calls; call++) {
        int kind = (number + call) % KINDS;
        memset(pixels, 0, bytes);
        if (call % 8 == 7) {
            char about[32];
            snprintf(about, sizeof about, "%d bytes", number);
            if (generate(kind, pixels, (size_t)number) != POSEGEN_ERROR_ARGUMENT ||
                !strstr(posegen_message(NULL), about) || !posegen_message(generator)[0])
                atomic_fetch_add(&wrong, 1);
        } else if (generate(kind, pixels, bytes) != POSEGEN_OK ||
                   memcmp(pixels, expected[kind], bytes) != 0) {
            atomic_fetch_add(&wrong, 1);
        }
        atomic_fetch_add(&done, 1);
    }
    free(pixels);
    return NULL;
}

int main(int count, char **arguments) {
    if (count != 4) return 2;
    int number = atoi(arguments[2]);
    calls = atoi(arguments[3]);
    posegen_options options = POSEGEN_OPTIONS;
    options.threads = 1;
    if (posegen_create(arguments[1], &options, &generator) != POSEGEN_OK) {
        fprintf(stderr, "%s\n", posegen_message(NULL));
        return 1;
    }
    info.size = sizeof info;
    posegen_get_info(generator, &info);
    size_t bytes = 3 * (size_t)info.height * (size_t)info.width;
    for (int kind = 0; kind < KINDS; kind++) {
        masks[kind] = noise(1, 10u + (unsigned)kind);
        photos[kind] = noise(3, 20u + (unsigned)kind);
        scenes[kind] = noise(3, 30u + (unsigned)kind);
        expected[kind] = malloc(bytes);
    }
    if (posegen_conditions_create(generator, &photos[0], &scenes[0], &conditions) != POSEGEN_OK)
        return 1;
    for (int kind = 0; kind < KINDS; kind++)
        if (generate(kind, expected[kind], bytes) != POSEGEN_OK) return 1;
    pthread_t *threads = malloc((size_t)number * sizeof *threads);
    for (int i = 0; i < number; i++) pthread_create(&threads[i], NULL, work, (void *)(size_t)i);
    for (int i = 0; i < number; i++) pthread_join(threads[i], NULL);
    free(threads);
    for (int kind = 0; kind < KINDS; kind++) {
        free((void *)masks[kind].data);
        free((void *)photos[kind].data);
        free((void *)scenes[kind].data);
        free(expected[kind]);
    }
    posegen_conditions_destroy(&conditions);
    posegen_destroy(&generator);
    printf("%d calls, %d wrong\n", atomic_load(&done), atomic_load(&wrong));
    return atomic_load(&wrong) != 0;
}
