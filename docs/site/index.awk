# The index of the site's search: index.awk TAGS GUIDE.md.. prints search_index.js. Of guides each section, with its words; of the
# API each name, from Doxygen's tag file.

function slug(text) {
    text = tolower(text)
    gsub(/[^a-z0-9_ -]/, "", text)
    gsub(/ /, "-", text)
    return text
}

# Without Markdown, XML and what would end a string of JavaScript.
function plain(text) {
    while (match(text, /!?\[[^]]*\]\([^)]*\)/)) {
        link = substr(text, RSTART, RLENGTH)
        words = substr(link, index(link, "[") + 1)
        text = substr(text, 1, RSTART - 1) substr(words, 1, index(words, "]") - 1) substr(text, RSTART + RLENGTH)
    }
    gsub(/<!--.*-->|<[a-z\/][^>]*>/, " ", text)
    gsub(/&lt;/, "<", text)
    gsub(/&gt;/, ">", text)
    gsub(/&amp;/, "\\&", text)
    gsub(/[`*"\\]/, " ", text)
    gsub(/[ \t|]+/, " ", text)
    sub(/^ /, "", text)
    return text
}

function entry(title, section, address, text) {
    printf "[\"%s\",\"%s\",\"%s\",\"%s\"],\n", title, section, address, tolower(text)
}

function finish() {
    if (section != "")
        entry(title, section, address, text)
    section = ""
    text = ""
}

BEGIN { print "/* Made by docs/site/index.awk. */\nconst ffebmIndex = [" }

# ---- names of the API
FILENAME ~ /\.tag$/ {
    if (match($0, /<compound kind="[a-z]+"/))
        kind = substr($0, RSTART + 16, RLENGTH - 17)
    if (match($0, /<name>[^<]*</)) {
        name = substr($0, RSTART + 6, RLENGTH - 7)
        if (!member) {
            compound = name
            if (kind == "struct")
                named_struct = name
        }
    }
    if ($0 ~ /<filename>/ && kind == "struct") {
        match($0, /<filename>[^<]*</)
        if (!(compound in seen)) {
            seen[compound] = 1
            entry("struct", compound, substr($0, RSTART + 10, RLENGTH - 11), "")
        }
    }
    if ($0 ~ /<member kind="(function|define|enumvalue|typedef|variable)"/)
        member = 1
    if (match($0, /<anchorfile>[^<]*</))
        file = substr($0, RSTART + 12, RLENGTH - 13)
    if (match($0, /<anchor>[^<]*</))
        anchor = substr($0, RSTART + 8, RLENGTH - 9)
    if ($0 ~ /<\/member>/ && member) {
        member = 0
        # A field is found with its struct.
        if (kind == "file" && !(name in seen)) {
            seen[name] = 1
            entry(compound, name, file "#" anchor, "")
        }
    }
    next
}

# ---- words of the guides
FNR == 1 {
    finish()
    page = FILENAME
    sub(/.*\//, "", page)
    sub(/\.md$/, "", page)
    file = page == "README" ? "index.html" : "guide_" page ".html"
    fenced = 0
}
/^```/ { fenced = !fenced; next }
/^#+ / && !fenced {
    finish()
    heading = $0
    sub(/^#+ */, "", heading)
    section = plain(heading)
    address = file
    if (/^# /)
        title = section
    else
        address = file "#guide_" page "_" slug(heading)
    next
}
{ text = text " " plain($0) }
END { finish(); print "];" }
