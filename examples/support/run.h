/* run.h - a training run: its settings, where it is kept, and the objects that it needs. */
#ifndef EXAMPLES_RUN_H
#define EXAMPLES_RUN_H

#include <ffebm.h>

#include "arguments.h"
#include "dataset.h"
#include "failure.h"
#include "loader.h"
#include "lock.h"
#include "note.h"
#include "ranks.h"
#include "run_directory.h"
#include "settings_file.h"

/* How a part of the program ends, and in the end the program itself; a signal is 128 + its number. */
enum { RUN_DONE = 0, RUN_FAILED = 1, RUN_MISUSED = 2 };

struct run {
    struct failure
        failure;         /* filled where anything but RUN_DONE is returned; empty where another rank has the reason */
    const char *program; /* as it was called */
    struct ranks ranks;  /* that train it: this one alone, or all the others too */
    int32_t together;    /* anything but RUN_DONE is known to all ranks */
    struct settings settings;
    struct arguments arguments; /* of the whole run: its settings so far, then those of this command line */
    char **argv;                /* of this process */
    char *commands;             /* of those before it, as in settings.json */
    const char *model_given;    /* on this command line */
    struct run_directory directory;
    const char *last; /* checkpoints; NULL: not kept */
    const char *best;
    const char *log;     /* NULL: none */
    const char *resumed; /* the checkpoint that the run was resumed from; NULL: begun here */
    struct lock lock;    /* of --checkpoint or --predict */
    struct dataset data;
    ffebm_context *context;
    ffebm_model *model;
    ffebm_engine *engine;
    ffebm_optimizer *optimizer;
    struct loader *train;
    struct loader *validation; /* NULL: no samples for it */
    struct loader *test;
    struct run_note note;
};

/* Make all that a command line asks for, from the beginning or as a checkpoint left it. With --help only the settings'
 * defaults are made, and `settings.help` is set; with --version nothing, and `settings.version`. Close it in any case. */
int run_open(struct run *run, int argc, char **argv);
void run_close(struct run *run);

/* All ranks come here with how they fared: RUN_DONE if all fared well, else what the first that did not has come to. Who has
 * no reason of its own, or is not the first with one, has an empty failure. */
int run_together(struct run *run, int code);

/* Turn a status into RUN_DONE, or RUN_FAILED with the context's text as the failure. */
int run_check(struct run *run, ffebm_status status);

#endif
