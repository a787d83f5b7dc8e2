/* SPDX-License-Identifier: MIT
 *
 * watch_handles.c - senders, receivers and waiters of watch that come and go.
 */
#include "scenarios/programs/watch.h"

enum { PHASE_UNKNOWN, PHASE_REOPENED, PHASE_CLOSED };

struct scene {
	struct watch_scene base;
	atomic_int phase;
	struct armed armed;
};

static void drop_sender(void *arg)
{
	struct scene *s = arg;
	s->base.ops->sender_drop(&s->base.tx);
}

static void drop_other_sender(void *arg)
{
	struct scene *s = arg;
	s->base.ops->sender_drop(&s->base.other_tx);
}

static void drop_receiver(void *arg)
{
	struct scene *s = arg;
	s->base.ops->receiver_drop(&s->base.rx);
}

static void wait_end(void *arg)
{
	struct scene *s = arg;
	expect("W-29", s->base.ops->changed(s->base.rx, CHAN_FOREVER) == CHAN_CLOSED);
}

static void two_last_senders(const struct program_env *env)
{
	struct scene s = {.phase = 0};
	struct program_thread receiver;
	watch_open(&s.base, env, false);
	expect("W-35", s.base.ops->sender_clone(s.base.tx, &s.base.other_tx) == CHAN_OK);
	program_start(&receiver, wait_end, &s);
	program_together(&s.base, drop_sender, drop_other_sender);
	program_join(&receiver, 1);
	watch_close_down(&s.base);
}

/* ------------------------------------------------------------------------------------------
 * The receiver goes while a value comes: it is stored, or handed back.
 */

static void send_perhaps(void *arg)
{
	struct scene *s = arg;
	s->base.sent = watch_send(&s->base, s->base.tx, 1);
	expect("W-18", s->base.sent == CHAN_OK || s->base.sent == CHAN_CLOSED);
}

static void receiver_drop_against_send(const struct program_env *env)
{
	struct scene s = {.phase = 0};
	watch_open(&s.base, env, true);
	program_together(&s.base, send_perhaps, drop_receiver);
	expect("W-17", s.base.ops->subscribe(s.base.tx, &s.base.rx) == CHAN_OK);
	expect("W-18", watch_borrow(&s.base, s.base.rx, NULL) == (s.base.sent == CHAN_OK ? 1 : 0));
	watch_close_down(&s.base);
}

static void all_drop(const struct program_env *env)
{
	struct scene s = {.phase = 0};
	watch_open(&s.base, env, true);
	program_together(&s.base, drop_sender, drop_receiver);
}

static void subscribe(void *arg)
{
	struct scene *s = arg;
	expect("W-17", s->base.ops->subscribe(s->base.other_tx, &s->base.other_rx) == CHAN_OK);
	s->base.before = watch_borrow(&s->base, s->base.other_rx, NULL);
}

/* What the new receiver counts as seen is a version whose value it can read: a write is in it,
 * or is news. */
static void subscribe_against_send(const struct program_env *env)
{
	struct scene s = {.phase = 0};
	watch_open(&s.base, env, false);
	expect("W-35", s.base.ops->sender_clone(s.base.tx, &s.base.other_tx) == CHAN_OK);
	program_together(&s.base, send_perhaps, subscribe);
	expect("W-18", s.base.sent == CHAN_OK);
	bool news = s.base.ops->changed(s.base.other_rx, CHAN_NOW) == CHAN_OK;
	expect("W-17", news || s.base.before == 1);
	expect("W-34", watch_borrow(&s.base, s.base.other_rx, NULL) == 1);
	watch_close_down(&s.base);
}

/* ------------------------------------------------------------------------------------------
 * closed()
 */

static void wait_closed(void *arg)
{
	struct scene *s = arg;
	expect("W-28", s->base.ops->closed(s->base.tx, CHAN_FOREVER) == CHAN_OK);
}

static void closed_against_drop(const struct program_env *env)
{
	struct scene s = {.phase = 0};
	watch_open(&s.base, env, false);
	program_together(&s.base, wait_closed, drop_receiver);
	watch_close_down(&s.base);
}

/* Looks again after it was woken (W-28): a receiver that came after the wake and before the
 * woken thread has gone on keeps it waiting. Only where that can be told; else a short moment
 * without receivers may count. */
static void wait_closed_again(void *arg)
{
	struct scene *s = arg;
	wait_closed(s);
	expect("W-28", atomic_load_explicit(&s->phase, memory_order_relaxed) != PHASE_REOPENED);
}

static void closed_against_reopen(const struct program_env *env)
{
	struct scene s = {.phase = 0};
	struct watch_scene *w = &s.base;
	struct program_thread closer;
	uint64_t before, after;
	watch_open(w, env, false);
	expect("W-35", w->ops->sender_clone(w->tx, &w->other_tx) == CHAN_OK);
	program_start(&closer, wait_closed_again, &s);
	bool waited = program_blocked(&closer, &before);
	w->ops->receiver_drop(&w->rx);
	expect("W-17", w->ops->subscribe(w->other_tx, &w->rx) == CHAN_OK);
	program_blocked(&closer, &after);
	if (waited && after == before)
		atomic_store_explicit(&s.phase, PHASE_REOPENED, memory_order_relaxed);
	expect("W-27", watch_send(w, w->other_tx, 1) == CHAN_OK);
	atomic_store_explicit(&s.phase, PHASE_CLOSED, memory_order_relaxed);
	w->ops->receiver_drop(&w->rx);
	program_join(&closer, 1);
	watch_close_down(w);
}

/* ------------------------------------------------------------------------------------------
 * Waiters
 */

static void open_armed(struct scene *s, const struct program_env *env)
{
	watch_open(&s->base, env, false);
	armed_open(&s->armed);
}

static void wait_armed(void *arg)
{
	struct scene *s = arg;
	if (s->base.ops->arm_changed(s->base.rx, &s->armed.waiter) == CHAN_ARMED) {
		armed_await(&s->armed);
		expect("S-9", s->base.ops->disarm(&s->armed.waiter) && s->armed.woken == 1);
	}
	expect("W-4", s->base.ops->changed(s->base.rx, CHAN_NOW) == CHAN_OK);
}

static void arm_against_send(const struct program_env *env)
{
	struct scene s = {.phase = 0};
	open_armed(&s, env);
	program_together(&s.base, send_perhaps, wait_armed);
	watch_close_down(&s.base);
}

static void arm_disarm_changed(void *arg)
{
	struct scene *s = arg;
	if (s->base.ops->arm_changed(s->base.rx, &s->armed.waiter) == CHAN_ARMED) {
		bool fired = s->base.ops->disarm(&s->armed.waiter);
		/* fired, its wake may have been cancelled */
		expect("S-9", s->armed.woken <= (fired ? 1u : 0u));
		s->armed.waiter.wake = NULL; /* its memory is ours again */
	}
	expect("S-11", s->base.ops->changed(s->base.rx, CHAN_FOREVER) == CHAN_OK);
}

static void disarm_against_send(const struct program_env *env)
{
	struct scene s = {.phase = 0};
	open_armed(&s, env);
	program_together(&s.base, send_perhaps, arm_disarm_changed);
	watch_close_down(&s.base);
}

const struct program programs_watch_handles[] = {
	{"two_last_senders", ON_WATCH, "sender_clone", "W-5 W-29", "two drop at once: the receiver hears of the end",
         two_last_senders},
	{"receiver_drop_against_send", ON_WATCH, "subscribe", "W-17 W-18 D-11", "stored, or handed back",
         receiver_drop_against_send},
	{"all_drop", ON_WATCH, NULL, "W-32 D-11 D-13", "both sides go at once: one of them frees", all_drop},
	{"subscribe_against_send", ON_WATCH, "sender_clone subscribe", "W-17 W-34",
         "a write that a new receiver cannot read yet is news to it", subscribe_against_send},
	{"closed_against_drop", ON_WATCH, "closed", "W-28", "who waits for the last receiver's drop hears of it",
         closed_against_drop},
	{"closed_against_reopen", ON_WATCH, "sender_clone subscribe closed", "W-17 W-27 W-28",
         "the last receiver goes, and another comes and goes", closed_against_reopen},
	{"arm_against_send", ON_WATCH, "arm_changed disarm", "X-1 S-9", "an armed receiver is told of the write",
         arm_against_send},
	{"disarm_against_send", ON_WATCH, "arm_changed disarm", "S-9 S-11", "after a disarm nobody touches the waiter",
         disarm_against_send},
	{NULL, 0, NULL, NULL, NULL, NULL},
};
