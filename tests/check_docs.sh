#!/bin/sh
# What the guides say, tried. check_docs.sh PROGRAMS LIBRARIES..: the directory of the built examples, and what to link
# with. In README.md, CHANGELOG.md, CONTRIBUTING.md and docs/:
#   - C blocks are compiled. The comment in front of one says how (the last is for blocks of any language):
#       <!-- program: x.c -->  saved under this name, compiled and run
#       <!-- file: x.h -->     saved for the programs that follow in the same guide
#       <!-- within: x.c -->   compiled inside tests/docs/x.c
#       <!-- from: path -->    stands in that file, word for word
#   - JSON blocks are model descriptions; Python is Python, where there is one to ask
#   - options of the examples are in their --help, or in their source where they have none
#   - links lead to files and headings that are there
#   - error texts that troubleshooting.md quotes are in the sources
set -eu
cd "$(dirname "$0")/.."
programs=$1
shift
tree=$(pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
compile="${CC:-cc} -std=c11 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror -Iinclude"
guides="README.md CHANGELOG.md CONTRIBUTING.md docs/*.md"

fail() {
    echo "$*" >&2
    exit 1
}

# blocks FILE: each fenced block becomes a file NUMBER, and a line "NUMBER LANGUAGE LINE COMMENT" of the list.
blocks() {
    rm -rf "$work/blocks"
    mkdir -p "$work/blocks"
    awk -v to="$work/blocks" '
        /^```/ && !open { open = ++n; language = substr($0, 4); if (language == "") language = "-"
                          print n, language, FNR, comment >(to "/list"); printf "" >(to "/" n); next }
        /^```/ { close(to "/" open); open = 0; comment = ""; next }
        open { print >(to "/" open); next }
        { comment = "" }
        /^<!-- [a-z]+: .* -->$/ { comment = $2 " " $3 }' "$1"
    touch "$work/blocks/list"
}

# The first program that a newcomer runs learns, and its gradient is right, whatever the seed.
try_seeds() {
    for seed in 0 1 2 3 4; do
        (cd "$folder" && ./program "$seed" >output 2>&1) || fail "train.c, seed $seed: $(cat "$folder/output")"
        grep -q '^the gradient is certified' "$folder/output" && awk '
            /^new points:/ { for (i = 2; i < NF; i++) if ($i == "of") right = $(i - 1) / $(i + 1) }
            END { exit !(right >= 0.94) }' "$folder/output" || fail "train.c, seed $seed: $(cat "$folder/output")"
    done
}

# One guide, in an empty folder of its own.
try_guide() {
    blocks "$1"
    folder=$work/folder
    rm -rf "$folder"
    mkdir "$folder"
    ln -s "$tree/examples/conformance" "$folder/conformance"
    while read -r number language line kind name; do
        block=$work/blocks/$number
        case $language/$kind in
        c/program:)
            cp "$block" "$folder/$name"
            kit=$(grep -q conformance.h "$block" && ls examples/conformance/*.c | grep -v broken || :)
            $compile -I"$folder" -o "$folder/program" "$folder/$name" $kit $libraries ||
                fail "$1:$line: does not compile"
            (cd "$folder" && ./program >output 2>&1) || fail "$1:$line: $(cat "$folder/output")"
            [ "$1/$name" != docs/getting_started.md/train.c ] || try_seeds
            counted=$((counted + 1))
            ;;
        c/file:) cp "$block" "$folder/$name" ;;
        c/within:)
            cp "$block" "$folder/fragment.inc"
            $compile -Wno-unused -I"$folder" -Iexamples -fsyntax-only "tests/docs/$name" ||
                fail "$1:$line: does not compile"
            counted=$((counted + 1))
            ;;
        */from:) contains "$name" "$block" || fail "$1:$line: is not in $name any more" ;;
        json/) "$work/describe" <"$block" || fail "$1:$line: is no model description" ;;
        python/*)
            ! command -v python3 >/dev/null || python3 -c 'import ast, sys; ast.parse(sys.stdin.read())' <"$block" ||
                fail "$1:$line: is no Python"
            ;;
        c/* | json/*) fail "$1:$line: what is this block? See tests/check_docs.sh" ;;
        esac
    done <"$work/blocks/list"
}

# contains FILE PART: are all lines of PART in FILE, one after the other?
contains() {
    awk 'NR == FNR { part = part $0 "\n"; next } { text = text $0 "\n" } END { exit !index(text, part) }' "$2" "$1"
}

# Options on lines that call a program of the examples, and on the lines that continue them.
try_options() {
    for file in $guides; do
        sed -e ':a' -e '/\\$/N; s/\\\n//; ta' "$file" | grep -oE 'build/examples/[a-z_]+ [^#`]*--.*' |
            sed 's/ #.*//; s/`.*//' | sort -u >"$work/calls" || :
        while read -r program rest; do
            program=${program#build/examples/}
            [ -x "$programs/$program" ] || [ -e "examples/$program.c" ] || fail "$file: there is no program $program"
            { "$programs/$program" --help 2>&1 || :; cat "examples/$program.c"; } >"$work/help"
            for option in $rest; do
                case $option in
                --help) ;;
                --*) grep -q -e "${option%%=*}\>" "$work/help" || fail "$file: $program has no option $option" ;;
                esac
            done
        done <"$work/calls"
    done
}

# The headings of a file as they are linked to.
anchors() {
    awk '/^```/ { fenced = !fenced } !fenced && /^#+ / { sub(/^#+ */, ""); print tolower($0) }' "$1" |
        sed 's/[^a-z0-9_ -]//g; s/ /-/g'
}

try_links() {
    for file in $guides; do
        awk '/^```/ { fenced = !fenced } !fenced' "$file" | grep -oE '\]\([^) ]+\)' | sed 's/^](//; s/)$//' |
            grep -v '^[a-z]*:' >"$work/links" || :
        while read -r link; do
            target=$(dirname "$file")/${link%%#*}
            [ "${link%%#*}" ] || target=$file
            [ -e "$target" ] || fail "$file: links to $link, which is not there"
            case $link in
            *#*)
                anchors "$target" | grep -qx -e "${link#*#}" ||
                    fail "$file: links to $link, a heading that is not there"
                ;;
            esac
        done <"$work/links"
    done
}

# Texts in the first column of troubleshooting.md; "..." stands for what differs from case to case.
try_errors() {
    find src -name '*.[ch]' -o -name '*.inc' | xargs cat | tr -d '\n' |
        sed 's/\\"/\x27/g; s/" *\(PRI[a-z0-9]*\)* *"//g; s/%[-+.*0-9]*[a-z]*//g' >"$work/sources"
    sed -n 's/^| `\([^`]*\)` |.*/\1/p' docs/troubleshooting.md | tr '"' "'" >"$work/texts"
    [ -s "$work/texts" ] || fail 'docs/troubleshooting.md quotes nothing'
    while read -r text; do
        printf '%s\n' "$text" | sed 's/\.\.\./\n/g' | sed 's/^[: ]*//; s/[: ]*$//' | while read -r part; do
            [ -z "$part" ] || grep -qF -e "$part" "$work/sources" ||
                fail "docs/troubleshooting.md: no error says \"$part\" ($text)"
        done || exit 1
    done <"$work/texts"
}

libraries=$*
counted=0
$compile -o "$work/describe" tests/docs/describe.c $libraries
for guide in $guides; do
    try_guide "$guide"
done
try_options
try_links
try_errors
echo "$counted C blocks compiled, programs run; $(wc -l <"$work/texts") error texts found"
