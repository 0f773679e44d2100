#!/bin/sh
# The table of long runs from their logs, in Markdown: table.sh build/attack/NAME.log ...
set -eu
echo '| campaign | minutes | seed | cases | findings |'
echo '|---|---|---|---|---|'
for log in "$@"; do
    awk '
        /^# ended with status / { ended = ", status " $5; next }
        /^# / { name = $2; sub(":", "", name); minutes = $3; seed = $6 }
        / cases, [0-9]+ findings$/ { cases = $2; findings = $4 }
        END { if (name != "") printf "| %s | %s | %s | %s | %s |\n", name, minutes, seed, cases == "" ? "broke off" : cases, findings ended }
    ' "$log"
done
