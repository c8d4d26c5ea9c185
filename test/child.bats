# What a service gets, whatever going itself was given.

load helper
T=${BATS_TEST_TMPDIR-}

program() { # NAME LINE...
  printf '%s\n' '#!/bin/sh' "${@:2}" >"$T/$1" && chmod 755 "$T/$1"
}

# The service NAME is up, and is COMMAND already, no longer going's child.
runs() { # NAME COMMAND
  wait_until "[ \"\$(cat /proc/\$(pid_of $1)/comm 2>/dev/null)\" = $2 ]"
}

# What COMMAND says when it runs as a service whose file has also LINE...
says() { # COMMAND [LINE...]
  local name=said-${EPOCHREALTIME/./}
  service "$name" "cmd=$1" "stdout=$T/$name" restart=never "${@:2}"
  wait_until "[ \"\$(state $name state)\" = done ]" && cat "$T/$name"
}

field() { sed -n "s/^$1:[[:blank:]]*//p" "$T/status"; }

@test "all signals have their default action, and none is blocked" {
  WRAP+=(python3 -c 'import os, signal, sys
for n in set(range(1, 65)) - {9, 19, 32, 33}: signal.signal(n, signal.SIG_IGN)
os.execvp(sys.argv[1], sys.argv[1:])')
  going_start
  says 'cat /proc/self/status' >"$T/status"
  [ "$(field SigIgn)" = 0000000000000000 ]
  [ "$(field SigBlk)" = 0000000000000000 ]
  [ "$(field SigCgt)" = 0000000000000000 ]
}

@test "ends are seen and nothing is blocked if SIGCHLD was ignored and blocked" {
  WRAP+=(python3 -c 'import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
os.execvp(sys.argv[1], sys.argv[1:])')
  service web 'cmd=sleep 1000'
  going_start
  says 'cat /proc/self/status' >"$T/status"
  [ "$(field SigIgn)" = 0000000000000000 ]
  [ "$(field SigBlk)" = 0000000000000000 ]
  kill -KILL "$(pid_of web)"
  wait_until '[ "$(state web starts)" = 2 ]'
  [ "$(state web signal)" = 9 ]
}

@test "a service has descriptors 0, 1 and 2, and no other" {
  WRAP+=(bash -c 'exec 9>/dev/null 77</dev/null; exec "$@"' --)
  service web 'cmd=sleep 1000'
  service logger 'cmd=sleep 1000' "stdout=$T/out.log" "stderr=$T/err.log"
  going_start
  for name in web logger; do
    runs $name sleep
    [ "$(ls "/proc/$(pid_of $name)/fd" | tr '\n' ' ')" = '0 1 2 ' ]
  done
}

@test "going may be started with 0, 1 and 2 closed" {
  WRAP+=(bash -c 'exec 0<&- 1>&- 2>&-; exec "$@"' --)
  service web 'cmd=sleep 1000'
  service log 'cmd=sleep 1000' "stdout=$T/log.1"
  going_start
  runs web sleep
  for fd in 0 1 2; do
    [ "$(readlink "/proc/$(pid_of web)/fd/$fd")" = /dev/null ]
  done
  [ "$(ls "/proc/$(pid_of web)/fd" | tr '\n' ' ')" = '0 1 2 ' ]
  runs log sleep
  [ "$(readlink "/proc/$(pid_of log)/fd/1")" = "$T/log.1" ]
  kill -KILL "$(pid_of web)"
  wait_until '[ "$(state web starts)" = 2 ]'
  [ ! -s "$T/log.1" ]
  going_stop
}

@test "the umask is 022" {
  WRAP+=(sh -c 'umask 0; exec "$@"' --)
  going_start
  says "touch $T/made"
  [ "$(stat -c %a "$T/made")" = 644 ]
  [ "$(stat -c %a "$T"/said-*)" = 644 ]
}

@test "a service is a session and a group of its own, without a terminal" {
  service web 'cmd=sleep 1000'
  script -qec "exec $GOING -d $D -r $R" /dev/null </dev/null >"$T/typescript" 2>&1 3>&- &
  script=$!
  runs web sleep
  STARTED+=("$(pgrep -P $script)")
  [ "$(ps -o tty= -p "${STARTED[0]}")" != '?' ]
  pid=$(pid_of web)
  [ "$(ps -o sid=,pgid=,tty= -p "$pid" | xargs)" = "$pid $pid ?" ]
}

@test "the environment is PATH and SERVICE, its name, alone" {
  WRAP+=(env HOME=/x JUNK=1 LANG=C PATH="$PATH:/nowhere")
  going_start
  says env | sort >"$T/env"
  { read -r environment && read -r name; } <"$T/env"
  [ "$(wc -l <"$T/env") $name" = "2 SERVICE=$(basename "$T"/said-*)" ]
  [[ "$environment" =~ ^PATH=(/[a-z/]*:)*/[a-z/]*$ ]]
  [[ ":${environment#PATH=}:" = *:/bin:* ]]
  [[ ":${environment#PATH=}:" = *:/usr/sbin:* ]]
}

@test "with user it has HOME, LOGNAME, SHELL and USER, too" {
  needs_root
  going_start
  IFS=: read -r name _ _ _ _ home shell < <(getent passwd nobody)
  says env user=nobody | sort >"$T/env"
  [ "$(grep -Ev '^(PATH|SERVICE)=' "$T/env")" = "HOME=$home
LOGNAME=$name
SHELL=$shell
USER=$name" ]
  grep -q '^PATH=' "$T/env"
}

@test "env adds and overrides, and the later wins" {
  needs_root
  going_start
  says env user=nobody env=A=1 env=HOME=/h 'env=B=b c=d' env=A=2 env=EMPTY= \
    env=PATH=/usr/bin:/bin | sort >"$T/env"
  grep -qx 'A=2' "$T/env"
  [ "$(grep -c '^A=' "$T/env")" = 1 ]
  grep -qx 'B=b c=d' "$T/env"
  grep -qx 'EMPTY=' "$T/env"
  grep -qx 'HOME=/h' "$T/env"
  grep -qx 'PATH=/usr/bin:/bin' "$T/env"
  [ "$(wc -l <"$T/env")" = 9 ] # with LOGNAME, SERVICE, SHELL and USER
  [ "$(says 'sh -c "echo $SERVICE $USER"' user=nobody env=SERVICE=other env=USER=me)" = 'other me' ]
}

@test "one file that is linked under many names is a template: SERVICE is the name" {
  echo 'cmd=sh -c "echo $SERVICE"' >"$T/template"
  printf '%s\n' restart=never "stdout=$T/names" >>"$T/template"
  for name in getty@tty1 getty@tty2 web; do ln -s "$T/template" "$D/$name"; done
  going_start
  for name in getty@tty1 getty@tty2 web; do
    wait_until "[ \"\$(state $name state)\" = done ]"
  done
  [ "$(sort "$T/names" | xargs)" = 'getty@tty1 getty@tty2 web' ]
}

@test "the command is searched on the service's own PATH" {
  program hello-from-here 'echo "hello, $0"'
  WRAP+=(env PATH="$T:$PATH")
  service stranger cmd=hello-from-here backoff=100
  going_start
  hello=$(says hello-from-here env=PATH=/nowhere:"$T:/bin")
  [ "$hello" = "hello, $T/hello-from-here" ]
  assert_log '^stranger: .*: No such file or directory$'
}

@test "quotes keep blanks together, and nothing is expanded" {
  program show 'printf "<%s>" "$@"'
  going_start
  words=$(says "$T/show a  'b  c' d\"e 'f' \"g \"\" '' \$HOME * ~ \\n # ;true")
  [ "$words" = "<a><b  c><de 'f' g><><><\$HOME><*><~><\\n><#><;true>" ]
}

@test "the working directory is / unless cwd says another" {
  service web 'cmd=sleep 1000'
  service home 'cmd=sleep 1000' "cwd=$T"
  going_start
  runs web sleep
  runs home sleep
  [ "$(readlink "/proc/$(pid_of web)/cwd")" = / ]
  [ "$(readlink "/proc/$(pid_of home)/cwd")" = "$T" ]
}

@test "user sets the user, its group or another, and the supplementary groups" {
  needs_root
  { cat /etc/passwd && echo 'ada:x:4001:4002::/home/ada:/bin/ash'; } >"$T/passwd"
  { cat /etc/group && printf '%s\n' ada:x:4002: club:x:4003:ada \
    crew:x:4004:bob,ada staff-of-4005:x:4005: foreign:x:4006:bob; } >"$T/group"
  WRAP+=(unshare --mount sh -c "mount --bind $T/passwd /etc/passwd &&
    mount --bind $T/group /etc/group && exec \"\$@\"" --)
  going_start
  ids() { # USER: its uids, gids and groups, in order
    says 'cat /proc/self/status' user="$1" >"$T/status"
    echo "$(field Uid | xargs), $(field Gid | xargs), $(field Groups |
      xargs -n 1 | sort -nu | xargs)"
  }
  own='4001 4001 4001 4001, 4002 4002 4002 4002, 4002 4003 4004'
  other='4001 4001 4001 4001, 4005 4005 4005 4005, 4003 4004 4005'
  [ "$(ids ada)" = "$own" ]
  [ "$(ids 4001)" = "$own" ]
  [ "$(ids ada:staff-of-4005)" = "$other" ]
  [ "$(ids ada:4005)" = "$other" ]
  [ "$(ids 4001:4005)" = "$other" ]
  grep -q 'HOME=/home/ada' <(says env user=4001:4005)
}

@test "a user has all of the supplementary groups, however many" {
  needs_root
  { cat /etc/passwd && echo 'ada:x:4001:4002::/home/ada:/bin/ash'; } >"$T/passwd"
  { cat /etc/group && for n in {5001..5600}; do echo "club$n:x:$n:bob,ada"; done; } >"$T/group"
  WRAP+=(unshare --mount sh -c "mount --bind $T/passwd /etc/passwd &&
    mount --bind $T/group /etc/group && exec \"\$@\"" --)
  going_start
  says 'cat /proc/self/status' user=ada >"$T/status"
  diff <(echo 4002 && seq 5001 5600) <(field Groups | xargs -n 1 | sort -nu)
}

@test "a service without a user keeps going's own" {
  going_start
  [ "$(says 'id -u')" = "$(id -u)" ]
  [ "$(says 'id -g')" = "$(id -g)" ]
}

@test "stdin is /dev/null, or the file it names" {
  service web 'cmd=sleep 1000'
  going_start
  runs web sleep
  [ "$(readlink "/proc/$(pid_of web)/fd/0")" = /dev/null ]
  [ -z "$(says cat)" ] # ends at once
  echo "good morning" >"$T/in"
  [ "$(says cat "stdin=$T/in")" = 'good morning' ]
}

@test "stdout and stderr are inherited" {
  program talk 'echo "this is out"' 'echo "this is err" >&2'
  service talk "cmd=$T/talk" restart=never
  going_start
  wait_until '[ "$(state talk state)" = done ]'
  grep -qx 'this is out' "$OUT"
  assert_log '^this is err$'
}

@test "stdout and stderr are appended to" {
  program talk 'echo "this is out"' 'echo "this is err" >&2'
  echo 'from before' | tee "$T/out.log" >"$T/both.log"
  service talk "cmd=$T/talk" "stdout=$T/out.log" "stderr=$T/err.log" \
    restart=never
  service both "cmd=$T/talk" "stdout=$T/both.log" "stderr=$T/both.log" \
    restart=never
  going_start
  wait_until '[ "$(state talk state)" = done ]'
  wait_until '[ "$(state both state)" = done ]'
  [ "$(cat "$T/out.log")" = "from before
this is out" ]
  [ "$(cat "$T/err.log")" = 'this is err' ]
  [ "$(cat "$T/both.log")" = "from before
this is out
this is err" ]
  touch "$D/talk"
  wait_until '[ "$(state talk starts)" = 2 ]'
  wait_until '[ "$(wc -l <"$T/out.log")" = 3 ]'
  refute_log '^this is'
}

@test "a log that is cut short while it is written to has no hole" {
  program talk 'echo one' "until [ -e $T/cut ]; do sleep 0.02; done" 'echo two'
  service talk "cmd=$T/talk" "stdout=$T/out.log" restart=never
  going_start
  wait_until '[ -s "$T/out.log" ]'
  : >"$T/out.log"
  touch "$T/cut"
  wait_until '[ "$(state talk state)" = done ]'
  [ "$(cat "$T/out.log")" = two ]
}

# The logger's name comes first, and so it is started first.

@test "a FIFO between two services loses no line when its reader is restarted" {
  mkfifo -m 600 "$T/pipe"
  program count 'i=0' 'while [ "$((i += 1))" -le 400 ]; do echo "$i"; done' \
    'exec sleep 1000'
  # Ten lines a life: the read of a shell takes no more than its line.
  program ten-lines 'for i in 1 2 3 4 5 6 7 8 9 10; do' \
    'read -r line && echo "$line"; done'
  service archive "cmd=$T/ten-lines" "stdin=$T/pipe" "stdout=$T/got" backoff=0
  service count "cmd=$T/count" "stdout=$T/pipe"
  going_start
  wait_until '[ "$(cat "$T/got" | wc -l)" -ge 400 ]'
  seq 400 | cmp - "$T/got"
  [ "$(state count starts)" = 1 ]
  [ "$(state archive starts)" -ge 40 ]
}

@test "a FIFO between two services loses no line when its writer is restarted" {
  mkfifo -m 600 "$T/pipe"
  echo 0 >"$T/last"
  program count "read -r n <$T/last" '[ "$n" -lt 200 ] || exec sleep 1000' \
    'for i in 1 2 3 4 5 6 7 8 9 10; do echo "$((n += 1))"; done' \
    "echo \"\$n\" >$T/last"
  service archive cmd=cat "stdin=$T/pipe" "stdout=$T/got"
  service count "cmd=$T/count" "stdout=$T/pipe" backoff=0
  going_start
  wait_until '[ "$(cat "$T/got" | wc -l)" -ge 200 ]'
  seq 200 | cmp - "$T/got"
  [ "$(state count starts)" -ge 20 ]
  [ "$(state archive starts)" = 1 ]
}

@test "a writer to a FIFO does not wait for its reader" {
  mkfifo -m 600 "$T/pipe"
  program count 'seq 100' "touch $T/written" 'exec sleep 1000'
  service count "cmd=$T/count" "stdout=$T/pipe"
  going_start
  wait_until '[ -e "$T/written" ]'
  service archive cmd=cat "stdin=$T/pipe" "stdout=$T/got"
  wait_until '[ -e "$T/got" ] && [ "$(cat "$T/got" | wc -l)" = 100 ]'
  [ "$(state count starts)" = 1 ]
}

@test "a path that ends in .fifo and is not there is made a FIFO, by whoever comes first" {
  program count 'seq 100' 'exec sleep 1000'
  service a-writer "cmd=$T/count" "stdout=$T/a.fifo" "stderr=$T/a.fifo"
  service b-reader cmd=cat "stdin=$T/b.fifo" "stdout=$T/b.got"
  service c-reader cmd=cat "stdin=$T/a.fifo" "stdout=$T/a.got"
  service d-writer "cmd=$T/count" "stderr=$T/d.fifo" "stdout=$T/b.fifo"
  going_start
  for name in a b; do
    wait_until "[ -e '$T/$name.got' ] && seq 100 | cmp -s - '$T/$name.got'"
  done
  for name in a b d; do [ "$(stat -c '%a %F' "$T/$name.fifo")" = '600 fifo' ]; done
  for name in a-writer b-reader c-reader d-writer; do [ "$(state $name starts)" = 1 ]; done
}

@test "a .fifo that is there stays what it is, and one that cannot be made is said" {
  mkfifo -m 640 "$T/old.fifo"
  echo 'from before' >"$T/file.fifo"
  mkfifo "$T/target"
  ln -s "$T/target" "$T/link.fifo"
  going_start
  for name in old link; do
    service "$name" 'cmd=sh -c "echo new; exec sleep 1000"' "stdout=$T/$name.fifo"
    runs "$name" sleep
  done
  says 'sh -c "echo new >&2"' "stderr=$T/file.fifo"
  [ "$(cat "$T/file.fifo")" = "from before
new" ]
  [ "$(stat -c '%a %F' "$T/old.fifo")" = '640 fifo' ]
  [ "$(stat -c %F "$T/target")" = fifo ]
  [ -L "$T/link.fifo" ]
  service lost cmd=true "stdout=$T/missing/lost.fifo" backoff=100
  assert_log "^lost: cannot open $T/missing/lost.fifo: No such file or directory\$"
}

@test "a name that only holds .fifo is a file as any other" {
  going_start
  says 'echo hello' "stderr=$T/web.fifo.log"
  [ "$(stat -c '%a %F' "$T/web.fifo.log")" = '644 regular empty file' ]
}

# Linux refuses O_CREAT for a file of another user in a directory as /tmp, even to root.
@test "a log that is there is appended to, also one of another user in a directory as /tmp" {
  WRAP+=(strace -D -f -qq -o "$T/trace" -P "$T/tmp/web.log" -e trace=open,openat)
  mkdir -m 1777 "$T/tmp"
  echo 'from before' >"$T/tmp/web.log"
  if is_root; then chown games "$T/tmp/web.log"; fi
  service web 'cmd=sh -c "echo hello; exec sleep 1000"' "stdout=$T/tmp/web.log"
  going_start
  wait_until 'grep -q hello "$T/tmp/web.log"'
  wait_until 'grep -q O_APPEND "$T/trace"'
  not grep O_CREAT "$T/trace"
}

@test "oom_score_adj is 0, and going keeps its own" {
  needs_root
  WRAP+=(sh -c 'echo 300 >/proc/self/oom_score_adj; exec "$@"' --)
  going_start
  [ "$(says 'cat /proc/self/oom_score_adj')" = 0 ]
  [ "$(says 'cat /proc/self/oom_score_adj' user=nobody)" = 0 ]
  [ "$(cat "/proc/$GOING_PID/oom_score_adj")" = 300 ]
}

@test "oom_score_adj is 0, even if that of going has changed meanwhile" {
  needs_root
  going_start
  [ "$(says 'cat /proc/self/oom_score_adj')" = 0 ]
  echo 200 >"/proc/$GOING_PID/oom_score_adj"
  [ "$(says 'cat /proc/self/oom_score_adj' user=nobody)" = 0 ]
}

@test "a service that cannot become its user runs as nobody else: exit is 111" {
  # root without its right to assume other identities
  WRAP+=($(without -setuid,-setgid))
  service web "cmd=touch $T/ran" user=daemon backoff=100
  going_start
  assert_log '^web: cannot become daemon: Operation not permitted$'
  wait_until '[ "$(state web exit) $(state web starts)" = "111 2" ]'
  [ ! -e "$T/ran" ]
}

@test "a FIFO that cannot be made is said, and no file is made in its place" {
  WRAP+=(strace -D -f -qq -o /dev/null -e trace=mknod,mknodat -e inject=mknod,mknodat:error=EPERM)
  service web 'cmd=sleep 1000' "stdout=$BATS_TEST_TMPDIR/no.fifo"
  going_start
  assert_log "^web: cannot open $BATS_TEST_TMPDIR/no.fifo: "
  [ ! -e "$BATS_TEST_TMPDIR/no.fifo" ]
}
