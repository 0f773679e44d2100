#define _GNU_SOURCE /* TIOCGWINSZ */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "progress.h"

#define REDRAW_SECONDS 0.1
#define LINE_SECONDS 60.0
#define ERASE_LINE "\r\033[K"

enum { BAR_MOST = 30, BAR_LEAST = 5, COLUMNS = 80, WORDS = 1024 };

double progress_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void progress_init(struct progress *progress, int64_t epochs, int32_t quiet)
{
    *progress = (struct progress){
        .epochs = epochs, .drawn = progress_clock(), .quiet = quiet, .terminal = isatty(STDERR_FILENO)};
}

static size_t terminal_columns(void)
{
    struct winsize size;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : COLUMNS;
}

static size_t append(char *words, size_t used, const char *text)
{
    return used + (size_t)snprintf(words + used, WORDS - used, "%.*s", (int)(WORDS - used - 1), text);
}

/* "1:02:03", or "2:03". */
static void name_seconds(char *words, size_t capacity, double seconds)
{
    long whole = seconds < 1e7 ? (long)seconds : 9999999;

    if (whole >= 3600)
        snprintf(words, capacity, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
    else
        snprintf(words, capacity, "%ld:%02ld", whole / 60, whole % 60);
}

/* Mean sweeps, free + nudged: of each block if there is room, else of all together. */
static void name_sweeps(char *words, const struct meter *meter, size_t room)
{
    size_t used = append(words, 0, " sweeps");
    char part[64];

    if (meter->blocks == 0) {
        words[0] = '\0';
        return;
    }
    for (size_t i = 0; i < meter->blocks && used < WORDS / 2; i++) {
        snprintf(part, sizeof part, " %.1f+%.1f", meter_sweeps(meter, i, FFEBM_PHASE_FREE),
                 meter_sweeps(meter, i, FFEBM_PHASE_NUDGED));
        used = append(words, used, part);
    }
    if (used > room)
        snprintf(words, WORDS, " sweeps %.1f+%.1f", meter_sweeps(meter, FFEBM_ALL, FFEBM_PHASE_FREE),
                 meter_sweeps(meter, FFEBM_ALL, FFEBM_PHASE_NUDGED));
}

/* All but the bar: what stands before it, and behind. */
static void name_view(char *before, char *behind, const struct progress *progress, const struct progress_view *view,
                      size_t columns)
{
    const struct meter_totals *totals = &view->meter->totals;
    const double samples = totals->samples > 0 ? totals->samples : 1;
    const double rate = totals->seconds > 0 ? samples / totals->seconds : 0;
    char left[32], sweeps[WORDS];
    size_t used;

    name_seconds(left, sizeof left, view->seconds_left);
    snprintf(before, WORDS, "epoch %" PRId64 "/%" PRId64, view->epoch, progress->epochs);
    snprintf(behind, WORDS, "%3.0f%% %.*f/s %s left loss %.3f acc %.3f",
             100.0 * (double)view->done / (double)view->steps, rate < 10, rate, left, totals->loss / samples,
             totals->correct / samples);
    used = strlen(before) + strlen(behind) + BAR_LEAST + 4;
    name_sweeps(sweeps, view->meter, columns > used ? columns - used : 0);
    append(behind, strlen(behind), sweeps);
}

static void draw(const struct progress *progress, const struct progress_view *view)
{
    static const char full[BAR_MOST + 1] = "##############################";
    static const char empty[BAR_MOST + 1] = "..............................";
    const size_t columns = terminal_columns();
    char before[WORDS], behind[WORDS];
    int bar, filled, room;

    name_view(before, behind, progress, view, columns);
    room = (int)columns - (int)strlen(before) - (int)strlen(behind) - 5;
    bar = room < BAR_LEAST ? BAR_LEAST : room > BAR_MOST ? BAR_MOST : room;
    filled = (int)(bar * (double)view->done / (double)view->steps);
    room = (int)columns - (int)strlen(before) - bar - 5;
    fprintf(stderr, ERASE_LINE "%s [%.*s%.*s] %.*s", before, filled, full, bar - filled, empty, room > 0 ? room : 0,
            behind);
    fflush(stderr);
}

static void print_view(const struct progress *progress, const struct progress_view *view)
{
    char before[WORDS], behind[WORDS];

    name_view(before, behind, progress, view, WORDS);
    fprintf(stderr, "%s  %s\n", before, behind);
}

void progress_step(struct progress *progress, const struct progress_view *view)
{
    const double now = progress_clock();

    if (progress->quiet || now - progress->drawn < (progress->terminal ? REDRAW_SECONDS : LINE_SECONDS))
        return;
    progress->drawn = now;
    if (progress->terminal)
        draw(progress, view);
    else
        print_view(progress, view);
}

void progress_epoch(struct progress *progress, int64_t epoch, const struct meter *meter, const struct scores *scores,
                    int best)
{
    const struct meter_totals *totals = &meter->totals;
    char sweeps[WORDS];

    if (progress->quiet)
        return;
    name_sweeps(sweeps, meter, WORDS);
    fprintf(stderr, "%sepoch %" PRId64 "/%" PRId64 "  train loss %.4f  test loss %.4f  test accuracy %.4f",
            progress->terminal ? ERASE_LINE : "", epoch, progress->epochs, totals->loss / totals->samples,
            scores->test.loss, scores->test.accuracy);
    if (scores->validated)
        fprintf(stderr, "  val accuracy %.4f", scores->validation.accuracy);
    fprintf(stderr, "%s  %.0f samples/s %s", best ? "*" : "", totals->samples / totals->seconds, sweeps);
    if (totals->unconverged > 0)
        fprintf(stderr, "  %.0f unconverged", totals->unconverged);
    fputc('\n', stderr);
    if (meter->unsettled[0] != '\0')
        fprintf(stderr, "  %s\n", meter->unsettled);
    progress->drawn = progress_clock();
}

void progress_end(struct progress *progress)
{
    if (!progress->quiet && progress->terminal)
        fprintf(stderr, ERASE_LINE);
}
