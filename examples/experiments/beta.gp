# Draw what beta.sh has measured, means over seeds:
#   gnuplot -e "data='table'; picture='beta.png'" examples/experiments/beta.gp
# A line of the table has nudging, estimator, beta, accuracy, cosine and region changes; a dash is a run that failed.
words_of(column) = system("cut -f " . column . " " . data . " | awk '!seen[$0]++' | tr '\\n' ' '")
nudgings = words_of(1)
estimators = words_of(2)
means(nudging, estimator, column) = "< awk -F '\\t' '$1 == \"" . nudging . "\" && $2 == \"" . estimator . \
    "\" && $" . column . " != \"-\" { sum[$3] += $" . column . "; count[$3]++ } " . \
    "END { for (beta in sum) print beta, sum[beta] / count[beta] }' " . data . " | sort -g"

if (strstrt(GPVAL_TERMINALS, "pngcairo") > 0) {
    set terminal pngcairo size 1500,460 font "DejaVu Sans,10" background "white"
} else {
    set terminal png size 1500,460 small
}
set output picture
set multiplot layout 1,3
set palette defined (0 "#440154", 0.25 "#3b528b", 0.5 "#21918c", 0.75 "#5ec962", 0.95 "#d8c80f")
set cbrange [1:words(estimators) > 1 ? words(estimators) : 2]
unset colorbox
set border 3 linecolor rgb "#555555"
set tics nomirror out textcolor rgb "#333333"
set grid linecolor rgb "#cccccc" linewidth 0.6
set key outside top center horizontal noenhanced samplen 2 font ",8"
set xlabel "beta"
set logscale x
set format x "10^{%T}"
title(n, e) = n == 1 ? word(estimators, e) : ""

array names[3] = ["Test accuracy", "Smallest cosine", "Region changes"]
do for [panel=1:3] {
    set title names[panel] . ": " . word(nudgings, 1) . (words(nudgings) > 1 ? " (lines), " . word(nudgings, 2) . " (dashes)" : "")
    plot for [n=1:words(nudgings)] for [e=1:words(estimators)] \
        means(word(nudgings, n), word(estimators, e), panel + 3) using 1:2:(e) with linespoints pointtype 7 pointsize 0.6 \
        linewidth 1.6 dashtype n linecolor palette title title(n, e)
}
unset multiplot
