#include "predict.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_text.h"
#include "text_file.h"

struct prediction {
    struct run *run;
    FILE *to;
    ffebm_tensor *memory; /* [batch, classes] */
    ffebm_tensor *output; /* its first rows */
    size_t classes;
    size_t done; /* samples */
    size_t right;
    int32_t has_probabilities;
};

static int create_output(struct prediction *p)
{
    struct run *run = p->run;
    ffebm_model_info info = {.size = sizeof info};
    int64_t shape[2] = {run->settings.recipe.batch, 0};

    if (run_check(run, ffebm_model_inspect(run->model, &info)) != RUN_DONE)
        return RUN_FAILED;
    p->classes = (size_t)(shape[1] = info.output_shape[0]);
    p->has_probabilities = info.loss == FFEBM_LOSS_CROSS_ENTROPY;
    if (run_check(run, ffebm_tensor_create(run->context, &p->memory, info.dtype, shape, 2)) != RUN_DONE)
        return RUN_FAILED;
    return run_check(run,
                     ffebm_tensor_wrap(run->context, &p->output, ffebm_tensor_data(p->memory), info.dtype, shape, 2));
}

static double output_at(const struct prediction *p, size_t row, size_t class)
{
    const void *data = ffebm_tensor_data(p->memory);
    const size_t i = row * p->classes + class;

    return ffebm_tensor_dtype(p->memory) == FFEBM_FLOAT64 ? ((const double *)data)[i]
                                                          : (double)((const float *)data)[i];
}

/* Of equal outputs the first counts, as in the library's reports. */
static size_t find_largest(const struct prediction *p, size_t row)
{
    size_t largest = 0;

    for (size_t class = 1; class < p->classes; class ++) {
        if (output_at(p, row, class) > output_at(p, row, largest))
            largest = class;
    }
    return largest;
}

/* softmax, of the largest output. */
static double probability_of(const struct prediction *p, size_t row, size_t largest)
{
    double sum = 0;

    for (size_t class = 0; class < p->classes; class ++)
        sum += exp(output_at(p, row, class) - output_at(p, row, largest));
    return 1 / sum;
}

static void write_row(struct prediction *p, size_t row, int64_t label)
{
    const size_t largest = find_largest(p, row);
    const locale_t before = json_numbers_begin();

    fprintf(p->to, "%zu,%" PRId64 ",%zu,%.9g\n", p->done, label, largest,
            p->has_probabilities ? probability_of(p, row, largest) : output_at(p, row, largest));
    json_numbers_end(before);
    p->done++;
    p->right += (int64_t)largest == label;
}

static int predict_batch(struct prediction *p, const struct batch *batch)
{
    struct run *run = p->run;
    const int64_t *labels = ffebm_tensor_data(batch->target);
    ffebm_status status = ffebm_tensor_rewrap(p->output, ffebm_tensor_data(p->memory), (int64_t)batch->rows);

    if (status == FFEBM_OK)
        status = ffebm_engine_forward(run->engine, p->output, NULL, batch->input);
    if (run_check(run, status) != RUN_DONE)
        return RUN_FAILED;
    for (size_t row = 0; row < batch->rows; row++)
        write_row(p, row, labels[row]);
    return RUN_DONE;
}

static int predict_all(struct prediction *p)
{
    struct run *run = p->run;
    const struct batch *batch;
    int more, code = create_output(p);

    if (code != RUN_DONE ||
        (code = run_check(run, ffebm_engine_set_mode(run->engine, FFEBM_MODE_EVALUATION))) != RUN_DONE)
        return code;
    fprintf(p->to, "index,label,prediction,%s\n", p->has_probabilities ? "probability" : "output");
    loader_start(run->test, 0, 0);
    while (code == RUN_DONE && (more = loader_next(run->test, &batch, &run->failure)) != 0)
        code = more < 0 ? RUN_FAILED : predict_batch(p, batch);
    return code;
}

static int print_result(const struct prediction *p)
{
    printf("{\"test_accuracy\": ");
    json_number_write(stdout, (double)p->right / (double)p->done);
    printf(", \"samples\": %zu, \"predictions\": ", p->done);
    json_text_write(stdout, p->run->settings.predict);
    if (printf("}\n") > 0 && fflush(stdout) == 0)
        return RUN_DONE;
    failure_set(&p->run->failure, "standard output: %s", strerror(errno));
    return RUN_FAILED;
}

int predict_run(struct run *run)
{
    char *text = NULL;
    size_t length;
    struct prediction p = {.run = run, .to = open_memstream(&text, &length)};
    int code = p.to != NULL ? predict_all(&p) : RUN_FAILED;

    if ((p.to == NULL || fclose(p.to) != 0) && code == RUN_DONE) {
        failure_set(&run->failure, "%s: out of memory", run->settings.predict);
        code = RUN_FAILED;
    }
    if (code == RUN_DONE && text_file_write(run->settings.predict, text, length, &run->failure) != 0)
        code = RUN_FAILED;
    free(text);
    ffebm_tensor_destroy(p.output);
    ffebm_tensor_destroy(p.memory);
    return code == RUN_DONE ? print_result(&p) : code;
}
