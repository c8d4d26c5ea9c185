# Jobs of a pmtr.conf.
#
# pmtr gives a job its own environment, with what env says, umask 0 unless it was started otherwise,
# and its own directory if there is no dir. A job's words go to syslog. It sends TERM, and KILL
# after 10 seconds; an exit within 10 seconds is answered 10 seconds later; 33 means no restart.
# Words are separated by blanks and newlines; "..." is one; a word that begins with # begins a
# comment. A keyword is one only as the first word of a line (but for { on to every).

BEGIN {
  split("job name user cmd env dir out err in order disable wait once } listen report bounce " \
        "depends ulimit nice cpu", list, " ")
  for (i in list) keyword[list[i]] = 1
  split("on to every {", list, " ")
  for (i in list) anywhere[list[i]] = 1
  split("-c core -d data -e nice -f fsize -i sigpending -l memlock -m rss -n nofile -q msgqueue " \
        "-r rtprio -s stack -t cpu -u nproc -v as", list, " ")
  for (i = 1; i in list; i += 2) limit_of[list[i]] = list[i + 1]
}

function convert(    t) {
  scan()
  t = 1
  while (t <= tokens) {
    if (kind_of[t] == "job") t = job(t + 1)
    else t = stray(t)
  }
}

# Takes the whole file apart: the text of each word, its line, and what it is.
function scan(    rest, first, text) {
  tokens = 0
  open(main_file)
  while (next_line()) {
    source_line[nr] = src
    rest = src
    first = 1
    while (sub(/^[ \t]+/, "", rest) || rest != "") {
      if (rest == "" || rest ~ /^#/) break
      match(rest, /^[^ \t]+/)
      text = substr(rest, 1, RLENGTH)
      tokens++
      token_line[tokens] = nr
      if (text in anywhere || (first && text in keyword)) kind_of[tokens] = text
      else if (rest ~ /^"/) {
        if (!match(rest, /^"[^"]*"/)) {
          kind_of[tokens] = "open"
          RLENGTH = length(rest)
        } else kind_of[tokens] = "quoted"
        text = substr(rest, 2, RLENGTH - 2)
      } else kind_of[tokens] = "word"
      token[tokens] = text
      rest = substr(rest, RLENGTH + 1)
      first = 0
    }
  }
  kind_of[tokens + 1] = "end"
  token_line[tokens + 1] = nr
}

function at(t) {
  nr = till = token_line[t]
  src = source_line[nr]
}

function is_text(t) { return kind_of[t] == "word" || kind_of[t] == "quoted" }

# Words outside of a job: report to, listen on, or a fault.
function stray(t,    was) {
  at(t)
  begin()
  was = kind_of[t]
  if (was == "report") refused("there is no report; see the cookbook")
  else if (was == "listen") refused("nobody listens for commands")
  else refused("not understood")
  for (t++; t <= tokens && token_line[t] == nr; t++);
  return t
}

# A job, from behind the word "job" to its brace.
function job(t,    start) {
  begin()
  name = dir = out_file = err_file = in_file = again = ""
  bad = 0
  start = t - 1
  for (k in seen) delete seen[k]
  if (kind_of[t] == "{") t++
  else {
    at(start)
    unusable("no { after job")
  }
  while (t <= tokens && kind_of[t] != "}" && kind_of[t] != "job") t = setting(t)
  if (kind_of[t] == "}") {
    at(t++)
    if (nr != token_line[start]) kept()
  } else {
    at(start)
    unusable("the job has no }")
  }
  finish_job(start)
  return t
}

function setting(t,    what, n, i) {
  at(t)
  what = kind_of[t]
  if (!(what in keyword)) {
    unusable("not understood")
    return skip(t)
  }
  if (what ~ /^(name|user|cmd|dir|out|err|in|order|nice|cpu)$/ && seen[what]++) {
    unusable("given twice, which pmtr refuses")
    return skip(t)
  }
  for (n = 0; is_text(t + n + 1) && (what == "cmd" || token_line[t + n + 1] == nr); n++);
  if (what == "cmd") return command(t, n)
  if (what == "depends" || what == "ulimit" && kind_of[t + 1] == "{") return block(t, what)
  if (what ~ /^(disable|wait|once)$/ && n == 0) {
    if (what == "disable") {
      off = ".off"
      changed("the service is off")
    } else if (what == "once") {
      again = "never"
      kept("is restart=never")
    } else refused("no service waits for another; see wait-for in the cookbook")
  } else if (what == "bounce" && kind_of[t + 1] == "every") {
    bounce(token[t + 2])
    return t + 3
  } else if (what == "ulimit" && n == 2) limit(token[t + 1], token[t + 2])
  else if (n == 1 && kind_of[t + 1] == "word") one_value(what, token[t + 1])
  else {
    unusable("not understood, nor by pmtr")
    return skip(t)
  }
  return t + n + 1
}

# To the next line.
function skip(t,    here) {
  here = token_line[t]
  for (t++; t <= tokens && token_line[t] == here && kind_of[t] != "}"; t++);
  return t
}

function command(t, n,    i) {
  for (i = 1; i <= n; i++) word(token[t + i])
  if (n == 0 || kind_of[t + 1] != "word") unusable("no command")
  else if (token[t + 1] !~ /^\//) unusable("pmtr wants an absolute path, so it has never run")
  else kept()
  for (i = 2; i <= n; i++)
    if (token_line[t + i] != token_line[t + i - 1] && token_line[t + i] != token_line[t]) {
      at(t + i)
      changed("more words of cmd, for pmtr, too")
    }
  return t + n + 1
}

function one_value(what, text) {
  if (what == "name") {
    name = text
    kept()
  } else if (what == "dir") {
    dir = text
    set_path("cwd", text)
    kept()
  } else if (what == "user") {
    if (set_user(text)) changed("HOME, USER, LOGNAME and SHELL are his")
  } else if (what == "env") {
    if (text !~ /=/) unusable("not NAME=VALUE")
    else if (assign_variable(text)) kept()
  } else if (what ~ /^(in|out|err)$/) {
    if (text == "syslog" && what != "in") {
      changed("through a service of its own")
      return
    }
    if (text ~ /^\//) kept()
    if (what == "in") in_file = text
    else if (what == "out") out_file = text
    else err_file = text
    if (what == "in") in_line = nr
    else if (what == "out") out_line = nr
    else err_line = nr
  } else if (what == "order") changed("services start in the order of their names")
  else if (what == "nice") {
    if (text !~ /^-?[0-9]+$/) unusable("not a number")
    else {
      wrap("nice -n " text)
      if (text < 0) as_root = 1
      changed("through nice(1)")
    }
  } else if (what == "cpu") {
    if (text ~ /^0x[0-9a-fA-F]+$/) wrap("taskset " text)
    else wrap("taskset -c " text)
    changed("through taskset(1)")
  } else unusable("not understood")
}

function limit(flag, text,    resource) {
  resource = flag
  if (flag in limit_of) resource = limit_of[flag]
  else if (sub(/^RLIMIT_/, "", resource)) resource = tolower(resource)
  else resource = ""
  if (resource == "" || text !~ /^([0-9]+|infinity|unlimited)$/ ||
      resource == "nofile" && text !~ /^[0-9]/) {
    unusable("not a limit that pmtr knows")
    return
  }
  if (text !~ /^[0-9]/) text = "unlimited"
  limits = limits " --" resource "=" text
  as_root = 1
  changed("through prlimit(1)")
}

# depends { FILE... } and ulimit { FLAG VALUE... }
function block(t, what,    start) {
  start = t
  if (kind_of[t + 1] != "{") {
    unusable("no {")
    return skip(t)
  }
  if (what == "depends") refused("touch the service file when one of these has changed")
  else changed("through prlimit(1)")
  for (t += 2; t <= tokens && kind_of[t] != "}"; t++) {
    if (token_line[t] != token_line[start]) at(t)
    if (what == "depends") {
      if (token_line[t] != token_line[start]) refused("a file to watch")
    } else if (is_text(t) && is_text(t + 1)) {
      limit(token[t], token[t + 1])
      t++
    } else unusable("not a flag and a value")
  }
  if (kind_of[t] != "}") return t
  at(t)
  if (token_line[t] != token_line[t - 1]) kept()
  return t + 1
}

# timeout(1) sends TERM when it is time, and going starts it again.
function bounce(text,    n) {
  if (text !~ /^[0-9]+[smhd]$/ || text ~ /^0+[smhd]$/) {
    unusable("not a time that pmtr knows")
    return
  }
  wrap("timeout -k 10 " text)
  changed("through timeout(1); its children get TERM, too, and the program may hear it twice")
}

# Paths are relative to dir. Without dir, they are to where pmtr happened to be.
function stream(key, text, line) {
  if (text == "") return
  nr = till = line
  src = source_line[line]
  if (text ~ /^\//) set_path(key, text)
  else if (dir ~ /^\//) {
    set_path(key, dir "/" text)
    changed("is " key "=" dir "/" text)
  } else unusable("a relative path, and no dir")
}

function finish_job(start,    written, streams, what) {
  stream("stdin", in_file, in_line)
  stream("stdout", out_file, out_line)
  stream("stderr", err_file, err_line)
  set("restart", again == "" ? "unless 33" : again)
  if (again == "") set("backoff", "10 10")
  at(start)
  if (name == "") unusable("the job has no name, which pmtr refuses")
  if (out_file == "") streams = "stdout"
  if (err_file == "") streams = streams " stderr"
  to_syslog(streams, name)
  if (streams != "") what = ", and what it says goes to syslog through a service of its own"
  written = emit(name == "" ? "job" : name)
  changed("is the service " written what "; umask is 022, was 000; without dir, cwd is /; what " \
          "pmtr itself was given is not inherited; it leads a session, and a stop goes to its " \
          "group")
}
