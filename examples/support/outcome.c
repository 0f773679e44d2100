#include "outcome.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "signals.h"
#include "text_file.h"

int outcome_result(struct run *run, const struct score *test)
{
    const struct run_note *note = &run->note;
    const struct meter_totals *totals = &note->epoch_meter.totals;
    char train_loss[32] = "null", line[512];
    int length;

    if (totals->samples > 0)
        snprintf(train_loss, sizeof train_loss, "%.9g", totals->loss / totals->samples);
    length = snprintf(line, sizeof line,
                      "{\"test_accuracy\": %.9g, \"test_top5\": %.9g, \"test_loss\": %.9g, \"train_loss\": %s, "
                      "\"seconds\": %.6g, \"samples_per_second\": %.6g}\n",
                      test->accuracy, test->top5, test->loss, train_loss, note->seconds,
                      note->training_seconds > 0 ? note->training_samples / note->training_seconds : 0);
    if (run->best != NULL && text_file_write(run->directory.result, line, (size_t)length, &run->failure) != 0)
        return RUN_FAILED;
    if (fputs(line, stdout) == EOF || fflush(stdout) != 0) {
        failure_set(&run->failure, "standard output: %s", strerror(errno));
        return RUN_FAILED;
    }
    return RUN_DONE;
}

int outcome_stopped(struct run *run, int number, int64_t steps)
{
    struct failure how = {"nothing is kept, for want of --run"};

    if (run->best != NULL)
        failure_set(&how, "to go on: train --resume %s", run->directory.path);
    else if (run->last != NULL)
        failure_set(&how, "to go on, give its options again and --resume %s", run->last);
    failure_set(&run->failure, "%s after step %" PRId64 ", %" PRId64 " of epoch %" PRId64 "; %s", signals_name(number),
                steps, run->note.step, run->note.epoch + 1, how.text);
    return 128 + number;
}

int outcome_diverged(struct run *run, int64_t steps, int64_t saved)
{
    const struct run_note *note = &run->note;
    const struct failure why = run->failure;
    struct failure left = {""};

    if (run->best != NULL && note->best_epoch > 0)
        failure_set(&left, "; the checkpoints of step %" PRId64 " and of the best epoch, %" PRId64 ", are %s and %s",
                    saved, note->best_epoch, run->last, run->best);
    else if (run->last != NULL)
        failure_set(&left, "; the checkpoint of step %" PRId64 " is %s", saved, run->last);
    failure_set(&run->failure, "diverged after step %" PRId64 ", %" PRId64 " of epoch %" PRId64 ": %.400s%s", steps,
                note->step, note->epoch + 1, why.text, left.text);
    return RUN_FAILED;
}
