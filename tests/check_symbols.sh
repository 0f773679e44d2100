#!/bin/sh
# Three lists of functions must be one: declared with FFEBM_API in include/, named in lib/libffebm.map, exported by the
# shared library. And no global name in the static library may collide with a host program's.
#   check_symbols.sh [DIR]   check the libraries in DIR (lib)
#   check_symbols.sh --map   print the version script that the headers call for
set -eu
export LC_ALL=C
cd "$(dirname "$0")/.."

declared() {
    cat include/ffebm.h include/ffebm/*.h | awk '
        /^FFEBM_API/ { text = ""; open = 1 }
        open { text = text " " $0 }
        open && /;/ { match(text, /ffebm_[a-z0-9_]+ *\(/); name = substr(text, RSTART, RLENGTH)
                      sub(/ *\(/, "", name); print name; open = 0 }' | sort
}

if [ "${1-}" = --map ]; then
    printf '/* Every public function by name; tests/check_symbols.sh --map prints this from the headers. */\n'
    printf 'FFEBM_0.1 {\nglobal:\n'
    declared | sed 's/.*/    &;/'
    printf 'local:\n    *;\n};\n'
    exit 0
fi

dir=${1-lib}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
declared >"$work/headers"
sed -n 's/^ *\([A-Za-z_][A-Za-z0-9_]*\);.*/\1/p' lib/libffebm.map | sort >"$work/map"
# The version node itself is listed as an absolute symbol (A); every other kind counts.
nm -D --defined-only "$dir/libffebm.so" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort >"$work/library"

status=0
for other in map library; do
    if ! diff "$work/headers" "$work/$other" >"$work/diff"; then
        echo "headers (<) and $other (>) differ:"
        grep '^[<>]' "$work/diff"
        status=1
    fi
done
[ $status -eq 0 ] || echo 'tests/check_symbols.sh --map prints the version script that the headers call for'
if grep -n '\*' lib/libffebm.map | grep -v -e ' \*;$' -e '/\*'; then
    echo 'lib/libffebm.map: name every function, no wildcards'
    status=1
fi
nm -g --defined-only "$dir/libffebm.a" | awk 'NF == 3 && $3 !~ /^ffebmi?_/ { print $3 }' | sort -u >"$work/foreign"
if [ -s "$work/foreign" ]; then
    echo 'global names in libffebm.a that begin with neither ffebm_ nor ffebmi_:'
    cat "$work/foreign"
    status=1
fi
[ "$(wc -l <"$work/headers")" -gt 0 ] || { echo 'no function found in include/'; status=1; }
[ $status -ne 0 ] || echo "$(wc -l <"$work/headers") functions"
exit $status
