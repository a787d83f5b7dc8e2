/* SPDX-License-Identifier: MIT
 *
 * broadcast.c - a broadcast channel of bytes without a lock: a ring that a sender overwrites and
 * that receivers validate. Elements with hooks go to the locked channel (ENTRIES, at the end).
 *
 * OVERVIEW. The channel is a ring of R slots; R is the capacity rounded up to a power of two (B-2).
 * Positions are 64 bits and only rise, and position p lies in slot p mod R. `tail` is where the
 * next send writes. Each receiver has a `next` of its own, where it reads; it writes nothing that
 * another thread reads often. Each slot is a sequence lock of its own, after Linux's seqlock: its
 * stamp says which position the slot holds, and whether that is still being written. A message may
 * be overwritten while it is read, so it is stored as atomic words (words.h), and a copy counts
 * only if the stamp is the same before and after. So a sender never waits for a receiver (B-3).
 *
 * Sends happen one after another, under the channel's lock: therefore all receivers see one order
 * (B-6), a send knows how many receivers there are (B-4), and a new receiver begins exactly between
 * two sends (B-7). But a lock costs more than the send. So a sender that is the only one, and for
 * whom nobody waits, owns the BIAS: `owner` names its handle, and it sends without the lock. This
 * is the biased lock of Russell and Detlefs (OOPSLA 2006), with an asymmetric fence (fence.h).
 *
 * STAMPS. The stamp of slot p mod R is 2p while it holds position p, and 2p + 1 while position p is
 * being written there. A receiver at position p finds one of these:
 *
 *   2p                    the message
 *   2p + 1                a send that is half done; the receiver looks again
 *   2(p - R)              nothing yet: p is the tail. Slots are stamped so at open.
 *   2(p + kR), k > 0,     the message is lost; so it is with + 1. The receiver goes on at tail - R,
 *                         and has missed the distance, exactly (B-12). If the tail does not say so
 *                         yet, the send that overwrites the message is half done; it looks again.
 *
 * SEND
 *   1. By the owner: set `inside`; light fence; look whether it still is the owner. If not, clear
 *      `inside` (A2) and go to 2.
 *      By anybody else: go to 2.
 *   2. Without the bias: take the lock, and revoke the bias if another handle has it.
 *   3. Write: the stamp 2p + 1, the words (A4), the tail p + 1 (A3), the stamp 2p (A1).
 *   4. The owner clears `inside` (A2). A sender with the lock wakes all who wait. If nobody did for
 *      BIAS_AFTER sends in a row, and it is the only sender, it becomes the owner.
 *
 * RECEIVE
 *   1. Load the stamp (R1). If it is 2p: copy the words (R4), and load the stamp again. If it still
 *      is 2p, advance `next` (A6): CHAN_OK.
 *   2. If the message is lost: ask the owner for a pause (NOTES, Catching up). Then go on at the
 *      oldest message, tail - R (R3, A6): CHAN_LAGGED.
 *   3. If there is nothing: CHAN_CLOSED if there was no sender before the look (R5); else spin,
 *      then sleep. Before it sleeps it revokes the bias under the lock, and looks once more.
 *
 * REVOKING THE BIAS. A send with the bias relies on three things: the number of receivers, that
 * nobody waits, and that nobody else sends. A thread that is to change one of them takes the lock,
 * and then the bias away. This is Dekker's question, with the fence on the rare side:
 *
 *   the owner, at each send             revoke_bias(), under the lock
 *   -----------------------             -----------------------------
 *   inside = true                       owner = NULL
 *   chan_fence_light()                  chan_fence_heavy()
 *   owner still names it? send          wait until inside is false (R2)
 *   inside = false (A2)
 *
 * Blocked receivers and armed waiters stand in the channel's recv_queue, and nobody gets the bias
 * while anybody stands there. So a sender that has the bias has nobody to wake; a sender without it
 * has the lock, under which it sees all who wait. No wake is lost, and no system call is made while
 * nobody sleeps.
 *
 * INVARIANTS
 *   I1  One thread at a time writes tail, stamps and words: the owner inside its send or, while
 *       there is no owner, the holder of the lock.
 *   I2  An owner is set at open, or by itself under the lock; then it is the only sender and
 *       recv_queue is empty.
 *   I3  While there is an owner, the count of receivers and recv_queue do not change, and nobody
 *       else sends.
 *   I4  tail - next of a receiver is the number of sends since its last message or lag (B-17,
 *       B-26).
 *
 * WHO EXCLUDES WHOM
 *                         send, owner    send, locked   recv           handles come and go, wait
 *   send, owner           same handle    bias           -              bias
 *   send, locked          bias           lock           -              lock
 *   recv                  -              -              each its next  -
 *   come and go, wait     bias           lock           -              lock
 * A send and a receive (-) run at the same time: the stamp says whether the copy counts.
 *
 * LINEARIZATION. send: the store of the tail (A3). A receiver that already sees the stamp 2p + 1
 * waits for the rest. recv: CHAN_OK, the load of the stamp that makes the copy valid; CHAN_LAGGED,
 * the load of the tail; CHAN_EMPTY, the first load of the stamp; CHAN_CLOSED, the same, after
 * `no_senders` was seen. All other operations: their critical section, with the bias revoked.
 *
 * ORDER (A release, R acquire)
 *   A1 -> R1  stamp 2p -> a receiver's load of it: the words, and what the sender did before.
 *   A2 -> R2  inside = false -> the thread that revokes the bias: the sends of the owner.
 *   A3 -> R3  tail -> its load by a receiver that lags: the stamp of the oldest message, so there
 *             is a message after a lag. By who asks for the length: what was done before the
 *             messages that it is told of.
 *   A4 -> R4  each word -> its load by a receiver: the stamp that was stored before that word. So a
 *             receiver that reads a word of a later position sees that at its second look at the
 *             stamp, and the copy does not count.
 *   A5 -> R5  no_senders -> its load: all sends before the last sender's drop.
 *   A6 -> R6  next -> who asks for a length: the tail that next has passed.
 *
 * A PREEMPTED PEER. While a sender stands in the middle of a send, receivers that come to its slot
 * spin, then yield; so do threads that want the lock, or revoke the bias. Receivers that are behind
 * go on. A thread that stands anywhere else on its fast path stops nobody.
 *
 * WRAP. R divides 2^64, so p mod R stays right when positions wrap. Stamps are positions of 63
 * bits, and only their distances are compared (B-42): a receiver would have to be 2^62 messages
 * behind to be misled.
 *
 * NOTES
 *
 * The price of the bias. Revoking it is a system call that interrupts the other CPUs. Many channels
 * live so short that nobody ever asks, so one that is opened with a receiver begins with the bias.
 * Once it has been revoked it is given only after BIAS_AFTER sends in a row in which nobody needed
 * the lock: a channel that is used now and then does not get it again.
 *
 * Catching up. A receiver that was overtaken goes on at the oldest message, and the next send
 * overwrites just that one. To get it, the receiver must be back within 10 ns or so. It never is:
 * it would be told of one lag after another and get next to nothing, even if it is fast enough to
 * follow. The only way back is a sender that pauses. So the receiver asks (`catchup`), waits a
 * moment until the owner has heard, and only then looks where the oldest message is. The owner
 * pauses once, for at most 3 us, whatever the receiver does meanwhile: that is enough for a hundred
 * messages or more. If a receiver makes no use of the pause it is too slow to be helped, and asks
 * at fewer lags, down to one in 256; no sender notices that. No receiver asks at its first lag, for
 * it may be on the sender's own thread. Without the pause 4 receivers get 1 to 4 M messages/s of a
 * sender that sends 150 M/s; with it they get 50 M/s of 85 M/s.
 *
 * Fetching ahead. A slot comes from the sender's cache in 65 ns or more, so a receiver fetches it
 * AHEAD messages before it needs it. It does so only for slots that it knows to be written, from a
 * look at the tail now and then: else it would take away what the sender is about to write.
 *
 * Memory. The channel, its slots and its first two handles are one allocation. With four
 * allocations, opening and ending took most of the time of a channel that lives for a few messages.
 * The memory is aligned here, and not by the allocator, because an allocator is fast only for
 * memory that is not aligned.
 */
#include "impls/base/compiler.h"
#include "impls/base/core.h"
#include "impls/base/fence.h"
#include "impls/base/words.h"
#include "impls/futex/futex.h"
#include "impls/mutex/mutex.h"

#include <stdalign.h>
#include <stdlib.h>

/* What one side writes and another reads lies so far apart: lines are fetched in pairs. */
#define LINE 128

/* Sends in a row; a heavy fence costs about as much as so many locks. Tests have less patience. */
#ifndef BIAS_AFTER
#define BIAS_AFTER 64u
#endif

#define AHEAD        8u  /* slots that a receiver fetches before it needs them */
#define ASK_EVERY    64  /* messages: how often a receiver asks how far it may fetch */
#define WRITTEN_SOON 16  /* looks at a slot half written, before its sender seems not to run */
#define REVOKED_SOON 64u /* the same, at `inside` */

#define PAUSE_LEAST 256u /* ns */
#define PAUSE_MOST  3072u
#define PAUSE_SLOT  24u /* for each slot: about what reading it takes */

/* How long a receiver that asks for a pause waits to be heard; the messages that the pause must
 * bring, or half a ring if that is less; else it skips more lags, at most so many. */
#define CATCHUP_LOOKS     32
#define CATCHUP_PAYS      16
#define CATCHUP_SKIP_MOST 255

struct ring_slot {
	_Atomic uint64_t stamp;
	chan_word_t words[];
};

/* Where the messages are; the same for all, never written after open. */
struct ring {
	char *slots;
	uint64_t mask; /* R - 1 */
	size_t stride; /* bytes of a slot */
	size_t size;   /* bytes of an element */
};

struct channel {
	struct core core;
	struct list receivers; /* all of them, by `siblings`; under the lock */
	struct spin_site site; /* of receivers at the tail */

	alignas(LINE) struct ring ring;
	_Atomic(struct handle *) owner; /* who has the bias, or NULL */
	/* the receivers there are while there is an owner; the owner's */
	size_t count;
	void *memory;        /* in which all this lies */
	uint32_t pause;      /* ns that the owner pauses for who catches up */
	atomic_bool catchup; /* a receiver that was overtaken asks the owner to pause */
	atomic_bool no_senders;
	alignas(64) struct handle sender; /* the first one; hardly ever written */

	alignas(LINE) _Atomic uint64_t tail;
	atomic_bool inside; /* the owner is sending */
	unsigned streak;    /* sends since somebody last needed the lock; under the lock */
};

struct receiver {
	struct handle handle;
	struct list siblings;
	alignas(LINE) _Atomic uint64_t next; /* written by its own thread only */
	/* positions below it are AHEAD or more below the tail */
	uint64_t fetch_until;
	struct ring ring;

	struct poll poll;
	uint64_t waited_at; /* where it last found nothing */

	uint64_t lagged_at; /* where it went on after its last lag */
	bool asked;         /* for a pause, at that lag */
	/* lags at which it does not ask: in all after each time, and from now on */
	unsigned skip, skips_left;
};

static struct channel *channel_of(const struct handle *h)
{
	return (struct channel *)h->core;
}

static struct ring_slot *slot_at(const struct ring *ring, uint64_t position)
{
	return (struct ring_slot *)(void *)(ring->slots + (position & ring->mask) * ring->stride);
}

/* ------------------------------------------------------------------------------------------
 * Sending, with the bias and without
 */

/* I1: by one thread at a time. */
static inline void publish(struct channel *ch, const void *msg)
{
	uint64_t position = atomic_load_explicit(&ch->tail, memory_order_relaxed);
	struct ring_slot *slot = slot_at(&ch->ring, position);

	/* released by A4, with each word */
	atomic_store_explicit(&slot->stamp, 2 * position + 1, memory_order_relaxed);
	/* A4: after the stamp */
	chan_words_store(slot->words, msg, ch->ring.size);
	/* A3: it is sent */
	atomic_store_explicit(&ch->tail, position + 1, memory_order_release);
	/* A1: all words are there */
	atomic_store_explicit(&slot->stamp, 2 * position, memory_order_release);
}

/* From here until the lock is released nobody sends. `self`: the caller's handle, which may be the
 * owner. Under the lock. */
static void revoke_bias(struct channel *ch, const struct handle *self)
{
	const struct handle *owner = atomic_load_explicit(&ch->owner, memory_order_relaxed);

	ch->streak = 0;
	if (owner == NULL)
		return;
	atomic_store_explicit(&ch->owner, NULL, memory_order_relaxed);
	if (owner == self)
		return; /* its thread is here, not in a send */
	chan_fence_heavy();
	/* R2: its last send is done */
	for (unsigned n = 0; atomic_load_explicit(&ch->inside, memory_order_acquire); n++) {
		if (n < REVOKED_SOON)
			chan_relax();
		else
			sched_yield(); /* it does not run */
	}
}

static enum chan_status send_locked(struct channel *ch, struct handle *h, const void *msg, size_t *receivers)
{
	struct core *core = &ch->core;
	struct list wakes = WAKES_NONE(wakes);

	chan_handle_enter(h, "send");
	if (atomic_load_explicit(&ch->owner, memory_order_relaxed) != NULL)
		revoke_bias(ch, h);
	size_t count = core->receivers;
	if (count > 0) {
		publish(ch, msg);
		if (!list_empty(&core->recv_queue)) {
			chan_wait_wake_all(&core->recv_queue, &wakes);
			ch->streak = 0;
		} else if (++ch->streak >= BIAS_AFTER && core->senders == 1) {
			ch->count = count;
			atomic_store_explicit(&ch->owner, h, memory_order_relaxed); /* I2 */
		}
	}
	if (receivers != NULL)
		*receivers = count;
	chan_handle_leave(h, &wakes);
	return count > 0 ? CHAN_OK : CHAN_CLOSED;
}

static CHAN_INLINE enum chan_status bytes_send(struct handle *h, const void *msg, size_t *receivers)
{
	struct channel *ch = channel_of(h);

	if (msg == NULL && ch->ring.size != 0)
		return CHAN_INVALID;
	/* Nobody but the owner may touch `inside`. That this handle owned it at the first look and
	 * another does at the second is impossible: an owner is the only sender. */
	if (atomic_load_explicit(&ch->owner, memory_order_relaxed) != h)
		return send_locked(ch, h, msg, receivers);

	owner_check_enter(&h->owner, "send");
	if (atomic_load_explicit(&ch->catchup, memory_order_relaxed)) {
		atomic_store_explicit(&ch->catchup, false, memory_order_relaxed);
		chan_relax_for(ch->pause);
	}
	atomic_store_explicit(&ch->inside, true, memory_order_relaxed);
	chan_fence_light(); /* `inside` before the look at `owner` */
	bool owned = atomic_load_explicit(&ch->owner, memory_order_relaxed) == h;
	if (owned) {
		publish(ch, msg);
		if (receivers != NULL)
			*receivers = ch->count;
	}
	atomic_store_explicit(&ch->inside, false, memory_order_release); /* A2: the send is done */
	owner_check_leave(&h->owner);
	return owned ? CHAN_OK : send_locked(ch, h, msg, receivers);
}

/* ------------------------------------------------------------------------------------------
 * Receiving
 */

enum found {
	FOUND_MESSAGE,
	FOUND_NOTHING,
	FOUND_LOST,   /* overwritten, or about to be */
	FOUND_WRITING /* a send is half done */
};

/* What a stamp says to a receiver at `position`. By distance: positions wrap. */
static inline enum found judge(uint64_t stamp, uint64_t position)
{
	int64_t distance = (int64_t)(stamp - 2 * position);

	if (distance == 0)
		return FOUND_MESSAGE;
	if (distance == 1)
		return FOUND_WRITING;
	return distance < 0 ? FOUND_NOTHING : FOUND_LOST;
}

/* Where the tail is, and so how far ahead there is something to fetch. */
static uint64_t ask_the_tail(struct receiver *r)
{
	/* R3: a message at the oldest position */
	uint64_t tail = atomic_load_explicit(&channel_of(&r->handle)->tail, memory_order_acquire);

	r->fetch_until = tail - AHEAD;
	return tail;
}

/* Looks at the slot of the receiver's position. A message that is there is copied to `msg`, and
 * the receiver passes it. */
static inline enum found read_next(struct receiver *r, void *msg)
{
	uint64_t position = atomic_load_explicit(&r->next, memory_order_relaxed);
	struct ring_slot *slot = slot_at(&r->ring, position);
	/* R1: its words are written */
	enum found found = judge(atomic_load_explicit(&slot->stamp, memory_order_acquire), position);

	if (found != FOUND_MESSAGE)
		return found;
	if ((int64_t)(r->fetch_until - position) > 0)
		__builtin_prefetch(slot_at(&r->ring, position + AHEAD));
	else if (position % ASK_EVERY == 0)
		ask_the_tail(r);
	chan_words_load(msg, slot->words, r->ring.size); /* R4: before the second look */
	if (atomic_load_explicit(&slot->stamp, memory_order_relaxed) != 2 * position)
		return FOUND_LOST;
	atomic_store_explicit(&r->next, position + 1, memory_order_release); /* A6: passed */
	return FOUND_MESSAGE;
}

static inline enum found look(const struct receiver *r)
{
	uint64_t position = atomic_load_explicit(&r->next, memory_order_relaxed);

	/* R1: the message is written */
	return judge(atomic_load_explicit(&slot_at(&r->ring, position)->stamp, memory_order_acquire), position);
}

/* Whether a receive would complete now, as far as can be seen without the lock. Both acquires are
 * for callers that do not look again; all who receive do. */
static bool ready(const struct receiver *r)
{
	return look(r) != FOUND_NOTHING ||
	       /* R5: all sends before the drop */
	       atomic_load_explicit(&channel_of(&r->handle)->no_senders, memory_order_acquire);
}

/* Messages that a pause must bring. Never 1: so much gets a receiver of any speed. */
static uint64_t catchup_pays(const struct ring *ring)
{
	uint64_t half = (ring->mask + 1) / 2;

	return half > CATCHUP_PAYS ? CATCHUP_PAYS : half < 2 ? 2 : half;
}

/* NOTES, Catching up. Asks the owner for a pause and waits until it has heard, unless that has not
 * helped lately. */
static void ask_for_pause(struct receiver *r)
{
	struct channel *ch = channel_of(&r->handle);
	uint64_t position = atomic_load_explicit(&r->next, memory_order_relaxed);

	if (r->asked) {
		if (position - r->lagged_at >= catchup_pays(&r->ring))
			r->skip = 0;
		else if (r->skip < CATCHUP_SKIP_MOST)
			r->skip = 2 * r->skip + 1;
	}
	r->asked = r->skips_left == 0 && atomic_load_explicit(&ch->owner, memory_order_relaxed) != NULL;
	if (!r->asked) {
		r->skips_left -= r->skips_left > 0;
		return;
	}
	r->skips_left = r->skip;
	atomic_store_explicit(&ch->catchup, true, memory_order_relaxed);
	uint32_t looks = atomic_load_explicit(&chan_spin_looks, memory_order_relaxed);
	for (uint32_t n = 0; n < CATCHUP_LOOKS && n < looks; n++) {
		if (!atomic_load_explicit(&ch->catchup, memory_order_relaxed))
			break;
		chan_relax();
	}
}

/* Goes on at the oldest message. False: the tail does not say yet that anything is lost. */
static bool jump(struct receiver *r, uint64_t *missed)
{
	uint64_t position = atomic_load_explicit(&r->next, memory_order_relaxed);
	uint64_t retained = r->ring.mask + 1;

	uint64_t tail = ask_the_tail(r);
	if (tail - position <= retained)
		return false;
	if (missed != NULL)
		*missed = tail - retained - position;
	r->lagged_at = tail - retained;
	atomic_store_explicit(&r->next, tail - retained, memory_order_release); /* A6: passed */
	return true;
}

/* Waits until there is something, or for the deadline. Spins, then sleeps. */
static enum chan_status await(struct receiver *r, uint64_t deadline)
{
	struct channel *ch = channel_of(&r->handle);
	struct core *core = &ch->core;
	struct list wakes = WAKES_NONE(wakes);
	enum chan_status status = CHAN_OK;
	uint64_t position = atomic_load_explicit(&r->next, memory_order_relaxed);
	struct spin spin;

	poll_gained(&r->poll, (size_t)(position - r->waited_at), SIZE_MAX);
	r->waited_at = position;
	chan_spin_begin(&spin, &ch->site, NULL, true, r->poll.ns);
	chan_spin_until(&spin, deadline);
	while (!ready(r) && chan_spin(&spin))
		;
	bool sleeps = !ready(r);
	if (sleeps) {
		chan_handle_enter(&r->handle, "recv");
		revoke_bias(ch, NULL);
		if (!ready(r)) /* what was sent before the bias was revoked */
			status = chan_core_wait(core, &core->recv_queue, deadline);
		chan_handle_leave(&r->handle, &wakes);
	}
	chan_spin_end(&spin, sleeps);
	return status;
}

static enum chan_status recv_slow(struct receiver *r, void *msg, uint64_t *missed, uint64_t deadline)
{
	struct channel *ch = channel_of(&r->handle);
	bool asked = false;

	for (unsigned looks = 0;; looks++) {
		/* R5: before the look, which then finds the last message */
		bool no_senders = atomic_load_explicit(&ch->no_senders, memory_order_acquire);
		enum found found = read_next(r, msg);

		if (found == FOUND_MESSAGE)
			return CHAN_OK;
		if (found == FOUND_LOST && !asked) {
			ask_for_pause(r);
			asked = true;
		}
		if (found == FOUND_NOTHING) {
			if (no_senders)
				return CHAN_CLOSED;
			if (deadline == CHAN_NOW)
				return CHAN_EMPTY;
			enum chan_status status = await(r, deadline);
			if (status != CHAN_OK)
				return status;
		} else if (found == FOUND_LOST && jump(r, missed)) {
			return CHAN_LAGGED;
		} else if (looks < WRITTEN_SOON) {
			chan_relax();
		} else {
			sched_yield();
		}
	}
}

static CHAN_INLINE enum chan_status bytes_recv(struct receiver *r, void *msg, uint64_t *missed, uint64_t deadline)
{
	if (msg == NULL && r->ring.size != 0)
		return CHAN_INVALID;
	owner_check_enter(&r->handle.owner, "recv");
	enum chan_status status = read_next(r, msg) == FOUND_MESSAGE ? CHAN_OK : recv_slow(r, msg, missed, deadline);
	owner_check_leave(&r->handle.owner);
	return status;
}

static enum chan_arm bytes_arm_recv(struct receiver *r, struct chan_waiter *waiter)
{
	struct channel *ch = channel_of(&r->handle);
	struct list wakes = WAKES_NONE(wakes);

	if (ready(r))
		return CHAN_READY;
	chan_handle_enter(&r->handle, "arm_recv");
	revoke_bias(ch, NULL);
	bool is_ready = ready(r);
	if (!is_ready)
		chan_handle_arm(&r->handle, &ch->core.recv_queue, waiter);
	chan_handle_leave(&r->handle, &wakes);
	return is_ready ? CHAN_READY : CHAN_ARMED;
}

/* ------------------------------------------------------------------------------------------
 * Opening, handles that come and go
 */

static void end(struct core *core)
{
	struct channel *ch = (struct channel *)core;

	chan_core_fini(core);
	free(ch->memory);
}

/* A ring of `retained` slots in `memory`, none of which holds a position from `start` on. */
static void ring_init(struct ring *ring, const struct layout *layout, size_t stride, size_t retained, void *memory,
                      uint64_t start)
{
	ring->size = layout->size;
	ring->stride = stride;
	ring->mask = retained - 1;
	ring->slots = memory;
	for (uint64_t p = start; p != start + retained; p++)
		atomic_init(&slot_at(ring, p)->stamp, 2 * (p - retained));
}

/* A receiver that is not counted yet, and has no reference to the channel. */
static struct receiver *receiver_init(void *memory, struct channel *ch)
{
	struct receiver *r = memset(memory, 0, sizeof *r);

	chan_handle_begin(&r->handle, &ch->core);
	r->ring = ch->ring;
	r->skips_left = 1;
	return r;
}

/* The same in memory of its own, with a reference. NULL when out of memory. */
static struct receiver *receiver_new(struct channel *ch)
{
	void *memory;

	if (posix_memalign(&memory, LINE, sizeof(struct receiver)) != 0)
		return NULL;
	chan_core_ref(&ch->core);
	return receiver_init(memory, ch);
}

/* Where the first receiver lies. No other can come to lie there. */
static struct receiver *receiver_first(struct channel *ch)
{
	return (struct receiver *)(ch + 1);
}

/* The receiver sees what is sent from now on. Under the lock, with the bias revoked. */
static void receiver_join(struct channel *ch, struct receiver *r)
{
	atomic_init(&r->next, atomic_load_explicit(&ch->tail, memory_order_relaxed));
	list_append(&ch->receivers, &r->siblings);
	ch->core.receivers++;
}

static uint32_t pause_of(size_t retained)
{
	if (retained >= PAUSE_MOST / PAUSE_SLOT)
		return PAUSE_MOST;
	uint32_t ns = PAUSE_SLOT * (uint32_t)retained;
	return ns < PAUSE_LEAST ? PAUSE_LEAST : ns;
}

static enum chan_status bytes_open(const struct chan_config *config, struct chan_sender **tx, struct chan_receiver **rx)
{
	struct layout layout;
	enum chan_status status;
	size_t retained = 1, bytes, stride;

	if ((status = chan_config_bounded(config, CHAN_BROADCAST_CAPACITY_MAX, &layout)) != CHAN_OK ||
	    (status = chan_config_copied(config, &layout)) != CHAN_OK)
		return status;
	while (retained < config->capacity)
		retained *= 2;

	stride = sizeof(struct ring_slot) + chan_words(layout.size) * sizeof(chan_word_t);
	if (__builtin_mul_overflow(retained, stride, &bytes))
		return CHAN_INVALID;

	size_t before = sizeof(struct channel) + (rx != NULL ? sizeof(struct receiver) : 0);
	void *memory = bytes < SIZE_MAX / 2 ? malloc(LINE - 1 + before + bytes) : NULL;
	if (memory == NULL)
		return CHAN_NOMEM;
	void *line = (char *)memory + (-(uintptr_t)memory & (LINE - 1));
	struct channel *ch = memset(line, 0, sizeof *ch);
	ch->memory = memory;
	chan_core_init(&ch->core, config, &layout, CORE_PARKS, end);
	list_init(&ch->receivers);
	atomic_init(&ch->tail, config->start);
	ch->pause = pause_of(retained);
	ring_init(&ch->ring, &layout, stride, retained, (char *)line + before, config->start);
	chan_handle_begin(&ch->sender, &ch->core);
	ch->core.senders = 1;
	*tx = (struct chan_sender *)&ch->sender;
	if (rx != NULL) {
		receiver_join(ch, receiver_init(receiver_first(ch), ch));
		*rx = (struct chan_receiver *)receiver_first(ch);
		ch->count = 1;
		atomic_init(&ch->owner, &ch->sender);
	}
	atomic_init(&ch->core.refs, rx != NULL ? 2 : 1);
	return CHAN_OK;
}

static enum chan_status bytes_subscribe(struct handle *from, struct chan_receiver **out)
{
	struct channel *ch = channel_of(from);
	struct list wakes = WAKES_NONE(wakes);

	if (out == NULL)
		return CHAN_INVALID;
	struct receiver *r = receiver_new(ch);
	if (r == NULL)
		return CHAN_NOMEM;
	chan_handle_enter(from, "subscribe");
	revoke_bias(ch, from);
	receiver_join(ch, r);
	chan_handle_leave(from, &wakes);
	*out = (struct chan_receiver *)r;
	return CHAN_OK;
}

static void bytes_receiver_drop(struct receiver *r)
{
	struct channel *ch = channel_of(&r->handle);
	struct core *core = &ch->core;
	struct list wakes = WAKES_NONE(wakes);

	chan_handle_enter(&r->handle, "receiver_drop");
	chan_handle_disarm_all(&r->handle);
	revoke_bias(ch, NULL);
	list_unlink(&r->siblings);
	if (--core->receivers == 0)
		chan_wait_wake_all(&core->closed_queue, &wakes);
	chan_handle_leave(&r->handle, &wakes);
	if (r != receiver_first(ch))
		free(r);
	chan_core_unref(core);
}

static void bytes_sender_drop(struct handle *h)
{
	struct channel *ch = channel_of(h);
	struct core *core = &ch->core;
	struct list wakes = WAKES_NONE(wakes);

	chan_handle_enter(h, "sender_drop");
	chan_handle_disarm_all(h);
	revoke_bias(ch, h);
	if (--core->senders == 0) {
		/* A5: all is sent */
		atomic_store_explicit(&ch->no_senders, true, memory_order_release);
		chan_wait_wake_all(&core->recv_queue, &wakes);
	}
	chan_handle_leave(h, &wakes);
	if (h != &ch->sender)
		free(h);
	chan_core_unref(core);
}

/* ------------------------------------------------------------------------------------------
 * Properties
 */

/* How far a receiver is behind. Its position is read first: the tail has passed it. */
static uint64_t behind(const struct channel *ch, const struct receiver *r)
{
	/* R6: the tail it passed */
	uint64_t next = atomic_load_explicit(&r->next, memory_order_acquire);

	/* R3: the oldest is stamped */
	return atomic_load_explicit(&ch->tail, memory_order_acquire) - next;
}

/* What the receiver that is furthest behind has still to read, as far as the ring keeps it (B-27).
 * Under the lock. */
static uint64_t furthest_behind(const struct channel *ch)
{
	uint64_t most = 0;

	for (const struct list *l = ch->receivers.next; l != &ch->receivers; l = l->next) {
		uint64_t distance = behind(ch, LIST_ENTRY(l, struct receiver, siblings));
		most = distance > most ? distance : most;
	}
	return most > ch->ring.mask ? ch->ring.mask + 1 : most;
}

/* `r`: who asks; NULL for a sender, strong or weak. */
static uint64_t bytes_get(struct channel *ch, const struct receiver *r, enum chan_property property)
{
	uint64_t answer;

	pthread_mutex_lock(&ch->core.lock);
	switch (property) {
	case CHAN_LEN:
		answer = r != NULL ? behind(ch, r) : furthest_behind(ch);
		break;
	case CHAN_CAPACITY:
		answer = ch->core.config.capacity;
		break;
	case CHAN_MAX_CAPACITY:
		answer = ch->ring.mask + 1;
		break;
	default:
		answer = chan_core_get(&ch->core, r == NULL, property);
	}
	pthread_mutex_unlock(&ch->core.lock);
	return answer;
}

/* ------------------------------------------------------------------------------------------
 * ENTRIES. A value with hooks cannot be cloned while it is overwritten. So a channel that is opened
 * with a `clone` hook is one of the locked channel (impls/mutex), whose threads park; it keeps
 * rules B-30 to B-35. Each entry decides once which of the two the handle is of. Nothing above
 * looks.
 */

static CHAN_INLINE bool hooked(const void *handle)
{
	return CHAN_RARELY(((const struct handle *)handle)->core->config.clone != NULL);
}

static enum chan_status broadcast_open(const struct chan_config *config, struct chan_sender **tx,
                                       struct chan_receiver **rx)
{
	if (config == NULL || tx == NULL)
		return CHAN_INVALID;
	return config->clone != NULL ? chan_mutex_broadcast_open(config, CORE_PARKS, tx, rx)
	                             : bytes_open(config, tx, rx);
}

static enum chan_status broadcast_send(struct chan_sender *tx, const void *msg, size_t *receivers)
{
	return hooked(tx) ? chan_mutex_broadcast_ops.send(tx, msg, receivers)
	                  : bytes_send((struct handle *)tx, msg, receivers);
}

static enum chan_status broadcast_recv(struct chan_receiver *rx, void *msg, uint64_t *missed, uint64_t deadline)
{
	return hooked(rx) ? chan_mutex_broadcast_ops.recv(rx, msg, missed, deadline)
	                  : bytes_recv((struct receiver *)rx, msg, missed, deadline);
}

static enum chan_status broadcast_subscribe(struct chan_sender *tx, struct chan_receiver **out)
{
	return hooked(tx) ? chan_mutex_broadcast_ops.subscribe(tx, out) : bytes_subscribe((struct handle *)tx, out);
}

static enum chan_status broadcast_resubscribe(struct chan_receiver *rx, struct chan_receiver **out)
{
	return hooked(rx) ? chan_mutex_broadcast_ops.resubscribe(rx, out) : bytes_subscribe((struct handle *)rx, out);
}

static void broadcast_sender_drop(struct chan_sender **tx)
{
	struct handle *h = (struct handle *)*tx;

	if (h == NULL || hooked(h)) {
		chan_mutex_broadcast_ops.sender_drop(tx);
		return;
	}
	*tx = NULL;
	bytes_sender_drop(h);
}

static void broadcast_receiver_drop(struct chan_receiver **rx)
{
	struct receiver *r = (struct receiver *)*rx;

	if (r == NULL || hooked(r)) {
		chan_mutex_broadcast_ops.receiver_drop(rx);
		return;
	}
	*rx = NULL;
	bytes_receiver_drop(r);
}

static enum chan_arm broadcast_arm_recv(struct chan_receiver *rx, struct chan_waiter *waiter)
{
	return hooked(rx) ? chan_mutex_broadcast_ops.arm_recv(rx, waiter)
	                  : bytes_arm_recv((struct receiver *)rx, waiter);
}

static uint64_t broadcast_sender_get(const struct chan_sender *tx, enum chan_property property)
{
	return hooked(tx) ? chan_mutex_broadcast_ops.sender_get(tx, property)
	                  : bytes_get(channel_of((const struct handle *)tx), NULL, property);
}

static uint64_t broadcast_receiver_get(const struct chan_receiver *rx, enum chan_property property)
{
	const struct receiver *r = (const struct receiver *)rx;

	return hooked(rx) ? chan_mutex_broadcast_ops.receiver_get(rx, property)
	                  : bytes_get(channel_of(&r->handle), r, property);
}

static uint64_t broadcast_weak_get(const struct chan_weak *weak, enum chan_property property)
{
	return hooked(weak) ? chan_mutex_broadcast_ops.weak_get(weak, property)
	                    : bytes_get(channel_of((const struct handle *)weak), NULL, property);
}

const struct chan_broadcast_ops chan_futex_broadcast_ops = {
	.open = broadcast_open,
	.send = broadcast_send,
	.recv = broadcast_recv,
	.subscribe = broadcast_subscribe,
	.sender_drop = broadcast_sender_drop,
	.receiver_drop = broadcast_receiver_drop,
	.sender_clone = chan_core_sender_clone,
	.downgrade = chan_core_downgrade,
	.upgrade = chan_core_upgrade,
	.weak_clone = chan_core_weak_clone,
	.weak_drop = chan_core_weak_drop,
	.resubscribe = broadcast_resubscribe,
	.closed = chan_core_wait_closed,
	.arm_recv = broadcast_arm_recv,
	.arm_closed = chan_core_arm_closed,
	.disarm = chan_core_disarm,
	.sender_get = broadcast_sender_get,
	.receiver_get = broadcast_receiver_get,
	.weak_get = broadcast_weak_get,
};
