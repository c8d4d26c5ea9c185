# Every system call that going makes fails, once or for a while, and every time
# it makes up for it. faults.py does that, with strace, and tells how; what it
# has seen is docs/faults.md. A part of it, or a single fault:
#
#   FAULTS='openat read' bats -f 'going starts' test/proof/faults.bats
#   test/proof/faults.py --going going --service SERVICE --verbose \
#     --one takeover epoll_ctl ENOMEM 2
#
# All of it takes eleven minutes. FAULTS_ALL=1 tries all errors at every
# occurrence, for half an hour or so. FAULTS_WRITE=1 writes the page anew.
#
# Behind that, faults without a tracer: no process, no memory, no directory, a
# file that somebody has leased. What test/faults.bats tries is not repeated.

load ../helper

FAULTS_PY=$BATS_TEST_DIRNAME/faults.py
PAGE=$BATS_TEST_DIRNAME/../../docs/faults.md

setup_file() {
  # Others than root are to execute it, and bats' own directory is closed.
  export BIN && BIN=$(mktemp -d)
  chmod 755 "$BIN"
  cc -Os -static -o "$BIN/service" "$BATS_TEST_DIRNAME/faults.c"
}

teardown_file() { rm -r "$BIN"; }

UNDO=() # what ends a fault that reaches beyond the test's own directories

eval "$(declare -f teardown | sed '1s/teardown/end_the_world/')"
teardown() {
  local undo failed=0
  for undo in "${UNDO[@]}"; do eval "$undo" || failed=1; done
  end_the_world || failed=1
  return "$failed"
}

inject() { # PART
  "${WRAP[@]}" /usr/bin/python3 "$FAULTS_PY" --going "$GOING" \
    --service "$BIN/service" --parts "$1" --calls "${FAULTS:-}" \
    ${FAULTS_ALL:+--all} --results "$BATS_FILE_TMPDIR/results" 3>&-
}

is_up() { [ "$(state "$1" state)" = up ]; }
is_new() { is_up "$1" && [ "$(pid_of "$1")" != "$2" ] && alive "$(pid_of "$1")"; }

# All is well again: files count, and services are started again.
works() { # SERVICE...
  local name pid
  for name in "$@"; do
    pid=$(pid_of "$name")
    touch "$D/$name"
    wait_until "is_new $name $pid"
    pid=$(pid_of "$name")
    kill -KILL "$pid"
    wait_until "is_new $name $pid"
  done
}

@test "while going starts, any system call may fail" {
  inject start
}

@test "while service files change, any system call may fail" {
  inject change
}

@test "while a service is born, any system call of the child may fail" {
  inject birth
}

@test "while services are taken over, any system call may fail" {
  inject takeover
}

@test "while going executes itself again, any system call may fail" {
  inject upgrade
}

@test "while all is stopped, any system call may fail" {
  inject stop
}

# How often a call is made, and what is seen of it, depends on the moment, a
# little; which calls there are, on the machine and its C library.
rows() { cut -d '|' -f 2-4 "$1"; }

@test "docs/faults.md tells of each of these calls" {
  [ -z "${FAULTS:-}" ] || skip 'only some calls were tried'
  "$FAULTS_PY" --table "$BATS_FILE_TMPDIR/results" >"$BATS_TEST_TMPDIR/page"
  if [ -n "${FAULTS_WRITE:-}" ]; then cp "$BATS_TEST_TMPDIR/page" "$PAGE"; fi
  diff -u <(rows "$PAGE") <(rows "$BATS_TEST_TMPDIR/page")
}

@test "the kernel has no process to give: said once, and all is made up for" {
  local group
  for group in /sys/fs/cgroup/pids /sys/fs/cgroup; do
    if [ -e "$group/cgroup.procs" ]; then break; fi
  done
  [ "$group" = /sys/fs/cgroup/pids ] || grep -q pids "$group/cgroup.subtree_control"
  mkdir "$group/going.$$"
  UNDO+=("wait_until 'rmdir $group/going.$$ 2>/dev/null'")
  group+=/going.$$
  service web "cmd=$BIN/service $(mktemp -p "$BATS_TEST_TMPDIR")"
  service other "cmd=$BIN/service $(mktemp -p "$BATS_TEST_TMPDIR")"
  going_start
  wait_until 'is_up web && is_up other'
  web=$(pid_of web) other=$(pid_of other)
  UNDO=("going_stop" "${UNDO[@]}")
  echo "$GOING_PID" >"$group/cgroup.procs" # only going itself, and what it starts
  echo 1 >"$group/pids.max"
  kill -KILL "$web"
  wait_until '[ "$(state web state)" = quarantined ]'
  assert_log '^web: cannot fork: Resource temporarily unavailable'
  [ "$(pid_of other)" = "$other" ]
  wait_until '[ "$(awk "{ print \$2 }" "$group/pids.events")" -ge 3 ]' # tried again
  [ "$(grep -c 'cannot fork' "$LOG")" = 1 ]
  echo max >"$group/pids.max"
  wait_until "is_new web $web"
  [ "$(state web starts)" = 2 ]
  works web other
}

@test "the kernel has no memory to give: the services go on, and all is made up for" {
  for i in {1..3}; do
    service "s$i" "cmd=$BIN/service $(mktemp -p "$BATS_TEST_TMPDIR")"
  done
  going_start
  wait_until '[ "$(grep -ls state=up "$R"/* | wc -l)" = 3 ]'
  pids=$(service_pids)
  prlimit --pid "$GOING_PID" --as=4096: # it has more already, and gets no more
  long=$(printf 'x%.0s' {1..4000})
  for i in {4..40}; do
    service "s$i" "cmd=$BIN/service $(mktemp -p "$BATS_TEST_TMPDIR")" "env=A=$long"
  done
  assert_log 'Out of memory|Cannot allocate memory|no memory'
  for pid in $pids; do alive "$pid"; done
  prlimit --pid "$GOING_PID" --as=unlimited:
  wait_until '[ "$(grep -ls state=up "$R"/* | wc -l)" = 40 ]'
  for pid in $pids; do alive "$pid"; done
  [ "$(grep -h -o 'starts=.*' "$R"/* | grep -vc 'starts=1 ')" = 0 ]
  works s1 s40
}

@test "the runtime directory goes and cannot be made again: the services go on, and the watchdog is fed" {
  # A device that reports a timeout of 1 s, which makes three feeds in a second.
  DEV=$BATS_TEST_TMPDIR/watchdog
  : >"$DEV"
  WRAP+=(strace -D -qq -o "$BATS_TEST_TMPDIR/trace" -P "$DEV" -e trace=ioctl
    -e 'inject=ioctl:retval=0:poke_exit=@arg3=01000000')
  service web "cmd=$BIN/service $(mktemp -p "$BATS_TEST_TMPDIR")"
  going_start -w "$DEV"
  wait_until 'is_up web'
  web=$(pid_of web)
  rm -r "$R"
  : >"$R" # in its place
  kill -KILL "$web"
  wait_until '[ "$(grep -c "^web: started as" "$LOG")" = 2 ]'
  assert_log '^waiting for '
  fed=$(stat -c %s "$DEV") # in two seconds it is to be fed five times
  end=$((${EPOCHREALTIME/./} + 2000000))
  wait_until "[ \${EPOCHREALTIME/./} -gt $end ]"
  echo "fed $fed times, then $(stat -c %s "$DEV")"
  [ "$(stat -c %s "$DEV")" -ge $((fed + 4)) ]
  rm "$R"
  wait_until "is_new web $web"
  [ "$(state web starts)" = 2 ]
  works web
}

@test "USR2 while a state file cannot be written starts nothing twice" {
  lock=$(mktemp -p "$BATS_TEST_TMPDIR")
  mkdir -m 755 "$R"
  mount -t tmpfs -o size=64k,mode=755 none "$R"
  UNDO+=("mount -o remount,rw $R" "going_stop" "umount $R")
  service web "cmd=$BIN/service $lock"
  going_start
  wait_until 'is_up web'
  web=$(pid_of web)
  mount -o remount,ro "$R"
  kill -KILL "$web"
  wait_until '[ "$(grep -c "^web: started as" "$LOG")" = 2 ]'
  wait_until '[ "$(cat "$lock")" = .. ]'
  new=$(sed -n 's/^web: started as //p' "$LOG" | tail -n 1)
  kill -USR2 "$GOING_PID"
  # Twice it tries again to save: the signal has been heard, whatever it does.
  end=$((${EPOCHREALTIME/./} + 2500000))
  wait_until "[ \${EPOCHREALTIME/./} -gt $end ]"
  mount -o remount,rw "$R"
  wait_until "is_new web $web"
  echo "started $(cat "$lock")"
  [ "$(pid_of web) $(cat "$lock")" = "$new .." ]
  works web
}

@test "a service file that somebody has leased is read later" {
  service web "cmd=$BIN/service $(mktemp -p "$BATS_TEST_TMPDIR")"
  service other "cmd=$BIN/service $(mktemp -p "$BATS_TEST_TMPDIR")"
  # F_SETLEASE, F_WRLCK: who opens the file now, without waiting, is refused.
  /usr/bin/python3 -c 'import fcntl, signal, sys
file = open(sys.argv[1], "r+")
signal.signal(signal.SIGIO, signal.SIG_IGN)
fcntl.fcntl(file, 1024, fcntl.F_WRLCK)
print("leased", flush=True)
signal.pause()' "$D/web" >"$BATS_TEST_TMPDIR/lease" 3>&- &
  lease=$!
  UNDO+=("kill $lease 2>/dev/null || :")
  wait_until 'grep -q leased "$BATS_TEST_TMPDIR/lease"'
  going_start
  wait_until 'is_up other'
  assert_log '^web.*: Resource temporarily unavailable'
  kill "$lease"
  wait_until 'is_up web'
  works web
}
