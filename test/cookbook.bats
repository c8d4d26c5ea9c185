# The cookbook, cooked: each recipe is put into a machine as it stands. Its second half is in
# cookbook-machine.bats.

load cookbook

# Programs as services

@test "Daemons that can stay in the foreground" {
  cook
  is_running cron cron -f
  [ "$(state cron starts)" = 1 ]
}

@test "Daemons that insist on the background" {
  cook
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

@test "Variables and shell syntax" {
  kitchen
  on mkdir -p /var/www # the user's home, which no package makes
  recipe "$BATS_TEST_DESCRIPTION"
  is_running web busybox httpd -f -p 8080 -h /var/www
}

@test "Many services from one template" {
  cook 1
  is_running web@8081 busybox httpd -f -p 8081 -h /srv
  is_running web@8082 busybox httpd -f -p 8082 -h /srv
  is_running web@8083 busybox httpd -f -p 8083 -h /srv
  [ "$(ls "$R")" = "$(printf '%s\n' web@8081 web@8082 web@8083)" ]
  on sed -i s,/srv,/tmp, /etc/going.d/.web
  for port in 8081 8082 8083; do is_running "web@$port" busybox httpd -f -p "$port" -h /tmp; done
}

@test "A service for every program of a directory" {
  kitchen
  mkdir -p "$ROOT/opt/services"
  printf '#!/bin/sh\nexec sleep 1000\n' | tee "$ROOT/opt/services/one" >"$ROOT/opt/services/two.sh"
  chmod 755 "$ROOT"/opt/services/*
  recipe "$BATS_TEST_DESCRIPTION" 1
  is_running one sleep 1000
  is_running two sleep 1000
}

@test "A program on a terminal" {
  kitchen
  on mkdir /dev/pts
  on mount -t devpts -o newinstance,ptmxmode=0666 none /dev/pts
  on ln -s pts/ptmx /dev/ptmx
  on socat -u PTY,link=/dev/tty2 - >"$OUT" &
  coproc TTY { on socat PTY,link=/dev/tty3 -; }
  wait_until '[ -L "$ROOT/dev/tty2" ] && [ -L "$ROOT/dev/tty3" ]'
  recipe "$BATS_TEST_DESCRIPTION"
  wait_until 'grep -q "login: " "$OUT"'
  is_up menu
  printf 'sleep 1000\n' >&"${TTY[1]}"
  wait_until 'on pgrep -x sleep || on pgrep -f "^sleep 1000"'
  printf '\003' >&"${TTY[1]}"
  wait_until 'not on pgrep -f "^sleep 1000"'
  printf 'echo TERM is $TERM >/srv/said\n' >&"${TTY[1]}"
  assert_file /srv/said '^TERM is linux$'
  [ "$(state menu starts)" = 1 ]
}

@test "A program that ends when its input ends" {
  cook
  is_up calculator
  step 1
  assert_file /var/log/calculator '^42$'
  step 1
  wait_until '[ "$(grep -c 42 "$ROOT/var/log/calculator")" -eq 2 ]'
  [ "$(state calculator starts)" = 1 ]
}

@test "Take over a process that runs already" {
  kitchen
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

@test "A service file in a package" {
  command -v dpkg-deb >/dev/null || skip 'Alpine has other packages'
  cook 2
  is_running shop busybox httpd -f -p 8080 -h /usr/share/shop
  assert_proc shop status "^Uid:	$(on id -u shop)	"
  on dpkg --remove shop
  wait_until '[ ! -e "$R/shop" ]'
  on dpkg --install /srv/shop.deb
  is_up shop
  on going-ctl stop shop
  on dpkg --install /srv/shop.deb
  stays '[ ! -e "$R/shop" ]'
  # the file of a package that is in /etc/going.d itself, and comes before its user
  service late 'cmd=sleep 1000' user=late
  wait_until '[ "$(state late state)" = failed ]'
  on useradd --system late
  on touch -c /etc/going.d/late
  is_up late
}

# What it says

@test "Words into a file" {
  cook
  is_running web busybox httpd -f -v -p 8080 -h /srv
  speak
  assert_file /var/log/web.log response:404
  assert_proc web status '^Uid:	33'
}

@test "Words into syslog" {
  cook
  is_up web-log
  on mv /etc/going.d/web-log /etc/going.d/web-log.off
  wait_until 'not [ -e "$R/web-log" ]'
  speak # into the pipe, where it waits for the logger
  on mv /etc/going.d/web-log.off /etc/going.d/web-log
  assert_message 'daemon.info web: .*response:404'
  [ "$(stat -c %a "$ROOT/run/web.fifo")" = 600 ]
}

@test "A service and its logger in one file" {
  cook
  is_running web busybox httpd -f -v -p 8080 -h /srv
  speak
  assert_message ' web: .*response:404'
  [ "$(on pgrep -cx logger)" = 1 ]
  on pkill -KILL -x logger
  wait_until 'on pgrep -x logger'
  before=$(messages | grep -c ' web: .*response:404')
  wait_until 'speak; [ "$(messages | grep -c " web: .*response:404")" -gt "$before" ]'
  before=$(pid_of web)
  on kill -KILL "$before"
  wait_until "is_up web && [ \"\$(pid_of web)\" != $before ]"
  wait_until '[ "$(on pgrep -cx logger)" = 1 ]'
  rm "$D/web"
  wait_until 'not on pgrep -x logger'
  # the last words are not lost, neither of one that is stopped nor of one that is killed
  service brief "cmd=logged 'exec logger -t brief' sh -c 'trap \"echo farewell; exit\" TERM; while :; do sleep 0.1; done'"
  wait_until 'on pgrep -x logger'
  is_up brief
  wait_until 'grep -q "^SigCgt:.*4...$" "$ROOT/proc/$(pid_of brief)/status"'
  on kill "$(going_pid)"
  assert_message ' brief: farewell'
  wait_until 'on pgrep -x going && is_up brief'
  service last "cmd=logged 'sleep 0.3; exec cat >/srv/last' sh -c 'seq 1000; kill -KILL \$\$'" restart=never
  assert_file /srv/last '^1000$'
  [ "$(state last signal)" = 9 ]
}

@test "Logs that rotate themselves, with svlogd" {
  cook 1
  rotates /var/log/web 5 '20[0-9-]+_[0-9:.]+'
}

@test "Logs that rotate themselves, with multilog" {
  cook
  is_up web
  speak
  assert_file /var/log/web/current response:404
  step 1 | grep -E '^20[0-9-]+ [0-9:.]+ .*response:404'
  rotates /var/log/web 4 @[0-9a-f]+
}

@test "Logs that rotate themselves, with s6-log" {
  cook
  rotates /var/log/web 5 '20[0-9-]+ [0-9:.]+'
}

@test "Rotation of a log file while the service runs" {
  cook
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
  cook
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

@test "Only the lines that matter" {
  cook
  is_up web
  echo hello >"$ROOT/srv/index.html"
  speak
  speak missing
  assert_file /var/log/web/current response:404
  not grep -q response:200 "$ROOT/var/log/web/current"
}

@test "Errors apart from the rest" {
  cook
  is_up web-errors
  speak
  assert_message 'daemon.err web: .*response:404'
}

# Before it starts

@test "Clean up before each start" {
  cook
  is_running echo socat UNIX-LISTEN:/run/echo.sock,fork EXEC:cat
  local before=$(pid_of echo)
  on kill -KILL "$before"
  wait_until "[ '$before' != \"\$(pid_of echo)\" ] && is_up echo"
  wait_until '[ "$(echo hello | on socat - UNIX:/run/echo.sock)" = hello ]'
}

@test "A runtime directory for a user" {
  cook
  wait_until '[ "$(echo hello | on socat - UNIX:/run/echo/sock)" = hello ]'
  assert_proc echo status '^Uid:	33	33	33	33$'
  assert_env echo HOME=/var/www
  [ "$(on stat -c %U /run/echo /run/echo/sock | sort -u)" = www-data ]
}

@test "Settings from /etc/default" {
  cook
  is_running web busybox httpd -f -p 8080 -h /srv
  assert_env web LANG=C.UTF-8
  assert_proc web status '^Uid:	33	33	33	33$'
  # a file that only root can read
  on chmod 600 /etc/default/web
  on sed -i s/8080/8081/ /etc/default/web
  on touch /etc/going.d/web
  is_running web busybox httpd -f -p 8081 -h /srv
  # and one that was written for systemd
  on sh -c 'printf "%s\n" "OPTIONS=-h /srv" "KEY=a\$b" >/etc/default/unit'
  run on sh -c '. /etc/default/unit; echo "$KEY,$OPTIONS"'
  [[ $output == *'/srv: Permission denied'*$'\na,' ]]
}

@test "Environment of the container" {
  kitchen "::respawn:/usr/bin/env TOKEN=a=b LANG=C SERVICE=no /usr/local/sbin/going"
  recipe "$BATS_TEST_DESCRIPTION"
  is_running web $httpd
  assert_env web TOKEN=a=b
  assert_env web LANG=C.UTF-8
  assert_env web SERVICE=web
  assert_proc web status '^Uid:	33	33	33	33$'
  service denied 'cmd=with-env sleep 1000' user=nobody
  wait_until '[ "$(state denied exit)" = 1 ]'
}

@test "HOME for a service of root" {
  cook
  is_running web $httpd
  assert_env web HOME=/root
  assert_env web USER=root
  service bare 'cmd=sleep 1000'
  is_running bare sleep 1000
  not grep -qa HOME= "$ROOT/proc/$(pid_of bare)/environ"
}

@test "Environment from a directory" {
  cook
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

@test "Wait until something is there" {
  cook
  is_up web
  assert_proc web cmdline '^/bin/sh'
  is_up bridge
  assert_proc bridge cmdline '^/bin/sh'
  not fetch 8080
  echo hello >"$ROOT/srv/index.html"
  wait_until '[ "$(fetch 8080)" = hello ]'
  wait_until '[ "$(fetch 7000)" = hello ]'
}

@test "Start one service after another" {
  kitchen
  # a socket that nobody listens at any more
  on sh -c 'socat -u UNIX-LISTEN:/run/db.sock,unlink-early /dev/null &
    until [ -S /run/db.sock ]; do sleep 0.02; done; kill -KILL $!'
  service db.off : # it comes later
  recipe "$BATS_TEST_DESCRIPTION"
  is_up app
  on mv /etc/going.d/db /etc/going.d/db.off
  wait_until '[ ! -e "$R/db" ]'
  on sh -c 'socat -u UNIX-LISTEN:/run/db.sock,unlink-early /dev/null &
    until [ -S /run/db.sock ]; do sleep 0.02; done; kill -KILL $!'
  on touch /etc/going.d/app
  wait_until '[ "$(state app starts)" -ge 2 ]'
  is_up app
  : >"$ROOT/var/log/app.log"
  assert_proc app cmdline '^/bin/sh'
  on mv /etc/going.d/db.off /etc/going.d/db
  assert_file /var/log/app.log '^OK'
}

@test "Wait for a database" {
  cook
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
  cook
  is_up web
  assert_proc web cmdline '^/bin/sh'
  on busybox ip route add default dev lo
  is_running web $httpd
}

@test "A job that is done before others start" {
  kitchen
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
  cook
  wait_until '[ "$(state boot-log state)" = done ]'
  local before=$(on pidof going)
  on kill -KILL "$before"
  wait_until "on pidof going | grep -vqw '$before'"
  service other cmd=true
  wait_until '[ -e "$R/other" ]'
  [ "$(state boot-log state)" = done ]
  [ "$(wc -l <"$ROOT/var/log/boots")" -eq 1 ]
}

# Looking after services

@test "Status of all services as a table" {
  cook
  is_up web
  wait_until '[ "$(state broken state)" = quarantined ]'
  run step 1
  echo "$output"
  [ "$status" = 1 ]
  [[ ${lines[0]} == NAME*%CPU ]]
  [[ ${lines[1]} =~ ^broken\ +quarantined\ +[0-9]+s\ +-\ +[0-9]+\ exit\ 1\ +-\ +-$ ]]
  [[ ${lines[2]} =~ ^web\ +up\ +[0-9]+s\ +$(pid_of web)\ +0\ -\ +[0-9.]+[KM]\ +[0-9.]+$ ]]
  [ "${#lines[0]}" = "${#lines[2]}" ]
}

@test "Start, stop and restart with one command" {
  cook
  is_up web
  step 1
  [ "$(state web state)" = up ]
  [ "$(state web starts)" = 2 ]
  step 2
  not on test -e /run/going/web
  [[ $(step 3) == 'web: state=up pid='* ]]
  echo 'colour=red' >>"$D/web"
  run step 1
  [ "$status" = 6 ]
  [[ $output == 'web:3: unknown key'*colour* ]]
}

@test "Wait until a service is up or down" {
  cook
  not on test -e /run/going/web
  step 1
  pid=$(pid_of web)
  [ "$(state web state)" = up ]
  on kill -0 "$pid"
  step 2
  not on kill -0 "$pid"
  on mv /etc/going.d/web.off /etc/going.d/web
  step 3
  [ "$(state web state)" = up ]
}

@test "Send a signal to a service" {
  kitchen
  : >"$ROOT/etc/httpd.conf"
  echo hello >"$ROOT/srv/index.html"
  recipe "$BATS_TEST_DESCRIPTION"
  is_up web
  wait_until '[ "$(asks)" = 200 ]'
  step 1
  wait_until '[ "$(asks)" = 401 ]'
  [ "$(state web starts)" = 1 ]
  : >"$ROOT/etc/httpd.conf"
  on going-ctl reload web
  wait_until '[ "$(asks)" = 200 ]'
  step 2
  [ "$(state web starts)" = 1 ]
  service group "cmd=sh -c 'trap : HUP; sleep 1000; exit 3'"
  is_up group
  wait_until 'on pgrep -x sleep'
  sed -i s/web/group/ "${STEPS[1]}"
  step 2
  wait_until '[ "$(state group exit)" = 3 ]'
}

@test "Check a service file before it is used" {
  cook
  is_up web
  step 1
  wait_until '[ "$(state web starts)" = 2 ]'
  grep -qa 8081 "$ROOT/proc/$(pid_of web)/cmdline"
  run step 2
  echo "$output"
  [[ $output == *'web:2: unknown key'*command* ]]
  grep -q '^cmd=' "$D/web"
  run step 3
  [ "$status" = 0 ]
  [ -z "$output" ]
}

@test "Which services are in trouble" {
  cook
  wait_until '[ "$(state broken state)" = failed ] && [ "$(state typo state)" = failed ]'
  [ "$(step 1)" = $'/run/going/broken\n/run/going/typo' ]
  [ "$(step 2)" = /run/going/broken ]
  run step 3
  echo "$output"
  [ "$status" = 1 ]
  [[ $output == 'typo:3: unknown key'*colour* ]]
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
  wait_until 'step 2 | grep -q -e "-> socket:"'
  step 3 >"$OUT" 2>&1 3>&- &
  wait_until 'on pgrep -x strace'
  wait_until 'asks >/dev/null && grep -q "accept" "$OUT"'
  on pkill -x strace
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

@test "Status of all services as JSON" {
  cook
  is_up web
  wait_until '[ "$(state broken state)" = failed ]'
  [ "$(step 2)" = web ]
  [ "$(step 1 | jq -c '[.web.pid, .broken.state, .broken.exit]')" = "[$(pid_of web),\"failed\",1]" ]
}

@test "Let a user restart one service" {
  cook
  is_up web
  wait_until 'on pgrep -x inotifywait'
  on setpriv --reuid=www-data --regid=www-data --clear-groups sh -c "$(cat "${STEPS[0]}")"
  wait_until '[ "$(state web starts)" = 2 ]'
  not on setpriv --reuid=www-data --clear-groups touch /etc/going.d/web
}

# When it ends

@test "Start it again after a fixed time" {
  hurry 's/backoff=10 10/backoff=0.4 0.4/'
  cook
  wait_until '[ "$(state broken starts)" -ge 6 ]'
  [ "$(messages | grep -Ec 'broken: exited with 1 .*0[.]4')" -ge 4 ]
}

@test "Give up after some failures" {
  cook
  wait_until '[ "$(state broken state)" = failed ]'
  [ "$(state broken starts)" = 3 ]
  sed -i 's/false/sleep 1000/' "$D/broken"
  is_up broken
  sed -i 's/sleep 1000/false/' "$D/broken"
  wait_until '[ "$(state broken state) $(state broken starts)" = "failed 7" ]'
  step 1
  wait_until '[ "$(state broken state) $(state broken starts)" = "failed 10" ]'
}

@test "An exit status that means the end" {
  cook
  is_running worker sleep 1000
  on kill "$(pid_of worker)"
  wait_until '[ "$(state worker starts)" = 2 ] && is_up worker'
  on touch /run/no-work
  on kill "$(pid_of worker)"
  wait_until '[ "$(state worker state) $(state worker exit)" = "done 33" ]'
  printf '#!/bin/sh\nexit 3\n' >"$ROOT/opt/worker"
  on touch /etc/going.d/worker
  wait_until '[ "$(state worker exit)" = 3 ] && [ "$(state worker starts)" -ge 5 ]'
  printf '#!/bin/sh\nexit 0\n' >"$ROOT/opt/worker"
  wait_until '[ "$(state worker state) $(state worker exit)" = "done 0" ]'
}

@test "Something after the end" {
  cook
  wait_until '[ "$(asks)" = 404 ]'
  on pkill -KILL -f '^busybox httpd'
  wait_until '[ "$(state web exit)" = 137 ] && [ "$(wc -l <"$ROOT/var/log/web.ends")" = 1 ]'
  wait_until '[ "$(asks)" = 404 ]'
  rm "$D/web"
  wait_until '[ "$(wc -l <"$ROOT/var/log/web.ends")" = 2 ] && [ ! -e "$R/web" ]'
  not on pgrep -f '^busybox httpd'
}

@test "Restart every hour" {
  hurry 's/sleep 3600/sleep 0.5/'
  cook
  is_up web
  wait_until '[ "$(state web starts)" -ge 2 ]'
  wait_until 'is_up web'
  [ "$(state web-hourly exit)" = 0 ]
}

@test "Do something every hour" {
  hurry 's/sleep 3600/sleep 0.5/'
  kitchen
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

@test "A job that must not hang" {
  cook
  wait_until '[ "$(state fetch exit)" = 124 ]'
  is_running fetch timeout --kill-after=5 2 socat -u TCP-LISTEN:7000 OPEN:/srv/news,creat,trunc
  wait_until 'echo news | on socat -u - TCP:127.0.0.1:7000'
  wait_until '[ "$(state fetch state)" = done ]'
  [ "$(cat "$ROOT/srv/news")" = news ]
}

@test "Never two at once" {
  cook
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

@test "Nothing left behind" {
  cook
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
