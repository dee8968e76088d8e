/* ONNX Runtime, loaded when it is needed, and graphs opened in it. */
#ifndef PG_ENGINE_H
#define PG_ENGINE_H

#include <onnxruntime_c_api.h>
#include <stdbool.h>

#include "error.h"

enum { PG_TENSORS = 64, PG_RANK = 8, PG_NAME = 256 };

typedef struct {
    const OrtApi *api;
    OrtEnv *env;
    OrtMemoryInfo *host;
    OrtMemoryInfo *device; /* where encoded conditions stay; NULL: on the host */
    OrtSessionOptions *options;
    char description[128];
} pg_engine;

/* Name, type and shape of what a graph takes or returns; a size is -1 where it is left open. */
typedef struct {
    char name[PG_NAME];
    ONNXTensorElementDataType type;
    size_t rank;
    int64_t sizes[PG_RANK];
} pg_tensor;

typedef struct {
    OrtSession *session;
    size_t input_count, output_count;
    pg_tensor *inputs, *outputs;
} pg_graph;

/* To be closed also after an error. */
posegen_status pg_engine_open(const posegen_options *options, pg_engine *engine, pg_error *error);
void pg_engine_close(pg_engine *engine);

/* To be closed also after an error. */
posegen_status pg_graph_open(const pg_engine *engine, const char *path, pg_graph *graph,
                             pg_error *error);
void pg_graph_close(const pg_engine *engine, pg_graph *graph);

/* Release `status`, which ONNX Runtime returned; OK when it is NULL. */
posegen_status pg_engine_result(const pg_engine *engine, OrtStatus *status, posegen_status failed,
                                const char *what, pg_error *error);

const pg_tensor *pg_find(const pg_tensor *tensors, size_t count, const char *name);

#endif
