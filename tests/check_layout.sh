#!/bin/sh
# Programs that were built with an earlier release's headers have to work with today's library. For each release with
# this ABI version tests/abi/<release>/ holds
#   ffebm.h    its public headers as the compiler saw them: what a program of that time is built with
#   layout.c   every field's offset, size and type, every struct's size, every constant's value, as static assertions
# and today's headers must fulfil them: fields may follow at the end of a struct, and nothing else may change. The files
# of the present release must say all that there is to say.
#   check_layout.sh           check include/
#   check_layout.sh --write   write the files of the present release
# shellcheck disable=SC2086  # a compiler may be several words
set -eu
export LC_ALL=C
cd "$(dirname "$0")/.."
cc=${CC:-cc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ "$(echo __SIZEOF_POINTER__ | $cc -E -P -)" != 8 ]; then
    echo 'skipped: the promises are written down for 64 bits'
    exit 0
fi
mkdir "$work/nothing"
: >"$work/nothing/stddef.h"
: >"$work/nothing/stdint.h"

number() { sed -n "s/^.define FFEBM_$1 \([0-9]*\).*/\1/p" include/ffebm/version.h; }
release=$(number VERSION_MAJOR).$(number VERSION_MINOR).$(number VERSION_PATCH)

# preprocess DIR OPTION..: the headers below DIR.
preprocess() {
    headers=$1
    shift
    $cc -E -P -nostdinc -DFFEBM_API= -I"$work/nothing" -I"$headers" "$@" -xc "$headers/ffebm.h"
}
# The headers below $1 without comments and macros, but for the constants among these.
snapshot() {
    echo "/* The public headers of libffebm $release; written by make abi-baseline. */"
    printf '/* clang-format off */\n#include <stddef.h>\n#include <stdint.h>\n'
    preprocess "$1" -dM | grep -E '^#define FFEBM_[A-Z0-9_]+ .' | grep -v '^#define FFEBM_API' | sort
    preprocess "$1" | tr -s ' \t\n' ' ' | sed 's/^ //; s/\([;{]\) /\1\n/g' | awk '
        /^enum {$/ { enumeration = 1 }
        enumeration { printf "%s", $0 (/;$/ ? "\n" : " "); if (/;$/) enumeration = 0; next }
        /^}/ { inside = 0 }
        { print (inside ? "    " : "") $0 }
        /{$/ { inside = 1 }'
}

# layout.c for the snapshot $1, by way of a program that measures.
layout() {
    awk '
        BEGIN {
            print "#include <stddef.h>\n#include <stdio.h>\n#include \"ffebm.h\"\n"
            print "#define FIELD(s, f, ...) printf(\"FIELD(%s, %s, %zu, %zu, %s)\\n\", #s, #f, offsetof(s, f), " \
                  "sizeof(((s *)NULL)->f), #__VA_ARGS__)"
            print "#define RESERVED(s, f) printf(\"RESERVED(%s, %s, %zu, %zu)\\n\", #s, #f, offsetof(s, f), " \
                  "sizeof(((s *)NULL)->f))"
            print "#define STRUCT(s) printf(\"STRUCT(%s, %zu)\\n\", #s, sizeof(s))"
            print "#define VALUE(name) printf(\"VALUE(%s, %lld)\\n\", #name, (long long)name)"
            print "int main(void)\n{"
        }
        function last_word(text) { match(text, /[A-Za-z0-9_]+$/); return substr(text, RSTART) }
        function field(text, suffix, name) {
            gsub(/[ \t]+/, " ", text)
            sub(/^ /, "", text)
            suffix = ""
            if (match(text, /\(\*[a-z0-9_]+\)/)) {
                name = substr(text, RSTART + 2, RLENGTH - 3)
                sub(/\(\*[a-z0-9_]+\)/, "(*)", text)
            } else {
                if (match(text, /(\[[^]]*\])+$/)) {
                    suffix = substr(text, RSTART)
                    text = substr(text, 1, RSTART - 1)
                }
                name = last_word(text)
                sub(/[A-Za-z0-9_]+$/, "", text)
                sub(/ $/, "", text)
            }
            if (name == "reserved_") printf "    RESERVED(%s, %s);\n", struct, name
            else printf "    FIELD(%s, %s, %s);\n", struct, name, text suffix
        }
        /^#define FFEBM_/ && $2 !~ /VERSION/ { print "    VALUE(" $2 ");" }
        /^typedef struct [a-z0-9_]+ {$/ { struct = $3; text = ""; next }
        struct != "" && /^}/ { print "    STRUCT(" struct ");"; struct = ""; next }
        struct != "" {
            text = text " " $0
            if (sub(/;.*/, "", text)) { field(text); text = "" }
            next
        }
        /^[^#]/ {
            while (match($0, /FFEBM_[A-Z0-9_]+/)) {
                print "    VALUE(" substr($0, RSTART, RLENGTH) ");"
                $0 = substr($0, RSTART + RLENGTH)
            }
        }
        END { print "}" }' "$1" >"$work/measure.c"
    $cc -std=c11 -w -I"$(dirname "$1")" -o "$work/measure" "$work/measure.c"
    cat <<END
/* What libffebm $release promises of its structs and constants; written by make abi-baseline. */
/* clang-format off */
#include <ffebm.h>

#define FIELD(s, f, offset, size, ...)                                                                                 \\
    _Static_assert(offsetof(s, f) == offset && sizeof(((s *)NULL)->f) == size, #s "." #f " has moved");                \\
    _Static_assert(_Generic(&((s *)NULL)->f, __typeof__(__VA_ARGS__) *: 1, default: 0), #s "." #f " has another type");
#define RESERVED(s, f, offset, size) /* a field of this size may take its place */
#define STRUCT(s, size) _Static_assert(sizeof(s) >= size && sizeof(s) % 8 == 0, #s " has shrunk, or ends unaligned");
#define VALUE(name, value) _Static_assert((long long)name == value, #name " has another value");

END
    "$work/measure"
}

# fulfilled SNAPSHOT INCLUDE: do the headers in INCLUDE keep what SNAPSHOT, and layout.c beside it, promise? Functions and
# callbacks are declared once more as they were, which is an error if they have another type now.
fulfilled() {
    {
        cat "${1%/*}/layout.c"
        awk '/^#/ { next }
             /^typedef struct [a-z0-9_]+ {$/ { inside = 1 }
             !inside && !/^enum /
             /^}/ { inside = 0 }' "$1"
    } >"$work/promise.c"
    { # Is each function still there? Declaring it once more does not tell.
        echo '#include <ffebm.h>'
        sed -n '/^typedef/d; s/^[a-z].*[ *]\(ffebm_[a-z0-9_]*\)(.*/_Static_assert(sizeof \&\1 > 0, "");/p' "$1"
    } >"$work/there.c"
    for file in promise there; do
        $cc -std=c11 -Wall -Wextra -Werror -I"$2" -fsyntax-only "$work/$file.c" 2>"$work/errors" || return 1
    done
}

mkdir "$work/now"
snapshot include >"$work/now/ffebm.h"
layout "$work/now/ffebm.h" >"$work/now/layout.c"

if [ "${1-}" = --write ]; then
    mkdir -p "tests/abi/$release"
    cp "$work/now/ffebm.h" "$work/now/layout.c" "tests/abi/$release"
    exit 0
fi

# Complete? Fields follow each other without gaps from nought to the size; structs are those that end in the headers.
awk -F '[(, )]+' '
    function bad(text) { print "layout.c: " text; failed = 1 }
    /^(FIELD|RESERVED)\(/ { if ($4 != end[$2] + 0) bad("a field is missing before " $2 "." $3); end[$2] = $4 + $5 }
    /^STRUCT\(/ { if ($3 != end[$2]) bad("a field is missing at the end of " $2); structs++ }
    /^VALUE\(/ { values++ }
    END { print structs + 0, values + 0; exit failed }' "$work/now/layout.c" >"$work/counts" ||
    { cat "$work/counts"; exit 1; }
read -r structs values <"$work/counts"
ends=$(cat include/ffebm/*.h | grep -c '^} ffebm_[a-z0-9_]*;$')
[ "$structs" -eq "$ends" ] || { echo "layout.c has $structs structs, the headers have $ends"; exit 1; }

if ! diff -r "$work/now" "tests/abi/$release" >"$work/diff" 2>&1; then
    grep '^[<>]' "$work/diff" || cat "$work/diff"
    echo "The API is no longer what tests/abi/$release says (<: now). If that is meant: make abi-baseline; docs/abi.md"
    exit 1
fi

promises=0
for snapshot in tests/abi/*/ffebm.h; do
    grep -q "^#define FFEBM_ABI_VERSION $(number ABI_VERSION)\$" "$snapshot" || continue
    promises=$((promises + 1))
    fulfilled "$snapshot" include || { cat "$work/errors"; echo "include/ breaks what ${snapshot%/*} promises"; exit 1; }
done

# expect ok|broken WHAT FILE SED: with FILE in include/ffebm/ changed by SED, are the promises kept?
expect() {
    rm -rf "$work/include"
    cp -R include "$work/include"
    sed "$4" "include/ffebm/$3" >"$work/include/ffebm/$3"
    ! cmp -s "include/ffebm/$3" "$work/include/ffebm/$3" || { echo "check_layout.sh: the mutant '$2' is none"; exit 1; }
    verdict=broken
    ! fulfilled "$work/now/ffebm.h" "$work/include" || verdict=ok
    [ "$verdict" = "$1" ] || { cat "$work/errors"; echo "check_layout.sh is blind: '$2' is found $verdict"; exit 1; }
}
expect ok 'structs grow' gradient.h 's/^} ffebm_/    double grown_;\n&/'
expect ok 'a reserved word is taken into use' equilibrium.h 's/^\( *int32_t  *\)reserved_;/\1used;/'
expect ok 'a function is added' core.h 's/^FFEBM_API const char \*ffebm_status_text/FFEBM_API void ffebm_new(void);\n&/'
expect broken 'a field is inserted' gradient.h 's/^    size_t  *correct;/    size_t new_;\n&/'
expect broken 'fields change places' equilibrium.h 's/free_tolerance;/x_;/; s/nudged_tolerance;/free_tolerance;/
    s/x_;/nudged_tolerance;/'
expect broken 'a field changes its type' gradient.h 's/^    double  *loss;/    int64_t loss;/'
expect broken 'a field is renamed' gradient.h 's/^    double  *loss;/    double error;/'
expect broken 'a field points elsewhere' model.h 's/^    const char  *\*name;/    const int8_t *name;/'
expect broken 'a field is gone' model.h '/^    double upper;/d'
expect broken 'a constant changes its value' equilibrium.h 's/FFEBM_ORDER_FORWARD  *= 4/FFEBM_ORDER_FORWARD = 6/'
expect broken 'a status changes its value' core.h 's/X(FFEBM_ERR_USER,  *-12/X(FFEBM_ERR_USER, -16/'
expect broken 'a macro changes its value' tensor.h 's/^#define FFEBM_MAX_RANK 8/#define FFEBM_MAX_RANK 9/'
expect broken 'a parameter changes its type' optimizer.h 's/\(_set_learning_rate(.*\)double/\1float/'
expect broken 'a result changes its type' core.h 's/^FFEBM_API double \(ffebm_random_uniform\)/FFEBM_API float \1/'
expect broken 'a callback changes its type' core.h 's/\((\*ffebm_task_fn)(void \*task_user,\) size_t/\1 int64_t/'
expect broken 'a function is gone' core.h '/^FFEBM_API double ffebm_random_uniform/d'

echo "$structs structs, $values constants; releases that hold: $promises"
