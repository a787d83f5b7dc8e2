/* SPDX-License-Identifier: MIT
 *
 * chain_test.c - the chain by itself: the edges of blocks, claims that are not yet written, memory
 * that runs out, and races of all ends.
 */
#include "impls/testing/items_testing.h"
#include "impls/futex/blocks.c"
#include "impls/futex/blocks_send.c"
#include "impls/futex/blocks_take.c"

static void open_chain(struct chain **c, size_t size, uint64_t start)
{
	struct chan_config config = {.size = size};
	struct layout layout;
	void *memory = NULL;

	chan_spin_setup();
	assert_int_equal(chan_config_layout(&config, &layout), CHAN_OK);
	assert_int_equal(posix_memalign(&memory, alignof(struct chain), sizeof **c), 0);
	*c = memory;
	assert_true(chan_chain_open(*c, &layout, start));
}

static void close_chain(struct chain *c)
{
	chan_chain_free(c);
	free(c);
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
			struct chain *c;
			uint64_t sent = 0, taken = 0, tail = 0;
			unsigned flags;
			open_chain(&c, sizes[i], starts[s]);
			/* The backlog grows and shrinks, so that each end meets each edge in
			 * each state. */
			for (size_t round = 1; round < 60; round++) {
				for (size_t k = 0; k < round * 7 % 50; k++) {
					number(msg, sizes[i], sent++);
					assert_int_equal(chain_send(c, msg, &flags), CHAN_OK);
					assert_int_equal(chan_chain_len(c), sent - taken);
				}
				for (size_t k = 0; k < round * 11 % 50 && taken < sent; k++) {
					number(expected, sizes[i], taken++);
					assert_int_equal(chan_chain_take(c, msg, 1, &tail), 1);
					assert_memory_equal(msg, expected, sizes[i]);
					assert_int_equal(chan_chain_len(c), sent - taken);
				}
			}
			while (taken < sent) {
				assert_int_equal(chan_chain_take(c, msg, 1, &tail), 1);
				taken++;
			}
			assert_int_equal(chan_chain_take(c, msg, 1, &tail), 0);
			assert_int_equal(chan_chain_len(c), 0);
			close_chain(c);
		}
}

static void batches_cross_blocks(void **state)
{
	static uint64_t out[2000], in[2000];
	struct chain *c;
	uint64_t tail;

	(void)state;
	open_chain(&c, sizeof *out, UINT64_MAX - 100);
	for (size_t shared = 0; shared < 2; shared++) {
		if (shared)
			chan_chain_share(c);
		for (size_t n = 1; n <= 2000; n = n * 3 / 2 + 1) {
			size_t sent = 0;
			for (size_t i = 0; i < n; i++)
				out[i] = n << 32 | i;
			while (sent < n) {
				struct chain_claim claim;
				assert_int_equal(chan_chain_claim(c, n - sent, &claim), CHAN_OK);
				assert_in_range(claim.count, 1, n - sent);
				chan_chain_publish(c, &claim, out + sent);
				sent += claim.count;
			}
			assert_int_equal(chan_chain_len(c), n);
			/* all, across blocks */
			assert_int_equal(chan_chain_take(c, in, 2000, &tail), n);
			assert_memory_equal(in, out, n * sizeof *in);
		}
	}
	chan_chain_unshare(c);
	close_chain(c);
}

/* A sender that has claimed its cell and does not get on: what comes after it has been sent, and
 * is neither lost nor overtakes. */
struct taker {
	struct chain *chain;
	uint64_t got[2];
	atomic_int state; /* 1: begun, 2: done */
};

static void take_two(void *arg)
{
	struct taker *t = arg;
	uint64_t tail;

	atomic_store(&t->state, 1);
	for (int i = 0; i < 2; i++)
		MUST(chan_chain_take(t->chain, &t->got[i], 1, &tail) == 1);
	atomic_store(&t->state, 2);
}

static void a_claimed_cell_is_waited_for(void **state)
{
	struct taker taker;
	struct sleeper thread;
	struct chain_claim slow;
	uint64_t first = 1, second = 2;
	unsigned flags;

	(void)state;
	for (size_t shared = 0; shared < 2; shared++) {
		open_chain(&taker.chain, sizeof first, 0);
		if (shared)
			chan_chain_share(taker.chain);
		atomic_store(&taker.state, 0);
		assert_int_equal(chan_chain_claim(taker.chain, 1, &slow), CHAN_OK);
		assert_int_equal(chain_send(taker.chain, &second, &flags), CHAN_OK);
		assert_int_equal(chan_chain_len(taker.chain), 2); /* M-10 */
		/* nobody goes to sleep beside it */
		assert_true(chan_chain_flag(taker.chain, CHAIN_WAITING));
		sleeper_start(&thread, take_two, &taker);
		while (atomic_load(&taker.state) == 0)
			sched_yield();
		for (int i = 0; i < 2000; i++)
			sched_yield();
		assert_int_equal(atomic_load(&taker.state), 1);
		chan_chain_publish(taker.chain, &slow, &first);
		sleeper_join(&thread);
		assert_int_equal(taker.got[0], 1); /* M-56, M-66 */
		assert_int_equal(taker.got[1], 2);
		close_chain(taker.chain);
	}
}

static void a_closed_chain_takes_no_more(void **state)
{
	struct chain *c;
	struct chain_claim claim;
	uint64_t value = 7, tail = 0;
	unsigned flags = 0;

	(void)state;
	open_chain(&c, sizeof value, 0);
	assert_int_equal(chan_chain_claim(c, 1, &claim), CHAN_OK);
	assert_true(chan_chain_flag(c, CHAIN_CLOSED));
	assert_int_equal(chain_send(c, &value, &flags), CHAN_CLOSED);
	assert_int_equal(flags, 0);
	assert_int_equal(chan_chain_claim(c, 5, &claim), CHAN_CLOSED);
	assert_int_equal(chan_chain_len(c), 1);
	chan_chain_publish(c, &claim, &value); /* what was claimed before the close arrives (U-3) */
	assert_int_equal(chan_chain_take(c, &value, 1, &tail), 1);
	assert_int_equal(chan_chain_take(c, &value, 1, &tail), 0);
	assert_true(tail & CHAIN_CLOSED);
	close_chain(c);
}

static void without_memory_nothing_is_claimed(void **state)
{
	static uint64_t values[600];
	struct chain *c;
	struct chain_claim claim;
	uint64_t value = 1, tail;
	unsigned flags;
	size_t fit;

	(void)state;
	open_chain(&c, sizeof value, 0);
	atomic_store(&allocations_left, 0);
	for (fit = 0; chain_send(c, &value, &flags) == CHAN_OK; fit++)
		assert_in_range(fit, 0, 1000);
	assert_true(fit > 0);
	assert_int_equal(chan_chain_len(c), fit);
	assert_int_equal(chain_send(c, &value, &flags), CHAN_NOMEM);
	assert_int_equal(chan_chain_take(c, &value, 1, &tail), 1); /* frees no block */
	assert_int_equal(chain_send(c, &value, &flags), CHAN_NOMEM);
	atomic_store(&allocations_left, 1);
	assert_int_equal(chain_send(c, &value, &flags), CHAN_OK);
	/* Of a batch what fits is claimed. */
	assert_int_equal(chan_chain_claim(c, 600, &claim), CHAN_OK);
	assert_int_equal(claim.count, fit);
	chan_chain_publish(c, &claim, values);
	assert_int_equal(chan_chain_claim(c, 600, &claim), CHAN_NOMEM);
	atomic_store(&allocations_left, PLENTY);
	assert_int_equal(chan_chain_take(c, values, 600, &tail), fit + fit);
	close_chain(c);
}

static void blocks_are_used_again(void **state)
{
	struct chain *c;
	uint64_t value = 0, tail;
	unsigned flags;

	(void)state;
	open_chain(&c, sizeof value, 0);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(chain_send(c, &value, &flags), CHAN_OK);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(chan_chain_take(c, &value, 1, &tail), 1);
	size_t kept = c->pooled;
	assert_in_range(kept, 1, 100000 / c->cells / 4); /* U-7 */
	/* A backlog that stays short allocates nothing. */
	atomic_store(&allocations_left, 0);
	for (int i = 0; i < 100000; i++) {
		assert_int_equal(chain_send(c, &value, &flags), CHAN_OK);
		assert_int_equal(chan_chain_take(c, &value, 1, &tail), 1);
	}
	atomic_store(&allocations_left, PLENTY);
	close_chain(c);
}

/* ------------------------------------------------------------------------------------------
 * Races
 */

enum { SENDERS = 3, TAKERS = 4, EACH = 30000 };

/* Large elements: a block has few cells, and its edges are met all the time. */
struct large {
	uint64_t sender, number;
	char rest[1000];
};

static struct chain *raced;
static atomic_uint_fast64_t sum;
static atomic_size_t received;

static void send_each(void *arg)
{
	struct large msg = {.sender = (uint64_t)(uintptr_t)arg};
	unsigned flags;

	for (msg.number = 1; msg.number <= EACH;) {
		struct chain_claim claim;
		struct large two[2] = {msg, msg};
		two[1].number++;
		if (msg.number % 3 == 0 && msg.number < EACH) {
			MUST(chan_chain_claim(raced, 2, &claim) == CHAN_OK);
			chan_chain_publish(raced, &claim, two);
			msg.number += claim.count;
		} else {
			MUST(chain_send(raced, &msg, &flags) == CHAN_OK);
			msg.number++;
		}
	}
}

static void take_each(void *arg)
{
	uint64_t last[SENDERS] = {0}, tail;
	struct large in[3];

	(void)arg;
	while (atomic_load(&received) < (size_t)SENDERS * EACH) {
		size_t n = chan_chain_take(raced, in, 3, &tail);
		for (size_t i = 0; i < n; i++) {
			MUST(in[i].number > last[in[i].sender]);
			last[in[i].sender] = in[i].number;
			atomic_fetch_add(&sum, in[i].number);
		}
		atomic_fetch_add(&received, n);
		MUST(chan_chain_len(raced) <= (size_t)SENDERS * EACH);
		if (n == 0)
			sched_yield();
	}
}

static void all_ends_race(void **state)
{
	struct sleeper senders[SENDERS], takers[TAKERS];

	(void)state;
	for (size_t takes = 1; takes <= TAKERS; takes++) {
		open_chain(&raced, sizeof(struct large), UINT64_MAX - 1000);
		if (takes > 1)
			chan_chain_share(raced);
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
		assert_int_equal(chan_chain_len(raced), 0);
		close_chain(raced);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ledger_reset, ledger_check)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_size_each_edge),
		TEST(batches_cross_blocks),
		TEST(a_claimed_cell_is_waited_for),
		TEST(a_closed_chain_takes_no_more),
		TEST(without_memory_nothing_is_claimed),
		TEST(blocks_are_used_again),
		TEST(all_ends_race),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
