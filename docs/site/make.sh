#!/bin/sh
# Make the site with Doxygen: the Makefile says by the environment where (FFEBM_SITE), of what (FFEBM_VERSION, FFEBM_PAGES).
# Pages get Doxygen's own header, whatever its version, with the site's scripts in it.
set -eu
cd "$(dirname "$0")/../.."
header=$FFEBM_SITE/header.html
doxygen -w html "$header.new" "$FFEBM_SITE/footer.new" "$FFEBM_SITE/style.new" >/dev/null
awk '{
    gsub(/\$projectname: \$title/, "$title - $projectname")
    if (/<\/head>/) {
        print "<script src=\"$relpath^search_index.js\"></script>"
        print "<script src=\"$relpath^site.js\"></script>"
    }
    print
}' "$header.new" >"$header"
rm "$header.new" "$FFEBM_SITE/footer.new" "$FFEBM_SITE/style.new"
status=0
FFEBM_HEADER=$header doxygen docs/site/Doxyfile || status=$?
awk -f docs/site/index.awk "$FFEBM_SITE/api.tag" docs/*.md >"$FFEBM_SITE/search_index.js"
rm "$header" "$FFEBM_SITE/api.tag"
exit $status
