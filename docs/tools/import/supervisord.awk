# Programs of a supervisord.conf.
#
# supervisord gives a program its own environment with SUPERVISOR_* and what environment= says, its
# own directory, umask 022, and a process group. It writes what a program says into files, which it
# rotates. It sends TERM to the process, and KILL after 10 seconds. An exit within startsecs is
# tried again startretries times.

function convert(    s) {
  read_sections()
  for (s in shared) delete shared[s]
  for (s in group_of) delete group_of[s]
  for (s = 1; s <= sections; s++) if (section[s] ~ /^group:/) one_group(s)
  for (s = 1; s <= sections; s++) if (section[s] == "supervisord") itself(s)
  for (s = 1; s <= sections; s++) if (section[s] !~ /^group:|^supervisord$/) other(s)
}

# --- Reading, as Python's configparser does for supervisord

function read_sections(    text, indent, level, o) {
  sections = options = 0
  o = level = 0
  open(main_file)
  while (next_line()) {
    match(src, /^[ \t]*/)
    indent = RLENGTH
    text = src
    if (match(text, /(^|[ \t])[;#]/)) text = substr(text, 1, RSTART - 1)
    text = trim(text)
    if (text == "") continue
    if (o && indent > level) {
      option_value[o] = option_value[o] "\n" text
      option_till[o] = nr
      continue
    }
    level = indent
    o = 0
    if (text ~ /^\[.+\]/) {
      section[++sections] = substr(text, 2, length(text) - 2)
      sub(/\].*/, "", section[sections])
      section_line[sections] = nr
      first_option[sections] = options + 1
    } else if (match(text, /[ \t]*[=:][ \t]*/) && sections) {
      o = ++options
      option_key[o] = tolower(substr(text, 1, RSTART - 1))
      option_value[o] = substr(text, RSTART + RLENGTH)
      option_line[o] = option_till[o] = nr
      option_src[o] = text
    } else {
      begin()
      refused("not KEY=VALUE")
    }
    last_option[sections] = options
  }
}

function at_section(s) {
  nr = till = section_line[s]
  src = "[" section[s] "]"
}

function at_option(o) {
  nr = option_line[o]
  till = option_till[o]
  src = option_key[o] "=" option_value[o]
}

# --- Sections

function one_group(s,    o, list, n, i) {
  at_section(s)
  begin()
  changed("there are no groups; its programs are services of their own")
  for (o = first_option[s]; o <= last_option[s]; o++) {
    at_option(o)
    if (option_key[o] == "programs") {
      n = split(option_value[o], list, /[ \t\n]*,[ \t\n]*/)
      for (i = 1; i <= n; i++) group_of[trim(list[i])] = substr(section[s], 7)
    }
    changed("not needed")
  }
}

# What supervisord is told about itself counts for all that it starts.
function itself(s,    o, k) {
  at_section(s)
  kept()
  for (o = first_option[s]; o <= last_option[s]; o++) {
    at_option(o)
    k = option_key[o]
    if (k ~ /^(umask|directory|user|minfds|environment)$/) {
      shared[k] = option_value[o]
      shared_at[k] = o
      changed("is said to every program")
    } else changed("supervisord's own")
  }
}

function other(s,    o) {
  if (section[s] ~ /^program:/) {
    program(s)
    return
  }
  at_section(s)
  begin()
  if (section[s] ~ /^(eventlistener|fcgi-program):/) {
    unusable("it talks to supervisord, and cannot do without")
    emit(substr(section[s], index(section[s], ":") + 1))
  } else if (section[s] == "include") refused("name these files, too")
  else changed("supervisord's own")
  for (o = first_option[s]; o <= last_option[s]; o++) {
    at_option(o)
    if (section[s] ~ /^(eventlistener|fcgi-program|include)/) refused("belongs to what is refused")
    else changed("supervisord's own")
  }
}

# --- A program

function program(s,    o, first, count, n, name) {
  own = substr(section[s], 9)
  for (o in opt) delete opt[o]
  for (o = first_option[s]; o <= last_option[s]; o++) {
    opt[option_key[o]] = option_value[o]
    opt_at[option_key[o]] = o
  }
  # what the section says goes before what supervisord was told about itself
  count = "numprocs" in opt ? opt["numprocs"] : 1
  first = "numprocs_start" in opt ? opt["numprocs_start"] : 0
  if (count !~ /^[0-9]+$/ || first !~ /^[0-9]+$/ || count < 1) count = first = 1
  for (n = first + 0; n < first + count; n++) {
    quiet = n > first + 0
    begin()
    expansions(n, count)
    for (o = first_option[s]; o <= last_option[s]; o++) {
      at_option(o)
      if (opt_at[option_key[o]] == o) option(option_key[o], option_value[o])
      else changed("given again further below")
    }
    at_section(s)
    summary(count, n)
  }
  quiet = 0
}

function expansions(n, count,    k) {
  for (k in known) delete known[k]
  known["program_name"] = own
  known["group_name"] = own in group_of ? group_of[own] : own
  known["process_num"] = n
  known["numprocs"] = count
  known["here"] = path
  if ("environment" in shared) environment(shared["environment"])
  if ("environment" in opt) environment(opt["environment"])
}

# %(name)s, %(name)d, %(name)02d and %%. What cannot be known is a problem.
function expand(text,    result, name, form) {
  problem = ""
  while (match(text, /%/)) {
    result = result substr(text, 1, RSTART - 1)
    text = substr(text, RSTART)
    if (text ~ /^%%/) {
      result = result "%"
      text = substr(text, 3)
    } else if (match(text, /^%\([A-Za-z0-9_]+\)0?[0-9]*[ds]/)) {
      form = name = substr(text, 1, RLENGTH)
      text = substr(text, RLENGTH + 1)
      sub(/^%\(/, "", name)
      sub(/\).*/, "", name)
      sub(/.*\)/, "%", form)
      if (name in known) result = result sprintf(form, known[name])
      else {
        problem = "%(" name ")s is not known here"
        return result
      }
    } else {
      problem = "a % that supervisord does not understand"
      return result
    }
  }
  return result text
}

# KEY=value,KEY="value": fills variables. False if it is not understood.
function environment(text,    name, quoted) {
  text = expand(text)
  if (problem != "") return 0
  sub(/^[ \t\n]+/, "", text)
  while (text != "") {
    if (!match(text, /^[A-Za-z0-9_\/.+():-]+[ \t\n]*=[ \t\n]*/)) return 0
    name = substr(text, 1, RLENGTH)
    text = substr(text, RLENGTH + 1)
    sub(/[ \t\n]*=.*/, "", name)
    if (!match(text, /^("[^"]*"|'[^']*'|[A-Za-z0-9_\/.+():-]+)/)) return 0
    quoted = substr(text, 1, RLENGTH)
    text = substr(text, RLENGTH + 1)
    sub(/^['"]+/, "", quoted)
    sub(/['"]+$/, "", quoted)
    if (text !~ /^[ \t\n]*(,|$)/) return 0
    sub(/^[ \t\n]*,?[ \t\n]*/, "", text)
    forget_variable(name)
    variable(name, quoted)
    known["ENV_" name] = quoted
  }
  return 1
}

function is_true(text) { return tolower(text) ~ /^(y|yes|t|true|on|1)$/ }
function is_false(text) { return tolower(text) ~ /^(n|no|f|false|off|0)$/ }
function is_number(text) { return text ~ /^[0-9]+$/ }

function option(key, text,    n, i, list, expanded_text) {
  expanded_text = expand(text)
  if (problem != "" && key != "environment") {
    if (key ~ /^(command|directory|user|std(out|err)_logfile|process_name)$/) unusable(problem)
    else refused(problem)
  } else if (key == "command") {
    n = shell_words(expanded_text, list, 0)
    if (n < 1) unusable(n ? problem : "no command")
    for (i = 1; i <= n; i++) word(list[i])
    if (n > 0) {
      if (text ~ /[%\\"'\n]/) changed("is cmd=" whole_command())
      else kept()
    }
  } else if (key == "environment") {
    if (environment(text)) changed("is env=, " variables (variables == 1 ? " line" : " lines"))
    else unusable(problem == "" ? "not KEY=value,KEY=\"value\"" : problem)
  } else if (key == "directory") {
    set_path("cwd", expanded_text)
    kept()
  } else if (key == "user") {
    if (set_user(expanded_text)) changed("HOME, USER, LOGNAME and SHELL are his")
  } else if (key == "umask") {
    if (text !~ /^[0-7]+$/) unusable("not an octal number")
    else umask(text)
  } else if (key == "autostart") {
    if (is_false(text)) {
      off = ".off"
      changed("the service is off")
    } else if (is_true(text)) kept()
    else unusable("neither true nor false")
  } else if (key == "autorestart") {
    if (!is_true(text) && !is_false(text) && tolower(text) != "unexpected")
      unusable("not true, false or unexpected")
    else kept()
  } else if (key == "exitcodes") {
    if (text !~ /^[0-9]+([ \t]*,[ \t]*[0-9]+)*$/) unusable("not a list of exit codes")
    else kept()
  } else if (key ~ /^(startsecs|startretries|stopwaitsecs|numprocs|numprocs_start)$/) {
    if (!is_number(text)) unusable("not a number")
    else if (key == "startsecs" && text == 0)
      changed("an exit within a minute is answered later and later, and there is no giving up")
    else if (key == "startsecs") kept("is the MAX of backoff=")
    else if (key == "startretries") kept("is retries=" (text + 1))
    else if (key == "numprocs" && text > 1) changed("are " text " services")
    else kept()
  } else if (key == "process_name") kept()
  else if (key == "stopsignal") {
    if (signal_name(text) == "") unusable("not a signal that going sends")
    else kept()
  } else if (key == "priority") changed("services start in the order of their names")
  else if (key ~ /^(stop|kill)asgroup$/) {
    if (is_true(text)) kept()
    else changed("a signal goes to the whole group")
  } else if (key == "redirect_stderr") {
    if (is_true(text) || is_false(text)) kept()
    else unusable("neither true nor false")
  } else if (key ~ /^std(out|err)_logfile$/) logfile(substr(key, 1, 6), expanded_text)
  else if (key ~ /^std(out|err)_logfile_(maxbytes|backups)$/) {
    if (text == 0) kept()
    else changed("nothing is rotated; see the cookbook for loggers that do, and for logrotate")
  } else if (key ~ /^std(out|err)_syslog$/) {
    if (is_true(text)) changed("through a service of its own, instead of the file")
    else kept()
  } else if (key ~ /^std(out|err)_(capture_maxbytes|events_enabled)$/) {
    if (text == 0 || is_false(text)) kept()
    else refused("there are no events")
  } else refused(key == "serverurl" ? "there is no server" : "unknown")
}

function umask(text) {
  if (text + 0 == 22) kept()
  else {
    prelude("umask " text "; ")
    changed("umask " text " is set by a shell")
  }
}

function logfile(stream, text) {
  if (tolower(text) ~ /^(none|off)$/) {
    set(stream, "/dev/null")
    changed("is " stream "=/dev/null")
  } else if (tolower(text) ~ /^(auto|syslog)$/)
    changed("goes to syslog through a service of its own")
  else if (text ~ ("^/dev/(" stream "|fd/[12])$")) {
    inherited[stream] = 1
    changed("is that of going")
  } else if (text ~ /^\//) {
    set(stream, text)
    changed("is not rotated any more")
  } else unusable("a relative path")
}

# What comes of all options together.
function summary(count, n,    restart, seconds, retries, streams, name, why, list, i) {
  if (!("command" in opt)) unusable("no command")
  if ("umask" in shared && !("umask" in opt)) umask(shared["umask"])
  if ("directory" in shared && !("directory" in opt)) set_path("cwd", shared["directory"])
  if ("user" in shared && !("user" in opt)) set_user(shared["user"])
  if ("minfds" in shared && is_number(shared["minfds"]) && shared["minfds"] > 1024) {
    limits = limits " --nofile=" shared["minfds"]
    as_root = 1
  }

  restart = "autorestart" in opt ? tolower(opt["autorestart"]) : "unexpected"
  if (is_false(restart)) restart = "never"
  else if (is_true(restart)) restart = "always"
  else {
    restart = "exitcodes" in opt ? opt["exitcodes"] : "0"
    gsub(/[ \t]*,[ \t]*/, " ", restart)
    restart = restart == "0" ? "on-failure" : "unless " restart
  }
  set("restart", restart)
  seconds = "startsecs" in opt ? opt["startsecs"] : 1
  retries = "startretries" in opt ? opt["startretries"] : 3
  if (restart == "never") why = "; it is never started again, not even at once"
  else if (seconds > 0) {
    set("backoff", "1 " seconds)
    set("retries", retries + 1)
    if (restart != "always") why = "; an exit with an expected code is never tried again"
  }
  if ("stopsignal" in opt || "stopwaitsecs" in opt)
    set("stop", ("stopsignal" in opt ? signal_name(opt["stopsignal"]) : "TERM") " " \
                ("stopwaitsecs" in opt ? opt["stopwaitsecs"] : 10))

  if (wants_log("stdout")) streams = "stdout"
  if ("redirect_stderr" in opt && is_true(opt["redirect_stderr"])) {
    if (streams != "") streams = "stdout stderr"
    else set("stderr", "stdout" in value ? value["stdout"] : "/dev/stdout")
  } else if (wants_log("stderr")) streams = streams " stderr"

  name = "process_name" in opt ? expand(opt["process_name"]) : own
  if (count > 1 && name !~ ("(^|[^0-9])0*" n "($|[^0-9])"))
    unusable("with numprocs, process_name wants a %(process_num)d, says supervisord")
  to_syslog(streams, name)
  if (streams != "") why = why "; what it says goes to syslog through a service of its own"
  for (i in inherited) delete inherited[i]
  name = emit(name)
  quiet = 0
  changed("is the service " name why "; without directory, cwd is /; it leads a session, and a " \
          "stop goes to its group; SUPERVISOR_*, and what supervisord itself was given, are not " \
          "inherited")
}

# Did supervisord write a file of its own choice, or to syslog?
function wants_log(stream) {
  if ((stream "_syslog") in opt && is_true(opt[stream "_syslog"])) {
    delete value[stream]
    return 1
  }
  return !(stream in value) && !(stream in inherited) &&
         (!((stream "_logfile") in opt) || tolower(opt[stream "_logfile"]) ~ /^(auto|syslog)$/)
}
