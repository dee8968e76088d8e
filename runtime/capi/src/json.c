#include "json.h"

#include <string.h>

enum { DEEPEST = 64 };

pg_json pg_json_start(const char *text, size_t size) {
    return (pg_json){.start = text, .at = text, .end = text + size};
}

static void blank(pg_json *json) {
    while (json->at < json->end && memchr(" \t\r\n", *json->at, 4)) json->at++;
}

/* Whether `wanted` comes next, behind white space; then it is taken. */
static bool taken(pg_json *json, char wanted) {
    if (json->bad) return false;
    blank(json);
    if (json->at == json->end || *json->at != wanted) return false;
    json->at++;
    return true;
}

static void must(pg_json *json, bool fine) {
    if (!fine) json->bad = true;
}

bool pg_json_ended(pg_json *json) {
    if (!json->bad) blank(json);
    must(json, json->at == json->end);
    return !json->bad;
}

static int hex4(pg_json *json) {
    int value = 0;
    for (int i = 0; i < 4; i++, json->at++) {
        char c = json->at < json->end ? *json->at : '\0';
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) {
            json->bad = true;
            return 0;
        }
        value = 16 * value + digit;
    }
    return value;
}

/* The code point behind "\u"; a pair of surrogates is one. */
static uint32_t escaped(pg_json *json) {
    uint32_t code = (uint32_t)hex4(json);
    if (code >= 0xD800 && code < 0xDC00 && !json->bad) {
        if (json->end - json->at < 2 || json->at[0] != '\\' || json->at[1] != 'u') {
            json->bad = true;
            return 0;
        }
        json->at += 2;
        uint32_t low = (uint32_t)hex4(json);
        must(json, low >= 0xDC00 && low < 0xE000);
        return 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    must(json, code < 0xDC00 || code >= 0xE000);
    return code;
}

static size_t utf8(uint32_t code, char out[4]) {
    if (code < 0x80) return out[0] = (char)code, 1;
    size_t more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const uint8_t lead[4] = {0, 0xC0, 0xE0, 0xF0};
    out[0] = (char)(lead[more] | code >> (6 * more));
    for (size_t i = 1; i <= more; i++) out[i] = (char)(0x80 | (code >> (6 * (more - i)) & 0x3F));
    return more + 1;
}

void pg_json_text(pg_json *json, char *text, size_t size) {
    if (text) text[0] = '\0';
    if (!taken(json, '"')) {
        json->bad = true;
        return;
    }
    size_t used = 0;
    while (!json->bad) {
        if (json->at == json->end || (unsigned char)*json->at < 0x20) break;
        char part[4];
        size_t length = 1;
        part[0] = *json->at++;
        if (part[0] == '"') {
            if (text) text[used] = '\0';
            return;
        }
        if (part[0] == '\\') {
            static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
            char kind = json->at < json->end ? *json->at++ : '\0';
            const char *found = kind ? strchr(from, kind) : NULL;
            if (kind == 'u') {
                uint32_t code = escaped(json);
                must(json, code != 0);
                length = utf8(code, part);
            } else if (found) {
                part[0] = to[found - from];
            } else {
                break;
            }
        }
        if (!text) continue;
        if (used + length >= size) break;
        memcpy(text + used, part, length);
        used += length;
    }
    json->bad = true;
}

static bool digits(pg_json *json) {
    const char *first = json->at;
    while (json->at < json->end && *json->at >= '0' && *json->at <= '9') json->at++;
    return json->at > first;
}

/* A number by the grammar; whether it is a whole one that is not negative. */
static bool number(pg_json *json) {
    bool whole = true;
    if (*json->at == '-') whole = false, json->at++;
    bool zero = json->at < json->end && *json->at == '0';
    const char *first = json->at;
    must(json, digits(json) && (!zero || json->at == first + 1));
    if (!json->bad && json->at < json->end && *json->at == '.') {
        json->at++;
        whole = false;
        must(json, digits(json));
    }
    if (!json->bad && json->at < json->end && (*json->at == 'e' || *json->at == 'E')) {
        json->at++;
        whole = false;
        if (json->at < json->end && (*json->at == '+' || *json->at == '-')) json->at++;
        must(json, digits(json));
    }
    return whole && !json->bad;
}

int64_t pg_json_whole(pg_json *json, int64_t most) {
    if (json->bad) return 0;
    blank(json);
    const char *first = json->at;
    if (json->at == json->end || !number(json)) {
        json->bad = true;
        return 0;
    }
    int64_t value = 0;
    for (const char *c = first; c < json->at; c++) {
        int digit = *c - '0';
        if (value > most / 10 || 10 * value > most - digit) {
            json->bad = true;
            return 0;
        }
        value = 10 * value + digit;
    }
    return value;
}

static bool enter(pg_json *json, char opening) {
    if (!taken(json, opening) || ++json->depth > DEEPEST) json->bad = true;
    return !json->bad;
}

void pg_json_object(pg_json *json, pg_json_member member, void *user) {
    if (!enter(json, '{')) return;
    if (!taken(json, '}')) {
        do {
            char key[PG_TEXT];
            pg_json_text(json, key, sizeof key);
            must(json, taken(json, ':'));
            if (!json->bad) member(json, key, user);
        } while (taken(json, ','));
        must(json, taken(json, '}'));
    }
    json->depth--;
}

void pg_json_array(pg_json *json, pg_json_item item, void *user) {
    if (!enter(json, '[')) return;
    if (!taken(json, ']')) {
        do {
            if (!json->bad) item(json, user);
        } while (taken(json, ','));
        must(json, taken(json, ']'));
    }
    json->depth--;
}

static void skip_member(pg_json *json, const char *key, void *user) {
    (void)key, (void)user;
    pg_json_skip(json);
}

static void skip_item(pg_json *json, void *user) {
    (void)user;
    pg_json_skip(json);
}

static void word(pg_json *json, const char *wanted) {
    size_t length = strlen(wanted);
    if ((size_t)(json->end - json->at) < length || memcmp(json->at, wanted, length) != 0)
        json->bad = true;
    else
        json->at += length;
}

void pg_json_skip(pg_json *json) {
    if (json->bad) return;
    blank(json);
    switch (json->at < json->end ? *json->at : '\0') {
    case '{': pg_json_object(json, skip_member, NULL); break;
    case '[': pg_json_array(json, skip_item, NULL); break;
    case '"': pg_json_text(json, NULL, 0); break;
    case 't': word(json, "true"); break;
    case 'f': word(json, "false"); break;
    case 'n': word(json, "null"); break;
    case '\0': json->bad = true; break;
    default: number(json);
    }
}
