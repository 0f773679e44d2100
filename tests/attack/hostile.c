/* Descriptions and checkpoints that cost much for their size: each is read in a process of its own, which may take two
 * seconds, and eight times the file's size or 64 MiB. */
#define _DEFAULT_SOURCE /* wait4 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ffebm.h>

#include "attack/support/campaign.h"
#include "attack/support/directory.h"

enum { FEW = 100000, SHARE = 16, TIMES = 8, FLIPS = 4 };

static const double most_seconds = 2, most_megabytes = 64;

/* A sanitizer's own time and memory are no measure of the library's. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static const bool measured = false;
#else
static const bool measured = true;
#endif

/* `before`, `piece` so many times, `after`. Of checkpoints it is the header. A %zu in a piece is its number. */
typedef struct shape {
    const char *name;
    bool checkpoint;
    const char *before, *piece, *after;
    size_t times; /* of the long version; where they are not FEW the short one has a SHARE of them */
} shape;

#define CHAIN(input, stages) "{\"input\":[" input "],\"loss\":\"none\",\"stages\":[" stages
#define TENSOR ":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}"

static const shape shapes[] = {
    {"spaces", false, "", " ", "{}", 17 << 20},
    {"arrays in arrays", false, CHAIN("", ""), "[", "", 1000000},
    {"objects in objects", false, "", "{\"a\":", "", 1000000},
    {"closing brackets", false, "", "]", "", 1000000},
    {"one long key", false, "{\"", "a", "\":1}", 16 << 20},
    {"one long text", false, "{\"loss\":\"", "\\u00e4", "\"}", 2 << 20},
    {"one long number", false, "{\"input\":[1", "0", "]}", 16 << 20},
    {"one long fraction", false, "{\"input\":[0.", "1", "]}", 16 << 20},
    {"an array of numbers", false, "[", "0,", "0]", 8 << 20},
    {"an array of texts", false, "[", "\"\",", "0]", 5 << 20},
    {"an array of objects", false, "[", "{},", "0]", 5 << 20},
    {"a dimension again and again", false, CHAIN("1", "]}"), ",1", "", 1000000},
    {"keys", false, "{", "\"k%zu\":0,", "\"input\":[1]}", 1000000},
    {"one key", false, "{", "\"input\":[1],", "\"loss\":\"mse\"}", 1000000},
    {"stages", false, CHAIN("4", ""), "{\"feedforward\":[]},", "{\"feedforward\":[]}]}", 100000},
    {"ops", false, CHAIN("4", "{\"feedforward\":["), "{\"type\":\"relu\"},", "{\"type\":\"tanh\"}]}]}", 100000},
    {"couplings", false, CHAIN("4", "{\"energy\":{\"type\":\"hopfield\",\"couplings\":["),
     "{\"type\":\"dense\",\"out_features\":1},", "{\"type\":\"dense\",\"out_features\":1}]}}]}", 100000},
    {"stages of a linear", false, CHAIN("1", ""), "{\"feedforward\":[{\"type\":\"linear\",\"out_features\":1}]},",
     "{\"feedforward\":[]}]}", 100000},
    {"linears", false, CHAIN("1", "{\"feedforward\":["), "{\"type\":\"linear\",\"out_features\":1},",
     "{\"type\":\"relu\"}]}]}", 100000},
    {"stages, as many as may be", false, CHAIN("4", ""), "{\"feedforward\":[]},", "{\"feedforward\":[]}]}", 8190},
    {"linears, as many as may be", false, CHAIN("1", "{\"feedforward\":["), "{\"type\":\"linear\",\"out_features\":1},",
     "{\"type\":\"relu\"}]}]}", 8190},
    {"couplings, as many as may be", false, CHAIN("4", "{\"energy\":{\"type\":\"hopfield\",\"couplings\":["),
     "{\"type\":\"dense\",\"out_features\":1},", "{\"type\":\"dense\",\"out_features\":1}]}}]}", 8190},
    {"a dimension's zeros", true, "{\"t0\":{\"dtype\":\"F32\",\"shape\":[", "0,", "0],\"data_offsets\":[0,0]}}",
     47000000},
    {"tensors", true, "{", "\"t%zu\"" TENSOR ",", "\"t\"" TENSOR "}", 1000000},
    {"tensors of stages", true, "{\"__metadata__\":{\"model\":\"{}\"},", "\"stage%zu.0.weight\"" TENSOR ",",
     "\"t\"" TENSOR "}", 1000000},
    {"tensors, as many as may be", true, "{", "\"stage%zu.0.weight\"" TENSOR ",", "\"t\"" TENSOR "}", 74000},
    {"one tensor", true, "{", "\"t\"" TENSOR ",", "\"t\"" TENSOR "}", 1000000},
    {"metadata", true, "{\"__metadata__\":{", "\"k%zu\":\"\",", "\"k\":\"\"}}", 1000000},
    {"a header of spaces", true, "{", " ", "}", 90000000},
    {"a header of brackets", true, "{\"t0\":", "[", "}", 1000000},
    {"a header of braces", true, "", "{", "", 1000000},
    {"a long name", true, "{\"", "n", "\"" TENSOR "}", 1000000},
    {"a long description", true, "{\"__metadata__\":{\"model\":\"{", " ", "}\"}}", 90000000},
    {"a description of ops", true,
     "{\"__metadata__\":{\"model\":\"{\\\"input\\\":[4],\\\"loss\\\":\\\"none\\\",\\\"stages\\\":[{"
     "\\\"feedforward\\\":[",
     "{\\\"type\\\":\\\"relu\\\"},", "{\\\"type\\\":\\\"relu\\\"}]}]}\"}}", 1000000},
};

enum { SHAPES = sizeof shapes / sizeof shapes[0] };

/* Returns its size. */
static size_t make(const char *path, const shape *s, size_t times)
{
    FILE *file = fopen(path, "wb");
    size_t size;

    if (file == NULL)
        exit(2);
    if (s->checkpoint)
        fwrite("\0\0\0\0\0\0\0", 1, 8, file);
    fputs(s->before, file);
    for (size_t i = 0; i < times; i++) {
        const char *number = strstr(s->piece, "%zu");

        if (number == NULL)
            fputs(s->piece, file);
        else
            fprintf(file, "%.*s%zu%s", (int)(number - s->piece), s->piece, i, number + strlen("%zu"));
    }
    fputs(s->after, file);
    size = (size_t)ftell(file);
    rewind(file);
    for (size_t i = 0; s->checkpoint && i < 8; i++)
        fputc((int)((size - 8) >> (8 * i) & 255), file);
    if (fclose(file) != 0)
        exit(2);
    return size;
}

/* Some of its bytes become others. */
static void damage(campaign *c, const char *path, size_t size)
{
    FILE *file = fopen(path, "r+b");

    if (file == NULL)
        exit(2);
    for (size_t i = campaign_draw(c, FLIPS); i > 0; i--) {
        fseek(file, (long)campaign_draw(c, size), SEEK_SET);
        fputc("\"\\{}[],:0 e\xff"[campaign_draw(c, 12)], file);
    }
    fclose(file);
}

static ffebm_status parse(ffebm_context *context, const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    char *text = malloc(size);
    ffebm_model *model = NULL;
    const char *description;
    ffebm_status status;

    if (file == NULL || text == NULL || fread(text, 1, size, file) != size)
        exit(2);
    fclose(file);
    status = ffebm_model_parse(context, &model, text, size, NULL);
    if (status == FFEBM_OK)
        status = ffebm_model_description(model, &description, NULL);
    ffebm_model_destroy(model);
    free(text);
    return status;
}

static ffebm_status list(ffebm_context *context, const char *path)
{
    size_t length;
    ffebm_status status = ffebm_checkpoint_tensor_names(context, NULL, 0, &length, path);
    char *names = malloc(length + 1);

    if (status == FFEBM_OK)
        status = ffebm_checkpoint_tensor_names(context, names, length, NULL, path);
    free(names);
    return status;
}

/* A file of more than one fault is looked at in more than one way. */
static ffebm_status open_file(ffebm_context *context, const char *path)
{
    ffebm_model *model = NULL;
    ffebm_tensor *tensor = NULL;
    ffebm_status status = ffebm_checkpoint_load(context, &model, path);

    ffebm_model_destroy(model);
    if (status == FFEBM_ERR_FORMAT)
        status = ffebm_checkpoint_tensor(context, &tensor, path, "t");
    if (status == FFEBM_OK)
        status = list(context, path);
    ffebm_tensor_destroy(tensor);
    return status;
}

/* In the child: 0, or 1 if the answer is none. */
static int answer(const shape *s, const char *path, size_t size)
{
    ffebm_context *context;
    ffebm_status status;

    if (ffebm_context_create(&context, NULL) != FFEBM_OK)
        return 2;
    status = s == NULL ? FFEBM_OK : s->checkpoint ? open_file(context, path) : parse(context, path, size);
    if (status != FFEBM_OK && strlen(ffebm_context_error(context)) < 20)
        return 1;
    ffebm_context_destroy(context);
    return status > 0 || status == FFEBM_ERR_INTERNAL;
}

typedef struct cost {
    int status;
    double seconds;
    double megabytes;
} cost;

static cost cost_of(const shape *s, const char *path, size_t size)
{
    struct rusage used;
    cost found;
    pid_t child;

    fflush(NULL);
    child = fork();
    if (child == 0)
        _exit(answer(s, path, size));
    if (child < 0 || wait4(child, &found.status, 0, &used) != child)
        exit(2);
    found.seconds = (double)used.ru_utime.tv_sec + (double)used.ru_utime.tv_usec * 1e-6;
    found.megabytes = (double)used.ru_maxrss / 1024;
    return found;
}

static void try(campaign *c, const char *path, const shape *s, size_t times, bool damaged)
{
    size_t size = make(path, s, times);
    double megabytes = (double)size / (1 << 20);
    cost nothing = cost_of(NULL, path, 0), found;

    if (damaged)
        damage(c, path, size);
    found = cost_of(s, path, size);
    found.megabytes -= nothing.megabytes;
    c->cases++;
    if (found.status != 0)
        campaign_finding(c, "%s x %zu: wait status %d", s->name, times, found.status);
    if (measured && found.seconds > most_seconds)
        campaign_finding(c, "%s x %zu: %.2f s for %.1f MiB", s->name, times, found.seconds, megabytes);
    if (measured && found.megabytes > most_megabytes && found.megabytes > TIMES * megabytes)
        campaign_finding(c, "%s x %zu: %.0f MiB for %.1f MiB", s->name, times, found.megabytes, megabytes);
}

int main(int argc, char **argv)
{
    campaign c = campaign_open("hostile", argc, argv);
    const char *folder = directory_make();
    char path[256];

    snprintf(path, sizeof path, "%s/file", folder);
    for (size_t round = 0; campaign_another(&c, round, 1); round++) {
        for (size_t i = 0; i < SHAPES && (i == 0 || campaign_another(&c, round, 1)); i++) {
            size_t times = shapes[i].times;

            if (c.ends == 0 && times > FEW)
                times /= SHARE;
            try(&c, path, &shapes[i], round == 0 ? times : campaign_draw(&c, times), round > 0);
        }
    }
    directory_remove(folder);
    return campaign_close(&c);
}
