/* Published devices, with the numbers that aihwkit has under these names. */
#include <string.h>

#include "core/context.h"
#include "core/text.h"
#include "device/device.h"

typedef struct preset {
    const char *name;
    double min, max, min_dtod, max_dtod;
    double dw_min, dw_min_dtod, dw_min_std, up_down, up_down_dtod, write_noise_std;
    int32_t step;
    double gamma_up, gamma_down, a_up, a_down, a, b;
} preset;

/* clang-format off */
static const preset presets[] = {
    /* Gokmen and Vlasov 2016, symmetric, with 10000 steps (Rasch, Gokmen and Haensch 2019) */
    {"idealized",     -1, 1, 0.3, 0.3,                         0.0002, 0.3, 0.3, 0, 0, 0,             FFEBM_STEP_CONSTANT, 1, 1, 0, 0, 1, 0},
    /* Gong et al. 2018 */
    {"reram_es",      -1, 1, 0.3, 0.3,                         0.00135, 0.2, 5, 0.259359, 0.05, 75,   FFEBM_STEP_EXPONENTIAL,
                      5, 5, -1.18445, -0.081404, -0.5, -0.5},
    {"reram_sb",      -0.75, 1.25, 0.3 / 0.75, 0.3 / 1.25,     0.002, 0.3, 3.75, 0, 0.01, 56,         FFEBM_STEP_SOFT_BOUNDS, 1, 1, 0, 0, 1, 0},
    /* Li et al. 2018, without its leakage */
    {"capacitor",     -1, 1, 0.07, 0.07,                       0.005, 0.1, 0.3, 0, 0.06, 0,           FFEBM_STEP_LINEAR, 0.05, 0.05, 0, 0, 1, 0},
    /* Tang et al. 2018; Kim et al. 2019 */
    {"ecram",         -0.8276, 1.1724, 0.05, 0.05,             0.002, 0.1, 0.3, 0, 0.01, 0,           FFEBM_STEP_LINEAR, 0.1153, 0.5085, 0, 0, 1, 0},
    {"ecram_mo",      -0.8286, 1.1714, 0.05, 0.05,             2.8214e-4, 0.1, 2, 0, 0.01, 0,         FFEBM_STEP_LINEAR, 0.4152, 0.7342, 0, 0, 1, 0},
    /* Nandakumar et al. 2020, without what its noise adds; pulses of either sign, though a cell of its kind only grows */
    {"pcm",           0, 2, 0, 0.1,                            0.01, 0.2, 0.6, 0, 0.05, 0,            FFEBM_STEP_EXPONENTIAL,
                      2.5, 2.5, -27.235, -2.235, -1, 0},
    /* Gokmen and Vlasov 2016 */
    {"gokmen_vlasov", -1, 1, 0.3, 0.3,                         0.0016, 0.3, 0.3, 0, 0.01, 0,          FFEBM_STEP_CONSTANT, 1, 1, 0, 0, 1, 0}};
/* clang-format on */

enum { COUNT = sizeof presets / sizeof presets[0] };

static void write(const preset *p, ffebm_device_config *c)
{
    c->weight_min = p->min;
    c->weight_max = p->max;
    c->weight_min_dtod = p->min_dtod;
    c->weight_max_dtod = p->max_dtod;
    c->update_dw_min = p->dw_min;
    c->update_dw_min_dtod = p->dw_min_dtod;
    c->update_dw_min_std = p->dw_min_std;
    c->update_up_down = p->up_down;
    c->update_up_down_dtod = p->up_down_dtod;
    c->update_write_noise_std = p->write_noise_std;
    c->update_gamma_up = p->gamma_up;
    c->update_gamma_down = p->gamma_down;
    c->update_exp_a_up = p->a_up;
    c->update_exp_a_down = p->a_down;
    c->update_exp_a = p->a;
    c->update_exp_b = p->b;
    c->update_mode = FFEBM_UPDATE_DIFFERENCE;
    c->update_step = p->step;
}

static const char *preset_name(size_t index)
{
    return index < COUNT ? presets[index].name : NULL;
}

ffebm_status ffebm_device_preset(ffebm_context *context, ffebm_device_config *config, const char *name)
{
    char known[FFEBMI_LISTED];

    FFEBMI_CHECK_ARGUMENT(context, config != NULL && name != NULL, "ffebm_device_preset: config or name is NULL");
    FFEBMI_CHECK(context, config->size >= sizeof *config, FFEBM_ERR_UNSUPPORTED,
                 "device: the struct's size is %zu, too short for a preset", config->size);
    for (size_t i = 0; i < COUNT; i++)
        if (strcmp(presets[i].name, name) == 0) {
            write(&presets[i], config);
            return FFEBM_OK;
        }
    return ffebmi_fail(context, FFEBM_ERR_NOT_FOUND, "device: no preset \"%.40s\", expected one of %s", name,
                       ffebmi_text_list(known, preset_name));
}
