#!/bin/sh
# Three lists of functions must be one: declared with FFEBM_API in include/, named in lib/libffebm.map, exported by the
# shared library. No global name in the static library may collide with a host program's. And the library calls nothing
# that prints, ends the process, or changes what belongs to all of it.
#   check_symbols.sh [DIR]   check the libraries in DIR (lib)
#   check_symbols.sh --map   print the version script that the headers call for
set -eu
export LC_ALL=C
cd "$(dirname "$0")/.."

declared() {
    cat include/ffebm.h include/ffebm/*.h | awk '
        /^FFEBM_API/ { text = ""; open = 1 }
        open { text = text " " $0 }
        open && /;/ { match(text, /ffebm_[a-z0-9_]+ *\(/); name = substr(text, RSTART, RLENGTH)
                      sub(/ *\(/, "", name); print name; open = 0 }' | sort
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
declared >"$work/headers"

# A node for each release that brought functions: those of earlier releases as tests/abi has them, then today's.
number() { sed -n "s/^.define FFEBM_$1 \([0-9]*\).*/\1/p" "${2-include/ffebm/version.h}"; }
minor_of() { echo "$(number VERSION_MAJOR "$1").$(number VERSION_MINOR "$1")"; }
# node NAME FILE: with the functions of FILE that no node has yet.
node() {
    comm -13 "$work/placed" "$2" >"$work/new"
    [ -s "$work/new" ] || return 0
    printf '%s {\nglobal:\n' "$1"
    sed 's/.*/    &;/' "$work/new"
    [ -n "$parent" ] || printf 'local:\n    *;\n'
    printf '}%s;\n' "$parent"
    parent=" $1"
    sort -o "$work/placed" "$work/placed" "$work/new"
}
print_map() {
    parent=
    : >"$work/placed"
    printf '/* Every public function by name; tests/check_symbols.sh --map prints this from the headers. */\n'
    for old in $(find tests/abi -name ffebm.h | sort -V); do
        [ "$(number ABI_VERSION "$old")" = "$(number ABI_VERSION)" ] || continue
        [ "$(minor_of "$old")" != "$(minor_of include/ffebm/version.h)" ] || continue
        sed -n '/^typedef/d; s/^[a-z].*[ *]\(ffebm_[a-z0-9_]*\)(.*/\1/p' "$old" | sort >"$work/functions"
        node "FFEBM_$(minor_of "$old")" "$work/functions"
    done
    node "FFEBM_$(minor_of include/ffebm/version.h)" "$work/headers"
}
if [ "${1-}" = --map ]; then
    print_map
    exit 0
fi

dir=${1-lib}
sed -n 's/^ *\([A-Za-z_][A-Za-z0-9_]*\);.*/\1/p' lib/libffebm.map | sort >"$work/map"
# The version node itself is listed as an absolute symbol (A); every other kind counts.
nm -D --defined-only "$dir/libffebm.so" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort >"$work/library"

status=0
for other in map library; do
    if ! diff "$work/headers" "$work/$other" >"$work/diff"; then
        echo "headers (<) and $other (>) differ:"
        grep '^[<>]' "$work/diff"
        status=1
    fi
done
if ! print_map | cmp -s - lib/libffebm.map; then
    echo 'lib/libffebm.map is not the version script that the headers call for: tests/check_symbols.sh --map prints it'
    status=1
fi
if grep -n '\*' lib/libffebm.map | grep -v -e ' \*;$' -e '/\*'; then
    echo 'lib/libffebm.map: name every function, no wildcards'
    status=1
fi
nm -g --defined-only "$dir/libffebm.a" | awk 'NF == 3 && $3 !~ /^ffebmi?_/ { print $3 }' | sort -u >"$work/foreign"
if [ -s "$work/foreign" ]; then
    echo 'global names in libffebm.a that begin with neither ffebm_ nor ffebmi_:'
    cat "$work/foreign"
    status=1
fi

unwelcome='abort|_?exit|_Exit|quick_exit|at_?exit|raise|kill|(bsd_|sysv_)?signal|sigaction|sigprocmask|alarm|setitimer'
unwelcome="$unwelcome|v?f?printf|vd?printf|dprintf|f?puts|f?putc|putchar|perror|std(in|out|err)|syslog|(set|use)locale"
unwelcome="$unwelcome|fe(set|hold|update).*|fe(en|dis)ableexcept|(un)?setenv|putenv|f?chdir|umask|assert_fail|s?rand(om)?"
unwelcome="$unwelcome|strtok|strerror|localtime|gmtime|(set|long)jmp|dlopen|v?fork|system|popen|exec.*"
calls() { nm -u "$1" | awk 'NF == 2 { print $2 }' | sort -u | grep -Ex "(__|_IO_)?($unwelcome)(_chk)?"; }
if calls "$dir/libffebm.a"; then
    echo 'A guest does not call these; libffebm.a does'
    status=1
fi
for call in 'puts("")' 'abort()' 'signal(2, 0)' 'setlocale(6, "")' 'fesetround(0)'; do
    echo "int ${call%%(*}(); void ffebm_mutant(void) { ${call}; }" |
        ${CC:-cc} -std=c99 -w -fno-builtin -xc -c -o "$work/mutant.o" -
    calls "$work/mutant.o" >"$work/log" || { echo "check_symbols.sh is blind to $call"; status=1; }
done
[ "$(wc -l <"$work/headers")" -gt 0 ] || { echo 'no function found in include/'; status=1; }
[ $status -ne 0 ] || echo "$(wc -l <"$work/headers") functions"
exit $status
