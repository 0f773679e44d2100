# Draw what tolerance.sh has measured, means over seeds of the digits, or of Fashion-MNIST (dashes):
#   gnuplot -e "data='map.tsv'; picture='map.png'; contrast=0.02" examples/experiments/tolerance.gp
# A line of the table has data set, panel, effect, size and accuracy; a dash is a run that failed. contrast: how far a nudge moves
# states, which the upper axis of the third panel is in units of.
words_of(panel) = system("awk -F '\\t' '$2 == \"" . panel . "\" && !seen[$3]++ { printf \"%s \", $3 }' " . data)
means(set, panel, effect) = "< awk -F '\\t' '$1 == \"" . set . "\" && $2 == \"" . panel . "\" && $3 == \"" . effect . \
    "\" && $5 != \"-\" { sum[$4] += $5; count[$4]++ } END { for (size in sum) print size, sum[size] / count[size] }' " . data . " | sort -g"

if (strstrt(GPVAL_TERMINALS, "pngcairo") > 0) {
    set terminal pngcairo size 1500,520 font "DejaVu Sans,10" background "white"
} else {
    set terminal png size 1500,520 small
}
set output picture
set multiplot layout 1,3
set border 3 linecolor rgb "#555555"
set tics nomirror out textcolor rgb "#333333"
set grid linecolor rgb "#cccccc" linewidth 0.6
set key bottom left noenhanced samplen 2 font ",8"
set logscale x
set format x "10^{%T}"
set xlabel "size"
set ylabel "test accuracy: digits (lines), Fashion-MNIST (dashes)"
set yrange [0:1]
array panels[3] = ["keeps", "breaks", "corrupts"]
array titles[3] = ["Keeps an energy", "Breaks reciprocity", "Corrupts the difference"]
do for [p=1:3] {
    set title titles[p]
    effects = words_of(panels[p])
    if (p == 3) {
        set border 7
        set xrange [1e-5:1]
        set x2range [1e-5 / contrast:1 / contrast]
        set x2tics out
        set logscale x2
        set format x2 "10^{%T}"
        set x2label "size / contrast of nudged states"
    }
    plot for [e=1:words(effects)] means("digits", panels[p], word(effects, e)) using 1:2 with linespoints pointtype 7 \
             pointsize 0.6 linewidth 1.6 linecolor e title word(effects, e), \
         for [e=1:words(effects)] means("fashion-mnist", panels[p], word(effects, e)) using 1:2 with lines linewidth 1.2 \
             dashtype 2 linecolor e notitle
}
unset multiplot
