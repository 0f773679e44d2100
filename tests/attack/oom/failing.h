/* malloc and its like for the whole process, which fail when they are told to: memory of the library, of cJSON, zlib and
 * libzip, and of pthread_create are all the same here. */
#ifndef FFEBM_TESTS_FAILING_H
#define FFEBM_TESTS_FAILING_H

#include <stdbool.h>

typedef struct failing {
    long at;      /* the request of this thread that fails, from 1; 0: none */
    bool forever; /* all after it too */
    bool silent;  /* errno stays as it was */
} failing;

/* From now on. Requests are counted from 0 again. */
void failing_begin(failing plan);

/* No more failures. The counts stay. */
void failing_end(void);

long failing_requests(void);
long failing_hits(void); /* requests that have failed since failing_begin */

/* Pieces that the whole process has. */
long failing_pieces(void);

#endif
