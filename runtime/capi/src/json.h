/* A strict reader of JSON (RFC 8259) that walks through a text and keeps nothing. */
#ifndef PG_JSON_H
#define PG_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PG_TEXT = 512 /* bytes of the longest text that is kept, with its NUL */ };

typedef struct {
    const char *start, *at, *end;
    int depth;
    bool bad; /* set by the first thing that is not as it must be; `at` stays there */
} pg_json;

/* Reads the value that follows `key` by one of the functions below. */
typedef void (*pg_json_member)(pg_json *json, const char *key, void *user);
typedef void (*pg_json_item)(pg_json *json, void *user);

pg_json pg_json_start(const char *text, size_t size);

/* Whether the text ended, but for white space, and nothing was bad. */
bool pg_json_ended(pg_json *json);

void pg_json_object(pg_json *json, pg_json_member member, void *user);
void pg_json_array(pg_json *json, pg_json_item item, void *user);

/* UTF-8 with a NUL; bad when it is no text, has a NUL inside or does not fit. */
void pg_json_text(pg_json *json, char *text, size_t size);

/* A whole number from 0 to `most`; 0 when bad. */
int64_t pg_json_whole(pg_json *json, int64_t most);

void pg_json_skip(pg_json *json);

#endif
