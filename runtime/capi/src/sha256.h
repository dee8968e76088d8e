/* SHA-256 (FIPS 180-4). */
#ifndef PG_SHA256_H
#define PG_SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint32_t state[8];
    uint64_t bytes;
    uint8_t block[64];
} pg_sha256;

void pg_sha256_start(pg_sha256 *sha);
void pg_sha256_add(pg_sha256 *sha, const uint8_t *data, size_t size);

/* Lower-case hexadecimal with a NUL. */
void pg_sha256_end(pg_sha256 *sha, char hex[65]);

#endif
