#include "campaign.h"

#include <errno.h>
#include <ffebm.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_PRINTED = 50 };

static const char *running = "campaign"; /* its name */

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

campaign campaign_open(const char *name, int argc, char **argv)
{
    campaign c = {.name = name, .seed = 1};
    char *end = NULL;

    running = name;
    if (argc > 1) {
        double minutes = strtod(argv[1], &end);

        if (*end != '\0' || !(minutes > 0) || argc > 3) {
            fprintf(stderr, "usage: %s [MINUTES [SEED]]\n", name);
            exit(2);
        }
        c.ends = now() + 60 * minutes;
    }
    if (argc > 2)
        c.seed = strtoull(argv[2], &end, 10);
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("%s: seed %llu\n", name, (unsigned long long)c.seed);
    return c;
}

int campaign_close(const campaign *c)
{
    printf("%s: %zu cases, %zu findings\n", c->name, c->cases, c->findings);
    return c->findings == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

bool campaign_another(const campaign *c, size_t round, size_t rounds)
{
    return c->ends > 0 ? now() < c->ends : round < rounds;
}

void campaign_finding(campaign *c, const char *format, ...)
{
    va_list arguments;

    if (c->findings++ >= MOST_PRINTED)
        return;
    va_start(arguments, format);
    printf("FINDING ");
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
}

void campaign_must(bool good, const char *do_what)
{
    if (good)
        return;
    fprintf(stderr, "%s: cannot %s: %s\n", running, do_what, strerror(errno));
    exit(2);
}

size_t campaign_draw(campaign *c, size_t below)
{
    return (size_t)(ffebm_random_uniform(c->seed, c->drawn++) * (double)below);
}
