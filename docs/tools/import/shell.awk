# Scripts for a shell that do little but set variables: those of OpenRC and of procd.
#
# read_script(FILE) appends to a list of items. Each is an assignment or some other command, and
# knows in which function it stands, if any. A function for which takes_whole() is true is one item.

function read_script(name,    inside, text, start, i) {
  inside = ""
  open(name)
  while (next_line()) {
    if (src ~ /^[ \t]*(#|$)/) continue
    start = nr
    text = src
    while (goes_on(text)) {
      if (!next_line()) break
      text = text "\n" src
    }
    if (inside == "" && match(text, /^[ \t]*(function[ \t]+)?[A-Za-z_][A-Za-z0-9_-]*[ \t]*\(\)/)) {
      inside = trim(substr(text, 1, RLENGTH))
      sub(/^function[ \t]+/, "", inside)
      sub(/[ \t]*\(\)/, "", inside)
      item(name, inside, "begin", text, start)
      if (text !~ /\{/ && next_line()) item_till[items] = nr
      if (text ~ /\}[ \t]*$/) {
        if (takes_whole(inside)) item_type[items] = "whole"
        else statements(name, inside, text, start)
        inside = ""
      } else if (takes_whole(inside)) {
        while (next_line()) {
          text = text "\n" src
          if (src ~ /^\}/) break
        }
        item_type[items] = "whole"
        item_src[items] = text
        item_till[items] = nr
        inside = ""
      }
    } else if (inside != "" && text ~ /^\}/) {
      item(name, inside, "end", text, start)
      inside = ""
    } else if (trim(text) ~ /^(export[ \t]+|local[ \t]+)?[A-Za-z_][A-Za-z0-9_]*=/)
      item(name, inside, "assign", text, start)
    else item(name, inside, "command", text, start)
  }
}

# Those of a function in one line.
function statements(name, inside, text, start,    list, n, i) {
  sub(/^[^{]*\{/, "", text)
  sub(/\}[ \t]*$/, "", text)
  n = split(text, list, ";")
  for (i = 1; i <= n; i++)
    if (trim(list[i]) != "")
      item(name, inside, list[i] ~ /^[ \t]*[A-Za-z_]+=/ ? "assign" : "command", list[i], start)
}

function item(name, inside, type, text, start) {
  items++
  item_file[items] = name
  item_in[items] = inside
  item_type[items] = type
  item_src[items] = text
  item_line[items] = start
  item_till[items] = nr
}

function at_item(i) {
  file = item_file[i]
  nr = item_line[i]
  till = item_till[i]
  src = item_src[i]
}

# Does it end within quotes, or with a backslash?
function goes_on(text,    i, c, inside) {
  for (i = 1; i <= length(text); i++) {
    c = substr(text, i, 1)
    if (inside == "'") {
      if (c == "'") inside = ""
    } else if (c == "\\") {
      if (++i > length(text)) return 1
    } else if (c == "\"") inside = inside == "" ? c : ""
    else if (inside == "" && c == "'") inside = c
    else if (inside == "" && c == "#" && (i == 1 || substr(text, i - 1, 1) ~ /[ \t\n;]/)) {
      while (i < length(text) && substr(text, i + 1, 1) != "\n") i++
    }
  }
  return inside != ""
}

# Sets known[NAME] for NAME=VALUE; the name is in assigned. False if the value cannot be known.
function assignment(text,    list, n) {
  text = trim(text)
  exported = sub(/^export[ \t]+/, "", text)
  sub(/^local[ \t]+/, "", text)
  assigned = text
  sub(/=.*/, "", assigned)
  sub(/^[^=]*=/, "", text)
  no_split = 1
  n = shell_words(text, list, 1)
  no_split = 0
  if (n >= 0 && leftover !~ /^[ \t]*(#|$)/) {
    problem = "more than an assignment"
    n = -1
  }
  if (n < 0) return 0
  known[assigned] = n ? list[1] : ""
  return 1
}

# Commands that prepare something, and are plain enough to be run before the service.
function is_preparation(text,    list) {
  return text ~ /^(mkdir|chmod|chown|chgrp|touch|rm|ln|cp|mv|install)[ \t]/ &&
         shell_words(text, list, 1) > 0
}

# The same command with its variables put in.
function plain(text,    list, n, i, result) {
  n = shell_words(text, list, 1)
  for (i = 1; i <= n; i++) result = result (i > 1 ? " " : "") shell_quote(list[i])
  return result
}
