# What the tests of the cookbook have in common. Each recipe is put into a machine as it stands;
# the tools in docs/tools are there already, as `make install-tools` would put them.

load helper
load machine

teardown() { machine_stop; }

kitchen() { # [INITTAB LINE...]
  machine_start "$@"
  mkdir -p "$ROOT/usr/local/share"
  rm -rf "$ROOT/usr/local/share/going"
  cp -R "$BATS_TEST_DIRNAME/../docs/tools" "$ROOT/usr/local/share/going"
  on sh -c 'ln -sf /usr/local/share/going/* /usr/local/sbin/'
}

# A machine with the recipe of the test's own name in it. Its first FIRST commands are run.
cook() { # [FIRST]
  kitchen
  recipe "$BATS_TEST_DESCRIPTION" "${1:-0}"
}

# A machine whose init has nothing to do with going, as far as it knows.
bare() { kitchen ::once:true; }
going_pid() { on pgrep -ox going; }

# A page has the patience of a machine that runs for years, a test has not. Before the recipe is
# cooked, this changes a number in it. It must be there.
hurry() { # SED EXPRESSION
  sed "$1" "$COOKBOOK" >"$BATS_TEST_TMPDIR/new.md"
  not cmp -s "$COOKBOOK" "$BATS_TEST_TMPDIR/new.md"
  COOKBOOK=$BATS_TEST_TMPDIR/cookbook.md
  mv "$BATS_TEST_TMPDIR/new.md" "$COOKBOOK"
}

# Something must not happen: so it is watched for a while.
stays() { # SHELL CONDITION
  local end=$((${EPOCHREALTIME/./} + 1200000))
  while [ "${EPOCHREALTIME/./}" -lt "$end" ]; do
    eval "$1" || { echo "no longer: $1" >&2 && return 1; }
    sleep 0.05
  done
}

# What /proc knows of a service, sooner or later.
assert_proc() { # NAME FILE REGEX
  wait_until "grep -Eq -e '$3' \$ROOT/proc/\$(pid_of $1)/$2"
}

assert_env() { # NAME VARIABLE=VALUE
  wait_until "tr '\\0' '\n' <\$ROOT/proc/\$(pid_of $1)/environ | grep -qx '$2'"
}

assert_file() { # FILE REGEX
  wait_until "grep -Eq -e '$2' '$ROOT$1'"
}

# A service is up before the tool on its way has executed the real command.
is_running() { # NAME WORD...
  wait_until "[ \"\$(tr '\\0' ' ' <\$ROOT/proc/\$(pid_of $1)/cmdline)\" = '${*:2} ' ]"
}

# shellcheck disable=SC2034 # the tests use it
httpd='busybox httpd -f -p 8080 -h /srv'

fetch() { on busybox wget -qO- "http://127.0.0.1:$1" 2>&1; }
asks() { on curl -s -o /dev/null -w '%{http_code}' http://localhost:8080/; }

# The web server says a line for each request.
# shellcheck disable=SC2120 # the tests name a path
speak() { # [PATH]
  wait_until "on busybox wget -qO- 'http://127.0.0.1:8080/$1' 2>&1 | grep -q -e 404 -e hello"
}

# What the loggers that rotate have in common: enough lines make an old file, old files are
# limited, and the last line is not lost when the logger is restarted.
rotates() { # DIRECTORY OLD-FILES TIME
  is_running web busybox httpd -f -v -p 8080 -h /srv
  is_up web-log
  speak
  assert_file "$1/current" "^$3 .*response:404"
  local before
  before=$(pid_of web-log)
  on touch /etc/going.d/web-log
  wait_until "[ '$before' != \"\$(pid_of web-log)\" ]"
  is_up web-log
  for _ in 1 2 3 4 5 6 7; do
    on sh -c 'yes "a line that is there again and again" | head -c 4096 >/run/web.fifo'
  done
  wait_until "[ \$(ls \$ROOT$1 | grep -c '^@') -eq $2 ]"
}

as_anna() { on su - anna -c "$1"; }
