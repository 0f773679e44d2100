#include "note.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_text.h"

enum { FIELD = 64, NUMBER = 32 }; /* characters that a field, or a number in a list, takes at most */

struct field {
    const char *key;
    size_t offset;
};

static const struct field integers[] = {
    {"epoch", offsetof(struct run_note, epoch)},
    {"step", offsetof(struct run_note, step)},
    {"seed", offsetof(struct run_note, seed)},
    {"batch", offsetof(struct run_note, batch)},
    {"samples", offsetof(struct run_note, samples)},
    {"data", offsetof(struct run_note, data)},
    {"best_epoch", offsetof(struct run_note, best_epoch)},
    {"validation", offsetof(struct run_note, validation)},
};

static const struct field numbers[] = {
    {"best_accuracy", offsetof(struct run_note, best_accuracy)},
    {"best_test_accuracy", offsetof(struct run_note, best_test_accuracy)},
    {"seconds", offsetof(struct run_note, seconds)},
    {"training_samples", offsetof(struct run_note, training_samples)},
    {"training_seconds", offsetof(struct run_note, training_seconds)},
    {"watch_steps", offsetof(struct run_note, watch.steps)},
    {"watch_untrained", offsetof(struct run_note, watch.untrained)},
    {"watch_loss", offsetof(struct run_note, watch.loss)},
    {"watch_residual", offsetof(struct run_note, watch.residual)},
};

enum { INTEGERS = sizeof integers / sizeof integers[0], NUMBERS = sizeof numbers / sizeof numbers[0] };

int note_create(struct run_note *note, const ffebm_model *model, struct failure *failure)
{
    ffebm_model_info info = {.size = sizeof info};

    *note = (struct run_note){.best_accuracy = -1, .best_test_accuracy = -1};
    if (ffebm_model_inspect(model, &info) == FFEBM_OK)
        note->watch.untrained = watch_chance(info.loss, info.output_shape[0]);
    return meter_create(&note->epoch_meter, model, failure) == 0 ? meter_create(&note->interval_meter, model, failure)
                                                                 : -1;
}

void note_destroy(struct run_note *note)
{
    meter_destroy(&note->epoch_meter);
    meter_destroy(&note->interval_meter);
}

/* ---------------------------------------------------------------------------------------------------------- reading */

/* Where the value of a key begins, or NULL. */
static const char *find_value(const char *text, const char *key)
{
    char quoted[FIELD];
    const char *at;

    snprintf(quoted, sizeof quoted, "\"%s\": ", key);
    at = strstr(text, quoted);
    return at == NULL ? NULL : at + strlen(quoted);
}

/* A list of exactly as many numbers as the meter has. */
static int read_meter(struct meter *meter, const char *text, const char *key)
{
    const char *at = find_value(text, key);

    for (size_t i = 0; i < meter_count(meter); i++) {
        char *end;

        if (at == NULL || *at != (i == 0 ? '[' : ','))
            return -1;
        *meter_number(meter, i) = strtod(at + 1, &end);
        at = end != at + 1 ? end : NULL;
    }
    return at != NULL && *at == ']' ? 0 : -1;
}

static const char *read_fields(struct run_note *note, const char *text)
{
    for (size_t i = 0; i < INTEGERS; i++) {
        const char *at = find_value(text, integers[i].key);
        char *end;

        if (at == NULL)
            return integers[i].key;
        *(int64_t *)(void *)((char *)note + integers[i].offset) = strtoll(at, &end, 10);
        if (end == at || *at == '-')
            return integers[i].key;
    }
    for (size_t i = 0; i < NUMBERS; i++) {
        const char *at = find_value(text, numbers[i].key);
        char *end;

        if (at == NULL)
            return numbers[i].key;
        *(double *)(void *)((char *)note + numbers[i].offset) = strtod(at, &end);
        if (end == at)
            return numbers[i].key;
    }
    if (read_meter(&note->epoch_meter, text, "epoch_sums") != 0)
        return "epoch_sums";
    return read_meter(&note->interval_meter, text, "interval_sums") != 0 ? "interval_sums" : NULL;
}

int note_read(ffebm_context *context, struct run_note *note, const char *path, struct failure *failure)
{
    const char *missing;
    size_t length;
    locale_t before;
    char *text;

    if (ffebm_checkpoint_metadata(context, NULL, 0, &length, path, "note") != FFEBM_OK)
        return failure_set(failure, "%s", ffebm_context_error(context));
    text = malloc(length + 1);
    if (text == NULL)
        return failure_set(failure, "%s: out of memory for its note", path);
    if (ffebm_checkpoint_metadata(context, text, length + 1, &length, path, "note") != FFEBM_OK) {
        free(text);
        return failure_set(failure, "%s", ffebm_context_error(context));
    }
    before = json_numbers_begin();
    missing = read_fields(note, text);
    json_numbers_end(before);
    free(text);
    if (missing != NULL)
        return failure_set(failure, "%s: its note has no right \"%s\", expected that of a training run of this model",
                           path, missing);
    return 0;
}

/* ---------------------------------------------------------------------------------------------------------- writing */

static char *write_meter(char *at, struct meter *meter, const char *key)
{
    at += sprintf(at, ", \"%s\": ", key);
    for (size_t i = 0; i < meter_count(meter); i++)
        at += sprintf(at, "%c%.17g", i == 0 ? '[' : ',', *meter_number(meter, i));
    return at + sprintf(at, "]");
}

/* Seventeen digits give every number back to the bit. */
static char *write_fields(struct run_note *note)
{
    size_t listed = meter_count(&note->epoch_meter) + meter_count(&note->interval_meter);
    char *text = malloc((INTEGERS + NUMBERS + 4) * FIELD + listed * NUMBER), *at = text;
    locale_t before;

    if (text == NULL)
        return NULL;
    before = json_numbers_begin();
    for (size_t i = 0; i < INTEGERS; i++)
        at += sprintf(at, "%s\"%s\": %" PRId64, i == 0 ? "{" : ", ", integers[i].key,
                      *(const int64_t *)(const void *)((const char *)note + integers[i].offset));
    for (size_t i = 0; i < NUMBERS; i++)
        at += sprintf(at, ", \"%s\": %.17g", numbers[i].key,
                      *(const double *)(const void *)((const char *)note + numbers[i].offset));
    at = write_meter(at, &note->epoch_meter, "epoch_sums");
    at = write_meter(at, &note->interval_meter, "interval_sums");
    sprintf(at, "}");
    json_numbers_end(before);
    return text;
}

int note_save(struct run_note *note, ffebm_context *context, ffebm_model *model, const ffebm_optimizer *optimizer,
              const char *path, struct failure *failure)
{
    char *text = write_fields(note);
    ffebm_status status;

    if (text == NULL)
        return failure_set(failure, "%s: out of memory for its note", path);
    status = ffebm_checkpoint_save(model, optimizer, text, path);
    free(text);
    return status == FFEBM_OK ? 0 : failure_set(failure, "%s", ffebm_context_error(context));
}
