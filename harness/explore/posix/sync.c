/* SPDX-License-Identifier: MIT
 *
 * sync.c - records of synchronisation objects, and queues of the threads that wait for them.
 */
#include "harness/explore/posix/sync.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DESTROYED 0xdd

void explore_sync_reset(void)
{
	sync_thread_reset();
	sync_key_reset();
	sync_membarrier_reset();
	posix_clock_reset();
	posix_eventfd_reset();
	posix_process_reset();
}

void explore_sync_thread_exit(void)
{
	sync_key_destructors();
}

void explore_sync_exit(int status)
{
	posix_process_atexit();
	if (status == 0)
		sync_threads_joined();
}

void sync_inside(const char *function)
{
	if (explore_active())
		return;
	fprintf(stderr,
	        "chanbench: explore: %s is called before the program's main function began, where it is not modelled; call it "
	        "from main\n",
	        function);
	exit(3);
}

struct record {
	bool known;
	max_align_t rest[];
};

void *sync_record(const volatile void *object, size_t size, enum sync_type type, size_t record_size, const char *what,
                  uintptr_t pc)
{
	struct record *record = explore_object(object, type, sizeof(*record) + record_size);
	if (record->known || !explore_active())
		return record->rest;
	explore_read(object, size, pc);
	for (size_t i = 0; i < size; i++) {
		if (((const volatile unsigned char *)object)[i] != 0)
			explore_fail(EXPLORE_ASSERT, "%s by T%u of what was not initialised, or was destroyed", what,
			             explore_self());
	}
	record->known = true;
	return record->rest;
}

static void fill(volatile void *object, size_t size, enum sync_type type, int byte, uintptr_t pc)
{
	explore_write(object, size, pc);
	explore_object_forget(object, type);
	memset((void *)(uintptr_t)object, byte, size);
}

void sync_begin(volatile void *object, size_t size, enum sync_type type, uintptr_t pc)
{
	fill(object, size, type, 0, pc);
}

void sync_end(volatile void *object, size_t size, enum sync_type type, uintptr_t pc)
{
	fill(object, size, type, DESTROYED, pc);
}

bool sync_step(const volatile void *object, size_t size, bool (*enabled)(const struct explore_op *op), void *state,
               uint64_t deadline, const char *function, uintptr_t pc)
{
	struct explore_op op = {.name = function,
	                        .object = object,
	                        .size = size,
	                        .enabled = enabled,
	                        .state = state,
	                        .deadline = deadline,
	                        .pc = pc};
	bool now = explore_reach(&op);
	explore_read(object, 1, pc);
	return now;
}

int sync_failed(int error)
{
	errno = error;
	return -1;
}

void sync_enqueue(struct sync_queue *queue, struct sync_waiter *waiter)
{
	struct sync_waiter **last = &queue->first;
	while (*last != NULL)
		last = &(*last)->next;
	waiter->next = NULL;
	waiter->queue = queue;
	*last = waiter;
}

void sync_dequeue(struct sync_waiter *waiter)
{
	if (waiter->queue == NULL)
		return;
	struct sync_waiter **link = &waiter->queue->first;
	while (*link != waiter)
		link = &(*link)->next;
	*link = waiter->next;
	waiter->queue = NULL;
}

static struct sync_waiter *nth(struct sync_queue *queue, unsigned n, bool (*accept)(uint64_t, uint64_t),
                               uint64_t argument, unsigned *count)
{
	*count = 0;
	for (struct sync_waiter *waiter = queue->first; waiter != NULL; waiter = waiter->next) {
		if ((accept == NULL || accept(waiter->tag, argument)) && (*count)++ == n)
			return waiter;
	}
	return NULL;
}

unsigned sync_wake(struct sync_queue *queue, unsigned count, bool (*accept)(uint64_t, uint64_t), uint64_t argument)
{
	unsigned woken = 0, waiting;
	while (woken < count) {
		nth(queue, ~0u, accept, argument, &waiting);
		if (waiting == 0)
			break;
		unsigned which = waiting <= count - woken ? 0 : explore_choose(waiting, "who is woken");
		sync_dequeue(nth(queue, which, accept, argument, &waiting));
		woken++;
	}
	return woken;
}

bool sync_woken(const struct explore_op *op)
{
	return ((const struct sync_waiter *)op->state)->queue == NULL;
}
