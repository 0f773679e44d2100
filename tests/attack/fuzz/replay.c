/* A fuzz target without libFuzzer: every file of its corpus, then copies of them with a few bytes changed, the same ones
 * each time. `make check` runs this; `make attack` links the targets with libFuzzer instead. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attack/support/campaign.h"
#include "target.h"

enum { MOST_SEEDS = 4000, MOST_BYTES = 1 << 16, ROOM = 64 };

typedef struct seed {
    unsigned char *bytes; /* with ROOM more behind them */
    size_t size;
} seed;

static seed seeds[MOST_SEEDS];
static size_t seed_count;
static unsigned char *last; /* what is being tried, for whoever looks into a crash with a debugger */

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void read_seed(const char *folder, const char *name)
{
    char path[512];
    FILE *file;
    seed *s = &seeds[seed_count];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = name[0] == '.' ? NULL : fopen(path, "rb");
    if (!file)
        return;
    s->bytes = malloc(MOST_BYTES + ROOM);
    s->size = fread(s->bytes, 1, MOST_BYTES, file);
    seed_count++;
    fclose(file);
}

static void read_corpus(const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, by_name); /* not in the order of the disk */

    for (int i = 0; i < count; i++) {
        if (seed_count < MOST_SEEDS)
            read_seed(folder, entries[i]->d_name);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    if (seed_count == 0) {
        fprintf(stderr, "no files in %s: run from the top of the tree\n", folder);
        exit(2);
    }
}

/* A tool copies the input to memory of exactly its size: reading behind it is then seen. */
static void try(const unsigned char *bytes, size_t size)
{
    last = malloc(size + (size == 0));
    if (size > 0)
        memcpy(last, bytes, size);
    LLVMFuzzerTestOneInput(last, size);
    free(last);
}

static size_t change(campaign *c, unsigned char *bytes, size_t size)
{
    size_t at = campaign_draw(c, size + 1);
    size_t span = campaign_draw(c, ROOM / 4);
    const seed *other = &seeds[campaign_draw(c, seed_count)];

    switch (campaign_draw(c, 6)) {
    case 0: /* one byte becomes another */
        bytes[at] = (unsigned char)campaign_draw(c, 256);
        return at < size ? size : size + 1;
    case 1: /* one bit turns over */
        bytes[at] ^= (unsigned char)(1u << campaign_draw(c, 8));
        return size;
    case 2: /* the end is cut off */
        return at;
    case 3: /* some bytes are taken out */
        if (at + span > size)
            return at;
        memmove(bytes + at, bytes + at + span, size - at - span);
        return size - span;
    case 4: /* some bytes come twice */
        memmove(bytes + at + span, bytes + at, size - at);
        return size + span;
    default: /* some bytes of another seed */
        span = span < other->size ? span : other->size;
        memcpy(bytes + at, other->bytes + campaign_draw(c, other->size - span + 1), span);
        return at + span > size ? at + span : size;
    }
}

static void try_changed(campaign *c)
{
    const seed *s = &seeds[campaign_draw(c, seed_count)];
    unsigned char *bytes = malloc(s->size + ROOM);
    size_t size = s->size;

    memset(bytes, 0, s->size + ROOM);
    memcpy(bytes, s->bytes, s->size);
    for (size_t changes = 1 + campaign_draw(c, 3); changes > 0; changes--)
        size = change(c, bytes, size);
    try(bytes, size);
    free(bytes);
}

int main(int argc, char **argv)
{
    const char *name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
    char folder[256];
    campaign c = campaign_open(name, argc, argv);

    LLVMFuzzerInitialize(&argc, &argv);
    snprintf(folder, sizeof folder, "tests/attack/corpus/%s", name + strlen("fuzz_"));
    read_corpus(folder);
    for (size_t i = 0; i < seed_count; i++, c.cases++)
        try(seeds[i].bytes, seeds[i].size);
    for (size_t round = 0; campaign_another(&c, round, fuzz_mutants); round++, c.cases++)
        try_changed(&c);
    for (size_t i = 0; i < seed_count; i++)
        free(seeds[i].bytes);
    return campaign_close(&c);
}
