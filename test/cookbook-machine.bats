# The second half of the cookbook, cooked: services looked after, and the machine around them.

load helper
load machine
teardown() { machine_stop; }

# A machine with the recipe of the test's own name in it.
cook() {
  machine_start "$@"
  recipe "$BATS_TEST_DESCRIPTION"
}

# A page has the patience of a machine that runs for years, a test has not. Before the recipe is
# cooked, this changes a number in it. It must be there.
hurry() { # SED EXPRESSION
  sed "$1" "$COOKBOOK" >"$BATS_TEST_TMPDIR/new.md"
  not cmp -s "$COOKBOOK" "$BATS_TEST_TMPDIR/new.md"
  COOKBOOK=$BATS_TEST_TMPDIR/cookbook.md
  mv "$BATS_TEST_TMPDIR/new.md" "$COOKBOOK"
}

# Something must not happen: so it is watched for a while.
stays() { # SHELL CONDITION
  local end=$((${EPOCHREALTIME/./} + 1200000))
  while [ "${EPOCHREALTIME/./}" -lt "$end" ]; do
    eval "$1" || { echo "no longer: $1" >&2 && return 1; }
    sleep 0.05
  done
}

@test "Status of all services as a table" {
  cook
  is_up web
  wait_until '[ "$(state broken state)" = quarantined ]'
  run step 1
  echo "$output"
  [[ ${lines[0]} == NAME*%CPU ]]
  [[ ${lines[1]} =~ ^broken\ +quarantined\ +[0-9]+\ *$ ]]
  [[ ${lines[2]} =~ ^web\ +up\ +1\ +$(pid_of web)\ +00:[0-9]{2}\ +[1-9][0-9]*\ +[0-9.]+$ ]]
  [ "${#lines[0]}" = "${#lines[2]}" ]
}

@test "Status of all services as JSON" {
  cook
  is_up web
  wait_until '[ "$(state broken state)" = failed ]'
  [ "$(step 2)" = web ]
  [ "$(step 1 | jq -c '[.web.pid, .broken.state, .broken.exit]')" = "[$(pid_of web),\"failed\",1]" ]
}

@test "Which services are in trouble" {
  cook
  wait_until '[ "$(state broken state)" = failed ] && [ "$(state typo state)" = failed ]'
  [ "$(step 1)" = $'/run/going/broken\n/run/going/typo' ]
  [ "$(step 2)" = /run/going/broken ]
  run step 3
  echo "$output"
  [ "$status" = 1 ]
  [ "$output" = 'typo:3: unknown key or bad value: colour=red' ]
}

@test "Wait until a service is up or down" {
  cook
  not on test -e /run/going/web
  step 1
  pid=$(pid_of web)
  [ "$(state web state)" = up ]
  on kill -0 "$pid"
  step 2
  not on test -e /run/going/web
  not on kill -0 "$pid"
}

@test "Start, stop and restart with one command" {
  cook
  is_up web
  step 1
  [ "$(state web state)" = up ]
  [ "$(state web starts)" = 2 ]
  step 2
  not on test -e /run/going/web
  [[ $(step 3) == 'state=up pid='* ]]
  echo 'colour=red' >>"$D/web"
  run step 1
  [ "$status" = 1 ]
  [[ $output == *colour* ]]
}

asks() { on curl -s -o /dev/null -w '%{http_code}' http://localhost:8080/; }

@test "Send a signal to a service" {
  machine_start
  : >"$ROOT/etc/httpd.conf"
  echo hello >"$ROOT/srv/index.html"
  recipe "$BATS_TEST_DESCRIPTION"
  is_up web
  wait_until '[ "$(asks)" = 200 ]'
  step 1
  wait_until '[ "$(asks)" = 401 ]'
  [ "$(state web starts)" = 1 ]
  step 2
  [ "$(state web starts)" = 1 ]
  service group "cmd=sh -c 'trap : HUP; sleep 1000; exit 3'"
  is_up group
  wait_until 'on pgrep -x sleep'
  sed -i s/web/group/ "${STEPS[1]}"
  step 2
  wait_until '[ "$(state group exit)" = 3 ]'
}

@test "Pause a service and let it go on" {
  hurry 's/do sleep 1; done/do sleep 0.1; done/'
  cook
  is_up worker
  wait_until 'on test -s /run/worker.date'
  step 1
  wait_until '! on ps -o stat= -s "$(pid_of worker)" | grep -v ^T'
  on rm /run/worker.date
  stays '! on test -e /run/worker.date'
  [ "$(state worker state)" = up ]
  step 2
  wait_until 'on test -s /run/worker.date'
  [ "$(state worker starts)" = 1 ]
  step 1
  on touch /etc/going.d/worker
  wait_until '[ "$(state worker starts)" = 2 ]'
}

@test "Which processes belong to a service" {
  cook
  service other 'cmd=busybox sleep 2000'
  is_up other
  is_up pool
  wait_until '[ "$(on pgrep -cf "^sleep 1000")" = 2 ]'
  [ "$(step 1 | grep -c ' sleep 1000$')" = 2 ]
  [ "$(step 1 | wc -l)" = 5 ]
  [ "$(step 2)" = $'/run/going/pool\n/run/going/pool' ]
}

@test "Look into a service that runs" {
  cook
  is_up web
  wait_until 'step 1 | grep -qx LANG=C.UTF-8'
  wait_until 'step 2 | grep -q "3 -> socket:"'
  step 3 >"$OUT" 2>&1 3>&- &
  wait_until 'on pgrep -x strace'
  wait_until 'asks >/dev/null && grep -q "accept" "$OUT"'
  on pkill -x strace
}

@test "Restart all services" {
  cook
  is_up web
  is_up worker
  step 2
  [ "$(state web starts)" = 2 ]
  [ "$(state worker starts)" = 2 ]
  step 1
  wait_until '[ "$(state web starts)" = 3 ] && [ "$(state worker starts)" = 3 ]'
}

@test "Start one service after another" {
  cook
  is_up app
  wait_until 'grep -q PONG "$ROOT/var/log/app.log"'
  wait_until 'grep -q "^OK" "$ROOT/var/log/app.log"'
  on mv /etc/going.d/db /etc/going.d/db.off
  wait_until '[ ! -e "$R/db" ] && ! on test -e /run/db.sock'
  wait_until 'grep -q refused\\\|No.such.file "$ROOT/var/log/app.log"'
  on mv /etc/going.d/db.off /etc/going.d/db
  : >"$ROOT/var/log/app.log"
  wait_until 'grep -q PONG "$ROOT/var/log/app.log"'
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

@test "Check a service file before it is used" {
  cook
  is_up web
  step 1
  wait_until '[ "$(state web starts)" = 2 ]'
  grep -qa 8081 "$ROOT/proc/$(pid_of web)/cmdline"
  run step 2
  echo "$output"
  [[ $output == *'web:2: unknown key or bad value'* ]]
  grep -q '^cmd=' "$D/web"
}

@test "Let a user restart one service" {
  cook
  is_up web
  wait_until 'on pgrep -x inotifywait'
  on setpriv --reuid=www-data --regid=www-data --clear-groups sh -c "$(cat "${STEPS[0]}")"
  wait_until '[ "$(state web starts)" = 2 ]'
  not on setpriv --reuid=www-data --clear-groups touch /etc/going.d/web
}

@test "Restart a service that no longer answers" {
  hurry 's/timeout 5 "/timeout 0.5 "/'
  hurry 's/EVERY=10/EVERY=0.1/'
  cook
  is_up web
  is_up web-health
  stays '[ "$(state web starts)" = 1 ]'
  on kill -STOP "$(pid_of web)"
  assert_message 'daemon.err health: web does not answer'
  wait_until '[ "$(state web starts)" = 2 ] && [ "$(asks)" = 404 ]'
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

@test "Restart a service that hangs, by its heartbeat" {
  hurry 's/worker.beat; do sleep 1/worker.beat; do sleep 0.1/'
  hurry 's/worker.beat 60/worker.beat 0.5/'
  cook
  is_up worker
  is_up worker-heartbeat
  wait_until 'on test -e /run/worker.beat'
  starts=$(state worker starts)
  stays '[ "$(state worker starts)" = "$starts" ]'
  on kill -STOP -- "-$(pid_of worker)"
  assert_message 'heartbeat: worker is silent'
  wait_until '[ "$(state worker starts)" = '$((starts + 1))' ]'
  [ "$(messages | grep -c silent)" = 1 ]
}

@test "Know when a service is ready: READY=1" {
  cook
  step 1
  on touch /etc/going.d/db
  wait_until '[ "$(state db starts)" = 2 ] && on test -e /run/db.ready'
  on mv /etc/going.d/db-notify /etc/going.d/db-notify.off
  wait_until '[ ! -e "$R/db-notify" ]'
  on rm -f /run/db.notify
  on touch /etc/going.d/db
  wait_until '[ "$(state db starts)" = 3 ] && ! on test -e /run/db.ready'
  on mv /etc/going.d/db-notify.off /etc/going.d/db-notify
  wait_until 'on test -e /run/db.ready'
  [ "$(state db starts)" = 3 ]
}

@test "Restart a service that no longer says WATCHDOG=1" {
  hurry 's/while sleep 5; do printf/while sleep 0.1; do printf/'
  hurry 's/-T 20 /-T 1 /'
  cook
  is_up worker
  wait_until 'on test -S /run/worker.notify'
  starts=$(state worker starts)
  on kill -STOP -- "-$(pid_of worker)"
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

@test "Do something every hour" {
  hurry 's/sleep 3600/sleep 0.5/'
  machine_start
  on mkdir -p /var/cache/shop
  on touch -d '2 hours ago' /var/cache/shop/old
  on touch /var/cache/shop/new
  recipe "$BATS_TEST_DESCRIPTION"
  step 1
  wait_until '[ "$(state tidy starts)" -ge 2 ]'
  [ "$(on ls /var/cache/shop)" = new ]
  [ "$(state tidy exit)" = 0 ]
}

@test "Do something at a certain time: cron as a service" {
  hurry 's/busybox crond -f/& -l 0/' # so it says what it has read
  cook
  is_up cron
  wait_until 'on grep -qx "good morning" /run/greeting'
  on mv /etc/going.d/cron /etc/going.d/cron.off
  on mv /etc/going.d/crond.off /etc/going.d/crond
  assert_message 'crond[^ ]* user:root entry'
  [ "$(state crond state)" = up ]
  [ ! -e "$R/cron" ]
}

@test "Follow the log of one service" {
  cook
  is_up web
  wait_until 'step 1 | grep -q "going: web: started as $(pid_of web)"'
  step 2 >"$OUT" 3>&- &
  wait_until 'on pgrep -x tail'
  service other 'cmd=sleep 1000'
  is_up other
  on touch /etc/going.d/web
  wait_until 'grep -q "going: web: started as" "$OUT"'
  not grep -v 'going: web: ' "$OUT"
}

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

# A machine whose init has nothing to do with going, as far as it knows.
bare() { machine_start ::once:true; }
going_pid() { on pgrep -ox going; }

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

as_anna() { on su - anna -c "$1"; }

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
  machine_start
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
  hurry 's/while sleep 60; do/while sleep 0.2; do/'
  machine_start
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
  wait_until 'grep -q "shop:2: .*colour=red" "$ROOT/var/log/pull-services.log"'
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
