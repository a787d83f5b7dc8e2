/* SPDX-License-Identifier: MIT
 *
 * mpsc_capacity.c - rules M-1 to M-16: construction, capacity, and what can be asked.
 */
#include "scenarios/rules/rules.h"
#include "scenarios/rules/steps.h"

/* Opening with this capacity is refused, and no handle is written. */
static void refuse_capacity(struct test *t, size_t capacity)
{
	struct chan_config config = plain_config(t, capacity);
	struct chan_sender *tx = NULL;
	struct chan_receiver *rx = NULL;
	want(CHAN_INVALID, try_open(t, &config, &tx, &rx));
	want_true(tx == NULL && rx == NULL);
}

static void zero_capacity(struct test *t)
{
	refuse_capacity(t, 0);
}

static void capacity_one(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 1, &tx, &rx);
	for (uint64_t i = 1; i <= 5; i++) {
		want(CHAN_OK, try_send(t, tx, i));
		want(CHAN_FULL, try_send(t, tx, 100 + i));
		want_recv(t, rx, i);
		want_none(t, rx, CHAN_EMPTY);
	}
}

static void too_large(struct test *t)
{
	refuse_capacity(t, CHAN_CAPACITY_MAX + 1);
	refuse_capacity(t, SIZE_MAX);
}

/* The largest that is allowed: taken whole, or not at all. */
static void largest(struct test *t)
{
	struct chan_config config = plain_config(t, CHAN_CAPACITY_MAX);
	struct chan_sender *tx = NULL;
	struct chan_receiver *rx = NULL;
	config.size = 4096;
	step("open with %zu elements of 4096 bytes", config.capacity);
	enum chan_status status = try_open(t, &config, &tx, &rx);
	if (status == CHAN_OK) {
		keep_sender(tx);
		keep_receiver(rx);
		want_u64(CHAN_CAPACITY_MAX, rx_get(t, rx, CHAN_MAX_CAPACITY));
	} else if (status != CHAN_INVALID && status != CHAN_NOMEM) {
		broken_because("CHAN_OK, CHAN_INVALID or CHAN_NOMEM", status_name(status));
	}
}

/* More than 16 bits can count. */
static void not_truncated(struct test *t)
{
	struct chan_config config = {.size = 0, .capacity = (1 << 16) + 5, .start = t->start};
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_config(t, &config, &tx, &rx);
	step("send 2^16 + 5 messages");
	for (size_t i = 0; i < config.capacity; i++)
		if (t->mpsc->send(tx, NULL, CHAN_NOW) != CHAN_OK)
			broken_because("CHAN_OK", "a send failed");
	want(CHAN_FULL, t->mpsc->send(tx, NULL, CHAN_NOW));
}

static void exact(struct test *t)
{
	static const size_t capacities[] = {1, 2, 3, 5, 7, 10, 33, 100};
	for (size_t c = 0; c < sizeof(capacities) / sizeof(capacities[0]); c++) {
		struct chan_sender *tx;
		struct chan_receiver *rx;
		open_channel(t, capacities[c], &tx, &rx);
		/* more than once round, so that each slot is the last one once */
		for (uint64_t round = 0, n = 0; round < capacities[c] + 2; round++) {
			for (size_t i = 0; i < capacities[c]; i++)
				want(CHAN_OK, try_send(t, tx, n + i));
			want(CHAN_FULL, try_send(t, tx, 999));
			for (size_t i = 0; i < capacities[c]; i++)
				want_recv(t, rx, n + i);
			want_none(t, rx, CHAN_EMPTY);
			n += capacities[c];
			if (round > 4 && capacities[c] > 10)
				break;
		}
		tx_drop(t, &tx);
		rx_drop(t, &rx);
	}
}

static void max_capacity(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 5, &tx, &rx);
	want_u64(5, tx_get(t, tx, CHAN_MAX_CAPACITY));
	want_u64(5, rx_get(t, rx, CHAN_MAX_CAPACITY));
	want(CHAN_OK, try_send(t, tx, 1));
	want_u64(5, tx_get(t, tx, CHAN_MAX_CAPACITY));
	want_u64(5, rx_get(t, rx, CHAN_MAX_CAPACITY));
	close_rx(t, rx);
	want_u64(5, tx_get(t, tx, CHAN_MAX_CAPACITY));
	want_u64(5, rx_get(t, rx, CHAN_MAX_CAPACITY));
}

static void capacity_falls_and_rises(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct chan_permit permit;
	open_channel(t, 3, &tx, &rx);
	want_u64(3, tx_get(t, tx, CHAN_CAPACITY));
	want(CHAN_OK, try_send(t, tx, 1));
	want_u64(2, tx_get(t, tx, CHAN_CAPACITY));
	want(CHAN_OK, try_reserve(t, tx, 2, &permit));
	want_u64(0, tx_get(t, tx, CHAN_CAPACITY));
	permit_send(t, &permit, 2);
	want_u64(0, tx_get(t, tx, CHAN_CAPACITY));
	want_recv(t, rx, 1);
	want_u64(1, tx_get(t, tx, CHAN_CAPACITY));
	permit_release(t, &permit);
	want_u64(2, tx_get(t, tx, CHAN_CAPACITY));
	want_recv(t, rx, 2);
	want_u64(3, tx_get(t, tx, CHAN_CAPACITY));
}

static void capacity_of_waiter(struct test *t)
{
	struct chan_sender *tx, *other;
	struct chan_receiver *rx;
	struct chan_permit permit;
	struct actor *a = actor_start();
	open_channel(t, 2, &tx, &rx);
	other = tx_clone(t, tx);
	want(CHAN_OK, try_send(t, tx, 1));
	want(CHAN_OK, try_send(t, tx, 2));
	actor_reserve(a, t, other, 2, &permit, CHAN_FOREVER);
	want_blocked(a);
	want_recv(t, rx, 1);
	want_blocked(a);
	want_u64(0, rx_get(t, rx, CHAN_CAPACITY));
	want_u64(1, rx_get(t, rx, CHAN_LEN));
	want_recv(t, rx, 2);
	want_returns(a, CHAN_OK);
	want_u64(0, rx_get(t, rx, CHAN_CAPACITY));
	permit_release(t, &permit);
	want_u64(2, rx_get(t, rx, CHAN_CAPACITY));
}

static void conservation(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct chan_permit permits[4];
	uint64_t out = 0, len = 0, next = 0, first = 0;
	uint64_t seed = 12345;
	open_channel(t, 7, &tx, &rx);
	for (size_t i = 0; i < 4; i++)
		permits[i].count = 0;
	for (int i = 0; i < 400; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		struct chan_permit *permit = &permits[seed >> 40 & 3];
		size_t n = 1 + (seed >> 50 & 1);
		switch (seed >> 60) {
		case 0:
		case 1:
		case 2:
		case 3:
			if (try_send(t, tx, next) == CHAN_OK) {
				next++;
				len++;
			}
			break;
		case 4:
		case 5:
		case 6:
			if (permit->count == 0 && try_reserve(t, tx, n, permit) == CHAN_OK)
				out += n;
			break;
		case 7:
		case 8:
			if (permit->count > 0) {
				permit_send(t, permit, next++);
				out--;
				len++;
			}
			break;
		case 9:
			out -= permit->count;
			if (permit->count > 0)
				permit_release(t, permit);
			break;
		default:
			if (len > 0) {
				want_recv(t, rx, first);
				first++;
				len--;
			} else {
				want_none(t, rx, CHAN_EMPTY);
			}
		}
		want_u64(len, rx_get(t, rx, CHAN_LEN));
		want_u64(7 - len - out, tx_get(t, tx, CHAN_CAPACITY));
	}
	for (size_t i = 0; i < 4; i++)
		if (permits[i].count > 0)
			permit_release(t, &permits[i]);
}

static void capacity_after_close(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct chan_permit permit;
	open_channel(t, 4, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 1));
	want(CHAN_OK, try_reserve(t, tx, 1, &permit));
	close_rx(t, rx);
	want_u64(2, tx_get(t, tx, CHAN_CAPACITY));
	want_recv(t, rx, 1);
	want_u64(3, tx_get(t, tx, CHAN_CAPACITY));
	permit_release(t, &permit);
	want_u64(4, tx_get(t, tx, CHAN_CAPACITY));
}

static void len_counts(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 70, &tx, &rx);
	want_u64(0, rx_get(t, rx, CHAN_LEN));
	for (uint64_t i = 0; i < 70; i++) {
		want(CHAN_OK, try_send(t, tx, i));
		want_u64(i + 1, rx_get(t, rx, CHAN_LEN));
	}
	tx_drop(t, &tx);
	for (uint64_t i = 0; i < 70; i++) {
		want_u64(70 - i, rx_get(t, rx, CHAN_LEN));
		want_recv(t, rx, i);
	}
	want_u64(0, rx_get(t, rx, CHAN_LEN));
	want_none(t, rx, CHAN_CLOSED);
	want_u64(0, rx_get(t, rx, CHAN_LEN));
}

static void len_after_close(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 4, &tx, &rx);
	for (uint64_t i = 0; i < 3; i++)
		want(CHAN_OK, try_send(t, tx, i));
	close_rx(t, rx);
	want(CHAN_CLOSED, try_send(t, tx, 9));
	for (uint64_t i = 0; i < 3; i++) {
		want_u64(3 - i, rx_get(t, rx, CHAN_LEN));
		want_recv(t, rx, i);
	}
	want_u64(0, rx_get(t, rx, CHAN_LEN));
	want_none(t, rx, CHAN_CLOSED);
	want_u64(0, rx_get(t, rx, CHAN_LEN));
}

static void len_of_sender(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 4, &tx, &rx);
	want_u64(0, tx_get(t, tx, CHAN_LEN));
	want(CHAN_OK, try_send(t, tx, 1));
	want_u64(1, tx_get(t, tx, CHAN_LEN));
	want_recv(t, rx, 1);
	want_u64(0, tx_get(t, tx, CHAN_LEN));
}

static void rx_closed_by_senders(struct test *t)
{
	struct chan_sender *tx, *other;
	struct chan_receiver *rx;
	open_channel(t, 4, &tx, &rx);
	other = tx_clone(t, tx);
	want_u64(0, rx_get(t, rx, CHAN_IS_CLOSED));
	want(CHAN_OK, try_send(t, tx, 1));
	tx_drop(t, &tx);
	want_u64(0, rx_get(t, rx, CHAN_IS_CLOSED));
	tx_drop(t, &other);
	want_u64(1, rx_get(t, rx, CHAN_IS_CLOSED));
	want_recv(t, rx, 1);
	want_u64(1, rx_get(t, rx, CHAN_IS_CLOSED));
}

static void closed_by_close(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 4, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 1));
	want_u64(0, tx_get(t, tx, CHAN_IS_CLOSED));
	close_rx(t, rx);
	want_u64(1, rx_get(t, rx, CHAN_IS_CLOSED));
	want_u64(1, tx_get(t, tx, CHAN_IS_CLOSED));
	want_recv(t, rx, 1);
	want_u64(1, tx_get(t, tx, CHAN_IS_CLOSED));
}

static void owned_permit_counts(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	struct chan_permit permit;
	open_channel(t, 4, &tx, &rx);
	forget(tx);
	want(CHAN_OK, chan_reserve_owned(t->mpsc, &tx, &permit, NULL, CHAN_NOW));
	want_u64(0, rx_get(t, rx, CHAN_IS_CLOSED));
	want_none(t, rx, CHAN_EMPTY);
	step("release the owned permit");
	chan_owned_release(t->mpsc, &permit, NULL);
	want_u64(1, rx_get(t, rx, CHAN_IS_CLOSED));
	want_none(t, rx, CHAN_CLOSED);
}

static void weak_does_not_count(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 4, &tx, &rx);
	downgrade(t, tx);
	want_u64(0, rx_get(t, rx, CHAN_IS_CLOSED));
	tx_drop(t, &tx);
	want_u64(1, rx_get(t, rx, CHAN_IS_CLOSED));
	want_none(t, rx, CHAN_CLOSED);
}

static void closed_by_receiver_drop(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 4, &tx, &rx);
	want_u64(0, tx_get(t, tx, CHAN_IS_CLOSED));
	rx_drop(t, &rx);
	want_u64(1, tx_get(t, tx, CHAN_IS_CLOSED));
}

static void identity(struct test *t)
{
	struct chan_sender *tx, *clone, *tx2;
	struct chan_receiver *rx, *rx2;
	open_channel(t, 4, &tx, &rx);
	open_channel(t, 4, &tx2, &rx2);
	clone = tx_clone(t, tx);
	want_u64(tx_get(t, tx, CHAN_IDENTITY), tx_get(t, clone, CHAN_IDENTITY));
	want_u64(tx_get(t, tx, CHAN_IDENTITY), rx_get(t, rx, CHAN_IDENTITY));
	want_true(tx_get(t, tx, CHAN_IDENTITY) != tx_get(t, tx2, CHAN_IDENTITY));
	want_true(rx_get(t, rx, CHAN_IDENTITY) != rx_get(t, rx2, CHAN_IDENTITY));
}

static void full_is_not_closed(struct test *t)
{
	struct chan_sender *tx;
	struct chan_receiver *rx;
	open_channel(t, 1, &tx, &rx);
	want(CHAN_OK, try_send(t, tx, 1));
	want(CHAN_FULL, try_send(t, tx, 2));
	want_u64(0, rx_get(t, rx, CHAN_IS_CLOSED));
	want_u64(0, tx_get(t, tx, CHAN_IS_CLOSED));
}

const struct rule mpsc_capacity_rules[] = {
	{"M-1",
         RULE_MPSC,
         "Capacity 0 is invalid; capacity 1 works like any other.",
         {{"zero", zero_capacity, "", 0}, {"one", capacity_one, "", 0}}},
	{"M-2",
         RULE_MPSC,
         "A capacity that is too large is refused when the channel is opened, never truncated.",
         {{"over the limit", too_large, "", 0},
          {"the largest", largest, "receiver_get", 0},
          {"over 16 bits", not_truncated, "", TEST_LONG}}},
	{"M-3",
         RULE_MPSC,
         "The capacity is exact: so many messages fit, and not one more.",
         {{"many capacities", exact, "", 0}}},
	{"M-4",
         RULE_MPSC,
         "The maximal capacity is the one asked for, from both sides, for ever.",
         {{"both sides", max_capacity, "sender_get receiver_get close", 0}}},
	{"M-5",
         RULE_MPSC,
         "The capacity left falls by each message, reservation and slot given to a waiter, and rises again.",
         {{"sends and permits", capacity_falls_and_rises, "reserve permit_send permit_release sender_get", 0},
          {"a waiter's slots", capacity_of_waiter, "sender_clone reserve permit_release receiver_get", 0}}},
	{"M-6",
         RULE_MPSC,
         "Capacity left, permits out and messages waiting add up to the capacity.",
         {{"400 random steps", conservation, "reserve permit_send permit_release sender_get receiver_get", 0}}},
	{"M-7",
         RULE_MPSC,
         "Closing does not reset the capacity left: it still recovers as messages and permits go.",
         {{"close", capacity_after_close, "reserve permit_release close sender_get", 0}}},
	{"M-8",
         RULE_QUEUES,
         "The length counts what was sent and not received, also after a close, never a close itself.",
         {{"after close", len_after_close, "close receiver_get", 0},
          {"from the sender", len_of_sender, "sender_get", 0}}},
	{"M-12",
         RULE_QUEUES,
         "After i of n messages were received the length is n - i.",
         {{"70 messages", len_counts, "receiver_get", 0}}},
	{"M-13",
         RULE_QUEUES,
         "The receiver sees the channel closed once it closed it or no sender is left, messages or not.",
         {{"last sender", rx_closed_by_senders, "sender_clone receiver_get", 0},
          {"close", closed_by_close, "close sender_get receiver_get", 0},
          {"weak senders do not count", weak_does_not_count, "downgrade weak_drop receiver_get", 0}}},
	{"M-13",
         RULE_MPSC,
         "An owned permit counts as a sender.",
         {{"owned permit", owned_permit_counts, "reserve permit_release receiver_get", 0}}},
	{"M-14",
         RULE_QUEUES,
         "A sender sees the channel closed once the receiver closed it or is gone, and for ever.",
         {{"receiver dropped", closed_by_receiver_drop, "sender_get", 0}}},
	{"M-15",
         RULE_QUEUES,
         "Handles of one channel have the same identity, those of two channels do not.",
         {{"two channels", identity, "sender_clone sender_get receiver_get", 0}}},
	{"M-16",
         RULE_MPSC,
         "A full channel is not a closed one.",
         {{"full", full_is_not_closed, "sender_get receiver_get", 0}}},
	{0},
};
