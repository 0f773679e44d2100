/* Around a fragment of docs/ that sets fields of the conformance kit. */
#include "conformance/conformance.h"

const struct conformance_settings fragment = {
#include "fragment.inc"
};
