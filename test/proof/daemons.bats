# Real daemons with their real clients, each in a machine of its own with init, a syslogd and going.
# They run in the foreground as their manuals tell, from the file that a user would write.

load ../helper
load ../machine

teardown() {
  local client
  for client in "${CLIENTS[@]}"; do kill "$client" 2>/dev/null || :; done
  machine_stop
}

# A machine with one daemon in it, which answers. Each has a function that writes its file (and
# what else a user would set up), and one that asks it, at a port or another one.
runs() { # NAME
  machine_start
  CONSOLE=$LOG LOG=$ROOT/var/log/messages # to be seen if a wait is in vain
  BEFORE=$(processes)
  "$1_file" "$1"
  wait_until "is_fine $1"
}

is_fine() { [ "$(state "$1" state)" = up ] && "$1_answers" "${@:2}"; } # NAME [PORT]
processes() { on ps -e -o comm= | grep -vx ps | sort; }
nothing_is_left() { wait_until '[ "$(processes)" = "$BEFORE" ]'; }

are_gone() { # PID...: init needs its time to bury them
  local pid
  for pid; do wait_until "not on test -e /proc/$pid"; done
}

comes_back() { # NAME
  local old
  old=$(pid_of "$1")
  on kill -KILL "$old"
  wait_until "[ '$old' != \"\$(pid_of $1)\" ] && is_fine $1"
  [ "$(state "$1" signal)" = 9 ]
}

stops() { # NAME
  rm "$D/$1"
  assert_message "going: $1: exited with 0 after .*, stopped"
  not [ -e "$R/$1" ]
  not "$1_answers"
}

follows() { # NAME SED-SCRIPT PORT: it is stopped cleanly, and answers there, and only there
  on sed -i "$2" "/etc/going.d/$1"
  wait_until "is_fine $1 $3"
  [ "$(state "$1" exit) $(state "$1" starts)" = '0 2' ]
  not "$1_answers"
}

going_pid() { on pidof going; }

going_is_killed() { # while NAME runs; init starts another one, which takes over
  local old
  old=$(going_pid)
  on kill -KILL "$old"
  assert_message "going: $1: taken over as $(pid_of "$1")"
  [ "$(going_pid)" != "$old" ]
}

# nginx: a master, and workers as www-data. QUIT is its graceful end.

nginx_file() {
  printf '%s\n' 'events {}' 'user www-data;' 'http { server { listen 8080; root /srv;' \
    'location /big { limit_rate 1m; } } }' >"$ROOT/etc/nginx/8080"
  sed s/8080/8081/ "$ROOT/etc/nginx/8080" >"$ROOT/etc/nginx/8081"
  echo hello >"$ROOT/srv/index.html"
  service nginx 'cmd=nginx -c /etc/nginx/8080 -g "daemon off;"' 'stop=QUIT 20'
}

nginx_answers() { [ "$(on curl -s "http://127.0.0.1:${1:-8080}/")" = hello ]; }

big_download() { # of three seconds
  on dd if=/dev/urandom of=/srv/big bs=1M count=3 status=none
  on curl -s -o /tmp/big http://127.0.0.1:8080/big &
  CLIENTS+=($!)
  wait_until '[ -s "$ROOT/tmp/big" ]'
}

@test "nginx answers curl" { runs nginx; }

@test "nginx comes back after a KILL, though its workers still had the port" {
  runs nginx
  workers=$(on pgrep -P "$(pid_of nginx)")
  comes_back nginx
  [ "$(state nginx starts)" = 2 ]
  are_gone $workers
}

@test "nginx is stopped by QUIT: a download is finished before it exits with 0" {
  runs nginx
  big_download
  stops nginx
  wait "${CLIENTS[-1]}"
  on cmp /srv/big /tmp/big
}

@test "nginx comes back after a KILL when going has taken it over" {
  runs nginx
  going_is_killed nginx
  workers=$(on pgrep -P "$(pid_of nginx)")
  old=$(pid_of nginx)
  on kill -KILL "$old"
  wait_until 'is_fine nginx && [ "$(pid_of nginx)" != "$old" ]'
  [ "$(state nginx starts)" = 2 ]
  are_gone $workers
}

@test "nginx comes back after a KILL at a time when there was no going" {
  runs nginx
  workers=$(on pgrep -P "$(pid_of nginx)")
  old=$(pid_of nginx)
  on kill -KILL "$(going_pid)" "$old"
  wait_until 'is_fine nginx && [ "$(pid_of nginx)" != "$old" ]'
  [ "$(state nginx starts)" = 2 ]
  are_gone $workers
}

@test "a download is finished also if going is killed while it stops nginx" {
  runs nginx
  big_download
  rm "$D/nginx"
  wait_until '[ "$(state nginx state)" = stopping ]'
  going_is_killed nginx
  wait "${CLIENTS[-1]}"
  on cmp /srv/big /tmp/big
  wait_until 'not [ -e "$R/nginx" ]'
  nothing_is_left
}

@test "nginx with a fault in its own configuration starts once that is mended, and its file touched" {
  runs nginx
  echo 'server }' >>"$ROOT/etc/nginx/8080"
  on touch /etc/going.d/nginx
  wait_until '[ "$(state nginx state) $(state nginx exit)" = "quarantined 1" ]'
  sed -i '$d' "$ROOT/etc/nginx/8080"
  on touch /etc/going.d/nginx
  wait_until 'is_fine nginx'
}

@test "nginx reads its configuration again when the pid in its state file gets HUP" {
  runs nginx
  sed -i s/8080/8082/ "$ROOT/etc/nginx/8080"
  on sh -c '. /run/going/nginx && kill -HUP $pid'
  wait_until 'nginx_answers 8082 && not nginx_answers'
  [ "$(state nginx state) $(state nginx starts)" = 'up 1' ]
}

@test "nginx follows an edit of its file to another port" {
  runs nginx
  follows nginx s/8080/8081/ 8081
}

@test "no process of nginx is left after its stop" {
  runs nginx
  not [ "$(processes)" = "$BEFORE" ]
  stops nginx
  nothing_is_left
}

# redis

redis_file() {
  mkdir -p "$ROOT/srv/redis"
  on chown redis: /srv/redis
  service redis 'cmd=redis-server --port 6379' user=redis cwd=/srv/redis stdout=/var/log/redis.log
}

redis() { on redis-cli -p "${PORT:-6379}" "$@" 2>/dev/null; }
redis_answers() { [ "$(PORT=${1:-6379} redis ping)" = PONG ]; }

@test "redis answers redis-cli" {
  runs redis
  [ "$(redis set a 1)" = OK ]
  [ "$(redis get a)" = 1 ]
}

@test "redis comes back after a KILL" {
  runs redis
  comes_back redis
}

@test "redis is stopped by TERM: it saves its data, exits with 0 and has them again" {
  runs redis
  redis set a 1
  stops redis
  grep -q 'Redis is now ready to exit' "$ROOT/var/log/redis.log"
  redis_file
  wait_until 'is_fine redis'
  [ "$(redis get a)" = 1 ]
}

@test "redis that was stopped by STOP goes on to save its data, and exits with 0" {
  runs redis
  redis set a 1
  on kill -STOP "$(pid_of redis)"
  rm "$D/redis"
  assert_message 'going: redis: exited with 0 after .*, stopped'
  grep -q 'Redis is now ready to exit' "$ROOT/var/log/redis.log"
}

@test "redis follows an edit of its file to another port" {
  runs redis
  follows redis s/6379/6380/ 6380
}

@test "no process of redis is left after its stop" {
  runs redis
  stops redis
  nothing_is_left
}

@test "a subscriber of redis does not see that going was killed" {
  runs redis
  pid=$(pid_of redis)
  on redis-cli subscribe news >"$OUT" &
  CLIENTS+=($!)
  wait_until '[ "$(redis publish news before)" = 1 ]'
  going_is_killed redis
  [ "$(redis publish news after)" = 1 ]
  wait_until "grep -qx after '$OUT'"
  [ "$(pid_of redis) $(state redis starts)" = "$pid 1" ]
}

@test "a transaction of redis goes on when going is killed in its middle" {
  runs redis
  pid=$(pid_of redis)
  coproc CLIENT { on redis-cli 2>&1; }
  CLIENTS+=("$CLIENT_PID")
  printf '%s\n' MULTI 'SET a 1' >&"${CLIENT[1]}"
  read -t 5 -r line <&"${CLIENT[0]}"
  [ "$line" = OK ]
  read -t 5 -r line <&"${CLIENT[0]}"
  [ "$line" = QUEUED ]
  going_is_killed redis
  echo EXEC >&"${CLIENT[1]}"
  read -t 5 -r line <&"${CLIENT[0]}"
  [ "$line" = OK ]
  [ "$(redis get a)" = 1 ]
  [ "$(pid_of redis) $(state redis starts)" = "$pid 1" ]
}

# memcached

memcached_file() { service memcached 'cmd=memcached -l 127.0.0.1 -p 11211' user=memcache; }

memcached_answers() {
  # shellcheck disable=SC2016
  [ "$(on bash -c 'exec 4<>"/dev/tcp/127.0.0.1/$0" && printf "set a 0 0 5\r\nhello\r\nget a\r\nquit\r\n" >&4 &&
    cat <&4' "${1:-11211}" 2>/dev/null | tr -d '\r' | tr '\n' ' ')" = 'STORED VALUE a 0 5 hello END ' ]
}

@test "memcached answers" { runs memcached; }

@test "memcached comes back after a KILL" {
  runs memcached
  comes_back memcached
}

@test "memcached is stopped by TERM, and exits with 0" {
  runs memcached
  stops memcached
}

@test "memcached follows an edit of its file to another port" {
  runs memcached
  follows memcached s/11211/11212/ 11212
}

@test "no process of memcached is left after its stop" {
  runs memcached
  stops memcached
  nothing_is_left
}

# PostgreSQL: INT is its fast shutdown. Its backends have sessions of their own.

postgres_file() {
  local bin=(/usr/lib/postgresql/*/bin) # whatever version there is
  mkdir -p "$ROOT/run/postgresql" "$ROOT/srv/db"
  on chown postgres: /run/postgresql /srv/db
  on setpriv --reuid=postgres --regid=postgres --clear-groups \
    "${bin[-1]}/initdb" --no-sync -A trust -D /srv/db >/dev/null
  service postgres "cmd=${bin[-1]}/postgres" user=postgres cwd=/srv/db \
    env=PGDATA=/srv/db env=PGPORT=5432 stderr=/var/log/postgresql/log 'stop=INT 60'
}

sql() { on psql -qAtX -h 127.0.0.1 -p "${PORT:-5432}" -U postgres "$@" 2>/dev/null; }
postgres_answers() { [ "$(PORT=${1:-5432} sql -c 'select 6 * 7')" = 42 ]; }

@test "PostgreSQL answers psql" {
  runs postgres
}

@test "PostgreSQL comes back after a KILL, with all that was committed" {
  runs postgres
  sql -c 'create table t as select 1 as a'
  comes_back postgres
  [ "$(sql -c 'select a from t')" = 1 ]
  grep -q 'was not properly shut down' "$ROOT/var/log/postgresql/log"
}

@test "PostgreSQL is stopped by INT: a client is told, it shuts down fast and exits with 0" {
  runs postgres
  on psql -U postgres -h 127.0.0.1 -c 'select pg_sleep(60)' >"$OUT" 2>&1 &
  CLIENTS+=($!)
  wait_until '[ "$(sql -c "select count(*) from pg_stat_activity where wait_event = '\''PgSleep'\''")" = 1 ]'
  stops postgres
  wait_until "grep -q 'terminating connection due to administrator command' '$OUT'"
  grep -q 'received fast shutdown request' "$ROOT/var/log/postgresql/log"
  tail -n 1 "$ROOT/var/log/postgresql/log" | grep -q 'database system is shut down'
}

@test "PostgreSQL follows an edit of its file to another port" {
  runs postgres
  follows postgres s/5432/5433/ 5433
}

@test "PostgreSQL that is restarted again and again never meets itself" {
  runs postgres
  for starts in {2..6}; do
    on touch /etc/going.d/postgres
    wait_until '[ "$(state postgres starts)" = $starts ]'
  done
  wait_until 'is_fine postgres'
  not grep -Ei 'lock file|in use|could not|not properly' "$ROOT/var/log/postgresql/log"
  # each time it has ended by itself, or by an INT so early that it had no handler yet
  not grep -Ev 'started as|exited with 0 after|killed by signal 2 after' <(messages | grep 'postgres: ')
}

# Killed before it looks, in the middle of the stop, after the start: in every case the database is
# restarted once, and the next going, which shows that it has looked by starting `sign`, leaves it at that.
started() { [ "$(state postgres starts)" -gt "$starts" ]; }

@test "PostgreSQL that is restarted while going is killed is restarted once, and never meets itself" {
  runs postgres
  starts=1
  for moment in : '[ "$(state postgres state)" = stopping ] || started' started; do
    going=$(going_pid)
    on touch /etc/going.d/postgres
    wait_until "$moment"
    on kill -KILL "$going"
    service "sign$starts" 'cmd=sleep 1000'
    wait_until 'is_up "sign$starts" && is_fine postgres'
    starts=$((starts + 1))
    [ "$(state postgres starts)" = "$starts" ]
  done
  not grep -Ei 'lock file|in use|could not|not properly' "$ROOT/var/log/postgresql/log"
}

@test "no process of PostgreSQL is left after its stop" {
  runs postgres
  stops postgres
  nothing_is_left
}

@test "a transaction of PostgreSQL goes on when going is killed in its middle" {
  runs postgres
  pid=$(pid_of postgres)
  coproc CLIENT { on psql -qAtX -h 127.0.0.1 -U postgres 2>&1; }
  CLIENTS+=("$CLIENT_PID")
  echo 'select pg_backend_pid(); begin; create table t as select 1 as a;' >&"${CLIENT[1]}"
  read -t 5 -r backend <&"${CLIENT[0]}"
  going_is_killed postgres
  echo 'commit; select pg_backend_pid();' >&"${CLIENT[1]}"
  read -t 5 -r line <&"${CLIENT[0]}"
  [ "$line" = "$backend" ]
  [ "$(sql -c 'select a from t')" = 1 ]
  [ "$(pid_of postgres) $(state postgres starts)" = "$pid 1" ]
}

# dnsmasq

dnsmasq_file() {
  service dnsmasq 'cmd=dnsmasq --keep-in-foreground -p 53 --no-resolv --no-hosts --address=/shop.test/10.1.2.3'
}

dnsmasq_answers() {
  [ "$(on dig @127.0.0.1 -p "${1:-53}" +short +time=1 +tries=1 shop.test)" = 10.1.2.3 ]
}

@test "dnsmasq answers dig" { runs dnsmasq; }

@test "dnsmasq comes back after a KILL" {
  runs dnsmasq
  comes_back dnsmasq
}

@test "dnsmasq is stopped by TERM, and exits with 0" {
  runs dnsmasq
  stops dnsmasq
  assert_message 'dnsmasq.*: exiting on receipt of SIGTERM'
}

@test "dnsmasq follows an edit of its file to another port" {
  runs dnsmasq
  follows dnsmasq 's/53/54/' 54
}

@test "no process of dnsmasq is left after its stop" {
  runs dnsmasq
  stops dnsmasq
  nothing_is_left
}

# mosquitto

mosquitto_file() {
  service mosquitto 'cmd=mosquitto -p 1883' user=mosquitto stderr=/tmp/mosquitto.log
}

mosquitto_answers() {
  on mosquitto_pub -p "${1:-1883}" -q 1 -r -t greeting -m hello 2>/dev/null &&
    [ "$(on mosquitto_sub -p "${1:-1883}" -t greeting -C 1 -W 2)" = hello ]
}

@test "mosquitto answers mosquitto_pub and mosquitto_sub" { runs mosquitto; }

@test "mosquitto comes back after a KILL" {
  runs mosquitto
  comes_back mosquitto
}

@test "mosquitto is stopped by TERM, and exits with 0" {
  runs mosquitto
  stops mosquitto
  grep -q 'mosquitto version .* terminating' "$ROOT/tmp/mosquitto.log"
}

@test "mosquitto follows an edit of its file to another port" {
  runs mosquitto
  follows mosquitto s/1883/1884/ 1884
}

@test "no process of mosquitto is left after its stop" {
  runs mosquitto
  stops mosquitto
  nothing_is_left
}

# sshd: whoever is logged in has a process session of his own.

sshd_file() {
  on rm -rf /root/.ssh
  on mkdir -m 700 /root/.ssh
  on mkdir /run/sshd
  on ssh-keygen -q -t ed25519 -N '' -f /run/host-key
  on ssh-keygen -q -t ed25519 -N '' -f /run/key
  on cp /run/key.pub /root/.ssh/authorized_keys
  service sshd 'cmd=/usr/sbin/sshd -D -f /dev/null -h /run/host-key -p 22'
}

ssh() {
  on ssh -F /dev/null -p "${PORT:-22}" -i /run/key -o BatchMode=yes -o StrictHostKeyChecking=no \
    -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR root@127.0.0.1 "$@"
}

sshd_answers() { [ "$(PORT=${1:-22} ssh echo hello 2>/dev/null)" = hello ]; }

@test "sshd answers ssh, which runs a command" { runs sshd; }

@test "sshd comes back after a KILL" {
  runs sshd
  comes_back sshd
}

@test "sshd is stopped by TERM, and exits with 0" {
  runs sshd
  stops sshd
}

@test "sshd follows an edit of its file to another port" {
  runs sshd
  follows sshd 's/-p 22/-p 23/' 23
}

@test "no process of sshd is left after its stop" {
  runs sshd
  stops sshd
  nothing_is_left
}

@test "who is logged in does not see that sshd was restarted" {
  runs sshd
  coproc CLIENT { ssh 'echo hello; cat; echo bye'; }
  CLIENTS+=("$CLIENT_PID")
  read -t 5 -r line <&"${CLIENT[0]}"
  comes_back sshd
  on touch /etc/going.d/sshd
  wait_until '[ "$(state sshd starts)" = 3 ] && is_fine sshd'
  echo still here >&"${CLIENT[1]}"
  read -t 5 -r line <&"${CLIENT[0]}"
  [ "$line" = 'still here' ]
}

# syslogds. The machine's own is started by init, and hears what going says.

syslogd_pid() { on pgrep -x syslogd; }

talk() { # NAME: going has a line more to say
  local starts
  starts=$(state "$1" starts)
  on kill -KILL "$(pid_of "$1")"
  wait_until "[ \"\$(state $1 starts)\" = $((starts + 1)) ]"
}

@test "the log goes on when syslogd was killed and is there again" {
  machine_start
  service web 'cmd=sleep 1000' 'backoff=0'
  assert_message 'going: web: started as'
  old=$(syslogd_pid)
  on kill -KILL "$old"
  wait_until 'new=$(syslogd_pid) && [ "$new" != "$old" ]'
  wait_until 'talk web && messages | grep "going: web: started as $(pid_of web)\$"'
}

@test "what is said while there is no syslogd goes to standard error" {
  machine_start
  service web 'cmd=sleep 1000' 'backoff=0'
  assert_message 'going: web: started as'
  on sed -i /syslogd/d /etc/inittab
  on kill -HUP 1
  wait_until 'not syslogd_pid'
  talk web
  assert_log "^web: killed by signal 9 after .*, up"
  assert_log "^web: started as $(pid_of web)\$"
}

@test "a syslogd that is stopped, with its socket full, keeps no service waiting" {
  machine_start
  service web 'cmd=sleep 1000' 'backoff=0'
  assert_message 'going: web: started as'
  syslogd=$(syslogd_pid)
  on kill -STOP "$syslogd"
  SECONDS=0
  for _ in {1..20}; do talk web; done
  [ "$SECONDS" -lt 20 ]
  on kill -CONT "$syslogd"
  wait_until 'talk web && messages | grep "going: web: started as $(pid_of web)\$"'
  [ "$(messages | grep -c 'web: started')" -lt 20 ] # its socket was full
}

# rsyslogd as a service of the going whose log it is to hear: nobody else listens.

rsyslogd_file() {
  on sed -i /syslogd/d /etc/inittab
  on kill -HUP 1
  wait_until 'not syslogd_pid'
  BEFORE=$(processes)
  printf '%s\n' 'module(load="imuxsock")' '*.* /var/log/messages' >"$ROOT/etc/rsyslog.one"
  sed s/messages/other/ "$ROOT/etc/rsyslog.one" >"$ROOT/etc/rsyslog.two"
  service rsyslogd 'cmd=rsyslogd -n -i NONE -f /etc/rsyslog.one'
}

rsyslogd_answers() { # [FILE]: a line of going's is in it
  local word=web-$RANDOM$RANDOM
  service "$word" colour=red
  wait_until "grep -q 'going: $word:1: unknown key' '$ROOT/var/log/${1:-messages}'"
}

@test "rsyslogd, a service itself, gets the log of going" {
  runs rsyslogd
}

@test "rsyslogd comes back after a KILL" {
  runs rsyslogd
  comes_back rsyslogd
}

@test "rsyslogd is stopped by TERM, exits with 0, and nothing of it is left" {
  runs rsyslogd
  rm "$D/rsyslogd"
  LOG=$CONSOLE
  assert_log '^rsyslogd: exited with 0 after .*, stopped'
  nothing_is_left
}

@test "rsyslogd follows an edit of its file to another log" {
  runs rsyslogd
  on sed -i s/one/two/ /etc/going.d/rsyslogd
  wait_until '[ "$(state rsyslogd starts)" = 2 ] && is_fine rsyslogd other'
  [ "$(state rsyslogd exit)" = 0 ]
}

# All of them side by side.

DAEMONS='dnsmasq memcached mosquitto nginx postgres redis sshd'

run_all() {
  local name
  machine_start
  CONSOLE=$LOG LOG=$ROOT/var/log/messages
  BEFORE=$(processes)
  for name in $DAEMONS; do "${name}_file"; done
  all_are_fine
}

all_are_fine() {
  local name
  for name in $DAEMONS; do wait_until "is_fine $name"; done
}

pids() {
  local name
  for name in $DAEMONS; do echo "$name $(pid_of "$name") $(state "$name" starts)"; done
}

@test "going -t finds no fault in the files of all daemons" {
  run_all
  on going -t
}

@test "no daemon is touched when going is killed three times, and replaced three times" {
  run_all
  before=$(pids)
  for _ in {1..3}; do
    : >"$ROOT/var/log/messages"
    going_is_killed sshd
    : >"$ROOT/var/log/messages"
    on kill -USR2 "$(going_pid)"
    assert_message 'going: sshd: taken over as'
  done
  all_are_fine
  [ "$(pids)" = "$before" ]
}

@test "all daemons end in good order when going is told to leave, and start again with the next" {
  run_all
  on kill -TERM "$(going_pid)"
  for name in $DAEMONS; do assert_message "going: $name: exited with 0 after .*, stopped"; done
  wait_until 'going_pid'
  all_are_fine
  not grep -q 'not properly' "$ROOT/var/log/postgresql/log"
}

@test "all daemons come back when all their processes are killed at once" {
  run_all
  old=$(pids)
  # shellcheck disable=SC2046 # pids, to be split
  on kill -KILL $(for name in $DAEMONS; do on pgrep -g "$(pid_of $name)"; done) || : # one may have ended by now
  for name in $DAEMONS; do wait_until "[ \"\$(state $name starts)\" -ge 2 ]"; done
  all_are_fine
}

@test "nothing is left of any daemon when all files are gone" {
  run_all
  for name in $DAEMONS; do rm "$D/$name"; done
  wait_until '[ -z "$(ls "$R")" ]'
  nothing_is_left
}
