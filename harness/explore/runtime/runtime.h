/* SPDX-License-Identifier: MIT
 *
 * runtime.h - what the parts of the explorer's runtime that stand in for libc (mutexes, futexes,
 * clocks, malloc, ...) build on.
 *
 * All threads of the program under test are coroutines on one thread of the operating system.
 * Exactly one runs; it runs until it calls explore_reach, explore_thread_exit or explore_fail. So
 * what a stand-in does between two calls of explore_reach is one atomic step, and needs no locks of
 * its own.
 *
 * The pattern of every operation that other threads can see:
 *
 *   int explore_pthread_mutex_lock(pthread_mutex_t *m)
 *   {
 *       struct mutex *mutex = explore_object(m, OBJECT_MUTEX, sizeof(*mutex));
 *       struct explore_op op = {.name = "pthread_mutex_lock", .object = m, .size = sizeof(*m),
 *                               .enabled = mutex_is_free, .state = mutex,
 *                               .deadline = EXPLORE_NEVER, .pc = EXPLORE_PC};
 *       explore_reach(&op);          // announces it, and returns when the schedule lets it happen:
 *                                    the mutex is free
 *       mutex->owner = explore_self(); // the step itself
 *       explore_acquire(&mutex->clock); // what it synchronises with
 *       return 0;
 *   }
 *
 * Waiting is nothing but an operation whose `enabled` is not true yet; waking is changing what
 * `enabled` looks at.
 *
 * Outside of an execution (constructors, the driver itself) explore_active() is false; a stand-in
 * then does what libc does or the least that works. Nothing here may be called then, but
 * explore_alloc, explore_free and explore_object.
 */
#ifndef CHANBENCH_EXPLORE_RUNTIME_H
#define CHANBENCH_EXPLORE_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "harness/explore/explore.h"

#define EXPLORE_THREADS   16 /* of one execution, ended ones included */
#define EXPLORE_NO_THREAD (~0u)
#define EXPLORE_NEVER     UINT64_MAX

/* Where the program under test called the function that says this. */
#define EXPLORE_PC ((uintptr_t)__builtin_extract_return_addr(__builtin_return_address(0)))

/* ------------------------------------------------------------------------------------------
 * Steps
 */

enum explore_op_flags {
	/* does not change `object`: commutes with other reads of it; without it, the operation
	 * writes */
	EXPLORE_READS = 1,
	EXPLORE_TIME = 2, /* reads or moves the clock (implied by a deadline) */
	/* may depend on any other operation: never reordered by the search */
	EXPLORE_ANY = 4,
	EXPLORE_YIELD = 8,     /* the thread has nothing to do: others go first */
	EXPLORE_ORDERED = 16,  /* takes part in the total order of seq_cst operations */
	EXPLORE_SC_FENCE = 32, /* a seq_cst fence, of this thread or of all */
	EXPLORE_ATOMIC = 64,   /* an atomic access of `object`, and of nothing but it */
	EXPLORE_SEES = 128,    /* such a one that has a choice among the stores it can see */
	EXPLORE_JOINS = 256,   /* waits for the end of thread `argument` */
	EXPLORE_QUEUE = 512,   /* looks at, or changes, who waits at `object` */
	EXPLORE_ASIDE = 1024,  /* that only, and nothing of the object itself */
	/* waits to be woken; without a deadline its step concerns nobody else */
	EXPLORE_WOKEN = 2048,
	EXPLORE_SEES_SC = 4096, /* with EXPLORE_SEES: chooses as a seq_cst load does */
	/* cannot happen before the EXPLORE_UNLOCKS of `object` that it waits for */
	EXPLORE_LOCKS = 8192,
	EXPLORE_UNLOCKS = 16384 /* that, and nothing else */
};

/* A pending operation. It lives on the stack of the thread that reaches it. */
struct explore_op {
	/* "pthread_mutex_lock": for traces and for who waits for what; a literal */
	const char *name;
	const volatile void *object; /* what it is about; NULL: nothing that is shared */
	/* of the object in bytes; operations on overlapping objects do not commute */
	size_t size;
	unsigned flags;
	/* Whether it could happen now. Must not change anything. NULL: always. */
	bool (*enabled)(const struct explore_op *op);
	void *state;       /* for `enabled` */
	uint64_t argument; /* for `enabled` */
	/* of the virtual clock, in nanoseconds; EXPLORE_NEVER. 0 with `enabled` NULL is no
	 * deadline */
	uint64_t deadline;
	uintptr_t pc; /* where the program asks for it */
};

/* Announces `op` and lets the schedule decide. Returns true when it is to happen now (`enabled`
 * is true), false when its deadline has come instead; it may come while others could still go
 * on, as it may in life. */
bool explore_reach(struct explore_op *op);

/* Says that the current step changed nothing and learned nothing new (a trylock that failed
 * again, a look at what is still the same): a thread that goes on like that is spinning, and
 * others go first. */
void explore_idle(void);

/* One of 0 .. n-1 (n at most 200), as the schedule decides. 0 is what would happen undisturbed.
 * `what` is for the trace. */
unsigned explore_choose(unsigned n, const char *what);

/* Whether something is to return spuriously now: a choice, as long as the execution's budget of
 * them lasts. */
bool explore_spurious(const char *what);

/* ------------------------------------------------------------------------------------------
 * Threads
 */

bool explore_active(void); /* whether an execution is under way, on a coroutine */

unsigned explore_self(void); /* 0 is the program's main thread */

#define EXPLORE_PROCESSORS 4 /* that the program believes in */

static inline unsigned explore_processor(unsigned thread)
{
	return thread % EXPLORE_PROCESSORS;
}

/* A new thread: runs start(arg) when the schedule lets it. What the caller did happens-before
 * it. EXPLORE_NO_THREAD: there are EXPLORE_THREADS already. */
unsigned explore_thread_create(void *(*start)(void *), void *arg, uintptr_t pc);

_Noreturn void explore_thread_exit(void *result); /* a `start` that returns does the same */
bool explore_thread_ended(unsigned thread);
void *explore_thread_result(unsigned thread);

/* Whether it is blocked now (its pending operation is not enabled), and how many steps it has
 * made. To be asked in a step with EXPLORE_ANY: what comes of the answer depends on everything. */
bool explore_thread_blocked(unsigned thread, uint64_t *steps);

/* What an ended thread did happens-before what the caller does from now on. */
void explore_thread_acquire(unsigned thread);

/* Ends the execution as exit(status) does: no other thread makes another step. */
_Noreturn void explore_exit(int status);

/* Ends the execution with a failure. */
_Noreturn void explore_fail(enum explore_verdict verdict, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* ------------------------------------------------------------------------------------------
 * The clock: virtual, in nanoseconds. It stands still but for explore_clock_advance, and for
 * deadlines that come.
 */
uint64_t explore_clock_now(void);
void explore_clock_advance(uint64_t ns); /* of an operation with EXPLORE_TIME */

/* ------------------------------------------------------------------------------------------
 * Happens-before
 */

/* What a synchronisation object hands from releasers to acquirers. All zero is "nothing". */
struct explore_clock {
	/* happens-before: the steps of each thread that are known */
	uint32_t before[EXPLORE_THREADS];
	/* the same, and what seq_cst fences made visible without ordering it */
	uint32_t visible[EXPLORE_THREADS];
	/* the same for seq_cst operations: a place in their total order */
	uint32_t fenced;
};

void explore_acquire(const struct explore_clock *clock);
void explore_release(struct explore_clock *clock);       /* adds what this thread did so far */
void explore_release_store(struct explore_clock *clock); /* the same, forgetting what was in it */

/* A seq_cst fence of every thread (membarrier). Ordered by the step that it is part of. */
void explore_fence_all(void);

/* ------------------------------------------------------------------------------------------
 * Memory
 */

/* Plain accesses of intercepted functions (memcpy, read, ...): checked for races and for freed
 * memory. */
void explore_read(const volatile void *address, size_t size, uintptr_t pc);
void explore_write(const volatile void *address, size_t size, uintptr_t pc);

/* An atomic access that synchronises with nothing: the kernel's look at a futex word. Reads the
 * newest store. It is a read by the thread that made the system call, so the thread will not see
 * an older one afterwards (coherence). */
uint32_t explore_read_atomic32(const volatile uint32_t *address, uintptr_t pc);

/* The heap: addresses are the same in each execution; nothing is reused within one. `align` 0:
 * that of max_align_t. NULL: no memory left, or an alignment that is no power of two. Contents
 * are 0 with `zero`, else a pattern. */
void *explore_alloc(size_t size, size_t align, bool zero, uintptr_t pc);
/* NULL does nothing; a second time is EXPLORE_DOUBLE_FREE */
void explore_free(void *block, uintptr_t pc);
size_t explore_block_size(const void *block); /* as asked for; 0 when it is not a live block */

/* Memory of the runtime itself that lasts until the end of the execution, zeroed. Never NULL. */
void *explore_scratch(size_t size);

/* The runtime's record of an object at an address of the program: the same for the same address
 * and type within an execution, zeroed when it is new. Gone when the memory is freed. Outside of
 * executions each call gives a zeroed one. */
void *explore_object(const volatile void *address, unsigned type, size_t size);
/* mutex_destroy and the like */
void explore_object_forget(const volatile void *address, unsigned type);

/* ------------------------------------------------------------------------------------------
 * The trace. Collected only when a failure is run again to be shown: guard what is expensive with
 * explore_tracing().
 */
bool explore_tracing(void);
/* What the current step did, after its operation's name: "= 3", "owner T1", ... */
void explore_trace(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ------------------------------------------------------------------------------------------
 * SEAM: what the stand-ins define (posix/sync.c). The runtime has empty weak ones for programs
 * without them (runtime/thread.c).
 */
void explore_sync_reset(void); /* at the beginning of each execution */
/* on a thread that ends: destructors of keys and thread-specific data */
void explore_sync_thread_exit(void);
/* on the thread that ends the program: what atexit was given */
void explore_sync_exit(int status);

#endif
