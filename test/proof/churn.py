#!/usr/bin/python3
"""Churns the two directories of a going, and going itself, at random.

    churn.py GOING DIRECTORY ROUNDS SEED

It is to be process 1 of a PID namespace, so that whatever a damaged state file
makes going forget ends with it. Fails if going ends when it was not asked to,
with anything but 0 when it was, or if in the end it does not run what it should.
"""
import os
import random
import shutil
import signal
import subprocess
import sys
import time

going, base, rounds, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
D, R, log = base + '/d', base + '/r', open(base + '/log', 'ab')
NAMES = ['s%d' % n for n in range(12)]
LIVES = ['sleep 1000', 'true', 'false', '/no/such', 'sh -c "kill -SEGV $$"',
         'sh -c "trap : TERM HUP; while :; do sleep 0.1; done"', 'sleep 0.2',
         'sh -c "sleep 1000 & sleep 1000 & wait"', 'sh -c "sleep 0.1; exit 3"',
         'sh -c "kill -STOP $$"', 'sh -c "setsid sleep 0.5 & exit 1"']
LINES = ['backoff=0', 'backoff=0.05 0.2', 'backoff=0 0', 'restart=never', 'restart=on-failure',
         'retries=2', 'critical=yes', 'stop=INT 0.1', 'stop=KILL', 'stop=TERM 0', 'env=A=b',
         'env=A=', 'user=root', 'user=0:0', 'user=nobody', 'cwd=/tmp', 'cwd=/no', 'stdin=/dev/zero',
         'stdout=/dev/null', 'stderr=/no/file', 'stop=HUP 0.3', '# a comment', '']
expected = set()  # goings whose end has been asked for: pid
status = {}       # how processes have ended: pid
alive = None


def reap():
    while True:
        try:
            pid, how = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        status[pid] = how
        if alive and pid == alive.pid and pid not in expected:
            sys.exit('going has ended by itself: wait status %#x, seed %d' % (how, seed))


def wait_until(what, condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            sys.exit('in vain: %s, seed %d' % (what, seed))
        time.sleep(0.02)
        reap()


def start():
    global alive
    alive = subprocess.Popen([going, '-d', D, '-r', R, '-w', base + '/dog'],
                             stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def end(number):
    expected.add(alive.pid)
    os.kill(alive.pid, number)
    wait_until('the end of going', lambda: alive.pid in status)
    if number == signal.SIGTERM and status[alive.pid] != 0:
        sys.exit('going has left with wait status %#x, seed %d' % (status[alive.pid], seed))


def ready():
    # Before it has blocked its signals, each of them ends a going without a word.
    wait_until('blocked signals', lambda: 'SigBlk:\tf' in open('/proc/%d/status' % alive.pid).read())
    return alive.pid


def good():
    lines = ['cmd=' + random.choice(LIVES)] + random.sample(LINES, random.randrange(4))
    random.shuffle(lines)
    return '\n'.join(lines).encode()


def garbage():
    kind = random.randrange(5)
    if kind == 0:
        return os.urandom(random.randrange(9000))
    if kind == 1:
        return random.choice([b'a\n', b'=\n', b'\n', b'cmd=a\n', b'env=a=\n', b'\0'])\
            * random.randrange(9000)
    data = bytearray(good())
    for _ in range(random.randrange(1, 6)):
        data[random.randrange(len(data))] = random.randrange(256)
    return bytes(data[:random.randrange(len(data) + 1)] if kind == 2 else data)


def opened(path, flags):  # nothing waits for the other end of a FIFO
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY, 0o644)


def write(path, data):
    with open(opened(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 'wb') as file:
        file.write(data)


def put_whole(path):
    write(D + '/.new', good())
    os.rename(D + '/.new', path)


def clear(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def chmod(path):
    if not os.path.islink(path):  # its target may be the machine's
        os.chmod(path, random.choice([0o644, 0o600, 0, 0o666, 0o755]))


def stray_link(path):
    clear(path)
    os.symlink(random.choice(['/no/where', base + '/elsewhere', path, '/proc/self/maps', '/dev/zero']),
               path)


def replaced(path, make):
    clear(path)
    make(path)


def damaged_record(_):
    facts = ['pid=%d' % random.choice([-1, 0, 1, 2, 4194303, 4194304, 1 << 32, random.getrandbits(40)]),
             'start=%d' % random.getrandbits(random.randrange(1, 50)),
             'starts=%d' % random.randrange(-5, 10 ** 9), 'exit=%d' % random.getrandbits(60),
             'signal=%d' % -random.getrandbits(60), 'file=%d' % random.getrandbits(62)]
    line = 'state=%s ' % random.choice(['up', 'stopping', 'done', 'failed', 'quarantined', '', 'xx'])
    data = (line + ' '.join(random.sample(facts, random.randrange(7)))).encode()
    path = R + random.choice(['/', '/', '/.']) + random.choice(NAMES + ['stranger'])
    random.choice([lambda: write(path, data), lambda: write(path, os.urandom(700)),
                   lambda: os.truncate(path, random.randrange(40)), lambda: stray_link(path),
                   lambda: replaced(path, os.mkdir), lambda: clear(path),
                   lambda: replaced(path, os.mkfifo)])()


def service_killed(_):
    with open(opened(R + '/' + random.choice(NAMES), os.O_RDONLY)) as file:
        for fact in file.read(4096).split():  # it may be a link to /dev/zero
            pid = int(fact[4:]) if fact.startswith('pid=') else 0
            if 1 < pid < 1 << 22 and pid != alive.pid:
                os.kill(pid, random.choice([signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM]))


def storm(_):
    ready()
    for _ in range(random.randrange(200)):
        os.kill(alive.pid, random.choice([signal.SIGHUP, signal.SIGCHLD, signal.SIGUSR1, signal.SIGHUP]))


def upgrade(_):
    os.kill(ready(), signal.SIGUSR2)


def killed(_):
    end(signal.SIGKILL)
    try:
        if random.random() < 0.5:
            damaged_record(_)
    finally:
        start()


def left(_):
    ready()
    end(signal.SIGTERM)
    start()


def directory_moved(_):
    os.rename(D, D + '.away')
    time.sleep(random.random() / 5)
    os.rename(D + '.away', D)


def runtime_moved(_):
    os.rename(R, R + '.away')
    time.sleep(random.random() / 5)
    while os.path.exists(R + '.away'):  # going may be about to write there
        try:
            clear(R)
            os.rename(R + '.away', R)
        except OSError:
            pass


def unsafe(_):
    os.chmod(R, random.choice([0o777, 0o755]))


WHAT = [(30, put_whole), (10, lambda p: write(p, good())), (8, lambda p: write(p, garbage())),
        (4, lambda p: os.truncate(p, random.randrange(60))), (8, clear), (6, os.utime),
        (4, chmod), (3, stray_link),
        (2, lambda p: replaced(p, os.mkfifo)), (2, lambda p: replaced(p, os.mkdir)),
        (5, lambda p: os.rename(p, D + '/' + random.choice(NAMES + ['s1.off', '.x']))),
        (2, lambda p: write(base + '/elsewhere', good())), (6, damaged_record), (10, service_killed),
        (5, storm), (2, upgrade), (3, killed), (6, left), (1, directory_moved), (1, runtime_moved),
        (1, unsafe)]

random.seed(seed)
os.umask(0o022)
os.makedirs(D)
write(base + '/dog', b'')
start()
for _ in range(rounds):
    what = random.choices([w for _, w in WHAT], [n for n, _ in WHAT])[0]
    try:
        what(D + '/' + random.choice(NAMES))
    except (OSError, ValueError):
        pass  # what was not there cannot be damaged
    time.sleep(random.choice([0, 0, 0.001, 0.01, 0.05, 0.15]))
    reap()

# In the end all is mended, and it must be as if nothing had been.
os.makedirs(R, exist_ok=True)
os.chmod(R, 0o755)
for name in os.listdir(D):
    clear(D + '/' + name)
for name in os.listdir(R):  # strangers, and what cannot be read
    if os.path.islink(R + '/' + name) or not os.path.isfile(R + '/' + name):
        clear(R + '/' + name)
for name in NAMES[:6]:
    write(D + '/' + name, b'cmd=sleep 1000\n')
left(None)


def is_up(name):
    try:
        return open(R + '/' + name, 'rb').read(13) == b'state=up pid='
    except OSError:
        return False


wait_until('all services up', lambda: all(is_up(name) for name in NAMES[:6]))
end(signal.SIGTERM)
rest = [name for name in os.listdir(R)  # what is no record belongs to somebody else
        if name in NAMES and open(R + '/' + name, 'rb').read(6) == b'state=']
if rest:
    sys.exit('left behind: %s, seed %d' % (rest, seed))
