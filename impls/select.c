/* SPDX-License-Identifier: MIT
 *
 * A select first tries each branch, in the order of its choice: when one is ready nothing is
 * registered. Only then it arms them, sleeps on one word in its frame until one fires, and tries
 * what fired.
 *
 * WHY NO WAKE IS LOST. A branch that was armed was not ready at that moment, and fires if it
 * becomes so. The wake stores 1 to the word before it wakes the sleeper, and the kernel lets the
 * select sleep only while the word is 0; the word is set back to 0 before the branches are looked
 * at, so that a wake that comes during the look is seen by the next sleep.
 *
 * WHY "NONE" IS TRUE OF ONE MOMENT (S-3). Each branch was not ready when it was armed; disarm says
 * that it did not fire until it was disarmed. The interval of every branch contains the moment
 * between the last arm and the first disarm. If a disarm says that it fired after all, there is no
 * such moment, and the select begins again; something happened on that channel meanwhile, so it
 * begins again only as often as others get on.
 */
#include "impls/select.h"
#include "impls/base/futex.h"

/* One call of chan_select. */
struct run {
	struct chan_branch *branches;
	size_t enabled;        /* how many places of the order are in use */
	_Atomic uint32_t word; /* 1: a branch fired since it was last looked at */
	size_t chosen;
	enum chan_status status;
};

/* The disarm waits until this has returned: neither branch nor run goes away under it (S-9). */
static void wake(struct chan_waiter *waiter)
{
	struct chan_branch *b = (struct chan_branch *)(void *)((char *)waiter - offsetof(struct chan_branch, waiter));
	struct run *run = (struct run *)b->run;

	/* Orders nothing: whoever sees it tries the operation, which synchronises by itself, and
	 * disarms, which waits for this call. */
	__atomic_store_n(&b->fired, 1, __ATOMIC_RELAXED);
	if (atomic_exchange_explicit(&run->word, 1, memory_order_release) == 0) /* A1 */
		chan_futex_wake(&run->word, 1);
}

/* Waits for a wake that was not looked at yet. True: there is one. False: the deadline has come.
 * Sleeps that are spurious or interrupted go round (S-16). */
static bool await_wake(struct run *run, uint64_t deadline)
{
	bool in_time = deadline != CHAN_NOW;

	while (atomic_exchange_explicit(&run->word, 0, memory_order_acquire) == 0) { /* R1 */
		if (!in_time)
			return false;
		in_time = chan_futex_wait(&run->word, 0, deadline);
	}
	return true;
}

/* Good enough to be fair, and no memory is shared for it. */
static size_t random_below(size_t n)
{
	static _Thread_local uint64_t state;

	if (state == 0)
		state = (chan_now() ^ (uintptr_t)&state) | 1;
	state ^= state >> 12; /* xorshift64* */
	state ^= state << 25;
	state ^= state >> 27;
	return (size_t)(((state * 0x2545f4914f6cdd1du) >> 32) % n);
}

/* Puts the enabled branches into the order in which they are looked at. False: the call is
 * invalid. */
static bool prepare(struct run *run, size_t count, unsigned flags)
{
	struct chan_branch *branches = run->branches;

	for (size_t i = 0; i < count; i++) {
		struct chan_branch *b = &branches[i];
		if (b->disabled)
			continue;
		if (b->complete == NULL || !chan_source_offered(&b->source)) {
			run->chosen = i;
			return false;
		}
		b->run = (uintptr_t)run;
		b->waiter.wake = wake;
		b->armed = false;
		branches[run->enabled++].order = i;
	}
	if (!(flags & CHAN_BIASED))
		for (size_t left = run->enabled; left > 1; left--) {
			size_t other = random_below(left);
			size_t order = branches[other].order;
			branches[other].order = branches[left - 1].order;
			branches[left - 1].order = order;
		}
	return run->enabled > 0 && (flags & ~(unsigned)CHAN_BIASED) == 0;
}

static struct chan_branch *in_order(const struct run *run, size_t place)
{
	return &run->branches[run->branches[place].order];
}

static bool choose(struct run *run, struct chan_branch *b, enum chan_status status)
{
	run->chosen = (size_t)(b - run->branches);
	run->status = status;
	return true;
}

/* The operation itself; false: not now. */
static bool complete(struct run *run, struct chan_branch *b)
{
	enum chan_status status = b->complete(b);

	if (status == CHAN_FULL || status == CHAN_EMPTY)
		return false;
	if (status == CHAN_INVALID)
		return choose(run, b, CHAN_INVALID);
	b->status = status;
	return choose(run, b, CHAN_OK);
}

static bool complete_any(struct run *run)
{
	for (size_t k = 0; k < run->enabled; k++)
		if (complete(run, in_order(run, k)))
			return true;
	return false;
}

/* Arms what is not armed. Ready and yet not to be completed: somebody else was faster, and it is
 * asked again. */
static bool arm_all_or_complete(struct run *run)
{
	for (size_t k = 0; k < run->enabled; k++) {
		struct chan_branch *b = in_order(run, k);

		while (!b->armed) {
			b->fired = 0; /* nobody else knows of the waiter yet */
			switch (chan_source_arm(&b->source, &b->waiter)) {
			case CHAN_ARMED:
				b->armed = true;
				break;
			case CHAN_READY:
				if (complete(run, b))
					return true;
				break;
			case CHAN_NOT_ARMED:
				return choose(run, b, CHAN_INVALID);
			}
		}
	}
	return false;
}

/* What fired is tried while it is still armed: a slot that a sender was granted is its own until
 * the disarm. */
static bool complete_fired(struct run *run)
{
	for (size_t k = 0; k < run->enabled; k++) {
		struct chan_branch *b = in_order(run, k);

		if (!__atomic_load_n(&b->fired, __ATOMIC_RELAXED)) /* see wake */
			continue;
		if (complete(run, b))
			return true;
		chan_source_disarm(&b->source, &b->waiter);
		b->armed = false;
		b->fired = 0;
	}
	return false;
}

/* Whether one of them had fired. The implementation passes on what a loser was granted (S-8). */
static bool disarm_all(struct run *run)
{
	bool fired = false;

	for (size_t k = 0; k < run->enabled; k++) {
		struct chan_branch *b = in_order(run, k);

		if (b->armed && chan_source_disarm(&b->source, &b->waiter))
			fired = true;
		b->armed = false;
	}
	return fired;
}

enum chan_status chan_select(struct chan_branch *branches, size_t count, uint64_t deadline, unsigned flags,
                             size_t *chosen)
{
	struct run run = {.branches = branches, .chosen = CHAN_NO_BRANCH, .status = CHAN_INVALID};

	if (!prepare(&run, count, flags) || complete_any(&run))
		goto out;
	while (!arm_all_or_complete(&run)) {
		if (await_wake(&run, deadline)) {
			if (complete_fired(&run))
				break;
		} else if (!disarm_all(&run)) {
			run.status = deadline == CHAN_NOW ? CHAN_EMPTY : CHAN_TIMEOUT;
			break;
		}
	}
	disarm_all(&run);
out:
	if (chosen != NULL)
		*chosen = run.chosen;
	return run.status;
}

size_t chan_select_lacks(const struct chan_branch *branches, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (branches[i].complete == NULL || !chan_source_offered(&branches[i].source))
			return i;
	return CHAN_NO_BRANCH;
}
