#include "signals.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t caught;
static const char *text;
static size_t length; /* of it: not every system may call strlen from a signal handler */

static void note(int number)
{
    const int before = errno;
    ssize_t written = caught == 0 ? write(STDERR_FILENO, text, length) : 0;

    (void)written; /* where nobody reads the answer, nobody misses it */
    caught = number;
    errno = before;
}

void signals_catch(const char *answer)
{
    struct sigaction action = {.sa_flags = (int)SA_RESETHAND | SA_RESTART};

    text = answer;
    length = strlen(answer);
    action.sa_handler = note;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int signals_caught(void)
{
    return caught;
}

const char *signals_name(int number)
{
    return number == SIGINT ? "SIGINT" : "SIGTERM";
}
