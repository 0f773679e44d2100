/* kit.h - what both conformance checks share: memory, random numbers, guarded arrays, verdicts. */
#ifndef EXAMPLES_CONFORMANCE_KIT_H
#define EXAMPLES_CONFORMANCE_KIT_H

#include "conformance.h"

/* What the length of an array goes by. */
enum { PER_INPUT, PER_OUTPUT, PER_STATE, PER_SAMPLE, PER_PARAMETER, PERS };
enum { GUARDED = 16, ALL_NUMBERS = 256 };

/* A pointer in a call's struct. All arrays have elements of 8 bytes. */
struct field {
    size_t offset;
    int per;
    int output;
};

struct kit {
    struct conformance_settings settings;
    FILE *out;
    size_t samples;
    size_t counts[PERS]; /* of one sample; PER_PARAMETER: in all */
    size_t max_batch;
    int32_t retry_limit;
    double *low; /* [parameters]: where theirs lie */
    double *high;

    double *theta; /* the point that is looked at, */
    double *x;
    double *weight;   /* and factors of its samples */
    double *last;     /* the parameters of the last call, */
    uint64_t version; /* and their version */
    uint64_t seed;    /* of the next call */
    int seed_held;
    uint64_t drawn; /* random numbers so far */

    double *numbers[ALL_NUMBERS]; /* all memory */
    size_t number_count;
    void *guarded[GUARDED]; /* of the present call */

    int stopped; /* a slot has failed, or memory is out */
    char reason[256];
    char overrun[96]; /* what was written outside of its array, if anything was */
    char touched[96]; /* which input was changed, likewise */
    char unready[96]; /* which output is not finite */
    int failures;
};

/* Settings with their defaults, and a point to look at. */
void kit_init(struct kit *k, const struct conformance_settings *settings, FILE *out);
void kit_draw_point(struct kit *k, const ffebm_user_parameter *parameters, size_t parameter_count);
void kit_end(struct kit *k);
void kit_stop(struct kit *k, const char *reason);

/* Zeros, until kit_end. Out of memory stops the kit, and gives a place to write all the same. */
double *kit_numbers(struct kit *k, size_t count);

/* Uniform in [low, high]; and `count` numbers within +- size. */
double kit_uniform(struct kit *k, double low, double high);
void kit_direction(struct kit *k, double *to, size_t count, double size);
void kit_parameter_direction(struct kit *k, double *to);

/* to = at + factor * direction */
void kit_move(double *to, const double *at, double factor, const double *direction, size_t count);
double kit_dot(const double *a, const double *b, size_t count);

/* |a - b| over the larger of |a|, |b|. */
double kit_difference(const double *a, const double *b, size_t count);

/* The version that these parameters have, as the library would number them; and the seed of the next call. */
uint64_t kit_version(struct kit *k, const double *theta);
uint64_t kit_next_seed(struct kit *k);

/* Put the arrays of a call between guards, as zeros where they are outputs, with `start` in the state if that is one. */
void kit_guard(struct kit *k, void *call, size_t batch, const struct field *fields, size_t field_count);
/* After it: look at guards and inputs, and, if it `succeeded`, at the outputs, which go to the caller's arrays. */
void kit_unguard(struct kit *k, void *call, const void *before, size_t batch, const struct field *fields,
                 size_t field_count, const char *slot, int succeeded);

/* One line, judged by the tolerance; or by `holds` with a text; or left out. */
void kit_judge(struct kit *k, const char *property, double figure);
void kit_state(struct kit *k, const char *property, int holds, const char *text);
void kit_skip(struct kit *k, const char *property, const char *why);

/* The lines that are the same for all blocks, at the end: answers, arrays, inputs, finite. */
int kit_verdict(struct kit *k);

#endif
