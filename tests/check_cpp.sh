#!/bin/sh
# The C++ header: its test and its examples, with every compiler there is.
#   check_cpp.sh [DIR]   with the shared library in DIR (lib)
set -eu
cd "$(dirname "$0")/.."
lib=$(cd "${1-lib}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
used=

for compiler in g++ clang++; do
    command -v "$compiler" >/dev/null || continue
    for header in examples/cpp/ffebm/*.hpp; do
        "$compiler" -std=c++17 -Wall -Wextra -Werror -Iinclude -include "$header" -x c++ -fsyntax-only /dev/null ||
            { echo "$header does not stand alone with $compiler"; exit 1; }
    done
    for source in tests/cpp/test_ffebm.cpp examples/cpp/*.cpp; do
        "$compiler" -std=c++17 -Wall -Wextra -Wshadow -Wpedantic -Werror -pthread -Iinclude "$source" \
            -o "$work/program" -L"$lib" -lffebm -Xlinker -rpath -Xlinker "$lib"
        "$work/program" >"$work/log" 2>&1 || { cat "$work/log"; echo "failed: $source with $compiler"; exit 1; }
        [ "$source" != tests/cpp/test_ffebm.cpp ] || said=$(tail -n 1 "$work/log")
    done
    used="$used, $compiler: $said"
done
[ -n "$used" ] || { echo 'no C++ compiler found'; exit 1; }
echo "${used#, }"
