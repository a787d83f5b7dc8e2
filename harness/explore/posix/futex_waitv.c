/* SPDX-License-Identifier: MIT
 *
 * sync_futex_waitv.c - futex_waitv: waiting for any of several words.
 *
 * As the kernel does it, the words are looked at and queued for one after another, each in a step
 * of its own. So a wake may be taken by a call that then finds a later word changed: it returns the
 * index of the word that was woken, and not EAGAIN. When several were woken it returns the last of
 * them, and the other wakes are lost to everybody, as in life.
 */
#include "harness/explore/posix/futex.h"
#include <errno.h>
#include <linux/futex.h>

/* The kernel's struct, which older headers do not have. */
struct wanted {
	uint64_t value;
	uint64_t address;
	uint32_t flags;
	uint32_t reserved;
};

#define WORDS_MAX   128 /* FUTEX_WAITV_MAX */
#define SIZE_U32    2   /* FUTEX_32 */
#define FLAGS_KNOWN (SIZE_U32 | FUTEX_PRIVATE_FLAG)

struct waitv {
	unsigned count;
	struct sync_waiter waiter[];
};

/* The last one that was woken and the end of all waiting; -1: none. Part of a step that concerns
 * all the words. */
static long leave(struct waitv *wait, unsigned queued)
{
	long woken = -1;
	for (unsigned i = 0; i < queued; i++) {
		if (wait->waiter[i].queue == NULL)
			woken = i;
		sync_dequeue(&wait->waiter[i]);
	}
	return woken;
}

static bool any_woken(const struct explore_op *op)
{
	const struct waitv *wait = op->state;
	for (unsigned i = 0; i < wait->count; i++) {
		if (wait->waiter[i].queue == NULL)
			return true;
	}
	return false;
}

/* The same as a step of its own. */
static long give_up(struct waitv *wait, unsigned queued, int error, uintptr_t pc)
{
	struct explore_op op = {
		.name = "futex_waitv gives up", .flags = EXPLORE_ANY, .deadline = EXPLORE_NEVER, .pc = pc};
	if (queued > 0)
		explore_reach(&op);
	long woken = leave(wait, queued);
	return woken >= 0 ? woken : futex_failed(error);
}

static bool valid(const struct wanted *wanted, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct wanted *w = &wanted[i];
		if ((w->flags & ~(uint32_t)FLAGS_KNOWN) != 0 || (w->flags & SIZE_U32) == 0 || w->reserved != 0 ||
		    w->value > UINT32_MAX || w->address % 4 != 0)
			return false;
	}
	return true;
}

static long enqueue_all(struct waitv *wait, const struct wanted *wanted, uintptr_t pc)
{
	for (unsigned i = 0; i < wait->count; i++) {
		const volatile uint32_t *word = (const volatile uint32_t *)wanted[i].address;
		struct explore_op op = {.name = "futex_waitv",
		                        .object = word,
		                        .size = sizeof(*word),
		                        .flags = EXPLORE_READS | EXPLORE_QUEUE,
		                        .deadline = EXPLORE_NEVER,
		                        .pc = pc};
		explore_reach(&op);
		if (explore_read_atomic32(word, pc) != (uint32_t)wanted[i].value)
			return give_up(wait, i, EAGAIN, pc);
		wait->waiter[i].tag = futex_tag(wanted[i].flags & FUTEX_PRIVATE_FLAG, FUTEX_BITSET_MATCH_ANY);
		sync_enqueue(futex_queue(word), &wait->waiter[i]);
	}
	return -2;
}

long sync_futex_waitv(const long a[6], uintptr_t pc)
{
	const struct wanted *wanted = (const struct wanted *)a[0];
	unsigned count = (unsigned)a[1];
	const struct timespec *time = (const struct timespec *)a[3];
	clockid_t clock = (clockid_t)(int)a[4];
	if (count == 0 || count > WORDS_MAX || wanted == NULL || (unsigned)a[2] != 0)
		return futex_failed(EINVAL);
	if (time != NULL && (!sync_time_valid(time) || (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME)))
		return futex_failed(EINVAL);
	explore_read(wanted, count * sizeof(*wanted), pc);
	if (!valid(wanted, count))
		return futex_failed(EINVAL);
	struct waitv *wait = explore_scratch(sizeof(*wait) + count * sizeof(wait->waiter[0]));
	wait->count = count;
	long result = enqueue_all(wait, wanted, pc);
	if (result != -2)
		return result;
	if (explore_spurious("futex_waitv returns EINTR"))
		return give_up(wait, count, EINTR, pc);
	struct explore_op op = {.name = "futex_waitv, until woken",
	                        .object = (const void *)wanted[0].address,
	                        .size = 4,
	                        .flags = EXPLORE_ANY,
	                        .enabled = any_woken,
	                        .state = wait,
	                        .deadline = time == NULL ? EXPLORE_NEVER : sync_deadline(clock, time),
	                        .pc = pc};
	bool in_time = explore_reach(&op);
	long woken = leave(wait, count);
	return in_time ? woken : futex_failed(ETIMEDOUT);
}
