#!/usr/bin/python3
"""Measures going beside a loop that does the least, and beside its peers.

    bench.py [--quick] [--only WORD,...] [--write [DIR]]

The words of --only are measures (latency cpu start memory idle file early) and
supervisors (limit going s6 ...). --quick takes seconds, for a look and for the
tests; its numbers are rough. --write makes docs/bench.md and its plots anew.
GOING names another binary than ./going.

All runs in a process namespace of its own, on a file system in memory of its
own, and so nothing is left over, however it ends. Every supervisor is a class
below; a new peer is one more of them.
"""
import argparse
import os
import random
import select
import shutil
import signal
import struct
import subprocess
import sys
import textwrap
import time

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
WORK = "/dev/shm"  # a tmpfs of our own is mounted there
STAMP, LIMIT = WORK + "/stamp", WORK + "/limit"
RECORD = struct.Struct("=IIQQ")  # what stamp.c writes
DEADLINE = 120  # seconds for anything; who needs more is left out

ENVIRON = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}

now = time.monotonic_ns


class Failed(Exception):
    """A supervisor did not do it: that is said, and the others go on."""

    def __init__(self, supervisor, why):
        super().__init__(why)
        self.supervisor = supervisor


# The supervisors: how each is set up, run and stopped, and what is special.


class Supervisor:
    rule = 0  # seconds that a service must be up to be restarted at once
    slow = False  # it polls for deaths: take fewer samples
    slow_file = False  # and for files
    needs = None  # its program
    package = None  # of Debian
    most = 10 ** 6  # services that it can do
    why = None  # no more of them

    def __init__(self, count, gentle=False):
        """`gentle`: as its own default has it for services that die early."""
        self.count, self.gentle = count, gentle
        self.dir = f"{WORK}/of-{self.name.replace(' ', '-')}"
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir + "/sv")
        os.mkdir(self.dir + "/scan")
        os.mkfifo(self.dir + "/sv/fifo")
        self.fifo = os.open(self.dir + "/sv/fifo", os.O_RDWR)
        self.poll = select.poll()
        self.poll.register(self.fifo, select.POLLIN)
        self.pid, self.cpu, self.since = {}, {}, {}
        for index in range(count):
            self.add(index)

    def stamps(self, count):
        """Waits for so many new instances; returns the last one's time."""
        deadline = now() + DEADLINE * 1e9
        while count:
            if not self.poll.poll(1000):
                gone = os.waitid(os.P_PID, self.root,
                                 os.WEXITED | os.WNOHANG | os.WNOWAIT)
                if gone or now() > deadline:
                    raise Failed(self, f"{count:,} of {self.count:,} services "
                                       "did not come up")
                continue
            data = os.read(self.fifo, RECORD.size * count)
            for index, pid, clock, cpu in RECORD.iter_unpack(data):
                self.pid[index], self.cpu[index] = pid, cpu
                self.since[index] = clock
                count -= 1
        return clock

    def spawn(self):
        os.utime(self.dir + "/scan", (1, 1))  # runsvdir waits if it is new
        null = os.open("/dev/null", os.O_RDWR)
        files = [(os.POSIX_SPAWN_DUP2, null, fd) for fd in range(3)]
        argv = self.command()
        argv[0] = shutil.which(argv[0])
        began = now()
        self.root = os.posix_spawn(argv[0], argv, ENVIRON, file_actions=files)
        os.close(null)
        return began

    def start(self):
        began = self.spawn()
        return self.stamps(self.count) - began

    def kill(self, index):
        """Returns when; the instance's successor sends a stamp."""
        age = now() - self.since[index]
        if age < self.rule * 1e9:
            time.sleep(self.rule - age / 1e9)
        began = now()
        os.kill(self.pid[index], signal.SIGKILL)
        return began

    def stop(self):
        """Its own way to stop everything. Who waits has no children then."""
        os.kill(self.root, signal.SIGTERM)

    def destroy(self):
        """Ends one that has failed; its supervisors first."""
        for pid in [*self.processes(), *self.pid.values()]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        os.close(self.fifo)

    def processes(self):
        """All of its processes: its descendants that are not services."""
        children, services = {}, set(self.pid.values())
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                stat = field(f"/proc/{pid}/stat")
            except OSError:
                continue  # it has just ended
            parent = int(stat.rsplit(")", 1)[1].split()[1])
            children.setdefault(parent, []).append(int(pid))
        found = [self.root]
        for pid in found:
            found += [c for c in children.get(pid, []) if c not in services]
        return found


class Vfork(Supervisor):
    name = "limit"
    how = "vfork"

    def add(self, index):
        pass

    def command(self):
        return [LIMIT, self.how, str(self.count),
                STAMP, self.dir + "/sv/fifo"]


class Fork(Vfork):
    name = "limit fork"
    how = "fork"


class Going(Supervisor):
    name = "going"
    needs = os.path.realpath(os.environ.get("GOING", TOP + "/going"))

    def add(self, index):
        new = f"{self.dir}/scan/.new"
        with open(new, "w") as file:
            file.write(f"cmd={STAMP} {self.dir}/sv/fifo {index}\n")
            if not self.gentle:
                file.write("backoff=0\n")
        began = now()
        os.rename(new, f"{self.dir}/scan/{index}")
        return began

    def command(self):
        return [self.needs, "-d", self.dir + "/scan", "-r", self.dir + "/run"]


class Tree(Supervisor):
    """A directory for each service, with a program `run`; a directory of links
    to those that are to run. `run` is the stamp itself: no shell, no launcher."""
    rule = 1.15  # they wait for a second between two starts

    def add(self, index, ready=None):
        os.mkdir(f"{self.dir}/sv/{index}")
        os.link(STAMP, f"{self.dir}/sv/{index}/run")
        if ready:  # its notification-fd: it makes those wait that are not ready
            with open(f"{self.dir}/sv/{index}/notification-fd", "w") as file:
                file.write(ready)
        began = now()
        os.symlink(f"../sv/{index}", f"{self.dir}/scan/{index}")
        return began


class S6(Tree):
    name, needs, package = "s6", "s6-svscan", "s6"

    def command(self):
        return ["s6-svscan", "-c", str(self.count + 100), self.dir + "/scan"]

    def add(self, index):
        began = super().add(index, ready="3\n")
        if index >= self.count:  # it looks only when told to
            subprocess.run(["s6-svscanctl", "-a", self.dir + "/scan"], check=True)
        return began


class Scanned(Tree):
    """They look for new links every few seconds, and have an array of them."""
    slow_file = True
    most, why = 1000, "has room for 1,000 services"  # compiled in


class Runit(Scanned):
    name, needs, package = "runit", "runsvdir", "runit"

    def command(self):
        return ["runsvdir", self.dir + "/scan"]

    def stop(self):
        os.kill(self.root, signal.SIGHUP)


class Daemontools(Scanned):
    name, needs, package = "daemontools", "svscan", "daemontools"

    def command(self):
        return ["svscan", self.dir + "/scan"]

    def stop(self):  # svscan would start again what has ended
        os.kill(self.root, signal.SIGKILL)
        os.chdir(self.dir + "/sv")
        subprocess.run(["svc", "-dx", *map(str, self.pid)], check=True)
        os.chdir("/")


class Busybox(Runit):
    """Debian's busybox is built without these two; others are not."""
    name, needs, package = "busybox", "busybox", None
    most = 10 ** 6

    @staticmethod
    def present():
        applets = subprocess.run(["busybox", "--list"], capture_output=True)
        return {b"runsv", b"runsvdir"} <= set(applets.stdout.split())

    def command(self):  # runsvdir looks for runsv on PATH
        for applet in "runsv", "runsvdir":
            os.symlink(shutil.which("busybox"), f"{self.dir}/{applet}")
        return ["env", f"PATH={self.dir}", f"{self.dir}/runsvdir",
                self.dir + "/scan"]


class Supervisord(Supervisor):
    name, needs, package = "supervisor", "supervisord", "supervisor"
    rule = 1.15
    slow = True
    most, why = 1000, "takes more than two minutes to start 10,000 services"

    def add(self, index):
        with open(f"{self.dir}/scan/{index}.conf", "w") as file:
            file.write(f"[program:{index}]\nautorestart=true\n"
                       f"command={STAMP} {self.dir}/sv/fifo {index}\n"
                       "redirect_stderr=true\nstdout_logfile=NONE\n")
            if not self.gentle:
                file.write("startsecs=0\n")
        began = now()
        if index >= self.count:
            subprocess.run(["supervisorctl", "-c", self.dir + "/conf", "update"],
                           check=True, stdout=subprocess.DEVNULL)
        return began

    def command(self):
        socket = self.dir + "/socket"
        with open(self.dir + "/conf", "w") as file:
            file.write(
                "[supervisord]\nnodaemon=true\nlogfile=/dev/null\n"
                "logfile_maxbytes=0\nloglevel=critical\n"
                f"pidfile={self.dir}/pid\nminfds={self.count * 3 + 500}\n"
                f"[unix_http_server]\nfile={socket}\n"
                f"[supervisorctl]\nserverurl=unix://{socket}\n"
                "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory="
                "supervisor.rpcinterface:make_main_rpcinterface\n"
                f"[include]\nfiles={self.dir}/scan/*.conf\n")
        return ["supervisord", "-c", self.dir + "/conf"]


ALL = [Vfork, Fork, Going, S6, Runit, Daemontools, Busybox, Supervisord]


# What the kernel counts.


def field(path, name=None):
    """The file's text; or the number behind NAME: in it."""
    with open(path) as file:
        text = file.read()
    if name is None:
        return text
    return int(text.split("\n" + name + ":")[1].split(None, 1)[0])


def cpu_of(pids):
    """Nanoseconds on a processor."""
    return sum(int(field(f"/proc/{pid}/schedstat").split()[0]) for pid in pids)


def switches_of(pids):
    return sum(field(f"/proc/{pid}/status", "voluntary_ctxt_switches") +
               field(f"/proc/{pid}/status", "nonvoluntary_ctxt_switches")
               for pid in pids)


def finish(running):
    """Stops all of them, and waits until we, process 1, have no child left."""
    for supervisor in running:
        supervisor.stop()
        os.close(supervisor.fifo)
    signal.alarm(DEADLINE)
    try:
        while True:
            os.wait()
    except ChildProcessError:
        signal.alarm(0)


# The measures. Each gets the running supervisors and the results, which are
# kept as RESULTS[measure, count][name] = [number, ...].


def spread(rounds, wanted, number):
    """Whether round NUMBER is one of WANTED that lie evenly in ROUNDS."""
    return number * wanted // rounds != (number + 1) * wanted // rounds


def latency(running, count, quick):
    """Kills one service after another, in turn with the other supervisors."""
    rounds = 20 if quick else 400
    for i in range(rounds):
        random.shuffle(running)
        for s in running:
            waits = s.slow or (s.rule and count < 100)  # for a second each time
            if waits and not spread(rounds, 2 if quick else 15, i):
                continue
            began = s.kill(i % count)
            note("latency", count, s, (s.stamps(1) - began) / 1e3)
            time.sleep(0.002)  # let it end what it does after the start


def cpu(running, count, quick):
    """Blocks of restarts, one after another; what does it cost?"""
    size = min(count, 5 if quick else 25)  # small: the machine has its moods
    pids = {s: s.processes() for s in running}
    for i in range(2 if quick else 40):
        random.shuffle(running)
        for s in running:
            if s.slow and i % 4:
                continue
            before = cpu_of(pids[s])
            indices = [(i * size + k) % count for k in range(size)]
            for index in indices:
                s.kill(index)
                if not s.slow:  # or each would take a second
                    s.stamps(1)
            if s.slow:
                s.stamps(size)
            time.sleep(0.01)
            child = sum(s.cpu[index] for index in indices)
            used = cpu_of(pids[s]) - before + child
            note("cpu", count, s, used / size / 1e3)  # ns each = ms per 1,000


def memory(running, count, quick):
    for s in running:
        pids = s.processes()
        note("processes", count, s, len(pids))
        for key, file in (("Pss", "smaps_rollup"), ("VmRSS", "status"),
                          ("VmPeak", "status")):
            total = sum(field(f"/proc/{pid}/{file}", key) for pid in pids)
            note(key, count, s, total)


def idle(running, count, quick):
    pids = {s: s.processes() for s in running}
    seconds = 1 if quick else 20
    time.sleep(1)  # whatever was going on ends
    before = {s: (switches_of(pids[s]), cpu_of(pids[s])) for s in running}
    time.sleep(seconds)
    for s in running:
        note("wake-ups", count, s, switches_of(pids[s]) - before[s][0])
        note("idle cpu", count, s, (cpu_of(pids[s]) - before[s][1]) / 1e6)


def file(running, count, quick):
    """From a new file, or link, to the first instruction."""
    quicker = [s for s in running if not s.slow_file]
    for i in range(2 if quick else 10):
        for s in quicker:
            if s.name.startswith("limit"):
                continue
            began = s.add(count + i)
            note("file", count, s, (s.stamps(1) - began) / 1e6)
    # These look every few seconds: all at once, or we would wait for ever.
    slower = [s for s in running if s.slow_file]
    for i in range(1 if quick else 5):
        time.sleep(random.random())
        began = {s: s.add(count + i) for s in slower}
        for s in slower:
            note("file", count, s, (s.stamps(1) - began[s]) / 1e6)


def early(chosen, quick):
    """Killed as soon as it runs, for the first time. As long as some of them
    wait, the next one can be looked at: the stamps say when it was."""
    for _ in range(1 if quick else 9):
        running = [kind(1, gentle=True) for kind in chosen]
        random.shuffle(running)
        began = {}
        for s in running[:]:
            attempt(running, s.start)
            if s in running:
                began[s] = now()
                os.kill(s.pid[0], signal.SIGKILL)
        for s in running[:]:
            attempt(running, lambda: note(
                "early", 1, s, (s.stamps(1) - began[s]) / 1e6))
        finish(running)


def start_stop(chosen, count, quick):
    rounds = 1 if quick else 15
    for i in range(rounds):
        for kind in random.sample(chosen, len(chosen)):
            if kind.rule and not spread(rounds, 5, i):
                continue  # it takes seconds
            s = kind(count)
            running = [s]
            attempt(running, lambda: note("start", count, s, s.start() / 1e6))
            time.sleep(max(s.rule, 0.3))
            began = now()
            finish(running)
            if running:
                note("stop", count, s, (now() - began) / 1e6)


MEASURES = {"latency", "cpu", "start", "memory", "idle", "file", "early"}
RESULTS, REASONS = {}, {}
LOAD = os.getloadavg()[0]  # of the machine, before we add to it


def note(measure, count, supervisor, number):
    RESULTS.setdefault((measure, count), {}).setdefault(
        supervisor.name, []).append(number)


def show(*words):
    print(*words, flush=True)


def attempt(running, measure, *arguments):
    """Who fails is said and ended, and takes no further part."""
    try:
        measure(*arguments)
    except Failed as why:
        name = why.supervisor.name
        show(f"{name}: {why}")
        REASONS.setdefault(name, str(why))
        why.supervisor.destroy()
        running.remove(why.supervisor)


def begin(kinds, count):
    """Starts one of each, all of them at once."""
    running = []
    for kind in kinds:
        if count > kind.most:
            REASONS[kind.name] = kind.why
            continue
        running.append(kind(count))
        attempt(running, running[-1].start)
    return running


def together(kinds, count, most):
    """Who runs at the same time. All; but of the largest number of services only
    going and its limit, since process numbers are not without end."""
    if count < most:
        return [kinds]
    pair = [kind for kind in kinds if kind in (Vfork, Going)]
    return [group for group in (pair, *([k] for k in kinds if k not in pair))
            if group]


def measure_all(chosen, wanted, counts, quick):
    few, many, most = counts[1:]
    plan = [(latency, counts), (memory, counts), (cpu, (few, many)),
            (idle, (few,)), (file, (few,))]
    plan = [(measure, when) for measure, when in plan if measure.__name__ in wanted]
    for count in counts if plan else ():
        for group in together(chosen, count, most):
            show(f"# {count:,} services:", *(kind.name for kind in group))
            running = begin(group, count)
            for measure, when in plan:
                if count in when:
                    attempt(running, measure, running, count, quick)
            finish(running)
    if "start" in wanted:
        show("# start and stop")
        start_stop(chosen, many, quick)
    if "early" in wanted:
        show("# early death")
        early(chosen, quick)


def quantile(numbers, share):
    return sorted(numbers)[min(int(len(numbers) * share), len(numbers) - 1)]


def median(measure, count, name):
    numbers = RESULTS.get((measure, count), {}).get(name)
    return quantile(numbers, 0.5) if numbers else None


ROWS = [  # title, measure, whether as a ratio to the limit, too
    ("restart latency, {} services, µs", "latency", True),
    ("CPU of 1,000 restarts, {} services, ms", "cpu", True),
    ("start of {}, ms", "start", True),
    ("stop of {}, ms", "stop", True),
    ("processes for {} services", "processes", False),
    ("PSS with {} services, kB", "Pss", False),
    ("RSS with {} services, kB", "VmRSS", False),
    ("VmPeak with {} services, kB", "VmPeak", False),
    ("wake-ups when idle, {} services", "wake-ups", False),
    ("CPU when idle, {} services, ms", "idle cpu", False),
    ("from a new file to its start, {} services, ms", "file", False),
    ("from an early death to the next start, ms", "early", False),
]


def digits(value):
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def markdown(lines):
    """A table of strings; the first line is the head."""
    widths = [max(map(len, column)) for column in zip(*lines)]
    rule = ["-" * w if not i else "-" * (w - 1) + ":"
            for i, w in enumerate(widths)]
    return "\n".join(
        "| " + " | ".join(cell.rjust(w) if i else cell.ljust(w) for i, (cell, w)
                          in enumerate(zip(line, widths))) + " |"
        for line in [lines[0], rule, *lines[1:]])


def table(names, counts):
    """Medians, and in brackets the ratio to the limit."""
    lines = [["", *names]]
    for title, measure, ratio in ROWS:
        for count in counts:
            if (measure, count) not in RESULTS:
                continue
            limit = median(measure, count, "limit")
            lines.append([title.format(f"{count:,}").replace("1 services",
                                                             "1 service")])
            for name in names:
                value = median(measure, count, name)
                cell = "-" if value is None else digits(value)
                if ratio and limit and value and name != "limit":
                    cell += f" ({digits(value / limit)})"
                lines[-1].append(cell)
    return markdown(lines)


def deciles(names, counts):
    """How far the latencies are apart."""
    lines = [["µs: 10 %, 50 %, 90 %", *names]]
    for count in counts:
        samples = RESULTS.get(("latency", count), {})
        lines.append([f"{count:,}", *(
            " ".join(digits(quantile(samples[name], q)) for q in (0.1, 0.5, 0.9))
            if name in samples else "-" for name in names)])
    return markdown(lines)


def goals(names, counts):
    """What going wants to reach; each with what it has reached."""
    few, many, most = counts[1:]
    lines = [["goal", "at most", "measured", "reached"]]

    def judge(title, bound, value, unit=""):
        if value is not None:
            lines.append([title, digits(bound) + unit, digits(value) + unit,
                          "yes" if value <= bound else
                          f"no, {digits(value - bound)}{unit} over"])

    def going(measure, count, other="limit"):
        """Going's median, as a ratio to another's."""
        mine, its = median(measure, count, "going"), median(measure, count, other)
        return mine / its if mine is not None and its else None

    for count, bound in (few, 1.10), (many, 1.15):
        what = f"restart latency, {count:,} services, to "
        judge(what + "the limit", bound, going("latency", count))
        peers = [name for name in names if name not in ("limit", "limit fork",
                 "going") and median("latency", count, name)]
        if peers and going("latency", count):
            best = min(peers, key=lambda name: median("latency", count, name))
            judge(what + f"the best peer, {best}", 1, going("latency", count, best))
    for count in few, many:
        judge(f"CPU of restarts, {count:,} services, to the limit", 1.20,
              going("cpu", count))
    judge(f"start of {many:,}, to the limit", 1.25, going("start", many))
    judge(f"stop of {many:,}, to the limit", 1.5, going("stop", many))
    judge(f"PSS with {many:,}", 450, median("Pss", many, "going"), " kB")
    judge(f"VmPeak with {many:,}", 700, median("VmPeak", many, "going"), " kB")
    judge(f"wake-ups when idle, {few:,} services", 0,
          median("wake-ups", few, "going"))
    at_most, at_few = (median("latency", n, "going") for n in (most, few))
    if at_most and at_few:
        judge(f"restart latency, {most:,} services, to that of {few:,}", 2,
              at_most / at_few)
    return markdown(lines)


# The page: the measures in a frame of prose, and two plots.


COLOURS = dict(zip((kind.name for kind in ALL), (
    "#888888", "#b8b8b8", "#d62728", "#3a87c8", "#2ca02c", "#ff7f0e", "#9467bd",
    "#17a2b8")))


def plot(path, title, unit, measure, names, counts, top):
    """An SVG without a background, legible on a light page and a dark one. What
    is above the top is not in it."""
    blocks, lines = [], []
    for name in names:
        points = [(n, median(measure, n, name)) for n in counts]
        points = [f"{n} {value}" for n, value in points if value and value < top]
        if points:
            lines.append(f"$d{len(lines)} using 1:2 with linespoints pt 7 ps 0.5 "
                         f"lw {4 if name == 'going' else 2} "
                         f"lc rgb '{COLOURS[name]}' title '{name}'")
            blocks.append(f"$d{len(blocks)} << E\n" + "\n".join(points) + "\nE\n")
    if not lines:
        return
    script = f"""set terminal svg size 720,400 font 'sans-serif,13' dynamic
set output '{path}'
set border 3 lc rgb '#808080'
set tics nomirror textcolor rgb '#808080'
set grid lc rgb '#808080' lw 0.3
set key outside textcolor rgb '#808080'
set title '{title}' textcolor rgb '#808080'
set xlabel 'services' textcolor rgb '#808080'
set ylabel '{unit}' textcolor rgb '#808080'
set logscale xy
set format y '%.0f'
set xrange [{counts[0] * 0.8}:{counts[-1] * 1.25}]
{"".join(blocks)}plot {", ".join(lines)}
"""
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


def machine():
    """Its kind, not its name."""
    info = field("/proc/cpuinfo")
    model = info.split("model name")[1].split(":")[1].split("\n")[0].strip() \
        if "model name" in info else os.uname().machine
    virtual = "a virtual machine" if " hypervisor" in info else "a machine"
    memory = field("/proc/meminfo").split()[1]
    release = ".".join(os.uname().release.split(".")[:2])
    return (f"They come from {virtual} with {os.cpu_count()} processors ({model}) "
            f"and {round(int(memory) / 2 ** 20)} GB of memory, on Linux {release}, "
            f"with a load of {LOAD:.1f} before.")


def versions(chosen):
    packages = [kind.package for kind in chosen if kind.package]
    if not packages or not shutil.which("dpkg-query"):
        return ""
    asked = subprocess.run(["dpkg-query", "-Wf", "${Package} ${Version}, ", *packages],
                           capture_output=True, text=True)
    return "The peers are those of Debian: " + asked.stdout[:-2] + "."


def write(where, chosen, counts):
    names = [kind.name for kind in chosen]
    os.makedirs(where, exist_ok=True)
    plot(where + "/bench-latency.svg", "restart latency", "µs", "latency",
         names, counts, 1e5)
    plot(where + "/bench-memory.svg", "memory of the supervisor (PSS)", "kB",
         "Pss", names, counts, 1e9)
    with open(HERE + "/bench.md") as file:
        page = file.read()
    for key, text in {
            "TABLE": table(names, counts), "GOALS": goals(names, counts),
            "DECILES": deciles(names, counts),
            "MACHINE": textwrap.fill(f"{machine()} {versions(chosen)}", 80,
                                     break_on_hyphens=False),
            "LEFT OUT": "\n".join(f"- {name}: {why}" for name, why in
                                  REASONS.items()) or "- nothing",
    }.items():
        page = page.replace("{" + key + "}", text)
    with open(where + "/bench.md", "w") as file:
        file.write(page)


def enclose():
    """Runs this again as process 1 of a namespace: whatever is left when it
    ends is killed by the kernel, and what it mounts is gone."""
    alone = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.geteuid():
        alone.append("--map-root-user")
    os.execvp(alone[0], alone + [sys.executable] + sys.argv + ["--inside"])


def prepare():
    """Mounts a fresh tmpfs, and builds the two programs there."""
    # Process 1 has no default actions.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    signal.signal(signal.SIGALRM, lambda *_: sys.exit("something does not end"))
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", WORK], check=True)
    compiler = shutil.which("musl-gcc") or "cc"
    for program in STAMP, LIMIT:
        subprocess.run([compiler, "-O2", "-static", "-Wl,-z,norelro",
                        "-Wl,-z,noseparate-code", "-o", program,
                        f"{HERE}/{os.path.basename(program)}.c"], check=True)


def is_there(kind):
    present = getattr(kind, "present", lambda: True)
    return not kind.needs or (shutil.which(kind.needs) and present())


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="", metavar="WORD,...")
    parser.add_argument("--write", nargs="?", const=TOP + "/docs", metavar="DIR")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    option = parser.parse_args()
    words = set(filter(None, option.only.split(",")))
    unknown = words - MEASURES - {kind.name for kind in ALL}
    if unknown:
        parser.error("unknown: " + ", ".join(unknown))
    if not option.inside:
        enclose()
    os.umask(0o022)  # going refuses files that a group may write to
    prepare()
    wanted = words & MEASURES or MEASURES
    names = words - MEASURES or {kind.name for kind in ALL}
    chosen = [k for k in ALL if k.name in names and is_there(k)]
    missing = [k for k in ALL if k.name in names and k not in chosen]
    REASONS.update({kind.name: "not on this machine" for kind in missing})
    if any(kind.package for kind in missing):
        show("`make bench-peers` installs the peers that are missing")
    counts = (1, 10, 50, 100) if option.quick else (1, 100, 1000, 10000)
    show(f"load {LOAD:.1f}" + "".join(
        f", {kind.name} is missing" for kind in missing))
    measure_all(chosen, wanted, counts, option.quick)
    names = [kind.name for kind in chosen]
    show("\n" + table(names, counts))
    if "latency" in wanted:
        show("\n" + deciles(names, counts))
    show("\n" + goals(names, counts))
    if option.write:
        write(os.path.abspath(option.write), chosen, counts)


main()
