/* SPDX-License-Identifier: MIT
 *
 * mpsc.h - the bounded channel under one lock: what it is made of, and its operations. The rules
 * and the overview stand in mpsc.c.
 */
#ifndef CHANBENCH_MUTEX_MPSC_H
#define CHANBENCH_MUTEX_MPSC_H

#include "impls/base/core.h"
#include "impls/channel.h"

struct mpsc;

/* Where the messages are. All under the lock. What stands below the line is for stores that are
 * also used without it, by operations that found nothing special to be going on (NULL: the store
 * is not). */
struct mpsc_store {
	/* Messages that are in it, those included that are just being put in. */
	size_t (*len)(const struct mpsc *ch);

	/* Puts a message in; there is a slot for it. False: out of memory (unbounded only), and
	 * nothing has changed. */
	bool (*push)(struct mpsc *ch, const void *msg);

	/* Takes up to `limit` messages out for a receiver. 0: there is none, or the next one is
	 * still being put in. */
	size_t (*take)(struct handle *rx, void *msgs, size_t limit);

	/* The oldest message where it lies, and the end of it; there is one, and no receiver. */
	void *(*front)(struct mpsc *ch);
	void (*pop)(struct mpsc *ch);

	/* Frees everything. It is empty. */
	void (*free)(struct mpsc *ch);

	/* ------ */

	/* From here until `settle` no message comes in but by push; those who are at it have
	 * finished. `sender` says that the caller uses the handle of a sender. Again: nothing
	 * happens. */
	void (*block_senders)(struct mpsc *ch, bool sender);

	/* Says to those who do without the lock what they have to take it for. It is, if the
	 * channel is like that now:
	 *
	 *   somebody waits for a message      a sender who has sent     chan_mpsc_sent
	 *   chan_mpsc_waiting                 a receiver who has taken  chan_mpsc_taken
	 *   chan_mpsc_ending                  a receiver who has taken  chan_mpsc_taken; who
	 *   finds nothing  chan_mpsc_recv_many chan_mpsc_senders_blocked
	 *   whoever wants to send     chan_mpsc_send_many
	 *
	 * Before the lock is released, and before `held`, a queue or a flag is relied on to keep
	 * others away. True: somebody waits for what others may have done without seeing it; the
	 * caller looks again after chan_fence_heavy, which was called. */
	bool (*publish_state)(struct mpsc *ch);
};

/* Its handles, of whatever type, begin with a struct handle. */
struct mpsc {
	/* `readers` wait for messages; `shut` also once the last receiver is gone */
	struct core core;
	const struct mpsc_store *store;
	size_t capacity, held; /* slots; I1 */
	bool bounded;
	struct list send_queue; /* waits for slots, in the order in which they are served */
};

/* Senders must come to the lock. Under the lock. */
static inline bool chan_mpsc_senders_blocked(const struct mpsc *ch)
{
	return ch->held != 0 || !list_empty(&ch->send_queue) || chan_core_closed(&ch->core);
}

/* There may be an end to it: who finds no message has to look closer. Under the lock. */
static inline bool chan_mpsc_ending(const struct mpsc *ch)
{
	return ch->core.senders == 0 || chan_core_closed(&ch->core);
}

/* A channel with `capacity` slots (0: unbounded) and no handles; `ch` is all zero. */
void chan_mpsc_init(struct mpsc *ch, const struct chan_config *config, const struct layout *layout, size_t capacity,
                    const struct mpsc_store *store, enum core_sleep sleep);

/* Makes the first two handles. CHAN_NOMEM: neither, and the channel is freed. */
enum chan_status chan_mpsc_open(struct mpsc *ch, struct chan_sender **tx, struct chan_receiver **rx);

enum chan_status chan_mpsc_receiver_clone(struct chan_receiver *rx, struct chan_receiver **out);
void chan_mpsc_sender_drop(struct chan_sender **tx);
void chan_mpsc_receiver_drop(struct chan_receiver **rx);
void chan_mpsc_close(struct chan_receiver *rx);
bool chan_mpsc_disarm(struct chan_waiter *waiter);
uint64_t chan_mpsc_sender_get(const struct chan_sender *tx, enum chan_property property);
uint64_t chan_mpsc_receiver_get(const struct chan_receiver *rx, enum chan_property property);

enum chan_status chan_mpsc_send(struct chan_sender *tx, const void *msg, uint64_t deadline);
enum chan_status chan_mpsc_send_many(struct chan_sender *tx, const void *msgs, size_t n, size_t *sent,
                                     uint64_t deadline);
enum chan_status chan_mpsc_reserve(struct chan_sender *tx, size_t n, struct chan_permit *permit, uint64_t deadline);
void chan_mpsc_permit_send(struct chan_permit *permit, const void *msg);
void chan_mpsc_permit_release(struct chan_permit *permit);
enum chan_arm chan_mpsc_arm_send(struct chan_sender *tx, struct chan_waiter *waiter);

/* `n` messages were sent without the lock, and somebody may wait for them. */
void chan_mpsc_sent(struct handle *h, size_t n);

enum chan_status chan_mpsc_recv(struct chan_receiver *rx, void *msg, uint64_t deadline);
enum chan_status chan_mpsc_recv_many(struct chan_receiver *rx, void *msgs, size_t limit, size_t *received,
                                     uint64_t deadline);
enum chan_arm chan_mpsc_arm_recv(struct chan_receiver *rx, struct chan_waiter *waiter);

/* As chan_handle_leave, after a change of what publish_state says. Under the lock. */
void chan_mpsc_leave(struct handle *h, struct list *wakes);

/* `n` messages were taken without the lock, and somebody may wait for their slots, or something
 * is armed on the handle. */
void chan_mpsc_taken(struct handle *h, size_t n);

#endif
