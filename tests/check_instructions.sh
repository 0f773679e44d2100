#!/bin/sh
# How many instructions a small gradient takes: check_instructions.sh [--baseline]. A slow-down shows without a clock.
#
# Counted by callgrind are those of the library's own code, BLAS and C library left out, in one ffebm_engine_gradient of
# tests/bench/tiny.json, on one thread and with no instructions beyond AVX2. The number to keep to stands in
# tests/instructions.txt with the compiler and flags that it is for; elsewhere nothing is checked. --baseline writes it
# anew: do so where a change of the number is meant, and say why in the commit.
set -eu
cd "$(dirname "$0")/.."
kept=tests/instructions.txt
out=${OUT:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

skip() {
    echo "instructions not counted: $1"
    exit 0
}

# count FREE,NUDGED: the instructions with so many sweeps. Lines that follow "calls=" have a call's inclusive cost.
count() {
    OPENBLAS_NUM_THREADS=1 valgrind --tool=callgrind --callgrind-out-file="$work/out" \
        --toggle-collect=ffebm_engine_gradient "$out/tests/bench" step tiny --batch 2 --threads 1 --isa avx2 --sweeps "$1" </dev/null >"$work/log" 2>&1 || {
        cat "$work/log" >&2
        exit 1
    }
    awk '
        /^ob=/ {
            match($0, /\([0-9]+\)/)
            id = substr($0, RSTART, RLENGTH)
            name = substr($0, RSTART + RLENGTH + 1)
            if (name != "") ours[id] = name ~ /\/tests\/bench$/
            inside = ours[id]
        }
        /^calls=/ { getline; next }
        /^[0-9+*-]/ && inside { sum += $2 }
        END { printf "%d\n", sum }
    ' "$work/out"
}

# stands KEY: what stands behind it in the file.
stands() { sed -n "s/^$1 //p" $kept; }

# gcc says the name that it was called by.
compiler=$(${CC:-cc} --version | sed -n '1{s/^[^ ]*cc[-0-9]* /gcc /;p;}')
flags=${CFLAGS:--O3 -g}
command -v valgrind >/dev/null || skip "valgrind is not installed"
grep -qw avx2 /proc/cpuinfo 2>/dev/null || skip "this processor has no AVX2"
if [ "${1-}" = --baseline ]; then
    now=$(count 6,3)
    printf '%s\n' "compiler $compiler" "flags $flags" "instructions $now" >$kept
    cat $kept
    exit
fi
[ "$compiler" = "$(stands compiler)" ] || skip "they are kept for $(stands compiler), this is $compiler"
[ "$flags" = "$(stands flags)" ] || skip "they are kept for $(stands flags), these flags are $flags"

least=$(($(stands instructions) * 97 / 100))
most=$(($(stands instructions) * 103 / 100))
now=$(count 6,3)
again="if that is meant: tests/check_instructions.sh --baseline"
if [ "$now" -gt "$most" ]; then
    echo "a gradient takes $now instructions, more than 3 % over the $(stands instructions) kept; $again"
    exit 1
fi
[ "$now" -ge "$least" ] || echo "a gradient takes only $now instructions, $(stands instructions) are kept; $again"
# A check that does not see a sweep more sees nothing.
if [ "$(count 7,4)" -le "$most" ]; then
    echo "check_instructions.sh is blind: more sweeps went unseen"
    exit 1
fi
