# The life of a service: started, restarted, held back, given up.

load helper
T=${BATS_TEST_TMPDIR-}

program() { # NAME LINE...
  printf '%s\n' '#!/bin/sh' "${@:2}" >"$T/$1" && chmod 755 "$T/$1"
}

# What became of NAME after each of its ends, a line an end.
fates() { sed -n "s/^$1: \(exited\|killed\).* s, //p" "$LOG"; }
has_fates() { [ "$(fates "$1" | wc -l)" -ge "$2" ]; }

@test "a service is started again whether it succeeded, failed or was killed" {
  service good cmd=true backoff=0
  service bad cmd=false backoff=0
  service web 'cmd=sleep 1000'
  going_start
  wait_until '[ "$(state good starts)" -gt 2 ]'
  wait_until '[ "$(state bad starts)" -gt 2 ]'
  wait_until '[ "$(state web state)" = up ]'
  old=$(pid_of web)
  kill -KILL "$old"
  wait_until '[ "$(state web starts)" = 2 ]'
  [ "$(state web state)" = up ]
  [ "$(state web signal)" = 9 ]
  [ "$(pid_of web)" != "$old" ]
  assert_log '^web: started as [0-9]+$'
  assert_log '^web: killed by signal 9 after [0-9]+\.[0-9] s, up$'
}

@test "with restart=on-failure success is done, and failure is not" {
  service good cmd=true restart=on-failure
  service bad cmd=false restart=on-failure backoff=0
  service web 'cmd=sleep 1000' restart=on-failure
  going_start
  wait_until '[ "$(state good state)" = done ]'
  [ "$(state good starts)" = 1 ]
  [ "$(state good exit)" = 0 ]
  wait_until '[ "$(state bad starts)" -gt 3 ]'
  kill -TERM "$(pid_of web)"
  wait_until '[ "$(state web starts)" = 2 ]'
}

@test "with restart=never any end is done" {
  service good cmd=true restart=never
  service bad 'cmd=sh -c "exit 7"' restart=never
  service web 'cmd=sleep 1000' restart=never
  going_start
  wait_until '[ "$(state web state)" = up ]'
  kill -KILL "$(pid_of web)"
  for name in good bad web; do
    wait_until "[ \"\$(state $name state)\" = done ]"
    [ "$(state "$name" starts)" = 1 ]
  done
  [ "$(state bad exit)" = 7 ]
  [ "$(state web signal)" = 9 ]
}

@test "with restart=unless only the exits that it names are done" {
  for code in 0 3 33 255; do
    service "kept-$code" "cmd=sh -c 'exit $code'" 'restart=unless 0 3 33 255' backoff=0
  done
  for code in 1 2 5 30 32 34 133 254; do
    service "other-$code" "cmd=sh -c 'exit $code'" 'restart=unless 0 3 33 255' backoff=0
  done
  service zero cmd=true 'restart=unless 3' backoff=0
  service missing cmd=/missing 'restart=unless 111' backoff=0
  going_start
  for code in 0 3 33 255; do
    wait_until "[ \"\$(state kept-$code state)\" = done ]"
    [ "$(state "kept-$code" starts) $(state "kept-$code" exit)" = "1 $code" ]
  done
  for name in other-{1,2,5,30,32,34,133,254} zero; do
    wait_until "[ \"\$(state $name starts)\" -gt 3 ]"
    refute_log "^$name: .*, done\$"
  done
  wait_until '[ "$(state missing state)" = done ]'
  assert_log '^kept-33: exited with 33 after [0-9.]+ s, done$'
}

@test "with restart=unless a signal is no exit: it is started again" {
  service web 'cmd=sleep 1000' 'restart=unless 9 15 137 143' backoff=0
  going_start
  for signal in 9 15; do
    wait_until '[ "$(state web state)" = up ]'
    pid=$(pid_of web)
    kill "-$signal" "$pid"
    wait_until "[ \"\$(state web signal)\" = $signal ] && [ \"\$(state web state)\" = up ]"
  done
  [ "$(state web starts)" = 3 ]
}

@test "with restart=unless an end that nobody saw is none of its exits" {
  service web 'cmd=sleep 1000' 'restart=unless 0 1 255'
  going_start
  wait_until '[ "$(state web state)" = up ]'
  pid=$(pid_of web)
  going_kill
  kill -KILL "$pid"
  wait_until "! alive $pid"
  going_start
  wait_until '[ "$(state web state) $(state web starts)" = "up 2" ]'
  assert_log '^web: ended unseen after [0-9.]+ s, up$'
}

@test "a touched file starts what was done or failed" {
  service once cmd=true restart=never
  service lost cmd=false retries=1
  going_start
  wait_until '[ "$(state once state)" = done ]'
  wait_until '[ "$(state lost state)" = failed ]'
  touch "$D/once" "$D/lost"
  wait_until '[ "$(state once starts)" = 2 ]'
  wait_until '[ "$(state lost starts)" = 2 ]'
  wait_until '[ "$(state once state)" = done ]'
  wait_until '[ "$(state lost state)" = failed ]'
}

@test "quick exits: at once, then after MIN, doubled, MAX at most" {
  program crash "cut -d ' ' -f 1 /proc/uptime >>$T/starts" 'exit 1'
  service crash "cmd=$T/crash" 'backoff=0.2 0.8'
  going_start
  wait_until 'has_fates crash 6'
  [ "$(fates crash | head -n 6)" = "up
quarantined, next start in 0.2 s
quarantined, next start in 0.4 s
quarantined, next start in 0.8 s
quarantined, next start in 0.8 s
quarantined, next start in 0.8 s" ]
  # It keeps its word: no start is early (the kernel's clock shows 0.01 s).
  awk '{ if (NR > 2 && $1 - last < due[NR] - 0.03) exit 1; last = $1 }
       BEGIN { split("0 0 .2 .4 .8 .8", due) }' "$T/starts"
}

@test "one value of backoff is MIN" {
  service crash cmd=false backoff=40
  going_start
  assert_log '^crash: exited with 1 after 0\.[0-9] s, quarantined, next start in 40\.0 s$'
  [ "$(state crash state)" = quarantined ]
}

@test "one value of backoff above 60 is MAX, too" {
  service crash cmd=false backoff=90.5
  going_start
  assert_log '^crash: exited with 1 after 0\.[0-9] s, quarantined, next start in 90\.5 s$'
}

@test "a run of MAX seconds clears the count, and its end is answered at once" {
  printf '%s\n' 0 0 0 1 0 0 >"$T/runs"
  program tired "read -r run <$T/runs && sed -i 1d $T/runs || run=1000" \
    'sleep "$run"' 'exit 1'
  service tired "cmd=$T/tired" 'backoff=0.1 0.8'
  going_start
  wait_until 'has_fates tired 6'
  [ "$(fates tired | head -n 6)" = "up
quarantined, next start in 0.1 s
quarantined, next start in 0.2 s
up
up
quarantined, next start in 0.1 s" ]
}

@test "a touched file ends the quarantine and clears the count" {
  service crash cmd=false backoff=100
  going_start
  wait_until 'has_fates crash 2'
  touch "$D/crash"
  wait_until 'has_fates crash 4'
  [ "$(fates crash)" = "up
quarantined, next start in 100.0 s
up
quarantined, next start in 100.0 s" ]
}

@test "retries=3 gives up after three quick exits in a row" {
  service lost 'cmd=sh -c "exit 5"' retries=3 backoff=0.1
  service once cmd=false retries=1
  going_start
  wait_until '[ "$(state lost state)" = failed ]'
  wait_until '[ "$(state once state)" = failed ]'
  [ "$(state lost starts)" = 3 ]
  [ "$(state lost exit)" = 5 ]
  [ -z "$(pid_of lost)" ]
  [ "$(state once starts)" = 1 ]
  [ "$(fates lost | tail -n 1)" = failed ]
}

@test "retries counts quick exits whatever their status, 0 and signals too" {
  program mixed "echo x >>$T/mixed.runs" "case \$(wc -l <$T/mixed.runs) in 1) exit 0 ;; 2) kill -KILL \$\$ ;; *) exit 7 ;; esac"
  service good cmd=true retries=3 backoff=0
  service killed "cmd=sh -c 'kill -KILL \$\$'" retries=2 backoff=0
  service mixed "cmd=$T/mixed" retries=3 backoff=0
  going_start
  for name in good killed mixed; do wait_until "[ \"\$(state $name state)\" = failed ]"; done
  [ "$(state good starts) $(state good exit)" = '3 0' ]
  [ "$(state killed starts) $(state killed signal)" = '2 9' ]
  [ "$(state mixed starts) $(state mixed exit)" = '3 7' ]
}

@test "a run of MAX seconds is no quick exit to retries" {
  program tired "read -r run <$T/runs && sed -i 1d $T/runs || run=0" \
    'sleep "$run"' 'exit 1'
  printf '%s\n' 0 1 >"$T/runs"
  service tired "cmd=$T/tired" retries=2 'backoff=0 0.8'
  going_start
  wait_until '[ "$(state tired state)" = failed ]'
  [ "$(state tired starts)" = 4 ]
}

@test "a file that is taken away in quarantine is not started again" {
  service crash cmd=false backoff=0.5
  service clock 'cmd=sleep 0.2' 'backoff=0 0.1'
  going_start
  wait_until '[ "$(state crash state)" = quarantined ]'
  rm "$D/crash"
  wait_until '[ ! -e "$R/crash" ]'
  starts=$(grep -c '^crash: started' "$LOG")
  later=$(($(state clock starts) + 5))
  wait_until "[ \"\$(state clock starts)\" -gt $later ]"
  [ "$(grep -c '^crash: started' "$LOG")" = "$starts" ]
}

@test "a command that cannot be executed is said with its reason, exit is 111" {
  echo '#!/bin/sh' >"$T/plain"
  service missing cmd=/nowhere/at/all backoff=100
  service unfound cmd=no-such-command-anywhere backoff=100
  service plain "cmd=$T/plain" backoff=100
  service folder "cmd=$T" backoff=100
  service nowhere cmd=true cwd=/nowhere backoff=100
  service gone cmd=true restart=on-failure retries=2 stdin=/nowhere
  going_start
  assert_log '^missing: .*: No such file or directory$'
  assert_log '^unfound: .*: No such file or directory$'
  assert_log '^plain: .*: Permission denied$'
  assert_log '^folder: .*: Permission denied$'
  assert_log '^nowhere: .*: No such file or directory$'
  for name in missing unfound plain folder nowhere; do
    wait_until "[ \"\$(state $name state)\" = quarantined ]"
    [ "$(state "$name" exit)" = 111 ]
    [ "$(state "$name" starts)" = 2 ]
  done
  wait_until '[ "$(state gone state)" = failed ]'
  [ "$(state gone exit)" = 111 ]
}

@test "a file without #! is not run by a shell" {
  echo "touch $T/ran" >"$T/plain"
  chmod 755 "$T/plain"
  service plain "cmd=$T/plain" backoff=100
  going_start
  assert_log '^plain: .*: Exec format error$'
  wait_until '[ "$(state plain exit)" = 111 ]'
  [ ! -e "$T/ran" ]
}

# Some C libraries copy all words once more for such a file.
@test "going lives through a file without #! and four thousand words for it" {
  printf 'exit 3\n' >"$BATS_TEST_TMPDIR/plain"
  chmod 755 "$BATS_TEST_TMPDIR/plain"
  service web "cmd=$BATS_TEST_TMPDIR/plain $(yes a | head -n 3950 | tr '\n' ' ')" backoff=100
  going_start
  wait_until '[ "$(state web state) $(state web starts)" = "quarantined 2" ]'
  alive "$GOING_PID"
}

@test "fifty services that are killed at once are all back" {
  for i in {1..50}; do service "web$i" 'cmd=sleep 1000'; done
  going_start
  wait_until '[ "$(grep -l "^state=up" "$R"/* | wc -l)" = 50 ]'
  pids=$(for i in {1..50}; do pid_of "web$i"; done)
  kill -KILL $pids
  wait_until '[ "$(grep -l "^state=up pid=.* starts=2" "$R"/* | wc -l)" = 50 ]'
  for pid in $pids; do wait_until "! alive $pid"; done
}

@test "services that always crash do not delay others" {
  for i in {1..12}; do service "crash$i" cmd=false backoff=0; done
  service held cmd=false 'backoff=0.5 0.5'
  service web 'cmd=sleep 1000' backoff=0
  going_start
  wait_until '[ "$(state crash1 starts)" -gt 20 ]'
  for i in 1 2 3 4 5; do
    before=${EPOCHREALTIME/./}
    kill -KILL "$(pid_of web)"
    wait_until "[ \"\$(state web starts)\" = $((i + 1)) ]"
    [ $((${EPOCHREALTIME/./} - before)) -lt 3000000 ]
  done
  wait_until '[ "$(state held starts)" -gt 4 ]'
}

@test "two hundred stops right after starts leave nothing behind" {
  going_start
  mkdir "$T/home"
  for i in {1..200}; do
    service web 'cmd=sleep 1000' "cwd=$T/home"
    kill -HUP "$GOING_PID"
    [ $((i % 4)) -gt 0 ] || wait_until '[ -e "$R/web" ]'
    rm "$D/web"
    kill -HUP "$GOING_PID"
    [ $((i % 2)) -gt 0 ] || wait_until '[ ! -e "$R/web" ]'
  done
  wait_until '[ ! -e "$R/web" ]'
  [ "$(grep -c '^web: started' "$LOG")" -ge 50 ]
  for pid in $(sed -n 's/^web: started as //p' "$LOG"); do
    wait_until "! alive $pid"
  done
  [ -z "$(find /proc -maxdepth 2 -name cwd -lname "$T/home" 2>/dev/null)" ]
}

@test "as PID 1 it reaps orphans, and TERM ends it" {
  needs_root
  program parent '(sleep 1 &)' 'exec sleep 1000'
  service parent "cmd=$T/parent"
  WRAP+=(unshare --pid --fork --mount-proc --kill-child=KILL)
  going_start
  first=$(pgrep -P "$GOING_PID")
  wait_until "[ \"\$(pgrep -cP $first sleep)\" = 2 ]"
  wait_until "[ \"\$(pgrep -cP $first)\" = 1 ]" # pgrep counts zombies, too
  [ "$(state parent starts)" = 1 ]
  kill -TERM "$first"
  wait_until "! alive $GOING_PID"
  wait "$GOING_PID"
  assert_log '^parent: killed by signal 15 after .* s, stopped$'
}

@test "a service whose standard streams cannot be opened is told of which file, and exits with 111" {
  for stream in stdin stdout stderr; do
    service "$stream" cmd=true "$stream=/nowhere/at/$stream" backoff=100
  done
  going_start
  for stream in stdin stdout stderr; do
    assert_log "^$stream: cannot open /nowhere/at/$stream: No such file or directory\$"
    wait_until "[ \"\$(state $stream exit)\" = 111 ]"
  done
}

@test "a directory that cannot be entered, and a word that cannot be executed, are named" {
  service home cmd=true cwd=/nowhere/at/all backoff=100
  service word "cmd='/no where' at all" backoff=100
  service path 'cmd=nowhere-on-PATH at all' backoff=100
  service directory cmd=/etc backoff=100
  going_start
  assert_log '^home: cannot enter /nowhere/at/all: No such file or directory$'
  assert_log '^word: cannot execute /no where: No such file or directory$'
  assert_log '^path: cannot execute nowhere-on-PATH: No such file or directory$'
  assert_log '^directory: cannot execute /etc: Permission denied$'
}
