#include "model.h"

#include <stdio.h>
#include <string.h>

static const char *const IMAGE = "image";

static bool has_shape(const pg_tensor *tensor, ONNXTensorElementDataType type, size_t rank,
                      const int64_t *sizes) {
    if (!tensor || tensor->type != type || tensor->rank != rank || tensor->sizes[0] != -1)
        return false;
    for (size_t i = 1; i < rank; i++)
        if (tensor->sizes[i] != sizes[i]) return false;
    return true;
}

/* Whether `tensor` is as the bundle's input of that kind, or its image, must be. */
static bool is_pixels(const pg_model *model, const pg_tensor *tensor, int channels) {
    const int64_t sizes[] = {-1, model->height, model->width, channels};
    return has_shape(tensor, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8, channels ? 4 : 3, sizes);
}

static bool is_viewpoint(const pg_tensor *tensor) {
    const int64_t sizes[] = {-1, 3};
    return has_shape(tensor, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, 2, sizes);
}

static bool conditions_fit(const pg_model *model) {
    const pg_graph *graph = &model->conditions;
    size_t taken = 0;
    for (int input = PG_APPEARANCE; input <= PG_BACKGROUND; input++) {
        if (!model->takes[input]) continue;
        taken++;
        if (!is_pixels(model, pg_find(graph->inputs, graph->input_count, PG_INPUT_NAMES[input]), 3))
            return false;
    }
    return graph->input_count == taken && graph->output_count > 0;
}

/* The encoded conditions go in as they came out, beside the mask and the viewpoint. */
static bool generator_fits(const pg_model *model) {
    const pg_graph *graph = &model->generator, *from = &model->conditions;
    size_t taken = 1;
    if (!is_pixels(model, pg_find(graph->inputs, graph->input_count, PG_INPUT_NAMES[PG_MASK]), 0))
        return false;
    if (model->takes[PG_VIEWPOINT]) {
        taken++;
        if (!is_viewpoint(pg_find(graph->inputs, graph->input_count, PG_INPUT_NAMES[PG_VIEWPOINT])))
            return false;
    }
    for (size_t i = 0; i < from->output_count; i++, taken++) {
        const pg_tensor *out = &from->outputs[i];
        if (out->rank < 1 || out->rank > PG_RANK ||
            !has_shape(pg_find(graph->inputs, graph->input_count, out->name), out->type, out->rank,
                       out->sizes))
            return false;
    }
    return graph->input_count == taken && taken <= PG_TENSORS && graph->output_count == 1 &&
           strcmp(graph->outputs[0].name, IMAGE) == 0 && is_pixels(model, &graph->outputs[0], 3);
}

static posegen_status open_graph(const char *folder, const char *relative, const pg_engine *engine,
                                 pg_graph *graph, pg_error *error) {
    char path[PG_PATH];
    posegen_status status = pg_bundle_path(folder, relative, path, error);
    return status == POSEGEN_OK ? pg_graph_open(engine, path, graph, error) : status;
}

posegen_status pg_model_open(const char *folder, const pg_bundle *bundle,
                             const posegen_options *options, pg_model *model, pg_error *error) {
    memset(model, 0, sizeof *model);
    model->height = bundle->height;
    model->width = bundle->width;
    memcpy(model->takes, bundle->takes, sizeof model->takes);
    bool conditional = pg_bundle_conditional(bundle);
    const char *last = bundle->graphs[conditional ? PG_CACHED : PG_GENERATOR];
    posegen_status status = pg_engine_open(options, &model->engine, error);
    if (status == POSEGEN_OK && conditional) {
        const char *path = bundle->graphs[PG_CONDITIONS];
        status = open_graph(folder, path, &model->engine, &model->conditions, error);
        if (status == POSEGEN_OK && !conditions_fit(model))
            status = pg_fail(error, POSEGEN_ERROR_BUNDLE,
                             "%s/%s: takes or returns other than bundle.json says; export the "
                             "bundle again",
                             folder, path);
    }
    if (status == POSEGEN_OK)
        status = open_graph(folder, last, &model->engine, &model->generator, error);
    if (status == POSEGEN_OK && !generator_fits(model))
        status = pg_fail(error, POSEGEN_ERROR_BUNDLE,
                         "%s/%s: takes or returns other than bundle.json says; export the bundle "
                         "again",
                         folder, last);
    return status;
}

void pg_model_close(pg_model *model) {
    if (!model->engine.api) return;
    pg_graph_close(&model->engine, &model->generator);
    pg_graph_close(&model->engine, &model->conditions);
    pg_engine_close(&model->engine);
}

/* A tensor over memory of the host, which is not copied. */
static OrtStatus *wrap(const pg_model *model, const void *data, ONNXTensorElementDataType type,
                       const int64_t *sizes, size_t rank, OrtValue **value) {
    size_t bytes = type == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT ? sizeof(float) : 1;
    for (size_t i = 0; i < rank; i++) bytes *= (size_t)sizes[i];
    return model->engine.api->CreateTensorWithDataAsOrtValue(
        model->engine.host, (void *)(uintptr_t)data, bytes, sizes, rank, type, value);
}

static OrtStatus *wrap_pixels(const pg_model *model, const uint8_t *data, int count, int channels,
                              OrtValue **value) {
    const int64_t sizes[] = {count, model->height, model->width, channels};
    return wrap(model, data, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8, sizes, channels ? 4 : 3, value);
}

/* Run the conditions with outputs that stay on the device. */
static OrtStatus *encode_on_device(const pg_model *model, const char *const *names,
                                   const OrtValue *const *values, size_t count,
                                   pg_encoded *encoded) {
    const OrtApi *api = model->engine.api;
    OrtIoBinding *binding = NULL;
    OrtAllocator *allocator = NULL;
    OrtValue **outputs = NULL;
    size_t output_count = 0;
    OrtStatus *failed = api->CreateIoBinding(model->conditions.session, &binding);
    for (size_t i = 0; !failed && i < count; i++)
        failed = api->BindInput(binding, names[i], values[i]);
    for (size_t i = 0; !failed && i < model->conditions.output_count; i++)
        failed = api->BindOutputToDevice(binding, model->conditions.outputs[i].name,
                                         model->engine.device);
    if (!failed) failed = api->RunWithBinding(model->conditions.session, NULL, binding);
    if (!failed) failed = api->GetAllocatorWithDefaultOptions(&allocator);
    if (!failed) failed = api->GetBoundOutputValues(binding, allocator, &outputs, &output_count);
    for (size_t i = 0; !failed && i < output_count; i++) encoded->values[i] = outputs[i];
    if (outputs) {
        OrtStatus *freed = api->AllocatorFree(allocator, outputs);
        if (freed) api->ReleaseStatus(freed);
    }
    if (binding) api->ReleaseIoBinding(binding);
    return failed;
}

posegen_status pg_model_encode(const pg_model *model, const uint8_t *appearance,
                               const uint8_t *background, int count, pg_encoded *encoded,
                               pg_error *error) {
    const OrtApi *api = model->engine.api;
    const uint8_t *const given[PG_INPUTS] = {NULL, appearance, background, NULL};
    const char *names[2], *outputs[PG_TENSORS];
    OrtValue *values[2] = {NULL, NULL};
    size_t taken = 0;
    OrtStatus *failed = NULL;
    memset(encoded, 0, sizeof *encoded);
    encoded->count = model->conditions.output_count;
    for (int input = PG_APPEARANCE; input <= PG_BACKGROUND && !failed; input++) {
        if (!model->takes[input]) continue;
        names[taken] = PG_INPUT_NAMES[input];
        failed = wrap_pixels(model, given[input], count, 3, &values[taken++]);
    }
    for (size_t i = 0; i < encoded->count; i++) outputs[i] = model->conditions.outputs[i].name;
    const OrtValue *const *fed = (const OrtValue *const *)values;
    if (!failed && model->engine.device)
        failed = encode_on_device(model, names, fed, taken, encoded);
    else if (!failed)
        failed = api->Run(model->conditions.session, NULL, names, fed, taken, outputs,
                          encoded->count, encoded->values);
    for (size_t i = 0; i < 2; i++)
        if (values[i]) api->ReleaseValue(values[i]);
    return pg_engine_result(&model->engine, failed, POSEGEN_ERROR_RUN,
                            "the conditions could not be encoded", error);
}

void pg_model_release(const pg_model *model, pg_encoded *encoded) {
    for (size_t i = 0; i < encoded->count; i++)
        if (encoded->values[i]) model->engine.api->ReleaseValue(encoded->values[i]);
    memset(encoded, 0, sizeof *encoded);
}

posegen_status pg_model_run(const pg_model *model, const pg_encoded *encoded, const uint8_t *masks,
                            const float *viewpoints, int count, uint8_t *images, pg_error *error) {
    const OrtApi *api = model->engine.api;
    const char *names[PG_TENSORS];
    const OrtValue *values[PG_TENSORS];
    OrtValue *mask = NULL, *viewpoint = NULL, *image = NULL;
    const int64_t viewpoint_sizes[] = {count, 3};
    size_t taken = 0;
    OrtStatus *failed = wrap_pixels(model, masks, count, 0, &mask);
    names[taken] = PG_INPUT_NAMES[PG_MASK];
    values[taken++] = mask;
    if (!failed && model->takes[PG_VIEWPOINT]) {
        failed = wrap(model, viewpoints, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, viewpoint_sizes, 2,
                      &viewpoint);
        names[taken] = PG_INPUT_NAMES[PG_VIEWPOINT];
        values[taken++] = viewpoint;
    }
    for (size_t i = 0; i < encoded->count; i++) {
        names[taken] = model->conditions.outputs[i].name;
        values[taken++] = encoded->values[i];
    }
    if (!failed) failed = wrap_pixels(model, images, count, 3, &image);
    if (!failed)
        failed = api->Run(model->generator.session, NULL, names, values, taken, &IMAGE, 1, &image);
    if (mask) api->ReleaseValue(mask);
    if (viewpoint) api->ReleaseValue(viewpoint);
    if (image) api->ReleaseValue(image);
    return pg_engine_result(&model->engine, failed, POSEGEN_ERROR_RUN, "the engine failed", error);
}
