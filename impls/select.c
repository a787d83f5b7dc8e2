/* SPDX-License-Identifier: MIT
 *
 * select.c - waits for whichever of several operations can complete first.
 *
 * THE ALGORITHM. A select that finds an operation ready registers nothing.
 *   1  prepare              puts the enabled branches into a random order, or into the order of
 *                           their indexes (CHAN_BIASED)
 *   2  complete_any         tries each operation, without waiting; the first that completes is
 *                           chosen, and the select returns
 *   3  arm_all_or_complete  arms the branches that are not armed; one that is ready is tried
 *   4  await_wake           sleeps on one word in the frame of the call until a branch fires
 *   5  complete_fired       tries the branches that have fired; where another thread was faster, it
 *                           disarms the branch, and the select goes back to 3
 *   6  disarm_all           ends every registration
 *
 * INVARIANTS
 *   I1  After disarm_all no other thread touches a branch or the word (S-9): a disarm waits until a
 *       running wake has returned.
 *   I2  At most one operation of a call has an effect.
 *
 * WHY NO WAKE IS LOST. A branch that was armed was not ready at that moment, and fires as soon as
 * it is. Its wake stores 1 to the word before it wakes the sleeper. The kernel lets the select
 * sleep only while the word is 0. The select sets the word to 0 before it looks at the branches, so
 * a wake that comes during the look is found by the next sleep.
 *
 * WHY "NONE" IS TRUE OF ONE MOMENT (S-3). Each branch was not ready when it was armed, and its
 * disarm says that it had not fired until then. So the interval of every branch contains the moment
 * between the last arm and the first disarm. If a disarm says that the branch had fired after all,
 * there is no such moment, and the select begins again. Something happened on that channel
 * meanwhile, so it begins again only as often as others get on.
 *
 * LINEARIZATION. CHAN_OK: that of the operation that completed. CHAN_EMPTY and CHAN_TIMEOUT: any
 * moment between the last arm and the first disarm.
 *
 * ORDER
 *   A1 -> R1  a wake sets the word (release) -> the select takes it (acquire): the select sees
 *             `fired` of the branch. The operation itself synchronises with its channel.
 */
#include "impls/select.h"
#include "impls/base/futex.h"

/* ------------------------------------------------------------------------------------------
 * The operations that a select can choose
 */

/* The form of an operation that does not wait, on branch `b` of a table `ops` of that kind. */
#define COMPLETE(operation, kind, call)                                                                                \
	static enum chan_status complete_##operation(struct chan_branch *b)                                            \
	{                                                                                                              \
		const struct chan_##kind##_ops *ops = (const struct chan_##kind##_ops *)b->ops;                        \
		return call;                                                                                           \
	}

COMPLETE(send, mpsc, ops->send(b->source.tx, b->in, CHAN_NOW))
COMPLETE(reserve, mpsc, ops->reserve(b->source.tx, 1, (struct chan_permit *)b->out, CHAN_NOW))
COMPLETE(recv, mpsc, ops->recv(b->source.rx, b->out, CHAN_NOW))
COMPLETE(closed, mpsc, ops->closed(b->source.tx, CHAN_NOW))
COMPLETE(oneshot_recv, oneshot, ops->recv(b->source.rx, b->out, CHAN_NOW))
COMPLETE(oneshot_closed, oneshot, ops->closed(b->source.tx, CHAN_NOW))
COMPLETE(broadcast_closed, broadcast, ops->closed(b->source.tx, CHAN_NOW))
COMPLETE(changed, watch, ops->changed(b->source.rx, CHAN_NOW))
COMPLETE(watch_closed, watch, ops->closed(b->source.tx, CHAN_NOW))

/* `missed` is set on the chosen branch only. */
static enum chan_status complete_broadcast_recv(struct chan_branch *b)
{
	const struct chan_broadcast_ops *ops = (const struct chan_broadcast_ops *)b->ops;
	uint64_t missed = 0;
	enum chan_status status = ops->recv(b->source.rx, b->out, &missed, CHAN_NOW);

	if (status == CHAN_LAGGED)
		b->missed = missed;
	return status;
}

static struct chan_branch branch(struct chan_source source, const void *ops,
                                 enum chan_status (*complete)(struct chan_branch *), const void *in, void *out)
{
	return (struct chan_branch){.source = source, .complete = complete, .ops = ops, .in = in, .out = out};
}

struct chan_branch chan_on_send(const struct chan_mpsc_ops *ops, struct chan_sender *tx, const void *msg)
{
	return branch(chan_source_send(ops, tx), ops, complete_send, msg, NULL);
}

struct chan_branch chan_on_reserve(const struct chan_mpsc_ops *ops, struct chan_sender *tx, struct chan_permit *permit)
{
	return branch(chan_source_send(ops, tx), ops, ops->reserve != NULL ? complete_reserve : NULL, NULL, permit);
}

struct chan_branch chan_on_recv(const struct chan_mpsc_ops *ops, struct chan_receiver *rx, void *msg)
{
	return branch(chan_source_recv(ops, rx), ops, complete_recv, NULL, msg);
}

struct chan_branch chan_on_oneshot_recv(const struct chan_oneshot_ops *ops, struct chan_receiver *rx, void *msg)
{
	return branch(chan_source_oneshot_recv(ops, rx), ops, complete_oneshot_recv, NULL, msg);
}

struct chan_branch chan_on_broadcast_recv(const struct chan_broadcast_ops *ops, struct chan_receiver *rx, void *msg)
{
	return branch(chan_source_broadcast_recv(ops, rx), ops, complete_broadcast_recv, NULL, msg);
}

struct chan_branch chan_on_changed(const struct chan_watch_ops *ops, struct chan_receiver *rx)
{
	return branch(chan_source_watch_changed(ops, rx), ops, complete_changed, NULL, NULL);
}

/* closed() is optional in every table. */
#define ON_CLOSED(operation, kind)                                                                                     \
	struct chan_branch chan_on_##operation(const struct chan_##kind##_ops *ops, struct chan_sender *tx)            \
	{                                                                                                              \
		return branch(chan_source_##operation(ops, tx), ops,                                                   \
		              ops->closed != NULL ? complete_##operation : NULL, NULL, NULL);                          \
	}

ON_CLOSED(closed, mpsc)
ON_CLOSED(oneshot_closed, oneshot)
ON_CLOSED(broadcast_closed, broadcast)
ON_CLOSED(watch_closed, watch)

/* ------------------------------------------------------------------------------------------
 * The select
 */

/* One call of chan_select. */
struct run {
	struct chan_branch *branches;
	size_t enabled;        /* how many places of the order are in use */
	_Atomic uint32_t word; /* 1: a branch fired since it was last looked at */
	size_t chosen;
	enum chan_status status;
};

/* A disarm waits until this has returned, so neither branch nor run goes away under it (S-9). */
static void wake(struct chan_waiter *waiter)
{
	struct chan_branch *b = (struct chan_branch *)(void *)((char *)waiter - offsetof(struct chan_branch, waiter));
	struct run *run = (struct run *)b->run;

	/* Relaxed: the select that sees it tries the operation, which synchronises by itself, and
	 * disarms, which waits for this call. */
	__atomic_store_n(&b->fired, 1, __ATOMIC_RELAXED);
	/* A1: `fired` is set */
	if (atomic_exchange_explicit(&run->word, 1, memory_order_release) == 0)
		chan_futex_wake(&run->word, 1);
}

/* Waits for a wake that was not looked at yet. True: there is one. False: the deadline has come.
 * Sleeps that are spurious or interrupted go round (S-16). */
static bool await_wake(struct run *run, uint64_t deadline)
{
	bool in_time = deadline != CHAN_NOW;

	/* R1: `fired` was set */
	while (atomic_exchange_explicit(&run->word, 0, memory_order_acquire) == 0) {
		if (!in_time)
			return false;
		in_time = chan_futex_wait(&run->word, 0, deadline);
	}
	return true;
}

/* The numbers are good enough to be fair, and no memory is shared for them. */
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

/* Tries the operation. False: it cannot complete now. */
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
