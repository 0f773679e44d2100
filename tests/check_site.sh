#!/bin/sh
# The site in headless Chromium, on a screen and on a telephone: check_site.sh SITE [WATCH_SETTLING]. On no page does anything
# burst the window, miss a picture or write to the console; titles have no markup, the search finds what it ought to, code can be
# copied. A page with faults is among them, and has to be noticed. The picture of a settling block is what the program draws.
set -eu
cd "$(dirname "$0")/.."
site=$(realpath "${1:?usage: check_site.sh SITE [WATCH_SETTLING]}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "check_site.sh: $*" >&2
    exit 1
}
if [ -n "${2-}" ]; then
    "$2" --svg "$work/settling.svg"
    cmp "$work/settling.svg" docs/settling.svg || fail 'docs/settling.svg: watch_settling draws another one'
fi

browser=
for name in chromium chromium-browser google-chrome; do
    [ -n "$browser" ] || browser=$(command -v $name || :)
done
if [ -z "$browser" ]; then
    echo 'the site in a browser: left out, there is no Chromium'
    exit 0
fi
cat >"$work/broken.html" <<'END'
<!DOCTYPE html>
<title>`broken`</title>
<div style="width: 2000px">wide <img src="nowhere.png" alt=""></div>
<script>console.log('a broken page speaks');</script>
END
{
    printf '<!DOCTYPE html><meta charset="utf-8"><pre id="said"></pre><script>const site = "file://%s/", pages = [' "$site"
    (cd "$site" && for page in *.html; do printf '"%s", ' "$page"; done)
    printf '"file://%s/broken.html"];</script><script src="file://%s/tests/site/check.js"></script>\n' "$work" "$PWD"
} >"$work/check.html"
# As root it has no sandbox of its own; it is to fetch nothing.
"$browser" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
    --disable-component-update --disable-sync --user-data-dir="$work/profile" --allow-file-access-from-files \
    --enable-logging=stderr --virtual-time-budget=600000 --dump-dom "file://$work/check.html" >"$work/dom" 2>"$work/log" ||
    fail "$browser failed: $(tail -n 3 "$work/log")"
sed -n '/<pre id="said">/,/<\/pre>/p' "$work/dom" | sed 's/<[^>]*>//g' | grep . >"$work/said" || :
grep -o 'CONSOLE.*' "$work/log" | sed 's/^CONSOLE[^"]*/console: /' >>"$work/said" || :
grep -q '^looked at ' "$work/said" || fail "it did not come to its end: $(cat "$work/said")"
for fault in 'pixels wide' 'markup in its title' 'no picture' 'console:'; do
    grep 'broken' "$work/said" | grep -q "$fault" || fail "a broken page was not noticed, $fault: $(cat "$work/said")"
done
if grep -v 'broken' "$work/said" | grep -v '^looked at ' >&2; then fail 'see above'; fi
grep '^looked at ' "$work/said"
