#include "error.h"

#include <stdarg.h>
#include <stdio.h>

posegen_status pg_fail(pg_error *error, posegen_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    error->status = status;
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return status;
}
