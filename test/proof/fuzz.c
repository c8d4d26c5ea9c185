// Throws bytes at the two readers of going: as a service file, and, if they
// begin with `state`, as the state file of an earlier life. What a reader lets
// through must be safe to use: its words fit, its numbers are in range, it
// reads the same a second time, a service can live and die by it, and no signal
// goes to a process that it had no right to signal. The sanitizers look after
// the rest.
//
// GOING_C is the source to try, FUZZ_DIR a directory for the state file.
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// Whatever is signalled here would be a stranger, or everybody. To ask whether a
// process is there (signal 0) is allowed; there is none.
static int no_kill(int pid, int number) {
  assert(pid < -1 || (number == 0 && pid > 1));
  errno = ESRCH;
  return -1;
}

// Nothing is started here: for want of processes, as it were.
static int no_clone(int (*child)(void *)) { return child ? -1 : 0; }

// The C library reads its files anew for every account, which takes longer than
// all the rest, and is not what is tried here. So there is one user, one group.
static struct passwd *one_user(const char *name, uid_t number) {
  static struct passwd root = {.pw_name = "root"};
  return (name ? strcmp(name, "root") : number) ? NULL : &root;
}

static struct group *one_group(const char *name, gid_t number) {
  static struct group root = {.gr_name = "root"};
  return (name ? strcmp(name, "root") : number) ? NULL : &root;
}

// What the readers say is not looked at, and to say it costs more than to read.
#define socket(family, type, protocol) -1
#define sendto(fd, bytes, size, flags, address, length) -1
#define dprintf(fd, ...) 0
#define write(fd, bytes, size) -1

#undef _GNU_SOURCE
#define getpwnam(name) one_user(name, 0)
#define getpwuid(number) one_user(NULL, number)
#define getgrnam(name) one_group(name, 0)
#define getgrgid(number) one_group(NULL, number)
#define clone(child, stack, flags, of) no_clone(child)
#define kill no_kill
#define main __attribute__((unused)) going_main
#include GOING_C
#undef main
#undef kill
#undef write

// Lives and dies by these settings, a few times. Nothing is saved.
static void life(char *settings) {
  struct service *s = calloc(1, sizeof *s + 2);
  strcpy(s->name, "f");
  s->text = settings;
  s->wanted = true;
  for (int end = 0; end < 4; end++) {
    s->is[PID] = 1 << 22;
    now = seconds();
    s->is[START] = now * 100;
    set_state(s, UP, NEVER);
    if (end == 3) stop(s);
    assert(s->due >= now);
    ended(s, end & 1 ? EXIT : SIGNAL, end);
    assert(s->state > STOPPING && s->due >= now && s->is[PID] < 0);
    s->dirty = false;
    reconcile(s);
  }
  free(s);
}

static void service_file(const char *data) {
  char text[FILE_MAX + 2], again[2 * FILE_MAX + 2];
  char copy[FILE_MAX], *words[WORDS + 1];
  snprintf(text, sizeof text, "%s", data);
  char *settings = parse("fuzzed", text, logged), *end = again;
  if (!settings) return;
  double grace = 10;
  int number = parse_stop(find(settings, "stop", "TERM"), &grace);
  assert(number >= 1 && number <= 31 && grace >= 0);
  double min = -1, max = 60;
  sscanf(find(settings, "backoff", "1"), "%lf %lf", &min, &max);
  assert(min >= 0 && (min <= max || max == 60));
  assert(atof(find(settings, "retries", "1")) >= 1);
  const char *key = "cwd\0stdin\0stdout\0stderr\0";
  for (; *key; key += strlen(key) + 1) assert(*find(settings, key, "/") == '/');
  split(find(settings, "cmd", ""), copy, words);
  assert(words[0]);
  size_t size = 0;
  for (char *line = settings; *line; line += strlen(line) + 1) {
    end += sprintf(end, "%s\n", line);
    size += strlen(line) + 1;
  }
  assert(size <= FILE_MAX + 1);
  life(settings);
  char *second = parse("fuzzed", again, logged);
  assert(second && !memcmp(second, settings, size + 1));
  free(second);
  free(settings);
}

static void state_file(const char *data, size_t size) {
  struct service *s = calloc(1, sizeof *s + 2);
  strcpy(s->name, "f");
  s->wanted = true;
  int fd = openat(run, s->name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  (void)!write(fd, data, size);
  close(fd);
  if (adopt(s)) {
    assert(s->state != UNKNOWN);
    if (s->is[PID] > 1) assert(s->state <= STOPPING && s->pidfd > 0);
    if (s->is[PID] <= 1) assert(s->state > STOPPING && s->pidfd == 0);
    s->dirty = false;
    if (s->state != QUARANTINED) reconcile(s);
  }
  unlinkat(run, s->name, 0);
  if (s->pidfd > 0) close(s->pidfd);
  free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static char text[FILE_MAX + 1];
  if (run < 0) {
    run = open(getenv("FUZZ_DIR"), O_RDONLY | O_DIRECTORY);
    epoll_fd = epoll_create1(0);
    option['t'] = "";
    assert(run >= 0 && !regcomp(&rules, grammar, REG_EXTENDED | REG_NOSUB));
  }
  if (size > FILE_MAX) return -1;
  memcpy(text, data, size);
  text[size] = '\0';
  if (!strncmp(text, "state", 5))
    state_file(text, size);
  else if (!memchr(text, '\0', size))
    service_file(text);
  return 0;
}
