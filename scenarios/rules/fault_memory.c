/* SPDX-License-Identifier: MIT
 *
 * fault_memory.c - memory that runs out: mpsc, unbounded, oneshot, and what every kind has.
 */
#include "scenarios/rules/fault_scene.h"
#include "scenarios/rules/rules.h"

#include <stdalign.h>

#define QUEUE_KIND(t) ((t)->kind == KIND_MPSC || (t)->kind == KIND_UNBOUNDED)

/* ------------------------------------------------------------------------------------------
 * Handles
 */

static enum chan_status act_sender_clone(struct scene *s)
{
	return s->t->any.sender_clone(s->tx, &s->tx2);
}

static enum chan_status act_receiver_clone(struct scene *s)
{
	return s->t->any.receiver_clone(s->rx, &s->rx2);
}

static enum chan_status act_subscribe(struct scene *s)
{
	return s->t->any.subscribe(s->tx, &s->rx2);
}

static enum chan_status act_resubscribe(struct scene *s)
{
	return s->t->broadcast->resubscribe(s->rx, &s->rx2);
}

static enum chan_status act_downgrade(struct scene *s)
{
	return s->t->any.downgrade(s->tx, &s->weak);
}

static enum chan_status act_upgrade(struct scene *s)
{
	return s->t->any.upgrade(s->weak, &s->tx2);
}

static enum chan_status act_weak_clone(struct scene *s)
{
	return s->t->any.weak_clone(s->weak, &s->weak2);
}

static void prepare_weak(struct scene *s)
{
	want_status(CHAN_OK, act_downgrade(s), __FILE__, __LINE__);
}

/* Drops have no status: they do what they do, with memory or without. */
static enum chan_status act_receiver_drop(struct scene *s)
{
	s->t->any.receiver_drop(&s->rx);
	return CHAN_OK;
}

static enum chan_status act_drop_all(struct scene *s)
{
	s->t->any.receiver_drop(&s->rx);
	s->t->any.sender_drop(&s->tx);
	return CHAN_OK;
}

static void some_messages(struct scene *s)
{
	if (s->t->kind == KIND_ONESHOT)
		want_status(CHAN_OK, scene_send(s), __FILE__, __LINE__);
	else
		scene_three(s);
}

#define TEST(name, ...)                                                                                                \
	static void name(struct test *t)                                                                               \
	{                                                                                                              \
		scene_run(t, &(struct scene_act){__VA_ARGS__});                                                        \
	}

TEST(open, "open", NULL, NULL, CHAN_OK, true, false)
TEST(sender_clone, "sender_clone", act_sender_clone, scene_three, CHAN_OK, true, false)
TEST(receiver_clone, "receiver_clone", act_receiver_clone, scene_three, CHAN_OK, true, false)
TEST(subscribing, "subscribe", act_subscribe, scene_three, CHAN_OK, true, false)
TEST(resubscribe, "resubscribe", act_resubscribe, scene_three, CHAN_OK, true, false)
TEST(downgrading, "downgrade", act_downgrade, scene_three, CHAN_OK, true, false)
TEST(upgrading, "upgrade", act_upgrade, prepare_weak, CHAN_OK, true, false)
TEST(weak_cloning, "weak_clone", act_weak_clone, prepare_weak, CHAN_OK, true, false)
TEST(receiver_drop, "receiver_drop", act_receiver_drop, some_messages, CHAN_OK, false, false)
TEST(drop_all, "the drop of the last handles", act_drop_all, some_messages, CHAN_OK, false, false)

/* ------------------------------------------------------------------------------------------
 * Messages
 */

static enum chan_status act_send_batch(struct scene *s)
{
	enum chan_status status = CHAN_OK;
	while (s->sent < SCENE_BATCH && status == CHAN_OK)
		status = scene_send(s);
	return status;
}

/* The rest of the batch. */
static enum chan_status act_send_many(struct scene *s)
{
	static alignas(max_align_t) unsigned char batch[SCENE_BATCH * SCENE_SIZE];
	size_t n = SCENE_BATCH - (size_t)s->sent, sent = SIZE_MAX;
	for (size_t i = 0; i < n; i++)
		scene_number(s, batch + i * s->size, s->sent + i);
	enum chan_status status = s->t->mpsc->send_many(s->tx, batch, n, &sent, CHAN_NOW);
	if (sent > n || (status == CHAN_OK) != (sent == n))
		broken_because("`*sent` is how many were sent, all if and only if CHAN_OK", "it is not");
	s->sent += sent;
	return status;
}

static enum chan_status act_send(struct scene *s)
{
	return scene_send(s);
}

static enum chan_status act_recv(struct scene *s)
{
	return scene_recv(s, s->rx);
}

static enum chan_status act_recv_waits(struct scene *s)
{
	return recv_element(s->t, s->rx, scene_buffer(), NULL, chan_deadline_in(10000));
}

static enum chan_status act_send_waits(struct scene *s)
{
	return s->t->mpsc->send(s->tx, scene_buffer(), chan_deadline_in(10000));
}

static enum chan_status act_closed_waits(struct scene *s)
{
	return s->t->any.closed(s->tx, chan_deadline_in(10000));
}

static enum chan_status act_reserve(struct scene *s)
{
	struct chan_permit permit = {0};
	enum chan_status status = s->t->mpsc->reserve(s->tx, 3, &permit, CHAN_NOW);
	for (; status == CHAN_OK && permit.count > 1; s->sent++) {
		scene_number(s, scene_buffer(), s->sent);
		s->t->mpsc->permit_send(&permit, scene_buffer());
	}
	if (status == CHAN_OK)
		s->t->mpsc->permit_release(&permit);
	return status;
}

/* Armed is what it usually is, and is told as CHAN_OK. */
static enum chan_status act_arm_recv(struct scene *s)
{
	enum chan_arm armed = arm_recv(s->t, s->rx, &s->counter);
	if (armed == CHAN_ARMED)
		disarm(s->t, &s->counter);
	return armed == CHAN_ARMED ? CHAN_OK : CHAN_INVALID;
}

TEST(send_batch, "80 sends", act_send_batch, NULL, CHAN_OK, true, false)
TEST(send_many, "send_many of 80", act_send_many, NULL, CHAN_OK, true, false)
TEST(send_bounded, "send", act_send, NULL, CHAN_OK, false, false)
TEST(send_once, "send", act_send, NULL, CHAN_OK, false, false)
TEST(recv, "recv", act_recv, some_messages, CHAN_OK, false, false)
TEST(recv_waits, "a receive that waits", act_recv_waits, NULL, CHAN_TIMEOUT, false, false)
TEST(send_waits, "a send that waits", act_send_waits, scene_full, CHAN_TIMEOUT, false, false)
TEST(closed_waits, "closed", act_closed_waits, NULL, CHAN_TIMEOUT, false, false)
TEST(reserving, "reserve, permit_send, permit_release", act_reserve, NULL, CHAN_OK, false, false)
TEST(arming, "arm_recv", act_arm_recv, NULL, CHAN_OK, false, true)
TEST(arming_watch, "arm_changed", act_arm_recv, NULL, CHAN_OK, false, true)

#define ALL (RULE_QUEUES | RULE_ONESHOT | RULE_BROADCAST | RULE_WATCH)

const struct rule fault_memory_rules[] = {
	{"X-6",
         ALL,
         "When memory runs out: CHAN_NOMEM, nothing changed, nothing lost.",
         {{"open", open, "", TEST_FAULT}}},
	{"X-6",
         RULE_QUEUES | RULE_BROADCAST | RULE_WATCH,
         "No memory for another sender: there is none.",
         {{"sender_clone", sender_clone, "sender_clone", TEST_FAULT}}},
	{"X-6",
         RULE_QUEUES | RULE_WATCH,
         "No memory for another receiver: there is none.",
         {{"receiver_clone", receiver_clone, "receiver_clone", TEST_FAULT}}},
	{"X-6",
         RULE_BROADCAST | RULE_WATCH,
         "No memory for a subscriber: there is none, and nobody owes it anything.",
         {{"subscribe", subscribing, "subscribe", TEST_FAULT}}},
	{"X-6",
         RULE_BROADCAST,
         "No memory for a subscriber of a receiver.",
         {{"resubscribe", resubscribe, "resubscribe", TEST_FAULT}}},
	{"X-6",
         RULE_QUEUES | RULE_BROADCAST,
         "No memory for a weak sender, or to upgrade one.",
         {{"downgrade", downgrading, "downgrade weak_drop", TEST_FAULT},
          {"upgrade", upgrading, "downgrade upgrade weak_drop", TEST_FAULT},
          {"weak_clone", weak_cloning, "downgrade weak_clone weak_drop", TEST_FAULT}}},
	{"X-6",
         ALL,
         "Drops never fail, memory or not, and destroy what they must.",
         {{"the receiver", receiver_drop, "", TEST_FAULT}, {"all", drop_all, "", TEST_FAULT}}},
	{"X-6",
         RULE_UNBOUNDED,
         "A send that has no memory keeps nothing of its value.",
         {{"80 sends", send_batch, "", TEST_FAULT}, {"send_many", send_many, "send_many", TEST_FAULT}}},
	{"X-6",
         RULE_MPSC,
         "A bounded send cannot fail for want of memory, nor a reservation.",
         {{"send", send_bounded, "", TEST_FAULT},
          {"send that waits", send_waits, "", TEST_FAULT},
          {"reserve", reserving, "reserve permit_send permit_release", TEST_FAULT}}},
	{"X-6", RULE_ONESHOT, "A send cannot fail for want of memory.", {{"send", send_once, "", TEST_FAULT}}},
	{"X-6",
         RULE_QUEUES | RULE_ONESHOT,
         "A receive cannot fail for want of memory.",
         {{"receive", recv, "", TEST_FAULT}, {"receive that waits", recv_waits, "", TEST_FAULT}}},
	{"X-6",
         ALL,
         "closed() cannot fail for want of memory.",
         {{"closed that waits", closed_waits, "closed", TEST_FAULT}}},
	{"X-6",
         RULE_QUEUES | RULE_ONESHOT | RULE_BROADCAST,
         "Arming allocates nothing.",
         {{"arm", arming, "arm_recv disarm", TEST_FAULT}}},
	{"X-6", RULE_WATCH, "Arming allocates nothing.", {{"arm", arming_watch, "arm_changed disarm", TEST_FAULT}}},
	{0},
};
