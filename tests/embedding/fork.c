/* After fork, as core.h promises: what the parent has made goes on in the child, on one thread and with the same bits;
 * what the child makes has threads; either can destroy what it has. Many times over, since threads fall asleep when they
 * like. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "work.h"

enum { FORKS = 40, PATIENCE = 60 };

/* AddressSanitizer may hold its own locks at a fork, for a thread that is just beginning: a child of such a process can hang
 * where it begins threads of its own. */
#if defined(__SANITIZE_ADDRESS__)
enum { CHILDREN_HAVE_THREADS = 0 };
#else
enum { CHILDREN_HAVE_THREADS = 1 };
#endif

int main(void)
{
    ffebm_context_config config;
    uint64_t fresh;

    ffebm_context_config_init(&config, sizeof config);
    config.threads = 4;
    fresh = day_of_work(&config);
    for (int i = 0; i < FORKS; i++) {
        workshop w = workshop_open(&config);
        uint64_t expected;
        pid_t child;
        int status = 0;

        workshop_train(&w, 1);
        child = fork();
        require(child >= 0, "no process");
        if (child == 0)
            alarm(PATIENCE); /* a child that hangs is killed */
        workshop_train(&w, 1);
        expected = workshop_sum(&w);
        workshop_close(&w);
        if (child == 0) {
            if (CHILDREN_HAVE_THREADS && i % 8 == 0)
                require(day_of_work(&config) == fresh, "fork %d: a context of the child's gives other bits", i);
            _exit((int)(expected & 0x7f));
        }
        require(waitpid(child, &status, 0) == child && WIFEXITED(status), "fork %d: the child hangs or crashes", i);
        require(WEXITSTATUS(status) == (int)(expected & 0x7f), "fork %d: the child comes to other bits", i);
    }
    printf("fork: %d children went on\n", FORKS);
    return EXIT_SUCCESS;
}
