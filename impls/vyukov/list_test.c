/* SPDX-License-Identifier: MIT
 *
 * list_test.c - the list by itself: a sender that has not linked its node, nodes that are refused,
 * memory that runs out, nodes that are used again, and races of all ends.
 */
#include "impls/testing/elements.h"
#include "impls/vyukov/list.c"

static void open_list(struct list_channel **l, size_t size, uint64_t start)
{
	struct chan_config config = {.size = size};
	void *memory = NULL;

	chan_spin_setup();
	assert_int_equal(posix_memalign(&memory, alignof(struct list_channel), sizeof **l), 0);
	*l = memset(memory, 0, sizeof **l);
	(*l)->channel.store = &store;
	assert_int_equal(chan_config_layout(&config, &(*l)->channel.core.layout), CHAN_OK);
	assert_true(list_open(&(*l)->channel, start));
}

static void close_list(struct list_channel *l)
{
	list_close(&l->channel);
	free(l);
}

static struct list_handle sender_of(struct list_channel *l)
{
	return (struct list_handle){.handle = {.core = &l->channel.core}};
}

static size_t take_out(struct list_channel *l, void *msgs, size_t limit)
{
	unsigned state = 0;

	return list_take(&l->channel, msgs, limit, &state);
}

static size_t len(struct list_channel *l)
{
	return list_len(&l->channel, SIZE_MAX);
}

static enum chan_status send_one(struct list_handle *sender, const void *msg)
{
	unsigned state = 0;

	return list_send(&sender->handle, msg, &state);
}

/* ------------------------------------------------------------------------------------------
 * A sender that is stopped between its exchange and its link
 */

struct taker {
	struct list_channel *list;
	uint64_t got[2];
	size_t length;
	atomic_int state; /* 1: begun, 2: done */
};

static void take_two(void *arg)
{
	struct taker *t = arg;

	atomic_store(&t->state, 1);
	for (int i = 0; i < 2; i++)
		MUST(take_out(t->list, &t->got[i], 1) == 1);
	atomic_store(&t->state, 2);
}

static void ask_length(void *arg)
{
	struct taker *t = arg;

	atomic_store(&t->state, 1);
	t->length = len(t->list);
	atomic_store(&t->state, 2);
}

static void a_missing_link_is_waited_for(void **state)
{
	static void (*const waits[])(void *) = {ask_length, take_two};
	struct sleeper thread;

	(void)state;
	for (size_t i = 0; i < 2 * sizeof waits / sizeof *waits; i++) {
		struct taker taker = {.length = 2};
		uint64_t first = 1, second = 2, rest[2];
		open_list(&taker.list, sizeof first, 0);
		struct list_channel *l = taker.list;
		struct list_handle sender = sender_of(l);
		if (i % 2 == 1)
			list_share(&l->channel);
		/* what list_send does, but for its last step */
		struct node *slow = node_get(l, &sender);
		chan_layout_copy(&l->layout, element_of(l, slow), &first);
		atomic_store(&slow->next, 0);
		struct node *before = (struct node *)atomic_exchange(&l->tail, (uintptr_t)slow);
		assert_int_equal(send_one(&sender, &second), CHAN_OK);
		/* nobody goes to sleep beside it */
		assert_true(list_set(&l->channel, UNBOUNDED_WAITING));
		assert_int_equal(list_len(&l->channel, 1), 1); /* M-10 */
		sleeper_start(&thread, waits[i / 2], &taker);
		while (atomic_load(&taker.state) == 0)
			sched_yield();
		for (int k = 0; k < 2000; k++)
			sched_yield();
		assert_int_equal(atomic_load(&taker.state), 1); /* M-56 */
		atomic_store(&before->next, (uintptr_t)slow);
		sleeper_join(&thread);
		assert_int_equal(taker.length, 2);
		if (waits[i / 2] == take_two) {
			assert_int_equal(taker.got[0], 1);
			assert_int_equal(taker.got[1], 2);
		} else {
			assert_int_equal(take_out(l, rest, 2), 2);
		}
		list_sender_drop(&sender.handle);
		close_list(l);
	}
}

/* A send that finds the close after its exchange leaves a void node, which counts for nothing. */
static void a_void_node_is_no_message(void **state)
{
	struct list_channel *l;
	uint64_t value = 7, out[3];
	unsigned ignored = 0;

	(void)state;
	open_list(&l, sizeof value, UINT64_MAX);
	struct list_handle sender = sender_of(l);
	assert_int_equal(send_one(&sender, &value), CHAN_OK);
	assert_int_equal(len(l), 1);
	assert_true(list_set(&l->channel, UNBOUNDED_CLOSED));
	assert_int_equal(send_one(&sender, &value), CHAN_CLOSED);
	/* a batch that was past its first look */
	struct node *first = node_new(l), *last = node_new(l);
	assert_true(first != NULL && last != NULL);
	atomic_init(&first->next, (uintptr_t)last);
	assert_int_equal(put_in(l, first, last, &ignored), CHAN_CLOSED);
	assert_int_equal(len(l), 1); /* M-8 */
	assert_int_equal(take_out(l, out, 3), 1);
	assert_int_equal(out[0], 7);
	assert_int_equal(len(l), 0);
	assert_ptr_equal(list_front(&l->channel), NULL);
	list_sender_drop(&sender.handle);
	close_list(l);
}

/* ------------------------------------------------------------------------------------------
 * Lengths, memory
 */

static void lengths_are_exact(void **state)
{
	static const uint64_t starts[] = {0, UINT64_MAX - 20};
	uint64_t out[50] = {0};

	(void)state;
	for (size_t s = 0; s < sizeof starts / sizeof *starts; s++) {
		struct list_channel *l;
		size_t inside = 0;
		open_list(&l, sizeof *out, starts[s]);
		struct list_handle sender = sender_of(l);
		for (size_t round = 1; round < 200; round++) {
			for (size_t k = 0; k < round * 7 % 50; k++, inside++)
				assert_int_equal(send_one(&sender, out), CHAN_OK);
			if (round % 3 != 0)
				assert_int_equal(len(l), inside);
			size_t n = round * 11 % 50;
			n = n < inside ? n : inside;
			assert_int_equal(n == 0 ? 0 : take_out(l, out, n), n);
			inside -= n;
			if (round % 2 != 0)
				assert_int_equal(len(l), inside);
		}
		list_sender_drop(&sender.handle);
		close_list(l);
	}
}

static void without_memory_the_list_is_whole(void **state)
{
	uint64_t values[3] = {1, 2, 3}, out[3];
	struct list_channel *l;
	unsigned ignored = 0;
	size_t sent = 0;

	(void)state;
	open_list(&l, sizeof *values, 0);
	struct list_handle sender = sender_of(l);
	atomic_store(&allocations_left, 0);
	assert_int_equal(send_one(&sender, values), CHAN_NOMEM);
	assert_int_equal(list_send_some(&sender.handle, values, 3, &sent, &ignored), CHAN_NOMEM);
	assert_int_equal(sent, 0);
	atomic_store(&allocations_left, 2);
	/* Of a batch what fits is sent. */
	assert_int_equal(list_send_some(&sender.handle, values, 3, &sent, &ignored), CHAN_OK);
	assert_int_equal(sent, 2);
	assert_int_equal(len(l), 2);
	atomic_store(&allocations_left, PLENTY);
	assert_int_equal(send_one(&sender, &values[2]), CHAN_OK);
	assert_int_equal(take_out(l, out, 3), 3);
	assert_memory_equal(out, values, sizeof out);
	list_sender_drop(&sender.handle);
	close_list(l);
}

static size_t nodes_in(const struct node *node)
{
	size_t n = 0;

	for (; node != NULL; node = node_of(atomic_load(&node->next)))
		n++;
	return n;
}

static void nodes_are_used_again_and_given_back(void **state)
{
	struct list_channel *l;
	uint64_t value = 0;

	(void)state;
	open_list(&l, sizeof value, 0);
	struct list_handle sender = sender_of(l);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(send_one(&sender, &value), CHAN_OK);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(take_out(l, &value, 1), 1);
	size_t kept = nodes_in(l->spare) + nodes_in(sender.spare);
	for (size_t i = 0; i < DEPOT_PLACES; i++)
		kept += nodes_in(l->depot[i]);
	assert_in_range(kept, 1, (DEPOT_PLACES + 2) * l->chain); /* U-7 */
	/* A backlog that stays short allocates nothing. */
	atomic_store(&allocations_left, 0);
	for (int i = 0; i < 100000; i++) {
		assert_int_equal(send_one(&sender, &value), CHAN_OK);
		assert_int_equal(take_out(l, &value, 1), 1);
	}
	atomic_store(&allocations_left, PLENTY);
	list_sender_drop(&sender.handle);
	close_list(l);
}

/* ------------------------------------------------------------------------------------------
 * Races
 */

enum { SENDERS = 3, TAKERS = 3, EACH = 10000 };

/* Large elements: a chain has few nodes, so they go round all the time. */
struct large {
	uint64_t sender, number;
	char rest[2000];
};

static struct list_channel *raced;
static atomic_uint_fast64_t sum;
static atomic_size_t received;

static void send_each(void *arg)
{
	struct large msg = {.sender = (uint64_t)(uintptr_t)arg};
	struct list_handle sender = sender_of(raced);

	for (msg.number = 1; msg.number <= EACH; msg.number++)
		MUST(send_one(&sender, &msg) == CHAN_OK);
	list_sender_drop(&sender.handle);
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
		if (n == 0)
			sched_yield();
		else
			atomic_fetch_add(&received, n);
	}
}

static void ask_lengths(void *arg)
{
	(void)arg;
	while (atomic_load(&received) < (size_t)SENDERS * EACH) {
		MUST(len(raced) <= (size_t)SENDERS * EACH);
		sched_yield();
	}
}

static void all_ends_race(void **state)
{
	struct sleeper senders[SENDERS], takers[TAKERS], asker;

	(void)state;
	for (size_t takes = 1; takes <= TAKERS; takes++) {
		open_list(&raced, sizeof(struct large), UINT64_MAX - 1000);
		if (takes > 1)
			list_share(&raced->channel);
		atomic_store(&sum, 0);
		atomic_store(&received, 0);
		sleeper_start(&asker, ask_lengths, NULL);
		for (size_t i = 0; i < takes; i++)
			sleeper_start(&takers[i], take_each, NULL);
		for (size_t i = 0; i < SENDERS; i++)
			sleeper_start(&senders[i], send_each, (void *)i);
		for (size_t i = 0; i < SENDERS; i++)
			sleeper_join(&senders[i]);
		for (size_t i = 0; i < takes; i++)
			sleeper_join(&takers[i]);
		sleeper_join(&asker);
		assert_int_equal(atomic_load(&sum), (uint64_t)SENDERS * EACH * (EACH + 1) / 2);
		assert_int_equal(len(raced), 0);
		close_list(raced);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TALLIED(a_missing_link_is_waited_for),
		TALLIED(a_void_node_is_no_message),
		TALLIED(lengths_are_exact),
		TALLIED(without_memory_the_list_is_whole),
		TALLIED(nodes_are_used_again_and_given_back),
		TALLIED(all_ends_race),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
