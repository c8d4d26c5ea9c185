/*
 * A model of going, for spin(1): one service file, up to two goings, an init
 * that respawns the first, and a kernel that gives out numbers of processes.
 *
 * Nobody can try every moment at which going may be killed. A model can: spin
 * goes through every order of the steps of all processes below. A step is what
 * others can see, a system call as a rule, in the order of going.c; whatever
 * going does in its own memory belongs to the step before it or after it.
 * Between any two steps it may be killed, a process may end, a file may change.
 *
 * Until it is calm, and that may be never, everything that can go wrong does,
 * any number of times. Then nothing does any more, and what is promised must
 * come true. test/proof/model.bats says how all this is checked, and that the
 * order of the steps is that of the real program. docs/model.md tells of it.
 */

/* How much is searched at a time: how many goings, and whether their directory
   may be lost. */
#ifndef GOINGS
#define GOINGS 2
#endif
#ifndef LOSES
#define LOSES 1
#endif
#define N 2 /* numbers of processes; 0 is none */

/* STEP tells of a step when spin does not search, but runs the model. It does
   so for a trail, and for the story: one life, that of the last page. There
   nothing comes by chance, but only what is `asked` for. */
#if defined(TELL) || defined(STORY)
#define STEP(what) printf(what)
#else
#define STEP(what) skip
#endif
#define END 1
#define USR2 2
#define TERM 3
#ifdef STORY
byte asked;
bit over; /* init does not start it again */
#define MAY(what) (asked == what)
#define TAKEN asked = 0
#define MAY_START (!over)
#define MAY_BE_LATE false
#else
#define MAY(what) (!calm)
#define TAKEN skip
#define MAY_START true
#define MAY_BE_LATE true
#endif

/* What the world does not do, unless spin is told to let it. A number is not
   given to somebody else from when a going has seen that its start time is
   right until it has noted the end. A stranger leaves nobody behind in its
   group. After an upgrade, a record can be read. A start time can be read a
   second time. The directory is not lost while somebody waits for it. */
#ifdef SWIFT
#define NUMBERS_LAST true
#else
#define LASTS(g) (who[g] != n || (state[g] == UNKNOWN && start[g] != RIGHT))
#define NUMBERS_LAST (LASTS(0) && LASTS(1))
#endif
#ifdef GROUPS
#define LEAVES_GROUPS 1
#else
#define LEAVES_GROUPS 0
#endif
#ifdef FAILING_READ
#define UNREAD (state[g] == UNKNOWN)
#else
#define UNREAD false
#endif
#ifdef BLIND
#define MAY_BE_BLIND (!calm)
#else
#define MAY_BE_BLIND false
#endif
#ifdef PARTED
#define MAY_LOSE (alive[0] && alive[1])
#define IS_FAULT false
#else
#define MAY_LOSE (!(alive[0] && alive[1]))
#define IS_FAULT true
#endif

/* What going does, unless spin is told that it does not: a child keeps the lock
   until it executes, and writes its record before that; nobody is reaped before
   the records were read; there is no upgrade while a state is unsaved; what was
   read of a record is kept if the file is gone when it is tried again; and a
   process is gone if there is none, even if its number names a group. */
#ifdef UNLOCK
#define UNLOCKED true
#else
#define UNLOCKED false
#endif
#ifdef FORGET
#define RECORDED false
#else
#define RECORDED true
#endif
#ifdef EARLY_REAP
#define MAY_REAP true
#else
#define MAY_REAP \
  ((ours[g] && !state[g] && !quit[g]) || state[g] > UNKNOWN || who[g] || UNREAD)
#endif
#ifdef HASTE
#define MAY_UPGRADE true
#else
#define MAY_UPGRADE (!dirty[g])
#endif
#ifdef READ_ANEW
#define REMEMBERED false
#else
#define REMEMBERED true
#endif
#ifdef GROUP_IS_LIFE
#define GONE(n) (!is[n] && !crew[n])
#else
#define GONE(n) (!is[n])
#endif
/* Calm is only of use where something must come true in the end. */
#ifdef LIVE
#define CALMS true
#else
#define CALMS false
#endif

/* ---- What there is: processes, files, and what a going knows. ---- */

/* What a number stands for: nothing, a child between clone and exec that has
   come so far, a running process, a zombie. */
#define FREE 0
#define BORN 1
#define SAVED 2
#define RUNS 3
#define ZOMBIE 4

#define INIT 2 /* a parent; 0 and 1 are the goings */

byte is[N + 1];
byte parent[N + 1];
bit crew[N + 1];      /* there are others in its group, who live */
bit killed[N + 1];    /* its group has got a KILL */
bit strange[N + 1];   /* it is none of our business */
bit holds[N + 1];     /* a child has inherited the lock */
bit at_home[N + 1];   /* a child can write into the runtime directory */
bit excused[N + 1];   /* a fault kept, or took, its record from the disk */

/* The service file, and the runtime directory with its one state file. A start
   time names a process for ever. So the model needs none: `old` says that the
   number was given to somebody else since. */
#define NOTHING 0 /* of a service: not in the list; of a record: no file */
#define UNKNOWN 1
#define UP 2
#define STOPPING 3
#define QUARANTINED 4

bit file;
byte record, record_pid;
bit record_old;
bit lost; /* the directory was removed, and nobody has made it again */

#define NONE 0 /* a start time: cannot be read, or was not looked at */
#define RIGHT 1
#define OTHER 2

/* Two goings: are they there, do they hold the lock of the directory of that
   name, and their memory. `ours` is what a going believes: it may have lost the
   directory and not know. */
#define CHILD 0 /* no pidfd: our child */
#define FAILED 1
#define OPEN 2
#define ENDED 3 /* of one that is gone, and its number is somebody else's */

bit alive[2], locks[2];
bit ours[2], dirty[2], quit[2], old[2];
bit rest[2]; /* it has reaped the main process, and waits for the rest of its group */
byte state[2], who[2], pidfd[2];
byte start[2]; /* the start time of a number, once it was looked at */
bit knows[2 * (N + 1)]; /* it has started this process, or read its record */

#ifdef STORY
bit calm = 1;
#else
bit calm;
#endif

#define lives(n) (is[n] >= BORN && is[n] <= RUNS)
#define group(n) ((is[n] >= SAVED && is[n] <= RUNS) || crew[n])
#define service(n) (!strange[n] && (lives(n) || (crew[n] && !killed[n])))
#define named(n) (record_pid == n && !record_old)
#define KNOWS(g, n) knows[(g) * (N + 1) + (n)]

#define EACH(what) what(1); what(2)
#define ANY(what) (what(1) || what(2))
#define locked (locks[0] || locks[1] || ANY(HOLDS))
#define UNUSED(n) (!is[n] && !crew[n] && !AWAITED(0, n) && !AWAITED(1, n))
#define AWAITED(g, n) (rest[g] && who[g] == n)
#define HOLDS(n) holds[n]

/* Somebody gets a number: who has written it down means somebody else. */
inline give(n) {
  if :: record_pid == n -> record_old = 1 :: else fi;
  if :: who[0] == n -> old[0] = 1 :: else fi;
  if :: who[1] == n -> old[1] = 1 :: else fi;
  if :: pidfd[0] == OPEN && who[0] == n -> pidfd[0] = ENDED :: else fi;
  if :: pidfd[1] == OPEN && who[1] == n -> pidfd[1] = ENDED :: else fi
}

/* A process is reaped. Its number stays in use as long as there is its group. */
inline let_go(n) {
  is[n] = FREE;
  parent[n] = 0;
  if :: !crew[n] -> clear(n) :: else fi
}
inline clear(n) {
  KNOWS(0, n) = 0;
  KNOWS(1, n) = 0;
  killed[n] = 0;
  strange[n] = 0;
  excused[n] = 0
}

/* A process of which a fault has left no record, and whom nobody remembers, is
   a stranger: no going has the chance to know it. */
inline forsake(n) {
  if
  :: excused[n] && !named(n) && !KNOWS(0, n) && !KNOWS(1, n) &&
     (is[n] || crew[n]) -> strange[n] = 1;
     if :: !lives(n) && !LEAVES_GROUPS -> crew[n] = 0 :: else fi;
     if :: !is[n] && !crew[n] -> clear(n) :: else fi
  :: else
  fi
}

/* A going without any memory: one that starts. */
inline blank(g) {
  ours[g] = 0; dirty[g] = 0; quit[g] = 0; old[g] = 0; rest[g] = 0;
  state[g] = NOTHING; who[g] = 0; pidfd[g] = CHILD; start[g] = NONE
}
inline orphan(n) {
  if :: parent[n] == g && is[n] -> parent[n] = INIT :: else fi;
  KNOWS(g, n) = 0
}
inline end_going(g) {
  alive[g] = 0;
  locks[g] = 0;
  blank(g);
  EACH(orphan);
  EACH(forsake)
}

#ifdef STORY
#define MAY_END(n) (is[n] == RUNS && asked == END)
#define MAY_FORK false
#else
#define MAY_END(n) (is[n] == RUNS)
#define MAY_FORK true
#endif

/* ---- The life of whoever has a number. ---- */

/* It may end at any moment, or never, unless it is killed; only a child that
   has not executed does so no more once it is calm. What a child does is
   exec_service(), and the save() in there: it goes on without a record if that
   fails, and whoever has started it saves it later, if still there. */
proctype number(byte n) {
  do
  :: d_step { is[n] == BORN && at_home[n] && RECORDED ->
       STEP("setsid\n"); STEP("write\n"); STEP("rename\n"); is[n] = SAVED;
       record = UP; record_pid = n; record_old = 0; excused[n] = 0;
       if :: parent[n] != INIT -> dirty[parent[n]] = 0 :: else fi }
  :: d_step { is[n] == BORN && (!at_home[n] || !calm) && RECORDED ->
       is[n] = SAVED; excused[n] = 1; forsake(n) }
  :: d_step { is[n] == BORN && !RECORDED -> is[n] = SAVED }
  :: d_step { is[n] == BORN && UNLOCKED && holds[n] -> holds[n] = 0 }
  :: d_step { is[n] == SAVED -> STEP("exec\n");
       is[n] = RUNS; holds[n] = 0; at_home[n] = 0 }

  :: d_step { MAY_FORK && is[n] == RUNS && !crew[n] && !killed[n] &&
       (!strange[n] || LEAVES_GROUPS) -> STEP("-- it forks\n"); crew[n] = 1 }
  :: d_step { crew[n] -> STEP("-- the rest of its group ends\n"); crew[n] = 0;
       if :: !is[n] -> clear(n) :: else fi }
  :: d_step { lives(n) && (MAY_END(n) || killed[n] || !calm) -> TAKEN;
       STEP("-- it ends\n"); is[n] = ZOMBIE; holds[n] = 0; at_home[n] = 0;
       if
       :: strange[n] -> crew[n] = LEAVES_GROUPS && crew[n];
          if :: parent[n] == INIT -> let_go(n) :: else fi
       :: else
       fi }
  :: d_step { is[n] == ZOMBIE && parent[n] == INIT ->
       STEP("-- init reaps it\n"); let_go(n) }
  /* A zombie of one who waits for the lock stays; but nobody needs it, and
     there are more numbers than here. */
  :: d_step { is[n] == ZOMBIE && parent[n] != INIT && !ours[parent[n]] &&
       !state[parent[n]] && !named(n) && who[0] != n && who[1] != n -> let_go(n) }
  :: (is[n] == RUNS || crew[n]) && !killed[n] &&
     !(is[n] == ZOMBIE && parent[n] == INIT) && !(strange[n] && calm) -> skip

  /* The number goes to somebody else, who leads a group of his own. */
  :: d_step { UNUSED(n) && !calm && NUMBERS_LAST ->
       STEP("-- its number is a stranger's\n"); give(n);
       is[n] = RUNS; strange[n] = 1; parent[n] = INIT }
  od
}

/* ---- going ---- */

inline enter(what) { state[g] = what; dirty[g] = 1 }

/* kill(2), to a group. It must be that of our own process. */
inline signal(kills) {
  assert(!group(who[g]) || (!strange[who[g]] && !old[g]));
  if :: kills && group(who[g]) -> killed[who[g]] = 1 :: else fi
}

/* start_of() */
#define start_of(n) (!is[n] -> NONE : (old[g] -> OTHER : RIGHT))

/* The end is noted: the rest of ended(). */
inline note() {
  who[g] = 0; old[g] = 0; pidfd[g] = CHILD; rest[g] = 0;
  enter(QUARANTINED)
}

/* ended(), of one that somebody else has reaped: the group is its own if its
   number is nobody's, or still its own. A start time that cannot be read just
   then is as good as another one: nothing is killed. */
inline ended_unseen() {
  if
  :: d_step { true -> STEP("start\n"); start[g] = start_of(who[g]) }
  :: d_step { MAY_BE_BLIND -> STEP("start\n"); start[g] = (is[who[g]] -> OTHER : NONE) }
  fi;
  if
  :: d_step { start[g] != OTHER -> STEP("kill\n"); signal(1); note(); start[g] = NONE }
  :: d_step { start[g] == OTHER -> note(); start[g] = NONE }
  fi
}

/* reap(): a child `n` is a zombie. To look is no step of its own, for nothing
   comes of it but the next one. An end is never lost: either it is noted, or
   nobody will ask for it. One that is being stopped has ended when the rest of
   its group has, which are children of ours from now on: the last of them holds
   the number until we have reaped it, and note the end. */
inline reap() {
  if
  :: d_step { who[g] == n && state[g] && state[g] != STOPPING -> STEP("look\n");
       if :: pidfd[g] >= OPEN -> STEP("unwatch\n") :: else fi;
       STEP("kill\n"); signal(1) };
     d_step { STEP("reap\n"); let_go(n); note(); n = 0 }
  :: d_step { who[g] == n && state[g] == STOPPING -> STEP("look\n");
       if :: pidfd[g] >= OPEN -> STEP("unwatch\n"); pidfd[g] = CHILD :: else fi };
     d_step { STEP("reap\n"); rest[g] = 1; let_go(n); n = 0 }
  :: d_step { !(who[g] == n && state[g]) -> STEP("look\n"); STEP("reap\n");
       assert(!named(n)); let_go(n); n = 0 }
  fi
}

/* adopt(). What is in the record is in our memory from then on. A pidfd from an
   earlier try is kept. If the start time cannot be read, kill(2) tells whether
   there is nobody; that is no step of its own. */
inline adopt() {
  d_step {
    STEP("read\n");
    if
    :: locks[g] && record -> who[g] = record_pid; old[g] = record_old;
       was_stopping = (record == STOPPING);
       if :: who[g] && !old[g] -> KNOWS(g, who[g]) = 1 :: else fi
    :: !(locks[g] && record) && !(who[g] && REMEMBERED) ->
       who[g] = 0; old[g] = 0; pidfd[g] = CHILD
    :: else
    fi;
    if
    :: !who[g] && (file || locks[g] && record) -> enter(QUARANTINED)
    :: !who[g] && !(file || locks[g] && record) -> state[g] = NOTHING
    :: else
    fi
  };
  if
  :: !who[g]
  :: who[g] ->
     if
     :: pidfd[g] >= OPEN
     :: d_step { pidfd[g] < OPEN && is[who[g]] -> STEP("pidfd\n"); pidfd[g] = OPEN }
     :: d_step { pidfd[g] < OPEN && (!is[who[g]] || !calm) ->
          STEP("pidfd\n"); pidfd[g] = FAILED }
     fi;
     if
     :: d_step { true -> STEP("start\n"); start[g] = start_of(who[g]) }
     :: d_step { !calm -> STEP("start\n"); start[g] = NONE }
     fi;
     if
     :: d_step { start[g] == RIGHT && pidfd[g] >= OPEN -> STEP("watch\n");
          enter((was_stopping -> STOPPING : UP));
          if :: was_stopping -> STEP("cont\n"); signal(0) :: else fi;
          start[g] = NONE; was_stopping = 0 }
     :: d_step { start[g] == OTHER || (start[g] == NONE && GONE(who[g])) ->
          enter((was_stopping -> STOPPING : UP));
          start[g] = NONE; was_stopping = 0 };
        ended_unseen()
     :: d_step { (start[g] == RIGHT && (pidfd[g] < OPEN || !calm)) ||
          (start[g] == NONE && !GONE(who[g])) ->
          /* It cannot be watched: again, later, or never. */
          start[g] = NONE; was_stopping = 0;
          if
          :: quit[g] -> who[g] = 0; old[g] = 0; pidfd[g] = CHILD;
             state[g] = NOTHING; dirty[g] = 0
          :: else
          fi }
     fi
  fi
}

/* spawn(): a child has everything from its parent, which stands still until it
   executes or ends. No other process of this service may be there, of which
   this going had the chance to know. */
inline check(m) {
  assert(!service(m) || m == n || (excused[m] && !KNOWS(g, m)))
}
inline birth(m) {
  STEP("clone\n");
  EACH(check);
  give(m);
  is[m] = BORN;
  parent[m] = g;
  holds[m] = locks[g];
  at_home[m] = locks[g];
  excused[m] = !locks[g];
  KNOWS(g, m) = 1;
  who[g] = m;
  old[g] = 0;
  enter(UP)
}

inline amnesia(m) { KNOWS(g, m) = 0 }
#define ZOMBIE_OF(n) (is[n] == ZOMBIE && parent[n] == g)
#define WANTED (file && !quit[g])
#define DUE (state[g] == QUARANTINED && WANTED)

proctype going(byte g) {
  byte n;      /* the number in hand */
  bit was_stopping;

asleep: /* init respawns the first; somebody may start a second one by hand */
  if
  :: d_step { MAY_START && (g == 0 || (GOINGS == 2 && !calm)) &&
       (!lost || !alive[1 - g]) -> alive[g] = 1 }
  fi;
  {
    do
    /* read_signal(). USR2 is not for one who has not saved what it knows. */
    :: d_step { MAY(USR2) && !quit[g] && MAY_UPGRADE -> TAKEN;
         STEP("exec again\n"); locks[g] = 0;
         if :: !dirty[g] -> EACH(amnesia) :: else fi;
         blank(g); EACH(forsake) }
    :: d_step { MAY(TERM) && !quit[g] -> TAKEN; STEP("-- TERM\n"); quit[g] = 1 }
    :: d_step { MAY_REAP && ANY(ZOMBIE_OF) ->
         n = (ZOMBIE_OF(1) -> 1 : 2) } -> reap()

    /* The last of the group of one that is being stopped. */
    :: d_step { rest[g] && !crew[who[g]] -> n = who[g]; note();
         if :: !is[n] -> clear(n) :: else fi; n = 0 }

    /* The end of one that was taken over, and is not our child after USR2. */
    :: state[g] > UNKNOWN && (pidfd[g] == ENDED ||
       (pidfd[g] == OPEN && !is[who[g]]) ||
       (pidfd[g] == OPEN && is[who[g]] == ZOMBIE && parent[who[g]] != g)) ->
       ended_unseen()

    /* rescan() */
    :: d_step { !ours[g] && !locked -> STEP("lock\n");
         locks[g] = 1; ours[g] = 1; lost = 0;
         if
         :: state[g] -> dirty[g] = 1
         :: !state[g] && (record || file) -> state[g] = UNKNOWN
         :: else
         fi }
    :: d_step { ours[g] && file && !state[g] && !quit[g] -> state[g] = UNKNOWN }

    /* reconcile() */
    :: state[g] == UNKNOWN -> adopt()
    :: d_step { state[g] == UP && !WANTED -> STEP("term\n"); STEP("cont\n");
         signal(0); enter(STOPPING) }
    :: d_step { state[g] == STOPPING && group(who[g]) && !killed[who[g]] && MAY_BE_LATE ->
         STEP("kill\n"); signal(1) }
    :: d_step { DUE && ANY(UNUSED) ->
         n = (UNUSED(1) -> 1 : 2); birth(n) } ->
       atomic { is[n] >= RUNS -> n = 0 }
    :: d_step { dirty[g] && (who[g] || WANTED) && !(DUE && calm) && locks[g] ->
         STEP("write\n"); STEP("rename\n");
         record = state[g]; record_pid = who[g]; record_old = old[g];
         if :: who[g] && !old[g] -> excused[who[g]] = 0 :: else fi;
         dirty[g] = 0 }
    :: d_step { dirty[g] && (who[g] || WANTED) && !locks[g] && ours[g] ->
         ours[g] = 0 }

    /* forget() */
    :: d_step { state[g] > UNKNOWN && !who[g] && !WANTED ->
         if
         :: locks[g] -> STEP("unlink\n");
            record = NOTHING; record_pid = 0; record_old = 0
         :: else
         fi;
         state[g] = NOTHING; dirty[g] = 0 }
    :: d_step { state[g] > UNKNOWN && !who[g] && quit[g] && !calm ->
         state[g] = NOTHING; dirty[g] = 0 } /* unlink fails */
    :: d_step { quit[g] && !state[g] -> end_going(g) }
    od
  } unless {
    d_step { !alive[g] -> n = 0; was_stopping = 0 }
  };
  goto asleep
}

/* ---- What is promised, once it is calm ---- */

#define IS_UP(n) (is[n] == RUNS && !strange[n] && !killed[n])
#define IS_THERE(n) (!strange[n] && (lives(n) || crew[n]))
#ifdef LIVE
ltl in_the_end {
  [] (calm -> <> (!quit[0] && !quit[1] &&
    ((file && ANY(IS_UP)) || (!file && !ANY(IS_THERE) && !record))))
}
#endif

/* ---- The world ---- */

inline lose(n) {
  holds[n] = 0;
  at_home[n] = 0;
  if :: IS_FAULT && (is[n] || crew[n]) && !strange[n] -> excused[n] = 1 :: else fi
}

#ifndef STORY
proctype fate() {
  byte g;
  do
  :: d_step { !calm && alive[0] -> STEP("-- KILL\n"); g = 0; end_going(g) }
  :: d_step { !calm && alive[1] -> STEP("-- KILL\n"); g = 1; end_going(g); g = 0 }
  :: d_step { !calm -> STEP("-- the file comes or goes\n"); file = 1 - file }
  :: d_step { !calm && !lost && LOSES && MAY_LOSE ->
       STEP("-- the directory is lost\n");
       lost = 1; record = NOTHING; record_pid = 0; record_old = 0;
       locks[0] = 0; locks[1] = 0;
       EACH(lose); EACH(forsake) }
  :: d_step { !calm && CALMS -> STEP("-- calm\n"); calm = 1 } -> break
  od
}
#else
/* The story, which test/proof/model.bats lets the real program live, too. */
#define IS_WELL \
  (asked == 0 && state[0] == UP && !dirty[0] && ANY(IS_UP) && !ANY(ZOMBIE_OF))
#define IS_STOPPING (state[0] == STOPPING && !dirty[0])
#define when(condition, what) atomic { condition -> what }
proctype fate() {
  byte g;
  file = 1;
  when(IS_WELL, STEP("* end\n"); asked = END);
  when(IS_WELL, STEP("* stop\n"); file = 0);
  when(IS_STOPPING, asked = END);
  when(!state[0], STEP("* birth\n"); file = 1);
  when(IS_WELL, STEP("* takeover\n"); end_going(g));
  when(IS_WELL, STEP("* end of one taken over\n"); asked = END);
  when(IS_WELL, STEP("* takeover of a dead one\n");
    end_going(g); is[1] = FREE; clear(1));
  when(IS_WELL, STEP("* upgrade\n"); asked = USR2);
  when(IS_WELL, STEP("* end after an upgrade\n"); asked = END);
  when(IS_WELL, STEP("* stop and takeover\n"); file = 0);
  when(IS_STOPPING, end_going(g));
  when(IS_STOPPING, asked = END);
  when(!state[0], STEP("* birth\n"); file = 1);
  when(IS_WELL, STEP("* farewell\n"); over = 1; asked = TERM);
  when(IS_STOPPING, asked = END);
  when(!alive[0], STEP("* the end\n"))
}
#endif

init {
  atomic {
    run number(1);
    run number(2);
    run going(0);
    run going(1);
    run fate()
  }
}
