/* Allocation failures of the whole process: in every scenario the first request for memory fails, then the second, and so
 * on until nothing fails any more. Each failure is FFEBM_ERR_NOMEM with a text, leaves handles NULL and values as they
 * were, keeps no memory and no file, and the same call made once more gives the bits that an undisturbed run gives. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attack/support/blocks.h"
#include "attack/support/directory.h"
#include "oom/failing.h"
#include "oom/world.h"

/* LeakSanitizer, where there is one, asks this. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libzip.so\n";
}

/* How requests fail, and what comes after. */
typedef struct manner {
    const char *name;
    bool forever;
    bool goes_on;
    bool silent;
} manner;

static const manner manners[] = {
    {"one, and again", false, true, false},
    {"one", false, false, false},
    {"one, without errno", false, false, true},
    {"all from there", true, false, false},
};
enum { MANNERS = sizeof manners / sizeof *manners, SHORT_STEPS = 9 };

static const char *directory;

/* Every regular file of the campaign's directory goes; there may have been one, that which a scenario wants to be there. */
static void clear(world *w)
{
    DIR *entries = opendir(directory);
    const struct dirent *entry;
    char path[600];

    while (entries && (entry = readdir(entries))) {
        snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        if (unlink(path) == 0)
            world_expects(w, strcmp(entry->d_name, "saved.safetensors") == 0, "a file is left over");
    }
    if (entries)
        closedir(entries);
}

static void destroy(world *w)
{
    loader_destroy(w->loader);
    dataset_free(&w->data);
    ffebm_tensor_destroy(w->rows);
    ffebm_tensor_destroy(w->t);
    ffebm_feedforward_destroy(w->feedforward);
    ffebm_energy_destroy(w->energy);
    ffebm_model_destroy(w->other);
    subject_close(&w->s);
    world_expects(w, w->blocks == blocks_destroyed, "the host's blocks are not destroyed once");
    clear(w);
}

/* What a case has come to. */
typedef struct outcome {
    bool done;     /* the scenario's act */
    long hits;     /* requests that failed */
    long requests; /* and all of them */
    uint64_t bits;
} outcome;

static outcome attempt(campaign *c, const scenario *s, failing plan, bool goes_on)
{
    world w = {.campaign = c, .scenario = s->name, .directory = directory, .threads = s->threads, .goes_on = goes_on};
    outcome o = {.hits = 0};
    uint64_t before;

    blocks_destroyed = 0;
    s->prepare(&w);
    before = subject_bits(&w.s);
    failing_begin(plan);
    o.done = s->act(&w) == 0;
    failing_end();
    o.hits = failing_hits();
    o.requests = failing_requests();
    o.bits = subject_bits(&w.s);
    if (!o.done && s->keeps)
        world_expects(&w, o.bits == before, "it failed, and values changed");
    if (!o.done)
        world_expects(&w, o.hits > 0, "it failed although no request had");
    destroy(&w);
    c->cases++;
    return o;
}

/* The k-th request, in one manner; false when there is no k-th. */
static bool try(campaign *c, const scenario *s, const manner *m, long k, const outcome *undisturbed)
{
    failing plan = {.at = k, .forever = m->forever, .silent = m->silent};
    long pieces = failing_pieces();
    outcome o = attempt(c, s, plan, m->goes_on);

    if (failing_pieces() != pieces && !s->loses_memory)
        campaign_finding(c, "%s: %s: request %ld: %ld pieces of memory are kept", s->name, m->name, k,
                         failing_pieces() - pieces);
    if (m->goes_on && (!o.done || o.bits != undisturbed->bits))
        campaign_finding(c, "%s: request %ld: made once more it %s", s->name, k,
                         o.done ? "gives other bits" : "fails again");
    return o.hits > 0;
}

static void attack(campaign *c, const scenario *s, long step)
{
    outcome undisturbed;
    size_t before = c->cases;

    attempt(c, s, (failing){.at = 0}, false); /* what is made once for the whole process is made now */
    undisturbed = attempt(c, s, (failing){.at = 0}, false);
    if (!undisturbed.done)
        campaign_finding(c, "%s: fails undisturbed", s->name);
    for (int m = 0; m < MANNERS; m++)
        for (long k = 1 + (long)campaign_draw(c, (size_t)step); try(c, s, &manners[m], k, &undisturbed);
             k += 1 + (long)campaign_draw(c, (size_t)(2 * step - 1)))
            ;
    if (c->ends == 0)
        printf("%-34s %5ld requests, %6zu cases\n", s->name, undisturbed.requests, c->cases - before);
}

/* The short version leaves most requests out, others in each scenario and manner; the long one has all of them, again and
 * again until the time is over. */
int main(int argc, char **argv)
{
    campaign c = campaign_open("oom", argc, argv);

    directory = directory_make();
    for (size_t round = 0; campaign_another(&c, round, 1); round++)
        for (size_t i = 0; i < scenario_count; i++)
            attack(&c, &scenarios[i], c.ends > 0 ? 1 : SHORT_STEPS);
    directory_remove(directory);
    return campaign_close(&c);
}
