/* Certificates: their settings. */
#ifndef FFEBMI_ANALYSIS_CERTIFY_H
#define FFEBMI_ANALYSIS_CERTIFY_H

#include <ffebm/analysis.h>

#include "core/setting.h"

extern const ffebmi_settings ffebmi_certify_settings;

#endif
