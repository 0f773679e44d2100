/* A deep resistive network with real diodes: built by calls, settled by hand, and read: its energy, which is the co-content of the
 * circuit, its output, what flows out of its sources, and the largest beta by which the loss may nudge it.
 *
 *   resistive
 *
 * docs/resistive.md is the guide. It is trained as any model: quickstart.c. A network that is not made of layers is a block of
 * one's own: resistor_network.c. */
#include <stdio.h>

#include <ffebm.h>

enum { BATCH = 4, IN = 6, OUT = 4 };

static ffebm_status add_nodes(ffebm_energy *block, int64_t nodes)
{
    ffebm_coupling_config config;

    ffebm_coupling_config_init(&config, sizeof config, FFEBM_COUPLING_DENSE);
    config.out = nodes;
    config.bias = 0;
    return ffebm_energy_add_coupling(block, &config);
}

static ffebm_status build(ffebm_context *context, ffebm_model **model)
{
    static const int64_t shape[] = {IN};
    ffebm_resistive_config config;
    ffebm_energy *block = NULL;
    ffebm_status status;

    ffebm_resistive_config_init(&config, sizeof config);
    config.input_gain = 20;
    config.g_min = 1.0 / 30; /* an on/off ratio of 30 */
    config.g_max = 1;
    config.diode_threshold = 0.2;
    config.diode_conductance = 50;
    if ((status = ffebm_model_create(context, model, FFEBM_FLOAT64, shape, 1, FFEBM_LOSS_MSE)) == FFEBM_OK &&
        (status = ffebm_energy_create_resistive(context, &block, &config)) == FFEBM_OK &&
        (status = add_nodes(block, 8)) == FFEBM_OK && /* layer 0: the first nodes; the sources are no layer */
        (status = add_nodes(block, OUT)) == FFEBM_OK && (status = ffebm_model_add_energy(*model, &block)) == FFEBM_OK)
        status = ffebm_model_initialize(*model, 1);
    ffebm_energy_destroy(block);
    return status;
}

/* Settle stage 0, the only one, and read: E; the output, which is its layer 1; and dE/dx, the currents out of a number's two
 * sources, the first less the second, times the gain. */
static ffebm_status measure(ffebm_engine *engine, ffebm_tensor *energy, ffebm_tensor *output, ffebm_tensor *slopes,
                            double *beta, const ffebm_tensor *input)
{
    ffebm_status status = ffebm_engine_settle(engine, 0, input, NULL);

    if (status == FFEBM_OK)
        status = ffebm_engine_energy(engine, energy, 0, FFEBM_PHASE_FREE, input);
    if (status == FFEBM_OK)
        status = ffebm_engine_get_state(engine, output, 0, 1, FFEBM_PHASE_FREE);
    if (status == FFEBM_OK)
        status = ffebm_engine_energy_gradient(engine, slopes, 0, FFEBM_PHASE_FREE);
    if (status == FFEBM_OK)
        status = ffebm_engine_stable_beta(engine, beta, 0);
    return status;
}

int main(void)
{
    static double x[BATCH * IN], by_x[BATCH * IN], voltages[BATCH * OUT], energies[BATCH];
    static const int64_t in[] = {BATCH, IN}, out[] = {BATCH, OUT};
    ffebm_context *context = NULL;
    ffebm_model *model = NULL;
    ffebm_engine *engine = NULL;
    ffebm_tensor *input = NULL, *slopes = NULL, *output = NULL, *energy = NULL;
    ffebm_status status;
    double beta = 0;

    for (size_t i = 0; i < BATCH * IN; i++)
        x[i] = ffebm_random_uniform(1, i);
    if ((status = ffebm_context_create(&context, NULL)) == FFEBM_OK && (status = build(context, &model)) == FFEBM_OK &&
        (status = ffebm_engine_create(&engine, model, NULL)) == FFEBM_OK &&
        (status = ffebm_tensor_wrap(context, &input, x, FFEBM_FLOAT64, in, 2)) == FFEBM_OK &&
        (status = ffebm_tensor_wrap(context, &slopes, by_x, FFEBM_FLOAT64, in, 2)) == FFEBM_OK &&
        (status = ffebm_tensor_wrap(context, &output, voltages, FFEBM_FLOAT64, out, 2)) == FFEBM_OK &&
        (status = ffebm_tensor_wrap(context, &energy, energies, FFEBM_FLOAT64, in, 1)) == FFEBM_OK)
        status = measure(engine, energy, output, slopes, &beta, input);
    for (size_t i = 0; status == FFEBM_OK && i < BATCH; i++)
        printf("sample %zu: E %.3f W, first output %.3f V, dE by its first input %.3f W\n", i, energies[i],
               voltages[i * OUT], by_x[i * IN]);
    if (status == FFEBM_OK)
        printf("largest stable beta %.3f\n", beta);
    if (status != FFEBM_OK)
        fprintf(stderr, "%s\n", ffebm_context_error(context));
    ffebm_tensor_destroy(energy);
    ffebm_tensor_destroy(output);
    ffebm_tensor_destroy(slopes);
    ffebm_tensor_destroy(input);
    ffebm_engine_destroy(engine);
    ffebm_model_destroy(model);
    ffebm_context_destroy(context);
    return status != FFEBM_OK;
}
