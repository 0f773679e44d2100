/* What the tests share: a model with an engine in one call, random batches, and the number that each compares. */
#ifndef FFEBM_TESTS_FIXTURE_H
#define FFEBM_TESTS_FIXTURE_H

#include <check.h>
#include <ffebm.h>

/* One suite a file, collected in main.c. */
Suite *test_bad_description_suite(void);
Suite *test_bad_settings_suite(void);
Suite *test_bad_input_suite(void);
Suite *test_optimizer_suite(void);
Suite *test_memory_suite(void);
Suite *test_model_suite(void);
Suite *test_feedforward_suite(void);
Suite *test_tensor_suite(void);
Suite *test_core_suite(void);
Suite *test_gradient_suite(void);
Suite *test_safetensors_suite(void);
Suite *test_checkpoint_suite(void);
Suite *test_saving_suite(void);
Suite *test_settling_suite(void);
Suite *test_affine_force_suite(void);
Suite *test_neurons_suite(void);
Suite *test_reference_suite(void);
Suite *test_implicit_suite(void);
Suite *test_normalization_suite(void);
Suite *test_convolution_suite(void);
Suite *test_estimators_suite(void);
Suite *test_bounds_suite(void);
Suite *test_targets_suite(void);
Suite *test_direct_suite(void);
Suite *test_gemm_suite(void);
Suite *test_user_energy_suite(void);
Suite *test_user_description_suite(void);
Suite *test_user_feedforward_suite(void);
Suite *test_user_faults_suite(void);
Suite *test_user_slices_suite(void);
Suite *test_certificate_suite(void);
Suite *test_trace_suite(void);
Suite *test_watch_suite(void);
Suite *test_recipe_suite(void);
Suite *test_json_suite(void);
Suite *test_json_memory_suite(void);
Suite *test_cancel_suite(void);
Suite *test_precision_suite(void);
Suite *test_processors_suite(void);
Suite *test_solver_suite(void);
Suite *test_settings_suite(void);
Suite *test_graph_suite(void);
Suite *test_orders_suite(void);
Suite *test_random_graphs_suite(void);
Suite *test_tickets_suite(void);
Suite *test_taps_suite(void);
Suite *test_resistive_suite(void);
Suite *test_objects_suite(void);
Suite *test_bad_taps_suite(void);
Suite *test_ranks_suite(void);
Suite *test_device_suite(void);
Suite *test_pulses_suite(void);
Suite *test_levels_suite(void);
Suite *test_ledger_suite(void);
Suite *test_phases_suite(void);
Suite *test_updates_suite(void);
Suite *test_pace_suite(void);

#define assert_ok(context, call) ck_assert_msg((call) == FFEBM_OK, "%s: %s", #call, ffebm_context_error(context))

typedef struct fixture {
    ffebm_context *context;
    ffebm_model *model;
    ffebm_engine *engine;
    ffebm_model_info info;
    size_t inputs; /* units of a sample */
    size_t outputs;
} fixture;

/* A model from its description, initialised from `seed`, with an engine. dtype 0: the description's. */
fixture fixture_of(const char *json, int32_t dtype, int32_t threads, uint64_t seed);
void fixture_end(fixture *f);

/* Chains of two energy blocks (stages 1 and 3) where nothing is near a bound: with small gains and biases of 0.8 no nudge
 * moves a unit to another region. The first has cross entropy behind a readout, the second mse on its last block. */
extern const char interior_readout[];
extern const char interior_bare[];

/* Of the last forward, for the vjp that belongs to it. */
extern uint64_t ticket;

/* A tensor [rows, sample...] in the model's type, uniform in [low, high]. Rank 0: [rows]. */
ffebm_tensor *random_batch(ffebm_context *context, int32_t dtype, int64_t rows, const int64_t *sample, size_t rank,
                           double low, double high, uint64_t seed);
ffebm_tensor *random_input(const fixture *f, int64_t rows, uint64_t seed);
ffebm_tensor *random_labels(const fixture *f, int64_t rows, uint64_t seed);

double element(const ffebm_tensor *tensor, size_t i);
void set_element(ffebm_tensor *tensor, size_t i, double value);

/* |a - b| / |b| over whole tensors. */
double relative_error(const ffebm_tensor *a, const ffebm_tensor *b);

/* The largest |a - b| / |b| of a parameter, of two flat gradients: those of lower blocks are small, and would drown in a
 * norm over all. */
double worst_error(const fixture *f, const ffebm_tensor *a, const ffebm_tensor *b);

/* A tensor like this one, with its values. */
ffebm_tensor *copy_of(ffebm_context *context, const ffebm_tensor *tensor);

void destroy_all(ffebm_tensor **tensors, size_t count);

/* The default equilibrium, converged as far as float64 goes. */
ffebm_equilibrium_config converged(void);

/* Of a model's first energy block: its stage, how many layers it has, one of them (rows of it, in a phase), all of them set at
 * random in [0, 1], and the energies of the free state. */
size_t block_stage(const fixture *f);
size_t layer_count(const fixture *f);
ffebm_tensor *layer_state(const fixture *f, size_t layer, int64_t rows, int32_t phase);
ffebm_tensor *random_layer(const fixture *f, size_t layer, int64_t rows, double low, double high, uint64_t seed);
void set_random_state(const fixture *f, int64_t rows, uint64_t seed);
ffebm_tensor *energies_of(const fixture *f, const ffebm_tensor *x, int64_t rows);

/* A model with one batch to compute on. */
typedef struct problem {
    fixture f;
    ffebm_tensor *x;
    ffebm_tensor *y;
} problem;

problem problem_of(const char *json, int32_t dtype, int32_t threads, int64_t rows);
void problem_end(problem *p);

/* Without momentum. */
ffebm_optimizer *sgd_of(problem *p, double learning_rate);

/* The gradient, copied, and its report (NULL if not wanted). */
ffebm_tensor *gradient_of(problem *p, ffebm_report *report);

#endif
