/* SPDX-License-Identifier: MIT
 *
 * thread.c - pthread_create, join, detach, exit. A pthread_t is the thread's number and 1, so
 * that 0 is nobody.
 *
 * A thread that nobody joins or detaches is a leak, as its memory is in life. Cancellation and
 * signals to threads are not modelled (refused.c). Cleanup handlers run where the program
 * pops them; a pthread_exit among them is refused.
 */
#include "harness/explore/runtime/core.h"
#include "harness/explore/look.h"
#include "harness/explore/posix/sync.h"
#include <errno.h>
#include <string.h>

struct thread {
	bool detached, joined, joining;
	unsigned cleanups; /* pushed and not popped */
	char name[16];
};

static struct thread threads[EXPLORE_THREADS];
static unsigned count; /* the main thread among them */

void sync_thread_reset(void)
{
	count = 1;
	threads[0] = (struct thread){0};
}

static unsigned number_of(pthread_t thread, const char *function)
{
	sync_inside(function);
	if (thread == 0 || thread > count)
		explore_fail(EXPLORE_ASSERT, "%s by T%u: there is no thread %#lx", function, explore_self(),
		             (unsigned long)thread);
	return (unsigned)thread - 1;
}

int sync_thread_start(pthread_t *thread, bool detached, void *(*start)(void *), void *arg, uintptr_t pc)
{
	if (thread != NULL)
		/* before it begins: as glibc does, it may look at it */
		explore_write(thread, sizeof(*thread), pc);
	unsigned id = explore_thread_create(start, arg, pc);
	if (id == EXPLORE_NO_THREAD)
		explore_fail(EXPLORE_UNSUPPORTED, "more than %d threads in one execution: use fewer", EXPLORE_THREADS);
	threads[id] = (struct thread){.detached = detached};
	count = id + 1;
	if (thread != NULL)
		*thread = id + 1;
	return 0;
}

bool explore_pthread_blocked(pthread_t thread, uint64_t *steps)
{
	unsigned id = number_of(thread, "explore_pthread_blocked");
	struct explore_op op = {
		.name = "look at a thread", .flags = EXPLORE_ANY, .deadline = EXPLORE_NEVER, .pc = EXPLORE_PC};
	explore_reach(&op);
	bool blocked = explore_thread_blocked(id, steps);
	explore_trace("%s after %llu steps", blocked ? "blocked" : "not blocked", (unsigned long long)*steps);
	return blocked;
}

static bool has_ended(const struct explore_op *op)
{
	return explore_now.thread[op->argument].ended;
}

/* Nobody else may join or detach it from now on. */
static void claim(unsigned id, const char *function)
{
	if (threads[id].detached)
		explore_fail(EXPLORE_ASSERT, "%s by T%u of T%u, which is detached", function, explore_self(), id);
	if (threads[id].joined || threads[id].joining)
		explore_fail(EXPLORE_ASSERT, "%s by T%u of T%u, which is joined already", function, explore_self(), id);
}

int sync_thread_join(pthread_t thread, void **result, uint64_t deadline, const char *function, uintptr_t pc)
{
	unsigned id = number_of(thread, function);
	if (id == explore_self())
		return EDEADLK;
	claim(id, function);
	threads[id].joining = true;
	struct explore_op op = {.name = function,
	                        .object = &threads[id],
	                        .size = sizeof(threads[id]),
	                        .flags = EXPLORE_JOINS,
	                        .enabled = has_ended,
	                        .argument = id,
	                        .deadline = deadline,
	                        .pc = pc};
	bool ended = explore_reach(&op);
	threads[id].joining = false;
	if (!ended)
		return ETIMEDOUT;
	threads[id].joined = true;
	explore_thread_acquire(id);
	if (result != NULL) {
		explore_write(result, sizeof(*result), pc);
		*result = explore_thread_result(id);
	}
	return 0;
}

void sync_threads_joined(void)
{
	for (unsigned id = 1; id < count; id++) {
		if (!threads[id].joined && !threads[id].detached)
			explore_fail(EXPLORE_LEAK, "T%u was neither joined nor detached when the program ended", id);
	}
}

int explored_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *arg)
{
	sync_inside("pthread_create");
	int state = PTHREAD_CREATE_JOINABLE;
	if (attributes != NULL)
		pthread_attr_getdetachstate(attributes, &state);
	return sync_thread_start(thread, state == PTHREAD_CREATE_DETACHED, start, arg, EXPLORE_PC);
}

int explored_pthread_join(pthread_t thread, void **result)
{
	return sync_thread_join(thread, result, EXPLORE_NEVER, "pthread_join", EXPLORE_PC);
}

int explored_pthread_tryjoin_np(pthread_t thread, void **result)
{
	unsigned id = number_of(thread, "pthread_tryjoin_np");
	struct explore_op op = {.name = "pthread_tryjoin_np",
	                        .object = &threads[id],
	                        .size = sizeof(threads[id]),
	                        .flags = EXPLORE_ANY,
	                        .deadline = EXPLORE_NEVER,
	                        .pc = EXPLORE_PC};
	explore_reach(&op);
	if (!explore_thread_ended(id)) {
		explore_idle();
		return EBUSY;
	}
	return sync_thread_join(thread, result, EXPLORE_NEVER, "pthread_tryjoin_np", EXPLORE_PC);
}

static int join_until(pthread_t thread, void **result, clockid_t clock, const struct timespec *until,
                      const char *function, uintptr_t pc)
{
	uint64_t deadline;
	sync_inside(function);
	return sync_until(clock, until, &deadline) ? sync_thread_join(thread, result, deadline, function, pc) : EINVAL;
}

int explored_pthread_clockjoin_np(pthread_t thread, void **result, clockid_t clock, const struct timespec *deadline)
{
	return join_until(thread, result, clock, deadline, "pthread_clockjoin_np", EXPLORE_PC);
}

int explored_pthread_timedjoin_np(pthread_t thread, void **result, const struct timespec *deadline)
{
	return join_until(thread, result, CLOCK_REALTIME, deadline, "pthread_timedjoin_np", EXPLORE_PC);
}

int explored_pthread_detach(pthread_t thread)
{
	unsigned id = number_of(thread, "pthread_detach");
	claim(id, "pthread_detach");
	threads[id].detached = true;
	return 0;
}

void explored_pthread_exit(void *result)
{
	sync_inside("pthread_exit");
	if (threads[explore_self()].cleanups > 0)
		explore_fail(EXPLORE_UNSUPPORTED, "pthread_exit between pthread_cleanup_push and _pop is not modelled");
	explore_thread_exit(result);
}

/* What pthread_cleanup_push and _pop are made of. */
void explored___pthread_register_cancel(void *buffer)
{
	(void)buffer;
	sync_inside("pthread_cleanup_push");
	threads[explore_self()].cleanups++;
}

void explored___pthread_unregister_cancel(void *buffer)
{
	(void)buffer;
	sync_inside("pthread_cleanup_pop");
	threads[explore_self()].cleanups--;
}

/* The first return of setjmp is like any other; a second one takes a longjmp, which is refused. */
int explored_setjmp(void *buffer)
{
	(void)buffer;
	return 0;
}

int explored__setjmp(void *buffer) __attribute__((alias("explored_setjmp")));
int explored_sigsetjmp(void *buffer, int mask) __attribute__((alias("explored___sigsetjmp")));
int explored___sigsetjmp(void *buffer, int mask)
{
	(void)mask;
	return explored_setjmp(buffer);
}

pthread_t explored_pthread_self(void)
{
	sync_inside("pthread_self");
	return explore_self() + 1;
}

int explored_pthread_equal(pthread_t a, pthread_t b)
{
	return a == b;
}

int explored_pthread_setname_np(pthread_t thread, const char *name)
{
	unsigned id = number_of(thread, "pthread_setname_np");
	if (strlen(name) >= sizeof(threads[id].name))
		return ERANGE;
	strcpy(threads[id].name, name);
	return 0;
}

int explored_pthread_getname_np(pthread_t thread, char *name, size_t size)
{
	unsigned id = number_of(thread, "pthread_getname_np");
	if (size <= strlen(threads[id].name))
		return ERANGE;
	strcpy(name, threads[id].name);
	return 0;
}
