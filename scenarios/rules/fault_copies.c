/* SPDX-License-Identifier: MIT
 *
 * fault_copies.c - memory that runs out where messages are copied: broadcast and watch.
 */
#include "scenarios/rules/fault_scene.h"
#include "scenarios/rules/rules.h"

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
	return s->t->broadcast->recv(s->rx, scene_buffer(), NULL, chan_deadline_in(10000));
}

static enum chan_status act_changed_waits(struct scene *s)
{
	return s->t->watch->changed(s->rx, chan_deadline_in(10000));
}

/* The value that comes back is the test's. */
static enum chan_status act_send_replace(struct scene *s)
{
	static unsigned char previous[SCENE_SIZE] __attribute__((aligned));
	scene_number(s, scene_buffer(), s->sent);
	enum chan_status status = s->t->watch->send_replace(s->tx, scene_buffer(), previous);
	if (status != CHAN_OK)
		return status;
	s->sent++;
	s->copies++;
	return status;
}

static bool nothing_to_do(void *value, void *arg)
{
	(void)value;
	(void)arg;
	return true;
}

static enum chan_status act_modify(struct scene *s)
{
	bool modified = false;
	enum chan_status status = s->t->watch->modify(s->tx, nothing_to_do, NULL, &modified);
	if (status == CHAN_OK && !modified)
		broken_because("`*modified` is what the function said", "it is not");
	return status;
}

static enum chan_status copied(struct scene *s, enum chan_status status)
{
	if (status == CHAN_OK)
		s->copies++;
	return status;
}

static enum chan_status act_sender_borrow(struct scene *s)
{
	return copied(s, s->t->watch->sender_borrow(s->tx, scene_buffer()));
}

/* Nothing is marked seen when it fails: it says "unseen" when it works. */
static enum chan_status act_borrow_and_update(struct scene *s)
{
	bool unseen = false;
	enum chan_status status = s->t->watch->borrow_and_update(s->rx, scene_buffer(), &unseen);
	if (status == CHAN_OK && !unseen)
		broken_because("the value was not seen before", "it was marked seen");
	return copied(s, status);
}

static bool always(const void *value, void *arg)
{
	(void)value;
	(void)arg;
	return true;
}

static enum chan_status act_wait_for(struct scene *s)
{
	return copied(s, s->t->watch->wait_for(s->rx, always, NULL, scene_buffer(), CHAN_NOW));
}

#define TEST(name, ...)                                                                                                \
	static void name(struct test *t)                                                                               \
	{                                                                                                              \
		scene_run(t, &(struct scene_act){__VA_ARGS__});                                                        \
	}

TEST(send, "send", act_send, NULL, CHAN_OK, true, false)
TEST(overwrite, "a send that overwrites", act_send, scene_full, CHAN_OK, true, false)
TEST(recv, "recv", act_recv, scene_three, CHAN_OK, true, false)
TEST(recv_waits, "a receive that waits", act_recv_waits, NULL, CHAN_TIMEOUT, true, false)
TEST(changed_waits, "a changed that waits", act_changed_waits, NULL, CHAN_TIMEOUT, false, false)
TEST(send_replace, "send_replace", act_send_replace, scene_three, CHAN_OK, false, false)
TEST(modify, "modify", act_modify, scene_three, CHAN_OK, true, false)
TEST(borrow, "borrow", act_recv, scene_three, CHAN_OK, true, false)
TEST(sender_borrow, "sender_borrow", act_sender_borrow, scene_three, CHAN_OK, true, false)
TEST(borrow_and_update, "borrow_and_update", act_borrow_and_update, scene_three, CHAN_OK, true, false)
TEST(waiting_for, "wait_for", act_wait_for, scene_three, CHAN_OK, true, false)

const struct rule fault_copies_rules[] = {
	{"X-6",
         RULE_BROADCAST,
         "A send that has no memory keeps nothing of its value.",
         {{"send", send, "", TEST_FAULT}, {"send that overwrites", overwrite, "", TEST_FAULT}}},
	{"X-6",
         RULE_BROADCAST,
         "A receive that has no memory loses at most its message.",
         {{"receive", recv, "", TEST_FAULT}, {"receive that waits", recv_waits, "", TEST_FAULT}}},
	{"X-6",
         RULE_WATCH,
         "A write that has no memory did not happen.",
         {{"send", send, "", TEST_FAULT},
          {"send_replace", send_replace, "send_replace", TEST_FAULT},
          {"modify", modify, "modify", TEST_FAULT}}},
	{"X-6",
         RULE_WATCH,
         "A read that has no memory has read nothing and marks nothing seen.",
         {{"borrow", borrow, "", TEST_FAULT},
          {"sender_borrow", sender_borrow, "sender_borrow", TEST_FAULT},
          {"borrow_and_update", borrow_and_update, "borrow_and_update", TEST_FAULT},
          {"wait_for", waiting_for, "wait_for", TEST_FAULT}}},
	{"X-6",
         RULE_WATCH,
         "changed cannot fail for want of memory.",
         {{"changed that waits", changed_waits, "", TEST_FAULT}}},
	{0},
};
