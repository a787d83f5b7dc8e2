/* SPDX-License-Identifier: MIT */
#include "impls/mutex/queue.h"

#include <stdlib.h>

enum { BLOCK_BYTES = 4096 };

/* The elements follow at queue.offset. */
struct queue_block {
	struct queue_block *next; /* NULL: the last; of a ring: itself */
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

bool chan_mutex_queue_open(struct queue *q, const struct layout *layout, size_t capacity, uint64_t start)
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

void chan_mutex_queue_close(struct queue *q)
{
	while (q->head != NULL) {
		struct queue_block *block = q->head;

		q->head = block->next != block ? block->next : NULL;
		free(block);
	}
	free(q->spare);
}

/* Makes room behind the tail: the next block of the chain. */
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

bool chan_mutex_queue_push(struct queue *q, const void *msg)
{
	if ((q->tail == NULL || q->tail_index == q->per_block) && !extend(q))
		return false;
	chan_layout_copy(&q->layout, element(q, q->tail, q->tail_index), msg);
	q->tail_index++;
	q->pushed++;
	return true;
}

void *chan_mutex_queue_front(const struct queue *q)
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

void chan_mutex_queue_pop(struct queue *q, void *msg)
{
	if (msg != NULL)
		chan_layout_copy(&q->layout, msg, chan_mutex_queue_front(q));
	q->popped++;
	if (++q->head_index == q->per_block)
		advance(q);
}
