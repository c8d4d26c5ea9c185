// What a restart costs at least: a loop that starts again what has died, and
// does nothing else. It has no configuration, no log, no state, and does not
// even look for deaths whose signals have merged. TERM ends it.
//
//     limit vfork|fork COUNT STAMP FIFO
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t *pids;
static sigset_t heard;

static void start(int index, int use_fork, char **argv) {
  char number[16];
  sprintf(number, "%d", index);
  char *words[] = {argv[3], argv[4], number, NULL}, *none[] = {NULL};
  pid_t pid = use_fork ? fork() : vfork();
  if (pid == 0) {
    sigprocmask(SIG_UNBLOCK, &heard, NULL);
    execve(words[0], words, none);
    _exit(111);
  }
  pids[index] = pid;
}

int main(int argc, char **argv) {
  siginfo_t info;
  if (argc != 5) return 64;
  int count = atoi(argv[2]), use_fork = !strcmp(argv[1], "fork");
  pids = calloc(count, sizeof *pids);
  sigemptyset(&heard);
  sigaddset(&heard, SIGCHLD);
  sigaddset(&heard, SIGTERM);
  sigprocmask(SIG_BLOCK, &heard, NULL);
  for (int i = 0; i < count; i++) start(i, use_fork, argv);
  while (sigwaitinfo(&heard, &info) != SIGTERM) {
    int i = 0;
    while (i < count && pids[i] != info.si_pid) i++;
    if (i == count || waitpid(info.si_pid, NULL, 0) < 0) continue;
    start(i, use_fork, argv);
  }
  for (int i = 0; i < count; i++) kill(pids[i], SIGTERM);
  for (int i = 0; i < count; i++) waitpid(pids[i], NULL, 0);
}
