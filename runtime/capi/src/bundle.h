/* bundle.json, and the files of one precision, checked. */
#ifndef PG_BUNDLE_H
#define PG_BUNDLE_H

#include <stdbool.h>

#include "error.h"
#include "json.h"

enum { PG_GENERATOR, PG_CONDITIONS, PG_CACHED, PG_GRAPHS };
enum { PG_MASK, PG_APPEARANCE, PG_BACKGROUND, PG_VIEWPOINT, PG_INPUTS };
enum { PG_PATH = 4096 };

extern const char *const PG_INPUT_NAMES[PG_INPUTS];

typedef struct {
    char path[PG_TEXT]; /* in the bundle */
    char sha256[65];
    int64_t bytes;
} pg_file;

typedef struct {
    char name[PG_TEXT], arch[PG_TEXT], variant[PG_TEXT], precision[PG_TEXT];
    int height, width, max_batch;
    bool takes[PG_INPUTS];
    char graphs[PG_GRAPHS][PG_TEXT];   /* paths in the bundle; "": none */
    char defaults[PG_INPUTS][PG_TEXT]; /* paths in the bundle; "": none */
    pg_file *files;
    size_t file_count;
} pg_bundle;

/* Whether the variant has inputs that are encoded once for many masks. */
bool pg_bundle_conditional(const pg_bundle *bundle);

/* Read the text of `file`, a bundle.json, for the variant `precision`. To be freed also after an
 * error. */
posegen_status pg_bundle_parse(const char *text, size_t size, const char *file,
                               const char *precision, pg_bundle *bundle, pg_error *error);

/* Read the bundle in `folder` and check that what `precision` needs is there as it was exported:
 * every file beside its graphs, and the default images. */
posegen_status pg_bundle_load(const char *folder, const char *precision, pg_bundle *bundle,
                              pg_error *error);

void pg_bundle_free(pg_bundle *bundle);

/* "folder/relative" into `path`, PG_PATH bytes; an error when it does not fit. */
posegen_status pg_bundle_path(const char *folder, const char *relative, char *path,
                              pg_error *error);

#endif
