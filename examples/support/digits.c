/* digits.c - the digits data set: a CSV file, gzip or plain, a line a sample: 64 pixels 0 .. 16, then the label. Lines
 * end as they do anywhere, and the last one need not. */
#include <stdlib.h>
#include <string.h>

#include "dataset.h"
#include "find_file.h"

enum { SIDE = 8, PIXELS = SIDE * SIDE, MOST_BYTES = 1 << 24, LAST = 360 };

struct row {
    unsigned char pixels[PIXELS];
    unsigned char label;
};

/* The unpacked file, its text, and what the text says. */
struct table {
    struct data_file file;
    char *text;
    struct row *rows;
    size_t count;
};

/* Read a number from 0 to `most`, with `after` behind it, and go past both. */
static int read_number(unsigned char *number, const char **at, long most, char after)
{
    char *end;
    long value;

    if (**at < '0' || **at > '9')
        return -1;
    value = strtol(*at, &end, 10);
    end += after == '\n' && *end == '\r';
    if (value > most || *end != after)
        return -1;
    *number = (unsigned char)value;
    *at = end + 1;
    return 0;
}

static int read_row(const struct table *table, size_t line, const char **at, const struct dataset_source *source,
                    struct failure *failure)
{
    struct row *row = &table->rows[line];
    const char *expected = "64 pixels from 0 to 16, each with a comma";
    int result = 0;

    for (int i = 0; i < PIXELS && result == 0; i++)
        result = read_number(&row->pixels[i], at, (long)source->brightest, ',');
    if (result == 0) {
        expected = "a label from 0 to 9 and the end of the line";
        result = read_number(&row->label, at, (long)source->classes - 1, '\n');
    }
    return result == 0 ? 0
                       : data_file_refuse(&table->file, (uint64_t)(*at - table->text), failure,
                                          "line %zu: \"%.*s\", expected %s", line + 1, (int)strcspn(*at, ",\r\n"), *at,
                                          expected);
}

/* The text, with an end of the last line. */
static int read_text(struct table *table, struct failure *failure)
{
    const size_t size = table->file.size;

    if (table->file.size > MOST_BYTES)
        return data_file_refuse(&table->file, MOST_BYTES, failure, "goes on, expected at most %d bytes", MOST_BYTES);
    table->text = calloc(size + 2, 1);
    if (table->text == NULL)
        return failure_set(failure, "%s: out of memory for its text", table->file.name);
    if (data_file_read(&table->file, table->text, size, 0, failure) != 0)
        return -1;
    if (size > 0 && table->text[size - 1] != '\n')
        table->text[size] = '\n';
    return 0;
}

static int read_table(struct table *table, const struct dataset_source *source, struct failure *failure)
{
    const char *at;

    if (read_text(table, failure) != 0)
        return -1;
    for (size_t i = 0; i <= table->file.size; i++)
        table->count += table->text[i] == '\n';
    table->rows = malloc((table->count + 1) * sizeof *table->rows);
    if (table->rows == NULL)
        return failure_set(failure, "%s: out of memory for %zu samples", table->file.name, table->count);

    at = table->text;
    for (size_t line = 0; line < table->count; line++) {
        if (read_row(table, line, &at, source, failure) != 0)
            return -1;
    }
    return 0;
}

static int is_test(size_t index, size_t count, int32_t split)
{
    return split == DATASET_SPLIT_LAST ? index >= count - LAST : index % 5 == 0;
}

/* Put the samples of one part into a file of its own. */
static int write_part(struct dataset_part *part, const struct table *table, int32_t split, int test,
                      struct failure *failure)
{
    struct dataset_shard shard = {.stride = PIXELS};
    int64_t *labels;

    if (data_file_create(&shard.file, table->file.name, failure) != 0)
        return -1;
    for (size_t i = 0; i < table->count; i++) {
        if (is_test(i, table->count, split) != test)
            continue;
        if (data_file_append(&shard.file, table->rows[i].pixels, PIXELS, failure) != 0) {
            data_file_close(&shard.file);
            return -1;
        }
        shard.count++;
    }
    labels = dataset_add(part, &shard, failure);
    for (size_t i = 0; i < table->count && labels != NULL; i++) {
        if (is_test(i, table->count, split) == test)
            *labels++ = table->rows[i].label;
    }
    return labels != NULL ? 0 : -1;
}

static int divide(struct dataset *data, const struct table *table, int32_t split, struct failure *failure)
{
    const size_t least = split == DATASET_SPLIT_LAST ? LAST + 1 : 2;

    if (table->count < least)
        return data_file_refuse(&table->file, table->file.size, failure,
                                "the file ends after %zu samples, expected at least %zu", table->count, least);
    if (write_part(&data->train, table, split, 0, failure) != 0)
        return -1;
    return write_part(&data->test, table, split, 1, failure);
}

static int limit(uint64_t *most, const struct data_file *beginning, struct failure *failure)
{
    (void)beginning, (void)failure;
    *most = MOST_BYTES;
    return 0;
}

int digits_open(struct dataset *data, const struct dataset_source *source, const char *directory, int32_t split,
                struct failure *failure)
{
    static const char *const names[] = {"digits.csv.gz", "digits.csv", NULL};
    struct table table = {.text = NULL};
    char path[DATA_FILE_NAME];
    int result;

    data->channels = 1;
    data->height = data->width = SIDE;
    if (find_file(path, directory, names, NULL, source->advice, failure) != 0 ||
        data_file_open_gzip(&table.file, path, limit, failure) != 0)
        return -1;
    result = read_table(&table, source, failure);
    if (result == 0)
        result = divide(data, &table, split, failure);
    data_file_close(&table.file);
    free(table.text);
    free(table.rows);
    return result;
}
