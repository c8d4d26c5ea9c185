# A model of going, in which spin(1) tries every order of what may happen:
# going.pml says what it is, docs/model.md what came out. It takes six minutes,
# and 1.6 GiB.
#
# A search that finds nothing proves nothing if it could not find anything. So
# going is broken in the model, too, and each time spin must find out.

load ../helper

setup_file() {
  export MODEL=$BATS_TEST_DIRNAME/model/going.pml
  export PAGE=$BATS_TEST_DIRNAME/../../docs/model.md
}

# Makes a searcher of the model, with these switches, and lets it search.
search() { # -DSWITCH...
  local how=(-E) flags=(-DSAFETY) switch # to wait for ever is no fault
  for switch in "$@"; do
    if [ "$switch" = -DLIVE ]; then how=(-a -f) flags=(-DNFAIR=3); fi
  done
  mkdir -p "$BATS_TEST_TMPDIR/search"
  cd "$BATS_TEST_TMPDIR/search"
  spin -a "$@" "$MODEL" >spin
  gcc -w -O2 "${flags[@]}" ${BREADTH:+-DBFS} -DCOLLAPSE -DMEMLIM=4096 -o pan pan.c
  nice -n 10 ./pan "${how[@]}" -m3000000 -w25 >found 2>&1
  sed '/^$/q' found >&2
  grep -E 'errors:|states, stored|elapsed|total actual' found >&2
}

# All was searched, and nothing found. docs/model.md has the numbers.
holds() { # NAME -DSWITCH...
  local name=$1 states depth
  shift
  search "$@"
  not grep -E 'violated|acceptance cycle|not completed|max search depth|out of memory' found
  grep -q 'errors: 0$' found
  states=$(awk '/states, stored/ { print $1 }' found)
  depth=$(sed -n 's/.*depth reached \([0-9]*\).*/\1/p' found)
  grep -qF "| $name | $states | $depth |" "$PAGE" || {
    echo "docs/model.md does not have: | $name | $states | $depth |" >&2
    return 1
  }
}

# Something was found; the shortest way to it is told, and is this one.
finds() { # STEP... -- -DSWITCH...
  local steps=()
  while [ "$1" != -- ]; do steps+=("$1") && shift; done
  shift
  set -- "$@" "-DGOINGS=${GOINGS:-1}"
  BREADTH=yes search "$@"
  grep -q 'assertion violated' found
  spin -t -DTELL "$@" -k going.pml.trail "$MODEL" |
    sed -n '/^spin:/q; s/^ \+//p' >trail
  cat trail >&2
  diff <(printf '%s\n' "${steps[@]}") <(tail -n ${#steps[@]} trail)
}

# ---- the model is one of this program

is_up() { [ "$(state "$1" state)" = up ]; }
is_new() { is_up "$1" && [ "$(pid_of "$1")" != "$2" ] && alive "$(pid_of "$1")"; }

# A new scene, once nothing more is written about the last one.
scene() { # NAME
  local size=-1
  until [ "$(stat -c %s "$TRACE")" = "$size" ]; do
    size=$(stat -c %s "$TRACE")
    sleep 0.2
  done
  [ -z "${1:-}" ] || echo "* $1" >>"$TRACE"
}

# A service that ends when it is told to, and not at TERM; until then it is quiet.
life() { # FIFO
  service web "cmd=sh -c \"trap '' TERM; read -r _ <>$1\"" 'stop=TERM 60'
}

@test "the model takes its steps in the order of the real program" {
  local end=$BATS_TEST_TMPDIR/end
  TRACE=$BATS_TEST_TMPDIR/trace
  : >"$TRACE"
  mkfifo "$end"
  WRAP+=(strace -D -f -A -qq -o "$TRACE" -s 200 -e signal=none
    -e 'trace=flock,?open,openat,pidfd_open,epoll_ctl,clone,?clone3,?vfork,setsid,write,?renameat,renameat2,execve,kill,waitid,unlinkat')
  life "$end"
  going_start
  wait_until 'is_up web'

  scene end
  pid=$(pid_of web)
  echo >"$end"
  wait_until "is_new web $pid"

  scene stop
  rm "$D/web"
  wait_until '[ "$(state web state)" = stopping ]'
  echo >"$end"
  wait_until '[ ! -e "$R/web" ]'

  scene birth
  life "$end"
  wait_until 'is_up web'

  scene
  going_kill
  scene takeover
  going_start
  assert_log '^web: taken over'

  scene 'end of one taken over'
  pid=$(pid_of web)
  echo >"$end"
  wait_until "is_new web $pid"

  scene
  going_kill
  pid=$(pid_of web)
  echo >"$end"
  wait_until "[ ! -e /proc/$pid ]" # reaped
  scene 'takeover of a dead one'
  going_start
  wait_until "is_new web $pid"

  scene upgrade
  : >"$LOG"
  kill -USR2 "$GOING_PID"
  assert_log '^web: taken over'

  scene 'end after an upgrade'
  pid=$(pid_of web)
  echo >"$end"
  wait_until "is_new web $pid"

  scene 'stop and takeover'
  rm "$D/web"
  wait_until '[ "$(state web state)" = stopping ]'
  scene
  going_kill
  : >"$LOG"
  going_start
  assert_log '^web: taken over'
  scene
  echo >"$end"
  wait_until '[ ! -e "$R/web" ]'

  scene birth
  life "$end"
  wait_until 'is_up web'

  scene farewell
  kill -TERM "$GOING_PID"
  wait_until '[ "$(state web state)" = stopping ]'
  echo >"$end"
  wait_until "! alive $GOING_PID"
  scene 'the end'

  "$BATS_TEST_DIRNAME/model/steps.py" web <"$TRACE" >"$BATS_TEST_TMPDIR/real"
  cd "$BATS_TEST_TMPDIR" # spin leaves files where it runs
  spin -DSTORY -u20000 -T "$MODEL" | sed '/^--/d; /^\* the end/q' >"$BATS_TEST_TMPDIR/model"
  diff "$BATS_TEST_TMPDIR/model" "$BATS_TEST_TMPDIR/real"
}

# ---- what is promised

@test "one going: no second process, no signal to a stranger, no end is lost" {
  holds 'one going: never' -DGOINGS=1
}

@test "two goings: no second process, no signal to a stranger, no end is lost" {
  holds 'two goings: never' -DLOSES=0
}

@test "one going: in the end what is wanted is up, and what is not has stopped" {
  holds 'one going: in the end' -DLIVE -DGOINGS=1
}

# ---- would it have been found?

@test "found: without a record before the exec, a service is started twice" {
  finds clone '-- KILL' exec lock read clone -- -DFORGET
}

@test "found: with the lock released before the record, a service is started twice" {
  finds clone '-- KILL' lock read clone -- -DUNLOCK
}

@test "found: with a reap before the first look, an end is lost" {
  finds rename '-- it ends' 'exec again' look reap -- -DEARLY_REAP
}

@test "found: with an upgrade while a state is unsaved, a service is started twice" {
  finds clone exec 'exec again' lock read clone -- -DHASTE
}

@test "found: with a record that is forgotten once its file is gone, a service is started twice" {
  finds read '-- the directory is lost' pidfd start read clone -- -DREAD_ANEW
}

@test "found: with a number that only names a group taken for a life: it is never up again" {
  search -DLIVE -DGOINGS=1 -DGROUP_IS_LIFE
  grep -q 'acceptance cycle' found
}

# ---- what the world must not do

@test "found: a number that is used again before going has heard of the end" {
  finds watch '-- init reaps it' "-- its number is a stranger's" term cont -- -DSWIFT
}

@test "found: a stranger's group of the recorded number, whose leader has ended" {
  finds read pidfd start '-- init reaps it' "-- its number is a stranger's" '-- it forks' \
    '-- it ends' start kill -- -DGROUPS
}

@test "found: a record that cannot be read after an upgrade, and an end meanwhile" {
  finds '-- it ends' 'exec again' lock look reap -- -DFAILING_READ
}

@test "found: a start time that cannot be read when it is looked at again" {
  finds watch '-- it forks' '-- it ends' start clone -- -DBLIND
}

@test "found: a directory that is removed while another going waits for it" {
  GOINGS=2 finds '-- the directory is lost' lock read clone -- -DPARTED
}
