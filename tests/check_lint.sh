#!/bin/sh
# clang-tidy and cppcheck over the library: whatever they say is an error. Which of clang-tidy's checks run, and why not
# the others, stands in .clang-tidy; what cppcheck is wrong about in tests/lint.txt. PROGRAM_FLAGS says how it is compiled, as
# a shell reads it.
# shellcheck disable=SC2011,SC2012,SC2016  # names have no spaces; what is quoted is for the shells that xargs starts
set -eu
cd "$(dirname "$0")/.."
processors=$(getconf _NPROCESSORS_ONLN)
log=$(mktemp)
trap 'rm -f "$log"' EXIT

grep -v '^#' tests/lint.txt >"$log"
# Of what a build may lack (src/core/parts.h) nothing is left out.
cppcheck --quiet -UFFEBM_STANDALONE --std=c11 --enable=warning,portability,performance --error-exitcode=1 --suppressions-list="$log" \
    -j "$processors" -Iinclude -Isrc src

# It counts the warnings that it does not show; those lines say nothing.
if ! ls src/*/*.c | xargs -P "$processors" -n 4 sh -c 'eval clang-tidy --quiet "$@" -- "$PROGRAM_FLAGS"' sh >"$log" 2>&1; then
    grep -E ': (error|warning): ' "$log" || cat "$log"
    exit 1
fi
echo "lint: $(ls src/*/*.c | wc -l) files, nothing to say"
