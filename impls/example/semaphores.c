/* SPDX-License-Identifier: MIT
 *
 * semaphores.c - the least that takes part: a plug-in with one mpsc channel for one sender and one
 * receiver. It offers open, send, recv and the two drops, and leaves all else NULL ("not offered").
 *
 * ALGORITHM. `room` counts the free slots, `used` the messages. A send takes a unit of room, copies
 * its message in and gives a unit of used; a receive does the reverse. A drop gives one unit more
 * to the other side: whoever takes it finds no message behind it, or no receiver, and reports the
 * close. It puts that unit back for the calls that follow.
 *
 * The semaphores order everything: what a thread did before sem_post is seen by the thread that
 * sem_wait lets through.
 */
#define _GNU_SOURCE /* sem_clockwait */
#include "impls/channel.h"

#include <errno.h>
#include <limits.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct mine {
	struct chan_config config;
	sem_t room, used;
	size_t head;         /* messages received; the receiver's own */
	_Atomic size_t tail; /* messages sent */
	atomic_bool gone;    /* the receiver was dropped */
	atomic_int ends;     /* handles that still exist */
	char *ring;
};

static void *slot(struct mine *c, size_t i)
{
	return c->ring + i % c->config.capacity * c->config.size;
}

/* Takes one unit; false: there was none until the deadline. */
static bool take(sem_t *sem, uint64_t deadline)
{
	struct timespec until = {(time_t)(deadline / 1000000000), (long)(deadline % 1000000000)};

	if (deadline == CHAN_NOW)
		return sem_trywait(sem) == 0;
	while (sem_clockwait(sem, CLOCK_MONOTONIC, &until) != 0)
		if (errno != EINTR)
			return false;
	return true;
}

static enum chan_status mine_send(struct chan_sender *tx, const void *msg, uint64_t deadline)
{
	struct mine *c = (struct mine *)tx;

	if (!take(&c->room, deadline))
		return deadline == CHAN_NOW ? CHAN_FULL : CHAN_TIMEOUT;
	if (c->gone) {
		sem_post(&c->room); /* the unit of the receiver's drop, for the next send */
		return CHAN_CLOSED;
	}
	memcpy(slot(c, c->tail), msg, c->config.size);
	c->tail++;
	sem_post(&c->used);
	return CHAN_OK;
}

static enum chan_status mine_recv(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	struct mine *c = (struct mine *)rx;

	if (!take(&c->used, deadline))
		return deadline == CHAN_NOW ? CHAN_EMPTY : CHAN_TIMEOUT;
	if (c->head == c->tail) {
		sem_post(&c->used); /* the unit of the sender's drop, for the next receive */
		return CHAN_CLOSED;
	}
	memcpy(msg, slot(c, c->head), c->config.size);
	c->head++;
	sem_post(&c->room);
	return CHAN_OK;
}

/* Ends the messages that nobody will receive. */
static void drain(struct mine *c)
{
	for (; c->head != c->tail; c->head++)
		if (c->config.destroy != NULL)
			c->config.destroy(slot(c, c->head), c->config.context);
}

/* A handle is gone; the last one takes the channel with it. */
static void end(struct mine *c)
{
	if (atomic_fetch_sub(&c->ends, 1) != 1)
		return;
	drain(c);
	sem_destroy(&c->room);
	sem_destroy(&c->used);
	free(c->ring);
	free(c);
}

static void mine_sender_drop(struct chan_sender **tx)
{
	struct mine *c = (struct mine *)*tx;

	*tx = NULL;
	if (c == NULL)
		return;
	sem_post(&c->used);
	end(c);
}

static void mine_receiver_drop(struct chan_receiver **rx)
{
	struct mine *c = (struct mine *)*rx;

	*rx = NULL;
	if (c == NULL)
		return;
	c->gone = true;
	sem_post(&c->room);
	drain(c);
	end(c);
}

static enum chan_status mine_open(const struct chan_config *config, struct chan_sender **tx, struct chan_receiver **rx)
{
	struct mine *c;
	void *ring;

	if (tx == NULL || rx == NULL || !chan_config_valid(config, INT_MAX))
		return CHAN_INVALID;
	c = calloc(1, sizeof *c);
	if (c == NULL || posix_memalign(&ring, CHAN_ALIGN_MAX, config->capacity * config->size + 1) != 0) {
		free(c);
		return CHAN_NOMEM;
	}
	c->config = *config;
	c->ring = ring;
	c->ends = 2;
	sem_init(&c->room, 0, (unsigned)config->capacity);
	sem_init(&c->used, 0, 0);
	*tx = (struct chan_sender *)c;
	*rx = (struct chan_receiver *)c;
	return CHAN_OK;
}

static const struct chan_mpsc_ops mine_ops = {
	.open = mine_open,
	.send = mine_send,
	.recv = mine_recv,
	.sender_drop = mine_sender_drop,
	.receiver_drop = mine_receiver_drop,
};

static const struct chan_impl mine = {
	.name = "semaphores",
	.family = "semaphores",
	.version = "1",
	.summary = "two semaphores and a ring, for one sender and one receiver",
	.mpsc = &mine_ops,
};

CHAN_PLUGIN(&mine);
