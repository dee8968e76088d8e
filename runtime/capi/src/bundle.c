#include "bundle.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundle_files.h"

enum { SCHEMA = 1, MAX_SIDE = 8192, MAX_BATCH = 1024, MAX_BATCH_PIXELS = 1 << 28 };

const char *const PG_INPUT_NAMES[PG_INPUTS] = {"mask", "appearance", "background", "viewpoint"};
static const char *const GRAPH_NAMES[PG_GRAPHS] = {"generator", "conditions", "generator_cached"};
static const char *const GRAPH_SUFFIX = ".onnx";

/* What was read so far; `field` is what an error is about. */
typedef struct {
    pg_bundle *bundle;
    const char *wanted; /* precision */
    char held[PG_TEXT]; /* precisions, for the message when `wanted` is not there */
    char found[PG_TEXT];
    char graphs[PG_GRAPHS][PG_TEXT]; /* of the precision that is being read */
    char unknown[PG_TEXT];           /* input */
    int64_t schema;
    int sides[2], side_count;
    size_t room; /* in bundle->files */
    bool memory; /* there was none left */
    char field[PG_TEXT];
} reader;

static void field(reader *read, const char *name) {
    snprintf(read->field, sizeof read->field, "%s", name);
}

static void read_schema(pg_json *json, const char *key, void *user) {
    reader *read = user;
    if (strcmp(key, "schema") == 0)
        read->schema = pg_json_whole(json, INT64_MAX);
    else
        pg_json_skip(json);
}

static void read_side(pg_json *json, void *user) {
    reader *read = user;
    int64_t side = pg_json_whole(json, MAX_SIDE);
    if (side < 1 || read->side_count == 2) json->bad = true;
    if (!json->bad) read->sides[read->side_count++] = (int)side;
}

static void read_input_member(pg_json *json, const char *key, void *user) {
    if (strcmp(key, "name") == 0)
        pg_json_text(json, user, PG_TEXT);
    else
        pg_json_skip(json);
}

static void read_input(pg_json *json, void *user) {
    reader *read = user;
    char name[PG_TEXT] = "";
    pg_json_object(json, read_input_member, name);
    if (json->bad) return;
    for (int input = 0; input < PG_INPUTS; input++) {
        if (strcmp(name, PG_INPUT_NAMES[input]) != 0) continue;
        if (read->bundle->takes[input]) json->bad = true; /* twice */
        read->bundle->takes[input] = true;
        return;
    }
    memcpy(read->unknown, name, sizeof name);
}

static void read_graph_member(pg_json *json, const char *key, void *user) {
    if (strcmp(key, "path") == 0)
        pg_json_text(json, user, PG_TEXT);
    else
        pg_json_skip(json);
}

static void read_graph(pg_json *json, const char *key, void *user) {
    reader *read = user;
    for (int graph = 0; graph < PG_GRAPHS; graph++)
        if (strcmp(key, GRAPH_NAMES[graph]) == 0) {
            pg_json_object(json, read_graph_member, read->graphs[graph]);
            return;
        }
    pg_json_skip(json);
}

static void read_precision_member(pg_json *json, const char *key, void *user) {
    reader *read = user;
    if (strcmp(key, "precision") == 0)
        pg_json_text(json, read->found, sizeof read->found);
    else if (strcmp(key, "graphs") == 0)
        pg_json_object(json, read_graph, read);
    else
        pg_json_skip(json);
}

static void read_precision(pg_json *json, void *user) {
    reader *read = user;
    memset(read->graphs, 0, sizeof read->graphs);
    read->found[0] = '\0';
    pg_json_object(json, read_precision_member, read);
    if (json->bad) return;
    size_t used = strlen(read->held);
    snprintf(read->held + used, sizeof read->held - used, "%s%s", used ? ", " : "", read->found);
    if (strcmp(read->found, read->wanted) != 0) return;
    if (read->bundle->precision[0]) json->bad = true; /* twice */
    memcpy(read->bundle->precision, read->found, sizeof read->found);
    memcpy(read->bundle->graphs, read->graphs, sizeof read->graphs);
}

static void read_default(pg_json *json, const char *key, void *user) {
    reader *read = user;
    for (int input = 0; input < PG_INPUTS; input++)
        if (strcmp(key, PG_INPUT_NAMES[input]) == 0) {
            pg_json_text(json, read->bundle->defaults[input], PG_TEXT);
            return;
        }
    pg_json_skip(json);
}

static void read_file_member(pg_json *json, const char *key, void *user) {
    pg_file *file = user;
    if (strcmp(key, "sha256") == 0)
        pg_json_text(json, file->sha256, sizeof file->sha256);
    else if (strcmp(key, "bytes") == 0)
        file->bytes = pg_json_whole(json, INT64_MAX);
    else
        pg_json_skip(json);
}

static void read_file(pg_json *json, const char *key, void *user) {
    reader *read = user;
    pg_bundle *bundle = read->bundle;
    if (bundle->file_count == read->room) {
        size_t room = read->room ? 2 * read->room : 64;
        pg_file *more = realloc(bundle->files, room * sizeof *more);
        if (!more) {
            read->memory = json->bad = true;
            return;
        }
        bundle->files = more;
        read->room = room;
    }
    pg_file *file = &bundle->files[bundle->file_count];
    memset(file, 0, sizeof *file);
    file->bytes = -1;
    snprintf(file->path, sizeof file->path, "%s", key);
    pg_json_object(json, read_file_member, file);
    if (!json->bad) bundle->file_count++;
}

static void read_member(pg_json *json, const char *key, void *user) {
    reader *read = user;
    pg_bundle *bundle = read->bundle;
    field(read, key);
    if (strcmp(key, "name") == 0)
        pg_json_text(json, bundle->name, sizeof bundle->name);
    else if (strcmp(key, "arch") == 0)
        pg_json_text(json, bundle->arch, sizeof bundle->arch);
    else if (strcmp(key, "variant") == 0)
        pg_json_text(json, bundle->variant, sizeof bundle->variant);
    else if (strcmp(key, "image_size") == 0)
        pg_json_array(json, read_side, read);
    else if (strcmp(key, "max_batch") == 0)
        bundle->max_batch = (int)pg_json_whole(json, MAX_BATCH);
    else if (strcmp(key, "inputs") == 0)
        pg_json_array(json, read_input, read);
    else if (strcmp(key, "precisions") == 0)
        pg_json_array(json, read_precision, read);
    else if (strcmp(key, "defaults") == 0)
        pg_json_object(json, read_default, read);
    else if (strcmp(key, "files") == 0)
        pg_json_object(json, read_file, read);
    else
        pg_json_skip(json);
}

/* A path inside the bundle, of names that start with a letter, a digit or "_". */
static bool fine_path(const char *path) {
    bool start = true;
    for (const char *c = path; *c; c++) {
        unsigned char byte = (unsigned char)*c;
        bool plain = isalnum(byte) || byte == '_' || byte >= 0x80;
        if (!plain && (start || !strchr("/.-+ ", byte))) return false;
        start = byte == '/';
    }
    return !start;
}

static bool ends_in(const char *text, const char *suffix) {
    size_t length = strlen(text), of_suffix = strlen(suffix);
    return length > of_suffix && strcmp(text + length - of_suffix, suffix) == 0;
}

static posegen_status check(reader *read, const char *file, pg_error *error) {
    pg_bundle *bundle = read->bundle;
    if (read->unknown[0])
        return pg_fail(error, POSEGEN_ERROR_BUNDLE,
                       "%s: the model takes %s, which this version cannot give; upgrade posegen",
                       file, read->unknown);
    if (!bundle->takes[PG_MASK] || read->side_count != 2 || bundle->max_batch < 1)
        return pg_fail(error, POSEGEN_ERROR_BUNDLE,
                       "%s: no model that can be run (mask, image_size or max_batch is missing); "
                       "export it again",
                       file);
    bundle->height = read->sides[0];
    bundle->width = read->sides[1];
    if ((int64_t)bundle->height * bundle->width * bundle->max_batch > MAX_BATCH_PIXELS)
        return pg_fail(error, POSEGEN_ERROR_BUNDLE,
                       "%s: batches of %d images of %dx%d pixels are more than is run here; export "
                       "it with a smaller --max-batch",
                       file, bundle->max_batch, bundle->width, bundle->height);
    if (!bundle->precision[0])
        return pg_fail(error, POSEGEN_ERROR_ARGUMENT, "%s: the bundle holds no %s variant, only %s",
                       file, read->wanted, read->held);
    for (int graph = 0; graph < PG_GRAPHS; graph++) {
        bool needed = (graph == PG_GENERATOR) != pg_bundle_conditional(bundle);
        if (!needed)
            bundle->graphs[graph][0] = '\0';
        else if (!ends_in(bundle->graphs[graph], GRAPH_SUFFIX))
            return pg_fail(error, POSEGEN_ERROR_BUNDLE,
                           "%s: the %s variant has no graph %s; export the bundle again", file,
                           bundle->precision, GRAPH_NAMES[graph]);
    }
    for (size_t i = 0; i < bundle->file_count; i++)
        if (!fine_path(bundle->files[i].path))
            return pg_fail(error, POSEGEN_ERROR_BUNDLE,
                           "%s: %s is no name for a file in a bundle; export it again", file,
                           bundle->files[i].path);
    return POSEGEN_OK;
}

posegen_status pg_bundle_parse(const char *text, size_t size, const char *file,
                               const char *precision, pg_bundle *bundle, pg_error *error) {
    memset(bundle, 0, sizeof *bundle);
    reader *read = calloc(1, sizeof *read);
    if (!read) return pg_fail(error, POSEGEN_ERROR_MEMORY, "%s: no memory left", file);
    read->bundle = bundle;
    read->wanted = precision;
    read->schema = -1;
    posegen_status status;
    pg_json json = pg_json_start(text, size);
    pg_json_object(&json, read_schema, read);
    if (pg_json_ended(&json) && read->schema >= 0 && read->schema <= SCHEMA) {
        json = pg_json_start(text, size);
        pg_json_object(&json, read_member, read);
    }
    if (read->schema > SCHEMA && !json.bad)
        status = pg_fail(error, POSEGEN_ERROR_BUNDLE,
                         "%s: bundle schema %lld is newer than %d, the newest this version reads; "
                         "upgrade posegen",
                         file, (long long)read->schema, SCHEMA);
    else if (read->memory)
        status = pg_fail(error, POSEGEN_ERROR_MEMORY, "%s: no memory left", file);
    else if (json.bad || read->schema < 0)
        status = pg_fail(error, POSEGEN_ERROR_BUNDLE,
                         "%s: unreadable bundle (%s, byte %td); export it again", file,
                         read->field[0] ? read->field : "schema", json.at - json.start);
    else
        status = check(read, file, error);
    free(read);
    return status;
}

bool pg_bundle_conditional(const pg_bundle *bundle) {
    return bundle->takes[PG_APPEARANCE] || bundle->takes[PG_BACKGROUND];
}

posegen_status pg_bundle_path(const char *folder, const char *relative, char *path,
                              pg_error *error) {
    int length = snprintf(path, PG_PATH, "%s/%s", folder, relative);
    if (length < 0 || length >= PG_PATH)
        return pg_fail(error, POSEGEN_ERROR_BUNDLE, "%.200s...: the path is too long", folder);
    return POSEGEN_OK;
}

posegen_status pg_bundle_load(const char *folder, const char *precision, pg_bundle *bundle,
                              pg_error *error) {
    memset(bundle, 0, sizeof *bundle);
    char path[PG_PATH];
    posegen_status status = pg_bundle_path(folder, "bundle.json", path, error);
    if (status != POSEGEN_OK) return status;
    char *text;
    size_t size;
    status = pg_read_manifest(path, &text, &size, error);
    if (status != POSEGEN_OK) return status;
    status = pg_bundle_parse(text, size, path, precision, bundle, error);
    free(text);
    return status == POSEGEN_OK ? pg_check_files(folder, bundle, error) : status;
}

void pg_bundle_free(pg_bundle *bundle) {
    free(bundle->files);
    bundle->files = NULL;
    bundle->file_count = 0;
}
