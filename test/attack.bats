# What other users of the machine, and the users of services, can do to going and to the services
# of others: nothing.

load helper
T=${BATS_TEST_TMPDIR-}
MALLORY=games # any user who is neither root nor nobody
SPACE=        # the namespace of going and her

eval "$(declare -f teardown | sed '1s/teardown/end_the_world/')"
teardown() {
  [ -z "$SPACE" ] || kill -KILL "$SPACE" 2>/dev/null || : # and all in it
  end_the_world
}

# What is done as her; /usr/bin/python3 is one that she can execute, too.
AS_MALLORY=(setpriv --reuid="$MALLORY" --regid="$MALLORY" --clear-groups)
open_the_way() { chmod 711 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$T"; }

# going and she are alone in a pid namespace: what she does to all her processes, she does to none
# of the machine's. $T/attack is her python, which gets the seconds that it has.
going_with_her() { # SECONDS
  export D R GOING LOG OUT T MALLORY
  "${WRAP[@]}" unshare --pid --fork --kill-child=KILL --mount-proc bash -c '
    "$GOING" -d "$D" -r "$R" </dev/null >>"$OUT" 2>>"$LOG" & going=$!
    until [ -e "$R/web" ]; do sleep 0.05; done
    setpriv --reuid="$MALLORY" --regid="$MALLORY" --clear-groups /usr/bin/python3 "$T/attack" "$1"
    : >"$T/over"
    until [ -e "$T/end" ]; do sleep 0.05; done
    kill -TERM $going
    wait $going
    echo $? >"$T/status"' -- "$1" </dev/null 3>&- &
  SPACE=$!
}

her_end() {
  : >"$T/end"
  wait_until "! alive $SPACE" || { kill -KILL "$SPACE" && false; }
  [ "$(cat "$T/status")" = 0 ]
}

within() { # SECONDS 'CONDITION'
  local end=$((${EPOCHREALTIME/./} + $1 * 1000000))
  until eval "$2"; do
    if [ "${EPOCHREALTIME/./}" -gt "$end" ]; then
      printf '%s\n' "not within $1 s: $2" '-- the log' "$(tail -n 40 "$LOG")" >&2
      return 1
    fi
    sleep 0.02
  done
}

# Her child shares the memory of going until it executes.
@test "a user who kills all her processes again and again ends no service of another" {
  needs_root
  open_the_way
  cat >"$T/attack" <<'END'
import os, sys, time
end = time.time() + float(sys.argv[1])
while time.time() < end:
    try: os.kill(-1, 9)
    except ProcessLookupError: pass
END
  service web cmd=true backoff=0
  service hers 'cmd=sleep 1000' "user=$MALLORY" backoff=0 \
    $(for n in {1..200}; do echo "env=VARIABLE_$n=$n-of-two-hundred"; done)
  going_with_her 5
  within 20 '[ -e "$T/over" ]'
  echo "hers: $(grep -c '^hers: killed by signal 9' "$LOG"), web: $(grep -c '^web: started' "$LOG")"
  [ "$(grep -c '^hers: killed by signal 9' "$LOG")" -ge 50 ]
  [ "$(grep -c '^web: exited with 0' "$LOG")" -ge 50 ]
  service later 'cmd=sleep 1000'
  wait_until '[ "$(state later state)" = up ]'
  refute_log '^(web|hers|later): .*signal 11'
  refute_log '^(web|later): killed'
  her_end
}

@test "a lock on the runtime directory, or on any file in it, keeps no new going out" {
  needs_root
  open_the_way
  service web 'cmd=sleep 1000'
  going_start
  wait_until '[ "$(state web state)" = up ]'
  "${AS_MALLORY[@]}" /usr/bin/python3 -c 'import fcntl, os, signal, sys
held = []
for path in [sys.argv[1]] + [os.path.join(sys.argv[1], name) for name in os.listdir(sys.argv[1])]:
    try: held.append(os.open(path, os.O_RDONLY))
    except PermissionError: continue
    fcntl.flock(held[-1], fcntl.LOCK_SH)
    fcntl.flock(held[-1], fcntl.LOCK_EX) # waits for going, if it has that one
print(len(held), flush=True)
signal.pause()' "$R" >"$T/held" 2>&1 3>&- &
  STARTED+=($!)
  wait_until '[ "$(cat "$T/held")" = 2 ]' # the directory and web
  going_kill
  going_start
  assert_log '^web: taken over as '
  kill -USR2 "$GOING_PID"
  wait_until '[ "$(grep -c "^web: taken over as " "$LOG")" = 2 ]'
  refute_log waiting
}

# A lease makes who executes the file wait until it is given back, or for lease-break-time.
@test "a user who has a lease on her command holds up the others for 10 seconds at most" {
  needs_root
  [ "$(cat /proc/sys/fs/lease-break-time)" -ge 30 ] || skip 'leases are short here'
  open_the_way
  mkdir "$T/home"
  cp "$(realpath "$(command -v sleep)")" "$T/home/sleep"
  chown -R "$MALLORY" "$T/home"
  service web 'cmd=sleep 1000' backoff=0
  service still 'cmd=sleep 1000'
  going_start
  wait_until '[ "$(state web state) $(state still state)" = "up up" ]'
  "${AS_MALLORY[@]}" /usr/bin/python3 -c 'import fcntl, os, signal, sys
signal.signal(signal.SIGIO, signal.SIG_IGN)
fd = os.open(sys.argv[1], os.O_RDWR)
fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print("held", flush=True)
signal.pause()' "$T/home/sleep" >"$T/held" 2>&1 3>&- &
  STARTED+=($!)
  wait_until '[ -s "$T/held" ]'
  grep -q held "$T/held" || skip "no leases here: $(tail -n 1 "$T/held")"
  service hers "cmd=$T/home/sleep 1000" "user=$MALLORY" backoff=1000
  within 2 '[ "$(state hers state)" = up ]' # says the child
  kill -KILL "$(pid_of web)"
  within 12 '[ "$(state web starts)" = 2 ]'
  assert_log '^hers: killed by signal 9 after (9|10|11)[.][0-9] s, '
  [ "$(state still starts)" = 1 ] # the 10 seconds are for those who have not executed
}

# So could its user do, if she is quick enough.
@test "a process that is stopped before it has executed its command is killed after 10 seconds" {
  mkdir "$T/home"
  WRAP+=(strace -D -f -qq -o /dev/null -P "$T/home" -e trace=chdir -e inject=chdir:signal=STOP)
  service web 'cmd=sleep 1000' backoff=0
  going_start
  wait_until '[ "$(state web state)" = up ]'
  service held 'cmd=sleep 1000' "cwd=$T/home" retries=1
  within 2 '[ "$(state held state)" = up ]'
  pid=$(pid_of held)
  wait_until '[[ $(stat_of "$pid") == [tT]* ]]'
  kill -KILL "$(pid_of web)"
  within 12 '[ "$(state web starts)" = 2 ]'
  assert_log '^held: killed by signal 9 after (9|10|11)[.][0-9] s, '
}
