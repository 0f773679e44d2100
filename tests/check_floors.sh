#!/bin/sh
# The law of src/: a file includes public headers, its own folder, and strictly lower floors (src/FLOORS). Folders on
# one floor do not include each other. Only src/arrays/gemm.c uses cblas, and only src/products/ knows instruction sets.
# No file has more than 600 lines, and none is named util, helper, misc or common. The script then breaks each rule in a
# copy of the tree: a law that cannot fail is none.
# shellcheck disable=SC2046  # lists of files are split on purpose
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sources() { find "$@" -type f \( -name '*.[ch]' -o -name '*.inc' -o -name '*.cpp' \) | sort; }

# Print every violation in the tree $1, one a line.
violations() (
    cd "$1"
    awk '
        function folder_of(path, part) { split(path, part, "/"); return part[1] }
        function bad(text) { printf "%s:%d: %s\n", FILENAME, FNR, text }
        FILENAME == "src/FLOORS" {
            sub(/#.*/, "")
            if (NF == 2) floor[$1] = $2
            next
        }
        FNR == 1 {
            own = folder_of(substr(FILENAME, 5))
            if (split(FILENAME, part, "/") != 3) bad("sources are src/<folder>/<file>, no higher and no deeper")
            else if (!(own in floor)) bad("folder " own " is not in src/FLOORS")
        }
        /cblas_[a-z]|CBLAS_HEADER|#[ \t]*include.*cblas/ && FILENAME != "src/arrays/gemm.c" {
            bad("only src/arrays/gemm.c uses cblas")
        }
        /intrin\.h>|arm_neon|_mm[0-9]*_[a-z]|__m(mask|128|256|512)|__builtin_(cpu|ia32)|__asm(__)? *(volatile)? *\("|target[ \t]*\("/ &&
            own != "products" { bad("only src/products/ knows instruction sets") }
        /^[ \t]*#[ \t]*include[ \t]*["<]/ {
            match($0, /["<][^">]*/)
            quoted = substr($0, RSTART, 1) == "\""
            path = substr($0, RSTART + 1, RLENGTH - 1)
            other = folder_of(path)
            if (path ~ /^ffebm(\.h$|\/)/ || !quoted && !(other in floor)) next
            if (path ~ /\.\.\//) bad("include by \"folder/file\", not by \"..\"")
            else if (path !~ /\// || other == own) next
            else if (!(other in floor)) bad("folder " other " is not in src/FLOORS")
            else if (floor[other] + 0 >= floor[own] + 0)
                bad(own " (floor " floor[own] ") must not include " path " (floor " floor[other] ")")
        }
    ' src/FLOORS $(sources src)
    wc -l $(sources include src examples) |
        awk '$1 > 600 && $2 != "total" { print $2 ": " $1 " lines, 600 is the most" }'
    sources include src examples tests | grep -E '/(util|helper|misc|common)s?\.[^/]*$' |
        sed 's/$/: a name that explains nothing/' || :
)

violations . >"$work/found"
if [ -s "$work/found" ]; then
    cat "$work/found"
    exit 1
fi

# expect TEXT FILE LINE: with LINE added to FILE, a violation that contains TEXT is found.
expect() {
    rm -rf "$work/tree"
    mkdir "$work/tree"
    cp -R include src "$work/tree"
    mkdir -p "$work/tree/examples" "$work/tree/tests" "$(dirname "$work/tree/$2")"
    printf '%s\n' "$3" >>"$work/tree/$2"
    violations "$work/tree" >"$work/found"
    if ! grep -qF "$1" "$work/found"; then
        echo "check_floors.sh is blind: '$3' in $2 went unseen"
        exit 1
    fi
}
expect 'core (floor 0) must not include tensor/tensor.h' src/core/mutant.c '#include "tensor/tensor.h"'
expect 'tensor (floor 1) must not include arrays/gemm.h' src/tensor/mutant.h '#  include <arrays/gemm.h>'
expect 'tensor (floor 1) must not include products/products.h' src/tensor/mutant.c '#include "products/products.h"'
expect 'relax (floor 5) must not include model/model.h' src/relax/mutant.inc '#include "model/model.h"'
expect 'not by ".."' src/model/mutant.c '#include "../gradient/engine.h"'
expect 'folder attic is not' src/attic/mutant.c 'int ffebmi_x;'
expect 'no higher and no deeper' src/core/deep/mutant.c 'int ffebmi_x;'
expect 'uses cblas' src/arrays/mutant.c '#include FFEBM_CBLAS_HEADER'
expect 'knows instruction sets' src/arrays/mutant.c '#include <immintrin.h>'
expect 'knows instruction sets' src/convolution/mutant.c '    x = _mm512_set1_ps(1);'
expect 'knows instruction sets' src/arrays/mutant.inc '__attribute__((target("avx2"))) static int x;'
expect 'knows instruction sets' src/core/mutant.c '    if (__builtin_cpu_supports("avx2"))'
expect '601 lines' examples/mutant.c "$(yes '//' | head -n 601)"
expect 'explains nothing' tests/unit/helpers.h 'int x;'
