#include "engine.h"

#include <ctype.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Everything that is called below has been there since; opset 20 needs it as well. */
enum { ORT_API = 18 };

#ifndef POSEGEN_ONNXRUNTIME_DEFAULT
#define POSEGEN_ONNXRUNTIME_DEFAULT ""
#endif

static const char *const SYSTEM_NAMES[] = {"libonnxruntime.so.1", "libonnxruntime.so"};
static const char *const ENVIRONMENT = "POSEGEN_ONNXRUNTIME";
static const char *const TF32 = "NVIDIA_TF32_OVERRIDE";

static bool given(const char *text) { return text && text[0]; }

posegen_status pg_engine_result(const pg_engine *engine, OrtStatus *status, posegen_status failed,
                                const char *what, pg_error *error) {
    if (!status) return POSEGEN_OK;
    pg_fail(error, failed, "%s (%s)", what, engine->api->GetErrorMessage(status));
    engine->api->ReleaseStatus(status);
    for (char *c = error->text; *c; c++)
        if (iscntrl((unsigned char)*c)) *c = ' ';
    return failed;
}

/* The library by name or path, else NULL with the reason in `error`. It is never unloaded: threads
 * of its own may be running. */
static void *load(const char *name, pg_error *error) {
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!library) pg_fail(error, POSEGEN_ERROR_BACKEND, "%s", dlerror());
    return library;
}

static void *load_any(const posegen_options *options, pg_error *error) {
    const char *named = options->onnxruntime;
    if (!given(named)) named = getenv(ENVIRONMENT);
    if (given(named)) return load(named, error);
    void *library = NULL;
    if (POSEGEN_ONNXRUNTIME_DEFAULT[0]) library = load(POSEGEN_ONNXRUNTIME_DEFAULT, error);
    for (size_t i = 0; !library && i < sizeof SYSTEM_NAMES / sizeof *SYSTEM_NAMES; i++)
        library = load(SYSTEM_NAMES[i], error);
    if (!library)
        pg_fail(error, POSEGEN_ERROR_BACKEND,
                "no libonnxruntime.so found; install ONNX Runtime, or name the file in %s or "
                "options.onnxruntime",
                ENVIRONMENT);
    return library;
}

static posegen_status load_api(const posegen_options *options, pg_engine *engine, char version[32],
                               pg_error *error) {
    void *library = load_any(options, error);
    if (!library) return error->status;
    const OrtApiBase *(*base)(void) = NULL;
    *(void **)&base = dlsym(library, "OrtGetApiBase");
    if (!base)
        return pg_fail(error, POSEGEN_ERROR_BACKEND, "%s: is no ONNX Runtime",
                       given(options->onnxruntime) ? options->onnxruntime : "libonnxruntime.so");
    snprintf(version, 32, "%s", base()->GetVersionString());
    engine->api = base()->GetApi(ORT_API);
    if (!engine->api)
        return pg_fail(error, POSEGEN_ERROR_BACKEND,
                       "ONNX Runtime %s is too old; 1.%d or newer is needed", version, ORT_API);
    return POSEGEN_OK;
}

static posegen_status check_provider(const pg_engine *engine, const char *provider,
                                     pg_error *error) {
    char **held, list[512] = "";
    int count;
    posegen_status status =
        pg_engine_result(engine, engine->api->GetAvailableProviders(&held, &count),
                         POSEGEN_ERROR_BACKEND, "ONNX Runtime names no providers", error);
    if (status != POSEGEN_OK) return status;
    bool found = false;
    for (int i = 0; i < count; i++) {
        size_t used = strlen(list);
        found = found || strcmp(held[i], provider) == 0;
        snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", held[i]);
    }
    OrtStatus *released = engine->api->ReleaseAvailableProviders(held, count);
    if (released) engine->api->ReleaseStatus(released);
    if (!found)
        return pg_fail(error, POSEGEN_ERROR_BACKEND,
                       "%s: this ONNX Runtime has only %s; name another libonnxruntime.so",
                       provider, list);
    return POSEGEN_OK;
}

static posegen_status add_cuda(pg_engine *engine, const char *device, pg_error *error) {
    const OrtApi *api = engine->api;
    /* FP32 means FP32; and algorithms are chosen by rule, so that each run makes the same images. */
    const char *const keys[] = {"device_id", "use_tf32", "cudnn_conv_algo_search"};
    const char *const values[] = {device, "0", "HEURISTIC"};
    OrtCUDAProviderOptionsV2 *cuda = NULL;
    OrtStatus *failed = api->CreateCUDAProviderOptions(&cuda);
    if (!failed) failed = api->UpdateCUDAProviderOptions(cuda, keys, values, 3);
    if (!failed)
        failed = api->SessionOptionsAppendExecutionProvider_CUDA_V2(engine->options, cuda);
    if (cuda) api->ReleaseCUDAProviderOptions(cuda);
    return pg_engine_result(engine, failed, POSEGEN_ERROR_BACKEND,
                            "CUDA was asked for, but ONNX Runtime cannot load it", error);
}

static posegen_status add_tensorrt(pg_engine *engine, const char *device, const char *cache,
                                   pg_error *error) {
    const OrtApi *api = engine->api;
    const char *off = getenv(TF32);
    if (!off || strcmp(off, "0") != 0) /* the provider has no option for it */
        return pg_fail(error, POSEGEN_ERROR_BACKEND,
                       "TensorRT would compute FP32 in TF32; start the program with %s=0", TF32);
    /* No option for a precision: then each tensor keeps the type that it has in the graph. */
    const char *const keys[] = {"device_id", "trt_engine_cache_enable", "trt_engine_cache_path"};
    const char *const values[] = {device, "1", cache};
    OrtTensorRTProviderOptionsV2 *tensorrt = NULL;
    OrtStatus *failed = api->CreateTensorRTProviderOptions(&tensorrt);
    if (!failed)
        failed = api->UpdateTensorRTProviderOptions(tensorrt, keys, values, given(cache) ? 3 : 1);
    if (!failed)
        failed = api->SessionOptionsAppendExecutionProvider_TensorRT_V2(engine->options, tensorrt);
    if (tensorrt) api->ReleaseTensorRTProviderOptions(tensorrt);
    return pg_engine_result(engine, failed, POSEGEN_ERROR_BACKEND,
                            "TensorRT was asked for, but ONNX Runtime cannot load it", error);
}

/* Providers in the order in which they choose their nodes. What none takes runs on the CPU. */
static posegen_status add_providers(const posegen_options *options, pg_engine *engine,
                                    const char **provider, pg_error *error) {
    const char *backend = given(options->backend) ? options->backend : "cpu";
    bool tensorrt = strcmp(backend, "tensorrt") == 0;
    *provider = "CPUExecutionProvider";
    if (strcmp(backend, "cpu") == 0 && options->device != 0)
        return pg_fail(error, POSEGEN_ERROR_ARGUMENT, "device %d: the backend cpu has only 0",
                       options->device);
    if (strcmp(backend, "cpu") == 0) return POSEGEN_OK;
    if (!tensorrt && strcmp(backend, "cuda") != 0)
        return pg_fail(error, POSEGEN_ERROR_ARGUMENT,
                       "backend %s: must be one of cpu, cuda, tensorrt", backend);
    *provider = tensorrt ? "TensorrtExecutionProvider" : "CUDAExecutionProvider";
    char device[16];
    snprintf(device, sizeof device, "%d", options->device);
    posegen_status status = check_provider(engine, *provider, error);
    if (status == POSEGEN_OK && tensorrt)
        status = add_tensorrt(engine, device, options->engine_cache, error);
    if (status == POSEGEN_OK) status = add_cuda(engine, device, error);
    if (status == POSEGEN_OK)
        status = pg_engine_result(engine,
                                  engine->api->CreateMemoryInfo("Cuda", OrtDeviceAllocator,
                                                                options->device, OrtMemTypeDefault,
                                                                &engine->device),
                                  POSEGEN_ERROR_BACKEND, "no memory of the GPU", error);
    return status;
}

posegen_status pg_engine_open(const posegen_options *options, pg_engine *engine, pg_error *error) {
    memset(engine, 0, sizeof *engine);
    char version[32];
    const char *provider;
    posegen_status status = load_api(options, engine, version, error);
    if (status != POSEGEN_OK) return status;
    const OrtApi *api = engine->api;
    OrtStatus *failed = api->CreateEnv(ORT_LOGGING_LEVEL_ERROR, "posegen", &engine->env);
    if (!failed)
        failed = api->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &engine->host);
    if (!failed) failed = api->CreateSessionOptions(&engine->options);
    if (!failed) failed = api->SetIntraOpNumThreads(engine->options, options->threads);
    status = pg_engine_result(engine, failed, POSEGEN_ERROR_BACKEND, "ONNX Runtime cannot start",
                              error);
    if (status == POSEGEN_OK) status = add_providers(options, engine, &provider, error);
    if (status == POSEGEN_OK)
        snprintf(engine->description, sizeof engine->description, "onnxruntime %s %s", version,
                 provider);
    return status;
}

void pg_engine_close(pg_engine *engine) {
    if (!engine->api) return;
    if (engine->options) engine->api->ReleaseSessionOptions(engine->options);
    if (engine->host) engine->api->ReleaseMemoryInfo(engine->host);
    if (engine->device) engine->api->ReleaseMemoryInfo(engine->device);
    if (engine->env) engine->api->ReleaseEnv(engine->env);
    memset(engine, 0, sizeof *engine);
}

static OrtStatus *describe(const OrtApi *api, const OrtSession *session, bool input, size_t index,
                           OrtAllocator *allocator, pg_tensor *tensor) {
    char *name = NULL;
    OrtTypeInfo *info = NULL;
    const OrtTensorTypeAndShapeInfo *shape = NULL;
    OrtStatus *failed = input ? api->SessionGetInputName(session, index, allocator, &name)
                              : api->SessionGetOutputName(session, index, allocator, &name);
    if (failed) return failed;
    snprintf(tensor->name, sizeof tensor->name, "%s", name);
    failed = api->AllocatorFree(allocator, name);
    if (!failed)
        failed = input ? api->SessionGetInputTypeInfo(session, index, &info)
                       : api->SessionGetOutputTypeInfo(session, index, &info);
    if (!failed) failed = api->CastTypeInfoToTensorInfo(info, &shape);
    if (!failed && shape) { /* NULL: a sequence or a map; its type stays undefined */
        failed = api->GetTensorElementType(shape, &tensor->type);
        if (!failed) failed = api->GetDimensionsCount(shape, &tensor->rank);
        if (!failed && tensor->rank <= PG_RANK)
            failed = api->GetDimensions(shape, tensor->sizes, tensor->rank);
    }
    if (info) api->ReleaseTypeInfo(info);
    return failed;
}

posegen_status pg_graph_open(const pg_engine *engine, const char *path, pg_graph *graph,
                             pg_error *error) {
    const OrtApi *api = engine->api;
    memset(graph, 0, sizeof *graph);
    OrtAllocator *allocator = NULL;
    OrtStatus *failed = api->CreateSession(engine->env, path, engine->options, &graph->session);
    if (!failed) failed = api->GetAllocatorWithDefaultOptions(&allocator);
    if (!failed) failed = api->SessionGetInputCount(graph->session, &graph->input_count);
    if (!failed) failed = api->SessionGetOutputCount(graph->session, &graph->output_count);
    if (!failed && graph->input_count <= PG_TENSORS && graph->output_count <= PG_TENSORS) {
        graph->inputs = calloc(PG_TENSORS, sizeof *graph->inputs);
        graph->outputs = calloc(PG_TENSORS, sizeof *graph->outputs);
        if (!graph->inputs || !graph->outputs)
            return pg_fail(error, POSEGEN_ERROR_MEMORY, "%s: no memory left", path);
        for (size_t i = 0; !failed && i < graph->input_count; i++)
            failed = describe(api, graph->session, true, i, allocator, &graph->inputs[i]);
        for (size_t i = 0; !failed && i < graph->output_count; i++)
            failed = describe(api, graph->session, false, i, allocator, &graph->outputs[i]);
    } else if (!failed) {
        return pg_fail(error, POSEGEN_ERROR_BUNDLE, "%s: takes or returns more than %d tensors",
                       path, PG_TENSORS);
    }
    char what[512];
    snprintf(what, sizeof what, "%s: ONNX Runtime cannot load it", path);
    return pg_engine_result(engine, failed, POSEGEN_ERROR_BUNDLE, what, error);
}

void pg_graph_close(const pg_engine *engine, pg_graph *graph) {
    if (graph->session) engine->api->ReleaseSession(graph->session);
    free(graph->inputs);
    free(graph->outputs);
    memset(graph, 0, sizeof *graph);
}

const pg_tensor *pg_find(const pg_tensor *tensors, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(tensors[i].name, name) == 0) return &tensors[i];
    return NULL;
}
