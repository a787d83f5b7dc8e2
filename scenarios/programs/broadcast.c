/* SPDX-License-Identifier: MIT
 *
 * broadcast.c - every receiver sees every message, or is told how many it lost.
 */
#include "scenarios/programs/broadcast.h"

void broadcast_open(struct broadcast_scene *s, const struct program_env *env, size_t capacity, bool hooks)
{
	struct chan_config config = {.size = sizeof(struct broadcast_pair), .capacity = capacity};
	if (hooks) {
		config.size = sizeof(struct message *);
		config.clone = message_clone;
		config.destroy = message_destroy;
	}
	s->ops = env->impl->broadcast;
	s->hooks = hooks;
	expect("B-1", s->ops->open(&config, &s->tx, &s->rx) == CHAN_OK);
}

enum chan_status broadcast_send(struct broadcast_scene *s, struct chan_sender *tx, unsigned number)
{
	struct broadcast_pair pair = {number, ~(uint64_t)number};
	if (!s->hooks)
		return s->ops->send(tx, &pair, NULL);
	struct message *message = message_new(number);
	enum chan_status status = s->ops->send(tx, &message, NULL);
	if (status != CHAN_OK)
		message_end(message);
	return status;
}

enum chan_status broadcast_recv(struct broadcast_scene *s, struct chan_receiver *rx, unsigned *number, uint64_t *missed,
                                uint64_t deadline)
{
	struct broadcast_pair pair = {0, 0};
	struct message *message = NULL;
	enum chan_status status = s->ops->recv(rx, s->hooks ? (void *)&message : (void *)&pair, missed, deadline);
	program_saw(status);
	if (status != CHAN_OK)
		return status;
	if (!s->hooks)
		expect("B-10", pair.number == ~pair.negated);
	program_saw(pair.number);
	*number = s->hooks ? message_end(message) : (unsigned)pair.number;
	return status;
}

void broadcast_close_down(struct broadcast_scene *s)
{
	s->ops->sender_drop(&s->tx);
	s->ops->sender_drop(&s->other_tx);
	s->ops->receiver_drop(&s->rx);
	s->ops->receiver_drop(&s->other_rx);
}

/* ------------------------------------------------------------------------------------------
 * Two receivers
 */

static void send_one(void *arg)
{
	struct broadcast_scene *s = arg;
	s->before = 1;
	expect("B-4", broadcast_send(s, s->tx, 1) == CHAN_OK);
}

static void recv_one(void *arg)
{
	struct broadcast_scene *s = arg;
	unsigned number;
	expect("B-23", broadcast_recv(s, s->rx, &number, NULL, CHAN_FOREVER) == CHAN_OK && number == 1);
	expect("M-67", s->before == 1);
}

static void recv_one_other(void *arg)
{
	struct broadcast_scene *s = arg;
	unsigned number;
	expect("B-23", broadcast_recv(s, s->other_rx, &number, NULL, CHAN_FOREVER) == CHAN_OK && number == 1);
}

static void run_two_receivers(const struct program_env *env, bool hooks)
{
	struct broadcast_scene s = {.before = 0};
	struct program_thread sender;
	broadcast_open(&s, env, 2, hooks);
	expect("B-7", s.ops->subscribe(s.tx, &s.other_rx) == CHAN_OK);
	program_start(&sender, send_one, &s);
	program_together(&s, recv_one, recv_one_other);
	program_join(&sender, 1);
	broadcast_close_down(&s);
}

static void two_receivers(const struct program_env *env)
{
	run_two_receivers(env, false);
}

static void two_receivers_cloned(const struct program_env *env)
{
	run_two_receivers(env, true);
}

/* ------------------------------------------------------------------------------------------
 * Overwriting against reading
 */

static void send_three(void *arg)
{
	struct broadcast_scene *s = arg;
	for (unsigned i = 1; i <= 3; i++)
		expect("B-3", broadcast_send(s, s->tx, i) == CHAN_OK);
	s->ops->sender_drop(&s->tx);
}

/* To the end: received and missed, in order, add up (B-17). */
static void recv_all(void *arg)
{
	struct broadcast_scene *s = arg;
	unsigned next = 1, number;
	for (;;) {
		uint64_t missed = 0;
		enum chan_status status = broadcast_recv(s, s->rx, &number, &missed, CHAN_FOREVER);
		if (status == CHAN_CLOSED)
			break;
		expect("B-12", status == CHAN_OK || (status == CHAN_LAGGED && missed > 0));
		if (status == CHAN_OK)
			expect("B-13", number == next);
		next += status == CHAN_OK ? 1 : (unsigned)missed;
	}
	expect("B-17", next == 4);
	expect("B-20", broadcast_recv(s, s->rx, &number, NULL, CHAN_FOREVER) == CHAN_CLOSED);
}

static void run_overwrite(const struct program_env *env, size_t capacity, bool hooks)
{
	struct broadcast_scene s = {.before = 0};
	broadcast_open(&s, env, capacity, hooks);
	program_together(&s, send_three, recv_all);
	broadcast_close_down(&s);
}

static void overwrite_against_read(const struct program_env *env)
{
	run_overwrite(env, 2, false);
}

static void overwrite_single_slot(const struct program_env *env)
{
	run_overwrite(env, 1, false);
}

static void overwrite_cloned(const struct program_env *env)
{
	run_overwrite(env, 1, true);
}

/* After a lag there is something: the oldest message, or another lag. */
static void try_recv_lagged(void *arg)
{
	struct broadcast_scene *s = arg;
	unsigned number;
	if (broadcast_recv(s, s->rx, &number, NULL, CHAN_NOW) == CHAN_LAGGED)
		expect("B-12", broadcast_recv(s, s->rx, &number, NULL, CHAN_NOW) != CHAN_EMPTY);
}

static void send_four(void *arg)
{
	struct broadcast_scene *s = arg;
	for (unsigned i = 1; i <= 4; i++)
		expect("B-3", broadcast_send(s, s->tx, i) == CHAN_OK);
}

static void lag_then_try(const struct program_env *env)
{
	struct broadcast_scene s = {.before = 0};
	broadcast_open(&s, env, 1, false);
	program_together(&s, send_four, try_recv_lagged);
	broadcast_close_down(&s);
}

/* ------------------------------------------------------------------------------------------
 * Nobody waits
 */

static void send_two(void *arg)
{
	struct broadcast_scene *s = arg;
	for (unsigned i = 1; i <= 2; i++)
		expect("B-3", broadcast_send(s, s->tx, i) == CHAN_OK);
}

static void try_recv_two(void *arg)
{
	struct broadcast_scene *s = arg;
	for (int i = 0; i < 2; i++) {
		unsigned number = 0;
		enum chan_status status = broadcast_recv(s, s->rx, &number, NULL, CHAN_NOW);
		expect("B-24", status == CHAN_OK || status == CHAN_EMPTY);
		expect("B-13", status == CHAN_EMPTY || number == s->received + 1);
		s->received += status == CHAN_OK;
	}
}

static void send_against_try_recv(const struct program_env *env)
{
	struct broadcast_scene s = {.before = 0};
	unsigned number;
	broadcast_open(&s, env, 2, false);
	program_together(&s, send_two, try_recv_two);
	while (broadcast_recv(&s, s.rx, &number, NULL, CHAN_NOW) == CHAN_OK)
		expect("B-13", number == ++s.received);
	expect("B-17", s.received == 2);
	broadcast_close_down(&s);
}

/* ------------------------------------------------------------------------------------------
 * Two senders: one order for all
 */

static void send_two_apart(void *arg)
{
	struct broadcast_scene *s = arg;
	expect("B-4", broadcast_send(s, s->other_tx, 2) == CHAN_OK);
}

static void one_order(const struct program_env *env)
{
	struct broadcast_scene s = {.before = 0};
	broadcast_open(&s, env, 2, false);
	expect("B-7", s.ops->subscribe(s.tx, &s.other_rx) == CHAN_OK);
	expect("B-44", s.ops->sender_clone(s.tx, &s.other_tx) == CHAN_OK);
	program_together(&s, send_one, send_two_apart);
	for (int i = 0; i < 2; i++) {
		expect("B-10", broadcast_recv(&s, s.rx, &s.order[0][i], NULL, CHAN_NOW) == CHAN_OK);
		expect("B-10", broadcast_recv(&s, s.other_rx, &s.order[1][i], NULL, CHAN_NOW) == CHAN_OK);
		expect("B-6", s.order[0][i] == s.order[1][i]);
	}
	expect("B-10", s.order[0][0] + s.order[0][1] == 3);
	broadcast_close_down(&s);
}

/* ------------------------------------------------------------------------------------------
 * The end
 */

static void drop_sender(void *arg)
{
	struct broadcast_scene *s = arg;
	s->ops->sender_drop(&s->tx);
}

/* Three were sent into a ring of two: lagged by one, two messages, the end, whenever the sender
 * goes. */
static void recv_lagged(void *arg)
{
	struct broadcast_scene *s = arg;
	unsigned number;
	expect("B-18", broadcast_recv(s, s->rx, &number, &s->missed, CHAN_FOREVER) == CHAN_LAGGED && s->missed == 1);
	expect("B-21", broadcast_recv(s, s->rx, &number, NULL, CHAN_FOREVER) == CHAN_OK && number == 2);
	expect("B-21", broadcast_recv(s, s->rx, &number, NULL, CHAN_FOREVER) == CHAN_OK && number == 3);
	expect("B-20", broadcast_recv(s, s->rx, &number, NULL, CHAN_FOREVER) == CHAN_CLOSED);
}

static void lag_against_close(const struct program_env *env)
{
	struct broadcast_scene s = {.before = 0};
	broadcast_open(&s, env, 2, false);
	for (unsigned i = 1; i <= 3; i++)
		expect("B-3", broadcast_send(&s, s.tx, i) == CHAN_OK);
	program_together(&s, drop_sender, recv_lagged);
	broadcast_close_down(&s);
}

static void recv_end(void *arg)
{
	struct broadcast_scene *s = arg;
	unsigned number;
	expect("B-22", broadcast_recv(s, s->rx, &number, NULL, CHAN_FOREVER) == CHAN_CLOSED);
}

static void recv_end_other(void *arg)
{
	struct broadcast_scene *s = arg;
	unsigned number;
	expect("B-22", broadcast_recv(s, s->other_rx, &number, NULL, CHAN_FOREVER) == CHAN_CLOSED);
}

static void last_drop_wakes_all(const struct program_env *env)
{
	struct broadcast_scene s = {.before = 0};
	struct program_thread sender;
	broadcast_open(&s, env, 1, false);
	expect("B-7", s.ops->subscribe(s.tx, &s.other_rx) == CHAN_OK);
	program_start(&sender, drop_sender, &s);
	program_together(&s, recv_end, recv_end_other);
	program_join(&sender, 1);
	broadcast_close_down(&s);
}

static void recv_in_time(void *arg)
{
	struct broadcast_scene *s = arg;
	unsigned number;
	enum chan_status status = broadcast_recv(s, s->rx, &number, NULL, program_soon());
	expect("S-15", status == CHAN_OK || status == CHAN_TIMEOUT);
	if (status == CHAN_TIMEOUT)
		expect("S-11", broadcast_recv(s, s->rx, &number, NULL, CHAN_FOREVER) == CHAN_OK);
	expect("B-10", number == 1);
}

static void timeout_against_send(const struct program_env *env)
{
	struct broadcast_scene s = {.before = 0};
	broadcast_open(&s, env, 1, false);
	program_together(&s, send_one, recv_in_time);
	broadcast_close_down(&s);
}

/* ------------------------------------------------------------------------------------------
 * The length says that a message was sent
 */

static void send_after_before(void *arg)
{
	struct broadcast_scene *s = arg;
	s->before = 1;
	expect("B-5", broadcast_send(s, s->tx, 1) == CHAN_OK);
}

/* Properties are acquires: it need not receive to have seen what was done before. */
static void ask_length(void *arg)
{
	struct broadcast_scene *s = arg;
	uint64_t length = s->ops->receiver_get(s->rx, CHAN_LEN);
	program_saw(length);
	expect("B-26", length == CHAN_UNKNOWN || length <= 1);
	if (length == 1)
		expect("M-67", s->before == 1);
}

static void length_is_seen(const struct program_env *env)
{
	struct broadcast_scene s = {.before = 0};
	broadcast_open(&s, env, 2, false);
	program_together(&s, send_after_before, ask_length);
	broadcast_close_down(&s);
}

const struct program programs_broadcast[] = {
	{"two_receivers", ON_BROADCAST, NULL, "B-6 B-10 B-23 M-67", "both receive the message", two_receivers},
	{"two_receivers_cloned", ON_BROADCAST, NULL, "B-31 B-33 B-35",
         "each gets a clone; clones of one value one at a time", two_receivers_cloned},
	{"send_against_try_recv", ON_BROADCAST, NULL, "B-13 B-17 B-24",
         "nobody waits: each message is received once, in order", send_against_try_recv},
	{"overwrite_against_read", ON_BROADCAST, NULL, "B-3 B-12 B-13 B-17",
         "received and lost add up, in order, untorn", overwrite_against_read},
	{"overwrite_single_slot", ON_BROADCAST, NULL, "B-3 B-12 B-17 B-21", "the same in a ring of one",
         overwrite_single_slot},
	{"overwrite_cloned", ON_BROADCAST, NULL, "B-17 B-33 B-35", "a value is not destroyed while it is being cloned",
         overwrite_cloned},
	{"lag_then_try", ON_BROADCAST, NULL, "B-12 B-24", "after a lag there is a message, or another lag",
         lag_then_try},
	{"one_order", ON_BROADCAST, "sender_clone", "B-6", "two senders: both receivers see one order", one_order},
	{"lag_against_close", ON_BROADCAST, NULL, "B-18 B-20 B-21", "lag, then what is retained, then the end",
         lag_against_close},
	{"last_drop_wakes_all", ON_BROADCAST, NULL, "B-22", "the end wakes both receivers", last_drop_wakes_all},
	{"timeout_against_send", ON_BROADCAST, NULL, "S-11 S-15", "a receive that gave up has not moved",
         timeout_against_send},
	{"length_is_seen", ON_BROADCAST, "receiver_get", "B-26 M-67",
         "who is told of a message has seen what was done before it was sent", length_is_seen},
	{NULL, 0, NULL, NULL, NULL, NULL},
};
