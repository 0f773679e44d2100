/* How fast the library is here: JSON objects, one a line, on standard output. `make bench` runs it in the root of the tree.
 * It says where the time goes and gates nothing. On a machine with other work to do figures are noisy: look at "spread",
 * the slowest repeat over the fastest; fractions called busy are of processor time, and bear that better. */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "core/context.h"
#include "coupling.h"
#include "line.h"
#include "model.h"
#include "peak.h"

#define MEMORY_MODEL "scaling_small_100"
enum { MEMORY_BATCH = 32 };

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

/* Everything, or one model alone: to look at it with a profiler. */
static void measure(team teams[TEAM_COUNT], size_t count, const char *only)
{
    if (only != NULL) {
        model_measure(teams, count, only);
        return;
    }
    for (size_t i = 0; i < count; i++)
        peak_measure(&teams[i]);
    for (size_t i = 0; i < count; i++)
        peak_measure_blas(&teams[i]);
    coupling_measure(teams, count);
    model_measure(teams, count, NULL);
}

int main(int argc, char **argv)
{
    team teams[TEAM_COUNT];
    size_t count = 0;

    if (argc == 2 && strcmp(argv[1], "memory") == 0)
        return memory();
    if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
        fprintf(stderr, "usage: %s [MODEL]\n", argv[0]);
        return 2;
    }
    if (getenv("OPENBLAS_NUM_THREADS") == NULL)
        fputs("bench: OPENBLAS_NUM_THREADS is not set; make bench sets it to 1, as these figures mean\n", stderr);
    if (argc == 1)
        measure_memory_apart(argv[0]);
    while (count < TEAM_COUNT && assemble(&teams[count], count == 0 ? 1 : 0))
        count++;
    if (count == TEAM_COUNT && teams[1].threads == 1) /* both would be the same */
        ffebm_context_destroy(teams[--count].context);
    measure(teams, count, argv[1]);
    for (size_t i = 0; i < count; i++)
        ffebm_context_destroy(teams[i].context);
    return count > 0 ? 0 : 1;
}
