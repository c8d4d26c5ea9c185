// # going
//
// ## 1 What going is
//
// A machine runs services: a web server, a database, a program that blinks a
// lamp. Services end when they should not. Somebody has to notice, start them
// again, but not too often, and never run one of them twice. That somebody is
// called a supervisor, and this file is one, whole. Init starts it and keeps it
// going; it keeps everything else going.
//
// You tell it what to run by putting files into one directory, and it tells you
// how they run by putting files into another. Besides these and a few signals
// there is no way in: no socket, no protocol, no client. How to use it is told
// in `going(1)`, what a service file may say in `going(5)`. Here we tell how it
// works, to a reader who knows C, and need not know more.
//
// A supervisor owes its services little, but without exceptions:
//
// * one that ends is started again, as its file says;
// * none ever runs twice;
// * whatever happens to the supervisor, nothing happens to them. It may be
//   killed, run out of memory, find a disk full or a directory gone: not one
//   service is stopped, lost or restarted because of that.
//
// The first of these is easy: start a program, wait for its end, start it
// again; three lines of shell will do. The other two are why there is a book.
//
// The shape that keeps these promises is a single loop with a single wait.
// Three kinds of news end the wait: a signal came, something happened in the
// directory, a process ended that is not our child. Or it was simply time. News
// is only written down, as facts. After that we go through all services,
// compare what *is* with what is *wanted*, and do the one thing that is due.
// Looking again is harmless, so a late, spurious or merged wake-up is, too.
//
// The chapters follow a life: how a service is written down (3 to 6), how it is
// born (7) and dies (8), how it gets a new supervisor (9), what becomes of it
// (10), and how we come to know of all that (11 to 15). Each chapter uses only
// what the ones before it have made, and so `main` is the last page.
//
// ## 2 What it stands on
//
// On Linux, a C library, and nothing else. A supervisor is a small thing that
// stands on a few large promises. The kernel makes them, and everything below
// leans on one of these:
//
// * *The end of a process is not forgotten before its parent has reaped it.* A
//   process that has ended stays as a *zombie*: a number and an exit status, no
//   more. The number belongs to nobody else until the parent has asked for the
//   status, which is called reaping (`wait(2)`), unless it ignores SIGCHLD.
// * *Children outlive their parents.* If a parent dies, its children go on, and
//   process 1, init, or the nearest subreaper becomes their parent (`wait(2)`
//   again, in its NOTES).
// * *A process stays itself through an exec.* `execve(2)` puts another program
//   into it; number, parent, session and start time remain. So a service may be
//   started through others, `chroot(8)` or `prlimit(1)`, which then execute it.
// * *A process group has a number.* `setsid(2)` makes a process the leader of a
//   group that has its number; its children belong to that group unless they
//   leave it. A signal to the negative number goes to all of them, the
//   grandchildren too (`kill(2)`).
// * *A blocked signal is kept.* It interrupts nothing, and can be read later
//   like a file (`signalfd(2)`). But there is only one of a kind: ten children
//   that end at once may leave a single SIGCHLD.
// * *A pid and a start time name one process*, for as long as the machine is
//   up. A pid alone does not, since numbers are used again (`proc(5)`).
// * *A pidfd is a process, not a number.* This descriptor becomes readable when
//   the process ends, also for those who are not its parent (`pidfd_open(2)`).
// * *A rename is atomic.* Who reads sees the old file or the new one
//   (`rename(2)`).
// * *A lock goes with its last holder.* A lock of `flock(2)` is shared by all
//   who have inherited the descriptor, and is gone when the last of them has
//   closed it or died, in whatever way. Who can open the file can take the
//   lock.
// * *An exec deletes timers.* A timer of `timer_create(2)` belongs to one
//   process, works even if that process is stopped, and is gone after a
//   successful `execve(2)`.
// * *A directory tells of its changes*, unless there are too many at a time
//   (`inotify(7)`). So what it tells is a reason to look, and nothing more.
// * *One wait is enough.* `ppoll(2)` waits for news on descriptors, or for a
//   deadline, to the nanosecond. One of them may be an `epoll(7)`, behind which
//   any number of others are, at no more cost for a thousand than for one.
// * *A lease tells of writers.* Who asks for a read lease on a file that
//   somebody has open for writing does not get it (`F_SETLEASE` in `fcntl(2)`).
//
// What the kernel does not promise is that there is enough: memory, processes,
// descriptors, room on a disk. Whatever can fail for such a reason will, on
// some machine, on some night, and is tried again.
//
// Taking over needs Linux 5.3 for `pidfd_open(2)`; a kernel before 5.9, which
// has no `close_range(2)`, lets through to the services whatever descriptors
// init has left open.

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <regex.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// A service file has 8 KiB at most. A word of a command takes a character and a
// blank, so no command has more than half as many words as bytes. As a setting,
// a line is as long as before, or, if it has no `=`, a byte longer than its two
// or more. So arrays of these sizes, or twice, cannot overflow, and need no
// check. A state file is much shorter than a LINE. What somebody else may have
// put there, a FIFO, a terminal, is opened in a SAFE way: it does not make us
// wait, does not become our terminal, and is not inherited.
//
// Times are seconds, as a `double`, in which a century still has room for
// microseconds. NEVER is later than any clock gets. A directory is looked at
// when it has been QUIET for so long, or after LATEST if it never is: an editor
// writes, renames and removes for a while, and what lies there in between is
// not meant for us. What failed for lack of resources is tried again after
// RETRY; a trouble that comes back sooner than after SAME is still the same
// one.
enum { FILE_MAX = 8192, LINE = 512, SAFE = O_NONBLOCK | O_NOCTTY | O_CLOEXEC };
static const double NEVER = 1e18, QUIET = 0.1, LATEST = 1, RETRY = 1, SAME = 3;

// The options by their letter; then the descriptors: the runtime directory and
// its lock, the epoll of those taken over, signals, the inotify, the watchdog,
// syslog, and standard error. One that is not open is -1; to close that, or to
// write to it, fails, and changes nothing but `errno`. Then four counts and
// flags: lines logged, requests to quit, whether a critical service has failed,
// whether the runtime directory is ours.
//
// Little else is allocated but the list of services and their texts, and
// nothing else that grows. (While a child has not executed, the environment of
// `environ(7)` is that of its service, see chapter 7.)
static const char* option[128] = {['d'] = "/etc/going.d", ['r'] = "/run/going"};
static int run = -1, lock_fd = -1, epoll_fd, signal_fd, inotify_fd = -1;
static int dog = -1, log_fd = -1, error_fd = 2, logged, quit, lost, ours;

// ## 3 A service
//
// This is the machine, all of it. Time, a file, the end of a process and a
// request to stop are all that move it:
//
// | state         | its process | what happens               | next          |
// |---------------|-------------|----------------------------|---------------|
// | `unknown`     | maybe       | its state file is read     | what it says  |
// | `up`          | runs        | it ends                    | `quarantined` |
// | `up`          | runs        | it ends; `restart` says no | `done`        |
// | `up`          | runs        | it ends; out of `retries`  | `failed`      |
// | `up`          | runs        | its file changes, or goes  | `stopping`    |
// | `up`          | runs        | TERM                       | `stopping`    |
// | `stopping`    | signalled   | time is up: it is killed   | `stopping`    |
// | `stopping`    | signalled   | it ends                    | `quarantined` |
// | `quarantined` | none        | its time has come          | `up`          |
// | `quarantined` | none        | its file changes           | `up`          |
// | `quarantined` | none        | its file was never good    | `failed`      |
// | `done`        | none        | its file changes           | `quarantined` |
// | `failed`      | none        | its file changes           | `quarantined` |
//
// A service that has no process and no file is forgotten, whatever its state.
//
// Quarantine is the backoff between two starts. Without it, a service that
// fails at once would keep a processor busy, and fill a disk with its
// complaints. To start "at once" is a quarantine that is over at once: a single
// way leads up.
//
// Nobody ever sees the state `unknown`, so it has no name. It is there because
// we may not be the first: see chapter 9.
enum state { UNKNOWN, UP, STOPPING, QUARANTINED, DONE, FAILED };
static char* states[] = {"", "up", "stopping", "quarantined", "done", "failed"};

// What the state file says of a service, besides its state, is a row of
// numbers: pid and start time of its process, how often it was started, how the
// last process ended, and the stamp (chapter 12) of the file it was started
// from. -1 means that there is nothing to say.
enum { PID, START, STARTS, EXIT, SIGNAL, STAMP, FACTS };
static char* facts[] = {"pid", "start", "starts", "exit", "signal", "file"};

// The invariants, true between any two steps:
//
// * `is[PID]` is greater than 1 if there is a process that has not been reaped,
//   and only states `up` and `stopping` have one (`unknown` may); else it is
//   not positive. This guarantees that no signal goes to everybody, which is
//   what `kill(2)` takes 0 and -1 for;
// * `text` holds the last good settings of its file, `seen` the stamp of the
//   file we looked at last, good or bad;
// * `pidfd` is a pidfd if the process was taken over (or -1), 0 if we have
//   started it;
// * the state file is right unless `dirty`.
//
// `wanted` says that it is to be there: it has a file, and we are not about to
// leave. `quick` counts the quick exits in a row, and something is to be done
// when it is `due`, unless it is done or has failed. Names that come together
// are in the list in their order. It is walked at every wake-up, and whoever is
// looked for is looked for in it: with a thousand services that is a few
// microseconds, less than the kernel needs to start one. The `list` itself is
// no service; the first one is its `next`.
static struct service {
  struct service* next;
  enum state state;
  int wanted, dirty, quick, pidfd;
  long long is[FACTS], seen;
  double wait, due;
  char *text, name[];
} list;

// ## 4 Time, and the log
//
// These times are kept: now, when a service is due next, when to look at the
// directory, since when the directory has been changing, when to feed the
// watchdog, and until when no more is said of each kind of trouble (NEWS, the
// first kind, is none).
enum kind { NEWS, LOCK, CHANGES, FILES, RECORD, SAVE, FORK, DEVICE, KINDS };
static double now, next, look_due, changed, feed_due, silent_until[KINDS];

// The seconds since boot, on a clock that nobody can set, and on which
// `proc(5)` dates the start of every process (`clock_gettime(2)`). The time of
// day jumps when somebody corrects it; a supervisor that used it would sleep
// through a night, or kill what has just been asked to end.
static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_BOOTTIME, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

// The first of two times.
static double first(double a, double b) { return a < b ? a : b; }

// Two kinds of things are said: news, and troubles that pass. A supervisor
// meets many of the latter: no memory, no descriptors, a full disk. It is
// always the same that must be done: say so once, and try again later. So there
// is one function for both. A trouble makes the loop come round again after
// RETRY, and whatever did not work is tried again then. If it still does not
// work, it comes here again, which is how we know that it is the same trouble,
// and say nothing. There are no timers for retries, and no flag per complaint,
// only a time per kind.
//
// A line goes to syslog, and to standard error if we are in the foreground of a
// terminal (`tcgetpgrp(3)`), or if syslog did not take it. Neither is ever
// waited for: both do not block (chapter 15). A line that does not fit is
// dropped, since a supervisor that hangs for its log is worse than none. That
// rules out `syslog(3)`, which waits. <29> is daemon.notice there. The socket
// is never connected, each line bears the address: so a syslogd that was
// restarted is found again. `%m` in a format is the text of `errno`.
//
// Returns false, so that whoever fails can say why and return in one statement.
static bool say(enum kind kind, const char* format, ...) {
  static const struct sockaddr log = {AF_UNIX, "/dev/log"};
  char line[1024] = "<29>going: ", *text = strchr(line, '\0');
  bool is_silent = kind != NEWS && (now = seconds()) < silent_until[kind];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof line - 20, format, arguments);
  va_end(arguments);
  silent_until[kind] = now + SAME;
  if (kind != NEWS) look_due = first(look_due, now + RETRY);
  if (is_silent) return false;
  logged++;
  bool heard = sendto(log_fd, line, strlen(line), 0, &log, sizeof log) > 0;
  if (!heard || tcgetpgrp(2) == getpgrp()) dprintf(error_fd, "%s\n", text);
  return false;
}

// ## 5 The service file
//
// A file is read whole, checked line by line, and kept as text. This chapter
// goes from its bytes to its settings; when a file is read, and what follows
// from that, is told in chapter 12.
//
// Reads a short file that is open, into a room of zeros, of which the last ends
// it as a string, and closes it. Returns the size read, at most `room` - 1, or
// -1 and `errno`, also that of an open(2) that has failed. A file that fills
// the room may go on behind it.
static ssize_t slurp(int fd, char* text, size_t room) {
  ssize_t size = fd < 0 ? -1 : read(fd, text, room - 1);
  if (fd >= 0) close(fd);
  return size;
}

// Settings are kept as text: `key=value`, a zero byte, and so on, and an empty
// string at the end. Whoever wants one looks for it by its name, and says what
// it is if it is missing. There is no structure to fill, and a value is
// converted where it is used. Files are short, so this is quicker than it
// looks. State files (chapter 6) are read in the same way. No text at all has
// no settings.
static const char* find(const char* text, const char* key, const char* none) {
  for (size_t n = strlen(key); text && *text; text += strlen(text) + 1)
    if (!strncmp(text, key, n) && text[n] == '=') return text + n + 1;
  return none;
}

// Splits a command at its blanks, into words in `to`, and puts these into a
// list that was full of NULL, and so ends with one, as `execvp(3)` wants it.
// Quotes keep blanks together, also inside a word; nothing else is special,
// nothing expanded or escaped. `quote` is the open quote, or 0. That every
// quote is closed was checked before.
static void split(const char* value, char* to, char** words) {
  for (char quote = '\0'; *(value += strspn(value, " \t")); *to++ = '\0') {
    *words++ = to;
    for (; *value && (quote || !strchr(" \t", *value)); value++) {
      bool is_quote = quote ? *value == quote : strchr("'\"", *value) != NULL;
      if (is_quote) quote = quote ? '\0' : *value;
      if (!is_quote) *to++ = *value;
    }
  }
}

// Looks up USER or USER:GROUP, by name, or by number if it begins with a digit,
// and tells whether they exist. If asked to, it sets the environment that goes
// with that identity, and then assumes it, groups first, since it may not do
// that any more afterwards (`setgid(2)`). Every step must succeed: a service
// that was to run as somebody must not run as root instead. The identity comes
// last, because memory is shared with a child (chapter 7): once it belongs to
// the user, the user may kill it, and that must not be in the middle of
// `setenv(3)`, which allocates. A variable that is there stays: it is from the
// service file. A number must have an entry, too, or there would be no home and
// no list of groups to go with it. In ASCII the letters of a name are behind
// the digits. Without a group, the group that is looked up is not used.
//
// `initgroups(3)` would not do: in some C libraries it takes 32 groups at most.
static bool become(const char* user, bool assume) {
  char name[512], *colon = strchrnul(user, ':'), *team = colon + !!*colon;
  snprintf(name, sizeof name, "%.*s", (int)(colon - user), user);
  int count = 1024;
  struct passwd* u = *name > '9' ? getpwnam(name) : getpwuid(atoi(name));
  struct group* g = *team > '9' ? getgrnam(team) : getgrgid(atoi(team));
  if (!u || (*colon && !g)) return false;
  gid_t groups[1024], gid = *colon ? g->gr_gid : u->pw_gid;
  if (!assume) return true;
  return !setenv("HOME", u->pw_dir, 0) && !setenv("SHELL", u->pw_shell, 0) &&
         !setenv("USER", u->pw_name, 0) && !setenv("LOGNAME", u->pw_name, 0) &&
         getgrouplist(u->pw_name, gid, groups, &count) >= 0 &&
         !setgroups(count, groups) && !setgid(gid) && !setuid(u->pw_uid);
}

// All that a service file may say. This is the grammar of `going(5)`, as one
// `regex(7)` for a line, without its blanks. Numbers of users and signals are
// short here, so that no conversion can overflow: 4294967296 must not be root,
// which is what it becomes in 32 bits.
static regex_t rules;
static const char grammar[] =
    "^(cmd=([^'\"]|'[^']*'|\"[^\"]*\")*|(cwd|std(in|out|err))=/.*|critical=yes|"
    "env=[^= \t]+=.*|retries=0*[1-9][0-9]*|restart=(always|on-failure|never|"
    "unless([ \t]+(1?[0-9]{1,2}|2[0-4][0-9]|25[0-5]))+)|user=([A-Za-z_][^: \t]*"
    "|[0-9]{1,9})(:([A-Za-z_][^: \t]*|[0-9]{1,9}))?|backoff=[0-9]*[.]?[0-9]+"
    "([ \t]+[0-9]*[.]?[0-9]+)?|stop=(SIG)?(HUP|INT|QUIT|ABRT|KILL|USR[12]|ALRM|"
    "TERM|CONT|WINCH|PWR)([ \t]+[0-9]*[.]?[0-9]+)?)$";

// The keys, each with what is said of a value that is not good. This text has
// the format of settings, and is read as such.
static const char wants[] =
    "cmd=cmd: quote not closed\0user=user: no such user\0env=env: no NAME=...\0"
    "cwd=cwd: not an absolute path\0stdin=stdin: not an absolute path\0"
    "stdout=stdout: not an absolute path\0stderr=stderr: not an absolute path\0"
    "restart=restart: not always, on-failure, never or unless CODE...\0"
    "backoff=backoff: not MIN [MAX]\0retries=retries: not 1 or more\0"
    "critical=critical: not yes\0stop=stop: not SIGNAL [SECONDS]\0";

// Drops the blanks around a word. A carriage return at its end is one, too.
static char* trim(char* word) {
  char* end = strchr(word, '\0');
  while (end > word && strchr(" \t\r", end[-1])) *--end = '\0';
  return word + strspn(word, " \t");
}

// Troubles of the machine, not of the file. They pass.
static bool is_transient(int e) {
  return e == EMFILE || e == ENFILE || e == ENOMEM || e == EIO || e == ETXTBSY;
}

// Reads all lines of a file, and says what is wrong, with its line. `strsep(3)`
// cuts at the first `=`, and leaves NULL where there was none. Every line is
// added to the settings, good or bad: one bad line is enough to refuse them
// all, but who mends a file wants to hear of every fault at once. Half a file
// is never used, because half a file may be the one without `user`. The mark
// that some editors put before the first line is none of its content.
//
// What the pattern cannot know is whether there is such a user, and which of
// two numbers is the smaller one. If an account cannot be looked up for want of
// something, `errno` says so. A line that was just added is a whole text, with
// an empty string at its end, in which only its own key is found.
//
// Returns the settings, for the caller to free. NULL means that something was
// wrong, or, with an `errno` that passes, that we could not find out. `before`
// is how many lines had been said when the file was opened.
static char* parse(const char* name, char* file, int before) {
  char text[2 * FILE_MAX], *to = strcpy(text, ""), *line;
  if (!strncmp(file, "\xef\xbb\xbf", 3)) file += 3;
  for (int number = 1; (line = strsep(&file, "\n")); number++) {
    const char *key = trim(strsep(&line, "=")), *what = NULL;
    const char* want = line ? find(wants, key, NULL) : NULL;
    if (*key == '#' || (*key == '\0' && !line)) continue;
    if (find(text, key, NULL) && strcmp(key, "env")) what = "given twice";
    if (!want) what = line ? "unknown key" : "no '='";
    const char* got = what ? key : trim(line);
    sprintf(to, "%s=%s%c", key, what ? "" : got, '\0');
    const char* user = find(to, "user", NULL);
    double min = 0, max = NEVER;
    sscanf(find(to, "backoff", ""), "%lf %lf", &min, &max);
    errno = 0;
    bool is_bad = regexec(&rules, to, 0, NULL, 0) || min > max;
    if (!is_bad && user) is_bad = !become(user, false);
    if (!what && is_bad) what = want;
    if (what && is_transient(errno)) return NULL;
    if (what) say(NEWS, "%s:%d: %s: %s", name, number, what, got);
    to += strlen(to) + 1;
  }
  if (!*find(text, "cmd", "")) say(NEWS, "%s:1: no cmd", name);
  char* copy = logged > before ? NULL : malloc(to - text + 1);
  return copy ? memcpy(copy, text, to - text + 1) : NULL;
}

// Who can write a service file can become root, and who can write into the
// runtime directory can have any process killed. So both may be written only by
// root and by the user we run as.
static bool is_trusted(const struct stat* st) {
  return !(st->st_mode & 022) && (!st->st_uid || st->st_uid == geteuid());
}

// ## 6 The state file
//
// All that we know of a service lies in the runtime directory too, in a line
// that a shell can read as well as we can. For the user it is the answer to
// "how is it?"; for us it is a will. Whatever a new supervisor is to know must
// be there before anything can happen to the old one.
//
// A pid and the time at which its process was started name one process. That
// time, in hundredths of a second, is the 22nd field of /proc/PID/stat
// (`proc(5)`); the second is a name that may hold blanks and brackets, so we
// count from the last bracket. 0 if it cannot be read; NEVER, which is the
// start time of none, if there is no such process (`kill(2)`). (We read that of
// its first task, which says the same: qemu's user emulation makes one up for a
// process that asks for its own. On Alpha the time is counted in other parts of
// a second, and nothing can be taken over.)
static long long start_of(pid_t pid) {
  char path[40], text[512] = "";
  snprintf(path, sizeof path, "/proc/%d/task/%d/stat", pid, pid);
  if (slurp(open(path, SAFE), text, sizeof text) < 0)
    return kill(pid, 0) && errno == ESRCH ? NEVER : 0;
  char* field = strrchr(text, ')');
  for (int i = 2; field && i < 22; i++) field = strchr(field + 1, ' ');
  return field ? atoll(field) : 0;
}

// Writes the state file. `rename(2)` puts all of it in the place of the old
// one, or nothing, and so short a line is written whole or not at all. It is
// not synced to a disk, for after a crash of the machine nothing that it says
// is true. Who claims that a process runs must know when it was started, or
// nobody could check it later.
//
// One name for what is not finished yet is enough, for we write one file at a
// time: a child writes while we stand still (chapter 7).
//
// While the directory is not ours, nothing is written there: others may own it,
// or have it in use. What could not be saved stays `dirty`, and is tried again.
static void save(struct service* s) {
  int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | SAFE;
  int fd = ours ? openat(run, "..new", flags, 0644) : -1;
  if (s->is[PID] > 0 && s->is[START] <= 0) s->is[START] = start_of(s->is[PID]);
  char line[LINE], *end = line + sprintf(line, "state=%s", states[s->state]);
  for (int i = 0; i < FACTS; i++)
    if (s->is[i] >= 0) end += sprintf(end, " %s=%lld", facts[i], s->is[i]);
  *end++ = '\n';
  s->dirty = fd < 0 || !s->is[START] || write(fd, line, end - line) < 0 ||
             renameat(run, "..new", run, s->name);
  if (s->dirty) say(SAVE, "%s: cannot save its state: %m", s->name);
  close(fd);
}

// ## 7 Birth
//
// Between `clone(2)` and `execve(2)` lies a short time in which a process is
// our child but not yet a service: it runs our code, and makes itself what the
// file asks for. Everything that a service inherits is decided here.
//
// Where a child got stuck, if it did, and with what.
static const char* volatile stuck, * volatile object;

// Opens the file of one of the three standard streams, if the settings name
// one. A FIFO is opened for both directions, so that neither end waits for the
// other, or reads an end of file when the other is restarted (`fifo(7)`): what
// a service says while its logger is being restarted stays in the FIFO, and is
// read by the next one. Whoever comes first makes a path that ends in `.fifo`.
// What exists is opened without O_CREAT, which the kernel may refuse for a file
// of somebody else in a directory such as /tmp (fs.protected_regular,
// `proc(5)`). Nothing else may make us wait either, such as a serial line that
// waits for a carrier, so the file does not block before it is open, and only
// then.
static bool redirect(int fd, const char* text) {
  static const char* keys[] = {"stdin", "stdout", "stderr"};
  struct stat st;
  int how = fd == 0 ? O_RDONLY : O_WRONLY | O_APPEND | O_CREAT;
  object = find(text, keys[fd], NULL);
  if (!object) return true;
  if (!fnmatch("*.fifo", object, 0) && mkfifo(object, 0600)) how &= ~O_CREAT;
  if (!stat(object, &st)) how = S_ISFIFO(st.st_mode) ? O_RDWR : how & ~O_CREAT;
  int file = open(object, how | SAFE, 0666);
  return file >= 0 && fcntl(file, F_SETFL, how) == 0 && dup2(file, fd) == fd;
}

// Turns a fresh child into its service. The order of the steps matters:
//
// * First it winds up a timer that kills it in 10 seconds, for we stand still
//   until it executes. Somebody may hold it up: its user, who stops it; a file
//   system that hangs; a lease on its command (`fcntl(2)`). KILL ends a stopped
//   process, too, and a successful exec deletes the timer (`timer_create(2)`).
// * Then it becomes the leader of a session and of a group, the name under
//   which it and its children can be signalled.
// * Then it saves its state. It has inherited the lock on the runtime
//   directory, and lets go of it only when it executes (`flock(2)`, O_CLOEXEC);
//   until then no other going gets in. So at whatever moment we may be killed,
//   there is no process that is not written down. If we did it instead, a KILL
//   between its birth and our line would leave a process that nobody knows, and
//   the next going would start a second one.
// * Then it closes the watchdog, which stays armed as long as anybody has it
//   open.
// * What makes the kernel spare us when memory is short (`oom_score_adj`,
//   `proc(5)`) is not for services.
// * Files are opened, the environment is set and the command is split as root.
//   The identity is assumed after all that: from then on the service's own user
//   may kill the child, or stop it, and it still shares our memory. So nothing
//   that allocates comes later, and nothing is written there but `errno`, and
//   where it got stuck.
// * Signals are let in last. None is ignored and none has a handler: that was
//   cleaned up once, at our own start, not in every child.
//
// `execvp(3)` looks for the command on the PATH of the new environment. There
// is no shell on the way. If anything fails, the step is returned, and `object`
// is what it was about, a path, a user or a word. Both are read by the parent,
// once the child has exited; `volatile`, for a compiler cannot know of that.
static const char* exec_service(struct service* s) {
  char copy[FILE_MAX], *words[FILE_MAX / 2 + 1] = {NULL};
  timer_t t = 0;
  timer_create(CLOCK_MONOTONIC, &(struct sigevent){.sigev_signo = SIGKILL}, &t);
  timer_settime(t, 0, &(struct itimerspec){.it_value = {10, 0}}, NULL);
  s->is[PID] = setsid();
  save(s);
  close(dog);
  dprintf(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC), "0");
  for (int fd = 0; fd < 3; fd++)
    if (!redirect(fd, s->text)) return "open";
  object = find(s->text, "cwd", "/");
  if (chdir(object) < 0) return "enter";
  clearenv();
  putenv("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  setenv("SERVICE", s->name, 1);
  for (char* line = s->text; *line; line += strlen(line) + 1)
    if (!strncmp(line, "env=", 4)) putenv(line + 4);
  split(find(s->text, "cmd", ""), copy, words);
  object = find(s->text, "user", NULL);
  if (object && !become(object, true)) return "become";
  sigprocmask(SIG_SETMASK, &(sigset_t){0}, NULL);
  object = words[0];
  execvp(object, words);
  return "execute";
}

// Enters a state, in which something is to be done when it is `due`. Every
// change of state begins here, and so none is left unsaved.
static void set_state(struct service* s, enum state state, double due) {
  s->state = state;
  s->due = due;
  s->dirty = true;
}

// A child lives in our own memory until it executes; all it has for itself is a
// stack. What it changes there is its own service's facts, `dirty`, `stuck` and
// `object`, what logging changes, and `environ`, which we do not use but for
// USR2, where it is set again. If it got stuck it exits with 111, as
// daemontools and s6 have it; the word that it could not execute is on its
// stack still.
static int child_main(void* s) { return (stuck = exec_service(s)) ? 111 : 0; }

// Gives birth, in the fastest way there is: we stand still until the child
// executes or exits. No memory is copied, and so none is needed. The price: a
// command on a network disk that hangs makes us wait for it. This is what
// `vfork(2)` does on most machines; but some C libraries make a fork of that,
// and so we say it in the words of `clone(2)`, to the kernel itself. On the
// child's stack lie a command and its words, 40 KiB at most; a C library may
// put the words there once more, and has room for its own.
//
// What the child knows, we know: its pid, its start time, whether it has saved
// its state. A birth may have taken seconds, and so the clock is read again: a
// child that was killed by its timer has lived for 10. If no child is to be
// had, all is as it was before, and it is tried again. (The count of starts is
// cut to what fits, because a broken record may hold anything. An emulator may
// make a fork even of this; then the child has memory of its own, and we say
// and save what we can without it.)
static void spawn(struct service* s) {
  static char room[12 * FILE_MAX], *stack = room + sizeof room;
  struct service before = *s;
  s->is[STARTS] = (s->is[STARTS] + 1ULL) % (1ULL << 63);
  s->is[STAMP] = s->seen;
  set_state(s, UP, NEVER);
  stuck = NULL;
  s->is[PID] = clone(child_main, stack, CLONE_VM | CLONE_VFORK | SIGCHLD, s);
  now = seconds();
  if (stuck) say(NEWS, "%s: cannot %s %s: %m", s->name, stuck, object);
  if (s->is[PID] < 0) say(FORK, "%s: cannot fork: %m", s->name);
  if (s->is[PID] < 0) *s = before;
  if (s->state == UP && !stuck)
    say(NEWS, "%s: started as %lld", s->name, s->is[PID]);
}

// ## 8 Death
//
// A service ends in one of three ways: by itself, because we have asked it to,
// or because it did not listen. In whichever way it ends, this chapter says
// how long the next start waits, which depends on how long it ran.
//
// Signals all of the group of a service. It has the number of its leader, the
// main process, which is our child, or was looked at when it was taken over; so
// the number is right, see the invariants. There is no check that anything was
// signalled: if the last process has just ended, we shall hear of that.
static void tell(struct service* s, int n) { kill(-s->is[PID], n); }

// Asks a process, and all of its group, to end, and gives it some time for
// that. `stop` says which signal, by its name, with or without SIG, and perhaps
// the seconds of grace, left alone if not given. The numbers are the
// compiler's, since those of MIPS are others (`signal(7)`); a name stands at
// five times the index of its number, and that it is there was checked before.
// A number is no name: `stop=30` is meant as seconds.
//
// One that has been asked already, by an earlier going, is not asked again,
// since many programs take a second signal for impatience. One that is stopped
// in the sense of `signal(7)` cannot hear that, so it is told to go on.
static void stop(struct service* s) {
  const int numbers[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGABRT, SIGKILL,  SIGUSR1,
                         SIGUSR2, SIGALRM, SIGTERM, SIGCONT, SIGWINCH, SIGPWR};
  char names[] = "HUP  INT  QUIT ABRT KILL USR1 USR2 ALRM TERM CONT WINCHPWR";
  char word[16];
  double grace = 10;
  sscanf(find(s->text, "stop", "TERM"), "%15s %lf", word, &grace);
  char* name = strstr(names, strncmp(word, "SIG", 3) ? word : word + 3);
  if (s->state == UP) tell(s, numbers[(name - names) / 5]);
  tell(s, SIGCONT);
  set_state(s, STOPPING, now + grace);
}

// The service has ended: tell how, and for how long it had been up, and decide
// what follows. An exit after at least MAX seconds is a good run,
// and clears the count. The first quick exit is answered at once, since most
// ends are accidents and a user is waiting; the second after MIN seconds, and
// from then on the time is doubled, up to MAX. One that we have stopped has not
// failed; whether it starts again is up to its file. If nobody knows when it
// was started, that was just now: better once too careful than a loop without
// end. `restart` names the exit codes after which it is done, by the word
// `unless`; `on-failure` is `unless 0`. What is logged says what comes next:
// "up" for a start at once. (The longest number has some 310 digits.)
//
// `seen` says that it was our child: how its main process ended is written down
// already, and what was left of its group has been dealt with (chapter 11). If
// not, it was taken over, somebody else has reaped it, and what is left of its
// group is killed here. If there is no process of that number now, the group,
// if there is one, is its own, because the kernel gives no number away that
// names a group. (If it ended while nobody looked, the number may have had a
// second life, whose first process has ended, too. That cannot be told apart.)
// If there is a process that was started at another time, it is none of our
// business.
//
// A pidfd does not tell of its end again. To close it would not be enough for
// that as long as anybody has a copy, and a child that was born a moment ago
// may still have one. But the epoll tells once (EPOLLONESHOT, `epoll_ctl(2)`),
// and of a child that we have reaped not at all.
static void ended(struct service* s, bool seen) {
  double min, max = 60, retries = atof(find(s->text, "retries", "1e18"));
  const char* policy = s->state == STOPPING ? "" : find(s->text, "restart", "");
  long long start = seen ? 0 : start_of(s->is[PID]);
  if (start && (start == s->is[START] || start == NEVER)) tell(s, SIGKILL);
  if (!seen) s->is[EXIT] = s->is[SIGNAL] = -1;
  if (s->pidfd) close(s->pidfd);
  s->pidfd = 0;
  double lasted = s->is[START] > 0 ? now - s->is[START] / 100.0 : 0;
  s->is[PID] = s->is[START] = -1;
  sscanf(find(s->text, "backoff", "1"), "%lf %lf", &min, &max);
  if (max < min) max = min;
  s->quick = s->state == UP && lasted < max ? s->quick + 1 : 0;
  s->wait = s->quick > 2 ? first(2 * s->wait, max) : min;
  set_state(s, QUARANTINED, s->quick > 1 ? now + s->wait : now);
  if (s->quick >= retries) s->state = FAILED;
  if (!strcmp(policy, "never")) s->state = DONE;
  if (!strcmp(policy, "on-failure")) policy = "unless 0";
  for (int code, n; sscanf(policy, "%*[^0-9]%d%n", &code, &n) == 1; policy += n)
    if (code == s->is[EXIT]) s->state = DONE;
  char what[40] = "ended unseen", then[LINE] = "up";
  if (s->is[EXIT] >= 0) sprintf(what, "exited with %lld", s->is[EXIT]);
  if (s->is[SIGNAL] > 0) sprintf(what, "killed by signal %lld", s->is[SIGNAL]);
  if (s->due > now) sprintf(then, "quarantined, next start in %.1f s", s->wait);
  if (s->state > QUARANTINED) strcpy(then, states[s->state]);
  if (!s->wanted) strcpy(then, "stopped");
  say(NEWS, "%s: %s after %.1f s, %s", s->name, what, lasted, then);
}

// Its file has changed to something good, or has been touched: begin anew, with
// these settings. The process, if there is one, is stopped as the old ones say,
// which is why this comes before the new ones are put in their place.
static void reset(struct service* s, char* text) {
  s->quick = 0;
  if (s->state == UP) stop(s);
  if (s->state > STOPPING) set_state(s, QUARANTINED, now);
  if (text != s->text) free(s->text);
  s->text = text;
}

// ## 9 A new supervisor
//
// If going dies, its services do not: they only get another parent, init. Init
// also starts the next going, which finds their state files. It cannot wait for
// somebody else's children, but a pidfd becomes readable when its process ends,
// and an epoll takes as many pidfds as there are (`pidfd_open(2)`, `epoll(7)`).
//
// So every service begins its life here, as unknown: to take over is not a mode
// that only runs on bad days, but the way in which everything starts. If it has
// no state file, it is simply to be started; a link is not ours, and counts as
// none. Another file that is no record is somebody else's, and not touched,
// unless it has the name of a service. If a process is written down, and runs,
// we watch it. If it does not run any more, or the number is somebody else's,
// it has ended, and nobody saw how. If none is written down, nobody is there
// either, and the state is the one that the file tells. (No number is as large
// as 2^22, `proc(5)`; a larger one might become 1, and then `kill(2)` would
// mean everybody.)
//
// The pidfd comes before the look at the start time: so it is the process that
// was looked at, even if the number changes hands meanwhile. If that cannot be
// found out, nothing is guessed: false, and we try again. A start time that
// cannot be read is no proof of death. To take a running service for a dead one
// would start a second one, and that can destroy more than any crash: two
// databases on the same files. And what was read once is not forgotten if the
// state file is gone when we try again. In the end we compare the stamps, for
// its file may have changed while nobody looked.
//
static bool adopt(struct service* s) {
  struct epoll_event event = {EPOLLIN | EPOLLONESHOT, {s}};
  char text[LINE + 2] = "";
  ssize_t size = slurp(openat(run, s->name, SAFE | O_NOFOLLOW), text, LINE);
  if (size < 0 && errno != ENOENT && errno != ELOOP)
    return say(RECORD, "%s: cannot read its state file: %m", s->name);
  if (!s->seen && strncmp(text, "state=", 6)) return false;
  for (char* c = text; (c = strpbrk(c, " \n")); c++) *c = '\0';
  for (int i = 0; i < FACTS && (size >= 0 || s->is[PID] <= 0); i++)
    s->is[i] = atoll(find(text, facts[i], i == STARTS ? "0" : "-1"));
  if (s->is[PID] < 2 || s->is[PID] >= 1 << 22) s->is[PID] = s->is[START] = -1;
  pid_t pid = s->is[PID];
  if (pid > 0 && s->pidfd <= 0) s->pidfd = syscall(SYS_pidfd_open, pid, 0);
  long long start = pid > 0 ? start_of(pid) : NEVER;
  bool gone = start && start != s->is[START];
  if (!gone && (!start || s->pidfd < 0 ||
                epoll_ctl(epoll_fd, EPOLL_CTL_ADD, s->pidfd, &event)))
    return say(RECORD, "%s: cannot watch its process: %m", s->name);
  set_state(s, *find(text, "state", "") == 'd' ? DONE : QUARANTINED, now);
  if (*find(text, "state", "") == 'f') s->state = FAILED;
  if (pid > 0) s->state = *find(text, "state", "") == 's' ? STOPPING : UP;
  if (pid > 0 && gone) ended(s, false);
  if (s->state == STOPPING) stop(s);
  if (!gone) say(NEWS, "%s: taken over as %d", s->name, pid);
  if (s->text && s->seen != s->is[STAMP]) reset(s, s->text);
  return true;
}

// ## 10 What becomes of it
//
// Wanted and actual state meet here. There is one function for all of it,
// called for every service at every wake-up.
//
// The table of chapter 3, as code: looks at one service and does what is due.
// What has changed is saved after that. A state that is about to be forgotten
// is not saved; nor is one that is unknown, unless its process is known, or a
// state file that could not be read yet would be overwritten.
//
// Nothing here depends on what it did the last time, but for the state itself,
// and so it can be called as often as you like.
//
// In the end a service that nobody wants and of which nothing runs is
// forgotten: true, and the next one is in its place. One that is still unknown
// when we leave goes on, and keeps its state file: it was never ours. A state
// file that cannot be removed would tell of a service that is not there, and so
// it is tried again, but does not keep us from leaving.
static bool reconcile(struct service** at) {
  struct service* s = *at;
  if (s->state == UNKNOWN && (s->seen || !s->wanted)) adopt(s);
  if (s->state == UP && !s->wanted) stop(s);
  if (s->state == STOPPING && (s->due <= now || quit > 1)) tell(s, SIGKILL);
  if (s->state == QUARANTINED && !s->text) set_state(s, FAILED, NEVER);
  if (s->state == QUARANTINED && s->due <= now && s->wanted) spawn(s);
  if (s->dirty && (s->is[PID] > 0 || (s->state && s->wanted))) save(s);
  if (s->wanted || (s->state ? s->is[PID] > 0 : !quit)) return false;
  if (s->state && ours && unlinkat(run, s->name, 0) && errno != ENOENT && !quit)
    return say(SAVE, "%s: cannot remove its state file: %m", s->name);
  *at = s->next;
  free(s->text);
  free(s);
  return true;
}

// ## 11 Signals, and the end of a child
//
// Signals are read like a file, in a place of our choosing, and so none of the
// trouble with handlers is here: nothing is interrupted, and nothing can be
// half done when one comes.
//
// Reaps a child that has ended, if there is one. First we only look (WNOWAIT,
// `waitid(2)`): as long as the zombie is there, its number is given to nobody,
// and so the number of its group, too (`getpgid(2)`), is what it was. Nothing
// is started here: the end is a fact, and what follows from it comes with the
// next look at all services.
//
// If it is the main process of a service, how it ended is written down, and if
// there is a pidfd, since it was ours before a USR2, the epoll need not tell of
// it, too. Unless we have asked for that, the service has ended, and what is
// left of its group is killed, or the next process would meet the old one's
// children, still holding its port. But a service that is being stopped has
// ended when its whole group has: behind a shell that waits for nobody may be a
// server that has something to finish. What a process leaves behind becomes our
// child, since we are a subreaper (`prctl(2)`), and so the kernel can tell when
// no child of ours is left in the group. Until then its number is given to
// nobody. Any other process is an orphan; to reap those is the duty of a
// subreaper, and of process 1 of a container.
//
// Ten ends may leave a single signal. So the child that a signal tells of is
// reaped at once, and at the end of the round we ask for any other, until there
// is none (chapter 14). For that the kernel walks through all living children,
// which takes long if there are thousands, and so it comes after the starts.
static bool reap(idtype_t type, id_t id) {
  siginfo_t info = {0};
  struct service* s = list.next;
  waitid(type, id, &info, WEXITED | WNOHANG | WNOWAIT);
  if (info.si_pid == 0) return false;
  pid_t group = getpgid(info.si_pid);
  while (s && s->is[PID] != group) s = s->next;
  bool is_main = s && info.si_pid == group, exited = info.si_code == CLD_EXITED;
  if (is_main && s->pidfd) epoll_ctl(epoll_fd, EPOLL_CTL_DEL, s->pidfd, NULL);
  if (is_main && s->state != STOPPING) tell(s, SIGKILL);
  if (is_main) s->is[EXIT] = exited ? info.si_status : -1;
  if (is_main) s->is[SIGNAL] = exited ? -1 : info.si_status;
  waitid(P_PID, info.si_pid, NULL, WEXITED | WNOHANG);
  bool is_over = is_main;
  if (s && s->state == STOPPING)
    is_over = waitid(P_PGID, group, NULL, WEXITED | WNOHANG | WNOWAIT) < 0;
  if (is_over) ended(s, true);
  return true;
}

// Reads a signal, if one is pending (`signalfd(2)`); the next one wakes us
// again. They come in the order of their numbers, which is just right: when
// init sends TERM to everybody, we know that we are to leave before we hear who
// died of it, and restart nobody. SIGCHLD tells who ended. HUP looks at the
// directory, and writes every state file anew, for somebody may have removed
// one.
//
// USR2 executes our own file again, with our own environment; the next going
// finds state files, as always, and reads the signals that we have not read,
// since those that are pending stay so (`execve(2)`). As long as state files
// cannot be saved, that would be to forget services, and start them again; so
// it is not done, nor when a look is due: we may have stood still, and not have
// tried to save them since. If it cannot be executed, we are still here.
//
// True if it was HUP; what that asks for is the work of the next chapter.
static bool read_signal(char** argv, char** envp) {
  struct signalfd_siginfo heard;
  if (read(signal_fd, &heard, sizeof heard) < 0) return false;
  if (heard.ssi_signo == SIGTERM || heard.ssi_signo == SIGINT) quit++;
  if (heard.ssi_signo == SIGCHLD && list.next) reap(P_PID, heard.ssi_pid);
  if (heard.ssi_signo != SIGUSR2 || quit) return heard.ssi_signo == SIGHUP;
  environ = envp;
  if (silent_until[SAVE] < now && look_due > now) execvp(argv[0], argv);
  return say(NEWS, "cannot execute %s again: %m", argv[0]);
}

// ## 12 Looking at the directory
//
// What is wanted stands in files, and somebody may be writing them just now.
// Three things make that safe: we wait until it is quiet, we never use a file
// that is not whole and good, and we know a file by its stamp.
//
// Looks at the file of a service. A file counts as changed when its content,
// the time at which it was last changed, its owner or its mode differs
// (`inode(7)`); its inode and the time of its last change of status do not
// count, because backups and container runtimes change them at will. All that
// counts is mixed into one number, its stamp: for every byte, what was before
// is multiplied by the 64-bit prime of Fowler, Noll and Vo; the last bit is
// dropped, which keeps it positive. The stamp of a file that cannot be read has
// its error in it. A file of which we could not read all is not used. What
// cannot be read for lack of resources, and was not found to be wrong, is tried
// again, and until then all is as it was. What is not a regular file is not
// even opened, for that may do things: rewind a tape, arm a watchdog. False if
// there is nothing good to be had.
//
// A file that somebody has open for writing is not whole yet, and is left alone
// until it is closed. A lease tells, which goes again when we close the file
// (`F_SETLEASE` in `fcntl(2)`), and the kernel's words for this are ETXTBSY, a
// text file that is busy. But a file system may have none, and a network
// file system may refuse them all in the same words. So what was not written
// for a minute is whole.
static bool load(struct service* s) {
  char path[4096], file[FILE_MAX + 2] = "", *text = NULL, *what = NULL;
  struct stat st = {0};
  snprintf(path, sizeof path, "%s/%s", option['d'], s->name);
  ssize_t size = stat(path, &st), before = logged;
  int fd = S_ISREG(st.st_mode) ? open(path, SAFE) : -1;
  bool is_busy = fd >= 0 && fcntl(fd, F_SETLEASE, F_RDLCK) && errno == EAGAIN;
  if (S_ISREG(st.st_mode)) size = slurp(fd, file, sizeof file);
  if (size >= 0) errno = size && size < first(st.st_size, FILE_MAX) ? EIO : 0;
  if (is_busy && llabs(time(NULL) - st.st_mtime) < 60) errno = ETXTBSY;
  unsigned long long sum = st.st_mtim.tv_sec * 1ULL << 30 | st.st_mtim.tv_nsec;
  for (ssize_t i = 0; i < size; i++) sum = sum * 1099511628211 + file[i];
  long long seen = (sum ^ st.st_mode ^ st.st_uid * 65537ULL ^ errno * 2) >> 1;
  if (seen == s->seen) return true;
  if (!is_trusted(&st)) what = "others may write to it";
  if (size > 0 && memchr(file, '\0', size)) what = "holds a NUL";
  if (size > FILE_MAX) what = "over 8 KiB";
  if (!S_ISREG(st.st_mode)) what = "not a regular file";
  if (errno) what = strerror(errno);
  if (!what) text = parse(s->name, file, before);
  if (!text && logged == before && is_transient(errno))
    return say(FILES, "%s: cannot read its file: %m", s->name);
  if (what) say(NEWS, "%s:1: %s", s->name, what);
  s->seen = seen;
  if (text) reset(s, text);
  return text != NULL;
}

// Reads a directory, makes a service of every new name, and calls for each one,
// in the order of the names. Names are letters, digits, `_`, `-` and `@`: what
// editors, package managers and sed leave behind has a dot, a tilde or a hash
// in it, and so has `web.off`. If the directory cannot be read, nothing
// changes: false. A lack of memory must not make a name disappear either, and
// so `fnmatch(3)`, which needs none, looks at them. An empty directory stops
// everything; one that is missing stops nothing, because a directory that is
// not there is not a wish.
//
// The runtime directory (no `call`) says who was there before.
static bool scan(const char* directory, bool (*call)(struct service*)) {
  struct dirent** names;
  struct service **at = &list.next, *s;
  int count = scandir(directory, &names, NULL, alphasort);
  if (count < 0) return say(CHANGES, "cannot read %s: %m", directory);
  for (s = list.next; s && call; s = s->next) s->wanted = false;
  for (int i = 0; i < count; free(names[i++])) {
    const char* name = names[i]->d_name;
    if (!fnmatch("*[!A-Za-z0-9_@-]*", name, 0)) continue;
    for (at = &list.next; *at && strcmp((*at)->name, name);) at = &(*at)->next;
    if (!*at) *at = calloc(1, sizeof **at + strlen(name) + 1);
    if (!*at) say(FILES, "%s: no memory", name);
    if (!*at) continue;
    strcpy((*at)->name, name);
    (*at)->wanted = true;
    if (call) call(*at);
  }
  free(names);
  return true;
}

// First of all the runtime directory must be ours: made if missing, safe, and
// locked. The lock is on a file in it that only root and our user can open: a
// lock on the directory, which all may read, could be taken by all, and would
// keep us out. Nothing is written into a directory that is not safe. While
// another going has the lock, we wait; there is no pid file that could be
// stale, for the lock goes with its holder. The state files tell what that one
// has left us; they are visited once, before the first look at the service
// files, so that a service whose file was removed meanwhile is known, and
// stopped. So are, as their files say, all services if TERM came before the
// first look. If another directory has its name, or none, the one that we have
// held is not ours any more, and the name is claimed again. Then, and if it is
// to be `anew`, as for HUP, every state file is written again.
//
// Then we watch the service directory, and only then look at it, so that
// nothing can slip through between the two (`inotify(7)`). To watch the same
// one again changes nothing, and another one of the same name is watched from
// now on. Our own reading is left out, or each look would cause the next. A
// look starts nothing: it only tells what is wanted. False if we could not
// look.
static bool rescan(bool anew) {
  const int kinds = IN_ALL_EVENTS & ~(IN_ACCESS | IN_OPEN | IN_CLOSE_NOWRITE);
  static struct stat held, st;
  if (stat(option['r'], &st) || st.st_ino != held.st_ino) ours = false;
  for (struct service* s = list.next; s; s = s->next) s->dirty |= anew || !ours;
  look_due = changed = NEVER;
  if (!ours) {
    close(run);
    mkdir(option['r'], 0755);
    run = open(option['r'], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int dir = !fstat(run, &held) && is_trusted(&held) ? run : -1;
    close(lock_fd);
    lock_fd = openat(dir, "..lock", O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    ours = !flock(lock_fd, LOCK_EX | LOCK_NB) && scan(option['r'], NULL);
  }
  if (!ours) return say(LOCK, "waiting for %s, in use or unsafe", option['r']);
  if (inotify_fd < 0) inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (inotify_add_watch(inotify_fd, option['d'], kinds) < 0)
    say(CHANGES, "cannot watch %s: %m", option['d']);
  return scan(option['d'], load);
}

// ## 13 The watchdog
//
// A hardware watchdog is a clock that restarts the machine unless somebody
// writes to it again and again. It is for the case that nothing in this file
// can help with: that the kernel hangs, or that we do. So it is fed here and
// nowhere else, by the loop that does all the work, and not by a thread that
// would live on while the rest hangs.
//
// Feeds it three times in the timeout that it reports (30 seconds if it reports
// none), and returns when to come back. `_IOR('W', 7, int)` is
// WDIOC_GETTIMEOUT; the headers of musl do not have it. To open it arms it; if
// it can be fed no more, it is opened again.
static double feed(void) {
  int period = 30;
  if (feed_due > now) return feed_due;
  if (dog < 0) dog = open(option['w'], O_WRONLY | O_CLOEXEC);
  if (dog >= 0 && ioctl(dog, _IOR('W', 7, int), &period)) period = 30;
  if (dog >= 0 && write(dog, "", 1) > 0) return feed_due = now + period / 3.0;
  say(DEVICE, "cannot feed %s: %m", option['w']);
  close(dog);
  dog = -1;
  return NEVER;
}

// ## 14 The loop
//
// Does it read a FIFO, as loggers do?
static bool is_logger(const struct service* s) {
  struct stat st;
  return !stat(find(s->text, "stdin", ""), &st) && S_ISFIFO(st.st_mode);
}

// This is the loop. From here on only TERM or INT ends the program. Wait until
// the next service is due, or news come; write down the news; look at the
// directory, if it is time to; bring every service to where it should be; feed.
// If nothing is due, the next round is in thirty years, and an idle machine is
// not woken (`ppoll(2)`).
//
// What signals did not tell of is reaped last, and then the next round follows
// at once. No child is reaped before the first look at the directories: until
// then nobody is known, and how somebody ended around USR2 would be lost. News
// of processes taken over come one at a time; the next is there when we wait
// again. Those who were started by us before USR2 are children, and reaped as
// such. Signals come first: one of them may be TERM. What happened in the
// directory is drained into memory that is free by then: a look will tell more
// than any event, and if the kernel had to drop some, nothing is lost. Each
// event puts off the look, but not for ever.
//
// A failed service that is critical stops the feeding. While we leave, that is
// not asked any more, since services are being forgotten. To bring a thousand
// services up may take longer than the watchdog's patience, and so it is fed
// between them, too; whether to feed is decided once a round.
//
// When we leave, nobody is wanted any more but the loggers, and they only as
// long as there is a process, `t`, that is none, so that its last words are
// logged. If we are told to leave once more, they are not either.
static void supervise(char** argv, char** envp) {
  while (!quit || list.next) {
    struct pollfd fds[] = {
        {signal_fd, POLLIN, 0}, {inotify_fd, POLLIN, 0}, {epoll_fd, POLLIN, 0}};
    struct epoll_event events[32] = {{0}};
    double rest = first(next, look_due) > now ? first(next, look_due) - now : 0;
    ppoll(fds, 3, &(struct timespec){rest, (rest - (time_t)rest) * 1e9}, NULL);
    now = seconds();
    bool is_hup = read_signal(argv, envp);
    if (fds[2].revents && !fds[0].revents) epoll_wait(epoll_fd, events, 1, 0);
    struct service* s = events->data.ptr;
    if (s && s->pidfd && !reap(P_PID, s->is[PID])) ended(s, false);
    while (read(inotify_fd, events, sizeof events) > 0)
      look_due = first(now + QUIET, (changed = first(changed, now)) + LATEST);
    if (is_hup || look_due <= now) rescan(is_hup);
    const struct service* t = quit == 1 ? list.next : NULL;
    while (t && (t->is[PID] <= 0 || is_logger(t))) t = t->next;
    for (s = list.next; s && quit; s = s->next)
      if (s->wanted) s->wanted = t && is_logger(s);
    bool failed = quit && lost;
    next = now + 1e9;
    for (struct service** at = &list.next; (s = *at);) {
      if (dog >= 0 && !lost) feed();
      if (reconcile(at)) continue;
      if (s->state == FAILED && find(s->text, "critical", NULL)) failed = true;
      if (s->due > now && s->state < DONE) next = first(next, s->due);
      at = &s->next;
    }
    lost = failed;
    if (option['w'] && (ours || dog >= 0) && !lost) next = first(next, feed());
    while ((ours || list.next) && reap(P_ALL, 0)) next = now;
  }
}

// ## 15 The beginning
//
// Before anything else, the options. `getopt(3)` answers a wrong one with `?`,
// which is then an option like any other. Then we clean up what we have
// inherited, so that our children need not: descriptors (0 to 2 are open, 0 is
// /dev/null, and there are no others), dispositions of signals, the mode of new
// files. The working directory stays, or relative options would mean something
// else after USR2.
//
// All signals are blocked, for good, and read from a descriptor instead; a
// crash ends us all the same, since the kernel lets through what a fault has
// caused. We are a subreaper, see chapter 11. Dispositions are reset by the
// system call itself (`sigaction(2)`), because the C libraries keep two or
// three signals for themselves, and `posix_spawn(3)` hands those on ignored.
// For the same reason every bit of the mask is set by hand: a `sigfillset(3)`
// leaves those signals out, and one of them would end us. A service that stops
// and continues itself is no news (SA_NOCLDSTOP).
//
// Standard error is opened anew, by its name in `proc(5)`, because to have it
// not block is a property of what was opened, which we share with others: our
// services, or a shell. It appends, lest a file be overwritten. One that cannot
// be opened anew, such as a socket, or a terminal of another user, is used as
// it is, and then a reader that hangs can hold us up.
//
// Even here nothing gives up: a supervisor that exits because memory is short
// is started again by init, exits again, and is given up by it, and then
// nothing supervises. So it waits.
//
// In the end the watchdog is closed with a V, which disarms it, unless a
// critical service has failed. That was all. What keeps a machine going fits
// into one evening.
int main(int argc, char** argv, char** envp) {
  sigset_t all;
  for (int c; !option['?'] && (c = getopt(argc, argv, "d:r:w:thV")) != -1;)
    option[c] = optarg ? optarg : "";
  bool misused = option['?'] || optind < argc;
  if (misused || option['h'] || option['V'])
    dprintf(1 + misused, "going 1.0.0-rc2 [-t] [-d DIR] [-r DIR] [-w DEV]\n");
  if (misused || option['h'] || option['V']) return misused ? 64 : 0;
  while (regcomp(&rules, grammar, REG_EXTENDED | REG_NOSUB)) sleep(1);
  if (option['t']) return !scan(option['d'], load) || logged;
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  umask(022);
  close(0);
  for (int i = 0; i < 3; i++) (void)!open("/dev/null", O_RDWR);
  syscall(SYS_close_range, 3, ~0U, 0);
  error_fd = open("/proc/self/fd/2", O_WRONLY | O_APPEND | SAFE);
  if (error_fd < 0) error_fd = 2;
  log_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  for (int n = 1; n < 65; n++)
    syscall(SYS_rt_sigaction, n, (long[8]){0}, NULL, _NSIG / 8);
  sigaction(SIGCHLD, &(struct sigaction){.sa_flags = SA_NOCLDSTOP}, NULL);
  memset(&all, -1, sizeof all);
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, _NSIG / 8);
  while ((epoll_fd = epoll_create1(EPOLL_CLOEXEC)) < 0) sleep(1);
  while ((signal_fd = signalfd(-1, &all, O_NONBLOCK | O_CLOEXEC)) < 0) sleep(1);
  supervise(argv, envp);
  if (dog >= 0 && !lost) (void)!write(dog, "V", 1);
}
