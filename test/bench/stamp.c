// The service of the benchmark: says when it ran, and waits for its end.
//
// The clock is read before anything else. Then a record goes into a FIFO, and
// nothing of that counts any more.
//
//     stamp FIFO INDEX     for supervisors that hand on arguments
//     ./run [NAME]         for those that run a program of this name: the FIFO
//                          is ../fifo then, and the index the directory's name;
//                          s6 hands on NAME, and hears that it is ready
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
  struct timespec clock, cpu;
  clock_gettime(CLOCK_MONOTONIC, &clock);
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
  char cwd[4096] = "";
  const char *index = argc == 3 ? argv[2] : getcwd(cwd, sizeof cwd);
  if (strrchr(index, '/')) index = strrchr(index, '/') + 1;
  struct {
    uint32_t index, pid;
    uint64_t clock, cpu;
  } record = {
      atoi(index),
      getpid(),
      clock.tv_sec * 1000000000ULL + clock.tv_nsec,
      cpu.tv_sec * 1000000000ULL + cpu.tv_nsec,
  };
  int fifo = open(argc == 3 ? argv[1] : "../fifo", O_WRONLY);
  // Less than PIPE_BUF, and so whole (pipe(7)).
  if (write(fifo, &record, sizeof record) != sizeof record) return 1;
  close(fifo);
  if (argc == 2) (void)!write(3, "\n", 1);
  for (;;) pause();
}
