/* SPDX-License-Identifier: MIT
 *
 * broadcast_send.c - sending, with the bias and without. Overview and labels: broadcast.h.
 */
#include "impls/base/words.h"
#include "impls/futex/broadcast.h"
#include "impls/mutex/broadcast.h"

#ifndef BIAS_AFTER     /* tests have less patience */
#define BIAS_AFTER 64u /* sends in a row; a heavy fence costs about as much as so many locks */
#endif

/* By one thread at a time. */
static inline void publish(struct futex_broadcast *ch, const void *msg)
{
	uint64_t position = atomic_load_explicit(&ch->tail, memory_order_relaxed);
	struct futex_slot *slot = chan_futex_broadcast_slot(&ch->ring, position);

	atomic_store_explicit(&slot->stamp, 2 * position + 1, memory_order_relaxed);
	/* A4, of the stamp before it */
	chan_words_store(slot->words, msg, ch->ring.size);
	atomic_store_explicit(&ch->tail, position + 1, memory_order_release);    /* A3 */
	atomic_store_explicit(&slot->stamp, 2 * position, memory_order_release); /* A1 */
}

void chan_futex_broadcast_stop(struct futex_broadcast *ch, const struct handle *self)
{
	const struct handle *owner = atomic_load_explicit(&ch->owner, memory_order_relaxed);

	ch->streak = 0;
	if (owner == NULL)
		return;
	atomic_store_explicit(&ch->owner, NULL, memory_order_relaxed);
	if (owner == self)
		return; /* it is here, not in a send */
	chan_fence_heavy();
	/* R2 */
	for (unsigned n = 0; atomic_load_explicit(&ch->inside, memory_order_acquire); n++) {
		if (n < 64)
			chan_relax();
		else
			sched_yield(); /* it does not run */
	}
}

static enum chan_status send_locked(struct futex_broadcast *ch, struct handle *h, const void *msg, size_t *receivers)
{
	struct core *core = &ch->core;
	struct list wakes = WAKES_NONE(wakes);

	chan_handle_enter(h, "send");
	if (atomic_load_explicit(&ch->owner, memory_order_relaxed) != NULL)
		chan_futex_broadcast_stop(ch, h);
	size_t count = core->receivers;
	if (count > 0) {
		publish(ch, msg);
		if (!list_empty(&core->recv_queue)) {
			chan_wait_wake_all(&core->recv_queue, &wakes);
			ch->streak = 0;
		} else if (++ch->streak >= BIAS_AFTER && core->senders == 1) {
			ch->count = count;
			atomic_store_explicit(&ch->owner, h, memory_order_relaxed);
		}
	}
	if (receivers != NULL)
		*receivers = count;
	chan_handle_leave(h, &wakes);
	return count > 0 ? CHAN_OK : CHAN_CLOSED;
}

enum chan_status chan_futex_broadcast_send(struct chan_sender *tx, const void *msg, size_t *receivers)
{
	struct handle *h = (struct handle *)tx;
	struct futex_broadcast *ch = chan_futex_broadcast_of(h);

	if (chan_futex_broadcast_hooked(h))
		return chan_mutex_broadcast_send(tx, msg, receivers);
	if (msg == NULL && ch->ring.size != 0)
		return CHAN_INVALID;
	/* Who does not own it must leave `inside` alone. That it owned it at the first look and
	 * somebody else does at the second is impossible: an owner is the only sender. */
	if (atomic_load_explicit(&ch->owner, memory_order_relaxed) != h)
		return send_locked(ch, h, msg, receivers);

	owner_check_enter(&h->owner, "send");
	if (atomic_load_explicit(&ch->plea, memory_order_relaxed)) {
		atomic_store_explicit(&ch->plea, false, memory_order_relaxed);
		chan_relax_for(ch->grace);
	}
	atomic_store_explicit(&ch->inside, true, memory_order_relaxed);
	chan_fence_light();
	bool owned = atomic_load_explicit(&ch->owner, memory_order_relaxed) == h;
	if (owned) {
		publish(ch, msg);
		if (receivers != NULL)
			*receivers = ch->count;
	}
	atomic_store_explicit(&ch->inside, false, memory_order_release); /* A2 */
	owner_check_leave(&h->owner);
	return owned ? CHAN_OK : send_locked(ch, h, msg, receivers);
}
