/* How fast the library is here: JSON objects, one a line, on standard output. `make bench` runs it in the root of the
 * tree. It says where the time goes and gates nothing. On a machine with other work to do figures are noisy: look at
 * "spread", the slowest repeat over the fastest; fractions called busy are of processor time, and bear that better. */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "convolution.h"
#include "core/context.h"
#include "coupling.h"
#include "line.h"
#include "model.h"
#include "peak.h"
#include "step.h"

#define MEMORY_MODEL "scaling_small_100"
enum { MEMORY_BATCH = 32 };

static const char usage[] = "usage: bench                     everything\n"
                            "       bench memory|blas|coupling|convolution\n"
                            "       bench MODEL [CHECKPOINT]  of examples/models or tests/bench; with these values\n"
                            "       bench step MODEL ...      for comparisons; `bench step` has the options\n";

extern char **environ;

static bool assemble(team *t, int32_t threads)
{
    ffebm_context_config config;

    ffebm_context_config_init(&config, sizeof config);
    config.threads = threads;
    *t = (team){0};
    if (ffebm_context_create(&t->context, &config) != FFEBM_OK) {
        line_skip("everything", "no context, or no threads to be had");
        return false;
    }
    t->threads = t->context->executor.workers;
    return true;
}

/* In a process of its own. It comes first: on Linux a new program inherits the peak of the one that started it. */
static void measure_memory_apart(const char *program)
{
    char self[4096];
    char *arguments[] = {self, "memory", NULL};
    pid_t child;
    int status = -1;

    snprintf(self, sizeof self, "%s", program);
    if (posix_spawn(&child, self, NULL, NULL, arguments, environ) != 0 || waitpid(child, &status, 0) != child ||
        status != 0)
        line_skip("memory", "its process failed");
}

static int memory(void)
{
    team t;

    if (!assemble(&t, 0))
        return 1;
    model_measure_memory(&t, MEMORY_MODEL, MEMORY_BATCH);
    ffebm_context_destroy(t.context);
    return 0;
}

static void measure_blas(team teams[TEAM_COUNT], size_t count)
{
    for (size_t i = 0; i < count; i++)
        peak_measure_blas(&teams[i]);
}

static void measure_couplings(team teams[TEAM_COUNT], size_t count)
{
    coupling_measure(teams, count);
}

static void measure_convolutions(team teams[TEAM_COUNT], size_t count)
{
    for (size_t i = 0; i < count; i++)
        convolution_measure(&teams[i]);
}

/* Figures that are shares of the peak, which is measured before. */
static const struct {
    const char *name;
    void (*measure)(team teams[TEAM_COUNT], size_t count);
} shares[] = {{"blas", measure_blas}, {"coupling", measure_couplings}, {"convolution", measure_convolutions}};
enum { SHARES = sizeof shares / sizeof shares[0] };

static bool is_share(const char *name)
{
    for (size_t i = 0; i < SHARES; i++)
        if (strcmp(name, shares[i].name) == 0)
            return true;
    return false;
}

static void measure(team teams[TEAM_COUNT], size_t count, const char *only, const char *checkpoint)
{
    bool model = only != NULL && !is_share(only);

    for (size_t i = 0; i < count && !model; i++)
        peak_measure(&teams[i]);
    for (size_t i = 0; i < SHARES; i++)
        if (only == NULL || strcmp(only, shares[i].name) == 0)
            shares[i].measure(teams, count);
    if (only == NULL || model)
        model_measure(teams, count, only, checkpoint);
}

int main(int argc, char **argv)
{
    team teams[TEAM_COUNT];
    size_t count = 0;

    if (getenv("OPENBLAS_NUM_THREADS") == NULL)
        fputs("bench: OPENBLAS_NUM_THREADS is not set; make bench sets it to 1, as these figures mean\n", stderr);
    if (argc >= 2 && strcmp(argv[1], "step") == 0)
        return step_main(argc - 2, argv + 2);
    if (argc == 2 && strcmp(argv[1], "memory") == 0)
        return memory();
    if (argc > 3 || (argc >= 2 && argv[1][0] == '-') || (argc == 3 && is_share(argv[1]))) {
        fputs(usage, stderr);
        return 2;
    }
    if (argc == 1)
        measure_memory_apart(argv[0]);
    while (count < TEAM_COUNT && assemble(&teams[count], count == 0 ? 1 : 0))
        count++;
    if (count == TEAM_COUNT && teams[1].threads == 1) /* both would be the same */
        ffebm_context_destroy(teams[--count].context);
    measure(teams, count, argc >= 2 ? argv[1] : NULL, argc == 3 ? argv[2] : NULL);
    for (size_t i = 0; i < count; i++)
        ffebm_context_destroy(teams[i].context);
    return count > 0 ? 0 : 1;
}
