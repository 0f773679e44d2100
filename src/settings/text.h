/* A setting's value as text, the same in every locale, and to the bit. */
#ifndef FFEBMI_SETTINGS_TEXT_H
#define FFEBMI_SETTINGS_TEXT_H

#include "core/setting.h"

/* Room for any value: two integers in brackets, or a choice. */
enum { FFEBMI_VALUE_TEXT = 64 };

/* Write what stands in a configuration. Returns text. */
const char *ffebmi_setting_show(const ffebmi_setting *setting, char text[FFEBMI_VALUE_TEXT], const void *config);

/* Read a text over the field; false, and nothing has changed, if it is none of the setting's type, or out of bounds. */
bool ffebmi_setting_take(const ffebmi_setting *setting, void *config, const char *text);

#endif
