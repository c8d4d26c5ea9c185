#!/usr/bin/python3
"""Lets the system calls of going fail, one at a time, and looks what happens.

A *part* is a time in the life of going: its start, a change of the directory,
its children's birth, a takeover, an upgrade (USR2), the stop. For each part
strace first tells which calls there are. Then each call fails

  * once: at its first, second, ... occurrence in that part;
  * for a while: from its first occurrence until strace is taken away.

Afterwards all services must be right, going must be alive and idle, hear of a
touched file, and stop everything with TERM. What it said, and what it took to
be right again, makes the table.

`faults.py --help` tells how to try a part, a call, or a single fault.
"""

import argparse
import ctypes
import json
import multiprocessing
import os
import re
import shutil
import signal
import sys
import tempfile
import time

# What the calls may answer, after their manual pages. Left out are errors that
# only a wrong argument causes. A call that is not here gets the last row.
ERRORS = {
    "access": "ENOENT",
    "brk": "ENOMEM",
    "chdir": "EACCES EIO ENOENT ENOMEM",
    "clock_nanosleep": "EINTR",
    "clone": "EAGAIN ENOMEM",
    "close_range": "ENOSYS ENOMEM",
    "connect": "ECONNREFUSED EAGAIN EACCES",
    "dup2": "EBUSY EMFILE",
    "epoll_create1": "EMFILE ENFILE ENOMEM",
    "epoll_ctl": "ENOMEM ENOSPC",
    "epoll_pwait": "EINTR",
    "execve": "ENOENT EACCES ENOMEM EIO",
    "fcntl": "EMFILE ENOLCK",
    "flock": "ENOLCK EINTR",
    "fstat": "EIO ENOMEM",
    "getdents64": "EIO ENOMEM",
    "inotify_add_watch": "ENOSPC ENOMEM EACCES",
    "inotify_init1": "EMFILE ENFILE ENOMEM",
    "ioctl": "ENOTTY EIO",
    "kill": "EPERM",
    "lseek": "ESPIPE",
    "madvise": "ENOMEM",
    "mkdir": "ENOSPC EROFS EACCES",
    "mmap": "ENOMEM",
    "mprotect": "ENOMEM",
    "mremap": "ENOMEM",
    "nanosleep": "EINTR",
    "open": "EMFILE ENFILE ENOMEM EIO EACCES",
    "pidfd_open": "EMFILE ENFILE ENOMEM",
    "poll": "ENOMEM EINTR",
    "prlimit64": "EPERM",
    "read": "EIO ENOMEM",
    "renameat": "ENOSPC EIO EROFS ENOMEM",
    "sendto": "EAGAIN ECONNREFUSED ENOBUFS EACCES",
    "setgid": "EPERM",
    "setgroups": "ENOMEM EPERM",
    "setuid": "EAGAIN EPERM",
    "signalfd4": "EMFILE ENFILE ENOMEM",
    "socket": "EMFILE ENFILE ENOBUFS ENOMEM",
    "stat": "ENOMEM EIO EACCES",
    "unlinkat": "EIO EROFS ENOMEM",
    "write": "ENOSPC EIO EAGAIN",
}
UNKNOWN = "ENOMEM EIO"
ALIAS = {
    "openat": "open", "newfstatat": "stat", "fstatat64": "stat",
    "readv": "read", "writev": "write", "pread64": "read", "fork": "clone",
    "epoll_wait": "epoll_pwait", "ppoll": "poll", "dup3": "dup2",
    "dup": "dup2", "rename": "renameat", "renameat2": "renameat",
    "mkdirat": "mkdir", "unlink": "unlinkat",
    "clone3": "clone", "lstat": "stat", "setresuid": "setuid",
    "setresgid": "setgid", "_llseek": "lseek",
}

# Calls that are let be, and why. The table says so, too.
SPARED = {
    "arch_prctl": "the C library's first step: it ends the program if it fails",
    "close": "Linux closes the descriptor whatever it answers",
    "exit_group": "it does not return",
    "getegid": "it cannot fail",
    "geteuid": "it cannot fail",
    "getgid": "it cannot fail",
    "getpgid": "it cannot fail for oneself",
    "getpgrp": "it cannot fail",
    "getpid": "it cannot fail",
    "getuid": "it cannot fail",
    "munmap": "it fails for wrong arguments only",
    "rt_sigaction": "it fails for wrong arguments only",
    "rt_sigprocmask": "it fails for wrong arguments only",
    "rt_sigreturn": "it does not return",
    "set_robust_list": "the C library's, without effect here",
    "rseq": "the C library's, without effect here",
    "setsid": "it cannot fail for a child that has just been born",
    "set_tid_address": "it cannot fail",
    "umask": "it cannot fail",
    "waitid": "going never waits there, and so no signal can end it",
}

# Where a call's failure must change the outcome: a file that cannot be opened
# for a reason that lies in the file, not in the machine, is refused until it is
# touched.
TOUCH = [("open", "EACCES"), ("stat", "EACCES")]

# What lies deep: state files and /proc are read after all service files.
DEEP = {"openat": 24, "read": 24}

# Nobody opens /dev/null a fourth time: if there is none when going begins, the
# standard input of the services is missing, too.
NO_STDIN = "the services that it starts have no standard input"

FIRST = 8
PARTS = ["start", "change", "birth", "takeover", "upgrade", "stop"]
WHILE = 1.3  # how long a fault lasts: longer than going waits to try again
SOON = 6.0  # by then all must be right again
CPU = 0.4  # seconds of processor time in a life, strace's part in it included
WAKEUPS = 100  # in a part; about ten are usual


def kind(call):
    return ALIAS.get(call, call)


def errors_of(call):
    return ERRORS.get(kind(call), UNKNOWN).split()


def text_of(path):
    try:
        with open(path, errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def stat_of(pid):
    """What proc(5) says behind the name: state first, start time the 20th."""
    fields = text_of(f"/proc/{pid}/stat").rpartition(") ")[2].split()
    return fields if fields and fields[0] not in "ZX" else None


class Fault(Exception):
    pass


class World:
    """Directories, services, and a going of their own."""

    WANTED = {  # service: its lines, and how it is in the end
        "crash": (["cmd=@ 1", "backoff=0.05", "retries=4"], "failed"),
        "deaf": (["cmd=@ deaf"], "up"),
        "done": (["cmd=@ 0", "restart=never"], "done"),
        "log": (["cmd=@", "stdin=FIFO"], "up"),
        "plain": (["cmd=@", "critical=yes"], "up"),
        "quiet": (["cmd=@ 1", "backoff=600 600"], "quarantined"),
        "user": (["cmd=@", "user=nobody", "cwd=ROOT", "env=A=B",
                  "stdout=ROOT/out", "stderr=ROOT/out"], "up"),
        "web": (["cmd=@", "stdout=FIFO", "stderr=FIFO"], "up"),
    }

    def __init__(self, options):
        self.options = options
        self.root = tempfile.mkdtemp(prefix="faults.")
        os.chmod(self.root, 0o755)
        self.d, self.r = self.root + "/d", self.root + "/r"
        self.log, self.dog = self.root + "/log", self.root + "/dog"
        self.trace = self.root + "/trace"
        os.mkdir(self.d, 0o755)
        os.mkfifo(self.root + "/fifo")
        open(self.log, "w").close()
        open(self.dog, "w").close()
        self.ended = {}  # pid: wait status
        self.going = self.strace = None
        self.wanted, self.least = {}, {}
        self.pids, self.patience = {}, SOON
        self.may_lack_stdin, self.notes = False, set()
        self.lines_seen = 0
        for name, (lines, _) in self.WANTED.items():
            self.service(name, lines)
        # Whoever loses its parent becomes ours, as it would become init's.
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)

    def service(self, name, lines, end=None):
        lock = f"{self.root}/lock.{name}"
        if not os.path.exists(lock):
            open(lock, "w").close()
            os.chmod(lock, 0o666)
        text = "\n".join(lines + ["stop=TERM 0.4"]) + "\n"
        if not any(line.startswith("backoff") for line in lines):
            text += "backoff=0.1 1\n"
        text = text.replace("@", f"{self.options.service} {lock}")
        text = text.replace("FIFO", self.root + "/fifo")
        text = text.replace("ROOT", self.root)
        with open(f"{self.d}/.{name}", "w") as file:
            file.write(text)
        os.chmod(f"{self.d}/.{name}", 0o644)
        os.rename(f"{self.d}/.{name}", f"{self.d}/{name}")
        self.wanted[name] = end or self.WANTED[name][1]

    # going and strace

    def spawn(self, words):
        append = os.O_WRONLY | os.O_APPEND
        pid = os.posix_spawnp(words[0], words, os.environ, file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, self.log, append, 0),
            (os.POSIX_SPAWN_OPEN, 2, self.log, append, 0),
        ])
        return pid

    def start(self, trace=()):
        words = [self.options.going, "-d", self.d, "-r", self.r, "-w", self.dog]
        if trace:
            words = ["strace", "-D", "-I2", "-o", self.trace, *trace, *words]
        self.going = self.spawn(words)

    def attach(self, trace):
        self.strace = self.spawn(
            ["strace", "-o", self.trace, *trace, "-p", str(self.going)])
        self.wait("strace to attach", self.tracer)

    def tracer(self):
        found = re.search(r"^TracerPid:\t([1-9]\d*)",
                          text_of(f"/proc/{self.going}/status"), re.M)
        return int(found[1]) if found else None

    def detach(self):
        # Asked nicely, strace leaves the calls whole; but it may wait for ever
        # for a parent that waits for its child to execute, and is killed then.
        pid = self.tracer() or self.strace
        self.strace = None
        for number in (signal.SIGTERM, signal.SIGKILL) if pid else ():
            try:
                os.kill(pid, number)
                self.wait("strace to end", lambda: not stat_of(pid), 1)
            except ProcessLookupError:
                pass
            except Fault:
                if number == signal.SIGKILL:
                    raise

    # looking

    def reap(self):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self.ended[pid] = status

    def wait(self, what, condition, seconds=SOON):
        end = time.monotonic() + seconds
        while True:
            self.reap()
            value = condition()
            if value:
                return value
            if time.monotonic() > end:
                raise Fault(f"in vain: {what}")
            time.sleep(0.01)

    def state(self, name):
        return dict(word.split("=", 1) for word in
                    text_of(f"{self.r}/{name}").split() if "=" in word)

    def processes(self):
        """Name of service: its processes, by their argument."""
        found, prefix = {}, self.root + "/lock."
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or not stat_of(entry):
                continue
            words = text_of(f"/proc/{entry}/cmdline").split("\0")
            if len(words) > 1 and words[1].startswith(prefix):
                found.setdefault(words[1][len(prefix):], []).append(int(entry))
        return found

    def outfit(self, name, pid):
        """What its file asks for, and the process has not got."""
        at = f"/proc/{pid}"
        fifo, mine = self.root + "/fifo", self.root + "/out"
        want = {
            "status": (65534 if name == "user" else 0,) * 2,
            "cwd": self.root if name == "user" else "/",
            "fd/0": fifo if name == "log" else "/dev/null",
            "fd/1": {"web": fifo, "user": mine}.get(name, self.log),
            "fd/2": {"web": fifo, "user": mine}.get(name, self.log),
        }
        has = {}
        for key in want:
            try:
                has[key] = os.readlink(f"{at}/{key}") if key != "status" else (
                    os.stat(at).st_uid, os.stat(at).st_gid)
            except OSError as error:
                has[key] = error.strerror
        lacks = [key for key in want if has[key] != want[key]]
        if self.may_lack_stdin and "fd/0" in lacks:
            lacks.remove("fd/0")
            self.notes.add(NO_STDIN)
        return [f"{name}: {key} is {has[key]}, not {want[key]}" for key in lacks]

    def marks(self, name):
        return text_of(f"{self.root}/lock.{name}")

    def wrong(self, scan=False):
        """What is not as it should be."""
        faults = []
        if not stat_of(self.going):
            status = self.ended.get(self.going)
            raise Fault(f"going has ended with wait status {status}")
        for name in os.listdir(self.r) if os.path.isdir(self.r) else []:
            if not name.startswith(".") and name not in self.wanted:
                faults.append(f"{name} has a state file")
        found = self.processes() if scan else {}
        for name, end in self.wanted.items():
            state = self.state(name)
            pid, start = state.get("pid"), state.get("start")
            if state.get("state") != end:
                faults.append(f"{name} is {state.get('state')}, not {end}")
            elif end == "up":
                fields = stat_of(pid)
                if not fields or fields[19] != start:
                    faults.append(f"{name}: pid={pid} is somebody else")
            elif pid or start:
                faults.append(f"{name} has pid={pid} start={start}")
            if scan:
                alive = found.pop(name, [])
                if alive != ([int(pid)] if end == "up" and pid else []):
                    faults.append(f"{name}: runs as {alive}, not as {pid}")
                elif alive:
                    faults += self.outfit(name, pid)
                if self.marks(name).count(".") < self.least.get(name, 1):
                    faults.append(f"{name} was not started")
                if int(state.get("starts", -1)) < self.marks(name).count("."):
                    faults.append(f"{name}: {state.get('starts')} starts, but "
                                  f"{self.marks(name)}")
        if scan and found:
            faults.append(f"not wanted, but run: {found}")
        return faults

    def twice(self):
        names = [n for n in self.wanted if "twice" in self.marks(n)]
        if names:
            raise Fault(f"ran twice at the same time: {' '.join(names)}")

    def settle(self, seconds=None):
        """Waits until nothing is wrong."""
        last = []

        def right():
            last[:] = self.wrong() or self.wrong(scan=True)
            return not last

        try:
            self.wait("", right, seconds or self.patience)
        except Fault as fault:
            raise Fault(str(fault) if not last else "; ".join(last))
        self.twice()

    def quiet(self):
        """Waits until a good start is over."""
        self.wait("going to start", lambda: os.path.isdir(self.r))
        self.settle()
        self.lines_seen = len(text_of(self.log).splitlines())
        self.pids = {name: self.state(name).get("pid") for name in self.wanted}

    def kept(self):
        """Who had no reason to be restarted goes on."""
        for name in set(self.wanted) & set(self.pids) - set(self.least):
            pid = self.pids[name]
            if pid and self.state(name).get("pid") != pid:
                raise Fault(f"{name} was restarted, for no reason")

    def said(self):
        return text_of(self.log).splitlines()[self.lines_seen:]

    def kill_service(self, name):
        self.again(name)
        os.kill(int(self.state(name)["pid"]), signal.SIGKILL)

    def touch(self, name):
        self.again(name)
        os.utime(f"{self.d}/{name}")

    def again(self, name, times=1):
        """It will have to be started once more, or so many times."""
        self.least[name] = self.marks(name).count(".") + times

    def cleanup(self):
        """Ends what is left. Only our own: they are marked, or our children."""
        self.detach()
        if self.going and stat_of(self.going):
            os.kill(self.going, signal.SIGKILL)
        for pids in self.processes().values():
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
        self.wait("the end", lambda: not self.processes())
        if not self.options.keep:
            shutil.rmtree(self.root)


# The parts: what is before, and what happens while a call fails.


def act_start(world, trace):
    world.start(trace)


def act_change(world, trace):
    world.attach(trace)
    world.service("new", ["cmd=@"], "up")
    world.touch("plain")
    os.rename(world.d + "/web", world.d + "/web.off")
    del world.wanted["web"]
    with open(world.d + "/user", "a") as file:
        file.write("no such key\n")
    world.kill_service("log")


def act_birth(world, trace):
    world.attach(["-f", *trace])
    for name in "log", "plain", "user", "web":
        world.kill_service(name)


def act_takeover(world, trace):
    os.kill(world.going, signal.SIGKILL)
    world.wait("going to die", lambda: world.going in world.ended)
    os.remove(world.d + "/web")
    del world.wanted["web"]
    world.touch("plain")
    world.kill_service("log")
    world.reap()
    world.start(trace)


def act_upgrade(world, trace):
    world.attach(trace)
    if not any("inject=execve:" in word for word in trace):
        world.again("quiet", 2)  # quarantine begins anew, and tells us so
    os.kill(world.going, signal.SIGUSR2)


def act_stop(world, trace):
    world.attach(trace)
    os.kill(world.going, signal.SIGTERM)


ACT = {name[4:]: act for name, act in globals().items()
       if name.startswith("act_")}


def end_of(world, faulty):
    """TERM: all is stopped, and going exits with 0. What a fault in the last
    moment leaves behind, nobody can make up for: that is only noted."""
    try:
        world.wait("going to exit", lambda: world.going in world.ended)
    except Fault:
        raise Fault("TERM, but going does not exit")
    status = world.ended[world.going]
    if status:
        raise Fault(f"going has ended with wait status {status}")
    left = world.processes()
    if left:
        raise Fault(f"going has exited, but there run {left}")
    world.twice()
    files = [n for n in os.listdir(world.r) if not n.startswith(".")]
    if files:
        if not faulty:
            raise Fault(f"going has exited, but there are {files}")
        return ["a state file is left behind at the end"]
    if not text_of(world.dog).endswith("V"):
        if not faulty:
            raise Fault("the watchdog is not disarmed")
        return ["the watchdog is left armed at the end"]
    return []


# What going says, and what that means.
MEANS = [
    (r"cannot read its file|no memory", "a file is read a second later"),
    (r"cannot read /", "the directory is read a second later"),
    (r"cannot watch /", "the directory is looked at every second"),
    (r"cannot save its", "a state file is written a second later"),
    (r"cannot remove its", "a state file is removed a second later"),
    (r"cannot read its state|cannot watch its",
     "a service is taken over a second later"),
    (r"cannot fork", "a service is started a second later"),
    (r"cannot feed", "the watchdog is fed a second later"),
    (r"waiting for", "it begins to supervise a second later"),
    (r"cannot execute /\S+ again", "there is no upgrade, and it goes on"),
    (r"^\w+:\d+: ", "a file is refused until it is touched"),
    (r"cannot (execute|open|enter|become) |exited with 111",
     "a service exits with 111, and is started again"),
]


def meaning(line):
    """In words, what a line of the log means; None if it is no trouble."""
    if "no such key" in line:  # the bad file of a change
        return None
    for pattern, words in MEANS:
        if re.search(pattern, line):
            return words
    if re.search(r"taken over as|started as|after [\d.]+ s,", line):
        return None
    return f"it says `{line}`"


def run(job):
    """One fault. Returns job, hits, faults, what was said, notes, the log."""
    options, part, call, error, when = job
    lasting, touch = when.endswith("+"), (kind(call), error) in TOUCH
    notes, faults = [], []
    world = World(options)
    try:
        watch = f"{call},/^epoll_p?wait$"
        trace = ["-qq", "-a0", "-e", "signal=none", "-e", f"trace={watch}",
                 "-e", f"inject={call}:error={error}:when={when}"]
        world.may_lack_stdin = lasting and kind(call) == "open"
        if touch or kind(call) == "kill":
            world.patience = 10 + SOON  # KILL follows after 10 s
        if part != "start":
            world.start()
            world.quiet()
        if lasting and kind(call) == "read":
            # Files only: to read a signal or an event does not fail so.
            for path in ["/etc/passwd", "/etc/group"] + [
                    f"{at}/{name}" for name in world.WANTED
                    for at in (world.d, world.r)]:
                trace += ["-P", path]
        ACT[part](world, trace)
        begun = time.monotonic()
        if part == "stop":
            if lasting:
                world.wait("", lambda: world.going in world.ended or
                           time.monotonic() > begun + WHILE)
                world.detach()
            notes += end_of(world, True)
        else:
            if lasting or part == "birth":
                while time.monotonic() < begun + (WHILE if lasting else 0.5):
                    world.reap()
                    time.sleep(0.02)
                world.detach()
            mend(world, touch)
            world.detach()
            probe(world)
            os.kill(world.going, signal.SIGTERM)
            end_of(world, False)
        wakeups = len(re.findall(r"epoll_p?wait\(", text_of(world.trace)))
        if wakeups > WAKEUPS:
            faults.append(f"{wakeups} wake-ups")
    except Exception as fault:  # none may stop the others
        faults.append(f"{fault}" if isinstance(fault, Fault) else repr(fault))
    number = text_of(world.trace).count("(INJECTED)")
    log = text_of(world.log)
    said = sorted({meaning(line) for line in world.said()} - {None})
    try:
        world.cleanup()
    except Fault as fault:
        faults.append(str(fault))
    notes += sorted(world.notes)
    return job[1:], number, faults, said, notes, log


def mend(world, touch):
    """All must become right by itself, or, where that is so, by a touch."""
    try:
        world.settle(SOON / 2 if touch else world.patience)
        world.kept()
    except Fault:
        if not touch or not stat_of(world.going):
            raise
        for name in os.listdir(world.d):
            if name in world.wanted:
                world.touch(name)
        world.settle()


def probe(world):
    """Idle, and yet there: a touched file is seen, a death is heard of."""
    used = int(text_of(f"/proc/{world.going}/schedstat").split()[0]) / 1e9
    if used > CPU:
        raise Fault(f"{used:.2f} s of processor time")
    world.touch("plain")
    world.settle()
    world.kill_service("deaf")
    world.settle()


def census(options, part):
    """Which calls going, or in `birth` a child, makes in this part, and how
    often."""
    world = World(options)
    try:
        if part != "start":
            world.start()
            world.quiet()
        world.trace += ".f"
        ACT[part](world, ["-qq", "-e", "signal=none"] +
                  (["-f"] if part != "birth" else []))
        if part == "stop":
            end_of(world, False)
        else:
            world.settle()
            time.sleep(0.2)
        world.detach()
    finally:
        text = text_of(world.trace)
        going = world.going
        world.cleanup()
    calls, executed = {}, set()
    for pid, call in re.findall(r"^(\d+) +(\w+)\(", text, re.M):
        if (int(pid) == going) == (part == "birth") or pid in executed:
            continue
        if part == "birth" and call == "execve":
            executed.add(pid)  # what follows is the service's own business
        per = calls.setdefault(call, {})
        per[pid] = per.get(pid, 0) + 1
    if part in ("start", "takeover"):
        calls.pop("execve")  # strace's own
    return {call: max(per.values()) for call, per in calls.items()}


def plan(options, part):
    """The faults of a part, and the calls that there are."""
    calls = census(options, part)
    number, jobs = PARTS.index(part), []
    for call, count in sorted(calls.items()):
        if call in SPARED or (options.calls and call not in options.calls):
            continue
        errors = errors_of(call)
        first = DEEP.get(call, 0) if options.first == FIRST else 0
        for n in range(1, min(count, max(first, options.first)) + 1):
            # The errors by turns, beginning with another one in each part.
            turn = errors[(n + number) % len(errors)]
            for error in errors if options.all else [turn]:
                jobs.append((options, part, call, error, str(n)))
        for error in errors if options.all else [errors[number % len(errors)]]:
            if error != "EINTR":  # it never lasts: all signals are blocked
                jobs.append((options, part, call, error, "1+"))
    return jobs, calls


def inject(options, jobs):
    """Does it, and tells what went wrong at once. The results, by call."""
    results = {}
    with multiprocessing.Pool(options.jobs, maxtasksperchild=1) as pool:
        for job, hit, faults, said, notes, log in pool.imap(run, jobs):
            part, call, error, when = job
            if options.verbose or faults:
                print(f"{part} {call} {error} when={when}: {hit} hits, "
                      f"{said + notes} {faults or ''}", flush=True)
            if faults:
                print(re.sub("^", "    ", log, flags=re.M), flush=True)
            who = "a child" if part == "birth" else "going"
            row = results.setdefault(f"{call},{who}", {"hits": 0})
            row["hits"] = max(row["hits"], int(when.strip("+")) if hit else 0)
            words = ["**it fails**"] if faults else said + notes
            row.setdefault("words", []).extend(words)
            row["faults"] = row.get("faults", 0) + len(faults)
    return results


HEAD = """# When the system fails it

`going` lives on system calls, and any of them may fail: memory is short, a disk
is full, a table has no room. What happens then is not argued here but tried:
`test/proof/faults.bats` lets every call that `going` makes fail, in every part
of its life: its start, a change of the directory, the birth of a service, a
takeover after a KILL, an upgrade by USR2, the stop. Each call fails once, at
its first occurrence, its second, and so on; and then for a while, until it is
mended. The errors are those of the call's manual page, by turns.

Afterwards, every time: each service that is wanted runs, once, and never ran
twice; the state files name its process; `going` neither has ended nor is busy;
it sees a touched file, hears of a death, and TERM stops everything. The table
says what can be seen of the fault meanwhile.

| call | made by | errors | occurrences | what happens then |
|------|---------|--------|-------------|-------------------|
"""

TAIL = """
These calls are let be:

| call | because |
|------|---------|
"""


def table(directory):
    """The page, from the results of all parts."""
    rows, calls = {}, set()
    for part in PARTS:
        with open(f"{directory}/{part}.json") as file:
            result = json.load(file)
        calls.update(result["calls"])
        for key, row in result["rows"].items():
            into = rows.setdefault(key, {"hits": 0, "words": []})
            into["hits"] = max(into["hits"], row["hits"])
            into["words"] += row["words"]
    text = HEAD
    for key, row in sorted(rows.items()):
        call, who = key.split(",")
        words = "; ".join(sorted(set(row["words"]))) or "nothing to be seen"
        count = {0: "none", 1: "the first"}.get(
            row["hits"], f"the first {row['hits']}")
        text += (f"| `{call}` | {who} | {', '.join(errors_of(call))} "
                 f"| {count} | {words} |\n")
    text += TAIL
    for call in sorted(calls & set(SPARED)):
        text += f"| `{call}` | {SPARED[call]} |\n"
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--going", help="the program to try")
    parser.add_argument("--service", help="faults.c, compiled")
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--calls", default="", help="these calls only")
    parser.add_argument("--first", type=int, default=FIRST,
                        help="occurrences that fail")
    parser.add_argument("--all", action="store_true",
                        help="all errors at every occurrence")
    parser.add_argument("--one", nargs=4, help="PART CALL ERROR WHEN: only that",
                        metavar=("PART", "CALL", "ERROR", "WHEN"))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--results", help="keep the results in this directory")
    parser.add_argument("--table", help="print the page from these results")
    parser.add_argument("--keep", action="store_true",
                        help="keep the worlds, in TMPDIR")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    if options.table:
        print(table(options.table), end="")
        return 0
    options.going = os.path.realpath(options.going)
    options.service = os.path.realpath(options.service)
    options.calls = options.calls.replace(",", " ").split()
    if options.one:
        rows = inject(options, [(options, *options.one)])
        return any(row["faults"] for row in rows.values())
    bad = 0
    for part in options.parts.split(","):
        began = time.monotonic()
        jobs, calls = plan(options, part)
        rows = inject(options, jobs)
        faults = sum(row["faults"] for row in rows.values())
        unknown = [c for c in calls if c not in SPARED and kind(c) not in ERRORS]
        print(f"{part}: {len(jobs)} faults, {faults} of them do harm, in "
              f"{time.monotonic() - began:.0f} s")
        if unknown:
            print(f"not in the table of errors: {' '.join(unknown)}")
        if options.results:
            os.makedirs(options.results, exist_ok=True)
            with open(f"{options.results}/{part}.json", "w") as file:
                json.dump({"calls": calls, "rows": rows}, file, indent=1)
        bad += faults + len(unknown)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
