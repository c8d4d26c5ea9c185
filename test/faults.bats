# What going stands on gives way for a while: it says so once, goes on, and
# makes up for it afterwards.

load helper

NO_DESCRIPTOR='Too many open files|No file descriptors available' # glibc, musl
UNDO=() # what ends a fault that reaches beyond the test's own directories

eval "$(declare -f teardown | sed '1s/teardown/end_the_world/')"
teardown() {
  local undo
  for undo in "${UNDO[@]}"; do eval "$undo" || :; done
  local failed=0
  end_the_world || failed=1
  ! mountpoint -q "$R" || umount "$R" || failed=1
  return "$failed"
}

is_up() { [ "$(state "$1" state)" = up ]; }
is_new() { is_up "$1" && [ "$(pid_of "$1")" != "$2" ] && alive "$(pid_of "$1")"; }
ticks() { sed 's/.*) //' "/proc/$GOING_PID/stat" | awk '{ print $12 + $13 }'; }

# The fault lasts: for four seconds nothing may change, going takes next to no
# time of the processor, and says nothing about it twice.
lasts() { # REGEX [LINES]
  local regex=$1 before end
  assert_log "$regex"
  before=$(ticks)
  end=$((${EPOCHREALTIME/./} + 4000000))
  while [ "${EPOCHREALTIME/./}" -lt "$end" ]; do
    alive "$GOING_PID"
    sleep 0.1
  done
  echo "ticks: $before to $(ticks)"
  [ $(($(ticks) - before)) -le 10 ]
  [ -z "$(grep -E -e "$regex" "$LOG" | sort | uniq -d)" ]
  [ "$(grep -Ec -e "$regex" "$LOG")" -le "${2:-1}" ]
}

# All is well again: files count, and services are started again.
works() {
  local web
  alive "$GOING_PID"
  service after 'cmd=sleep 1000'
  wait_until 'is_up after && alive $(pid_of after)'
  web=$(pid_of web)
  touch "$D/web"
  wait_until "is_new web $web"
  web=$(pid_of web)
  kill -KILL "$web"
  wait_until "is_new web $web"
  rm "$D/after"
  wait_until '[ ! -e $R/after ]'
}

# A going whose system calls do what the second word says, from now on.
inject() { # CALLS RESULT
  strace -qq -o /dev/null -e "trace=$1" -e "inject=$1:$2" -p "$GOING_PID" 2>"$BATS_TEST_TMPDIR/strace" 3>&- &
  STRACE=$!
  UNDO+=("kill $STRACE")
  wait_until 'grep -q "^TracerPid:.*[1-9]" /proc/$GOING_PID/status'
}

mended() {
  kill "$STRACE"
  wait "$STRACE" || :
  UNDO=()
}

@test "a full runtime directory is said once, services are looked after, and their states are right again later" {
  needs_root
  mkdir -m 755 "$R"
  mount -t tmpfs -o size=64k,mode=755 none "$R"
  service web 'cmd=sleep 1000'
  service still 'cmd=sleep 1000'
  service gone 'cmd=sleep 1000'
  going_start
  wait_until 'is_up web && is_up still && is_up gone'
  web=$(pid_of web) still=$(pid_of still) gone=$(pid_of gone)
  cat /dev/zero 2>/dev/null >"$R/.fill" || : # until it is full
  kill -KILL "$web"
  wait_until '[ "$(grep -c "^web: started as" $LOG)" = 2 ]'
  rm "$D/gone"
  wait_until "dead $gone"
  service new 'cmd=sleep 1000'
  assert_log '^new: started as '
  lasts 'No space left on device'
  rm "$R/.fill"
  wait_until "is_new web $web && is_up new"
  wait_until '[ ! -e $R/gone ]'
  [ "$(state web starts) $(state web signal) $(pid_of still)" = "2 9 $still" ]
  works
}

@test "a runtime directory that becomes read-only is said once, and its states are right again later" {
  needs_root
  mkdir -m 755 "$R"
  mount -t tmpfs -o size=64k,mode=755 none "$R"
  service web 'cmd=sleep 1000'
  going_start
  wait_until 'is_up web'
  web=$(pid_of web)
  mount -o remount,ro "$R"
  kill -KILL "$web"
  wait_until '[ "$(grep -c "^web: started as" $LOG)" = 2 ]'
  lasts 'Read-only file system'
  [ "$(pid_of web)" = "$web" ]
  mount -o remount,rw "$R"
  wait_until "is_new web $web"
  [ "$(state web starts)" = 2 ]
  works
}

@test "a state file that cannot be removed is tried again" {
  needs_root
  mkdir -m 755 "$R"
  mount -t tmpfs -o size=64k,mode=755 none "$R"
  service web 'cmd=sleep 1000'
  service gone 'cmd=sleep 1000'
  going_start
  wait_until 'is_up web && is_up gone'
  gone=$(pid_of gone)
  mount -o remount,ro "$R"
  rm "$D/gone"
  wait_until "dead $gone"
  lasts 'Read-only file system'
  mount -o remount,rw "$R"
  wait_until '[ ! -e $R/gone ]'
  works
}

@test "the service directory disappears: the services go on, and what it holds when it is back counts" {
  service web 'cmd=sleep 1000'
  service gone 'cmd=sleep 1000'
  going_start
  wait_until 'is_up web && is_up gone'
  web=$(pid_of web) gone=$(pid_of gone)
  mv "$D" "$D.away"
  lasts "(cannot|gone|No such).*$D"
  [ "$(pid_of web) $(pid_of gone)" = "$web $gone" ]
  alive "$web"
  alive "$gone"
  kill -KILL "$gone" # and it is still looked after
  wait_until "is_new gone $gone"
  gone=$(pid_of gone)
  rm "$D.away/gone"
  mv "$D.away" "$D"
  wait_until "dead $gone"
  [ "$(pid_of web)" = "$web" ]
  works
}

@test "the service directory is replaced by another one" {
  service web 'cmd=sleep 1000'
  service gone 'cmd=sleep 1000'
  going_start
  wait_until 'is_up web && is_up gone'
  gone=$(pid_of gone)
  mv "$D" "$D.old"
  mkdir "$D"
  service web 'cmd=sleep 1000'
  wait_until "dead $gone"
  wait_until 'is_up web'
  works
}

@test "a service directory that is missing at the start is waited for" {
  rmdir "$D"
  going_start
  lasts "$D"
  mkdir "$D"
  service web 'cmd=sleep 1000'
  wait_until 'is_up web'
  works
}

@test "a service directory that cannot be read: the services go on" {
  # root without its right to read everything
  WRAP+=($(without -dac_override,-dac_read_search))
  service web 'cmd=sleep 1000'
  going_start
  wait_until 'is_up web'
  web=$(pid_of web)
  chmod 000 "$D"
  lasts 'Permission denied'
  [ "$(pid_of web)" = "$web" ]
  alive "$web"
  chmod 755 "$D"
  works
}

@test "without inotify, a new file still starts its service" {
  needs_root
  WRAP+=(unshare --user --map-root-user sh -c
    'echo 0 >/proc/sys/user/max_inotify_instances && exec "$@"' --)
  service web 'cmd=sleep 1000'
  going_start
  wait_until 'is_up web'
  lasts 'cannot watch '
  works
  nsenter --target "$GOING_PID" --user sh -c \
    'echo 128 >/proc/sys/user/max_inotify_instances'
  wait_until 'ls -l /proc/$GOING_PID/fd | grep -q inotify'
  works
  [ "$(grep -c 'cannot watch' "$LOG")" = 1 ]
}

@test "no process can be forked: said once, and all is made up for" {
  for i in {1..5}; do service "s$i" 'cmd=sleep 1000' 'backoff=0'; done
  service web 'cmd=sleep 1000'
  going_start
  wait_until '[ "$(grep -ls state=up $R/* | wc -l)" = 6 ]'
  inject fork,vfork,clone error=EAGAIN
  for i in {1..5}; do kill -KILL "$(pid_of "s$i")"; done
  service new 'cmd=sleep 1000'
  wait_until '[ "$(grep -ls state=quarantined $R/* | wc -l)" = 6 ]'
  lasts 'cannot fork: Resource temporarily unavailable'
  is_up web
  [ ! -e "$R/new" ] || [ -z "$(pid_of new)" ]
  mended
  wait_until '[ "$(grep -ls state=up $R/* | wc -l)" = 7 ]'
  for i in {1..5}; do [ "$(state "s$i" starts) $(state "s$i" signal)" = '2 9' ]; done
  works
}

# Nothing of the dead may be in the way of its successor: no number that answers to a signal, and no
# place among the processes that its user may have.
@test "a service that starts again does not meet its predecessor" {
  local pid T=$BATS_TEST_TMPDIR
  cat >"$T/daemon" <<E
    cd "$T"
    if kill -0 "\$(cat pid)"; then touch another; fi 2>/dev/null
    echo \$\$ >pid
    exec sleep 1000
E
  service web "cmd=sh $T/daemon" 'backoff=0'
  going_start
  wait_until "grep -q . $T/pid"
  inject waitid delay_enter=100000
  for _ in 1 2 3; do
    pid=$(cat "$T/pid")
    kill -KILL "$pid"
    wait_until "grep -q . $T/pid && [ \"\$(cat $T/pid)\" != $pid ]"
  done
  [ ! -e "$T/another" ]
  mended
}

@test "a service whose user has as many processes as allowed is started again" {
  needs_root
  local pid passwd=$BATS_TEST_TMPDIR/passwd user=$((100000 + $$)) # of whom there is no other process
  echo "somebody:x:$user:65534::/:/bin/sh" | cat /etc/passwd - >"$passwd"
  # setuid(2) looks at those that are there before
  WRAP+=(unshare --mount sh -c "mount --bind $passwd /etc/passwd && exec prlimit --nproc=1 \"\$@\"" --)
  service other 'cmd=sleep 1000' user=somebody
  service web 'cmd=sleep 1000' user=somebody 'backoff=0'
  going_start
  wait_until 'is_up other'
  for starts in 1 2 3 4; do
    wait_until 'is_up web'
    pid=$(pid_of web)
    [ "$(state web starts) $(stat -c %u "/proc/$pid")" = "$starts $user" ]
    kill -KILL "$pid"
    wait_until '[ "$(pid_of web)" != '"$pid"' ]'
  done
  refute_log cannot
}

@test "no descriptor can be opened while files change: said once, and all is made up for" {
  service web 'cmd=sleep 1000'
  service gone 'cmd=sleep 1000'
  service still 'cmd=sleep 1000'
  going_start
  wait_until 'is_up web && is_up gone && is_up still'
  web=$(pid_of web) gone=$(pid_of gone) still=$(pid_of still)
  prlimit --pid "$GOING_PID" --nofile=3:
  service new 'cmd=sleep 1000'
  touch "$D/web"
  rm "$D/gone"
  lasts "$NO_DESCRIPTOR"
  [ "$(pid_of still)" = "$still" ]
  alive "$still"
  [ ! -e "$R/new" ]
  prlimit --pid "$GOING_PID" --nofile=1024:
  wait_until "is_up new && is_new web $web && dead $gone"
  [ "$(pid_of still)" = "$still" ]
  works
}

@test "no descriptor can be opened while a service dies: it comes back, and its state is right later" {
  # a static command: it opens no libraries
  echo 'int pause(void); int main(void) { return pause(); }' |
    cc -static -x c -o "$BATS_TEST_TMPDIR/pause" -
  service web "cmd=$BATS_TEST_TMPDIR/pause"
  going_start
  wait_until 'is_up web'
  web=$(pid_of web)
  prlimit --pid "$GOING_PID" --nofile=3:
  kill -KILL "$web"
  lasts "$NO_DESCRIPTOR" 2 # its state, and the directory
  prlimit --pid "$GOING_PID" --nofile=1024:
  wait_until "is_new web $web"
  [ "$(state web signal)" = 9 ]
  works
}

@test "no memory while files change: nothing is lost" {
  service web 'cmd=sleep 1000'
  going_start
  wait_until 'is_up web'
  web=$(pid_of web)
  inject brk,mmap error=ENOMEM
  for i in {1..200}; do service "new$i" "cmd=sleep 1000" "env=A=$(printf 'x%.0s' {1..2000})"; done
  lasts 'memory|ENOMEM'
  [ "$(pid_of web)" = "$web" ]
  mended
  wait_until '[ "$(grep -ls state=up $R/* | wc -l)" = 201 ]'
  refute_log ':[0-9]+: '
  works
}

@test "a storm of hang-ups and touches while services die loses none" {
  for i in {1..50}; do service "s$i" 'cmd=sleep 1000' 'backoff=0'; done
  service web 'cmd=sleep 1000'
  going_start
  wait_until '[ "$(grep -ls state=up $R/* | wc -l)" = 51 ]'
  web=$(pid_of web)
  for ((i = 0; i < 500; i++)); do
    kill -HUP "$GOING_PID"
    kill -CHLD "$GOING_PID"
    ((i % 10)) || kill -KILL "$(pid_of "s$((i / 10 + 1))")"
  done
  for i in {1..50}; do wait_until "[ \"\$(state s$i state) \$(state s$i starts)\" = 'up 2' ]"; done
  [ "$(pid_of web)" = "$web" ]
  works
}

@test "fifty services that die at the same moment are all started again" {
  for i in {1..50}; do service "s$i" 'cmd=sleep 1000'; done
  service web 'cmd=sleep 1000'
  going_start
  wait_until '[ "$(grep -ls state=up $R/* | wc -l)" = 51 ]'
  web=$(pid_of web)
  kill -KILL $(for i in {1..50}; do pid_of "s$i"; done)
  for i in {1..50}; do wait_until "[ \"\$(state s$i state) \$(state s$i starts)\" = 'up 2' ]"; done
  [ "$(grep -c ': killed by signal 9 after' "$LOG")" = 50 ]
  for i in {1..50}; do alive "$(pid_of "s$i")"; done
  [ "$(pid_of web)" = "$web" ]
  works
}

@test "a descriptor that going cannot have at its start is waited for" {
  WRAP+=(strace -D -qq -o /dev/null -e trace=epoll_create1,signalfd4
    -e inject=epoll_create1:error=EMFILE:when=1
    -e inject=signalfd4:error=ENFILE:when=1)
  service web 'cmd=sleep 1000'
  from=${EPOCHREALTIME/./}
  going_start
  wait_until 'is_up web'
  [ $((${EPOCHREALTIME/./} - from)) -gt 1900000 ] # a second for each
  works
}

@test "a user who cannot be looked up for want of descriptors is no fault of the file: it is read again" {
  needs_root
  WRAP+=(strace -D -qq -o /dev/null -P /etc/passwd -e trace=open,openat
    -e inject=open,openat:error=EMFILE:when=1..2)
  service web 'cmd=sleep 1000' 'user=daemon'
  service other 'cmd=sleep 1000'
  going_start
  wait_until 'is_up other'
  assert_log "^web: cannot read its file: ($NO_DESCRIPTOR)"
  wait_until 'is_up web'
  refute_log '^web:1|^web:2'
  [ "$(stat -c %U "/proc/$(pid_of web)")" = daemon ]
  works
}

@test "a disk that gives no file for a while is no fault of the file: it is read again" {
  WRAP+=(strace -D -qq -o /dev/null -P "$D/web" -e trace=read -e inject=read:error=EIO:when=1..2)
  service web 'cmd=sleep 1000'
  service other 'cmd=sleep 1000'
  going_start
  wait_until 'is_up other'
  assert_log '^web: cannot read its file: I(nput/output|/O) error$'
  wait_until 'is_up web'
  refute_log '^web:[0-9]'
  [ "$(grep -c 'cannot read its file' "$LOG")" = 1 ]
  works
}

@test "a file of which only a part can be read is not used: it is read again" {
  WRAP+=(strace -D -qq -o /dev/null -P "$D/web" -e trace=read -e inject=read:retval=5:when=1)
  service web 'cmd=sleep 1000'
  going_start
  assert_log '^web: cannot read its file: I(nput/output|/O) error$'
  wait_until 'is_up web'
  refute_log '^web:[0-9]'
  works
}

# signal 0 is refused with EPERM, which is no death
@test "a process that going may not signal, and cannot see, is not taken for dead" {
  needs_root
  chmod 711 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$BATS_TEST_TMPDIR"
  sleep 1000 3>&- &
  other=$!
  mkdir -m 755 "$R"
  record="state=up pid=$other start=$(start_of "$other") starts=1"
  echo "$record" >"$R/web"
  chown -R nobody "$R"
  service web 'cmd=sleep 1000'
  cp "$GOING" "$BATS_TEST_TMPDIR/going"
  "${WRAP[@]}" unshare --mount sh -c 'mount -t tmpfs none /proc && exec "$@"' -- \
    setpriv --reuid=nobody --clear-groups "$BATS_TEST_TMPDIR/going" -d "$D" -r "$R" </dev/null >>"$OUT" 2>>"$LOG" 3>&- &
  GOING_PID=$!
  STARTED+=("$GOING_PID")
  assert_log '^web: cannot watch its process: '
  refute_log '^web: (ended|started)'
  going_stop
  [ "$(cat "$R/web")" = "$record" ]
  alive "$other"
  kill "$other"
}

@test "a takeover without /proc and pidfds takes nobody for dead either" {
  needs_root
  service web 'cmd=sleep 1000'
  going_start
  wait_until '[ "$(state web state)" = up ]'
  pid=$(pid_of web) before=$(cat "$R/web")
  going_kill
  : >"$LOG"
  strace -D -qq -o /dev/null -e trace=pidfd_open -e inject=pidfd_open:error=EPERM "${WRAP[@]}" \
    unshare --mount sh -c 'mount -t tmpfs none /proc && exec "$@"' -- \
    "$GOING" -d "$D" -r "$R" </dev/null >>"$OUT" 2>>"$LOG" 3>&- &
  GOING_PID=$!
  STARTED+=("$GOING_PID")
  assert_log '^web: cannot watch its process: No such file or directory$'
  going_stop
  [ "$(cat "$R/web")" = "$before" ]
  alive "$pid"
  refute_log '^web: (ended|started)'
}

@test "a takeover without /proc takes nobody for dead: it waits until it can see, or is to leave" {
  needs_root
  service web 'cmd=sleep 1000'
  going_start
  wait_until '[ "$(state web state)" = up ]'
  pid=$(pid_of web)
  going_kill
  WRAP=(unshare --mount sh -c 'mount -t tmpfs none /proc && exec "$@"' --)
  "${WRAP[@]}" "$GOING" -d "$D" -r "$R" </dev/null >>"$OUT" 2>>"$LOG" 3>&- &
  STARTED+=($!)
  assert_log '^web: cannot watch its process: No such file'
  GOING_PID=$!
  going_stop
  [ "$(state web state) $(pid_of web)" = "up $pid" ]
  WRAP=()
  going_start
  assert_log "^web: taken over as $pid\$"
  [ "$(state web starts) $(grep -c 'ended unseen' "$LOG")" = '1 0' ]
}

@test "a lack of memory at any moment of a look stops no service" {
  for i in {1..5}; do service "s$i" 'cmd=sleep 1000'; done
  going_start
  for i in {1..5}; do wait_until "[ \"\$(state s$i state)\" = up ]"; done
  pids=$(service_pids)
  for nth in {1..10}; do
    strace -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=mmap -e "inject=mmap:error=ENOMEM:when=$nth" \
      -p "$GOING_PID" 3>&- &
    wait_until 'grep -q "^TracerPid:.*[1-9]" "/proc/$GOING_PID/status"'
    service "new$nth" 'cmd=sleep 1000'
    wait_until "[ \"\$(state new$nth state)\" = up ]"
    kill "$!" && wait "$!" || :
  done
  [ "$(for i in {1..5}; do pid_of "s$i"; done)" = "$pids" ]
  refute_log stopped
}

# Nobody can say when a process was started whose birth takes long.
@test "without /proc a service that cannot live is quarantined all the same" {
  needs_root
  WRAP=(strace -D -qq -o /dev/null -e trace=vfork,fork,clone
    -e inject=vfork,fork,clone:delay_enter=15000 "${WRAP[@]}"
    unshare --mount sh -c 'mount -t tmpfs none /proc && exec "$@"' --)
  service web 'cmd=/bin/false' 'backoff=0.05 5'
  going_start
  assert_log '^web: exited with 1 after 0[.][0-9] s, quarantined'
}
