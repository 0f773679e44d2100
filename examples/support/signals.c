#include "signals.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t caught;

static void note(int number)
{
    caught = number;
}

void signals_catch(void)
{
    struct sigaction action = {.sa_flags = (int)SA_RESETHAND | SA_RESTART};

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
