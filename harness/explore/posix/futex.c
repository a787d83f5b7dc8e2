/* SPDX-License-Identifier: MIT
 *
 * sync_futex.c - the futex system call: WAIT, WAKE, their _BITSET forms, REQUEUE and CMP_REQUEUE.
 *
 * A wait compares the word with what was expected and queues up, at once, as under the kernel's
 * lock; being woken is a step of its own. The compare sees the newest store, whatever the thread
 * itself could still see; nothing that the kernel does synchronises the threads with each other:
 * the program's own atomics must. A wake does not read the word, so it may come after the memory
 * was freed.
 *
 * A wait may return 0 without a wake, or fail with EINTR, as the schedule decides, as long as the
 * execution's budget for what is spurious lasts. EAGAIN comes from the word alone, as in the
 * kernel.
 *
 * A waiter whose word is private is not woken by a call without FUTEX_PRIVATE_FLAG, nor the other
 * way round: the kernel looks for them in different places.
 */
#include "harness/explore/posix/futex.h"
#include <errno.h>
#include <linux/futex.h>

long futex_failed(int error)
{
	errno = error;
	return -1;
}

struct sync_queue *futex_queue(const volatile void *word)
{
	return explore_object(word, SYNC_FUTEX, sizeof(struct sync_queue));
}

uint64_t futex_tag(bool is_private, uint32_t bits)
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
		return futex_failed(EAGAIN);
	}
	if (explore_spurious("futex wait returns spuriously"))
		return explore_choose(2, "futex wait: EINTR") == 0 ? 0 : futex_failed(EINTR);
	struct sync_waiter waiter = {.tag = tag};
	sync_enqueue(futex_queue(word), &waiter);
	struct explore_op wake =
		operation("futex wait, until woken", word, EXPLORE_QUEUE | EXPLORE_ASIDE | EXPLORE_WOKEN, pc);
	wake.enabled = sync_woken;
	wake.state = &waiter;
	wake.deadline = deadline;
	if (explore_reach(&wake))
		return 0;
	sync_dequeue(&waiter);
	return futex_failed(ETIMEDOUT);
}

static long wake(const volatile uint32_t *word, unsigned count, uint64_t tag, uintptr_t pc)
{
	struct explore_op op = operation("futex wake", word, EXPLORE_QUEUE | EXPLORE_ASIDE, pc);
	explore_reach(&op);
	unsigned woken = sync_wake(futex_queue(word), count, accepts, tag);
	explore_trace("wakes %u", woken);
	return (long)woken;
}

/* Two words in one step: others may depend on either. */
static long requeue(const volatile uint32_t *from, const volatile uint32_t *to, unsigned wakes, unsigned moves,
                    uint64_t tag, const uint32_t *expected, uintptr_t pc)
{
	struct explore_op op = operation("futex requeue", from, EXPLORE_ANY, pc);
	if ((int)wakes < 0 || (int)moves < 0 || (uintptr_t)to % 4 != 0)
		return futex_failed(EINVAL);
	explore_reach(&op);
	if (expected != NULL && explore_read_atomic32(from, pc) != *expected)
		return futex_failed(EAGAIN);
	struct sync_queue *queue = futex_queue(from);
	long affected = (long)sync_wake(queue, wakes, accepts, tag);
	for (struct sync_waiter *waiter = queue->first, *next; waiter != NULL && moves > 0; waiter = next) {
		next = waiter->next;
		if (!accepts(waiter->tag, tag))
			continue;
		sync_dequeue(waiter);
		sync_enqueue(futex_queue(to), waiter);
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
		return futex_failed(EINVAL);
	uint64_t deadline = EXPLORE_NEVER;
	clockid_t clock = operation_bits & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC;
	if (time != NULL)
		deadline = bitset ? sync_deadline(clock, time) : sync_deadline_after(time);
	return wait_while(word, (uint32_t)a[2], futex_tag(operation_bits & FUTEX_PRIVATE_FLAG, bits), deadline, pc);
}

long sync_futex(const long a[6], uintptr_t pc)
{
	const volatile uint32_t *word = (const volatile uint32_t *)a[0];
	int bits = (int)a[1];
	uint32_t expected = (uint32_t)a[5];
	uint64_t any = futex_tag(bits & FUTEX_PRIVATE_FLAG, FUTEX_BITSET_MATCH_ANY);
	if (a[0] % 4 != 0)
		return futex_failed(EINVAL);
	switch (bits & FUTEX_CMD_MASK) {
	case FUTEX_WAIT:
		return wait_call(a, false, pc);
	case FUTEX_WAIT_BITSET:
		return wait_call(a, true, pc);
	case FUTEX_WAKE:
		return wake(word, at_most(a[2]), any, pc);
	case FUTEX_WAKE_BITSET:
		if (expected == 0)
			return futex_failed(EINVAL);
		return wake(word, at_most(a[2]), futex_tag(bits & FUTEX_PRIVATE_FLAG, expected), pc);
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
