/* SPDX-License-Identifier: MIT
 *
 * explore.h - driving the explorer: run a program under many schedules, and learn what went wrong
 * in which one.
 *
 * The program is ordinary C11 that was compiled with -fsanitize=thread and linked to this runtime
 * instead of ThreadSanitizer's. It runs again and again from the same initial state (globals,
 * thread-local variables, heap and clock are put back), each time under another schedule: which
 * thread makes the next step, and which store each load sees.
 *
 *   struct explore_options options = EXPLORE_DEFAULTS;
 *   struct explore_result result;
 *   options.strategy = EXPLORE_DFS;
 *   if (explore_run(program, NULL, &options, &result) != 0)
 *       ... result.message says what is wrong with the request (a replay string from other code,
 *       ...)
 *   if (result.verdict != EXPLORE_OK)
 *       printf("%s\n%s\nreplay with %s\n", result.message, result.trace, result.replay);
 *   explore_result_free(&result);
 *
 * One run at a time in a process; runs may follow each other. Everything happens on the thread that
 * calls explore_run. The same program, options and seed give the same result, always; only a limit
 * in seconds makes it depend on the machine.
 */
#ifndef CHANBENCH_EXPLORE_H
#define CHANBENCH_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum explore_verdict {
	EXPLORE_OK,
	/* two accesses, one a write, one not atomic, and nothing that orders them */
	EXPLORE_RACE,
	/* nobody can make a step, and somebody is blocked: a lost wakeup, too */
	EXPLORE_DEADLOCK,
	EXPLORE_ASSERT, /* an assertion, abort, or main with a status other than 0 */
	/* an access to freed memory, or one that nothing orders before the free */
	EXPLORE_USE_AFTER_FREE,
	EXPLORE_DOUBLE_FREE, /* also a free of what was never allocated */
	EXPLORE_LEAK,        /* a block that nothing points to when the program has ended */
	EXPLORE_LIVELOCK,    /* more steps than options.steps */
	EXPLORE_HANG,        /* computing without a step: a loop that no other thread can end */
	EXPLORE_CRASH,       /* SIGSEGV, SIGBUS, SIGFPE, SIGILL; a stack overflow */
	/* the program's own account of its messages does not add up (explore_fail says so) */
	EXPLORE_LEDGER,
	EXPLORE_UNSUPPORTED /* the program uses what is not modelled; the message names it */
};

/* "ok", "race", "deadlock", ...: as the JSON has it. */
const char *explore_verdict_name(enum explore_verdict verdict);

/* "relaxed", "acquire", ...: of an __ATOMIC_* constant. */
const char *explore_order_name(int order);

enum explore_strategy {
	/* all of the below in turn, until the search is exhausted or the budget is used up */
	EXPLORE_AUTO,
	EXPLORE_RANDOM, /* random walk: each choice uniform */
	/* random priorities and `depth` - 1 points at which the running thread falls behind all
	 * others */
	EXPLORE_PCT,
	/* every schedule; with reduction when unbounded, else at most `bound` preemptions each */
	EXPLORE_DFS,
	EXPLORE_BYTES /* the choices are the bytes of `bytes` (one execution): for a fuzzer */
};

enum explore_memory {
	EXPLORE_C11, /* a load may see any store that coherence and happens-before still allow */
	EXPLORE_SC   /* a load sees the newest store; races are still judged by the memory orders */
};

#define EXPLORE_UNBOUNDED (~0u)

/* One atomic call site, by what the compiler made of it: the return address of the hook (as an
 * offset into the program's file, the same in every process), and the order it asks for. */
struct explore_site {
	uintptr_t pc;
	int order;     /* __ATOMIC_* */
	int operation; /* enum explore_site_operation */
};
enum explore_site_operation {
	EXPLORE_SITE_LOAD,
	EXPLORE_SITE_STORE,
	EXPLORE_SITE_RMW,
	EXPLORE_SITE_CAS,      /* the order when it exchanges */
	EXPLORE_SITE_CAS_FAIL, /* and when it does not: of the load that it is then */
	EXPLORE_SITE_FENCE
};

struct explore_options {
	enum explore_strategy strategy;
	enum explore_memory memory;
	unsigned depth; /* PCT: at least 1 */
	/* DFS: preemptions of one execution (a deadline that comes early is one);
	 * EXPLORE_UNBOUNDED */
	unsigned bound;
	uint64_t schedules; /* executions at most; 0: no limit */
	double seconds;     /* of real time; 0: no limit */
	uint64_t seed;
	uint64_t steps; /* steps of one execution before it counts as a livelock */
	/* spurious returns (weak compare-exchange, futex, condition variable) of one execution */
	unsigned spurious;
	const char *replay;   /* not NULL: only this schedule */
	const uint8_t *bytes; /* EXPLORE_BYTES */
	size_t bytes_count;
	bool shorten; /* look for a shorter schedule that fails the same way */

	/* Memory-order mutation: what the site `weaken` asks for, as if it asked for
	 * `weaken_to`. weaken.pc 0: none. */
	struct explore_site weaken;
	int weaken_to;

	/* Called after each execution that came to its end without a failure, with the globals
	 * as it left them. */
	void (*after)(void *arg);
	void *after_arg;
};

#define EXPLORE_DEFAULTS                                                                                               \
	{                                                                                                              \
		.strategy = EXPLORE_AUTO, .memory = EXPLORE_C11, .depth = 3, .bound = EXPLORE_UNBOUNDED,               \
		.schedules = 0, .seconds = 0, .seed = 1, .steps = 20000, .spurious = 1, .shorten = true                \
	}

struct explore_result {
	enum explore_verdict verdict;
	/* what is wrong, in one or a few lines, with file:line and threads; NULL when nothing is */
	char *message;
	char *trace;  /* the failing execution, an operation a line; NULL without a failure */
	char *replay; /* the failing schedule; NULL without a failure */
	/* the shortened one; NULL when it was not asked for, or is not shorter */
	char *replay_short;
	uint64_t executions;
	/* of these: given up because another order of independent steps covers them */
	uint64_t redundant;
	uint64_t steps;
	uint64_t states;       /* distinct final states: globals at the end */
	uint64_t failed_after; /* executions before the failing one */
	bool exhausted;        /* nothing is left to explore within the model (and the bound) */
	/* why not exhausted, or what was cut off within: "schedules", "seconds", "spinning",
	 * "memory" ... */
	const char *truncated;
	double elapsed; /* seconds */
};

/* Explores. `program` is called once for each execution, on a stack of its own as thread 0; its
 * result is the exit status. Stops at the first failure. Returns 0, or -1 with a message when
 * the request cannot be served (replay string refused, no memory for the state space, ...).
 * Fills in `result` in either case. */
int explore_run(int (*program)(void *arg), void *arg, const struct explore_options *options,
                struct explore_result *result);

void explore_result_free(struct explore_result *result);

/* The atomic call sites met in all runs of this process so far, in no particular order. The
 * array belongs to the runtime and is valid until the next run. */
size_t explore_sites(const struct explore_site **sites);

/* "file:line:column in function" of a site's pc. Writes at most `size` bytes; "?" where nothing
 * is known. */
void explore_site_describe(uintptr_t pc, char *text, size_t size);

/* The fingerprint of this program's code that replay strings carry. */
uint64_t explore_fingerprint(void);

#endif
