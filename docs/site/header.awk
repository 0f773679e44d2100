# Doxygen's input filter for the public headers. They are written to be read as they are; this makes Doxygen read them
# by the same conventions:
#   - the first comment is the file's; a comment right before a declaration, or behind a member, belongs to it
#   - "Returns:", "In:", "Out:" and "In/Out:" head sections, whose items are "names: text"
#   - a banner, /* ---- title, begins a group; text below the title is the group's
#   - size, reserved_, .._rank and .._user mean the same in every struct (rules 2 and 7 in core.h)
# A name of the library's becomes a reference, so that one that no longer exists is a warning.

function escape(text,    parts, n, i, out) {
    n = split(text, parts, "`")
    for (i = 1; i <= n; i++) {
        if (n % 2 && i % 2 == 0) {
            out = out "`" parts[i] "`"
            continue
        }
        gsub(/&/, "\\&amp;", parts[i])
        gsub(/</, "\\&lt;", parts[i])
        gsub(/>/, "\\&gt;", parts[i])
        gsub(/\*/, "\\&lowast;", parts[i])
        gsub(/"/, "\\&quot;", parts[i])
        gsub(/\.\.\./, "\\&hellip;", parts[i])
        out = out link(parts[i])
    }
    return out
}

# What a program defines when it compiles the library is in no header.
function link(text,    out, name, target) {
    while (match(text, /[Ff][Ff][Ee][Bb][Mm]_[A-Za-z0-9_]+(\.[a-z][a-z_]*)?/)) {
        name = substr(text, RSTART, RLENGTH)
        target = name
        sub(/\./, "::", target)
        out = out substr(text, 1, RSTART - 1) (name ~ /_$|^FFEBM_(STANDALONE|NO_[A-Z]+|[A-Z]+_HEADER)$/ ? name : "@ref " target " \"" name "\"")
        text = substr(text, RSTART + RLENGTH)
    }
    return out text
}

# A member's comment: gaps of its little tables become dots.
function remark(text) {
    sub(/^ +/, "", text)
    sub(/^- /, "\\&minus; ", text)
    while (match(text, /[^ *]   *[^ *]/))
        text = substr(text, 1, RSTART) " · " substr(text, RSTART + RLENGTH - 1)
    return escape(text)
}

function strip(line) { # the text of a comment's line
    sub(/^ *\/\*\*? ?/, "", line)
    sub(/ *\*\/ *$/, "", line)
    if (line ~ /^ \*/)
        line = substr(line, 3)
    sub(/^ /, "", line)
    return line
}

function column(text) {
    match(text, /^ */)
    return RLENGTH
}

# Prose: headings in capitals, lists, and indented code.
function prose(lines, from, to,    i, text, code, base, listed) {
    base = -1
    for (i = from; i <= to; i++) {
        text = lines[i]
        if (text ~ /[^ ]/ && base < 0)
            base = column(text)
        if (text ~ /^[^ ]/ || text ~ /^ *(-|[0-9]+\.) /)
            listed = text ~ /^ *(-|[0-9]+\.) /
        if (!code && (listed ? column(text) >= 7 : column(text) >= base + 2 && lines[i - 1] ~ /^ *$/)) {
            code = 1
            print "@code{.c}"
        }
        if (code && text ~ /[^ ]/ && column(text) < (listed ? 6 : base + 2)) {
            code = 0
            print "@endcode"
        }
        if (code)
            print text
        else if (text ~ /^[A-Z][A-Z ]+$/)
            print "\n<b>" substr(text, 1, 1) tolower(substr(text, 2)) "</b>\n"
        else {
            match(text, /^ *(-|[0-9]+\.)? */)
            if (text ~ /^ *(-|[0-9]+\.) /)
                print ""
            print substr(text, 1, RLENGTH) escape(substr(text, RLENGTH + 1))
        }
    }
    if (code)
        print "@endcode"
}

# One item of a section: "names: text", "names." or text alone.
function item(section, text,    names, rest) {
    if (section == "Returns") {
        if (match(text, /^FFEBM_[A-Z_]+(, FFEBM_[A-Z_]+)*[:.]/)) {
            names = substr(text, 1, RLENGTH - 1)
            gsub(/, /, "</code></dt><dt><code>", names)
            rows = rows "<dt><code>" names "</code></dt><dd>" escape(substr(text, RLENGTH + 1)) "</dd>\n"
            return
        }
        if (rows != "" || text ~ /^Otherwise/)
            rows = rows "<dt>otherwise</dt><dd>" escape(text ~ /^Otherwise/ ? substr(text, 11) : text) "</dd>\n"
        else
            print "@return " escape(text)
        return
    }
    if (match(text, /^[a-z_0-9]+(, [a-z_0-9]+)*[:.]/)) {
        names = substr(text, 1, RLENGTH - 1)
        rest = substr(text, RLENGTH + 1)
        gsub(/, /, ",", names)
        print "@param[" tolower(section == "In/Out" ? "in,out" : section) "] " names " " \
            (rest ~ /[^ ]/ ? escape(rest) : names == "context" ? "from which memory and threads come." : "as named.")
    } else
        print "@ref item_without_a_name " escape(text) # an error
}

# A declaration's doc block: a title, sections, prose.
function block(lines, n,    i, text, section, base, held, start) {
    print "/** @brief " escape(lines[1])
    for (i = 2; i <= n && lines[i] !~ /^ *$/; i++)
        print escape(lines[i])
    rows = ""
    held = ""
    start = 0
    for (; i <= n + 1; i++) {
        text = i <= n ? lines[i] : ""
        if (match(text, /^ ?(Returns|In\/Out|In|Out): */)) {
            base = RLENGTH
            if (held != "")
                item(section, held)
            section = text
            sub(/^ */, "", section)
            sub(/:.*/, "", section)
            held = substr(text, base + 1)
        } else if (section != "" && text ~ /^ *$/) {
            if (held != "")
                item(section, held)
            held = ""
            section = ""
            print ""
        } else if (section != "") {
            if (column(text) == base && held !~ /,$/) {
                item(section, held)
                held = substr(text, base + 1)
            } else {
                sub(/^ */, " ", text)
                held = held text
            }
        } else if (text ~ /[^ ]/ && !start)
            start = i
    }
    if (rows != "")
        print "@return a status:\n<dl class=\"status\">\n" rows "</dl>"
    if (start)
        tail(lines, start, n)
    print "*/"
}

function tail(lines, from, to,    i) {
    print ""
    for (i = from; i <= to; i++) {
        if (lines[i] ~ /^ ?(Returns|In\/Out|In|Out): /)
            while (i < to && lines[i] !~ /^ *$/)
                i++
        else
            print escape(lines[i])
    }
}

function group(title, lines, n) {
    if (grouped)
        print "/** @} */"
    grouped = 1
    print "/** @name " toupper(substr(title, 1, 1)) substr(title, 2)
    prose(lines, 2, n)
    print "*/\n/** @{ */"
}

function member(line,    at, code, text) {
    at = index(line, "/*")
    code = substr(line, 1, at - 1)
    text = substr(line, at + 2)
    inside = text !~ /\*\//
    sub(/ *\*\/.*/, "", text)
    if (code ~ /^ *enum \{ *$/) {
        print "/** " remark(text) " */"
        print code
    } else if (code ~ /^enum \{ [A-Z0-9_]+ = [0-9]+ \}; *$/) {
        sub(/ \}; *$/, "", code)
        print "/** " remark(text) " */"
        print code " /**< " remark(text) " */ };"
    } else
        print code "/**< " remark(text) (inside ? "" : " */")
}

function conventional(line,    what) {
    if (line ~ / size;/)
        what = "sizeof the struct, set by its init function or by you (core.h, rule 7)"
    else if (line ~ / reserved[0-9]*_;/)
        what = "zero"
    else if (line ~ / ([a-z]+_)?rank;/)
        what = "how many dimensions the shape has"
    else if (line ~ /void \*[a-z]+_user;/)
        what = "handed to the callback first"
    else if (line ~ /^ *FFEBM_[A-Z0-9_]+( = [0-9]+)?,?$/ || line ~ /^enum \{ FFEBM.*\};$/)
        return line " /**< @ref no_comment */" # Doxygen does not miss it by itself
    else
        return line
    return line " /**< " what " */"
}

/^#define FFEBM_[A-Z]+_H$/ || /clang-format o/ { print ""; next }

# The statuses are one list of macros; Doxygen gets the enum that it makes.
/^#define FFEBM_STATUS_LIST/ { listing = 1; print "enum {"; next }
listing && match($0, /X\(.*\)/) {
    split(substr($0, RSTART + 2, RLENGTH - 3), row, / *, */)
    text = substr($0, index($0, "\"") + 1)
    sub(/".*/, "", text)
    print "    " row[1] " = " row[2] ", /**< " text " */"
    if ($0 !~ /\\$/) {
        listing = 0
        print "};"
    }
    next
}
/FFEBM_STATUS_ENTRY/ { print ""; next }

inside { # the rest of a member's comment
    text = $0
    inside = text !~ /\*\//
    sub(/ *\*\/.*/, "", text)
    print "    " remark(text) (inside ? "" : " */")
    next
}

/^ *\/\*/ { # a comment of its own
    n = 0
    delete lines
    while (1) {
        lines[++n] = strip($0)
        if ($0 ~ /\*\//)
            break
        getline
    }
    if (!seen++) {
        sub(/^[a-z\/.]* - /, "", lines[1])
        print "/** @file\n@brief " toupper(substr(lines[1], 1, 1)) escape(substr(lines[1], 2))
        for (at = 2; at <= n && lines[at] !~ /^ *$/; at++)
            print escape(lines[at])
        prose(lines, at, n)
        print "*/"
    } else if (match(lines[1], /^-+ */))
        group(substr(lines[1], RLENGTH + 1), lines, n)
    else
        block(lines, n)
    next
}

/^#ifdef __cplusplus/ && grouped { print "/** @} */"; grouped = 0 }

/^ .*\/\*/ || /^#define .*\/\*/ || /^enum \{.*\/\*/ || /^ *[A-Z0-9_]+ = .*\/\*/ { member($0); next }

{ print conventional($0) }
