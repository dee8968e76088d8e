#define _POSIX_C_SOURCE 200809L
#include "bundle_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sha256.h"

enum { MAX_MANIFEST = 64 << 20, PART = 1 << 16, DEEPEST = 8 };

/* Open a regular file, or -1: a pipe would keep us waiting. */
static int open_regular(const char *path, struct stat *stat) {
    int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (file >= 0 && fstat(file, stat) == 0 && S_ISREG(stat->st_mode)) return file;
    if (file >= 0) {
        close(file);
        errno = EINVAL;
    }
    return -1;
}

/* Up to `size` bytes; fewer at the end of the file, -1 on failure. */
static ssize_t read_part(int file, void *data, size_t size) {
    ssize_t got;
    do got = read(file, data, size);
    while (got < 0 && errno == EINTR);
    return got;
}

posegen_status pg_read_manifest(const char *path, char **text, size_t *size, pg_error *error) {
    struct stat stat;
    int file = open_regular(path, &stat);
    *text = NULL;
    *size = 0;
    if (file < 0)
        return pg_fail(error, POSEGEN_ERROR_BUNDLE,
                       "%s: cannot be read (%s); name the exported folder", path, strerror(errno));
    posegen_status status = POSEGEN_OK;
    if (stat.st_size > MAX_MANIFEST)
        status = pg_fail(error, POSEGEN_ERROR_BUNDLE, "%s: larger than any bundle's; export it again",
                         path);
    else if (!(*text = malloc((size_t)stat.st_size + 1)))
        status = pg_fail(error, POSEGEN_ERROR_MEMORY, "%s: no memory left", path);
    while (status == POSEGEN_OK && *size < (size_t)stat.st_size) {
        ssize_t got = read_part(file, *text + *size, (size_t)stat.st_size - *size);
        if (got <= 0)
            status = pg_fail(error, POSEGEN_ERROR_BUNDLE, "%s: cannot be read (%s)", path,
                             got ? strerror(errno) : "it became shorter");
        else
            *size += (size_t)got;
    }
    close(file);
    if (status != POSEGEN_OK) {
        free(*text);
        *text = NULL;
    }
    return status;
}

static posegen_status check_file(const char *folder, const pg_file *record, pg_error *error) {
    char path[PG_PATH];
    posegen_status status = pg_bundle_path(folder, record->path, path, error);
    if (status != POSEGEN_OK) return status;
    struct stat stat;
    int file = open_regular(path, &stat);
    if (file < 0)
        return pg_fail(error, POSEGEN_ERROR_BUNDLE,
                       "%s: missing from the bundle (%s); copy or export it again", path,
                       strerror(errno));
    char hex[65];
    bool whole = false;
    if (stat.st_size == record->bytes) {
        uint8_t *part = malloc(PART);
        pg_sha256 sha;
        pg_sha256_start(&sha);
        ssize_t got = -1;
        while (part && (got = read_part(file, part, PART)) > 0)
            pg_sha256_add(&sha, part, (size_t)got);
        whole = got == 0;
        pg_sha256_end(&sha, hex);
        free(part);
    }
    close(file);
    if (!whole || strcmp(hex, record->sha256) != 0)
        return pg_fail(error, POSEGEN_ERROR_BUNDLE,
                       "%s: changed since export (sha256 differs); copy or export it again", path);
    return POSEGEN_OK;
}

static const pg_file *recorded(const pg_bundle *bundle, const char *path) {
    for (size_t i = 0; i < bundle->file_count; i++)
        if (strcmp(bundle->files[i].path, path) == 0) return &bundle->files[i];
    return NULL;
}

/* Everything in a folder of the bundle ("" is the bundle's own) is recorded: a graph may load any
 * file that lies there. Hidden files, such as a file system leaves, are not. */
static posegen_status check_held(const char *folder, const char *inside, const pg_bundle *bundle,
                                 int depth, pg_error *error) {
    char path[PG_PATH];
    posegen_status status = pg_bundle_path(folder, inside, path, error);
    if (status != POSEGEN_OK) return status;
    DIR *held = depth < DEEPEST ? opendir(path) : NULL;
    if (!held)
        return pg_fail(error, POSEGEN_ERROR_BUNDLE, "%s: cannot be read (%s)", path,
                       depth < DEEPEST ? strerror(errno) : "too deep");
    struct dirent *entry;
    while (status == POSEGEN_OK && (entry = readdir(held))) {
        char relative[PG_TEXT];
        struct stat stat;
        int length = snprintf(relative, sizeof relative, "%s%s%s", inside, inside[0] ? "/" : "",
                              entry->d_name);
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (strcmp(relative, "bundle.json") == 0) continue;
        bool fits = length < (int)sizeof relative;
        bool known = fstatat(dirfd(held), entry->d_name, &stat, AT_SYMLINK_NOFOLLOW) == 0;
        if (known && entry->d_name[0] == '.' && S_ISREG(stat.st_mode)) continue;
        if (fits && known && S_ISDIR(stat.st_mode))
            status = check_held(folder, relative, bundle, depth + 1, error);
        else if (!fits || !recorded(bundle, relative))
            status = pg_fail(error, POSEGEN_ERROR_BUNDLE,
                             "%s/%s has no recorded sha256 in bundle.json; export the bundle again",
                             folder, relative);
    }
    closedir(held);
    return status;
}

/* The folder in the bundle that holds `path`, "" at its top. */
static void parent(const char *path, char inside[PG_TEXT]) {
    const char *slash = strrchr(path, '/');
    snprintf(inside, PG_TEXT, "%.*s", slash ? (int)(slash - path) : 0, path);
}

static posegen_status check_folder(const char *folder, const char *inside, const pg_bundle *bundle,
                                   pg_error *error) {
    size_t length = strlen(inside);
    posegen_status status = check_held(folder, inside, bundle, 0, error);
    for (size_t i = 0; status == POSEGEN_OK && i < bundle->file_count; i++) {
        const pg_file *file = &bundle->files[i];
        if (length == 0 || (strncmp(file->path, inside, length) == 0 && file->path[length] == '/'))
            status = check_file(folder, file, error);
    }
    return status;
}

posegen_status pg_check_files(const char *folder, const pg_bundle *bundle, pg_error *error) {
    posegen_status status = POSEGEN_OK;
    char checked[PG_GRAPHS][PG_TEXT];
    int folders = 0;
    for (int graph = 0; graph < PG_GRAPHS && status == POSEGEN_OK; graph++) {
        const char *path = bundle->graphs[graph];
        if (!path[0]) continue;
        if (!recorded(bundle, path))
            return pg_fail(error, POSEGEN_ERROR_BUNDLE,
                           "%s/%s has no recorded sha256 in bundle.json; export the bundle again",
                           folder, path);
        parent(path, checked[folders]);
        bool again = false;
        for (int i = 0; i < folders; i++) again = again || !strcmp(checked[i], checked[folders]);
        if (!again) status = check_folder(folder, checked[folders++], bundle, error);
    }
    for (int input = 0; input < PG_INPUTS && status == POSEGEN_OK; input++) {
        const char *path = bundle->defaults[input];
        if (!path[0]) continue;
        const pg_file *file = recorded(bundle, path);
        status = file ? check_file(folder, file, error)
                      : pg_fail(error, POSEGEN_ERROR_BUNDLE,
                                "%s/%s has no recorded sha256 in bundle.json; export the bundle "
                                "again",
                                folder, path);
    }
    return status;
}
