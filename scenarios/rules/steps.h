/* SPDX-License-Identifier: MIT
 *
 * steps.h - the steps that tests of rules are written in: opening, sending, receiving, in this
 * thread and in others.
 *
 * Elements are a uint64_t, unless a test fills in a config of its own. The same names serve every
 * kind that has the operation. Handles that come from here are dropped at the end of the test if it
 * does not drop them itself (tx_drop, rx_drop, weak_drop).
 */
#ifndef CHANBENCH_RULES_STEPS_H
#define CHANBENCH_RULES_STEPS_H

#include "harness/check/actor.h"
#include "harness/check/expect.h"
#include "harness/check/handles.h"

/* A deadline so many milliseconds from now: for waits that are meant to give up. */
uint64_t in_ms(uint64_t ms);

/* --- opening --- */

/* What open_channel asks for: elements of 8 bytes, `capacity`, the test's `start`; where the
 * test says so, hooks that do nothing. */
struct chan_config plain_config(const struct test *t, size_t capacity);

/* Opens, wants CHAN_OK. watch: the initial value is 0. `rx` may be NULL in broadcast. */
void open_channel(struct test *t, size_t capacity, struct chan_sender **tx, struct chan_receiver **rx);
void open_config(struct test *t, const struct chan_config *config, struct chan_sender **tx, struct chan_receiver **rx);

/* Opens in whatever kind; gives the status. Nothing is kept. */
enum chan_status try_open(struct test *t, const struct chan_config *config, struct chan_sender **tx,
                          struct chan_receiver **rx);

struct chan_sender *tx_clone(struct test *t, struct chan_sender *tx);
struct chan_receiver *rx_clone(struct test *t, struct chan_receiver *rx); /* mpsc kinds, watch */
struct chan_receiver *subscribe(struct test *t, struct chan_sender *tx);  /* broadcast, watch */
/* mpsc kinds, broadcast */
struct chan_weak *downgrade(struct test *t, struct chan_sender *tx);
struct chan_weak *weak_clone(struct test *t, struct chan_weak *weak);
enum chan_status upgrade(struct test *t, struct chan_weak *weak, struct chan_sender **tx);

/* --- sending, receiving, closing, in this thread --- */

/* With an element of any size. A oneshot's send takes `*tx`. A watch has `changed` as its receive,
 * which gives no value. */
enum chan_status send_element(const struct test *t, struct chan_sender **tx, const void *element, size_t *receivers,
                              uint64_t deadline);
enum chan_status recv_element(const struct test *t, struct chan_receiver *rx, void *element, uint64_t *missed,
                              uint64_t deadline);

enum chan_status try_send(struct test *t, struct chan_sender *tx, uint64_t value); /* not oneshot */
enum chan_status send_until(struct test *t, struct chan_sender *tx, uint64_t value, uint64_t deadline);
/* CHAN_OK is wanted. A oneshot's sender ends with it. */
void give(struct test *t, struct chan_sender **tx, uint64_t value);
/* watch: changed */
enum chan_status try_recv(struct test *t, struct chan_receiver *rx, uint64_t *value);
enum chan_status recv_until(struct test *t, struct chan_receiver *rx, uint64_t *value, uint64_t deadline);
void close_rx(struct test *t, struct chan_receiver *rx);
enum chan_status try_closed(struct test *t, struct chan_sender *tx);

/* The next message is there and is this one. */
#define want_recv(t, rx, value) want_received(t, rx, value, __FILE__, __LINE__)
/* There is none, in this way. */
#define want_none(t, rx, status) want(status, try_recv(t, rx, NULL))

/* --- properties; a handle that does not know makes the test "not offered" --- */

uint64_t tx_get(struct test *t, const struct chan_sender *tx, enum chan_property property);
uint64_t rx_get(struct test *t, const struct chan_receiver *rx, enum chan_property property);
uint64_t weak_get(struct test *t, const struct chan_weak *weak, enum chan_property property);

/* --- permits --- */

enum chan_status try_reserve(struct test *t, struct chan_sender *tx, size_t n, struct chan_permit *permit);
void permit_send(struct test *t, struct chan_permit *permit, uint64_t value);
void permit_release(struct test *t, struct chan_permit *permit);

/* --- waiters --- */

/* A waiter that counts how often it fired. */
struct counter {
	struct chan_waiter waiter; /* first: found from it */
	unsigned fired;            /* __atomic */
};

enum chan_arm arm_send(struct test *t, struct chan_sender *tx, struct counter *counter);
/* watch: arm_changed */
enum chan_arm arm_recv(struct test *t, struct chan_receiver *rx, struct counter *counter);
enum chan_arm arm_closed(struct test *t, struct chan_sender *tx, struct counter *counter);
bool disarm(struct test *t, struct counter *counter);
uint64_t fired(const struct counter *counter);

/* --- in other threads --- */

void actor_send(struct actor *a, struct test *t, struct chan_sender *tx, uint64_t value, uint64_t deadline);
/* watch: changed */
void actor_recv(struct actor *a, struct test *t, struct chan_receiver *rx, uint64_t deadline);
void actor_reserve(struct actor *a, struct test *t, struct chan_sender *tx, size_t n, struct chan_permit *permit,
                   uint64_t deadline);
void actor_closed(struct actor *a, struct test *t, struct chan_sender *tx, uint64_t deadline);
void actor_recv_many(struct actor *a, struct test *t, struct chan_receiver *rx, uint64_t *values, size_t limit,
                     uint64_t deadline);
void actor_send_many(struct actor *a, struct test *t, struct chan_sender *tx, uint64_t *values, size_t n,
                     uint64_t deadline);

void want_received(struct test *t, struct chan_receiver *rx, uint64_t value, const char *file, int line);

#endif
