/* The dense coupling, <W s + b, s_above>. */
#include "core/context.h"
#include "energy/coupling.h"

static ffebm_status fit(ffebmi_coupling *coupling, ffebm_context *context, const char *what)
{
    FFEBMI_TRY(ffebmi_dense_parameters(context, coupling->parameters, what, coupling->out, coupling->below.count));
    coupling->parameter_count = coupling->learnable.bias ? 2 : 1;
    coupling->above = ffebmi_shape_vector(coupling->out);
    return FFEBM_OK;
}

static void up(const ffebmi_coupling *coupling, const ffebmi_kernel *k, const void *const *parameters, size_t rows,
               const void *s, void *z)
{
    size_t in = coupling->below.count, out = coupling->above.count;

    k->gemm(false, true, rows, out, in, 1, s, in, parameters[0], in, 0, z, out);
    if (coupling->learnable.bias)
        k->add_row(rows, out, parameters[1], z);
}

static void down(const ffebmi_coupling *coupling, const ffebmi_kernel *k, const void *const *parameters, size_t rows,
                 const void *s_above, bool accumulate, void *z)
{
    size_t in = coupling->below.count, out = coupling->above.count;

    k->gemm(false, false, rows, in, out, 1, s_above, out, parameters[0], in, accumulate ? 1 : 0, z, in);
}

/* dE/dW = - s_above s^T and dE/db = - s_above, each contrasted: with D the difference and M the mean of the two states,
 * D(s_above s^T) = D s_above M s^T + M s_above D s^T, the same number with less rounding than the two products. */
static void gradient(const ffebmi_coupling *coupling, const ffebmi_contrast *c, size_t layer, size_t parameter,
                     void *to, size_t first, size_t count)
{
    const ffebmi_kernel *k = c->kernel;
    size_t in = coupling->below.count, out = coupling->above.count;
    const void *d_above = ffebmi_at(k, c->difference[layer + 1], first);
    const void *m_above = ffebmi_at(k, c->mean[layer + 1], first);

    if (parameter == 1) {
        k->add_column_sums(c->batch, count, out, -c->weight, d_above, ffebmi_at(k, to, first));
        return;
    }
    to = ffebmi_at(k, to, first * in);
    k->gemm(true, false, count, in, c->batch, -c->weight, d_above, out, c->mean[layer], in, 1, to, in);
    k->gemm(true, false, count, in, c->batch, -c->weight, m_above, out, c->difference[layer], in, 1, to, in);
}

const ffebmi_coupling_kind ffebmi_coupling_dense = {
    .type = FFEBM_COUPLING_DENSE, .name = "dense", .fit = fit, .up = up, .down = down, .gradient = gradient};
