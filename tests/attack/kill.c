/* Kills: processes that save to one file as fast as they can are killed at random moments. After each kill the file holds
 * one whole checkpoint, none older than what was seen before, and no more is left behind than those who were killed were
 * writing; the next save takes that away. Names are short, or as long as a name may be; writers are one or several. */
#define _GNU_SOURCE /* usleep */
#include <dirent.h>
#include <ffebm.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/campaign.h"
#include "support/saved.h"

enum { MOST_WRITERS = 3, LONGEST_NAME = 255, LONGEST_LIFE = 12000 /* microseconds */ };

typedef struct place {
    char directory[64];
    char path[400];
    saved saved;
} place;

static void place_open(place *p, size_t name_length)
{
    char name[LONGEST_NAME + 1] = "";

    *p = (place){.directory = "/tmp/ffebm-kill-XXXXXX"};
    campaign_must(mkdtemp(p->directory) != NULL, "make a directory");
    memset(name, 'c', name_length);
    snprintf(p->path, sizeof p->path, "%s/%s", p->directory, name);
    p->saved = saved_make(40, 500);
}

static void place_close(place *p)
{
    unlink(p->path);
    rmdir(p->directory);
    saved_close(&p->saved);
}

static ffebm_status save(const place *p, float value)
{
    saved_fill(&p->saved, value);
    return ffebm_checkpoint_save(p->saved.model, p->saved.optimizer, NULL, p->path);
}

static float held(const place *p)
{
    return saved_held(&p->saved, p->path);
}

static int leftovers(const place *p)
{
    DIR *listing = opendir(p->directory);
    int count = -1; /* the file itself */

    campaign_must(listing != NULL, "list a directory");
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(listing);
    return count;
}

/* A writer that counts on from a value until it is killed. */
static pid_t start(const place *p, float value)
{
    pid_t child = fork();

    campaign_must(child >= 0, "fork");
    while (child == 0)
        if (save(p, ++value) != FFEBM_OK)
            _exit(1);
    return child;
}

static void stop(campaign *c, pid_t writer)
{
    int status = 0;

    kill(writer, SIGKILL);
    campaign_must(waitpid(writer, &status, 0) == writer, "wait");
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
            campaign_finding(c, "the file is not whole: %s", ffebm_context_error(p->saved.context));
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
        campaign_must(save(&p, 0) == FFEBM_OK, "save a checkpoint");
        for (int i = 0; i < 12; i++)
            kill_some(&c, &p, i % 2 == 0 ? 1 : MOST_WRITERS);
        if (save(&p, 1) != FFEBM_OK)
            campaign_finding(&c, "%s", ffebm_context_error(p.saved.context));
        if (leftovers(&p) != 0)
            campaign_finding(&c, "%d files are left after a save", leftovers(&p));
        place_close(&p);
    }
    return campaign_close(&c);
}
