# Lines of an inittab, of busybox's init or of sysvinit's.
#
# Both run a process as a session leader in /, with umask 022 and the console as standard input,
# output and error; with sh -c 'exec ...' if there is a character that a shell knows. busybox gives
# HOME=/ SHELL USER TERM PATH; sysvinit SHELL, PATH and what it knows of runlevels. For busybox, and
# for newer versions of sysvinit, a # begins a comment.

function convert() {
  look_around()
  open(main_file)
  while (next_line()) if (src !~ /^[ \t]*(#|$)/) entry()
}

# Whose inittab is it, and which runlevel does sysvinit begin with?
function look_around(    field) {
  sysv = 0
  level = ""
  open(main_file)
  while (next_line()) {
    if (src ~ /^[ \t]*#/ || split(src, field, ":") < 4) continue
    if (field[3] == "initdefault") level = field[2]
    if (field[3] == "initdefault" || field[2] ~ /^[0-6Ss]+$/) sysv = 1
  }
}

function entry(    field, n, tty, levels, action, process) {
  n = split(src, field, ":")
  if (n < 4 && !(sysv && n == 3)) {
    refused("not ID:RUNLEVELS:ACTION:PROCESS")
    return
  }
  tty = trim(field[1])
  levels = field[2]
  action = trim(field[3])
  process = src
  sub(/^[^:]*:[^:]*:[^:]*:?/, "", process)
  if (!sysv && process ~ /#/) sub(/#.*/, "", process)
  process = trim(process)
  if (action == "respawn" || action == "once") {
    if (is_dialogue(process)) kept("stays in the inittab: it wants a terminal")
    else if (process ~ /^[^ \t]*\/?going([ \t]|$)/) kept("stays in the inittab")
    else if (!sysv && tty != "" && tty != "null")
      refused("stays in the inittab: it runs on the terminal " tty ", which going does not give")
    else service(tty, levels, action, process)
  } else if (action ~ /^(sysinit|boot|bootwait|wait|shutdown|restart|ctrlaltdel|kbrequest)$/ ||
             action ~ /^(askfirst|initdefault|off|power[a-z]*)$/)
    kept("stays in the inittab: it is not a service")
  else refused("unknown action: " action)
}

# Terminals and logins belong to init.
function is_dialogue(process,    field, program) {
  if (process ~ /^-/) return 1
  split(process, field, /[ \t]+/)
  program = base(field[1])
  if (program ~ /^(faxgetty)$/) return 0
  return program ~ /getty$/ || program ~ /login/
}

function wants_shell(process,    i) {
  for (i = 1; i <= length(process); i++)
    if (index("~`!$^&*()=|\\{}[];\"'<>?", substr(process, i, 1))) return 1
  return 0
}

function service(tty, levels, action, process,    field, n, i, program, name, why) {
  begin()
  if (sysv) sub(/^\+/, "", process)
  n = split(process, field, /[ \t]+/)
  program = base(field[1])
  if (wants_shell(process)) {
    word("/bin/sh")
    word("-c")
    word("exec " process)
    if (process ~ /^(cd|set|export|umask|ulimit|trap|if|while|for|until|\(|\{|[A-Za-z_]+=|[.] )/)
      unusable("init puts exec before it, so it has never run")
    if (program !~ /^[A-Za-z0-9._@+-]+$/) program = "service"
  } else for (i = 1; i <= n; i++) word(field[i])
  if (sysv && process ~ /#/) unusable("a # begins a comment for some inits, and not for others")
  variable("SHELL", "/bin/sh")
  if (!sysv) {
    variable("HOME", "/")
    variable("TERM", "linux")
    variable("USER", "root")
  }
  variable("PATH", "/sbin:/usr/sbin:/bin:/usr/bin")
  if (!sysv && tty == "null") {
    set("stdout", "/dev/null")
    set("stderr", "/dev/null")
  } else why = "; its input is /dev/null, was the console"
  if (action == "once") set("restart", "never")
  if (sysv && level != "" && levels != "" && !index(levels, level)) {
    off = ".off"
    why = ", and is off: it does not belong to runlevel " level why
  } else if (sysv) why = ", whatever the runlevel is" why
  name = program
  sub(/\.(sh|pl|py)$/, "", name)
  name = emit(name)
  if (action == "respawn") why = why "; one that keeps failing waits up to a minute"
  changed("is the service " name why "; what init itself was given is not inherited")
}
