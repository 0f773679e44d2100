#!/bin/sh
# The library as two files that need the C library alone (FFEBM_STANDALONE): they compile without a warning, are small, show
# the public functions and nothing else, refuse what they lack, and train digits as the whole library does: here, on musl, on
# aarch64, and on a machine of 32 bits, the last two under qemu. A target whose compiler is not there is left out, and said so.
# shellcheck disable=SC2046,SC2086  # what pkg-config answers, and flags, may be several words
set -eu
cd "$(dirname "$0")/.."
make=${MAKE:-make}
pkg_config=${PKG_CONFIG:-pkg-config}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
warnings='-Wall -Wextra -Wconversion -pedantic -Werror'
most=400000 # bytes of code

have() { command -v "$1" >/dev/null 2>&1; }
fail() {
    echo "$1"
    exit 1
}
quiet() {
    "$@" >"$work/log" 2>&1 || { cat "$work/log"; echo "failed: $*"; exit 1; }
}

quiet lib/amalgamate.sh "$work"
gzip -dc examples/data/digits.csv.gz | sed 's/.*/{&},/' >"$work/digits.inc"
ffebm=$work/ffebm.c

echo '-- without a warning, as C99 and C++17'
for compiler in gcc clang; do
    have $compiler || continue
    for more in '' -DFFEBM_NO_THREADS; do
        quiet $compiler -std=c99 $warnings -DFFEBM_STANDALONE $more -fsyntax-only "$ffebm"
    done
    quiet $compiler -std=c11 $warnings -DFFEBM_STANDALONE -fsyntax-only "$ffebm"
done
for program in examples/board.c tests/consumer/refusals.c; do
    quiet gcc -std=c99 $warnings -I"$work" -fsyntax-only $program
    quiet g++ -std=c++17 $warnings -I"$work" -fsyntax-only -x c++ $program
    ! have clang++ || quiet clang++ -std=c++17 $warnings -Wno-deprecated -I"$work" -fsyntax-only -x c++ $program
done

echo '-- small, and quiet about its insides'
for level in -Os -O2; do
    quiet gcc -std=c99 $level -DFFEBM_STANDALONE -c -o "$work/ffebm$level.o" "$ffebm"
    # What runs, and what size(1) calls text, which has constants and tables for unwinding in it as well.
    code=$(size -A "$work/ffebm$level.o" | awk '/^\.text/ { sum += $2 } END { print sum }')
    echo "gcc $level: $code bytes of code, $(size "$work/ffebm$level.o" | awk 'NR == 2 { print $1 }') with constants and unwinding"
    [ "$code" -le $most ] || fail "expected at most $most"
done
nm --defined-only --extern-only "$work/ffebm-O2.o" | sed 's/.* //' | sort >"$work/seen"
sed -n 's/^ *\(ffebm_[a-z0-9_]*\);/\1/p' lib/libffebm.map | sort | diff - "$work/seen" || fail 'ffebm.c has other symbols'
quiet gcc -std=c99 -O1 -DFFEBM_STANDALONE -DFFEBM_NO_THREADS -c -o "$work/alone.o" "$ffebm"
! nm -u "$work/alone.o" | grep -E 'pthread|sched|sysconf|clock_|getpid|open|read$|write$|close|sig|cblas|cJSON|gemm' ||
    fail 'without threads it needs more than ISO C'

echo '-- what is not there is refused, and what lies beside is taken'
for compiler in 'gcc -std=c99' 'g++ -std=c++17 -x c++'; do
    quiet $compiler -O1 -I"$work" -c -o "$work/refusals.o" tests/consumer/refusals.c
    quiet g++ -o "$work/refusals" "$work/refusals.o" "$work/alone.o"
    quiet "$work/refusals"
done
mkdir "$work/beside"
cp "$work/ffebm.c" "$work/ffebm.h" "$work/beside"
echo '#include <cjson/cJSON.h>' >"$work/beside/cJSON.h"
quiet gcc -std=c99 -O1 -DFFEBM_STANDALONE $($pkg_config --cflags libcjson) -I"$work" -o "$work/with_json" \
    tests/consumer/consumer.c "$work/beside/ffebm.c" $($pkg_config --libs libcjson) -lm -pthread
quiet "$work/with_json"

# same PROGRAM_SAID EXPECTED HOW_NEAR EPOCHS: for so many epochs losses agree to a share of themselves. Later ones do not, as a
# sample that comes to rest a sweep earlier tells rounding from rounding; but about as many digits are right in the end.
same() {
    awk -v near="$3" -v epochs="$4" -v many=7 '
        !/^epoch/ { next }
        FNR == NR { loss[FNR] = $5; right[FNR] = $6; last = FNR; next }
        { off = $5 - loss[FNR]; miss = $6 - right[FNR]; lines++ }
        FNR <= epochs && (off > near * loss[FNR] || off < - near * loss[FNR]) { bad = 1 }
        FNR == last && (miss > many || miss < - many) { bad = 1 }
        END { exit bad || lines == 0 || lines != last }' "$2" "$1" || { diff "$2" "$1"; return 1; }
}

# The whole library's numbers, in double to compare by, in float to be seen. Emulated processors take a minute for ten epochs:
# they train for two.
echo '-- digits on every target'
quiet $make lib/libffebm.a
libs="$($pkg_config --libs openblas libcjson) -lm -pthread"
for epochs in 10 2; do
    for type in double float; do
        quiet gcc -std=c99 -O1 -Iinclude -I"$work" -DBOARD_EPOCHS=$epochs $([ $type = float ] || echo -DBOARD_DOUBLE) \
            -o "$work/whole" examples/board.c lib/libffebm.a $libs
        OPENBLAS_NUM_THREADS=1 "$work/whole" >"$work/whole.$epochs.$type" || fail 'board fails with the whole library'
    done
    echo "whole: $(grep epoch "$work/whole.$epochs.float" | tail -n 1)"
done

# target NAME COMPILER FLAGS EPOCHS RUNNER: the last may be nothing.
target() {
    name=$1 compiler=$2 flags=$3 epochs=$4 runner=$5
    for tool in $compiler ${runner%% *}; do
        have $tool || { echo "$name: left out, there is no $tool"; return 0; }
    done
    quiet $compiler -std=c99 $flags -DFFEBM_STANDALONE -DFFEBM_NO_THREADS -c -o "$work/target.o" "$ffebm"
    for type in double float; do
        quiet $compiler -std=c99 $flags -I"$work" -DBOARD_EPOCHS=$epochs $([ $type = float ] || echo -DBOARD_DOUBLE) \
            -o "$work/target" examples/board.c "$work/target.o" -lm
        $runner "$work/target" >"$work/target.$type" || fail "$name: board fails"
    done
    same "$work/target.double" "$work/whole.$epochs.double" 1e-6 2 || fail "$name: other numbers in double"
    same "$work/target.float" "$work/whole.$epochs.float" 0.01 1 || fail "$name: other numbers in float"
    quiet $compiler -std=c99 $flags -I"$work" -o "$work/target" tests/consumer/refusals.c "$work/target.o" -lm
    quiet $runner "$work/target"
    echo "$name: $(grep epoch "$work/target.float" | tail -n 1); $(tail -n 1 "$work/target.float" | sed 's/.*: //')"
}
checked='-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all'
target here gcc -O2 10 ''
target 'here, under ASan and UBSan' gcc "$checked" 2 ''
target musl musl-gcc '-O2 -static' 10 ''
target aarch64 aarch64-linux-gnu-gcc '-O2 -static' 2 qemu-aarch64-static
target '32 bits' arm-linux-gnueabihf-gcc '-O2 -static' 2 qemu-arm-static
target '32 bits, under UBSan' arm-linux-gnueabihf-gcc '-O1 -g -fsanitize=undefined -fno-sanitize-recover=all' 2 \
    "qemu-arm-static -L /usr/arm-linux-gnueabihf"
