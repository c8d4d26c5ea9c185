# Scripts of OpenRC that are declarations: variables, depend(), and not much else.
#
# supervise-daemon and start-stop-daemon give a service what OpenRC lets through of its own
# environment, /, umask 022, and /dev/null. The first starts it again; the second does not, and
# needs command_background for a daemon that stays in the foreground. conf.d/NAME is read first.

BEGIN {
  split("command command_args command_args_foreground command_args_background command_background" \
        " command_user supervisor pidfile directory output_log error_log output_logger" \
        " error_logger" \
        " umask retry stopsig respawn_delay respawn_max respawn_period no_new_privs rc_ulimit" \
        " name description chroot capabilities start_stop_daemon_args supervise_daemon_args" \
        " healthcheck_timer healthcheck_delay", list, " ")
  for (i in list) is_key[list[i]] = 1
  early = " net localmount logger dns dev sysfs modules hostname bootmisc clock hwclock firewall" \
          " netmount swap root procfs cgroups keymaps sysctl urandom entropy shutdown killprocs "
}

function takes_whole(function_name) { return function_name !~ /^(depend|start_pre)$/ }

function convert(    i, k) {
  begin()
  for (k in known) delete known[k]
  for (k in set_at) delete set_at[k]
  items = 0
  made = ""
  supervised = 0
  known["RC_SVCNAME"] = known["SVCNAME"] = base(main_file)
  for (i = 1; i <= parts; i++) read_script(part[i])
  read_script(main_file)
  # a first look at who will be the supervisor, and then at all
  for (i = 1; i <= items; i++)
    if (item_type[i] == "assign" && item_in[i] == "" && assignment(item_src[i]) &&
        assigned == "supervisor") supervised = known["supervisor"] == "supervise-daemon"
  for (k in known) if (k !~ /SVCNAME$/) delete known[k]
  for (i = 1; i <= items; i++) {
    at_item(i)
    if (item_type[i] == "whole") own_function(item_in[i])
    else if (item_in[i] == "depend") depend(item_type[i])
    else if (item_in[i] == "start_pre") prepare(item_type[i])
    else if (item_type[i] == "assign") assign(i)
    else if (trim(src) ~ /^:[ \t]+"?\$\{[A-Za-z_]+:?=.*\}"?$/) default_value()
    else unusable("code that is not a declaration")
  }
  if (!is_for_openrc()) unusable("not a script for openrc-run")
  conclude()
}

function is_for_openrc() {
  open(main_file)
  next_line()
  close(file)
  return src ~ /^#!.*(openrc-run|runscript)/
}

function depend(type,    list, n, i, late) {
  if (type ~ /^(begin|end)$/ || trim(src) ~ /^[{}]$/) {
    kept()
    return
  }
  n = split(trim(src), list, /[ \t]+/)
  if (list[1] !~ /^(need|use|want|after|before|provide|keyword|config)$/) {
    refused("not understood")
    return
  }
  for (i = 2; i <= n; i++)
    if (list[1] ~ /^(need|after|use|want)$/ && !index(early, " " list[i] " ") && list[i] != "*")
      late = late " " list[i]
  if (list[1] == "before" && n > 1) late = " " list[2]
  if (late != "") refused("no service waits for another; see wait-for in the cookbook")
  else changed("going itself is started late")
}

# checkpath --directory, and plain preparations, are done by a shell as root.
function prepare(type,    text, list, n, i, mode, owner, dirs, bad) {
  text = trim(src)
  if (type ~ /^(begin|end)$/) kept()
  else if (text ~ /^checkpath[ \t]/ && (n = shell_words(text, list, 1)) > 0) {
    mode = "775"
    for (i = 2; i <= n; i++) {
      if (list[i] ~ /^(-d|-D|--directory|--directory-truncate|-q|--quiet)$/) continue
      else if (list[i] ~ /^(-m|--mode)$/) mode = list[++i]
      else if (list[i] ~ /^(-o|--owner)$/) owner = list[++i]
      else if (list[i] ~ /^--mode=/) mode = substr(list[i], 8)
      else if (list[i] ~ /^--owner=/) owner = substr(list[i], 9)
      else if (list[i] ~ /^-/) bad = 1
      else dirs = dirs " " shell_quote(list[i])
    }
    if (bad || text !~ /[ \t](-d|-D|--directory)/ || dirs == "") refused("not a plain directory")
    else {
      text = "install -d -m " shell_quote(mode)
      if (owner ~ /^[^:]/)
        text = text " -o " shell_quote(substr(owner, 1, index(owner ":", ":") - 1))
      if (owner ~ /:./) text = text " -g " shell_quote(substr(owner, index(owner, ":") + 1))
      prelude(text dirs " && ")
      as_root = 1
      changed("is made by a shell")
    }
  } else if (is_preparation(text)) {
    prelude(plain(text) " && ")
    as_root = 1
    changed("is done by a shell")
  } else if (text ~ /^return([ \t]+0)?$/) kept()
  else refused("not plain enough; put it into a script that executes the command in the end")
}

function own_function(name) {
  src = name "() {...}"
  if (name ~ /^(start|stop|default_start|default_stop)$/)
    unusable("a function of its own decides how it is run")
  else refused("nothing runs it")
}

function assign(i) {
  if (item_in[i] != "") {
    refused("not a declaration")
    return
  }
  if (!assignment(src)) {
    unusable(problem)
    return
  }
  if (exported) {
    if (variable(assigned, known[assigned])) kept("is env=" assigned)
  } else if (assigned in is_key) {
    # what becomes of it is said when all is known
    if (assigned in set_at) {
      at_item(set_at[assigned])
      kept("replaced further below")
    }
    set_at[assigned] = i
  } else if (assigned ~ /^(extra_.*commands|description_.*|required_(files|dirs))$/ ||
             assigned ~ /^(rc_.*|start_inactive|procname|in_background_fake|healthcheck.*)$/)
    other_key(assigned)
  else kept("put in where it is used")
}

function other_key(key) {
  if (key ~ /^(extra_.*commands|description_)/) changed("there are no verbs but touch, mv and kill")
  else if (key ~ /^required_/) refused("no condition; see wait-for in the cookbook")
  else if (key == "procname") changed("not needed")
  else refused("not done")
}

function default_value(    list) {
  if (shell_words(substr(trim(src), 2), list, 1) < 0) unusable(problem)
  else kept("put in where it is used")
}

function have(key) { return key in set_at && known[key] != "" }
function yes(text) { return tolower(text) ~ /^(yes|true|on|1)$/ }

function say_of(key, what, why) {
  if (!(key in set_at)) return
  at_item(set_at[key])
  if (what == "kept") kept(why)
  else if (what == "changed") changed(why)
  else if (what == "refused") refused(why)
  else unusable(why)
}

# What comes of all variables together.
function conclude(    n, i, list, name, more, forks) {
  more = supervised ? "command_args_foreground" : "command_args_background"
  say_of("supervisor", supervised ? "kept" : known["supervisor"] == "" ? "kept" : "unusable",
         supervised ? "" : "another supervisor; import its own files")
  if (!supervised && !yes(known["command_background"])) {
    if (have("command_args_foreground")) more = "command_args_foreground"
    else {
      say_of("command", "unusable",
             "it goes to the background itself; give it its option for the foreground")
      forks = 1
    }
  }
  say_of("command_background", "changed", "not needed")
  n = shell_words(evaluated("command"), list, 1)
  for (i = 1; i <= n; i++) word(list[i])
  if (!forks) say_of("command", n > 0 ? "kept" : "unusable", n > 0 ? "" : problem)
  arguments("command_args")
  arguments(more)
  if (more != "command_args_foreground")
    say_of("command_args_foreground", "changed", "not for start-stop-daemon")
  if (more != "command_args_background")
    say_of("command_args_background", "changed", "not needed in the foreground")
  say_of("pidfile", "changed", "not needed")
  if (have("command_user")) {
    at_item(set_at["command_user"])
    if (set_user(known["command_user"])) kept()
  } else if (supervised) {
    variable("HOME", "/root")
    variable("USER", "root")
  }
  if (have("directory")) {
    at_item(set_at["directory"])
    set_path("cwd", known["directory"])
    kept()
  }
  set("stdout", "/dev/null")
  set("stderr", "/dev/null")
  stream("stdout", "output")
  stream("stderr", "error")
  if (have("umask")) {
    if (known["umask"] !~ /^[0-7]+$/) say_of("umask", "unusable", "not an octal number")
    else {
      if (known["umask"] + 0 != 22) prelude("umask " known["umask"] " && ")
      say_of("umask", "changed", "is set by a shell")
    }
  }
  if (have("rc_ulimit") && known["rc_ulimit"] !~ /^[-A-Za-z0-9 ]+$/)
    say_of("rc_ulimit", "unusable", "not plain enough")
  else if (have("rc_ulimit")) {
    prelude("ulimit " known["rc_ulimit"] " && ")
    as_root = 1
    say_of("rc_ulimit", "changed", "is set by a shell")
  }
  if (have("no_new_privs") && yes(known["no_new_privs"])) {
    wrap("setpriv --no-new-privs")
    say_of("no_new_privs", "changed", "through setpriv(1)")
  } else say_of("no_new_privs", "kept")
  daemon_arguments(supervised && have("supervise_daemon_args") ? "supervise_daemon_args" : \
                   "start_stop_daemon_args")
  stopping()
  respawning()
  say_of("name", "kept")
  say_of("description", "kept")
  if (have("description")) comment(known["description"])
  say_of("chroot", "unusable", "it needs a root directory of its own; see chroot in the cookbook")
  say_of("capabilities", "unusable", "see setpriv in the cookbook")
  say_of("healthcheck_timer", "refused", "no health check; see the cookbook")
  say_of("healthcheck_delay", "refused", "no health check; see the cookbook")
  open(main_file)
  src = ""
  name = emit(base(main_file))
  changed("is the service " name \
          (!supervised ? "; it is started again when it ends, as it was not before" : \
           have("respawn_max") ? "" : "; it tries for ever, not 10 times in 5 seconds") \
          "; what OpenRC itself was given is not inherited; a stop goes to the whole group")
}

# The values of these are split by a shell, put together again with a blank, and evaluated.
function evaluated(key) {
  gsub(/[ \t\n]+/, " ", known[key])
  return known[key]
}

function arguments(key,    list, n, i) {
  if (!(key in set_at)) return
  n = shell_words(evaluated(key), list, 1)
  for (i = 1; i <= n; i++) word(list[i])
  if (n < 0) say_of(key, "unusable", problem)
  else say_of(key, "kept")
}

function stream(key, from) {
  if (have(from "_logger")) {
    log_command = "/bin/sh -c " quote("exec " known[from "_logger"])
    if (log_streams != "" && known["output_logger"] != known["error_logger"])
      say_of(from "_logger", "refused", "a second logger; write a service for it")
    else {
      log_streams = trim(log_streams " " key)
      say_of(from "_logger", "changed", "is the service NAME-log")
    }
  }
  if (have(from "_log")) {
    at_item(set_at[from "_log"])
    set_path(key, known[from "_log"])
    kept()
  }
}

function daemon_arguments(key,    list, n, i, w) {
  if (!(key in set_at)) return
  n = shell_words(evaluated(key), list, 1)
  if (n < 0) {
    say_of(key, "unusable", problem)
    return
  }
  at_item(set_at[key])
  for (i = 1; i <= n; i++) {
    w = list[i]
    if (w ~ /^--[a-z-]+=/) {
      list[i] = substr(w, index(w, "=") + 1)
      w = substr(w, 1, index(w, "=") - 1)
      i--
    }
    if (w ~ /^(-d|--chdir)$/) set_path("cwd", list[++i])
    else if (w ~ /^(-1|--stdout)$/) set_path("stdout", list[++i])
    else if (w ~ /^(-2|--stderr)$/) set_path("stderr", list[++i])
    else if (w ~ /^(-u|--user|-c|--chuid)$/) set_user(list[++i])
    else if (w ~ /^(-e|--env)$/) assign_variable(list[++i])
    else if (w ~ /^(-N|--nicelevel)$/) {
      if (list[++i] < 0) as_root = 1
      wrap("nice -n " list[i])
    } else if (w ~ /^(-k|--umask)$/) prelude("umask " shell_quote(list[++i]) " && ")
    else if (w ~ /^(-b|--background|-m|--make-pidfile|-q|--quiet)$/) continue
    else if (w ~ /^(-w|--wait)$/) i++
    else {
      unusable("an option that is not known: " w)
      return
    }
  }
  changed("its options are keys of the service file")
}

# retry=SECONDS, or SIGNAL/SECONDS/...; start-stop-daemon never kills, unless this says so.
function stopping(    field, signal, grace) {
  signal = "TERM"
  grace = supervised ? 5 : 60
  if (have("stopsig")) {
    signal = signal_name(known["stopsig"])
    if (signal == "") say_of("stopsig", "unusable", "not a signal that going sends")
    else say_of("stopsig", "kept")
  }
  if (have("retry")) {
    split(known["retry"], field, "/")
    if (field[1] ~ /^[0-9]+$/) grace = field[1]
    else {
      signal = signal_name(field[1])
      if (field[2] ~ /^[0-9]+$/) grace = field[2]
    }
    if (signal == "") say_of("retry", "unusable", "not a signal that going sends")
    else say_of("retry", "changed", "is stop=" signal " " grace ", and KILL")
  }
  set("stop", (signal == "" ? "TERM" : signal) " " grace)
}

function respawning(    delay) {
  delay = have("respawn_delay") ? known["respawn_delay"] : 0
  if (delay ~ /^[0-9]+$/ && delay > 0) set("backoff", delay " " delay)
  say_of("respawn_delay", "changed", "the first restart is at once")
  if (supervised && have("respawn_max") && known["respawn_max"] > 0)
    set("retries", known["respawn_max"] + 1)
  say_of("respawn_max", "changed", "counts quick exits in a row")
  say_of("respawn_period", "changed", "an exit is quick before the MAX of backoff=")
}
