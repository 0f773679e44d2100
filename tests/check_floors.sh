#!/bin/sh
# The law of src/: a file includes its own folder, strictly lower floors, and public headers of its own floor or lower
# (src/FLOORS); public headers include no higher ones. Folders on one floor do not include each other, and files of one
# folder do not in a circle. Only src/arrays/gemm.c uses cblas, and only src/products/ knows instruction sets. No file has
# more than 600 lines, and none is named util, helper, misc or common. The script then breaks each rule in a copy of the
# tree: a law that cannot fail is none.
# shellcheck disable=SC2046  # lists of files are split on purpose
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sources() { find "$@" -type f \( -name '*.[ch]' -o -name '*.inc' -o -name '*.cpp' \) | sort; }

# Print the files of src/, a name for source and header together, that include each other in a circle, or lie between two
# circles: from all inclusions those are taken away, again and again, that begin or end in a file with no others.
circles() {
    awk '
        function name_of(path) { sub(/\.[a-z]+$/, "", path); return path }
        FNR == 1 { own = name_of(substr(FILENAME, 5)) }
        /^[ \t]*#[ \t]*include[ \t]*"/ {
            match($0, /"[^"]*/)
            other = name_of(substr($0, RSTART + 1, RLENGTH - 1))
            if (other == own || (own, other) in seen) next
            seen[own, other] = 1
            from[++count] = own
            to[count] = other
        }
        END {
            do {
                split("", ends); split("", begins); taken = 0
                for (i in from) { begins[from[i]]; ends[to[i]] }
                for (i in from)
                    if (!(to[i] in begins) || !(from[i] in ends)) { delete from[i]; taken = 1 }
            } while (taken)
            for (i in from) print "src/" from[i] ": in a circle: it includes " to[i]
        }
    ' $(sources src)
}

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
        FNR == 1 && FILENAME ~ /^include\// {
            own = substr(FILENAME, 9)
            if (own != "ffebm.h" && !(own in floor)) bad("public header " own " is not in src/FLOORS")
        }
        FNR == 1 && FILENAME ~ /^src\// {
            own = folder_of(substr(FILENAME, 5))
            if (split(FILENAME, part, "/") != 3) bad("sources are src/<folder>/<file>, no higher and no deeper")
            else if (!(own in floor)) bad("folder " own " is not in src/FLOORS")
        }
        /cblas_[a-z]|CBLAS_HEADER|#[ \t]*include.*cblas/ && FILENAME != "src/arrays/gemm.c" &&
            FILENAME ~ /^src\// {
            bad("only src/arrays/gemm.c uses cblas")
        }
        /intrin\.h>|arm_neon|_mm[0-9]*_[a-z]|__m(mask|128|256|512)|__builtin_(cpu|ia32)|__asm(__)? *(volatile)? *\("|target[ \t]*\("/ &&
            own != "products" && FILENAME ~ /^src\// { bad("only src/products/ knows instruction sets") }
        /^[ \t]*#[ \t]*include[ \t]*["<]/ {
            match($0, /["<][^">]*/)
            quoted = substr($0, RSTART, 1) == "\""
            path = substr($0, RSTART + 1, RLENGTH - 1)
            other = folder_of(path)
            if (FILENAME ~ /^include\/ffebm\// && quoted) path = "ffebm/" path
            if (path ~ /^ffebm(\.h$|\/)/) {
                if (own != "ffebm.h" && (!(path in floor) || floor[path] + 0 > floor[own] + 0))
                    bad(own " (floor " floor[own] ") must not include " path " (floor " floor[path] ")")
                next
            }
            if (!quoted && !(other in floor)) next
            if (path ~ /\.\.\//) bad("include by \"folder/file\", not by \"..\"")
            else if (path !~ /\// || other == own) next
            else if (!(other in floor)) bad("folder " other " is not in src/FLOORS")
            else if (floor[other] + 0 >= floor[own] + 0)
                bad(own " (floor " floor[own] ") must not include " path " (floor " floor[other] ")")
        }
    ' src/FLOORS $(sources src include)
    circles
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
expect 'energy (floor 4) must not include ffebm/model.h' src/energy/mutant.c '#include <ffebm/model.h>'
expect 'must not include ffebm.h' src/model/mutant.c '#include <ffebm.h>'
expect 'ffebm/tensor.h (floor 1) must not include ffebm/io.h' include/ffebm/tensor.h '#include "io.h"'
expect 'ffebm/mutant.h is not in src/FLOORS' include/ffebm/mutant.h 'int ffebm_x;'
expect 'in a circle' src/relax/order.h '#include "relax/sweeps.h"
#include "relax/stopping.h"'
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
