/* What is inside the library, for the tests:
 *
 *     probe sha256 FILE...                the hash of each
 *     probe load PRECISION BUNDLE...      status and message of each bundle, without an engine
 *     probe fuzz BUNDLE_JSON SEED COUNT   reads that many damaged copies of it
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundle.h"
#include "sha256.h"

static char *read_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0) exit(2);
    *size = (size_t)ftell(file);
    rewind(file);
    char *data = malloc(*size + 1);
    if (!data || fread(data, 1, *size, file) != *size) exit(2);
    fclose(file);
    return data;
}

static void hash(const char *path) {
    size_t size;
    char *data = read_file(path, &size), hex[65];
    pg_sha256 sha;
    pg_sha256_start(&sha);
    /* In uneven parts. */
    for (size_t at = 0, part = 1; at < size; at += part, part = part * 2 + 1) {
        if (part > size - at) part = size - at;
        pg_sha256_add(&sha, (const uint8_t *)data + at, part);
    }
    pg_sha256_end(&sha, hex);
    printf("%s\n", hex);
    free(data);
}

static void load(const char *folder, const char *precision) {
    pg_bundle bundle;
    pg_error error = {POSEGEN_OK, ""};
    posegen_status status = pg_bundle_load(folder, precision, &bundle, &error);
    printf("%s: %s\n", posegen_status_name(status), error.text);
    pg_bundle_free(&bundle);
}

static unsigned state;

static unsigned next(unsigned below) {
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % below;
}

/* Bytes changed, cut out, doubled, or the end cut off. */
static size_t damage(char *text, size_t size) {
    static const char likely[] = "{}[]\",:\\u0-9.eE\xff\x80\n\t ";
    for (unsigned times = 1 + next(4); times > 0 && size > 1; times--) {
        size_t at = next((unsigned)size), length = 1 + next(16);
        if (length > size - at) length = size - at;
        switch (next(5)) {
        case 0: text[at] = (char)next(256); break;
        case 1: text[at] = likely[next(sizeof likely - 1)]; break;
        case 2:
            memmove(text + at, text + at + length, size - at - length);
            size -= length;
            break;
        case 3: memmove(text + at, text + next((unsigned)(size - length) + 1), length); break;
        default:
            if (next(8) == 0) size = at;
        }
    }
    return size;
}

static void fuzz(const char *path, unsigned count) {
    size_t whole;
    char *original = read_file(path, &whole);
    unsigned refused = 0;
    for (unsigned i = 0; i < count; i++) {
        /* Exactly as large as what is read, so that AddressSanitizer sees a byte too many. */
        char *damaged = malloc(whole + 1), *exact;
        memcpy(damaged, original, whole);
        size_t size = damage(damaged, whole);
        if (!(exact = malloc(size ? size : 1))) exit(2);
        memcpy(exact, damaged, size);
        pg_bundle bundle;
        pg_error error = {POSEGEN_OK, ""};
        if (pg_bundle_parse(exact, size, path, "fp32", &bundle, &error) != POSEGEN_OK) {
            refused++;
            if (!error.text[0]) exit(3);
        }
        pg_bundle_free(&bundle);
        free(exact);
        free(damaged);
    }
    printf("%u of %u refused\n", refused, count);
    free(original);
}

/* posegen.c is not part of this program. */
const char *posegen_status_name(posegen_status status) {
    static const char *const names[] = {"ok", "argument", "bundle", "backend", "run", "memory"};
    return names[status];
}

int main(int count, char **arguments) {
    if (count < 3) return 2;
    if (strcmp(arguments[1], "sha256") == 0) {
        for (int i = 2; i < count; i++) hash(arguments[i]);
    } else if (strcmp(arguments[1], "load") == 0) {
        for (int i = 3; i < count; i++) load(arguments[i], arguments[2]);
    } else if (count == 5) {
        state = (unsigned)atoi(arguments[3]);
        fuzz(arguments[2], (unsigned)atoi(arguments[4]));
    }
    return 0;
}
