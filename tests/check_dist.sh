#!/bin/sh
# The tarball: the same bytes once more, from its own contents in other hands, and from those alone; it builds, and its
# programs run. The library in two files, taken from the tarball: every compiler takes it, and a program comes to the
# same numbers with it.
# shellcheck disable=SC2046,SC2086  # what pkg-config answers, and make, may be several words
set -eu
cd "$(dirname "$0")/.."
make=${MAKE:-make}
pkg_config=${PKG_CONFIG:-pkg-config}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

quiet() {
    "$@" >"$work/log" 2>&1 || { cat "$work/log"; echo "failed: $*"; exit 1; }
}

lib/dist.sh "$work/first.tar.gz"
tar -xzf "$work/first.tar.gz" -C "$work"
tree=$(echo "$work"/libffebm-*)
(
    umask 077
    find "$tree" -type f -exec touch -d '2001-02-03 04:05:06' {} +
    chmod -R go-rwx "$tree"
    mkdir "$tree/build"
    touch "$tree/build/product"
    TZ=Asia/Tokyo "$tree/lib/dist.sh" "$work/second.tar.gz"
    mv "$tree/MANIFEST" "$work"
    "$tree/lib/dist.sh" "$work/third.tar.gz"
    mv "$work/MANIFEST" "$tree"
)
lib/dist.sh "$work/fourth.tar.gz"
for other in second third fourth; do
    cmp "$work/first.tar.gz" "$work/$other.tar.gz" || { echo 'the tarball differs from one time to the next'; exit 1; }
done
echo "${tree##*/}.tar.gz: $(wc -c <"$work/first.tar.gz") bytes, the same each time"
! tar -tzf "$work/first.tar.gz" | grep -E '/build/|\.so|\.a$|\.o$' || { echo 'the tarball has products in it'; exit 1; }

cd "$tree"
quiet $make OUT=built WERROR=1 all smoke
tail -n 1 "$work/log"
quiet $make OUT=built WERROR=1 amalgamation
with="-Ibuilt/amalgamation $($pkg_config --cflags openblas libcjson) -pthread"
libs="$($pkg_config --libs openblas libcjson) -lm"
for compiler in gcc clang; do
    command -v $compiler >/dev/null || continue
    quiet $compiler -std=c11 -O3 -Wall -Wextra -Werror $with -c -o one.o built/amalgamation/ffebm.c
    quiet $compiler -std=c11 -DFFEBM_BLAS_NAME='"openblas"' -O2 -o one $with tests/consumer/consumer.c one.o $libs
    quiet $compiler -std=c11 -O2 -o linked -Iinclude tests/consumer/consumer.c built/lib/libffebm.a $libs -pthread
    ./one | sed 's/cblas/openblas/' >one.said
    ./linked >linked.said
    diff one.said linked.said || { echo "ffebm.c by $compiler comes to other numbers"; exit 1; }
    # As its head says, in a library of the host's: nothing but the public functions is to be seen.
    quiet $compiler -O1 -fvisibility=hidden -fPIC -shared $with -o hidden.so built/amalgamation/ffebm.c $libs
    nm -D --defined-only hidden.so | sed 's/.* //' | sort >seen
    sed -n 's/^ *\(ffebm_[a-z0-9_]*\);/\1/p' lib/libffebm.map | sort | diff - seen
    echo "ffebm.c, $compiler: $(tail -n 1 one.said)"
done
