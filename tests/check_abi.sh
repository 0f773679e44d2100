#!/bin/sh
# The shared library against lib/libffebm.abi, its types and functions as abidw (Debian: abigail-tools) read them off the
# debugging information: any difference fails, additions too, until a person has judged it and written a new baseline.
# Then programs of the past, built with the headers of tests/abi/<release>/, on today's library and on one whose structs
# have all grown. abidiff can be blind, and a program can miss what it was made for: so both have to find what is wrong
# with mutants of the library. Constants are no types: tests/check_layout.sh holds them.
#   check_abi.sh DIR              check the library in DIR
#   check_abi.sh --baseline DIR   write lib/libffebm.abi
# From the Makefile come CC, PROGRAM_FLAGS (compiler options of the sources) and PROGRAM_LIBS (what they are linked
# with).
set -eu
cd "$(dirname "$0")/.."
cc=${CC:-cc}
baseline=lib/libffebm.abi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Without --headers-dir private structs would count, too; with hashes, not numbers, for types a change stays where it is.
describe() {
    abidw --headers-dir include --drop-private-types --exported-interfaces-only --no-architecture --no-elf-needed \
        --no-corpus-path --no-comp-dir-path --no-show-locs --type-id-style hash --out-file "$baseline" "$1"
}
# Neither --headers-dir nor suppressions here: both have been seen to hide changes.
same() { abidiff --no-architecture "$baseline" "$1" >"$work/report" 2>&1; }

write=
if [ "${1-}" = --baseline ]; then
    write=yes
    shift
fi
library=${1-lib}/libffebm.so
readelf -S "$library" | grep -q '\.debug_info' || { echo "$library lacks debugging information: use -g"; exit 1; }
if [ -n "$write" ]; then
    describe "$library"
    exit 0
fi

same "$library" || {
    cat "$work/report"
    echo "$library is not what $baseline describes. If that is meant: make abi-baseline; docs/abi.md"
    exit 1
}

# program INCLUDE LIBRARY: what tests/abi/program.c prints, built with these headers, on this library.
program() {
    $cc -std=c11 -Wall -Wextra -Werror -I"$1" -o "$work/program" tests/abi/program.c "$2" \
        -Xlinker -rpath -Xlinker "$(realpath "$(dirname "$2")")"
    "$work/program"
}
# works OLD NEW LIBRARY: does a program built with headers OLD do on LIBRARY what one built with NEW does?
works() {
    program "$2" "$3" >"$work/new" || { cat "$work/new"; echo 'check_abi.sh: tests/abi/program.c fails'; exit 1; }
    program "$1" "$3" >"$work/old" && cmp -s "$work/new" "$work/old"
}

abi=$(sed -n 's/^.define FFEBM_ABI_VERSION \([0-9]*\).*/\1/p' include/ffebm/version.h)
releases=
for old in tests/abi/*/; do
    grep -q "^#define FFEBM_ABI_VERSION $abi\$" "$old/ffebm.h" || continue
    releases="$releases $(basename "$old")"
    works "$old" include "$library" || { diff "$work/new" "$work/old"; echo "a program built with $old fails"; exit 1; }
done
[ -n "$releases" ] || { echo "tests/abi has no release of ABI version $abi"; exit 1; }

# mutate FILE SED: in a copy of the tree. A mutant is built from the amalgamation, which takes a second.
fresh() {
    rm -rf "$work/tree"
    mkdir -p "$work/tree/lib"
    cp -R include src "$work/tree"
    cp lib/libffebm.map lib/amalgamate.sh "$work/tree/lib"
    mkdir "$work/tree/tests"
    cp -R tests/abi tests/check_symbols.sh "$work/tree/tests"
}
mutate() {
    cp "$work/tree/$1" "$work/before"
    sed "$2" "$work/before" >"$work/tree/$1"
    ! cmp -s "$work/before" "$work/tree/$1" || { echo "check_abi.sh: nothing to change in $1 by $2"; exit 1; }
}
build() {
    "$work/tree/lib/amalgamate.sh" "$work/tree/one"
    eval "$cc -std=c11 -w -g -O0 -fPIC -fvisibility=hidden -pthread -shared -I'$work/tree/one' ${PROGRAM_FLAGS-} \
        -Wl,--version-script='$work/tree/lib/libffebm.map',-soname,libffebm.so.$abi \
        -o '$work/tree/libffebm.so.$abi' '$work/tree/one/ffebm.c' ${PROGRAM_LIBS--lopenblas -lcjson -lm}"
    ln -sf "libffebm.so.$abi" "$work/tree/libffebm.so"
}
# expect same|different WHAT
expect() {
    build
    verdict=different
    ! same "$work/tree/libffebm.so" || verdict=same
    [ "$verdict" = "$1" ] || { cat "$work/report"; echo "check_abi.sh is blind: '$2' is found $verdict"; exit 1; }
}

fresh
expect same 'the amalgamation'
fresh
mutate src/core/context.h 's/^    size_t references;/&\n    double new_;/'
expect same 'a private field'
fresh
mutate include/ffebm/core.h 's/^FFEBM_API double ffebm_random_uniform/FFEBM_API int32_t ffebm_new(void);\n&/'
mutate src/core/random.c '$ a int32_t ffebm_new(void) { return 0; }'
mutate include/ffebm/version.h 's/^\(.define FFEBM_VERSION_MINOR\).*/\1 9999/'
"$work/tree/tests/check_symbols.sh" --map >"$work/tree/lib/libffebm.map"
expect different 'a function added'
for name in ffebm_new@@FFEBM_[0-9]*.9999 "$(nm -D "$library" | sed -n 's/.* \(ffebm_version@@.*\)/\1/p')"; do
    nm -D "$work/tree/libffebm.so" | grep -q " $name\$" || { echo "check_symbols.sh --map gives no $name"; exit 1; }
done
fresh
mutate lib/libffebm.map '/ffebm_random_uniform;/d'
expect different 'a function gone'
fresh
mutate include/ffebm/optimizer.h 's/\(_set_learning_rate(.*\)double learning_rate/\1float learning_rate/'
mutate src/optimizer/step.c 's/\(_set_learning_rate(.*\)double learning_rate/\1float learning_rate/'
expect different "a parameter's type"
fresh
mutate include/ffebm/analysis.h 's/^typedef int32_t (\*ffebm_trace_fn)/typedef int64_t (*ffebm_trace_fn)/'
expect different "a callback's type"
fresh
mutate include/ffebm/energy.h 's/^    ffebm_energy_fn settle;/    int32_t (*settle)(void *self);/'
expect different "a slot's type"

fresh
mutate include/ffebm/gradient.h 's/^    size_t  *correct;/    size_t new_;\n&/'
expect different 'a field inserted'
if works include "$work/tree/include" "$work/tree/libffebm.so"; then
    echo 'check_abi.sh is blind: tests/abi/program.c does not see an inserted field'
    exit 1
fi

fresh
for header in include/ffebm/*.h; do
    grep -q '^} ffebm_' "$header" || continue
    mutate "$header" 's/^} ffebm_/    double grown_;\n&/'
done
expect different 'fields added at the end'
for old in $releases; do
    works "tests/abi/$old" "$work/tree/include" "$work/tree/libffebm.so" || {
        diff "$work/new" "$work/old"
        echo "a program built with tests/abi/$old fails where structs have grown"
        exit 1
    }
done
echo "$library is as described; programs of$releases work, also where structs have grown"
