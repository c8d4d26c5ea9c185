# The command line and the signals, going(1).
load helper

# A copy of going of our own, to be replaced or removed.
copy_of_going() {
  cp "$GOING" "$BATS_TEST_TMPDIR/going"
  GOING=$BATS_TEST_TMPDIR/going
}

up() { [ "$(state "$1" state)" = up ] && alive "$(pid_of "$1")"; }
switches() { sed -n 's/^voluntary_ctxt_switches:\t//p' "/proc/$1/status"; }

# Starts a second going on the same directories, and leaves its pid in $second.
second_start() {
  "${WRAP[@]}" "$GOING" -d "$D" -r "$R" </dev/null >>"$OUT" 2>>"$LOG.2" 3>&- &
  second=$!
  STARTED+=("$second")
  wait_until 'grep -q . "$LOG.2"'
}

@test "-h and -V print a line or two and exit with 0" {
  for option in -h -V; do
    run "$GOING" $option
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -ge 1 ]
    [ "${#lines[@]}" -le 2 ]
    [[ $output == *going* ]]
  done
}

@test "a usage error prints a line or two and exits with 64" {
  for arguments in -x -d -r -w operand '-t operand' '-d /nowhere -x' --nonsense; do
    run "$GOING" $arguments
    echo "$arguments: $status: $output"
    [ "$status" -eq 64 ]
    [ "${#lines[@]}" -ge 1 ]
    [ "${#lines[@]}" -le 2 ]
  done
}

@test "-t says nothing of good files and exits with 0" {
  run "$GOING" -t -d "$D"
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  service web 'cmd=sleep 1000'
  service db 'cmd=sleep 1000' 'restart=never'
  run "$GOING" -t -d "$D"
  [ "$status" -eq 0 ]
  [ -z "$output" ]
}

@test "-t starts nothing and needs no runtime directory" {
  service web "cmd=touch $BATS_TEST_TMPDIR/started"
  "$GOING" -t -d "$D" -r "$R"
  [ ! -e "$R" ]
  [ ! -e "$BATS_TEST_TMPDIR/started" ]
}

@test "-t may run beside a going that supervises" {
  service web 'cmd=sleep 1000'
  going_start
  wait_until 'up web'
  pid=$(pid_of web)
  "$GOING" -t -d "$D"
  [ "$(pid_of web)" = "$pid" ]
  alive "$pid"
}

@test "-t says every fault of every file as NAME:LINE: on standard error, and exits with 1" {
  service bad 'colour=red' '# a comment' '' 'cmd=sleep 1000' 'cwd=here' 'retries=0' 'cmd=again'
  service good 'cmd=sleep 1000'
  service worse 'cmd="sleep 1000' 'user=nobody-of-this-name'
  service 'not.read' 'colour=red'
  status=0
  "$GOING" -t -d "$D" >"$OUT" 2>"$LOG" || status=$?
  cat "$LOG"
  [ "$status" -eq 1 ]
  [ ! -s "$OUT" ]
  [ "$(sed -n 's/^\([a-z]*:[0-9]*\): ..*/\1/p' "$LOG" | xargs)" = \
    'bad:1 bad:5 bad:6 bad:7 worse:1 worse:2' ]
  [ "$(wc -l <"$LOG")" -eq 6 ]
}

@test "-t exits with 1 for a directory that cannot be read" {
  mkdir -m 0 "$BATS_TEST_TMPDIR/closed"
  : >"$BATS_TEST_TMPDIR/file"
  for directory in missing file closed; do
    run $(without -all) "$GOING" -t -d "$BATS_TEST_TMPDIR/$directory"
    echo "$directory: $status: $output"
    [ "$status" -eq 1 ]
    [[ $output == *"$directory"* ]]
  done
}

@test "TERM and INT stop every service, leave no state file, and exit with 0" {
  for signal in TERM INT; do
    service one 'cmd=sleep 1000'
    service two 'cmd=sleep 1000'
    service gone 'cmd=true' 'restart=never'
    going_start
    wait_until 'up one && up two && [ "$(state gone state)" = "done" ]'
    one=$(pid_of one) two=$(pid_of two)
    kill -$signal "$GOING_PID"
    wait_until '! alive $GOING_PID'
    wait "$GOING_PID"
    not alive "$one"
    not alive "$two"
    [ -z "$(ls "$R")" ]
  done
}

@test "TERM ends a going without services" {
  going_start
  going_stop
}

@test "the first TERM waits for a service, a second TERM kills it at once" {
  service deaf "cmd=sh -c 'trap \"\" TERM; echo ready; while :; do sleep 1; done'" \
    "stdout=$BATS_TEST_TMPDIR/ready" 'stop=TERM 1000'
  going_start
  wait_until 'grep -qs ready "$BATS_TEST_TMPDIR/ready"'
  pid=$(pid_of deaf)
  kill -TERM "$GOING_PID"
  wait_until '[ "$(state deaf state)" = stopping ]'
  alive "$pid"
  kill -TERM "$GOING_PID"
  wait_until '! alive $GOING_PID'
  wait "$GOING_PID"
  not alive "$pid"
}

@test "HUP looks at the directory again, and restarts nothing that is the same" {
  service web 'cmd=sleep 1000'
  echo 'cmd=sleep 1001' >"$BATS_TEST_TMPDIR/target"
  ln -s "$BATS_TEST_TMPDIR/target" "$D/link"
  going_start
  wait_until 'up web && up link'
  web=$(pid_of web) link=$(pid_of link)
  echo 'cmd=sleep 1002' >"$BATS_TEST_TMPDIR/target"
  kill -HUP "$GOING_PID"
  wait_until 'up link && [ "$(pid_of link)" != "$link" ]'
  [ "$(pid_of web)" = "$web" ]
  alive "$web"
}

@test "USR2 puts a new binary in place, and the services go on" {
  copy_of_going
  service web 'cmd=sleep 1000'
  service gone 'cmd=true' 'restart=never'
  going_start
  wait_until 'up web && [ "$(state gone state)" = "done" ]'
  pid=$(pid_of web)
  cp "$GOING" "$GOING.new"
  mv "$GOING.new" "$GOING"
  not [ "/proc/$GOING_PID/exe" -ef "$GOING" ]
  kill -USR2 "$GOING_PID"
  wait_until '[ "/proc/$GOING_PID/exe" -ef "$GOING" ]'
  assert_log "^web: taken over as $pid"
  wait_until 'up web'
  [ "$(pid_of web)" = "$pid" ]
  [ "$(state web starts)" = 1 ]
  [ "$(state gone state)" = 'done' ]
  [ "$(state gone starts)" = 1 ]
  service later 'cmd=sleep 1000'
  wait_until 'up later'
  kill -KILL "$pid"
  wait_until 'up web && [ "$(pid_of web)" != "$pid" ]'
  going_stop
}

@test "USR2 keeps the arguments, also relative ones, again and again" {
  copy_of_going
  service web 'cmd=sleep 1000'
  cd "$BATS_TEST_TMPDIR"
  D=d R=r GOING=./going going_start
  wait_until 'up web'
  pid=$(pid_of web)
  for round in 1 2 3; do
    kill -USR2 "$GOING_PID"
    wait_until '[ "$(grep -c "^web: taken over as $pid" "$LOG")" = $round ]'
  done
  service web 'cmd=sleep 1001'
  wait_until 'up web && [ "$(pid_of web)" != "$pid" ]'
}

@test "a USR2 that fails is said, and going goes on" {
  copy_of_going
  service web 'cmd=sleep 1000'
  going_start
  wait_until 'up web'
  pid=$(pid_of web)
  lines=$(wc -l <"$LOG")
  rm "$GOING"
  kill -USR2 "$GOING_PID"
  wait_until '[ "$(wc -l <"$LOG")" -gt "$lines" ]'
  assert_log 'No such file or directory'
  service later 'cmd=sleep 1000'
  wait_until 'up later'
  [ "$(pid_of web)" = "$pid" ]
  alive "$pid"
  kill -KILL "$pid"
  wait_until 'up web && [ "$(pid_of web)" != "$pid" ]'
  going_stop
}

@test "relative directories are relative to where going was started" {
  service web 'cmd=sleep 1000'
  cd "$BATS_TEST_TMPDIR"
  D=d R=r going_start
  cd /
  wait_until 'up web'
  service later 'cmd=sleep 1000'
  wait_until 'up later'
  [ "$(readlink "/proc/$(pid_of web)/cwd")" = / ]
}

@test "the runtime directory is made if it is missing, and is readable by all" {
  umask 077
  going_start
  [ "$(stat -c %a "$R")" = 755 ]
}

@test "a second going says once that it waits, and takes over when the first is gone" {
  service web 'cmd=sleep 1000'
  going_start
  wait_until 'up web'
  pid=$(pid_of web)
  second_start
  before=$(switches "$second")
  wait_until '[ "$(switches $second)" -ge $((before + 4)) ]' # it has tried anew
  [ "$(wc -l <"$LOG.2")" -eq 1 ]
  going_kill
  wait_until 'grep -q "^web: taken over as $pid" "$LOG.2"'
  wait_until 'up web'
  [ "$(pid_of web)" = "$pid" ]
  [ "$(state web starts)" = 1 ]
  service later 'cmd=sleep 1000'
  wait_until 'up later'
}

@test "a second going starts the services when the first has ended regularly" {
  service web 'cmd=sleep 1000'
  going_start
  wait_until 'up web'
  pid=$(pid_of web)
  second_start
  going_stop
  wait_until 'up web && [ "$(pid_of web)" != "$pid" ]'
}

@test "TERM ends a going that waits, and the first one goes on" {
  service web 'cmd=sleep 1000'
  going_start
  wait_until 'up web'
  pid=$(pid_of web)
  second_start
  kill -TERM "$second"
  wait_until '! alive $second'
  wait "$second"
  up web
  [ "$(pid_of web)" = "$pid" ]
}

# The one wait of a fixed time here: for as long, it is told by a time that a state was not saved.
@test "USR2 is refused as long as a state file cannot be saved, even after a stall: nothing runs twice" {
  service web 'cmd=sleep 1000'
  going_start
  wait_until '[ "$(state web state)" = up ]'
  old=$(pid_of web)
  mkdir "$R/..new" # in the place of the new state file
  touch "$D/web"
  assert_log '^web: cannot save its state: Is a directory$'
  wait_until '[ "$(grep -c "^web: started" "$LOG")" = 2 ] && ! alive $old'
  kill -USR2 "$GOING_PID"
  assert_log "^cannot execute $GOING again: "
  kill -STOP "$GOING_PID"
  sleep 3.2
  kill -USR2 "$GOING_PID"
  kill -CONT "$GOING_PID"
  wait_until '[ "$(grep -c "^cannot execute .* again: " "$LOG")" = 2 ]'
  rmdir "$R/..new"
  wait_until '[ "$(state web state) $(state web starts)" = "up 2" ]'
  wait_until 'kill -USR2 "$GOING_PID"; grep -q "^web: taken over as" "$LOG"'
  [ "$(grep -c "^web: started" "$LOG")" = 2 ]
}

@test "HUP and USR2 do not end a going that waits" {
  going_start
  second_start
  kill -HUP "$second"
  kill -USR2 "$second"
  before=$(switches "$second")
  wait_until '[ "$(switches $second)" -ge $((before + 2)) ]'
  alive "$second"
}
