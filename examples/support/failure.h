/* failure.h - one sentence that says what went wrong, filled where it happens and printed once, in main. */
#ifndef EXAMPLES_FAILURE_H
#define EXAMPLES_FAILURE_H

struct failure {
    char text[1024];
};

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
/* Fill in the sentence, cut if it is too long. Returns -1 always, so that a caller can write
 * `return failure_set(...)`. */
int failure_set(struct failure *failure, const char *format, ...);

#endif
