#include "outcome.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_text.h"
#include "signals.h"
#include "text_file.h"

static void write_number(FILE *to, const char *key, double number, int known)
{
    if (known)
        fprintf(to, "\"%s\": %.9g, ", key, number);
    else
        fprintf(to, "\"%s\": null, ", key);
}

/* What devices were written by, of this process; nothing where none is. */
static void write_pulses(FILE *to, const struct run *run)
{
    ffebm_pulse_info pulses = {.size = sizeof pulses};

    if (ffebm_model_inspect_pulses(run->model, &pulses, FFEBM_ALL) == FFEBM_OK && pulses.up + pulses.down > 0)
        fprintf(to, "\"pulses\": %" PRId64 ", \"pulses_clipped\": %" PRId64 ", \"pulses_limited\": %" PRId64 ", ",
                pulses.up + pulses.down, pulses.clipped, pulses.limited);
}

static void write_result(FILE *to, const struct run *run, const struct scores *scores)
{
    static const char *const settings[] = {"model",     "dataset", "epochs",    "batch", "seed",
                                           "optimizer", "lr",      "estimator", "beta",  NULL};
    const struct run_note *note = &run->note;
    const struct meter_totals *totals = &note->epoch_meter.totals;
    const int known = note->best_epoch > 0;
    const locale_t before = json_numbers_begin();

    fprintf(to, "{\"test_accuracy\": %.9g, \"test_top5\": %.9g, \"test_loss\": %.9g, ", scores->test.accuracy,
            scores->test.top5, scores->test.loss);
    write_number(to, "train_loss", totals->loss / totals->samples, totals->samples > 0);
    fprintf(to, "\"seconds\": %.6g, \"samples_per_second\": %.6g, \"epochs_done\": %" PRId64 ", ", note->seconds,
            note->training_seconds > 0 ? note->training_samples / note->training_seconds : 0, note->epoch);
    write_number(to, "best_epoch", (double)note->best_epoch, known);
    write_number(to, "best_test_accuracy", note->best_test_accuracy, known);
    if (scores->validated) {
        write_number(to, "best_val_accuracy", note->best_accuracy, known);
        fprintf(to, "\"val_accuracy\": %.9g, \"val_loss\": %.9g, ", scores->validation.accuracy,
                scores->validation.loss);
    }
    write_pulses(to, run);
    fprintf(to, "\"settings\": {");
    settings_write(to, &run->settings, settings, ", ");
    fprintf(to, "}}\n");
    json_numbers_end(before);
}

int outcome_result(struct run *run, const struct scores *scores)
{
    char *line = NULL;
    size_t length;
    FILE *to = open_memstream(&line, &length);
    int code = RUN_DONE;

    if (to != NULL)
        write_result(to, run, scores);
    if (to == NULL || fclose(to) != 0) {
        failure_set(&run->failure, "out of memory for the result");
        code = RUN_FAILED;
    } else if (run->best != NULL && text_file_write(run->directory.result, line, length, &run->failure) != 0) {
        code = RUN_FAILED;
    } else if (fputs(line, stdout) == EOF || fflush(stdout) != 0) {
        failure_set(&run->failure, "standard output: %s", strerror(errno));
        code = RUN_FAILED;
    }
    free(line);
    return code;
}

int outcome_stopped(struct run *run, int number, int64_t steps)
{
    struct failure how = {"nothing is kept, for want of --run"};

    if (run->best != NULL)
        failure_set(&how, "to go on: %s --resume %s", run->program, run->directory.path);
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
