/* SPDX-License-Identifier: MIT */
#include "scenarios/rules/steps.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

uint64_t in_ms(uint64_t ms)
{
	return chan_deadline_in(ms * 1000000u);
}

/* ------------------------------------------------------------------------------------------
 * Opening
 */

static int copy_element(void *dst, const void *src, void *context)
{
	(void)context;
	memcpy(dst, src, sizeof(uint64_t));
	return 0;
}

static void destroy_element(void *msg, void *context)
{
	(void)msg;
	(void)context;
}

struct chan_config plain_config(const struct test *t, size_t capacity)
{
	struct chan_config config = {.size = sizeof(uint64_t), .capacity = capacity, .start = t->start};
	if (t->hooks) {
		config.clone = copy_element;
		config.destroy = destroy_element;
	}
	return config;
}

enum chan_status try_open(struct test *t, const struct chan_config *config, struct chan_sender **tx,
                          struct chan_receiver **rx)
{
	const void *tables[KIND_COUNT] = {t->mpsc, t->mpsc, t->oneshot, t->broadcast, t->watch};
	return any_open(t->kind, tables[t->kind], config, &(uint64_t){0}, tx, rx);
}

void open_config(struct test *t, const struct chan_config *config, struct chan_sender **tx, struct chan_receiver **rx)
{
	step("open a channel (capacity %zu, elements of %zu bytes, start %" PRIu64 ")", config->capacity, config->size,
	     config->start);
	want_status(CHAN_OK, try_open(t, config, tx, rx), __FILE__, __LINE__);
	keep_sender(*tx);
	if (rx != NULL)
		keep_receiver(*rx);
}

void open_channel(struct test *t, size_t capacity, struct chan_sender **tx, struct chan_receiver **rx)
{
	struct chan_config config = plain_config(t, capacity);
	open_config(t, &config, tx, rx);
}

struct chan_sender *tx_clone(struct test *t, struct chan_sender *tx)
{
	struct chan_sender *clone = NULL;
	want(CHAN_OK, t->any.sender_clone(tx, &clone));
	return keep_sender(clone);
}

struct chan_receiver *rx_clone(struct test *t, struct chan_receiver *rx)
{
	struct chan_receiver *clone = NULL;
	want(CHAN_OK, t->any.receiver_clone(rx, &clone));
	return keep_receiver(clone);
}

struct chan_receiver *subscribe(struct test *t, struct chan_sender *tx)
{
	struct chan_receiver *rx = NULL;
	want(CHAN_OK, t->any.subscribe(tx, &rx));
	return keep_receiver(rx);
}

struct chan_weak *downgrade(struct test *t, struct chan_sender *tx)
{
	struct chan_weak *weak = NULL;
	want(CHAN_OK, t->any.downgrade(tx, &weak));
	return keep_weak(weak);
}

struct chan_weak *weak_clone(struct test *t, struct chan_weak *weak)
{
	struct chan_weak *clone = NULL;
	want(CHAN_OK, t->any.weak_clone(weak, &clone));
	return keep_weak(clone);
}

enum chan_status upgrade(struct test *t, struct chan_weak *weak, struct chan_sender **tx)
{
	enum chan_status status = t->any.upgrade(weak, tx);
	if (status == CHAN_OK)
		keep_sender(*tx);
	return status;
}

/* ------------------------------------------------------------------------------------------
 * In this thread
 */

enum chan_status send_element(const struct test *t, struct chan_sender **tx, const void *element, size_t *receivers,
                              uint64_t deadline)
{
	switch (t->kind) {
	case KIND_ONESHOT:
		return t->oneshot->send(tx, element);
	case KIND_BROADCAST:
		return t->broadcast->send(*tx, element, receivers);
	case KIND_WATCH:
		return t->watch->send(*tx, element);
	default:
		return t->mpsc->send(*tx, element, deadline);
	}
}

enum chan_status recv_element(const struct test *t, struct chan_receiver *rx, void *element, uint64_t *missed,
                              uint64_t deadline)
{
	switch (t->kind) {
	case KIND_ONESHOT:
		return t->oneshot->recv(rx, element, deadline);
	case KIND_BROADCAST:
		return t->broadcast->recv(rx, element, missed, deadline);
	case KIND_WATCH:
		return t->watch->changed(rx, deadline);
	default:
		return t->mpsc->recv(rx, element, deadline);
	}
}

enum chan_status send_until(struct test *t, struct chan_sender *tx, uint64_t value, uint64_t deadline)
{
	return send_element(t, &tx, &value, NULL, deadline);
}

void give(struct test *t, struct chan_sender **tx, uint64_t value)
{
	if (t->kind == KIND_ONESHOT)
		forget(*tx);
	want(CHAN_OK, send_element(t, tx, &value, NULL, CHAN_NOW));
}

enum chan_status try_send(struct test *t, struct chan_sender *tx, uint64_t value)
{
	return send_until(t, tx, value, CHAN_NOW);
}

enum chan_status recv_until(struct test *t, struct chan_receiver *rx, uint64_t *value, uint64_t deadline)
{
	uint64_t ignored;
	return recv_element(t, rx, value != NULL ? value : &ignored, NULL, deadline);
}

enum chan_status try_recv(struct test *t, struct chan_receiver *rx, uint64_t *value)
{
	return recv_until(t, rx, value, CHAN_NOW);
}

void want_received(struct test *t, struct chan_receiver *rx, uint64_t value, const char *file, int line)
{
	uint64_t got = 0;
	step("receive (expecting %" PRIu64 ")", value);
	want_status(CHAN_OK, try_recv(t, rx, &got), file, line);
	want_number(value, got, file, line);
}

void close_rx(struct test *t, struct chan_receiver *rx)
{
	step("close by the receiver");
	t->any.close(rx);
}

enum chan_status try_closed(struct test *t, struct chan_sender *tx)
{
	return t->any.closed(tx, CHAN_NOW);
}

/* ------------------------------------------------------------------------------------------
 * Properties
 */

static uint64_t known(uint64_t value)
{
	if (value == CHAN_UNKNOWN)
		not_offered("a property that the test asks for");
	return value;
}

uint64_t tx_get(struct test *t, const struct chan_sender *tx, enum chan_property property)
{
	return known(t->any.sender_get(tx, property));
}

uint64_t rx_get(struct test *t, const struct chan_receiver *rx, enum chan_property property)
{
	return known(t->any.receiver_get(rx, property));
}

uint64_t weak_get(struct test *t, const struct chan_weak *weak, enum chan_property property)
{
	return known(t->any.weak_get(weak, property));
}

/* ------------------------------------------------------------------------------------------
 * Permits, waiters
 */

enum chan_status try_reserve(struct test *t, struct chan_sender *tx, size_t n, struct chan_permit *permit)
{
	return t->mpsc->reserve(tx, n, permit, CHAN_NOW);
}

void permit_send(struct test *t, struct chan_permit *permit, uint64_t value)
{
	step("send %" PRIu64 " through a permit", value);
	t->mpsc->permit_send(permit, &value);
}

void permit_release(struct test *t, struct chan_permit *permit)
{
	step("release a permit with %zu slots left", permit->count);
	t->mpsc->permit_release(permit);
	want_number(0, permit->count, __FILE__, __LINE__);
}

static void count_wake(struct chan_waiter *waiter)
{
	__atomic_fetch_add(&((struct counter *)(void *)waiter)->fired, 1, __ATOMIC_SEQ_CST);
}

uint64_t fired(const struct counter *counter)
{
	return __atomic_load_n(&counter->fired, __ATOMIC_SEQ_CST);
}

static struct chan_waiter *fresh(struct counter *counter)
{
	*counter = (struct counter){.waiter.wake = count_wake};
	return &counter->waiter;
}

enum chan_arm arm_send(struct test *t, struct chan_sender *tx, struct counter *counter)
{
	return t->any.arm_send(tx, fresh(counter));
}

enum chan_arm arm_recv(struct test *t, struct chan_receiver *rx, struct counter *counter)
{
	return t->any.arm_recv(rx, fresh(counter));
}

enum chan_arm arm_closed(struct test *t, struct chan_sender *tx, struct counter *counter)
{
	return t->any.arm_closed(tx, fresh(counter));
}

bool disarm(struct test *t, struct counter *counter)
{
	step("disarm");
	return t->any.disarm(&counter->waiter);
}

/* ------------------------------------------------------------------------------------------
 * In other threads
 */

static const char *until(uint64_t deadline)
{
	return deadline == CHAN_NOW ? "now" : deadline == CHAN_FOREVER ? "for ever" : "with a deadline";
}

static enum chan_status do_send(struct job *job)
{
	return send_element(job->test, &job->tx, &job->value, &job->n, job->deadline);
}

static enum chan_status do_recv(struct job *job)
{
	return recv_element(job->test, job->rx, &job->value, &job->missed, job->deadline);
}

static enum chan_status do_reserve(struct job *job)
{
	return job->test->mpsc->reserve(job->tx, job->n, job->permit, job->deadline);
}

static enum chan_status do_closed(struct job *job)
{
	return job->test->any.closed(job->tx, job->deadline);
}

static enum chan_status do_recv_many(struct job *job)
{
	return job->test->mpsc->recv_many(job->rx, job->array, job->n, &job->n, job->deadline);
}

static enum chan_status do_send_many(struct job *job)
{
	return job->test->mpsc->send_many(job->tx, job->array, job->n, &job->n, job->deadline);
}

void actor_send(struct actor *a, struct test *t, struct chan_sender *tx, uint64_t value, uint64_t deadline)
{
	actor_run(a, &(struct job){.run = do_send, .test = t, .tx = tx, .value = value, .deadline = deadline},
	          "send %" PRIu64 ", %s", value, until(deadline));
}

void actor_recv(struct actor *a, struct test *t, struct chan_receiver *rx, uint64_t deadline)
{
	actor_run(a, &(struct job){.run = do_recv, .test = t, .rx = rx, .deadline = deadline}, "%s, %s",
	          t->kind == KIND_WATCH ? "changed" : "receive", until(deadline));
}

void actor_reserve(struct actor *a, struct test *t, struct chan_sender *tx, size_t n, struct chan_permit *permit,
                   uint64_t deadline)
{
	actor_run(a,
	          &(struct job){.run = do_reserve, .test = t, .tx = tx, .permit = permit, .n = n, .deadline = deadline},
	          "reserve %zu, %s", n, until(deadline));
}

void actor_closed(struct actor *a, struct test *t, struct chan_sender *tx, uint64_t deadline)
{
	actor_run(a, &(struct job){.run = do_closed, .test = t, .tx = tx, .deadline = deadline}, "closed, %s",
	          until(deadline));
}

void actor_recv_many(struct actor *a, struct test *t, struct chan_receiver *rx, uint64_t *values, size_t limit,
                     uint64_t deadline)
{
	actor_run(a,
	          &(struct job){
			  .run = do_recv_many, .test = t, .rx = rx, .array = values, .n = limit, .deadline = deadline},
	          "receive up to %zu, %s", limit, until(deadline));
}

void actor_send_many(struct actor *a, struct test *t, struct chan_sender *tx, uint64_t *values, size_t n,
                     uint64_t deadline)
{
	actor_run(
		a,
		&(struct job){.run = do_send_many, .test = t, .tx = tx, .array = values, .n = n, .deadline = deadline},
		"send %zu, %s", n, until(deadline));
}
