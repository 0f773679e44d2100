/* libngspice in a process of its own, behind a socket: it may crash, hang or give up there. */
#include "simulator.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

struct child {
    struct simulator base;
    const struct simulator_child *settings;
    pid_t process; /* 0: there is none */
    int socket;
};

/* What comes back before what was measured. Both sides are of one machine, so that numbers go as they are. */
struct answer {
    int32_t code; /* 0, or -1 and a sentence */
    char text[512];
};

/* ---------------------------------------------------------------------------------------------------------- messages */

static int64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Wait until a socket is ready, at most until a time in milliseconds; -1: for ever. Returns 0; or -1 and errno. */
static int wait_for(int socket, short event, int64_t until)
{
    struct pollfd ready = {.fd = socket, .events = event};
    int count;

    do {
        int64_t left = until < 0 ? -1 : until - now();

        count = poll(&ready, 1, until < 0 ? -1 : left < 0 ? 0 : left < INT32_MAX ? (int)left : INT32_MAX);
    } while (count < 0 && errno == EINTR);
    if (count == 0)
        errno = ETIMEDOUT;
    return count == 1 ? 0 : -1;
}

static int receive_all(int socket, void *bytes, size_t count, int64_t until)
{
    for (char *to = bytes; count > 0;) {
        ssize_t got = wait_for(socket, POLLIN, until) == 0 ? recv(socket, to, count, MSG_DONTWAIT) : -1;

        if (got == 0)
            errno = ECONNRESET;
        if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN))
            return -1;
        to += got > 0 ? got : 0;
        count -= got > 0 ? (size_t)got : 0;
    }
    return 0;
}

/* Without SIGPIPE where nobody is there any more. */
static int send_all(int socket, const void *bytes, size_t count, int64_t until)
{
    for (const char *from = bytes; count > 0;) {
        ssize_t put =
            wait_for(socket, POLLOUT, until) == 0 ? send(socket, from, count, MSG_NOSIGNAL | MSG_DONTWAIT) : -1;

        if (put < 0 && errno != EINTR && errno != EAGAIN)
            return -1;
        from += put > 0 ? put : 0;
        count -= put > 0 ? (size_t)put : 0;
    }
    return 0;
}

/* ------------------------------------------------------------------------------------------------------- child's side */

static int answer(int socket, int code, const struct failure *failure)
{
    struct answer a = {.code = code};

    if (code != 0)
        snprintf(a.text, sizeof a.text, "%.*s", (int)sizeof a.text - 1, failure->text);
    return send_all(socket, &a, sizeof a, -1);
}

static char *receive_text(int socket)
{
    uint64_t length;
    char *text;

    if (receive_all(socket, &length, sizeof length, -1) != 0 || (text = malloc(length + 1)) == NULL)
        return NULL;
    text[length] = '\0';
    if (receive_all(socket, text, length, -1) == 0)
        return text;
    free(text);
    return NULL;
}

/* One operating point after the other. */
static void serve_circuit(int socket, struct simulator *simulator, const struct circuit *circuit)
{
    double *values = calloc(circuit->element_count, sizeof *values);
    double *measured = calloc(circuit->quantity_count, sizeof *measured);
    struct failure failure = {0};

    while (values != NULL && measured != NULL &&
           receive_all(socket, values, circuit->element_count * sizeof *values, -1) == 0) {
        int code = simulator->settle(simulator, values, measured, &failure);

        if (answer(socket, code, &failure) != 0 ||
            (code == 0 && send_all(socket, measured, circuit->quantity_count * sizeof *measured, -1) != 0))
            break;
    }
    free(values);
    free(measured);
}

int simulator_serve(void)
{
    struct circuit circuit = {0};
    struct simulator *simulator = NULL;
    struct failure failure = {0};
    char *name = receive_text(STDIN_FILENO), *text = receive_text(STDIN_FILENO);
    int code = name == NULL || text == NULL ? -1 : circuit_read(&circuit, name, text, &failure);

    if (code == 0)
        code = simulator_create_here(&simulator, &circuit, &failure);
    if (answer(STDIN_FILENO, code, &failure) == 0 && code == 0)
        serve_circuit(STDIN_FILENO, simulator, &circuit);
    if (simulator != NULL)
        simulator->destroy(simulator);
    circuit_free(&circuit);
    free(text);
    free(name);
    return code == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* -------------------------------------------------------------------------------------------------------- host's side */

/* End the child, if it has not ended. Returns how it did, as waitpid says. */
static int end(struct child *child)
{
    int status = 0;

    if (child->process == 0)
        return 0;
    close(child->socket);
    kill(child->process, SIGKILL);
    while (waitpid(child->process, &status, 0) < 0 && errno == EINTR)
        ;
    child->process = 0;
    return status;
}

/* What to say of a child that does not answer. It is ended in any case: the next one begins anew. */
static int lose(struct child *child, struct failure *failure)
{
    int reason = errno, ended = 0, status = 0;

    if (reason != ETIMEDOUT) /* its end of the socket is closed: it is ending */
        for (int64_t until = now() + 1000; !ended && now() < until;) {
            pid_t process = waitpid(child->process, &status, WNOHANG);

            ended = process == child->process;
            if (!ended)
                nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        }
    if (ended) {
        close(child->socket);
        child->process = 0;
    } else
        end(child);
    if (reason == ETIMEDOUT)
        return failure_set(failure, "the simulator's process has not answered for %lld ms, and was ended",
                           (long long)child->settings->patience);
    if (ended && WIFSIGNALED(status))
        return failure_set(failure, "the simulator's process was ended by signal %d", WTERMSIG(status));
    if (ended)
        return failure_set(failure, "the simulator's process has ended with status %d", WEXITSTATUS(status));
    return failure_set(failure, "the simulator's process cannot be talked to: %s", strerror(reason));
}

static int spawn(struct child *child, struct failure *failure)
{
    char *arguments[] = {(char *)child->settings->program, "--serve", NULL};
    posix_spawn_file_actions_t actions;
    int ends[2], error;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        return failure_set(failure, "no socket for the simulator's process: %s", strerror(errno));
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    error = posix_spawn_file_actions_init(&actions);
    if (error == 0) {
        error = posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO);
        if (error == 0)
            error = posix_spawn(&child->process, arguments[0], &actions, NULL, arguments, environ);
        posix_spawn_file_actions_destroy(&actions);
    }
    close(ends[1]);
    if (error == 0) {
        child->socket = ends[0];
        return 0;
    }
    child->process = 0;
    close(ends[0]);
    return failure_set(failure, "cannot run %s: %s", arguments[0], strerror(error));
}

static int send_text(const struct child *child, const char *text, int64_t until)
{
    uint64_t length = strlen(text);

    return send_all(child->socket, &length, sizeof length, until) != 0 ||
                   send_all(child->socket, text, length, until) != 0
               ? -1
               : 0;
}

/* Receive an answer. Returns 0; -1 with what the child says, or with what there is to say of the child. */
static int hear(struct child *child, int64_t until, struct failure *failure)
{
    struct answer a;

    if (receive_all(child->socket, &a, sizeof a, until) != 0)
        return lose(child, failure);
    a.text[sizeof a.text - 1] = '\0';
    return a.code == 0 ? 0 : failure_set(failure, "%s", a.text);
}

static int start(struct child *child, struct failure *failure)
{
    const struct simulator_child *s = child->settings;
    int64_t until = now() + s->patience;

    if (spawn(child, failure) != 0)
        return -1;
    if (send_text(child, s->name, until) != 0 || send_text(child, s->text, until) != 0)
        return lose(child, failure);
    if (hear(child, until, failure) == 0)
        return 0;
    end(child);
    return -1;
}

static int settle(struct simulator *simulator, const double *values, double *measured, struct failure *failure)
{
    struct child *child = (struct child *)simulator;
    const struct circuit *circuit = child->settings->circuit;
    int64_t until;

    if (child->process == 0 && start(child, failure) != 0)
        return -1;
    until = now() + child->settings->patience;
    if (send_all(child->socket, values, circuit->element_count * sizeof *values, until) != 0)
        return lose(child, failure);
    if (hear(child, until, failure) != 0)
        return -1;
    if (receive_all(child->socket, measured, circuit->quantity_count * sizeof *measured, until) != 0)
        return lose(child, failure);
    return 0;
}

static void destroy(struct simulator *simulator)
{
    end((struct child *)simulator);
    free(simulator);
}

int simulator_create_child(struct simulator **simulator, const struct simulator_child *child, struct failure *failure)
{
    struct child *created = calloc(1, sizeof *created);

    *simulator = NULL;
    if (created == NULL)
        return failure_set(failure, "out of memory for a simulator");
    *created = (struct child){.base = {.settle = settle, .destroy = destroy}, .settings = child};
    if (start(created, failure) != 0) {
        free(created);
        return -1;
    }
    *simulator = &created->base;
    return 0;
}

int64_t simulator_child_process(const struct simulator *simulator)
{
    return simulator != NULL && simulator->settle == settle ? ((const struct child *)simulator)->process : 0;
}
