/* A directory of the campaign's own, in memory if there is /dev/shm, else in /tmp. */
#ifndef FFEBM_TESTS_DIRECTORY_H
#define FFEBM_TESTS_DIRECTORY_H

/* Make it, or end the program; it becomes $TMPDIR. The path is good until the next call. */
const char *directory_make(void);

/* Take it away with all that is in it. */
void directory_remove(const char *path);

#endif
