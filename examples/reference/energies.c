/* The energies that a reference file states in its metadata, `energy`: {"stage1": [of each sample], ..}, at the free state. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reference.h"

/* What is an energy stage's at the last free state, as a new tensor: its input, and the energies of the samples. */
static ffebm_status take_input(struct reference *r, size_t stage, int64_t rows, ffebm_tensor **input)
{
    ffebm_stage_info info = {.size = sizeof info};
    int64_t shape[FFEBM_MAX_RANK] = {rows};
    ffebm_status status = ffebm_model_inspect_stage(r->model, &info, stage);

    if (status != FFEBM_OK)
        return status;
    memcpy(shape + 1, info.input_shape, info.input_rank * sizeof *shape);
    status = ffebm_tensor_create(r->context, input, FFEBM_FLOAT64, shape, info.input_rank + 1);
    return status == FFEBM_OK ? ffebm_engine_get_input(r->engine, *input, stage, 0) : status;
}

static ffebm_status take_energies(struct reference *r, size_t stage, int64_t rows, ffebm_tensor **energies)
{
    ffebm_tensor *input = NULL;
    ffebm_status status = take_input(r, stage, rows, &input);

    if (status == FFEBM_OK && (status = ffebm_tensor_create(r->context, energies, FFEBM_FLOAT64, &rows, 1)) == FFEBM_OK)
        status = ffebm_engine_energy(r->engine, *energies, stage, FFEBM_PHASE_FREE, input);
    ffebm_tensor_destroy(input);
    return status;
}

/* One stage's list; *text is behind it then. As many numbers as there are samples. */
static ffebm_status compare_list(struct reference *r, const double *ours, int64_t rows, const char **text,
                                 double *worst)
{
    double difference = 0, size = 0;

    for (int64_t i = 0; i < rows; i++) {
        char *end;
        double theirs = strtod(*text, &end);

        if (end == *text || *(end += strspn(end, " ")) != (i + 1 < rows ? ',' : ']'))
            return FFEBM_ERR_FORMAT;
        difference = ours[i] == ours[i] ? fmax(difference, fabs(ours[i] - theirs)) : INFINITY;
        size = fmax(size, fabs(theirs));
        *text = end + 1;
    }
    *worst = fmax(*worst, difference == 0 ? 0 : difference / size);
    r->compared++;
    return FFEBM_OK;
}

static ffebm_status compare_energies(struct reference *r, const char *text, double *worst)
{
    int64_t rows = ffebm_tensor_shape(r->input, NULL)[0];
    ffebm_status status = FFEBM_OK;

    while (status == FFEBM_OK && (text = strstr(text, "\"stage")) != NULL) {
        ffebm_tensor *energies = NULL;
        size_t stage = strtoul(text + strlen("\"stage"), NULL, 10);

        text = strchr(text, '[');
        if (text++ == NULL)
            return FFEBM_ERR_FORMAT;
        status = take_energies(r, stage, rows, &energies);
        if (status == FFEBM_OK)
            status = compare_list(r, ffebm_tensor_const_data(energies), rows, &text, worst);
        ffebm_tensor_destroy(energies);
    }
    return status;
}

ffebm_status reference_verify_energies(struct reference *r)
{
    char *text = NULL;
    double worst = 0;
    size_t before = r->compared;
    ffebm_status status = reference_metadata(r, "energy", &text);

    if (status == FFEBM_ERR_NOT_FOUND)
        return FFEBM_OK;
    if (status == FFEBM_OK && (status = ffebm_engine_configure(r->engine, FFEBM_ALL, &r->equilibrium)) == FFEBM_OK &&
        (status = ffebm_engine_forward(r->engine, r->output, NULL, r->input)) == FFEBM_OK)
        status = compare_energies(r, text, &worst);
    if (status == FFEBM_OK)
        reference_print(r, "energy", r->compared - before, worst);
    else
        fprintf(stderr, "%s: energies in the metadata: %s\n", r->path, ffebm_status_text(status));
    free(text);
    return status;
}
