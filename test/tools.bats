# The tools beside the cookbook: what they print and change, and that the cookbook shows them as
# they are. What they do in a service is cooked in cookbook.bats.

load helper

TOOLS=$BATS_TEST_DIRNAME/../docs/tools
COOKBOOK=$BATS_TEST_DIRNAME/../docs/cookbook.md
export GOING
PATH=$TOOLS:$PATH

scripts() { grep -l '^#!/bin/sh' "$TOOLS"/*; }

# going-import has tests of its own.
ours() { scripts | grep -v going-import || :; }

ctl() { going-ctl -d "$D" -r "$R" "$@"; }
status() { going-status -d "$D" -r "$R" "$@"; }

is_up() { wait_until "[ \"\$(state $1 state)\" = up ]"; }

# The page

@test "the cookbook shows the tools as they are" {
  awk -v to="$BATS_TEST_TMPDIR/" '
    /^    #!\/bin\/sh$/ { getline; path = $2; inside = path ~ "^/usr/local/s?bin/[^/]*$"
      sub(/.*\//, "", path); if (inside) { print path; print "#!/bin/sh" >(to "shown-" path) }; next }
    inside && /^    / { while (blank-- > 0) print "" >(to "shown-" path)
      blank = 0; print substr($0, 5) >(to "shown-" path); next }
    inside && /^$/ { blank++; next }
    { inside = blank = 0 }' "$COOKBOOK" >"$BATS_TEST_TMPDIR/shown"
  [ "$(wc -l <"$BATS_TEST_TMPDIR/shown")" -gt 15 ]
  while read -r tool; do
    diff "$BATS_TEST_TMPDIR/shown-$tool" "$TOOLS/$tool"
  done <"$BATS_TEST_TMPDIR/shown"
}

@test "each tool is said in the cookbook, is a script for sh, and explains itself" {
  for tool in $(ours); do
    name=${tool##*/}
    grep -q -e "[ \`]$name[ \`]" -e "/$name\$" "$COOKBOOK" || { echo "not in the cookbook: $name" && return 1; }
    [ -x "$tool" ]
    run "$tool" --help
    [ "$status" = 0 ]
    [[ ${lines[0]} == "$name"* ]]
    # no more than its head, and all of it
    [ "${#lines[@]}" = "$(awk 'NR > 1 && !/^#/ { exit } /^# / { n++ } END { print n }' "$tool")" ]
  done
}

@test "the table of the cookbook has each recipe, in the order of the page, under its anchor" {
  grep '^##' "$COOKBOOK" | sed 's/^#* //' >"$BATS_TEST_TMPDIR/headings"
  sed -n 's/^| \*\*\(.*\)\*\* | |$/\1/p; s/^| \[\(.*\)\](#[^)]*) | [^|]* |$/\1/p' "$COOKBOOK" |
    diff "$BATS_TEST_TMPDIR/headings" -
  sed -n 's/^| \[\(.*\)\](#\([^)]*\)) |.*/\2 \1/p' "$COOKBOOK" | while read -r anchor heading; do
    heading=${heading,,}
    heading=${heading//[^a-z0-9 _-]/}
    [ "$anchor" = "${heading// /-}" ] || { echo "$anchor $heading" && return 1; }
  done
}

@test "every recipe is cooked, under its own name, in the order of the page" {
  grep -h '^### ' "$COOKBOOK" | cut -c 5- >"$BATS_TEST_TMPDIR/recipes"
  sed -n 's/^@test "\(.*\)" {$/\1/p' "$BATS_TEST_DIRNAME/cookbook.bats" \
    "$BATS_TEST_DIRNAME/cookbook-machine.bats" | diff "$BATS_TEST_TMPDIR/recipes" -
  [ "$(wc -l <"$BATS_TEST_TMPDIR/recipes")" -gt 90 ]
}

# going-status

@test "going-status shows each service: with its state, switched off, or not seen yet" {
  service bad cmd=false backoff=60
  service job cmd=true restart=never
  service web 'cmd=sleep 1000'
  echo 'cmd=sleep 1000' >"$D/shop.off"
  echo leftover >"$D/web.conf"
  going_start
  is_up web
  wait_until '[ "$(state bad state)" = quarantined ] && [ "$(state job state)" = done ]'
  run status
  echo "$output"
  [ "$status" = 1 ]
  [ "${#lines[@]}" = 5 ]
  [[ ${lines[0]} =~ ^NAME\ +STATE\ +FOR\ +PID\ +RESTARTS\ +LAST\ END\ +MEMORY\ +%CPU$ ]]
  [[ ${lines[1]} =~ ^bad\ +quarantined\ +[0-9]s\ +-\ +1\ exit\ 1\ +-\ +-$ ]]
  [[ ${lines[2]} =~ ^job\ +done\ +[0-9]s\ +-\ +0\ exit\ 0\ +-\ +-$ ]]
  [[ ${lines[3]} =~ ^shop\ +off\ +-\ +-\ +-\ -\ +-\ +-$ ]]
  [[ ${lines[4]} =~ ^web\ +up\ +[0-9]s\ +$(pid_of web)\ +0\ -\ +[0-9.]+[KM]\ +[0-9.]+$ ]]
  run status web
  [ "$status" = 0 ]
  [ "${#lines[@]}" = 2 ]
  rm "$D/bad"
  wait_until '[ ! -e "$R/bad" ]'
  going_kill
  service late 'cmd=sleep 1000'
  run status late
  [[ ${lines[1]} =~ ^late\ +no\ state\ +-\ +- ]]
  # the processes are taken over again, so that the test's end stops them
  going_start
  is_up late
}

@test "going-status says of a process that is no longer there that it is lost" {
  mkdir "$R"
  service web 'cmd=sleep 1000'
  echo "state=up pid=$$ start=1 starts=3 exit=1" >"$R/web"
  run status
  echo "$output"
  [ "$status" = 1 ]
  [[ ${lines[1]} =~ ^web\ +lost\ +[0-9]+s\ +-\ +2\ exit\ 1\ +-\ +-$ ]]
  rm "$R/web"
}

@test "going-status counts what the children of a service use, too" {
  service pool "cmd=bash -c 'set -m; for n in 1 2 3 4; do sleep 1000 & done; while :; do :; done'"
  service one 'cmd=sleep 1000'
  going_start
  is_up pool
  is_up one
  wait_until '[ "$(ps -o pid= -s "$(pid_of pool)" | wc -l)" = 5 ]'
  kilobytes() { status "$1" | awk 'NR == 2 { n = $(NF - 1); print int(n * (n ~ /M/ ? 1024 : 1)) }'; }
  pool=$(kilobytes pool) one=$(kilobytes one)
  wait_until '[ "$(status pool | awk "NR == 2 { print int(\$NF) }")" -gt 5 ]' || busy=no
  # those in groups of their own outlive their service
  kill -KILL $(ps -o pid= -s "$(pid_of pool)")
  [ "$pool" -gt $((3 * one)) ]
  [ -z "${busy-}" ]
}

@test "going-status has colours on a terminal only, and none with NO_COLOR" {
  service web 'cmd=sleep 1000'
  going_start
  is_up web
  not grep -q $'\033' <(status)
  command="going-status -d $D -r $R"
  TERM=xterm script -qec "$command" /dev/null </dev/null | grep -q $'\033\\[32mup'
  not grep -q $'\033' <(NO_COLOR=1 TERM=xterm script -qec "$command" /dev/null </dev/null)
  not grep -q $'\033' <(TERM=dumb script -qec "$command" /dev/null </dev/null)
}

@test "going-status goes with every awk" {
  service web 'cmd=sleep 1000'
  going_start
  is_up web
  mkdir "$BATS_TEST_TMPDIR/bin"
  for awk in gawk mawk original-awk 'busybox awk'; do
    command -v "${awk% *}" >/dev/null || continue
    printf '#!/bin/sh\nexec %s "$@"\n' "$awk" >"$BATS_TEST_TMPDIR/bin/awk"
    chmod 755 "$BATS_TEST_TMPDIR/bin/awk"
    PATH=$BATS_TEST_TMPDIR/bin:$PATH run status
    [[ ${lines[1]} =~ ^web\ +up\ +[0-9]s\ +$(pid_of web)\  ]]
  done
}

# going-ctl

@test "going-ctl starts, stops and restarts by the files alone, and waits until it has come true" {
  echo 'cmd=sleep 1000' >"$D/web.off"
  going_start
  ctl start web
  [ "$(state web state)" = up ]
  [ "$(ls "$D")" = web ]
  ctl start web # it is, already
  [ "$(state web starts)" = 1 ]
  before=$(pid_of web)
  ctl restart web
  [ "$(state web starts) $(state web state)" = '2 up' ]
  dead "$before"
  before=$(pid_of web)
  ctl stop web
  [ ! -e "$R/web" ]
  dead "$before"
  [ "$(ls "$D")" = web.off ]
  ctl stop web
  ctl restart web
  [ "$(state web state)" = up ]
}

@test "going-ctl waits for the next start, not for the process that is still there" {
  service web "cmd=sh -c 'trap \"sleep 1; exit\" TERM; while :; do sleep 0.05; done'"
  going_start
  is_up web
  wait_until 'grep -q "^SigCgt:.*4...$" "/proc/$(pid_of web)/status"'
  ctl restart web
  [ "$(state web starts) $(state web state)" = '2 up' ]
}

@test "going-ctl takes several services, and the worst status of them" {
  service one 'cmd=sleep 1000'
  service two 'cmd=sleep 1000'
  going_start
  is_up one
  is_up two
  ctl restart one two
  [ "$(state one starts) $(state two starts)" = '2 2' ]
  run ctl status one missing two
  [ "$status" = 4 ]
  [ "${#lines[@]}" = 3 ]
}

@test "going-ctl: the exit statuses are those of LSB" {
  service web 'cmd=sleep 1000'
  service job cmd=true restart=never
  service bad cmd=false backoff=60
  echo 'cmd=sleep 1000' >"$D/shop.off"
  going_start
  is_up web
  wait_until '[ "$(state bad state)" = quarantined ] && [ "$(state job state)" = done ]'
  exits() { run ctl "${@:2}" && echo "$output" && [ "$status" = "$1" ]; }
  exits 0 status web
  [[ $output == 'web: state=up pid='* ]]
  exits 1 status bad
  exits 3 status job
  exits 3 status shop
  [ "$output" = 'shop: off' ]
  exits 4 status nosuch
  exits 5 start nosuch
  exits 5 stop nosuch
  exits 5 restart nosuch
  exits 7 reload shop
  exits 7 signal job HUP
  exits 2 start
  exits 2 colour web
  exits 2 status ../web
  exits 2 signal web
  exits 2 wait web sideways
  service brief cmd=true backoff=60
  wait_until '[ "$(state brief state)" = quarantined ]'
  for _ in 1 2 3 4; do exits 1 restart brief; done # however up it looks for an instant
  exits 1 restart bad
  [[ $output == *'bad: state=quarantined '* ]]
  echo colour=red >>"$D/web"
  exits 6 restart web
  [[ $output == web:2:*colour* ]]
  [ "$(state web starts)" = 1 ]
  sed -i 's/sleep/sleep "/' "$D/shop.off"
  exits 6 start shop
}

@test "going-ctl says so when going does not run" {
  echo 'cmd=sleep 1000' >"$D/web.off"
  run ctl -t 1 start web
  [ "$status" = 1 ]
  [[ $output == 'going-ctl: web: not started: does going run?' ]]
}

@test "going-ctl does not overwrite a file that is switched off already" {
  service web 'cmd=sleep 1000'
  echo old >"$D/web.off"
  going_start
  is_up web
  run ctl stop web
  [ "$status" = 1 ]
  [ "$(cat "$D/web.off")" = old ]
  [ "$(state web state)" = up ]
}

@test "going-ctl is as patient as the file says" {
  service web "cmd=sh -c 'trap : TERM; while :; do sleep 0.1; done'" 'stop=TERM 2'
  going_start
  is_up web
  run ctl -t 1 stop web
  [ "$status" = 1 ]
  [[ $output == *'not stopped: state=stopping'* ]]
  ctl stop web
  [ ! -e "$R/web" ]
}

@test "going-ctl sends signals to the process of a service, and to nobody else" {
  service web "cmd=sh -c 'trap \"echo heard >>$OUT\" USR1 HUP; while :; do sleep 0.05; done'"
  going_start
  is_up web
  wait_until 'ctl signal web SIGUSR1; grep -q heard "$OUT"'
  : >"$OUT"
  ctl signal web -USR1
  wait_until 'grep -q heard "$OUT"'
  : >"$OUT"
  ctl reload web
  wait_until 'grep -q heard "$OUT"'
  # somebody who has that number by now
  sleep 1000 3>&- &
  sed "s/pid=[0-9]*/pid=$!/" "$R/web" >"$BATS_TEST_TMPDIR/r2"
  mkdir "$BATS_TEST_TMPDIR/run"
  mv "$BATS_TEST_TMPDIR/r2" "$BATS_TEST_TMPDIR/run/web"
  run going-ctl -d "$D" -r "$BATS_TEST_TMPDIR/run" signal web KILL
  [ "$status" = 7 ]
  alive "$!"
  kill "$!"
}

@test "going-ctl waits until a service is up, ready or down, or for so many seconds" {
  service web 'cmd=sleep 1000'
  going_start
  ctl wait web up 10
  run ctl wait web ready 1
  [ "$status" = 1 ]
  ctl wait web ready 10 &
  sleep 0.2
  touch "$BATS_TEST_TMPDIR/web.ready"
  wait "$!"
  # what names its process holds also if another going has taken it over
  pid_of web >"$BATS_TEST_TMPDIR/web.ready"
  kill -USR2 "$GOING_PID"
  assert_log 'web: taken over'
  sleep 0.2
  ctl wait web ready 1
  # one that is not up is not ready, either
  service job cmd=true restart=never
  wait_until '[ "$(state job state)" = done ]'
  touch "$BATS_TEST_TMPDIR/job.ready"
  run ctl wait job ready 1
  [ "$status" = 1 ]
  # what is older than its start does not count
  ctl restart web
  run ctl wait web ready 1
  [ "$status" = 1 ]
  run ctl wait web down 1
  [ "$status" = 1 ]
  # one that is still stopping is not down
  service slow "cmd=sh -c 'trap \"sleep 0.5; exit\" TERM; while :; do sleep 0.05; done'"
  wait_until 'grep -q "^SigCgt:.*4...$" "/proc/$(pid_of slow)/status"'
  pid=$(pid_of slow)
  rm "$D/slow"
  wait_until '[ "$(state slow state)" = stopping ]'
  ctl wait slow down 10
  dead "$pid"
}

# going-lint

lint() { going-lint -d "$D"; }

# The lines of one service, and what is said of them, word for word but for the beginning.
warns() { # WARNING LINE...
  rm -f "$D"/*
  service web "${@:2}"
  run lint
  echo "$output"
  [ "$output" = "web:${1/: /: warning: }" ]
  [ "$status" = 2 ]
}

no_shell='1: cmd: there is no shell, so this is passed to the command:'
no_expansion='1: cmd: there is no shell that would expand this:'

@test "going-lint warns of shell syntax in a cmd" {
  warns "$no_shell &&" 'cmd=true && false'
  warns "$no_shell ||" 'cmd=true || false'
  warns "$no_shell |" 'cmd=true | cat'
  warns "$no_shell >" 'cmd=true > /dev/null'
  warns "$no_shell >>/dev/null" 'cmd=true >>/dev/null'
  warns "$no_shell <" 'cmd=cat < /dev/null'
  warns "$no_shell 2>&1" 'cmd=true 2>&1'
  warns "$no_shell &>x" 'cmd=true &>x'
  warns "$no_shell &" 'cmd=sleep 1000 &'
  warns "$no_shell ;" 'cmd=true ; false'
  warns "$no_shell a;" 'cmd=echo a; '
  warns "$no_shell a|cat" 'cmd=echo a|cat'
  warns "$no_expansion \$PORT" 'cmd=echo $PORT'
  warns "$no_expansion --port=\${PORT}" 'cmd=echo --port=${PORT}'
  warns "$no_expansion \$PORT" 'cmd=echo "$PORT"'
  warns "$no_expansion \$(hostname)" 'cmd=echo "$(hostname)"'
  warns "$no_expansion \`hostname\`" 'cmd=echo `hostname`'
  warns "$no_expansion /srv/*" 'cmd=ls /srv/*'
  warns "$no_expansion file?" 'cmd=ls file?'
  warns "$no_expansion {a,b}" 'cmd=ls {a,b}'
  warns "$no_expansion ~/data" 'cmd=ls ~/data'
  warns "$no_expansion --dir=~/data" 'cmd=ls --dir=~/data'
  warns "$no_expansion ~/bin/web" 'cmd=~/bin/web'
  warns "$no_expansion \$HOME/web" 'cmd=$HOME/web'
  warns '1: cmd: a comment has a line of its own: this one is passed to the command: #' \
    'cmd=sleep 1000 # for ever'
}

@test "going-lint warns of words that only a shell knows, in the place of a command" {
  warns '1: cmd: exec is a word of the shell: leave it out, going executes the command itself' \
    'cmd=exec sleep 1000'
  warns '1: cmd: cd is a word of the shell: write cwd=DIR in a line of its own' 'cmd=cd /srv'
  warns '1: cmd: export is a word of the shell: write env=NAME=VALUE in a line of its own' \
    'cmd=export A=b'
  warns '1: cmd: ulimit is a word of the shell: prlimit(1) is a command' 'cmd=ulimit -n 100'
  warns "1: cmd: . is a word of the shell: sh -c 'SCRIPT' is a command" 'cmd=. /etc/default/web'
  warns "1: cmd: while is a word of the shell: sh -c 'SCRIPT' is a command" 'cmd=while true'
  warns '1: cmd: no command: PORT=80: write env=PORT=80 in a line of its own' 'cmd=PORT=80 sleep 1000'
}

@test "going-lint warns of a command that cannot be executed" {
  P=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  X=$BATS_TEST_TMPDIR/x
  warns "1: cmd: not found on its PATH, $P: nosuchcmd" 'cmd=nosuchcmd'
  warns "1: cmd: not found on its PATH, $P: two words" 'cmd="two words"'
  warns "1: cmd: not found on its PATH, /nosuch:/opt: sleep" 'cmd=sleep 1000' env=PATH=/nosuch:/opt
  warns '1: cmd: no such file: /nosuch/web' 'cmd=/nosuch/web'
  warns '1: cmd: no such file: /etc/./bin/web' 'cmd=./bin/web' 'cwd=/etc'
  warns '1: cmd: a directory: /etc' cmd=/etc
  warns '1: cmd: not executable: /etc/passwd' cmd=/etc/passwd
  warns "1: cmd: not found on its PATH, $P: nosuchcmd" \
    'cmd=nice -n 10 ionice -c 3 env -i A=b timeout -k 5 2 setpriv --no-new-privs nosuchcmd -x'
  warns "1: cmd: not found on its PATH, $P: nosuchcmd" 'cmd=prlimit --nofile=9 -- nosuchcmd'
  warns '1: cmd: no such file: /nosuch.py' 'cmd=perl /nosuch.py'
  warns '1: cmd: no such file: /etc/start.sh' 'cmd=sh start.sh --now' 'cwd=/etc'
  script() { printf "$1" >"$X" && chmod 755 "$X"; }
  script 'echo hello\n'
  warns "1: cmd: neither a binary nor a script with #! in its first line: $X" "cmd=$X"
  script ''
  warns "1: cmd: neither a binary nor a script with #! in its first line: $X" "cmd=$X"
  script '#!/bin/sh\r\necho hello\r\n'
  warns "1: cmd: its first line ends in a carriage return, so its interpreter is not found: $X" "cmd=$X"
  script '#! /nosuch/perl -w\n'
  warns "1: cmd: the interpreter in its first line is not there: $X: /nosuch/perl" "cmd=$X"
  script '#!/usr/bin/env pyhton\n'
  warns "1: cmd: the interpreter in its first line is not there: $X: pyhton" "cmd=$X"
  mkdir "$BATS_TEST_TMPDIR/bin"
  script '#!/bin/sh\n'
  mv "$X" "$BATS_TEST_TMPDIR/bin/web"
  service web cmd=web "env=PATH=/usr/bin:$BATS_TEST_TMPDIR/bin"
  going-lint "$D/web"
}

@test "going-lint warns of files and directories that are not there" {
  cd "$BATS_TEST_TMPDIR"
  T=$PWD
  : >file
  : >old.fifo
  mkdir -p dir
  warns '2: cwd: no such directory: /nosuch' cmd=true cwd=/nosuch
  warns "2: cwd: not a directory: $T/file" cmd=true "cwd=$T/file"
  warns '2: stdin: no such directory: /nosuch' cmd=true stdin=/nosuch/x
  warns "2: stdin: no such file: $T/no: only a name that ends in .fifo is made" cmd=true "stdin=$T/no"
  warns "2: stdin: a directory: $T/dir" cmd=true "stdin=$T/dir"
  warns '2: stdout: no such directory: /nosuch/log' cmd=true stdout=/nosuch/log/web
  warns "2: stderr: a directory: $T/dir" cmd=true "stderr=$T/dir"
  warns "2: stdout: not there, so it becomes a plain file: only a name that ends in .fifo is made a FIFO: $T/web-fifo" \
    cmd=true "stdout=$T/web-fifo"
  warns "2: stdin: a plain file: $T/old.fifo: remove it, and it is made a FIFO" cmd=true "stdin=$T/old.fifo"
  if echo "cmd=true
heartbeat=5 /run/x" >"$D/web" && "$GOING" -t -d "$D"; then
    warns '2: heartbeat: no such directory: /nosuch' cmd=true 'heartbeat=5 /nosuch/x'
  fi
}

@test "going-lint warns of paths and variables that are not what they look like" {
  path='nothing is expanded or split, so all of this is the path'
  warns "2: stdout: $path: /var/log/web.log 2>&1" cmd=true 'stdout=/var/log/web.log 2>&1'
  warns "2: stdout: $path: /tmp/web.log # the log" cmd=true 'stdout=/tmp/web.log # the log'
  warns "2: stdout: $path: /tmp/\$USER.log" cmd=true 'stdout=/tmp/$USER.log'
  warns "2: cwd: $path: /srv/'my web'" cmd=true "cwd=/srv/'my web'"
  warns "2: cwd: $path: /srv user=web" cmd=true 'cwd=/srv user=web'
  warns '2: env: this is one variable, A: the next needs a line of its own: A=1 B=2' cmd=true 'env=A=1 B=2'
  warns '2: env: the quotes belong to the variable: "A=b c"' cmd=true 'env="A=b c"'
  warns "2: env: the quotes belong to the variable: 'A=b'" cmd=true "env='A=b'"
  warns '2: env: the quotes belong to the variable: A="b c"' cmd=true 'env=A="b c"'
  warns '2: env: nothing is expanded: DIR=$HOME/x' cmd=true 'env=DIR=$HOME/x'
  warns '2: env: nothing is expanded: DIR=~/x' cmd=true 'env=DIR=~/x'
  warns '2: env: nothing is expanded: PATH=$PATH:/opt/bin' cmd=/bin/true 'env=PATH=$PATH:/opt/bin'
  warns '2: env: a comment has a line of its own: this one belongs to the value: A=b # c' cmd=true 'env=A=b # c'
  escape='1: cmd: a backslash escapes nothing: one kind of quotes may stand in the other'
  warns "$escape" 'cmd=echo "say \"hi\""'
  warns "$escape" 'cmd=echo a\ b'
}

@test "going-lint warns of settings without effect" {
  warns '2: critical: without retries it never fails: no effect' cmd=true critical=yes
  warns '2: retries: with restart=never it is not started again: no effect' cmd=true retries=3 restart=never
  warns '2: backoff: with restart=never it is not started again: no effect' cmd=true backoff=3 restart=never
  warns '2: stop: nothing comes after KILL: no effect of the seconds' cmd=true 'stop=KILL 3'
  warns '2: retries: with backoff=0 0 no exit is quick: no effect' cmd=true retries=3 'backoff=0 0'
}

@test "going-lint warns of what stays in front of the service, or leaves it" {
  stays='1: cmd: the shell stays in front of what it starts: say exec before the last command'
  warns "$stays" "cmd=sh -c '/opt/web --port 80'"
  warns "$stays" "cmd=/bin/bash -c 'mkdir -p /run/x && /opt/web'"
  warns "$stays" "cmd=nice -n 5 sh -ec 'cd /srv; ./web'"
  warns '1: cmd: a pipe keeps the shell in front of the service: let stdout be a FIFO' \
    "cmd=sh -c '/opt/web | logger'"
  warns '1: cmd: the shell runs only this word: put quotes around what is behind -c: exec' \
    'cmd=sh -c exec /opt/web'
  mkdir "$BATS_TEST_TMPDIR/bin"
  for name in cron php-fpm8.2 dnsmasq setsid su docker sshd flock; do
    ln -s /bin/true "$BATS_TEST_TMPDIR/bin/$name"
  done
  path="env=PATH=$BATS_TEST_TMPDIR/bin:/bin"
  leaves='goes into the background, and seems to end:'
  warns "1: cmd: cron $leaves see its option -f" cmd=cron "$path"
  warns "1: cmd: cron $leaves see its option -f" 'cmd=/usr/bin/nice -n 5 cron' "$path"
  warns "1: cmd: php-fpm $leaves see its option --nodaemonize" cmd=php-fpm8.2 "$path"
  warns "1: cmd: sshd $leaves see its option -D" "cmd=$BATS_TEST_TMPDIR/bin/sshd -p 22"
  warns "1: cmd: dnsmasq $leaves see its option --keep-in-foreground" cmd=dnsmasq "$path"
  warns "1: cmd: httpd $leaves see its option -f (busybox) or -D FOREGROUND (Apache)" 'cmd=busybox httpd -h /srv'
  warns "1: cmd: setsid $leaves run the program itself" 'cmd=setsid web' "$path"
  warns "1: cmd: docker run goes into the background: leave out -d" 'cmd=docker run -d web' "$path"
  warns '1: cmd: su stays in front of what it starts: user=USER needs no such program' 'cmd=su -c x www' "$path"
  warns '1: cmd: flock stays in front of what it starts: --no-fork lets it execute the command' \
    'cmd=flock /run/lock/x sleep 9' "$path"
}

@test "going-lint warns of what needs root behind a user" {
  for cmd in 'chroot /srv /bin/web' 'unshare --net sleep 9' 'nice -n -5 sleep 9' 'chrt --fifo 9 sleep 9' \
    'ionice -c 1 sleep 9' 'setpriv --reuid=nobody sleep 9'; do
    warns "2: cmd: ${cmd%% *} needs root, but user= comes before it: end the chain with setpriv instead of user=" \
      "user=$(id -un 65534)" "cmd=$cmd"
  done
}

@test "going-lint knows of two ends of a FIFO" {
  F=$BATS_TEST_TMPDIR/web.fifo
  service a cmd=true "stdin=$F"
  service b cmd=true "stdin=$F"
  service c cmd=true "stdout=$F"
  service d cmd=true "stdout=$BATS_TEST_TMPDIR/nobody.fifo"
  service e cmd=true "stdin=$BATS_TEST_TMPDIR/self.fifo" "stderr=$BATS_TEST_TMPDIR/self.fifo"
  going-lint "$D/c" # its reader may be anywhere
  run lint
  echo "$output"
  [ "$output" = "b:2: warning: stdin: a reads from there, too, and each line goes to one of the two: $F
d:2: warning: stdout: no service reads from there, and when it is full, this one waits for ever: $BATS_TEST_TMPDIR/nobody.fifo
e:2: warning: stdin: it reads what it says itself: $BATS_TEST_TMPDIR/self.fifo" ]
}

@test "going-lint warns of files whose names make them no services, but not of leftovers" {
  service web cmd=true
  for name in web.conf 'my web' .web.swp web.off web~ web.dpkg-dist web.bak '#web#' web.template; do
    cp "$D/web" "$D/$name"
  done
  run lint
  echo "$output"
  [ "$output" = 'my web:1: warning: ignored: the name of a service has only letters, digits, _, @ and -
web.conf:1: warning: ignored: the name of a service has only letters, digits, _, @ and -' ]
  [ "$status" = 2 ]
}

@test "going-lint says the faults as going does, and exits with 1" {
  service web cmd=true colour=red
  service shop 'cmd=true > x'
  run lint
  echo "$output"
  [ "$status" = 1 ]
  [ "${#lines[@]}" = 2 ]
  [ "${lines[0]}" = 'shop:1: warning: cmd: there is no shell, so this is passed to the command: >' ]
  [ "${lines[1]}" = "$("$GOING" -t -d "$D" 2>&1)" ]
}

@test "going-lint checks single files, under the name that is given" {
  cd "$BATS_TEST_TMPDIR"
  printf 'cmd=true\nstdin=/nosuch/x\n' >./web
  printf 'cmd=true\ncolour=red\n' >./shop.off
  printf 'cmd=true && false\n' >./db.conf
  run going-lint web
  [ "$output" = 'web:2: warning: stdin: no such directory: /nosuch' ]
  [ "$status" = 2 ]
  run going-lint ./shop.off
  [[ $output == './shop.off:2: '*colour* ]]
  [ "$status" = 1 ]
  run going-lint "$PWD/db.conf"
  [[ ${lines[0]} == "$PWD/db.conf:1: warning: "* ]]
  [[ ${lines[1]} == "$PWD/db.conf:1: warning: "* ]]
  chmod go+w web
  run going-lint web
  [[ $output == *'web:1: others may write to it'* ]]
  [ "$status" = 1 ]
  run going-lint nosuch
  [ "$status" = 1 ]
}

@test "going-lint says nothing of what is meant" {
  T=$BATS_TEST_TMPDIR
  service a "cmd=sh -c 'exec sleep \"\$TIME\" >/dev/null 2>&1'" 'env=TIME=1000'
  service b 'cmd=echo ">" "&" "a;b" "*" ~x' # the last word is not said, either
  sed -i 's/ ~x//' "$D/b"
  service c "cmd=sh -c 'while sleep 5; do echo hello; done'"
  service d "cmd=sh -c 'trap : TERM; sleep 1000; rm -f /run/x'"
  service e "cmd=sh -c 'date >>/tmp/x'" restart=never
  service f 'cmd=wget http://localhost:8080/?a=b&c=d' "env=PATH=$T"
  printf '#!/bin/sh\n' >"$T/wget"
  chmod 755 "$T/wget"
  service g cmd=true 'env=DSN=host=db port=5432' 'env=OPTIONS=-Da=b -Dc=d' 'env=QUOTE=say "hi"' env=EMPTY=
  service h cmd=true "stdin=$T/x.fifo"
  service i cmd=true "stdout=$T/x.fifo" stderr=/dev/stdout
  service j 'cmd=busybox httpd -fp 8080' critical=yes retries=3
  service k "cmd=awk '{ print \$1 }' /etc/passwd" restart=never
  service l "cmd=find /tmp -name '*.tmp' -exec rm {} ';'" restart=never
  service m 'cmd=nice -n 5 true' "user=$(id -un)"
  service n $'cmd=true\r' $'# comment\r'
  service o 'cmd=echo "it'"'"'s" a=b /db[.]conf$ host:* 100%'
  service p 'cmd=taskset --cpu-list 0 chrt --fifo 10 flock --no-fork /run/lock/x env A=b true'
  service q 'cmd=sh -e /etc/profile'
  service r 'cmd=sh -c "exec sleep $TIME"'
  run lint
  echo "$output"
  [ "$status" = 0 ]
  [ -z "$output" ]
}

@test "going-lint finds nothing to say of the recipes but what only their machine has" {
  awk -v to="$D/" '
    /^    # \/etc\/going.d\/[A-Za-z0-9_@-]*$/ { n++; inside = 1; next }
    inside && /^    / { print substr($0, 5) >(to "recipe-" n); next }
    { inside = 0 }' "$COOKBOOK"
  [ "$(ls "$D" | wc -l)" -gt 100 ]
  going-lint "$D"/* 2>&1 | grep -v -e 'not found on its PATH' -e 'no such file' -e 'no such directory' \
    -e 'no such user' -e 'goes to one of the two' -e 'colour' >"$OUT" || :
  cat "$OUT"
  [ ! -s "$OUT" ]
}

# The small ones

@test "wait-for waits for a path, a port, a socket, a condition, and all of them" {
  cd "$BATS_TEST_TMPDIR"
  T=$PWD
  wait-for "$T/file" "[ -e $T/other ]" -- touch "$T/went" &
  waiter=$!
  : >file
  sleep 0.2
  [ ! -e went ]
  : >other
  wait "$waiter"
  [ -e went ]
  run wait-for -t 0 "socket:$T/sock" -- true
  [ "$status" = 1 ]
  [ "$output" = "wait-for: in vain: socket:$T/sock" ]
  socat "UNIX-LISTEN:$T/sock" /dev/null 3>&- &
  wait-for -t 10 "socket:$T/sock" -- true
  kill -KILL "$!"
  [ -S sock ]
  wait_until 'not wait-for -t 0 "socket:$T/sock" -- true'
  # one that was listened to, and has a connection still
  socat "UNIX-LISTEN:$T/once" EXEC:'sleep 1000' 3>&- &
  server=$!
  wait-for -t 10 "socket:$T/once" -- true
  socat -u "UNIX:$T/once" "CREATE:$T/heard" 3>&- &
  wait_until 'pgrep -P "$server" -x sleep'
  grep -q " $T/once\$" /proc/net/unix
  not wait-for -t 0 "socket:$T/once" -- true
  pkill -P "$server" -x sleep
  port=$((20000 + RANDOM % 10000))
  run wait-for -t 0 "port:$port" -- true
  [ "$status" = 1 ]
  socat "TCP-LISTEN:$port,bind=127.0.0.1" /dev/null 3>&- &
  wait-for -t 10 "port:$port" -- true
  kill "$!"
  run wait-for "$T/file" --
  [ "$status" = 64 ]
}

@test "with-env adds what its parent has, and nothing else is changed" {
  run env -i A='x  y' B="it's" C=$'two\nlines' 'D=$HOME' E=a=b F= MINE=theirs '9bad=no' PATH="$PATH" \
    sh -c 'MINE=mine env -i MINE=mine PATH="$PATH" with-env env -0; :'
  # the shell between is the parent: what it exports is what with-env sees
  printf '%s' "$output" | tr '\0' '\n' >"$OUT"
  printf '%s\n' "$output" | grep -c . >/dev/null
  run env -i A='x  y' B="it's" C=$'two\nlines' 'D=$HOME' E=a=b F= MINE=theirs PATH="$PATH" \
    sh -c 'env -i MINE=mine PATH="$PATH" with-env sh -c "printf \"%s|\" \"\$A\" \"\$B\" \"\$C\" \"\$D\" \"\$E\" \"\${F-unset}\" \"\$MINE\""; :'
  [ "$output" = $'x  y|it\'s|two\nlines|$HOME|a=b||mine|' ]
}

@test "on-trouble goes with inotifyd where there is no inotifywait" {
  needs_root
  mkdir "$BATS_TEST_TMPDIR/bin"
  for tool in sh cat sed logger sleep grep; do ln -s "$(command -v $tool)" "$BATS_TEST_TMPDIR/bin/"; done
  # as busybox says it: events, the watched path, the name in it
  printf '#!/bin/sh\n[ "$*" = "- .:y" ] || exit 1\nprintf "y\\t.\\t%%s\\n" good bad; exec sleep 1000\n' \
    >"$BATS_TEST_TMPDIR/bin/inotifyd"
  chmod 755 "$BATS_TEST_TMPDIR/bin/inotifyd"
  mkdir "$R"
  echo 'state=up pid=1 start=1 starts=1' >"$R/good"
  echo 'state=failed starts=3 exit=1' >"$R/bad"
  unshare --mount --pid --fork --kill-child sh -c "mkdir -p /run/going && mount --bind '$R' /run/going &&
    PATH=$BATS_TEST_TMPDIR/bin exec '$TOOLS/on-trouble' cat" >"$OUT" 3>&- &
  tool=$!
  wait_until 'grep -q . "$OUT"'
  [ "$(cat "$OUT")" = 'bad: state=failed starts=3 exit=1' ]
  kill -KILL "$tool"
  rm "$R/good" "$R/bad"
}

@test "bash completes actions and the names of services" {
  service web cmd=true
  service getty@tty1 cmd=true
  echo 'cmd=true' >"$D/shop.off"
  echo 'cmd=true' >"$D/web.conf"
  . "$TOOLS/completion.bash"
  completes() { # EXPECTED WORD...
    COMP_WORDS=("${@:2}") COMP_CWORD=$(($# - 2)) COMPREPLY=()
    _going
    echo "${*:2}: ${COMPREPLY[*]}"
    [ "${COMPREPLY[*]}" = "$1" ]
  }
  completes 'start stop status' going-ctl st
  completes 'web' going-ctl -d "$D" restart w
  completes 'getty@tty1 shop web' going-ctl -d "$D" start ''
  completes 'up down ready' going-ctl -d "$D" wait web ''
  completes 'HUP' going-ctl -d "$D" signal web H
  completes 'web' going-status -d "$D" w
  completes '-d -r -w -t -h -V' going -
  complete -p going going-ctl going-status going-lint going-import
}
