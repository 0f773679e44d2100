/* Read a JSON object field by field, with error texts that name place, key and what was expected. */
#ifndef FFEBMI_MODEL_FIELDS_H
#define FFEBMI_MODEL_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/json.h"

typedef struct ffebmi_fields {
    ffebm_context *context;
    const cJSON *object;
    const char *where; /* "stage 1 coupling 0"; lives as long as this */
} ffebmi_fields;

/* What a model description may be, before it is looked at as one. */
extern const ffebmi_json_form ffebmi_description_form;

/* Begin to read `object`: it must be one, and have no key twice and none but those listed (NULL-terminated). */
ffebm_status ffebmi_fields_begin(ffebmi_fields *fields, ffebm_context *context, const cJSON *object, const char *where,
                                 const char *const *keys);

/* Is there this key? */
bool ffebmi_fields_have(const ffebmi_fields *fields, const char *key);

/* Each leaves *value alone where the key is absent; ffebmi_fields_require makes that an error. */
ffebm_status ffebmi_fields_require(const ffebmi_fields *fields, const char *key);
ffebm_status ffebmi_fields_number(const ffebmi_fields *fields, const char *key, double *value);
ffebm_status ffebmi_fields_integer(const ffebmi_fields *fields, const char *key, int64_t *value);
ffebm_status ffebmi_fields_pair(const ffebmi_fields *fields, const char *key, int64_t smallest,
                                int64_t pair[2]); /* a number, or [height, width] */
ffebm_status ffebmi_fields_flag(const ffebmi_fields *fields, const char *key, int32_t *value);
ffebm_status ffebmi_fields_text(const ffebmi_fields *fields, const char *key, const char **value);
ffebm_status ffebmi_fields_array(const ffebmi_fields *fields, const char *key, const cJSON **value);
const cJSON *ffebmi_fields_item(const ffebmi_fields *fields, const char *key); /* NULL where absent */

/* Names with commas between them, as an error text lists what there is: `name` gives them from 0 on, then NULL. Returns
 * text. */
enum { FFEBMI_LISTED = 384 };
const char *ffebmi_fields_list(char text[FFEBMI_LISTED], const char *(*name)(size_t index));

/* A text out of a list: its value. */
typedef struct ffebmi_choice {
    const char *name; /* NULL ends the list */
    int32_t value;
} ffebmi_choice;

ffebm_status ffebmi_fields_choice(const ffebmi_fields *fields, const char *key, const ffebmi_choice *choices,
                                  int32_t *value);
const char *ffebmi_choice_name(const ffebmi_choice *choices, int32_t value);

#endif
