/* The smallest service, for the proof of faults: faults LOCK [HOW].
 *
 * It locks a file of its own for as long as it lives. A second one at the same
 * time finds it locked and writes `twice` there; each one that begins adds a
 * dot. So a service that ran twice for a moment only is found, too.
 *
 * HOW: nothing, wait for ever; `deaf`, wait, and ignore TERM; a number, exit
 * with that status after 10 ms. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

int main(int argc, char **argv) {
  int fd = argc > 1 ? open(argv[1], O_WRONLY | O_APPEND) : -1;
  int locked = flock(fd, LOCK_EX | LOCK_NB);
  if (write(fd, locked ? "twice" : ".", locked ? 5 : 1) < 0) return 99;
  if (argc > 2 && argv[2][0] == 'd') signal(SIGTERM, SIG_IGN);
  if (argc > 2 && argv[2][0] != 'd') return usleep(10000), atoi(argv[2]);
  for (;;) pause();
}
