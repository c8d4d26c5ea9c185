# A Procfile, with the .env beside it.
#
# foreman and its like run each line with sh -c in the directory of the Procfile, with what the
# .env says, PORT (5000, and 100 more for each further line), and all that they inherit.
# They stop everything if one ends, with TERM, and KILL after 5 seconds.

BEGIN {
  builtin = "^(exec|if|for|while|until|case|!|[.]|:|source|export|set|eval|ulimit|umask|trap" \
            "|wait|cd|unset|read|command|test|\\[)([ \t]|$)"
}

function convert(    i) {
  env_n = ports = 0
  begin()
  for (i = 1; i <= parts; i++) dotenv(part[i])
  for (i = 1; i <= notes; i++) env_note[i] = note[i]
  env_notes = notes
  open(main_file)
  while (next_line()) if (src !~ /^[ \t]*(#|$)/) process()
}

# KEY=VALUE, with or without export; the value may be within quotes.
function dotenv(name,    key, text) {
  open(name)
  while (next_line()) {
    if (src ~ /^[ \t]*(#|$)/) continue
    text = trim(src)
    sub(/^export[ \t]+/, "", text)
    if (text !~ /^[A-Za-z_][A-Za-z0-9_]*=/) {
      refused("not NAME=VALUE")
      continue
    }
    key = text
    sub(/=.*/, "", key)
    sub(/^[^=]*=/, "", text)
    dotenv_value(key, text)
  }
}

function dotenv_value(key, text) {
  if (text ~ /^'[^']*'$/) {
    text = substr(text, 2, length(text) - 2)
    remember(key, text, "without its quotes")
  } else if (text ~ /^"([^"\\]|\\.)*"$/) {
    text = substr(text, 2, length(text) - 2)
    if (text ~ /\\n/) {
      refused("a value that holds a newline")
      return
    }
    gsub(/\\\\/, "\001", text)
    gsub(/\\/, "", text)
    gsub(/\001/, "\\", text)
    remember(key, text, text ~ /\$/ ? "without its quotes; $ is a character like any other" \
                                    : "without its quotes")
  } else if (text ~ /^['"]/ || text ~ /[ \t]#/)
    refused("quotes or a comment that can be read in two ways")
  else if (text ~ /\$/) remember(key, text, "$ is a character like any other")
  else remember(key, text, src ~ /^[ \t]*export/ ? "is env=" key "=" text : "")
}

function remember(key, text, how) {
  if (!variable(key, text)) return
  env_name[++env_n] = key
  env_value[env_n] = text
  if (how == "") kept()
  else changed(how)
}

function process(    name, command, i, port, why) {
  if (src !~ /^[A-Za-z0-9_-]+:[ \t]*[^ \t]/) {
    refused("not NAME: COMMAND")
    return
  }
  name = command = src
  sub(/:.*/, "", name)
  sub(/^[^:]*:[ \t]*/, "", command)
  command = trim(command)
  begin()
  for (i = 1; i <= env_notes; i++) comment(env_note[i])
  word("/bin/sh")
  word("-c")
  word(for_shell(command))
  set("cwd", path)
  port = 5000
  for (i = 1; i <= env_n; i++) {
    if (env_name[i] == "PORT") port = env_value[i]
    else variable(env_name[i], env_value[i])
  }
  if (port ~ /^[0-9]+$/) {
    port += 100 * ports++
    variable("PORT", port)
  } else refused("PORT in .env is no number: " port)
  set("stop", "TERM 5")
  if (name == "release") {
    off = ".off"
    set("restart", "never")
    why = ", and is off: it is to run once at each release"
  } else why = ", and is started again when it ends; it runs as root unless you add user="
  name = emit(base(path) "-" name)
  changed("is the service " name why "; PORT is " port "; its words go where those of going go; " \
          "nothing else is inherited")
}

# With exec, the program is the process that going watches; that wants a simple command.
function for_shell(command,    bare, n) {
  if (match(command, /^cd [^;&|<>()`'"\\]*&&[ \t]*/)) {
    n = RLENGTH
    return substr(command, 1, n) for_shell(substr(command, n + 1))
  }
  bare = command
  gsub(/\\./, "_", bare)
  gsub(/'[^']*'|"[^"]*"/, "_", bare)
  gsub(/[0-9]*[<>]&[0-9-]/, "", bare)
  gsub(/\$\{[^}]*\}/, "_", bare)
  if (bare ~ /[;&|()`{}]/ || command ~ builtin) return command
  if (match(command, /^([A-Za-z_][A-Za-z0-9_]*=([^ \t'"$`\\]|"[^"$`\\]*"|'[^']*')*[ \t]+)+/))
    return substr(command, 1, RLENGTH) "exec " substr(command, RLENGTH + 1)
  if (command ~ /^[A-Za-z_][A-Za-z0-9_]*=/) return command
  return "exec " command
}
