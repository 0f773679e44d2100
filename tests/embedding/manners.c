/* A guest in the host's process: after a day of work, and a bad one, what belongs to the process is as it was. Nothing was
 * printed; signal handlers and masks, locale, environment, working directory, rounding and x86's control bits, open files
 * and threads are the host's. The library's threads compute in the host's mode, and leave signals to the host. */
#include <dirent.h>
#include <fenv.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#ifdef __SSE2__
#include <xmmintrin.h>
#endif

#include "work.h"

extern char **environ;

enum { SIGNALS = 65, TEXT = 4096 };

typedef struct action {
    void (*handler)(int);
    long flags;
    uint64_t mask;
} action;

typedef struct surroundings {
    action actions[SIGNALS];
    sigset_t mask;
    char locale[TEXT];
    char directory[TEXT];
    uint64_t environment;
    mode_t umask;
    int rounding;
    unsigned control;
    int files;
    int threads;
} surroundings;

static action action_of(int number)
{
    struct sigaction found;
    action a = {.handler = NULL};

    if (sigaction(number, NULL, &found) != 0)
        return a; /* the C library's own */
    a.handler = found.sa_handler;
    a.flags = found.sa_flags;
    for (int i = 1; i < SIGNALS; i++)
        a.mask |= (uint64_t)(sigismember(&found.sa_mask, i) == 1) << (i - 1);
    return a;
}

static int entries(const char *directory)
{
    DIR *open = opendir(directory);
    int count = 0;

    require(open != NULL, "%s cannot be read", directory);
    while (readdir(open) != NULL)
        count++;
    closedir(open);
    return count;
}

/* What decides how numbers are computed, not which exceptions have occurred. */
static unsigned control_bits(void)
{
#ifdef __SSE2__
    return _mm_getcsr() & ~0x3fu;
#else
    return 0;
#endif
}

static void look_around(surroundings *s)
{
    memset(s, 0, sizeof *s);
    for (int i = 1; i < SIGNALS; i++)
        s->actions[i] = action_of(i);
    pthread_sigmask(SIG_SETMASK, NULL, &s->mask);
    snprintf(s->locale, sizeof s->locale, "%s", setlocale(LC_ALL, NULL));
    require(getcwd(s->directory, sizeof s->directory) != NULL, "no working directory");
    for (char **text = environ; *text != NULL; text++)
        for (const char *c = *text; *c != '\0'; c++)
            s->environment = s->environment * 31 + (unsigned char)*c;
    s->umask = umask(0);
    umask(s->umask);
    s->rounding = fegetround();
    s->control = control_bits();
    s->files = entries("/proc/self/fd");
    s->threads = entries("/proc/self/task");
}

#define UNCHANGED(field, what)                                                                                         \
    require(memcmp(&before.field, &after.field, sizeof before.field) == 0, "%s: %s changed", when, what)

static void as_it_was(const char *when, const surroundings *then)
{
    surroundings before = *then, after;

    look_around(&after);
    for (int i = 0; i < 1000 && after.threads != before.threads; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL); /* the kernel lists a joined thread a little longer */
        look_around(&after);
    }
    UNCHANGED(actions, "a signal's action");
    UNCHANGED(mask, "the signal mask");
    UNCHANGED(locale, "the locale");
    UNCHANGED(directory, "the working directory");
    UNCHANGED(environment, "the environment");
    UNCHANGED(umask, "the umask");
    UNCHANGED(rounding, "the rounding mode");
    UNCHANGED(control, "the floating-point mode");
    UNCHANGED(files, "the number of open files");
    UNCHANGED(threads, "the number of threads");
}

/* ------------------------------------------------------------------------------------------------ on worker threads */

static pthread_t host;
static int host_rounding;
static unsigned host_control;
static int visits; /* of threads of the library's own */
static pthread_mutex_t visits_lock = PTHREAD_MUTEX_INITIALIZER;

static void inspect_thread(void)
{
    sigset_t mask;

    require(fegetround() == host_rounding && control_bits() == host_control, "a thread computes in another mode");
    if (pthread_equal(pthread_self(), host))
        return;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    require(sigismember(&mask, SIGINT) == 1 && sigismember(&mask, SIGALRM) == 1 && sigismember(&mask, SIGCHLD) == 1,
            "a thread of the library's takes the host's signals");
    require(sigismember(&mask, SIGSEGV) == 0, "a thread of the library's hides its faults");
    pthread_mutex_lock(&visits_lock);
    visits++;
    pthread_mutex_unlock(&visits_lock);
}

static void on_signal(int number)
{
    (void)number;
}

static void work_unseen(const char *when)
{
    static const int32_t threads[] = {1, 3};
    surroundings before;
    ffebm_context_config config;

    host_rounding = fegetround();
    host_control = control_bits();
    look_around(&before);
    for (size_t i = 0; i < 2; i++) {
        ffebm_context_config_init(&config, sizeof config);
        config.threads = threads[i];
        /* Which thread takes a slice is left to chance, so it is tried until another one has. */
        for (int tries = 0; tries == 0 || (threads[i] > 1 && visits == 0 && tries < 1000); tries++)
            day_of_work(&config);
        bad_day(&config);
        as_it_was(when, &before);
    }
    require(visits > 0, "%s: no thread of the library's own was seen", when);
    visits = 0;
}

int main(void)
{
    FILE *said = tmpfile();
    int out = dup(STDOUT_FILENO), error = dup(STDERR_FILENO);
    struct stat status;

    require(said != NULL && out >= 0 && error >= 0, "no file to listen with");
    complaints = error;
    host = pthread_self();
    while_settling = inspect_thread;
    signal(SIGUSR1, on_signal); /* a host that has something to lose */
    signal(SIGFPE, SIG_IGN);
    setlocale(LC_ALL, "");
    fflush(NULL);
    dup2(fileno(said), STDOUT_FILENO);
    dup2(fileno(said), STDERR_FILENO);
    work_unseen("by default");
    setlocale(LC_ALL, "C");
    fesetround(FE_UPWARD);
#ifdef __SSE2__
    _mm_setcsr(_mm_getcsr() | 0x8040u); /* flush to zero, denormals are zero */
#endif
    work_unseen("rounding upward");
    fflush(NULL);
    dup2(out, STDOUT_FILENO);
    dup2(error, STDERR_FILENO);
    require(fstat(fileno(said), &status) == 0 && status.st_size == 0, "something was printed");
    fesetround(FE_TONEAREST);
    puts("manners: the process is as it was");
    return EXIT_SUCCESS;
}
