# The first half of the cookbook, cooked: each recipe is put into a machine as it stands.
load helper
load machine

teardown() {
  machine_stop
  # without version 2, the first of them is a plain directory
  if [ ! -e /sys/fs/cgroup/cgroup.controllers ]; then rm -rf /sys/fs/cgroup/web; fi
  rmdir /sys/fs/cgroup/web /sys/fs/cgroup/pids/web 2>/dev/null || :
}

# What /proc knows of a service, sooner or later.
assert_proc() { # NAME FILE REGEX
  wait_until "grep -Eq -e '$3' \$ROOT/proc/\$(pid_of $1)/$2"
}

assert_env() { # NAME VARIABLE=VALUE
  wait_until "tr '\\0' '\n' <\$ROOT/proc/\$(pid_of $1)/environ | grep -qx '$2'"
}

# A service is up before the tool on its way has executed the real command.
is_running() { # NAME WORD...
  wait_until "[ \"\$(tr '\\0' ' ' <\$ROOT/proc/\$(pid_of $1)/cmdline)\" = '${*:2} ' ]"
}

fetch() { on busybox wget -qO- "http://127.0.0.1:$1" 2>&1; }

httpd='busybox httpd -f -p 8080 -h /srv'

@test "Limits on memory and descriptors" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION"
  is_running web $httpd
  assert_proc web limits '^Max open files +4096 +4096'
  assert_proc web limits '^Max address space +300000000 +300000000'
}

@test "Limits in the way of daemontools" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION"
  is_running web $httpd
  assert_proc web limits '^Max open files +64 '
  assert_proc web limits '^Max address space +50000000 '
  assert_proc web limits '^Max data size +50000000 '
}

@test "Limits on all processes of a service together" {
  local name=web group=/sys/fs/cgroup/web
  machine_start
  recipe "$BATS_TEST_DESCRIPTION"
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    step 1
    on touch /etc/going.d/web
  else
    name=web-1 group=/sys/fs/cgroup/pids/web
    wait_until '[ "$(state web exit)" = 1 ]'
    rm "$D/web"
  fi
  is_running "$name" $httpd
  on grep -qx "$(pid_of "$name")" "$group/cgroup.procs"
  run on sh -c "exec >/dev/null 2>&1; echo \$\$ >$group/cgroup.procs; for n in 1 2 3 4 5 6 7 8; do sleep 9 & done"
  [ "$status" -eq 0 ]
  run on sh -c "exec >/dev/null 2>&1; echo \$\$ >$group/cgroup.procs; sleep 9 & sleep 9 &"
  [ "$status" -ne 0 ]
}

@test "The first to be killed when memory is out" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION"
  is_running cache $httpd
  assert_proc cache oom_score_adj '^500$'
}

@test "Less processor and disk time" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION"
  is_running web $httpd
  [ "$(on ps -o ni= -p "$(pid_of web)" | tr -d ' ')" = 10 ]
  [ "$(on ionice -p "$(pid_of web)")" = idle ]
}

@test "Real-time priority" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION"
  is_running web $httpd
  on chrt -p "$(pid_of web)" | grep 'priority: 10$'
  on chrt -p "$(pid_of web)" | grep 'policy: SCHED_FIFO$'
}

@test "Bound to one processor" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION"
  is_running web $httpd
  assert_proc web status '^Cpus_allowed_list:	0$'
}

@test "Environment from a directory" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION"
  step 1
  is_running web $httpd
  assert_proc web status '^Uid:	33	33	33	33$'
  assert_env web TZ=Europe/Paris
  not on setuidgid www-data cat /etc/web.env/TOKEN
  local before=$(pid_of web)
  step 2
  wait_until "[ '$before' != \"\$(pid_of web)\" ]"
  is_running web $httpd
  assert_env web TZ=Asia/Tokyo
  assert_env web TOKEN=correct-horse
}

@test "A root directory of its own" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION"
  step 1
  is_running web /bin/busybox httpd -f -p 8080 -h /www
  [ "$(on readlink "/proc/$(pid_of web)/root")" = /srv/jail ]
  assert_proc web status '^Uid:	33	33	33	33$'
  wait_until '[ "$(fetch 8080)" = hello ]'
}

@test "No way to gain rights" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION"
  is_running web $httpd
  assert_proc web status '^NoNewPrivs:	1$'
}

@test "A port below 1024 without root" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION"
  is_running web busybox httpd -f -p 80 -h /srv
  assert_proc web status '^Uid:	33	33	33	33$'
  assert_proc web status '^Groups:	33 $'
  assert_proc web status '^CapEff:	0+400$'
  echo hello >"$ROOT/srv/index.html"
  wait_until '[ "$(fetch 80)" = hello ]'
}

@test "Root without most of its rights" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION"
  is_running web busybox httpd -f -p 80 -h /srv
  assert_proc web status '^Uid:	0	0	0	0$'
  assert_proc web status '^CapEff:	0+4c0$'
  echo hello >"$ROOT/srv/index.html"
  wait_until '[ "$(fetch 80)" = hello ]'
}

@test "Without a network" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION"
  is_running parser socat UNIX-LISTEN:/tmp/parser,fork EXEC:cat
  [ "$(on readlink "/proc/$(pid_of parser)/ns/net")" != "$(on readlink /proc/1/ns/net)" ]
  assert_proc parser status '^Uid:	65534'
  [ "$(on nsenter --net --target "$(pid_of parser)" busybox ip -o link | wc -l)" = 1 ]
  wait_until '[ "$(echo hello | on socat - UNIX:/tmp/parser)" = hello ]'
}

@test "A /tmp of its own" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION"
  is_running web busybox httpd -f -p 8080 -h /tmp
  on touch /tmp/seen-by-all
  wait_until 'fetch 8080 | grep -q 404'
  not [ -e "$ROOT/proc/$(pid_of web)/root/tmp/seen-by-all" ]
  echo hello >"$ROOT/proc/$(pid_of web)/root/tmp/index.html"
  [ "$(fetch 8080)" = hello ]
  not [ -e "$ROOT/tmp/index.html" ]
}

@test "Nothing left behind" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION"
  is_up web
  wait_until 'fetch 8080 | grep -q 404'
  on nsenter --pid --target "$(on pgrep -x -P "$(pid_of web)" sh)" setsid sleep 12345 &
  wait_until "on pgrep -f 'sleep 12345'"
  # not the default of 10 seconds: it is TERM that ends it, not KILL
  rm "$D/web"
  assert_message 'web: exited with .* after [0-4][.].*stopped'
  wait_until "not on pgrep -f 'sleep 12345'"
  not on pgrep -f 'busybox httpd'
}

@test "A file system that it cannot write to" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION"
  is_running web $httpd
  run on nsenter --mount --root --target "$(pid_of web)" touch /srv/file
  [[ $output == *'Read-only file system' ]]
  on nsenter --mount --root --target "$(pid_of web)" touch /run/file
  on touch /srv/file
}

@test "Files that others cannot read" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION"
  is_running web $httpd
  assert_proc web status '^Umask:	0077$'
}

@test "A job that must not hang" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION"
  wait_until '[ "$(state fetch exit)" = 124 ]'
  is_running fetch timeout --kill-after=5 2 socat -u TCP-LISTEN:7000 OPEN:/srv/news,creat,trunc
  wait_until 'echo news | on socat -u - TCP:127.0.0.1:7000'
  wait_until '[ "$(state fetch state)" = done ]'
  [ "$(cat "$ROOT/srv/news")" = news ]
}

@test "Never two at once" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION"
  is_up fax
  is_up voice
  wait_until '{ cat $ROOT/proc/$(pid_of fax)/comm $ROOT/proc/$(pid_of voice)/comm; } |
    sort | tr "\n" " " | grep -qx "busybox flock "'
  local first=fax second=voice
  grep -q busybox "$ROOT/proc/$(pid_of voice)/comm" && first=voice second=fax
  assert_proc $second comm flock
  rm "$D/$first"
  assert_proc $second comm busybox
}

# The web server says a line for each request.
speak() { # [PATH]
  wait_until "on busybox wget -qO- 'http://127.0.0.1:8080/$1' 2>&1 | grep -q -e 404 -e hello"
}

assert_file() { # FILE REGEX
  wait_until "grep -Eq -e '$2' '$ROOT$1'"
}

@test "Words into a file" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION"
  is_running web busybox httpd -f -v -p 8080 -h /srv
  speak
  assert_file /var/log/web.log response:404
  assert_proc web status '^Uid:	33'
}

@test "Words into syslog" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION" 1
  is_up web-log
  on mv /etc/going.d/web-log /etc/going.d/web-log.off
  wait_until 'not [ -e "$R/web-log" ]'
  speak # into the pipe, where it waits for the logger
  on mv /etc/going.d/web-log.off /etc/going.d/web-log
  assert_message 'daemon.info web: .*response:404'
}

@test "FIFOs made at boot" {
  blocks "$BATS_TEST_DESCRIPTION"
  mapfile -t lines <"$BATS_TEST_TMPDIR/blocks/01"
  machine_start "${lines[@]}"
  wait_until '[ -p "$ROOT/run/web.fifo" ]'
  [ "$(stat -c %a "$ROOT/run/web.fifo")" = 600 ]
  wait_until '[ -d "$R" ]'
}

@test "Errors apart from the rest" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION" 1
  is_up web-errors
  speak
  assert_message 'daemon.err web: .*response:404'
}

# What the loggers that rotate have in common: enough lines make an old file, old files are
# limited, and the last line is not lost when the logger is restarted.
rotates() { # DIRECTORY OLD-FILES TIME
  is_running web busybox httpd -f -v -p 8080 -h /srv
  is_up web-log
  speak
  assert_file "$1/current" "^$3 .*response:404"
  local before
  before=$(pid_of web-log)
  on touch /etc/going.d/web-log
  wait_until "[ '$before' != \"\$(pid_of web-log)\" ]"
  is_up web-log
  for _ in 1 2 3 4 5 6 7; do
    on sh -c 'yes "a line that is there again and again" | head -c 4096 >/var/lib/web.fifo'
  done
  wait_until "[ \$(ls \$ROOT$1 | grep -c '^@') -eq $2 ]"
}

@test "Logs that rotate themselves, with svlogd" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION" 1
  rotates /var/log/web 5 '20[0-9-]+_[0-9:.]+'
}

@test "Logs that rotate themselves, with multilog" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION" 1
  is_up web
  speak
  assert_file /var/log/web/current response:404
  step 2 | grep -E '^20[0-9-]+ [0-9:.]+ .*response:404'
  rotates /var/log/web 4 @[0-9a-f]+
}

@test "Logs that rotate themselves, with s6-log" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION" 1
  rotates /var/log/web 5 '20[0-9-]+ [0-9:.]+'
}

@test "Only the lines that matter" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION" 1
  is_up web
  echo hello >"$ROOT/srv/index.html"
  speak
  speak missing
  assert_file /var/log/web/current response:404
  not grep -q response:200 "$ROOT/var/log/web/current"
}

@test "Rotation of a log file while the service runs" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION"
  is_up web
  local pid=$(pid_of web)
  speak
  assert_file /var/log/web.log response:404
  step 1
  assert_file /var/log/web.log.1 response:404
  [ ! -s "$ROOT/var/log/web.log" ]
  echo hello >"$ROOT/srv/index.html"
  speak
  assert_file /var/log/web.log '^.{0,60}response:200' # no hole before it
  [ "$pid" = "$(pid_of web)" ]
}

@test "Rotation of a log file with a restart" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION"
  is_up web
  local pid=$(pid_of web)
  speak
  assert_file /var/log/web.log response:404
  step 1
  assert_file /var/log/web.log.1 response:404
  wait_until "is_up web && [ '$pid' != \"\$(pid_of web)\" ]"
  echo hello >"$ROOT/srv/index.html"
  speak
  assert_file /var/log/web.log response:200
  not grep -q response:200 "$ROOT/var/log/web.log.1"
  step 1
  assert_file /var/log/web.log.1 response:200
  [ -s "$ROOT/var/log/web.log.2.gz" ]
}

@test "Variables and shell syntax" {
  machine_start
  on mkdir -p /var/www
  recipe "$BATS_TEST_DESCRIPTION"
  is_running web busybox httpd -f -p 8080 -h /var/www
}

@test "Settings from /etc/default" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION"
  is_running web busybox httpd -f -p 8080 -h /srv
  assert_env web LANG=C.UTF-8
}

@test "Clean up before each start" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION"
  is_running echo socat UNIX-LISTEN:/run/echo.sock,fork EXEC:cat
  local before=$(pid_of echo)
  on kill -KILL "$before"
  wait_until "[ '$before' != \"\$(pid_of echo)\" ] && is_up echo"
  wait_until '[ "$(echo hello | on socat - UNIX:/run/echo.sock)" = hello ]'
}

@test "A runtime directory for a user" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION"
  wait_until '[ "$(echo hello | on socat - UNIX:/run/echo/sock)" = hello ]'
  assert_proc echo status '^Uid:	33	33	33	33$'
  assert_env echo HOME=/var/www
  [ "$(on stat -c %U /run/echo /run/echo/sock | sort -u)" = www-data ]
}

@test "Wait until something is there" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION"
  is_up web
  assert_proc web cmdline '^/bin/sh'
  not fetch 8080
  echo hello >"$ROOT/srv/index.html"
  wait_until '[ "$(fetch 8080)" = hello ]'
}

@test "Wait for a socket" {
  machine_start
  recipe "Wait until something is there"
  rm "$D/web"
  recipe "$BATS_TEST_DESCRIPTION"
  rm "$D/redis"
  wait_until 'not [ -e "$R/redis" ]'
  # a socket that nobody listens at any more
  on sh -c 'socat -u UNIX-LISTEN:/run/redis.sock,unlink-early /dev/null &
    until [ -S /run/redis.sock ]; do sleep 0.02; done; kill -KILL $!'
  on touch /etc/going.d/bridge
  is_up bridge
  assert_proc bridge cmdline '^/bin/sh'
  recipe "$BATS_TEST_DESCRIPTION"
  wait_until '[ "$(on redis-cli -p 7000 ping)" = PONG ]'
}

@test "Wait for a port" {
  machine_start
  recipe "Wait until something is there"
  rm "$D/web"
  recipe "$BATS_TEST_DESCRIPTION"
  on mv /etc/going.d/web /etc/going.d/web.off
  on touch /etc/going.d/bridge
  wait_until 'not [ -e "$R/web" ]'
  is_up bridge
  assert_proc bridge cmdline '^/bin/sh'
  echo hello >"$ROOT/srv/index.html"
  on mv /etc/going.d/web.off /etc/going.d/web
  wait_until '[ "$(fetch 7000)" = hello ]'
}

@test "Wait for a database" {
  machine_start
  recipe "Wait until something is there"
  rm "$D/web"
  recipe "$BATS_TEST_DESCRIPTION"
  on mv /etc/going.d/redis /etc/going.d/redis.off
  wait_until 'not [ -e "$R/redis" ]'
  on touch /etc/going.d/web
  is_up web
  assert_proc web cmdline '^/bin/sh'
  on mv /etc/going.d/redis.off /etc/going.d/redis
  is_running web $httpd
  [ "$(on redis-cli ping)" = PONG ]
}

@test "Wait for the network" {
  machine_start
  recipe "Wait until something is there"
  rm "$D/web"
  recipe "$BATS_TEST_DESCRIPTION"
  is_up web
  assert_proc web cmdline '^/bin/sh'
  on busybox ip route add default dev lo
  is_running web $httpd
}

@test "A job that is done before others start" {
  machine_start
  recipe "Wait until something is there"
  rm "$D/web"
  rmdir "$ROOT/srv" # so that the job fails
  recipe "$BATS_TEST_DESCRIPTION"
  is_up web
  wait_until '[ "$(state migrate exit)" = 2 ]'
  assert_proc web cmdline '^/bin/sh'
  mkdir "$ROOT/srv"
  is_running web $httpd
  [ "$(state migrate state)" = done ]
}

@test "Once at every boot" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION"
  wait_until '[ "$(state boot-log state)" = done ]'
  local before=$(on pidof going)
  on kill -KILL "$before"
  wait_until "on pidof going | grep -vqw '$before'"
  service other cmd=true
  wait_until '[ -e "$R/other" ]'
  [ "$(state boot-log state)" = done ]
  [ "$(wc -l <"$ROOT/var/log/boots")" -eq 1 ]
}

@test "Daemons that can stay in the foreground" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION"
  is_running cron cron -f
  [ "$(state cron starts)" = 1 ]
}

@test "Daemons that insist on the background" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION"
  wait_until 'on pgrep -x cron && on pgrep -x pidwait'
  local daemon
  daemon=$(on pgrep -x cron)
  # one that ends is started again
  on kill "$daemon"
  wait_until "on pgrep -x cron | grep -vx $daemon && on pgrep -x pidwait"
  daemon=$(on pgrep -x cron)
  # one whose script is killed is not started twice
  on kill -KILL "$(pid_of cron)"
  wait_until '[ "$(state cron starts)" = 3 ] && on pgrep -x pidwait'
  [ "$(on pgrep -x cron)" = "$daemon" ]
  # and it is stopped with its service
  rm "$D/cron"
  wait_until 'not on pgrep -x cron && not [ -e "$R/cron" ]'
  assert_message 'cron: exited with .* stopped'
}

@test "Take over a process that runs already" {
  machine_start
  on redis-server --daemonize yes --save '' --pidfile /run/old.pid >/dev/null
  wait_until '[ "$(on redis-cli ping)" = PONG ]'
  local old
  old=$(on pidof redis-server)
  recipe "$BATS_TEST_DESCRIPTION"
  is_up redis
  wait_until 'on pgrep -x pidwait'
  [ "$(on pidof redis-server)" = "$old" ]
  on kill "$old"
  wait_until 'on pidof redis-server | grep -qx "$(pid_of redis)"'
  [ "$(state redis starts)" = 1 ]
}

@test "A program that ends when its input ends" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION" 1
  is_up calculator
  step 2
  assert_file /var/log/calculator '^42$'
  step 2
  wait_until '[ "$(grep -c 42 "$ROOT/var/log/calculator")" -eq 2 ]'
  [ "$(state calculator starts)" = 1 ]
}

@test "A service for every program of a directory" {
  machine_start
  mkdir -p "$ROOT/opt/services"
  printf '#!/bin/sh\nexec sleep 1000\n' | tee "$ROOT/opt/services/one" >"$ROOT/opt/services/two.sh"
  chmod 755 "$ROOT"/opt/services/*
  recipe "$BATS_TEST_DESCRIPTION" 1
  is_running one sleep 1000
  is_running two sleep 1000
}

@test "Many services from one template" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION" 1
  is_running web-8081 busybox httpd -f -p 8081 -h /srv
  is_running web-8082 busybox httpd -f -p 8082 -h /srv
  is_running web-8083 busybox httpd -f -p 8083 -h /srv
  [ "$(ls "$R")" = "$(printf '%s\n' web-8081 web-8082 web-8083)" ]
}

@test "A Procfile" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION" 1
  is_running shop-web busybox httpd -f -p 8080 -h .
  is_running shop-clock sleep 1000
  [ "$(on readlink "/proc/$(pid_of shop-web)/cwd")" = /srv/shop ]
}

@test "Respawn lines of an inittab" {
  machine_start
  on sh -c 'cat >/etc/inittab' <<'END'
# a comment
si::sysinit:/etc/init.d/rcS
1:2345:respawn:/sbin/getty 38400 tty1
WE:2345:respawn:/opt/httpd -f -p 8080 -h /srv
GO:12345:respawn:/usr/local/sbin/going
END
  cp /bin/busybox "$ROOT/opt/httpd"
  recipe "$BATS_TEST_DESCRIPTION" 1
  [ "$(ls "$D")" = httpd.off ]
  [ "$(wc -l <"$ROOT/etc/inittab")" -eq 4 ]
  not grep httpd "$ROOT/etc/inittab"
  grep -x 'GO:12345:respawn:/usr/local/sbin/going' "$ROOT/etc/inittab"
  grep -x '# a comment' "$ROOT/etc/inittab"
  step 2
  is_running httpd /opt/httpd -f -p 8080 -h /srv
}

@test "Service directories of runit and daemontools" {
  machine_start
  rm -rf "$ROOT/etc/service"
  mkdir -p "$ROOT/etc/service/spare"
  : >"$ROOT/etc/service/spare/down"
  : >"$ROOT/etc/service/spare/run"
  recipe "$BATS_TEST_DESCRIPTION" 1
  is_running web busybox httpd -f -v -p 8080 -h /srv
  is_running web-log svlogd -tt /var/log/web
  speak
  assert_file /var/log/web/current response:404
  [ "$(ls "$D")" = "$(printf '%s\n' spare.off web web-log)" ]
}

@test "Jobs of a pmtr.conf" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION"
  run step 1
  [ "$output" = 'web: left out:   order 2' ]
  [ "$status" -eq 0 ]
  is_running web busybox httpd -f -p 8080 -h .
  assert_proc web status '^Uid:	33'
  [ "$(on readlink "/proc/$(pid_of web)/cwd")" = /srv ]
  assert_env web LANG=C.UTF-8
  wait_until '[ "$(state boot-log state)" = done ]'
  [ -s "$ROOT/var/log/boots" ]
  [ "$(ls "$D")" = "$(printf '%s\n' boot-log spare.off web)" ]
}

@test "Units of systemd" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION"
  run step 1
  [ "$output" = 'left out: Type=simple' ]
  is_running web busybox httpd -f -p 8080 -h /srv
  assert_proc web status '^Uid:	33'
  grep -x 'restart=always' "$D/web"
  grep -x 'stop=SIGINT 90' "$D/web"
  # and a real one, of Debian
  on from-unit /lib/systemd/system/cron.service
  is_running cron /usr/sbin/cron -f
  grep -x 'restart=on-failure' "$D/cron"
  # their own files must be good ones, and so must be one that is missing
  on sh -c 'rm /etc/default/cron && touch /etc/going.d/cron'
  wait_until '[ "$(state cron starts)" = 2 ]'
  is_running cron /usr/sbin/cron -f
  not grep 'going: [a-z]*:[0-9]' "$ROOT/var/log/messages"
}

@test "Programs of supervisord" {
  machine_start
  recipe "$BATS_TEST_DESCRIPTION"
  run step 1
  [ "$output" = 'web: left out: startsecs=5' ]
  is_running web busybox httpd -f -v -p 8080 -h .
  assert_proc web status '^Uid:	33'
  [ "$(on readlink "/proc/$(pid_of web)/cwd")" = /srv ]
  assert_env web LANG=C.UTF-8
  assert_env web TZ=Europe/Paris
  speak
  assert_file /var/log/web.log response:404
  wait_until '[ "$(state once state)" = done ]'
  [ -s "$ROOT/var/log/once" ]
  grep -x restart=always "$D/web"
  grep -x restart=never "$D/once"
}

@test "every recipe is cooked, under its own name, in the order of the page" {
  grep -h '^### ' "$COOKBOOK" | cut -c 5- >"$BATS_TEST_TMPDIR/recipes"
  sed -n 's/^@test "\(.*\)" {$/\1/p' "$BATS_TEST_FILENAME" "${BATS_TEST_FILENAME%.bats}"-machine.bats |
    grep -Fxv "$BATS_TEST_DESCRIPTION" | diff "$BATS_TEST_TMPDIR/recipes" -
  [ "$(wc -l <"$BATS_TEST_TMPDIR/recipes")" -gt 90 ]
}
