# Real parts: busybox's init as process 1, going below it, redis below going,
# in a small tree with namespaces of its own.

load helper

eval "$(declare -f setup | sed '1s/setup/begin_the_world/')"
eval "$(declare -f teardown | sed '1s/teardown/end_the_world/')"

setup() {
  begin_the_world
  SPACE=
  needs_root
  plant_tree redis
  LOG=$TREE/var/log
  echo '::respawn:/etc/going -d /etc/going.d -r /run/going' >"$TREE/etc/inittab"
  : >"$LOG"
}

teardown() {
  [ -z "$SPACE" ] || kill -KILL "$SPACE" 2>/dev/null || : # and all in it
  [ -z "$SPACE" ] || wait_until 'dead $SPACE'
  end_the_world
}

# The tree is read-only but for what a system writes; the mounts end with it.
boot() {
  export TREE
  unshare --pid --fork --kill-child=KILL --mount --propagation private sh -c '
    for dir in usr bin sbin lib lib64; do
      [ ! -d "/$dir" ] || [ -L "/$dir" ] || { mkdir -p "$TREE/$dir" &&
        mount --rbind "/$dir" "$TREE/$dir" && mount -o remount,bind,ro "$TREE/$dir"; } || exit 9
    done
    if [ -e /etc/ld.so.cache ]; then cp /etc/ld.so.cache "$TREE/etc"; fi
    mount -t proc proc "$TREE/proc" && mount -t tmpfs none "$TREE/dev" || exit 9
    for node in null zero urandom; do
      : >"$TREE/dev/$node" && mount --bind "/dev/$node" "$TREE/dev/$node" || exit 9
    done
    exec chroot "$TREE" /etc/busybox init' \
    </dev/null >>"$LOG" 2>&1 3>&- &
  SPACE=$!
  wait_until 'INIT=$(ps -o pid= --ppid $SPACE | tr -d " ") && [ -n "$INIT" ]'
  wait_until '[ "$(readlink /proc/$INIT/root)" = "$(realpath "$TREE")" ]'
}

# Runs in there. The pids of state files are those in there, too.
inside() { nsenter --target "$INIT" --pid --mount --root --wd=/ "$@"; }
going_pid() { inside /etc/busybox pidof going; }
redis() { redis-cli -s "$TREE/run/redis.sock" "$@" 2>/dev/null; }
answers() { [ "$(redis ping)" = PONG ]; }

redis_service() {
  service redis 'cmd=redis-server --port 0 --unixsocket /run/redis.sock --unixsocketperm 777 --save "" --daemonize no --dir /run' \
    'stdout=/var/redis' "$@"
}

@test "init starts going, going starts redis, and redis answers its client" {
  redis_service
  boot
  wait_until answers
  [ "$(redis set a 1)" = OK ]
  [ "$(redis get a)" = 1 ]
  [ "$(inside readlink "/proc/$(pid_of redis)/exe")" = "$(realpath "$(command -v redis-server)")" ] ||
    [[ $(inside cat "/proc/$(pid_of redis)/comm") == redis-server* ]]
}

@test "redis survives a killed going with its data, and comes back after a KILL of its own" {
  redis_service
  boot
  wait_until answers
  redis set a 1
  pid=$(pid_of redis) going=$(going_pid)
  inside /etc/busybox kill -KILL "$going"
  wait_until '[ "$(going_pid)" != "$going" ] && [ -n "$(going_pid)" ]'
  assert_log "redis: taken over as $pid"
  [ "$(pid_of redis)" = "$pid" ]
  [ "$(redis get a)" = 1 ]
  inside /etc/busybox kill -KILL "$pid"
  wait_until "[ -n \"\$(pid_of redis)\" ] && [ \"\$(pid_of redis)\" != $pid ] && answers"
  [ -z "$(redis get a)" ] # it is another one
  service redis2 'cmd=sleep 1000' # and the directory counts
  wait_until '[ "$(state redis2 state)" = up ]'
}

@test "going that is killed ten times is started again ten times, and redis once" {
  redis_service
  boot
  wait_until answers
  pid=$(pid_of redis)
  for i in {1..10}; do
    wait_until 'going=$(going_pid)'
    inside /etc/busybox kill -KILL "$going"
    wait_until '[ "$(going_pid)" != "$going" ]'
  done
  wait_until '[ "$(grep -c "redis: taken over as" "$LOG")" -ge 1 ] && going_pid'
  answers
  [ "$(pid_of redis) $(state redis starts)" = "$pid 1" ]
}

@test "at shutdown redis ends in good order, and nothing is started again" {
  redis_service
  service web 'cmd=sleep 1000'
  boot
  wait_until answers
  wait_until '[ "$(state web state)" = up ]'
  inside /etc/busybox kill -USR2 1 || : # as poweroff does; init may end it, too
  wait_until 'dead $SPACE'
  grep -q 'Redis is now ready to exit' "$TREE/var/redis"
  [ "$(grep -c 'redis: started as' "$LOG")" = 1 ]
  [ "$(grep -c 'web: started as' "$LOG")" = 1 ]
  assert_log 'redis: exited with 0 after .*, stopped'
}

@test "init is told to do without going: redis ends in good order" {
  redis_service
  boot
  wait_until answers
  : >"$TREE/etc/inittab"
  inside /etc/busybox kill -HUP 1 # init sends TERM to going
  wait_until '[ -z "$(going_pid)" ]'
  [ -z "$(ls "$R")" ]
  not answers
  assert_log 'redis: exited with 0 after .*, stopped'
}

# As process 1 the kernel drops its signals if it has no handler for them.
@test "going itself may be process 1 of a namespace: it reaps orphans, and hears TERM" {
  service web 'cmd=sh -c "(sleep 0.05 & echo \$! >orphan); exec sleep 1000"' "cwd=$BATS_TEST_TMPDIR"
  unshare --pid --fork --kill-child=KILL --mount-proc "$GOING" -d "$D" -r "$R" \
    </dev/null 2>>"$LOG" 3>&- &
  SPACE=$!
  wait_until '[ "$(state web state)" = up ]'
  wait_until 'INIT=$(ps -o pid= --ppid $SPACE | tr -d " ") && [ -n "$INIT" ]'
  wait_until '[ -s $BATS_TEST_TMPDIR/orphan ]'
  wait_until '[ "$(ps -o comm= --ppid $INIT)" = sleep ]' # web's, and no zombie
  kill -TERM "$INIT"
  wait_until 'dead $SPACE'
  wait "$SPACE"
  [ -z "$(ls "$R")" ]
  assert_log 'web: killed by signal 15 after .*, stopped'
}
