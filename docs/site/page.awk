# Doxygen's input filter for the guides: GitHub's Markdown in, Doxygen's out. Headings get names, links between guides
# lead to pages, links to files outside the site become plain text, and names of the API in `code` become references,
# except for those that the site does not have.
# The pages are the files in docs/; their names come in the environment, as FFEBM_PAGES=" name name ".

function slug(text) {
    text = tolower(text)
    gsub(/[^a-z0-9_ -]/, "", text)
    gsub(/ /, "-", text)
    return text
}

function link(text, target,    file, anchor) {
    file = target
    anchor = ""
    if (target ~ /#/) {
        anchor = substr(target, index(target, "#") + 1)
        file = substr(target, 1, index(target, "#") - 1)
    }
    if (target ~ /^[a-z]+:/ || target ~ /\.(png|svg)$/)
        return "[" text "](" target ")"
    gsub(/`/, "", text)
    if (text ~ /^(docs\/)?[a-z_]+\.md$/) { # on the site they are pages
        gsub(/^docs\/|\.md$/, "", text)
        gsub(/_/, " ", text)
    }
    sub(/\.md$/, "", file)
    if (file == "")
        file = page
    if (index(ENVIRON["FFEBM_PAGES"], " " file " "))
        return "[" text "](@ref guide_" file (anchor == "" ? "" : "_" anchor) ")"
    if (match(file, /include\/ffebm\/[a-z]+\.h$/))
        return "[" text "](@ref " substr(file, RSTART + 14) ")"
    return text
}

function inline(line,    out, text, target) {
    while (match(line, /`[^`]*`|\[[^]]*\]\([^)]*\)/)) {
        out = out substr(line, 1, RSTART - 1)
        text = substr(line, RSTART, RLENGTH)
        line = substr(line, RSTART + RLENGTH)
        if (text ~ /^`(ffebm|FFEBM)_[A-Za-z0-9_]+(\.[a-z_]+)?`$/ && text !~ /_`$|_(STATUS_LIST|API|LIBRARY|STANDALONE|HEADER|NO_[A-Z]+)`/) {
            text = substr(text, 2, length(text) - 2)
            target = text
            sub(/\./, "::", target)
            out = out "@ref " target " \"" text "\""
        } else if (text ~ /^`/)
            out = out text
        else {
            target = text
            sub(/^[^]]*\]\(/, "", target)
            sub(/\)$/, "", target)
            sub(/\]\(.*/, "", text)
            out = out link(substr(text, 2), target)
        }
    }
    return out line
}

FNR == 1 { page = FILENAME; sub(/.*\//, "", page); sub(/\.md$/, "", page) }
/^```/ { fenced = !fenced; print; next }
fenced || /^    / { print; next }
/^#+ / {
    text = $0
    sub(/^#+ */, "", text)
    if (/^# /)
        gsub(/`/, "") # it is the title of a window, too
    print inline($0) " {#guide_" page (/^# / ? "" : "_" slug(text)) "}"
    next
}
{ print inline($0) }
