# The service file, going(5): what is refused, what is accepted, what arrives.
load helper

# Bad files. Before the bar the lines that must be named, behind it the file, as
# `printf %b` reads it.
bad_files() {
  cat <<'END'
1|
1|\n\n
1|# nothing but a comment\n
1|cmd\n
1|cmd=\n
1|cmd= \t \n
1|cmd sleep 1000\n
1|command=sleep 1000\n
1|CMD=sleep 1000\n
1|c md=sleep 1000\n
1|cmd='sleep 1000\n
1|cmd="sleep 1000\n
1|cmd=sleep 1000'\n
1|cmd=sleep "1000'\n
1|cmd=sleep 10'00"\n
1|cmd=sleep 1000 'a' "b" 'c\n
1 2|cmd='sleep\n1000'\n
2|cmd='sleep 1000'\n1000'\n
1|\xef\xbb\xbf\xef\xbb\xbfcmd=sleep 1000\n
1 2|# text\n\xef\xbb\xbfcmd=sleep 1000\n
1|\xef\xbb\xbf
1|env=A=b\n
1|cwd=/\nrestart=never\n
2|cmd=sleep 1000\ncmd=sleep 1000\n
3|cmd=sleep 1000\n\ncmd=sleep 1001\n
2|cmd=sleep 1000\nnonsense\n
2|cmd=sleep 1000\ncolour=red\n
2|cmd=sleep 1000\n=\n
2|cmd=sleep 1000\n=/\n
2|cmd=sleep 1000\n; not a comment\n
2|cmd=sleep 1000\r\ncolour=red\r\n
2|cmd=sleep 1000\ncolour=red
4|# one\n\n# three\ncolour=red\ncmd=sleep 1000\n
1 2 4|colour=red\ncwd=here\ncmd=sleep 1000\nretries=0\n
1 2|cwd=here\nretries=0\n
2|cmd=sleep 1000\ncwd=\n
2|cmd=sleep 1000\ncwd=tmp\n
2|cmd=sleep 1000\ncwd=./\n
2|cmd=sleep 1000\ncwd=~\n
2|cmd=sleep 1000\ncwd="/"\n
3|cmd=sleep 1000\ncwd=/\ncwd=/\n
2|cmd=sleep 1000\nenv=\n
2|cmd=sleep 1000\nenv=A\n
2|cmd=sleep 1000\nenv==b\n
3|cmd=sleep 1000\nenv=A=b\nenv=A\n
2|cmd=sleep 1000\nuser=\n
2|cmd=sleep 1000\nuser=nobody-of-this-name\n
2|cmd=sleep 1000\nuser=root:no-group-of-this-name\n
2|cmd=sleep 1000\nuser=:\n
2|cmd=sleep 1000\nuser=:root\n
2|cmd=sleep 1000\nuser=root:\n
2|cmd=sleep 1000\nuser=root:root:root\n
2|cmd=sleep 1000\nuser=root root\n
2|cmd=sleep 1000\nuser=987654321\n
2|cmd=sleep 1000\nuser=0:987654321\n
2|cmd=sleep 1000\nuser=0x0\n
2|cmd=sleep 1000\nuser=0abc\n
2|cmd=sleep 1000\nuser=0.0\n
2|cmd=sleep 1000\nuser=0 0\n
2|cmd=sleep 1000\nuser=-1\n
2|cmd=sleep 1000\nuser=+0\n
2|cmd=sleep 1000\nuser=4294967296\n
2|cmd=sleep 1000\nuser=18446744073709551616\n
2|cmd=sleep 1000\nuser=root:0x0\n
2|cmd=sleep 1000\nuser=root:0abc\n
2|cmd=sleep 1000\nuser=root:-1\n
2|cmd=sleep 1000\nuser=root:4294967296\n
3|cmd=sleep 1000\nuser=root\nuser=root\n
2|cmd=sleep 1000\nstdin=\n
2|cmd=sleep 1000\nstdin=null\n
2|cmd=sleep 1000\nstdout=dev/null\n
2|cmd=sleep 1000\nstderr=../log\n
3|cmd=sleep 1000\nstdin=/dev/null\nstdin=/dev/null\n
3|cmd=sleep 1000\nstdout=/dev/null\nstdout=/dev/null\n
3|cmd=sleep 1000\nstderr=/dev/null\nstderr=/dev/null\n
2|cmd=sleep 1000\nrestart=\n
2|cmd=sleep 1000\nrestart=sometimes\n
2|cmd=sleep 1000\nrestart=Always\n
2|cmd=sleep 1000\nrestart=always never\n
2|cmd=sleep 1000\nrestart=nevermore\n
3|cmd=sleep 1000\nrestart=always\nrestart=always\n
2|cmd=sleep 1000\nrestart=unless\n
2|cmd=sleep 1000\nrestart=unless 256\n
2|cmd=sleep 1000\nrestart=unless 260\n
2|cmd=sleep 1000\nrestart=unless 300\n
2|cmd=sleep 1000\nrestart=unless 1000\n
2|cmd=sleep 1000\nrestart=unless 4294967296\n
2|cmd=sleep 1000\nrestart=unless -1\n
2|cmd=sleep 1000\nrestart=unless 0x1\n
2|cmd=sleep 1000\nrestart=unless 1.5\n
2|cmd=sleep 1000\nrestart=unless 0,1\n
2|cmd=sleep 1000\nrestart=unless 0-3\n
2|cmd=sleep 1000\nrestart=unless 0 x\n
2|cmd=sleep 1000\nrestart=unless 0 1 256\n
2|cmd=sleep 1000\nrestart=unless TERM\n
2|cmd=sleep 1000\nrestart=unless0\n
2|cmd=sleep 1000\nrestart=Unless 0\n
2|cmd=sleep 1000\nrestart=0\n
2|cmd=sleep 1000\nrestart=always 0\n
2|cmd=sleep 1000\nrestart=on-failure 0\n
3|cmd=sleep 1000\nrestart=unless 0\nrestart=unless 1\n
2|cmd=sleep 1000\nbackoff=\n
2|cmd=sleep 1000\nbackoff=soon\n
2|cmd=sleep 1000\nbackoff=-1\n
2|cmd=sleep 1000\nbackoff=1 -2\n
2|cmd=sleep 1000\nbackoff=5 2\n
2|cmd=sleep 1000\nbackoff=0.5 0.4\n
2|cmd=sleep 1000\nbackoff=100 60\n
2|cmd=sleep 1000\nbackoff=10 9\n
2|cmd=sleep 1000\nbackoff=1s\n
2|cmd=sleep 1000\nbackoff=1 2x\n
2|cmd=sleep 1000\nbackoff=1 2 3\n
2|cmd=sleep 1000\nbackoff=1,5\n
2|cmd=sleep 1000\nbackoff=1.5.5\n
2|cmd=sleep 1000\nbackoff=0x1\n
2|cmd=sleep 1000\nbackoff=.\n
2|cmd=sleep 1000\nbackoff=nan\n
2|cmd=sleep 1000\nbackoff=1 inf\n
3|cmd=sleep 1000\nbackoff=1\nbackoff=1\n
2|cmd=sleep 1000\nretries=\n
2|cmd=sleep 1000\nretries=0\n
2|cmd=sleep 1000\nretries=00\n
2|cmd=sleep 1000\nretries=-1\n
2|cmd=sleep 1000\nretries=many\n
2|cmd=sleep 1000\nretries=1.5\n
2|cmd=sleep 1000\nretries=3x\n
2|cmd=sleep 1000\nretries=0x3\n
2|cmd=sleep 1000\nretries=1 2\n
3|cmd=sleep 1000\nretries=1\nretries=1\n
2|cmd=sleep 1000\ncritical=\n
2|cmd=sleep 1000\ncritical=no\n
2|cmd=sleep 1000\ncritical=1\n
2|cmd=sleep 1000\ncritical=yes yes\n
2|cmd=sleep 1000\ncritical=yesterday\n
3|cmd=sleep 1000\ncritical=yes\ncritical=yes\n
2|cmd=sleep 1000\nstop=\n
2|cmd=sleep 1000\nstop=0\n
2|cmd=sleep 1000\nstop=1\n
2|cmd=sleep 1000\nstop=9\n
2|cmd=sleep 1000\nstop=15\n
2|cmd=sleep 1000\nstop=30\n
2|cmd=sleep 1000\nstop=31\n
2|cmd=sleep 1000\nstop=32\n
2|cmd=sleep 1000\nstop=9 0\n
2|cmd=sleep 1000\nstop=15 5\n
2|cmd=sleep 1000\nstop=term\n
2|cmd=sleep 1000\nstop=Term\n
2|cmd=sleep 1000\nstop=sigTERM\n
2|cmd=sleep 1000\nstop=SIG TERM\n
2|cmd=sleep 1000\nstop=TERM,5\n
2|cmd=sleep 1000\nstop=ILL\n
2|cmd=sleep 1000\nstop=SEGV\n
2|cmd=sleep 1000\nstop=CHLD\n
2|cmd=sleep 1000\nstop=STOP\n
2|cmd=sleep 1000\nstop=TSTP\n
2|cmd=sleep 1000\nstop=SYS 5\n
2|cmd=sleep 1000\nstop=USR3\n
2|cmd=sleep 1000\nstop=USR\n
2|cmd=sleep 1000\nstop=64\n
2|cmd=sleep 1000\nstop=-15\n
2|cmd=sleep 1000\nstop=15x\n
2|cmd=sleep 1000\nstop=15X\n
2|cmd=sleep 1000\nstop=9KILL\n
2|cmd=sleep 1000\nstop=0xf\n
2|cmd=sleep 1000\nstop=0XF\n
2|cmd=sleep 1000\nstop=15.5\n
2|cmd=sleep 1000\nstop=4294967311\n
2|cmd=sleep 1000\nstop=18446744073709551631\n
2|cmd=sleep 1000\nstop=NONSENSE\n
2|cmd=sleep 1000\nstop=SIGNONSENSE\n
2|cmd=sleep 1000\nstop=SIG\n
2|cmd=sleep 1000\nstop=SIG15\n
2|cmd=sleep 1000\nstop=SIGSIGTERM\n
2|cmd=sleep 1000\nstop=TER\n
2|cmd=sleep 1000\nstop=TERM5\n
2|cmd=sleep 1000\nstop=TERM=15\n
2|cmd=sleep 1000\nstop=RTMIN\n
2|cmd=sleep 1000\nstop=EXIT\n
2|cmd=sleep 1000\nstop=TERM soon\n
2|cmd=sleep 1000\nstop=TERM -1\n
2|cmd=sleep 1000\nstop=TERM 1s\n
2|cmd=sleep 1000\nstop=TERM 1 2\n
2|cmd=sleep 1000\nstop=TERM KILL\n
2|cmd=sleep 1000\nstop=TERM nan\n
2|cmd=sleep 1000\nstop=TERM 0x5\n
2|cmd=sleep 1000\nstop=5 TERM\n
3|cmd=sleep 1000\nstop=TERM\nstop=TERM\n
END
}

# Good files, one a line.
good_files() {
  cat <<'END'
cmd=sleep 1000
cmd=sleep 1000\n
cmd=sleep 1000\r\n
cmd=sleep 1000\r
cmd=sleep 1000\r\nrestart=never\r\n\r\n# a comment\r\n
  cmd \t = \t sleep 1000 \t \n
\tcmd\t=\tsleep\t1000\t\n
\n\n# a comment\n#another=comment\n#\ncmd=sleep 1000\n\n \t \n
restart = never \ncmd=sleep 1000\n
cmd='sleep' "1000"\n
cmd=sl'ee'p 10"0"0\n
cmd=sh -c 'exec sleep "1000"'\n
cmd=sh -c "exec sleep '1000'"\n
cmd=sh -c 'exec sleep 1000' a=b # $HOME \\\\ * ;\n
\xef\xbb\xbfcmd=sleep 1000\n
\xef\xbb\xbf# text\r\ncmd=sleep 1000\r\n
cmd=sleep 1000\nenv=A=\n
cmd=sleep 1000\nenv=A=b=c\nenv=B='x" y\n
cmd=sleep 1000\nenv=A=1\nenv=A=2\nenv = B=3\n
cmd=sleep 1000\nenv=GR\xc3\x9cN=gr\xc3\xbcn \xe2\x9c\x93\n# \xc3\xa4\n
cmd=sleep 1000\nuser=root\n
cmd=sleep 1000\nuser=root:root\n
cmd=sleep 1000\nuser=0\n
cmd=sleep 1000\nuser=0:0\n
cmd=sleep 1000\nuser=root:0\n
cmd=sleep 1000\nuser=0:root\n
cmd=sleep 1000\nuser = nobody \n
cmd=sleep 1000\nuser=daemon:root\n
cmd=sleep 1000\nstdin=/dev/null\nstdout=/dev/null\nstderr=/dev/null\n
cmd=sleep 1000\nrestart=always\n
cmd=sleep 1000\nrestart=on-failure\n
cmd=sleep 1000\nrestart=never\n
cmd=sleep 1000\nrestart=unless 0\n
cmd=sleep 1000\nrestart=unless 0 33 255\n
cmd=sleep 1000\nrestart = unless \t 9 \t 99  199 249 250 \r\n
cmd=sleep 1000\nbackoff=0\n
cmd=sleep 1000\nbackoff=0 0\n
cmd=sleep 1000\nbackoff=0.5\n
cmd=sleep 1000\nbackoff=0.25 1.75\n
cmd=sleep 1000\nbackoff=2\t \t3\n
cmd=sleep 1000\nbackoff=9 10\n
cmd=sleep 1000\nbackoff=2 2\n
cmd=sleep 1000\nbackoff=100\n
cmd=sleep 1000\nbackoff=86400 604800\n
cmd=sleep 1000\nretries=1\n
cmd=sleep 1000\nretries=1000000\n
cmd=sleep 1000\ncritical=yes\n
cmd=sleep 1000\nstop=TERM\n
cmd=sleep 1000\nstop=SIGTERM\n
cmd=sleep 1000\nstop=KILL 0\n
cmd=sleep 1000\nstop=PWR 5\n
cmd=sleep 1000\nstop=INT \t 0.5\n
cmd=sleep 1000\nstop=SIGQUIT 1000000\n
cmd=sleep 1000\ncwd=/\nenv=A=b\nuser=root\nstdin=/dev/null\nstdout=/dev/null\nstderr=/dev/null\nrestart=always\nbackoff=1 2\nretries=3\ncritical=yes\nstop=TERM 5\n
END
}

# Writes the file that follows a number N and a dash as $D/bad-N, and to $EXPECTED what
# must be named of it.
write_bad_files() {
  local number=0 lines text line
  EXPECTED=$BATS_TEST_TMPDIR/expected
  while IFS='|' read -r lines text; do
    printf %b "$text" >"$D/bad-$((++number))"
    for line in $lines; do echo "bad-$number:$line"; done
  done < <(bad_files) | LC_ALL=C sort >"$EXPECTED"
  return 0
}

# The NAME:LINE of all faults that were said.
faults() { sed -n 's/^\(bad-[0-9]*:[0-9]*\): ..*/\1/p' "$LOG" | LC_ALL=C sort -u; }

# Lets an argument-printing service run with the given cmd arguments.
arguments_of() {
  printf '#!/bin/sh\nprintf "<%%s>" "$@"\necho\n' >"$BATS_TEST_TMPDIR/print"
  chmod +x "$BATS_TEST_TMPDIR/print"
  rm -f "$BATS_TEST_TMPDIR/args"
  service args "cmd=$BATS_TEST_TMPDIR/print $1" "stdout=$BATS_TEST_TMPDIR/args" 'restart=never'
  wait_until 'grep -qs . "$BATS_TEST_TMPDIR/args"'
  cat "$BATS_TEST_TMPDIR/args"
}

@test "every bad file is refused by -t, with all its bad lines" {
  write_bad_files
  [ "$(ls "$D" | wc -l)" -ge 60 ]
  status=0
  "$GOING" -t -d "$D" 2>"$LOG" || status=$?
  diff -u "$EXPECTED" <(faults)
  not grep -v '^bad-[0-9]*:[0-9]*: .' "$LOG"
  [ "$status" -eq 1 ]
}

# The line that is said, behind the bar the fault.
@test "a fault is mended from its message alone: the key, what it wants, what it got" {
  cat >"$BATS_TEST_TMPDIR/faults" <<'END'
unknown key: colour|colour=red
unknown key: CWD|CWD=/
no '=': --port 80|--port 80
no '=': cwd|cwd
given twice: cmd|cmd=sleep 1
cmd: quote not closed: sh -c "it's|cmd=sh -c "it's
cwd: not an absolute path: srv/www|cwd=srv/www
stdin: not an absolute path: |stdin=
stdout: not an absolute path: web.log|stdout = web.log \r
stderr: not an absolute path: ~/log|stderr=~/log
env: no NAME=...: A|env=A
user: no such user: nosuch|user=nosuch
user: no such user: root:nosuch|user=root:nosuch
restart: not always, on-failure, never or unless CODE...: no|restart=no
restart: not always, on-failure, never or unless CODE...: unless 256|restart=unless 256
backoff: not MIN [MAX]: 5 2|backoff=5 2
retries: not 1 or more: 0|retries=0
critical: not yes: no|critical=no
stop: not SIGNAL [SECONDS]: 30|stop=30
stop: not SIGNAL [SECONDS]: HUP 1s|stop= HUP 1s
END
  while IFS='|' read -r said fault; do
    printf '%b\n' '# a comment' 'cmd=sleep 1000' "$fault" >"$D/web"
    run "$GOING" -t -d "$D"
    line=3
    case $fault in cmd=sh*)
      printf '%s\n' "$fault" >"$D/web"
      run "$GOING" -t -d "$D"
      line=1
      ;;
    esac
    echo "$output"
    [ "$status $output" = "1 web:$line: $said" ]
  done <"$BATS_TEST_TMPDIR/faults"
}

@test "a service goes on with the same pid when its file becomes a bad one" {
  write_bad_files
  mv "$D" "$D.bad"
  mkdir "$D"
  for file in "$D.bad"/*; do echo 'cmd=sleep 1000' >"$D/${file##*/}"; done
  count=$(ls "$D" | wc -l)
  going_start
  wait_until '[ "$(grep -sl "^state=up " "$R"/* | wc -l)" -eq $count ]'
  pids_of() { (cd "$R" && grep -o ' pid=[0-9]* start=[0-9]*' bad-*); }
  before=$(pids_of)
  # Whole: on a slow machine it is looked at before the last one is there.
  for file in "$D.bad"/*; do cp "$file" "$D/.new" && mv "$D/.new" "$D/${file##*/}"; done
  kill -HUP "$GOING_PID"
  wait_until 'faults | cmp -s - "$EXPECTED"' || :
  diff -u "$EXPECTED" <(faults)
  [ "$(pids_of)" = "$before" ]
  [ "$(grep -l '^state=up .*starts=1' "$R"/* | wc -l)" -eq "$count" ]
  [ "$(service_pids | wc -l)" -eq "$count" ]
}

@test "a bad file that was never good starts nothing, and is failed until it is mended" {
  service web 'cmd=sleep 1000' 'colour=red'
  going_start
  assert_log '^web:2: .'
  wait_until '[ "$(state web state)" = failed ]'
  [ -z "$(pid_of web)" ]
  service web 'cmd=sleep 1000'
  wait_until '[ "$(state web state)" = up ]'
}

@test "a bad file is said once, not at every look" {
  service web 'colour=red'
  going_start
  assert_log '^web:1: .'
  lines=$(grep -c '^web:' "$LOG")
  for name in a b c; do
    service $name 'cmd=sleep 1000'
    kill -HUP "$GOING_PID"
    wait_until "[ \"\$(state $name state)\" = up ]"
  done
  [ "$(grep -c '^web:' "$LOG")" -eq "$lines" ]
}

@test "every good file is accepted, by -t and in life" {
  needs_root
  number=0
  while read -r text; do
    printf %b "$text" >"$D/good-$((++number))"
  done < <(good_files)
  run "$GOING" -t -d "$D"
  echo "$output"
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  going_start
  wait_until '[ "$(grep -sl "^state=up " "$R"/* | wc -l)" -eq $number ]'
  refute_log '^good-[0-9]*:[0-9]'
}

@test "of the signals those that can stop a service have a name, with and without SIG, and no number" {
  allowed=' HUP INT QUIT ABRT KILL USR1 USR2 ALRM TERM CONT WINCH PWR '
  for number in {1..64}; do
    name=$(kill -l "$number") || continue # those that the C library keeps for itself
    service "$name" 'cmd=sleep 1000' "stop=$name"
    service "SIG$name" 'cmd=sleep 1000' "stop=SIG$name 2.5"
    service "$number" 'cmd=sleep 1000' "stop=$number"
    if [[ "$allowed" != *" $name "* ]]; then echo "$name" && echo "SIG$name"; fi
    echo "$number"
  done | LC_ALL=C sort >"$BATS_TEST_TMPDIR/refused"
  run "$GOING" -t -d "$D"
  [ "$status" -eq 1 ]
  diff "$BATS_TEST_TMPDIR/refused" <(sed -n 's/:2: stop: not SIGNAL \[SECONDS\]: .*//p' <<<"$output" | LC_ALL=C sort)
  [ "$(ls "$D" | wc -l)" -eq $((${#lines[@]} + 2 * 12)) ]
}

@test "the signal of stop is the one that arrives, by its name" {
  for pair in USR1=10 SIGUSR2=12 HUP=1 QUIT=3; do
    stop=${pair%=*} number=${pair#*=}
    service "s$number" "cmd=sh -c 'trap \"echo $number; exit\" $number; echo ready; while :; do sleep 0.02; done'" \
      "stdout=$BATS_TEST_TMPDIR/s$number" "stop=$stop"
  done
  going_start
  wait_until '[ "$(cat "$BATS_TEST_TMPDIR"/s* | grep -c ready)" -eq 4 ]'
  going_stop
  for number in 10 12 1 3; do
    [ "$(tail -n 1 "$BATS_TEST_TMPDIR/s$number")" = "$number" ]
  done
}

@test "a file of 8192 bytes is accepted, and its whole command arrives" {
  prefix='cmd=sleep 1000 '
  { echo "$prefix" && head -c $((8192 - ${#prefix} - 1)) /dev/zero | tr '\0' '#'; } >"$D/comment"
  word=$(head -c $((8192 - 27)) /dev/zero | tr '\0' x)
  printf 'cmd=sh -c "sleep 1000" a %s\n\n' "$word" >"$D/long"
  [ "$(stat -c %s "$D/comment")" -eq 8192 ]
  [ "$(stat -c %s "$D/long")" -eq 8192 ]
  "$GOING" -t -d "$D"
  going_start
  wait_until '[ "$(state comment state)" = up ] && [ "$(state long state)" = up ]'
  wait_until 'tr "\0" "\n" </proc/$(pid_of long)/cmdline | grep -qx "$word"'
}

@test "a command of as many words as fit arrives whole" {
  # a word of one letter for every two bytes
  words=$(printf ' x%.0s' {1..4070})
  printf 'cmd=sh -c "echo $#" 0%s' "$words" >"$D/.many"
  printf '\nrestart=never' >>"$D/.many"
  [ "$(stat -c %s "$D/.many")" -le 8192 ]
  mv "$D/.many" "$D/many"
  going_start
  wait_until '[ "$(state many state)" = "done" ]'
  grep -qx 4070 "$OUT"
}

@test "words are split at blanks, and quotes keep them together, also inside a word" {
  going_start
  [ "$(arguments_of 'a  b	c')" = '<a><b><c>' ]
  [ "$(arguments_of "'a b' \"c d\"")" = '<a b><c d>' ]
  [ "$(arguments_of "a' b 'c d\" e \"f")" = '<a b c><d e f>' ]
  [ "$(arguments_of "\"it's\" 'say \"hi\"'")" = "<it's><say \"hi\">" ]
  [ "$(arguments_of "'a'\"b\"c --x='1 2'")" = '<abc><--x=1 2>' ]
  [ "$(arguments_of "'' \"\" x")" = '<><><x>' ]
  [ "$(arguments_of "' a ' b")" = '< a ><b>' ]
}

@test "nothing in a command is expanded or escaped" {
  going_start
  [ "$(arguments_of '$HOME `id` $(id) ~ * \n a\ b ; & | > # %s')" = \
    '<$HOME><`id`><$(id)><~><*><\n><a\><b><;><&><|><>><#><%s>' ]
  [ "$(arguments_of 'a=b =c == "d=e"')" = '<a=b><=c><==><d=e>' ]
}

@test "UTF-8 arrives as it was written" {
  going_start
  [ "$(arguments_of 'grün "日本 語" ✓')" = '<grün><日本 語><✓>' ]
}

@test "8 KiB of the shortest lines are 4,096 faults, and no more than that" {
  for line in a = a= '' 'a ' $'\t' '#'; do
    yes "$line" | head -c 8192 >"$D/web"
    run "$GOING" -t -d "$D"
    [ "$status" = 1 ]
  done
  yes a | head -c 8192 >"$D/web"
  run "$GOING" -t -d "$D"
  [ "$status $(grep -c "^web:[0-9]*: no '=': a$" <<<"$output")" = '1 4096' ]
}

@test "a carriage return at a line's end does not arrive" {
  going_start
  [ "$(arguments_of $'a b\r')" = '<a><b>' ]
  [ "$(arguments_of $'\'a\'\r')" = '<a>' ]
}

@test "blanks around keys and values are dropped, those inside a value arrive" {
  printf '\t cmd =  sh -c \x27echo "[$A]"\x27  \n env  =\t A=b  c \t\n restart= never' >"$D/.web"
  mv "$D/.web" "$D/web"
  going_start
  wait_until '[ "$(state web state)" = "done" ]'
  grep -qx '\[b  c\]' "$OUT"
}

@test "of an env that is given twice the later wins" {
  service web 'cmd=sh -c "env | grep ^[AB]="' 'env=A=1' 'env=B=x' 'env=A=2' 'restart=never'
  going_start
  wait_until '[ "$(state web state)" = "done" ]'
  [ "$(sort "$OUT")" = $'A=2\nB=x' ]
}

@test "all keys of one file do what they say" {
  needs_root
  cd "$BATS_TEST_TMPDIR"
  mkdir 'a directory'
  echo 'from the file' >in
  service web 'cmd=sh -c "read -r line; echo $PWD: $A: $USER: $line; echo trouble >&2; exit 3"' \
    "cwd=$PWD/a directory" 'env=A=b c' 'user=root:root' "stdin=$PWD/in" "stdout=$PWD/web out" \
    "stderr=$PWD/web err" 'restart=on-failure' 'backoff=0 1000.5' 'retries=2' 'critical=yes' 'stop=SIGINT 0.5'
  going_start
  wait_until '[ "$(state web state)" = failed ]'
  [ "$(state web starts)" = 2 ]
  [ "$(state web exit)" = 3 ]
  line="$PWD/a directory: b c: root: from the file"
  [ "$(cat 'web out')" = "$line"$'\n'"$line" ]
  [ "$(cat 'web err')" = $'trouble\ntrouble' ]
}

@test "fractions of seconds count" {
  service web 'cmd=sh -c "trap : TERM; echo ready; while :; do sleep 0.02; done"' \
    "stdout=$BATS_TEST_TMPDIR/ready" 'stop=TERM 0.3'
  service quick 'cmd=false' 'backoff=0.2 0.4'
  going_start
  wait_until 'grep -qs ready "$BATS_TEST_TMPDIR/ready"'
  assert_log 'quick: .* 0\.2 s'
  assert_log 'quick: .* 0\.4 s'
  begin=${EPOCHREALTIME/./}
  going_stop
  spent=$((${EPOCHREALTIME/./} - begin))
  [ "$spent" -ge 300000 ]
  [ "$spent" -lt 9000000 ]
}
