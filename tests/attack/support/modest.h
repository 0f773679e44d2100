/* An allocator that has little to give and counts what is out: no input may make the library ask for more, or keep any. */
#ifndef FFEBM_TESTS_MODEST_H
#define FFEBM_TESTS_MODEST_H

#include <ffebm.h>

typedef struct modest {
    size_t most; /* bytes of one piece */
    long pieces; /* that are out */
} modest;

/* A context's configuration with this allocator. */
void modest_config(ffebm_context_config *config, modest *m);

#endif
