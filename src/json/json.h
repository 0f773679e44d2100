/* JSON: a text that nobody vouches for, to a tree. */
#ifndef FFEBMI_JSON_JSON_H
#define FFEBMI_JSON_JSON_H

#include <ffebm/core.h>

#include "core/parts.h"
#include "core/strict.h"

#include FFEBM_CJSON_HEADER

/* What a text may be, and how it is refused. A tree takes about a hundred bytes a value, whatever the value's length. */
typedef struct ffebmi_json_form {
    ffebm_status refusal;
    const char *name; /* begins the error text */
    size_t most_bytes;
    size_t most_values; /* objects, arrays, texts, numbers and the like */
    size_t most_texts;  /* keys and texts; 0: any number */
    size_t most_levels;
} ffebmi_json_form;

/* *root is to be deleted with cJSON_Delete, NULL on failure. The text says line and column: form->refusal if it is not
 * JSON in UTF-8 without NUL, or beyond the form's limits, which is found before anything is allocated; FFEBM_ERR_NOMEM. */
ffebm_status ffebmi_json_parse(ffebm_context *context, cJSON **root, const ffebmi_json_form *form, const char *json,
                               size_t length);

/* The check alone. */
ffebm_status ffebmi_json_check(ffebm_context *context, const ffebmi_json_form *form, const char *json, size_t length);

/* An item to be printed as this finite number, to the bit, alone or added to an object; NULL without memory. */
cJSON *ffebmi_json_number(double number);
cJSON *ffebmi_json_add_number(cJSON *object, const char *key, double number);

#endif
