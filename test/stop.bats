# How services are stopped, one by one or all at once.

load helper
T=${BATS_TEST_TMPDIR-}

program() { # NAME LINE...
  printf '%s\n' '#!/bin/sh' "${@:2}" >"$T/$1" && chmod 755 "$T/$1"
}

# A service program that writes to $T/NAME.up once its traps are set.
trapper() { # NAME LINE...
  program "$1" "${@:2}" "echo up >>$T/$1.up" \
    'while :; do sleep 1000 & wait; done'
}

ready() { wait_until "[ -s '$T/$1.up' ]"; }
gone() { wait_until "[ ! -e '$R/$1' ]"; }
milliseconds() { echo $((${EPOCHREALTIME/./} / 1000)); }

@test "a file that is removed or renamed stops its service, with TERM" {
  service web 'cmd=sleep 1000'
  service mail 'cmd=sleep 1000'
  going_start
  wait_until '[ -n "$(pid_of web)" ] && [ -n "$(pid_of mail)" ]'
  web=$(pid_of web) mail=$(pid_of mail)
  rm "$D/web"
  mv "$D/mail" "$D/mail.off"
  gone web
  gone mail
  dead "$web"
  dead "$mail"
  assert_log '^web: killed by signal 15 after [0-9.]+ s, stopped$'
  assert_log '^mail: killed by signal 15 after [0-9.]+ s, stopped$'
}

@test "stop names the signal, with or without SIG" {
  SIGNALS=(HUP SIGUSR1 USR2 INT SIGTERM QUIT ABRT ALRM SIGWINCH PWR)
  for signal in "${SIGNALS[@]}"; do
    name=s$signal
    trapper "$name" "trap 'echo $signal >$T/$name.got; exit 0' ${signal#SIG}"
    service "$name" "cmd=$T/$name" "stop=$signal"
  done
  going_start
  for signal in "${SIGNALS[@]}"; do
    ready "s$signal"
    rm "$D/s$signal"
  done
  for signal in "${SIGNALS[@]}"; do
    gone "s$signal"
    [ "$(cat "$T/s$signal.got")" = "$signal" ]
  done
}

@test "what does not stop in its seconds is killed, not before" {
  trapper deaf "trap '' TERM"
  service deaf "cmd=$T/deaf" 'stop=TERM 0.5'
  going_start
  ready deaf
  before=$(milliseconds)
  rm "$D/deaf"
  wait_until '[ "$(state deaf state)" = stopping ]'
  [ -n "$(pid_of deaf)" ]
  gone deaf
  took=$(($(milliseconds) - before))
  [ "$took" -ge 500 ]
  [ "$took" -lt 3000 ]
  assert_log '^deaf: killed by signal 9 after [0-9.]+ s, stopped$'
}

@test "a service that was stopped by SIGSTOP is continued, and ends" {
  service web 'cmd=sleep 1000'
  going_start
  wait_until '[ -n "$(pid_of web)" ]'
  kill -STOP "$(pid_of web)"
  wait_until 'grep -q ") T" "/proc/$(pid_of web)/stat"'
  before=$(milliseconds)
  rm "$D/web"
  gone web
  [ $(($(milliseconds) - before)) -lt 5000 ]
  assert_log '^web: killed by signal 15 '
}

@test "STOP and CONT alone change nothing" {
  service web 'cmd=sleep 1000'
  going_start
  wait_until '[ -n "$(pid_of web)" ]'
  pid=$(pid_of web)
  for i in {1..50}; do kill -STOP "$pid" && kill -CONT "$pid"; done
  service next 'cmd=sleep 1000'
  wait_until '[ -n "$(pid_of next)" ]'
  [ "$(pid_of web)" = "$pid" ]
  [ "$(state web starts)" = 1 ]
}

@test "what a service leaves behind is killed before it is started again" {
  program parent 'sleep 1000 &' "echo \$! >>$T/children" 'exit 1'
  service parent "cmd=$T/parent" restart=on-failure retries=3 backoff=0
  going_start
  wait_until '[ "$(state parent state)" = failed ]'
  [ "$(wc -l <"$T/children")" = 3 ]
  while read -r child; do wait_until "! alive $child"; done <"$T/children"
}

@test "the signal goes to the whole group" {
  trapper child "trap 'echo TERM >$T/child.got; exit' TERM"
  trapper parent "trap 'wait; exit' TERM" "$T/child &"
  service parent "cmd=$T/parent"
  going_start
  ready parent
  ready child
  rm "$D/parent"
  gone parent
  [ "$(cat "$T/child.got")" = TERM ]
}

# A shell that does not exec ends at once, and its server would like to finish what it does.
@test "what is left of the group keeps the seconds of stop, too, and is killed after them" {
  trapper slow "trap 'sleep 1; echo finished >$T/slow.done; exit' TERM" "echo \$\$ >$T/slow.pid"
  program wrapper "$T/slow | cat"
  service wrapper "cmd=$T/wrapper" 'stop=TERM 60'
  trapper deaf "trap '' TERM" "echo \$\$ >$T/deaf.pid"
  program parent "$T/deaf &" 'exec sleep 1000'
  service parent "cmd=$T/parent" 'stop=TERM 2'
  going_start
  ready slow
  ready deaf
  before=$(milliseconds)
  rm "$D/wrapper" "$D/parent"
  wait_until "! alive $(pid_of parent)"
  [ "$(state parent state)" = stopping ]
  alive "$(cat "$T/deaf.pid")"
  gone wrapper
  [ "$(cat "$T/slow.done")" = finished ]
  gone parent
  [ $(($(milliseconds) - before)) -ge 2000 ]
  not alive "$(cat "$T/deaf.pid")"
  not alive "$(cat "$T/slow.pid")"
  assert_log '^parent: killed by signal 15 after [0-9.]* s, stopped$' # as its main process was
}

@test "a service is not started again before the last of its group has gone, and so it is after USR2" {
  for how in first USR2; do
    rm -f "$T"/slow.*
    trapper slow "trap 'sleep 1; echo finished >$T/slow.done; exit' TERM"
    program wrapper "$T/slow & exec sleep 1000"
    service wrapper "cmd=$T/wrapper"
    [ $how = USR2 ] || going_start
    ready slow
    [ $how = first ] || kill -USR2 "$GOING_PID"
    [ $how = first ] || assert_log '^wrapper: taken over'
    service wrapper 'cmd=sh -c "test -e '"$T/slow.done"' && exec sleep 1000"'
    wait_until '[ "$(state wrapper state) $(state wrapper signal)" = "up 15" ]'
    refute_log 'exited|unseen'
  done
}

# SIGCHLD and the pidfd tell of the same end, and both are heard after a halt.
@test "after USR2 what is left of the group keeps its time, however its main process is heard of" {
  trapper slow "trap 'sleep 2; echo finished >$T/slow.done; exit' TERM"
  trapper main "trap 'sleep 0.5; exit 7' TERM" "$T/slow &"
  service web "cmd=$T/main" 'stop=TERM 60'
  going_start
  ready main
  ready slow
  kill -USR2 "$GOING_PID"
  assert_log '^web: taken over'
  pid=$(pid_of web)
  rm "$D/web"
  wait_until '[ "$(state web state)" = stopping ]'
  kill -STOP "$GOING_PID"
  wait_until '[[ $(stat_of $pid) == Z* ]]'
  kill -CONT "$GOING_PID"
  gone web
  [ "$(cat "$T/slow.done")" = finished ]
  assert_log '^web: exited with 7 '
}

@test "with those who end by themselves what is left of the group ends at once" {
  trapper deaf "trap '' TERM" "echo \$\$ >$T/deaf.pid"
  program parent "$T/deaf &" "until [ -s $T/deaf.pid ]; do :; done" 'exit 3'
  service parent "cmd=$T/parent" 'stop=TERM 60' restart=never
  going_start
  wait_until '[ "$(state parent state) $(state parent exit)" = "done 3" ]'
  wait_until "! alive $(cat "$T/deaf.pid")"
}

@test "TERM stops all in parallel, and the exit is 0" {
  for i in {1..8}; do
    trapper "deaf$i" "trap '' TERM"
    service "deaf$i" "cmd=$T/deaf$i" 'stop=TERM 1'
  done
  service web 'cmd=sleep 1000'
  going_start
  for i in {1..8}; do ready "deaf$i"; done
  wait_until '[ "$(state web state)" = up ]'
  pids=$(service_pids)
  [ "$(wc -w <<<"$pids")" = 9 ]
  before=$(milliseconds)
  going_stop
  took=$(($(milliseconds) - before))
  [ "$took" -ge 1000 ]
  [ "$took" -lt 4000 ]
  for pid in $pids; do dead "$pid"; done
  [ -z "$(ls "$R")" ]
}

@test "INT stops all, too, whatever state they are in" {
  service web 'cmd=sleep 1000'
  service once cmd=true restart=never
  service lost cmd=false retries=1
  service held cmd=false backoff=100
  service bad colour=red
  going_start
  wait_until '[ "$(state web state)" = up ]'
  wait_until '[ "$(state once state)" = done ]'
  wait_until '[ "$(state lost state)" = failed ]'
  wait_until '[ "$(state held state)" = quarantined ]'
  pid=$(pid_of web)
  kill -INT "$GOING_PID"
  wait_until "! alive $GOING_PID"
  wait "$GOING_PID"
  dead "$pid"
  [ -z "$(ls "$R")" ]
}

@test "with nothing to stop TERM ends it, too" {
  going_start
  going_stop
  service once cmd=true restart=never
  going_start
  wait_until '[ "$(state once state)" = done ]'
  going_stop
  [ -z "$(ls "$R")" ]
}

@test "a second TERM kills at once" {
  trapper deaf "trap '' TERM"
  service deaf "cmd=$T/deaf" 'stop=TERM 100'
  going_start
  ready deaf
  pid=$(pid_of deaf)
  kill -TERM "$GOING_PID"
  wait_until '[ "$(state deaf state)" = stopping ]'
  alive "$pid"
  kill -TERM "$GOING_PID"
  wait_until "! alive $GOING_PID"
  wait "$GOING_PID"
  dead "$pid"
  assert_log '^deaf: killed by signal 9 '
}

# Eleven services that take their time to say their last words to a logger, which comes first in
# the order of the names, and would be the first to go. They end a moment later: what is in the
# FIFO when a logger is told to end is the logger's to read, and svlogd leaves it there.
last_words() { # DIRECTORY COMMAND...: what the logger keeps there
  local dir=$T/$1 i
  shift
  mkdir "$dir"
  trapper talker "trap 'sleep 0.3; echo last words of \$SERVICE; sleep 0.3; exit' TERM"
  for i in {1..11}; do service "talker$i" "cmd=$T/talker" "stdout=$T/log.fifo" "stderr=$T/log.fifo"; done
  service a-log "cmd=$*" "stdin=$T/log.fifo"
  going_start
  wait_until '[ "$(grep -ls state=up "$R"/* | wc -l)" = 12 ]'
  wait_until '[ "$(wc -l <"$T/talker.up")" = 11 ]'
  kill -TERM "$GOING_PID"
  wait_until '[ "$(state talker1 state)" = stopping ]'
  [ "$(state a-log state)" = up ]
  wait_until '! alive $GOING_PID'
  wait "$GOING_PID"
  for i in {1..11}; do grep -qr "last words of talker$i\$" "$dir"; done
  [ -z "$(ls "$R")" ]
}

@test "a logger stops last: svlogd has all last words" { last_words svlogd svlogd "$T/svlogd"; }
@test "a logger stops last: multilog has all last words" { last_words multilog multilog "$T/multilog"; }
@test "a logger stops last: s6-log has all last words" { last_words s6 s6-log -b "$T/s6"; }

@test "a logger that ends while the others stop is started again, and a second TERM kills it, too" {
  mkfifo "$T/pipe"
  trapper deaf "trap '' TERM"
  service deaf "cmd=$T/deaf" 'stop=TERM 100' "stdout=$T/pipe"
  service log 'cmd=sleep 1000' "stdin=$T/pipe" backoff=0
  going_start
  ready deaf
  wait_until '[ "$(state log state)" = up ]'
  kill -TERM "$GOING_PID"
  wait_until '[ "$(state deaf state)" = stopping ]'
  kill -KILL "$(pid_of log)"
  wait_until '[ "$(state log state) $(state log starts)" = "up 2" ]'
  pid=$(pid_of log)
  kill -TERM "$GOING_PID"
  wait_until "! alive $GOING_PID"
  wait "$GOING_PID"
  dead "$pid"
  [ -z "$(ls "$R")" ]
}

@test "nothing is started again once all are to stop" {
  trapper slow "trap 'sleep 0.5; exit 0' TERM"
  service slow "cmd=$T/slow"
  service crash cmd=false backoff=0
  going_start
  ready slow
  kill -TERM "$GOING_PID"
  wait_until '[ "$(state slow state)" = stopping ]'
  wait_until '[ ! -e "$R/crash" ]'
  starts=$(grep -c ': started' "$LOG")
  service late cmd=true
  wait_until "! alive $GOING_PID"
  [ "$(grep -c ': started' "$LOG")" = "$starts" ]
}

@test "a stop that the file has just changed follows the old file" {
  trapper web "trap 'echo old >>$T/got; exit' USR1" \
    "trap 'echo new >>$T/got; exit' USR2"
  service web "cmd=$T/web" stop=USR1
  going_start
  ready web
  service web "cmd=$T/web" stop=USR2
  wait_until '[ "$(state web starts)" = 2 ]'
  [ "$(cat "$T/got")" = old ]
  wait_until '[ "$(wc -l <"$T/web.up")" = 2 ]'
  rm "$D/web"
  gone web
  [ "$(cat "$T/got")" = "old
new" ]
}

@test "a file that changes while its service stops: one is up, from the last" {
  trapper web "trap '' TERM" "echo \"\$1 \$\$\" >>$T/lives"
  service web "cmd=$T/web first" 'stop=TERM 1'
  going_start
  ready web
  service web "cmd=$T/web second" 'stop=TERM 1'
  wait_until '[ "$(state web state)" = stopping ]'
  first=$(pid_of web)
  rm "$D/web"
  kill -HUP "$GOING_PID"
  service web "cmd=$T/web third" 'stop=TERM 1'
  kill -HUP "$GOING_PID"
  wait_until '[ "$(state web state)" = up ] && grep -q third "$T/lives"'
  dead "$first"
  [ "$(tail -n 1 "$T/lives")" = "third $(pid_of web)" ]
  [ "$(wc -l <"$T/lives")" = 2 ]
}
