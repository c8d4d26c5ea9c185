# A machine that is there to lose: a kernel's own boot, busybox init, and a hardware watchdog with
# 4 seconds of patience, in qemu. Whether it fires, qemu tells; all the rest is asked in the guest,
# whose script says `ok NAME` on the console. Tests of one machine share its one boot.

load ../helper

setup_file() {
  BUILD=$(realpath "$BATS_TEST_DIRNAME/../..")/build/qemu
  export BUILD
  "$BATS_TEST_DIRNAME/qemu.sh" fetch "$BUILD"
  # While the tests go through their machines from the first to the last, somebody else boots them
  # from the last to the first: a machine waits most of its life, and two of them are no hurry.
  set -m
  for machine in storm evicted absent softdog farewell critical gone frozen clock; do
    "$machine"
  done 3>&- >/dev/null 2>&1 &
  echo $! >"$BATS_FILE_TMPDIR/second"
  set +m
}

teardown_file() {
  kill -- "-$(<"$BATS_FILE_TMPDIR/second")" 2>/dev/null || :
}

setup() { :; } # nothing of going runs on this machine
teardown() { :; }

# Boots the machine NAME with the script on standard input, unless it has been; leaves its words in
# $SERIAL and $EVENTS. bats may run tests side by side, so the first one holds a lock.
guest() { # NAME
  local out=$BATS_FILE_TMPDIR/$1
  SERIAL=$out/serial EVENTS=$out/events
  (
    flock 9
    [ ! -d "$out" ] || exit 0
    mkdir "$out"
    "$BATS_TEST_DIRNAME/qemu.sh" boot "$BUILD" "$out" "$GOING" 3>&- 9>&- || :
  ) 9>"$out.lock"
}

find_in() { # FILE REGEX
  tr -d '\r' <"$1" | grep -Eq -e "$2" || { tail -n 60 "$SERIAL" "$EVENTS" >&2 && return 1; }
}
said() { find_in "$SERIAL" "$1"; }
ok() { said "^ok $1\$"; }
event() { find_in "$EVENTS" "\"event\": \"$1\".*$2"; }
fired() { event WATCHDOG poweroff && not grep guest- "$EVENTS"; }
stayed_up() { event SHUTDOWN guest-shutdown && not grep WATCHDOG "$EVENTS"; }

# ---- a machine that is well

healthy() {
  mkdir -p "$BATS_FILE_TMPDIR/files/etc/going.d"
  for n in {1..50}; do
    echo 'cmd=sleep 10000' >"$BATS_FILE_TMPDIR/files/etc/going.d/web$n"
  done
  FILES=$BATS_FILE_TMPDIR/files guest healthy <<'END'
all_up() { [ "$(grep -l state=up /run/going/* | wc -l)" = 50 ]; }
expect 'all are up' soon all_up
booted=$(tr -d . </tmp/booted) last=0
for file in /run/going/*; do
  start=$(state "${file##*/}" start)
  [ "$start" -le $last ] || last=$start
done
expect "the last one after $((last - booted)) ticks" [ $((last - booted)) -le 1000 ]
active() { [ "$(cat /sys/class/watchdog/watchdog0/state)" = "$1" ]; }
expect 'armed' active active
expect 'small' [ "$(sed -n 's/^VmPeak:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$(going)/status")" -le 1024 ]
echo -500 >/proc/$(going)/oom_score_adj
service late 'cmd=sleep 10000'
soon '[ "$(state late state)" = up ]'
expect 'score of a child' [ "$(cat /proc/$(state late pid)/oom_score_adj)" = 0 ]
expect 'score of its own' [ "$(cat /proc/$(going)/oom_score_adj)" = -500 ]
rm /etc/going.d/late
soon '[ ! -e /run/going/late ]'

# Killed and respawned: the dog stays armed in between. Its queue of events now has room for one.
grep . /run/going/* >/tmp/before
echo 1 >/proc/sys/fs/inotify/max_queued_events
old=$(going)
kill -KILL $old
soon '[ "$(going)" != $old ] && going'
sleep 6
grep . /run/going/* >/tmp/after
expect 'taken over' cmp /tmp/before /tmp/after

# An upgrade in place.
kill -USR2 "$(going)"
sleep 6
expect 'upgraded' active active
grep . /run/going/* >/tmp/after
expect 'still taken over' cmp /tmp/before /tmp/after

# Many changes at once, while it cannot read any.
kill -STOP "$(going)"
for n in 1 2 3 4 5 6 7 8 9; do rm /etc/going.d/web$n; service new$n 'cmd=sleep 10000'; done
kill -CONT "$(going)"
changed() { [ ! -e /run/going/web9 ] && [ "$(state new9 state)" = up ] && all_up; }
expect 'overflow' soon changed
kill -STOP "$(going)"
for n in 1 2 3 4 5 6 7 8 9; do rm /etc/going.d/new$n; service web$n 'cmd=sleep 10000'; done
kill -CONT "$(going)"
changed() { [ ! -e /run/going/new9 ] && [ "$(state web9 state)" = up ] && all_up; }
expect 'overflow again' soon changed

# One that is critical fails. For two seconds nobody feeds; then its file is mended.
service db 'cmd=false' 'retries=3' 'critical=yes'
expect 'critical failed' soon '[ "$(state db state)" = failed ]'
sleep 1.5
service db 'cmd=sleep 10000' 'retries=3' 'critical=yes'
sleep 6
expect 'mended' [ "$(state db state)" = up ]
service plain 'cmd=false' 'retries=3'
expect 'failed without being critical' soon '[ "$(state plain state)" = failed ]'
sleep 6
rm /etc/going.d/plain /etc/going.d/db

# Init is told to do without going. One service needs longer than the dog's patience.
service deaf "cmd=sh -c \"trap '' TERM; while :; do sleep 0.2; done\"" 'stop=TERM 6'
soon '[ "$(state deaf state)" = up ]'
sleep 0.5
before=$(now)
: >/etc/inittab
kill -HUP 1
expect 'gone' soon '! going && [ -z "$(ls /run/going)" ]'
expect 'but not before its services' [ $(($(now) - before)) -ge 600 ]
expect 'disarmed' active inactive
sleep 8
expect 'still there' true
poweroff -f
END
}

@test "a cold boot has fifty services up within ten seconds of init, in emulation" {
  healthy
  ok 'all are up'
  ok 'the last one after [0-9]+ ticks'
}

@test "in a real machine going keeps to its memory, and its score, and a service's is 0" {
  healthy
  ok small
  ok 'score of a child'
  ok 'score of its own'
}

@test "a machine whose going is killed, or upgraded, stays up under its watchdog, and so do the services" {
  healthy
  ok armed
  said 'watchdog did not stop!'
  ok 'taken over'
  ok upgraded
  ok 'still taken over'
  stayed_up
}

@test "changes are seen though the kernel has dropped their events" {
  healthy
  ok overflow
  ok 'overflow again'
}

@test "a critical service that is mended in time, or one that is not critical, costs no restart" {
  healthy
  ok 'critical failed'
  ok mended
  ok 'failed without being critical'
  stayed_up
}

@test "a going that is told to end stops its services and disarms the watchdog" {
  healthy
  ok gone
  ok 'but not before its services'
  ok disarmed
  ok 'still there'
  stayed_up
}

# ---- a machine whose clock somebody sets, to the past and to the future

clock() {
  guest clock <<'END'
cat >/etc/tick <<'TICK' # lives for a second, and is to be quarantined for two
read -r uptime _ </proc/uptime
echo "${uptime%.*}${uptime#*.}" >>/tmp/ticks
exec sleep 1
TICK
cat >/etc/deaf <<'DEAF'
trap '' TERM
echo >/tmp/deaf
while :; do sleep 0.1; done
DEAF
service web 'cmd=sleep 10000'
service tick 'cmd=sh /etc/tick' 'backoff=2 2'
soon '[ "$(state web state)" = up ]'
cp /run/going/web /tmp/web
ticks() { wc -l </tmp/ticks; }
soon '[ "$(ticks)" = 3 ]'
for date in 2001-01-01 2037-12-31 2076-11-21; do
  service deaf 'cmd=sh /etc/deaf' 'stop=TERM 2'
  soon '[ -e /tmp/deaf ]'
  rm /tmp/deaf /etc/going.d/deaf
  soon '[ "$(state deaf state)" = stopping ]'
  before=$(now) after=$(($(ticks) + 3))
  date -s "$date 12:00"
  soon '[ ! -e /run/going/deaf ]'
  took=$(($(now) - before))
  expect "killed in $date after $took" [ $took -gt 150 -a $took -lt 500 ]
  soon "[ \"\$(ticks)\" = $after ]"
done
rm /etc/going.d/tick
early=0 late=0 count=0 last=
while read -r tick; do
  count=$((count + 1)) gap=$((tick - ${last:-0})) last=$tick
  [ $count -gt 2 ] || continue # there was none before, and the first exit is answered at once
  [ $gap -ge 300 ] || early=$gap
  [ $gap -le 500 ] || late=$gap
done </tmp/ticks
expect "$count ticks" [ "$count" -ge 12 ]
expect "early $early" [ "$early" = 0 ]
expect "late $late" [ "$late" = 0 ]
expect 'web is the same' cmp /tmp/web /run/going/web

# A boot with a clock that stood still: back to the past, and a new going.
date -s '2001-01-01 00:00'
old=$(going)
kill -KILL $old
soon '[ "$(going)" != $old ] && going'
sleep 2
expect 'web is taken over' cmp /tmp/web /run/going/web
touch /etc/going.d/web
soon '[ "$(state web starts)" = 2 ]'
expect 'web is touched' [ "$(state web starts) $(state web state)" = '2 up' ]
poweroff # as its owner does
sleep 20
END
}

@test "quarantine and a stop's patience last as long as they should, whatever the clock says" {
  clock
  for year in 2001 2037 2076; do ok "killed in $year.*"; done
  ok '[0-9]+ ticks'
  ok 'early 0'
  ok 'late 0'
}

@test "a service does not notice that the clock is set, and its machine stays up" {
  clock
  ok 'web is the same'
  ok 'web is taken over'
  ok 'web is touched'
  stayed_up
}

@test "a machine that is powered off ends its services first, and is not restarted by its watchdog" {
  clock
  said 'web: killed by signal 15 after .*, stopped'
  stayed_up
}

# ---- machines that are to be restarted

frozen() {
  guest frozen <<'END'
service web 'cmd=sleep 10000'
expect 'up' soon '[ "$(state web state)" = up ]'
sleep 6
expect 'fed' kill -STOP "$(going)"
sleep 30
expect 'survived' true
poweroff -f
END
}

@test "a going that hangs restarts the machine" {
  frozen
  ok up
  ok fed
  fired
}

gone() {
  guest gone <<'END'
service web 'cmd=sleep 10000'
soon '[ "$(state web state)" = up ]'
sleep 6
rm /sbin/going
expect 'fed' kill -KILL "$(going)"
expect 'web lives' soon '! going && kill -0 "$(state web pid)"'
sleep 30
poweroff -f
END
}

@test "a going that is killed and cannot be started again restarts the machine" {
  gone
  ok fed
  ok 'web lives'
  fired
}

critical() {
  guest critical <<'END'
service db 'cmd=sh -c "sleep 9; exit 1"' 'retries=1' 'critical=yes'
service web 'cmd=sleep 10000'
expect 'up' soon '[ "$(state web state) $(state db state)" = "up up" ]'
sleep 6
expect 'still up' [ "$(state db state)" = up ]
expect 'failed' soon '[ "$(state db state)" = failed ]'
sleep 30
poweroff -f
END
}

@test "a critical service that has failed restarts the machine" {
  critical
  ok up
  ok 'still up'
  ok failed
  fired
}

farewell() {
  guest farewell <<'END'
service db 'cmd=false' 'retries=2' 'critical=yes'
expect 'failed' soon '[ "$(state db state)" = failed ]'
: >/etc/inittab
kill -HUP 1
expect 'gone' soon '! going && [ -z "$(ls /run/going)" ]'
sleep 30
poweroff -f
END
}

@test "a going that is told to end does not disarm the watchdog when a critical service has failed" {
  farewell
  ok failed
  ok gone
  fired
}

# ---- watchdogs of another kind

softdog() {
  MODULE='softdog soft_margin=4' guest softdog <<'END'
active() { [ "$(cat /sys/class/watchdog/watchdog0/state)" = "$1" ]; }
service web 'cmd=sleep 10000'
soon '[ "$(state web state)" = up ]'
expect 'armed' soon 'active active'
sleep 10
expect 'fed' true
old=$(going)
kill -KILL $old
soon '[ "$(going)" != $old ] && going'
sleep 10
expect 'respawned' active active
mv /etc/inittab /etc/inittab.off
: >/etc/inittab
kill -HUP 1
expect 'disarmed' soon '! going && active inactive'
sleep 10
mv /etc/inittab.off /etc/inittab
kill -HUP 1
expect 'armed again' soon 'going && active active'
kill -STOP "$(going)"
sleep 30
expect 'survived' true
poweroff -f
END
}

@test "the kernel's own softdog is fed, disarmed and armed again in the same way" {
  softdog
  ok armed
  ok fed
  ok respawned
  ok disarmed
  ok 'armed again'
}

@test "the kernel's own softdog restarts the machine of a going that hangs" {
  softdog
  said 'softdog: Initiating system reboot'
  event SHUTDOWN guest-reset
  not grep 'ok survived' "$SERIAL"
}

absent() {
  MODULE='' guest absent <<'END'
active() { [ "$(cat /sys/class/watchdog/watchdog0/state)" = "$1" ]; }
service web 'cmd=sleep 10000'
soon '[ "$(state web state)" = up ]'
old=$(going)
sleep 3
exec 5>/tmp/hold
insmod /etc/i6300esb.ko heartbeat=4
expect 'found' soon 'active active'
sleep 6

# The driver is taken away from it and given back. The hardware goes on counting.
cd '/sys/bus/pci/drivers/i6300ESB timer'
device=$(ls -d 0000:*)
echo "$device" >unbind
sleep 0.5
echo "$device" >bind
expect 'found again' soon 'active active'
sleep 10
expect 'fed again' true
expect 'the same going' [ "$(going)" = "$old" ]
poweroff -f
END
}

@test "a watchdog that comes late, or goes away and comes back, is found and fed" {
  absent
  ok found
  ok 'found again'
  ok 'fed again'
  ok 'the same going'
  stayed_up
  [ "$(grep -c 'cannot feed /dev/watchdog: No such file' "$SERIAL")" -le 2 ] # said once each
}

evicted() {
  guest evicted <<'END'
service web 'cmd=sleep 10000'
service crash 'cmd=sh -c "sleep 0.5; exit 1"' 'backoff=0.5 0.5'
expect 'up' soon '[ "$(state web state)" = up ]'
web=$(state web pid)
rm -rf /run/going
echo >/run/going
sleep 8
expect 'lives' kill -0 "$web"
rm /run/going
expect 'seen again' soon '[ "$(state web pid)" = "$web" ]'
sleep 6
poweroff -f
END
}

@test "somebody who puts something else in the place of the runtime directory costs no restart" {
  evicted
  ok up
  ok lives
  ok 'seen again'
  stayed_up
}

# To find the last of many users takes each start a moment, and fifty of them longer than the dog's
# patience.
storm() {
  guest storm <<'END'
echo web:x:60000:0::/:/bin/sh >/etc/passwd
n=0
while [ $((n += 1)) -le 50 ]; do service web$n 'cmd=sleep 10000' 'user=web'; done
all_up() { [ "$(grep -l "state=up .*starts=$1 " /run/going/* | wc -l)" = 50 ]; }
expect 'all up' soon 'all_up 1'
awk 'BEGIN { for (n = 1; n < 60000; n++) printf "user%d:x:%d:0::/:/bin/sh\n", n, n }' </dev/null >/etc/new
cat /etc/passwd >>/etc/new
mv /etc/new /etc/passwd
before=$(now)
killall -KILL sleep
expect "all up again" soon "all_up 2" 100
took=$(($(now) - before))
expect "after $took ticks" [ $took -gt 400 ]
poweroff -f
END
}

@test "many services that end at once, and are slow to start, do not keep it from feeding" {
  storm
  ok 'all up'
  ok 'all up again'
  ok 'after [0-9]+ ticks'
  stayed_up
}
