// A service that tells of itself: it appends a line to FILE, and holds a lock on
// it for as long as it lives, so that a second one would be noticed. It lives
// until it is killed, or for so many milliseconds; its own end is told, too.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 2) return 0;  // with nothing to tell, it just ends
  int file = open(argv[1], O_RDWR | O_APPEND | O_CREAT, 0644);
  if (file < 0) return 2;
  int alone = !flock(file, LOCK_EX | LOCK_NB);
  dprintf(file, alone ? "started %d\n" : "doubled %d\n", getpid());
  if (argc < 3) pause();
  usleep(atoi(argv[2]) * 1000);
  dprintf(file, "ended %d\n", getpid());
  return 1;
}
