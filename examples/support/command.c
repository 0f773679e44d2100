#include "command.h"

#include <string.h>
#include <unistd.h>

int command_parse(struct run *run, const ffebm_model *model, int64_t seed)
{
    settings_init(&run->settings, model);
    run->settings.seed = seed;
    return settings_parse(&run->settings, run->arguments.count, run->arguments.items, &run->failure) == 0 ? RUN_DONE
                                                                                                          : RUN_MISUSED;
}

/* A run directory is locked before anything in it is read, unless nothing will be written there. */
static int take_directory(struct run *run, const char *path)
{
    if (run_directory_name(&run->directory, path, &run->failure) != 0)
        return RUN_MISUSED;
    if (run->settings.predict == NULL && run->ranks.rank == 0 &&
        run_directory_lock(&run->directory, &run->failure) != 0)
        return RUN_MISUSED;
    if (access(run->directory.last, F_OK) != 0) {
        failure_set(&run->failure, "--resume %s: has no last.safetensors; begin the run anew, with --run", path);
        return RUN_MISUSED;
    }
    run->resumed = run->directory.last;
    return RUN_DONE;
}

/* The settings beside a checkpoint, if it is one of a run directory. */
static int name_settings(struct run *run, char *settings, size_t capacity)
{
    const char *slash = strrchr(run->resumed, '/');
    const int directory = slash == NULL ? 0 : (int)(slash - run->resumed) + 1;

    return snprintf(settings, capacity, "%.*ssettings.json", directory, run->resumed) < (int)capacity &&
           access(settings, F_OK) == 0;
}

/* What is said now comes after what the run was begun with, and so has the last word. */
static int collect(struct run *run, int argc, char **argv)
{
    char settings[RUN_PATH];

    if (arguments_create(&run->arguments, argv[0], &run->failure) != 0 ||
        (run->resumed != NULL && name_settings(run, settings, sizeof settings) &&
         settings_file_read(&run->arguments, &run->commands, settings, &run->failure) != 0) ||
        arguments_add(&run->arguments, argc, argv, &run->failure) != 0)
        return RUN_FAILED;
    return RUN_DONE;
}

static int misused(struct run *run, const char *option, const char *why)
{
    failure_set(&run->failure, "%s: %s", option, why);
    return RUN_MISUSED;
}

/* What fits no run, whatever the model and the data are. */
static int check(struct run *run)
{
    const struct settings *settings = &run->settings;
    const int kept = settings->run != NULL || run->resumed == run->directory.last;

    if (settings->model == NULL && settings->resume == NULL)
        return misused(run, "--model", "not given, expected a model description (or --resume); see --help");
    if (settings->predict != NULL && (settings->resume == NULL || settings->run != NULL))
        return misused(run, "--predict",
                       "expected --resume with the run or checkpoint whose model predicts, and no --run");
    if (settings->run != NULL && run->resumed == run->directory.last)
        return misused(run, "--run", "the run goes on in the directory that it is resumed from; leave --run out");
    if (kept && settings->log != NULL)
        return misused(run, "--log", "a run directory has its own, log.jsonl; leave --log out");
    if (kept && settings->checkpoint != NULL)
        return misused(run, "--checkpoint", "a run directory has its own, last.safetensors; leave --checkpoint out");
    return RUN_DONE;
}

int command_read(struct run *run, int argc, char **argv)
{
    const char *resume;
    int code = RUN_DONE;

    run->argv = argv;
    settings_init(&run->settings, NULL);
    if (settings_parse(&run->settings, argc, argv, &run->failure) != 0)
        return RUN_MISUSED;
    if (run->settings.version)
        return RUN_DONE;
    resume = run->resumed = run->settings.resume;
    run->model_given = run->settings.model;
    if (resume != NULL && run_directory_exists(resume))
        code = take_directory(run, resume);
    if (code != RUN_DONE || (code = collect(run, argc, argv)) != RUN_DONE)
        return code;
    if ((code = command_parse(run, NULL, 0)) != RUN_DONE || run->settings.help)
        return code;
    return check(run);
}
