# A machine for a recipe of the cookbook: all files of this one, but what is changed there is
# thrown away (an overlay in memory); processes and a loopback of its own, busybox init as process 1,
# a syslogd, and going, respawned. `on COMMAND...` runs there, in any directory it likes.

COOKBOOK=$BATS_TEST_DIRNAME/../docs/cookbook.md

machine_start() { # [INITTAB LINE...]
  needs_root
  M=$BATS_TEST_TMPDIR/machine
  mkdir -p "$M"
  # shellcheck disable=SC2016 # the inner shell expands these
  M=$M GOING=$GOING INITTAB=$(printf '%s\n' "$@") \
    unshare --mount --propagation private --net --pid --fork --kill-child=KILL sh -euc '
      busybox ip link set lo up
      mount -t tmpfs none "$M"
      mkdir "$M/upper" "$M/work" "$M/root"
      root=$M/root
      mount -t overlay none -o "lowerdir=/,upperdir=$M/upper,workdir=$M/work" "$root"
      for dir in dev run tmp; do mount -t tmpfs none "$root/$dir"; done
      chmod 1777 "$root/tmp"
      mount -t proc none "$root/proc"
      mount --rbind /sys "$root/sys"
      for node in null zero full random urandom tty; do
        : >"$root/dev/$node"
        mount --bind "/dev/$node" "$root/dev/$node"
      done
      mkdir -m 1777 "$root/dev/shm" "$root/run/lock"
      ln -s /proc/self/fd "$root/dev/fd"
      for n in in:0 out:1 err:2; do ln -s "/proc/self/fd/${n#*:}" "$root/dev/std${n%:*}"; done
      rm -rf "$root/etc/going.d"
      mkdir -p "$root/etc/going.d" "$root/usr/local/sbin"
      install -m 755 "$GOING" "$root/usr/local/sbin/going"
      : >"$root/var/log/messages"
      ln -s /bin/busybox "$root/run/syslogd"
      printf "%s\n" "::respawn:/run/syslogd -n -O /var/log/messages" \
        "${INITTAB:-::respawn:/usr/local/sbin/going}" >"$root/etc/inittab"
      exec chroot "$root" /bin/busybox init' </dev/null >"$LOG" 2>&1 3>&- &
  SPACE=$!
  wait_until 'INIT=$(pgrep -P $SPACE) && [ "$(readlink "/proc/$INIT/root")" = "$M/root" ]'
  # shellcheck disable=SC2034 # the tests use them
  ROOT=/proc/$INIT/root D=/proc/$INIT/root/etc/going.d R=/proc/$INIT/root/run/going
  wait_until '[ -S "$ROOT/dev/log" ]'
  [ $# -gt 0 ] || wait_until 'grep -q SigBlk:.*[1-9a-f] "/proc/$(pgrep -P "$INIT" going)/status"'
}

machine_stop() {
  [ -z "${SPACE:-}" ] || { kill -KILL "$SPACE" && wait_until "not alive $SPACE" && wait "$SPACE" || :; } 2>/dev/null
}

on() { nsenter --target "$INIT" --pid --mount --net --root --wd "$@" 3>&-; }
messages() { cat "$ROOT/var/log/messages"; }
assert_message() { wait_until "messages | grep -Eq -e '$1'"; }
is_up() { wait_until "[ \"\$(state $1 state)\" = up ]"; }

# Writes each block of code of a recipe to a file, blocks/01, blocks/02 and so on.
blocks() { # HEADING
  rm -rf "$BATS_TEST_TMPDIR/blocks"
  mkdir "$BATS_TEST_TMPDIR/blocks"
  awk -v heading="### $1" -v to="$BATS_TEST_TMPDIR/blocks/" '
    /^#/ && !/^    / { inside = $0 == heading }
    !inside { next }
    /^    / { if (!code) file = sprintf("%s%02d", to, ++n); code = 1
              while (blank-- > 0) print "" >file
              blank = 0; print substr($0, 5) >file; next }
    /^$/ { blank += code; next }
    { code = blank = 0 }
    END { exit !n }' "$COOKBOOK" || { echo "no recipe, or no code: $1" >&2 && return 1; }
}

# Puts a recipe into the machine as its reader would. In its blocks of code, one that says a path
# in a comment on its first line (or its second, after a `#!`) is that file; any other one is a
# command, to be run by `step N` in a shell, in the order of the page. The first FIRST commands
# are run in their place between the files.
recipe() { # HEADING [FIRST]
  blocks "$1" || return
  local block path
  STEPS=()
  for block in "$BATS_TEST_TMPDIR"/blocks/*; do
    path=$(sed -n '1{/^#!/n;s/^# \(\/[^ ]*\)$/\1/p;}' "$block")
    if [ -z "$path" ]; then
      STEPS+=("$block")
      [ ${#STEPS[@]} -gt "${2:-0}" ] || step ${#STEPS[@]} || return
    else
      on mkdir -p "${path%/*}"
      on tee "$path" <"$block" >/dev/null
      if [[ $(head -c 2 "$block") == '#!' ]]; then on chmod 755 "$path"; fi
    fi
  done
}

step() { on sh -c "$(cat "${STEPS[$1 - 1]}")"; }
