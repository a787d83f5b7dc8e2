/* SPDX-License-Identifier: MIT
 *
 * queue.c - the mpsc and unbounded channels of the mutex family: a first in, first out queue as the
 * store of messages of mpsc.c, and the two tables.
 *
 * THE QUEUE. Both kinds have the same structure: linked blocks of elements, written at its tail
 * and read at its head.
 *
 *   bounded    There is one block of `capacity` elements, and its successor is itself: a ring.
 *              mpsc.c counts the slots and never pushes into a full ring, so a push cannot fail.
 *   unbounded  The blocks are of about 4 KiB. One is made when the tail reaches the end of its
 *              block, and freed when the head does. One drained block is kept as a spare, so that a
 *              queue that stays short allocates nothing (U-7).
 *
 * A position is an index in a block, never a counter modulo something. The length is the difference
 * of two counters that may wrap. The caller holds the channel's lock. Elements are moved by
 * copying bytes, and are never destroyed here.
 */
#include "impls/mutex/mpsc.h"
#include "impls/mutex/mutex.h"

#include <stdlib.h>

enum { BLOCK_BYTES = 4096 };

/* The elements follow at queue.offset. */
struct queue_block {
	struct queue_block *next; /* NULL: the last; of a ring: itself */
};

struct queue {
	struct layout layout;
	size_t per_block; /* elements of a block */
	size_t offset;    /* of the first element in a block, in bytes */
	/* where the oldest element is; NULL: no block (unbounded only) */
	struct queue_block *head;
	struct queue_block *tail;  /* where the next element goes, unless it is full */
	struct queue_block *spare; /* a drained block, or NULL (unbounded only) */
	size_t head_index;         /* of the oldest element; less than per_block */
	size_t tail_index;         /* of the next element; per_block: the block is full */
	uint64_t pushed, popped;   /* elements since the start of the counters */
};

static void *element(const struct queue *q, struct queue_block *block, size_t index)
{
	return (unsigned char *)block + q->offset + index * q->layout.stride;
}

static struct queue_block *block_new(const struct queue *q)
{
	size_t align = q->layout.align < sizeof(void *) ? sizeof(void *) : q->layout.align;
	void *memory;

	if (q->per_block > (SIZE_MAX - q->offset) / q->layout.stride)
		return NULL;
	if (posix_memalign(&memory, align, q->offset + q->per_block * q->layout.stride) != 0)
		return NULL;
	return memory;
}

/* An empty queue: a ring of `capacity` elements, or unbounded for capacity 0. `start` is where
 * its counters begin. False: out of memory (an unbounded one allocates nothing yet). */
static bool queue_open(struct queue *q, const struct layout *layout, size_t capacity, uint64_t start)
{
	size_t align = layout->align;

	*q = (struct queue){.layout = *layout, .pushed = start, .popped = start};
	q->offset = (sizeof(struct queue_block) + align - 1) & ~(align - 1);
	if (capacity == 0) {
		q->per_block = layout->stride < BLOCK_BYTES ? BLOCK_BYTES / layout->stride : 1;
		return true;
	}
	q->per_block = capacity;
	q->head = q->tail = block_new(q);
	if (q->head == NULL)
		return false;
	q->head->next = q->head;
	return true;
}

/* Frees the memory; elements that are still inside are forgotten. */
static void queue_close(struct queue *q)
{
	while (q->head != NULL) {
		struct queue_block *block = q->head;

		q->head = block->next != block ? block->next : NULL;
		free(block);
	}
	free(q->spare);
}

static size_t queue_len(const struct queue *q)
{
	return (size_t)(q->pushed - q->popped);
}

/* Makes the next block, and makes it the tail. False: out of memory. */
static bool extend(struct queue *q)
{
	struct queue_block *next = q->tail != NULL ? q->tail->next : NULL;

	if (next == NULL) {
		next = q->spare != NULL ? q->spare : block_new(q);
		if (next == NULL)
			return false;
		q->spare = NULL;
		next->next = NULL;
		if (q->tail != NULL)
			q->tail->next = next;
		else
			q->head = next;
	}
	q->tail = next;
	q->tail_index = 0;
	return true;
}

/* Copies the element at `msg` to the end. False: out of memory (unbounded only), and nothing has
 * changed. */
static bool queue_push(struct queue *q, const void *msg)
{
	if ((q->tail == NULL || q->tail_index == q->per_block) && !extend(q))
		return false;
	chan_layout_copy(&q->layout, element(q, q->tail, q->tail_index), msg);
	q->tail_index++;
	q->pushed++;
	return true;
}

/* The oldest element where it lies; the queue is not empty. */
static void *queue_front(const struct queue *q)
{
	return element(q, q->head, q->head_index);
}

/* The head block has been read to its end. */
static void advance(struct queue *q)
{
	struct queue_block *drained = q->head;

	q->head_index = 0;
	q->head = drained->next;
	if (q->head == drained) /* a ring */
		return;
	if (q->head == NULL)
		q->tail = NULL;
	if (q->spare == NULL)
		q->spare = drained;
	else
		free(drained);
}

/* Takes the oldest element away, copied to `msg` unless that is NULL; the queue is not empty. */
static void queue_pop(struct queue *q, void *msg)
{
	if (msg != NULL)
		chan_layout_copy(&q->layout, msg, queue_front(q));
	q->popped++;
	if (++q->head_index == q->per_block)
		advance(q);
}

/* ------------------------------------------------------------------------------------------
 * The store of messages
 */

struct mutex_mpsc {
	struct mpsc mpsc;
	struct queue messages;
};

static struct queue *messages(const struct mpsc *ch)
{
	return &((struct mutex_mpsc *)(uintptr_t)ch)->messages;
}

static size_t len(const struct mpsc *ch)
{
	return queue_len(messages(ch));
}

static bool push(struct mpsc *ch, const void *msg)
{
	return queue_push(messages(ch), msg);
}

static size_t take_out(struct handle *rx, void *msgs, size_t limit)
{
	struct queue *q = messages((struct mpsc *)rx->core);
	size_t n = queue_len(q);

	if (n > limit)
		n = limit;
	for (size_t i = 0; i < n; i++)
		queue_pop(q, q->layout.size == 0 ? NULL : (char *)msgs + i * q->layout.size);
	return n;
}

static void *front(struct mpsc *ch)
{
	return queue_front(messages(ch));
}

static void pop(struct mpsc *ch)
{
	queue_pop(messages(ch), NULL);
}

static void free_all(struct mpsc *ch)
{
	queue_close(messages(ch));
	free(ch);
}

static const struct mpsc_store store = {
	.len = len, .push = push, .take = take_out, .front = front, .pop = pop, .free = free_all};

/* Opens a channel with `capacity` slots; 0: unbounded. */
static enum chan_status open_channel(const struct chan_config *config, const struct layout *layout, size_t capacity,
                                     struct chan_sender **tx, struct chan_receiver **rx)
{
	struct mutex_mpsc *ch = calloc(1, sizeof *ch);

	if (ch == NULL)
		return CHAN_NOMEM;
	if (!queue_open(&ch->messages, layout, capacity, config->start)) {
		free(ch);
		return CHAN_NOMEM;
	}
	chan_mpsc_init(&ch->mpsc, config, layout, capacity, &store, CORE_WAITS);
	return chan_mpsc_open(&ch->mpsc, tx, rx);
}

static enum chan_status open_bounded(const struct chan_config *config, struct chan_sender **tx,
                                     struct chan_receiver **rx)
{
	struct layout layout;
	enum chan_status status;

	if (config == NULL || tx == NULL || rx == NULL)
		return CHAN_INVALID;
	status = chan_config_bounded(config, CHAN_CAPACITY_MAX, &layout);
	return status == CHAN_OK ? open_channel(config, &layout, config->capacity, tx, rx) : status;
}

static enum chan_status open_unbounded(const struct chan_config *config, struct chan_sender **tx,
                                       struct chan_receiver **rx)
{
	struct layout layout;
	enum chan_status status;

	if (config == NULL || tx == NULL || rx == NULL)
		return CHAN_INVALID;
	status = chan_config_layout(config, &layout);
	return status == CHAN_OK ? open_channel(config, &layout, 0, tx, rx) : status;
}

const struct chan_mpsc_ops chan_mutex_mpsc_ops = {
	.open = open_bounded,
	.send = chan_mpsc_send,
	.recv = chan_mpsc_recv,
	.sender_drop = chan_mpsc_sender_drop,
	.receiver_drop = chan_mpsc_receiver_drop,
	.sender_clone = chan_core_sender_clone,
	.downgrade = chan_core_downgrade,
	.upgrade = chan_core_upgrade,
	.weak_clone = chan_core_weak_clone,
	.weak_drop = chan_core_weak_drop,
	.receiver_clone = chan_mpsc_receiver_clone,
	.send_many = chan_mpsc_send_many,
	.recv_many = chan_mpsc_recv_many,
	.reserve = chan_mpsc_reserve,
	.permit_send = chan_mpsc_permit_send,
	.permit_release = chan_mpsc_permit_release,
	.close = chan_mpsc_close,
	.closed = chan_core_wait_closed,
	.arm_send = chan_mpsc_arm_send,
	.arm_recv = chan_mpsc_arm_recv,
	.arm_closed = chan_core_arm_closed,
	.disarm = chan_mpsc_disarm,
	.sender_get = chan_mpsc_sender_get,
	.receiver_get = chan_mpsc_receiver_get,
	.weak_get = chan_core_weak_get,
};

/* A send never waits, whatever its deadline, and arm_send is always ready (U-1). There are no
 * permits. */
const struct chan_mpsc_ops chan_mutex_unbounded_ops = {
	.open = open_unbounded,
	.send = chan_mpsc_send,
	.recv = chan_mpsc_recv,
	.sender_drop = chan_mpsc_sender_drop,
	.receiver_drop = chan_mpsc_receiver_drop,
	.sender_clone = chan_core_sender_clone,
	.downgrade = chan_core_downgrade,
	.upgrade = chan_core_upgrade,
	.weak_clone = chan_core_weak_clone,
	.weak_drop = chan_core_weak_drop,
	.receiver_clone = chan_mpsc_receiver_clone,
	.send_many = chan_mpsc_send_many,
	.recv_many = chan_mpsc_recv_many,
	.close = chan_mpsc_close,
	.closed = chan_core_wait_closed,
	.arm_send = chan_mpsc_arm_send,
	.arm_recv = chan_mpsc_arm_recv,
	.arm_closed = chan_core_arm_closed,
	.disarm = chan_mpsc_disarm,
	.sender_get = chan_mpsc_sender_get,
	.receiver_get = chan_mpsc_receiver_get,
	.weak_get = chan_core_weak_get,
};
