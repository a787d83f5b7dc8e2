/* SPDX-License-Identifier: MIT
 *
 * futex.c - the futex system call (WAIT, WAKE, their _BITSET forms, REQUEUE and CMP_REQUEUE), and
 * futex_waitv.
 *
 * A wait compares the word with what was expected and queues up, at once, as under the kernel's
 * lock. Being woken is a step of its own. The compare sees the newest store, whatever the thread
 * itself could still see. Nothing that the kernel does synchronises the threads with each other:
 * the program's own atomics must. A wake does not read the word, so it may come after the memory
 * was freed.
 *
 * A wait may return 0 without a wake, or fail with EINTR, as the schedule decides, as long as the
 * execution's budget for what is spurious lasts. EAGAIN comes from the word alone, as in the
 * kernel.
 *
 * A waiter whose word is private is not woken by a call without FUTEX_PRIVATE_FLAG, nor the other
 * way round: the kernel looks for them in different places.
 *
 * futex_waitv looks at the words and queues for them one after another, each in a step of its own,
 * as the kernel does. So a wake may be taken by a call that then finds a later word changed: it
 * returns the index of the word that was woken, and not EAGAIN. When several were woken it returns
 * the last of them, and the other wakes are lost to everybody, as in life.
 */
#include "harness/explore/posix/sync.h"
#include <errno.h>
#include <linux/futex.h>

/* A queue for each word. */
static struct sync_queue *queue_of(const volatile void *word)
{
	return explore_object(word, SYNC_FUTEX, sizeof(struct sync_queue));
}

/* Which waiters a wake can be for. */
static uint64_t tag_of(bool is_private, uint32_t bits)
{
	return (uint64_t)is_private << 32 | bits;
}

static bool accepts(uint64_t waiting, uint64_t waking)
{
	return waiting >> 32 == waking >> 32 && (uint32_t)(waiting & waking) != 0;
}

static struct explore_op operation(const char *name, const volatile uint32_t *word, unsigned flags, uintptr_t pc)
{
	return (struct explore_op){.name = name,
	                           .object = word,
	                           .size = sizeof(*word),
	                           .flags = flags,
	                           .deadline = EXPLORE_NEVER,
	                           .pc = pc};
}

static long wait_while(const volatile uint32_t *word, uint32_t expected, uint64_t tag, uint64_t deadline, uintptr_t pc)
{
	struct explore_op compare = operation("futex wait", word, EXPLORE_READS | EXPLORE_QUEUE, pc);
	explore_reach(&compare);
	uint32_t value = explore_read_atomic32(word, pc);
	if (value != expected) {
		explore_trace("= EAGAIN: the word is %u, not %u", value, expected);
		return sync_failed(EAGAIN);
	}
	if (explore_spurious("futex wait returns spuriously"))
		return explore_choose(2, "futex wait: EINTR") == 0 ? 0 : sync_failed(EINTR);
	struct sync_waiter waiter = {.tag = tag};
	sync_enqueue(queue_of(word), &waiter);
	struct explore_op wake =
		operation("futex wait, until woken", word, EXPLORE_QUEUE | EXPLORE_ASIDE | EXPLORE_WOKEN, pc);
	wake.enabled = sync_woken;
	wake.state = &waiter;
	wake.deadline = deadline;
	if (explore_reach(&wake))
		return 0;
	sync_dequeue(&waiter);
	return sync_failed(ETIMEDOUT);
}

static long wake(const volatile uint32_t *word, unsigned count, uint64_t tag, uintptr_t pc)
{
	struct explore_op op = operation("futex wake", word, EXPLORE_QUEUE | EXPLORE_ASIDE, pc);
	explore_reach(&op);
	unsigned woken = sync_wake(queue_of(word), count, accepts, tag);
	explore_trace("wakes %u", woken);
	return (long)woken;
}

/* Two words in one step: others may depend on either. */
static long requeue(const volatile uint32_t *from, const volatile uint32_t *to, unsigned wakes, unsigned moves,
                    uint64_t tag, const uint32_t *expected, uintptr_t pc)
{
	struct explore_op op = operation("futex requeue", from, EXPLORE_ANY, pc);
	if ((int)wakes < 0 || (int)moves < 0 || (uintptr_t)to % 4 != 0)
		return sync_failed(EINVAL);
	explore_reach(&op);
	if (expected != NULL && explore_read_atomic32(from, pc) != *expected)
		return sync_failed(EAGAIN);
	struct sync_queue *queue = queue_of(from);
	long affected = (long)sync_wake(queue, wakes, accepts, tag);
	for (struct sync_waiter *waiter = queue->first, *next; waiter != NULL && moves > 0; waiter = next) {
		next = waiter->next;
		if (!accepts(waiter->tag, tag))
			continue;
		sync_dequeue(waiter);
		sync_enqueue(queue_of(to), waiter);
		affected += expected != NULL; /* only CMP_REQUEUE counts those it moved */
		moves--;
	}
	return affected;
}

static unsigned at_most(long count)
{
	int given = (int)count;
	return given < 1 ? 1 : (unsigned)given; /* the kernel wakes one when asked for none */
}

static long wait_call(const long a[6], bool bitset, uintptr_t pc)
{
	const volatile uint32_t *word = (const volatile uint32_t *)a[0];
	int operation_bits = (int)a[1];
	const struct timespec *time = (const struct timespec *)a[3];
	uint32_t bits = bitset ? (uint32_t)a[5] : FUTEX_BITSET_MATCH_ANY;
	if (bits == 0 || (time != NULL && (!sync_time_valid(time) || time->tv_sec < 0)))
		return sync_failed(EINVAL);
	uint64_t deadline = EXPLORE_NEVER;
	clockid_t clock = operation_bits & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC;
	if (time != NULL)
		deadline = bitset ? sync_deadline(clock, time) : sync_deadline_after(time);
	return wait_while(word, (uint32_t)a[2], tag_of(operation_bits & FUTEX_PRIVATE_FLAG, bits), deadline, pc);
}

long sync_futex(const long a[6], uintptr_t pc)
{
	const volatile uint32_t *word = (const volatile uint32_t *)a[0];
	int bits = (int)a[1];
	uint32_t expected = (uint32_t)a[5];
	uint64_t any = tag_of(bits & FUTEX_PRIVATE_FLAG, FUTEX_BITSET_MATCH_ANY);
	if (a[0] % 4 != 0)
		return sync_failed(EINVAL);
	switch (bits & FUTEX_CMD_MASK) {
	case FUTEX_WAIT:
		return wait_call(a, false, pc);
	case FUTEX_WAIT_BITSET:
		return wait_call(a, true, pc);
	case FUTEX_WAKE:
		return wake(word, at_most(a[2]), any, pc);
	case FUTEX_WAKE_BITSET:
		if (expected == 0)
			return sync_failed(EINVAL);
		return wake(word, at_most(a[2]), tag_of(bits & FUTEX_PRIVATE_FLAG, expected), pc);
	case FUTEX_REQUEUE:
		return requeue(word, (const volatile uint32_t *)a[4], (unsigned)a[2], (unsigned)a[3], any, NULL, pc);
	case FUTEX_CMP_REQUEUE:
		return requeue(word, (const volatile uint32_t *)a[4], (unsigned)a[2], (unsigned)a[3], any, &expected,
		               pc);
	default:
		explore_fail(
			EXPLORE_UNSUPPORTED,
			"futex operation %d is not modelled; WAIT, WAKE, their _BITSET forms, REQUEUE and CMP_REQUEUE are",
			bits & FUTEX_CMD_MASK);
	}
}

/* ---- futex_waitv: waiting for any of several words ---- */

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
	return woken >= 0 ? woken : sync_failed(error);
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
		wait->waiter[i].tag = tag_of(wanted[i].flags & FUTEX_PRIVATE_FLAG, FUTEX_BITSET_MATCH_ANY);
		sync_enqueue(queue_of(word), &wait->waiter[i]);
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
		return sync_failed(EINVAL);
	if (time != NULL && (!sync_time_valid(time) || (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME)))
		return sync_failed(EINVAL);
	explore_read(wanted, count * sizeof(*wanted), pc);
	if (!valid(wanted, count))
		return sync_failed(EINVAL);
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
	return in_time ? woken : sync_failed(ETIMEDOUT);
}
