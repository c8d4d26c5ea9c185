# going-import, and what the supervisors did from which it takes over. test/import/KIND/NAME is a
# definition: what it is made of is in `in`, the service files that are right are in `want`, what
# is to be said in `said`, and the exit status and the arguments in `case`.
load helper

IMPORT=$(realpath "$BATS_TEST_DIRNAME/../docs/tools/going-import")

# The definitions name users that Debian has, and what is right has their numbers.
needs_accounts() {
  grep -q '^www-data:.*:33:33:.*:/var/www:/usr/sbin/nologin$' /etc/passwd &&
    grep -q '^nogroup:.*:65534:' /etc/group || skip 'needs the accounts of Debian'
}

# Every definition of a kind: what is written, what is said, and that going takes it.
corpus() { # KIND
  local definition expected arguments status written said
  needs_accounts
  for definition in "$BATS_TEST_DIRNAME/import/$1"/*; do
    read -r expected arguments <"$definition/case"
    HERE=$BATS_TEST_TMPDIR/in
    rm -rf "$HERE"
    cp -r "$definition/in" "$HERE"
    cd "$HERE"
    [ ! -e defaults ] || sed -i "s|@HERE@|$HERE|g" ./*
    status=0
    # shellcheck disable=SC2086
    written=$("$IMPORT" "$1" $arguments 2>"$BATS_TEST_TMPDIR/said") || status=$?
    said=$(<"$BATS_TEST_TMPDIR/said")
    is_right "$definition/want" "$written"
    is_right "$definition/said" "$said"
    [ "$status" -eq "$expected" ]
    all_lines_are_told "$1"
    mkdir "$D/${definition##*/}"
    awk -v dir="$D/${definition##*/}/" \
      'last == "" && /^# / { file = dir $2 } { print >file; last = $0 }' <<<"$written"
    # what is of nobody is good once there is somebody of that name
    [[ $definition == */nobody-there ]] || "$GOING" -t -d "$D/${definition##*/}"
    cd "$BATS_TEST_TMPDIR"
  done
}

is_right() { # FILE TEXT
  local right
  right=$(<"$1")
  [ "${right//@HERE@/$HERE}" = "$2" ] || diff <(echo "${right//@HERE@/$HERE}") <(echo "$2")
}

# No line of a source is passed over in silence, but comments and empty ones; nor is a file of a
# service directory.
all_lines_are_told() { # KIND
  local file files=()
  shopt -s globstar dotglob
  for file in **; do
    case /$file in
      */supervise/* | */log/main/* | */README | */echo.socket) ;;
      *) [ ! -f "$file" ] || files+=("$file") ;;
    esac
  done
  awk -v kind="$1" -v said="$BATS_TEST_TMPDIR/said" '
    BEGIN {
      directories = kind ~ /^(runit|daemontools|s6)$/
      while ((getline line <said) > 0) {
        name = line
        if (!sub(/:[0-9]+: (kept|changed|refused): .*/, "", name)) print "not a message: " line
        number = substr(line, length(name) + 2) + 0
        sub(/.*\/in\//, "", name) # an EnvironmentFile is named by its whole path
        is_told[directories ? name : name ":" number] = 1
      }
    }
    !directories && !/^[ \t]*([#;]|$)/ && !((FILENAME ":" FNR) in is_told) {
      print "nothing is said of " FILENAME ":" FNR
    }
    END {
      for (i = 1; directories && i < ARGC; i++)
        if (!(ARGV[i] in is_told)) print "nothing is said of " ARGV[i]
    }' "${files[@]}" >"$BATS_TEST_TMPDIR/untold"
  [ ! -s "$BATS_TEST_TMPDIR/untold" ] || { cat "$BATS_TEST_TMPDIR/untold" && false; }
}

@test "lines of an inittab" { corpus inittab; }
@test "service directories of runit" { corpus runit; }
@test "service directories of daemontools" { corpus daemontools; }
@test "service directories of s6, and definitions of s6-rc" { corpus s6; }
@test "jobs of pmtr" { corpus pmtr; }
@test "programs of supervisord" { corpus supervisord; }
@test "a Procfile" { corpus procfile; }
@test "units of systemd" { corpus systemd; }
@test "scripts of OpenRC" { corpus openrc; }
@test "scripts of procd" { corpus procd; }

# --- The command itself

@test "the help names every kind, and misuse exits with 2" {
  run "$IMPORT" --help
  [ "$status" -eq 0 ]
  for kind in inittab runit daemontools s6 pmtr supervisord procfile systemd openrc procd; do
    [[ $output == *"$kind"* ]]
  done
  for arguments in '' systemd 'sysv x' "systemd $BATS_TEST_TMPDIR/nothing" '-x inittab /dev/null' \
    "-o $BATS_TEST_TMPDIR/nothing inittab $0" "runit $D"; do
    # shellcheck disable=SC2086
    run "$IMPORT" $arguments
    [ "$status" -eq 2 ]
  done
}

@test "a file that is there is never overwritten" {
  printf '::respawn:/bin/web\n::respawn:/bin/db\n' >"$BATS_TEST_TMPDIR/inittab"
  echo mine >"$D/web"
  run "$IMPORT" -o "$D" inittab "$BATS_TEST_TMPDIR/inittab"
  [ "$status" -eq 1 ]
  [[ $output == *"$D/web:1: refused: "* ]]
  [ "$(cat "$D/web")" = mine ]
  grep -qx cmd=/bin/db "$D/db"
  ln -s nowhere "$D/cron"
  echo '::respawn:/bin/cron' >"$BATS_TEST_TMPDIR/inittab"
  run "$IMPORT" -o "$D" inittab "$BATS_TEST_TMPDIR/inittab"
  [ "$status" -eq 1 ]
  [ ! -e "$BATS_TEST_TMPDIR/d/nowhere" ]
}

@test "what only root may read stays so" {
  mkdir "$BATS_TEST_TMPDIR/shop"
  cd "$BATS_TEST_TMPDIR/shop"
  echo 'web: ./web' >Procfile
  echo TOKEN=secret >.env
  chmod 600 .env
  "$IMPORT" -o "$D" procfile Procfile
  [ "$(stat -c %a "$D/shop-web")" = 600 ]
  chmod 644 .env
  rm "$D/shop-web"
  "$IMPORT" -o "$D" procfile Procfile
  [ "$(stat -c %a "$D/shop-web")" = 644 ]
  printf '%s\n' '[Service]' "EnvironmentFile=-$PWD/.env" ExecStart=/bin/x >x.service
  chmod 600 .env
  "$IMPORT" -o "$D" systemd x.service
  grep -qx env=TOKEN=secret "$D/x"
  [ "$(stat -c %a "$D/x")" = 600 ]
}

@test "it finds its scripts through a link, and says where it misses them" {
  ln -s "$IMPORT" "$BATS_TEST_TMPDIR/import-link"
  ln -s import-link "$BATS_TEST_TMPDIR/going-import"
  echo '::respawn:/bin/web' >"$BATS_TEST_TMPDIR/inittab"
  "$BATS_TEST_TMPDIR/going-import" inittab "$BATS_TEST_TMPDIR/inittab" | grep -qx cmd=/bin/web
  run env GOING_IMPORT=/nonexistent "$IMPORT" inittab "$BATS_TEST_TMPDIR/inittab"
  [ "$status" -eq 2 ]
  [[ $output == *GOING_IMPORT* ]]
}

@test "a file of over 8 KiB is refused, and off" {
  { printf '::respawn:/bin/web'; printf ' %0100d' $(seq 100); } >"$BATS_TEST_TMPDIR/inittab"
  run "$IMPORT" -o "$D" inittab "$BATS_TEST_TMPDIR/inittab"
  [ "$status" -eq 1 ]
  [[ $output == *'over 8 KiB'* ]]
  [ -e "$D/web.off" ]
}

# --- Compared with the old supervisors

# A program that writes down how it was started, as $SEEN/NAME, NAME being its first word.
recorder() {
  SEEN=$BATS_TEST_TMPDIR/seen
  REC=$BATS_TEST_TMPDIR/rec
  mkdir -m 777 "$SEEN"
  chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$BATS_TEST_TMPDIR" # for nobody
  cat >"$REC" <<END
#!/bin/sh
echo "words of \$1"
fds=\$(for fd in 0 1 2; do echo "fd \$fd \$(readlink /proc/\$\$/fd/\$fd)"; done)
{
  tr '\\0' '\\n' </proc/\$\$/cmdline | sed '1,2d; s/^/word /'
  tr '\\0' '\\n' </proc/\$\$/environ | sort | sed 's/^/env /'
  echo "cwd \$(readlink /proc/\$\$/cwd)"
  grep -E '^(Uid|Gid|Groups|Umask|NoNewPrivs|Cap...):' /proc/\$\$/status
  cut -c 1-50 /proc/\$\$/limits
  echo "nice \$((\$(cut -d ' ' -f 19 /proc/\$\$/stat) - $(nice))) score \$(cat /proc/\$\$/oom_score_adj)"
  echo "\$fds" | sed -E 's/(pipe:.*|[^ ]*\.fifo)\$/pipe/'
} >$SEEN/.\$1
mv $SEEN/.\$1 $SEEN/\$1
exec sleep 1000
END
  chmod 755 "$REC"
}

script() { # FILE: an executable one
  mkdir -p "$(dirname "$1")"
  { echo '#!/bin/sh' && cat; } >"$1"
  chmod 755 "$1"
}

# The old supervisor, in the background, with next to no environment.
old() { # COMMAND...
  (cd / && exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@") \
    </dev/null >>"$OUT" 2>>"$LOG" 3>&- &
  OLD=$!
}

# What the old one has started has been seen: end that, with a command, and keep it.
seen() { # COMMAND NAME...
  local name
  for name in "${@:2}"; do wait_until "[ -e '$SEEN/$name' ]"; done
  eval "$1"
  wait "$OLD" || :
  mv "$SEEN" "$SEEN.old"
  mkdir -m 777 "$SEEN"
}

# The same under going, and compared. Its FIFOs are kept within the test.
same_under_going() { # VARIABLES-NOT-CARRIED-OVER NAME...
  local file name
  for file in "$D"/*; do
    sed -i "s|=/run/|=$BATS_TEST_TMPDIR/|" "$file"
    sed -n 's/^std[a-z]*=\(.*\.fifo\)$/\1/p' "$file" | sort -u
  done | sort -u | xargs -r mkfifo -m 600
  going_start
  for name in "${@:2}"; do
    wait_until "[ -e '$SEEN/$name' ]"
    compare "$1" "$name"
  done
}

compare() { # VARIABLES-NOT-CARRIED-OVER NAME
  diff <(grep -Ev "^env ($1)=$NOT" "$SEEN.old/$2") <(grep -Ev "^env ($1|SERVICE)=$NOT" "$SEEN/$2")
}

import() { "$IMPORT" -o "$D" "$@" 2>>"$LOG" || [ $? -eq 1 ]; }

@test "as under the init of busybox" {
  needs_root
  recorder
  plant_tree
  mkdir -p "$TREE/usr/bin" "$TREE$SEEN"
  cp "$REC" "$TREE/bin/rec"
  for tool in sh tr sed sort readlink grep cut cat mv sleep; do
    ln -sf /etc/busybox "$TREE/bin/$tool"
  done
  cat >"$TREE/etc/inittab" <<END
::respawn:/bin/rec one two  three
::respawn:/bin/rec shell 'a  b' "c'd" >/dev/null 2>&1
::respawn:/bin/rec comment a#b
null::respawn:/bin/rec null
END
  printf '::respawn:/bin/rec last' >>"$TREE/etc/inittab"
  import inittab "$TREE/etc/inittab"
  [ "$(ls "$D" | wc -l)" -eq 5 ]
  boot() { # INIT; HOME=/ is what the kernel gives its init, and newer versions of busybox rely on it
    old env HOME=/ unshare --pid --fork --kill-child=KILL --mount sh -c "
      mount --bind '$SEEN' '$TREE$SEEN' && mount -t proc proc '$TREE/proc' &&
        mount --bind /dev '$TREE/dev' && exec chroot '$TREE' /etc/$1"
  }
  boot 'busybox init'
  seen 'kill -KILL $OLD' one shell comment null last
  boot going
  for name in one shell comment null last; do
    wait_until "[ -e '$SEEN/$name' ]"
    # a shell in between leaves traces; input was the console; TERM says what kind that is
    sed -i '/^fd 0/d' "$SEEN.old/$name" "$SEEN/$name"
    compare 'PWD|SHLVL|OLDPWD|_|TERM' "$name"
  done
  kill -KILL "$OLD"
  wait "$OLD" || :
}

@test "as under runit" {
  needs_root
  command -v runsv >/dev/null || skip 'wants runit'
  recorder
  script "$BATS_TEST_TMPDIR/sv/web/run" <<<"exec 2>&1; exec '$REC' web 'a  b' \"\$PWD\""
  script "$BATS_TEST_TMPDIR/sv/web/log/run" <<<"exec cat >>'$BATS_TEST_TMPDIR/logged'"
  script "$BATS_TEST_TMPDIR/sv/db/run" <<<"exec chpst -u nobody:nogroup -n 3 '$REC' db"
  script "$BATS_TEST_TMPDIR/sv/db/finish" <<<"echo \"\$*\" >>'$BATS_TEST_TMPDIR/finished'"
  old runsvdir "$BATS_TEST_TMPDIR/sv"
  seen 'kill -HUP $OLD' web db
  wait_until "[ -s '$BATS_TEST_TMPDIR/finished' ]"
  import runit "$BATS_TEST_TMPDIR/sv"
  # runsv has set no PWD, but the shells do
  same_under_going 'PWD|SHLVL|_' web db
  wait_until "[ \"\$(grep -c 'words of web' '$BATS_TEST_TMPDIR/logged')\" = 2 ]"
  rm "$D/db"
  wait_until "[ \"\$(grep -c '^-1 15$' '$BATS_TEST_TMPDIR/finished')\" = 2 ]"
}

@test "as under daemontools" {
  needs_root
  command -v supervise >/dev/null || skip 'wants daemontools'
  recorder
  script "$BATS_TEST_TMPDIR/sv/web/run" \
    <<<"exec setuidgid nobody softlimit -o 77 '$REC' web 'it'\''s' \"\$PWD\""
  old supervise "$BATS_TEST_TMPDIR/sv/web"
  seen "svc -dx '$BATS_TEST_TMPDIR/sv/web'" web
  import daemontools "$BATS_TEST_TMPDIR/sv/web"
  same_under_going 'PWD|SHLVL|_' web
}

@test "as under s6" {
  command -v s6-supervise >/dev/null || skip 'wants s6'
  recorder
  script "$BATS_TEST_TMPDIR/sv/web/run" <<<"echo ready >&4 || exit; exec '$REC' web \"\$PWD\""
  script "$BATS_TEST_TMPDIR/sv/web/finish" <<<"echo \"\$1 \$2 \$3\" >>'$BATS_TEST_TMPDIR/finished'"
  echo 4 >"$BATS_TEST_TMPDIR/sv/web/notification-fd"
  echo SIGINT >"$BATS_TEST_TMPDIR/sv/web/down-signal"
  old sh -c "cd '$BATS_TEST_TMPDIR/sv' && exec s6-supervise web"
  seen "s6-svc -dx '$BATS_TEST_TMPDIR/sv/web'" web
  import s6 "$BATS_TEST_TMPDIR/sv/web"
  same_under_going 'PWD|OLDPWD|SHLVL|_' web
  rm "$D/web"
  wait_until "[ \"\$(grep -c '^256 2 web$' '$BATS_TEST_TMPDIR/finished')\" = 2 ]"
}

@test "as under supervisord" {
  needs_root
  command -v supervisord >/dev/null || skip 'wants supervisor'
  recorder
  cat >"$BATS_TEST_TMPDIR/supervisord.conf" <<END
[supervisord]
logfile=/dev/null
logfile_maxbytes=0
pidfile=$BATS_TEST_TMPDIR/supervisord.pid
childlogdir=$BATS_TEST_TMPDIR
environment=SHARED="for all"
[program:web]
command=$REC web "a  b" 'c"d' e\\\\ f %(program_name)s 100%% ; and no more
  %(here)s
directory=/usr
user=nobody
environment=LANG="C.UTF-8",LIST='a,b',
  URL=http://x/y,EMPTY="",ITS="it's"
umask=027
redirect_stderr=true
stdout_logfile=$BATS_TEST_TMPDIR/web.log
[program:many]
command=$REC many%(process_num)02d %(ENV_SHARED)s
process_name=%(program_name)s_%(process_num)02d
numprocs=2
stdout_logfile=NONE
stderr_logfile=NONE
END
  old supervisord -n -c "$BATS_TEST_TMPDIR/supervisord.conf"
  seen 'kill $OLD' web many00 many01
  import supervisord "$BATS_TEST_TMPDIR/supervisord.conf"
  # it reads what they say from pipes, and writes the files itself
  NOT='|^fd'
  same_under_going 'SUPERVISOR_[A-Z_]*|HOME|USER|LOGNAME|SHELL|LC_CTYPE|PWD' web many00 many01
  wait_until "[ \"\$(grep -c 'words of web' '$BATS_TEST_TMPDIR/web.log')\" = 2 ]"
}

@test "as under OpenRC" {
  needs_root
  command -v openrc-run >/dev/null || skip 'wants openrc'
  recorder
  mkdir -p "$BATS_TEST_TMPDIR/init.d" "$BATS_TEST_TMPDIR/conf.d"
  cat >"$BATS_TEST_TMPDIR/init.d/one" <<END
#!/sbin/openrc-run
supervisor=supervise-daemon
command=$REC
command_args="one \\"a  b\\" \${ONE_OPTS:---none}"
directory=/usr
umask=027
END
  cat >"$BATS_TEST_TMPDIR/init.d/two" <<END
#!/sbin/openrc-run
command=$REC
command_args="two \${TWO_OPTS}"
command_background=yes
command_user=nobody:nogroup
pidfile=$BATS_TEST_TMPDIR/two.pid
start_stop_daemon_args="--nicelevel 5"
END
  echo "TWO_OPTS='-x \"y z\"'" >"$BATS_TEST_TMPDIR/conf.d/two"
  chmod 755 "$BATS_TEST_TMPDIR"/init.d/*
  # in a /run of its own, where OpenRC believes that it has booted
  old unshare --mount --pid --fork --kill-child=KILL --mount-proc sh -c "
    mount -t tmpfs none /run && cd /run && mkdir openrc && cd openrc &&
      mkdir options exclusive started starting stopping stopped inactive wasinactive failed \\
        hotplugged daemons scheduled init.d tmp && echo default >softlevel &&
      for name in one two; do '$BATS_TEST_TMPDIR'/init.d/\$name --nodeps start; done; sleep 1000"
  seen 'kill -KILL $OLD' one two
  import openrc "$BATS_TEST_TMPDIR/init.d/one" "$BATS_TEST_TMPDIR/init.d/two"
  same_under_going 'PATH|PWD|EINFO_[A-Z]*|RC_[A-Z_]*|SVCNAME|HOME|USER|LOGNAME|SHELL' one two
}

# systemd would have to be process 1, so what version 252 gave to these units is kept.
@test "as under systemd" {
  local name lines others
  needs_root
  needs_accounts
  recorder
  WRAP=(unshare --mount sh -c '[ ! -e /dev/log ] || mount --bind /dev/null "$(realpath /dev/log)"
    mount -t tmpfs none /run && exec "$@"' --)
  cp -r "$BATS_TEST_DIRNAME/import/measured/systemd/units" "$BATS_TEST_TMPDIR/units"
  cp -r "$BATS_TEST_DIRNAME/import/measured/systemd/seen" "$SEEN.old"
  cd "$BATS_TEST_TMPDIR/units"
  sed -i "s|@REC@|$REC|g; s|@HERE@|$PWD|g" ./* "$SEEN.old"/*
  chmod 777 . # a user touches a file there
  for name in "$SEEN.old"/*; do import systemd "${name##*/}.service"; done
  sed -i '/\.fifo$/d' "$D"/*
  rm "$D"/*-log
  going_start
  for name in "$SEEN.old"/*; do
    name=${name##*/}
    wait_until '[ -e "$SEEN/$name" ]'
    # not what depends on the machine, unless the unit sets it
    others='SHELL|PWD' # none for who cannot log in; a shell in between has a PWD
    case $name in
      # it is user=root:GROUP
      tmpl*) lines='Cap|Max|Limit|Groups' others="$others|HOME|USER|LOGNAME" ;;
      prepared) lines='Cap|Max (cpu|file|data|stack|resi|proc|addr|pend|msg|nice|real)|Limit' ;;
      rights | bound) lines='Max|Limit' ;;
      *) lines='Cap|Max|Limit' ;;
    esac
    NOT="|^(fd|$lines)"
    compare "$others" "$name"
  done
  [ -e 'touched by p' ]
  [ -e m1 ]
}
