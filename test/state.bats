# The runtime directory: one line a service, for shells and for people.

load helper
T=${BATS_TEST_TMPDIR-}

program() { # NAME LINE...
  printf '%s\n' '#!/bin/sh' "${@:2}" >"$T/$1" && chmod 755 "$T/$1"
}

# The state file NAME is one line that matches REGEX, with further keys or none.
is_line() { [[ "$(cat "$R/$1" 2>/dev/null)" =~ ^state=$2(\ [a-z]+=[^ ]+)*$ ]]; }
reads() { # NAME REGEX
  wait_until "is_line $1 '$2'"
  [ "$(wc -l <"$R/$1")" = 1 ]
  # No key is there twice, and none that belongs to another state.
  [ -z "$(tr ' ' '\n' <"$R/$1" | cut -d = -f 1 | sort | uniq -d)" ]
}

lacks() { # NAME KEY...
  local IFS='|'
  ! grep -E "(^| )(${*:2})=" "$R/$1" >&2
}

@test "a service that is up has state, pid, start and starts" {
  service web 'cmd=sleep 1000'
  going_start
  reads web 'up pid=[1-9][0-9]* start=[1-9][0-9]* starts=1'
  lacks web exit signal
  [ "$(state web start)" = "$(start_of "$(pid_of web)")" ]
  [ "$(cat "/proc/$(pid_of web)/comm")" = sleep ]
}

# The clock has moved on between the last look at it and the birth.
@test "the start time is that of the process, even if its birth takes long" {
  WRAP+=(strace -D -qq -o /dev/null -e trace=vfork,fork,clone
    -e inject=vfork,fork,clone:delay_enter=15000)
  service web 'cmd=sleep 1000' backoff=0
  going_start
  for round in 1 2 3; do
    wait_until "[ \"\$(state web starts)\" = $round ]"
    pid=$(pid_of web)
    [ "$(state web start)" = "$(start_of "$pid")" ]
    kill -KILL "$pid"
  done
}

@test "after an end there is its exit or its signal" {
  program once "[ -e $T/again ] && exec sleep 1000" "touch $T/again" 'exit 3'
  service once "cmd=$T/once"
  service web 'cmd=sleep 1000'
  going_start
  reads once 'up pid=[0-9]+ start=[0-9]+ starts=2 exit=3'
  lacks once signal
  reads web 'up pid=[0-9]+ start=[0-9]+ starts=1'
  kill -USR1 "$(pid_of web)"
  wait_until '[ "$(state web starts)" = 2 ]'
  reads web 'up pid=[0-9]+ start=[0-9]+ starts=2 signal=10'
  lacks web exit
}

@test "without a process there is neither pid nor start" {
  service once cmd=true restart=never
  service lost 'cmd=sh -c "exit 4"' retries=2
  service held 'cmd=sh -c "kill -KILL $$"' backoff=100
  service bad colour=red
  going_start
  reads once 'done starts=1 exit=0'
  reads lost 'failed starts=2 exit=4'
  reads held 'quarantined starts=2 signal=9'
  reads bad 'failed starts=0'
  lacks bad exit signal
  for name in once lost held bad; do lacks $name pid start; done
  lacks held exit
}

@test "while a service stops, its pid is there" {
  program deaf "trap '' TERM" "touch $T/ready" \
    'while :; do sleep 1000 & wait; done'
  service deaf "cmd=$T/deaf" 'stop=TERM 2'
  going_start
  wait_until '[ -e "$T/ready" ]'
  pid=$(pid_of deaf)
  rm "$D/deaf"
  reads deaf "stopping pid=$pid start=[0-9]+ starts=1"
}

@test "a shell can source it" {
  service web 'cmd=sleep 1000'
  going_start
  wait_until '[ "$(state web state)" = up ]'
  run sh -euc ". $R/web && kill -TERM \"\$pid\" && echo \$state \$starts"
  [ "$status" = 0 ]
  [ "$output" = 'up 1' ]
  wait_until '[ "$(state web starts)" = 2 ]'
  run sh -euc ". $R/web && echo \$state \$starts \$signal \${exit-none}"
  [ "$output" = 'up 2 15 none' ]
}

@test "a reader never sees an empty file, half a line or a file in the making" {
  service crash cmd=false backoff=0
  going_start
  wait_until '[ -e "$R/crash" ]'
  whole='^state=(up pid=[0-9]+ start=[0-9]+|quarantined) starts=([0-9]+)'
  reads=0
  starts=0
  while [ "$starts" -lt 300 ] || [ "$reads" -lt 2000 ]; do
    read -r line <"$R/crash" # false without the newline
    [[ "$line" =~ $whole ]]
    starts=${BASH_REMATCH[2]}
    names=("$R"/*)
    [ "${names[*]}" = "$R/crash" ]
    reads=$((reads + 1))
  done
}

@test "it is gone when the service is" {
  service web 'cmd=sleep 1000'
  service once cmd=true restart=never
  service held cmd=false backoff=100
  service lost cmd=false retries=1
  service bad colour=red
  going_start
  wait_until '[ "$(state web state)" = up ]'
  wait_until '[ "$(state once state)" = done ]'
  wait_until '[ "$(state held state)" = quarantined ]'
  wait_until '[ "$(state lost state)" = failed ]'
  wait_until '[ "$(state bad state)" = failed ]'
  rm "$D"/*
  wait_until '[ -z "$(ls "$R")" ]'
}

@test "grep . on the directory shows the services, and nothing else" {
  for name in web mail_2 X-11; do service $name 'cmd=sleep 1000'; done
  service once cmd=true restart=never
  going_start
  wait_until '[ "$(state web state)" = up ]'
  wait_until '[ "$(state once state)" = done ]'
  going_kill
  going_start
  service late 'cmd=sleep 1000'
  wait_until '[ "$(state late state)" = up ]'
  grep . "$R"/* | sed "s,^$R/,," | cut -d ' ' -f 1 | sort >"$T/shown"
  [ "$(cat "$T/shown")" = "$(printf '%s:state=up\n' X-11 late mail_2 web |
    cat - <(echo once:state=done) | sort)" ]
}

@test "a state file can be read by all, and written by its owner" {
  WRAP+=(sh -c 'umask 077; exec "$@"' --)
  service web 'cmd=sleep 1000'
  going_start
  wait_until '[ "$(state web state)" = up ]'
  [ "$(stat -c %a "$R/web")" = 644 ]
}

@test "a missing runtime directory is made, with mode 755" {
  for mask in 0 077; do
    WRAP+=(sh -c "umask $mask; exec \"\$@\"" --)
    going_start
    [ "$(stat -c %a "$R")" = 755 ]
    going_stop
    rm -r "$R"
  done
}

@test "a link in the place of a state file is not followed" {
  echo precious >"$T/victim"
  mkdir -m 755 "$R"
  ln -s "$T/victim" "$R/web"
  ln -s "$T/nowhere" "$R/mail"
  service web 'cmd=sleep 1000'
  service mail 'cmd=sleep 1000'
  going_start
  for name in web mail; do
    wait_until "[ \"\$(state $name state)\" = up ]"
    [ ! -L "$R/$name" ]
    alive "$(pid_of $name)"
  done
  kill -KILL "$(pid_of web)"
  wait_until '[ "$(state web starts)" = 2 ]'
  [ "$(cat "$T/victim")" = precious ]
  [ ! -e "$T/nowhere" ]
}

@test "what lies where a state file is made is said, holds nothing up, and its service runs" {
  mkdir -m 755 "$R"
  echo precious >"$T/victim"
  for what in 'mkfifo' 'mkdir' "ln -s $T/victim"; do
    $what "$R/..new"
    service "${what%% *}" 'cmd=sleep 1000'
    going_start
    assert_log "^${what%% *}: started as [0-9]+\$"
    assert_log "^${what%% *}: cannot save its state: "
    rm -r "$R/..new"
    reads "${what%% *}" 'up pid=[0-9]+ start=[0-9]+ starts=1'
    going_stop
    rm "$D/${what%% *}"
  done
  [ "$(cat "$T/victim")" = precious ]
}

@test "a link to another's state file hands over no process" {
  sleep 1000 3>&- &
  victim=$!
  echo "state=up pid=$victim start=$(start_of $victim) starts=1" >"$T/victim"
  cp "$T/victim" "$T/before"
  mkdir -m 755 "$R"
  ln -s "$T/victim" "$R/web"
  ln -s "$T/victim" "$R/stranger"
  service web 'cmd=sleep 1000'
  going_start
  wait_until '[ ! -L "$R/web" ] && [ "$(state web state)" = up ]'
  [ "$(pid_of web)" != "$victim" ]
  going_stop
  alive "$victim"
  [ "$(readlink "$R/stranger")" = "$T/victim" ] # somebody else's, and not touched
  kill "$victim"
  cmp "$T/before" "$T/victim"
}

@test "a runtime directory that others can write to is said and not used" {
  supervises() { true; } # it does not
  service web 'cmd=sleep 1000'
  mkdir "$R"
  for mode in 775 757 1777; do
    chmod "$mode" "$R"
    : >"$LOG"
    going_start
    assert_log "$R"
    [ -z "$(ls "$R")" ]
    refute_log 'web: started'
    going_stop
  done
  going_start
  chmod 755 "$R"
  assert_log '^web: started as '
  wait_until '[ "$(state web state)" = up ]'
}

@test "a runtime directory of another user is said and not used" {
  needs_root
  supervises() { true; } # it does not
  service web 'cmd=sleep 1000'
  mkdir -m 755 "$R"
  chown nobody "$R"
  going_start
  assert_log "$R"
  refute_log 'web: started'
  [ -z "$(ls "$R")" ]
  chown root "$R"
  assert_log '^web: started as '
  wait_until '[ "$(state web state)" = up ]'
}

@test "the lock is on a file that only its owner can open" {
  WRAP+=(sh -c 'umask 0; exec "$@"' --)
  going_start
  [ "$(stat -c '%a %F' "$R/..lock")" = '600 regular empty file' ]
}

@test "a link in the place of the lock is not followed" {
  supervises() { true; } # it does not
  mkdir -m 755 "$R"
  ln -s "$T/victim" "$R/..lock"
  service web 'cmd=sleep 1000'
  going_start
  assert_log "^waiting for $R, in use or unsafe\$"
  [ ! -e "$T/victim" ]
  refute_log 'web: started'
  rm "$R/..lock"
  wait_until '[ "$(state web state)" = up ]'
}

# Somebody has made it anew, so that others may write there, with links to what is not hers.
@test "a runtime directory that was removed or replaced is noticed at the next look" {
  service web 'cmd=sleep 1000'
  going_start
  wait_until '[ "$(state web state)" = up ]'
  pid=$(pid_of web)
  mv "$R" "$R.away"
  kill -HUP "$GOING_PID"
  wait_until '[ "$(pid_of web)" = "$pid" ] && supervises'
  mv "$R" "$R.away.too"
  mkdir "$R"
  service other 'cmd=sleep 1000' # no more than that: any look
  wait_until '[ "$(pid_of web) $(state other state)" = "$pid up" ] && supervises'
  [ ! -e "$R.away/other" ]
  [ ! -e "$R.away.too/other" ]
}

@test "a runtime directory that was replaced by one that is not safe is not written to" {
  service web 'cmd=sleep 1000' backoff=0
  going_start
  wait_until '[ "$(state web state)" = up ]'
  echo precious >"$T/victim"
  mkdir -m 777 "$T/evil"
  for name in .web web ..lock; do ln "$T/victim" "$T/evil/$name"; done
  replace() { rm -r "$R" && mv "$T/evil" "$R"; }
  untouched() {
    [ "$(cat "$T/victim") $(stat -c %h "$T/victim") $(ls -A "$R" | xargs)" = 'precious 4 ..lock .web web' ]
  }
  replace
  for starts in 2 3; do
    kill -KILL "$(sed -n 's/^web: started as //p' "$LOG" | tail -n 1)"
    wait_until '[ "$(grep -c "^web: started as" "$LOG")" = $starts ]'
    assert_log "^waiting for $R, in use or unsafe\$"
  done
  untouched
  mv "$R" "$T/evil"
  wait_until '[ "$(state web state) $(state web starts)" = "up 3" ]'
  replace
  kill -KILL "$(sed -n 's/^web: started as //p' "$LOG" | tail -n 1)"
  wait_until '[ "$(grep -c "^web: started as" "$LOG")" = 4 ]'
  looked_at() { # by going
    for fd in "/proc/$GOING_PID/fd"/*; do [ ! "$fd" -ef "$R" ] || return 0; done
    return 1
  }
  wait_until looked_at
  going_stop
  untouched
}
