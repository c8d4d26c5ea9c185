# The hardware watchdog. A plain file stands for the device: every write is
# seen in it. It has no ioctl, so going feeds it every 10 s; where a test wants
# more, strace lets the device report a timeout of 1 s: three feeds in it.

load helper

eval "$(declare -f setup | sed '1s/setup/begin_the_world/')"
setup() {
  begin_the_world
  DEV=$BATS_TEST_TMPDIR/watchdog
  : >"$DEV"
}

with_timeout() { # HEX, a little-endian int
  WRAP+=(strace -D -qq -o "$BATS_TEST_TMPDIR/trace" -P "$DEV" -e trace=ioctl
    -e "inject=ioctl:retval=0:poke_exit=@arg3=$1")
}

is_up() { [ "$(state "$1" state)" = up ]; }
feeds() { stat -c %s "$DEV"; }
last() { tail -c 1 "$DEV" | od -An -c | tr -d ' '; }
holds() { readlink "/proc/$1/fd"/* 2>/dev/null | grep -qxF "$DEV"; } # PID

# Nothing may happen: so it is watched for longer than four feeds would take.
nothing_feeds() {
  local before end
  before=$(feeds)
  end=$((${EPOCHREALTIME/./} + 1500000))
  while [ "${EPOCHREALTIME/./}" -lt "$end" ]; do
    [ "$(feeds)" = "$before" ]
    sleep 0.05
  done
}

@test "the watchdog is fed at once" {
  going_start -w "$DEV"
  wait_until '[ "$(feeds)" -ge 1 ]'
  [ "$(last)" = '\0' ]
}

@test "a watchdog that reports no timeout is fed every 10 s, and not more often because something happens" {
  service web 'cmd=sleep 1000'
  going_start -w "$DEV"
  from=${EPOCHREALTIME/./}
  wait_until '[ "$(feeds)" -ge 1 ] && is_up web'
  first=$(feeds)
  touch "$D/web"
  wait_until '[ "$(state web starts)" = 2 ]'
  wait_until "[ \"\$(feeds)\" != $first ] || [ \${EPOCHREALTIME/./} -gt $((from + 9000000)) ]"
  [ "$(feeds)" = "$first" ]
  wait_until "[ \"\$(feeds)\" = $((first + 1)) ]"
  [ $((${EPOCHREALTIME/./} - from)) -lt 12000000 ]
}

@test "a watchdog is fed three times in the timeout that it reports" {
  with_timeout 03000000
  going_start -w "$DEV"
  wait_until '[ "$(feeds)" -ge 1 ]'
  first=$(feeds) from=${EPOCHREALTIME/./}
  wait_until "[ \"\$(feeds)\" -ge $((first + 3)) ]"
  took=$((${EPOCHREALTIME/./} - from))
  echo "$took us"
  [ "$took" -gt 2500000 ] && [ "$took" -lt 4000000 ]
}

@test "a regular exit closes the watchdog with V" {
  service web 'cmd=sleep 1000'
  going_start -w "$DEV"
  wait_until 'is_up web && [ "$(feeds)" -ge 1 ]'
  going_stop
  [ "$(last)" = V ]
}

@test "a going that was killed leaves no V, and the next one feeds on" {
  going_start -w "$DEV"
  wait_until '[ "$(feeds)" -ge 1 ]'
  going_kill
  [ "$(last)" = '\0' ]
  : >"$DEV"
  going_start -w "$DEV"
  wait_until '[ "$(feeds)" -ge 1 ]'
  [ "$(last)" = '\0' ]
}

@test "a going that is executed again feeds on, and has written no V" {
  going_start -w "$DEV"
  wait_until '[ "$(feeds)" -ge 1 ]'
  kill -USR2 "$GOING_PID"
  wait_until '[ "$(tail -c 1 "$DEV" | wc -c)" = 1 ] && holds $GOING_PID'
  service web 'cmd=sleep 1000'
  wait_until 'is_up web'
  wait_until 'holds $GOING_PID'
  not grep -q V "$DEV"
}

@test "a critical service that has failed: the watchdog is no longer fed, and exit writes no V" {
  with_timeout 01000000
  service still 'cmd=sleep 1000' 'critical=yes'
  going_start -w "$DEV"
  wait_until 'is_up still && [ "$(feeds)" -ge 3 ]'
  service heart 'cmd=false' 'retries=2' 'backoff=0' 'critical=yes'
  wait_until '[ "$(state heart state)" = failed ]'
  nothing_feeds
  touch "$D/still" # of no help
  wait_until '[ "$(state still starts)" = 2 ]'
  nothing_feeds
  going_stop
  not grep -q V "$DEV"
}

@test "touching the file of the critical service that has failed resumes the feed" {
  with_timeout 01000000
  service heart 'cmd=test -e beat' "cwd=$BATS_TEST_TMPDIR" 'retries=1' \
    'restart=on-failure' 'critical=yes'
  going_start -w "$DEV"
  wait_until '[ "$(state heart state)" = failed ]'
  nothing_feeds
  : >"$BATS_TEST_TMPDIR/beat"
  before=$(feeds)
  touch "$D/heart"
  wait_until '[ "$(state heart state)" = done ]'
  wait_until "[ \$(feeds) -ge $((before + 3)) ]"
  going_stop
  [ "$(last)" = V ]
}

@test "a critical service that is removed after it has failed is no reason to starve the watchdog" {
  with_timeout 01000000
  service heart 'cmd=false' 'retries=1' 'critical=yes'
  going_start -w "$DEV"
  wait_until '[ "$(state heart state)" = failed ]'
  nothing_feeds
  before=$(feeds)
  rm "$D/heart"
  wait_until "[ \$(feeds) -ge $((before + 3)) ]"
}

@test "a service that has failed and is not critical does not concern the watchdog" {
  with_timeout 01000000
  service poor 'cmd=false' 'retries=1'
  going_start -w "$DEV"
  wait_until '[ "$(state poor state)" = failed ]'
  before=$(feeds)
  wait_until "[ \$(feeds) -ge $((before + 3)) ]"
  going_stop
  [ "$(last)" = V ]
}

@test "the watchdog is fed on when the runtime directory is gone and cannot be had again" {
  with_timeout 01000000
  service web 'cmd=sleep 1000'
  going_start -w "$DEV"
  wait_until '[ "$(state web state)" = up ]'
  rm -r "$R"
  : >"$R"
  touch "$D/web" # so that a state is to be saved
  assert_log 'waiting for .*, in use or unsafe'
  fed=$(feeds)
  wait_until '[ "$(feeds)" -gt $((fed + 5)) ]'
}

@test "no watchdog is opened without -w" {
  WRAP+=(strace -D -f -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=%file)
  service web 'cmd=sleep 1000'
  going_start
  wait_until 'is_up web'
  going_stop
  grep -q openat "$BATS_TEST_TMPDIR/trace"
  not grep '"/dev/watchdog' "$BATS_TEST_TMPDIR/trace"
}

@test "a watchdog that appears later is used: said once until then" {
  rm "$DEV"
  service web 'cmd=sleep 1000'
  going_start -w "$DEV"
  assert_log "$DEV: No such file"
  wait_until 'is_up web'
  looks=$(awk '/^voluntary/ { print $2 }' "/proc/$GOING_PID/status")
  wait_until "[ \$(awk '/^voluntary/ { print \$2 }' /proc/$GOING_PID/status) -ge $((looks + 3)) ]"
  [ "$(grep -c -F "$DEV" "$LOG")" = 1 ]
  : >"$DEV"
  wait_until '[ "$(feeds)" -ge 1 ]'
  [ "$(last)" = '\0' ]
}

@test "a service never holds the watchdog" {
  service web 'cmd=sleep 1000'
  going_start -w "$DEV"
  wait_until 'is_up web && holds $GOING_PID'
  not holds "$(pid_of web)"
}

# strace keeps the child at its door to exec for a while, so that one can look.
@test "a child that has not executed its command yet does not hold the watchdog either" {
  service web 'cmd=sleep 1000'
  going_start -w "$DEV"
  wait_until 'is_up web && holds $GOING_PID'
  strace -f -qq -o /dev/null -e trace=execve -e inject=execve:delay_enter=1s \
    -p "$GOING_PID" 3>&- 2>/dev/null &
  tracer=$!
  wait_until 'grep -q "^TracerPid:.*[1-9]" /proc/$GOING_PID/status'
  service young 'cmd=/bin/sleep 1000'
  program=$(readlink "/proc/$GOING_PID/exe")
  at_the_door() {
    child=$(ps -o pid= --ppid "$GOING_PID" | while read -r pid; do
      [ "$(readlink "/proc/$pid/exe")" != "$program" ] || echo "$pid"
    done)
    [ -n "$child" ] && ! holds "$child" && [ "$(readlink "/proc/$child/exe")" = "$program" ]
  }
  wait_until at_the_door
  wait_until '[ "$(readlink "/proc/$child/exe")" != "$program" ]' # or strace hangs
  kill "$tracer"
  wait "$tracer" || :
  wait_until 'is_up young'
}
