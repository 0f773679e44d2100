#!/bin/sh
# The library as two files, for programs that would rather compile it than link it: amalgamate.sh DIR writes DIR/ffebm.h
# and DIR/ffebm.c. How to compile them stands at the head of ffebm.c.
#
# Sources are taken over as they are, each header once, in the place of its first #include. What is local to a source
# has to stay apart from what others call the same: names at file scope that occur in more than one source get the
# source's number appended, and a source's macros end with it. The layout that clang-format gives is relied on: what is
# at file scope begins in column 1.
set -eu
cd "$(dirname "$0")/.."
out=${1:?usage: amalgamate.sh DIR}
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

number() { sed -n "s/^.define FFEBM_VERSION_$1 \([0-9]*\).*/\1/p" include/ffebm/version.h; }
version=$(number MAJOR).$(number MINOR).$(number PATCH)

awk -v version="$version" '
    function take(path, line) {
        if (path in seen) return
        seen[path] = 1
        while ((getline line < path) > 0) {
            if (line ~ /^#include "/) {
                sub(/^#include "(ffebm\/)?/, "", line)
                sub(/".*/, "", line)
                take("include/ffebm/" line)
            } else print line
        }
        close(path)
    }
    BEGIN {
        print "/* libffebm " version ", its public headers in one. */"
        take("include/ffebm.h")
    }' >"$out/ffebm.h"

# local_names SOURCE: the functions, objects, types, tags and enumerators that it declares at file scope. Whatever does not
# begin with ffebm is local: check_symbols.sh sees to that. So is what it has from an .inc file or a simd_ header.
local_names() {
    # shellcheck disable=SC2046  # a list of files, split on purpose
    cat "$1" $(sed -n -e 's/^#include "\(.*\.inc\)"/src\/\1/p' -e 's/^#include "\(.*\/simd_.*\.h\)"/src\/\1/p' "$1") | awk '
        function last_word(text) {
            sub(/[^A-Za-z0-9_]+$/, "", text)
            sub(/.*[^A-Za-z0-9_]/, "", text)
            if (text != "") print text
        }
        { sub(/[ \t]*\/\*.*/, "") }
        /^[A-Za-z_]/ && !/^(struct|enum|union|case|default)[ :]/ && !/^typedef .*\{/ {
            text = $0
            gsub(/__attribute__\(\(.*\)\) /, "", text)
            if (match(text, /\(\*(const )?[A-Za-z0-9_]+/)) text = substr(text, 1, RSTART + RLENGTH - 1)
            else if (!sub(/[ ]*[[(=;].*/, "", text) || text !~ /[ *]/ || text ~ /[ *](ffebm[a-z0-9_]*|NAME)$/) next
            last_word(text)
        }
        /^(typedef )?(struct|enum|union) [A-Za-z0-9_]+ \{/ { last_word(substr($0, 1, index($0, "{"))) }
        /^} [A-Za-z0-9_]+;/ { last_word($2) }
        /^(typedef )?enum / { listing = 1; sub(/^[^{]*\{/, "") }
        listing {
            ends = /}/
            sub(/}.*/, "")
            count = split($0, part, ",")
            for (i = 1; i <= count; i++) {
                sub(/=.*/, "", part[i])
                last_word(part[i])
            }
            if (ends) listing = 0
        }' | sort -u
}
for source in src/*/*.c; do
    local_names "$source" | sed "s|\$| $source|"
done >"$work/names"
cut -d' ' -f1 "$work/names" | sort | uniq -d >"$work/shared"

# Sources that know JSON come last, behind one condition: those that include its headers, and all of src/io.
awk '
    function knows_json(path, line, found) {
        if (path in known) return known[path]
        known[path] = 0
        found = path == "src/json/json.h"
        while ((getline line < path) > 0)
            if (sub(/^#include "/, "src/", line)) {
                sub(/".*/, "", line)
                if (knows_json(line)) found = 1
            }
        close(path)
        return known[path] = found
    }
    BEGIN {
        for (i = 1; i < ARGC; i++)
            if (knows_json(ARGV[i]) || ARGV[i] ~ /^src\/io\// && ARGV[i] != "src/io/without_json.c") last[++count] = ARGV[i]
            else print ARGV[i]
        print "--with-json"
        for (i = 1; i <= count; i++) print last[i]
    }' src/*/*.c >"$work/sources"

cat >"$out/ffebm.c" <<END
/* libffebm $version, its sources in one. GNU C99 or later, by gcc or clang.
 *
 *   cc -O3 -c ffebm.c
 *   cc program.c ffebm.o -lopenblas -lcjson -lm -pthread
 *
 * Any CBLAS will do: -DFFEBM_CBLAS_HEADER='<other.h>' names its header, -DFFEBM_BLAS_NAME='"other"' what ffebm_version() is
 * to say of it. With -std=c11 or -ffp-contract=off results have the library's bits. Its symbols are the public functions.
 *
 *   cc -O2 -DFFEBM_STANDALONE -c ffebm.c
 *   cc program.c ffebm.o -lm -pthread
 *
 * needs the C library alone: matrix products are our own, and no instruction sets are chosen. -DFFEBM_NO_THREADS leaves out
 * threads too, and POSIX with them. Model descriptions and checkpoints are there if cJSON.h lies beside this file (or
 * -DFFEBM_CJSON_HEADER='<its/name.h>' says where) and cJSON.c is compiled as well; without them what takes JSON fails with
 * FFEBM_ERR_UNSUPPORTED.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#if !defined(FFEBM_CBLAS_HEADER) && !defined(FFEBM_STANDALONE)
#define FFEBM_CBLAS_HEADER <cblas.h>
#endif
#if !defined(FFEBM_BLAS_NAME) && !defined(FFEBM_STANDALONE)
#define FFEBM_BLAS_NAME "cblas"
#elif !defined(FFEBM_BLAS_NAME)
#define FFEBM_BLAS_NAME "standalone"
#endif
#include "ffebm.h"
#ifdef __GNUC__ /* a build may lack what uses some of it */
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-const-variable"
#endif
END

# shellcheck disable=SC2046  # lists of files, split on purpose
awk -v names="$work/names" -v shared="$work/shared" '
    # The line with the names in `local` numbered wherever they stand for themselves: not behind . or ->, not as the stem
    # of a NAME(), not as an attribute or as a member of a struct, not in texts and comments.
    function rename(line, out, token) {
        while (line != "") {
            if (comment) {
                if (!match(line, /\*\//)) return out line
                RLENGTH += RSTART - 1
                comment = 0
            } else if (match(line, /^\/\*/)) {
                comment = 1
            } else if (!match(line, /^"([^"\\]|\\.)*"/) && !match(line, /^\x27([^\x27\\]|\\.)*\x27/) &&
                       !match(line, /^(NAME|offsetof)\([^()]*\)/) &&
                       !match(line, /^__attribute__\(\([a-z_]*(\([^()]*\))?\)\)/)) {
                if (match(line, /^[A-Za-z0-9_]+/)) {
                    token = substr(line, 1, RLENGTH)
                    if (token in local && out !~ /(\.|->)$/ && !(members && substr(line, RLENGTH + 1) ~ /^[;,:[)]/))
                        out = out token "_" number
                    else
                        out = out token
                    line = substr(line, RLENGTH + 1)
                    continue
                }
                RLENGTH = 1
                if (line ~ /^{/ && ++depth && out ~ /(struct|union)( [A-Za-z0-9_]+)? $/) members = depth
                if (line ~ /^}/ && depth-- == members) members = 0
            }
            out = out substr(line, 1, RLENGTH)
            line = substr(line, RLENGTH + 1)
        }
        return out
    }
    # Insides are seen in this file alone: `line` as static where it begins with a declaration that looks like `outer`.
    function own(line, outer) {
        if (line !~ "^(" outer ")" || line ~ /^(static|typedef|struct|enum)[ ]/) return line
        sub(/^extern /, "", line)
        return "static " line
    }
    # A header of words, such as real, is taken anew in each source, and undone behind it.
    function of_words(path, line, found) {
        while ((getline line < path) > 0)
            if (line ~ /^#define / && line !~ /^#define FFEBMI?_/) found = 1
        close(path)
        return found
    }
    function take(path, is_source, line, other) {
        while ((getline line < path) > 0) {
            if (line ~ /^#include <ffebm[.\/]/) continue
            if (line ~ /^#include "/) {
                other = line
                sub(/^#include "/, "src/", other)
                sub(/".*/, "", other)
                if (other ~ /\.inc$/ || of_words(other)) take(other, 1)
                else if (!(other in seen)) {
                    seen[other] = 1
                    take(other, 0)
                }
                continue
            }
            print is_source ? rename(own(line, "const .*[ *]ffebmi_[a-z0-9_]+ =|const [a-z_]+ NAME\\(")) \
                            : own(line, "[A-Za-z_].*[ *]ffebmi_[a-z0-9_]+\\(|extern const .*[ *]ffebmi_[a-z0-9_]+;")
            if (is_source && line ~ /^# *define /) {
                sub(/^# *define /, "", line)
                sub(/[^A-Za-z0-9_].*/, "", line)
                if (!(line in macros)) macro[++macro_count] = line
                macros[line] = 1
            }
        }
        close(path)
    }
    BEGIN {
        while ((getline line < shared) > 0) is_shared[line] = 1
        while ((getline line < names) > 0) {
            split(line, part, " ")
            if (part[1] in is_shared) of_source[part[2]] = of_source[part[2]] " " part[1]
        }
        for (number = 1; number < ARGC; number++) {
            if (ARGV[number] == "--with-json") {
                print "\n/* What knows JSON. */\n#ifdef FFEBMI_WITH_JSON"
                continue
            }
            split("", local)
            split("", macros)
            split(of_source[ARGV[number]], part, " ")
            for (i in part) local[part[i]] = 1
            comment = depth = members = macro_count = 0
            print "\n/* " ARGV[number] " */"
            take(ARGV[number], 1)
            for (i = 1; i <= macro_count; i++) print "#undef " macro[i]
        }
        print "\n#endif"
    }' $(cat "$work/sources") >>"$out/ffebm.c"
