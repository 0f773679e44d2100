#include "run_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lock.h"
#include "text_file.h"

int run_directory_exists(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static int join(char *to, const char *path, const char *name, struct failure *failure)
{
    if (snprintf(to, RUN_PATH, "%s/%s", path, name) >= RUN_PATH)
        return failure_set(failure, "%.64s...: longer than %d characters", path, RUN_PATH - 1);
    return 0;
}

int run_directory_name(struct run_directory *directory, const char *path, struct failure *failure)
{
    directory->path = path;
    if (join(directory->model, path, "model.json", failure) != 0 ||
        join(directory->settings, path, "settings.json", failure) != 0 ||
        join(directory->log, path, "log.jsonl", failure) != 0 ||
        join(directory->last, path, "last.safetensors", failure) != 0 ||
        join(directory->best, path, "best.safetensors", failure) != 0)
        return -1;
    return join(directory->result, path, "result.json", failure);
}

/* Make the directories that a path names, one after the other. */
static int make_all(const char *path, struct failure *failure)
{
    char part[RUN_PATH];

    for (const char *at = path; *at != '\0';) {
        at += strspn(at, "/");
        at += strcspn(at, "/");
        snprintf(part, sizeof part, "%.*s", (int)(at - path), path);
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return failure_set(failure, "%s: %s", part, strerror(errno));
    }
    return run_directory_exists(path) ? 0 : failure_set(failure, "%s: is not a directory", path);
}

int run_directory_make(const struct run_directory *directory, struct failure *failure)
{
    if (access(directory->last, F_OK) == 0)
        return failure_set(failure, "--run %s: a run lives there; --resume %s goes on with it", directory->path,
                           directory->path);
    return make_all(directory->path, failure);
}

/* The lock goes with the process, however it ends: the file is never closed. */
int run_directory_lock(const struct run_directory *directory, struct failure *failure)
{
    int file = open(directory->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (file < 0)
        return failure_set(failure, "%s: %s", directory->path, strerror(errno));
    if (lock_open_file(file) != 0) {
        close(file);
        return failure_set(failure, "%s: another process is at this run", directory->path);
    }
    return 0;
}

int run_directory_write_model(const struct run_directory *directory, ffebm_context *context, ffebm_model *model,
                              struct failure *failure)
{
    const char *json;
    size_t length;

    if (ffebm_model_description(model, &json, &length) != FFEBM_OK)
        return failure_set(failure, "%s", ffebm_context_error(context));
    return text_file_write(directory->model, json, length, failure);
}
