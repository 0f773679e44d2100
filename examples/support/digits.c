/* digits.c - the digits data set: a gzip CSV file, a line a sample: 64 pixels 0 .. 16, then the label. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "dataset.h"

enum { SIDE = 8, PIXELS = SIDE * SIDE, LINE = 512, MOST_SAMPLES = 100000, LAST = 360 };

/* Raw samples while the file is read: how many there are shows only at its end. */
struct samples {
    unsigned char (*rows)[PIXELS + 1];
    size_t count;
    size_t capacity;
};

static int grow(struct samples *samples, const char *path, struct failure *failure)
{
    size_t capacity = samples->capacity == 0 ? 1024 : 2 * samples->capacity;
    void *larger;

    if (samples->count >= MOST_SAMPLES)
        return failure_set(failure, "%s: more than %d lines", path, MOST_SAMPLES);
    if (samples->count < samples->capacity)
        return 0;
    larger = realloc(samples->rows, capacity * sizeof *samples->rows);
    if (larger == NULL)
        return failure_set(failure, "%s: out of memory for %zu samples", path, capacity);
    samples->rows = larger;
    samples->capacity = capacity;
    return 0;
}

/* Parse a line into PIXELS + 1 small numbers. Returns NULL, or what was expected. */
static const char *parse_line(unsigned char *row, const char *line, const struct dataset_source *source)
{
    for (int i = 0; i <= PIXELS; i++) {
        long most = i < PIXELS ? (long)source->brightest : (long)source->classes - 1;
        char *end;
        long value = strtol(line, &end, 10);

        if (end == line)
            return "expected 64 pixels and a label";
        if (value < 0 || value > most)
            return i < PIXELS ? "expected pixels from 0 to 16" : "expected a label from 0 to 9";
        if (i < PIXELS && *end != ',')
            return "expected 64 pixels and a label, with commas between them";
        row[i] = (unsigned char)value;
        line = end + 1;
        if (i == PIXELS && end[strspn(end, "\r\n")] != '\0')
            return "expected the line to end after the label";
    }
    return NULL;
}

/* A broken file is found out only at its break, so what was read before it may have looked wrong first. */
static int check_stream(gzFile file, const char *path, size_t line, struct failure *failure)
{
    int code;

    gzerror(file, &code);
    if (code == Z_OK || code == Z_STREAM_END)
        return 0;
    return failure_set(failure, "%s: line %zu: %s", path, line,
                       code == Z_ERRNO ? strerror(errno) : "the gzip stream breaks off");
}

static int read_lines(struct samples *samples, gzFile file, const char *path, const struct dataset_source *source,
                      struct failure *failure)
{
    char line[LINE];

    while (gzgets(file, line, sizeof line) != NULL) {
        const char *expected;

        if (check_stream(file, path, samples->count + 1, failure) != 0 || grow(samples, path, failure) != 0)
            return -1;
        expected = strlen(line) == sizeof line - 1 ? "expected a shorter line"
                                                   : parse_line(samples->rows[samples->count], line, source);
        if (expected != NULL)
            return failure_set(failure, "%s: line %zu: %s", path, samples->count + 1, expected);
        samples->count++;
    }
    return check_stream(file, path, samples->count + 1, failure);
}

static void store(struct dataset_part *part, size_t at, const unsigned char *row, const struct dataset_source *source)
{
    for (size_t i = 0; i < PIXELS; i++)
        part->inputs[at * PIXELS + i] = dataset_normalise(source, 0, row[i]);
    part->labels[at] = row[PIXELS];
}

static int is_test(size_t index, size_t count, int32_t split)
{
    return split == DATASET_SPLIT_LAST ? index >= count - LAST : index % 5 == 0;
}

static int divide(struct dataset *data, const struct samples *samples, const struct dataset_source *source,
                  int32_t split, struct failure *failure)
{
    size_t tests = split == DATASET_SPLIT_LAST ? LAST : (samples->count + 4) / 5;
    size_t train = 0, test = 0;

    if (dataset_part_allocate(&data->test, tests, PIXELS, failure) != 0 ||
        dataset_part_allocate(&data->train, samples->count - tests, PIXELS, failure) != 0)
        return -1;
    for (size_t i = 0; i < samples->count; i++) {
        if (is_test(i, samples->count, split))
            store(&data->test, test++, samples->rows[i], source);
        else
            store(&data->train, train++, samples->rows[i], source);
    }
    return 0;
}

int digits_load(struct dataset *data, const struct dataset_source *source, const char *directory, int32_t split,
                struct failure *failure)
{
    struct samples samples = {0};
    char path[4096];
    gzFile file;
    int result;

    data->channels = 1;
    data->height = data->width = SIDE;
    data->sample_size = PIXELS;
    if (dataset_join_path(path, sizeof path, directory, "digits.csv.gz", failure) != 0)
        return -1;
    errno = 0;
    file = gzopen(path, "rb");
    if (file == NULL)
        return failure_set(failure, "%s: %s", path, errno != 0 ? strerror(errno) : "out of memory");
    result = read_lines(&samples, file, path, source, failure);
    gzclose(file);
    if (result == 0 && samples.count <= (split == DATASET_SPLIT_LAST ? LAST : 1))
        result = failure_set(failure, "%s: %zu samples are too few to split", path, samples.count);
    if (result == 0)
        result = divide(data, &samples, source, split, failure);
    free(samples.rows);
    return result;
}
