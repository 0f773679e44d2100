#include "kit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = 4, WORD = 8, GUARD = 0xa5 };

/* ---------------------------------------------------------------------------------------------------------- memory */

double *kit_numbers(struct kit *k, size_t count)
{
    static double nowhere[1];
    double *numbers = k->number_count < ALL_NUMBERS ? calloc(count > 0 ? count : 1, sizeof *numbers) : NULL;

    if (numbers == NULL) {
        kit_stop(k, "out of memory");
        return nowhere;
    }
    return k->numbers[k->number_count++] = numbers;
}

void kit_end(struct kit *k)
{
    while (k->number_count > 0)
        free(k->numbers[--k->number_count]);
}

void kit_stop(struct kit *k, const char *reason)
{
    if (!k->stopped)
        snprintf(k->reason, sizeof k->reason, "%s", reason);
    k->stopped = 1;
}

/* ----------------------------------------------------------------------------------------------- numbers, directions */

double kit_uniform(struct kit *k, double low, double high)
{
    return low + (high - low) * ffebm_random_uniform(k->settings.seed, k->drawn++);
}

void kit_direction(struct kit *k, double *to, size_t count, double size)
{
    for (size_t i = 0; i < count; i++)
        to[i] = kit_uniform(k, -size, size);
}

void kit_parameter_direction(struct kit *k, double *to)
{
    for (size_t i = 0; i < k->counts[PER_PARAMETER]; i++)
        to[i] = kit_uniform(k, -1, 1) * (k->high[i] - k->low[i]);
}

void kit_move(double *to, const double *at, double factor, const double *direction, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] = at[i] + factor * direction[i];
}

double kit_dot(const double *a, const double *b, size_t count)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

double kit_difference(const double *a, const double *b, size_t count)
{
    double difference = 0, size = fmax(kit_dot(a, a, count), kit_dot(b, b, count));

    for (size_t i = 0; i < count; i++)
        difference += (a[i] - b[i]) * (a[i] - b[i]);
    return difference == 0 ? 0 : sqrt(difference / size);
}

/* ------------------------------------------------------------------------------------------------------- the point */

void kit_init(struct kit *k, const struct conformance_settings *settings, FILE *out)
{
    struct conformance_settings *s = &k->settings;

    *s = *settings;
    s->tolerance = s->tolerance > 0 ? s->tolerance : 1e-5;
    s->step = s->step > 0 ? s->step : 1e-4;
    s->settled = s->settled > 0 ? s->settled : 1e-12;
    s->sweeps = s->sweeps > 0 ? s->sweeps : 100000;
    s->batch = s->batch > 0 ? s->batch : 5;
    s->trials = s->trials > 0 ? s->trials : 8;
    s->repeats = s->repeats > 0 ? s->repeats : 1;
    k->out = out;
    k->samples = s->batch;
}

static size_t count_of(const ffebm_user_parameter *p)
{
    size_t count = 1;

    for (size_t i = 0; i < p->rank; i++)
        count *= (size_t)p->shape[i];
    return count;
}

/* A margin of one step keeps differences within bounds. */
void kit_draw_point(struct kit *k, const ffebm_user_parameter *parameters, size_t parameter_count)
{
    size_t inputs = k->samples * k->counts[PER_INPUT], at = 0;

    for (size_t p = 0; p < parameter_count; p++)
        k->counts[PER_PARAMETER] += count_of(&parameters[p]);
    k->theta = kit_numbers(k, k->counts[PER_PARAMETER]);
    k->last = kit_numbers(k, k->counts[PER_PARAMETER]);
    k->low = kit_numbers(k, k->counts[PER_PARAMETER]);
    k->high = kit_numbers(k, k->counts[PER_PARAMETER]);
    k->x = kit_numbers(k, inputs);
    k->weight = kit_numbers(k, k->samples);
    for (size_t p = 0; p < parameter_count && !k->stopped; p++)
        for (size_t i = 0; i < count_of(&parameters[p]); i++, at++) {
            double margin;

            k->low[at] = fmax(k->settings.parameter[0], parameters[p].lower);
            k->high[at] = fmin(k->settings.parameter[1], parameters[p].upper);
            margin = k->settings.step * (k->high[at] - k->low[at]);
            k->theta[at] = kit_uniform(k, k->low[at] + margin, k->high[at] - margin);
        }
    for (size_t i = 0; i < inputs && !k->stopped; i++)
        k->x[i] = kit_uniform(k, k->settings.input[0], k->settings.input[1]);
    for (size_t n = 0; n < k->samples && !k->stopped; n++)
        k->weight[n] = kit_uniform(k, 0.5, 1.5) * (n % 2 == 0 ? 1 : -1);
}

uint64_t kit_version(struct kit *k, const double *theta)
{
    size_t bytes = k->counts[PER_PARAMETER] * sizeof *theta;

    if (k->version == 0 || memcmp(k->last, theta, bytes) != 0)
        k->version++;
    memcpy(k->last, theta, bytes);
    return k->version;
}

uint64_t kit_next_seed(struct kit *k)
{
    return k->seed_held ? k->seed : (k->seed = k->seed * 6364136223846793005u + 1442695040888963407u);
}

/* --------------------------------------------------------------------------------------------------------- guards */

static void *pointer_at(const void *call, const struct field *f)
{
    void *pointer;

    memcpy(&pointer, (const char *)call + f->offset, sizeof pointer);
    return pointer;
}

static void set_pointer(void *call, const struct field *f, void *pointer)
{
    memcpy((char *)call + f->offset, &pointer, sizeof pointer);
}

static size_t bytes_of(const struct kit *k, size_t batch, const struct field *f)
{
    return WORD * k->counts[f->per] * (f->per == PER_PARAMETER ? 1 : batch);
}

void kit_guard(struct kit *k, void *call, size_t batch, const struct field *fields, size_t field_count)
{
    for (size_t i = 0; i < field_count; i++) {
        const void *from = pointer_at(call, &fields[i]);
        size_t bytes = bytes_of(k, batch, &fields[i]), fence = WORDS * WORD;
        char *memory = from == NULL ? NULL : malloc(bytes + 2 * fence);

        k->guarded[i] = memory;
        if (from == NULL)
            continue;
        if (memory == NULL) {
            kit_stop(k, "out of memory");
            continue;
        }
        memset(memory, GUARD, bytes + 2 * fence);
        memcpy(memory + fence, from, bytes);
        set_pointer(call, &fields[i], memory + fence);
    }
}

static int intact(const char *fence)
{
    for (size_t i = 0; i < WORDS * WORD; i++)
        if ((unsigned char)fence[i] != GUARD)
            return 0;
    return 1;
}

static void note(char *text, size_t capacity, const char *slot, const char *what, size_t field)
{
    static const char *const pers[] = {"inputs", "outputs", "states", "samples", "parameters"};

    if (text[0] == '\0')
        snprintf(text, capacity, "%s %s %s", slot, what, field < PERS ? pers[field] : "the call");
}

/* int64_t and doubles alike: all bits of the exponent set is no count of sweeps. */
static int finite_numbers(const void *at, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double number;

        memcpy(&number, (const char *)at + i * WORD, sizeof number);
        if (!isfinite(number))
            return 0;
    }
    return 1;
}

static void look_at(struct kit *k, const struct field *f, void *original, char *memory, size_t bytes, const char *slot,
                    int succeeded)
{
    char *at = memory + WORDS * WORD;

    if (!intact(memory) || !intact(at + bytes))
        note(k->overrun, sizeof k->overrun, slot, "wrote outside of its array of", (size_t)f->per);
    if (!f->output && memcmp(at, original, bytes) != 0)
        note(k->touched, sizeof k->touched, slot, "wrote into its array of", (size_t)f->per);
    if (f->output && succeeded && !finite_numbers(at, bytes / WORD))
        note(k->unready, sizeof k->unready, slot, "left NaN or infinity in its array of", (size_t)f->per);
    if (f->output && succeeded) /* after a retry they are as at first */
        memcpy(original, at, bytes);
}

void kit_unguard(struct kit *k, void *call, const void *before, size_t batch, const struct field *fields,
                 size_t field_count, const char *slot, int succeeded)
{
    for (size_t i = 0; i < field_count; i++) {
        void *original = pointer_at(before, &fields[i]);

        if (k->guarded[i] == NULL)
            continue;
        if (pointer_at(call, &fields[i]) != (char *)k->guarded[i] + WORDS * WORD)
            note(k->touched, sizeof k->touched, slot, "wrote into", PERS);
        look_at(k, &fields[i], original, k->guarded[i], bytes_of(k, batch, &fields[i]), slot, succeeded);
        free(k->guarded[i]);
        set_pointer(call, &fields[i], original);
    }
}

/* -------------------------------------------------------------------------------------------------------- verdicts */

static void line(struct kit *k, const char *verdict, const char *property, const char *text)
{
    if (k->out == NULL)
        return;
    if (text[0] == '\0')
        fprintf(k->out, "%-5s %s\n", verdict, property);
    else
        fprintf(k->out, "%-5s %-22s %s\n", verdict, property, text);
}

void kit_state(struct kit *k, const char *property, int holds, const char *text)
{
    if (k->stopped)
        return;
    line(k, holds ? "pass" : "FAIL", property, text);
    k->failures += !holds;
}

void kit_judge(struct kit *k, const char *property, double figure)
{
    char text[64];

    snprintf(text, sizeof text, "%.1e", figure);
    kit_state(k, property, figure <= k->settings.tolerance, text);
}

void kit_skip(struct kit *k, const char *property, const char *why)
{
    if (!k->stopped)
        line(k, "-", property, why);
}

int kit_verdict(struct kit *k)
{
    if (k->stopped) {
        line(k, "FAIL", "answers", k->reason);
        k->failures++;
    } else {
        line(k, "pass", "answers", "");
    }
    k->stopped = 0;
    kit_state(k, "arrays", k->overrun[0] == '\0', k->overrun);
    kit_state(k, "inputs", k->touched[0] == '\0', k->touched);
    kit_state(k, "finite", k->unready[0] == '\0', k->unready);
    return k->failures;
}
