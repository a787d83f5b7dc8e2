/* SPDX-License-Identifier: MIT
 *
 * destroy.c - rules D for mpsc, unbounded and oneshot: each value ends exactly once.
 */
#include "scenarios/rules/tally.h"
#include "scenarios/rules/rules.h"
#include "scenarios/rules/steps.h"

#include <stdlib.h>
#include <string.h>

static struct tally tally;

static void open_tally(struct test *t, size_t capacity, struct chan_sender **tx, struct chan_receiver **rx)
{
	struct chan_config config = tally_config(t, &tally, capacity);
	open_config(t, &config, tx, rx);
}

static enum chan_status send_once(struct test *t, struct chan_sender **tx, uint64_t value)
{
	forget(*tx);
	return t->oneshot->send(tx, &value);
}

static void returned_is_not_destroyed(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_tally(t, 1, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 0));
	if (t->kind == KIND_MPSC) {
		want(CHAN_FULL, try_send(t, tx, 1));
		want(CHAN_TIMEOUT, send_until(t, tx, 1, in_ms(2)));
	}
	want_recv(t, rx, 0);
	want(CHAN_OK, try_send(t, tx, 3));
	rx_drop(t, &rx);
	want(CHAN_CLOSED, try_send(t, tx, 2));
	tx_drop(t, &tx);
	want_destroyed(&tally, 1);
	want_u64(1, tally.of[3]);
}

static void receiver_drop_drains(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_tally(t, 100, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 500));
	for (uint64_t i = 0; i < 99; i++)
		want(CHAN_OK, try_send(t, tx, i));
	want_recv(t, rx, 500);
	rx_drop(t, &rx);
	want_destroyed_in_order(&tally, 99);
	want_u64(0, tally.elsewhere);
	tx_drop(t, &tx);
	want_destroyed(&tally, 99);
}

static void slots_of_drained_return(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct chan_permit permit;
	open_tally(t, 3, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 0));
	want(CHAN_OK, try_reserve(t, tx, 1, &permit));
	rx_drop(t, &rx);
	want_destroyed(&tally, 1);
	want_u64(2, tx_get(t, tx, CHAN_CAPACITY));
	permit_release(t, &permit);
	want_u64(3, tx_get(t, tx, CHAN_CAPACITY));
}

static void late_is_destroyed(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct chan_permit permit;
	open_tally(t, 3, &tx, &rx);
	want(CHAN_OK, try_reserve(t, tx, 2, &permit));
	rx_drop(t, &rx);
	permit_send(t, &permit, 0);
	permit_send(t, &permit, 1);
	tx_drop(t, &tx);
	want_destroyed(&tally, 2);
	want_true(tally.of[0] == 1 && tally.of[1] == 1);
}

static void senders_destroy_nothing(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_tally(t, 3, &tx, &rx);
	for (uint64_t i = 0; i < 3; i++)
		want(CHAN_OK, try_send(t, tx, i));
	tx_drop(t, &tx);
	want_destroyed(&tally, 0);
	for (uint64_t i = 0; i < 2; i++)
		want_recv(t, rx, i);
	rx_drop(t, &rx);
	want_destroyed(&tally, 1);
	want_u64(1, tally.of[2]);
}

/* Four handles in each of the 24 orders; the test ends with a leak check where the build has
 * one. */
static void any_order(struct test *t)
{
	for (unsigned order = 0; order < 24; order++) {
		struct chan_sender *tx, *tx2;
		struct chan_receiver *rx;
		struct chan_weak *weak;
		unsigned left[4] = {0, 1, 2, 3}, rest = order;
		open_tally(t, 4, &tx, &rx);
		tx2 = tx_clone(t, tx);
		weak = downgrade(t, tx);
		for (uint64_t i = 0; i < 4; i++)
			want(CHAN_OK, try_send(t, i % 2 ? tx : tx2, i));
		want_recv(t, rx, 0);
		for (unsigned n = 4; n > 0; n--) {
			unsigned pick = rest % n;
			rest /= n;
			if (left[pick] == 0)
				tx_drop(t, &tx);
			else if (left[pick] == 1)
				tx_drop(t, &tx2);
			else if (left[pick] == 2)
				rx_drop(t, &rx);
			else
				weak_drop(t, &weak);
			left[pick] = left[n - 1];
		}
		want_u64(3, tally.count);
		want_true(tally.of[0] == 0 && tally.of[1] == 1 && tally.of[2] == 1 && tally.of[3] == 1);
	}
}

static void call_channel(struct tally *l, uint64_t value)
{
	struct test *t = l->test;
	uint64_t other = 99;
	(void)value;
	if (t->mpsc->sender_clone != NULL) {
		struct chan_sender *clone = NULL;
		l->status = t->mpsc->sender_clone(l->tx, &clone);
		if (l->status == CHAN_OK)
			t->mpsc->sender_drop(&clone);
	}
	enum chan_status status = t->mpsc->send(l->tx, &other, CHAN_NOW);
	if (status != CHAN_CLOSED)
		l->status = status;
}

static void reentrant(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_tally(t, 5, &tx, &rx);
	for (uint64_t i = 0; i < 5; i++)
		want(CHAN_OK, try_send(t, tx, i));
	tally.also = call_channel;
	tally.tx = tx;
	rx_drop(t, &rx);
	want_destroyed_in_order(&tally, 5);
	want(CHAN_OK, tally.status);
	tally.also = NULL;
}

static void sizes(struct test *t)
{
	static const size_t all[] = {0, 1, 3, 12, 64, 100, 4096, 100000};
	static unsigned char out[100000], in[100000];
	for (size_t s = 0; s < sizeof(all) / sizeof(all[0]); s++) {
		struct chan_config config = {.size = all[s], .capacity = 3, .start = t->start};
		struct chan_sender *tx;
		struct chan_receiver *rx;
		open_config(t, &config, &tx, &rx);
		for (int i = 0; i < 7; i++) {
			memset(out, 'a' + i, all[s]);
			memset(in, 0, sizeof(in));
			want(CHAN_OK, t->mpsc->send(tx, all[s] > 0 ? out : NULL, CHAN_NOW));
			want(CHAN_OK, t->mpsc->recv(rx, all[s] > 0 ? in : NULL, CHAN_NOW));
			want_true(memcmp(in, out, all[s]) == 0);
		}
		want(CHAN_OK, t->mpsc->send(tx, all[s] > 0 ? out : NULL, CHAN_NOW));
		rx_drop(t, &rx);
		tx_drop(t, &tx);
	}
}

static unsigned misaligned;

static void look_at_address(void *msg, void *context)
{
	misaligned += ((uintptr_t)msg & (*(size_t *)context - 1)) != 0;
}

static void alignments(struct test *t)
{
	static _Alignas(4096) unsigned char value[8192];
	for (size_t align = 1; align <= CHAN_ALIGN_MAX; align *= 4) {
		struct chan_config config = {.size = 2 * align, .align = align, .capacity = 4, .start = t->start};
		struct chan_sender *tx;
		struct chan_receiver *rx;
		config.destroy = look_at_address;
		config.context = &align;
		open_config(t, &config, &tx, &rx);
		if (t->kind == KIND_ONESHOT) {
			forget(tx);
			want(CHAN_OK, t->oneshot->send(&tx, value));
		} else {
			for (int i = 0; i < 3; i++)
				want(CHAN_OK, t->mpsc->send(tx, value, CHAN_NOW));
		}
		rx_drop(t, &rx);
		if (tx != NULL)
			tx_drop(t, &tx);
		want_u64(0, misaligned);
	}
}

static void drop_disarms(struct test *t)
{
	struct chan_sender *tx, *tx2;
	struct chan_receiver *rx;
	struct counter *one = malloc(sizeof(*one)), *two = malloc(sizeof(*two));
	want_true(one != NULL && two != NULL);
	open_tally(t, 1, &tx, &rx);
	tx2 = tx_clone(t, tx);
	want_u64(CHAN_ARMED, arm_closed(t, tx2, one));
	want_u64(CHAN_ARMED, arm_recv(t, rx, two));
	tx_drop(t, &tx2);
	free(one); /* nobody may touch it any more */
	want(CHAN_OK, try_send(t, tx, 0));
	want_u64(1, fired(two));
	rx_drop(t, &rx);
	free(two);
	want(CHAN_CLOSED, try_send(t, tx, 1));
	tx_drop(t, &tx);
}

static void dropped_null(struct test *t)
{
	struct chan_sender *tx = NULL;
	struct chan_receiver *rx = NULL;
	tx_drop(t, &tx);
	rx_drop(t, &rx);
}

static void oneshot_unread(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_tally(t, 0, &tx, &rx);
	want(CHAN_OK, send_once(t, &tx, 3));
	want_destroyed(&tally, 0);
	rx_drop(t, &rx);
	want_destroyed(&tally, 1);
	want_u64(1, tally.of[3]);
	want_u64(0, tally.elsewhere);
}

static void oneshot_returned(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	uint64_t value = 3;
	open_tally(t, 0, &tx, &rx);
	rx_drop(t, &rx);
	forget(tx);
	want(CHAN_CLOSED, t->oneshot->send(&tx, &value));
	want_u64(3, value);
	want_destroyed(&tally, 0);
	open_tally(t, 0, &tx, &rx);
	want(CHAN_OK, send_once(t, &tx, 4));
	want_recv(t, rx, 4);
	rx_drop(t, &rx);
	want_destroyed(&tally, 0);
}

/* destroy of the third of five drops another handle of the channel. */
static void drop_another(struct tally *l, uint64_t value)
{
	if (value == 2) {
		forget(l->tx);
		l->test->mpsc->sender_drop(&l->tx);
	}
}

static void drain_goes_on(struct test *t)
{
	struct chan_sender *tx, *other;
	struct chan_receiver *rx;
	for (int last = 0; last < 2; last++) {
		open_tally(t, 5, &tx, &rx);
		other = tx_clone(t, tx);
		for (uint64_t i = 0; i < 5; i++)
			want(CHAN_OK, try_send(t, tx, i));
		tally.also = drop_another;
		tally.tx = other;
		/* then the handle that destroy drops is the last but the receiver's */
		if (last != 0)
			tx_drop(t, &tx);
		rx_drop(t, &rx);
		want_destroyed_in_order(&tally, 5);
		want_true(tally.tx == NULL);
		if (last == 0)
			tx_drop(t, &tx);
		want_destroyed(&tally, 5);
	}
}

static void weak_keeps_no_message(struct test *t)
{
	for (int first = 0; first < 2; first++) {
		struct chan_sender *tx, *strong = NULL;
		struct chan_receiver *rx;
		struct chan_weak *weak;
		open_tally(t, 4, &tx, &rx);
		weak = downgrade(t, tx);
		for (uint64_t i = 0; i < 3; i++)
			want(CHAN_OK, try_send(t, tx, i));
		if (first == 0)
			tx_drop(t, &tx);
		rx_drop(t, &rx);
		want_destroyed_in_order(&tally, 3);
		if (first != 0)
			tx_drop(t, &tx);
		want(CHAN_CLOSED, upgrade(t, weak, &strong)); /* its memory is still there */
		weak_drop(t, &weak);
		want_destroyed(&tally, 3);
	}
}

static void oneshot_every_end(struct test *t)
{
	/* never sent; sent and taken; sent and not; sent too late */
	static const struct {
		bool sent, taken, late;
		uint64_t destroyed;
	} ends[] = {{false, false, false, 0}, {true, true, false, 0}, {true, false, false, 1}, {false, false, true, 0}};
	for (size_t i = 0; i < 4; i++) {
		struct chan_sender *tx;
		struct chan_receiver *rx;
		open_tally(t, 0, &tx, &rx);
		if (ends[i].sent)
			want(CHAN_OK, send_once(t, &tx, 7));
		if (ends[i].taken)
			want_recv(t, rx, 7);
		rx_drop(t, &rx);
		if (ends[i].late)
			want(CHAN_CLOSED, send_once(t, &tx, 7));
		tx_drop(t, &tx);
		want_destroyed(&tally, ends[i].destroyed);
	}
}

static void oneshot_promise(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_tally(t, 0, &tx, &rx);
	want(CHAN_OK, send_once(t, &tx, 3)); /* and yet nobody receives it */
	rx_drop(t, &rx);
	want_destroyed(&tally, 1);
	open_tally(t, 0, &tx, &rx);
	close_rx(t, rx);
	want(CHAN_CLOSED, send_once(t, &tx, 4)); /* nobody will */
	want_none(t, rx, CHAN_CLOSED);
	rx_drop(t, &rx);
	want_destroyed(&tally, 0);
}

static enum chan_status do_oneshot_send(struct job *job)
{
	return job->test->oneshot->send(&job->tx, &job->value);
}

/* A send that races with the receiver's drop: it was handed back, or the channel has destroyed
 * it. */
static void oneshot_race(struct test *t)
{
	struct actor *a = actor_start();
	for (uint64_t i = 0; i < rounds(100); i++) {
		struct chan_sender *tx;
		struct chan_receiver *rx;
		enum chan_status status;
		open_tally(t, 0, &tx, &rx);
		forget(tx);
		actor_run(a,
		          &(struct job){
				  .run = do_oneshot_send, .test = t, .tx = tx, .value = i, .deadline = CHAN_FOREVER},
		          "send");
		rx_drop(t, &rx);
		actor_join(a, &status, __FILE__, __LINE__);
		want_true(status == CHAN_OK || status == CHAN_CLOSED);
		want_destroyed(&tally, status == CHAN_OK ? 1 : 0);
	}
}

#define PERMIT "reserve permit_send permit_release"

const struct rule destroy_rules[] = {
	{"D-1",
         RULE_QUEUES,
         "A value is received, handed back or destroyed: exactly one of them, once.",
         {{"every way back", returned_is_not_destroyed, "", 0}}},
	{"D-2",
         RULE_QUEUES,
         "The receiver's drop destroys what is buffered, in order, at once, in its thread.",
         {{"99 messages", receiver_drop_drains, "", 0}}},
	{"D-3",
         RULE_MPSC,
         "The slots of what was destroyed are free again.",
         {{"a permit out", slots_of_drained_return, PERMIT " sender_get", 0}}},
	{"D-4",
         RULE_MPSC,
         "What is sent after that is destroyed with the last handle at the latest.",
         {{"two by permit", late_is_destroyed, PERMIT, 0}}},
	{"D-5",
         RULE_QUEUES,
         "The senders' drop destroys nothing while there is a receiver.",
         {{"three messages", senders_destroy_nothing, "", 0}}},
	{"D-7",
         RULE_QUEUES,
         "Whatever destroy does to the channel, all that is left is destroyed, in order.",
         {{"destroy drops a sender", drain_goes_on, "sender_clone", 0}}},
	{"D-8",
         RULE_QUEUES,
         "destroy may call the channel: no lock is held.",
         {{"send, clone, drop", reentrant, "sender_clone", 0}}},
	{"M-78",
         RULE_QUEUES,
         "A weak sender keeps the channel's memory, but no message.",
         {{"both orders", weak_keeps_no_message, "downgrade upgrade weak_drop", 0}}},
	{"D-9",
         RULE_ONESHOT,
         "Its value is received, handed back or destroyed by the receiver's side, exactly one of them.",
         {{"every end", oneshot_every_end, "", 0}, {"send against drop", oneshot_race, "", 0}}},
	{"D-12", RULE_QUEUES, "Elements of any size, 0 too, are moved whole.", {{"0 to 100000 bytes", sizes, "", 0}}},
	{"D-12",
         RULE_QUEUES | RULE_ONESHOT,
         "Elements are aligned as asked for where destroy sees them.",
         {{"1 to 4096", alignments, "", 0}}},
	{"D-13",
         RULE_QUEUES,
         "Handles can be dropped in any order, and each value is destroyed once.",
         {{"24 orders", any_order, "sender_clone downgrade weak_drop", 0}}},
	{"D-13",
         RULE_QUEUES | RULE_ONESHOT | RULE_BROADCAST | RULE_WATCH,
         "The drop of a handle that is NULL does nothing.",
         {{"NULL", dropped_null, "", TEST_PLAIN}}},
	{"D-14",
         RULE_QUEUES,
         "The drop of a handle disarms its waiters.",
         {{"closed and receive", drop_disarms, "sender_clone arm_closed arm_recv disarm", 0}}},
	{"O-3",
         RULE_ONESHOT,
         "A send that succeeded promises no receipt; one that failed promises that there is none.",
         {{"dropped, closed", oneshot_promise, "close", 0}}},
	{"O-17",
         RULE_ONESHOT,
         "A value that nobody took is destroyed by the receiver's drop.",
         {{"unread", oneshot_unread, "", 0}}},
	{"O-18",
         RULE_ONESHOT,
         "A value handed back, or received, is not destroyed.",
         {{"both", oneshot_returned, "", 0}}},
	{0},
};
