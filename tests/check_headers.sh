#!/bin/sh
# Each public header alone, included twice, in C99 and C++11, with every compiler there is. -Wpadded: a public struct
# may have no implicit padding, where a later field could hide from the size field.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
used=

# try COMPILER LANGUAGE STANDARD
try() {
    command -v "$1" >/dev/null || return 0
    for header in include/ffebm.h include/ffebm/*.h; do
        {
            printf '#include <%s>\n#include <%s>\nint main(void);\n' "${header#include/}" "${header#include/}"
            # clang lays a struct out, and sees its padding, only where its size is asked for.
            sed -n 's/^} \(ffebm_[a-z0-9_]*\);/enum { size_of_\1 = sizeof(\1) };/p' "$header"
        } >"$work/alone.c"
        "$1" -x "$2" -std="$3" -pedantic-errors -Wall -Wextra -Wpadded -Werror -Iinclude -fsyntax-only "$work/alone.c" || {
            echo "$header does not stand alone with $1 -std=$3"
            exit 1
        }
    done
    used="$used, $1 $3"
}
try gcc c c99
try clang c c99
try g++ c++ c++11
try clang++ c++ c++11
[ -n "$used" ] || { echo 'no compiler found'; exit 1; }
echo "${used#, }"

# -Wpadded and -pedantic-errors must bite, or the check above proves nothing.
for bad in 'struct s { char a; long b; }; enum { n = sizeof(struct s) };' 'int f(void) { return ({ 1; }); }' '#include <ffebm/no_such.h>'; do
    echo "$bad" >"$work/bad.c"
    if "${CC:-cc}" -std=c99 -pedantic-errors -Wall -Wextra -Wpadded -Werror -Iinclude -fsyntax-only "$work/bad.c" 2>/dev/null; then
        echo "check_headers.sh is blind to: $bad"
        exit 1
    fi
done
