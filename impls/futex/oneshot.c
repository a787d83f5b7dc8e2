/* SPDX-License-Identifier: MIT
 *
 * oneshot.c - the oneshot channel without a lock: one value, once; one allocation, one atomic word.
 *
 * OVERVIEW. One allocation holds the word, the value and what belongs to either side. Each side has
 * few things to say, says each of them once, and says it by setting a bit of the word: the sender
 * that it is done, with a value or without; the receiver that it takes no value any more. What a
 * side finds in the word as it sets its bit tells it all that it must do for the other side: wake
 * it, run its callbacks, free the channel. So a send is one atomic instruction. After Tokio's
 * oneshot (a state word, the value beside it); the sleep is a futex on the word itself.
 *
 * THE BITS. The sender sets TX_*, the receiver RX_*. Only ASLEEP is ever unset.
 *   TX_DONE    the sender was consumed. TX_SENT beside it: with a value, which is valid unless
 *              RX_CLOSED came first
 *   TX_LEFT    the sender has gone, if RX_ARMED was set before TX_DONE. Otherwise it has gone with
 *              TX_DONE, for it has nobody to call back
 *   RX_CLOSED  closed or dropped: a later send fails. RX_DONE beside it: dropped
 *   RX_LEFT    the receiver has gone
 *   x_ASLEEP   that side's thread sleeps on the word, or is about to
 *   x_ARMED    that side has, or had, waiters for the other side to wake. It is set only before
 *              what they wait for: TX_DONE, RX_CLOSED
 *
 * SEND
 *   1. Copy the value.
 *   2. Set TX_DONE and TX_SENT (A1), and look at the word as it was (R2).
 *   3. RX_CLOSED was set: the send failed, and the caller keeps the value.
 *   4. RX_ASLEEP was set: wake the receiver. RX_ARMED was set: wake its waiters, set TX_LEFT (A3).
 *   5. RX_LEFT was set: free the channel (R3).
 *   A drop of the sender is a send without a value: TX_DONE alone.
 * RECEIVE
 *   1. Look (R1). If TX_DONE is not set: spin; then set RX_ASLEEP, sleep, unset RX_ASLEEP.
 *   2. TX_SENT without an earlier RX_CLOSED: copy the value. Else closed.
 * CLOSE
 *   1. Set RX_CLOSED (A2), and remember whether it came before TX_DONE.
 *   2. TX_ASLEEP was set: wake the sender. TX_ARMED was set: wake its waiters.
 * DROP OF THE RECEIVER
 *   1. If the sender has not gone: close, with RX_DONE. Destroy a value that nobody took.
 *   2. Set RX_LEFT (A3). The sender has gone: free the channel (R3).
 *
 * INVARIANTS
 *   I1  A side that sees, as it goes or before, that the other has gone frees the channel. The
 *       other side has then not seen that, and does not touch the channel any more.
 *   I2  The value belongs to its sender until TX_SENT is set without RX_CLOSED before it, and from
 *       then on to the receiver. Both sides know which came first: each sees the word as it was
 *       when it set its own bit (O-11).
 *   I3  `lock` guards the queues of armed waiters. A side takes it only if somebody armed one, and
 *       only as long as that side has not gone.
 *
 * LINEARIZATION. send and sender_drop: the step that sets TX_DONE. close and receiver_drop: the
 * step that sets RX_CLOSED. recv, closed, properties and an arm that says READY: the read of the
 * word that they go by. An arm that says ARMED: the step that sets ARMED, or the read under the
 * lock.
 *
 * ORDER (A release, R acquire). Every step on the word is a read-modify-write, acquire and release,
 * so each side sees what the other did before all the bits that it finds.
 *   A1 -> R1  TX_DONE -> the receiver's reads of the word: the value.
 *   A2 -> R2  RX_CLOSED -> the sender's reads of the word: what was done before the close.
 *   A3 -> R3  a side's last step -> the step of the other that frees: all that the side did.
 *
 * A PREEMPTED PEER holds up nobody: there is no state between two bits. Only a disarm waits, for
 * the callback that it is to end; and threads that arm, disarm or wake waiters wait for the lock,
 * which is held for a few instructions by others that do the same.
 *
 * NOTES
 *
 * Waiting. A thread spins first, then sleeps. Channels live shorter than what can be learned about
 * spinning. So two things are kept by thread: whether it pays, and on which CPU the thread ran that
 * answered last.
 */
#include "impls/futex/futex.h"
#include "impls/base/config.h"
#include "impls/base/futex.h"
#include "impls/base/fast.h"
#include "impls/base/spin.h"
#include "impls/base/compiler.h"
#include "impls/base/wait.h"

#include <stdalign.h>
#include <stdlib.h>

enum {
	TX_DONE = 1,
	TX_SENT = 2,
	TX_LEFT = 4,
	TX_ASLEEP = 8,
	TX_ARMED = 16,
	RX_CLOSED = 32,
	RX_DONE = 64,
	RX_LEFT = 128,
	RX_ASLEEP = 256,
	RX_ARMED = 512
};

/* One side: its handle, private to its thread but for `queue`. The first arm begins the lists. */
struct side {
	struct owner_check owner;
	bool arms;         /* it has taken the lock to arm a waiter, at least once */
	struct list armed; /* its armed waiters, by `siblings` */
	struct list queue; /* those that were not woken yet; under the lock */
};

/* What a sender touches lies together, at the end and just before the value. */
struct oneshot {
	pthread_mutex_t lock;
	void (*destroy)(void *msg, void *context);
	void *context;
	struct side rx;
	bool closed;     /* the receiver has set RX_CLOSED ... */
	bool refused;    /* ... before the sender was done */
	bool terminated; /* the receiver has had its result */
	struct side tx;
	void *value; /* in the same allocation */
	size_t size;
	_Atomic uint32_t word;
	chan_last_cpu sent_at; /* where the sender was; published by TX_DONE */
};

static _Thread_local struct spin_site site;
static _Thread_local chan_last_cpu_t peer;

static struct oneshot *of_tx(const struct chan_sender *tx)
{
	return LIST_ENTRY(tx, struct oneshot, tx);
}

static struct oneshot *of_rx(const struct chan_receiver *rx)
{
	return LIST_ENTRY(rx, struct oneshot, rx);
}

static uint32_t look(struct oneshot *ch)
{
	/* R1, R2: all before the bits */
	return atomic_load_explicit(&ch->word, memory_order_acquire);
}

/* Sets bits that are not set; returns the word as it was. An addition, because that needs no second
 * try. A1, A2, A3: says what came before; R1, R2, R3: sees what the other said. */
static uint32_t set(struct oneshot *ch, uint32_t bits)
{
	return atomic_fetch_add_explicit(&ch->word, bits, memory_order_acq_rel);
}

static bool tx_gone(uint32_t word)
{
	return (word & TX_DONE) != 0 && (word & (RX_ARMED | TX_LEFT)) != RX_ARMED;
}

static enum chan_status oneshot_open(const struct chan_config *config, struct chan_sender **tx,
                                     struct chan_receiver **rx)
{
	struct layout layout;
	void *memory;

	if (config == NULL || tx == NULL || rx == NULL)
		return CHAN_INVALID;
	enum chan_status status = chan_config_layout(config, &layout);
	if (status != CHAN_OK)
		return status;

	size_t align = layout.align < alignof(struct oneshot) ? alignof(struct oneshot) : layout.align;
	size_t offset = (sizeof(struct oneshot) + align - 1) & ~(align - 1);
	if (align <= alignof(max_align_t)) /* the fast way of most allocators is for these only */
		memory = malloc(offset + layout.stride);
	else if (posix_memalign(&memory, align, offset + layout.stride) != 0)
		memory = NULL;
	if (memory == NULL)
		return CHAN_NOMEM;

	struct oneshot *ch = memory;
	atomic_init(&ch->word, 0);
	owner_check_init(&ch->tx.owner);
	owner_check_init(&ch->rx.owner);
	ch->tx.arms = ch->rx.arms = false;
	ch->closed = ch->refused = ch->terminated = false;
	ch->size = layout.size;
	ch->value = (char *)memory + offset;
	ch->destroy = config->destroy;
	ch->context = config->context;
	ch->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	*tx = (struct chan_sender *)&ch->tx;
	*rx = (struct chan_receiver *)&ch->rx;
	return CHAN_OK;
}

static void free_channel(struct oneshot *ch)
{
	if (ch->tx.arms || ch->rx.arms)
		pthread_mutex_destroy(&ch->lock);
	free(ch);
}

/* ------------------------------------------------------------------------------------------
 * Waiting
 */

/* Waits until one of the bits `until` is set, with `asleep` as the bit of the caller's side.
 * Returns the last word seen; with none of `until` the deadline has come. */
static CHAN_APART uint32_t await(struct oneshot *ch, uint32_t until, uint32_t asleep, const chan_last_cpu_t *other,
                                 uint64_t deadline)
{
	struct spin spin;
	uint32_t word;

	chan_spin_setup();
	chan_spin_begin(&spin, &site, other, false, 0);
	chan_spin_until(&spin, deadline);
	while (((word = look(ch)) & until) == 0 && chan_spin(&spin))
		;
	bool sleeps = (word & until) == 0;
	if (sleeps) {
		word = set(ch, asleep) + asleep;
		while ((word & until) == 0 && chan_futex_wait(&ch->word, word, deadline))
			word = look(ch);
		/* R1, R2: all before the bits */
		word = atomic_fetch_and_explicit(&ch->word, ~asleep, memory_order_acquire);
	}
	chan_spin_end(&spin, sleeps);
	return word;
}

/* `word` is what a side found as it set its bits. Wakes the thread of the other side, which may
 * have seen the bits by now, gone on, and freed the channel. */
static void wake(struct oneshot *ch, uint32_t word, uint32_t asleep)
{
	if ((word & asleep) != 0)
		chan_futex_wake(&ch->word, 1); /* of either side only its own thread sleeps */
}

/* ------------------------------------------------------------------------------------------
 * Armed waiters
 */

/* Wakes all that wait in `queue`. */
static void wake_armed(struct oneshot *ch, struct list *queue)
{
	struct list wakes = WAKES_NONE(wakes);

	pthread_mutex_lock(&ch->lock);
	chan_wait_wake_all(queue, &wakes);
	chan_wait_unlock(&ch->lock, &wakes);
}

static enum wait_state end_wait(struct oneshot *ch, struct wait *w)
{
	pthread_mutex_lock(&ch->lock);
	enum wait_state found = chan_wait_disarm(&ch->lock, w);
	pthread_mutex_unlock(&ch->lock);
	return found;
}

static CHAN_APART void disarm_all(struct oneshot *ch, const struct side *side)
{
	while (!list_empty(&side->armed))
		end_wait(ch, LIST_ENTRY(side->armed.next, struct wait, siblings));
}

/* Registers a waiter for the first of `until` to be set, unless one is. `armed` is the bit of
 * the side. */
static enum chan_arm arm(struct oneshot *ch, struct side *side, struct chan_waiter *waiter, uint32_t until,
                         uint32_t armed)
{
	pthread_mutex_lock(&ch->lock);
	if (!side->arms) {
		list_init(&side->armed);
		list_init(&side->queue);
		side->arms = true;
	}
	uint32_t word = look(ch);
	/* Not when the other side is done: it has not seen the bit, and does not come back. A side
	 * that sees the bit takes the lock, which orders the rest; the acquire is that of every
	 * look. */
	while ((word & (until | armed)) == 0 &&
	       !atomic_compare_exchange_weak_explicit(&ch->word, &word, word | armed, memory_order_acquire,
	                                              memory_order_acquire))
		;
	bool ready = (word & until) != 0;
	if (!ready)
		/* From here on whoever sets one of `until` sees `armed`, and takes the lock. */
		list_append(&side->queue, &chan_wait_arm(waiter, ch, &side->armed, until)->queue);
	pthread_mutex_unlock(&ch->lock);
	return ready ? CHAN_READY : CHAN_ARMED;
}

static bool oneshot_disarm(struct chan_waiter *waiter)
{
	struct wait *w = chan_wait_of_waiter(waiter);
	struct oneshot *ch = w->handle;
	uint32_t until = w->event;

	/* The event chooses all who wait for it as it sets the bit, also those that it has not
	 * woken yet. */
	return end_wait(ch, w) != WAIT_QUEUED || (look(ch) & until) != 0;
}

/* ------------------------------------------------------------------------------------------
 * The sender
 */

/* Does for the receiver what the step that set TX_DONE found in `word` to do. */
static CHAN_APART void tell_receiver(struct oneshot *ch, uint32_t word)
{
	wake(ch, word, RX_ASLEEP);
	bool last = (word & RX_LEFT) != 0; /* R3: its last step */
	if ((word & RX_ARMED) != 0) {
		wake_armed(ch, &ch->rx.queue);
		last = (set(ch, TX_LEFT) & RX_LEFT) != 0; /* A3: last touch; R3 */
	}
	if (last)
		free_channel(ch);
}

/* Ends the sender; `bits` is TX_DONE, or with a value TX_DONE | TX_SENT. Returns the word as it
 * was. */
static inline uint32_t finish(struct oneshot *ch, uint32_t bits)
{
	if (ch->tx.arms)
		disarm_all(ch, &ch->tx);
	ch->sent_at = chan_last_cpu_now();
	owner_check_leave(&ch->tx.owner);
	uint32_t word = set(ch, bits); /* A1: the value is copied */
	if ((word & (RX_ASLEEP | RX_ARMED | RX_LEFT)) != 0)
		tell_receiver(ch, word);
	return word;
}

static enum chan_status oneshot_send(struct chan_sender **tx, const void *msg)
{
	if (*tx == NULL)
		return CHAN_INVALID;

	struct oneshot *ch = of_tx(*tx);
	*tx = NULL;
	owner_check_enter(&ch->tx.owner, "send");
	if (msg == NULL && ch->size != 0) {
		finish(ch, TX_DONE);
		return CHAN_INVALID;
	}
	chan_bytes_copy(ch->value, msg, ch->size);
	return (finish(ch, TX_DONE | TX_SENT) & RX_CLOSED) != 0 ? CHAN_CLOSED : CHAN_OK; /* I2 */
}

static void oneshot_sender_drop(struct chan_sender **tx)
{
	if (*tx == NULL)
		return;

	struct oneshot *ch = of_tx(*tx);
	*tx = NULL;
	owner_check_enter(&ch->tx.owner, "sender_drop");
	finish(ch, TX_DONE);
}

static enum chan_status oneshot_closed(struct chan_sender *tx, uint64_t deadline)
{
	struct oneshot *ch = of_tx(tx);

	owner_check_enter(&ch->tx.owner, "closed");
	uint32_t word = look(ch);
	if ((word & RX_CLOSED) == 0 && deadline != CHAN_NOW)
		word = await(ch, RX_CLOSED, TX_ASLEEP, NULL, deadline);
	owner_check_leave(&ch->tx.owner);
	if ((word & RX_CLOSED) != 0)
		return CHAN_OK;
	return deadline == CHAN_NOW ? CHAN_EMPTY : CHAN_TIMEOUT;
}

static enum chan_arm oneshot_arm_closed(struct chan_sender *tx, struct chan_waiter *waiter)
{
	struct oneshot *ch = of_tx(tx);

	owner_check_enter(&ch->tx.owner, "arm_closed");
	enum chan_arm result = arm(ch, &ch->tx, waiter, RX_CLOSED, TX_ARMED);
	owner_check_leave(&ch->tx.owner);
	return result;
}

static uint64_t oneshot_sender_get(const struct chan_sender *tx, enum chan_property property)
{
	struct oneshot *ch = of_tx(tx);
	uint32_t word = look(ch);

	switch (property) {
	case CHAN_IS_CLOSED:
		return (word & RX_CLOSED) != 0;
	case CHAN_SENDERS:
		return 1;
	case CHAN_WEAK_SENDERS:
		return 0;
	case CHAN_RECEIVERS:
		return (word & RX_DONE) == 0;
	case CHAN_IDENTITY:
		return (uint64_t)(uintptr_t)ch;
	default:
		return CHAN_UNKNOWN;
	}
}

/* ------------------------------------------------------------------------------------------
 * The receiver
 */

/* Whether a value lies in the channel and belongs to the receiver. */
static bool holds_value(const struct oneshot *ch, uint32_t word)
{
	return (word & TX_SENT) != 0 && !ch->refused && !ch->terminated; /* I2 */
}

static enum chan_status oneshot_recv(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	struct oneshot *ch = of_rx(rx);
	enum chan_status status;

	if (msg == NULL && ch->size != 0)
		return CHAN_INVALID;
	if (ch->terminated)
		return deadline == CHAN_NOW ? CHAN_CLOSED : CHAN_INVALID; /* O-15 */
	owner_check_enter(&ch->rx.owner, "recv");
	uint32_t word = look(ch);
	if ((word & TX_DONE) == 0 && !ch->closed && deadline != CHAN_NOW) {
		word = await(ch, TX_DONE, RX_ASLEEP, &peer, deadline);
		if ((word & TX_DONE) != 0 && atomic_load_explicit(&peer, memory_order_relaxed) != ch->sent_at)
			atomic_store_explicit(&peer, ch->sent_at, memory_order_relaxed);
	}
	if (holds_value(ch, word)) {
		chan_bytes_copy(msg, ch->value, ch->size);
		status = CHAN_OK;
	} else if ((word & TX_DONE) != 0 || ch->closed) {
		status = CHAN_CLOSED;
	} else {
		status = deadline == CHAN_NOW ? CHAN_EMPTY : CHAN_TIMEOUT;
	}
	ch->terminated = status == CHAN_OK || status == CHAN_CLOSED;
	owner_check_leave(&ch->rx.owner);
	return status;
}

/* Sets `bits` and, if it is not set, RX_CLOSED with them, and tells the sender. */
static void close_with(struct oneshot *ch, uint32_t bits)
{
	if (ch->closed) {
		set(ch, bits);
		return;
	}
	uint32_t word = set(ch, bits | RX_CLOSED); /* A2: later sends fail */
	ch->closed = true;
	ch->refused = (word & TX_DONE) == 0;
	wake(ch, word, TX_ASLEEP);
	if ((word & TX_ARMED) != 0)
		wake_armed(ch, &ch->tx.queue);
}

static void oneshot_close(struct chan_receiver *rx)
{
	struct oneshot *ch = of_rx(rx);

	if (ch->closed)
		return;
	owner_check_enter(&ch->rx.owner, "close");
	close_with(ch, 0);
	owner_check_leave(&ch->rx.owner);
	if (ch->rx.arms && !list_empty(&ch->rx.armed)) /* a receive would now complete */
		wake_armed(ch, &ch->rx.queue);
}

static void oneshot_receiver_drop(struct chan_receiver **rx)
{
	if (*rx == NULL)
		return;

	struct oneshot *ch = of_rx(*rx);
	*rx = NULL;
	owner_check_enter(&ch->rx.owner, "receiver_drop");
	if (ch->rx.arms)
		disarm_all(ch, &ch->rx);
	/* R3: the usual case, in which nothing has to be said any more */
	bool last = tx_gone(look(ch));
	if (!last)
		close_with(ch, RX_DONE);
	if (ch->destroy != NULL && holds_value(ch, look(ch)))
		ch->destroy(ch->value, ch->context);
	owner_check_leave(&ch->rx.owner);
	if (last || tx_gone(set(ch, RX_LEFT))) /* A3: last touch; R3 */
		free_channel(ch);
}

static enum chan_arm oneshot_arm_recv(struct chan_receiver *rx, struct chan_waiter *waiter)
{
	struct oneshot *ch = of_rx(rx);

	if (ch->closed)
		return CHAN_READY;
	owner_check_enter(&ch->rx.owner, "arm_recv");
	enum chan_arm result = arm(ch, &ch->rx, waiter, TX_DONE, RX_ARMED);
	owner_check_leave(&ch->rx.owner);
	return result;
}

static uint64_t oneshot_receiver_get(const struct chan_receiver *rx, enum chan_property property)
{
	struct oneshot *ch = of_rx(rx);
	uint32_t word = look(ch);

	switch (property) {
	case CHAN_LEN:
		return holds_value(ch, word);
	case CHAN_IS_TERMINATED:
		return ch->terminated;
	case CHAN_IS_CLOSED:
		return ch->closed || (word & TX_DONE) != 0;
	case CHAN_SENDERS:
		return (word & TX_DONE) == 0;
	case CHAN_WEAK_SENDERS:
		return 0;
	case CHAN_RECEIVERS:
		return 1;
	case CHAN_IDENTITY:
		return (uint64_t)(uintptr_t)ch;
	default:
		return CHAN_UNKNOWN;
	}
}

const struct chan_oneshot_ops chan_futex_oneshot_ops = {
	.open = oneshot_open,
	.send = oneshot_send,
	.recv = oneshot_recv,
	.sender_drop = oneshot_sender_drop,
	.receiver_drop = oneshot_receiver_drop,
	.close = oneshot_close,
	.closed = oneshot_closed,
	.arm_recv = oneshot_arm_recv,
	.arm_closed = oneshot_arm_closed,
	.disarm = oneshot_disarm,
	.sender_get = oneshot_sender_get,
	.receiver_get = oneshot_receiver_get,
};
