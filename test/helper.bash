# The world of a test, and the words to speak about it. Every test has a service directory $D,
# a runtime directory $R and a log $LOG of its own, and ends what it has started. What services
# say on an inherited stdout is in $OUT. What only root can do is skipped for others (needs_root);
# GOING names another binary to try.

: "${GOING:=$(dirname "${BASH_SOURCE[0]}")/../going}"
GOING=$(realpath "$GOING")
STARTED=() # every going of this test
WRAP=()    # what going is run through: it must exec, as env or strace -D do

# The same for everybody: words, numbers and order, and what Debian keeps from a user's PATH.
unset LANG LANGUAGE
export LC_ALL=C.UTF-8 PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# Root may be without rights: in a container by default, it cannot mount.
is_root() { [ "$EUID" -eq 0 ] && unshare --mount true 2>/dev/null; }
needs_root() { is_root || skip 'needs root, with the right to mount'; }

# To be run through by root as one who is not; others have no rights to be without.
without() { [ "$EUID" -ne 0 ] || echo "setpriv --inh-caps=-all --bounding-set=$1"; } # -CAPABILITY,...

# A machine with a syslog has nothing on standard error: hide it from going. Others than root may
# do so in a user namespace, if at all.
if [ -e /dev/log ]; then
  own=(--user --map-current-user --keep-caps) shed=(setpriv --inh-caps=-all --ambient-caps=-all)
  if is_root; then own=() shed=(); fi
  # shellcheck disable=SC2016 # the inner shell expands these
  WRAP=(unshare "${own[@]}" --mount sh -c
    'mount --bind /dev/null "$(realpath /dev/log)" && exec "$@"' -- "${shed[@]}")
fi

setup() {
  [ ! -e /dev/log ] || is_root || unshare "${own[@]}" true || skip 'needs root: there is a syslog'
  umask 022
  D=$BATS_TEST_TMPDIR/d R=$BATS_TEST_TMPDIR/r
  LOG=$BATS_TEST_TMPDIR/log OUT=$BATS_TEST_TMPDIR/out
  mkdir "$D"
  : >"$LOG"
  : >"$OUT"
}

teardown() {
  local pid failed=0 pids
  pids=$(service_pids)
  for pid in "${STARTED[@]}"; do kill -TERM "$pid" 2>/dev/null || :; done
  for pid in "${STARTED[@]}"; do
    wait_until "! alive $pid" || { failed=1 && kill -KILL "$pid"; }
  done
  for pid in $pids $(service_pids); do kill -KILL -- "-$pid" 2>/dev/null || :; done
  for pid in $pids; do wait_until "! alive $pid" || failed=1; done
  return "$failed"
}

# The processes that the state files name, if they still are the same ones.
service_pids() {
  local file line
  for file in "$R"/*; do
    [ -f "$file" ] || continue # a FIFO would wait
    { read -r line <"$file"; } 2>/dev/null && [[ $line =~ \ pid=([0-9]+) ]] || continue
    [[ "$line " != *" start=$(start_of "${BASH_REMATCH[1]}") "* ]] || echo "${BASH_REMATCH[1]}"
  done
}

stat_of() { # PID: what proc(5) says of it behind its name
  local line
  { read -r line <"/proc/$1/stat"; } 2>/dev/null && echo "${line##*) }"
}

start_of() { stat_of "$1" | cut -d ' ' -f 20; }
alive() { [[ $(stat_of "$1") == [!ZX]* ]]; }
dead() { ! alive "$1"; }

going_start() { # [ARGUMENT...]
  "${WRAP[@]}" "$GOING" -d "$D" -r "$R" "$@" </dev/null >>"$OUT" 2>>"$LOG" 3>&- &
  GOING_PID=$!
  STARTED+=("$GOING_PID")
  wait_until 'supervises'
}

# It supervises once it holds the lock and its signals are blocked. (Another file system may have
# a file of that number, and a lock on it.)
supervises() {
  local inode owner fd
  inode=$(stat -c %i "$R/..lock" 2>/dev/null) || return 1
  for owner in $(awk -v end=":$inode\$" '/FLOCK/ && $5 > 0 && $6 ~ end { print $5 }' /proc/locks); do
    grep -q '^SigBlk:.*[1-9a-f]' "/proc/$owner/status" || continue
    for fd in "/proc/$owner/fd"/*; do [ ! "$fd" -ef "$R/..lock" ] || return 0; done
  done 2>/dev/null
  return 1
}

# A small system in $TREE, for an init of its own, with busybox and going in it.
plant_tree() { # [ACCOUNT]: besides root and nobody
  local dir accounts="root|nobody|nogroup${1:+|$1}"
  TREE=$BATS_TEST_TMPDIR/tree
  mkdir -p "$TREE"/{bin,sbin,usr,etc/going.d,proc,dev,run,tmp,var}
  D=$TREE/etc/going.d R=$TREE/run/going
  for dir in bin sbin lib lib64; do
    [ ! -L "/$dir" ] || { rm -rf "${TREE:?}/$dir" && cp -P "/$dir" "$TREE/$dir"; }
  done
  grep -E "^($accounts):" /etc/passwd >"$TREE/etc/passwd"
  grep -E "^($accounts):" /etc/group >"$TREE/etc/group"
  cp "$(command -v busybox)" "$TREE/etc/busybox"
  cp "$GOING" "$TREE/etc/going"
}

going_stop() { # its exit status is that of going
  kill -TERM "$GOING_PID" && wait_until "! alive $GOING_PID" && wait "$GOING_PID"
}

going_kill() {
  kill -KILL "$GOING_PID" && { wait "$GOING_PID" || :; } 2>/dev/null
}

service() { # NAME LINE...
  printf '%s\n' "${@:2}" >"$D/.$1.new" && mv "$D/.$1.new" "$D/$1"
}

wait_until() { # 'SHELL CONDITION'
  local end=$((${EPOCHREALTIME/./} + 10000000))
  until eval "$1"; do
    if [ "${EPOCHREALTIME/./}" -gt "$end" ]; then
      printf '%s\n' "in vain: $1" '-- the log' "$(tail -n 40 "$LOG")" \
        '-- the state files' "$(grep -s -D skip . "$R"/*)" >&2
      return 1
    fi
    sleep 0.02
  done
}

state() { # NAME KEY
  sed -n "s/^\(.* \)\{0,1\}$2=\([^ ]*\).*/\2/p" "$R/$1" 2>/dev/null
}

pid_of() { state "$1" pid; }
assert_log() { wait_until "grep -Eq -e '$1' '$LOG'"; }
not() { ! "$@"; } # bash lets a plain `! COMMAND` fail without a word
refute_log() { ! grep -E -e "$1" "$LOG" >&2; }
