/* All unit tests in one program; CK_RUN_SUITE=name runs one suite. */
#include <stdlib.h>

#include "fixture.h"

static Suite *(*const suites[])(void) = {
    test_safetensors_suite,
    test_checkpoint_suite,
    test_saving_suite,
    test_bad_description_suite,
    test_bad_settings_suite,
    test_bad_input_suite,
    test_optimizer_suite,
    test_memory_suite,
    test_model_suite,
    test_feedforward_suite,
    test_tensor_suite,
    test_core_suite,
    test_gradient_suite,
    test_settling_suite,
    test_affine_force_suite,
    test_neurons_suite,
    test_reference_suite,
    test_implicit_suite,
    test_normalization_suite,
    test_convolution_suite,
    test_estimators_suite,
    test_bounds_suite,
    test_targets_suite,
    test_direct_suite,
    test_gemm_suite,
    test_certificate_suite,
    test_trace_suite,
    test_watch_suite,
    test_user_energy_suite,
    test_user_slices_suite,
    test_user_faults_suite,
    test_user_description_suite,
    test_user_feedforward_suite,
    test_recipe_suite,
    test_json_suite,
    test_json_memory_suite,
    test_cancel_suite,
    test_precision_suite,
    test_processors_suite,
    test_solver_suite,
    test_settings_suite,
    test_graph_suite,
    test_orders_suite,
    test_random_graphs_suite,
    test_tickets_suite,
    test_taps_suite,
    test_resistive_suite,
    test_objects_suite,
    test_bad_taps_suite,
    test_ranks_suite,
    test_device_suite,
    test_pulses_suite,
    test_levels_suite,
    test_ledger_suite,
    test_phases_suite,
    test_updates_suite,
    test_pace_suite,
};

int main(void)
{
    SRunner *runner = srunner_create(NULL);
    int failed;

    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++)
        srunner_add_suite(runner, suites[i]());
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
