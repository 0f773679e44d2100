#!/bin/sh
# Run the campaigns: run.sh [MINUTES [NAME ...]]
#
# Without arguments the short version of each, as `make check` does. With MINUTES the long version of each, or of those
# named, one after the other, for so long; what they print goes to build/attack/NAME.log, and a table ends the output.
# From the environment: OUT (where the programs of the short versions lie), MAKE, SEED (of the long versions; the time).
# shellcheck disable=SC2046,SC2012 # names have no spaces
set -u
cd "$(dirname "$0")/../../.." || exit
out=${OUT:-build}
make=${MAKE:-make}
minutes=${1-}
[ $# -eq 0 ] || shift
failed=0

# A campaign is a program with a main in tests/attack, a script there, or a target in tests/attack/fuzz.
campaigns() {
    grep -l '^int main\>' tests/attack/*.c 2>/dev/null | sed 's|.*/||; s|\.c$||'
    ls tests/attack/*.sh 2>/dev/null | sed 's|.*/||; s|\.sh$||'
    grep -l 'LLVMFuzzerTestOneInput' tests/attack/fuzz/*.c | grep -v replay | sed 's|.*/|fuzz_|; s|\.c$||'
}

# program NAME DIRECTORY: the command that runs it.
program() {
    if [ -e "tests/attack/$1.sh" ]; then echo "tests/attack/$1.sh"; else echo "$2/tests/attack/$1"; fi
}

short() {
    for name in $(campaigns); do
        if text=$(OUT=$out "$(program "$name" "$out")" 2>&1 </dev/null); then
            echo "$text" | tail -n 1
        else
            echo "$text"
            failed=1
        fi
    done
}

# build NAME DIRECTORY VARIABLE=VALUE ...: its program there; a script may want any of them.
build() {
    goal=$2/tests/attack/$1
    [ ! -e "tests/attack/$1.sh" ] || goal=campaigns
    directory=$2
    shift 2
    $make "$goal" OUT="$directory" "$@" >build/attack/build.log 2>&1 || {
        tail -n 20 build/attack/build.log >&2
        return 1
    }
}

# The corpus that grows lies in build/, the one in the tree is only read. A crash leaves its input beside the log.
fuzz() {
    target=${1#fuzz_}
    build "$1" build/fuzz CC=clang LIBFUZZER=1 \
        CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined' || return
    mkdir -p "build/attack/corpus/$target"
    words=tests/attack/corpus/$target.dict
    seconds=$(awk "BEGIN { print int(60 * $minutes) }")
    "build/fuzz/tests/attack/$1" -max_total_time="$seconds" -seed="$seed" -timeout=20 -rss_limit_mb=3000 \
        -print_final_stats=1 -artifact_prefix="build/attack/$1-" \
        $([ ! -e "$words" ] || echo "-dict=$words") "build/attack/corpus/$target" "tests/attack/corpus/$target" 2>&1
    status=$?
    # Whatever it was, it is one finding: libFuzzer stops at the first.
    echo "$1: $(awk '/number_of_executed_units/ { n = $2 } END { print n + 0 }' "build/attack/$1.log") cases," \
        "$((status != 0)) findings"
    return $status
}

long() {
    mkdir -p build/attack
    seed=${SEED:-$(date +%s)}
    [ $# -gt 0 ] || set -- $(campaigns)
    for name; do
        echo "$name: $minutes minutes, seed $seed, build/attack/$name.log" >&2
        echo "# $name: $minutes minutes, seed $seed" >"build/attack/$name.log"
        case $name in
        fuzz_*) fuzz "$name" ;;
        executors | interrupt)
            build "$name" build/threads BLAS=netlib CFLAGS='-O1 -g -fsanitize=thread' &&
                tests/check_threads.sh "build/threads/tests/attack/$name" "$minutes" "$seed"
            ;;
        *)
            build "$name" "$out" && OUT=$out "$(program "$name" "$out")" "$minutes" "$seed"
            ;;
        esac >>"build/attack/$name.log" 2>&1 </dev/null || {
            echo "# ended with status $?" >>"build/attack/$name.log" # a sanitizer's, where there is no finding
            failed=1
        }
    done
    tests/attack/support/table.sh build/attack/*.log
}

if [ -n "$minutes" ]; then long "$@"; else short; fi
exit $failed
