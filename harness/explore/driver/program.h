/* SPDX-License-Identifier: MIT
 *
 * program.h - small concurrent programs over the contract, for an explorer of interleavings.
 *
 * A program is two to four threads that do one to four operations each, on a fresh channel. It is
 * small so that all of its interleavings can be run; what it expects holds in each of them, and
 * cites the rule that says so. They are ordinary programs: they run on real threads too, where they
 * see a few interleavings of many.
 *
 * WHAT IS WATCHED. A message is a block of memory that its maker writes before the send and that
 * whoever ends it reads and frees. So an explorer that watches memory sees a lost message as a
 * leak, one that was delivered twice as a double free, and one that came without the order that the
 * contract promises (M-67) as a data race. The same is counted (D-1): every thread counts what it
 * made and ended in its thread-local tally, which costs no shared memory and so hides no race;
 * program_end compares the sums. A thread that is never woken again shows as a deadlock.
 *
 *   static void sender(void *arg)
 *   {
 *           struct scene *s = arg;
 *           expect("M-17", mpsc_send(s->ops, s->tx, 1, CHAN_FOREVER) == CHAN_OK);
 *           s->ops->sender_drop(&s->tx);
 *   }
 *   static void send_recv(const struct program_env *env)
 *   {
 *           struct scene s = {.ops = env->mpsc};
 *           mpsc_open(env->mpsc, 1, &s.tx, &s.rx);
 *           program_together(&s, sender, receiver);
 *   }
 *
 * A handle that a thread uses and main drops afterwards is ordered by the join; one that two
 * threads use at the same time is a mistake of the program (channel.h, WHO OWNS WHAT). Programs
 * keep no state in static memory, and use no lock or atomic of their own beside what their comment
 * says: it would order the threads and hide what is looked for.
 */
#ifndef CHANBENCH_PROGRAM_H
#define CHANBENCH_PROGRAM_H

#include "harness/info.h"
#include "impls/channel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/* What a program runs on: one kind of one implementation. */
struct program_env {
	const struct chan_impl *impl;
	enum kind kind;
	const struct chan_mpsc_ops *mpsc; /* mpsc and unbounded: that kind's table */
};

struct program {
	const char *name;    /* unique within a kind */
	unsigned kinds;      /* bit k: enum kind k */
	const char *needs;   /* functions beyond the minimum: "close sender_clone"; NULL: none */
	const char *rules;   /* what it is after: "M-34 M-48" */
	const char *summary; /* one line */
	void (*run)(const struct program_env *env);
};

/* All of them, table by table; each table ends with a NULL name, the list with NULL. */
extern const struct program *const program_tables[];

/* Whether an implementation can run it as that kind: has the kind, and there what it needs, and
 * does not declare that it deviates from one of its rules. */
bool program_offered(const struct program *program, const struct impl_info *info, enum kind kind);

/* Runs it once, from its open to the comparison of what was made and ended. */
void program_run(const struct program *program, const struct chan_impl *impl, enum kind kind);

/* ------------------------------------------------------------------------------------------
 * Expectations
 */

/* Ends the program, as a failed assert does, unless the condition holds. `rules` is a literal:
 * "M-18". */
#define expect(rules, condition)                                                                                       \
	((condition) ? (void)0 : program_fail(rules ": " #condition, __FILE__, __LINE__, __func__))

void program_fail(const char *what, const char *file, unsigned line, const char *function) __attribute__((noreturn));

/* ------------------------------------------------------------------------------------------
 * Threads
 */

struct program_tally {
	unsigned made, ended;
	uint64_t saw; /* a hash of what the operations gave, in order */
};

/* Notes a result. What all threads saw is left in program_outcome, from which an explorer tells
 * how many different ends a program can come to. The operations below note what they give. */
void program_saw(uint64_t result);
extern uint64_t program_outcome;

struct program_thread {
	pthread_t id;
	void (*body)(void *arg);
	void *arg;
	struct program_tally tally; /* when it was joined */
};

void program_start(struct program_thread *thread, void (*body)(void *arg), void *arg);

/* Waits for them, and adds what they counted to the caller's tally. */
void program_join(struct program_thread *threads, size_t count);

/* Starts a thread for each of these functions, TOGETHER_MAX at most, all with the same argument,
 * and joins them. */
enum { TOGETHER_MAX = 4 };
#define program_together(arg, ...)                                                                                     \
	program_run_all(arg, (void (*const[])(void *)){__VA_ARGS__},                                                   \
	                sizeof((void (*const[])(void *)){__VA_ARGS__}) / sizeof(void (*)(void *)))
void program_run_all(void *arg, void (*const bodies[])(void *arg), size_t count);

/* Whether the thread is blocked at this moment; `*steps` says how far it has come. Only an
 * explorer can tell: on real threads false. */
bool program_blocked(const struct program_thread *thread, uint64_t *steps);

/* "It has happened": release and acquire, for a rule that speaks of what happened before. Not
 * tried when memory orders are weakened. */
void program_raise(atomic_bool *flag);
bool program_raised(const atomic_bool *flag);

/* A deadline that comes before long. */
uint64_t program_soon(void);

/* ------------------------------------------------------------------------------------------
 * Messages. An element is a `struct message *`.
 */

struct message {
	unsigned number;
};

struct message *message_new(unsigned number);
unsigned message_end(struct message *message); /* its number */

/* The hooks: for mpsc and oneshot `destroy`, for broadcast and watch both. */
void message_destroy(void *element, void *context);
int message_clone(void *to, const void *from, void *context);

/* ------------------------------------------------------------------------------------------
 * Operations with messages: what was not sent is ended by who made it, as the contract wants, and
 * what was received by who received it.
 */

void mpsc_open(const struct chan_mpsc_ops *ops, size_t capacity, struct chan_sender **tx, struct chan_receiver **rx);
struct chan_sender *mpsc_clone(const struct chan_mpsc_ops *ops, struct chan_sender *tx);
enum chan_status mpsc_send(const struct chan_mpsc_ops *ops, struct chan_sender *tx, unsigned number, uint64_t deadline);
enum chan_status mpsc_recv(const struct chan_mpsc_ops *ops, struct chan_receiver *rx, unsigned *number,
                           uint64_t deadline);

/* Receives until CHAN_CLOSED: how many. */
unsigned mpsc_drain(const struct chan_mpsc_ops *ops, struct chan_receiver *rx);

#endif
