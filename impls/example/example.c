/* SPDX-License-Identifier: MIT
 *
 * example.c - how to bring a channel of your own: a plug-in with two kinds, mpsc and oneshot, to
 * read and to copy.
 *
 * It is no part of the library and sees nothing of this tree but the installed header:
 *
 *   cmake --install build/release --prefix /where/you/like
 *   cc -std=gnu11 -O2 -fPIC -shared -I/where/you/like/include -o example.so impls/example/example.c
 *   chanbench list --plugin=./example.so
 *   chanbench check --plugin=./example.so --impl=example
 *   chanbench bench --plugin=./example.so --impl=example,mutex --quick
 *
 * The algorithm is the textbook's: one mutex around everything and condition variables to wait on.
 * Every function takes the lock, looks, waits if it must, acts, wakes whoever that concerns, and
 * gives the lock back. The lock is also all the memory ordering there is: whatever a thread did
 * before it unlocked is seen by the next one that locks.
 *
 * What the contract asks for beyond that, and where it is done:
 *
 *   a value has one owner at any time        send copies only when it returns CHAN_OK
 *                                            (example_send)
 *   what nobody will receive is destroyed,   the ring is emptied under the lock and its values are
 *                                            destroyed after it
 *   and with no lock held                    (example_receiver_drop)
 *   deadlines                                one function knows all three forms (example_wait)
 *   what can be done is done, also late      the condition is looked at again after each wait,
 *                                            timed out or not
 *   what is not kept is declared             blocked senders are woken in no order
 *                                            (example_deviations)
 */
#include <chanbench/channel.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------
 * What both kinds need
 */

/* Memory for `bytes`, aligned as the elements ask for; NULL when there is none. */
static void *example_alloc(const struct chan_config *config, size_t bytes)
{
	size_t align = config->align > _Alignof(max_align_t) ? config->align : _Alignof(max_align_t);
	void *memory;

	return posix_memalign(&memory, align, bytes != 0 ? bytes : 1) == 0 ? memory : NULL;
}

/* A condition variable that counts time as deadlines do. */
static bool cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;
	bool done;

	if (pthread_condattr_init(&attr) != 0)
		return false;
	done = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 && pthread_cond_init(cond, &attr) == 0;
	pthread_condattr_destroy(&attr);
	return done;
}

/* Waits on `cond` once. CHAN_OK: something may have happened, look again. `now` (CHAN_FULL or
 * CHAN_EMPTY): the deadline is CHAN_NOW, and there was no wait. CHAN_TIMEOUT: look a last time,
 * then give up. */
static enum chan_status example_wait(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t deadline,
                                     enum chan_status now)
{
	struct timespec until = {.tv_sec = (time_t)(deadline / 1000000000u), .tv_nsec = (long)(deadline % 1000000000u)};

	if (deadline == CHAN_NOW)
		return now;
	if (deadline == CHAN_FOREVER) {
		pthread_cond_wait(cond, lock);
		return CHAN_OK;
	}
	return pthread_cond_timedwait(cond, lock, &until) == ETIMEDOUT ? CHAN_TIMEOUT : CHAN_OK;
}

/* ------------------------------------------------------------------------------------------
 * mpsc
 *
 * A sender and the receiver are both the channel itself: a handle need not be more than that. The
 * ring holds the messages from `head` on, `length` of them.
 */

struct example {
	pthread_mutex_t lock;    /* guards everything below it */
	pthread_cond_t not_full; /* waited on by senders */
	pthread_cond_t not_empty;
	struct chan_config config;
	unsigned char *ring;
	size_t head;
	size_t length;
	size_t senders;    /* none left: closed for the receiver */
	bool has_receiver; /* false: closed for the senders */
	size_t handles;    /* of both sides; whoever drops the last one frees the channel */
};

static void *slot(struct example *channel, size_t index)
{
	/* No index ever reaches twice the capacity, and the capacity is at most SIZE_MAX / 8:
	 * nothing wraps. */
	return channel->ring + index % channel->config.capacity * channel->config.size;
}

/* memcpy, but an element of no bytes may come with a pointer that is NULL. */
static void copy(void *to, const void *from, size_t size)
{
	if (size != 0)
		memcpy(to, from, size);
}

static enum chan_status example_open(const struct chan_config *config, struct chan_sender **tx,
                                     struct chan_receiver **rx)
{
	struct example *channel;

	if (tx == NULL || rx == NULL || !chan_config_valid(config, CHAN_CAPACITY_MAX))
		return CHAN_INVALID;

	channel = calloc(1, sizeof(*channel));
	if (channel == NULL)
		return CHAN_NOMEM;
	channel->ring = example_alloc(config, config->capacity * config->size);
	if (channel->ring == NULL)
		goto no_ring;
	if (pthread_mutex_init(&channel->lock, NULL) != 0)
		goto no_lock;
	if (!cond_init(&channel->not_full))
		goto no_not_full;
	if (!cond_init(&channel->not_empty))
		goto no_not_empty;

	channel->config = *config;
	channel->senders = 1;
	channel->has_receiver = true;
	channel->handles = 2;
	*tx = (struct chan_sender *)channel;
	*rx = (struct chan_receiver *)channel;
	return CHAN_OK;

no_not_empty:
	pthread_cond_destroy(&channel->not_full);
no_not_full:
	pthread_mutex_destroy(&channel->lock);
no_lock:
	free(channel->ring);
no_ring:
	free(channel);
	return CHAN_NOMEM;
}

static enum chan_status example_send(struct chan_sender *tx, const void *msg, uint64_t deadline)
{
	struct example *channel = (struct example *)tx;
	enum chan_status status = CHAN_OK;

	pthread_mutex_lock(&channel->lock);
	/* After a timeout the loop ends only through its last condition: what became possible
	 * meanwhile is still done. */
	while (channel->has_receiver && channel->length == channel->config.capacity && status == CHAN_OK)
		status = example_wait(&channel->not_full, &channel->lock, deadline, CHAN_FULL);
	if (!channel->has_receiver) {
		status = CHAN_CLOSED;
	} else if (channel->length < channel->config.capacity) {
		copy(slot(channel, channel->head + channel->length), msg, channel->config.size);
		channel->length++;
		status = CHAN_OK;
		pthread_cond_signal(&channel->not_empty);
	}
	pthread_mutex_unlock(&channel->lock);
	return status;
}

static enum chan_status example_recv(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	struct example *channel = (struct example *)rx;
	enum chan_status status = CHAN_OK;

	pthread_mutex_lock(&channel->lock);
	while (channel->length == 0 && channel->senders > 0 && status == CHAN_OK)
		status = example_wait(&channel->not_empty, &channel->lock, deadline, CHAN_EMPTY);
	if (channel->length > 0) {
		copy(msg, slot(channel, channel->head), channel->config.size);
		channel->head = (channel->head + 1) % channel->config.capacity;
		channel->length--;
		status = CHAN_OK;
		/* One slot, so one sender is enough. If the one that is woken has just timed
		 * out, it finds the slot when it looks a last time, and takes it: the wake is
		 * not lost. */
		pthread_cond_signal(&channel->not_full);
	} else if (channel->senders == 0) {
		status = CHAN_CLOSED;
	}
	pthread_mutex_unlock(&channel->lock);
	return status;
}

static enum chan_status example_sender_clone(struct chan_sender *tx, struct chan_sender **out)
{
	struct example *channel = (struct example *)tx;

	pthread_mutex_lock(&channel->lock);
	channel->senders++;
	channel->handles++;
	pthread_mutex_unlock(&channel->lock);
	*out = tx;
	return CHAN_OK;
}

/* Ends one handle. The caller has the lock, and has it no more afterwards. */
static void example_unref(struct example *channel)
{
	bool last = --channel->handles == 0;

	pthread_mutex_unlock(&channel->lock);
	if (!last)
		return;
	pthread_cond_destroy(&channel->not_empty);
	pthread_cond_destroy(&channel->not_full);
	pthread_mutex_destroy(&channel->lock);
	free(channel->ring);
	free(channel);
}

static void example_sender_drop(struct chan_sender **tx)
{
	struct example *channel = (struct example *)*tx;

	*tx = NULL;
	if (channel == NULL)
		return;
	pthread_mutex_lock(&channel->lock);
	if (--channel->senders == 0)
		pthread_cond_signal(&channel->not_empty);
	example_unref(channel);
}

static void example_receiver_drop(struct chan_receiver **rx)
{
	struct example *channel = (struct example *)*rx;

	*rx = NULL;
	if (channel == NULL)
		return;
	pthread_mutex_lock(&channel->lock);
	channel->has_receiver = false;
	pthread_cond_broadcast(&channel->not_full);
	pthread_mutex_unlock(&channel->lock);

	/* No sender touches the ring any more: what is in it is this thread's, and is destroyed
	 * without the lock, because `destroy` may use the channel. Our handle still counts, so
	 * nobody frees the channel meanwhile. */
	for (size_t i = 0; i < channel->length && channel->config.destroy != NULL; i++)
		channel->config.destroy(slot(channel, channel->head + i), channel->config.context);

	pthread_mutex_lock(&channel->lock);
	example_unref(channel);
}

static const struct chan_mpsc_ops example_mpsc = {
	.open = example_open,
	.send = example_send,
	.recv = example_recv,
	.sender_drop = example_sender_drop,
	.receiver_drop = example_receiver_drop,
	/* The minimum ends here. With this one the channel stands in scenarios with several
	 * producers, too. */
	.sender_clone = example_sender_clone,
};

/* ------------------------------------------------------------------------------------------
 * oneshot
 */

struct once {
	pthread_mutex_t lock;
	pthread_cond_t changed; /* waited on by the receiver: sent, or the sender is gone */
	struct chan_config config;
	void *value;
	bool has_sender;
	bool has_receiver;
	bool has_value;
	bool terminated; /* the receiver has had its result (rule O-15) */
};

static void once_free(struct once *once)
{
	pthread_cond_destroy(&once->changed);
	pthread_mutex_destroy(&once->lock);
	free(once->value);
	free(once);
}

static enum chan_status once_open(const struct chan_config *config, struct chan_sender **tx, struct chan_receiver **rx)
{
	struct once *once;

	if (tx == NULL || rx == NULL || !chan_config_valid(config, 0))
		return CHAN_INVALID;

	once = calloc(1, sizeof(*once));
	if (once == NULL)
		return CHAN_NOMEM;
	once->value = example_alloc(config, config->size);
	if (once->value == NULL)
		goto no_value;
	if (pthread_mutex_init(&once->lock, NULL) != 0)
		goto no_lock;
	if (!cond_init(&once->changed))
		goto no_changed;

	once->config = *config;
	once->has_sender = true;
	once->has_receiver = true;
	*tx = (struct chan_sender *)once;
	*rx = (struct chan_receiver *)once;
	return CHAN_OK;

no_changed:
	pthread_mutex_destroy(&once->lock);
no_lock:
	free(once->value);
no_value:
	free(once);
	return CHAN_NOMEM;
}

/* The sender ends, with a value or (msg is `nothing`) without. CHAN_CLOSED: there was no
 * receiver to take it. */
static enum chan_status once_end(struct chan_sender **tx, const void *msg, bool nothing)
{
	struct once *once = (struct once *)*tx;
	bool received;

	*tx = NULL;
	pthread_mutex_lock(&once->lock);
	received = once->has_receiver;
	if (received && !nothing) {
		copy(once->value, msg, once->config.size);
		once->has_value = true;
	}
	once->has_sender = false;
	pthread_cond_signal(&once->changed);
	pthread_mutex_unlock(&once->lock);
	if (!received)
		once_free(once);
	return received ? CHAN_OK : CHAN_CLOSED;
}

static enum chan_status once_send(struct chan_sender **tx, const void *msg)
{
	return once_end(tx, msg, false);
}

static void once_sender_drop(struct chan_sender **tx)
{
	if (*tx != NULL)
		once_end(tx, NULL, true);
}

static enum chan_status once_recv(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	struct once *once = (struct once *)rx;
	enum chan_status status = CHAN_OK;

	pthread_mutex_lock(&once->lock);
	if (once->terminated) {
		pthread_mutex_unlock(&once->lock);
		return deadline == CHAN_NOW ? CHAN_CLOSED : CHAN_INVALID;
	}
	while (once->has_sender && status == CHAN_OK)
		status = example_wait(&once->changed, &once->lock, deadline, CHAN_EMPTY);
	if (!once->has_sender) {
		status = once->has_value ? CHAN_OK : CHAN_CLOSED;
		if (once->has_value)
			copy(msg, once->value, once->config.size);
		once->has_value = false;
		once->terminated = true;
	}
	pthread_mutex_unlock(&once->lock);
	return status;
}

static void once_receiver_drop(struct chan_receiver **rx)
{
	struct once *once = (struct once *)*rx;
	bool last;

	*rx = NULL;
	if (once == NULL)
		return;
	pthread_mutex_lock(&once->lock);
	once->has_receiver = false;
	last = !once->has_sender;
	pthread_mutex_unlock(&once->lock);
	/* With a sender left it is the sender that frees, and there is no value. Without one
	 * nobody else has a handle. */
	if (!last)
		return;
	if (once->has_value && once->config.destroy != NULL)
		once->config.destroy(once->value, once->config.context);
	once_free(once);
}

static const struct chan_oneshot_ops example_oneshot = {
	.open = once_open,
	.send = once_send,
	.recv = once_recv,
	.sender_drop = once_sender_drop,
	.receiver_drop = once_receiver_drop,
};

/* ------------------------------------------------------------------------------------------
 * What the plug-in says of itself
 */

/* pthread_cond_signal wakes whom it likes, and a sender that comes along may take the slot
 * before the one that was woken. */
static const struct chan_deviation example_deviations[] = {
	{"M-22", "a sender that arrives may take the slot of one that was woken"},
	{"M-23", "blocked senders are woken in the order that pthread_cond_signal chooses"},
	{NULL, NULL},
};

static const struct chan_impl example = {
	.name = "example",
	.family = "example",
	.version = "1",
	.summary = "the example plug-in: a mutex and condition variables, as in a textbook",
	.mpsc = &example_mpsc,
	.oneshot = &example_oneshot,
	.deviations = example_deviations,
};

CHAN_PLUGIN(&example);
