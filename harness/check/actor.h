/* SPDX-License-Identifier: MIT
 *
 * actor.h - operations that may block run in actors: threads that do one job at a time.
 *
 *   struct actor *a = actor_start();
 *   actor_run(a, &(struct job){.run = ..., .tx = tx, .deadline = CHAN_FOREVER}, "send 2");
 *   want_blocked(a);
 *   ... something that lets it go on ...
 *   want_returns(a, CHAN_OK);
 *
 * scenarios/rules/steps.h has the jobs: actor_send, actor_recv ...
 */
#ifndef CHANBENCH_CHECK_ACTOR_H
#define CHANBENCH_CHECK_ACTOR_H

#include "harness/check/rule.h"

/* One operation: what it is given and what came of it. */
struct job {
	enum chan_status (*run)(struct job *job);
	const struct test *test;
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct chan_permit *permit;
	void *array;
	size_t n;          /* given: how many; afterwards: how many it was */
	uint64_t value;    /* given: what to send; afterwards: what was received */
	uint64_t missed;   /* broadcast: how many were lost */
	uint64_t deadline; /* absolute */
};

struct actor;

/* A new thread, named a, b, c ... in the order of their start. Ended by actors_stop. */
struct actor *actor_start(void);

/* Gives it a job; it must have none. `format` says which, for the report. */
void actor_run(struct actor *actor, const struct job *job, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Waits until nothing moves (quiesce.h). The test is untestable when something always does. */
void settle(void);

/* Its job has not returned, and nothing moves any more. */
#define want_blocked(actor) want_actor_blocked(actor, __FILE__, __LINE__)

/* Its job returns this status without anything else being done. The test waits until the job has
 * returned, or until nothing moves and the job's deadline is over. The value of the expression is
 * what became of the job, valid until the actor's next one. */
#define want_returns(actor, status) want_actor_returns(actor, status, __FILE__, __LINE__)

/* The same, and the value received is this one. */
#define want_gets(actor, value) want_actor_gets(actor, value, __FILE__, __LINE__)

/* Waits until its job has returned or nothing moves any more, however long the job works. It stands
 * before want_returns where a job has many steps. A job that neither ends nor rests is left to the
 * watchdog. */
void actor_await(struct actor *actor);

/* Waits for the job's end as want_returns does, whatever its status. */
const struct job *actor_join(struct actor *actor, enum chan_status *status, const char *file, int line);

/* Whether its job has returned by now. */
bool actor_done(struct actor *actor);

/* Ends all of them; none may have a job. */
void actors_stop(void);

void want_actor_blocked(struct actor *actor, const char *file, int line);
const struct job *want_actor_returns(struct actor *actor, enum chan_status status, const char *file, int line);
void want_actor_gets(struct actor *actor, uint64_t value, const char *file, int line);

#endif
