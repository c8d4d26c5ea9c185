# Scripts of OpenWrt for procd, as far as start_service() only declares.
#
# procd gives a service what it was given itself, /, and /dev/null, or with stdout and stderr,
# syslog. It sends TERM to the process, and KILL after term_timeout (5) seconds. It starts it again
# only with respawn: THRESHOLD TIMEOUT RETRY (3600 5 5).

function takes_whole(function_name) { return function_name != "start_service" }

function convert(    i, k) {
  begin()
  for (k in known) delete known[k]
  items = instances = in_instance = 0
  shared_before = ""
  uses_procd = 0
  trouble = ""
  read_script(main_file)
  # what is outside of start_service first, so that its comments are in the service file
  for (i = 1; i <= items; i++) {
    at_item(i)
    if (item_type[i] == "whole") own_function(item_in[i])
    else if (item_in[i] == "start_service") continue
    else if (item_type[i] == "assign") assign()
    else refused("code that is not a declaration")
  }
  for (i = 1; i <= items; i++) {
    at_item(i)
    if (item_in[i] == "start_service") declaration(item_type[i])
  }
  open(main_file)
  src = ""
  if (!uses_procd) {
    unusable("there is no USE_PROCD=1")
    if (!instances) emit(base(main_file))
  } else if (!instances) {
    unusable("start_service declares no instance")
    emit(base(main_file))
  }
}

function assign() {
  if (!assignment(src)) {
    kept("cannot be known: " problem)
    return
  }
  if (assigned == "USE_PROCD") {
    uses_procd = known[assigned] != ""
    kept()
  } else if (assigned ~ /^(START|STOP)$/) changed("services start in the order of their names")
  else if (assigned ~ /^EXTRA_/) changed("there are no verbs but touch, mv and kill")
  else kept("put in where it is used")
}

function own_function(name) {
  src = name "() {...}"
  if (name == "service_triggers")
    refused("nothing is reloaded when a file changes; touch the service file")
  else refused("nothing runs it, unless start_service does")
}

function declaration(type,    text, list, n) {
  text = trim(src)
  if (type ~ /^(begin|end)$/) {
    kept()
    return
  }
  if (type == "assign" || text ~ /^local[ \t]+[A-Za-z_][A-Za-z0-9_ \t]*$/) {
    if (type == "assign" && !assignment(text)) kept("cannot be known: " problem)
    else kept("put in where it is used")
    return
  }
  if (text ~ /^procd_/) {
    n = shell_words(text, list, 1)
    if (n < 0) {
      n = split(text, list, /[ \t]+/)
      if (list[1] == "procd_set_param" && list[2] ~ /^(file|netdev|watch|data|error)$/)
        refused("nothing is reloaded when something changes; touch the service file")
      else {
        trouble = ".off"
        unusable(problem)
      }
      return
    }
    call(list, n)
  } else if (is_preparation(text)) {
    shared_before = shared_before plain(text) " && "
    changed("is done by a shell, before each start")
  } else if (text ~ /^\[.*\][ \t]*\|\|[ \t]*(return|exit)([ \t]+[0-9]+)?$/)
    refused("no condition; see wait-for in the cookbook")
  else if (text ~ /^return([ \t]+0)?$/) kept()
  else {
    trouble = ".off"
    unusable("code that is not a declaration may change all that is declared")
  }
}

function call(list, n,    k, i) {
  k = list[1]
  if (k == "procd_open_instance") {
    in_instance = 1
    instances++
    begin_instance(n > 1 ? list[2] : "")
    kept()
  } else if (k == "procd_close_instance" && in_instance) {
    kept()
    close_instance()
  } else if (k == "procd_set_param" && in_instance && n > 1) parameter(list, n, 0)
  else if (k == "procd_append_param" && in_instance && n > 1) parameter(list, n, 1)
  else if (k ~ /^procd_add_jail/) refused("no jail; see unshare in the cookbook")
  else if (k ~ /^procd_(add|open|close)_/) refused("nothing is announced, and nothing triggers")
  else unusable("not understood")
}

# What was said before the first instance stays with the first one.
function begin_instance(name,    i) {
  instance = name
  if (instances > 1) begin()
  for (i in p) delete p[i]
  arguments = 0
  at_open = nr
}

function parameter(list, n, more,    k, i) {
  k = list[2]
  if (k == "command") {
    if (!more) arguments = 0
    for (i = 3; i <= n; i++) argument[++arguments] = list[i]
    if (src ~ /\$/) changed("the values of its variables are put in")
    else kept()
  } else if (k == "env") {
    for (i = 3; i <= n; i++) assign_variable(list[i])
    kept()
  } else if (k == "limits") {
    for (i = 3; i <= n; i++) limit(list[i])
    changed("through prlimit(1)")
  } else if (k == "respawn") {
    p["respawn"] = 1
    p["threshold"] = n > 2 ? list[3] : 3600
    p["timeout"] = n > 3 ? list[4] : 5
    p["retry"] = n > 4 ? list[5] : 5
    changed("is backoff= and retries=; the first restart is at once, and an exit is quick " \
            "within a minute, not " p["threshold"] " seconds")
  } else if (k ~ /^(user|group|stdout|stderr|term_timeout|facility)$/) {
    p[k] = list[3]
    if (k ~ /^std/ && list[3] ~ /^(1|true)$/) changed("goes to syslog through a service of its own")
    else if (k == "user" && account(list[3])) changed("HOME, USER, LOGNAME and SHELL are his")
    else if (k == "user") nobody("user", list[3])
    else if (k == "group" && !has_group(list[3])) nobody("group", list[3])
    else kept()
  } else if (k == "nice" && list[3] ~ /^-?[0-9]+$/) {
    wrap("nice -n " list[3])
    if (list[3] < 0) as_root = 1
    changed("through nice(1)")
  } else if (k == "no_new_privs") {
    if (list[3] ~ /^(1|true)$/) wrap("setpriv --no-new-privs")
    changed("through setpriv(1)")
  } else if (k == "pidfile") changed("no pid file is written; see the state file")
  else if (k == "reload_signal") changed("is (. /run/going/NAME && kill -" list[3] " $pid)")
  else if (k ~ /^(file|netdev|watch|data|error)$/)
    refused("nothing is reloaded when something changes; touch the service file")
  else refused("not done")
}

function limit(text,    name, soft) {
  name = text
  sub(/=.*/, "", name)
  sub(/^[^=]*=/, "", text)
  gsub(/[ \t]+/, ":", text)
  if (text ~ /^(unlimited|[0-9]+(:[0-9]+)?)$/) {
    limits = limits " --" name "=" text (text ~ /^[0-9]+$/ ? ":" : "")
    as_root = 1
  } else refused("not a limit: " text)
}

function close_instance(    i, streams, name) {
  in_instance = 0
  for (i = 1; i <= arguments; i++) word(argument[i])
  if (shared_before != "") {
    prelude(shared_before)
    as_root = 1
  }
  if (trouble != "") off = trouble
  if (p["user"] != "" || p["group"] != "")
    set("user", (p["user"] == "" ? "root" : p["user"]) (p["group"] == "" ? "" : ":" p["group"]))
  if (!p["respawn"]) set("restart", "never")
  else {
    set("backoff", p["timeout"] " " (p["timeout"] > 60 ? p["timeout"] : 60))
    if (p["retry"] > 0) set("retries", p["retry"] + 1)
  }
  set("stop", "TERM " (p["term_timeout"] == "" ? 5 : p["term_timeout"]))
  set("stdout", "/dev/null")
  set("stderr", "/dev/null")
  if (p["stdout"] ~ /^(1|true)$/) streams = "stdout"
  if (p["stderr"] ~ /^(1|true)$/) streams = streams " stderr"
  if (arguments)
    to_syslog(streams, base(argument[1]), (p["facility"] == "" ? "daemon" : p["facility"]) ".info")
  name = base(main_file)
  if (instance != "") name = name "-" instance
  nr = till = at_open
  src = ""
  name = emit(name)
  changed("is the service " name (p["respawn"] ? "" : "; it is not started again") \
          "; what procd itself was given is not inherited; it leads a session, and a stop goes " \
          "to its group")
}
