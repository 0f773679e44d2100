/* Configurations as JSON objects, read and written by their tables of settings. */
#ifndef FFEBMI_JSON_SETTINGS_H
#define FFEBMI_JSON_SETTINGS_H

#include "core/setting.h"
#include "json/fields.h"
#include "json/give.h"

/* Begin to read an object that may have the keys of one or two tables (or NULL) and `others` (NULL-terminated). */
ffebm_status ffebmi_settings_begin(ffebmi_fields *fields, ffebm_context *context, const cJSON *object,
                                   const char *where, const char *const *others,
                                   const ffebmi_settings *const tables[2]);

/* Read what stands there over a configuration. The objects that it has then are its own, also on failure: the caller lets
 * go of them by ffebmi_settings_release. */
ffebm_status ffebmi_settings_parse(const ffebmi_fields *fields, const ffebmi_settings *table, void *config);

/* Read an object as a configuration of the type that its "type" has been found to be, with the defaults for what it leaves
 * out. */
ffebm_status ffebmi_settings_parse_type(ffebm_context *context, const cJSON *object, const char *where,
                                        const ffebmi_settings *table, int32_t type, void *config);

/* Read the object under a key as a configuration of its own, with the defaults for what it leaves out. A table with types
 * has a "type" that is a setting. */
ffebm_status ffebmi_settings_parse_key(const ffebmi_fields *parent, const char *key, const ffebmi_settings *table,
                                       void *config);

/* Give an object the settings of a configuration, or under a key an object that has them; false without memory. */
bool ffebmi_settings_give(cJSON *to, const ffebmi_settings *table, const void *config);
bool ffebmi_settings_give_key(cJSON *to, const char *key, const ffebmi_settings *table, const void *config);

#endif
