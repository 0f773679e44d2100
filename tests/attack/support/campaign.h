/* What every campaign has: a short version that is the same each time, a long one that runs until its time is over, a
 * count of cases and of findings, and a last line that says both. */
#ifndef FFEBM_TESTS_CAMPAIGN_H
#define FFEBM_TESTS_CAMPAIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct campaign {
    const char *name;
    uint64_t seed;
    uint64_t drawn;  /* numbers so far */
    double ends;     /* seconds on the monotonic clock; 0: the short version */
    size_t cases;    /* counted by the campaign itself */
    size_t findings; /* counted by campaign_finding */
} campaign;

/* Read `NAME`, the short version, or `NAME MINUTES [SEED]`, and print the seed. Anything else ends the program. */
campaign campaign_open(const char *name, int argc, char **argv);

/* Print the last line; returns the program's exit status. */
int campaign_close(const campaign *c);

/* Is there time for round `round`, counted from 0? The short version has `rounds` of them. */
bool campaign_another(const campaign *c, size_t round, size_t rounds);

/* Count and print something that must not be. Not for several threads at once. */
void campaign_finding(campaign *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* End the program with errno's text unless it is good: "NAME: cannot do". */
void campaign_must(bool good, const char *do_what);

/* A number of 0 ... below - 1, the next of the seed's. */
size_t campaign_draw(campaign *c, size_t below);

#endif
