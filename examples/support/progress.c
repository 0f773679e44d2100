#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "progress.h"

#define REDRAW_SECONDS 0.1
#define ERASE_LINE "\r\033[K"

enum { BAR = 30 };

double progress_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int progress_open_log(struct progress *progress, const char *path, int resume, struct failure *failure)
{
    if (path == NULL)
        return 0;
    progress->log_path = path;
    progress->log = fopen(path, resume ? "a" : "w");
    return progress->log != NULL ? 0 : failure_set(failure, "%s: %s", path, strerror(errno));
}

void progress_close_log(struct progress *progress)
{
    if (progress->log != NULL)
        fclose(progress->log);
    progress->log = NULL;
}

void progress_init(struct progress *progress, int64_t epochs, int32_t quiet)
{
    *progress = (struct progress){.epochs = epochs, .quiet = quiet, .terminal = isatty(STDERR_FILENO)};
}

void progress_step(struct progress *progress, int64_t epoch, size_t done, size_t total, double loss)
{
    static const char full[BAR + 1] = "##############################";
    static const char empty[BAR + 1] = "..............................";
    int filled = (int)(BAR * (double)done / (double)total);
    double now;

    if (progress->quiet || !progress->terminal)
        return;
    now = progress_clock();
    if (now - progress->drawn < REDRAW_SECONDS)
        return;
    progress->drawn = now;
    fprintf(stderr, ERASE_LINE "epoch %" PRId64 "/%" PRId64 " [%.*s%.*s] %3.0f%%  train loss %.4f", epoch,
            progress->epochs, filled, full, BAR - filled, empty, 100.0 * (double)done / (double)total, loss);
    fflush(stderr);
}

static void print_line(const struct progress *progress, const struct epoch_record *record)
{
    fprintf(stderr,
            "%sepoch %" PRId64 "/%" PRId64 "  train loss %.4f  test loss %.4f  test accuracy %.4f  %.0f samples/s",
            progress->terminal ? ERASE_LINE : "", record->epoch, progress->epochs, record->train_loss,
            record->test_loss, record->test_accuracy, record->samples_per_second);
    if (record->unconverged > 0)
        fprintf(stderr, "  %zu unconverged", record->unconverged);
    fputc('\n', stderr);
}

static int write_log(FILE *log, const char *path, const struct epoch_record *record, struct failure *failure)
{
    int written = fprintf(log,
                          "{\"epoch\": %" PRId64 ", \"train_loss\": %.9g, \"test_loss\": %.9g, "
                          "\"test_accuracy\": %.9g, \"lr\": %.9g, \"seconds\": %.6g, \"samples_per_second\": %.6g, "
                          "\"unconverged\": %zu, \"region_changes\": %zu, \"sweeps\": %" PRId64 "}\n",
                          record->epoch, record->train_loss, record->test_loss, record->test_accuracy, record->lr,
                          record->seconds, record->samples_per_second, record->unconverged, record->region_changes,
                          record->sweeps);

    if (written < 0 || fflush(log) != 0)
        return failure_set(failure, "%s: %s", path, strerror(errno));
    return 0;
}

int progress_epoch(struct progress *progress, const struct epoch_record *record, struct failure *failure)
{
    if (!progress->quiet)
        print_line(progress, record);
    return progress->log == NULL ? 0 : write_log(progress->log, progress->log_path, record, failure);
}

int progress_result(const struct epoch_record *record, int trained, struct failure *failure)
{
    char train_loss[32] = "null";

    if (trained)
        snprintf(train_loss, sizeof train_loss, "%.9g", record->train_loss);
    printf("{\"test_accuracy\": %.9g, \"test_top5\": %.9g, \"test_loss\": %.9g, \"train_loss\": %s, "
           "\"seconds\": %.6g, \"samples_per_second\": %.6g}\n",
           record->test_accuracy, record->test_top5, record->test_loss, train_loss, record->seconds,
           record->samples_per_second);
    if (fflush(stdout) != 0)
        return failure_set(failure, "standard output: %s", strerror(errno));
    return 0;
}
