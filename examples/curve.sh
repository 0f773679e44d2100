#!/bin/sh
# Draw the learning curve that `train --log LOG.jsonl` has written: test accuracy, training loss and test loss by epoch.
# As a PNG picture where gnuplot is installed, as text where it is not.
set -eu

if [ $# -ne 2 ]; then
    echo "usage: $0 LOG.jsonl OUT.png" >&2
    exit 2
fi
log=$1
picture=$2

table=$(mktemp)
trap 'rm -f "$table"' EXIT
trap 'exit 1' HUP INT TERM

# One line an epoch: epoch, training loss, test loss, test accuracy. A resumed run may repeat an epoch; the last counts.
awk '
function field(name,    at) {
    at = index($0, "\"" name "\":")
    return at == 0 ? "" : substr($0, at + length(name) + 3) + 0
}
field("epoch") != "" && field("test_accuracy") != "" {
    epoch = field("epoch")
    if (epoch > last) last = epoch
    line[epoch] = epoch " " field("train_loss") " " field("test_loss") " " field("test_accuracy")
}
END { for (epoch = 1; epoch <= last; epoch++) if (epoch in line) print line[epoch] }
' "$log" >"$table"

if [ ! -s "$table" ]; then
    echo "$0: $log: no epochs in it, expected a log of train" >&2
    exit 1
fi

if command -v gnuplot >/dev/null 2>&1; then
    TABLE=$table PICTURE=$picture gnuplot <<'GNUPLOT'
set terminal png size 900,560
set output system("printf %s \"$PICTURE\"")
table = system("printf %s \"$TABLE\"")
set title "learning curve"
set xlabel "epoch"
set ylabel "loss"
set y2label "test accuracy"
set ytics nomirror
set y2tics
set yrange [0:*]
set grid
set key outside bottom center horizontal
plot table using 1:2 with linespoints title "training loss", \
     table using 1:3 with linespoints title "test loss", \
     table using 1:4 axes x1y2 with linespoints linewidth 2 title "test accuracy"
GNUPLOT
    echo "learning curve: $picture"
else
    awk '
    NR == 1 { low = high = $4 }
    { if ($4 < low) low = $4; if ($4 > high) high = $4; row[NR] = $0 }
    END {
        print "epoch  train loss  test loss  test accuracy"
        for (i = 1; i <= NR; i++) {
            split(row[i], value, " ")
            bar = ""
            length_of_bar = high > low ? int(1.5 + 39 * (value[4] - low) / (high - low)) : 40
            while (length(bar) < length_of_bar) bar = bar "#"
            printf "%5d  %10.4f  %9.4f  %13.4f  %s\n", value[1], value[2], value[3], value[4], bar
        }
    }' "$table"
    echo "(install gnuplot for a picture)"
fi
