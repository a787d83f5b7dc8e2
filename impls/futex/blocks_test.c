/* SPDX-License-Identifier: MIT
 *
 * blocks_test.c - the blocks by themselves: their edges, claims that are not yet written, memory
 * that runs out, and races of all ends.
 */
#include "impls/testing/elements.h"
#include "impls/futex/blocks.c"

static void open_blocks(struct blocks **b, size_t size, uint64_t start)
{
	struct chan_config config = {.size = size};
	void *memory = NULL;

	chan_spin_setup();
	assert_int_equal(posix_memalign(&memory, alignof(struct blocks), sizeof **b), 0);
	*b = memset(memory, 0, sizeof **b);
	assert_int_equal(chan_config_layout(&config, &(*b)->channel.core.layout), CHAN_OK);
	assert_true(blocks_open(&(*b)->channel, start));
}

static void close_blocks(struct blocks *b)
{
	blocks_close(&b->channel);
	free(b);
}

static void share(struct blocks *b)
{
	blocks_share(&b->channel);
	atomic_store(&b->channel.shared, true);
}

static enum chan_status send_one(struct blocks *b, const void *msg)
{
	struct handle h = {.core = &b->channel.core};
	unsigned state = 0;
	enum chan_status status = blocks_send(&h, msg, &state);

	MUST(state == 0);
	return status;
}

static size_t take_out(struct blocks *b, void *msgs, size_t limit)
{
	unsigned state = 0;

	return blocks_take(&b->channel, msgs, limit, &state);
}

static size_t len(struct blocks *b)
{
	return blocks_len(&b->channel, SIZE_MAX);
}

/* A message of any size: its number, as far as it fits. */
static void number(unsigned char *msg, size_t size, uint64_t n)
{
	memset(msg, 0x5a, size);
	memcpy(msg, &n, size < sizeof n ? size : sizeof n);
}

static void each_size_each_edge(void **state)
{
	static const size_t sizes[] = {0, 1, 8, 24, 400, 5000};
	static unsigned char msg[5000], expected[5000];
	static const uint64_t starts[] = {0, UINT64_MAX, UINT64_MAX - 3, (UINT64_C(1) << 61) - 2, UINT64_C(1) << 32};

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		for (size_t s = 0; s < sizeof starts / sizeof *starts; s++) {
			struct blocks *b;
			uint64_t sent = 0, taken = 0;
			open_blocks(&b, sizes[i], starts[s]);
			/* The backlog grows and shrinks, so that each end meets each edge in
			 * each state. */
			for (size_t round = 1; round < 60; round++) {
				for (size_t k = 0; k < round * 7 % 50; k++) {
					number(msg, sizes[i], sent++);
					assert_int_equal(send_one(b, msg), CHAN_OK);
					assert_int_equal(len(b), sent - taken);
				}
				for (size_t k = 0; k < round * 11 % 50 && taken < sent; k++) {
					number(expected, sizes[i], taken++);
					assert_int_equal(take_out(b, msg, 1), 1);
					assert_memory_equal(msg, expected, sizes[i]);
					assert_int_equal(len(b), sent - taken);
				}
			}
			while (taken < sent) {
				assert_int_equal(take_out(b, msg, 1), 1);
				taken++;
			}
			assert_int_equal(take_out(b, msg, 1), 0);
			assert_int_equal(len(b), 0);
			close_blocks(b);
		}
}

/* A sender that has claimed its slot and does not get on: what comes after it has been sent, and
 * is neither lost nor overtakes. */
struct taker {
	struct blocks *blocks;
	uint64_t got[2];
	atomic_int state; /* 1: begun, 2: done */
};

static void take_two(void *arg)
{
	struct taker *t = arg;

	atomic_store(&t->state, 1);
	for (int i = 0; i < 2; i++)
		MUST(take_out(t->blocks, &t->got[i], 1) == 1);
	atomic_store(&t->state, 2);
}

static void a_claimed_slot_is_waited_for(void **state)
{
	struct taker taker;
	struct sleeper thread;
	struct claim slow;
	uint64_t first = 1, second = 2;

	(void)state;
	for (size_t shared = 0; shared < 2; shared++) {
		open_blocks(&taker.blocks, sizeof first, 0);
		if (shared)
			share(taker.blocks);
		atomic_store(&taker.state, 0);
		assert_int_equal(claim_slots(taker.blocks, 1, &slow), CHAN_OK);
		assert_int_equal(send_one(taker.blocks, &second), CHAN_OK);
		assert_int_equal(len(taker.blocks), 2); /* M-10 */
		/* nobody goes to sleep beside it */
		assert_true(blocks_set(&taker.blocks->channel, UNBOUNDED_WAITING));
		sleeper_start(&thread, take_two, &taker);
		while (atomic_load(&taker.state) == 0)
			sched_yield();
		for (int i = 0; i < 2000; i++)
			sched_yield();
		assert_int_equal(atomic_load(&taker.state), 1);
		publish(taker.blocks, &slow, &first);
		sleeper_join(&thread);
		assert_int_equal(taker.got[0], 1); /* M-56, M-66 */
		assert_int_equal(taker.got[1], 2);
		close_blocks(taker.blocks);
	}
}

static void a_closed_channel_takes_no_more(void **state)
{
	struct blocks *b;
	struct claim claim;
	uint64_t value = 7;

	(void)state;
	open_blocks(&b, sizeof value, 0);
	assert_int_equal(claim_slots(b, 1, &claim), CHAN_OK);
	assert_true(blocks_set(&b->channel, UNBOUNDED_CLOSED));
	assert_int_equal(send_one(b, &value), CHAN_CLOSED);
	assert_int_equal(claim_slots(b, 5, &claim), CHAN_CLOSED);
	assert_int_equal(len(b), 1);
	publish(b, &claim, &value); /* what was claimed before the close arrives (U-3) */
	assert_int_equal(take_out(b, &value, 1), 1);
	assert_int_equal(take_out(b, &value, 1), 0);
	assert_true(blocks_state(&b->channel) & UNBOUNDED_CLOSED);
	close_blocks(b);
}

static void without_memory_nothing_is_claimed(void **state)
{
	static uint64_t values[600];
	struct blocks *b;
	struct claim claim;
	uint64_t value = 1;
	size_t fit;

	(void)state;
	open_blocks(&b, sizeof value, 0);
	atomic_store(&allocations_left, 0);
	for (fit = 0; send_one(b, &value) == CHAN_OK; fit++)
		assert_in_range(fit, 0, 1000);
	assert_true(fit > 0);
	assert_int_equal(len(b), fit);
	assert_int_equal(send_one(b, &value), CHAN_NOMEM);
	assert_int_equal(take_out(b, &value, 1), 1); /* frees no block */
	assert_int_equal(send_one(b, &value), CHAN_NOMEM);
	atomic_store(&allocations_left, 1);
	assert_int_equal(send_one(b, &value), CHAN_OK);
	/* Of a batch what fits is claimed. */
	assert_int_equal(claim_slots(b, 600, &claim), CHAN_OK);
	assert_int_equal(claim.count, fit);
	publish(b, &claim, values);
	assert_int_equal(claim_slots(b, 600, &claim), CHAN_NOMEM);
	atomic_store(&allocations_left, PLENTY);
	assert_int_equal(take_out(b, values, 600), fit + fit);
	close_blocks(b);
}

static void blocks_are_used_again(void **state)
{
	struct blocks *b;
	uint64_t value = 0;

	(void)state;
	open_blocks(&b, sizeof value, 0);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(send_one(b, &value), CHAN_OK);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(take_out(b, &value, 1), 1);
	size_t kept = b->pooled;
	assert_in_range(kept, 1, 100000 / b->slots / 4); /* U-7 */
	/* A backlog that stays short allocates nothing. */
	atomic_store(&allocations_left, 0);
	for (int i = 0; i < 100000; i++) {
		assert_int_equal(send_one(b, &value), CHAN_OK);
		assert_int_equal(take_out(b, &value, 1), 1);
	}
	atomic_store(&allocations_left, PLENTY);
	close_blocks(b);
}

/* ------------------------------------------------------------------------------------------
 * Races
 */

enum { SENDERS = 3, TAKERS = 4, EACH = 30000 };

/* Large elements: a block has few slots, and its edges are met all the time. */
struct large {
	uint64_t sender, number;
	char rest[1000];
};

static struct blocks *raced;
static atomic_uint_fast64_t sum;
static atomic_size_t received;

static void send_each(void *arg)
{
	struct large msg = {.sender = (uint64_t)(uintptr_t)arg};

	for (msg.number = 1; msg.number <= EACH;) {
		struct claim claim;
		struct large two[2] = {msg, msg};
		two[1].number++;
		if (msg.number % 3 == 0 && msg.number < EACH) {
			MUST(claim_slots(raced, 2, &claim) == CHAN_OK);
			publish(raced, &claim, two);
			msg.number += claim.count;
		} else {
			MUST(send_one(raced, &msg) == CHAN_OK);
			msg.number++;
		}
	}
}

static void take_each(void *arg)
{
	uint64_t last[SENDERS] = {0};
	struct large in[3];

	(void)arg;
	while (atomic_load(&received) < (size_t)SENDERS * EACH) {
		size_t n = take_out(raced, in, 3);
		for (size_t i = 0; i < n; i++) {
			MUST(in[i].number > last[in[i].sender]);
			last[in[i].sender] = in[i].number;
			atomic_fetch_add(&sum, in[i].number);
		}
		atomic_fetch_add(&received, n);
		MUST(len(raced) <= (size_t)SENDERS * EACH);
		if (n == 0)
			sched_yield();
	}
}

static void all_ends_race(void **state)
{
	struct sleeper senders[SENDERS], takers[TAKERS];

	(void)state;
	for (size_t takes = 1; takes <= TAKERS; takes++) {
		open_blocks(&raced, sizeof(struct large), UINT64_MAX - 1000);
		if (takes > 1)
			share(raced);
		atomic_store(&sum, 0);
		atomic_store(&received, 0);
		for (size_t i = 0; i < takes; i++)
			sleeper_start(&takers[i], take_each, NULL);
		for (size_t i = 0; i < SENDERS; i++)
			sleeper_start(&senders[i], send_each, (void *)i);
		for (size_t i = 0; i < SENDERS; i++)
			sleeper_join(&senders[i]);
		for (size_t i = 0; i < takes; i++)
			sleeper_join(&takers[i]);
		assert_int_equal(atomic_load(&sum), (uint64_t)SENDERS * EACH * (EACH + 1) / 2);
		assert_int_equal(len(raced), 0);
		close_blocks(raced);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TALLIED(each_size_each_edge),
		TALLIED(a_claimed_slot_is_waited_for),
		TALLIED(a_closed_channel_takes_no_more),
		TALLIED(without_memory_nothing_is_claimed),
		TALLIED(blocks_are_used_again),
		TALLIED(all_ends_race),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
