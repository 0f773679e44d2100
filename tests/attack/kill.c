/* Kills: processes that save to one file as fast as they can are killed at random moments. After each kill the file holds
 * one whole checkpoint, none older than what was seen before, and no more is left behind than those who were killed were
 * writing; the next save takes that away. Names are short, or as long as a name may be; writers are one or several. */
#define _GNU_SOURCE /* usleep */
#include <dirent.h>
#include <errno.h>
#include <ffebm.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/campaign.h"

enum { MOST_WRITERS = 3, LONGEST_NAME = 255, LONGEST_LIFE = 12000 /* microseconds */ };

static const char json[] = "{\"input\":[40],\"loss\":\"mse\",\"stages\":[{\"feedforward\":[{\"type\":\"linear\","
                           "\"out_features\":500}]}]}";

typedef struct place {
    char directory[64];
    char path[400];
    ffebm_context *context;
    ffebm_model *model;
    ffebm_optimizer *optimizer;
} place;

static void must(int good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "kill: cannot %s: %s\n", what, strerror(errno));
    exit(2);
}

static void place_open(place *p, size_t name_length)
{
    char name[LONGEST_NAME + 1] = "";

    *p = (place){.directory = "/tmp/ffebm-kill-XXXXXX"};
    must(mkdtemp(p->directory) != NULL, "make a directory");
    memset(name, 'c', name_length);
    snprintf(p->path, sizeof p->path, "%s/%s", p->directory, name);
    must(ffebm_context_create(&p->context, NULL) == FFEBM_OK &&
             ffebm_model_parse(p->context, &p->model, json, strlen(json), NULL) == FFEBM_OK &&
             ffebm_model_initialize(p->model, 1) == FFEBM_OK &&
             ffebm_optimizer_create_adam(&p->optimizer, p->model, NULL) == FFEBM_OK,
         "make a model");
}

static void place_close(place *p)
{
    unlink(p->path);
    rmdir(p->directory);
    ffebm_optimizer_destroy(p->optimizer);
    ffebm_model_destroy(p->model);
    ffebm_context_destroy(p->context);
}

static ffebm_status save(const place *p, float value)
{
    ffebm_tensor *flat = ffebm_model_flat_parameters(p->model);
    float *values = ffebm_tensor_data(flat);

    for (size_t i = 0; i < ffebm_tensor_count(flat); i++)
        values[i] = value;
    return ffebm_checkpoint_save(p->model, p->optimizer, NULL, p->path);
}

/* The value that all parameters of the file have; -1 if it cannot be loaded or they differ. */
static float held(const place *p)
{
    ffebm_model *loaded;
    float value = -1;

    if (ffebm_checkpoint_load(p->context, &loaded, p->path) == FFEBM_OK) {
        ffebm_tensor *flat = ffebm_model_flat_parameters(loaded);
        const float *values = ffebm_tensor_data(flat);

        value = values[0];
        for (size_t i = 1; i < ffebm_tensor_count(flat); i++)
            if (values[i] != value)
                value = -1;
    }
    ffebm_model_destroy(loaded);
    return value;
}

static int leftovers(const place *p)
{
    DIR *listing = opendir(p->directory);
    int count = -1; /* the file itself */

    must(listing != NULL, "list a directory");
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(listing);
    return count;
}

/* A writer that counts on from a value until it is killed. */
static pid_t start(const place *p, float value)
{
    pid_t child = fork();

    must(child >= 0, "fork");
    while (child == 0)
        if (save(p, ++value) != FFEBM_OK)
            _exit(1);
    return child;
}

static void stop(campaign *c, pid_t writer)
{
    int status = 0;

    kill(writer, SIGKILL);
    must(waitpid(writer, &status, 0) == writer, "wait");
    c->cases++;
    if (!WIFSIGNALED(status))
        campaign_finding(c, "a save failed in a writer");
}

/* Several writers overtake each other, so that only of one alone it can be said that its values do not go back. What was left
 * before stays if none of them came to save. */
static void kill_some(campaign *c, const place *p, int writers)
{
    int there = leftovers(p), most = there > writers ? there : writers;
    pid_t running[MOST_WRITERS];
    float before = held(p), now;

    for (int i = 0; i < writers; i++)
        running[i] = start(p, before);
    for (int i = 0; i < writers; i++) {
        usleep((useconds_t)campaign_draw(c, LONGEST_LIFE));
        stop(c, running[i]);
        now = held(p);
        if (now < 0)
            campaign_finding(c, "the file is not whole: %s", ffebm_context_error(p->context));
        if (writers == 1 && now < before)
            campaign_finding(c, "the file holds %g, before the kill %g", (double)now, (double)before);
    }
    if (leftovers(p) > most)
        campaign_finding(c, "%d files are left of %d writers, before %d", leftovers(p), writers, there);
}

int main(int argc, char **argv)
{
    campaign c = campaign_open("kill", argc, argv);

    for (size_t round = 0; campaign_another(&c, round, 4); round++) {
        place p;

        place_open(&p, round % 2 == 0 ? 12 : LONGEST_NAME);
        must(save(&p, 0) == FFEBM_OK, "save a checkpoint");
        for (int i = 0; i < 12; i++)
            kill_some(&c, &p, i % 2 == 0 ? 1 : MOST_WRITERS);
        if (save(&p, 1) != FFEBM_OK)
            campaign_finding(&c, "%s", ffebm_context_error(p.context));
        if (leftovers(&p) != 0)
            campaign_finding(&c, "%d files are left after a save", leftovers(&p));
        place_close(&p);
    }
    return campaign_close(&c);
}
