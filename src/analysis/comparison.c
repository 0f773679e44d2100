#include "analysis/comparison.h"

#include <math.h>
#include <string.h>

#include "core/ranks.h"

ffebmi_comparison ffebmi_compare(const ffebmi_arrays *k, size_t count, const void *gradient, const void *reference,
                                 void *scratch)
{
    ffebmi_comparison c = {.norm = k->norm(count, gradient), .reference_norm = k->norm(count, reference)};
    double error;

    memcpy(scratch, gradient, count * k->element);
    k->add_scaled(count, -1, reference, scratch);
    error = k->norm(count, scratch);
    c.relative_error = error == 0 ? 0 : error / c.reference_norm;
    c.cosine = c.norm == c.reference_norm ? 1 : 0;
    if (c.norm == 0 || c.reference_norm == 0)
        return c;
    k->scale(count, 1 / c.reference_norm, reference, scratch); /* so that no product underflows */
    c.cosine = fmin(k->dot(count, gradient, scratch) / c.norm, 1);
    return c;
}

ffebm_status ffebmi_comparison_sum(ffebm_context *context, ffebmi_comparison *c)
{
    double error = c->reference_norm > 0 ? c->relative_error * c->reference_norm : c->norm;
    double sums[] = {c->norm * c->norm, c->reference_norm * c->reference_norm, error * error,
                     c->cosine * c->norm * c->reference_norm};

    if (!ffebmi_ranks_are_many(context))
        return FFEBM_OK;
    FFEBMI_TRY(ffebmi_ranks_meet(context, sums, sizeof sums / sizeof sums[0]));
    c->norm = sqrt(sums[0]);
    c->reference_norm = sqrt(sums[1]);
    c->relative_error = sums[2] == 0 ? 0 : sqrt(sums[2]) / c->reference_norm;
    c->cosine = c->norm == c->reference_norm ? 1 : 0;
    if (c->norm > 0 && c->reference_norm > 0)
        c->cosine = fmin(sums[3] / c->norm / c->reference_norm, 1);
    return FFEBM_OK;
}

ffebm_status ffebmi_comparison_norm(const ffebm_engine *engine, size_t count, const void *tensor, bool in_parts,
                                    double *norm)
{
    double square;

    *norm = engine->arrays->norm(count, tensor);
    if (!in_parts || !ffebmi_ranks_are_many(engine->context))
        return FFEBM_OK;
    square = *norm * *norm;
    FFEBMI_TRY(ffebmi_ranks_meet(engine->context, &square, 1));
    *norm = sqrt(square);
    return FFEBM_OK;
}

static double rounding(const ffebm_engine *engine)
{
    return engine->model->dtype == FFEBM_FLOAT32 ? 1e-5 : 1e-14;
}

static bool of_one_op(const ffebmi_model_parameter *a, const ffebmi_model_parameter *b)
{
    size_t prefix = (size_t)(strrchr(a->name, '.') - a->name);

    return strncmp(a->name, b->name, prefix + 1) == 0;
}

bool ffebmi_comparison_is_zero(const ffebm_engine *engine, const void *flat_gradient, size_t parameter)
{
    const ffebmi_model_parameter *all = engine->model->parameters;
    const ffebmi_arrays *k = engine->arrays;
    double norm = 0, largest = 0;

    for (size_t i = 0; i < engine->model->parameter_count; i++)
        if (of_one_op(&all[parameter], &all[i])) {
            double other = k->norm(all[i].parameter.shape.count, ffebmi_at(k, flat_gradient, all[i].offset));

            norm = i == parameter ? other : norm;
            largest = fmax(largest, other);
        }
    return norm <= rounding(engine) * largest;
}
