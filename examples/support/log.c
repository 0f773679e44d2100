#include "log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json_text.h"
#include "lock.h"

/* Locked, so that no other process writes to it; what it holds is left alone until then. */
static int open_log(struct log *log, const char *path, struct failure *failure)
{
    *log = (struct log){.path = path, .file = fopen(path, "a+")};
    if (log->file == NULL)
        return failure_set(failure, "%s: %s", path, strerror(errno));
    if (lock_open_file(fileno(log->file)) == 0)
        return 0;
    log_close(log);
    return failure_set(failure, "%s: another process writes to it", path);
}

/* A log is no device: /dev/stdout and pipes cannot be cut. */
static int cut(struct log *log, off_t end, struct failure *failure)
{
    struct stat status;

    if (fstat(fileno(log->file), &status) == 0 && S_ISREG(status.st_mode) &&
        (ftruncate(fileno(log->file), end) != 0 || fseeko(log->file, 0, SEEK_END) != 0))
        return failure_set(failure, "%s: %s", log->path, strerror(errno));
    return 0;
}

int log_create(struct log *log, const char *path, struct failure *failure)
{
    *log = (struct log){.path = path};
    if (path == NULL)
        return 0;
    return open_log(log, path, failure) != 0 ? -1 : cut(log, 0, failure);
}

/* The whole number behind a key of a line, or 0. */
static int64_t find_number(const char *line, const char *key)
{
    const char *at = strstr(line, key);

    return at == NULL ? 0 : strtoll(at + strlen(key), NULL, 10);
}

/* Find where the first line begins that is incomplete, or about what is to be made again. */
static off_t find_end(FILE *file, int64_t steps, int64_t epochs)
{
    off_t end = 0;
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;

    while ((length = getline(&line, &capacity, file)) > 0 && line[length - 1] == '\n') {
        int epoch_line = strstr(line, "\"test_accuracy\"") != NULL;

        if (find_number(line, "\"step\": ") > steps || (epoch_line && find_number(line, "\"epoch\": ") > epochs))
            break;
        end += length;
    }
    free(line);
    return end;
}

int log_continue(struct log *log, const char *path, int64_t steps, int64_t epochs, struct failure *failure)
{
    *log = (struct log){.path = path};
    if (path == NULL)
        return 0;
    if (open_log(log, path, failure) != 0)
        return -1;
    rewind(log->file);
    return cut(log, find_end(log->file, steps, epochs), failure);
}

void log_close(struct log *log)
{
    if (log->file != NULL)
        fclose(log->file);
    log->file = NULL;
}

/* ------------------------------------------------------------------------------------------------------------- lines */

static double per(double sum, double count)
{
    return count > 0 ? sum / count : 0;
}

static void write_totals(FILE *file, const struct log_place *place, const struct meter *meter)
{
    const struct meter_totals *totals = &meter->totals;

    fprintf(file,
            ", \"lr\": %.9g, \"gradient_norm\": %.9g, \"seconds\": %.6g, \"samples_per_second\": %.6g, "
            "\"waited_seconds\": %.3g, \"run_seconds\": %.6g, \"peak_mib\": %.5g, \"unconverged\": %.0f, "
            "\"region_changes\": %.0f, \"sweeps\": %.0f",
            totals->learning_rate, per(totals->gradient_norm, totals->steps), totals->seconds,
            per(totals->samples, totals->seconds), totals->waited, place->seconds, meter_peak_mib(),
            totals->unconverged, totals->region_changes, totals->sweeps);
}

static void write_phase(FILE *file, const struct meter *meter, int32_t phase, const char *name)
{
    fprintf(file, ", \"%s_sweeps\": [", name);
    for (size_t i = 0; i < meter->blocks; i++)
        fprintf(file, "%s%.6g", i == 0 ? "" : ", ", meter_sweeps(meter, i, phase));
    fprintf(file, "], \"%s_residuals\": [", name);
    for (size_t i = 0; i < meter->blocks; i++)
        fprintf(file, "%s%.4g", i == 0 ? "" : ", ", meter_phase(meter, i, phase)->residual);
    fprintf(file, "], \"%s_unconverged\": [", name);
    for (size_t i = 0; i < meter->blocks; i++)
        fprintf(file, "%s%.0f", i == 0 ? "" : ", ", meter_phase(meter, i, phase)->unconverged);
    fprintf(file, "]");
}

static void write_blocks(FILE *file, const struct meter *meter)
{
    fprintf(file, ", \"blocks\": [");
    for (size_t i = 0; i < meter->blocks; i++)
        fprintf(file, "%s%zu", i == 0 ? "" : ", ", meter->stages[i]);
    fprintf(file, "]");
    write_phase(file, meter, FFEBM_PHASE_FREE, "free");
    write_phase(file, meter, FFEBM_PHASE_NUDGED, "nudged");
    fprintf(file, "}\n");
}

/* A line reaches the system whole or not at all in the eyes of log_continue, which cuts off an incomplete one. */
static int finish_line(struct log *log, struct failure *failure)
{
    if (fflush(log->file) != 0 || ferror(log->file))
        return failure_set(failure, "%s: %s", log->path, strerror(errno));
    return 0;
}

int log_steps(struct log *log, const struct log_place *place, const struct meter *meter, struct failure *failure)
{
    const struct meter_totals *totals = &meter->totals;
    locale_t before;

    if (log->file == NULL)
        return 0;
    before = json_numbers_begin();
    fprintf(log->file, "{\"epoch\": %" PRId64 ", \"step\": %" PRId64 ", \"loss\": %.9g, \"accuracy\": %.9g",
            place->epoch, place->step, per(totals->loss, totals->samples), per(totals->correct, totals->samples));
    write_totals(log->file, place, meter);
    write_blocks(log->file, meter);
    json_numbers_end(before);
    return finish_line(log, failure);
}

int log_epoch(struct log *log, const struct log_place *place, const struct meter *meter, const struct scores *scores,
              struct failure *failure)
{
    const struct meter_totals *totals = &meter->totals;
    locale_t before;

    if (log->file == NULL)
        return 0;
    before = json_numbers_begin();
    fprintf(log->file,
            "{\"epoch\": %" PRId64 ", \"step\": %" PRId64 ", \"train_loss\": %.9g, \"train_accuracy\": %.9g, "
            "\"test_loss\": %.9g, \"test_accuracy\": %.9g, \"test_top5\": %.9g",
            place->epoch, place->step, per(totals->loss, totals->samples), per(totals->correct, totals->samples),
            scores->test.loss, scores->test.accuracy, scores->test.top5);
    if (scores->validated)
        fprintf(log->file, ", \"val_loss\": %.9g, \"val_accuracy\": %.9g", scores->validation.loss,
                scores->validation.accuracy);
    write_totals(log->file, place, meter);
    write_blocks(log->file, meter);
    json_numbers_end(before);
    return finish_line(log, failure);
}
