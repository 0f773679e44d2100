/* lock.h - one process at a time for a file that processes replace: a file beside it, "<path>.lock", is locked meanwhile.
 * The lock goes with the process, however it ends; the file that a killed one leaves behind locks nobody out. */
#ifndef EXAMPLES_LOCK_H
#define EXAMPLES_LOCK_H

#include "failure.h"

enum { LOCK_PATH = 4096 };

struct lock {
    char path[LOCK_PATH]; /* of the file beside; "": none is held */
    int descriptor;
};

/* Lock an open file or directory. Returns 0; -1 if another process has it. Some file systems have no locks: 0 there. */
int lock_open_file(int descriptor);

/* Open a file to be written, made if it is not there, and lock it before anything in it is changed. Returns a descriptor; or
 * -1 with a failure about `path`, the file that this one will become or stands beside. */
int lock_open(const char *name, const char *path, struct failure *failure);

/* Take the lock of a file that will be written at `path`, which also shows that it can be; devices and pipes have none.
 * Returns 0, or -1 with the failure filled. */
int lock_take(struct lock *lock, const char *path, struct failure *failure);
void lock_release(struct lock *lock);

#endif
