# The two inits that going is made for, real, as process 1 of a small tree with namespaces of its
# own: busybox's, and sysvinit's, which is only unpacked. And going itself as process 1.
#
# What the inits do, measured: sysvinit starts again at once, but at its 11th start within two
# minutes it does nothing for five; it ends by TERM to going's group, and KILL after three seconds.
# busybox starts again after a second, always; it ends by TERM, and KILL after a second.

load ../helper

setup_file() {
  SYSVINIT=$(realpath "$BATS_TEST_DIRNAME/../..")/build/sysvinit
  export SYSVINIT
  [ ! -x "$SYSVINIT/sbin/init" ] || return 0
  mkdir -p "$SYSVINIT"
  cd "$SYSVINIT" # installed, it would be this machine's own init
  apt-get -o APT::Sandbox::User=root download -qq sysvinit-core
  dpkg -x sysvinit-core_*.deb .
  rm sysvinit-core_*.deb
}

eval "$(declare -f setup | sed '1s/setup/begin_the_world/')"
eval "$(declare -f teardown | sed '1s/teardown/end_the_world/')"

setup() {
  begin_the_world
  SPACE=
  plant_tree
  LOG=$TREE/var/messages
  cp "$SYSVINIT/sbin/init" "$TREE/etc/init"
  : >"$LOG"
}

teardown() {
  [ -z "$SPACE" ] || kill -KILL "$SPACE" 2>/dev/null || : # and all in it
  [ -z "$SPACE" ] || wait_until 'not alive $SPACE'
  end_the_world
}

# The tree is read-only but for what a system writes; the mounts end with it.
boot() { # PROGRAM [ARGUMENT...]
  export TREE
  unshare --pid --fork --kill-child=KILL --mount --propagation private sh -euc '
    for dir in usr bin sbin lib lib64; do
      [ -d "/$dir" ] && [ ! -L "/$dir" ] || continue
      mkdir -p "$TREE/$dir"
      mount --rbind "/$dir" "$TREE/$dir"
      mount -o remount,bind,ro "$TREE/$dir"
    done
    if [ -e /etc/ld.so.cache ]; then cp /etc/ld.so.cache "$TREE/etc"; fi
    mount -t proc proc "$TREE/proc"
    mount -t tmpfs none "$TREE/dev"
    for node in null zero urandom; do
      : >"$TREE/dev/$node"
      mount --bind "/dev/$node" "$TREE/dev/$node"
    done
    exec chroot "$TREE" "$@"' sh "$@" </dev/null >>"$TREE/var/console" 2>&1 3>&- &
  SPACE=$!
  wait_until 'INIT=$(ps -o pid= --ppid $SPACE | tr -d " ") && [ -n "$INIT" ]'
  wait_until '[ "$(readlink /proc/$INIT/root)" = "$(realpath "$TREE")" ]'
}

GO='/etc/going -d /etc/going.d -r /run/going'

# The inittab of the init KIND with these entries for going, and what a system has beside it.
inittab() { # [ENTRY...]
  printf '%s\n' '/etc/busybox syslogd -O /var/messages' \
    'until [ -S /dev/log ]; do /etc/busybox usleep 10000; done' >"$TREE/etc/start"
  case $KIND in
    sysvinit)
      # What still runs is asked once init has done its own part of a shutdown.
      printf '%s\n' 'ls /run/going >/var/left' 'exec /etc/busybox reboot -f' >"$TREE/etc/halt"
      printf '%s\n' 'id:2:initdefault:' 'st::sysinit:/etc/busybox sh /etc/start' \
        'r6:06:wait:/etc/busybox sh /etc/halt' "$@" >"$TREE/etc/inittab"
      ;;
    busybox)
      printf '%s\n' '::sysinit:/etc/busybox sh /etc/start' "$@" >"$TREE/etc/inittab"
      ;;
  esac
}

entry() { # COMMAND
  case $KIND in sysvinit) echo "GO:12345:respawn:$1" ;; busybox) echo "::respawn:$1" ;; esac
}

reread() {
  case $KIND in sysvinit) inside /etc/init q ;; busybox) kill -HUP "$INIT" ;; esac
}

change_entry() { inittab "$@" && reread; } # [ENTRY]

# A machine with that init, and going under it.
machine() { # KIND
  KIND=$1
  inittab "$(entry "$GO")"
  case $KIND in sysvinit) boot /etc/init ;; busybox) boot /etc/busybox init ;; esac
  wait_until 'supervises'
}

# Runs in there. The pids of state files are those in there, too.
inside() { nsenter --target "$INIT" --pid --mount --root --wd=/ "$@" 3>&-; }
going_pid() { inside /etc/busybox pidof going; }
going_is_another() { local new; new=$(going_pid) && [[ $new =~ ^[0-9]+$ ]] && [ "$new" != "$1" ]; }
is_up() { [ "$(state "$1" state)" = up ]; }
no_going() { [ -z "$(going_pid)" ]; }
down() { not alive "$SPACE"; }

# A service that writes down its life, and takes its time to end. (When busybox takes the machine
# down, TERM comes twice, from init and from going.)
diary() { # NAME SECONDS
  cat >"$TREE/etc/diary" <<'END'
#!/etc/busybox sh
exec 2>/dev/null
trap 'trap "" TERM; echo term >>"/var/diary.$1"; /etc/busybox sleep "$2"; echo end >>"/var/diary.$1"; exit 0' TERM
echo start >>"/var/diary.$1"
while :; do /etc/busybox sleep 1000 & wait $!; done
END
  chmod 755 "$TREE/etc/diary"
  service "$1" "cmd=/etc/diary $1 $2"
}
diary_of() { tr '\n' ' ' <"$TREE/var/diary.$1"; }
begun() { [ -s "$TREE/var/diary.$1" ]; }

survives_kill() {
  diary web 0
  diary db 0
  machine "$1"
  wait_until 'begun web && begun db && is_up web && is_up db'
  web=$(<"$R/web") db=$(<"$R/db")
  for i in 1 2 3; do
    old=$(going_pid)
    inside /etc/busybox kill -KILL "$old"
    wait_until 'going_is_another $old && supervises'
  done
  service new 'cmd=/etc/busybox sleep 1000'
  wait_until 'is_up new' # it looks, so it has taken over
  [ "$(<"$R/web")" = "$web" ]
  [ "$(<"$R/db")" = "$db" ]
  [ "$(diary_of web)$(diary_of db)" = 'start start ' ]
}

@test "sysvinit starts a killed going again, and its services do not notice" {
  survives_kill sysvinit
}

@test "busybox init starts a killed going again, and its services do not notice" {
  survives_kill busybox
}

is_clean() {
  service web "cmd=/etc/busybox sh -c 'cat /proc/self/status >/var/status; ls -l /proc/self/fd >/var/fds; exec /etc/busybox sleep 1000'"
  machine "$1"
  wait_until '[ -s "$TREE/var/fds" ] && is_up web'
  [ "$(awk '/^Sig(Blk|Ign|Cgt)/ { print $2 }' "$TREE/var/status" | sort -u)" = 0000000000000000 ]
  not grep -E ' [4-9] -> ' "$TREE/var/fds" # 3 is the list itself
  [ "$(inside /etc/busybox stat -c %a /run/going /run/going/web | tr '\n' ' ')" = '755 644 ' ]
}

@test "under either init a service has default signals and no descriptor too many" {
  is_clean sysvinit
  kill -KILL "$SPACE" && wait_until down
  rm -rf "$TREE/var/fds" "$TREE/var/status" "$R" "$TREE/run/initctl"
  is_clean busybox
}

rereads() {
  diary web 0
  machine "$1"
  wait_until 'begun web && is_up web'
  old=$(going_pid) web=$(<"$R/web")
  change_entry "$(entry "$GO")"
  change_entry "$(entry "$GO")" # and once more
  service new 'cmd=/etc/busybox sleep 1000'
  wait_until 'is_up new'
  [ "$(going_pid)" = "$old" ]
  [ "$(<"$R/web")" = "$web" ]
}

@test "an inittab that is read again without a change to going's entry changes nothing: sysvinit" {
  rereads sysvinit
}

@test "an inittab that is read again without a change to going's entry changes nothing: busybox" {
  rereads busybox
}

is_removed() {
  diary web 0.3
  diary db 0.6
  machine "$1"
  wait_until 'begun web && begun db'
  change_entry
  wait_until no_going
    [ "$(diary_of web)$(diary_of db)" = 'start term end start term end ' ]
  [ -z "$(ls "$R")" ]
  alive "$INIT"
  change_entry "$(entry "$GO")"
  wait_until '[ "$(diary_of web)" = "start term end start " ]'
}

@test "sysvinit is told to do without going: its services end in good order, and come back with it" {
  is_removed sysvinit
}

@test "busybox init is told to do without going: its services end in good order, and come back with it" {
  is_removed busybox
}

@test "an entry that was edited gets another going, and the services with it: busybox" {
  diary web 0
  machine busybox
  wait_until 'begun web && is_up web'
  old=$(going_pid)
  change_entry "$(entry "$GO -w /dev/nothing")"
  wait_until 'going_is_another $old && supervises'
  wait_until '[ "$(diary_of web)" = "start term end start " ]'
  assert_log 'cannot feed /dev/nothing'
}

# sysvinit lets what runs go on, and heeds the new entry when that has ended.
@test "an entry that was edited counts for the next going, and services are taken over: sysvinit" {
  diary web 0
  machine sysvinit
  wait_until 'begun web && is_up web'
  old=$(going_pid) web=$(<"$R/web")
  change_entry "$(entry "$GO -w /dev/nothing")"
  assert_log 'Re-reading inittab'
  inside /etc/busybox kill -KILL "$old"
  assert_log 'cannot feed /dev/nothing'
  assert_log 'web: taken over as'
  [ "$(<"$R/web") $(diary_of web)" = "$web start " ]
}

# The tenth end within two minutes is one too many. sysvinit comes back to it after five, or
# when it is told to read its inittab again.
@test "sysvinit gives up on a going that is killed ten times: services live, and telinit q brings it back" {
  diary web 0
  machine sysvinit
  wait_until 'begun web && is_up web'
  web=$(<"$R/web") kills=0
  until grep -q 'respawning too fast: disabled for 5 minutes' "$LOG"; do
    old=$(going_pid) && [[ $old =~ ^[0-9]+$ ]] || continue
    inside /etc/busybox kill -KILL "$old" && kills=$((kills + 1))
    wait_until '[ "$(going_pid)" != $old ]'
    [ "$kills" -le 12 ]
  done
  [ "$kills" -ge 10 ]
  no_going
  [ "$(<"$R/web") $(diary_of web)" = "$web start " ]
  reread
  wait_until supervises
  service new 'cmd=/etc/busybox sleep 1000'
  wait_until 'is_up new'
  [ "$(<"$R/web") $(diary_of web)" = "$web start " ]
}

# ---- the machine goes down

# Many that end at the first word, and two that take some time, but less than init's patience.
goes_down() { # INIT COMMAND...
  for n in {1..20}; do
    service quick$n "cmd=/etc/busybox sh -c 'echo >>/var/quick; exec /etc/busybox sleep 1000'"
  done
  diary web 0.3
  diary db 0.6
  machine "$1"
  wait_until 'begun web && begun db && [ "$(grep -l state=up "$R"/* | wc -l)" = 22 ]'
  inside "${@:2}" || : # it may be ended by its own success
  wait_until down
    [ "$(diary_of web)$(diary_of db)" = 'start term end start term end ' ]
  [ "$(wc -l <"$TREE/var/quick")" = 20 ]
  [ -z "$(ls "$R")" ]
}

@test "sysvinit restarts the machine: every service ends in good order, and none is started again" {
  goes_down sysvinit /etc/init 6
  [ -e "$TREE/var/left" ] && [ ! -s "$TREE/var/left" ] # before the rest of the shutdown began
}

@test "sysvinit halts the machine: every service ends in good order, and none is started again" {
  goes_down sysvinit /etc/init 0
  [ -e "$TREE/var/left" ] && [ ! -s "$TREE/var/left" ]
}

@test "busybox init restarts the machine: every service ends in good order, and none is started again" {
  goes_down busybox /etc/busybox reboot
}

@test "busybox init powers the machine off: every service ends in good order, and none is started again" {
  goes_down busybox /etc/busybox poweroff
}

# sysvinit ends going by KILL when its patience is over. A service that is still busy has had its
# TERM, and is left to it; the next going finds it, and starts it again when it has ended.
@test "a service that needs longer than sysvinit's patience ends in its own time, and runs only once" {
  diary slow 4.5
  machine sysvinit
  wait_until 'begun slow && is_up slow'
  change_entry
  wait_until no_going
  [ "$(diary_of slow)" = 'start term ' ]
  [ "$(state slow state)" = stopping ]
  change_entry "$(entry "$GO")"
  assert_log "slow: taken over as $(pid_of slow)"
  wait_until '[ "$(diary_of slow)" = "start term end start " ]'
}

@test "busybox init that is to do without going waits for a service that needs long" {
  diary slow 2.5
  machine busybox
  wait_until 'begun slow && is_up slow'
  change_entry
  wait_until no_going
  [ "$(diary_of slow)" = 'start term end ' ]
  [ -z "$(ls "$R")" ]
}

# ---- an init must never see going end on its own

# Every fault has a going of its own, all under one init, for longer than ten of its respawns take.
@test "no fault of its surroundings makes going exit, so that sysvinit would give it up" {
  mkdir -p "$TREE"/etc/{bad.d,good.d} "$TREE"/run/{unsafe,full}
  printf 'cmd=true\ncolour=red\n' >"$TREE/etc/bad.d/web"
  printf 'cmd="open\n' >"$TREE/etc/bad.d/db"
  mkfifo "$TREE/etc/bad.d/fifo"
  chmod 777 "$TREE/run/unsafe"
  : >"$TREE/run/file"
  ln -s /run/nowhere "$TREE/run/link"
  ln -s loop "$TREE/etc/loop"
  faults=(
    '-d /etc/missing -r /run/r1'
    '-d /etc/passwd -r /run/r2'
    '-d /etc/loop -r /run/r3'
    '-d /etc/bad.d -r /run/r4'
    '-d /etc/good.d -r /nowhere/deep/going'
    '-d /etc/good.d -r /proc/going'
    '-d /etc/good.d -r /run/unsafe'
    '-d /etc/good.d -r /run/file'
    '-d /etc/good.d -r /run/link'
    '-d /etc/good.d -r /run/same'
    '-d /etc/good.d -r /run/same'
    '-d /etc/good.d -r /run/r5 -w /dev/nothing'
    '-d /etc/good.d -r /run/r6 -w /etc/passwd/x'
    '-d /etc/good.d -r /run/r7 -w /run'
    '-d /etc/missing -r /nowhere/going -w /dev/nothing'
  )
  KIND=sysvinit
  inittab "${faults[@]/#/"XX:2:respawn:/etc/going "}"
  awk -F : -v OFS=: '$1 == "XX" { $1 = "F" ++n } { print }' "$TREE/etc/inittab" >"$TREE/etc/new"
  mv "$TREE/etc/new" "$TREE/etc/inittab"
  boot /etc/init
  wait_until '[ "$(going_pid | wc -w)" = 15 ]'
  before=$(going_pid) end=$((SECONDS + 10))
  while [ $SECONDS -lt $end ]; do
    [ "$(going_pid)" = "$before" ]
    sleep 0.1
  done
  refute_log 'respawning too fast'

  # None of them is harmed: once the fault is mended, each does its work.
  rm -r "$TREE/etc/bad.d" "$TREE/run/file" "$TREE/etc/loop"
  mkdir -p "$TREE/nowhere/deep" "$TREE"/etc/{bad.d,missing,loop} "$TREE/run/nowhere"
  chmod 755 "$TREE/run/unsafe"
  for dir in missing loop bad.d good.d; do
    echo 'cmd=/etc/busybox sleep 1000' >"$TREE/etc/$dir/mended"
  done
  for r in run/r1 run/r3 run/r4 run/r5 run/r6 run/r7 run/unsafe run/file run/same nowhere/deep/going nowhere/going; do
    wait_until "grep -q state=up '$TREE/$r/mended'"
  done
  [ "$(going_pid)" = "$before" ]
}

@test "two entries for going are one too many, and no harm: one waits, and takes over" {
  diary web 0
  KIND=sysvinit
  inittab "G1:2:respawn:$GO" "G2:2:respawn:$GO"
  boot /etc/init
  wait_until 'begun web && is_up web'
  web=$(<"$R/web")
  wait_until '[ "$(going_pid | wc -w)" = 2 ] && grep -q "waiting for /run/going" "$LOG"'
  for i in 1 2 3; do # whoever has the lock is killed, and the other one takes over
    kill -KILL "$(awk -v end=":$(stat -c %i "$R/..lock")\$" '/FLOCK/ && $6 ~ end { print $5 }' /proc/locks)"
    wait_until '[ "$(grep -c "web: taken over" "$LOG")" -ge $i ]'
  done
  [ "$(<"$R/web") $(diary_of web)" = "$web start " ]
}

# ---- going as process 1 of a container

container() {
  unshare --pid --fork --kill-child=KILL --mount-proc "$GOING" -d "$D" -r "$R" \
    </dev/null 2>>"$LOG" 3>&- &
  SPACE=$!
  wait_until 'INIT=$(ps -o pid= --ppid $SPACE | tr -d " ") && [ -n "$INIT" ] && supervises'
}

@test "as process 1 going buries two hundred orphans, and loses no service over it" {
  service web 'cmd=sleep 1000'
  service nest "cmd=sh -c 'for i in \$(seq 200); do (setsid sleep 0.\$((i % 5)) &); done; exec sleep 1000'"
  service crash 'cmd=sh -c "sleep 0.05"' 'backoff=0'
  container
  wait_until 'is_up web && is_up nest'
  wait_until '[ "$(state crash starts)" -ge 20 ]'
  wait_until '[ "$(ps -o comm= --ppid $INIT | grep -c sleep)" -le 2 ]'
  wait_until '[ -z "$(ps -o pid= -o stat= --ppid $INIT | grep Z)" ]'
  [ "$(state web starts) $(state nest starts)" = '1 1' ]
}

@test "as process 1 going ends with 0 at TERM, or INT, and all its services before it" {
  for signal in TERM INT; do
    service web "cmd=sh -c 'trap \"echo end >>$BATS_TEST_TMPDIR/end; exit\" TERM; while :; do sleep 0.05; done'"
    service db 'cmd=sleep 1000'
    container
    wait_until 'is_up web && is_up db'
    kill -$signal "$INIT"
    wait_until down
    wait "$SPACE" # its status is going's
    [ -z "$(ls "$R")" ]
  done
  [ "$(wc -l <"$BATS_TEST_TMPDIR/end")" = 2 ]
}

@test "as process 1 going cannot be killed by its services, and executes itself again" {
  service web 'cmd=sleep 1000'
  service murder "cmd=sh -c 'kill -KILL 1; kill -SEGV 1; kill -QUIT 1; kill -HUP 1; kill -STOP 1; exec sleep 1000'"
  container
  wait_until 'is_up web && is_up murder'
  web=$(<"$R/web")
  kill -USR2 "$INIT"
  assert_log 'web: taken over as'
  service new 'cmd=sleep 1000'
  wait_until 'is_up new'
  [ "$(<"$R/web")" = "$web" ]
  kill -TERM "$INIT"
  wait_until down
  wait "$SPACE"
}

# ---- clocks that have run for long

# The clock counts from the boot; a time namespace has booted when it likes.
@test "going does its work over the 2^32nd millisecond of a clock, and in the tenth year after a boot" {
  for age in 4294962 315360000; do
    offset=$((age - $(cut -d . -f 1 /proc/uptime)))
    service tick "cmd=sh -c 'cut -d \" \" -f 1 /proc/uptime; sleep 0.3'" 'backoff=1 1' "stdout=$BATS_TEST_TMPDIR/ticks.$age"
    service web 'cmd=sleep 1000'
    unshare --time --boottime $offset --monotonic $offset --fork --kill-child=KILL "$GOING" -d "$D" -r "$R" \
      </dev/null 2>>"$LOG" 3>&- &
    SPACE=$!
    wait_until 'INIT=$(ps -o pid= --ppid $SPACE | tr -d " ") && [ -n "$INIT" ] && is_up web'
    web=$(<"$R/web")
    wait_until '[ "$(wc -l <"$BATS_TEST_TMPDIR/ticks.$age")" -ge 7 ]'
    awk -v age="$age" 'NR > 2 && ($1 - last < 1.25 || $1 - last > 4) { bad = 1 } { last = $1 }
      END { exit bad || !(last > age + 5.3 && last < age + 30) }' "$BATS_TEST_TMPDIR/ticks.$age"
    [ "$(<"$R/web")" = "$web" ]
    kill -TERM "$INIT"
    wait_until down
    [ -z "$(ls "$R")" ]
  done
}
