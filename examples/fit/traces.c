#include "traces.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/json_text.h"
#include "../support/text_file.h"

enum { DEVICE, PULSE, DIRECTION, VALUE, COLUMNS, FIELDS = 64 };

/* ----------------------------------------------------------------------------------------------------------- in memory */

void traces_free(struct traces *traces)
{
    for (size_t i = 0; i < traces->count; i++)
        free(traces->list[i].readings);
    free(traces->list);
    *traces = (struct traces){.list = NULL};
}

/* Room for one more of `bytes` each. Returns the list, or NULL. */
static void *room(void *list, size_t count, size_t *capacity, size_t bytes)
{
    size_t more = *capacity < 16 ? 16 : 2 * *capacity;

    if (count < *capacity)
        return list;
    list = realloc(list, more * bytes);
    *capacity = list == NULL ? *capacity : more;
    return list;
}

static struct trace *find(struct traces *traces, const char *name)
{
    for (size_t i = traces->count; i-- > 0;)
        if (strcmp(traces->list[i].name, name) == 0)
            return &traces->list[i];
    return NULL;
}

static struct trace *find_or_add(struct traces *traces, const char *name)
{
    struct trace *found = find(traces, name), *list;

    if (found != NULL)
        return found;
    list = room(traces->list, traces->count, &traces->capacity, sizeof *list);
    if (list == NULL)
        return NULL;
    traces->list = list;
    list[traces->count] = (struct trace){.readings = NULL};
    snprintf(list[traces->count].name, TRACE_NAME, "%s", name);
    return &list[traces->count++];
}

int traces_add(struct traces *traces, const char *name, struct reading reading)
{
    struct trace *t = find_or_add(traces, name);
    struct reading *list = t == NULL ? NULL : room(t->readings, t->count, &t->capacity, sizeof *list);

    if (list == NULL)
        return -1;
    t->readings = list;
    if (t->count == 0)
        reading.pulses = 0;
    list[t->count++] = reading;
    return 0;
}

size_t traces_readings(const struct traces *traces)
{
    size_t sum = 0;

    for (size_t i = 0; i < traces->count; i++)
        sum += traces->list[i].count;
    return sum;
}

int traces_map(struct traces *traces, double zero, double scale, struct failure *failure)
{
    double least = INFINITY, most = -INFINITY;

    for (size_t i = 0; i < traces->count; i++)
        for (size_t k = 0; k < traces->list[i].count; k++) {
            least = fmin(least, traces->list[i].readings[k].value);
            most = fmax(most, traces->list[i].readings[k].value);
        }
    if (!(least < most))
        return failure_set(failure, "all readings are %g: no pulse has done anything", least);
    traces->zero = scale > 0 ? zero : (least + most) / 2;
    traces->scale = scale > 0 ? scale : (most - least) / 2;
    for (size_t i = 0; i < traces->count; i++)
        for (size_t k = 0; k < traces->list[i].count; k++)
            traces->list[i].readings[k].value = (traces->list[i].readings[k].value - traces->zero) / traces->scale;
    return 0;
}

/* ----------------------------------------------------------------------------------------------------------------- CSV */

/* A line, cut at its commas. */
struct row {
    const char *path;
    size_t line;
    char *fields[FIELDS];
    size_t at[FIELDS]; /* columns, from 1 */
    size_t count;
};

static int refuse(const struct row *row, size_t field, struct failure *failure, const char *expected)
{
    return failure_set(failure, "%s: line %zu, column %zu: \"%.40s\", expected %s", row->path, row->line,
                       row->at[field], row->fields[field], expected);
}

/* Without blanks and quotes around it. */
static char *strip(char *field)
{
    char *end = field + strlen(field);

    field += strspn(field, " \t\"");
    while (end > field && strchr(" \t\"\r", end[-1]) != NULL)
        *--end = '\0';
    return field;
}

static void split(struct row *row, char *line)
{
    char *begin = line;

    row->count = 0;
    for (char *at = line; at != NULL && row->count < FIELDS; row->count++) {
        char *comma = strchr(at, ',');

        if (comma != NULL)
            *comma = '\0';
        row->fields[row->count] = strip(at);
        row->at[row->count] = (size_t)(row->fields[row->count] - begin) + 1;
        at = comma == NULL ? NULL : comma + 1;
    }
}

/* Where each column is among the fields; FIELDS: nowhere. */
static int read_names(size_t where[COLUMNS], const struct row *row, struct failure *failure)
{
    static const char *const names[COLUMNS][2] = {
        {"device", ""}, {"pulse", ""}, {"direction", ""}, {"conductance", "weight"}};

    for (size_t c = 0; c < COLUMNS; c++) {
        where[c] = FIELDS;
        for (size_t f = row->count; f-- > 0;)
            if (strcmp(row->fields[f], names[c][0]) == 0 || strcmp(row->fields[f], names[c][1]) == 0)
                where[c] = f;
    }
    if (where[DIRECTION] == FIELDS || where[VALUE] == FIELDS)
        return refuse(
            row, 0, failure,
            "a line of names with \"direction\" and \"conductance\" (or \"weight\") in it, and if there are any "
            "\"device\" and \"pulse\"");
    return 0;
}

static int read_value(double *value, const struct row *row, size_t field, struct failure *failure)
{
    char *end;

    *value = strtod(row->fields[field], &end);
    if (end == row->fields[field] || *end != '\0' || !isfinite(*value))
        return refuse(row, field, failure, "a finite number");
    return 0;
}

static int read_direction(int *up, const struct row *row, size_t field, struct failure *failure)
{
    static const char *const ups[] = {"up", "1", "+1"}, *const downs[] = {"down", "-1"};

    *up = 0;
    for (size_t i = 0; i < sizeof ups / sizeof ups[0]; i++)
        *up |= strcmp(row->fields[field], ups[i]) == 0;
    for (size_t i = 0; !*up && i < sizeof downs / sizeof downs[0]; i++)
        if (strcmp(row->fields[field], downs[i]) == 0)
            return 0;
    return *up ? 0 : refuse(row, field, failure, "up or 1, down or -1");
}

/* How many pulses since the line before. */
static int read_pulse(int *pulses, long long last, const struct row *row, size_t field, struct failure *failure)
{
    enum { MOST = 1000000 };
    char *end, expected[96];
    long long pulse;

    errno = 0;
    pulse = strtoll(row->fields[field], &end, 10);
    if (end == row->fields[field] || *end != '\0' || errno != 0)
        return refuse(row, field, failure, "a whole number, the device's count of pulses");
    snprintf(expected, sizeof expected, "a number above %lld, that of the device's line before, by at most %d", last,
             MOST);
    if (pulse <= last || pulse - last > MOST)
        return refuse(row, field, failure, expected);
    *pulses = (int)(pulse - last);
    return 0;
}

static int read_first_pulse(long long *pulse, const struct row *row, size_t field, struct failure *failure)
{
    char *end;

    errno = 0;
    *pulse = strtoll(row->fields[field], &end, 10);
    if (end == row->fields[field] || *end != '\0' || errno != 0 || *pulse < 0 || *pulse > (1LL << 60))
        return refuse(row, field, failure, "a whole number, the device's count of pulses");
    return 0;
}

static int read_row(struct traces *traces, const size_t where[COLUMNS], const struct row *row, struct failure *failure)
{
    const char *name = where[DEVICE] == FIELDS ? "" : row->fields[where[DEVICE]];
    struct trace *before = find(traces, name);
    struct reading reading = {.pulses = 1};
    long long first = 0;
    int up;

    if (strlen(name) >= TRACE_NAME)
        return refuse(row, where[DEVICE], failure, "a name of at most 31 bytes");
    if (read_value(&reading.value, row, where[VALUE], failure) != 0)
        return -1;
    if (before == NULL && where[PULSE] != FIELDS && read_first_pulse(&first, row, where[PULSE], failure) != 0)
        return -1;
    if (before != NULL && where[PULSE] != FIELDS &&
        read_pulse(&reading.pulses, before->last, row, where[PULSE], failure) != 0)
        return -1;
    if (before != NULL) {
        if (read_direction(&up, row, where[DIRECTION], failure) != 0)
            return -1;
        before->last += reading.pulses;
        reading.pulses = up ? reading.pulses : -reading.pulses;
    }
    if (traces_add(traces, name, reading) != 0)
        return failure_set(failure, "%s: out of memory", row->path);
    if (before == NULL)
        find(traces, name)->last = first;
    return 0;
}

static int read_line(struct traces *traces, size_t where[COLUMNS], size_t *columns, char *line, struct row *row,
                     struct failure *failure)
{
    char expected[96];

    split(row, line);
    if ((row->count == 1 && row->fields[0][0] == '\0') || row->fields[0][0] == '#')
        return 0;
    if (*columns == 0) {
        *columns = row->count;
        return read_names(where, row, failure);
    }
    snprintf(expected, sizeof expected, "%zu fields, as the line of names has, and not %zu", *columns, row->count);
    if (row->count != *columns)
        return refuse(row, row->count - 1, failure, expected);
    return read_row(traces, where, row, failure);
}

static int read_lines(struct traces *traces, const char *path, char *text, struct failure *failure)
{
    struct row row = {.path = path};
    size_t where[COLUMNS], columns = 0;

    for (char *line = text; line != NULL;) {
        char *end = strchr(line, '\n');

        if (end != NULL)
            *end = '\0';
        row.line++;
        if (read_line(traces, where, &columns, line, &row, failure) != 0)
            return -1;
        line = end == NULL ? NULL : end + 1;
    }
    for (size_t i = 0; i < traces->count; i++)
        if (traces->list[i].count > 1)
            return 0;
    return failure_set(failure, "%s: no device has two readings", path);
}

int traces_read(struct traces *traces, const char *path, struct failure *failure)
{
    size_t length;
    char *text, *ended;
    locale_t before;
    int result;

    *traces = (struct traces){.list = NULL};
    if (text_file_read(path, &text, &length, failure) != 0)
        return -1;
    ended = realloc(text, length + 1);
    if (ended == NULL) {
        free(text);
        return failure_set(failure, "%s: out of memory", path);
    }
    ended[length] = '\0';
    before = json_numbers_begin();
    result = strlen(ended) == length ? read_lines(traces, path, ended, failure)
                                     : failure_set(failure, "%s: has a zero byte, expected text", path);
    json_numbers_end(before);
    free(ended);
    return result;
}
