/* A status with its message, filled in where something fails. */
#ifndef PG_ERROR_H
#define PG_ERROR_H

#include "posegen.h"

enum { PG_MESSAGE = 1024 };

typedef struct {
    posegen_status status;
    char text[PG_MESSAGE];
} pg_error;

/* Set `error`; returns `status`. */
posegen_status pg_fail(pg_error *error, posegen_status status, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 3, 4)))
#endif
    ;

#endif
