/* ffebm/settings.h - every setting by its key: what there is, within which bounds, and one read or written as text.
 *
 * One table in the library has the fields of all configurations. By it the library checks what it is given, reads and
 * writes the model description, and words its errors; programs make their options and help of it, bindings their
 * structs. Keys are those of the model description where it has them. A field of a nested object has a key with a dot:
 * "pool.kernel" of a coupling is its JSON {"pool": {"kernel": ..}} and the field pool_kernel.
 *
 *     ffebm_setting_write(context, &config, FFEBM_CONFIG_EQUILIBRIUM, "estimator", "four_point");
 */
#ifndef FFEBM_SETTINGS_H
#define FFEBM_SETTINGS_H

#include "core.h"

#ifdef __cplusplus
extern "C" {
#endif

/* clang-format off */
enum {                                  /* the configurations that have settings */
    FFEBM_CONFIG_CONTEXT        = 1,    /* ffebm_context_config: threads and max_isa */
    FFEBM_CONFIG_INITIALIZATION = 2,    /* ffebm_initialization */
    FFEBM_CONFIG_OP             = 3,    /* ffebm_op_config: those of all types */
    FFEBM_CONFIG_COUPLING       = 4,    /* ffebm_coupling_config: those of all types */
    FFEBM_CONFIG_HOPFIELD       = 5,    /* ffebm_hopfield_config */
    FFEBM_CONFIG_EQUILIBRIUM    = 6,    /* ffebm_equilibrium_config; with RECIPE, the keys of a description's "recipe" */
    FFEBM_CONFIG_RECIPE         = 7,    /* ffebm_recipe */
    FFEBM_CONFIG_ENGINE         = 8,    /* ffebm_engine_config */
    FFEBM_CONFIG_CERTIFY        = 9,    /* ffebm_certify_config */
    FFEBM_CONFIG_SGD            = 10,   /* ffebm_sgd_config */
    FFEBM_CONFIG_ADAM           = 11,   /* ffebm_adam_config */
    FFEBM_CONFIG_RESISTIVE      = 12,   /* ffebm_resistive_config */
    FFEBM_CONFIG_ACTIVATION     = 13,   /* ffebm_activation: those of all types */
    FFEBM_CONFIG_DEVICE         = 14,   /* ffebm_device_config */
    FFEBM_CONFIG_LEDGER         = 15    /* ffebm_ledger_config */
};

enum {                                  /* as text                                  in the struct                        */
    FFEBM_SETTING_NUMBER  = 1,          /* "0.2", "1e-4", "inf"                     double                               */
    FFEBM_SETTING_INTEGER = 2,          /* "60"                                     int32_t, int64_t, uint64_t or size_t */
    FFEBM_SETTING_FLAG    = 3,          /* "true", "false"                          int32_t, 0 or 1                      */
    FFEBM_SETTING_CHOICE  = 4,          /* one of `choices`                         int32_t, one of `values`             */
    FFEBM_SETTING_WINDOW  = 5,          /* "3", "[3, 5]"                            int64_t[2]                           */
    FFEBM_SETTING_OBJECT  = 6           /* listed, but neither read nor written     a pointer to the struct of `object`  */
};
/* clang-format on */

/** Facts about one setting; all that it points to is static. */
typedef struct ffebm_setting_info {
    size_t size;
    const char *key;            /* "free_sweeps", "pool.kernel" */
    const char *field;          /* of the struct: "free_sweeps", "pool_kernel" */
    const char *unit;           /* "samples", "epochs"; "" where there is none */
    const char *text;           /* one line: what it does */
    const char *initial;        /* its default, as text; "" where it must be set, or depends on the type */
    const char *const *choices; /* choice_count names, as in "centered"; NULL of all but a CHOICE */
    const int32_t *values;      /* choice_count constants, in the order of the names */
    size_t choice_count;        /* 0 of all but a CHOICE */
    size_t offset;              /* of the field in this library's struct, in bytes */
    size_t bytes;               /* of one of its numbers */
    size_t count;               /* numbers in the field: 2 of a WINDOW, else 1 */
    double lower;               /* the least that is allowed; -INFINITY: no bound */
    double upper;               /* the most; INFINITY: no bound */
    int32_t lower_open;         /* 1: more than `lower`; of -INFINITY: any finite one */
    int32_t upper_open;         /* 1: less than `upper`; of INFINITY: any finite one */
    int32_t type;               /* FFEBM_SETTING_ */
    int32_t object;             /* of an OBJECT: FFEBM_CONFIG_ of what it points to; else 0 */
} ffebm_setting_info;

/** Describe one setting.
 *
 *  Returns: FFEBM_OK.
 *           FFEBM_ERR_NOT_FOUND: the struct has no more than `index` settings.
 *  Out:     info:  set info->size first.
 *  In:      kind:  FFEBM_CONFIG_.
 *           index: from 0, in the order of the struct.
 *
 *  Needs no context: the status is all there is to know of a failure. Any thread may ask at any time.
 */
FFEBM_API ffebm_status ffebm_setting_inspect(ffebm_setting_info *info, int32_t kind, size_t index);

/** Find a setting by its key.
 *
 *  Returns: its index, or FFEBM_NONE.
 *  In:      kind: FFEBM_CONFIG_.
 *           key:  as in "pool.kernel".
 */
FFEBM_API size_t ffebm_setting_find(int32_t kind, const char *key);

/** Read one setting of a configuration as text.
 *
 *  Returns: FFEBM_OK:              *length is the text's; as much as fits is in text, which ends in NUL if capacity > 0.
 *           FFEBM_ERR_NOT_FOUND:   there is no such key; the error text names those that there are.
 *           FFEBM_ERR_UNSUPPORTED: it is an OBJECT, or the struct is too short for this field.
 *  In:      context: for its error text; NULL: the status is all there is to know.
 *  Out:     text, capacity: NULL and 0 to ask for the length alone; 64 bytes are always enough. "" on failure.
 *           length: without NUL, of the whole text; 0 on failure; NULL if not wanted.
 *  In:      kind, key: as ffebm_setting_find.
 *           config: the struct that `kind` says, with its size.
 */
FFEBM_API ffebm_status ffebm_setting_read(ffebm_context *context, char *text, size_t capacity, size_t *length,
                                          int32_t kind, const char *key, const void *config);

/** Read one setting of a configuration as a number.
 *
 *  Returns: as ffebm_setting_read.
 *  In:      context: for its error text; NULL: the status is all there is to know.
 *  Out:     number: the constant of a CHOICE, the height of a WINDOW, NaN of a default that is no number ("newest"). NaN on
 *                   failure.
 *  In:      kind, key, config: as ffebm_setting_read.
 */
FFEBM_API ffebm_status ffebm_setting_read_number(ffebm_context *context, double *number, int32_t kind, const char *key,
                                                 const void *config);

/** Write one setting of a configuration, given as text.
 *
 *  Returns: FFEBM_OK.
 *           FFEBM_ERR_NOT_FOUND:   there is no such key; the error text names those that there are.
 *           FFEBM_ERR_ARGUMENT:    value is no text of the setting's type, or out of its bounds; the error text has both.
 *           FFEBM_ERR_UNSUPPORTED: as ffebm_setting_read.
 *  In:      context: for its error text; NULL: the status is all there is to know.
 *  In/Out:  config:  the struct that `kind` says, with its size; unchanged on failure.
 *  In:      kind, key: as ffebm_setting_find.
 *           value:   as FFEBM_SETTING_ says, whatever the locale; a CHOICE also as the number of its constant.
 *
 *  Each value is checked alone. What two of them must have in common is checked where the configuration is used.
 */
FFEBM_API ffebm_status ffebm_setting_write(ffebm_context *context, void *config, int32_t kind, const char *key,
                                           const char *value);

/** Write one setting of a configuration, given as a number.
 *
 *  Returns: as ffebm_setting_write; FFEBM_ERR_ARGUMENT also where the setting is an integer and value is none.
 *  In:      context: for its error text; NULL: the status is all there is to know.
 *  In/Out:  config:  as ffebm_setting_write.
 *  In:      kind, key: as ffebm_setting_find.
 *           value:   a constant of a CHOICE; both sides of a WINDOW. Integers beyond 2^53 go as text only.
 */
FFEBM_API ffebm_status ffebm_setting_write_number(ffebm_context *context, void *config, int32_t kind, const char *key,
                                                  double value);

#ifdef __cplusplus
}
#endif
#endif
