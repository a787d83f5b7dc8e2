/* SPDX-License-Identifier: MIT
 *
 * watch.c - one value that is always there: reading against writing, and hearing of changes.
 */
#include "scenarios/programs/watch.h"

void watch_open(struct watch_scene *s, const struct program_env *env, bool hooks)
{
	struct chan_config config = {.size = sizeof(struct watch_pair)};
	struct watch_pair pair = {0, ~(uint64_t)0};
	struct message *message = NULL;
	if (hooks) {
		config.size = sizeof(struct message *);
		config.clone = message_clone;
		config.destroy = message_destroy;
		message = message_new(0);
	}
	s->ops = env->impl->watch;
	s->hooks = hooks;
	expect("W-1", s->ops->open(&config, hooks ? (void *)&message : (void *)&pair, &s->tx, &s->rx) == CHAN_OK);
}

enum chan_status watch_send(struct watch_scene *s, struct chan_sender *tx, unsigned number)
{
	struct watch_pair pair = {number, ~(uint64_t)number};
	if (!s->hooks)
		return s->ops->send(tx, &pair);
	struct message *message = message_new(number);
	enum chan_status status = s->ops->send(tx, &message);
	if (status != CHAN_OK)
		message_end(message);
	return status;
}

unsigned watch_borrow(struct watch_scene *s, struct chan_receiver *rx, bool *unseen)
{
	struct watch_pair pair;
	struct message *message = NULL;
	expect("W-3", s->ops->borrow(rx, s->hooks ? (void *)&message : (void *)&pair, unseen) == CHAN_OK);
	if (s->hooks)
		return message_end(message);
	expect("W-30", pair.number == ~pair.negated);
	program_saw(pair.number);
	return (unsigned)pair.number;
}

void watch_close_down(struct watch_scene *s)
{
	s->ops->sender_drop(&s->tx);
	s->ops->sender_drop(&s->other_tx);
	s->ops->receiver_drop(&s->rx);
	s->ops->receiver_drop(&s->other_rx);
}

/* ------------------------------------------------------------------------------------------
 * Writing against reading
 */

static void write_two(void *arg)
{
	struct watch_scene *s = arg;
	s->before = 1;
	expect("W-2", watch_send(s, s->tx, 1) == CHAN_OK);
	expect("W-2", watch_send(s, s->tx, 2) == CHAN_OK);
}

static void borrow_two(void *arg)
{
	struct watch_scene *s = arg;
	bool unseen;
	unsigned first = watch_borrow(s, s->rx, &unseen);
	expect("W-8", unseen == (first != 0));
	unsigned second = watch_borrow(s, s->rx, &unseen);
	expect("W-3", unseen == (second != 0));
	expect("W-34", first <= second && second <= 2);
	if (second != 0)
		expect("W-34", s->before == 1);
}

static void write_against_borrow(const struct program_env *env)
{
	struct watch_scene s = {.before = 0};
	watch_open(&s, env, false);
	program_together(&s, write_two, borrow_two);
	expect("W-34", watch_borrow(&s, s.rx, NULL) == 2);
	watch_close_down(&s);
}

static void write_against_clone(const struct program_env *env)
{
	struct watch_scene s = {.before = 0};
	watch_open(&s, env, true);
	program_together(&s, write_two, borrow_two);
	watch_close_down(&s);
}

static void write_other(void *arg)
{
	struct watch_scene *s = arg;
	expect("W-2", watch_send(s, s->other_tx, 3) == CHAN_OK);
}

static void write_one(void *arg)
{
	struct watch_scene *s = arg;
	expect("W-2", watch_send(s, s->tx, 1) == CHAN_OK);
}

static void two_writers(const struct program_env *env)
{
	struct watch_scene s = {.before = 0};
	bool unseen;
	watch_open(&s, env, false);
	expect("W-35", s.ops->sender_clone(s.tx, &s.other_tx) == CHAN_OK);
	program_together(&s, write_one, write_other);
	unsigned number = watch_borrow(&s, s.rx, &unseen);
	expect("W-30", (number == 1 || number == 3) && unseen);
	expect("W-4", s.ops->changed(s.rx, CHAN_NOW) == CHAN_OK);
	expect("W-11", s.ops->changed(s.rx, CHAN_NOW) == CHAN_EMPTY);
	watch_close_down(&s);
}

static bool add_one(void *value, void *arg)
{
	struct watch_pair *pair = value;
	(void)arg;
	pair->number++;
	pair->negated = ~pair->number;
	return true;
}

static void modify(void *arg)
{
	struct watch_scene *s = arg;
	expect("W-20", s->ops->modify(s->tx, add_one, NULL, NULL) == CHAN_OK);
}

static void modify_other(void *arg)
{
	struct watch_scene *s = arg;
	expect("W-20", s->ops->modify(s->other_tx, add_one, NULL, NULL) == CHAN_OK);
}

static void two_modify(const struct program_env *env)
{
	struct watch_scene s = {.before = 0};
	watch_open(&s, env, false);
	expect("W-35", s.ops->sender_clone(s.tx, &s.other_tx) == CHAN_OK);
	program_together(&s, modify, modify_other);
	expect("W-20", watch_borrow(&s, s.rx, NULL) == 2);
	watch_close_down(&s);
}

static void write_other_and_drop(void *arg)
{
	struct watch_scene *s = arg;
	expect("W-2", watch_send(s, s->other_tx, 3) == CHAN_OK);
	s->ops->sender_drop(&s->other_tx);
}

static void update(void *arg)
{
	struct watch_scene *s = arg;
	struct watch_pair pair;
	bool unseen;
	expect("W-3", s->ops->borrow_and_update(s->rx, &pair, &unseen) == CHAN_OK);
	expect("W-8", unseen == (pair.number != 0));
	s->before = (unsigned)pair.number;
}

/* What was marked seen is the version whose value was read: a newer one is still news. */
static void update_against_write(const struct program_env *env)
{
	struct watch_scene s = {.before = 0};
	watch_open(&s, env, false);
	program_together(&s, write_one, update);
	expect("W-3", s.ops->changed(s.rx, CHAN_NOW) == (s.before == 1 ? CHAN_EMPTY : CHAN_OK));
	watch_close_down(&s);
}

/* A sender that is alone again writes after what the other wrote: who has seen that has not seen
 * this. */
static void alone_again(const struct program_env *env)
{
	struct watch_scene s = {.before = 0};
	struct program_thread reader;
	watch_open(&s, env, false);
	expect("W-35", s.ops->sender_clone(s.tx, &s.other_tx) == CHAN_OK);
	program_start(&reader, update, &s);
	program_together(&s, write_one, write_other_and_drop);
	program_join(&reader, 1);
	bool news = watch_borrow(&s, s.rx, NULL) != s.before;
	expect("W-10", s.ops->changed(s.rx, CHAN_NOW) == (news ? CHAN_OK : CHAN_EMPTY));
	watch_close_down(&s);
}

/* ------------------------------------------------------------------------------------------
 * Hearing of changes
 */

static void wait_changed(void *arg)
{
	struct watch_scene *s = arg;
	expect("W-12", s->ops->changed(s->rx, CHAN_FOREVER) == CHAN_OK);
	expect("W-34", watch_borrow(s, s->rx, NULL) == 1);
}

static void wait_changed_other(void *arg)
{
	struct watch_scene *s = arg;
	expect("W-12", s->ops->changed(s->other_rx, CHAN_FOREVER) == CHAN_OK);
}

static void changed_wakes_all(const struct program_env *env)
{
	struct watch_scene s = {.before = 0};
	struct program_thread writer;
	watch_open(&s, env, false);
	expect("W-16", s.ops->receiver_clone(s.rx, &s.other_rx) == CHAN_OK);
	program_start(&writer, write_one, &s);
	program_together(&s, wait_changed, wait_changed_other);
	program_join(&writer, 1);
	watch_close_down(&s);
}

static void changed_until_last(void *arg)
{
	struct watch_scene *s = arg;
	do
		expect("W-10", s->ops->changed(s->rx, CHAN_FOREVER) == CHAN_OK);
	while (watch_borrow(s, s->rx, NULL) != 2);
}

/* The one between may be skipped, the last never. */
static void last_is_seen(const struct program_env *env)
{
	struct watch_scene s = {.before = 0};
	watch_open(&s, env, false);
	program_together(&s, write_two, changed_until_last);
	watch_close_down(&s);
}

static void write_and_drop(void *arg)
{
	struct watch_scene *s = arg;
	expect("W-2", watch_send(s, s->tx, 1) == CHAN_OK);
	s->ops->sender_drop(&s->tx);
}

static void changed_to_the_end(void *arg)
{
	struct watch_scene *s = arg;
	expect("W-6", s->ops->changed(s->rx, CHAN_FOREVER) == CHAN_OK);
	expect("W-6", watch_borrow(s, s->rx, NULL) == 1);
	expect("W-5", s->ops->changed(s->rx, CHAN_FOREVER) == CHAN_CLOSED);
}

static void changed_against_drop(const struct program_env *env)
{
	struct watch_scene s = {.before = 0};
	watch_open(&s, env, false);
	program_together(&s, write_and_drop, changed_to_the_end);
	expect("W-32", watch_borrow(&s, s.rx, NULL) == 1);
	watch_close_down(&s);
}

static void changed_in_time(void *arg)
{
	struct watch_scene *s = arg;
	enum chan_status status = s->ops->changed(s->rx, program_soon());
	expect("W-26", status == CHAN_OK || status == CHAN_TIMEOUT);
	if (status == CHAN_TIMEOUT)
		expect("W-26", s->ops->changed(s->rx, CHAN_FOREVER) == CHAN_OK);
}

static void timeout_against_write(const struct program_env *env)
{
	struct watch_scene s = {.before = 0};
	watch_open(&s, env, false);
	program_together(&s, write_one, changed_in_time);
	expect("W-11", s.ops->changed(s.rx, CHAN_NOW) == CHAN_EMPTY);
	watch_close_down(&s);
}

static bool is_two(const void *value, void *arg)
{
	const struct watch_pair *pair = value;
	(void)arg;
	return pair->number == 2 && pair->negated == ~pair->number;
}

static void wait_for_two(void *arg)
{
	struct watch_scene *s = arg;
	struct watch_pair pair;
	expect("W-23", s->ops->wait_for(s->rx, is_two, NULL, &pair, CHAN_FOREVER) == CHAN_OK && is_two(&pair, NULL));
}

static void wait_for_against_write(const struct program_env *env)
{
	struct watch_scene s = {.before = 0};
	watch_open(&s, env, false);
	program_together(&s, write_two, wait_for_two);
	watch_close_down(&s);
}

const struct program programs_watch[] = {
	{"write_against_borrow", ON_WATCH, NULL, "W-3 W-8 W-30 W-34",
         "what is read is whole, and never older than before", write_against_borrow},
	{"write_against_clone", ON_WATCH, NULL, "W-3 W-33 W-34 D-11", "the same, behind hooks", write_against_clone},
	{"two_writers", ON_WATCH, "sender_clone", "W-2 W-30 W-4 W-11", "one after the other, and one change is heard",
         two_writers},
	{"two_modify", ON_WATCH, "sender_clone modify", "W-20 W-30", "no change is lost", two_modify},
	{"alone_again", ON_WATCH, "sender_clone borrow_and_update", "W-10 W-11 W-35",
         "what a sender writes when the other is gone comes after what that wrote", alone_again},
	{"update_against_write", ON_WATCH, "borrow_and_update", "W-3", "value and version marked seen are one snapshot",
         update_against_write},
	{"changed_wakes_all", ON_WATCH, "receiver_clone", "W-12 W-34", "both hear of a write", changed_wakes_all},
	{"last_is_seen", ON_WATCH, NULL, "W-10 W-11", "of two writes the last is heard of", last_is_seen},
	{"changed_against_drop", ON_WATCH, NULL, "W-5 W-6 W-32", "the last write is heard of, then the end",
         changed_against_drop},
	{"timeout_against_write", ON_WATCH, NULL, "W-26 W-11", "a wait that gave up has marked nothing seen",
         timeout_against_write},
	{"wait_for_against_write", ON_WATCH, "wait_for", "W-23 W-25", "the value that was waited for",
         wait_for_against_write},
	{NULL, 0, NULL, NULL, NULL, NULL},
};
