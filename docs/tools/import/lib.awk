# What all kinds share: reading, saying what became of a line, and building a service file.
#
# A kind defines convert(), which is called for each file on the list, and calls begin() before
# and emit() after it has collected one service. What it collects:
#   word(w)          a further word of the command
#   set(key, value)  a key of going(5)
#   variable(n, v)   a variable of the environment
#   prelude(text)    shell commands to run before the command, in the same process
#   wrap(words)      a tool that the command is to be run through, such as nice(1)
#   limits           options of prlimit(1)
#   as_root = 1      prelude and tools want root, so they come before the change of user
#   setpriv_options  more for setpriv(1), which then does the change
#   last_wrapper     a tool behind the change of user
#   log_command      what is to read, as the service NAME-log, its log_streams
#   off = ".off"     it must not run, or not yet

# --- Reading

# The list has a line for each source: what it is, a tab, and its name.
BEGIN {
  FS = "\t"
}

$1 == "unit" {
  if (units++) convert_and_tell()
  path = ""
  unit_name = ""
  parts = 0
  main_file = $2
}
$1 == "path" { path = $2 }
$1 == "name" { unit_name = $2 }
$1 == "file" || $1 == "program" {
  part[++parts] = $2
  part_is_program[parts] = $1 == "program"
}

END {
  if (units) convert_and_tell()
  printf "" >(out "/.names")
  exit failed
}

function convert_and_tell() {
  open(main_file)
  convert()
  tell()
}

function open(name) {
  file = name
  nr = till = ended = 0
  if (!(name in last_said)) {
    last_said[name] = 1
    source[++sources] = name
  }
}

# The next line of the file goes to src, which is what messages quote.
function next_line() {
  if (ended || (getline src <file) <= 0) {
    close(file)
    ended = 1 # or it would be read from its start again
    return 0
  }
  till = ++nr
  if (nr == 1) sub(/^\357\273\277/, "", src)
  sub(/\r$/, "", src)
  return 1
}

function exists(name,    line, there) {
  there = (getline line <name) >= 0
  close(name)
  return there
}

function base(name) {
  sub(/.*\//, "", name)
  return name
}

function trim(text) {
  gsub(/^[ \t]+|[ \t]+$/, "", text)
  return text
}

# --- Saying what became of a line

# What is said of a line that goes on is said of all its lines. It is kept until all is known, and
# then comes out in the order of the lines.
function say(what, why,    quoted, i) {
  quoted = src
  gsub(/[ \t\n]+/, " ", quoted)
  why = trim(quoted) (quoted != "" && why != "" ? ": " : "") why
  if (quiet) return why
  message(nr ? nr : 1, what ": " why)
  for (i = nr + 1; i <= till; i++) message(i, what ": belongs to line " nr)
  return why
}

function message(line, text) {
  said[file, line] = said[file, line] file ":" line ": " text "\n"
  if (last_said[file] < line) last_said[file] = line
}

function tell(    i, line) {
  for (i = 1; i <= sources; i++) {
    for (line = 1; line <= last_said[source[i]]; line++)
      if ((source[i], line) in said) printf "%s", said[source[i], line] >"/dev/stderr"
    delete last_said[source[i]]
  }
  for (i in said) delete said[i]
  sources = 0
}

function kept(why) { say("kept", why) }
function changed(why) { say("changed", why) }
function refused(why) {
  failed = 1
  comment("not imported: " (src == "" ? base(file) ": " : "") say("refused", why))
}

# Refused, and without it the service must not run.
function unusable(why) {
  off = ".off"
  broken = 1
  refused(why)
}

# --- Building a service file

function begin(    k) {
  words = notes = variables = wraps = as_root = broken = 0
  before = off = log_command = log_streams = log_cwd = log_off = log_stop = ""
  limits = setpriv_options = become = last_wrapper = ""
  for (k in value) delete value[k]
}

function comment(text) {
  gsub(/\n/, " ", text)
  note[++notes] = text
}

function word(text) {
  if (text ~ /\n/) unusable("a word of a command cannot hold a newline")
  command_word[++words] = text
}

function wrap(text) { wrapper[++wraps] = text }
function prelude(text) { before = before text }

function set(key, text) {
  if (text ~ /\n/ || text ~ /[ \t\r]$/) {
    unusable(key " cannot end in a blank, nor hold a newline")
    return
  }
  value[key] = text
}

# A path that must be absolute.
function set_path(key, text) {
  if (text ~ /^\//) set(key, text)
  else unusable(key " wants an absolute path, not " text)
}

function variable(name, text) {
  if (name !~ /^[^= \t]+$/) {
    refused("not a name of a variable: " name)
    return 0
  }
  if (text ~ /\n/ || text ~ /[ \t\r]$/) {
    refused("the value of " name " cannot hold a newline, nor end in a blank")
    return 0
  }
  variable_name[++variables] = name
  variable_value[variables] = text
  return 1
}

# NAME=VALUE
function assign_variable(text,    n) {
  n = index(text, "=")
  if (n > 1) return variable(substr(text, 1, n - 1), substr(text, n + 1))
  refused("not NAME=VALUE: " text)
  return 0
}

function value_of(name,    i) {
  for (i = variables; i; i--) if (variable_name[i] == name) return variable_value[i]
  return ""
}

function has_variable(name,    i) {
  for (i = variables; i; i--) if (variable_name[i] == name) return 1
  return 0
}

function forget_variable(name,    i, n) {
  for (i = 1; i <= variables; i++) {
    if (variable_name[i] == name) continue
    variable_name[++n] = variable_name[i]
    variable_value[n] = variable_value[i]
  }
  variables = n + 0
}

# What it says on stdout, stderr, or both, goes to syslog. Old supervisors had logs of their own.
function to_syslog(streams, tag, level) {
  log_streams = trim(streams)
  if (log_streams != "")
    log_command = "logger -t " quote(tag) " -p " (level == "" ? "daemon.info" : level)
}

# A name that going allows, and that nothing else of this run has.
function service_name(wanted,    name, n) {
  name = substr(wanted, 1, 200)
  gsub(/[^A-Za-z0-9_@-]/, "_", name)
  if (name == "") name = "_"
  n = ++named[name]
  while (n > 1 && (name "-" n) in named) n++
  if (n > 1) named[name = name "-" n] = 1
  return name
}

# Writes what was collected; returns the name of the file.
function emit(wanted,    name, text, i, k, keys) {
  name = service_name(wanted)
  if (name != wanted) comment("its name was " wanted)
  if (!words && off == "") unusable("there is no command to run")
  if (!words) log_streams = ""
  k = split(log_streams, keys, " ")
  for (i = 1; i <= k; i++) value[keys[i]] = "/run/" name ".fifo"
  if (as_root) become_later()
  if (log_streams != "" && broken) comment("its logger is " name "-log.off")
  text = ""
  for (i = 1; i <= notes; i++) text = text "# " note[i] "\n"
  if (words) text = text "cmd=" whole_command() "\n"
  if ("cwd" in value) text = text "cwd=" value["cwd"] "\n"
  if ("user" in value) text = text "user=" value["user"] "\n"
  for (i = 1; i <= variables; i++)
    text = text "env=" variable_name[i] "=" variable_value[i] "\n"
  k = split("stdin stdout stderr restart backoff retries stop", keys, " ")
  for (i = 1; i <= k; i++) if (keys[i] in value) text = text keys[i] "=" value[keys[i]] "\n"
  if (length(text) > 8192) {
    off = ".off"
    failed = 1
    say("refused", "service " name ": its file is over 8 KiB, put the command into a script")
  }
  write(name off, text)
  if (log_streams != "") {
    text = "cmd=" log_command "\n"
    if (log_cwd != "") text = text "cwd=" log_cwd "\n"
    text = text "stdin=/run/" name ".fifo\n"
    if (log_stop != "") text = text "stop=" log_stop "\n"
    # a service that is off for now has a logger that is there when it comes
    write(service_name(name "-log") (broken ? ".off" : log_off), text)
  }
  return name off
}

function write(name, text) {
  printf "%s", text >(out "/" name)
  close(out "/" name)
  print name >(out "/.names")
}

# The command with all that it is run through.
function whole_command(    text, i) {
  if (before != "") text = "/bin/sh -c " quote(before "exec \"$@\"") " sh"
  for (i = 1; i <= wraps; i++) text = text " " wrapper[i]
  if (limits != "") text = text " prlimit" limits
  text = text become (last_wrapper == "" ? "" : " " last_wrapper)
  for (i = 1; i <= words; i++) text = text " " quote(command_word[i])
  return substr(text, before == "" ? 2 : 1)
}

# A change of user that comes after what root is to do: setpriv(1), and the variables that user=
# would have set.
function become_later(    user, group, i, n) {
  if (!("user" in value)) return
  user = group = value["user"]
  sub(/:.*/, "", user)
  if (!account(user)) {
    unusable("there is no user " user " here, and what root is to do comes before him")
    return
  }
  if (!sub(/^[^:]*:/, "", group)) group = account_group
  delete value["user"]
  become = " setpriv --reuid=" user " --regid=" group groups_option(group) setpriv_options
  n = variables
  for (i = n; i; i--) {
    variable_name[i + 4] = variable_name[i]
    variable_value[i + 4] = variable_value[i]
  }
  variables = 0
  variable("HOME", account_home)
  variable("USER", account_name)
  variable("LOGNAME", account_name)
  variable("SHELL", account_shell)
  variables = n + 4
}

# --init-groups gives the user's own group as well, which another group is to take the place of.
function groups_option(group,    line, field, id, list) {
  list = group
  while ((getline line <"/etc/group") > 0) {
    split(line, field, ":")
    if (field[1] == group || field[3] == group) id = field[3]
    else if (index("," field[4] ",", "," account_name ",")) list = list "," field[1]
  }
  close("/etc/group")
  return id == account_group || group == account_group ? " --init-groups" : " --groups=" list
}

# Looks a user up in /etc/passwd, by name or by number.
function account(user,    line, field, found) {
  while (!found && (getline line <"/etc/passwd") > 0) {
    split(line, field, ":")
    if (field[1] != user && field[3] != user) continue
    found = 1
    account_name = field[1]
    account_group = field[4]
    account_home = field[6]
    account_shell = field[7] == "" ? "/bin/sh" : field[7]
  }
  close("/etc/passwd")
  return found
}

# Who it runs as; says so if there is nobody of that name yet.
function set_user(user,    name) {
  set("user", user)
  name = user
  sub(/:.*/, "", name)
  if (!account(name)) nobody("user", name)
  else if (sub(/^[^:]*:/, "", user) && !has_group(user)) nobody("group", user)
  else return 1
  return 0
}

function nobody(kind, name) {
  if (name !~ /^([A-Za-z_][A-Za-z0-9_.-]*|[0-9]+)$/) unusable("not the name of a " kind)
  else
    changed("there is no " kind " " name " here: the file is at fault until there is, and then " \
            "touched")
}

function has_group(group,    line, field, found) {
  while (!found && (getline line <"/etc/group") > 0) {
    split(line, field, ":")
    found = field[1] == group || field[3] == group
  }
  close("/etc/group")
  return found
}

# --- Words and values

# As a word of cmd, where nothing is escaped, but quotes of both kinds may stand side by side.
function quote(text,    quoted) {
  if (text ~ /^[^ \t'"]+$/) return text
  if (text !~ /'/) return "'" text "'"
  if (text !~ /"/) return "\"" text "\""
  while (text != "") {
    if (match(text, /^[^']+/)) quoted = quoted "'" substr(text, 1, RLENGTH) "'"
    else if (match(text, /^'+/)) quoted = quoted "\"" substr(text, 1, RLENGTH) "\""
    text = substr(text, RLENGTH + 1)
  }
  return quoted
}

# As a word of a shell's.
function shell_quote(text) {
  if (text ~ /^[A-Za-z0-9_\/.:=@%+,-]+$/) return text
  gsub(/'/, "'\\''", text)
  return "'" text "'"
}

# A signal by its name, as going wants it; nothing if there is none.
function signal_name(text,    i, n, pair) {
  text = toupper(text)
  sub(/^SIG/, "", text)
  n = split("1 HUP 2 INT 3 QUIT 6 ABRT 9 KILL 10 USR1 12 USR2 14 ALRM 15 TERM 18 CONT " \
            "28 WINCH 30 PWR", pair, " ")
  for (i = 1; i < n; i += 2) if (text == pair[i] || text == pair[i + 1]) return pair[i + 1]
  return ""
}

# Splits text into list, in the way of a POSIX shell, and returns how many words there are, or -1
# if it is more than words. When expanding, variables are replaced by what is in known. With
# no_split it is only the first word, as in an assignment: nothing in it is split or a glob, and
# what follows is left in leftover.
function shell_words(text, list, expanding,    i, c, n, current, inside, name, got) {
  n = 0
  problem = leftover = ""
  for (i = 1; i <= length(text); i++) {
    c = substr(text, i, 1)
    if (inside == "'") {
      if (c == "'") inside = ""
      else current = current c
    } else if (c == "\\") {
      c = substr(text, ++i, 1)
      if (c == "" && !expanding) {
        problem = "nothing behind a backslash"
        return -1
      }
      if (inside == "\"" && !index(expanding ? "\"\\$`\n" : "\"\\", c)) current = current "\\"
      if (c != "\n" || !expanding) current = current c
      got = 1
    } else if (c == "$" && expanding && (name = substr(text, i + 1)) ~ /^[A-Za-z_{(]/) {
      if (expansion(name) == "") {
        problem = problem == "" ? "more than a shell's words: $" name : problem
        return -1
      }
      i += expansion_length
      if (inside == "\"" || no_split) current = current expanded
      else {
        # its value is split in its turn, and a glob in it would be one
        if (expanded ~ /[*?[]/) {
          problem = "a glob: " expanded
          return -1
        }
        while (match(expanded, /[ \t\n]+/)) {
          current = current substr(expanded, 1, RSTART - 1)
          if (current != "" || got) list[++n] = current
          current = got = ""
          expanded = substr(expanded, RSTART + RLENGTH)
        }
        current = current expanded
        if (current != "") got = 1
      }
    } else if (inside == "\"") {
      if (c == "\"") inside = ""
      else if (c == "`" && expanding) {
        problem = "a command in backquotes"
        return -1
      } else current = current c
    } else if (c == "'" || c == "\"") {
      inside = c
      got = 1
    } else if (c ~ /[ \t\n]/) {
      if (current != "" || got) list[++n] = current
      current = got = ""
      if (no_split) {
        leftover = substr(text, i)
        break
      }
    } else if (expanding && c == "#" && current == "" && !got) {
      while (i < length(text) && substr(text, i + 1, 1) != "\n") i++
    } else if (expanding && index(no_split ? ";&|<>()`" : ";&|<>()`*?[", c)) {
      problem = "the shell does more with " c
      return -1
    } else current = current c
  }
  if (inside != "") {
    problem = "a quote is not closed"
    return -1
  }
  if (current != "" || got) list[++n] = current
  return n
}

# Expands NAME, {NAME}, {NAME:-DEFAULT}, {NAME-DEFAULT} or {NAME:=DEFAULT} at the start of text;
# the result is in expanded, the length in expansion_length. Empty if it cannot.
function expansion(text,    name, rest, op, default_text, end) {
  if (match(text, /^[A-Za-z_][A-Za-z0-9_]*/)) {
    name = substr(text, 1, RLENGTH)
    expansion_length = RLENGTH
  } else if (match(text, /^\{[A-Za-z_][A-Za-z0-9_]*/)) {
    name = substr(text, 2, RLENGTH - 1)
    rest = substr(text, RLENGTH + 1)
    end = index(rest, "}")
    if (!end) return ""
    expansion_length = RLENGTH + end
    rest = substr(rest, 1, end - 1)
    if (rest != "" && !match(rest, /^:?[-=]/)) return ""
    if (rest != "") {
      op = substr(rest, 1, RLENGTH)
      default_text = substr(rest, RLENGTH + 1)
      if (default_text ~ /[$`"'\\]/) return ""
    }
  } else return ""
  if (name in known) {
    expanded = known[name]
    if (expanded == "" && op ~ /^:/) expanded = default_text
  } else if (op != "" ) expanded = default_text
  else {
    problem = "unknown variable: " name
    return ""
  }
  if (op ~ /=/) known[name] = expanded
  return name
}
