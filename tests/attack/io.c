/* Failing system calls: the k-th call of each kind that saving and loading make fails with an error, alone or with all
 * after it, or the process dies there. The old checkpoint or the new one must be there whole, a failure said and its
 * reason with it, nothing opened left open, and nothing left behind that the next save does not take away.
 *
 * The calls are defined here, before the C library's own, which they pass on to. */
#define _GNU_SOURCE /* RTLD_NEXT, flock */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ffebm.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/campaign.h"
#include "support/saved.h"

/* ------------------------------------------------------------------------------------------------- the system calls */

#define CALL_LIST(CALL)                                                                                                \
    CALL(WRITE, "write")                                                                                               \
    CALL(PREAD, "pread")                                                                                               \
    CALL(FSYNC, "fsync")                                                                                               \
    CALL(CLOSE, "close")                                                                                               \
    CALL(RENAME, "rename")                                                                                             \
    CALL(OPEN, "open")                                                                                                 \
    CALL(OPENAT, "openat")                                                                                             \
    CALL(FDOPENDIR, "fdopendir")                                                                                       \
    CALL(READDIR, "readdir")                                                                                           \
    CALL(FLOCK, "flock")                                                                                               \
    CALL(STAT, "stat")                                                                                                 \
    CALL(LSTAT, "lstat")                                                                                               \
    CALL(FSTAT, "fstat")                                                                                               \
    CALL(FCHMOD, "fchmod")                                                                                             \
    CALL(READLINK, "readlink")                                                                                         \
    CALL(UNLINK, "unlink")                                                                                             \
    CALL(UNLINKAT, "unlinkat")

#define KIND(kind, name) kind,
enum call { CALL_LIST(KIND) CALLS };

#define NAME(kind, name) name,
static const char *const names[CALLS] = {CALL_LIST(NAME)};

/* What is to happen; `call` CALLS: nothing. */
static struct fault {
    enum call call;
    int error;    /* 0: the process dies */
    long at;      /* the first call that fails, from 1 */
    int onwards;  /* 1: and all after it */
    int portions; /* 1: writes and reads take a part of what they are given */
    long made;    /* calls of the kind so far */
    long failed;
} fault = {.call = CALLS};

static void *real(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);

    if (function == NULL)
        abort();
    return function;
}

static int fails(enum call call)
{
    if (call != fault.call || ++fault.made < fault.at || (fault.made > fault.at && !fault.onwards))
        return 0;
    fault.failed++;
    if (fault.error == 0)
        kill(getpid(), SIGKILL);
    errno = fault.error;
    return 1;
}

static size_t portion(size_t count)
{
    return fault.portions && count > 1 ? 1 + count / 3 : count;
}

/* Standard input, output and error are the campaign's own. */
ssize_t write(int file, const void *bytes, size_t count)
{
    ssize_t (*next)(int, const void *, size_t) = real("write");

    if (file <= 2)
        return next(file, bytes, count);
    return fails(WRITE) ? -1 : next(file, bytes, portion(count));
}

ssize_t pread(int file, void *bytes, size_t count, off_t offset)
{
    ssize_t (*next)(int, void *, size_t, off_t) = real("pread");

    return fails(PREAD) ? -1 : next(file, bytes, portion(count), offset);
}

/* What fails to be closed is closed all the same, as on Linux. */
int close(int file)
{
    int (*next)(int) = real("close"), failed = fails(CLOSE), error = errno, result = next(file);

    if (!failed)
        return result;
    errno = error;
    return -1;
}

int open(const char *path, int flags, ...)
{
    int (*next)(const char *, int, ...) = real("open");
    va_list arguments;
    mode_t mode = 0;

    va_start(arguments, flags);
    if (flags & O_CREAT)
        mode = va_arg(arguments, mode_t);
    va_end(arguments);
    return fails(OPEN) ? -1 : next(path, flags, mode);
}

int openat(int directory, const char *path, int flags, ...)
{
    int (*next)(int, const char *, int, ...) = real("openat");

    return fails(OPENAT) ? -1 : next(directory, path, flags);
}

DIR *fdopendir(int file)
{
    DIR *(*next)(int) = real("fdopendir");

    return fails(FDOPENDIR) ? NULL : next(file);
}

struct dirent *readdir(DIR *listing)
{
    struct dirent *(*next)(DIR *) = real("readdir");

    return fails(READDIR) ? NULL : next(listing);
}

ssize_t readlink(const char *path, char *content, size_t capacity)
{
    ssize_t (*next)(const char *, char *, size_t) = real("readlink");

    return fails(READLINK) ? -1 : next(path, content, capacity);
}

#define DEFINE(kind, name, parameters, types, arguments)                                                               \
    int name parameters                                                                                                \
    {                                                                                                                  \
        int(*next) types = real(#name);                                                                                \
                                                                                                                       \
        return fails(kind) ? -1 : next arguments;                                                                      \
    }

DEFINE(FSYNC, fsync, (int file), (int), (file))
DEFINE(RENAME, rename, (const char *from, const char *to), (const char *, const char *), (from, to))
DEFINE(FLOCK, flock, (int file, int kind), (int, int), (file, kind))
DEFINE(STAT, stat, (const char *path, struct stat *facts), (const char *, struct stat *), (path, facts))
DEFINE(LSTAT, lstat, (const char *path, struct stat *facts), (const char *, struct stat *), (path, facts))
DEFINE(FSTAT, fstat, (int file, struct stat *facts), (int, struct stat *), (file, facts))
DEFINE(FCHMOD, fchmod, (int file, mode_t mode), (int, mode_t), (file, mode))
DEFINE(UNLINK, unlink, (const char *path), (const char *), (path))
DEFINE(UNLINKAT, unlinkat, (int directory, const char *path, int flags), (int, const char *, int),
       (directory, path, flags))

/* ------------------------------------------------------------------------------------------- a model and its place */

enum { OLD = 1, NEW = 2, OTHER = 3, MODE = 0622 };

typedef struct place {
    char directory[64];
    char path[96]; /* a link to file */
    char file[96];
    saved saved;
} place;

/* In memory, where there is such a place: what is tried is the order of calls, not the disk. */
static void place_open(place *p)
{
    *p = (place){.directory = "/dev/shm/ffebm-io-XXXXXX"};
    if (mkdtemp(p->directory) == NULL) {
        strcpy(p->directory, "/tmp/ffebm-io-XXXXXX");
        campaign_must(mkdtemp(p->directory) != NULL, "make a directory");
    }
    snprintf(p->file, sizeof p->file, "%s/file", p->directory);
    snprintf(p->path, sizeof p->path, "%s/link", p->directory);
    campaign_must(symlink("file", p->path) == 0, "make a link");
    p->saved = saved_make(3, 2000);
}

static void place_close(place *p)
{
    unlink(p->file);
    unlink(p->path);
    rmdir(p->directory);
    saved_close(&p->saved);
}

/* What the file holds: 0 if there is none, -1 if it is not whole. */
static float held(const place *p)
{
    return access(p->path, F_OK) != 0 ? 0 : saved_held(&p->saved, p->path);
}

/* Files beside the link and what it leads to. */
static int leftovers(const place *p)
{
    DIR *listing = opendir(p->directory);
    int count = 0;

    campaign_must(listing != NULL, "list a directory");
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        count += entry->d_name[0] != '.' && strcmp(entry->d_name, "link") != 0 && strcmp(entry->d_name, "file") != 0;
    closedir(listing);
    return count;
}

static int descriptors(void)
{
    int count = 0;

    for (int file = 0; file < 256; file++)
        count += fcntl(file, F_GETFD) >= 0;
    return count;
}

/* ------------------------------------------------------------------------------------------------------------ cases */

typedef struct trial {
    struct fault fault;
    int old; /* 1: there is a file already */
} trial;

static void finding(campaign *c, const trial *t, const char *what, const char *said)
{
    campaign_finding(c, "%s %ld%s, error %d, portions %d, old %d: %s | %s", names[t->fault.call], t->fault.at,
                     t->fault.onwards ? " and on" : "", t->fault.error, t->fault.portions, t->old, what, said);
}

/* These wait, and are made again when a signal interrupts them. */
static int waits(enum call call)
{
    return call == WRITE || call == PREAD || call == FSYNC || call == OPEN;
}

/* Of a save or a restore that failed: was there a reason to, and does the text give it? */
static void check_reason(campaign *c, const place *p, const trial *t, ffebm_status status, long failed)
{
    const char *said = ffebm_context_error(p->saved.context);

    if (status == FFEBM_OK)
        return;
    if (failed == 0)
        finding(c, t, "fails of itself", said);
    else if (status != FFEBM_ERR_IO || strstr(said, strerror(t->fault.error)) == NULL)
        finding(c, t, "no reason is given", said);
    else if (t->fault.error == EINTR && waits(t->fault.call))
        finding(c, t, "a signal makes it fail", said);
}

static void prepare(const place *p, const trial *t)
{
    unlink(p->file);
    saved_fill(&p->saved, OLD);
    if (t->old)
        campaign_must(ffebm_checkpoint_save(p->saved.model, p->saved.optimizer, NULL, p->path) == FFEBM_OK &&
                          chmod(p->file, MODE) == 0,
                      "save a checkpoint");
    saved_fill(&p->saved, NEW);
}

/* After a save that ended in `status`, or a death. */
static void check_place(campaign *c, const place *p, const trial *t, float expected, const char *said)
{
    struct stat facts;

    if (held(p) != expected)
        finding(c, t, "another file than expected", said);
    if (t->old && t->fault.call != FCHMOD && (stat(p->file, &facts) != 0 || (facts.st_mode & 0777) != MODE))
        finding(c, t, "permissions were lost", said);
    if (t->fault.error != 0 && t->fault.call != UNLINK && leftovers(p) != 0)
        finding(c, t, "something is left behind", said);
    if (ffebm_checkpoint_save(p->saved.model, p->saved.optimizer, NULL, p->path) != FFEBM_OK)
        finding(c, t, "the next save fails", ffebm_context_error(p->saved.context));
    if (leftovers(p) != 0)
        finding(c, t, "the next save leaves something behind", said);
}

/* Returns whether the call was made so often. */
static int try_save(campaign *c, place *p, const trial *t)
{
    int before = descriptors(), failed;
    ffebm_status status;
    char said[512];
    float expected;

    prepare(p, t);
    fault = t->fault;
    status = ffebm_checkpoint_save(p->saved.model, p->saved.optimizer, NULL, p->path);
    failed = fault.failed > 0;
    fault = (struct fault){.call = CALLS};
    c->cases++;

    snprintf(said, sizeof said, "%s", status == FFEBM_OK ? "" : ffebm_context_error(p->saved.context));
    expected = status == FFEBM_OK || strstr(said, "is written") != NULL ? NEW : t->old ? OLD : 0;
    check_reason(c, p, t, status, failed);
    if (descriptors() != before)
        finding(c, t, "a descriptor is left open", said);
    check_place(c, p, t, expected, said);
    return failed;
}

/* The process dies in the call, in a child. */
static int try_death(campaign *c, place *p, const trial *t)
{
    int status = 0;
    pid_t child;
    float now;

    prepare(p, t);
    child = fork();
    campaign_must(child >= 0, "fork");
    if (child == 0) {
        fault = t->fault;
        _exit(ffebm_checkpoint_save(p->saved.model, p->saved.optimizer, NULL, p->path) == FFEBM_OK ? 0 : 1);
    }
    campaign_must(waitpid(child, &status, 0) == child, "wait");
    c->cases++;
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
        finding(c, t, "fails of itself", "");
    now = held(p);
    if (now != NEW && (!WIFSIGNALED(status) || now != (t->old ? OLD : 0)))
        finding(c, t, "neither the old file nor the new one", "");
    if (leftovers(p) > 1)
        finding(c, t, "more than one file is left", "");
    check_place(c, p, t, now, "");
    return WIFSIGNALED(status);
}

/* Reading changes nothing on failure, and says why. */
static int try_restore(campaign *c, place *p, const trial *t)
{
    int before = descriptors(), failed;
    ffebm_status status;

    prepare(p, &(trial){.fault = t->fault, .old = 1});
    saved_fill(&p->saved, OTHER);
    fault = t->fault;
    status = ffebm_checkpoint_restore(p->saved.model, p->saved.optimizer, p->path);
    failed = fault.failed > 0;
    fault = (struct fault){.call = CALLS};
    c->cases++;
    if (saved_value(p->saved.model) != (status == FFEBM_OK ? OLD : OTHER))
        finding(c, t, "a failed restore changes values", ffebm_context_error(p->saved.context));
    check_reason(c, p, t, status, failed);
    if (descriptors() != before)
        finding(c, t, "a descriptor is left open", "");
    return failed;
}

typedef int (*try_fn)(campaign *c, place *p, const trial *t);

/* The first call of the kind fails, then the second .., until there is none. */
static void every_call(campaign *c, place *p, try_fn try, trial t)
{
    int more = 1;

    for (t.fault.at = 1; more; t.fault.at++)
        more = try(c, p, &t);
}

/* A call that is made again when a signal has interrupted it would be so for ever. */
static void systematic(campaign *c, place *p)
{
    static const int errors[] = {ENOSPC, EACCES, EINTR};

    for (int call = 0; call < CALLS; call++) {
        for (int i = 0; i < 3; i++) {
            trial t = {.fault = {.call = (enum call)call, .error = errors[i], .portions = i == 0}};

            every_call(c, p, try_restore, t);
            for (int variant = 0; variant < (errors[i] == EINTR ? 2 : 4); variant++) {
                t.old = variant % 2;
                t.fault.onwards = variant / 2;
                every_call(c, p, try_save, t);
            }
        }
        for (int old = 0; old < 2; old++)
            every_call(c, p, try_death, (trial){.fault = {.call = (enum call)call}, .old = old});
    }
}

/* Any call with any error, except one that tells of no failure: what is not there need not be followed or removed. */
static void at_random(campaign *c, place *p)
{
    static const try_fn tries[] = {try_save, try_save, try_restore, try_death};
    trial t = {.old = (int)campaign_draw(c, 2)};
    size_t kind = campaign_draw(c, 4);
    int nothing;

    t.fault.call = (enum call)campaign_draw(c, CALLS);
    do
        t.fault.error = kind == 3 ? 0 : 1 + (int)campaign_draw(c, 130);
    while (t.fault.error != 0 && strncmp(strerror(t.fault.error), "Unknown", 7) == 0);
    t.fault.portions = (int)campaign_draw(c, 2);
    t.fault.onwards = t.fault.error != EINTR && campaign_draw(c, 2);
    t.fault.at = 1 + (long)campaign_draw(c, 8);
    nothing = (t.fault.call == STAT || t.fault.call == LSTAT || t.fault.call == READLINK) &&
              (t.fault.error == ENOENT || t.fault.error == EINVAL);
    if (!nothing)
        tries[kind](c, p, &t);
}

static void ignore(int signal)
{
    (void)signal;
}

/* A storm of signals, which interrupt whatever waits. */
static void storm(campaign *c, place *p)
{
    struct itimerval often = {{0, 300}, {0, 300}}, never = {{0, 0}, {0, 0}};
    struct sigaction action = {.sa_handler = ignore};

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    for (int i = 0; i < 20; i++) {
        saved_fill(&p->saved, (float)i);
        if (ffebm_checkpoint_save(p->saved.model, p->saved.optimizer, NULL, p->path) != FFEBM_OK ||
            ffebm_checkpoint_restore(p->saved.model, p->saved.optimizer, p->path) != FFEBM_OK ||
            saved_value(p->saved.model) != (float)i)
            campaign_finding(c, "a storm of signals: %s", ffebm_context_error(p->saved.context));
        c->cases++;
    }
    setitimer(ITIMER_REAL, &never, NULL);
}

int main(int argc, char **argv)
{
    campaign c = campaign_open("io", argc, argv);
    place p;

    place_open(&p);
    systematic(&c, &p);
    storm(&c, &p);
    for (size_t round = 0; campaign_another(&c, round, 300); round++)
        at_random(&c, &p);
    place_close(&p);
    return campaign_close(&c);
}
