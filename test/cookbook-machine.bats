# The second half of the cookbook, cooked: what services may do, and the machine around them.

load cookbook

teardown() {
  machine_stop
  # without version 2, the first of them is a plain directory
  if [ ! -e /sys/fs/cgroup/cgroup.controllers ]; then rm -rf /sys/fs/cgroup/web; fi
  rmdir /sys/fs/cgroup/web /sys/fs/cgroup/pids/web 2>/dev/null || :
}

# What it may do

@test "Limits on memory and descriptors" {
  cook
  is_running web $httpd
  assert_proc web limits '^Max open files +4096 +4096'
  assert_proc web limits '^Max address space +300000000 +300000000'
}

@test "Limits on all processes of a service together" {
  local name=web group=/sys/fs/cgroup/web probe=/sys/fs/cgroup/going-test
  needs_root
  [ -e /sys/fs/cgroup/cgroup.controllers ] || probe=/sys/fs/cgroup/pids/going-test
  { mkdir "$probe" && rmdir "$probe"; } 2>/dev/null || skip 'no control groups can be made here'
  cook
  if [ ! -e /sys/fs/cgroup/cgroup.controllers ]; then
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

@test "More than its user may" {
  cook
  is_running web $httpd
  assert_proc web status '^Uid:	33	33	33	33$'
  [ "$(on ps -o ni= -p "$(pid_of web)" | tr -d ' ')" = $(($(nice) - 5)) ]
  assert_env web HOME=/var/www
  # what would be if `user` were there
  service not user=www-data 'cmd=nice -n -5 sleep 1000'
  is_running not sleep 1000
  [ "$(on ps -o ni= -p "$(pid_of not)" | tr -d ' ')" = "$(nice)" ]
}

@test "No way to gain rights" {
  cook
  is_running web $httpd
  assert_proc web status '^NoNewPrivs:	1$'
}

@test "A port below 1024 without root" {
  cook
  is_running web busybox httpd -f -p 80 -h /srv
  assert_proc web status '^Uid:	33	33	33	33$'
  assert_proc web status '^Groups:	33 $'
  assert_proc web status '^CapEff:	0+400$'
  echo hello >"$ROOT/srv/index.html"
  wait_until '[ "$(fetch 80)" = hello ]'
}

@test "Root without most of its rights" {
  cook
  is_running web busybox httpd -f -p 80 -h /srv
  assert_proc web status '^Uid:	0	0	0	0$'
  assert_proc web status '^CapEff:	0+4c0$'
  echo hello >"$ROOT/srv/index.html"
  wait_until '[ "$(fetch 80)" = hello ]'
}

@test "Files that others cannot read" {
  cook
  is_running web $httpd
  assert_proc web status '^Umask:	0077$'
}

@test "Less processor and disk time" {
  cook
  is_running web $httpd
  [ "$(on ps -o ni= -p "$(pid_of web)" | tr -d ' ')" = $(($(nice) + 10)) ]
  [ "$(on ionice -p "$(pid_of web)")" = idle ]
}

@test "The first to be killed when memory is out" {
  cook
  is_running cache $httpd
  assert_proc cache oom_score_adj '^500$'
}

@test "A root directory of its own" {
  cook
  step 1
  is_running web /bin/busybox httpd -f -p 8080 -h /www
  [ "$(on readlink "/proc/$(pid_of web)/root")" = /srv/jail ]
  assert_proc web status '^Uid:	33	33	33	33$'
  wait_until '[ "$(fetch 8080)" = hello ]'
}

@test "A /tmp of its own" {
  cook
  is_running web busybox httpd -f -p 8080 -h /tmp
  on touch /tmp/seen-by-all
  wait_until 'fetch 8080 | grep -q 404'
  not [ -e "$ROOT/proc/$(pid_of web)/root/tmp/seen-by-all" ]
  echo hello >"$ROOT/proc/$(pid_of web)/root/tmp/index.html"
  [ "$(fetch 8080)" = hello ]
  not [ -e "$ROOT/tmp/index.html" ]
}

@test "A file system that it cannot write to" {
  cook
  is_running web $httpd
  run on nsenter --mount --root --target "$(pid_of web)" touch /srv/file
  [[ $output == *'Read-only file system' ]]
  on nsenter --mount --root --target "$(pid_of web)" touch /run/file
  on touch /srv/file
}

@test "Without a network" {
  cook
  is_running parser socat UNIX-LISTEN:/tmp/parser,fork EXEC:cat
  [ "$(on readlink "/proc/$(pid_of parser)/ns/net")" != "$(on readlink /proc/1/ns/net)" ]
  assert_proc parser status '^Uid:	65534'
  [ "$(on nsenter --net --target "$(pid_of parser)" busybox ip -o link | wc -l)" = 1 ]
  wait_until '[ "$(echo hello | on socat - UNIX:/tmp/parser)" = hello ]'
}

@test "Limits in the way of daemontools" {
  cook
  is_running web $httpd
  assert_proc web limits '^Max open files +64 '
  assert_proc web limits '^Max address space +50000000 '
  assert_proc web limits '^Max data size +50000000 '
}

@test "Bound to one processor" {
  cook
  is_running web $httpd
  assert_proc web status '^Cpus_allowed_list:	0$'
}

@test "Real-time priority" {
  cook
  is_running web $httpd
  on chrt -p "$(pid_of web)" | grep 'priority: 10$'
  on chrt -p "$(pid_of web)" | grep 'policy: SCHED_FIFO$'
}

# Keeping them healthy

@test "Restart a service that hangs, by its heartbeat" {
  hurry 's/worker.alive; do sleep 1;/worker.alive; do sleep 0.1;/'
  hurry 's/worker.alive 60/worker.alive 0.5/'
  cook
  is_up worker
  is_up worker-heartbeat
  wait_until 'on test -e /run/worker.alive'
  starts=$(state worker starts)
  stays '[ "$(state worker starts)" = "$starts" ]'
  on kill -STOP -- "-$(pid_of worker)"
  assert_message 'heartbeat: worker is silent: ABRT'
  wait_until '[ "$(state worker starts)" = '$((starts + 1))' ]'
  [ "$(state worker signal)" = 6 ]
  # one that does not even heed ABRT, and whose quick exits count
  service worker "cmd=sh -c 'trap : ABRT; while :; do sleep 0.05; done'" retries=1
  wait_until '[ "$(state worker state) $(state worker signal)" = "failed 9" ]'
}

@test "Restart a service that no longer answers" {
  hurry 's/timeout 5 "/timeout 0.5 "/'
  hurry 's/EVERY=10/EVERY=0.1/'
  cook
  is_up web
  is_up web-health
  stays '[ "$(state web starts)" = 1 ]'
  on kill -STOP "$(pid_of web)"
  assert_message 'daemon.err health: web does not answer: ABRT'
  wait_until '[ "$(state web starts)" = 2 ] && [ "$(asks)" = 404 ]'
  [ "$(state web signal)" = 6 ]
  # one that does not even heed ABRT, and whose quick exits count
  service deaf "cmd=sh -c 'trap : ABRT; while :; do sleep 0.05; done'" retries=1
  is_up deaf
  service deaf-health 'cmd=health deaf false' env=EVERY=0.1
  wait_until '[ "$(state deaf state) $(state deaf signal)" = "failed 9" ]'
}

@test "Take a core dump of a service that hangs" {
  cook
  is_up web
  wait_until 'on pgrep -f "^busybox httpd"'
  step 1
  wait_until '[ "$(state web signal)" = 6 ] && [ "$(state web starts)" = 2 ]'
  read -r pattern </proc/sys/kernel/core_pattern
  [[ $pattern != core* ]] || on sh -c 'ls /srv/core*'
}

@test "Know when a service is ready, by what it says" {
  kitchen
  printf '#!/bin/sh\nsleep 0.3\necho "$2" >&"$2"\nexec sleep 1000\n' >"$ROOT/opt/app"
  chmod 755 "$ROOT/opt/app"
  recipe "$BATS_TEST_DESCRIPTION"
  step 1
  assert_file /var/log/db.log 'eady to accept connections'
  on going-ctl wait app ready 10
  # what was said by an earlier process does not count
  sed -i 's/sleep 0.3/sleep 1000/' "$ROOT/opt/app"
  on touch /etc/going.d/app
  wait_until '[ "$(state app starts)" = 2 ] && is_up app'
  run on going-ctl wait app ready 1
  [ "$status" = 1 ]
  service client 'cmd=wait-for -t 10 ready:db -- sleep 1000'
  is_running client sleep 1000
}

@test "Know when a service is ready: READY=1" {
  cook
  step 1
  on touch /etc/going.d/db
  wait_until '[ "$(state db starts)" = 2 ]'
  step 1
  on mv /etc/going.d/db-notify /etc/going.d/db-notify.off
  wait_until '[ ! -e "$R/db-notify" ]'
  on rm -f /run/db.notify
  on touch /etc/going.d/db
  wait_until '[ "$(state db starts)" = 3 ] && is_up db'
  run on going-ctl wait db ready 1
  [ "$status" = 1 ]
  on mv /etc/going.d/db-notify.off /etc/going.d/db-notify
  step 1
  [ "$(state db starts)" = 3 ]
  # the socket of a daemon with a user
  service db-notify 'cmd=notified db www-data'
  wait_until '[ "$(on stat -c %U /run/db.notify)" = www-data ]'
}

@test "Restart a service that no longer says WATCHDOG=1" {
  hurry 's/while sleep 5; do printf/while sleep 0.1; do printf/'
  hurry 's/worker.alive 20/worker.alive 1/'
  cook
  wait_until 'on test -e /run/worker.alive'
  is_up worker
  starts=$(state worker starts)
  stays '[ "$(state worker starts)" = "$starts" ]'
  on mv /etc/going.d/worker-notify /etc/going.d/worker-notify.off
  wait_until '[ "$(state worker starts)" -gt "$starts" ]'
}

@test "Restart a service when its configuration changes" {
  cook
  is_up db
  wait_until 'on pgrep -x inotifywait && on test -S /run/db.sock'
  starts=$(state db starts)
  on touch /etc/db/other.conf
  stays '[ "$(state db starts)" = "$starts" ]'
  step 1
  wait_until 'on redis-cli -s /run/db.sock config get maxmemory | grep -qx 2097152'
  [ "$(state db starts)" = $((starts + 1)) ]
  # a signal instead
  service web "cmd=sh -c 'trap \"echo HUP >>/srv/heard\" HUP; while :; do sleep 0.05; done'"
  service web-config 'cmd=restart-on-change web /etc/db /web[.]conf$ HUP'
  wait_until '[ "$(on pgrep -cx inotifywait)" = 2 ]'
  is_up web
  on sh -c 'echo new >/etc/db/web.conf'
  assert_file /srv/heard HUP
  [ "$(state web starts)" = 1 ]
}

@test "Restart a service together with the one it needs" {
  cook
  is_up db
  is_up app-with-db
  wait_until 'on pgrep -x inotifywait'
  starts=$(state app starts)
  (on kill -KILL "$(pid_of db)")
  wait_until '[ "$(state app starts)" -gt "$starts" ]'
  on mv /etc/going.d/app /etc/going.d/app.off
  on touch /etc/going.d/db
  wait_until '[ "$(state db starts)" -ge 3 ]'
  not on test -e /etc/going.d/app
}

@test "Restart a service that has grown too large" {
  hurry 's/db 100000 60/db 100000 0.2/'
  cook
  wait_until 'on redis-cli -s /run/db.sock ping'
  is_up db-memory
  starts=$(state db starts) before=$(pid_of db-memory)
  on redis-cli -s /run/db.sock setrange small 1000000 x
  on redis-cli -s /run/db.sock setrange large 120000000 x
  assert_message 'memory-watch: db has 1[0-9]{5} kB'
  wait_until '[ "$(state db starts)" -gt "$starts" ]'
  [ "$(pid_of db-memory)" = "$before" ]
}

# Telling somebody

@test "Alert somebody when a service is in trouble" {
  cook
  is_up alert-mail
  is_up alert
  wait_until '[ "$(on pgrep -cx inotifywait)" = 2 ]'
  service good 'cmd=sleep 1000'
  on touch /etc/going.d/broken
  assert_message 'daemon.alert on-trouble: broken: state=failed .*exit=1'
  wait_until 'on grep -q "^broken: state=failed" /var/mail/root'
  on grep -q "^Subject: trouble on $(hostname)$" /var/mail/root
  is_up good
  not on grep -q good /var/mail/root
}

@test "Metrics for Prometheus" {
  hurry 's/node-exporter 15$/node-exporter 0.2/'
  cook
  step 1
  is_up web
  wait_until '[ "$(state broken state)" = failed ]'
  prom=/var/lib/prometheus/node-exporter/going.prom
  wait_until 'on grep -q "^going_failed{service=\"broken\"} 1" $prom'
  on cat "$prom"
  on /usr/bin/python3 -c '
import sys
from prometheus_client.parser import text_string_to_metric_families as parse
seen = {(s.name, s.labels["service"]): s.value
        for family in parse(open(sys.argv[1]).read()) for s in family.samples}
assert seen["going_up", "web"] == 1 and seen["going_up", "broken"] == 0, seen
assert seen["going_starts_total", "web"] == 1, seen
assert seen["going_starts_total", "broken"] == 2, seen
assert seen["going_quarantined", "broken"] == 0, seen
assert len(seen) == 12, seen' "$prom"
}

@test "The state of the machine over HTTP" {
  cook
  is_up status
  wait_until 'step 1 | grep -q "^status:state=up pid=$(pid_of status) "'
}

@test "Report to another machine every ten seconds" {
  hurry 's/5140 10$/5140 0.2/'
  cook
  step 1 >"$OUT" 3>&- &
  wait_until 'grep -q "^$(hostname) .*state=up pid=$(pid_of report) " "$OUT"'
}

# Coming from another supervisor

@test "From an inittab" {
  kitchen
  on sh -c 'cat >/etc/inittab' <<'END'
::respawn:/run/syslogd -n -O /var/log/messages
::respawn:/usr/local/sbin/going
tty1::respawn:/sbin/getty 38400 tty1
::respawn:/opt/httpd -f -p 8080 -h /srv
END
  cp /bin/busybox "$ROOT/opt/httpd"
  recipe "$BATS_TEST_DESCRIPTION"
  run step 1
  echo "$output"
  [[ $output == */etc/inittab:4:\ changed:* ]]
  is_running httpd /opt/httpd -f -p 8080 -h /srv
  [ "$(ls "$D")" = $'httpd\nsyslogd' ]
  [ "$(wc -l <"$ROOT/etc/inittab")" -eq 4 ]
  step 2
}

@test "From runit, daemontools or s6" {
  kitchen
  rm -rf "$ROOT/etc/service"
  mkdir -p "$ROOT/etc/service/spare"
  : >"$ROOT/etc/service/spare/down"
  printf '#!/bin/sh\nexec sleep 1000\n' >"$ROOT/etc/service/spare/run"
  chmod 755 "$ROOT/etc/service/spare/run"
  recipe "$BATS_TEST_DESCRIPTION"
  run step 1
  echo "$output"
  is_running web busybox httpd -f -v -p 8080 -h /srv
  is_running web-log svlogd -tt /var/log/web
  speak
  assert_file /var/log/web/current response:404
  [ "$(ls "$D")" = "$(printf '%s\n' spare.off web web-log)" ]
}

@test "From pmtr" {
  cook
  run step 1
  echo "$output"
  is_running web busybox httpd -f -p 8080 -h .
  assert_proc web status '^Uid:	33'
  assert_proc web limits '^Max open files +4096 '
  [ "$(on readlink "/proc/$(pid_of web)/cwd")" = /srv ]
  assert_env web LANG=C.UTF-8
  wait_until '[ "$(state boot-log state)" = done ]'
  [ -s "$ROOT/var/log/boots" ]
  [ -e "$D/spare.off" ]
}

@test "From supervisord" {
  cook
  run step 1
  echo "$output"
  is_running web busybox httpd -f -v -p 8080 -h .
  assert_proc web status '^Uid:	33'
  [ "$(on readlink "/proc/$(pid_of web)/cwd")" = /srv ]
  assert_env web LANG=C.UTF-8
  assert_env web TZ=Europe/Paris
  speak
  assert_file /var/log/web.log response:404
  grep -x 'stop=TERM 30' "$D/web"
}

@test "From a Procfile" {
  cook
  run step 1
  echo "$output"
  is_running shop-web busybox httpd -f -p 8080 -h .
  is_running shop-clock sleep 1000
  [ "$(on readlink "/proc/$(pid_of shop-web)/cwd")" = /srv/shop ]
  assert_env shop-clock TZ=UTC
}

@test "From systemd" {
  cook
  run step 1
  echo "$output"
  is_running web busybox httpd -f -p 8080 -h /srv
  assert_proc web status '^Uid:	33'
  assert_env web LANG=C.UTF-8
  grep -x 'stop=TERM 90' "$D/web"
}

@test "From OpenRC or procd" {
  cook
  run step 1
  echo "$output"
  is_running web busybox httpd -f -p 8080 -h /srv
  assert_proc web status '^Uid:	33'
}

# The machine

@test "Started by busybox init" {
  bare
  service web 'cmd=sleep 1000'
  recipe "$BATS_TEST_DESCRIPTION"
  step 1
  is_up web
  pid=$(pid_of web) going=$(going_pid)
  on kill -KILL "$going"
  assert_message "web: taken over as $pid"
  [ "$(on ps -o ppid= -C going | tr -d ' ')" = 1 ]
  [ "$(going_pid)" != "$going" ]
}

# Its init is in no Debian that has another one: the line is checked, and what it starts.
@test "Started by sysvinit" {
  cook
  step 1
  line=$(on tail -n 1 /etc/inittab)
  [[ $line =~ ^([A-Za-z0-9]{1,4}):([0-6]+):respawn:([^ ]*)$ ]]
  [ "$(on "${BASH_REMATCH[3]}" -V)" ]
}

@test "Started by systemd" {
  command -v systemd-analyze >/dev/null || skip "Alpine has no systemd"
  cook
  unit=/etc/systemd/system/going.service
  run on systemd-analyze verify --man=no "$unit"
  echo "$output"
  [ "$status" = 0 ]
  [ -z "$output" ]
  on systemctl --root=/ enable going
  on test -L /etc/systemd/system/multi-user.target.wants/going.service
}

# OpenRC is not at home in Debian: its two lines of settings are looked at, and reload is run.
@test "Started by OpenRC" {
  cook
  echo 'cmd=sleep 1000' >"$ROOT/srv/web"
  on ln -s /srv/web /etc/going.d/web
  is_up web
  echo 'cmd=sleep 2000' >"$ROOT/srv/web" # of this the kernel tells nothing
  on sh -c '. /etc/init.d/going && [ "$supervisor" = supervise-daemon ] && "$command" -V && reload'
  wait_until '[ "$(state web starts)" = 2 ]'
  [ "$(on head -n 1 /etc/init.d/going)" = '#!/sbin/openrc-run' ]
}

# OpenWrt is not at home in Debian: its lines are looked at, with procd's words said by others.
@test "Started by procd" {
  cook
  run on sh -c 'for word in open_instance close_instance set_param send_signal; do
      eval "procd_$word() { echo $word \$*; }"
    done
    . /etc/init.d/going && echo "$START $USE_PROCD" && start_service && reload_service'
  echo "$output"
  [ "$output" = "99 1
open_instance
set_param command /usr/local/sbin/going
set_param respawn 3600 5 0
set_param term_timeout 60
close_instance
send_signal going" ]
  [ "$(on head -n 1 /etc/init.d/going)" = '#!/bin/sh /etc/rc.common' ]
}

@test "Started by a script: rc.local" {
  bare
  service web 'cmd=sleep 1000'
  recipe "$BATS_TEST_DESCRIPTION"
  on /etc/rc.local >/dev/null 2>&1
  is_up web
  pid=$(pid_of web)
  on kill -KILL "$(going_pid)"
  assert_message "web: taken over as $pid"
  loop=$(on pgrep -f rc.local)
  on kill -TERM "$(going_pid)"
  wait_until "! on kill -0 $loop"
  not on pgrep -x going
  not on kill -0 "$pid"
}

@test "Process 1 of a container" {
  bare
  recipe "$BATS_TEST_DESCRIPTION"
  R=$ROOT/run/inner
  step 1 >/dev/null 2>&1 3>&- &
  is_up web
  inner=$(going_pid)
  on grep -q '^NSpid:.*[[:space:]]1$' "/proc/$inner/status"
  printf '%s\n' "cmd=sh -c '(setsid true &); sleep 0.2; touch /run/orphaned; exec sleep 1000'" >"$ROOT/srv/image/going.d/orphan"
  wait_until 'on test -e /run/orphaned && ! on pgrep -x true'
  on kill -TERM "$inner"
  wait_until '! on pgrep "going|unshare|sleep"'
  not on pgrep -f httpd
  on sh -c 'cd /srv/image && grep -E "^(COPY|ENTRYPOINT)" Dockerfile' | grep -q '\["/usr/local/sbin/going"\]'
}

@test "A container that ends with its service" {
  bare
  recipe "$BATS_TEST_DESCRIPTION"
  step 1 >/dev/null 2>&1 3>&- &
  container=$!
  wait_until 'on pgrep -f httpd'
  wait "$container"
  not on pgrep 'going|unshare'
  not on pgrep -f httpd
}

@test "A container without a container engine" {
  cook
  step 1
  on touch /etc/going.d/box
  wait_until 'step 2 | grep -q "state=up pid=2 "'
  wait_until '[ "$(asks)" = 404 ]'
  [ "$(on ls /srv/box/run/going)" = web ]
  on mv /etc/going.d/box /etc/going.d/box.off
  wait_until '[ ! -e "$R/box" ]'
  not on pgrep -f httpd
  assert_message 'going: box: exited with 0'
  [ -z "$(on ls /srv/box/run/going)" ]
}

@test "As an ordinary user" {
  bare
  recipe "$BATS_TEST_DESCRIPTION"
  on useradd --create-home anna
  as_anna "$(cat "${STEPS[0]}")" >/dev/null 2>&1
  R=$ROOT/home/anna/.going
  is_up web
  [ "$(stat -c %u "$ROOT/proc/$(pid_of web)")" = "$(on id -u anna)" ]
  old=$(sed 's/^state=up pid=[0-9]* start=[0-9]*/state=done/' "$R/web")
  on kill -TERM "$(going_pid)"
  wait_until '! on pgrep -x going && ! on pgrep -f httpd'
  as_anna "echo '$old' >.going/web"
  as_anna "$(cat "${STEPS[1]}")"
  on cron
  is_up web
  pid=$(pid_of web)
  on kill -KILL "$(going_pid)"
  wait_until '[ "$(going_pid)" ] && [ "$(state web starts)" = 1 ]'
  [ "$(pid_of web)" = "$pid" ]
  on crontab -u anna -r
}

# A plain file stands for the device, as in watchdog.bats.
@test "With a hardware watchdog" {
  hurry 's/^    retries=5$/    retries=1/'
  bare
  : >"$ROOT/dev/watchdog"
  recipe "$BATS_TEST_DESCRIPTION"
  step 1
  is_up web
  wait_until '[ -s "$ROOT/dev/watchdog" ]'
  on kill -KILL "$(pid_of web)"
  wait_until '[ "$(state web state)" = failed ]'
  going=$(going_pid)
  on kill -TERM "$going"
  wait_until '! on kill -0 $going'
  not grep -q V "$ROOT/dev/watchdog" # it stays armed
}

@test "Upgrade going itself" {
  cook
  service web 'cmd=sleep 1000'
  is_up web
  pid=$(pid_of web) going=$(going_pid)
  rm -rf "$ROOT/going" # whatever there is of that name here
  cp "$GOING" "$ROOT/going"
  echo new >>"$ROOT/going"
  step 1
  on cmp /going /usr/local/sbin/going
  not on cmp /going /usr/local/sbin/going.old
  assert_message "web: taken over as $pid"
  [ "$(step 2)" = /usr/local/sbin/going ]
  on cmp /going "/proc/$going/exe"
  [ "$(going_pid)" = "$going" ]
  [ "$(state web starts)" = 1 ]
}

@test "Restart what still runs a replaced program" {
  kitchen
  on cp /bin/busybox /opt/
  recipe "$BATS_TEST_DESCRIPTION"
  service other 'cmd=sleep 1000'
  is_up other
  is_up web
  wait_until 'on grep -q /opt/busybox "/proc/$(pid_of web)/maps"'
  step 1
  stays '[ "$(state web starts)" = 1 ]'
  on install -m 755 /bin/busybox /opt/busybox
  step 1
  wait_until '[ "$(state web starts)" = 2 ]'
  [ "$(state other starts)" = 1 ]
  ! command -v apt-config >/dev/null || on apt-config dump | grep -q 'DPkg::Post-Invoke:: "/usr/local/sbin/restart-replaced"'
}

@test "Change the options of going" {
  cook
  service web 'cmd=sleep 1000'
  is_up web
  pid=$(pid_of web)
  step 1
  assert_message "web: taken over as $pid"
  R=$ROOT/run/services
  [ "$(pid_of web)" = "$pid" ]
  on touch /etc/going.d/web
  wait_until '[ "$(state web starts)" = 2 ]'
  not on test -e /run/going
}

@test "Roll out service files with rsync" {
  cook
  service old 'cmd=sleep 1000'
  service off 'cmd=sleep 1000'
  is_up old
  on mv /etc/going.d/off /etc/going.d/off.off
  step 1
  is_up web
  is_up db
  wait_until '[ ! -e "$R/old" ]'
  on test -e /etc/going.d/off.off
  sed -i s/7000/7001/ "$ROOT/srv/services/db"
  step 1
  wait_until '[ "$(state db starts)" = 2 ]'
  [ "$(state web starts)" = 1 ]
  echo colour=red >>"$ROOT/srv/services/db"
  run step 1
  [ "$status" = 1 ]
  not grep colour "$D/db"
}

@test "Service files from a git repository" {
  hurry 's/services 60$/services 0.2/'
  kitchen
  recipe "$BATS_TEST_DESCRIPTION"
  kept() { on git -C /srv/services.git -c user.name=anna -c user.email=anna@localhost "$@"; }
  on git init -q /srv/services.git
  on cp /etc/going.d/pull /srv/services.git/
  echo 'cmd=sleep 1000' >"$ROOT/srv/services.git/web"
  kept add .
  kept commit -qm 'the first services'
  step 1
  on touch /etc/going.d/pull
  is_up web
  is_up pull
  on test ! -e /etc/going.d/.git
  starts=$(state pull starts)
  kept mv web shop
  kept commit -qm 'a better name'
  is_up shop
  wait_until '[ ! -e "$R/web" ]'
  echo colour=red >>"$ROOT/srv/services.git/shop"
  kept commit -qam 'a fault'
  wait_until 'grep -q "shop:2: .*colour" "$ROOT/var/log/pull-services.log"'
  not grep colour "$D/shop"
  [ "$(state pull starts)" = "$starts" ]
}

@test "On a read-only root" {
  bare
  on mount -t tmpfs none /var/log # for syslogd, or the root is busy
  on pkill -KILL -f syslogd
  wait_until '[ -e "$ROOT/var/log/messages" ]'
  recipe "$BATS_TEST_DESCRIPTION"
  step 1
  is_up web
  on mount -o remount,bind,ro /
  not on touch /etc/going.d/web
  pid=$(pid_of web)
  on kill -KILL "$(going_pid)"
  assert_message "web: taken over as $pid"
  [ "$(pid_of web)" = "$pid" ]
  on touch /run/going.d/web
  wait_until '[ "$(state web starts)" = 2 ]'
}

@test "Start nothing at boot on a machine in trouble" {
  cook
  service web 'cmd=sleep 1000'
  service db 'cmd=sleep 1000'
  is_up web
  is_up db
  step 1
  wait_until '[ ! -e "$R/web" ] && [ ! -e "$R/db" ]'
  step 2
  is_up web
  not on test -e /run/going/db
  step 3
  is_up db
  [ "$(state web starts)" = 1 ]
}
