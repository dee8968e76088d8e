/* PoseGen from C: silhouettes in, images out.
 *
 * In six steps:
 *
 *     posegen_options options = POSEGEN_OPTIONS;            1. what to run it on
 *     options.threads = 1;
 *     posegen_generator *generator;
 *     if (posegen_create("bundles/car", &options, &generator) != POSEGEN_OK)   2. open the bundle
 *         die(posegen_message(NULL));
 *     posegen_info info = {.size = sizeof info};
 *     posegen_get_info(generator, &info);                   3. sizes, and which inputs it takes
 *     posegen_conditions *scene;
 *     posegen_conditions_create(generator, &photo, &background, &scene);   4. once for many masks
 *     if (posegen_generate(generator, scene, &masks, NULL, 0, &images) != POSEGEN_OK)   5. often
 *         warn(posegen_message(generator));
 *     posegen_conditions_destroy(&scene);                   6. give back
 *     posegen_destroy(&generator);
 *
 * OWNERSHIP. Every buffer that you pass is yours and is only used during the call. What you get by a
 * `create` is yours until you give it to its `destroy`, which takes the address of your pointer,
 * frees and clears it. Texts that you get belong to the library; each function says how long.
 * Images may not overlap what the call reads (masks, conditions' images, viewpoints), from the first
 * to the last pixel of each, rows that interleave included: POSEGEN_ERROR_ARGUMENT.
 *
 * THREADS. A generator and conditions may be used by any number of threads at the same time: they
 * do not change, and calls do not wait for each other. Only `destroy` is for one thread, once, when
 * no other call with its handle runs or follows. Pictures are written by the thread that calls;
 * give each its own memory.
 *
 * LIFETIMES. Conditions belong to the generator that made them. The two may be destroyed in either
 * order; ONNX Runtime stays loaded until the process ends.
 *
 * ERRORS. Every function returns a status. NULL, a cleared handle, sizes that do not fit, a damaged
 * bundle: an error, never a crash. (A copy of a pointer that was destroyed cannot be recognised.)
 * After an error the images may be written in part.
 *
 * PIXELS. uint8. A mask's value above 127 is the object; images are RGB. Masks and images have the
 * size that the bundle says (`posegen_info`): resizing and file formats are the caller's. RGB is
 * three bytes a pixel without gaps, no alpha, no planes. Rows run downwards: strides are never
 * negative. Images follow each other whole; those side by side in an atlas are a call each.
 */
#ifndef POSEGEN_H
#define POSEGEN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define POSEGEN_VERSION "0.1.0"

#if defined(__GNUC__)
#define POSEGEN_API __attribute__((visibility("default")))
#else
#define POSEGEN_API
#endif

typedef struct posegen_generator posegen_generator;
typedef struct posegen_conditions posegen_conditions;

typedef enum posegen_status {
    POSEGEN_OK = 0,
    POSEGEN_ERROR_ARGUMENT = 1, /* NULL, a cleared handle, a wrong size or value */
    POSEGEN_ERROR_BUNDLE = 2,   /* missing, damaged, changed since export, or too new */
    POSEGEN_ERROR_BACKEND = 3,  /* no ONNX Runtime, or it cannot give that backend */
    POSEGEN_ERROR_RUN = 4,      /* the engine failed */
    POSEGEN_ERROR_MEMORY = 5
} posegen_status;

/* Start from POSEGEN_OPTIONS, which stands for what is said here first. */
typedef struct posegen_options {
    size_t size;           /* sizeof(posegen_options), of a posegen.h that the library knows */
    const char *backend;   /* "cpu"; "cuda", "tensorrt": nothing else stands in for it */
    const char *precision; /* "fp32"; "fp16", "int8": one that the bundle holds */
    int device;            /* 0: which GPU; for "cpu" only 0 */
    int threads;           /* 0: CPU threads of one call, up to 1024; 0 is one for each core, 1 the
                            * caller's own */
    const char *onnxruntime; /* NULL: libonnxruntime.so, a path. Else $POSEGEN_ONNXRUNTIME, else what
                              * the library was built with, else the system's */
    const char *engine_cache; /* NULL: folder where "tensorrt" keeps engines; without one it builds
                               * them anew in every process */
} posegen_options;

#define POSEGEN_OPTIONS {sizeof(posegen_options), NULL, NULL, 0, 0, NULL, NULL}

/* Masks [count, height, width] or RGB images [count, height, width, 3] to read. */
typedef struct posegen_input {
    const uint8_t *data;
    size_t bytes; /* from `data` on, that may be read */
    int count, height, width;
    size_t row_stride;   /* bytes from a row to the next; 0: they follow each other */
    size_t image_stride; /* bytes from an image to the next, at least a whole one's; 0: they follow
                          * each other */
} posegen_input;

/* RGB images [count, height, width, 3] to write. Bytes between rows and images are left alone. */
typedef struct posegen_output {
    uint8_t *data;
    size_t bytes; /* from `data` on, that may be written */
    int count, height, width;
    size_t row_stride;
    size_t image_stride;
} posegen_output;

/* What a generator is. Texts are the generator's, until it is destroyed. */
typedef struct posegen_info {
    size_t size;           /* sizeof(posegen_info), set by you before the call */
    const char *name;      /* of the bundle */
    const char *arch;      /* "spatial", "bottleneck" */
    const char *variant;   /* "pose", "pose-appearance", "pose-appearance-background" */
    const char *precision; /* that runs */
    const char *engine;    /* what runs it: ONNX Runtime, its version and provider */
    int height, width;     /* of masks and images, in pixels */
    int max_batch;         /* masks in one call of the engine; more are split */
    int takes_appearance, takes_background, takes_viewpoint; /* 0 or 1 */
    const char *default_appearance; /* path of a PNG to start with; NULL: the bundle has none */
    const char *default_background;
} posegen_info;

/* Version of the library that runs; POSEGEN_VERSION is that of the header. */
POSEGEN_API const char *posegen_version(void);

/* A word for a status: "ok", "argument", ... */
POSEGEN_API const char *posegen_status_name(posegen_status status);

/* One line on the last failure of a call with `generator`, by any thread; with NULL, on the last
 * failure in this thread, as after `posegen_create`. "" if there was none. Valid until this thread's
 * next call of this function, which writes to the same memory: copy the first of two.
 * printf("%s, %s", posegen_message(a), posegen_message(b)) prints one of them twice. */
POSEGEN_API const char *posegen_message(const posegen_generator *generator);

/* Open the bundle in the folder `bundle`: checks it, loads the engine. `options` may be NULL.
 * `*generator` is NULL after an error. */
POSEGEN_API posegen_status posegen_create(const char *bundle, const posegen_options *options,
                                          posegen_generator **generator);

/* Free, and set to NULL: by one thread, after every other call with it. Nothing to do for a cleared
 * handle, which is no error. */
POSEGEN_API posegen_status posegen_destroy(posegen_generator **generator);

/* Fill in `info`, whose `size` you have set to sizeof(posegen_info). */
POSEGEN_API posegen_status posegen_get_info(const posegen_generator *generator, posegen_info *info);

/* Encode one appearance and one background, to use for any number of masks. NULL for what the
 * variant does not take. `*conditions` is NULL after an error. */
POSEGEN_API posegen_status posegen_conditions_create(posegen_generator *generator,
                                                     const posegen_input *appearance,
                                                     const posegen_input *background,
                                                     posegen_conditions **conditions);

/* The same for conditions. */
POSEGEN_API posegen_status posegen_conditions_destroy(posegen_conditions **conditions);

/* One image for each mask. `conditions` for all of them; NULL where the variant takes none.
 *
 * `viewpoints`: where the model takes one, `viewpoint_count` times three floats, 1 for all masks or
 * one for each: the unit vector from the object towards the camera, in the object's frame (x forward,
 * y left, z up), or zeros where it is unknown. NULL and 0: unknown for all. */
POSEGEN_API posegen_status posegen_generate(posegen_generator *generator,
                                            const posegen_conditions *conditions,
                                            const posegen_input *masks, const float *viewpoints,
                                            int viewpoint_count, const posegen_output *images);

/* The same with an appearance and a background for each mask (or one for all, which
 * `posegen_conditions_create` encodes only once). NULL for what the variant does not take. */
POSEGEN_API posegen_status posegen_generate_each(posegen_generator *generator,
                                                 const posegen_input *appearance,
                                                 const posegen_input *background,
                                                 const posegen_input *masks,
                                                 const float *viewpoints, int viewpoint_count,
                                                 const posegen_output *images);

#ifdef __cplusplus
}
#endif

#endif
