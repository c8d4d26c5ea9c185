# The manual pages against the program: what one of them names, the other must know. Where
# behaviour can tell, it is asked; else the words in going.c are compared with those of the page.

load helper
load machine

eval "$(declare -f setup | sed '1s/setup/begin_the_world/')"
eval "$(declare -f teardown | sed '1s/teardown/end_the_world/')"

setup() {
  begin_the_world
  TOP=$(realpath "$BATS_TEST_DIRNAME/..")
  SOURCE=$TOP/going.c
  PAGE1=$TOP/going.1.ronn PAGE5=$TOP/going.5.ronn
}

# Ends another supervisor, those below it, and what they have started.
end_peer() {
  [ -z "${PEER:-}" ] || { kill -KILL "$PEER" $(pgrep -P "$PEER") && wait "$PEER" || :; } 2>/dev/null
  PEER=
  for pid in $(cat "$BATS_TEST_TMPDIR"/{web,job}/{mains,children} 2>/dev/null); do
    kill -KILL "$pid" 2>/dev/null || :
  done
  rm -rf "$BATS_TEST_TMPDIR"/{web,job}/{mains,children,supervise,event}
}

teardown() {
  end_peer
  machine_stop
  end_the_world
}

# ---- what a page says

section() { awk -v "title=## $2" '/^## / { on = $0 == title } on' "$1"; }
subsection() { awk -v "title=### $2" '/^##/ { on = $0 == title } on' "$1"; }
terms() { sed -n 's/^  \* \(.*\):$/\1/p'; }         # of definition lists
ticked() { grep -o '`[^`]*`' | tr -d '`'; }         # what is set as code
flat() { tr -d '`*' <"$1" | tr -s ' \n' ' '; }      # without markup, one line
says() { flat "$1" | grep -qF -e "$2" || { echo "not in ${1##*/}: $2" && return 1; }; }
entry() { awk -v "start=  * \`$2\`" '/^  \* / { on = index($0, start) == 1 } /^[^ ]/ { on = 0 } on' "$1"; }

# The indented examples, with an empty line behind each. Bodies of definitions are indented, too,
# but have no empty line before them.
examples() {
  awk '/^    / && (on || last == "") { on = 1; print substr($0, 5); next }
    on { on = 0; print "" } { last = $0 } END { if (on) print "" }' "$1"
}
example() { examples "$1" | awk -v RS= -v "has=$2" 'index($0, has)'; } # the one that has it
task() { subsection "$PAGE1" Tasks | sed -n "s/^    $1 \{2,\}//p" | grep .; } # its command
default() { entry "$PAGE5" "$1" | terms | sed -n 's/.* (default: \(.*\))$/\1/p' | grep .; }

# ---- what the source says

number() { sed -n "s/.*\b$1 = \([0-9][0-9.]*\).*/\1/p" "$SOURCE" | head -n 1; }
fallback() { sed -n "s/.*find([^,]*text[^,]*, \"$1\", \"\([^\"]*\)\").*/\1/p" "$SOURCE"; }
array() { sed -n "s/^static .*\b$1\[\] = {\(.*\)};/\1/p" "$SOURCE" | grep -o '[a-z]*'; }
function_of() { awk -v "name=$1(" '/^[a-z]/ { on = index($0, name) } on' "$SOURCE"; }
# What is said of a bad value, with its key.
wants() { awk '/^static const char wants/, /;$/' "$SOURCE" | tr -d '\n' | sed 's/" *"//g; s/\\0/\n/g' | sed 's/.*"//' | sed -n 's/^[a-z]*=//p'; }
# What a match for grep finds between its first and its last quotation mark.
quoted() { grep -oE -e "$1" | sed 's/^[^"]*"\(.*\)"[^"]*$/\1/'; }
# The formats that are said as news, or (-v) as troubles that pass.
formats() { tr '\n' ' ' <"$SOURCE" | sed 's/" *"//g' | grep -oE 'say\([A-Z]+, *"[^"]*"' | grep $1 NEWS | quoted '.*'; }

# Formats become patterns for grep -E. Those that only hold words together are as many as the words.
patterns() {
  local format word
  while read -r format; do
    case $format in
      '%s: cannot %s %s: %m') quoted 'return "[a-z]*"' <"$SOURCE" | sed 's/.*/%s: cannot & %s: %m/' | sort -u ;;
      '%s:%d: %s: %s')
        { function_of parse | grep -o 'what = .*' | quoted '"[^"]*"' && wants; } | sed 's/[].[]/\\&/g; s/.*/%s:%d: &: .+/'
        ;;
      '%s:1: %s')
        function_of load | quoted '(what =|: ) "[a-z][^"%]*"' | sed 's/.*/%s:1: &/'
        echo '%s:1: %m'
        ;;
      '%s: %s after %.1f s, %s')
        function_of ended | quoted '(what\[40\] =|sprintf\(what,) "[^"]*"' |
          sed 's/.*/%s: & after %.1f s, STATE/'
        ;;
      *) echo "$format" ;;
    esac
  done | sed -e 's/%\.1f/[0-9]+.[0-9]/; s/%l*d/[0-9]+/g; s/%s/[^ ]+/g; s/%m/[A-Z][A-Za-z\/ -]+/' \
    -e "s/STATE/($(array states | xargs | tr ' ' '|')|stopped)(, next start in [0-9.]+ s)?/; s/.*/^&\$/"
}

# Every line ($1, a file) is of one of the patterns ($2, a file), and every pattern has a line.
agree() {
  local pattern line failed=0
  [ -s "$1" ] && [ -s "$2" ]
  while read -r line; do
    grep -Eqf "$2" <<<"$line" || { echo "going never says: $line" && failed=1; }
  done <"$1"
  while read -r pattern; do
    grep -Eq -e "$pattern" "$1" || { echo "not in the manual: $pattern" && failed=1; }
  done <"$2"
  return $failed
}

# ---- the command line and the signals

@test "OPTIONS and the synopsis name every option that going accepts, and no other" {
  for letter in {a..z} {A..Z} {0..9}; do
    if "$GOING" "-$letter" x -h &>/dev/null; then
      echo "-$letter VALUE"
    elif "$GOING" "-$letter" -h &>/dev/null; then
      echo "-$letter"
    fi
  done >"$BATS_TEST_TMPDIR/accepted"
  [ -s "$BATS_TEST_TMPDIR/accepted" ]
  for title in OPTIONS SYNOPSIS; do
    { if [ $title = OPTIONS ]; then section "$PAGE1" OPTIONS | terms; else section "$PAGE1" SYNOPSIS; fi; } |
      grep -oE '`-.`( \*[A-Z]+\*)?' | sed 's/`//g; s/ .*/ VALUE/' | sort -u |
      diff - <(sort "$BATS_TEST_TMPDIR/accepted")
  done
  for option in $("$GOING" -h | grep -o -e '-[a-zA-Z]\>'); do
    section "$PAGE1" OPTIONS | terms | grep -qF -e "\`$option\`"
  done
}

@test "EXIT STATUS names 0, 1 and 64, with which going exits, and 111, with which services do" {
  section "$PAGE1" 'EXIT STATUS' | terms | diff - <(printf '%s\n' 0 1 64)
  for arguments in '0 -h' '0 -V' "0 -t -d $D" "1 -t -d $D/missing" '64 -x' '64 operand'; do
    run "$GOING" ${arguments#* }
    [ "$status" -eq "${arguments%% *}" ]
  done
  service bad 'colour=red'
  run "$GOING" -t -d "$D"
  [ "$status" -eq 1 ]
  service missing 'cmd=/missing' backoff=100
  going_start
  wait_until '[ "$(state missing exit)" = 111 ]'
  going_stop
  says "$PAGE1" 'A status of 111 in the log is that of a service which could not be started'
  says "$PAGE5" 'counts as a quick exit with status 111'
}

@test "SIGNALS names every signal that going acts upon, and no other" {
  {
    function_of read_signal | grep -o 'ssi_signo [!=]= SIG[A-Z0-9]*' | sed 's/.*SIG//'
    sed -n 's/.*sigaction(SIG\([A-Z]*\),.*/\1/p' "$SOURCE" # each of them wakes it
    printf '%s\n' KILL STOP # these cannot be blocked
  } | sort -u >"$BATS_TEST_TMPDIR/heard"
  section "$PAGE1" SIGNALS | terms | tr -d ' ' | tr , '\n' | sort | diff - "$BATS_TEST_TMPDIR/heard"
}

@test "going ignores all signals that SIGNALS does not name" {
  says "$PAGE1" 'All others are ignored.'
  service web 'cmd=sleep 1000'
  going_start
  wait_until '[ "$(state web state)" = up ]'
  pid=$(pid_of web)
  named=$(section "$PAGE1" SIGNALS | terms | tr -d ,)
  for number in {1..64}; do
    name=$(kill -l "$number" || echo "$number")
    [[ " $named " == *[[:space:]]"$name"[[:space:]]* ]] || busybox kill "-$number" "$GOING_PID"
  done
  service later 'cmd=sleep 1000'
  wait_until '[ "$(state later state)" = up ]'
  [ "$(pid_of web)" = "$pid" ]
  [ "$(grep -c . "$LOG")" -eq 2 ] # the two starts
}

@test "KILL ends going but no service, and STOP halts it until CONT, as SIGNALS says" {
  service web 'cmd=sleep 1000'
  going_start
  wait_until '[ "$(state web state)" = up ]'
  pid=$(pid_of web)
  kill -KILL "$GOING_PID"
  wait_until '! alive $GOING_PID'
  going_start
  assert_log "^web: taken over as $pid"
  alive "$pid"
  kill -STOP "$GOING_PID"
  wait_until '[[ $(stat_of $GOING_PID) == T* ]]'
  kill -KILL "$pid"
  wait_until '! alive $pid'
  [ "$(pid_of web)" = "$pid" ] # nobody has noticed
  kill -CONT "$GOING_PID"
  wait_until '[ "$(state web starts)" = 2 ]'
}

# ---- the files

# Every word of the source and of the pages is tried as a key, with values of every sort: what
# going does not complain about is a key.
@test "KEYS names every key that going -t accepts, and no other" {
  cat "$SOURCE" "$PAGE1" "$PAGE5" | tr -cs a-z '\n' | sort -u >"$BATS_TEST_TMPDIR/words"
  value=0
  for sample in / 1 yes never root TERM A=b; do
    value=$((value + 1))
    awk -v "name=$D/$value-" -v "sample=$sample" \
      'NF { file = name int(NR / 200); print $0 "=" sample >file }' "$BATS_TEST_TMPDIR/words"
  done
  "$GOING" -t -d "$D" 2>"$LOG" || :
  sed -n 's/^\([0-9-]*:[0-9]*\): unknown.*/\1/p' "$LOG" >"$BATS_TEST_TMPDIR/refused"
  (cd "$D" && grep -n . -- *) | awk -F '[:=]' 'NR == FNR { bad[$0]; next }
    !($1 ":" $2 in bad) { print $3 }' "$BATS_TEST_TMPDIR/refused" - | sort -u >"$BATS_TEST_TMPDIR/keys"
  grep -qx cmd "$BATS_TEST_TMPDIR/keys"
  section "$PAGE5" KEYS | terms | sed 's/^`\([a-z]*\)`=.*/\1/' | sort | diff - "$BATS_TEST_TMPDIR/keys"
}

@test "the values that KEYS lists are accepted, the signals by all their names" {
  names=$(function_of stop | quoted 'names\[\] = "[A-Z0-9 ]*"' | fold -w 5 | xargs)
  [ "$(example "$PAGE5" 'HUP INT' | xargs)" = "$names" ]
  [ "$(function_of stop | grep -o 'SIG[A-Z]*[12]*,\|SIG[A-Z]*[12]*}' | tr -d ',}' | xargs)" = \
    "$(printf 'SIG%s ' $names | xargs)" ]
  for name in $names; do
    service "stop-$name" cmd=x "stop=$name"
    service "stop-SIG$name" cmd=x "stop=SIG$name 0.5"
  done
  for policy in $(entry "$PAGE5" restart | terms | ticked | grep -v restart); do
    if [ $policy = unless ]; then codes=' 0 255'; else codes=; fi
    service "restart-$policy" cmd=x "restart=$policy$codes"
  done
  service critical cmd=x "$(entry "$PAGE5" critical | terms | sed 's/ (default.*//' | tr -d '`')"
  service zero cmd=x 'backoff=0' 'retries=1'
  "$GOING" -t -d "$D"
  [ "$(ls "$D" | wc -l)" -eq $((2 * 12 + 6)) ]
}

@test "the defaults and limits in the manual are those of the source" {
  [ "$(default cwd)" = "\`$(fallback cwd)\`" ]
  [ "$(default stdin)" = '`/dev/null`' ]
  grep -A 1 -F '  close(0);' "$SOURCE" | grep -qF 'open("/dev/null", O_RDWR)'
  [ "$(default restart)" = '`always`' ]
  grep -qF 'find(s->text, "restart", "")' "$SOURCE" # nothing is none of the others
  seconds=$(sed -n 's/.*it_value = {\([0-9]*\), 0}.*/\1/p' "$SOURCE")
  says "$PAGE1" "A process that has not done so after $seconds seconds is killed"
  says "$PAGE5" "has not executed its command within $seconds seconds is killed"
  says "$PAGE5" "with mode $(sed -n 's/.*mkfifo(object, \([0-9]*\)).*/\1/p' "$SOURCE") and owned"
  says "$PAGE1" "an empty file of mode $(sed -n 's/.*"\.\.lock", O_CREAT.*, \(0[0-7]*\));/\1/p' "$SOURCE")"
  [ "$(default stop)" = "\`$(fallback stop) $(number grace)\`" ]
  [ "$(default backoff)" = "\`$(fallback backoff) $(number max)\`" ]
  for key in $(section "$PAGE5" KEYS | terms | sed 's/^`\([a-z]*\)`=.*/\1/' | grep -vx cmd); do
    default "$key"
  done
  entry "$PAGE5" cmd | terms | grep -qF '(required)'
  says "$PAGE5" "if it is not given, it is $(number max), or MIN if that is more"
  example "$PAGE5" /usr/local/sbin:/ | grep -qxF "$(sed -n 's/.*putenv("PATH=\(.*\)").*/\1/p' "$SOURCE")"
  [ "$(number FILE_MAX)" -eq 8192 ]
  says "$PAGE5" '8 KiB (8,192 bytes)'
  grep -qF '[0-9]{1,9}))?|backoff' "$SOURCE"
  says "$PAGE5" 'numbers of at most 9 digits'
  says "$PAGE5" "umask $(sed -n 's/.*umask(\(.*\));/\1/p' "$SOURCE")"
  grep -q 'SAFE, 0666)' "$SOURCE"
  says "$PAGE5" 'The file is made, with mode 0644'
  for letter in d r; do
    default=$(sed -n "s/.*\['$letter'\] = \"\([^\"]*\)\".*/\1/p" "$SOURCE")
    entry "$PAGE1" "-$letter" | grep -qF "The default is \`$default\`."
  done
  says "$PAGE1" "with mode $(sed -n "s/.*mkdir(.*, \(.*\));/\1/p" "$SOURCE")"
  says "$PAGE1" "every $(($(number period) / 3)) seconds if it reports none"
  says "$PAGE1" "quiet for $(number QUIET) seconds, or after $(number LATEST) second if it never is"
  says "$PAGE1" "been away for $(number SAME) seconds"
  [ "$(number RETRY)" = 1 ]
  says "$PAGE1" 'tried again every second'
  grep -qF 'line[1024] = "<29>' "$SOURCE" # 29 is daemon and notice
  grep -qF 'sizeof line - 20' "$SOURCE"
  says "$PAGE1" 'A line is cut after 1,003 bytes'
  says "$PAGE1" 'facility daemon and the priority notice'
}

@test "ENVIRONMENT names every variable that a service gets, and no other" {
  needs_root
  service web 'cmd=sh -c "exec env"' "stdout=$BATS_TEST_TMPDIR/env" 'user=root' 'restart=never'
  going_start
  wait_until '[ "$(state web state)" = "done" ]'
  section "$PAGE5" ENVIRONMENT | terms | ticked | sort | diff - <(sed 's/=.*//' "$BATS_TEST_TMPDIR/env" | grep -vx PWD | sort)
}

@test "THE LIFE OF A SERVICE names every state, and no other" {
  section "$PAGE5" 'THE LIFE OF A SERVICE' | terms | tr -d '`' | diff - <(array states)
}

@test "THE STATE FILE names every key, in the order in which they are written" {
  section "$PAGE5" 'THE STATE FILE' | terms | ticked | diff - <(echo state && array facts)
}

shapes() { grep -ho 'state=[a-z]* [a-z]*=[0-9][0-9a-z= ]*' "$@" | sed 's/=[0-9]*\>/=N/g' | sort -u; }

@test "the state files that the pages show are such as going writes" {
  service fresh 'cmd=sleep 1000'
  for how in 'exit 1' 'kill -KILL $$'; do
    service "again-${how%% *}" \
      "cmd=sh -c 'test -e $BATS_TEST_TMPDIR/${how%% *} && exec sleep 1000; : >$BATS_TEST_TMPDIR/${how%% *}; $how'"
  done
  service killed "cmd=sh -c 'kill -KILL \$\$'" 'backoff=1000 2000'
  service bad 'colour=red'
  going_start
  wait_until '[ "$(grep -ls "starts=2" "$R"/* | wc -l)" -eq 3 ] && [ "$(state bad state)" = failed ]'
  wait_until '[ "$(state killed state)" = quarantined ]'
  shapes "$R"/* >"$BATS_TEST_TMPDIR/real"
  for page in "$PAGE5" "$TOP/README.md"; do
    shapes "$page" | tee "$BATS_TEST_TMPDIR/shown"
    [ -s "$BATS_TEST_TMPDIR/shown" ]
    not grep -vxFf "$BATS_TEST_TMPDIR/real" "$BATS_TEST_TMPDIR/shown"
  done
}

# ---- the log

@test "DIAGNOSTICS and FAULTS have every line that going says, and no other" {
  { section "$PAGE1" DIAGNOSTICS && section "$PAGE5" FAULTS; } | terms | tr -d '`' \
    >"$BATS_TEST_TMPDIR/all"
  subsection "$PAGE1" 'Troubles that pass' | terms | tr -d '`' >"$BATS_TEST_TMPDIR/troubles"
  grep -vxFf "$BATS_TEST_TMPDIR/troubles" "$BATS_TEST_TMPDIR/all" >"$BATS_TEST_TMPDIR/news"
  formats | patterns >"$BATS_TEST_TMPDIR/said"
  formats -v | patterns >"$BATS_TEST_TMPDIR/tried"
  cat "$BATS_TEST_TMPDIR/said" "$BATS_TEST_TMPDIR/tried"
  [ -z "$(sort "$BATS_TEST_TMPDIR/all" | uniq -d)" ] # each in one place
  agree "$BATS_TEST_TMPDIR/news" "$BATS_TEST_TMPDIR/said"
  agree "$BATS_TEST_TMPDIR/troubles" "$BATS_TEST_TMPDIR/tried"
  for state in $(array states | grep -v stopping) stopped; do
    subsection "$PAGE1" 'The life of a service' | ticked | grep -qx "$state"
  done
}

@test "the reasons that DIAGNOSTICS gives are those of the C library" {
  grep -aq 'No file descriptors available' "$GOING" || skip 'musl has these words, others have their own'
  { section "$PAGE1" DIAGNOSTICS && section "$PAGE5" FAULTS; } | tr -d '`' |
    sed -n -e 's/^  \* .*: \([A-Z][^:]*\):$/\1/p' \
      -e 's/.*\*\([A-Z][a-z ]* [a-z ]*\)\*.*/\1/p' | sort -u >"$BATS_TEST_TMPDIR/reasons"
  [ "$(wc -l <"$BATS_TEST_TMPDIR/reasons")" -ge 10 ]
  while read -r reason; do
    tr '\0' '\n' <"$GOING" | grep -aqxF "$reason" || { echo "$reason" && false; }
  done <"$BATS_TEST_TMPDIR/reasons"
}

@test "a fault of every kind is said as FAULTS says" {
  service unknown 'cmd=x' '' 'colour=red'
  service twice 'cmd=x' '#' 'restart=never' 'restart=never'
  service equals 'cmd=x' '#' '#' '--port 80'
  service without 'cwd=/'
  service quote "cmd=sh -c 'date"
  number=0
  while read -r setting; do service "bad$((number += 1))" 'cmd=x' "$setting"; done <<'END'
cwd=srv
stdin=in
stdout="/tmp/web.log"
stderr=../web.log
env=PATH
user=shop:www
restart=no
backoff=5 2
retries=0
critical=no
stop=30
END
  mkdir "$D/directory"
  head -c 8193 /dev/zero | tr '\0' '#' >"$D/long"
  printf 'cmd=x\0' >"$D/nul"
  service open 'cmd=x'
  chmod g+w "$D/open"
  ln -s nowhere "$D/link"
  run "$GOING" -t -d "$D"
  diff <(sed 's/^[a-z0-9]*:/web:/' <<<"$output" | sort) \
    <(section "$PAGE5" FAULTS | terms | tr -d '`' | sort)
}

# ---- the examples

@test "going -t has nothing against any service file of going(5)" {
  needs_root
  examples "$PAGE5" | awk -v RS= -v "directory=$D" \
    '/(^|\n)[a-z]+=/ && !/^state=/ { file = directory "/" "example-" ++n; print >file; close(file) }'
  [ "$(ls "$D" | wc -l)" -ge 8 ]
  grep -hE '^user=' "$D"/* | cut -d = -f 2 | tr : '\n' | sort -u >"$BATS_TEST_TMPDIR/names"
  [ -s "$BATS_TEST_TMPDIR/names" ]
  cp /etc/passwd /etc/group "$BATS_TEST_TMPDIR"
  sed 's|.*|&:x:4242:4242::/:/bin/sh|' "$BATS_TEST_TMPDIR/names" >>"$BATS_TEST_TMPDIR/passwd"
  sed 's|.*|&:x:4242:|' "$BATS_TEST_TMPDIR/names" >>"$BATS_TEST_TMPDIR/group"
  unshare --mount sh -ec 'for file in passwd group; do mount --bind "$1/$file" "/etc/$file"; done
    exec "$2" -t -d "$3"' -- "$BATS_TEST_TMPDIR" "$GOING" "$D"
}

@test "the inittab lines name the installed program, with options that it has" {
  prefix=$(sed -n 's/^PREFIX ?= //p' "$TOP/Makefile")
  for page in "$PAGE1" "$TOP/README.md"; do
    { examples "$page" && ticked <"$page"; } | grep ':respawn:' >"$BATS_TEST_TMPDIR/lines"
    grep -Eq '^[A-Z0-9]{1,4}:[0-9]+:respawn:' "$BATS_TEST_TMPDIR/lines" # sysvinit
    grep -q '^::respawn:' "$BATS_TEST_TMPDIR/lines"                      # busybox
    while IFS=: read -r _ _ _ program arguments; do
      [ "$program" = "$prefix/sbin/going" ]
      "$GOING" $arguments -h
    done < <(sed 's/going /going:/' "$BATS_TEST_TMPDIR/lines")
  done
}

@test "Tasks: start a service, look at it, restart it, stop it for now and for good" {
  machine_start
  on bash -c "$(task start)"
  wait_until '[ "$(state redis state)" = up ]'
  [ "$(on bash -c "$(task 'status of one')")" = "$(cat "$R/redis")" ]
  wait_until '[ "$(on redis-cli ping 2>&1)" = PONG ]'
  on bash -c "$(task restart)"
  wait_until '[ "$(state redis starts) $(state redis state)" = "2 up" ]'
  on bash -c "$(task 'stop for now')"
  wait_until '[ ! -e "$R/redis" ]'
  assert_message 'going: redis: .*, stopped'
  [ "$(on bash -c "$(task 'why it ended')")" = "$(messages | grep ' going: redis: ')" ]
  on bash -c "$(task 'start again')"
  wait_until '[ "$(state redis state)" = up ]'
  on bash -c "$(task 'stop for good')"
  wait_until '[ ! -e "$R/redis" ]'
  [ -z "$(ls -A "$D")" ]
}

@test "Tasks: look at all services, find those in trouble, and why, send a signal to one" {
  machine_start
  service redis "cmd=sh -c 'trap \"echo heard; exit\" HUP; : >/run/ready; while :; do sleep 0.1; done'" \
    'stdout=/run/heard'
  service crash 'cmd=false' 'backoff=1000 2000'
  service bad 'colour=red'
  wait_until '[ "$(state crash state) $(state bad state)" = "quarantined failed" ]'
  wait_until '[ -e "$ROOT/run/ready" ]'
  [ "$(on bash -c "$(task 'status of all')" | sed 's/:.*//' | xargs)" = \
    '/run/going/bad /run/going/crash /run/going/redis' ]
  [ "$(on bash -c "$(task 'in trouble')" | xargs)" = '/run/going/bad /run/going/crash' ]
  assert_message 'going: crash: exited with 1 .*, quarantined'
  why=$(task 'why it ended')
  [ "$(example "$PAGE1" journalctl | head -n 1)" = "$why" ] # LOGGING
  on bash -c "${why/redis/crash}" | grep -q 'exited with 1 after'
  on bash -c "${why/redis/bad}" | grep -q 'bad:1: unknown key: colour'
  signal=$(task signal)
  on bash -c "$signal"
  wait_until 'grep -qs heard "$ROOT/run/heard"'
  [ "$(example "$PAGE5" 'kill -HUP $pid' | sed 's/web/redis/')" = "$signal" ]
}

@test "Tasks: check all files, upgrade going, reload what it cannot see" {
  machine_start
  service web 'cmd=sleep 1000'
  wait_until '[ "$(state web state)" = up ]'
  pid=$(pid_of web)
  cp -a "$TOP"/{Makefile,going,going.c,going.?.ronn,docs} "$ROOT/tmp"
  line=$(task 'upgrade going')
  old=$(stat -c %i "$ROOT/usr/local/sbin/going")
  on bash -c "cd /tmp && $line"
  [ "$(stat -c %i "$ROOT/usr/local/sbin/going")" != "$old" ]
  assert_message "going: web: taken over as $pid"
  [ "$ROOT/usr/local/sbin/going" -ef "/proc/$(pgrep -P "$INIT" going)/exe" ]
  [ "$(state web starts)" -eq 1 ]
  on bash -c "$(task 'check files')"
  service bad 'colour=red'
  not on bash -c "$(task 'check files')"
  not on bash -c "cd /tmp && $line" # -t objects
  [ "$(messages | grep -c 'taken over')" -eq 1 ]
  echo 'cmd=sleep 1000' >"$ROOT/tmp/target"
  ln -s /tmp/target "$D/link"
  wait_until '[ "$(state link state)" = up ]'
  echo 'cmd=sleep 2000' >"$ROOT/tmp/target"
  on bash -c "$(task 'reload files')"
  wait_until '[ "$(state link starts) $(state link state)" = "2 up" ]'
}

@test "every task is tried here" {
  subsection "$PAGE1" Tasks | sed -n 's/^    \([a-z ]*[a-z]\)  .*/\1/p' >"$BATS_TEST_TMPDIR/tasks"
  [ "$(wc -l <"$BATS_TEST_TMPDIR/tasks")" -ge 10 ]
  while read -r name; do
    grep -qE "\(task '?$name'?\)" "$BATS_TEST_FILENAME" || { echo "$name" && false; }
  done <"$BATS_TEST_TMPDIR/tasks"
}

@test "EXAMPLES: without root, from a directory of one's own" {
  machine_start
  mkdir -p "$ROOT/home/nobody/services"
  echo 'cmd=sleep 1000' >"$ROOT/home/nobody/services/web"
  chown -R nobody "$ROOT/home/nobody"
  line=$(example "$PAGE1" '~/services')
  on sh -c "HOME=/home/nobody exec setpriv --reuid=nobody --clear-groups bash -c '$line'" >>"$OUT" 2>>"$LOG" 3>&- &
  R=$ROOT/home/nobody/.going
  wait_until '[ "$(state web state)" = up ]'
  [ "$(stat -c %U "$R/web")" = nobody ]
}

@test "EXAMPLES and RECIPES: keep a service from running, and let it run again" {
  machine_start
  service web 'cmd=sleep 1000'
  wait_until '[ "$(state web state)" = up ]'
  mapfile -t line < <(example "$PAGE5" web.off)
  [ "${#line[@]}" -eq 2 ]
  on bash -c "${line[0]}"
  wait_until '[ ! -e "$R/web" ]'
  on bash -c "${line[1]}"
  wait_until '[ "$(state web state)" = up ]'
}

# ---- the README

@test "README: its first commands can be pasted as they are" {
  machine_start
  awk '/^    # start a service/ { on = 1 } /^[^ ]/ { on = 0 } on { print substr($0, 5) }' \
    "$TOP/README.md" >"$ROOT/tmp/session"
  grep -q 'mv .*\.off$' "$ROOT/tmp/session"
  not grep -E '^[^#]+#' "$ROOT/tmp/session" # in zsh that would be no comment
  mkdir "$ROOT/tmp/here"
  run on sh -ec 'cd /tmp/here && . /tmp/session'
  [ "$status" -eq 0 ]
  grep -qE '^state=up .* starts=1 ' <<<"$output"
  grep -qE '^state=up .* starts=2 signal=9 ' <<<"$output"
  [ "$(grep -c '^state=' <<<"$output")" -eq 3 ]
  wait_until '[ ! -e "$R/redis" ]'
  [ "$(ls "$D")" = redis.off ]
  [ -z "$(ls -A "$ROOT/tmp/here")" ]
}

@test "README: what each init needs is in the recipe that it leads to" {
  n=0
  while IFS='|' read -r _ init needs _; do
    heading=$(sed -n 's/.*cookbook\.md#\(.*\)).*/\1/p' <<<"$init")
    recipe=$(awk -v "name=$heading" '/^#/ && !/^    / { title = tolower(substr($0, 5)); gsub(/ /, "-", title)
      on = title == name } on' "$COOKBOOK")
    [ -n "$recipe" ]
    while read -r word; do
      grep -qF -e "$word" <<<"$recipe" || { echo "$heading: no $word" && false; }
      n=$((n + 1))
    done < <(ticked <<<"$needs" | grep -vx -e /etc/inittab)
  done < <(grep '^| \[' "$TOP/README.md")
  [ "$n" -ge 14 ]
}

@test "README: the program is as small as it says" {
  size=$(sed -n 's/.*stripped less than \([0-9]*\) kB.*/\1/p' <(flat "$TOP/README.md"))
  strip -o "$BATS_TEST_TMPDIR/stripped" "$GOING"
  [ "$(stat -c %s "$BATS_TEST_TMPDIR/stripped")" -lt $((size * 1000)) ]
}

# Two services with a child in the background. The supervisor of one is killed, and started again
# by what supervises that (for going, by us). The other one is stopped.
@test "README: how many copies of a service others leave, and what is left of one" {
  service web "cmd=$BATS_TEST_TMPDIR/web/run"
  for name in web job; do
    mkdir "$BATS_TEST_TMPDIR/$name"
    printf '#!/bin/sh\n%s & echo $! >>%s/children\necho $$ >>%s/mains\nexec %s\n' 'sleep 1000' \
      "$BATS_TEST_TMPDIR/$name" "$BATS_TEST_TMPDIR/$name" 'sleep 1000' >"$BATS_TEST_TMPDIR/$name/run"
    chmod 755 "$BATS_TEST_TMPDIR/$name/run"
  done
  service job "cmd=$BATS_TEST_TMPDIR/job/run"
  living() { # FILE: how many of its pids live
    local pid n=0
    for pid in $(cat "$BATS_TEST_TMPDIR/$1"); do ! alive "$pid" || n=$((n + 1)); done
    echo "$n"
  }
  row() { sed -n "s/^| $1 *|[^|]*| *\([0-9]\) | *\([0-9]\) |$/\1 \2/p" "$TOP/README.md"; }

  going_start
  wait_until '[ "$(living web/mains) $(living job/mains)" = "1 1" ]'
  kill -KILL "$GOING_PID"
  wait_until 'dead $GOING_PID'
  going_start
  wait_until '[ "$(grep -c "taken over" "$LOG")" -eq 2 ]'
  rm "$D/job"
  wait_until '[ ! -e "$R/job" ] && [ "$(living job/mains)" -eq 0 ]'
  [ "$(living web/mains) $(living job/children)" = "$(row '`going`')" ]
  going_stop
  end_peer

  for peer in runit:runsvdir:-P s6:s6-svscan: daemontools:svscan:; do
    IFS=: read -r name program option <<<"$peer"
    command -v "$program" >/dev/null || continue
    mkdir "$BATS_TEST_TMPDIR/$name"
    mv "$BATS_TEST_TMPDIR"/{web,job} "$BATS_TEST_TMPDIR/$name"
    ln -s "$name/web" "$name/job" "$BATS_TEST_TMPDIR"
    "$program" $option "$BATS_TEST_TMPDIR/$name" </dev/null &>/dev/null 3>&- &
    PEER=$!
    wait_until '[ "$(living web/mains) $(living job/mains)" = "1 1" ]'
    supervisor=$(pgrep -P "$PEER" -f '(runsv|s6-supervise|supervise) web$')
    kill -KILL "$supervisor"
    wait_until '[ "$(living web/mains)" -eq 2 ]'
    case $name in
      runit) sv down "$BATS_TEST_TMPDIR/$name/job" ;;
      s6) s6-svc -d "$BATS_TEST_TMPDIR/$name/job" ;;
      daemontools) svc -d "$BATS_TEST_TMPDIR/$name/job" ;;
    esac
    wait_until '[ "$(living job/mains)" -eq 0 ]'
    [ "$(living web/mains) $(living job/children)" = "$(row "$name")" ]
    end_peer
    rm "$BATS_TEST_TMPDIR"/{web,job}
    mv "$BATS_TEST_TMPDIR/$name"/{web,job} "$BATS_TEST_TMPDIR"
  done
}

# ---- the pages themselves

@test "the sections of the manuals are in the order of man-pages(7)" {
  for page in "$PAGE1" "$PAGE5"; do
    sed -n 's/^## //p' "$page" >"$BATS_TEST_TMPDIR/sections"
    printf '%s\n' SYNOPSIS DESCRIPTION OPTIONS 'EXIT STATUS' ENVIRONMENT FILES HISTORY NOTES CAVEATS \
      BUGS EXAMPLES 'SEE ALSO' | grep -xFf "$BATS_TEST_TMPDIR/sections" |
      diff - <(grep -xE 'SYNOPSIS|DESCRIPTION|OPTIONS|EXIT STATUS|ENVIRONMENT|FILES|HISTORY|NOTES|CAVEATS|BUGS|EXAMPLES|SEE ALSO' \
        "$BATS_TEST_TMPDIR/sections")
    [ "$(tail -n 1 "$BATS_TEST_TMPDIR/sections")" = 'SEE ALSO' ]
  done
}

@test "a section that the pages point to is there" {
  n=0
  while IFS=: read -r page title there; do
    case $there in *1*) page=$PAGE1 ;; *5*) page=$PAGE5 ;; esac
    [ -n "$(section "$page" "$title")" ]
    n=$((n + 1))
  done < <(for page in "$PAGE1" "$PAGE5"; do
    flat=$(tr -s ' \n' ' ' <"$page")
    grep -oE '[Ss]ee \*[A-Z ]+\*( in going\(.\))?|\*[A-Z ]+\* in going\(.\)' <<<"$flat" |
      sed "s|^[^*]*\*\([A-Z ]*\)\*|$page:\1:|"
  done)
  [ $n -ge 5 ]
}

# A placeholder that is named like an element of HTML, or a quote that begins a line, would take
# words with it without a warning.
@test "ronn and mandoc have nothing to say, and no word of a page is lost on the way" {
  for page in "$PAGE1" "$PAGE5"; do
    LC_ALL=C.UTF-8 ronn --roff --pipe --date=2012-01-01 "$page" \
      >"$BATS_TEST_TMPDIR/raw" 2>"$BATS_TEST_TMPDIR/errors"
    [ ! -s "$BATS_TEST_TMPDIR/errors" ]
    sed '/^\.TH/s/"[A-Z][a-z]* [0-9]*"/"2012-01-01"/' "$BATS_TEST_TMPDIR/raw" >"$BATS_TEST_TMPDIR/roff"
    mandoc -T lint -W warning "$BATS_TEST_TMPDIR/roff"
    mandoc -T ascii -O width=80 "$BATS_TEST_TMPDIR/roff" | sed $'s/.\b//g; 1d; $d' >"$BATS_TEST_TMPDIR/text"
    not grep -E '.{81}' "$BATS_TEST_TMPDIR/text"
    diff <(sed '1s/^\(.*\)(.) --/NAME \1/' "$page" | tr -cs 'A-Za-z0-9' '\n') \
      <(tr -cs 'A-Za-z0-9' '\n' <"$BATS_TEST_TMPDIR/text" | sed '1{/^$/d}')
  done
}
