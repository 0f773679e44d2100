#!/bin/sh
# Install, build programs with what is there, run them, uninstall: with each BLAS, with which some unit tests run too.
# Before that, in paths with spaces: as a packager installs, and moved, staged, out of PREFIX, behind symbolic links.
# shellcheck disable=SC2086  # make may be several words
set -eu
cd "$(dirname "$0")/.."
make="${MAKE:-make} WERROR=1"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "$*"
    exit 1
}
quiet() {
    "$@" >"$work/log" 2>&1 || { cat "$work/log"; fail "failed: $*"; }
}
# refused WORDS COMMAND..: it fails, and says these words.
refused() {
    words=$1
    shift
    ! "$@" >"$work/log" 2>&1 || fail "not refused: $*"
    grep -q -e "$words" "$work/log" || { cat "$work/log"; fail "no word of '$words': $*"; }
}
nothing_left() {
    left=$(find "$1" -mindepth 1)
    [ -z "$left" ] || fail "uninstall left: $left"
}
# usable LIBDIR: with pkg-config and CMake, by one compiler.
usable() { quiet env COMPILERS=gcc tests/check_consumer.sh "$1"; }

# As a packager does: all below DESTDIR, directories of his own, and no file that knows of DESTDIR. It can be used there.
stage="$work/a stage"
staged() {
    quiet $make "$1" DESTDIR="$stage" PREFIX=/usr bindir=/usr/bin/here libdir=/usr/lib/here \
        includedir=/usr/include/here datadir=/usr/share/here docdir=/usr/share/doc/ffebm-doc
}
quiet $make all
staged install
pc=$stage/usr/lib/here/pkgconfig/ffebm.pc
cmake=$stage/usr/lib/here/cmake/ffebm
for file in include/here/ffebm.h include/here/ffebm/core.h include/here/ffebm.hpp \
    include/here/ffebm/core.hpp bin/here/ffebm-train share/here/ffebm/models/digits.json share/doc/ffebm-doc/LICENSE \
    share/doc/ffebm-doc/docs/math.md; do
    [ -f "$stage/usr/$file" ] || fail "install has left out /usr/$file"
done
grep -qF "libdir=\${prefix}/lib/here" "$pc" || fail 'ffebm.pc does not give libdir'
if grep -F "$work" "$pc" "$cmake"/*; then fail 'a file mentions DESTDIR'; fi
if grep '@[A-Z]' "$pc" "$cmake"/*; then fail 'a placeholder is left'; fi
usable "$stage/usr/lib/here"
ln -s usr/lib "$stage/lib" # as systems have it
usable "$stage/lib/here"
rm "$stage/lib"
# pkgconf joins a sysroot with a space in its name to itself.
sysroot=$work/sysroot
ln -s "$stage" "$sysroot"
flags=$(PKG_CONFIG_SYSROOT_DIR=$sysroot PKG_CONFIG_PATH=$sysroot/usr/lib/here/pkgconfig \
    ${PKG_CONFIG:-pkg-config} --cflags ffebm)
${CC:-cc} $flags -x c -include ffebm.h -fsyntax-only /dev/null || fail "not the headers of a sysroot: $flags"
staged uninstall
nothing_left "$stage"

# Twice, by one whose files are private, for all to read; then moved away.
(umask 077 && quiet $make install PREFIX="$work/one place" && quiet $make install PREFIX="$work/one place")
private=$(find "$work/one place" ! -type l \( ! -perm -444 -o -type d ! -perm -555 \))
[ -z "$private" ] || fail "not for all to read: $private"
mv "$work/one place" "$work/the other"
usable "$work/the other/lib"
quiet $make uninstall PREFIX="$work/the other"
nothing_left "$work/the other"

# Out of PREFIX, and with a lib that is a symbolic link to a place of another depth.
mkdir -p "$work/linked" "$work/far/away/disk"
ln -s ../far/away/disk "$work/linked/lib"
for places in "PREFIX=$work/own libdir=$work/multi/arch includedir=$work/headers" "PREFIX=$work/linked"; do
    libdir=$(echo "$places" | sed -n 's/.*libdir=\([^ ]*\).*/\1/p')
    quiet $make install $places
    usable "${libdir:-$work/linked/lib}"
    quiet $make uninstall $places
done
nothing_left "$work/far/away/disk"

# From where make begins; what cannot be meant is refused.
relative=build/relative.$$
quiet $make install PREFIX="$relative"
usable "$relative/lib"
quiet $make uninstall PREFIX="$relative"
nothing_left "$relative"
rmdir "$relative"
refused "PREFIX is '~/ffebm', expected an absolute path" $make install PREFIX='~/ffebm'
refused "libdir is 'lib64', expected an absolute path" $make install libdir=lib64 DESTDIR="$work/none"
refused 'is a file of this tree' $make uninstall PREFIX=.
refused 'expected a path without spaces' $make OUT='my build'
[ ! -e "$work/none" ] || fail 'a refused install has begun'
echo 'moved, staged, out of PREFIX, behind a link, relative, private: can be used, and leaves nothing'

echo '-- CMake, with the source tree inside'
tests/check_cmake.sh

# As a user does.
for blas in openblas blis netlib; do
    echo "-- $blas"
    out=build/$blas
    [ $blas != openblas ] || out=build
    prefix=$work/$blas
    user() { $make "$@" BLAS=$blas OUT=$out PREFIX="$prefix" DESTDIR= libdir="$prefix/lib" includedir="$prefix/include" \
        docdir="$prefix/doc"; }
    quiet user install unit
    [ -f "$prefix/lib/libffebm.so" ] || fail 'libffebm.so leads nowhere'
    user --silent installcheck
    for suite in reference convolution optimizer; do
        CK_RUN_SUITE=$suite user --silent run-unit | tail -n 1
    done
    if [ $blas = openblas ]; then
        strip -o "$work/stripped" "$prefix/lib/libffebm.so"
        echo "libffebm.so without debugging information: $(wc -c <"$work/stripped") bytes"
    fi
    quiet user uninstall
    nothing_left "$prefix"
done

# The training program with each MPI.
for mpi in openmpi mpich; do
    echo "-- $mpi"
    quiet $make build/examples/train build/examples/ranks MPI=1 MPICC=mpicc.$mpi
    tests/check_ranks.sh build/examples/train mpirun.$mpi
    [ $mpi = mpich ] || tests/check_hosts.sh build/examples/train mpirun.$mpi
done
quiet $make build/examples/train
