/* SPDX-License-Identifier: MIT
 *
 * fault_callback.c - rule D-8: every callback calls back into its channel, with each operation.
 *
 * `destroy` and `wake` may, also through the handle of the interrupted call. `clone`, and the
 * functions given to modify and wait_for, may not: they are refused with CHAN_INVALID and nothing
 * happens; properties are answered. Nobody deadlocks.
 */
#include "scenarios/rules/tally.h"
#include "scenarios/rules/rules.h"

#include <string.h>

static struct tally tally;

/* What the callback is to do, and what came of it. */
static struct visit {
	struct test *t;
	struct chan_sender *tx;
	struct chan_receiver *rx;
	enum chan_status (*call)(struct visit *v);
	enum chan_status status;
	unsigned times; /* callbacks that called; one inside another does not */
	bool inside;
	struct counter counter;
	uint64_t sent, copies; /* values that this test brought in, and got out */
} visit;

static bool queue_kind(const struct test *t)
{
	return t->kind == KIND_MPSC || t->kind == KIND_UNBOUNDED;
}

/* ------------------------------------------------------------------------------------------
 * The calls. None uses `want`, which would leave the callback by a jump.
 */

static enum chan_status call_send(struct visit *v)
{
	enum chan_status status = try_send(v->t, v->tx, 7);
	v->sent += status == CHAN_OK ? 1 : 0;
	return status;
}

static enum chan_status call_receive(struct visit *v)
{
	uint64_t value;
	/* its drop is what was interrupted */
	enum chan_status status = v->rx == NULL              ? CHAN_CLOSED
	                          : v->t->kind == KIND_WATCH ? v->t->watch->borrow(v->rx, &value, NULL)
	                                                     : try_recv(v->t, v->rx, &value);
	v->copies += status == CHAN_OK ? 1 : 0;
	return status;
}

static enum chan_status call_clone(struct visit *v)
{
	struct chan_sender *tx = NULL;
	enum chan_status status = v->t->any.sender_clone(v->tx, &tx);
	if (status == CHAN_OK)
		v->t->any.sender_drop(&tx);
	return status;
}

static enum chan_status call_subscribe(struct visit *v)
{
	struct chan_receiver *rx = NULL;
	enum chan_status status = v->t->any.subscribe(v->tx, &rx);
	if (status == CHAN_OK)
		v->t->any.receiver_drop(&rx);
	return status;
}

static enum chan_status call_closed(struct visit *v)
{
	return try_closed(v->t, v->tx);
}

/* Another waiter, which stays armed until the test disarms it. */
static enum chan_status call_arm(struct visit *v)
{
	enum chan_arm armed = arm_closed(v->t, v->tx, &v->counter);
	return armed == CHAN_NOT_ARMED ? CHAN_INVALID : armed == CHAN_ARMED ? CHAN_OK : CHAN_CLOSED;
}

static enum chan_status call_property(struct visit *v)
{
	uint64_t answer = v->t->any.sender_get(v->tx, CHAN_IS_CLOSED);
	return answer == 0 || answer == 1 || answer == CHAN_UNKNOWN ? CHAN_OK : CHAN_INVALID;
}

static void make_call(void)
{
	if (visit.inside || visit.call == NULL || visit.times > 0)
		return;
	visit.inside = true;
	visit.status = visit.call(&visit);
	visit.inside = false;
	visit.times++;
}

/* ------------------------------------------------------------------------------------------
 * The callbacks
 */

static void from_destroy(struct tally *l, uint64_t value)
{
	(void)l;
	(void)value;
	make_call();
}

static void from_clone(struct tally *l)
{
	(void)l;
	make_call();
}

static bool from_pred(const void *value, void *arg)
{
	(void)value;
	(void)arg;
	make_call();
	return true;
}

static bool from_modify(void *value, void *arg)
{
	return from_pred(value, arg);
}

static void from_wake(struct chan_waiter *waiter)
{
	(void)waiter;
	make_call();
}

static void open_visit(struct test *t, struct chan_sender **tx, struct chan_receiver **rx)
{
	struct chan_config config = tally_config(t, &tally, 2);
	memset(&visit, 0, sizeof(visit));
	if (!t->hooks && !queue_kind(t)) {
		config.destroy = NULL;
		config.clone = NULL;
	}
	open_config(t, &config, tx, rx);
	visit.t = t;
	visit.tx = *tx;
	visit.rx = *rx;
	visit.sent = t->kind == KIND_WATCH ? 1 : 0;
}

static void send_one(struct test *t, struct chan_sender *tx)
{
	want(CHAN_OK, try_send(t, tx, 1));
	visit.sent++;
}

/* The call was made, and its status was `refused` or not; afterwards each value ends once. */
static void finish(struct test *t, bool refused, struct chan_sender **tx, struct chan_receiver **rx)
{
	step("the callback's call gave %s", status_name(visit.status));
	want_u64(1, visit.times);
	if ((visit.status == CHAN_INVALID) != refused)
		broken_because(refused ? "the call is refused: CHAN_INVALID" : "the call is allowed",
		               status_name(visit.status));
	visit.call = NULL;
	if (visit.counter.waiter.wake != NULL && visit.status == CHAN_OK)
		disarm(t, &visit.counter);
	if (*rx != NULL)
		rx_drop(t, rx);
	tx_drop(t, tx);
	if (t->hooks || queue_kind(t))
		want_u64(visit.sent + tally.clones, visit.copies + tally.count);
}

static void in_destroy(struct test *t, enum chan_status (*call)(struct visit *))
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_visit(t, &tx, &rx);
	tally.also = from_destroy;
	send_one(t, tx);
	if (t->kind == KIND_BROADCAST)
		send_one(t, tx);
	visit.call = call;
	if (queue_kind(t)) {
		visit.rx = NULL;
		rx_drop(t, &rx);
	} else {
		visit.times = 0; /* the initial value of a watch was destroyed before */
		send_one(t, tx);
	}
	finish(t, false, &tx, &rx);
}

static void in_clone(struct test *t, enum chan_status (*call)(struct visit *))
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	uint64_t value;
	open_visit(t, &tx, &rx);
	tally.on_clone = from_clone;
	send_one(t, tx);
	visit.call = call;
	if (t->kind == KIND_WATCH)
		want(CHAN_OK, t->watch->borrow(rx, &value, NULL));
	else
		want(CHAN_OK, try_recv(t, rx, &value));
	visit.copies++;
	finish(t, call != call_property, &tx, &rx);
}

static void in_wait_for(struct test *t, enum chan_status (*call)(struct visit *))
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	uint64_t value;
	open_visit(t, &tx, &rx);
	visit.call = call;
	want(CHAN_OK, t->watch->wait_for(rx, from_pred, NULL, &value, CHAN_NOW));
	visit.copies++;
	finish(t, call != call_property, &tx, &rx);
}

static void in_modify(struct test *t, enum chan_status (*call)(struct visit *))
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_visit(t, &tx, &rx);
	visit.call = call;
	want(CHAN_OK, t->watch->modify(tx, from_modify, NULL, NULL));
	finish(t, call != call_property, &tx, &rx);
}

static void in_wake(struct test *t, enum chan_status (*call)(struct visit *))
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct counter counter;
	open_visit(t, &tx, &rx);
	want_true(arm_recv(t, rx, &counter) == CHAN_ARMED);
	counter.waiter.wake = from_wake;
	visit.call = call;
	send_one(t, tx);
	want_true(disarm(t, &counter));
	finish(t, false, &tx, &rx);
}

#define TESTS(where)                                                                                                   \
	static void where##_send(struct test *t)                                                                       \
	{                                                                                                              \
		where(t, call_send);                                                                                   \
	}                                                                                                              \
	static void where##_receive(struct test *t)                                                                    \
	{                                                                                                              \
		where(t, call_receive);                                                                                \
	}                                                                                                              \
	static void where##_clone(struct test *t)                                                                      \
	{                                                                                                              \
		where(t, call_clone);                                                                                  \
	}                                                                                                              \
	static void where##_subscribe(struct test *t)                                                                  \
	{                                                                                                              \
		where(t, call_subscribe);                                                                              \
	}                                                                                                              \
	static void where##_closed(struct test *t)                                                                     \
	{                                                                                                              \
		where(t, call_closed);                                                                                 \
	}                                                                                                              \
	static void where##_arm(struct test *t)                                                                        \
	{                                                                                                              \
		where(t, call_arm);                                                                                    \
	}                                                                                                              \
	static void where##_property(struct test *t)                                                                   \
	{                                                                                                              \
		where(t, call_property);                                                                               \
	}
TESTS(in_destroy)
TESTS(in_clone)
TESTS(in_wait_for)
TESTS(in_modify)
TESTS(in_wake)

#define COMMON(where, label, needs, flags)                                                                             \
	{label ": send", where##_send, needs, flags}, {label ": receive", where##_receive, needs, flags},              \
		{label ": sender_clone", where##_clone, needs " sender_clone", flags},                                 \
		{label ": closed", where##_closed, needs " closed", flags},                                            \
		{label ": arm_closed", where##_arm, needs " arm_closed disarm", flags},                                \
	{                                                                                                              \
		label ": property", where##_property, needs " sender_get", flags                                       \
	}
#define SUBSCRIBE(where, label, needs, flags)                                                                          \
	{                                                                                                              \
		label ": subscribe", where##_subscribe, needs " subscribe", flags                                      \
	}

#define COPIED (RULE_BROADCAST | RULE_WATCH)

const struct rule fault_callback_rules[] = {
	{"D-8",
         RULE_QUEUES,
         "destroy may call the channel, every operation.",
         {COMMON(in_destroy, "in destroy", "", 0)}},
	{"D-8",
         COPIED,
         "destroy may call the channel, every operation.",
         {COMMON(in_destroy, "in destroy", "", TEST_HOOKS), SUBSCRIBE(in_destroy, "in destroy", "", TEST_HOOKS)}},
	{"D-8",
         COPIED,
         "clone may not call the channel but for properties, and does not deadlock.",
         {COMMON(in_clone, "in clone", "", TEST_HOOKS), SUBSCRIBE(in_clone, "in clone", "", TEST_HOOKS)}},
	{"D-8",
         RULE_WATCH,
         "The function of wait_for may not call the channel but for properties, and does not deadlock.",
         {COMMON(in_wait_for, "in wait_for", "wait_for", 0), SUBSCRIBE(in_wait_for, "in wait_for", "wait_for", 0)}},
	{"D-8",
         RULE_WATCH,
         "The function of modify may not call the channel but for properties, and does not deadlock.",
         {COMMON(in_modify, "in modify", "modify", 0), SUBSCRIBE(in_modify, "in modify", "modify", 0)}},
	{"D-8",
         RULE_QUEUES,
         "wake may call the channel, every operation.",
         {COMMON(in_wake, "in wake", "arm_recv disarm", 0)}},
	{"D-8",
         RULE_BROADCAST,
         "wake may call the channel, every operation.",
         {COMMON(in_wake, "in wake", "arm_recv disarm", 0), SUBSCRIBE(in_wake, "in wake", "arm_recv disarm", 0)}},
	{"D-8",
         RULE_WATCH,
         "wake may call the channel, every operation.",
         {COMMON(in_wake, "in wake", "arm_changed disarm", 0), SUBSCRIBE(in_wake, "in wake", "arm_changed disarm", 0)}},
	{0},
};
