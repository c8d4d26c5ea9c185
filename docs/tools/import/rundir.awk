# Service directories of runit, daemontools and s6, and definitions of s6-rc.
#
# A run script stays as it is and where it is: it is the command, in its directory. All three give
# it what they inherited. They send TERM and then CONT, to the process only, and never kill. Only
# s6 makes it a session leader.

BEGIN {
  # programs that a run script may use, and the package that they come from
  split("chpst runit utmpset runit svlogd runit setuidgid daemontools envdir daemontools " \
        "envuidgid daemontools softlimit daemontools setlock daemontools multilog daemontools " \
        "pgrphack daemontools execlineb execline", pair, " ")
  for (i = 1; i in pair; i += 2) comes_from[pair[i]] = pair[i + 1]
  # and those that talk to a supervisor that is no longer there
  dead = "sv svc svok svstat runsvctrl runsvstat s6-svc s6-svok s6-svstat s6-svwait s6-rc" \
         " s6-notifyoncheck s6-svlisten s6-svlisten1"
  split(dead, list, " ")
  for (i in list) is_dead[list[i]] = 1
}

function convert(    i, name) {
  begin()
  log_found = finish_found = run_found = notify = ""
  grace = 60
  signal = "TERM"
  set("cwd", path)
  type = kind == "s6" ? s6_rc_type() : ""
  for (i = 1; i <= parts; i++) {
    open(main_file "/" part[i])
    src = label = part[i]
    if (type != "" && rc_file(part[i])) continue
    if (part[i] ~ /^log\//) log_file(substr(part[i], 5), part_is_program[i])
    else service_file(part[i], part_is_program[i])
  }
  if (run_found) command_of_run()
  set("stop", signal " " grace)
  if (log_found) {
    log_command = "./run"
    log_streams = "stdout"
    log_cwd = path "/log"
    log_stop = "TERM 60"
  }
  open(main_file)
  src = ""
  name = emit(base(path))
  changed("is the service " name "; what " kind " itself was given is not inherited; " \
          (kind == "s6" ? "" : "it leads a session; ") "a stop goes to the whole group, with " \
          "KILL after " grace " seconds; one that keeps failing waits up to a minute")
}

function service_file(name, is_program) {
  if (name == "run") {
    if (!is_program) unusable("not executable")
    else {
      run_found = 1
      if (!scan_script()) kept("is the command")
    }
  } else if (name == "finish" && kind != "daemontools") {
    if (is_program) {
      finish_found = 1
      changed("run by a shell that waits for run; a signal to its pid reaches that shell only")
    } else refused("not executable, so it has never been run")
  } else if (name == "down") {
    off = ".off"
    changed("the service is off")
  } else if (kind == "s6" && s6_file(name)) return
  else if (name == "check") refused("nobody asks whether it is ready; see wait-for in the cookbook")
  else if (name ~ /^control\//) refused("going sends the signal of stop=, and runs nothing for it")
  else if (name ~ /^(template|instances?)\//) refused("an instance is a service file of its own")
  else kept("stays where it is, for run to use")
}

function log_file(name, is_program) {
  if (name == "run" && is_program) {
    log_found = 1
    scan_script()
    changed("is the service NAME-log, which reads from /run/NAME.fifo")
  } else if (name == "run") refused("not executable")
  else if (name == "down") {
    log_off = ".off"
    changed("the logger is off")
  } else if (name == "finish" || name == "check" || name ~ /^control\//)
    refused("there is nothing of the kind for a logger")
  else kept("stays where it is, for the logger to use")
}

# Looks through a script for what needs a package, or cannot work any more; says so, line by line.
function scan_script(    field, n, i, found, program) {
  while (next_line()) {
    if (src ~ /^[ \t]*#[^!]/ || src ~ /^[ \t]*#$/) continue
    n = split(src, field, /[^A-Za-z0-9._@\/-]+/)
    for (i = 1; i <= n; i++) {
      program = base(field[i])
      if (program in is_dead && is_command(program)) {
        unusable(program " talks to a supervisor that is no longer there")
      } else if (program in comes_from || program ~ /^s6-/) {
        changed("still needs " program " of the package " \
                (program in comes_from ? comes_from[program] : "s6"))
      } else continue
      found = 1
      break
    }
  }
  nr = till = 1
  src = label
  return found
}

# Is it executed there, or just a word, as in the name of a file?
function is_command(program,    before) {
  before = "(^|[;&|!(`{]|if|then|do|exec|until|while)[ \t]*(/[a-z/]*/)?"
  return program ~ /^s6-/ || src ~ (before program "([ \t]|$)")
}

# With a finish script there is a shell in between. It does not die of what stops run, so that it
# is there to run finish; a status above 128 is that of a signal.
function command_of_run(    run, script, who) {
  run = "./run" (notify == "" ? "" : " " notify ">/dev/null")
  if (finish_found) {
    script = "trap : HUP INT QUIT TERM; " run "; c=$?; if [ $c -gt 128 ]; then ./finish "
    who = " " shell_quote(base(path)) " $$"
    if (kind == "runit") script = script "-1 $((c - 128)); else ./finish $c 0; fi"
    else script = script "256 $((c - 128))" who "; else ./finish $c 0" who "; fi"
    script = script "; exit $c"
  } else if (notify != "") script = "exec " run
  if (script != "") {
    word("/bin/sh")
    word("-c")
    word(script)
  } else word("./run")
}

# --- s6 and s6-rc

function content(    text) {
  if (!next_line()) src = ""
  text = trim(src)
  close(file)
  nr = till = 1
  src = label
  return text
}

function s6_file(name,    text) {
  if (name == "notification-fd") {
    text = content()
    if (text ~ /^[0-9]+$/) {
      notify = text
      changed("that it is ready goes to /dev/null, on descriptor " text)
    } else refused("not a number: " text)
  } else if (name == "timeout-kill") {
    text = content()
    if (text ~ /^[0-9]+$/ && text + 0) grace = text / 1000
    kept("is stop=" signal " " grace)
  } else if (name == "down-signal") {
    text = content()
    if (signal_name(text) != "") {
      signal = signal_name(text)
      kept("is stop=" signal)
    } else refused("not a signal that going sends: " text)
  } else if (name == "timeout-finish") changed("finish may take as long as it likes")
  else if (name == "max-death-tally" || name == "nosetsid") changed("does not matter here")
  else if (name == "lock-fd") refused("there is no lock on the directory")
  else if (name == "flag-newpidns") unusable("a PID namespace of its own; see the cookbook")
  else return 0
  return 1
}

# A directory for s6-supervise has no type; a definition of s6-rc has.
function s6_rc_type(    i) {
  for (i = 1; i <= parts; i++)
    if (part[i] == "type") {
      open(main_file "/type")
      return content()
    }
  return ""
}

function rc_file(name,    text) {
  if (name == "type") {
    if (type == "longrun" || type == "oneshot") kept(type)
    else unusable(type ": there is nothing to run")
  } else if (name == "up" && type == "oneshot") {
    word("execlineb")
    word("-P")
    word(path "/up")
    set("restart", "never")
    changed("is the command, with restart=never")
  } else if (name == "down" && type == "oneshot") refused("nothing is run to stop it")
  else if (name == "producer-for") {
    set("stdout", "/run/" content() ".fifo")
    changed("is stdout=" value["stdout"])
  } else if (name == "consumer-for") {
    set("stdin", "/run/" base(path) ".fifo")
    changed("is stdin=" value["stdin"])
  } else if (name == "pipeline-name" || name ~ /^timeout-(up|down)$/ || name == "flag-essential")
    changed("does not matter here")
  else if (name == "dependencies" || name == "contents") {
    while (next_line()) if (src !~ /^[ \t]*(#|$)/) refused_order()
  } else if (name ~ /^(dependencies|contents)\.d\//) refused_order()
  else return 0
  return 1
}

function refused_order() { refused("no service waits for another; see wait-for in the cookbook") }
