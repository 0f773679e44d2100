/* Slots of a block of the user's: functions that compute in doubles, are asked again as long as they want to be, and may
 * leave anything. */
#ifndef FFEBMI_TENSOR_USER_SLOTS_H
#define FFEBMI_TENSOR_USER_SLOTS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/context.h"

enum { FFEBMI_USER_RETRIES = 8, FFEBMI_USER_MESSAGE = 160, FFEBMI_USER_OUTPUTS = 4 };

/* What a slot writes. Every attempt finds zeros there, or what it is to begin with. */
typedef struct ffebmi_user_output {
    const char *name;
    void *at; /* numbers of 8 bytes; NULL: nothing */
    size_t count;
    size_t per_row;      /* of a sample; 0: they are of no sample */
    size_t element;      /* doubles, which must be finite as numbers of so many bytes; 0: anything */
    const double *start; /* NULL: zeros */
} ffebmi_user_output;

typedef struct ffebmi_user_slot {
    const char *what; /* "stage 3 (name)": begins error texts */
    const char *name;
    size_t first; /* number of the call's first sample */
    int32_t retry_limit;
    int32_t (*ask)(void *asked, int32_t attempt); /* returns what the user's function does */
    void *asked;
    ffebmi_user_output outputs[FFEBMI_USER_OUTPUTS]; /* in the order in which they are judged */
    char message[FFEBMI_USER_MESSAGE];               /* for the user's function to fill; "" before each attempt */
    int32_t retries;                                 /* that it took */
} ffebmi_user_slot;

/* Ask until it asks for no retry, and judge what it has left: FFEBM_ERR_USER, FFEBM_ERR_NUMERIC. */
ffebm_status ffebmi_user_ask(ffebmi_user_slot *slot, ffebmi_failure *failure);

/* Judge one output, or a sum of them. */
ffebm_status ffebmi_user_judge(const ffebmi_user_slot *slot, const ffebmi_user_output *left, ffebmi_failure *failure);

/* Some samples of a batch; begin with none. */
typedef struct ffebmi_user_slice {
    size_t first;
    size_t rows;
} ffebmi_user_slice;

/* The next of them, `most` at a time; false behind the last. */
bool ffebmi_user_next(ffebmi_user_slice *slice, size_t batch, size_t most);

#endif
