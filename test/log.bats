# What is said, where, and that nobody is ever waited for.

load helper
T=${BATS_TEST_TMPDIR-}

# From here on going sees a /dev of its own, at first without a log. It is the
# directory $T/dev, so that we can put a syslogd there from outside.
own_dev() {
  needs_root
  mkdir "$T/dev"
  : >"$T/dev/null"
  WRAP=(unshare --mount sh -c 'mount --bind /dev/null "$0/null" &&
    mount --rbind "$0" /dev && exec "$@"' "$T/dev")
}

# A syslogd that writes what it gets to $T/syslog, or, if it is deaf, a socket
# that nobody reads.
syslogd() { # [deaf]
  python3 -c 'import os, signal, socket, sys
os.chdir(sys.argv[1])
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("new")
os.chmod("new", 0o666)
os.rename("new", "log")
while len(sys.argv) > 2: signal.pause()
with open("../syslog", "ab", 0) as f:
    while True: f.write(s.recv(9999) + b"\n")' "$T/dev" "$@" 3>&- &
  SYSLOGD_PID=$!
  STARTED+=("$SYSLOGD_PID")
  wait_until '[ -S "$T/dev/log" ]'
}

syslogd_stop() {
  kill "$SYSLOGD_PID" && { wait "$SYSLOGD_PID" || :; } 2>/dev/null
  rm "$T/dev/log"
}

assert_syslog() { wait_until "grep -Eq -e '$1' '$T/syslog'"; }

# It is started that often, in ten steps with a deadline each: a busy machine takes its time.
often() { # NAME COUNT
  local step
  for step in {1..10}; do
    wait_until "[ \"\$(state $1 starts)\" -gt $(($2 * step / 10)) ]"
  done
}

# It restarts and stops services without delay, and ends.
assert_lively() {
  local i
  for i in 1 2 3; do
    wait_until '[ -n "$(pid_of web)" ]'
    kill -KILL "$(pid_of web)"
    wait_until "[ \"\$(state web starts)\" -gt $i ]"
  done
  rm "$D/web"
  wait_until '[ ! -e "$R/web" ]'
  going_stop
}

@test "a line an event: started, how it ended, and what is next" {
  service web 'cmd=sleep 1000'
  service once cmd=true restart=never
  service lost 'cmd=sh -c "exit 4"' retries=1
  service crash cmd=false backoff=100
  going_start
  assert_log '^once: started as [0-9]+$'
  assert_log '^once: exited with 0 after [0-9]+\.[0-9] s, done$'
  assert_log '^lost: exited with 4 after [0-9]+\.[0-9] s, failed$'
  assert_log '^crash: exited with 1 after [0-9]+\.[0-9] s, up$'
  assert_log '^crash: exited with 1 after [0-9]+\.[0-9] s, quarantined, next start in 100\.0 s$'
  wait_until '[ -n "$(pid_of web)" ]'
  assert_log "^web: started as $(pid_of web)\$"
  kill -KILL "$(pid_of web)"
  assert_log '^web: killed by signal 9 after [0-9]+\.[0-9] s, up$'
  going_stop
  assert_log '^web: killed by signal 15 after [0-9]+\.[0-9] s, stopped$'
  [ "$(grep -c '^once:' "$LOG")" = 2 ]
  [ "$(grep -c '^web:' "$LOG")" = 4 ]
  refute_log '^[^:]*$'
}

@test "syslog gets the lines, with the daemon facility and its name" {
  own_dev
  syslogd
  service web 'cmd=sleep 1000'
  service once cmd=true restart=never
  service bad colour=red
  going_start
  assert_syslog '^<29>going: web: started as [0-9]+$'
  assert_syslog '^<29>going: once: exited with 0 after [0-9]+\.[0-9] s, done$'
  assert_syslog '^<29>going: bad:1: .*unknown key: colour$'
  going_stop
  assert_syslog '^<29>going: web: killed by signal 15 after .* s, stopped$'
  run grep -v '^<29>going: [a-z]*:' "$T/syslog"
  [ -z "$output" ]
}

@test "with a syslogd nothing is on standard error" {
  own_dev
  syslogd
  service web 'cmd=sleep 1000'
  service crash cmd=false backoff=100
  service bad colour=red
  going_start
  assert_syslog '^<29>going: crash: .* quarantined'
  going_stop
  [ ! -s "$LOG" ]
}

@test "in the foreground of a terminal it is on standard error, too" {
  own_dev
  syslogd
  service web 'cmd=sleep 1000'
  service once cmd=true restart=never
  printf '#!/bin/sh\nexec %s\n' \
    "$(printf '%q ' "${WRAP[@]}" "$GOING" -d "$D" -r "$R")" >"$T/start"
  chmod 755 "$T/start"
  sed -i '1s,sh$,bash,' "$T/start"
  script -qec "exec $T/start" /dev/null </dev/null >"$T/seen" 2>&1 3>&- &
  script=$!
  assert_syslog '^<29>going: once: .* done$'
  assert_syslog '^<29>going: web: started'
  pid=$(pgrep -P "$script")
  STARTED+=("$pid")
  wait_until 'grep -Eq "^once: exited with 0 after .* s, done" "$T/seen"'
  wait_until 'grep -Eq "^web: started as [0-9]+" "$T/seen"'
  kill -TERM "$pid"
  wait_until "! alive $pid"
  wait "$script"
  grep -q '^web: killed by signal 15' "$T/seen"
}

@test "a syslogd that comes later gets the lines" {
  own_dev
  service web 'cmd=sleep 1000' backoff=0
  going_start
  assert_log '^web: started as '
  syslogd
  kill -KILL "$(pid_of web)"
  assert_syslog '^<29>going: web: killed by signal 9 '
  wait_until '[ "$(state web starts)" = 2 ]'
  assert_syslog "^<29>going: web: started as $(pid_of web)\$"
  refute_log '^web: killed'
}

@test "a syslogd that is restarted gets the lines, meanwhile standard error" {
  own_dev
  syslogd
  service web 'cmd=sleep 1000' backoff=0
  going_start
  assert_syslog '^<29>going: web: started as '
  syslogd_stop
  wait_until '[ -n "$(pid_of web)" ]'
  kill -KILL "$(pid_of web)"
  assert_log '^web: killed by signal 9 '
  wait_until '[ "$(state web starts)" = 2 ]'
  syslogd
  kill -USR1 "$(pid_of web)"
  assert_syslog '^<29>going: web: killed by signal 10 '
}

@test "a /dev/log that nobody reads holds nothing up" {
  own_dev
  syslogd deaf
  service web 'cmd=sleep 1000' backoff=0
  service crash cmd=false backoff=0
  going_start
  often crash 500
  assert_lively
}

@test "a full pipe on standard error holds nothing up" {
  own_dev
  mkfifo "$T/pipe"
  exec {pipe}<>"$T/pipe" # we hold it, and do not read
  WRAP+=(sh -c "exec 2>$T/pipe; exec \"\$@\"" --)
  service web 'cmd=sleep 1000' backoff=0
  service crash cmd=false backoff=0
  going_start
  often crash 1000
  assert_lively
  exec {pipe}<&-
}

@test "a pipe on standard error that was full before holds nothing up" {
  own_dev
  mkfifo "$T/pipe"
  exec {pipe}<>"$T/pipe"
  run dd if=/dev/zero of="$T/pipe" bs=4096 count=1000 oflag=nonblock
  run dd if=/dev/zero of="$T/pipe" bs=1 count=10000 oflag=nonblock
  WRAP+=(sh -c "exec 2>$T/pipe; exec \"\$@\"" --)
  service web 'cmd=sleep 1000' backoff=0
  going_start
  assert_lively
  exec {pipe}<&-
}

@test "a pipe on standard error whose reader died holds nothing up" {
  own_dev
  mkfifo "$T/pipe"
  exec {pipe}<>"$T/pipe"
  WRAP+=(sh -c "exec 2>$T/pipe; exec \"\$@\"" --)
  service web 'cmd=sleep 1000' backoff=0
  service crash cmd=false backoff=0
  going_start
  wait_until '[ "$(state crash starts)" -gt 10 ]'
  exec {pipe}<&- # going has the only other end
  starts=$(state crash starts)
  wait_until "[ \"\$(state crash starts)\" -gt $((starts + 100)) ]"
  assert_lively
}

@test "what fails again and again is not said every time" {
  going_start
  mv "$D" "$D.away"
  assert_log "$D.*: No such file or directory\$"
  # It looks every second: wait until it has done so three times.
  switches() { sed -n 's/^voluntary_ctxt_switches:\t//p' "/proc/$GOING_PID/status"; }
  said=$(wc -l <"$LOG")
  more=$(($(switches) + 3))
  wait_until "[ \"\$(switches)\" -ge $more ]"
  [ "$(wc -l <"$LOG")" -le $((said + 1)) ]
  service_file=$D.away/web
  printf 'cmd=sleep 1000\n' >"$service_file"
  mv "$D.away" "$D"
  assert_log '^web: started as '
}

@test "a terminal that is gone: a bad file is said once, is read once, and its service has failed" {
  WRAP=(python3 -c 'import os, pty, sys
master, slave = pty.openpty()
os.dup2(slave, 2)
os.closerange(3, 99)
os.execvp(sys.argv[1], sys.argv[1:])')
  WRAP+=(strace -D -qq -o "$BATS_TEST_TMPDIR/trace" -P "$D/bad" -e trace=open,openat)
  service bad 'cmd=sleep 1000' 'colour=red'
  service web 'cmd=sleep 1000'
  going_start
  wait_until '[ "$(state bad state)" = failed ]'
  [ "$(grep -c . "$BATS_TEST_TMPDIR/trace")" = 1 ]
}

@test "a terminal that nobody reads holds up nothing: what does not fit is dropped" {
  # A child keeps the master open, and reads nothing, as long as going lives.
  WRAP=(python3 -c 'import os, pty, sys, time
master, slave = pty.openpty()
going = os.getpid()
if os.fork() == 0:
    os.closerange(0, 3)
    os.close(slave)
    while os.getppid() == going: time.sleep(0.1)
    os._exit(0)
os.dup2(slave, 2)
os.execvp(sys.argv[1], sys.argv[1:])')
  for n in {1..20}; do service "crash$n" cmd=false backoff=0; done
  service web 'cmd=sleep 1000'
  going_start
  # Far more lines than a terminal holds (4 KiB, of 40 bytes a line).
  often crash20 60
  old=$(pid_of web)
  kill -KILL "$old"
  wait_until '[ "$(state web starts)" = 2 ]'
  going_stop
}
