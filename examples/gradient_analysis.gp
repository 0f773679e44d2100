# Draw what gradient_analysis has written, of all weights that are matrices or kernels:
#   gnuplot -e "data='analysis.jsonl'; picture='analysis.png'" examples/gradient_analysis.gp
if (!exists("data")) data = "build/analysis.jsonl"
if (!exists("picture")) picture = "build/analysis.png"

# Cut at : and , a line about a parameter has its name in $2, rank $6, sweep $8, EP $10, ID $12, cosine $14; one about a
# layer its stage in $2, layer $4, free norm $8, nudge $10, residual $12.
cut = "awk -F'[:,}] *' '"
weights = cut . "/\"parameter\"/ && $6 > 1 "
quoted(name) = "$2 == \"\\\"" . name . "\\\"\""
names = system(weights . "&& !seen[$2]++ { gsub(/\"/, \"\", $2); split(substr($2, 6), at, \".\"); " . \
               "printf \"%03d %03d %s\\n\", at[1], at[2], $2 }' " . data . " | sort | cut -d ' ' -f 3 | tr '\\n' ' '")
count = words(names)
label(i) = substr(word(names, i), 6, strstrt(word(names, i), ".weight") - 1)
sweeps = int(system(weights . "&& $8 > most { most = $8 } END { print most }' " . data))
trace(i) = "< " . weights . "&& " . quoted(word(names, i)) . " && $10 > 0 && $12 > 0 { print $8, $10, $12, 1 - $14 }' " . data
final(i) = real(system(weights . "&& " . quoted(word(names, i)) . " && $8 == " . sweeps . " { print $14 }' " . data))
norms = "< " . weights . "&& $10 > 0 { print $10 }' " . data
profile = "< " . cut . "/\"layer\"/ { print $2 \".\" $4, $8, $10, $12 }' " . data

if (strstrt(GPVAL_TERMINALS, "pngcairo") > 0) {
    set terminal pngcairo size 1240,900 font "DejaVu Sans,10" background "white"
} else {
    set terminal png size 1240,900 small
}
set output picture
set multiplot layout 2,2
set palette defined (0 "#440154", 0.25 "#3b528b", 0.5 "#21918c", 0.75 "#5ec962", 0.95 "#d8c80f")
set cbrange [1:count > 1 ? count : 2]
unset colorbox
set border 3 linecolor rgb "#555555"
set tics nomirror out textcolor rgb "#333333"
set grid linecolor rgb "#cccccc" linewidth 0.6
set logscale y

stats norms using 1 name "NORM" nooutput
set title "Gradient norms: ID (lines) and EP (circles)"
set xlabel "nudged sweeps"
set xrange [0.5:sweeps + 0.5]
set yrange [NORM_min / 1.3:NORM_max * 1.3]
set format y "%g"
if (NORM_max / NORM_min < 300) {
    set ytics (1)
    do for [e=-12:12] { set ytics add (10.0**e, 2 * 10.0**e, 5 * 10.0**e) }
}
set key outside right top vertical samplen 1.2 spacing 0.95 title "weight" font ",9"
plot for [i=1:count] trace(i) using 1:3:(i) with lines linewidth 1.8 linecolor palette notitle, \
     for [i=1:count] trace(i) using 1:2:(i) with points pointtype 6 pointsize 0.9 linewidth 1.4 linecolor palette notitle, \
     for [i=1:count] NaN with lines linewidth 3 linecolor palette cb i title label(i)

set title "Angle of EP to ID: 1 - cosine"
set yrange [1e-8:*]
set ytics autofreq
set format y "10^{%T}"
unset key
plot for [i=1:count] trace(i) using 1:($4 > 1e-8 ? $4 : 1e-8):(i) with lines linewidth 1.8 linecolor palette notitle

array cosine[count]
least = 0.99
do for [i=1:count] { cosine[i] = final(i); least = cosine[i] < least ? cosine[i] : least }
set title sprintf("Cosine of EP and ID after %d sweeps", sweeps)
set xlabel "weight: stage.op or stage.coupling"
set xrange [0.3:count + 0.7]
unset logscale y
set format y "%g"
set yrange [least < 0.99 ? least - 0.01 : 0.99:1]
set xtics rotate by 60 right font ",9" ("" 0)
do for [i=1:count] { set xtics add (label(i) i) }
set boxwidth 0.75
set style fill solid 0.85 noborder
base = least < 0.99 ? least - 0.01 : 0.99
plot sample [i=1:count:1] "+" using (i):(cosine[int(i)]):(i) with boxes linecolor palette notitle, \
     [i=1:count:1] "+" using (i):(base):(sprintf(" %.5f", cosine[int(i)])) with labels left rotate by 90 \
     textcolor rgb "white" font ",9" notitle

set title "Depth profile: norms by layer"
set xlabel "stage.layer of the state"
set autoscale x
set yrange [*:*]
set logscale y
set format y "10^{%T}"
set xtics rotate by 60 right font ",9" autofreq
set offsets 0.5, 0.5, 0, 0
set key outside top right horizontal samplen 2 title "" font ",10"
plot profile using 0:2:xticlabels(1) with linespoints linewidth 1.5 pointtype 7 pointsize 0.8 linecolor rgb "#888888" title "free state", \
     profile using 0:3 with linespoints linewidth 2 pointtype 7 pointsize 0.8 linecolor rgb "#21918c" title "nudge", \
     profile using 0:4 with linespoints linewidth 2 pointtype 7 pointsize 0.8 linecolor rgb "#c0392b" title "last free sweep"
unset multiplot
