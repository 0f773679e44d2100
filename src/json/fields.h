/* Read a JSON object field by field, with error texts that name place, key and what was expected. */
#ifndef FFEBMI_JSON_FIELDS_H
#define FFEBMI_JSON_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "json/json.h"

typedef struct ffebmi_fields {
    ffebm_context *context;
    const cJSON *object;
    const char *where; /* "stage 1 coupling 0"; lives as long as this */
} ffebmi_fields;

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

/* A text out of `count` names: its value. */
ffebm_status ffebmi_fields_choice(const ffebmi_fields *fields, const char *key, const char *const *names,
                                  const int32_t *values, size_t count, int32_t *value);

/* The "type" of an object, read before the keys that it allows are known. */
ffebm_status ffebmi_fields_type(ffebm_context *context, const cJSON *object, const char *where, const char **type);

/* What the program brought ("user"), a description can name but not bring: FFEBM_ERR_UNSUPPORTED. */
ffebm_status ffebmi_fields_refuse_user(ffebm_context *context, const char *where, const char *type, const char *user);

/* What a builder has refused is malformed here: FFEBM_ERR_PARSE in place of FFEBM_ERR_ARGUMENT, and the text says where. */
ffebm_status ffebmi_fields_refused(ffebm_context *context, const char *where, ffebm_status status);

#endif
