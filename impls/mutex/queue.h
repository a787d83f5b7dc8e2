/* SPDX-License-Identifier: MIT
 *
 * queue.h - the messages of an mpsc or unbounded channel of the mutex family, first in, first out.
 *
 * One structure for both: a chain of blocks of elements, written at its tail and read at its head.
 *
 *   bounded    one block of `capacity` elements whose successor is itself: a ring. Its user counts
 *              the slots and never pushes into a full one, so pushing cannot fail.
 *   unbounded  blocks of about 4 KiB, made as the tail reaches the end of one and freed as the head
 *              does; one is kept as a spare, so that a queue that stays short allocates nothing
 *              (rule U-7).
 *
 * Positions are an index in a block, never a counter modulo something; the length is the difference
 * of two counters that may wrap (rule X-5). Unsynchronised: its user holds a lock. Elements are
 * moved by copying bytes and never destroyed here.
 */
#ifndef CHANBENCH_MUTEX_QUEUE_H
#define CHANBENCH_MUTEX_QUEUE_H

#include "impls/base/config.h"

#include <stdbool.h>
#include <stdint.h>

struct queue_block;

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

/* An empty queue: a ring of `capacity` elements, or unbounded for capacity 0. `start` is where
 * its counters begin. False: out of memory (an unbounded one allocates nothing yet). */
bool chan_mutex_queue_open(struct queue *q, const struct layout *layout, size_t capacity, uint64_t start);

/* Frees the memory; elements that are still inside are forgotten. */
void chan_mutex_queue_close(struct queue *q);

static inline size_t chan_mutex_queue_len(const struct queue *q)
{
	return (size_t)(q->pushed - q->popped);
}

/* Copies the element at `msg` to the end. False: out of memory (unbounded only), and nothing has
 * changed. */
bool chan_mutex_queue_push(struct queue *q, const void *msg);

/* The oldest element where it lies; the queue is not empty. */
void *chan_mutex_queue_front(const struct queue *q);

/* Takes the oldest element away, copied to `msg` unless that is NULL; the queue is not empty. */
void chan_mutex_queue_pop(struct queue *q, void *msg);

#endif
