/* A host that loads a plugin, lets it work and unloads it, a thousand times. The plugin (work.c) brings libffebm with
 * it, and takes it away: no memory, mapping, thread or file stays behind. BLAS and cJSON are the host's, since what
 * these would leave behind is not ours to judge. At the end: how long a host waits for a plugin and a context.
 *   reload PLUGIN LIBRARY */
#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "work.h"

enum { LOADS = 1000, PARTS = 5 };

static int entries_alone; /* of /proc/self/task, with one thread */

typedef struct belongings {
    long pages;
    int mappings;
    int threads;
    int files;
} belongings;

static double milliseconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void must(int holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "reload: %s\n", what);
    exit(EXIT_FAILURE);
}

static int entries(const char *directory)
{
    DIR *open = opendir(directory);
    int count = 0;

    must(open != NULL, directory);
    while (readdir(open) != NULL)
        count++;
    closedir(open);
    return count;
}

static belongings look(void)
{
    belongings b = {.files = entries("/proc/self/fd")};
    long shared; /* pages of files, which come in as code is reached */
    FILE *statm = fopen("/proc/self/statm", "r"), *maps = fopen("/proc/self/maps", "r");

    b.threads = entries("/proc/self/task");
    for (int i = 0; i < 1000 && b.threads > entries_alone; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL); /* the kernel lists a joined thread a little longer */
        b.threads = entries("/proc/self/task");
    }
    must(statm != NULL && maps != NULL && fscanf(statm, "%*d %ld %ld", &b.pages, &shared) == 2,
         "/proc/self cannot be read");
    for (int c; (c = fgetc(maps)) != EOF;)
        b.mappings += c == '\n';
    fclose(statm);
    b.pages -= shared;
    fclose(maps);
    return b;
}

/* ISO C knows no way from an object's address to a function's: through memory there is one. */
typedef union symbol {
    void *address;
    uint64_t (*day_of_work)(const ffebm_context_config *config);
    void (*context_config_init)(ffebm_context_config *config, size_t size);
    ffebm_status (*context_create)(ffebm_context **context, const ffebm_context_config *config);
    void (*context_destroy)(ffebm_context *context);
} symbol;

static symbol find(void *plugin, const char *name)
{
    symbol found = {.address = dlsym(plugin, name)};

    must(found.address != NULL, dlerror());
    return found;
}

static void *load(const char *path)
{
    void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);

    must(plugin != NULL, dlerror());
    return plugin;
}

static void visit(const char *plugin_path, const char *library_path)
{
    void *plugin = load(plugin_path);
    ffebm_context_config config;

    find(plugin, "ffebm_context_config_init").context_config_init(&config, sizeof config);
    config.threads = 2;
    find(plugin, "day_of_work").day_of_work(&config);
    dlclose(plugin);
    must(dlopen(library_path, RTLD_NOW | RTLD_NOLOAD) == NULL, "the library cannot be unloaded");
}

static void report_start(const char *plugin_path)
{
    double before = milliseconds(), loaded, created;
    void *plugin = load(plugin_path);
    ffebm_context *context;

    loaded = milliseconds();
    must(find(plugin, "ffebm_context_create").context_create(&context, NULL) == FFEBM_OK, "no context");
    created = milliseconds();
    printf("reload: %d times without a trace; loaded in %.2f ms, a context in %.3f ms\n", LOADS, loaded - before,
           created - loaded);
    find(plugin, "ffebm_context_destroy").context_destroy(context);
    dlclose(plugin);
}

int main(int argc, char **argv)
{
    belongings first = {0}, last = {0};
    int grown = 0; /* in how many fifths of the time; malloc grows now and then, a leak all the time */

    must(argc == 3, "usage: reload PLUGIN LIBRARY");
    entries_alone = entries("/proc/self/task");
    for (int part = 0; part < PARTS; part++) {
        belongings before = last;

        for (int i = 0; i < LOADS / PARTS; i++)
            visit(argv[1], argv[2]);
        last = look();
        if (part == 0)
            first = last;
        else
            grown += last.pages > before.pages;
    }
    if (grown == PARTS - 1 || last.mappings != first.mappings || last.threads != first.threads ||
        last.files != first.files) {
        fprintf(stderr,
                "reload: from %d to %d loads: pages %ld to %ld, mappings %d to %d, threads %d to %d, files %d to %d\n",
                LOADS / PARTS, LOADS, first.pages, last.pages, first.mappings, last.mappings, first.threads,
                last.threads, first.files, last.files);
        return EXIT_FAILURE;
    }
    report_start(argv[1]);
    return EXIT_SUCCESS;
}
