#define _POSIX_C_SOURCE 200809L
#include "posegen.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "pixels.h"

enum { MOST_THREADS = 1024 };
static const float UNIT_TOLERANCE = 1e-3f;

struct posegen_generator {
    pg_model model;
    pg_bundle bundle;
    char defaults[PG_INPUTS][PG_PATH];
    atomic_int users; /* the caller, and conditions that were not destroyed */
    pthread_mutex_t lock; /* of `message` */
    char message[PG_MESSAGE];
};

struct posegen_conditions {
    posegen_generator *generator;
    pg_encoded encoded;
};

/* The last failure in this thread, and room for what `posegen_message` returns. */
static _Thread_local char last_message[PG_MESSAGE];
static _Thread_local char returned_message[PG_MESSAGE];

/* Keeps the message of a failure; returns the status. */
static posegen_status keep(const posegen_generator *generator, posegen_status status,
                           const pg_error *error) {
    if (status == POSEGEN_OK) return status;
    strcpy(last_message, error->text);
    if (generator) {
        posegen_generator *shared = (posegen_generator *)(uintptr_t)generator;
        pthread_mutex_lock(&shared->lock);
        strcpy(shared->message, error->text);
        pthread_mutex_unlock(&shared->lock);
    }
    return status;
}

static posegen_status null_handle(const char *what) {
    pg_error error;
    return keep(NULL, pg_fail(&error, POSEGEN_ERROR_ARGUMENT,
                              "%s: is NULL: never created, or already destroyed", what),
                &error);
}

const char *posegen_version(void) { return POSEGEN_VERSION; }

const char *posegen_status_name(posegen_status status) {
    switch (status) {
    case POSEGEN_OK: return "ok";
    case POSEGEN_ERROR_ARGUMENT: return "argument";
    case POSEGEN_ERROR_BUNDLE: return "bundle";
    case POSEGEN_ERROR_BACKEND: return "backend";
    case POSEGEN_ERROR_RUN: return "run";
    case POSEGEN_ERROR_MEMORY: return "memory";
    }
    return "unknown";
}

const char *posegen_message(const posegen_generator *generator) {
    if (!generator) {
        strcpy(returned_message, last_message);
        return returned_message;
    }
    posegen_generator *shared = (posegen_generator *)(uintptr_t)generator;
    pthread_mutex_lock(&shared->lock);
    strcpy(returned_message, shared->message);
    pthread_mutex_unlock(&shared->lock);
    return returned_message;
}

static void leave(posegen_generator *generator) {
    if (atomic_fetch_sub(&generator->users, 1) > 1) return;
    pg_model_close(&generator->model);
    pg_bundle_free(&generator->bundle);
    pthread_mutex_destroy(&generator->lock);
    free(generator);
}

static posegen_status check_options(const posegen_options *given, posegen_options *options,
                                    pg_error *error) {
    *options = (posegen_options)POSEGEN_OPTIONS;
    if (given && given->size != sizeof *options)
        return pg_fail(error, POSEGEN_ERROR_ARGUMENT,
                       "options: size %zu; start from POSEGEN_OPTIONS, of this library's posegen.h "
                       "(%s: %zu)",
                       given->size, POSEGEN_VERSION, sizeof *options);
    if (given) *options = *given;
    if (options->threads < 0 || options->threads > MOST_THREADS)
        return pg_fail(error, POSEGEN_ERROR_ARGUMENT, "threads %d: must be 0 (each core) to %d",
                       options->threads, MOST_THREADS);
    if (options->device < 0)
        return pg_fail(error, POSEGEN_ERROR_ARGUMENT, "device %d: must be 0 or more",
                       options->device);
    if (!options->precision || !options->precision[0]) options->precision = "fp32";
    return POSEGEN_OK;
}

posegen_status posegen_create(const char *bundle, const posegen_options *given,
                              posegen_generator **generator) {
    if (!generator) return null_handle("generator");
    *generator = NULL;
    if (!bundle) return null_handle("bundle");
    pg_error error;
    posegen_options options;
    posegen_status status = check_options(given, &options, &error);
    if (status != POSEGEN_OK) return keep(NULL, status, &error);
    posegen_generator *made = calloc(1, sizeof *made);
    if (!made || pthread_mutex_init(&made->lock, NULL) != 0) {
        free(made);
        return keep(NULL, pg_fail(&error, POSEGEN_ERROR_MEMORY, "no memory left"), &error);
    }
    atomic_init(&made->users, 1);
    status = pg_bundle_load(bundle, options.precision, &made->bundle, &error);
    for (int input = 0; status == POSEGEN_OK && input < PG_INPUTS; input++)
        if (made->bundle.defaults[input][0])
            status = pg_bundle_path(bundle, made->bundle.defaults[input], made->defaults[input],
                                    &error);
    if (status == POSEGEN_OK)
        status = pg_model_open(bundle, &made->bundle, &options, &made->model, &error);
    if (status == POSEGEN_OK)
        *generator = made;
    else
        leave(made);
    return keep(NULL, status, &error);
}

posegen_status posegen_destroy(posegen_generator **generator) {
    if (!generator) return null_handle("generator");
    posegen_generator *given = *generator;
    *generator = NULL;
    if (given) leave(given);
    return POSEGEN_OK;
}

static const char *or_null(const char *text) { return text[0] ? text : NULL; }

posegen_status posegen_get_info(const posegen_generator *generator, posegen_info *info) {
    if (!generator) return null_handle("generator");
    pg_error error;
    if (!info || info->size != sizeof *info)
        return keep(generator,
                    pg_fail(&error, POSEGEN_ERROR_ARGUMENT,
                            "info: is NULL, or its size is not set to sizeof(posegen_info)"),
                    &error);
    const pg_bundle *bundle = &generator->bundle;
    *info = (posegen_info){
        .size = sizeof *info,
        .name = bundle->name,
        .arch = bundle->arch,
        .variant = bundle->variant,
        .precision = bundle->precision,
        .engine = generator->model.engine.description,
        .height = bundle->height,
        .width = bundle->width,
        .max_batch = bundle->max_batch,
        .takes_appearance = bundle->takes[PG_APPEARANCE],
        .takes_background = bundle->takes[PG_BACKGROUND],
        .takes_viewpoint = bundle->takes[PG_VIEWPOINT],
        .default_appearance = or_null(generator->defaults[PG_APPEARANCE]),
        .default_background = or_null(generator->defaults[PG_BACKGROUND]),
    };
    return POSEGEN_OK;
}

/* The two conditions, checked; `data` stays NULL where the variant takes none. */
static posegen_status check_conditions(const posegen_generator *generator,
                                       const posegen_input *given[PG_INPUTS], int count,
                                       posegen_input checked[PG_INPUTS], pg_error *error) {
    const pg_bundle *bundle = &generator->bundle;
    for (int input = PG_APPEARANCE; input <= PG_BACKGROUND; input++) {
        const char *name = PG_INPUT_NAMES[input];
        memset(&checked[input], 0, sizeof checked[input]);
        if (!bundle->takes[input] && given[input])
            return pg_fail(error, POSEGEN_ERROR_ARGUMENT,
                           "%s: this bundle (%s, %s) takes none; leave it NULL", name, bundle->name,
                           bundle->variant);
        if (!bundle->takes[input]) continue;
        posegen_status status = pg_check_input(name, given[input], bundle->height, bundle->width, 3,
                                               &checked[input], error);
        if (status != POSEGEN_OK) return status;
        if (checked[input].count != 1 && checked[input].count != count)
            return pg_fail(error, POSEGEN_ERROR_ARGUMENT, "%s: %d images; must be 1%s", name, checked[input].count,
                           count > 1 ? ", or one for each mask" : "");
    }
    return POSEGEN_OK;
}

/* Encode `rows` of checked conditions from row `first` on; an image that is the only one stands for
 * each of them. */
static posegen_status encode(const posegen_generator *generator,
                             const posegen_input checked[PG_INPUTS], int first, int rows,
                             pg_encoded *encoded, pg_error *error) {
    uint8_t *room[PG_INPUTS] = {NULL};
    const uint8_t *packed[PG_INPUTS] = {NULL};
    posegen_status status = POSEGEN_OK;
    memset(encoded, 0, sizeof *encoded);
    for (int input = PG_APPEARANCE; input <= PG_BACKGROUND; input++) {
        if (!checked[input].data) continue;
        posegen_input images = checked[input];
        int from = first;
        if (images.count == 1) { /* again for each row */
            images.image_stride = 0;
            images.count = rows;
            from = 0;
        }
        packed[input] = pg_packed(&images, 3, from, rows, &room[input]);
        if (!packed[input])
            status = pg_fail(error, POSEGEN_ERROR_MEMORY, "%s: no memory left",
                             PG_INPUT_NAMES[input]);
    }
    if (status == POSEGEN_OK)
        status = pg_model_encode(&generator->model, packed[PG_APPEARANCE], packed[PG_BACKGROUND],
                                 rows, encoded, error);
    for (int input = 0; input < PG_INPUTS; input++) free(room[input]);
    return status;
}

posegen_status posegen_conditions_create(posegen_generator *generator,
                                         const posegen_input *appearance,
                                         const posegen_input *background,
                                         posegen_conditions **conditions) {
    if (!conditions) return null_handle("conditions");
    *conditions = NULL;
    if (!generator) return null_handle("generator");
    pg_error error;
    const posegen_input *given[PG_INPUTS] = {NULL, appearance, background, NULL};
    posegen_input checked[PG_INPUTS];
    if (!pg_bundle_conditional(&generator->bundle))
        return keep(generator,
                    pg_fail(&error, POSEGEN_ERROR_ARGUMENT,
                            "conditions: this bundle (%s, %s) takes none; generate with NULL",
                            generator->bundle.name, generator->bundle.variant),
                    &error);
    posegen_status status = check_conditions(generator, given, 1, checked, &error);
    if (status != POSEGEN_OK) return keep(generator, status, &error);
    posegen_conditions *made = calloc(1, sizeof *made);
    if (!made)
        return keep(generator, pg_fail(&error, POSEGEN_ERROR_MEMORY, "no memory left"), &error);
    status = encode(generator, checked, 0, 1, &made->encoded, &error);
    if (status != POSEGEN_OK) {
        pg_model_release(&generator->model, &made->encoded);
        free(made);
        return keep(generator, status, &error);
    }
    made->generator = generator;
    atomic_fetch_add(&generator->users, 1);
    *conditions = made;
    return POSEGEN_OK;
}

posegen_status posegen_conditions_destroy(posegen_conditions **conditions) {
    if (!conditions) return null_handle("conditions");
    posegen_conditions *given = *conditions;
    *conditions = NULL;
    if (given) {
        pg_model_release(&given->generator->model, &given->encoded);
        leave(given->generator);
        free(given);
    }
    return POSEGEN_OK;
}

/* What both ways to generate have in common, checked. */
typedef struct {
    const posegen_generator *generator;
    const pg_encoded *shared; /* or `each`, of every row */
    posegen_input each[PG_INPUTS];
    posegen_input masks;
    posegen_output images;
    const float *viewpoints;
    int viewpoint_count;
} request;

/* A simulator's {0, 1} would be read as empty. As in Python, only if there is nothing else. */
static bool only_ones(const posegen_input *masks) {
    uint8_t most = 0;
    for (int image = 0; image < masks->count; image++)
        for (int y = 0; y < masks->height; y++) {
            const uint8_t *row = masks->data + (size_t)image * masks->image_stride +
                                 (size_t)y * masks->row_stride;
            for (int x = 0; x < masks->width; x++) most = row[x] > most ? row[x] : most;
            if (most > 1) return false;
        }
    return most == 1;
}

static posegen_status check_viewpoints(const request *work, pg_error *error) {
    const pg_bundle *bundle = &work->generator->bundle;
    if (!work->viewpoints && work->viewpoint_count == 0) return POSEGEN_OK;
    if (!bundle->takes[PG_VIEWPOINT])
        return pg_fail(error, POSEGEN_ERROR_ARGUMENT,
                       "viewpoints: this bundle (%s, %s) takes none; leave them NULL", bundle->name,
                       bundle->variant);
    if (!work->viewpoints ||
        (work->viewpoint_count != 1 && work->viewpoint_count != work->masks.count))
        return pg_fail(error, POSEGEN_ERROR_ARGUMENT, "viewpoints: %d for %d masks%s",
                       work->viewpoint_count, work->masks.count,
                       work->viewpoints ? "" : ", and NULL");
    posegen_status status = pg_check_apart("viewpoints", work->viewpoints,
                                           3 * sizeof(float) * (size_t)work->viewpoint_count,
                                           &work->images, error);
    if (status != POSEGEN_OK) return status;
    for (int row = 0; row < work->viewpoint_count; row++) {
        const float *v = work->viewpoints + 3 * (size_t)row;
        float length = sqrtf(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
        if (length != 0 && !(fabsf(length - 1) <= UNIT_TOLERANCE))
            return pg_fail(error, POSEGEN_ERROR_ARGUMENT,
                           "viewpoints: %d is (%g, %g, %g); must be a unit vector, or zeros where "
                           "it is unknown",
                           row, (double)v[0], (double)v[1], (double)v[2]);
    }
    return POSEGEN_OK;
}

static posegen_status check_work(request *work, const posegen_input *masks,
                                 const posegen_output *images, pg_error *error) {
    const pg_bundle *bundle = &work->generator->bundle;
    posegen_status status = pg_check_input("masks", masks, bundle->height, bundle->width, 0,
                                           &work->masks, error);
    if (status == POSEGEN_OK)
        status = pg_check_output("images", images, bundle->height, bundle->width, &work->images,
                                 error);
    if (status != POSEGEN_OK) return status;
    if (work->images.count != work->masks.count)
        return pg_fail(error, POSEGEN_ERROR_ARGUMENT, "images: %d for %d masks", work->images.count,
                       work->masks.count);
    status = pg_check_input_apart("masks", &work->masks, 0, &work->images, error);
    if (status != POSEGEN_OK) return status;
    if (only_ones(&work->masks))
        return pg_fail(error, POSEGEN_ERROR_ARGUMENT, "masks: values are 0 and 1; use 0 and 255");
    return check_viewpoints(work, error);
}

/* Viewpoints of some rows, zeros where none are known; NULL when no memory is left. */
static const float *viewpoint_rows(const request *work, int first, int rows, float **room) {
    if (work->viewpoints && work->viewpoint_count == work->masks.count)
        return work->viewpoints + 3 * (size_t)first;
    if (!*room) *room = calloc(3 * (size_t)rows, sizeof **room);
    for (int row = 0; *room && work->viewpoints && row < rows; row++)
        memcpy(*room + 3 * (size_t)row, work->viewpoints, 3 * sizeof **room);
    return *room;
}

static posegen_status generate(const request *work, pg_error *error) {
    const pg_model *model = &work->generator->model;
    int step = work->generator->bundle.max_batch, count = work->masks.count;
    int most = count < step ? count : step, rows;
    uint8_t *mask_room = NULL, *image_room = NULL;
    float *viewpoint_room = NULL;
    posegen_status status = POSEGEN_OK;
    for (int first = 0; first < count && status == POSEGEN_OK; first += rows) {
        rows = count - first < most ? count - first : most;
        const uint8_t *masks = pg_packed(&work->masks, 0, first, rows, &mask_room);
        uint8_t *images = pg_target(&work->images, first, rows, &image_room);
        const float *viewpoints = NULL;
        if (model->takes[PG_VIEWPOINT])
            viewpoints = viewpoint_rows(work, first, rows, &viewpoint_room);
        if (!masks || !images || (model->takes[PG_VIEWPOINT] && !viewpoints)) {
            status = pg_fail(error, POSEGEN_ERROR_MEMORY, "no memory left for %d masks", rows);
            break;
        }
        pg_encoded own = {.count = 0};
        if (!work->shared) status = encode(work->generator, work->each, first, rows, &own, error);
        if (status == POSEGEN_OK)
            status = pg_model_run(model, work->shared ? work->shared : &own, masks, viewpoints,
                                  rows, images, error);
        pg_model_release(model, &own);
        if (status == POSEGEN_OK) pg_unpack(&work->images, first, rows, images);
    }
    free(mask_room);
    free(image_room);
    free(viewpoint_room);
    return status;
}

posegen_status posegen_generate(posegen_generator *generator, const posegen_conditions *conditions,
                                const posegen_input *masks, const float *viewpoints,
                                int viewpoint_count, const posegen_output *images) {
    static const pg_encoded none = {.count = 0};
    if (!generator) return null_handle("generator");
    pg_error error;
    const pg_bundle *bundle = &generator->bundle;
    request work = {.generator = generator,
                    .shared = conditions ? &conditions->encoded : &none,
                    .viewpoints = viewpoints,
                    .viewpoint_count = viewpoint_count};
    posegen_status status = POSEGEN_OK;
    if (!conditions && pg_bundle_conditional(bundle))
        status = pg_fail(&error, POSEGEN_ERROR_ARGUMENT,
                         "conditions: this bundle (%s, %s) needs them; make some with "
                         "posegen_conditions_create",
                         bundle->name, bundle->variant);
    else if (conditions && conditions->generator != generator)
        status = pg_fail(&error, POSEGEN_ERROR_ARGUMENT, "conditions: of another generator");
    if (status == POSEGEN_OK) status = check_work(&work, masks, images, &error);
    if (status == POSEGEN_OK) status = generate(&work, &error);
    return keep(generator, status, &error);
}

posegen_status posegen_generate_each(posegen_generator *generator, const posegen_input *appearance,
                                     const posegen_input *background, const posegen_input *masks,
                                     const float *viewpoints, int viewpoint_count,
                                     const posegen_output *images) {
    if (!generator) return null_handle("generator");
    const posegen_input *given[PG_INPUTS] = {NULL, appearance, background, NULL};
    pg_error error;
    request work = {
        .generator = generator, .viewpoints = viewpoints, .viewpoint_count = viewpoint_count};
    pg_encoded once = {.count = 0};
    posegen_status status = check_work(&work, masks, images, &error);
    if (status == POSEGEN_OK)
        status = check_conditions(generator, given, work.masks.count, work.each, &error);
    for (int input = PG_APPEARANCE; status == POSEGEN_OK && input <= PG_BACKGROUND; input++)
        if (work.each[input].data)
            status = pg_check_input_apart(PG_INPUT_NAMES[input], &work.each[input], 3, &work.images,
                                          &error);
    bool varies = false;
    for (int input = 0; status == POSEGEN_OK && input < PG_INPUTS; input++)
        varies = varies || work.each[input].count > 1;
    if (status == POSEGEN_OK && !varies && pg_bundle_conditional(&generator->bundle))
        status = encode(generator, work.each, 0, 1, &once, &error);
    if (!varies) work.shared = &once;
    if (status == POSEGEN_OK) status = generate(&work, &error);
    pg_model_release(&generator->model, &once);
    return keep(generator, status, &error);
}
