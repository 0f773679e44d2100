# generated.sh - what the generators of model files share. To be sourced by a script that
# has a function `generate DIR [WIDTH [CLASSES]]`, which writes models to DIR, and $owned, patterns of the files that are its
# own. It then calls `main` with its arguments: none, --check, or DIR [WIDTH [CLASSES]].
here=$(cd "$(dirname "$0")" && pwd)

# Files that the table does not make, or makes otherwise, and files beside the script of which the table knows nothing.
check() {
    made=$(mktemp -d)
    trap 'rm -rf "$made"' EXIT
    generate "$made"
    status=0
    # $owned is a list of patterns. Each matches something, or ls fails.
    for file in $({ cd "$made" && ls ./*.json && cd "$here" && ls $owned; } | sort -u); do
        cmp -s "$made/$file" "$here/$file" || { echo "$file differs from the table in $0" >&2 && status=1; }
    done
    return $status
}

main() {
    case "${1-}" in
    '') generate "$here" ;;
    --check) check ;;
    -*)
        echo "usage: $0 [--check | DIR [WIDTH [CLASSES]]]" >&2
        exit 2
        ;;
    *)
        if ! awk -v width="${2-1}" -v classes="${3-1}" 'BEGIN { exit !(width + 0 > 0 && classes ~ /^[1-9][0-9]*$/) }'; then
            echo "$0: expected a directory, a width above 0, a number of classes" >&2
            exit 2
        fi
        mkdir -p "$1"
        generate "$@"
        ;;
    esac
}
