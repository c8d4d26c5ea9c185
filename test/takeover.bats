# going dies, or is replaced; its services must not notice.

load helper

# Services that have lost their record do not outlive the tests either.
teardown_file() {
  local file
  for file in $(grep -lz -e "^$BATS_FILE_TMPDIR/" /proc/[0-9]*/cmdline 2>/dev/null); do
    file=${file%/cmdline}
    kill -KILL "${file#/proc/}" 2>/dev/null || :
  done
}

# How many live in the session of this leader.
living() { ps -o stat= -s "$1" | grep -vc '^Z' || :; }

# The processes that have exactly this argument.
with_argument() {
  local file
  for file in $(grep -lzxF -e "$1" /proc/[0-9]*/cmdline 2>/dev/null); do
    file=${file%/cmdline}
    alive "${file#/proc/}" && echo "${file#/proc/}"
  done
  :
}

woken() { awk '/ctxt_switches/ { n += $2 } END { print n + 0 }' "/proc/$GOING_PID/status"; }

# Waits until going, which tries something every second, has tried again.
looked_again() {
  local before
  before=$(woken)
  wait_until "[ \$(woken) -ge $((before + 3)) ]"
}

is_up() { [ "$(state "$1" state)" = up ]; }
# What is in the runtime directory, but for the file of the lock.
left() { ls -A "$R" | grep -vxF ..lock | xargs; }
is_new() { is_up "$1" && [ "$(pid_of "$1")" != "$2" ] && alive "$(pid_of "$1")"; }

@test "a service goes on when going is killed, and the next going takes it over" {
  service web 'cmd=sleep 1000'
  going_start
  wait_until 'is_up web'
  pid=$(pid_of web) before=$(cat "$R/web")
  going_kill
  alive "$pid"
  [ "$(cat "$R/web")" = "$before" ]
  going_start
  assert_log "^web: taken over as $pid\$"
  [ "$(cat "$R/web")" = "$before" ]
  alive "$pid"
}

@test "a service that is taken over is stopped as any other" {
  service web 'cmd=sleep 1000' 'stop=INT'
  going_start
  wait_until 'is_up web'
  pid=$(pid_of web)
  going_kill
  going_start
  rm "$D/web"
  wait_until "! alive $pid"
  wait_until '[ ! -e $R/web ]'
}

@test "a service that is taken over ends with the next regular exit of going" {
  service web 'cmd=sleep 1000'
  going_start
  wait_until 'is_up web'
  pid=$(pid_of web)
  going_kill
  going_start
  going_stop
  dead "$pid"
  [ -z "$(ls "$R")" ]
}

@test "a service that was stopping when going was killed is not asked a second time" {
  printf '%s\n' '#!/bin/bash' "trap 'echo asked >>$BATS_TEST_TMPDIR/asked' TERM" \
    ": >$BATS_TEST_TMPDIR/listens" "until [ -e $BATS_TEST_TMPDIR/end ]; do read -rt 0.02 <> <(:); done" >"$BATS_TEST_TMPDIR/slow"
  chmod +x "$BATS_TEST_TMPDIR/slow"
  service slow "cmd=$BATS_TEST_TMPDIR/slow"
  going_start
  wait_until '[ -e "$BATS_TEST_TMPDIR/listens" ]'
  pid=$(pid_of slow)
  rm "$D/slow"
  wait_until '[ -s "$BATS_TEST_TMPDIR/asked" ] && [ "$(state slow state)" = stopping ]'
  going_kill
  going_start
  assert_log "slow: taken over as $pid"
  service later 'cmd=sleep 1000'
  wait_until '[ "$(state later state)" = up ]'
  [ "$(state slow state) $(pid_of slow) $(cat "$BATS_TEST_TMPDIR/asked")" = "stopping $pid asked" ]
  : >"$BATS_TEST_TMPDIR/end"
  wait_until '[ ! -e "$R/slow" ]'
}

@test "a service that dies while nobody looks is started again, and how it ended is not made up" {
  service web 'cmd=sleep 1000'
  going_start
  wait_until 'is_up web'
  pid=$(pid_of web)
  going_kill
  kill -KILL "$pid"
  wait_until "! alive $pid"
  going_start
  wait_until "is_new web $pid"
  [ "$(state web starts)" = 2 ]
  [ -z "$(state web exit)$(state web signal)" ]
}

@test "a service that dies after it was taken over is started again at once, and how it ended is not made up" {
  service web 'cmd=sleep 1000'
  going_start
  wait_until 'is_up web'
  pid=$(pid_of web)
  going_kill
  going_start
  assert_log "^web: taken over as $pid\$"
  from=${EPOCHREALTIME/./}
  kill -KILL "$pid"
  wait_until "is_new web $pid"
  [ $((${EPOCHREALTIME/./} - from)) -lt 900000 ] # the first look is not due before
  [ "$(state web starts)" = 2 ]
  [ -z "$(state web exit)$(state web signal)" ]
}

@test "an end that nobody saw counts as a failure" {
  service oops 'cmd=sleep 1000' 'restart=on-failure'
  going_start
  wait_until 'is_up oops'
  pid=$(pid_of oops)
  going_kill
  kill -TERM "$pid"
  wait_until "! alive $pid"
  going_start
  wait_until "is_new oops $pid"
}

@test "a service that must not be restarted is done when its end was not seen" {
  service once 'cmd=sleep 1000' 'restart=never'
  going_start
  wait_until 'is_up once'
  pid=$(pid_of once)
  going_kill
  kill -KILL "$pid"
  wait_until "! alive $pid"
  going_start
  wait_until '[ "$(state once state)" = done ]'
  [ "$(state once starts)" = 1 ]
}

@test "what was done or has failed stays so" {
  service fine 'cmd=true' 'restart=never'
  service poor 'cmd=false' 'retries=1'
  going_start
  wait_until '[ "$(state fine state)" = done ]'
  wait_until '[ "$(state poor state)" = failed ]'
  going_kill
  going_start
  service witness 'cmd=sleep 1000'
  wait_until 'is_up witness'
  [[ $(cat "$R/fine") == 'state=done starts=1 exit=0'* ]]
  [[ $(cat "$R/poor") == 'state=failed starts=1 exit=1'* ]]
}

@test "a touch forgets done and failed, also while nobody looks" {
  service fine 'cmd=true' 'restart=never'
  service poor 'cmd=false' 'retries=1'
  going_start
  wait_until '[ "$(state fine state)" = done ]'
  wait_until '[ "$(state poor state)" = failed ]'
  going_kill
  touch "$D/fine" "$D/poor"
  going_start
  wait_until '[ "$(state fine starts)" = 2 ]'
  wait_until '[ "$(state poor starts)" = 2 ]'
}

@test "a file that changed while nobody looked restarts its service" {
  service web 'cmd=sleep 1000'
  service other 'cmd=sleep 1000'
  going_start
  wait_until 'is_up web && is_up other'
  pid=$(pid_of web) other=$(pid_of other)
  going_kill
  service web 'cmd=sleep 2000'
  going_start
  wait_until "is_new web $pid"
  dead "$pid"
  wait_until 'grep -q 2000 /proc/$(pid_of web)/cmdline'
  [ "$(pid_of other)" = "$other" ]
}

@test "a file that was removed while nobody looked stops its service" {
  service web 'cmd=sleep 1000'
  going_start
  wait_until 'is_up web'
  pid=$(pid_of web)
  going_kill
  rm "$D/web"
  going_start
  wait_until "! alive $pid"
  wait_until '[ ! -e $R/web ]'
}

@test "a file that went bad while nobody looked: the service goes on, and has failed once it has ended, until the file is mended" {
  service web 'cmd=sleep 1000'
  going_start
  wait_until 'is_up web'
  pid=$(pid_of web)
  going_kill
  service web 'colour=red'
  going_start
  assert_log '^web:1: '
  assert_log "^web: taken over as $pid\$"
  service witness 'cmd=sleep 1000'
  wait_until 'is_up witness'
  is_up web && alive "$pid"
  kill -KILL "$pid"
  wait_until '[ "$(state web state)" = failed ]'
  service web 'cmd=sleep 1000'
  wait_until "is_new web $pid"
}

@test "a record whose pid belongs to somebody else by now harms nobody" {
  setsid sleep 1000 3>&- &
  victim=$!
  wait_until "[ \$(ps -o pgid= -p $victim) = $victim ]" # a group of its own
  mkdir -m 755 "$R"
  for name in stays touched gone; do
    echo "state=up pid=$victim start=12345 starts=3" >"$R/$name"
  done
  service stays 'cmd=sleep 1000'
  service touched 'cmd=sleep 1000'
  going_start
  wait_until 'is_up stays && is_up touched && [ ! -e $R/gone ]'
  touch "$D/touched"
  rm "$D/stays"
  wait_until '[ ! -e $R/stays ]'
  wait_until '[ "$(state touched starts)" = 5 ]'
  going_stop
  [ "$(tr '\0' ' ' <"/proc/$victim/cmdline")" = 'sleep 1000 ' ]
  alive "$victim"
  kill -KILL "$victim"
  wait "$victim" 2>/dev/null || :
}

@test "a file in the runtime directory that is no state file is not touched" {
  mkdir -m 755 "$R"
  echo 'dear diary' >"$R/diary"
  echo 'PATH=/bin' >"$R/.profile"
  : >"$R/.keep"
  service web 'cmd=sleep 1000'
  going_start
  wait_until '[ "$(state web state)" = up ]'
  going_stop
  [ "$(left) $(cat "$R/diary" "$R/.profile")" = $'.keep .profile diary dear diary\nPATH=/bin' ]
}

# In a PID namespace and session of its own: a mistake may kill all it reaches.
@test "records full of nonsense start the service, and harm nobody" {
  needs_root
  mkdir -m 755 "$R"
  garbage=(
    'state=up pid=0 start=0 starts=1'
    'state=up pid=-1 start=1 starts=1'
    'state=up pid=1 start=1 starts=1'
    'state=up pid=1 start=@ starts=1' # @ is the true one
    'state=up pid=99999999 start=1 starts=1'
    'state=up pid=4294967295 start=1 starts=1'
    'state=up pid=4294967296 start=1 starts=1'
    'state=up pid=4294967297 start=@ starts=1'
    'state=up pid=18446744073709551617 start=@ starts=1'
    'state=up pid=99999999999999999999999 start=1'
    'state=up pid=-4294967295 start=@ starts=1'
    'state=up pid= start= starts='
    'state=up pid start'
    'pid=3'
    'state=stopping'
    'state=nonsense'
    ''
    '=' '====' 'state' '       '
    "$(printf 'x%.0s' {1..5000})"
    "state=up starts=$(printf '9%.0s' {1..600}) pid=1"
  )
  for i in "${!garbage[@]}"; do
    printf '%s\n' "${garbage[i]}" >"$R/n$i"
    service "n$i" 'cmd=sleep 1000'
  done
  : >"$R/empty"
  printf 'state=up' >"$R/short"
  printf 'state=up\0pid=1\0start=1' >"$R/nul"
  head -c 3000 /dev/urandom >"$R/binary"
  echo precious >"$BATS_TEST_TMPDIR/victim"
  ln -s "$BATS_TEST_TMPDIR/victim" "$R/link"
  mkfifo "$R/fifo"
  for name in empty short nul binary link fifo; do service "$name" 'cmd=sleep 1000'; done
  export D R GOING LOG
  setsid unshare --pid --fork --kill-child=KILL --mount-proc bash -c '
    start=$(sed "s/.*) //" /proc/1/stat | cut -d " " -f 20)
    sed -i "s/@/$start/" "$R"/n*
    sleep 1000 & victim=$!
    "$GOING" -d "$D" -r "$R" 2>>"$LOG" & going=$!
    until [ -e "$R/.end" ]; do read -rt 0.02 <> <(:); done
    kill -TERM $going
    wait $going
    echo "going: $?" >>"$R/.end"
    kill -USR1 $victim
    wait $victim
    echo "victim: $?" >>"$R/.end"' </dev/null 3>&- &
  namespace=$!
  for file in "$D"/*; do
    name=${file##*/}
    wait_until "dead $namespace || grep -Eq '^state=up pid=[1-9][0-9]* start=[1-9][0-9]* starts=' $R/$name"
    wait_until "dead $namespace || grep -q '^$name: started as ' $LOG"
    alive "$namespace"
  done
  : >"$R/.end"
  wait_until "! alive $namespace" || { kill -KILL "$namespace"; false; }
  [ "$(cat "$R/.end")" = $'going: 0\nvictim: 138' ]
  [ "$(cat "$BATS_TEST_TMPDIR/victim")" = precious ]
}

@test "a record that cannot be read: its service is neither started nor stopped until that is mended" {
  service web 'cmd=sleep 1000'
  service gone 'cmd=sleep 1000'
  going_start
  wait_until 'is_up web && is_up gone'
  web=$(pid_of web) gone=$(pid_of gone)
  going_kill
  for name in web gone; do
    mv "$R/$name" "$R/.$name.aside"
    mkdir "$R/$name"
  done
  rm "$D/gone"
  touch "$D/web"
  service other 'cmd=sleep 1000'
  : >"$LOG"
  going_start
  wait_until 'is_up other'
  assert_log 'cannot read its state file'
  looked_again
  alive "$web"
  alive "$gone"
  refute_log '^(web|gone): (started|taken over|ended|killed|exited)'
  for name in web gone; do
    rmdir "$R/$name"
    mv "$R/.$name.aside" "$R/$name"
  done
  assert_log "^web: taken over as $web\$"
  assert_log "^gone: taken over as $gone\$"
  wait_until "! alive $gone && is_new web $web"
  [ "$(grep -c 'cannot read its state file' "$LOG")" -le 2 ]
}

@test "USR2 executes going again: the services go on, and how they end later is known" {
  service web 'cmd=sh -c "trap \"\" HUP; sleep 1000"' 'stop=KILL'
  service seven "cmd=sh -c 'trap \"exit 7\" USR1; while :; do sleep 0.1; done'"
  service nine 'cmd=sleep 1000'
  service gone 'cmd=true' 'restart=never'
  going_start
  wait_until 'is_up web && is_up seven && is_up nine'
  wait_until '[ "$(state gone state)" = done ]'
  wait_until 'grep -q "^SigCgt:.*2[0-9a-f][0-9a-f]\$" /proc/$(pid_of seven)/status'
  web=$(pid_of web) seven=$(pid_of seven) nine=$(pid_of nine)
  kill -USR2 "$GOING_PID"
  for name in web seven nine; do assert_log "^$name: taken over as $(pid_of $name)\$"; done
  [ "$(pid_of web) $(pid_of seven) $(pid_of nine)" = "$web $seven $nine" ]
  kill -USR1 "$seven"
  kill -KILL "$nine"
  wait_until "is_new seven $seven && is_new nine $nine"
  [ "$(state seven exit)" = 7 ]
  [ "$(state nine signal)" = 9 ]
  [ "$(state gone starts)" = 1 ]
  alive "$web" && alive "$GOING_PID"
  going_stop
}

@test "an upgrade whose program is missing is said, and going goes on" {
  cp "$GOING" "$BATS_TEST_TMPDIR/going"
  GOING=$BATS_TEST_TMPDIR/going
  service web 'cmd=sleep 1000'
  going_start
  wait_until 'is_up web'
  pid=$(pid_of web)
  rm "$GOING"
  kill -USR2 "$GOING_PID"
  assert_log 'cannot execute .*going again: No such file'
  service other 'cmd=sleep 1000'
  wait_until 'is_up other'
  kill -KILL "$pid"
  wait_until "is_new web $pid"
  [ "$(state web signal)" = 9 ]
}

# The lock is free only once every process that inherited it is dead.
its_main_process_dies_unseen() { # web's, which has started another one; $pid is its number
  going_start
  wait_until '[ "$(living "$(pid_of web)")" = 2 ]'
  pid=$(pid_of web)
  going_kill
  kill -KILL "$pid"
  wait_until "! alive $pid"
}

@test "what is left of a service whose main process died while nobody looked is killed before the next start" {
  cat >"$BATS_TEST_TMPDIR/body" <<BODY
exec 9>"$BATS_TEST_TMPDIR/lock"
flock -w 5 9 && echo free >>"$BATS_TEST_TMPDIR/starts" || echo held >>"$BATS_TEST_TMPDIR/starts"
trap '' TERM
sleep 1000 &
exec sleep 1000
BODY
  service web "cmd=sh $BATS_TEST_TMPDIR/body" 'stop=KILL'
  its_main_process_dies_unseen
  [ "$(living "$pid")" = 1 ]
  going_start
  wait_until '[ "$(grep -c . $BATS_TEST_TMPDIR/starts)" = 2 ]'
  [ "$(sort -u "$BATS_TEST_TMPDIR/starts")" = free ]
  [ "$(living "$pid")" = 0 ]
}

# Linux 6.1 says EINVAL of a number that only names a group, where others say ESRCH.
@test "a main process that died while nobody looked has ended, even if its number still names its group" {
  service web "cmd=sh -c 'sleep 1000 & exec sleep 1000'" stop=KILL
  its_main_process_dies_unseen
  WRAP+=(strace -D -qq -o /dev/null -e trace=pidfd_open -e inject=pidfd_open:error=EINVAL)
  going_start
  assert_log '^web: ended unseen after '
  wait_until "is_new web $pid"
  [ "$(living "$pid")" = 0 ]
}

# The number goes to somebody else while going is about to ask for its pidfd.
@test "a number that changes hands while it is taken over is no service" {
  needs_root
  service web 'cmd=sleep 1000'
  cat >"$BATS_TEST_TMPDIR/life" <<'LIFE'
    mount -t proc proc /proc
    "$1" -d "$2" -r "$3" </dev/null 2>/dev/null &
    going=$!
    until grep -qs state=up "$3/web"; do sleep 0.1; done
    kill -KILL $going && wait $going
    . "$3/web"
    service=$pid
    strace -D -qq -o /dev/null -e trace=pidfd_open -e inject=pidfd_open:delay_enter=2000000 \
      "$1" -d "$2" -r "$3" </dev/null 2>>"$4" &
    going=$!
    until grep -q '^434 ' /proc/$going/syscall; do sleep 0.05; done # pidfd_open(2)
    kill -KILL $service
    while [ -d /proc/$service ]; do sleep 0.01; done
    echo $((service - 1)) >/proc/sys/kernel/ns_last_pid
    sleep 1001 & stranger=$!
    echo "$service $stranger" >>"$4"
    until grep -qs starts=2 "$3/web"; do sleep 0.1; done
    kill -0 $stranger && echo unharmed >>"$4"
LIFE
  timeout -s KILL 30 unshare --pid --fork --kill-child=KILL --mount sh "$BATS_TEST_TMPDIR/life" \
    "$GOING" "$D" "$R" "$LOG" 3>&-
  cat "$LOG"
  grep -qE '^([0-9]+) \1$' "$LOG"
  grep -q '^web: ended unseen' "$LOG"
  grep -q '^unharmed$' "$LOG"
}

@test "a stranger of the recorded number is spared, even if his start time cannot be read again" {
  set -m # in a group of his own
  sleep 1000 3>&- &
  set +m
  other=$!
  STARTED+=("$other")
  service web 'cmd=sleep 1001'
  mkdir "$R"
  echo "state=up pid=$other start=1 starts=1" >"$R/web"
  WRAP+=(strace -D -qq -o /dev/null -P "/proc/$other/task/$other/stat" -e trace=open,openat
    -e inject=open,openat:error=ENFILE:when=2)
  going_start
  assert_log '^web: ended unseen after '
  wait_until 'is_new web $other && is_up web'
  alive "$other"
}

# Each start of a service is told by the service itself.
# What was neither killed nor touched must have started once, the others at
# most once for each time that the test did something to them.
@test "a hundred kills of going at any moment: no service runs twice, none is lost, none is restarted by it" {
  MARK=$BATS_FILE_TMPDIR/starts.
  cat >"$BATS_TEST_TMPDIR/body" <<'BODY'
echo "$(date +%s.%N) $$" >>"$1"
exec "$2" -c 'read -r _ <>"$0.fifo"' "$1"
BODY
  declare -A done_to=()
  new() {
    mkfifo "$MARK$1.fifo"
    service "$1" "cmd=sh $BATS_TEST_TMPDIR/body $MARK$1 bash" 'backoff=0'
    done_to[$1]=0
  }
  for name in still{1..6} mortal{1..4} touched{1..3}; do new "$name"; done
  going_start
  wait_until '[ "$(grep -ls state=up $R/* | wc -l)" = 13 ]'
  for ((round = 1; round <= 100; round++)); do
    for name in mortal$((RANDOM % 4 + 1)) mortal$((RANDOM % 4 + 1)); do
      pid=$(pid_of "$name")
      [ -z "$pid" ] || ! grep -qzxF -e "$MARK$name" "/proc/$pid/cmdline" 2>/dev/null ||
        ! kill -KILL "$pid" 2>/dev/null || done_to[$name]=$((done_to[$name] + 1))
    done
    if ((round % 3 == 0)); then
      name=touched$((RANDOM % 3 + 1))
      touch "$D/$name"
      done_to[$name]=$((done_to[$name] + 1))
    fi
    if ((round % 10 == 0)); then new "added$((round / 10))"; fi
    printf -v moment '0.%03d' $((RANDOM % (round % 2 ? 30 : 250)))
    read -rt "$moment" <> <(:) || : # the random moment
    going_kill
    "${WRAP[@]}" "$GOING" -d "$D" -r "$R" </dev/null >>"$OUT" 2>>"$LOG" 3>&- &
    GOING_PID=$!
    STARTED+=("$GOING_PID")
  done
  wait_until '[ "$(grep -ls state=up $R/* | wc -l)" = 23 ]'
  for name in "${!done_to[@]}"; do
    wait_until "[ \"\$(with_argument $MARK$name)\" = \"\$(pid_of $name)\" ]" # one, and recorded
    starts=$(grep -c . "$MARK$name")
    echo "$name: $starts starts, ${done_to[$name]} causes"
    [ "$starts" -ge 1 ] && [ "$starts" -le $((done_to[$name] + 1)) ]
    [[ $name == touched* ]] || [[ $name == mortal* ]] || [ "$starts" = 1 ]
  done
  going_stop
  for name in "${!done_to[@]}"; do [ -z "$(with_argument "$MARK$name")" ]; done
}

@test "a process that cannot be watched is taken over once it can be, and is not started a second time" {
  service web 'cmd=sleep 1000'
  service mail 'cmd=sleep 1000'
  going_start
  wait_until 'is_up web && is_up mail'
  web=$(pid_of web) mail=$(pid_of mail)
  going_kill
  : >"$LOG"
  WRAP+=(strace -D -qq -o /dev/null -e trace=epoll_ctl
    -e inject=epoll_ctl:error=ENOSPC:when=1..2)
  going_start
  assert_log '^(web|mail): cannot watch its process: No space left on device$'
  assert_log "^web: taken over as $web\$"
  assert_log "^mail: taken over as $mail\$"
  [ "$(pid_of web) $(state web starts)" = "$web 1" ]
  refute_log ': started as '
  kill -KILL "$web"
  wait_until "is_new web $web"
  [ "$(pid_of mail)" = "$mail" ]
}

@test "HUP while a record cannot be read does not overwrite it: nothing runs twice" {
  service web 'cmd=sleep 1000'
  going_start
  wait_until 'is_up web'
  web=$(pid_of web)
  going_kill
  : >"$LOG"
  WRAP+=(strace -D -qq -o /dev/null -P web -e trace=open,openat -e inject=open,openat:error=EMFILE:when=1..2)
  going_start
  assert_log '^web: cannot read its state file: (No file descriptors available|Too many open files)$'
  kill -HUP "$GOING_PID"
  assert_log "^web: taken over as $web\$"
  refute_log '^web: (started|cannot save)'
  alive "$web"
}

@test "a process that cannot be watched is not started a second time when the runtime directory is lost meanwhile" {
  service web 'cmd=sleep 1000'
  going_start
  wait_until 'is_up web'
  web=$(pid_of web)
  going_kill
  : >"$LOG"
  WRAP+=(strace -D -qq -o /dev/null -e trace=epoll_ctl -e inject=epoll_ctl:error=ENOSPC:when=1..3)
  going_start
  assert_log '^web: cannot watch its process: No space left on device$'
  rm -r "$R"
  assert_log "^web: taken over as $web\$"
  refute_log '^web: started'
  wait_until '[ "$(pid_of web)" = "$web" ]'
}

@test "restart=never is asked also for a child that cannot be watched after USR2" {
  service web 'cmd=sleep 1000' restart=never
  WRAP+=(strace -D -qq -o /dev/null -e trace=pidfd_open -e inject=pidfd_open:error=ENOSYS)
  going_start
  wait_until 'is_up web'
  web=$(pid_of web)
  kill -USR2 "$GOING_PID"
  assert_log '^web: cannot watch its process: Function not implemented$'
  kill -KILL "$web"
  wait_until '[ "$(state web state)" = done ]'
  [ "$(grep -c '^web: started' "$LOG")" = 1 ]
}

# The birth of web is held up at one of its system calls, in the child. There going is killed.
killed_at_birth() { # CALL[,CALL]
  MARK=$BATS_TEST_TMPDIR/mark
  [ -e "$MARK" ] || mkfifo "$MARK"
  [ -e "$D/web" ] || service web "cmd=bash -c \"read -r _ <>\$0\" $MARK"
  "${WRAP[@]}" strace -D -f -qq -o /dev/null -e "trace=$1" -e "inject=$1:delay_enter=700000" \
    "$GOING" -d "$D" -r "$R" </dev/null >>"$OUT" 2>>"$LOG" 3>&- &
  GOING_PID=$!
  STARTED+=("$GOING_PID")
  wait_until born
  going_kill
}

# A child of going still is going: it has not executed its command.
born() {
  [ "/proc/$GOING_PID/exe" -ef "$GOING" ] || return 1
  for child in $(pgrep -P "$GOING_PID"); do [ ! "/proc/$child/exe" -ef "$GOING" ] || return 0; done
  return 1
}

# One process, and it is the one that is written down.
is_one() { is_up web && [ "$(with_argument "$MARK")" = "$(pid_of web)" ]; }

@test "a KILL of going at any call of a birth: the service runs once, and the next going knows it" {
  starts=0
  # without and with a state file of its predecessor
  for call in timer_settime write execve timer_settime setsid write renameat,renameat2 chdir execve; do
    : >"$LOG"
    killed_at_birth "$call"
    going_start
    wait_until is_one
    [ "$(state web starts)" = $((++starts)) ]
    assert_log "^web: taken over as $(pid_of web)\$"
    refute_log '^web: started'
    wait_until '[ "$(left)" = web ]'
    going_kill
    pid=$(pid_of web)
    kill -KILL "$pid"
    wait_until "! alive $pid"
  done
  going_start
  wait_until is_one
  going_stop
  [ -z "$(left)" ]
}

@test "nobody else supervises while a child of a going that was killed has not executed" {
  killed_at_birth execve
  : >"$LOG"
  "${WRAP[@]}" "$GOING" -d "$D" -r "$R" </dev/null >>"$OUT" 2>>"$LOG" 3>&- &
  GOING_PID=$!
  STARTED+=("$GOING_PID")
  assert_log "^waiting for $R, in use or unsafe\$"
  wait_until is_one
  assert_log "^web: taken over as $(pid_of web)\$"
  refute_log '^web: started'
}

@test "a service that was born when going was killed, and whose file is gone since, is stopped" {
  service mail 'cmd=sleep 1000'
  killed_at_birth renameat,renameat2 # of mail
  wait_until 'is_up mail && [ "$(readlink /proc/$(pid_of mail)/exe)" -ef "$(command -v sleep)" ]'
  mail=$(pid_of mail)
  killed_at_birth write # of web
  rm "$D/web"
  going_start
  wait_until '[ -z "$(with_argument $MARK)" ]'
  wait_until '[ "$(left)" = mail ]'
  [ "$(pid_of mail) $(state mail starts)" = "$mail 1" ]
}

# What was just begun when it was killed is an empty file with a dot.
@test "a going that was killed while it wrote a state file has lost nothing" {
  service web 'cmd=sleep 1000'
  service once cmd=true restart=never
  going_start
  wait_until 'is_up web && [ "$(state once state)" = done ]'
  before=$(cat "$R/web" "$R/once")
  going_kill
  : >"$R/..new"
  going_start
  assert_log '^web: taken over as'
  wait_until '[ "$(left)" = "once web" ]'
  [ "$(cat "$R/web" "$R/once")" = "$before" ]
}

@test "a state file that cannot be put in its place is said, and there is none" {
  WRAP+=(strace -D -f -qq -o /dev/null -e trace=renameat,renameat2
    -e inject=renameat,renameat2:error=EIO)
  service web 'cmd=sleep 1000'
  going_start
  assert_log '^web: cannot save its state: I(nput/output|/O) error$'
  assert_log '^web: started as'
  [ -z "$(ls "$R")" ]
  going_stop
  [ -z "$(ls "$R")" ]
  pid=$(sed -n 's/^web: started as //p' "$LOG")
  dead "$pid"
  WRAP=("${WRAP[@]:0:${#WRAP[@]}-9}")
  going_start # what was begun there is no state file
  wait_until 'is_up web'
  [ "$(state web starts) $(left)" = '1 web' ]
}

@test "a going that was killed twice at the birth of a service knows it nevertheless" {
  killed_at_birth renameat,renameat2
  # the next one has taken it over, and is about to write that down
  strace -D -qq -o /dev/null -e trace=renameat,renameat2 -e inject=renameat,renameat2:error=EIO:signal=KILL \
    "$GOING" -d "$D" -r "$R" </dev/null >>"$OUT" 2>>"$LOG" 3>&- &
  GOING_PID=$!
  STARTED+=("$GOING_PID")
  wait_until "! alive $GOING_PID"
  going_start
  wait_until is_one
  [ "$(state web starts)" = 1 ]
}

# A hyphen comes before a dot, and all other letters of names behind it.
@test "services of any name are known to the next going, whatever lies there unfinished" {
  names=(-a -b A _ 0 @ a@ a@b)
  for name in "${names[@]}"; do service "$name" 'cmd=sleep 1000'; done
  going_start
  for name in "${names[@]}"; do wait_until "is_up $name"; done
  before=$(grep . "$R"/*)
  going_kill
  echo 'state=up pid=1 start=1' >"$R/..new"
  going_start
  for name in "${names[@]}"; do assert_log "^$name: taken over as "; done
  wait_until '[ "$(left | wc -w)" = ${#names[@]} ]'
  [ "$(grep . "$R"/*)" = "$before" ]
  [ "$(grep -c ': taken over as ' "$LOG")" = ${#names[@]} ]
}

@test "a service that ends at the moment of a USR2: how it ended is known" {
  service web 'cmd=sleep 1000'
  service once 'cmd=sleep 1001' 'restart=on-failure'
  going_start
  wait_until 'is_up web && is_up once'
  web=$(pid_of web)
  for round in 1 2 3; do
    kill -STOP "$GOING_PID"
    wait_until '[[ $(stat_of $GOING_PID) == T* ]]'
    kill -KILL "$(pid_of web)"
    wait_until '[[ $(stat_of $(pid_of web)) == Z* ]]'
    kill -USR2 "$GOING_PID"
    kill -CONT "$GOING_PID"
    wait_until "[ \"\$(state web starts) \$(state web signal)\" = '$((round + 1)) 9' ]"
  done
  refute_log '^web: ended unseen'
  [ "$(grep -c '^once: taken over as' "$LOG")" = 3 ]
}

@test "services that end together after a USR2: how each ended is known" {
  for i in {1..20}; do service "s$i" 'cmd=sleep 1000'; done
  going_start
  wait_until '[ "$(grep -ls state=up "$R"/* | wc -l)" = 20 ]'
  kill -USR2 "$GOING_PID"
  wait_until '[ "$(grep -c ": taken over as" "$LOG")" = 20 ]'
  kill -KILL $(for i in {1..20}; do pid_of "s$i"; done)
  for i in {1..20}; do wait_until "[ \"\$(state s$i starts) \$(state s$i signal)\" = '2 9' ]"; done
  refute_log 'ended unseen'
}

@test "a service that ends after a USR2, before the first look: how it ended is known" {
  service web 'cmd=sleep 1000'
  WRAP+=(strace -D -qq -o /dev/null -e trace=epoll_create1 -e inject=epoll_create1:delay_enter=700000)
  going_start
  wait_until 'is_up web'
  kill -USR2 "$GOING_PID"
  wait_until '! supervises' # it is the new one, and stands at that call
  kill -KILL "$(pid_of web)"
  wait_until '[ "$(state web starts) $(state web signal)" = "2 9" ]'
  refute_log '^web: ended unseen'
}

@test "a service that ends after a USR2, while somebody else has the lock: how it ended is known" {
  service web 'cmd=sleep 1000'
  # the new one stands still before it asks for the lock, so that the other surely gets it
  WRAP+=(strace -D -qq -o /dev/null -e trace=epoll_create1 -e inject=epoll_create1:delay_enter=700000)
  going_start
  wait_until 'is_up web'
  mkfifo "$BATS_TEST_TMPDIR/end"
  flock "$R/..lock" cat "$BATS_TEST_TMPDIR/end" 3>&- &
  other=$!
  wait_until 'grep -q " -> FLOCK .* $other " /proc/locks' # it waits for the lock
  kill -USR2 "$GOING_PID"
  assert_log "^waiting for $R, in use or unsafe\$"
  web=$(pid_of web)
  kill -KILL "$web"
  wait_until '[[ $(stat_of $web) == Z* ]]'
  echo >"$BATS_TEST_TMPDIR/end"
  wait_until '[ "$(state web starts) $(state web signal)" = "2 9" ]'
  refute_log '^web: ended unseen'
}

@test "TERM and USR2 together: services are stopped as their files say" {
  printf '%s\n' '#!/bin/sh' "trap 'echo INT >>$BATS_TEST_TMPDIR/got; exit' INT" \
    "trap 'echo TERM >>$BATS_TEST_TMPDIR/got; exit' TERM" ": >$BATS_TEST_TMPDIR/ready" \
    'while :; do sleep 0.02; done' >"$BATS_TEST_TMPDIR/web"
  chmod +x "$BATS_TEST_TMPDIR/web"
  service web "cmd=$BATS_TEST_TMPDIR/web" 'stop=INT 60'
  going_start
  wait_until '[ -e "$BATS_TEST_TMPDIR/ready" ]'
  kill -STOP "$GOING_PID"
  wait_until '[[ $(stat_of $GOING_PID) == T* ]]'
  kill -USR2 "$GOING_PID"
  kill -TERM "$GOING_PID"
  kill -CONT "$GOING_PID"
  wait_until '! alive $GOING_PID'
  wait "$GOING_PID"
  [ "$(cat "$BATS_TEST_TMPDIR/got")" = INT ]
  assert_log '^web: taken over as' # by the next program, and it was that which heard TERM
  [ -z "$(left)" ]
}

# All that one who lost its directory could do to the next owner of the same name.
@test "a runtime directory that was lost and is another going's now is not written to" {
  service web 'cmd=sleep 1000' 'backoff=0'
  going_start
  wait_until 'is_up web'
  mine=$(pid_of web) first=$GOING_PID
  rm -r "$R"
  mkdir "$D.2"
  echo 'cmd=sleep 1001' | tee "$D.2/web" >"$D.2/mail"
  : >"$LOG.2"
  (D=$D.2 LOG=$LOG.2 going_start; echo "$GOING_PID" >"$BATS_TEST_TMPDIR/second")
  STARTED+=("$(cat "$BATS_TEST_TMPDIR/second")")
  wait_until 'is_up web && is_up mail'
  before=$(cat "$R/web" "$R/mail")
  kill -KILL "$mine"
  assert_log '^web: killed by signal 9 .*, up$'
  assert_log "^waiting for $R, in use or unsafe\$"
  [ "$(cat "$R/web" "$R/mail")" = "$before" ]
  kill -TERM "$first" # and of what it stops it removes nothing
  wait_until "! alive $first"
  assert_log '^web: killed by signal 15 .*, stopped$'
  [ "$(cat "$R/web" "$R/mail")" = "$before" ]
  alive "$(pid_of web)"
}
