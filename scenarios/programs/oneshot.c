/* SPDX-License-Identifier: MIT
 *
 * oneshot.c - one value, once, against everything that can end the channel.
 */
#include "scenarios/programs/programs.h"

struct scene {
	const struct chan_oneshot_ops *ops;
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct armed armed;
	unsigned before;
	enum chan_status sent, received;
};

static void open_channel(struct scene *s, const struct program_env *env)
{
	struct chan_config config = {.size = sizeof(struct message *), .destroy = message_destroy};
	s->ops = env->impl->oneshot;
	expect("O-1", s->ops->open(&config, &s->tx, &s->rx) == CHAN_OK);
}

static enum chan_status recv(struct scene *s, uint64_t deadline)
{
	struct message *message;
	enum chan_status status = s->ops->recv(s->rx, &message, deadline);
	program_saw(status);
	if (status == CHAN_OK)
		expect("O-4", message_end(message) == 1);
	return status;
}

static void close_down(struct scene *s)
{
	s->ops->receiver_drop(&s->rx);
	s->ops->sender_drop(&s->tx);
}

static void send_one(void *arg)
{
	struct scene *s = arg;
	struct message *message = message_new(1);
	s->before = 1;
	s->sent = s->ops->send(&s->tx, &message);
	program_saw(s->sent);
	expect("O-2", s->sent == CHAN_OK || s->sent == CHAN_CLOSED);
	if (s->sent != CHAN_OK)
		message_end(message);
}

static void recv_one(void *arg)
{
	struct scene *s = arg;
	expect("O-4", recv(s, CHAN_FOREVER) == CHAN_OK);
	expect("O-19", s->before == 1);
	expect("O-6", recv(s, CHAN_NOW) == CHAN_CLOSED);
}

static void send_recv(const struct program_env *env)
{
	struct scene s = {.before = 0};
	open_channel(&s, env);
	program_together(&s, send_one, recv_one);
	expect("O-1", s.sent == CHAN_OK);
	close_down(&s);
}

static void try_recv_twice(void *arg)
{
	struct scene *s = arg;
	s->received = recv(s, CHAN_NOW);
	if (s->received == CHAN_EMPTY)
		s->received = recv(s, CHAN_NOW);
	expect("O-6", s->received == CHAN_OK || s->received == CHAN_EMPTY);
}

static void try_recv_against_send(const struct program_env *env)
{
	struct scene s = {.before = 0};
	open_channel(&s, env);
	program_together(&s, send_one, try_recv_twice);
	if (s.received == CHAN_EMPTY)
		expect("O-7", recv(&s, CHAN_NOW) == CHAN_OK);
	close_down(&s);
}

/* ------------------------------------------------------------------------------------------
 * close, and the drops
 */

static void close_and_look(void *arg)
{
	struct scene *s = arg;
	s->ops->close(s->rx);
	s->received = recv(s, CHAN_NOW);
	expect("O-9", s->received == CHAN_OK || s->received == CHAN_CLOSED);
}

static void close_against_send(const struct program_env *env)
{
	struct scene s = {.before = 0};
	open_channel(&s, env);
	program_together(&s, send_one, close_and_look);
	expect("O-11", s.sent == s.received);
	close_down(&s);
}

static void drop_receiver(void *arg)
{
	struct scene *s = arg;
	s->ops->receiver_drop(&s->rx);
}

static void drop_against_send(const struct program_env *env)
{
	struct scene s = {.before = 0};
	open_channel(&s, env);
	program_together(&s, send_one, drop_receiver);
}

static void drop_sender(void *arg)
{
	struct scene *s = arg;
	s->before = 1;
	s->ops->sender_drop(&s->tx);
}

static void recv_end(void *arg)
{
	struct scene *s = arg;
	expect("O-5", recv(s, CHAN_FOREVER) == CHAN_CLOSED);
	expect("O-19", s->before == 1);
	expect("O-15", recv(s, CHAN_FOREVER) == CHAN_INVALID);
}

static void sender_drop_against_recv(const struct program_env *env)
{
	struct scene s = {.before = 0};
	open_channel(&s, env);
	program_together(&s, drop_sender, recv_end);
	close_down(&s);
}

static void both_drop(const struct program_env *env)
{
	struct scene s = {.before = 0};
	open_channel(&s, env);
	program_together(&s, drop_sender, drop_receiver);
}

/* ------------------------------------------------------------------------------------------
 * Time
 */

static void recv_in_time(void *arg)
{
	struct scene *s = arg;
	s->received = recv(s, program_soon());
	expect("O-22", s->received == CHAN_OK || s->received == CHAN_TIMEOUT);
	if (s->received == CHAN_TIMEOUT)
		expect("O-22", recv(s, CHAN_FOREVER) == CHAN_OK);
}

static void timeout_against_send(const struct program_env *env)
{
	struct scene s = {.before = 0};
	open_channel(&s, env);
	program_together(&s, send_one, recv_in_time);
	close_down(&s);
}

/* ------------------------------------------------------------------------------------------
 * closed()
 */

static void wait_closed(void *arg)
{
	struct scene *s = arg;
	struct message *message = message_new(1);
	expect("O-12", s->ops->closed(s->tx, CHAN_FOREVER) == CHAN_OK);
	expect("O-13", s->ops->send(&s->tx, &message) == CHAN_CLOSED);
	message_end(message);
}

static void only_close(void *arg)
{
	struct scene *s = arg;
	s->ops->close(s->rx);
}

static void closed_against_close(const struct program_env *env)
{
	struct scene s = {.before = 0};
	open_channel(&s, env);
	program_together(&s, wait_closed, only_close);
	close_down(&s);
}

static void closed_against_drop(const struct program_env *env)
{
	struct scene s = {.before = 0};
	open_channel(&s, env);
	program_together(&s, wait_closed, drop_receiver);
}

/* ------------------------------------------------------------------------------------------
 * Waiters
 */

static void open_armed(struct scene *s, const struct program_env *env)
{
	open_channel(s, env);
	armed_open(&s->armed);
}

static void wait_armed(void *arg)
{
	struct scene *s = arg;
	if (s->ops->arm_recv(s->rx, &s->armed.waiter) == CHAN_ARMED) {
		armed_await(&s->armed);
		expect("S-9", s->ops->disarm(&s->armed.waiter) && s->armed.woken == 1);
	}
	s->received = recv(s, CHAN_NOW);
	expect("O-7", s->received == CHAN_OK || s->received == CHAN_CLOSED);
}

static void arm_against_send(const struct program_env *env)
{
	struct scene s = {.before = 0};
	open_armed(&s, env);
	program_together(&s, send_one, wait_armed);
	expect("O-4", s.received == CHAN_OK);
	close_down(&s);
}

static void arm_against_drop(const struct program_env *env)
{
	struct scene s = {.before = 0};
	open_armed(&s, env);
	program_together(&s, drop_sender, wait_armed);
	expect("O-5", s.received == CHAN_CLOSED);
	close_down(&s);
}

/* A wait that was given up, and another after it: the second is the one that is woken. */
static void arm_disarm_recv(void *arg)
{
	struct scene *s = arg;
	if (s->ops->arm_recv(s->rx, &s->armed.waiter) == CHAN_ARMED) {
		bool fired = s->ops->disarm(&s->armed.waiter);
		/* fired, its wake may have been cancelled */
		expect("S-9", s->armed.woken <= (fired ? 1u : 0u));
		s->armed.waiter.wake = NULL; /* its memory is ours again */
	}
	expect("O-20", recv(s, CHAN_FOREVER) == CHAN_OK);
}

static void disarm_against_send(const struct program_env *env)
{
	struct scene s = {.before = 0};
	open_armed(&s, env);
	program_together(&s, send_one, arm_disarm_recv);
	close_down(&s);
}

const struct program programs_oneshot[] = {
	{"send_recv", ON_ONESHOT, NULL, "O-1 O-4 O-19", "a value, received", send_recv},
	{"try_recv_against_send", ON_ONESHOT, NULL, "O-6 O-7 O-8", "not yet, or there; never lost",
         try_recv_against_send},
	{"close_against_send", ON_ONESHOT, "close", "O-9 O-11", "received, or handed back: never both, never neither",
         close_against_send},
	{"receiver_drop_against_send", ON_ONESHOT, NULL, "O-2 O-17 O-18 D-9", "destroyed, or handed back",
         drop_against_send},
	{"sender_drop_against_recv", ON_ONESHOT, NULL, "O-5 O-15 O-19", "the drop of the sender ends the wait",
         sender_drop_against_recv},
	{"both_drop", ON_ONESHOT, NULL, "O-21 D-13", "both go at once: one of them frees", both_drop},
	{"timeout_against_send", ON_ONESHOT, NULL, "O-22 S-15", "a receive that gave up has taken nothing",
         timeout_against_send},
	{"closed_against_close", ON_ONESHOT, "close closed", "O-12 O-13", "who waits for the close hears of it",
         closed_against_close},
	{"closed_against_drop", ON_ONESHOT, "closed", "O-12 O-13", "the same for the receiver's drop",
         closed_against_drop},
	{"arm_against_send", ON_ONESHOT, "arm_recv disarm", "X-1 S-9", "an armed receiver is told of the value",
         arm_against_send},
	{"arm_against_drop", ON_ONESHOT, "arm_recv disarm", "O-5 S-9", "an armed receiver is told of the end",
         arm_against_drop},
	{"disarm_against_send", ON_ONESHOT, "arm_recv disarm", "O-20 S-9",
         "after a disarm nobody touches the waiter; the next wait is the one that counts", disarm_against_send},
	{NULL, 0, NULL, NULL, NULL, NULL},
};
