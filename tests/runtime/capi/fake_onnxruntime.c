/* An ONNX Runtime that says it has a GPU, over the real one in $REAL_ONNXRUNTIME.
 *
 * What is asked of the providers is printed, and the GPU's memory is the host's. With $FAKE_TOO_OLD
 * it knows no API that the library needs; with $FAKE_BROKEN its providers cannot be loaded. */
#include <dlfcn.h>
#include <onnxruntime_c_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const OrtApi *real;
static OrtApi api;
static char *providers[] = {"TensorrtExecutionProvider", "CUDAExecutionProvider",
                            "CPUExecutionProvider"};

static OrtStatus *names(char ***out, int *count) {
    *out = providers;
    *count = 3;
    return NULL;
}

static OrtStatus *release_names(char **held, int count) { return (void)held, (void)count, NULL; }

static OrtStatus *create_cuda(OrtCUDAProviderOptionsV2 **out) {
    *out = malloc(1);
    return NULL;
}

static OrtStatus *create_tensorrt(OrtTensorRTProviderOptionsV2 **out) {
    *out = malloc(1);
    return NULL;
}

static OrtStatus *print(const char *name, const char *const *keys, const char *const *values,
                        size_t count) {
    printf("%s", name);
    for (size_t i = 0; i < count; i++) printf(" %s=%s", keys[i], values[i]);
    printf("\n");
    return NULL;
}

static OrtStatus *update_cuda(OrtCUDAProviderOptionsV2 *options, const char *const *keys,
                              const char *const *values, size_t count) {
    return (void)options, print("cuda", keys, values, count);
}

static OrtStatus *update_tensorrt(OrtTensorRTProviderOptionsV2 *options, const char *const *keys,
                                  const char *const *values, size_t count) {
    return (void)options, print("tensorrt", keys, values, count);
}

static OrtStatus *append(void) {
    return getenv("FAKE_BROKEN") ? real->CreateStatus(ORT_FAIL, "no\ndriver") : NULL;
}

static OrtStatus *append_cuda(OrtSessionOptions *to, const OrtCUDAProviderOptionsV2 *options) {
    return (void)to, (void)options, append();
}

static OrtStatus *append_tensorrt(OrtSessionOptions *to,
                                  const OrtTensorRTProviderOptionsV2 *options) {
    return (void)to, (void)options, append();
}

static void release_cuda(OrtCUDAProviderOptionsV2 *options) { free(options); }
static void release_tensorrt(OrtTensorRTProviderOptionsV2 *options) { free(options); }

static OrtStatus *memory(const char *name, enum OrtAllocatorType kind, int device,
                         enum OrtMemType type, OrtMemoryInfo **out) {
    (void)kind, (void)type;
    printf("memory %s %d\n", name, device);
    return real->CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, out);
}

static const OrtApi *get_api(uint32_t version) {
    void *library = dlopen(getenv("REAL_ONNXRUNTIME"), RTLD_NOW | RTLD_LOCAL);
    const OrtApiBase *(*base)(void);
    *(void **)&base = dlsym(library, "OrtGetApiBase");
    real = base()->GetApi(version);
    if (getenv("FAKE_TOO_OLD") || !real) return NULL;
    memcpy(&api, real, sizeof api);
    api.GetAvailableProviders = names;
    api.ReleaseAvailableProviders = release_names;
    api.CreateCUDAProviderOptions = create_cuda;
    api.UpdateCUDAProviderOptions = update_cuda;
    api.ReleaseCUDAProviderOptions = release_cuda;
    api.SessionOptionsAppendExecutionProvider_CUDA_V2 = append_cuda;
    api.CreateTensorRTProviderOptions = create_tensorrt;
    api.UpdateTensorRTProviderOptions = update_tensorrt;
    api.ReleaseTensorRTProviderOptions = release_tensorrt;
    api.SessionOptionsAppendExecutionProvider_TensorRT_V2 = append_tensorrt;
    api.CreateMemoryInfo = memory;
    return &api;
}

static const char *version(void) { return "1.2.3"; }

const OrtApiBase *OrtGetApiBase(void) {
    static const OrtApiBase base = {get_api, version};
    return &base;
}
