# Units of systemd: NAME.service, with its drop-ins.
#
# systemd gives a service PATH and little else (with User=, HOME USER LOGNAME SHELL), / as working
# directory, umask 022, and the journal. It is a session leader. A stop is TERM to the control
# group, and KILL after 90 seconds. It is not started again unless Restart= says so.

BEGIN {
  while ((getline line <(lib "/systemd.keys")) > 0) {
    n = split(line, field, " ")
    if (line ~ /^[a-z]/) {
      fate = field[1]
      why = substr(line, length(fate) + 2)
    } else if (line ~ /^ /)
      for (i = 1; i <= n; i++) {
        if (fate == "adds-up") adds_up[field[i]] = 1
        else if (fate == "early") is_early[field[i]] = 1
        else {
          fate_of[field[i]] = fate
          reason[field[i]] = why
        }
      }
  }
  split("CPU cpu FSIZE fsize DATA data STACK stack CORE core RSS rss NOFILE nofile AS as " \
        "NPROC nproc MEMLOCK memlock LOCKS locks SIGPENDING sigpending MSGQUEUE msgqueue " \
        "NICE nice RTPRIO rtprio RTTIME rttime", pair, " ")
  for (i = 1; i in pair; i += 2) limit_of["Limit" pair[i]] = pair[i + 1]
  n = split("0.000001 usec us, 0.001 msec ms, 1 seconds second sec s, 60 minutes minute min m, " \
            "3600 hours hour hr h, 86400 days day d, 604800 weeks week w", pair, ", ")
  while (n) {
    split(pair[n--], list, " ")
    for (i = 2; i in list; i++) unit_of[list[i]] = list[1]
  }
  split("Runtime /run State /var/lib Logs /var/log Cache /var/cache Configuration /etc", pair, " ")
  for (i = 1; i in pair; i += 2) directory_of[pair[i]] = pair[i + 1]
}

function convert(    i, n) {
  begin()
  if (unit_name !~ /\./) unit_name = unit_name ".service"
  prefix = unit_name
  sub(/\.[^.]*$/, "", prefix)
  instance = ""
  if (prefix ~ /@/) {
    instance = prefix
    sub(/^[^@]*@/, "", instance)
  }
  for (i in v) delete v[i]
  for (i in know) delete know[i]
  for (i in known) delete known[i]
  settings = starts = directories = service_at = 0
  prevent = clean = pre = ""
  read_unit(main_file)
  for (i = 1; i <= parts; i++) read_unit(part[i])
  void_what_is_replaced()
  if (unit_name !~ /\.service$/) {
    open(main_file)
    src = unit_name
    unusable("not a service, but what systemd does itself")
  }
  if (unit_name ~ /@\.service$/) {
    open(main_file)
    src = unit_name
    unusable("a template: import NAME@INSTANCE.service for each instance")
  }
  if (exists(substr(main_file, 1, length(main_file) - length(base(main_file))) prefix ".socket") &&
      unit_name ~ /\.service$/) {
    open(main_file)
    src = ""
    refused("there is " prefix ".socket beside it, and there are no sockets to inherit")
  }
  # who and where first, then the environment, then the commands that use it, then the rest
  for (n = 1; n <= 5; n++)
    for (i = 1; i <= settings; i++)
      if (setting_void[i] == "" && round_of(setting_key[i]) == n) {
        at(i)
        one(setting_section[i], setting_key[i], setting_value[i])
      }
  together()
}

function round_of(key) {
  if (key ~ /^(User|DynamicUser|Type|Restart|.*DirectoryMode)$/) return 1
  if (key ~ /^(Group|WorkingDirectory|Environment|.*[a-z]Directory)$/) return 2
  if (key ~ /^(EnvironmentFile|UnsetEnvironment)$/) return 3
  if (key ~ /^Exec/) return 4
  return 5
}

# --- Reading

function read_unit(name,    section, text, first, more) {
  section = ""
  open(name)
  while (next_line()) {
    if (src ~ /^[ \t]*([#;]|$)/) continue
    text = src
    first = nr
    while (text ~ /\\$/) {
      sub(/\\$/, " ", text)
      more = 0
      while (next_line()) if (src !~ /^[ \t]*[#;]/) {
        more = 1
        break
      }
      if (!more) break
      text = text src
    }
    till = nr
    nr = first
    src = text = trim(text)
    if (text ~ /^\[.*\]$/) {
      section = substr(text, 2, length(text) - 2)
      if (section == "Service" && !service_at) service_at = first
      if (section ~ /^(Unit|Service|Install|X-.*)$/) kept()
      else unusable("not a service, but what systemd does itself")
    } else if (text !~ /^[A-Za-z0-9-]+[ \t]*=/) refused("not KEY=VALUE")
    else if (section ~ /^X-/) kept("for others")
    else {
      settings++
      match(text, /[ \t]*=[ \t]*/)
      setting_key[settings] = substr(text, 1, RSTART - 1)
      setting_value[settings] = substr(text, RSTART + RLENGTH)
      setting_section[settings] = section
      setting_file[settings] = name
      setting_line[settings] = first
      setting_till[settings] = till
      setting_void[settings] = ""
    }
    nr = till
  }
}

function at(i) {
  file = setting_file[i]
  nr = setting_line[i]
  till = setting_till[i]
  src = setting_key[i] "=" setting_value[i]
}

# An empty value takes back what was said before; so does a further one, if it does not add up.
function void_what_is_replaced(    i, j) {
  for (i = 1; i <= settings; i++) {
    if (setting_value[i] != "" && setting_key[i] in adds_up) continue
    for (j = 1; j < i; j++)
      if (setting_key[j] == setting_key[i] && setting_void[j] == "")
        setting_void[j] = setting_file[i] ":" setting_line[i]
    if (setting_value[i] == "") setting_void[i] = "empty"
  }
  for (i = 1; i <= settings; i++) {
    at(i)
    if (setting_void[i] == "empty") kept("takes back what was said before")
    else if (setting_void[i] != "") kept("replaced by " setting_void[i])
  }
}

# %n and its like; what cannot be known here is a problem.
function specifiers(text,    result, c, t) {
  problem = ""
  while (match(text, /%/)) {
    result = result substr(text, 1, RSTART - 1)
    c = substr(text, RSTART + 1, 1)
    text = substr(text, RSTART + 2)
    if (c == "%") t = "%"
    else if (c == "n") t = unit_name
    else if (c == "N") t = prefix
    else if (c == "p") t = instance == "" ? prefix : substr(prefix, 1, index(prefix, "@") - 1)
    else if (c == "i") t = instance
    else if (c == "I") t = unescaped(instance)
    else if (c == "t") t = "/run"
    else if (c == "S") t = "/var/lib"
    else if (c == "C") t = "/var/cache"
    else if (c == "L") t = "/var/log"
    else if (c == "E") t = "/etc"
    else if (c == "T") t = "/tmp"
    else if (c == "V") t = "/var/tmp"
    else if (c == "h") t = "/root"
    else if (c == "u" || c == "g") t = "root"
    else if (c == "U" || c == "G") t = "0"
    else {
      problem = "the specifier %" c " is not known here"
      return result
    }
    result = result t
  }
  return result text
}

function unescaped(text,    n) {
  gsub(/-/, "/", text)
  while (match(text, /\\x[0-9a-fA-F][0-9a-fA-F]/)) {
    n = sprintf("%c", hex(substr(text, RSTART + 2, 2)))
    text = substr(text, 1, RSTART - 1) n substr(text, RSTART + 4)
  }
  return text
}

function hex(text,    i, n) {
  for (i = 1; i <= length(text); i++)
    n = n * 16 + index("0123456789abcdef", tolower(substr(text, i, 1))) - 1
  return n
}

# Splits text at blanks; quotes and escapes are those of systemd.
function split_words(text, list,    i, c, n, current, inside, got) {
  n = 0
  problem = ""
  for (i = 1; i <= length(text); i++) {
    c = substr(text, i, 1)
    if (c == "\\") {
      c = substr(text, ++i, 1)
      got = 1
      if (c == "n") current = current "\n"
      else if (c == "t") current = current "\t"
      else if (c == "s") current = current " "
      else if (c == "x" && substr(text, i + 1, 2) ~ /^[0-9a-fA-F][0-9a-fA-F]$/) {
        current = current sprintf("%c", hex(substr(text, i + 1, 2)))
        i += 2
      } else if (c ~ /["'\\]/) current = current c
      else if (c == ";" && current == "" && inside == "") current = "\\;"
      else if (c ~ /[abfrvuU0-7]/) {
        problem = "the escape \\" c
        return -1
      } else current = current "\\" c
    } else if (inside != "") {
      if (c == inside) inside = ""
      else current = current c
    } else if (c == "'" || c == "\"") {
      inside = c
      got = 1
    } else if (c ~ /[ \t]/) {
      if (current != "" || got) list[++n] = current
      current = got = ""
    } else current = current c
  }
  if (inside != "") {
    problem = "a quote is not closed"
    return -1
  }
  if (current != "" || got) list[++n] = current
  return n
}

# --- Values

function seconds(text,    sum, number) {
  if (text == "infinity") return "infinity"
  if (text ~ /^[0-9]+([.][0-9]+)?$/) return text + 0
  while (match(text, /^[0-9]+([.][0-9]+)?[ \t]*/)) {
    number = substr(text, 1, RLENGTH) + 0
    text = substr(text, RLENGTH + 1)
    if (!match(text, /^[a-z]+/) || !(substr(text, 1, RLENGTH) in unit_of)) return ""
    sum += number * unit_of[substr(text, 1, RLENGTH)]
    text = substr(text, RLENGTH + 1)
    sub(/^[ \t]+/, "", text)
  }
  return text == "" ? sum : ""
}

function is_true(text) { return tolower(text) ~ /^(1|yes|y|true|t|on)$/ }

function dress(text,    n) { # a limit: with K, M, G, T and infinity
  if (text == "infinity") return "unlimited"
  if (text ~ /^[0-9]+[KMGT]$/) {
    n = index("KMGT", substr(text, length(text)))
    text = text + 0
    while (n--) text *= 1024
    return sprintf("%.0f", text)
  }
  return text ~ /^[0-9]+$/ ? text : ""
}

# --- Settings

function one(section, key, text,    f) {
  if (section == "" || section !~ /^(Unit|Service|Install)$/) refused("outside of [Service]")
  else if (key ~ /^X-/) kept("for others")
  else if (key in fate_of) {
    f = fate_of[key]
    if (f == "kept") {
      if (key == "Description") comment(text)
      kept()
    } else if (f == "changed") changed(reason[key])
    else if (text ~ /^(no|false|off|0|inherit|auto)$/) kept("is so here")
    else if (f == "off") unusable(reason[key])
    else refused(reason[key])
  } else if (key ~ /^(After|Before|Wants|Requires)$/) relation(key, text)
  else if (key ~ /^(Condition|Assert)/) refused("no condition; see wait-for in the cookbook")
  else if (key ~ /^StartLimit(Interval|IntervalSec|Burst)$/) start_limit(key, text)
  else if (section != "Service") refused("not known")
  else if (key ~ /^Exec/) execute(key, text)
  else if (key == "Environment") environment(text)
  else if (key == "EnvironmentFile") environment_file(text)
  else if (key == "UnsetEnvironment") unset(text)
  else if (key in limit_of) limit(key, text)
  else if (key ~ /^(Runtime|State|Logs|Cache|Configuration)Directory(Mode)?$/) directory(key, text)
  else scalar(key, specifiers(text))
}

function relation(key, text,    list, n, i, late) {
  n = split(text, list, " ")
  for (i = 1; i <= n; i++) {
    if (list[i] in is_early || list[i] ~ /\.slice$/) continue
    if (key == "Wants" && list[i] !~ /\.socket$/) continue
    if (key == "Before" && list[i] ~ /\.target$/) continue
    late = late " " list[i]
  }
  if (key == "Requires" && index(late " ", " " prefix ".socket "))
    unusable("there are no sockets to inherit")
  else if (late != "") refused("no service waits for" late "; see wait-for in the cookbook")
  else if (key == "Wants") changed("nothing else is started for it")
  else changed("going itself is started late")
}

function start_limit(key, text,    n) {
  if (key == "StartLimitBurst" && text ~ /^[0-9]+$/) {
    if (text > 0) v["burst"] = text
    changed("is retries=" text ", of exits in a row")
  } else if ((n = seconds(text)) != "") {
    v["interval"] = n
    if (n == 0) kept("it never gives up")
    else changed("retries= counts exits in a row")
  } else refused("not understood")
}

function scalar(key, text,    n) {
  if (problem != "") {
    unusable(problem)
    return
  }
  if (key == "Type") {
    v["Type"] = text
    if (text ~ /^(simple|exec|idle)$/) kept()
    else if (text ~ /^(notify|notify-reload|dbus)$/) changed("up means started")
    else if (text == "oneshot") kept("is restart=never, if Restart does not say otherwise")
    else
      unusable("it leaves a daemon behind, which going cannot supervise; give it its option for " \
               "the foreground")
  } else if (key == "User") {
    v["user"] = text
    if (account(text)) {
      kept()
      if (account_home != "/") know["HOME"] = account_home
      know["USER"] = know["LOGNAME"] = account_name
      if (account_shell !~ /\/(nologin|false|true)$/) know["SHELL"] = account_shell
    } else nobody("user", text)
  } else if (key == "Group") {
    v["group"] = text
    if (!has_group(text)) nobody("group", text)
    else if (v["user"] == "") changed("is user=root:" text ", with HOME, USER, LOGNAME and SHELL")
    else kept()
  } else if (key == "DynamicUser") {
    if (is_true(text)) unusable("make a user, and say user=")
    else kept()
  } else if (key == "WorkingDirectory") working_directory(text)
  else if (key == "SyslogIdentifier") {
    v["tag"] = text
    kept("is the tag of logger(1)")
  } else if (key == "SyslogFacility" || key == "SyslogLevel") {
    v[key] = text
    kept("is the priority of logger(1)")
  } else if (key == "Restart") {
    if (text ~ /^(no|always|on-failure)$/) {
      v["restart"] = text
      kept()
    } else unusable("there is no such restart=")
  } else if (key == "RemainAfterExit") {
    if (is_true(text)) changed("its state is done")
    else kept()
  } else if (key ~ /^(RestartSec|RestartMaxDelaySec)$/) {
    if ((n = seconds(text)) == "" || n == "infinity") refused("not a time")
    else {
      v[key] = n
      if (n < 1) changed("the first restart is at once, further ones wait longer and longer")
      else changed("the first restart is at once")
    }
  } else if (key == "RestartSteps") changed("each time is twice the one before")
  else if (key ~ /^(TimeoutStopSec|TimeoutSec)$/) {
    if ((n = seconds(text)) == "") unusable("not a time")
    else {
      if (n == 0) n = "infinity"
      v["grace"] = n
      if (n == "infinity") changed("it is killed after a day")
      else kept("is stop=SIGNAL " n)
    }
  } else if (key == "KillSignal") {
    v["signal"] = signal_name(text)
    if (v["signal"] == "") unusable("not a signal that going sends")
    else kept()
  } else if (key == "KillMode") {
    if (text == "control-group") kept()
    else if (text == "mixed")
      refused("the signal goes to the whole group, not to the first process only")
    else refused("the signal goes to the whole group, and so does KILL")
  } else if (key == "SendSIGHUP" || key == "SendSIGKILL") {
    if (is_true(text) == (key == "SendSIGKILL")) kept()
    else refused(key == "SendSIGHUP" ? "no HUP behind the signal" : "it is killed in the end")
  } else if (key ~ /^(SuccessExitStatus|RestartPreventExitStatus)$/) exit_status(key, text)
  else if (key ~ /^Standard(Input|Output|Error)$/) standard(key, text)
  else if (key == "UMask") {
    if (text !~ /^[0-7]+$/) unusable("not an octal number")
    else if (text + 0 == 22) kept()
    else {
      prelude("umask " text " && ")
      changed("is set by a shell")
    }
  } else if (key ~ /^(Nice|OOMScoreAdjust|CPUScheduling(Policy|Priority)|CPUAffinity|IO.*)$/)
    priority(key, text)
  else if (key == "NoNewPrivileges") {
    if (is_true(text)) {
      v["no-new-privs"] = 1
      changed("through setpriv(1)")
    } else kept()
  } else if (key ~ /^(CapabilityBoundingSet|AmbientCapabilities)$/) capabilities(key, text)
  else refused("not known")
}

function working_directory(text,    optional) {
  optional = sub(/^-/, "", text)
  if (text == "~") {
    if (!("HOME" in know)) {
      if (v["user"] == "" ) know["HOME"] = "/root"
      else {
        unusable("there is no user " v["user"] " here, so neither a home")
        return
      }
    }
    text = know["HOME"]
  }
  if (text !~ /^\//) unusable("not an absolute path")
  else if (optional) {
    prelude("cd " shell_quote(text) " 2>/dev/null; ")
    changed("is entered by a shell, if it is there")
  } else {
    set_path("cwd", text)
    kept()
  }
}

function exit_status(key, text,    list, n, i, codes) {
  n = split(text, list, " ")
  for (i = 1; i <= n; i++) {
    if (list[i] == "TEMPFAIL") list[i] = 75
    if (list[i] !~ /^[0-9]+$/ || list[i] > 255) {
      if (key == "SuccessExitStatus" && signal_name(list[i]) == "TERM") continue
      refused("an end by a signal, or by its name: " list[i])
      return
    }
    codes = codes " " list[i]
  }
  if (key == "SuccessExitStatus") clean = clean codes
  else prevent = prevent codes
  kept("is part of restart=unless")
}

function standard(key, text,    to, stream) {
  stream = tolower("std" substr(key, 9))
  sub(/input/, "in", stream)
  sub(/output/, "out", stream)
  sub(/error/, "err", stream)
  to = text
  if (sub(/^(append|file|truncate):/, "", to)) {
    v[stream] = "file"
    set_path(stream, to)
    if (stream == "stdin" || text ~ /^append:/) kept()
    else changed("what is there is kept, and it is appended to")
  } else if (text == "null") {
    v[stream] = "file"
    if (stream != "stdin") set(stream, "/dev/null")
    kept()
  } else if (text == "inherit") {
    v[stream] = stream == "stdout" ? "file" : "inherit"
    if (stream == "stdout") set(stream, "/dev/null") # that of standard input
    kept()
  } else if (text ~ /^(journal|syslog|kmsg)([+]console)?$/) {
    v[stream] = "log"
    changed("goes to syslog through a service of its own")
  } else if (text ~ /^tty/) unusable("it wants a terminal")
  else unusable("there is nothing of the kind here")
}

function priority(key, text) {
  if (key == "Nice" && text ~ /^-?[0-9]+$/) {
    wrap("nice -n " text)
    if (text < 0) as_root = 1
  } else if (key == "OOMScoreAdjust" && text ~ /^-?[0-9]+$/) {
    wrap("choom -n " text " --")
    if (text < 0) as_root = 1
  } else if (key == "CPUAffinity" && text ~ /^[0-9 ,-]+$/) {
    gsub(/[ ,]+/, ",", text)
    wrap("taskset -c " text)
  } else if (key ~ /^(IOScheduling(Class|Priority)|CPUScheduling(Policy|Priority))$/) {
    v[key] = text
    if (key !~ /^IO/ || text ~ /^(1|realtime)$/) as_root = 1
  } else {
    refused("not understood")
    return
  }
  changed("through " (key ~ /^IO/ ? "ionice" : key ~ /^CPUS/ ? "chrt" : key == "Nice" ? "nice" : \
                      key == "OOMScoreAdjust" ? "choom" : "taskset") "(1)")
}

function capabilities(key, text,    list, n, i, all) {
  if (text ~ /~/) {
    refused("a list of what is taken away")
    return
  }
  n = split(tolower(text), list, " ")
  for (i = 1; i <= n; i++) {
    sub(/^cap_/, "", list[i])
    all = all ",+" list[i]
  }
  v[key] = v[key] all
  as_root = 1
  changed("through setpriv(1)")
}

function limit(key, text,    soft, hard) {
  soft = hard = text
  if (text ~ /:/) {
    sub(/:.*/, "", soft)
    sub(/^[^:]*:/, "", hard)
  }
  if (dress(soft) == "" || dress(hard) == "") {
    refused("not understood")
    return
  }
  soft = dress(soft)
  hard = dress(hard)
  if (key == "LimitNOFILE") { # there is a limit to this limit
    if (soft == "unlimited") soft = 1048576
    if (hard == "unlimited") hard = 1048576
  }
  limits = limits " --" limit_of[key] "=" soft (soft == hard ? "" : ":" hard)
  as_root = 1
  changed("through prlimit(1)")
}

# /run/NAME and its like are made by a shell, as root.
function directory(key, text,    list, n, i, above, mode, what) {
  what = key
  sub(/Directory.*/, "", what)
  if (key ~ /Mode$/) {
    if (text ~ /^[0-7]+$/) {
      v["mode " what] = text
      kept()
    } else unusable("not an octal number")
    return
  }
  text = specifiers(text)
  if (problem != "" || text ~ /:/) {
    unusable(problem == "" ? "a link" : problem)
    return
  }
  above = directory_of[what]
  n = split(text, list, " ")
  mode = v["mode " what] == "" ? "755" : v["mode " what]
  for (i = 1; i <= n; i++) {
    made[++directories] = above "/" list[i]
    made_mode[directories] = mode
    made_for_root[directories] = what == "Configuration"
    v["dirs " what] = v["dirs " what] (i > 1 || v["dirs " what] != "" ? ":" : "") above "/" list[i]
  }
  as_root = 1
  forget_variable(toupper(what) "_DIRECTORY")
  variable(toupper(what) "_DIRECTORY", v["dirs " what])
  changed("is made by a shell" (what == "Runtime" ? ", and not removed in the end" : ""))
}

# --- Environment

function environment(text,    list, n, i, name, bad) {
  n = split_words(text, list)
  if (n < 0) {
    unusable(problem)
    return
  }
  for (i = 1; i <= n; i++) {
    list[i] = specifiers(list[i])
    if (problem != "") {
      unusable(problem)
      bad = 1
      continue
    }
    if (list[i] !~ /^[A-Za-z_][A-Za-z0-9_]*=/) {
      refused("not NAME=VALUE: " list[i])
      bad = 1
      continue
    }
    name = substr(list[i], 1, index(list[i], "=") - 1)
    forget_variable(name)
    if (!variable(name, substr(list[i], index(list[i], "=") + 1))) bad = 1
  }
  if (bad) return
  if (n == 1 && list[1] == text) kept()
  else changed(n == 1 ? "is env=" list[1] : "are " n " lines of env=")
}

function unset(text,    list, n, i) {
  n = split_words(text, list)
  for (i = 1; i <= n; i++) forget_variable(list[i])
  kept("nothing is inherited")
}

# The files are read now, in their own syntax, which is not that of a shell.
function environment_file(text,    optional, s_file, s_nr, s_till, s_src, n) {
  optional = sub(/^-/, "", text)
  text = specifiers(text)
  if (problem != "") unusable(problem)
  else if (text !~ /^\//) unusable("not an absolute path")
  else if (text ~ /[*?[]/) unusable("a pattern; name the files")
  else if (!exists(text)) {
    if (optional) {
      changed("is not there now, so none of its variables is set")
    } else unusable("is not there, and systemd would not start it")
  } else {
    s_file = file
    s_nr = nr
    s_till = till
    s_src = src
    n = read_environment(text)
    file = s_file
    nr = s_nr
    till = s_till
    src = s_src
    changed(n " variables as they are now; import it again when the file changes")
  }
}

function read_environment(name,    c, i, state, key, got, whole, line, at_line, count, blank) {
  whole = ""
  open(name)
  while (next_line()) whole = whole src "\n"
  state = "key"
  key = got = ""
  nr = line = 1
  count = 0
  for (i = 1; i <= length(whole); i++) {
    c = substr(whole, i, 1)
    if (state == "key") {
      if (key == "") at_line = line
      if (key == "" && c ~ /[#;]/) state = "comment"
      else if (c == "\n") {
        if (trim(key) != "") env_line(at_line, line, key, "", 0)
        key = ""
      } else if (c == "=") {
        state = "before"
        got = ""
      } else if (key != "" || c !~ /[ \t]/) key = key c
    } else if (state == "comment") {
      if (c == "\\") i++
      else if (c == "\n") state = "key"
    } else if (c == "\n" && (state == "before" || state == "value")) {
      if (state == "value") sub(/[ \t]+$/, "", got)
      count += env_line(at_line, line, key, got, 1)
      key = got = ""
      state = "key"
    } else if (state == "before" && c ~ /[ \t]/) continue
    else if (state == "before" && c == "'") state = "single"
    else if (state == "before" && c == "\"") state = "double"
    else if (state == "before" || state == "value") {
      state = "value"
      if (c == "\\") {
        c = substr(whole, ++i, 1)
        if (c != "\n") got = got c
      } else got = got c
    } else if (state == "single") {
      if (c == "'") state = "before"
      else got = got c
    } else if (c == "\"") state = "before"
    else if (c == "\\") {
      c = substr(whole, ++i, 1)
      if (index("\"\\`$", c)) got = got c
      else if (c != "\n") got = got "\\" c
    } else got = got c
    if (c == "\n") line++
  }
  return count
}

function env_line(first, last, key, text, assigned) {
  nr = first
  till = last
  src = key (assigned ? "=" text : "")
  sub(/[ \t]+$/, "", key)
  if (!assigned || key !~ /^[A-Za-z_][A-Za-z0-9_]*$/) {
    refused("not NAME=VALUE, and systemd ignores it")
    return 0
  }
  forget_variable(key)
  if (!variable(key, text)) return 0
  kept()
  return 1
}

# --- Commands

# Takes a command apart, into argument[]; returns how many words, or -1.
function command(text,    list, n, i, w, name) {
  flags = ""
  arguments = 0
  while (text ~ /^[-@:+!|]/) {
    flags = flags substr(text, 1, 1)
    text = substr(text, 2)
  }
  n = split_words(text, list)
  if (n < 1) {
    if (n == 0) problem = "no command"
    return -1
  }
  # a semicolon of its own begins another command
  for (i = 1; i <= n; i++) if (list[i] == ";") {
    problem = "more than one command in a line"
    return -1
  }
  for (i = 1; i <= n; i++) {
    w = list[i] == "\\;" ? ";" : specifiers(list[i])
    if (problem != "") return -1
    if (i == 1 && w ~ /\$/) {
      problem = "the command itself cannot be a variable"
      return -1
    }
    if (flags ~ /:/) argument[++arguments] = w
    else if (i > 1 && w ~ /^\$[^${]/) {
      # a word that is a variable: its value is split
      name = substr(w, 2)
      if (name !~ /^[A-Za-z_][A-Za-z0-9_]*$/) {
        problem = "systemd looks for a variable of this name: " name
        return -1
      }
      if (split_value(lookup(name)) < 0) return -1
    } else argument[++arguments] = substitute(w)
  }
  return arguments
}

function split_value(text,    list, n, i) {
  n = split_words(text, list)
  for (i = 1; i <= n; i++) argument[++arguments] = list[i]
  return n
}

# ${NAME} within a word, and $$ for a dollar.
function substitute(text,    result, name) {
  while (match(text, /\$(\$|\{[A-Za-z_][A-Za-z0-9_]*\})/)) {
    result = result substr(text, 1, RSTART - 1)
    name = substr(text, RSTART + 2, RLENGTH - 3)
    result = result (RLENGTH == 2 ? "$" : lookup(name))
    text = substr(text, RSTART + RLENGTH)
  }
  return result text
}

function lookup(name) {
  looked_up = looked_up " " name
  if (has_variable(name)) return value_of(name)
  if (name in know) return know[name]
  unset_names = unset_names " " name
  return ""
}

function execute(key, text,    n, i, script, why) {
  looked_up = unset_names = ""
  if (key ~ /^Exec(Reload|Stop)$/ && kills_main(text)) {
    if (key == "ExecReload") changed("is (. /run/going/NAME && kill -" killed_with " $pid)")
    else if ((v["signal"] = signal_name(killed_with)) != "") changed("is stop=" v["signal"])
    else unusable("not a signal that going sends")
    return
  }
  n = command(text)
  if (n < 0) {
    if (key ~ /^Exec(Start|StartPre)$/) unusable(problem)
    else refused(problem)
    return
  }
  for (i = 1; i <= n; i++) {
    if (argument[i] ~ /\n/ && key ~ /^ExecStart(Pre)?$/) {
      unusable("a word of a command cannot hold a newline")
      return
    }
    script = script (i > 1 ? " " : "") shell_quote(argument[i])
  }
  if (looked_up != "") why = "the values of" looked_up " are put in"
  if (unset_names != "") why = why "; not set:" unset_names
  if (key == "ExecReload") refused("no such verb; run it by hand")
  else if (key == "ExecStop") refused("going sends the signal of stop=, and runs nothing for it")
  else if (key == "ExecStartPre") {
    if (flags ~ /[+!]/ && v["user"] != "") unusable("run as root, before the change of user")
    else {
      # an error of it is one of the service, unless there is a "-"
      if (flags ~ /-/) script = "{ " script " || :; }"
      pre = pre script " && "
      changed("is run by the shell that then executes the command" (why == "" ? "" : "; " why))
    }
  } else if (key == "ExecStart") start(text, n, script, why)
  else refused("not known")
}

# kill -SIGNAL $MAINPID, which is a signal and not much of a command
function kills_main(text) {
  if (text !~ /^[-@:+!]*[^ ]*kill +-(s +)?[A-Z0-9]+ +"?\$\{?MAINPID\}?"?$/) return 0
  killed_with = text
  sub(/^[^ ]+ +-(s +)?/, "", killed_with)
  sub(/ .*/, "", killed_with)
  return 1
}

function start(text, n, script, why,    i) {
  if (flags ~ /@/) {
    unusable("a name of its own as first word cannot be given")
    return
  }
  if (flags ~ /[+!]/ && v["user"] != "") {
    unusable("with all rights, in spite of the user")
    return
  }
  if (flags ~ /-/ && v["restart"] == "on-failure") {
    unusable("with the -, an error of it is none, and on-failure does not know that")
    return
  }
  if (starts && v["Type"] != "oneshot") {
    unusable("a second command, which systemd refuses")
    return
  }
  if (starts++) {
    # of the further commands of a oneshot, the last is the one that is executed
    pre = pre last_script " && "
    words = 0
    why = why "; one after the other, by a shell"
  }
  last_script = flags ~ /-/ ? "{ " script " || :; }" : script
  for (i = 1; i <= n; i++) word(argument[i])
  sub(/^; /, "", why)
  if (why != "") changed(why)
  else if (text == trim(whole_words())) kept()
  else changed("is cmd=" trim(whole_words()))
}

function whole_words(    i, text) {
  for (i = 1; i <= words; i++) text = text " " quote(command_word[i])
  return text
}

# --- What comes of all of them together

function together(    i, owner, streams, name, restart, codes, what, prelude_before, n) {
  if (v["user"] != "") {
    set("user", v["user"] (v["group"] == "" ? "" : ":" v["group"]))
    owner = v["user"]
  } else if (v["group"] != "") {
    set("user", "root:" v["group"])
  }
  # what root makes comes first; what the service prepares itself is run as its user
  prelude_before = before
  before = ""
  for (i = 1; i <= directories; i++) {
    before = before "install -d -m " made_mode[i]
    if (owner != "" && !made_for_root[i]) {
      before = before " -o " shell_quote(owner)
      if (v["group"] != "") before = before " -g " shell_quote(v["group"])
      else if (account(owner)) before = before " -g " account_group
    }
    before = before " " shell_quote(made[i]) " && "
  }
  before = before prelude_before
  scheduling()
  rights()
  if (pre != "") {
    if (as_root && "user" in value) {
      # a second shell, behind the change of user
      last_wrapper = "/bin/sh -c " quote(pre "exec \"$@\"") " sh"
    } else before = before pre
  }

  restart = v["restart"] == "" || v["restart"] == "no" ? "never" : v["restart"]
  if (restart == "on-failure") codes = " 0" clean prevent
  else if (restart == "always") codes = prevent
  if (restart ~ /^on-/ && clean prevent == "") codes = ""
  if (codes != "") restart = "unless" codes
  set("restart", restart)
  if (v["RestartSec"] >= 1) {
    n = v["RestartMaxDelaySec"] > v["RestartSec"] ? v["RestartMaxDelaySec"] : v["RestartSec"]
    set("backoff", v["RestartSec"] " " n)
  }
  if (v["burst"] != "" && v["interval"] "" != "0" && restart != "never") set("retries", v["burst"])
  set("stop", (v["signal"] == "" ? "TERM" : v["signal"]) " " \
              (v["grace"] == "infinity" ? 86400 : v["grace"] == "" ? 90 : v["grace"]))

  if (v["stdout"] == "" || v["stdout"] == "log") streams = "stdout"
  if (v["stderr"] == "log") streams = streams " stderr"
  else if (v["stderr"] == "" || v["stderr"] == "inherit") {
    if (streams != "") streams = "stdout stderr"
    else if ("stdout" in value) set("stderr", value["stdout"])
  }
  to_syslog(streams, v["tag"] != "" ? v["tag"] : words ? base(command_word[1]) : prefix,
            (v["SyslogFacility"] == "" ? "daemon" : v["SyslogFacility"]) "." \
            (v["SyslogLevel"] == "" ? "info" : v["SyslogLevel"]))
  open(main_file)
  nr = till = service_at
  src = ""
  if (restart == "never") what = "; it is not started again"
  else
    what = "; one that keeps failing waits up to a minute, and is tried for ever, if backoff= " \
           "and retries= do not say otherwise"
  if (streams != "") what = what "; what it says goes to syslog through a service of its own"
  name = emit(prefix)
  changed("is the service " name what)
}

function scheduling(    class) {
  if (v["IOSchedulingClass"] != "" || v["IOSchedulingPriority"] != "") {
    class = v["IOSchedulingClass"]
    class = class ~ /^(1|realtime)$/ ? 1 : class ~ /^(3|idle)$/ ? 3 : 2
    wrap("ionice -c " class (v["IOSchedulingPriority"] == "" || class == 3 ? "" : \
                             " -n " v["IOSchedulingPriority"]))
  }
  if (v["CPUSchedulingPolicy"] != "")
    wrap("chrt --" v["CPUSchedulingPolicy"] " " \
         (v["CPUSchedulingPriority"] != "" ? v["CPUSchedulingPriority"] : \
          v["CPUSchedulingPolicy"] ~ /^(fifo|rr)$/ ? 1 : 0))
}

# setpriv(1): what it takes before the user is another one, and what the command keeps.
function rights(    text) {
  text = "setpriv"
  if (v["CapabilityBoundingSet"] != "")
    text = text " --bounding-set=-all" v["CapabilityBoundingSet"]
  if (v["AmbientCapabilities"] != "") {
    text = text " --inh-caps=" substr(v["AmbientCapabilities"], 2)
    text = text " --ambient-caps=" substr(v["AmbientCapabilities"], 2)
  }
  if (v["no-new-privs"]) text = text " --no-new-privs"
  setpriv_options = substr(text, 8)
  if (setpriv_options != "" && !(as_root && "user" in value)) become = " " text
}
