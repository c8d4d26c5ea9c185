#!/usr/bin/python3
# What the model calls a step, read from a trace of the real program.
#
#     steps.py NAME <TRACE
#
# TRACE is from `strace -f`, of going and all its children; NAME is the service.
# Lines that begin with `*` are scenes, and are handed on. Calls that are no
# steps, on whatever else, are left out, and so is what a service does itself.
import re
import sys

name = re.escape(sys.argv[1])
steps = [
    # Step, who makes it (going, a child that has not executed), the call.
    ('lock', 'going', r'flock\(\d+, LOCK_EX\|LOCK_NB\) += 0'),
    ('read', 'going', rf'openat\(\d+, "{name}", O_RDONLY'),
    ('start', 'going', r'open(at)?\((AT_FDCWD, )?"/proc/\d+/task/\d+/stat"'),
    ('pidfd', 'going', r'pidfd_open\(\d+, 0\)'),
    ('watch', 'going', r'epoll_ctl\(\d+, EPOLL_CTL_ADD, {pidfd}, .* = 0'),
    ('unwatch', 'going', r'epoll_ctl\(\d+, EPOLL_CTL_DEL, {pidfd}, .* = 0'),
    ('clone', 'going', r'(clone|clone3|vfork)\('),
    ('setsid', 'child', r'setsid\('),
    ('write', 'both', r'write\(\d+, "state='),
    ('rename', 'both', rf'renameat2?\(\d+, "\.\.new", \d+, "{name}"'),
    ('exec', 'child', r'execve\(.* = 0'),
    ('exec again', 'going', r'execve\(.* = 0'),
    ('kill', 'going', r'kill\(-\d+, SIGKILL\)'),
    ('cont', 'going', r'kill\(-\d+, SIGCONT\)'),
    ('term', 'going', r'kill\(-\d+, SIGTERM\)'),
    ('look', 'going', r'waitid\(P_(PID|ALL), .*si_pid=\d+.*WNOWAIT'),
    ('reap', 'going', r'waitid\(P_PID, \d+, NULL, WNOHANG\|WEXITED, NULL\) = 0'),
    ('unlink', 'going', rf'unlinkat\(\d+, "{name}", 0\) += 0'),
]

role = {}  # of a process; who is not in here is a service, or new
pidfd = 'none'
begun = {}  # calls that others have come in between of
for line in sys.stdin:
    line = line.rstrip('\n')
    if line.startswith('*'):
        print(line)
        continue
    pid, _, call = line.partition(' ')
    call = call.strip()
    resumed = re.match(r'<\.\.\. \w+ resumed>,?\s*(.*)', call)
    if call.endswith('<unfinished ...>'):
        begun[pid] = call[: -len('<unfinished ...>')].strip()
        if not re.match(r'(clone|clone3|vfork)\(', begun[pid]):
            continue
    elif resumed:
        call = begun.pop(pid, '') + resumed[1]
        if re.match(r'(clone|clone3|vfork)\(', call):
            continue  # it was told when it began
    if pid not in role:  # the first is going, or one that was started anew
        first = re.match(r'execve\(', call)
        role[pid] = 'going' if first else 'child'
        if first:
            continue
    for step, who, pattern in steps:
        if who not in (role[pid], 'both') or role[pid] == 'service':
            continue
        if not re.match(pattern.replace('{pidfd}', pidfd), call):
            continue
        print(step)
        if step == 'pidfd':
            pidfd = call.rpartition('= ')[2].split()[0]
        if step == 'exec':
            role[pid] = 'service'
        break
