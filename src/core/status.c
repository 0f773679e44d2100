#include <ffebm/core.h>
#include <ffebm/version.h>

#include "core/strict.h"

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

const char *ffebm_status_text(ffebm_status status)
{
#define ENTRY(name, value, text)                                                                                       \
    case value:                                                                                                        \
        return #name ": " text;
    switch (status) {
        FFEBM_STATUS_LIST(ENTRY)
    default:
        return "unknown status";
    }
#undef ENTRY
}

const char *ffebm_version(void)
{
    return TEXT(FFEBM_VERSION_MAJOR) "." TEXT(FFEBM_VERSION_MINOR) "." TEXT(FFEBM_VERSION_PATCH) " (abi " TEXT(
        FFEBM_ABI_VERSION) ", " FFEBM_BLAS_NAME ")";
}
