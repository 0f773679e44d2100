#include <stdio.h>
#include <sys/stat.h>

#include "attack/support/data_files.h"
#include "world.h"

/* Once: they are only read. */
void write_data(world *w)
{
    static const char *const sets[] = {"mnist", "cifar10", "imagenet32"};
    char directory[512];

    snprintf(directory, sizeof directory, "%s/data", w->directory);
    if (mkdir(directory, 0700) != 0)
        return;
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        data_write_set(directory, sets[i]);
}

static int open_set(world *w, const char *name, const char *directory, struct failure *failure)
{
    const struct dataset_source *source = dataset_find(name, failure);
    unsigned char pixels[DATASET_MOST_PIXELS];

    dataset_free(&w->data);
    if (dataset_open(&w->data, source, directory, DATASET_SPLIT_DEFAULT, failure) != 0)
        return -1;
    return dataset_read(&w->data, &w->data.test, 0, pixels, failure);
}

static int read_set(world *w, const char *name, const char *directory)
{
    struct failure failure = {{0}};

    if (open_set(w, name, directory, &failure) == 0)
        return 0;
    return world_unread(w, &failure) ? open_set(w, name, directory, &failure) : -1;
}

static int read_written(world *w, const char *name)
{
    char directory[512];

    snprintf(directory, sizeof directory, "%s/data", w->directory);
    return read_set(w, name, directory);
}

int read_digits(world *w)
{
    return read_set(w, "digits", "examples/data");
}

int read_idx(world *w)
{
    return read_written(w, "mnist");
}

int read_cifar(world *w)
{
    return read_written(w, "cifar10");
}

int read_imagenet(world *w)
{
    return read_written(w, "imagenet32");
}

/* A model for the images of the data set, and these opened. */
void prepare_batches(world *w)
{
    static const char json[] = "{\"input\":[1,4,4],\"loss\":\"none\",\"stages\":[{\"feedforward\":[]}]}";
    struct failure failure = {{0}};
    char directory[512];

    write_data(w);
    snprintf(directory, sizeof directory, "%s/data", w->directory);
    subject_context(&w->s, NULL);
    subject_check(&w->s, ffebm_model_parse(w->s.context, &w->s.model, json, sizeof json - 1, NULL));
    world_expects(w, open_set(w, "mnist", directory, &failure) == 0, failure.text);
}

static int next_batch(world *w, struct failure *failure)
{
    const struct loader_plan plan = {.data = &w->data, .part = &w->data.train, .batch = 1, .augment = 0, .shuffled = 1};
    const struct batch *batch;

    if (loader_create(&w->loader, w->s.context, w->s.model, &plan, failure) != 0)
        return -1;
    loader_start(w->loader, 0, 0);
    return loader_next(w->loader, &batch, failure) == 1 ? 0 : -1;
}

int load_batches(world *w)
{
    struct failure failure = {{0}};

    if (next_batch(w, &failure) == 0)
        return 0;
    return world_unread(w, &failure) ? next_batch(w, &failure) : -1;
}
