/* The processors of the affinity that threads started here inherit (taskset, a container's cpuset), no more than the
 * time that a container's group may take; elsewhere those that are there. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* sched_getaffinity */
#endif
#include "core/processors.h"

#include "core/parts.h"

#ifdef FFEBMI_WITH_THREADS

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

static size_t there(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);

    return count < 1 ? 1 : (size_t)count;
}

#ifdef CPU_COUNT_S
static size_t allowed(void)
{
    cpu_set_t sets[16]; /* 16384 processors: a kernel refuses room for fewer than it knows */
    int count = sched_getaffinity(0, sizeof sets, sets) == 0 ? CPU_COUNT_S(sizeof sets, sets) : 0;

    return count < 1 ? there() : (size_t)count;
}
#else
static size_t allowed(void)
{
    return there();
}
#endif

/* The group's file holds two numbers of microseconds, "200000 100000" for two processors' time, or "max 100000". */
static size_t paid_for(size_t most)
{
    char text[64], *end;
    int file = open("/sys/fs/cgroup/cpu.max", O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? 0 : read(file, text, sizeof text - 1);
    unsigned long long quota, period;

    if (file >= 0)
        close(file);
    text[length > 0 ? length : 0] = '\0';
    quota = strtoull(text, &end, 10);
    period = end == text ? 0 : strtoull(end, NULL, 10);
    if (quota == 0 || period == 0 || quota / period >= most)
        return most;
    return (size_t)(quota / period + (quota % period > 0));
}

size_t ffebmi_processors(void)
{
    return paid_for(allowed());
}

#endif
