/* See an energy block settle: its states and its energy after every group of layers that a sweep moves, first freely, then
 * nudged towards the label.
 *
 *   watch_settling [--model MODEL.json|CHECKPOINT.safetensors] [--stage N] [--svg FILE.svg] ..
 *
 * The input is noise; first values are drawn, unless the model is a checkpoint. Prints a line a step: sweep and group, the
 * energy, by how much it fell, and units of each layer, from the smallest state (a space) to the largest (@). With --svg a
 * picture instead: units of each layer over the steps, and how far the energy is above its phase's end. In the nudged phase
 * the energy has the force's part, so that it falls there, too. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <ffebm.h>

#include "support/blas_threads.h"
#include "support/failure.h"
#include "support/model_file.h"
#include "support/options.h"
#include "watch/film.h"

struct settings {
    const char *model;
    const char *svg;
    int64_t stage;
    int64_t seed;
    int64_t free_sweeps;
    int64_t nudged_sweeps;
    double beta;
};

static const struct option options[] = {
    {"model", "FILE", "a description or a checkpoint (examples/models/settling.json)", NULL,
     offsetof(struct settings, model), 0, 0, OPTION_TEXT},
    {"stage", "N", "of the block; -1: the last one", NULL, offsetof(struct settings, stage), -1, 100000,
     OPTION_INTEGER},
    {"svg", "FILE.svg", "draw it instead", NULL, offsetof(struct settings, svg), 0, 0, OPTION_PATH},
    {"seed", "N", "of image and first values (0)", NULL, offsetof(struct settings, seed), 0, INT64_MAX, OPTION_INTEGER},
    {"beta", "B", "strength of the nudging; 0: the recipe's", NULL, offsetof(struct settings, beta), 0, 0,
     OPTION_NUMBER},
    {"free-sweeps", "N", "at most; 0: the recipe's", NULL, offsetof(struct settings, free_sweeps), 0, 100000,
     OPTION_INTEGER},
    {"nudged-sweeps", "N", "likewise", NULL, offsetof(struct settings, nudged_sweeps), 0, 10000, OPTION_INTEGER},
    {NULL, NULL, NULL, NULL, 0, 0, 0, 0}};

struct watcher {
    struct settings settings;
    ffebm_context *context;
    ffebm_model *model;
    ffebm_engine *engine;
    struct random_batch batch;
    struct film film;
};

static ffebm_status set_up(struct watcher *w, struct failure *failure)
{
    const struct settings *s = &w->settings;
    ffebm_engine_config engine;
    ffebm_status status;

    ffebm_engine_config_init(&engine, sizeof engine);
    engine.max_batch = 1;
    if ((status = ffebm_context_create(&w->context, NULL)) != FFEBM_OK ||
        (status = model_file_read(w->context, &w->model, s->model, 0, failure)) != FFEBM_OK)
        return status;
    if (!model_file_is_checkpoint(s->model) &&
        (status = ffebm_model_initialize(w->model, (uint64_t)s->seed)) != FFEBM_OK)
        return status;
    if ((status = ffebm_engine_create(&w->engine, w->model, &engine)) != FFEBM_OK ||
        (status = ffebm_engine_set_mode(w->engine, FFEBM_MODE_EVALUATION)) != FFEBM_OK ||
        (status = random_batch_create(&w->batch, w->context, w->model, 1)) != FFEBM_OK)
        return status;
    return random_batch_draw(&w->batch, w->model, (uint64_t)s->seed);
}

/* The last energy stage, unless one is asked for. */
static ffebm_status find_stage(struct watcher *w)
{
    ffebm_model_info model = {.size = sizeof model};
    ffebm_stage_info stage = {.size = sizeof stage};
    ffebm_status status = ffebm_model_inspect(w->model, &model);

    for (size_t i = model.stage_count; status == FFEBM_OK && w->settings.stage < 0 && i-- > 0;) {
        status = ffebm_model_inspect_stage(w->model, &stage, i);
        if (status == FFEBM_OK && stage.kind == FFEBM_STAGE_ENERGY)
            w->settings.stage = (int64_t)i;
    }
    return status;
}

static ffebm_status configure(const struct watcher *w, size_t stage)
{
    ffebm_equilibrium_config config = {.size = sizeof config};
    ffebm_status status = ffebm_engine_equilibrium(w->engine, &config, stage);

    if (status != FFEBM_OK)
        return status;
    if (w->settings.beta > 0)
        config.beta = w->settings.beta;
    if (w->settings.free_sweeps > 0)
        config.free_sweeps = w->settings.free_sweeps;
    if (w->settings.nudged_sweeps > 0)
        config.nudged_sweeps = w->settings.nudged_sweeps;
    return ffebm_engine_configure(w->engine, stage, &config);
}

static ffebm_status watch(struct watcher *w, struct failure *failure)
{
    ffebm_status status = set_up(w, failure);
    size_t stage;

    if (status == FFEBM_OK)
        status = find_stage(w);
    if (status != FFEBM_OK)
        return status;
    stage = w->settings.stage < 0 ? FFEBM_NONE : (size_t)w->settings.stage;
    if ((status = configure(w, stage)) == FFEBM_OK)
        status = ffebm_engine_watch(w->engine, stage, w->batch.images, w->batch.labels, film_take, &w->film);
    if (w->film.no_memory)
        failure_set(failure, "no memory for what was seen");
    return status;
}

static void show(const struct watcher *w, struct failure *failure)
{
    FILE *file;

    if (w->settings.svg == NULL) {
        film_print(stdout, &w->film);
        return;
    }
    file = fopen(w->settings.svg, "w");
    if (file != NULL)
        film_draw(file, &w->film);
    if (file == NULL || ferror(file) != 0 || fclose(file) != 0)
        failure_set(failure, "%s: cannot be written", w->settings.svg);
}

int main(int argc, char **argv)
{
    struct watcher w = {.settings = {.model = "examples/models/settling.json", .stage = -1}};
    struct failure failure = {""};

    blas_threads_one();
    if (options_parse(&w.settings, options, argc, argv, &failure) != 0) {
        fprintf(stderr, "watch_settling: %s\nusage: %s [options]\n", failure.text, argv[0]);
        options_print(stderr, options, NULL);
        return 2;
    }
    if (watch(&w, &failure) == FFEBM_OK)
        show(&w, &failure);
    else if (failure.text[0] == '\0')
        failure_set(&failure, "%s: %s", w.settings.model, ffebm_context_error(w.context));
    if (failure.text[0] != '\0')
        fprintf(stderr, "watch_settling: %s\n", failure.text);
    film_free(&w.film);
    random_batch_destroy(&w.batch);
    ffebm_engine_destroy(w.engine);
    ffebm_model_destroy(w.model);
    ffebm_context_destroy(w.context);
    return failure.text[0] == '\0' ? EXIT_SUCCESS : EXIT_FAILURE;
}
