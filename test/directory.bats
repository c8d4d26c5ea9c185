# The service directory is the control panel: what is put, changed, renamed,
# removed and left half-done there, and what becomes of the services.
load helper

is() { [ "$(state "$1" state)" = "$2" ]; }
up() { is "$1" up && alive "$(pid_of "$1")"; }
gone() { [ ! -e "$R/$1" ]; }

# NAME runs, and with what its file says now: its process is `COMMAND`.
runs() { # NAME 'COMMAND'
  up "$1" && [ "$(tr '\0' ' ' <"/proc/$(pid_of "$1")/cmdline")" = "$2 " ]
}

# Waits until everything that has been done in the directory so far has been seen: a
# last file is put there, and its service comes up.
seen() {
  service zz-last "cmd=sleep 7$((++SEEN))"
  wait_until 'runs zz-last "sleep 7$SEEN"'
}

# A service that takes its time to stop: it ends once the file "let-go" exists.
slow() { # NAME NUMBER
  service "$1" "cmd=$BATS_TEST_TMPDIR/slow $2" "stdout=$BATS_TEST_TMPDIR/$1.out" 'stop=TERM 1000'
}

write_slow() {
  cat >"$BATS_TEST_TMPDIR/slow" <<'END'
#!/bin/sh
trap 'asked=yes' TERM
echo "started $1"
until [ "$asked" ] && [ -e "${0%/*}/let-go" ]; do sleep 0.02; done
echo "ended $1"
END
  chmod +x "$BATS_TEST_TMPDIR/slow"
}

# Runs the given steps in the directory, so quickly that it is never quiet between two of
# them. A busy machine may be too slow for that: then it is tried again.
swiftly() { # BEFORE STEP...
  local before=$1 step last now swift
  shift
  for _ in {1..20}; do
    eval "$before"
    swift=yes last=${EPOCHREALTIME/./}
    for step; do
      eval "$step"
      now=${EPOCHREALTIME/./}
      [ $((now - last)) -lt 80000 ] || swift=
      last=$now
    done
    [ -z "$swift" ] || return 0
  done
  skip 'this machine is too slow'
}

@test "a file put into the directory starts its service" {
  going_start
  service web 'cmd=sleep 1001'
  wait_until 'runs web "sleep 1001"'
  assert_log "^web: started as $(pid_of web)"
}

@test "services that are there already start in the order of their names" {
  for name in zoo web db b10 b1 a 90 10; do service $name 'cmd=sleep 1000'; done
  going_start
  wait_until '[ "$(grep -c ": started as" "$LOG")" -eq 8 ]'
  [ "$(sed -n 's/: started as .*//p' "$LOG" | xargs)" = '10 90 a b1 b10 db web zoo' ]
}

@test "services that are put there together start in the order of their names" {
  going_start
  mkdir "$BATS_TEST_TMPDIR/new"
  for name in c b a; do echo 'cmd=sleep 1000' >"$BATS_TEST_TMPDIR/new/$name"; done
  swiftly 'rm -f "$D"/*; wait_until "[ -z \"\$(ls $R)\" ]"; : >"$LOG"' \
    'cp "$BATS_TEST_TMPDIR/new/c" "$D"' 'cp "$BATS_TEST_TMPDIR/new/a" "$BATS_TEST_TMPDIR/new/b" "$D"'
  wait_until '[ "$(grep -c ": started as" "$LOG")" -eq 3 ]'
  [ "$(sed -n 's/: started as .*//p' "$LOG" | xargs)" = 'a b c' ]
}

@test "a change restarts the service, once, with what the file says now" {
  service web 'cmd=sleep 1001'
  service other 'cmd=sleep 1000'
  going_start
  wait_until 'runs web "sleep 1001" && up other'
  other=$(pid_of other) web=$(pid_of web)
  echo 'cmd=sleep 1002' >"$D/web"
  wait_until 'runs web "sleep 1002"'
  seen
  [ "$(state web starts)" = 2 ]
  not alive "$web"
  [ "$(pid_of other)" = "$other" ]
  alive "$other"
}

@test "touch restarts the service, once" {
  service web 'cmd=sleep 1001'
  going_start
  wait_until 'up web'
  pid=$(pid_of web)
  touch "$D/web"
  wait_until 'runs web "sleep 1001" && [ "$(pid_of web)" != "$pid" ]'
  seen
  [ "$(state web starts)" = 2 ]
}

@test "chmod restarts the service, once" {
  service web 'cmd=sleep 1001'
  going_start
  wait_until 'up web'
  pid=$(pid_of web)
  chmod 600 "$D/web"
  wait_until 'runs web "sleep 1001" && [ "$(pid_of web)" != "$pid" ]'
  seen
  [ "$(state web starts)" = 2 ]
}

@test "reading and listing the directory restart nothing" {
  service web 'cmd=sleep 1001'
  going_start
  wait_until 'up web'
  cat "$D/web" && ls -l "$D" && [ -r "$D/web" ]
  kill -HUP "$GOING_PID"
  seen
  [ "$(state web starts)" = 1 ]
}

@test "a file moved over another restarts the service, once" {
  service web 'cmd=sleep 1001'
  going_start
  wait_until 'up web'
  echo 'cmd=sleep 1002' >"$BATS_TEST_TMPDIR/new"
  mv "$BATS_TEST_TMPDIR/new" "$D/web"
  wait_until 'runs web "sleep 1002"'
  seen
  [ "$(state web starts)" = 2 ]
}

@test "a rename stops the service of the old name and starts one of the new name" {
  service old 'cmd=sleep 1001'
  going_start
  wait_until 'up old'
  pid=$(pid_of old)
  mv "$D/old" "$D/new"
  wait_until 'runs new "sleep 1001" && gone old'
  not alive "$pid"
}

@test "two files that change their names change their services" {
  service one 'cmd=sleep 1001'
  service two 'cmd=sleep 1002'
  going_start
  wait_until 'up one && up two'
  mv "$D/one" "$D/.x" && mv "$D/two" "$D/one" && mv "$D/.x" "$D/two"
  wait_until 'runs one "sleep 1002" && runs two "sleep 1001"'
}

@test "removing the file stops the service, and its state is gone" {
  service web 'cmd=sleep 1000'
  going_start
  wait_until 'up web'
  pid=$(pid_of web)
  rm "$D/web"
  wait_until 'gone web'
  not alive "$pid"
  seen
  gone web
}

@test "mv web web.off stops the service, mv web.off web starts it" {
  service web 'cmd=sleep 1001'
  going_start
  wait_until 'up web'
  pid=$(pid_of web)
  mv "$D/web" "$D/web.off"
  wait_until 'gone web'
  not alive "$pid"
  mv "$D/web.off" "$D/web"
  wait_until 'runs web "sleep 1001"'
}

@test "what editors, sed, dpkg and rpm leave behind is ignored" {
  names=('restart=never' 'cmd=sleep' $'cmd=a\nb' '.web.swp' '.web' 'web~' '#web#' '.#web' 'web.off' 'web.bak' 'web.orig' 'web.new' 'web.dpkg-new'
    'web.dpkg-old' 'web.dpkg-dist' 'web.dpkg-tmp' 'web.ucf-old' 'web.rpmsave' 'web.rpmnew' 'web.rpmorig'
    'web,v' 'web 2' '.web@1' 'web@1.off' '@web~' 'wéb' 'web;5f' $'web\n2' '-web.' 'web:1' '+' '...')
  for name in "${names[@]}"; do echo 'cmd=sleep 1000' >"$D/$name"; done
  mkdir "$D/a.directory" "$D/.git"
  echo 'nonsense' >"$D/faulty.off"
  run "$GOING" -t -d "$D"
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  going_start
  seen
  for name in "${names[@]}"; do touch "$D/$name"; done
  seen
  [ "$(ls "$R")" = zz-last ]
  not grep -v '^zz-last: ' "$LOG"
}

@test "names of letters, digits, _, - and @ are services" {
  for name in a Z 0 _ web-1 web_2 A-b_C-9 -dash getty@tty1 @ a@ @b x@y@z; do
    service "$name" 'cmd=sleep 1000'
  done
  going_start
  wait_until '[ "$(grep -sl "^state=up " "$R"/* | wc -l)" -eq 13 ]'
  pid=$(pid_of getty@tty1)
  going_kill
  going_start
  assert_log "^getty@tty1: taken over as $pid\$"
  rm "$D/getty@tty1" "$D/@"
  wait_until 'gone getty@tty1 && gone @'
  not alive "$pid"
}

@test "a file that is written slowly starts nothing before it is whole" {
  going_start
  swiftly 'rm -f "$D/web"; wait_until "gone web"; : >"$LOG"' \
    'printf "cmd=sleep 1" >>"$D/web"' 'sleep 0.02' 'printf "00" >>"$D/web"' 'sleep 0.02' 'printf "1\nen" >>"$D/web"' \
    'sleep 0.02' 'printf "v=A" >>"$D/web"' 'sleep 0.02' 'printf "=b\n" >>"$D/web"'
  wait_until 'runs web "sleep 1001"'
  seen
  [ "$(state web starts)" = 1 ]
  refute_log '^web:[0-9]'
}

# Whoever writes it keeps it open, and pauses: a slow editor, or scp.
@test "a file that somebody has open for writing is left alone until it is closed" {
  exec 7>"$D/first"
  printf 'cmd=sleep 1001\n' >&7
  going_start
  exec 8>"$D/second"
  printf 'cmd=sleep 1002\n' >&8
  assert_log '^first: cannot read its file: Text file busy$'
  for look in 1 2 3; do
    kill -HUP "$GOING_PID"
    seen
  done
  not grep -E '(first|second): (started|[0-9])' "$LOG"
  printf 'env=A=first\n' >&7
  printf 'env=A=second\n' >&8
  exec 7>&- 8>&-
  wait_until 'runs first "sleep 1001" && runs second "sleep 1002"'
  for name in first second; do
    tr '\0' '\n' <"/proc/$(pid_of $name)/environ" | grep -qx "A=$name"
    [ "$(state $name starts)" = 1 ]
  done
  [ "$(grep -c 'Text file busy' "$LOG")" = 1 ] # the same trouble is said once
}

# NFS and CIFS refuse leases with the same error, whoever has the file open.
@test "a file that was not written for a minute is read, even if no lease is to be had" {
  WRAP+=(strace -D -qq -o /dev/null -e trace=fcntl,fcntl64 -e inject=fcntl,fcntl64:error=EAGAIN)
  service old 'cmd=sleep 1000'
  service new 'cmd=sleep 1000'
  touch -d '2 minutes ago' "$D/old"
  going_start
  wait_until 'runs old "sleep 1000"'
  assert_log '^new: cannot read its file: Text file busy$'
  touch -d '2 minutes ago' "$D/new"
  wait_until 'runs new "sleep 1000"'
}

@test "a service goes on as it is while somebody has its file open for writing" {
  service web 'cmd=sleep 1001'
  going_start
  wait_until 'runs web "sleep 1001"'
  pid=$(pid_of web)
  exec 7>"$D/web"
  printf 'cmd=sleep 100' >&7
  assert_log '^web: cannot read its file: Text file busy$'
  kill -HUP "$GOING_PID"
  seen
  [ "$(pid_of web)" = "$pid" ]
  printf '2\n' >&7
  exec 7>&-
  wait_until 'runs web "sleep 1002"'
  [ "$(state web starts)" = 2 ]
  refute_log '^web:[0-9]'
}

@test "a directory that is never quiet is looked at all the same" {
  service web 'cmd=sleep 1001'
  going_start
  wait_until 'up web'
  while sleep 0.02; do : >"$D/.noise"; done 3>&- >/dev/null 2>&1 &
  noise=$!
  service web 'cmd=sleep 1002'
  service new 'cmd=sleep 1003'
  wait_until 'runs web "sleep 1002" && runs new "sleep 1003"' || { kill $noise && false; }
  kill $noise
}

@test "sed -i restarts the service once, and starts nothing else" {
  service web 'cmd=sleep 1001'
  going_start
  wait_until 'up web'
  sed -i s/1001/1002/ "$D/web"
  wait_until 'runs web "sleep 1002"'
  seen
  [ "$(state web starts)" = 2 ]
  not grep -Ev '^(web|zz-last): ' "$LOG"
}

@test "an editor's shuffle of names restarts the service once, and starts nothing else" {
  going_start
  # as vim does: try whether a file can be made, make a backup, write anew
  swiftly 'rm -f "$D"/*; wait_until "[ -z \"\$(ls $R)\" ]"; service web "cmd=sleep 1001"; wait_until "runs web \"sleep 1001\""; : >"$LOG"' \
    ': >"$D/4913"' 'rm "$D/4913"' 'mv "$D/web" "$D/web~"' ': >"$D/web"' 'echo "cmd=sleep 1002" >"$D/web"' 'rm "$D/web~"'
  wait_until 'runs web "sleep 1002"'
  seen
  [ "$(state web starts)" = 2 ]
  not grep -Ev '^(web|zz-last): ' "$LOG"
  refute_log '^web:[0-9]'
}

@test "a symlink is followed, and HUP looks at its target again" {
  echo 'cmd=sleep 1001' >"$BATS_TEST_TMPDIR/target"
  ln -s "$BATS_TEST_TMPDIR/target" "$D/web"
  going_start
  wait_until 'runs web "sleep 1001"'
  echo 'cmd=sleep 1002' >"$BATS_TEST_TMPDIR/target"
  kill -HUP "$GOING_PID"
  wait_until 'runs web "sleep 1002"'
  kill -HUP "$GOING_PID"
  seen
  [ "$(state web starts)" = 2 ]
}

@test "HUP writes every state file anew" {
  service web 'cmd=sleep 1000'
  service task cmd=true restart=never
  going_start
  wait_until '[ "$(state web state) $(state task state)" = "up done" ]'
  web=$(cat "$R/web") task=$(cat "$R/task")
  rm "$R/web"
  echo 'state=up pid=1 start=1' >"$R/task"
  kill -HUP "$GOING_PID"
  wait_until '[ "$(cat "$R/web")" = "$web" ] && [ "$(cat "$R/task")" = "$task" ]'
}

@test "a symlink that is pointed elsewhere restarts the service" {
  echo 'cmd=sleep 1001' >"$BATS_TEST_TMPDIR/one"
  echo 'cmd=sleep 1002' >"$BATS_TEST_TMPDIR/two"
  ln -s "$BATS_TEST_TMPDIR/one" "$D/web"
  going_start
  wait_until 'runs web "sleep 1001"'
  ln -sfn "$BATS_TEST_TMPDIR/two" "$D/web"
  wait_until 'runs web "sleep 1002"'
}

@test "a dangling link is said once, and starts when its target is there" {
  ln -s "$BATS_TEST_TMPDIR/target" "$D/web"
  run "$GOING" -t -d "$D"
  [ "$status" -eq 1 ]
  [[ $output == web:1:\ ?* ]]
  going_start
  assert_log '^web:1: .'
  kill -HUP "$GOING_PID"
  seen
  kill -HUP "$GOING_PID"
  seen
  [ "$(grep -c '^web:1:' "$LOG")" -eq 1 ]
  [ -z "$(pid_of web)" ]
  echo 'cmd=sleep 1001' >"$BATS_TEST_TMPDIR/target"
  kill -HUP "$GOING_PID"
  wait_until 'runs web "sleep 1001"'
}

@test "a service goes on when its link has lost its target" {
  echo 'cmd=sleep 1001' >"$BATS_TEST_TMPDIR/target"
  ln -s "$BATS_TEST_TMPDIR/target" "$D/web"
  going_start
  wait_until 'runs web "sleep 1001"'
  pid=$(pid_of web)
  rm "$BATS_TEST_TMPDIR/target"
  kill -HUP "$GOING_PID"
  assert_log '^web:1: .'
  seen
  up web
  [ "$(pid_of web)" = "$pid" ]
}

# Puts something that is not to be trusted in the place of $D/NAME.
make_untrusted() { # KIND NAME
  local file=$D/.$2.new
  case $1 in
    fifo) mkfifo "$file" ;;
    directory) ln -s / "$file" ;;
    device) ln -s /dev/zero "$file" ;;
    terminal) ln -s /dev/tty "$file" ;;
    socket) python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$file" ;;
    loop)
      ln -sf loop "$BATS_TEST_TMPDIR/loop"
      ln -s "$BATS_TEST_TMPDIR/loop" "$file"
      ;;
    big) { echo 'cmd=sleep 1000' && head -c 8178 /dev/zero | tr '\0' '#'; } >"$file" ;;
    huge) { echo 'cmd=sleep 1000' && head -c 1000000 /dev/zero | tr '\0' '#'; } >"$file" ;;
    nul) printf 'cmd=sleep 1000\n#\0\n' >"$file" ;;
    nul-at-the-end) printf 'cmd=sleep 1000\n\0' >"$file" ;;
    group-writable) echo 'cmd=sleep 1000' >"$file" && chmod 664 "$file" ;;
    writable-by-others) echo 'cmd=sleep 1000' >"$file" && chmod 646 "$file" ;;
    foreign) echo 'cmd=sleep 1000' >"$file" && chown daemon "$file" ;;
    foreign-target)
      echo 'cmd=sleep 1000' >"$BATS_TEST_TMPDIR/foreign-target"
      chown daemon "$BATS_TEST_TMPDIR/foreign-target"
      ln -s "$BATS_TEST_TMPDIR/foreign-target" "$file"
      ;;
  esac
  mv -fT "$file" "$D/$2"
}

UNTRUSTED='big device directory fifo foreign foreign-target group-writable huge loop nul nul-at-the-end socket terminal writable-by-others'
is_root || UNTRUSTED=${UNTRUSTED/foreign foreign-target /} # these take a chown

@test "what is not a small regular file of ours alone is refused as line 1, and never waited for" {
  for kind in $UNTRUSTED; do make_untrusted $kind $kind; done
  rm "$D/directory"
  mkdir "$D/directory"
  [ "$(stat -c %s "$D/big")" -eq 8193 ]
  run timeout 10 "$GOING" -t -d "$D"
  echo "$output"
  [ "$status" -eq 1 ]
  [ "$(printf '%s\n' "$output" | sed 's/\(:1: \)..*/\1/' | xargs)" = "${UNTRUSTED// /:1: }:1:" ]
  going_start
  seen
  for kind in $UNTRUSTED; do
    assert_log "^$kind:1: ."
    [ -z "$(pid_of $kind)" ]
    is $kind failed
  done
}

@test "what is not a regular file is not even opened: a device may do things then" {
  WRAP+=(strace -D -qq -o "$BATS_TEST_TMPDIR/trace" -P "$D/fifo" -P "$D/web" -e trace=open,openat)
  mkfifo "$D/fifo"
  service web 'cmd=sleep 1000'
  going_start
  assert_log '^fifo:1: not a regular file$'
  wait_until 'runs web "sleep 1000"'
  wait_until 'grep -q web "$BATS_TEST_TMPDIR/trace"'
  not grep fifo "$BATS_TEST_TMPDIR/trace"
}

@test "a service goes on, and is restarted, when its file is replaced by what is not to be trusted" {
  for kind in $UNTRUSTED; do service $kind 'cmd=sleep 1001'; done
  going_start
  for kind in $UNTRUSTED; do wait_until "up $kind"; done
  declare -A pid
  for kind in $UNTRUSTED; do
    pid[$kind]=$(pid_of $kind)
    make_untrusted $kind $kind
  done
  for kind in $UNTRUSTED; do assert_log "^$kind:1: ."; done
  seen
  for kind in $UNTRUSTED; do
    up $kind
    [ "$(pid_of $kind)" = "${pid[$kind]}" ]
    kill -KILL "${pid[$kind]}"
    wait_until "runs $kind 'sleep 1001' && [ \$(pid_of $kind) != ${pid[$kind]} ]"
  done
}

@test "chmod and chown mend a file that was refused" {
  needs_root
  make_untrusted group-writable web
  make_untrusted foreign db
  going_start
  assert_log '^web:1: .'
  assert_log '^db:1: .'
  chmod 644 "$D/web"
  chown 0 "$D/db"
  wait_until 'runs web "sleep 1000" && runs db "sleep 1000"'
}

@test "a service whose file has become bad goes on, and is restarted from the last good one" {
  service web 'cmd=sleep 1001'
  going_start
  wait_until 'runs web "sleep 1001"'
  pid=$(pid_of web)
  service web 'cmd=sleep 1002' 'colour=red'
  assert_log '^web:2: .'
  seen
  runs web 'sleep 1001'
  [ "$(pid_of web)" = "$pid" ]
  kill -KILL "$pid"
  wait_until 'runs web "sleep 1001" && [ "$(pid_of web)" != "$pid" ]'
  service web 'cmd=sleep 1003'
  wait_until 'runs web "sleep 1003"'
  [ "$(state web starts)" = 3 ]
}

@test "a service whose bad file goes back to what it was is restarted with it" {
  service web 'cmd=sleep 1001'
  going_start
  wait_until 'runs web "sleep 1001"'
  pid=$(pid_of web)
  service web 'colour=red'
  assert_log '^web:1: .'
  service web 'cmd=sleep 1001'
  wait_until 'runs web "sleep 1001" && [ "$(pid_of web)" != "$pid" ]'
}

@test "removing a bad file stops what went on, and takes the state away" {
  service web 'cmd=sleep 1001'
  service never 'colour=red'
  going_start
  wait_until 'up web && is never failed'
  pid=$(pid_of web)
  service web 'colour=red'
  assert_log '^web:1: .'
  rm "$D/web" "$D/never"
  wait_until 'gone web && gone never'
  not alive "$pid"
}

# What is done to the directory, and how it comes back with a new, a changed, a lasting
# and without a removed service.
directory_goes_and_comes() { # 'GO' 'COME'
  for name in changed lasting removed; do service $name 'cmd=sleep 1001'; done
  going_start
  wait_until 'up changed && up lasting && up removed'
  changed=$(pid_of changed) lasting=$(pid_of lasting) removed=$(pid_of removed)
  eval "$1"
  wait_until '[ "$(grep -Ec "$D" "$LOG")" -ge 1 ]'
  for name in changed lasting removed; do
    up $name
    [ "$(pid_of $name)" = "${!name}" ]
  done
  # The services are looked after meanwhile.
  kill -KILL "$lasting"
  wait_until 'runs lasting "sleep 1001" && [ "$(pid_of lasting)" != "$lasting" ]'
  eval "$2"
  wait_until 'runs new "sleep 1002" && runs changed "sleep 1002" && gone removed'
  wait_until 'runs lasting "sleep 1001"'
  not alive "$removed"
  not alive "$changed"
  # It is watched as before.
  service new 'cmd=sleep 1003'
  wait_until 'runs new "sleep 1003"'
}

fill() { # DIRECTORY
  echo 'cmd=sleep 1001' >"$1/lasting"
  echo 'cmd=sleep 1002' | tee "$1/changed" >"$1/new"
}

@test "services go on when the directory is renamed, and follow the one that is made anew" {
  directory_goes_and_comes 'mv "$D" "$D.away"' 'mkdir "$D.new"; fill "$D.new"; mv "$D.new" "$D"'
}

@test "services go on when the directory is away, and follow it when it is back" {
  directory_goes_and_comes 'mv "$D" "$D.away"' 'rm "$D.away/removed"; fill "$D.away"; mv "$D.away" "$D"'
}

@test "services go on when the directory is removed, and follow the one that is made anew" {
  directory_goes_and_comes 'mv "$D" "$D.away"; rm -r "$D.away"' 'mkdir "$D.new"; fill "$D.new"; mv "$D.new" "$D"'
}

@test "an empty directory stops everything" {
  service one 'cmd=sleep 1001'
  service two 'cmd=sleep 1001'
  going_start
  wait_until 'up one && up two'
  rm "$D/one" "$D/two"
  wait_until 'gone one && gone two'
}

@test "services go on when the directory has become a file" {
  directory_goes_and_comes 'mv "$D" "$D.away"; : >"$D"' 'rm "$D"; mkdir "$D.new"; fill "$D.new"; mv "$D.new" "$D"'
}

@test "services go on when the directory is a link that dangles" {
  mv "$D" "$D.real"
  ln -s "$D.real" "$D"
  directory_goes_and_comes 'mv "$D.real" "$D.away"; kill -HUP "$GOING_PID"' \
    'rm "$D.away/removed"; fill "$D.away"; mv "$D.away" "$D.real"'
}

@test "the lost directory is said once, and not every second" {
  service web 'cmd=sleep 1000'
  going_start
  wait_until 'up web'
  mv "$D" "$D.away"
  assert_log "$D"
  lines=$(wc -l <"$LOG")
  begin=$SECONDS
  wait_until '[ $((SECONDS - begin)) -ge 5 ]'
  [ "$(wc -l <"$LOG")" -eq "$lines" ]
}

@test "going waits for a directory that is not there yet" {
  rmdir "$D"
  going_start
  assert_log "$D"
  mkdir "$D"
  service web 'cmd=sleep 1001'
  wait_until 'runs web "sleep 1001"'
}

@test "what changes in a directory that was renamed away does not count" {
  service web 'cmd=sleep 1001'
  going_start
  wait_until 'up web'
  mv "$D" "$D.away"
  mkdir "$D.new"
  cp "$D.away/web" "$D.new/web"
  mv "$D.new" "$D"
  wait_until 'runs web "sleep 1001" && [ "$(state web starts)" = 2 ]'
  echo 'cmd=sleep 1002' >"$D.away/web"
  rm "$D.away/web"
  seen
  runs web 'sleep 1001'
  [ "$(state web starts)" = 2 ]
}

@test "edits during a stop end with exactly one instance, of the last content" {
  write_slow
  slow web 1
  going_start
  wait_until 'grep -qs "started 1" "$BATS_TEST_TMPDIR/web.out"'
  for number in 2 3 4; do
    slow web $number
    wait_until 'is web stopping'
    seen
    is web stopping
    [ "$(state web starts)" = 1 ]
  done
  : >"$BATS_TEST_TMPDIR/let-go"
  wait_until 'grep -q "started 4" "$BATS_TEST_TMPDIR/web.out" && up web'
  seen
  [ "$(cat "$BATS_TEST_TMPDIR/web.out")" = $'started 1\nended 1\nstarted 4' ]
  [ "$(state web starts)" = 2 ]
}

@test "a bad edit during a stop does not undo the good one before it" {
  write_slow
  slow web 1
  going_start
  wait_until 'grep -qs "started 1" "$BATS_TEST_TMPDIR/web.out"'
  slow web 2
  wait_until 'is web stopping'
  service web 'colour=red'
  assert_log '^web:1: .'
  : >"$BATS_TEST_TMPDIR/let-go"
  wait_until 'grep -q "started 2" "$BATS_TEST_TMPDIR/web.out" && up web'
}

@test "a file that is removed and put back during the stop starts once, when the old one has ended" {
  write_slow
  slow web 1
  going_start
  wait_until 'grep -qs "started 1" "$BATS_TEST_TMPDIR/web.out"'
  rm "$D/web"
  wait_until 'is web stopping'
  slow web 2
  seen
  is web stopping
  : >"$BATS_TEST_TMPDIR/let-go"
  wait_until 'grep -q "started 2" "$BATS_TEST_TMPDIR/web.out" && up web'
  seen
  [ "$(cat "$BATS_TEST_TMPDIR/web.out")" = $'started 1\nended 1\nstarted 2' ]
}

@test "a file that is changed and then removed during the stop starts nothing" {
  write_slow
  slow web 1
  going_start
  wait_until 'grep -qs "started 1" "$BATS_TEST_TMPDIR/web.out"'
  slow web 2
  wait_until 'is web stopping'
  rm "$D/web"
  seen
  : >"$BATS_TEST_TMPDIR/let-go"
  wait_until 'gone web'
  seen
  [ "$(cat "$BATS_TEST_TMPDIR/web.out")" = $'started 1\nended 1' ]
}

@test "a stop goes by the settings under which the service was started" {
  service web 'cmd=sh -c "trap : TERM; trap exit USR1; echo ready; while :; do sleep 0.02; done"' \
    'stop=USR1 1000' "stdout=$BATS_TEST_TMPDIR/ready"
  going_start
  wait_until 'grep -qs ready "$BATS_TEST_TMPDIR/ready"'
  service web 'cmd=sleep 1002' 'stop=TERM 1000'
  wait_until 'runs web "sleep 1002"'
}

@test "removing the file of a service in quarantine ends its quarantine and its state" {
  service web 'cmd=false' 'backoff=0.2 1000'
  going_start
  wait_until 'is web quarantined && [ "$(state web starts)" -ge 3 ]'
  rm "$D/web"
  wait_until 'gone web'
  starts=$(grep -c '^web: started' "$LOG")
  service patience 'cmd=sleep 1' 'restart=never'
  wait_until 'is patience "done"'
  [ "$(grep -c '^web: started' "$LOG")" -eq "$starts" ]
  gone web
}

@test "touching its file clears the quarantine of a service" {
  service web 'cmd=false' 'backoff=1000'
  going_start
  wait_until 'is web quarantined && [ "$(state web starts)" = 2 ]'
  touch "$D/web"
  wait_until 'is web quarantined && [ "$(state web starts)" = 4 ]' # a first exit is answered at once
}

@test "mending its file ends the quarantine of a service" {
  service web 'cmd=false' 'backoff=1000'
  going_start
  wait_until 'is web quarantined && [ "$(state web starts)" = 2 ]'
  service web 'cmd=sleep 1001' 'backoff=1000'
  wait_until 'runs web "sleep 1001"'
}

@test "a bad edit leaves the quarantine of a service as it is" {
  service web 'cmd=false' 'backoff=1000'
  going_start
  wait_until 'is web quarantined && [ "$(state web starts)" = 2 ]'
  service web 'colour=red'
  assert_log '^web:1: .'
  seen
  is web quarantined
  [ "$(state web starts)" = 2 ]
}

@test "touching its file starts a service again that is done" {
  service web 'cmd=true' 'restart=never'
  going_start
  wait_until 'is web "done" && [ "$(state web starts)" = 1 ]'
  kill -HUP "$GOING_PID"
  seen
  [ "$(state web starts)" = 1 ]
  touch "$D/web"
  wait_until 'is web "done" && [ "$(state web starts)" = 2 ]'
}

@test "touching its file starts a service again that has failed" {
  service web 'cmd=false' 'retries=2' 'backoff=0'
  going_start
  wait_until 'is web failed && [ "$(state web starts)" = 2 ]'
  kill -HUP "$GOING_PID"
  seen
  [ "$(state web starts)" = 2 ]
  touch "$D/web"
  wait_until 'is web failed && [ "$(state web starts)" = 4 ]'
}

@test "a hundred files put, changed and removed at once are followed" {
  going_start
  for n in {1..100}; do echo "cmd=sleep $((1000 + n))" >"$D/s$n"; done
  wait_until '[ "$(grep -sl "^state=up " "$R"/* | wc -l)" -eq 100 ]'
  for n in {1..50}; do rm "$D/s$n"; done
  for n in {51..100}; do echo "cmd=sleep $((2000 + n))" >"$D/s$n"; done
  wait_until '[ "$(ls "$R" | wc -l)" -eq 50 ]'
  for n in {51..100}; do wait_until "runs s$n 'sleep $((2000 + n))'"; done
  [ "$(service_pids | wc -l)" -eq 50 ]
}

@test "a name may have 255 characters, as many as the kernel allows: such a service runs, and is taken over" {
  name=$(printf 'n%.0s' {1..255})
  printf 'cmd=sleep 1000\n' >"$D/.new" && mv "$D/.new" "$D/$name"
  "$GOING" -t -d "$D"
  going_start
  wait_until '[ "$(state $name state)" = up ]'
  pid=$(pid_of "$name")
  going_kill
  going_start
  assert_log "^$name: taken over as $pid\$"
  [ "$(pid_of "$name") $(state "$name" starts)" = "$pid 1" ]
}

@test "a chown to the same owner, a link, and a copy with the same time change nothing" {
  service web 'cmd=sleep 1000'
  going_start
  wait_until '[ "$(state web state)" = up ]'
  old=$(pid_of web)
  chown "$(stat -c %u "$D/web")" "$D/web"
  ln "$D/web" "$BATS_TEST_TMPDIR/link"
  cp -p "$D/web" "$D/.web" && mv "$D/.web" "$D/web"
  service sentinel 'cmd=sleep 1000'
  wait_until '[ "$(state sentinel state)" = up ]'
  touch "$D/sentinel" # a look later, what was to be stopped has ended
  wait_until '[ "$(state sentinel starts)" = 2 ]'
  [ "$(pid_of web) $(state web state) $(state web starts)" = "$old up 1" ]
}

@test "two contents of the same length and the same time are two files" {
  service web 'cmd=sleep 1000'
  touch -d @1000000000 "$D/web"
  going_start
  wait_until '[ "$(state web state)" = up ]'
  printf 'cmd=sleep 2000\n' >"$D/.web"
  touch -d @1000000000 "$D/.web"
  mv "$D/.web" "$D/web"
  wait_until '[ "$(state web starts)" = 2 ]'
  wait_until 'grep -q 2000 "/proc/$(pid_of web)/cmdline"'
}
