/* SPDX-License-Identifier: MIT
 *
 * core.h - what the files of the runtime share: the execution under way, its threads, its choices.
 *
 *   scheduler.c  steps: which threads can make the next one, and which does
 *   thread.c     birth and end of threads, and of executions; failures
 *   coroutine.c  stacks, switching, thread-local storage
 *   settle.c     waiting until nothing moves
 *   region.c     the fixed addresses of everything, shadow memory, memory of one execution
 *   heap.c       malloc's memory
 *   state.c      globals and thread-local variables, put back to their beginning
 *   object.c     the runtime's records of the program's synchronisation objects
 *   hooks.c      what the compiler calls
 *   signal.c     crashes and hangs
 *   trace.c symbol.c   what a human reads
 *
 * This room is the middle of the explorer: memory/ and search/ include this header, posix/ includes
 * runtime.h alone. Of memory/ it includes the headers; of search/ and posix/ it includes nothing.
 * The search is reached through the strategy's table below, and posix/ through three weak functions
 * (thread.c).
 *
 * Every global name begins with explore_: the program under test is linked into the same
 * executable.
 */
#ifndef CHANBENCH_EXPLORE_CORE_H
#define CHANBENCH_EXPLORE_CORE_H

#include "harness/explore/runtime/runtime.h"

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* ---- threads and the execution (scheduler.c, thread.c) ---- */

struct explore_thread {
	struct explore_op *pending; /* NULL: never born, or ended */
	void *sp;                   /* where it goes on, when it does not run */
	bool ended;
	bool timed_out;  /* the step it is allowed is the coming of its deadline */
	bool idled;      /* the current step was idle: see explore_idle */
	unsigned idle;   /* consecutive idle steps */
	unsigned yields; /* since the last step that was not idle */
	/* loads of stores it knew, when there were newer ones, since it learned of one */
	unsigned stale;

	struct explore_clock now;      /* what it knows */
	struct explore_clock acquired; /* what an acquire fence would make it know */
	/* what its relaxed stores release: its last release fence; NULL: none */
	struct explore_clock *fence;

	void *(*start)(void *);
	void *argument;
	void *result;
	struct explore_op birth; /* its first pending operation */
};

struct explore_execution {
	struct explore_thread *current; /* NULL: no execution, or the driver runs */
	unsigned threads;               /* born so far */
	unsigned alive;                 /* mask of those that have not ended */
	unsigned conditional;           /* mask of those whose next operation may have to wait */
	/* mask of those that spin: they wait for anybody's progress */
	unsigned passive;
	unsigned slice; /* consecutive steps of the current thread */
	uint64_t steps;
	uint64_t accesses; /* plain ones, in all executions */
	uintptr_t last_pc; /* of the last of them */
	uint64_t time;     /* the virtual clock */
	uint64_t patience; /* deadlines further away come only when nobody can go on (look.h) */
	unsigned spurious; /* budget left */
	bool tracing;
	uint32_t generation; /* number of the execution; stamps shadow memory */

	/* The total order of seq_cst operations: how many there were, and what their fences make
	 * visible. */
	uint32_t place;
	uint32_t visible[EXPLORE_THREADS];

	enum explore_verdict verdict;
	bool pruned;  /* given up: other executions cover it */
	bool reduces; /* the strategy wants to know the next two */
	bool wrote;   /* the last step added a store to an atomic object */
	/* the last step was a load that told its thread nothing, and could have seen nothing
	 * else */
	bool quiet;
	uint32_t saw; /* the last step was a load, of the store of this step, ... */
	bool stale;   /* ... which was not the newest */
	/* the step about to be made sees stores of this step and later ones only; 0: all */
	uint32_t since;
	const char *cut;    /* what was cut off within it: "spinning" ..., NULL */
	char message[2048]; /* of the verdict; addresses in it stand as \001hex\002 (symbol.c) */
	struct explore_thread thread[EXPLORE_THREADS];
};

extern struct explore_execution explore_now;
extern struct explore_options explore_options; /* of the run under way */

static inline unsigned explore_id(const struct explore_thread *thread)
{
	return (unsigned)(thread - explore_now.thread);
}

/* The same as explore_active and explore_self, inline. */
static inline bool explore_runs(void)
{
	return explore_now.current != NULL;
}

static inline unsigned explore_me(void)
{
	return explore_id(explore_now.current);
}

static inline struct explore_clock *explore_clock(void)
{
	return &explore_now.current->now;
}

/* One execution of the program, from the initial state; its outcome is in explore_now. */
void explore_execute(int (*program)(void *), void *arg);

/* Ends the execution from a coroutine: back to explore_execute. */
_Noreturn void explore_end(void);

/* Of these threads, which wait with a deadline, those whose deadline may come by the patience that
 * is set. `ready`: some thread can go on (settle.c). */
unsigned explore_near(unsigned timed, bool ready);

/* Goes on with the thread that the schedule chooses; returns when that is the caller. */
void explore_schedule(void);

_Noreturn void explore_deadlock(void); /* says which thread waits for what (trace.c) */
_Noreturn void explore_livelock(void);

/* ---- choices (search/record.c), and the strategy that makes them ---- */

/* The threads that can make the next step. First those that can go on, the running one (if it
 * can, and does not yield) at their head; then those whose deadline could come, earliest first. */
struct explore_candidates {
	unsigned count;
	unsigned ready; /* how many of them can go on */
	bool stays;     /* the first is the running thread */
	bool spinning;  /* all that can go on are passive */
	uint8_t id[EXPLORE_THREADS];
};

#define EXPLORE_PRUNE (~0u)

struct explore_strategy_table {
	void (*begin)(void *self); /* before an execution */
	/* Which candidate; called also when there is only one. EXPLORE_PRUNE: the execution is
	 * redundant. */
	unsigned (*thread)(void *self, const struct explore_candidates *candidates);
	unsigned (*value)(void *self, unsigned n);
	/* After an execution. Returns false when nothing is left. */
	bool (*end)(void *self);
};

/* The strategy under way: its functions and its state. */
struct explore_running_strategy {
	const struct explore_strategy_table *table;
	void *self;
};
extern struct explore_running_strategy explore_strategy_now;

unsigned explore_choose_thread(const struct explore_candidates *candidates);
unsigned explore_choose_value(unsigned n);
unsigned explore_choose_offered(const uint8_t *offered, unsigned n); /* one of these numbers */
/* The execution is redundant: ends it. */
_Noreturn void explore_prune(void);

struct explore_choices {
	uint8_t *made;
	size_t count, room;
};
extern struct explore_choices explore_choices; /* of the execution under way */
void explore_choices_reserve(uint64_t steps);

/* ---- memory ---- */

/* all fixed mappings; exits with one line when they cannot be had */
void explore_region_open(void);
void explore_region_forget(void); /* the generations begin again */
/* zeroed memory of any size, committed as it is touched */
void *explore_reserve(size_t size, const char *what);

void explore_heap_reset(void);
bool explore_heap_contains(uintptr_t address);
/* a first touch: not of freed memory, nor beside a block */
void explore_heap_check(uintptr_t address, uintptr_t pc);
struct explore_block {
	uintptr_t address;
	size_t size;
	uintptr_t pc, freed_pc; /* where it was allocated, freed */
	uint8_t thread, freed_thread;
	bool freed;
};
const struct explore_block *explore_heap_find(uintptr_t address);
void explore_heap_leaks(void); /* fails when a live block is reachable from nowhere */
void explore_heap_begin(void); /* what is allocated now belongs to the initial state */
size_t explore_heap_used(void);
void explore_scratch_reset(void);
void explore_scratch_release(void); /* gives the memory back to the system */
void explore_objects_reset(void);
void explore_objects_forget(uintptr_t address, size_t size);

/* ---- state (state.c) ---- */

void explore_state_save(void);
uint64_t explore_state_restore(void); /* returns a hash of the state that was there */
void explore_tls_reset(uintptr_t fs);
/* what a program's pointers can be in */
void explore_state_scan(void (*visit)(uintptr_t from, size_t size));

/* ---- coroutines (coroutine.c) ---- */

void explore_coroutine_open(void);
void explore_coroutine_prepare(unsigned id); /* the next switch to it calls explore_thread_main */
void explore_coroutine_switch(unsigned to);  /* from the running coroutine or the driver */
void explore_coroutine_driver(void);         /* back to the driver; the coroutine may never go on */
void explore_thread_main(void) __attribute__((noreturn));
uintptr_t explore_coroutine_fs(unsigned id);

/* the id + 1 of the thread whose stack or TLS it is; 0 */
uintptr_t explore_stack_of(uintptr_t address);

void explore_signals_install(void);
void explore_signals_remove(void);

/* ---- what a human reads ---- */

/* Appends to a growing text; never fails silently: exits when there is no memory. */
struct explore_text {
	char *text;
	size_t length, room;
};
void explore_text_add(struct explore_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* For messages and traces: a code address and a data address, to be made readable when they are
 * shown. */
#define EXPLORE_CODE "\001c%lx\002"
#define EXPLORE_DATA "\001d%lx\002"
#define EXPLORE_NAME "\001n%lx\002"        /* a data address in fewer words, for traces */
char *explore_symbolize(const char *text); /* malloc'd */

void explore_trace_begin(void);
void explore_trace_step(unsigned thread, const struct explore_op *op, bool timed_out);
char *explore_trace_text(void); /* malloc'd, not yet symbolized */

/* What was added to the executable's addresses when it was loaded; 0 unless it is PIE. */
uintptr_t explore_code_base(void);

#endif
