/* Counters that outlive their process, for the proof of coverage.
 *
 * gcov's counters are variables of the program. It writes them to a file when
 * the program exits, and so all is lost of a going that was killed or that has
 * executed itself; and a file may be out of reach, in a chroot or without a
 * descriptor. Here the counters lie in a segment of shared memory instead
 * (`shmop(2)`), which the linker has left room for and which is put in their
 * place before main: whatever becomes of a process, what it has counted is
 * there, together with the counts of all others. In the end the program is run
 * once more, only to write them. */
#include <stdlib.h>
#include <sys/shm.h>
#include <unistd.h>

extern char counters[];
void __gcov_dump(void);

__attribute__((constructor)) static void share(void) {
  if (shmat(SEGMENT, counters, SHM_REMAP) != counters) abort();
  if (!getenv("WRITE_COVERAGE")) return;
  __gcov_dump();
  _exit(0);
}

/* What would write the file at every exit. */
void __wrap___gcov_exit(void) {}
