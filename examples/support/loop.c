#include "loop.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "log.h"
#include "outcome.h"
#include "progress.h"
#include "signals.h"

/* Inside this file training can also end early. */
enum { STOPPED = -1 };

struct loop {
    struct run *run;
    struct progress progress;
    struct log log;
    struct scores scores; /* after the last epoch, */
    int32_t is_tested;    /* if it was tested here */
    size_t steps;         /* an epoch */
    size_t made;          /* steps, by this process */
    double started;       /* these are times of progress_clock */
    double saved;
    int signal;            /* that ends the run, on any rank; 0: none */
    double mark;           /* where the step being made began */
    double waited;         /* for data until then */
    double seconds_before; /* of the run, in processes before this one */
    int64_t saved_steps;   /* how many the last checkpoint had */
};

static int64_t steps_done(const struct loop *loop)
{
    return loop->run->note.epoch * (int64_t)loop->steps + loop->run->note.step;
}

/* Of the run until now, in all its processes. */
static double seconds(const struct loop *loop)
{
    return loop->seconds_before + progress_clock() - loop->started;
}

static struct log_place place(const struct loop *loop, int64_t epoch)
{
    return (struct log_place){.epoch = epoch, .step = steps_done(loop), .seconds = seconds(loop)};
}

static int out_of_time(const struct loop *loop)
{
    const double minutes = loop->run->settings.max_minutes;

    return minutes > 0 && progress_clock() - loop->started >= 60 * minutes;
}

/* ------------------------------------------------------------------------------------------------------------ ranks */

/* Shall the run end here? A signal that any rank has got counts, and the clock of whichever is ahead. */
static int must_stop(struct loop *loop, int by_time)
{
    struct run *run = loop->run;
    double said[] = {signals_caught(), by_time && out_of_time(loop)};

    ranks_largest(&run->ranks, said, 2);
    loop->signal = (int)said[0];
    return said[0] > 0 || said[1] > 0;
}

/* All ranks end here, for a reason that all have; the first one says it. */
static int end_together(struct loop *loop, int code)
{
    struct run *run = loop->run;

    run->together = 1;
    if (run->ranks.rank > 0)
        run->failure.text[0] = '\0';
    return code;
}

/* Do all ranks train the same model on the same data? Whoever computes otherwise than the others would lead all astray. */
static int compare_ranks(struct loop *loop)
{
    struct run *run = loop->run;
    const ffebm_tensor *values = ffebm_model_flat_parameters(run->model);
    const size_t bytes = ffebm_tensor_count(values) * (ffebm_tensor_dtype(values) == FFEBM_FLOAT32 ? 4 : 8);
    const int64_t facts[] = {run->note.data, run->note.seed, run->note.samples, steps_done(loop)};

    if (ranks_have_same(&run->ranks, facts, sizeof facts) &&
        ranks_have_same(&run->ranks, ffebm_tensor_const_data(values), bytes))
        return RUN_DONE;
    failure_set(&run->failure, "ranks have come apart: after %" PRId64 " steps they have other data or parameters",
                steps_done(loop));
    return end_together(loop, RUN_FAILED);
}

/* ------------------------------------------------------------------------------------------------------ checkpoints */

static int save(struct loop *loop, const char *path)
{
    struct run *run = loop->run;

    run->note.seconds = seconds(loop);
    return note_save(&run->note, run->context, run->model, run->optimizer, path, &run->failure) == 0 ? RUN_DONE
                                                                                                     : RUN_FAILED;
}

static int save_last(struct loop *loop)
{
    int code = loop->run->last == NULL ? RUN_DONE : save(loop, loop->run->last);

    loop->saved = progress_clock();
    loop->saved_steps = steps_done(loop);
    return code;
}

static int save_in_time(struct loop *loop)
{
    const double minutes = loop->run->settings.checkpoint_minutes;

    return minutes > 0 && progress_clock() - loop->saved >= 60 * minutes ? save_last(loop) : RUN_DONE;
}

/* ------------------------------------------------------------------------------------------------------------ steps */

/* Why stands in the failure. Nothing of it gets into a checkpoint, but what led to it into the log. */
static int diverge(struct loop *loop)
{
    struct run *run = loop->run;
    const struct meter *meter = &run->note.interval_meter;
    const struct log_place at = place(loop, run->note.epoch + 1);
    struct failure unlogged;

    if (meter->totals.steps > 0)
        log_steps(&loop->log, &at, meter, &unlogged);
    return end_together(loop, outcome_diverged(run, steps_done(loop), loop->saved_steps));
}

/* A value that is not finite is what divergence looks like from inside. What fails on one rank fails on all: who has the reason
 * says it, and the first rank how the run ends. */
static int check_step(struct loop *loop, ffebm_status status)
{
    struct run *run = loop->run;
    double diverged = status == FFEBM_ERR_NUMERIC;
    int32_t first;

    if (run_check(run, status) == RUN_DONE)
        return RUN_DONE;
    ranks_largest(&run->ranks, &diverged, 1);
    first = ranks_first(&run->ranks, status != FFEBM_ERR_RANK);
    run->together = 1;
    if (run->ranks.rank > 0 && run->ranks.rank != first)
        run->failure.text[0] = '\0';
    return diverged > 0 && run->ranks.rank == 0 ? diverge(loop) : RUN_FAILED;
}

/* Gradient and update. */
static int make_step(struct loop *loop, const struct batch *batch, ffebm_report *report, double rate)
{
    struct run *run = loop->run;
    int code;

    if ((code = check_step(loop, ffebm_engine_set_step(run->engine, (uint64_t)steps_done(loop)))) != RUN_DONE ||
        (code = check_step(loop, ffebm_engine_set_first_sample(run->engine, batch->first))) != RUN_DONE ||
        (code = check_step(
             loop, ffebm_engine_gradient(run->engine, report, batch_input(batch), batch->target, NULL))) != RUN_DONE ||
        (code = check_step(loop, ffebm_optimizer_set_learning_rate(run->optimizer, rate))) != RUN_DONE)
        return code;
    return check_step(loop, ffebm_optimizer_step(run->optimizer, run->engine));
}

static int measure_step(struct loop *loop, const ffebm_report *report, double rate)
{
    struct run *run = loop->run;
    struct run_note *note = &run->note;
    const double now = progress_clock(), waited = loader_waited_seconds(run->train);
    const struct meter_step step = {
        .report = report, .learning_rate = rate, .seconds = now - loop->mark, .waited = waited - loop->waited};
    ffebm_phase_report phase = {.size = sizeof phase};

    note->step++;
    loop->made++;
    note->training_samples += (double)report->batch;
    note->training_seconds += step.seconds;
    if (run_check(run, meter_add(&note->epoch_meter, run->engine, &step)) != RUN_DONE ||
        run_check(run, meter_add(&note->interval_meter, run->engine, &step)) != RUN_DONE)
        return RUN_FAILED;
    if (note->epoch_meter.blocks > 0 &&
        run_check(run, ffebm_engine_inspect_phase(run->engine, &phase, FFEBM_ALL, FFEBM_PHASE_FREE)) != RUN_DONE)
        return RUN_FAILED;
    ranks_largest(&run->ranks, &phase.residual_max, 1);
    if (watch_step(&note->watch, &run->settings.limits, report->loss, phase.residual_max, &run->failure) != 0)
        return diverge(loop);
    return RUN_DONE;
}

static int log_interval(struct loop *loop)
{
    struct run_note *note = &loop->run->note;
    const int64_t every = loop->run->settings.log_every;
    struct log_place at = place(loop, note->epoch + 1);

    if (every == 0 || steps_done(loop) % every != 0)
        return RUN_DONE;
    if (log_steps(&loop->log, &at, &note->interval_meter, &loop->run->failure) != 0)
        return RUN_FAILED;
    meter_clear(&note->interval_meter);
    return RUN_DONE;
}

static void show(struct loop *loop)
{
    const struct run_note *note = &loop->run->note;
    const int64_t all = loop->run->settings.recipe.epochs * (int64_t)loop->steps;
    const double each = (progress_clock() - loop->started) / (double)loop->made;
    const struct progress_view view = {.epoch = note->epoch + 1,
                                       .done = (size_t)note->step,
                                       .steps = loop->steps,
                                       .seconds_left = each * (double)(all - steps_done(loop)),
                                       .meter = &note->epoch_meter};

    progress_step(&loop->progress, &view);
}

static int train_step(struct loop *loop, const struct batch *batch)
{
    struct run *run = loop->run;
    const double rate = ffebm_recipe_learning_rate(&run->settings.recipe, steps_done(loop), (int64_t)loop->steps);
    ffebm_report report = {.size = sizeof report};
    int code;

    if ((code = make_step(loop, batch, &report, rate)) != RUN_DONE ||
        (code = measure_step(loop, &report, rate)) != RUN_DONE || (code = log_interval(loop)) != RUN_DONE)
        return code;
    show(loop);
    return save_in_time(loop);
}

/* ----------------------------------------------------------------------------------------------------------- epochs */

static void start_step(struct loop *loop)
{
    loop->mark = progress_clock();
    loop->waited = loader_waited_seconds(loop->run->train);
}

/* The steps that are left of an epoch. */
static int train_epoch(struct loop *loop)
{
    struct run *run = loop->run;
    const struct batch *batch;
    int more, code = RUN_DONE;

    if (run->note.step == 0)
        meter_clear(&run->note.epoch_meter);
    start_step(loop);
    loader_start(run->train, (uint64_t)run->note.epoch + 1, (size_t)run->note.step);
    while (code == RUN_DONE && (more = loader_next(run->train, &batch, &run->failure)) != 0) {
        if (more < 0)
            return RUN_FAILED;
        code = train_step(loop, batch);
        if (code == RUN_DONE && must_stop(loop, 1))
            code = STOPPED;
        start_step(loop);
    }
    return code;
}

/* On all samples of a part. A signal ends it without a result. */
static int score(struct loop *loop, struct score *score, struct loader *loader, size_t samples)
{
    struct run *run = loop->run;
    ffebm_report report = {.size = sizeof report};
    const double count = (double)samples;
    size_t correct = 0, correct_top5 = 0;
    const struct batch *batch;
    double loss = 0;
    int more, code;

    loader_start(loader, 0, 0);
    while ((more = loader_next(loader, &batch, &run->failure)) == 1) {
        code = check_step(loop,
                          ffebm_engine_evaluate(run->engine, &report, NULL, batch_input(batch), batch->target, NULL));
        if (code != RUN_DONE)
            return code;
        if (must_stop(loop, 0))
            return STOPPED;
        loss += report.loss * (double)report.batch / count;
        correct += report.correct;
        correct_top5 += report.correct_top5;
    }
    *score = (struct score){.loss = loss, .accuracy = (double)correct / count, .top5 = (double)correct_top5 / count};
    return more == 0 ? RUN_DONE : RUN_FAILED;
}

static int test(struct loop *loop)
{
    const struct run *run = loop->run;
    int code = score(loop, &loop->scores.test, run->test, run->data.test.count);

    loop->is_tested = code == RUN_DONE;
    loop->scores.validated = run->validation != NULL;
    if (code != RUN_DONE || run->validation == NULL)
        return code;
    return score(loop, &loop->scores.validation, run->validation, run->data.validation.count);
}

/* The best epoch is chosen on samples that are not trained on: on the test samples only for want of others. */
static double accuracy_that_counts(const struct scores *scores)
{
    return scores->validated ? scores->validation.accuracy : scores->test.accuracy;
}

/* An epoch is trained and tested: log it, keep it, and begin the next. */
static int finish_epoch(struct loop *loop)
{
    struct run *run = loop->run;
    struct run_note *note = &run->note;
    const double accuracy = accuracy_that_counts(&loop->scores);
    const int best = accuracy > note->best_accuracy;
    struct log_place at = place(loop, note->epoch + 1);
    int code = RUN_DONE;

    if (log_epoch(&loop->log, &at, &note->epoch_meter, &loop->scores, &run->failure) != 0)
        return RUN_FAILED;
    progress_epoch(&loop->progress, at.epoch, &note->epoch_meter, &loop->scores, best);
    note->epoch++;
    note->step = 0;
    if (best) {
        note->best_accuracy = accuracy;
        note->best_test_accuracy = loop->scores.test.accuracy;
        note->best_epoch = note->epoch;
        code = run->best != NULL ? save(loop, run->best) : RUN_DONE;
    }
    return code == RUN_DONE ? save_last(loop) : code;
}

static int run_epoch(struct loop *loop)
{
    int code;

    if ((code = train_epoch(loop)) != RUN_DONE || (code = test(loop)) != RUN_DONE ||
        (code = compare_ranks(loop)) != RUN_DONE)
        return code;
    return finish_epoch(loop);
}

/* ---------------------------------------------------------------------------------------------------- from end to end */

static const char *answer_to_signals(const struct progress *progress, int saving)
{
    static char answer[96];

    snprintf(answer, sizeof answer, "%strain: finishing this step%s; again to stop at once\n",
             progress->terminal ? "\n" : "", saving ? ", then saving" : "");
    return answer;
}

static int begin(struct loop *loop)
{
    struct run *run = loop->run;
    const char *path = run->log;
    int result;

    progress_init(&loop->progress, run->settings.recipe.epochs, run->settings.quiet);
    result = run->resumed == NULL ? log_create(&loop->log, path, &run->failure)
                                  : log_continue(&loop->log, path, steps_done(loop), run->note.epoch, &run->failure);
    if (result != 0)
        return RUN_FAILED;
    loop->saved = loop->started;
    loop->saved_steps = steps_done(loop);
    signals_catch(run->ranks.rank == 0 ? answer_to_signals(&loop->progress, run->last != NULL) : "");
    if (run->best == NULL) /* no run directory */
        return RUN_DONE;
    unlink(run->directory.result);
    return run->resumed == NULL ? save_last(loop) : RUN_DONE;
}

/* All epochs are done, or too many of them were no better. */
static int is_done(const struct run *run)
{
    const struct run_note *note = &run->note;
    const int64_t patience = run->settings.patience;

    return note->epoch >= run->settings.recipe.epochs || (patience > 0 && note->epoch - note->best_epoch >= patience);
}

static int train(struct loop *loop)
{
    struct run *run = loop->run;
    int code = RUN_DONE;

    while (code == RUN_DONE && !is_done(run))
        code = run_epoch(loop);
    progress_end(&loop->progress);
    if (code == STOPPED) { /* by a signal, or for want of time */
        loop->is_tested = 0;
        code = save_last(loop);
    }
    if (code == RUN_DONE && !loop->is_tested)
        code = loop->signal == 0 ? test(loop) : STOPPED;
    if (code == STOPPED)
        return end_together(loop, outcome_stopped(run, loop->signal, steps_done(loop)));
    if (code != RUN_DONE)
        return code;
    if (run->settings.recipe.epochs > 0 &&
        watch_end(&run->note.watch, &run->settings.limits, loop->scores.test.loss, &run->failure) != 0)
        return end_together(loop, outcome_diverged(run, steps_done(loop), loop->saved_steps));
    run->note.seconds = seconds(loop);
    return run->ranks.rank == 0 ? outcome_result(run, &loop->scores) : RUN_DONE;
}

int loop_run(struct run *run)
{
    struct loop loop = {.run = run,
                        .steps = loader_steps(run->train),
                        .started = progress_clock(),
                        .seconds_before = run->note.seconds};
    int code = run_together(run, begin(&loop));

    if (code == RUN_DONE)
        code = compare_ranks(&loop);
    if (code == RUN_DONE)
        code = train(&loop);
    log_close(&loop.log);
    return code;
}
