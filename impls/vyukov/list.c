/* SPDX-License-Identifier: MIT
 *
 * list.c - the unbounded channel of the vyukov family: Vyukov's list for many senders.
 *
 * WHERE IT COMES FROM
 *
 * D. Vyukov's non-intrusive MPSC node-based queue (1024cores.net). Its idea: a sender exchanges the
 * tail for its node, which takes one instruction and never fails, and then links the node before to
 * its own. The consumer follows the links from a node whose message was read already (the stub).
 * Added here: closing, lengths, several receivers, nodes that are used again. Waiting and arming
 * are those of fastpath/unbounded.h.
 *
 *   head                                    tail
 *    |                                       |
 *   +------+ next +------+ next +------+     +------+
 *   | read | ---> | sent | ---> | sent |  .. | sent |      .. its sender has exchanged the tail and
 *   +------+      +------+      +------+     +------+         not yet linked
 *
 * ALGORITHM
 *
 *   Send     1  The state says closed: refuse.
 *            2  Get a node (or several, linked, for a batch), copy the message in.
 *            3  Exchange the tail for the node.
 *            4  Read the state. Closed: the node is void.
 *            5  Store the link in the node before, with a bit that says whether the node is void.
 *   Receive  1  Enter: alone, say `inside`, and look whether the list is guarded. If it is, take
 *               the lock `turn` instead.
 *            2  Follow the link of the head. A void node is passed over. Copy the message out, move
 *               the head, keep the old node for a sender.
 *            3  No link: read the state, then the tail. The tail is the head: that is the end.
 *               Otherwise a sender is between its steps 3 and 5: wait for it.
 *            4  Leave.
 *   Length   1  Guard the list: take `turn`, set `guarded`, make a heavy fence, wait until nobody
 *               is inside.
 *            2  Read the tail, and count the nodes up to it that are not void, from where the
 *               length before has stopped, or from the head if that is further on.
 *            3  The length is what was ever counted less what was ever received.
 *
 * INVARIANTS
 *
 * L1  From the head each node is linked to the next, or its successor's sender is about to link it.
 *     The node at the head is the only one whose message has been read.
 * L2  A node belongs to its sender until it is linked. A sender may touch the node before its own
 *     until it has linked it, for the head cannot pass a node that has no link.
 * L3  The head moves, and links are followed, only by a thread that is inside (alone) or has
 *     `turn`. While `guarded` is set, nobody is inside. It is always set while there are several
 *     receivers.
 * L4  A node is void if and only if its send was refused.
 * L5  `count` says how many messages there were from the beginning up to the node `counted`. While
 *     it is more than `received`, that node is behind the head, so it is not yet used again.
 *
 * WHO EXCLUDES WHOM
 *
 *                send              receive                     length
 *   send         exchange          link (L2)                   link
 *   receive      link              the contract, or `turn`     inside and guarded, or `turn`
 *   length       link              inside and guarded          `turn`
 *
 * LINEARIZATION. A send: its exchange of the tail. A refused send: its read of the state. A
 * receive: the load of the link. Empty: the load of a tail that equals the head. Length: the load
 * of the tail. Closing: the setting of the bit.
 *
 * CLOSING. The bit is set, then the tail is exchanged for itself. A send whose exchange comes after
 * that one reads the bit, for each exchange acquires what earlier ones released. So a send that
 * does not see the bit is in the list by then. A receiver that finds the bit and then, by such an
 * exchange of its own, a tail that equals the head, has received everything. A send that sees the
 * bit, on whichever side its exchange was, takes itself back: void nodes are no messages to
 * anybody. Each handle leaves one at most, for later sends are refused in step 1.
 *
 * WAITING. In the same way: a receiver sets UNBOUNDED_WAITING, then exchanges the tail for itself.
 * A send that came before has moved the tail, and the receiver sees that; one that comes after
 * acquires the bit by its exchange. No wake is lost, and no side needs a fence.
 *
 * ORDER
 *
 * A0 -> R0  `shared` (fastpath/unbounded.h).
 * A1 -> R1  the link: a node, its message, and whether it is void.
 * A2 -> R2  the tail, which is changed by exchanges only: the state as it was set before; a node
 *           whose link is to be stored.
 * A3 -> R3  `inside` and `guarded`: what was done to the head.
 * A4 -> R4  the depot: nodes were read, and are written again.
 * A5 -> R5  the state: all that a last sender sent; what was done before the close that refuses a
 *           send.
 *
 * A PEER THAT IS PREEMPTED. A sender between its exchange and its link hides all that was sent
 * after it. It is waited for, spinning, then yielding: it must not be taken for the end (M-56), nor
 * for a shorter length (M-10). Other senders go on: a send never waits for anybody. A receiver with
 * `turn` is waited for by other receivers and by lengths.
 *
 * WRAP. `received` and `count` wrap. Only their difference is used, which is at most the backlog.
 * Both begin at the start of the channel's configuration, so that tests see them wrap.
 *
 * NOTES
 *
 * Several receivers take turns under a lock. The list has one end at which links are followed; to
 * share it without a lock a receiver would have to know that the node that it looks at is not used
 * again meanwhile, which takes hazard pointers or counts, on every receive. A channel with several
 * receivers is better served by blocks with slots.
 *
 * The length is counted, since a counter would cost each send a second locked instruction, and
 * would not be moved at the same moment as the tail. No node is counted twice, so lengths cost a
 * constant for each message, however often they are asked for.
 *
 * Nodes travel from the receiver to the senders in chains of some 4 KiB, by a depot of a few places
 * for a chain each. A whole chain is put into an empty place, and taken out as a whole, so there is
 * no ABA. When all places are full the chain is freed (U-7).
 */
#include "impls/base/fence.h"
#include "impls/fastpath/unbounded.h"
#include "impls/vyukov/vyukov.h"

#include <stdlib.h>

enum {
	CHAIN_BYTES = 4096,
	DEPOT_PLACES = 8,
	VOID_NODE = 1 /* in a link: the node that it leads to was refused */
};

struct node {
	_Atomic uintptr_t next; /* in the list, with VOID_NODE; in a chain of spare ones, without */
				/* the element follows at list.element */
};

/* A sender. (Receivers have one too, and do not use it.) */
struct list_handle {
	struct handle handle;
	struct node *spare;
};

struct list_channel {
	struct unbounded channel;

	alignas(UNBOUNDED_LINE) struct layout layout;
	size_t element; /* bytes: from the node to its element */
	size_t bytes;   /* of a node */
	size_t chain;   /* nodes that go into the depot together */

	alignas(UNBOUNDED_LINE) _Atomic uintptr_t tail;
	_Atomic unsigned state;

	/* Of the receiver that is inside, or has `turn`. */
	alignas(UNBOUNDED_LINE) _Atomic uintptr_t head;
	struct node *spare;
	size_t spares;
	size_t received;      /* messages, ever; wraps */
	_Atomic bool inside;  /* the only receiver follows links */
	_Atomic bool guarded; /* links are followed under `turn` */

	alignas(UNBOUNDED_LINE) pthread_mutex_t turn;
	bool many;            /* several receivers; under `turn` */
	struct node *counted; /* under `turn`: the lengths have counted up to here ... */
	size_t count;         /* ... so many messages, ever; wraps (L5) */

	alignas(UNBOUNDED_LINE) _Atomic(struct node *) depot[DEPOT_PLACES];
};

static inline void *element_of(const struct list_channel *l, struct node *node)
{
	return (char *)node + l->element;
}

static inline void *message_at(const struct list_channel *l, const void *msgs, size_t n)
{
	return l->layout.size == 0 ? NULL : (char *)(uintptr_t)msgs + n * l->layout.size;
}

static inline struct node *node_of(uintptr_t link)
{
	return (struct node *)(link & ~(uintptr_t)VOID_NODE);
}

static inline struct node *head_of(const struct list_channel *l)
{
	return (struct node *)atomic_load_explicit(&l->head, memory_order_relaxed);
}

static inline uintptr_t link_of(const struct node *node)
{
	return atomic_load_explicit(&node->next, memory_order_acquire); /* R1: the node is whole */
}

/* The tail, by an exchange for itself. */
static uintptr_t exchange_tail_for_itself(struct list_channel *l)
{
	return atomic_fetch_or_explicit(&l->tail, 0, memory_order_acq_rel); /* A2, R2: the state */
}

/* ------------------------------------------------------------------------------------------
 * Nodes: new, kept, given back
 */

static void free_chain(struct node *node)
{
	while (node != NULL) {
		struct node *next = node_of(atomic_load_explicit(&node->next, memory_order_relaxed));

		free(node);
		node = next;
	}
}

static struct node *node_new(const struct list_channel *l)
{
	size_t align = l->layout.align < alignof(max_align_t) ? alignof(max_align_t) : l->layout.align;
	void *memory;

	return posix_memalign(&memory, align, l->bytes) == 0 ? memory : NULL;
}

static struct node *take_from_depot(struct list_channel *l)
{
	for (size_t i = 0; i < DEPOT_PLACES; i++) {
		if (atomic_load_explicit(&l->depot[i], memory_order_relaxed) == NULL)
			continue;
		/* R4: they were read */
		struct node *chain = atomic_exchange_explicit(&l->depot[i], NULL, memory_order_acquire);
		if (chain != NULL)
			return chain;
	}
	return NULL;
}

static inline struct node *node_get(struct list_channel *l, struct list_handle *sender)
{
	if (sender->spare == NULL)
		sender->spare = take_from_depot(l);
	struct node *node = sender->spare;
	if (node == NULL)
		return node_new(l);
	sender->spare = node_of(atomic_load_explicit(&node->next, memory_order_relaxed));
	return node;
}

/* The chain goes to the senders, or back to where it came from. */
static CHAN_APART void chain_put(struct list_channel *l)
{
	struct node *chain = l->spare;

	l->spare = NULL;
	l->spares = 0;
	for (size_t i = 0; i < DEPOT_PLACES; i++) {
		struct node *none = NULL;
		/* A4: they were read */
		if (atomic_load_explicit(&l->depot[i], memory_order_relaxed) == NULL &&
		    atomic_compare_exchange_strong_explicit(&l->depot[i], &none, chain, memory_order_release,
		                                            memory_order_relaxed))
			return;
	}
	free_chain(chain);
}

static inline void node_put(struct list_channel *l, struct node *node)
{
	atomic_store_explicit(&node->next, (uintptr_t)l->spare, memory_order_relaxed);
	l->spare = node;
	if (++l->spares >= l->chain)
		chain_put(l);
}

static bool list_open(struct unbounded *ch, uint64_t start)
{
	struct list_channel *l = (struct list_channel *)ch;
	const struct layout *layout = &ch->core.layout;

	l->received = l->count = (size_t)start;
	l->layout = *layout;
	l->element = (sizeof(struct node) + layout->align - 1) & ~(layout->align - 1);
	l->bytes = l->element + layout->size;
	pthread_mutex_init(&l->turn, NULL);
	if (l->bytes < l->element)
		return false;
	l->chain = CHAIN_BYTES / l->bytes > 0 ? CHAIN_BYTES / l->bytes : 1;
	struct node *stub = node_new(l);
	if (stub != NULL)
		atomic_init(&stub->next, 0);
	atomic_init(&l->head, (uintptr_t)stub);
	atomic_init(&l->tail, (uintptr_t)stub);
	return stub != NULL;
}

static void list_close(struct unbounded *ch)
{
	struct list_channel *l = (struct list_channel *)ch;

	free_chain(head_of(l));
	free_chain(l->spare);
	for (size_t i = 0; i < DEPOT_PLACES; i++)
		free_chain(atomic_load_explicit(&l->depot[i], memory_order_relaxed));
	pthread_mutex_destroy(&l->turn);
}

static void list_sender_drop(struct handle *h)
{
	free_chain(((struct list_handle *)h)->spare);
}

/* ------------------------------------------------------------------------------------------
 * Sending
 */

/* Puts the nodes from `first` to `last` into the list. CHAN_CLOSED: they are void. */
static inline enum chan_status put_in(struct list_channel *l, struct node *first, struct node *last, unsigned *state)
{
	uintptr_t link = (uintptr_t)first;

	atomic_store_explicit(&last->next, 0, memory_order_relaxed);
	/* A2, R2: later ones see what we see of the state; we see what was set before */
	struct node *before = (struct node *)atomic_exchange_explicit(&l->tail, (uintptr_t)last, memory_order_acq_rel);
	unsigned found = atomic_load_explicit(&l->state, memory_order_acquire); /* R5: who closed */
	if (CHAN_RARELY(found & UNBOUNDED_CLOSED)) {
		for (struct node *node = first; node != last;) {
			uintptr_t next = atomic_load_explicit(&node->next, memory_order_relaxed);
			atomic_store_explicit(&node->next, next | VOID_NODE, memory_order_relaxed);
			node = (struct node *)next;
		}
		link |= VOID_NODE;
	} else {
		*state = found;
	}
	/* A1: the nodes are whole */
	atomic_store_explicit(&before->next, link, memory_order_release);
	return found & UNBOUNDED_CLOSED ? CHAN_CLOSED : CHAN_OK;
}

static CHAN_INLINE enum chan_status list_send(struct handle *h, const void *msg, unsigned *state)
{
	struct list_channel *l = (struct list_channel *)h->core;

	/* R5: who closed */
	if (atomic_load_explicit(&l->state, memory_order_acquire) & UNBOUNDED_CLOSED)
		return CHAN_CLOSED;
	struct node *node = node_get(l, (struct list_handle *)h);
	if (node == NULL)
		return CHAN_NOMEM;
	chan_layout_copy(&l->layout, element_of(l, node), msg);
	return put_in(l, node, node, state);
}

static enum chan_status list_send_some(struct handle *h, const void *msgs, size_t n, size_t *sent, unsigned *state)
{
	struct list_channel *l = (struct list_channel *)h->core;
	struct node *first = NULL, *last = NULL, *node;
	size_t count = 0;

	/* R5: who closed */
	if (atomic_load_explicit(&l->state, memory_order_acquire) & UNBOUNDED_CLOSED)
		return CHAN_CLOSED;
	for (; count < n && (node = node_get(l, (struct list_handle *)h)) != NULL; count++, last = node) {
		chan_layout_copy(&l->layout, element_of(l, node), message_at(l, msgs, count));
		if (last == NULL)
			first = node;
		else
			atomic_store_explicit(&last->next, (uintptr_t)node, memory_order_relaxed);
	}
	if (count == 0)
		return CHAN_NOMEM;
	enum chan_status status = put_in(l, first, last, state);
	if (status == CHAN_OK)
		*sent += count;
	return status;
}

/* ------------------------------------------------------------------------------------------
 * Following links: one thread at a time (L3)
 */

/* False: the list is guarded. */
static inline bool enter_alone(struct list_channel *l)
{
	atomic_store_explicit(&l->inside, true, memory_order_relaxed);
	chan_fence_light(); /* with the heavy fence in guard(): one sees the other */
	/* R3: where the head was left */
	if (!atomic_load_explicit(&l->guarded, memory_order_acquire))
		return true;
	atomic_store_explicit(&l->inside, false, memory_order_release); /* A3: nothing was done */
	return false;
}

static inline void leave_alone(struct list_channel *l)
{
	atomic_store_explicit(&l->inside, false, memory_order_release); /* A3: the head was moved */
}

/* Returns whether it took `turn`, for leave. */
static bool enter(struct list_channel *l)
{
	if (enter_alone(l))
		return false;
	pthread_mutex_lock(&l->turn);
	return true;
}

static void leave(struct list_channel *l, bool turn)
{
	if (turn)
		pthread_mutex_unlock(&l->turn);
	else
		leave_alone(l);
}

static void guard(struct list_channel *l)
{
	unsigned turn = 0;

	pthread_mutex_lock(&l->turn);
	if (l->many)
		return;
	atomic_store_explicit(&l->guarded, true, memory_order_relaxed);
	chan_fence_heavy();
	while (atomic_load_explicit(&l->inside, memory_order_acquire)) /* R3: the head was moved */
		chan_give_way(&turn);
}

static void end_guard(struct list_channel *l)
{
	if (!l->many)
		/* A3: of all with `turn` */
		atomic_store_explicit(&l->guarded, false, memory_order_release);
	pthread_mutex_unlock(&l->turn);
}

static void list_share(struct unbounded *ch)
{
	struct list_channel *l = (struct list_channel *)ch;

	pthread_mutex_lock(&l->turn);
	l->many = true;
	/* seen with the new handle */
	atomic_store_explicit(&l->guarded, true, memory_order_relaxed);
	pthread_mutex_unlock(&l->turn);
}

static void list_unshare(struct unbounded *ch)
{
	struct list_channel *l = (struct list_channel *)ch;

	pthread_mutex_lock(&l->turn);
	l->many = false;
	end_guard(l);
}

/* ------------------------------------------------------------------------------------------
 * Receiving
 */

/* Moves the head along its link, to a node whose message was read, or that is void. */
static inline void advance(struct list_channel *l, uintptr_t link)
{
	struct node *head = head_of(l), *next = node_of(link);

	l->received += !(link & VOID_NODE);
	atomic_store_explicit(&l->head, (uintptr_t)next, memory_order_relaxed);
	node_put(l, head);
}

static CHAN_INLINE bool list_take_one(struct unbounded *ch, void *msg)
{
	struct list_channel *l = (struct list_channel *)ch;

	if (!enter_alone(l))
		return false;
	uintptr_t link = link_of(head_of(l));
	bool taken = link != 0 && !(link & VOID_NODE);
	if (taken) {
		chan_layout_copy(&l->layout, msg, element_of(l, node_of(link)));
		advance(l, link);
	}
	leave_alone(l);
	return taken;
}

static size_t list_take(struct unbounded *ch, void *msgs, size_t limit, unsigned *state)
{
	struct list_channel *l = (struct list_channel *)ch;
	bool turn = enter(l);
	unsigned looks = 0;
	size_t n = 0;

	for (;;) {
		for (uintptr_t link; n < limit && (link = link_of(head_of(l))) != 0; advance(l, link))
			if (!(link & VOID_NODE))
				chan_layout_copy(&l->layout, message_at(l, msgs, n++), element_of(l, node_of(link)));
		if (n == limit)
			break;
		/* R5: the last sender's */
		*state = atomic_load_explicit(&l->state, memory_order_acquire);
		/* R2; by an exchange for the sake of sends that have not seen the bit (CLOSING) */
		uintptr_t tail = *state & UNBOUNDED_ENDING ? exchange_tail_for_itself(l)
		                                           : atomic_load_explicit(&l->tail, memory_order_acquire);
		if (tail == (uintptr_t)head_of(l))
			break;
		chan_give_way(&looks); /* one more has come, or is about to be linked (M-56) */
	}
	leave(l, turn);
	return n;
}

static bool list_ready(const struct unbounded *ch)
{
	const struct list_channel *l = (const struct list_channel *)ch;

	if (unbounded_shared(ch)) /* R0: is it alone? */
		return atomic_load_explicit(&l->tail, memory_order_relaxed) != (uintptr_t)head_of(l);
	return link_of(head_of(l)) != 0;
}

/* The closer has exchanged the tail for itself, so what comes to the tail now is void. */
static void *list_front(struct unbounded *ch)
{
	struct list_channel *l = (struct list_channel *)ch;

	for (unsigned looks = 0;;) {
		uintptr_t link = link_of(head_of(l));

		if (link != 0 && !(link & VOID_NODE))
			return element_of(l, node_of(link));
		if (link != 0)
			ch->store->pop(ch);
		/* R2: all that was sent before the close */
		else if (atomic_load_explicit(&l->tail, memory_order_acquire) == (uintptr_t)head_of(l))
			return NULL;
		else
			chan_give_way(&looks);
	}
}

static void list_pop(struct unbounded *ch)
{
	struct list_channel *l = (struct list_channel *)ch;
	bool turn = enter(l); /* a sender may ask for the length */

	advance(l, link_of(head_of(l)));
	leave(l, turn);
}

/* ------------------------------------------------------------------------------------------
 * State and length
 */

static bool list_set(struct unbounded *ch, unsigned bits)
{
	struct list_channel *l = (struct list_channel *)ch;
	/* A5: what was done before the bit */
	unsigned state = atomic_fetch_or_explicit(&l->state, bits, memory_order_release) | bits;
	uintptr_t tail = exchange_tail_for_itself(l); /* A2: sends that come later see the bits */

	/* An old head says that there is a message, which is then looked for. */
	return (state & UNBOUNDED_ENDING) != 0 || tail != (uintptr_t)head_of(l);
}

static void list_unset(struct unbounded *ch, unsigned bits)
{
	atomic_fetch_and_explicit(&((struct list_channel *)ch)->state, ~bits, memory_order_relaxed);
}

static unsigned list_state(const struct unbounded *ch)
{
	/* R5: what was done before a bit was set */
	return atomic_load_explicit(&((const struct list_channel *)ch)->state, memory_order_acquire);
}

/* Goes on counting where the length before has ended. With `turn`, and nobody inside. */
static void count_up_to(struct list_channel *l, const struct node *last)
{
	if ((ptrdiff_t)(l->count - l->received) <= 0) { /* the head may have passed it (L5) */
		l->counted = head_of(l);
		l->count = l->received;
	}
	while (l->counted != last) {
		uintptr_t link;

		for (unsigned looks = 0; (link = link_of(l->counted)) == 0;)
			chan_give_way(&looks); /* it is about to be linked */
		l->count += !(link & VOID_NODE);
		l->counted = node_of(link);
	}
}

static size_t list_len(struct unbounded *ch, size_t most)
{
	struct list_channel *l = (struct list_channel *)ch;
	size_t n;

	/* R2; then a head that is not older than the node's last life as the head */
	uintptr_t tail = atomic_load_explicit(&l->tail, memory_order_acquire);
	if (most <= 1) /* void nodes do no harm here: a receiver comes and finds nothing */
		return tail != (uintptr_t)head_of(l) ? most : 0;
	guard(l);
	/* R2: its link will be stored */
	struct node *last = (struct node *)atomic_load_explicit(&l->tail, memory_order_acquire);
	count_up_to(l, last);
	n = l->count - l->received;
	end_guard(l);
	return n;
}

/* ------------------------------------------------------------------------------------------
 * The table
 */

static const struct unbounded_store store = {
	.open = list_open,
	.close = list_close,
	.send = list_send,
	.send_some = list_send_some,
	.take_one = list_take_one,
	.take = list_take,
	.ready = list_ready,
	.set = list_set,
	.unset = list_unset,
	.state = list_state,
	.len = list_len,
	.share = list_share,
	.unshare = list_unshare,
	.front = list_front,
	.pop = list_pop,
	.sender_drop = list_sender_drop,
};

static enum chan_status open_channel(const struct chan_config *config, struct chan_sender **tx,
                                     struct chan_receiver **rx)
{
	return chan_unbounded_open(config, tx, rx, sizeof(struct list_channel), sizeof(struct list_handle), &store);
}

static enum chan_status send(struct chan_sender *tx, const void *msg, uint64_t deadline)
{
	(void)deadline;
	return unbounded_send(tx, msg, &store);
}

static enum chan_status send_many(struct chan_sender *tx, const void *msgs, size_t n, size_t *sent, uint64_t deadline)
{
	(void)deadline;
	return unbounded_send_many(tx, msgs, n, sent, &store);
}

static enum chan_status recv_many(struct chan_receiver *rx, void *msgs, size_t limit, size_t *received,
                                  uint64_t deadline)
{
	return unbounded_recv_many(rx, msgs, limit, received, deadline, &store);
}

static enum chan_status recv(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	return unbounded_recv(rx, msg, deadline, &store, recv_many);
}

const struct chan_mpsc_ops chan_vyukov_unbounded_ops = {
	.open = open_channel,
	.send = send,
	.recv = recv,
	.sender_drop = chan_unbounded_sender_drop,
	.receiver_drop = chan_unbounded_receiver_drop,
	.sender_clone = chan_core_sender_clone,
	.downgrade = chan_core_downgrade,
	.upgrade = chan_core_upgrade,
	.weak_clone = chan_core_weak_clone,
	.weak_drop = chan_core_weak_drop,
	.receiver_clone = chan_unbounded_receiver_clone,
	.send_many = send_many,
	.recv_many = recv_many,
	.close = chan_unbounded_close,
	.closed = chan_core_wait_closed,
	.arm_send = chan_unbounded_arm_send,
	.arm_recv = chan_unbounded_arm_recv,
	.arm_closed = chan_core_arm_closed,
	.disarm = chan_unbounded_disarm,
	.sender_get = chan_unbounded_sender_get,
	.receiver_get = chan_unbounded_receiver_get,
	.weak_get = chan_core_weak_get,
};
