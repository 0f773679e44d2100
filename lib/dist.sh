#!/bin/sh
# The source tarball: dist.sh FILE. The files are those of the MANIFEST that an unpacked tarball has, or those that git
# knows, or all that are no products. Names, times, owners and modes are fixed, so that the same sources give the same
# bytes wherever and whenever.
set -eu
export LC_ALL=C
out=$(realpath -m "${1:?usage: dist.sh FILE}")
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

number() { sed -n "s/^.define FFEBM_VERSION_$1 \([0-9]*\).*/\1/p" include/ffebm/version.h; }
version=$(number MAJOR).$(number MINOR).$(number PATCH)
name=libffebm-$version

# The day of the release, or before it any.
day=$(sed -n "s/^## \[$version\] - \([0-9-]*\)\$/\1/p" CHANGELOG.md)
time=${SOURCE_DATE_EPOCH:-$(date -u -d "${day:-2000-01-01}" +%s)}

list() {
    if [ -f MANIFEST ]; then
        cat MANIFEST
    elif [ -e .git ]; then
        git ls-files
    else
        find . \( -path ./build -o -name __pycache__ -o -name 'libffebm.so*' -o -name libffebm.a \) -prune -o \
            -type f -printf '%P\n'
    fi
}
mkdir "$work/$name"
{ list; echo MANIFEST; } | sort -u >"$work/$name/MANIFEST"
grep -qx Makefile "$work/$name/MANIFEST" || { echo 'dist.sh: no list of files to be had'; exit 1; }
grep -vx MANIFEST "$work/$name/MANIFEST" | tar -c -T - | tar -x -C "$work/$name"
mkdir -p "$(dirname "$out")"
tar -C "$work" --format=ustar --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime="@$time" \
    -c "$name" | gzip -9n >"$out"
