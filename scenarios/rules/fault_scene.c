/* SPDX-License-Identifier: MIT */
#include "scenarios/rules/fault_scene.h"

#include "harness/check/fault_memory.h"

#include <inttypes.h>
#include <stdalign.h>
#include <stdio.h>
#include <string.h>

enum {
	CAPACITY = 4,
	ALLOCATIONS_MAX = 1000, /* of one operation: more is no end */
	/* runs that must all have left something behind before it is looked at closely */
	DOUBTS = 8,
	/* runs that then must have left as many blocks: what is kept for later is bounded */
	PROOFS = 256
};

void *scene_buffer(void)
{
	static alignas(max_align_t) unsigned char buffer[SCENE_SIZE];
	return buffer;
}

void scene_number(const struct scene *s, void *msg, uint64_t number)
{
	memset(msg, 0x5a, s->size);
	memcpy(msg, &number, sizeof(number));
}

static uint64_t number_of(const void *msg)
{
	uint64_t number;
	memcpy(&number, msg, sizeof(number));
	return number;
}

/* ------------------------------------------------------------------------------------------
 * Steps
 */

enum chan_status scene_send(struct scene *s)
{
	void *msg = scene_buffer();
	scene_number(s, msg, s->sent);
	enum chan_status status = send_element(s->t, &s->tx, msg, NULL, CHAN_NOW);
	if (status == CHAN_OK)
		s->sent++;
	return status;
}

enum chan_status scene_recv(struct scene *s, struct chan_receiver *rx)
{
	struct test *t = s->t;
	void *msg = scene_buffer();
	uint64_t missed = 0;
	enum chan_status status =
		t->kind == KIND_WATCH ? t->watch->borrow(rx, msg, NULL) : recv_element(t, rx, msg, &missed, CHAN_NOW);
	if (status == CHAN_LAGGED)
		s->next += missed;
	if (status == CHAN_NOMEM)
		s->skipped = true;
	if (status != CHAN_OK)
		return status;
	s->copies++;
	if (t->kind == KIND_WATCH)
		s->next = s->sent - 1;
	else if (s->skipped && number_of(msg) == s->next + 1)
		s->next++;
	s->skipped = false;
	want_number(s->next++, number_of(msg), __FILE__, __LINE__);
	return status;
}

void scene_three(struct scene *s)
{
	for (int i = 0; i < 3; i++)
		want_status(CHAN_OK, scene_send(s), __FILE__, __LINE__);
}

void scene_full(struct scene *s)
{
	for (int i = 0; i < CAPACITY; i++)
		want_status(CHAN_OK, scene_send(s), __FILE__, __LINE__);
}

static enum chan_status open_scene(struct scene *s)
{
	struct chan_sender *const no_tx = s->tx;
	struct chan_receiver *const no_rx = s->rx;
	enum chan_status status;
	void *initial = scene_buffer();
	scene_number(s, initial, 0);
	if (s->t->kind == KIND_WATCH)
		status = s->t->watch->open(&s->config, initial, &s->tx, &s->rx);
	else
		status = try_open(s->t, &s->config, &s->tx, &s->rx);
	if (status == CHAN_OK && s->t->kind == KIND_WATCH)
		s->sent = 1; /* the initial value */
	if (status != CHAN_OK && (s->tx != no_tx || s->rx != no_rx))
		broken_because("an open that fails writes to no handle", "it did");
	return status;
}

/* ------------------------------------------------------------------------------------------
 * To the end
 */

static void drop_weak(struct scene *s, struct chan_weak **weak)
{
	if (*weak != NULL)
		weak_drop(s->t, weak);
}

static void drop_senders(struct scene *s)
{
	if (s->tx != NULL)
		tx_drop(s->t, &s->tx);
	if (s->tx2 != NULL)
		tx_drop(s->t, &s->tx2);
}

static void drop_receivers(struct scene *s)
{
	if (s->rx2 != NULL)
		rx_drop(s->t, &s->rx2);
	if (s->rx != NULL)
		rx_drop(s->t, &s->rx);
}

/* Nothing is left to receive, and no sender. */
static void want_closed(struct scene *s)
{
	enum chan_status status = CHAN_OK;
	step("all senders are gone: nothing can come any more");
	if (s->t->kind != KIND_WATCH) {
		want_status(CHAN_CLOSED, scene_recv(s, s->rx), __FILE__, __LINE__);
		return;
	}
	for (int i = 0; i < 2 && status == CHAN_OK; i++)
		status = s->t->watch->changed(s->rx, CHAN_NOW);
	want_status(CHAN_CLOSED, status, __FILE__, __LINE__);
}

static void drain(struct scene *s)
{
	enum chan_status status;
	step("receive all that was sent");
	if (s->t->kind == KIND_WATCH) {
		want_status(CHAN_OK, scene_recv(s, s->rx), __FILE__, __LINE__);
		return;
	}
	if (s->t->kind == KIND_ONESHOT && s->sent == 0)
		return;
	while (s->next < s->sent) {
		status = scene_recv(s, s->rx);
		if (status != CHAN_LAGGED)
			want_status(CHAN_OK, status, __FILE__, __LINE__);
	}
}

/* Drops everything, the senders first or the receivers first; every count of handles that is
 * wrong shows as not closed, or too early. */
static void finish(struct scene *s, bool senders_first)
{
	if (s->rx != NULL && senders_first) {
		drain(s);
		drop_senders(s);
		want_closed(s);
	}
	drop_receivers(s);
	if (s->tx != NULL) {
		step("all receivers are gone");
		want_status(CHAN_CLOSED, scene_send(s), __FILE__, __LINE__);
	}
	drop_senders(s);
	drop_weak(s, &s->weak);
	drop_weak(s, &s->weak2);
	step("every value ended once: %" PRIu64 " sent, %" PRIu64 " copied, %" PRIu64 " received, %" PRIu64
	     " destroyed",
	     s->sent, s->tally.clones, s->copies, s->tally.count);
	if (s->config.destroy != NULL)
		want_number(s->sent + s->tally.clones, s->copies + s->tally.count, __FILE__, __LINE__);
}

/* ------------------------------------------------------------------------------------------
 * One operation
 */

struct shortage {
	size_t size, k;
	bool later_too, senders_first;
};

/* Whether there was an allocation to fail. */
static bool run_once(struct test *t, const struct scene_act *act, const struct shortage *shortage)
{
	static struct scene s;
	size_t tried;
	memset(&s, 0, sizeof(s));
	s.t = t;
	s.size = shortage->size;
	s.config = tally_config(t, &s.tally, CAPACITY);
	s.config.size = s.size;
	if ((t->kind == KIND_BROADCAST || t->kind == KIND_WATCH) && !t->hooks) {
		s.config.destroy = NULL;
		s.config.clone = NULL;
	}
	step("%s, elements of %zu bytes; allocation %zu of it fails%s", act->what, s.size, shortage->k,
	     shortage->later_too ? ", and all after it" : "");
	enum chan_status (*operation)(struct scene *) = act->act != NULL ? act->act : open_scene;
	if (act->act != NULL)
		want_status(CHAN_OK, open_scene(&s), __FILE__, __LINE__);
	if (act->prepare != NULL)
		act->prepare(&s);
	uint64_t ended = s.tally.count - s.tally.clones;
	fault_memory_arm(shortage->k, shortage->later_too);
	enum chan_status status = operation(&s);
	bool hit = fault_memory_disarm(&tried);
	if (act->allocates_nothing && tried > 0)
		broken_because("it allocates nothing", "it allocated");
	if (status == CHAN_NOMEM && hit && act->may_fail) {
		if (s.tally.count - s.tally.clones != ended && !s.skipped)
			broken_because("a value that was not taken is not destroyed", "one was");
		step("once more, with memory");
		status = operation(&s);
	}
	want_status(act->usual, status, __FILE__, __LINE__);
	finish(&s, shortage->senders_first);
	return hit;
}

/* What a run leaves behind once may be a cache, or wait for a better time to be freed; what
 * every run leaves is a leak. */
static void want_no_leak(struct test *t, const struct scene_act *act, const struct shortage *shortage)
{
	char seen[96];
	size_t before = fault_memory_live(), now;
	for (int i = 0; i < DOUBTS; i++) {
		run_once(t, act, shortage);
		now = fault_memory_live();
		if (now <= before)
			return;
		before = now;
	}
	for (int i = 0; i < PROOFS; i++)
		run_once(t, act, shortage);
	now = fault_memory_live();
	if (now < before + PROOFS)
		return;
	snprintf(seen, sizeof(seen), "%zu blocks more after %d channels", now - before, PROOFS);
	broken_because("all memory is freed with the last handle", seen);
}

void scene_run(struct test *t, const struct scene_act *act)
{
	static const size_t sizes[] = {8, SCENE_SIZE};
	if (!fault_memory_ready())
		untestable(fault_memory_why);
	for (unsigned i = 0; i < 8; i++) {
		struct shortage shortage = {sizes[i & 1], 0, (i & 2) != 0, (i & 4) != 0};
		run_once(t, act, &shortage);
		do {
			if (++shortage.k > ALLOCATIONS_MAX)
				broken_because("an operation ends",
				               "its 1000th allocation failed, and it still allocates");
			want_no_leak(t, act, &shortage);
		} while (run_once(t, act, &shortage));
	}
}
