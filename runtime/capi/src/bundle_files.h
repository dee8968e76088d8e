/* The files of a bundle against what bundle.json records of them. */
#ifndef PG_BUNDLE_FILES_H
#define PG_BUNDLE_FILES_H

#include "bundle.h"

/* The content of a bundle.json; free `*text`. */
posegen_status pg_read_manifest(const char *path, char **text, size_t *size, pg_error *error);

/* Every file beside the graphs, and the default images, are recorded and unchanged. */
posegen_status pg_check_files(const char *folder, const pg_bundle *bundle, pg_error *error);

#endif
