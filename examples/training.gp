# Draw what `train` has logged: loss, accuracy, and of each energy block sweeps and residuals. plot.sh calls it:
#   gnuplot -e "data='log.jsonl'; picture='log.png'" examples/training.gp
if (!exists("data")) data = "build/demo.jsonl"
if (!exists("picture")) picture = "build/training.png"

# Values of one line for people who have no JSON parser: `number` of a key, the i-th `item` of a list. Lines about epochs
# have "test_accuracy", those about steps have "loss".
awk = "< awk 'function number(key,  at) { at = index($0, \"\\\"\" key \"\\\": \"); " . \
      "return at == 0 ? \"NaN\" : substr($0, at + length(key) + 4) + 0 } " . \
      "function item(key, i,  at, list) { at = index($0, \"\\\"\" key \"\\\": [\"); if (at == 0) return \"NaN\"; " . \
      "split(substr($0, at + length(key) + 5), list, /[],]/); return list[i] + 0 } "
epochs = awk . "/\"test_accuracy\"/ "
steps = awk . "/\"loss\"/ "
values(kind, expression) = kind . "{ print number(\"step\"), " . expression . " }' " . data
item(key, i) = sprintf("item(\"%s\", %d)", key, i)

# Where the blocks stand in the chain; how many lines there are of a kind. Curves come from the steps' lines where there are
# any of use; what no line has is left out.
blocks = system("sed -n 's/.*\"blocks\": \\[\\([0-9, ]*\\)\\].*/\\1/p' " . data . " | tail -n 1 | tr -d ','")
count = words(blocks)
lines(key) = int(system("grep -c '\"" . key . "\": ' " . data . " || true"))
finest = lines("loss") > 1 || lines("test_accuracy") == 0 ? steps : epochs

if (strstrt(GPVAL_TERMINALS, "pngcairo") > 0) {
    set terminal pngcairo size 1240,860 font "DejaVu Sans,10" background "white"
} else {
    set terminal png size 1240,860 small
}
set output picture
set multiplot layout 2,2
set palette defined (0 "#440154", 0.25 "#3b528b", 0.5 "#21918c", 0.75 "#5ec962", 0.95 "#d8c80f")
set cbrange [1:count > 1 ? count : 2]
unset colorbox
set border 3 linecolor rgb "#555555"
set tics nomirror out textcolor rgb "#333333"
set grid linecolor rgb "#cccccc" linewidth 0.6
set xlabel "step"
set xrange [0:*]
set datafile missing "NaN"
set key outside top right horizontal samplen 2 font ",9"

set title "Loss"
set yrange [0:*]
plot values(steps, "number(\"loss\")") using 1:2 with lines linecolor rgb "#bbbbbb" title "training, steps", \
     values(epochs, "number(\"train_loss\")") using 1:2 with linespoints pointtype 7 pointsize 0.6 linecolor rgb "#3b528b" title "training", \
     values(epochs, "number(\"val_loss\")") using 1:2 with linespoints pointtype 7 pointsize 0.6 linecolor rgb "#21918c" title "held out", \
     values(epochs, "number(\"test_loss\")") using 1:2 with linespoints pointtype 7 pointsize 0.6 linecolor rgb "#c0392b" title "test"

set title "Accuracy"
set yrange [*:1]
plot values(steps, "number(\"accuracy\")") using 1:2 with lines linecolor rgb "#bbbbbb" title "training, steps", \
     values(epochs, "number(\"train_accuracy\")") using 1:2 with linespoints pointtype 7 pointsize 0.6 linecolor rgb "#3b528b" title "training", \
     values(epochs, "number(\"val_accuracy\")") using 1:2 with linespoints pointtype 7 pointsize 0.6 linecolor rgb "#21918c" title "held out", \
     values(epochs, "number(\"test_accuracy\")") using 1:2 with linespoints pointtype 7 pointsize 0.6 linecolor rgb "#c0392b" title "test"

if (count > 0) {
    set title "Mean sweeps: free (lines), nudged (dashes)"
    set yrange [0:*]
    plot for [i=1:count] values(finest, item("free_sweeps", i)) using 1:2:(i) with linespoints pointtype 7 pointsize 0.3 linewidth 1.6 linecolor palette title "stage " . word(blocks, i), \
         for [i=1:count] values(finest, item("nudged_sweeps", i)) using 1:2:(i) with linespoints pointtype 7 pointsize 0.3 linewidth 1.6 dashtype 2 linecolor palette notitle

    set title "Largest residuals: free (lines), nudged (dashes)"
    set yrange [*:*]
    set logscale y
    set format y "10^{%T}"
    plot for [i=1:count] values(finest, item("free_residuals", i)) using 1:($2 > 0 ? $2 : NaN):(i) with linespoints pointtype 7 pointsize 0.3 linewidth 1.6 linecolor palette title "stage " . word(blocks, i), \
         for [i=1:count] values(finest, item("nudged_residuals", i)) using 1:($2 > 0 ? $2 : NaN):(i) with linespoints pointtype 7 pointsize 0.3 linewidth 1.6 dashtype 2 linecolor palette notitle
}
unset multiplot
