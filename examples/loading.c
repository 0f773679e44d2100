/* loading.c - how fast the samples of a data set are made ready for a model: read, augmented as its recipe says, and
 * normalised. Set beside the samples a second of `train` it tells what loading costs.
 *
 *   loading examples/models/fashion_conv.json fashion-mnist [DIRECTORY]
 */
#include <stdio.h>
#include <stdlib.h>

#include <ffebm.h>

#include "support/dataset.h"
#include "support/fit.h"
#include "support/loader.h"
#include "support/model_file.h"
#include "support/progress.h"

enum { EPOCHS = 2 }; /* the first may have to wait for the disk */

struct measurement {
    ffebm_context *context;
    ffebm_model *model;
    struct loader *loader;
    struct dataset data;
    struct failure failure; /* empty: the context has the text */
};

static int set_up(struct measurement *m, const char *model, const char *name, const char *directory)
{
    const struct dataset_source *source = dataset_find(name, &m->failure);
    ffebm_recipe recipe = {.size = sizeof recipe};
    struct loader_plan plan = {.data = &m->data, .part = &m->data.train, .shuffled = 1};

    if (source == NULL || ffebm_context_create(&m->context, NULL) != FFEBM_OK ||
        model_file_read(m->context, &m->model, model, 0, &m->failure) != FFEBM_OK ||
        ffebm_model_recipe(m->model, &recipe) != FFEBM_OK ||
        dataset_open(&m->data, source, directory, DATASET_SPLIT_DEFAULT, &m->failure) != 0 ||
        fit_check(m->model, &m->data, name, &m->failure) != 0)
        return -1;
    plan.batch = (size_t)recipe.batch;
    plan.augment = recipe.augment;
    return loader_create(&m->loader, m->context, m->model, &plan, &m->failure);
}

/* One epoch with nobody computing. */
static int measure(struct measurement *m, uint64_t epoch)
{
    const double started = progress_clock();
    const struct batch *batch;
    size_t samples = 0;
    double seconds;
    int result;

    loader_start(m->loader, epoch, 0);
    while ((result = loader_next(m->loader, &batch, &m->failure)) == 1)
        samples += batch->rows;
    if (result != 0)
        return -1;
    seconds = progress_clock() - started;
    printf("{\"samples\": %zu, \"seconds\": %.3g, \"samples_per_second\": %.4g}\n", samples, seconds,
           (double)samples / seconds);
    return 0;
}

int main(int argc, char **argv)
{
    struct measurement m = {.context = NULL};
    int result;

    if (argc < 3 || argc > 4) {
        fprintf(stderr, "usage: loading MODEL DATASET [DIRECTORY]\n");
        return 2;
    }
    result = set_up(&m, argv[1], argv[2], argv[3]);
    for (uint64_t epoch = 0; epoch < EPOCHS && result == 0; epoch++)
        result = measure(&m, epoch);
    if (result != 0)
        fprintf(stderr, "loading: %s\n", m.failure.text[0] != '\0' ? m.failure.text : ffebm_context_error(m.context));
    loader_destroy(m.loader);
    dataset_free(&m.data);
    ffebm_model_destroy(m.model);
    ffebm_context_destroy(m.context);
    return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
