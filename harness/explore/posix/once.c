/* SPDX-License-Identifier: MIT
 *
 * once.c - pthread_once, and call_once, which is the same. The bytes are set as well: what ran
 * in a constructor has run.
 */
#include "harness/explore/posix/sync.h"

struct once {
	bool running, done;
	struct explore_clock clock;
};

static bool not_running(const struct explore_op *op)
{
	return !((const struct once *)op->state)->running;
}

int sync_once(int *once, void (*function)(void), uintptr_t pc)
{
	if (!explore_active())
		return pthread_once(once, function);
	struct once *record = explore_object(once, SYNC_ONCE, sizeof(*record));
	struct explore_op op = {.name = "pthread_once",
	                        .object = once,
	                        .size = sizeof(*once),
	                        .enabled = not_running,
	                        .state = record,
	                        .deadline = EXPLORE_NEVER,
	                        .pc = pc};
	explore_reach(&op);
	explore_read(once, 1, pc);
	if (!record->done && *once == PTHREAD_ONCE_INIT) {
		record->running = true;
		function();
		struct explore_op end = op;
		end.enabled = NULL;
		explore_reach(&end);
		record->running = false;
		record->done = true;
		explore_release_store(&record->clock);
	}
	explore_acquire(&record->clock);
	return 0;
}

int explored_pthread_once(pthread_once_t *once, void (*function)(void))
{
	return sync_once(once, function, EXPLORE_PC);
}
