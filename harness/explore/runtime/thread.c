/* SPDX-License-Identifier: MIT
 *
 * thread.c - birth and end of threads, and of executions.
 */
#include "harness/explore/memory/clock.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int (*program)(void *);

static void *main_thread(void *arg)
{
	explore_exit(program(arg));
}

static unsigned bear(void *(*start)(void *), void *arg, uintptr_t pc)
{
	unsigned id = explore_now.threads++;
	struct explore_thread *thread = &explore_now.thread[id];
	memset(thread, 0, sizeof(*thread));
	thread->start = start;
	thread->argument = arg;
	thread->birth = (struct explore_op){.name = "thread start", .deadline = EXPLORE_NEVER, .pc = pc};
	thread->pending = &thread->birth;
	explore_now.alive |= 1u << id;
	explore_coroutine_prepare(id);
	return id;
}

unsigned explore_thread_create(void *(*start)(void *), void *arg, uintptr_t pc)
{
	if (explore_now.threads == EXPLORE_THREADS)
		return EXPLORE_NO_THREAD;
	struct explore_thread *self = explore_now.current;
	unsigned id = bear(start, arg, pc);
	explore_now.thread[id].now = self->now;
	clock_tick(&explore_now.thread[id]);
	clock_tick(self);
	return id;
}

/* SEAM: the stand-ins for libc. posix/sync.c defines these three and so overrides them in every
 * program that is linked with a stand-in. The tests of the runtime alone (litmus, defects, small
 * programs) use none, and get the empty ones. */
__attribute__((weak)) void explore_sync_reset(void)
{
}

__attribute__((weak)) void explore_sync_thread_exit(void)
{
}

__attribute__((weak)) void explore_sync_exit(int status)
{
	(void)status;
}

void explore_thread_main(void)
{
	struct explore_thread *self = explore_now.current;
	errno = 0;
	explore_thread_exit(self->start(self->argument));
}

void explore_thread_exit(void *result)
{
	struct explore_thread *self = explore_now.current;
	explore_sync_thread_exit();
	self->result = result;
	self->ended = true;
	self->pending = NULL;
	explore_now.alive &= ~(1u << explore_id(self));
	explore_now.passive = 0;
	explore_schedule();
	__builtin_unreachable();
}

bool explore_active(void)
{
	return explore_now.current != NULL;
}

unsigned explore_self(void)
{
	return explore_id(explore_now.current);
}

bool explore_thread_ended(unsigned thread)
{
	return explore_now.thread[thread].ended;
}

bool explore_thread_blocked(unsigned thread, uint64_t *steps)
{
	const struct explore_thread *other = &explore_now.thread[thread];
	const struct explore_op *op = other->pending;
	*steps = other->now.before[thread];
	return !other->ended && op->enabled != NULL && !op->enabled(op);
}

void *explore_thread_result(unsigned thread)
{
	return explore_now.thread[thread].result;
}

void explore_thread_acquire(unsigned thread)
{
	clock_join(explore_clock(), &explore_now.thread[thread].now);
}

void explore_end(void)
{
	explore_coroutine_driver();
	abort(); /* nobody goes on with an execution that has ended */
}

void explore_exit(int status)
{
	explore_sync_exit(status);
	struct explore_op op = {.name = "exit", .flags = EXPLORE_ANY, .deadline = EXPLORE_NEVER, .pc = EXPLORE_PC};
	explore_reach(&op);
	if (status != 0)
		explore_fail(EXPLORE_ASSERT, "the program ended with status %d", status);
	explore_heap_leaks();
	explore_end();
}

void explore_fail(enum explore_verdict verdict, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(explore_now.message, sizeof(explore_now.message), format, arguments);
	va_end(arguments);
	if (explore_now.current == NULL) {
		fprintf(stderr, "chanbench: explore: before the program began: %s\n", explore_now.message);
		exit(3);
	}
	explore_now.verdict = verdict;
	if (explore_now.tracing)
		explore_trace("<-- here");
	explore_end();
}

void explore_execute(int (*run)(void *), void *arg)
{
	program = run;
	if (++explore_now.generation == 0)
		explore_region_forget();
	explore_now.threads = explore_now.alive = explore_now.conditional = explore_now.passive = explore_now.slice = 0;
	explore_now.steps = explore_now.time = 0;
	explore_now.spurious = explore_options.spurious;
	explore_now.patience = EXPLORE_NEVER;
	explore_now.place = 0;
	memset(explore_now.visible, 0, sizeof(explore_now.visible));
	explore_now.verdict = EXPLORE_OK;
	explore_now.pruned = explore_now.reduces = explore_now.wrote = explore_now.quiet = explore_now.stale = false;
	explore_now.since = 0;
	explore_now.cut = NULL;
	explore_choices.count = 0;
	explore_scratch_reset();
	explore_heap_reset();
	explore_objects_reset();
	if (explore_now.tracing)
		explore_trace_begin();
	explore_sync_reset();
	explore_strategy_now.table->begin(explore_strategy_now.self);
	/* as a return address: just behind its beginning */
	bear(main_thread, arg, (uintptr_t)run + 1);
	clock_tick(&explore_now.thread[0]);
	if (explore_now.tracing)
		explore_trace_step(0, explore_now.thread[0].pending, false);
	explore_coroutine_switch(0);
}
