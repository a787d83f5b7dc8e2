/* SPDX-License-Identifier: MIT
 *
 * watch_test.c - what the rules cannot see of a watch channel of bytes: who takes the lock, the
 * flags, readers that starve, whom a modification stops, and races of a lone writer.
 */
#include "impls/testing/elements.h"

/* Lets a test act while a reader copies a value. */
#include "impls/base/words.h"

static void (*while_copying)(void);

static inline void load_interrupted(void *element, const chan_word_t *words, size_t size)
{
	chan_words_load(element, words, size);
	if (while_copying != NULL)
		while_copying();
}

#define chan_words_load load_interrupted
#include "impls/futex/watch.c"

#include <semaphore.h>

static const struct chan_watch_ops *const ops = &chan_futex_watch_ops;
static const struct chan_config numbers = {.size = sizeof(uint64_t), .start = UINT64_MAX - 1};

static struct chan_sender *tx;
static struct chan_receiver *rx;

static void open_numbers(uint64_t initial)
{
	assert_int_equal(ops->open(&numbers, &initial, &tx, &rx), CHAN_OK);
}

static void close_all(void)
{
	ops->sender_drop(&tx);
	ops->receiver_drop(&rx);
}

static bool set_to(void *value, void *arg)
{
	*(uint64_t *)value = *(uint64_t *)arg;
	return true;
}

static bool equals(const void *value, void *arg)
{
	return *(const uint64_t *)value == *(uint64_t *)arg;
}

static void changed_forever(void *status)
{
	*(enum chan_status *)status = ops->changed(rx, CHAN_FOREVER);
}

static struct channel *channel(void)
{
	return channel_of((struct handle *)(rx != NULL ? (void *)rx : (void *)tx));
}

static unsigned flags(void)
{
	return flags_of(channel());
}

/* The lock is held by this very thread: whoever takes it never returns. */
static void nobody_alone_takes_the_lock(void **state)
{
	uint64_t value = 1;
	bool unseen;

	(void)state;
	open_numbers(0);
	pthread_mutex_lock(&channel()->core.lock);
	assert_int_equal(ops->send(tx, &value), CHAN_OK);
	assert_int_equal(ops->has_changed(rx), CHAN_OK);
	assert_int_equal(ops->borrow(rx, &value, &unseen), CHAN_OK);
	assert_true(unseen);
	assert_int_equal(ops->changed(rx, CHAN_FOREVER), CHAN_OK);
	assert_int_equal(ops->changed(rx, CHAN_NOW), CHAN_EMPTY);
	assert_int_equal(ops->borrow_and_update(rx, &value, &unseen), CHAN_OK);
	assert_int_equal(ops->wait_for(rx, equals, &value, &value, CHAN_FOREVER), CHAN_OK);
	assert_int_equal(ops->sender_borrow(tx, &value), CHAN_OK);
	ops->mark_unchanged(rx);
	pthread_mutex_unlock(&channel()->core.lock);
	close_all();
}

static void flags_say_who_there_is(void **state)
{
	struct chan_receiver *other;
	struct chan_sender *clone, *third;

	(void)state;
	open_numbers(0);
	assert_int_equal(flags(), 0);
	assert_int_equal(ops->sender_clone(tx, &clone), CHAN_OK);
	assert_int_equal(ops->sender_clone(clone, &third), CHAN_OK);
	assert_int_equal(flags(), SHARED);
	ops->sender_drop(&clone);
	assert_int_equal(flags(), SHARED);
	ops->sender_drop(&tx);
	assert_int_equal(flags(), 0);
	tx = third;
	assert_int_equal(ops->receiver_clone(rx, &other), CHAN_OK);
	ops->receiver_drop(&other);
	assert_int_equal(flags(), 0);
	ops->receiver_drop(&rx);
	assert_int_equal(flags(), NO_RECEIVERS);
	assert_int_equal(ops->subscribe(tx, &rx), CHAN_OK);
	assert_int_equal(flags(), 0);
	ops->sender_drop(&tx);
	assert_int_equal(flags(), NO_SENDERS);
	ops->receiver_drop(&rx);
}

/* Attention is asked for by who waits, and no longer than somebody does. */
static void attention_ends_with_the_wait(void **state)
{
	struct test_waiter changed = test_waiter();
	enum chan_status status;
	struct sleeper s;
	uint64_t value = 1;

	(void)state;
	open_numbers(0);
	sleeper_start(&s, changed_forever, &status);
	sleeper_await(&s);
	assert_int_equal(flags(), ATTENTION);
	assert_int_equal(ops->send(tx, &value), CHAN_OK);
	assert_int_equal(flags(), 0);
	sleeper_join(&s);

	assert_int_equal(ops->arm_changed(rx, &changed.waiter), CHAN_ARMED);
	assert_int_equal(flags(), ATTENTION);
	assert_false(ops->disarm(&changed.waiter));
	assert_int_equal(ops->send(tx, &value), CHAN_OK); /* finds nobody */
	assert_int_equal(flags(), 0);
	assert_int_equal(ops->changed(rx, 1), CHAN_OK);
	assert_int_equal(ops->changed(rx, 1), CHAN_TIMEOUT);
	assert_int_equal(ops->send(tx, &value), CHAN_OK);
	assert_int_equal(flags(), 0);
	close_all();
}

/* The writer comes late to the lock: the receiver has seen what it wrote, and waits for the
 * next. */
static void a_version_that_was_seen_wakes_nobody(void **state)
{
	struct test_waiter first = test_waiter(), second = test_waiter();
	uint64_t value = 1;

	(void)state;
	open_numbers(0);
	assert_int_equal(ops->arm_changed(rx, &first.waiter), CHAN_ARMED);
	seqbuf_prepare(&channel()->value, &channel()->shape, &value);
	publish(channel(), true);
	assert_int_equal(ops->changed(rx, CHAN_NOW), CHAN_OK);
	assert_int_equal(ops->arm_changed(rx, &second.waiter), CHAN_ARMED);
	tell((struct handle *)tx);
	assert_int_equal(atomic_load(&first.fired), 1); /* there was a change since it was armed */
	assert_int_equal(atomic_load(&second.fired), 0);
	assert_int_equal(flags(), ATTENTION);
	assert_int_equal(ops->send(tx, &value), CHAN_OK);
	assert_int_equal(atomic_load(&second.fired), 1);
	assert_true(ops->disarm(&first.waiter));
	assert_true(ops->disarm(&second.waiter));
	close_all();
}

/* ------------------------------------------------------------------------------------------
 * Readers that starve
 */

static int overwritten, begun_before;

/* A writer that overwrites each copy, until it sees that it must not; it sees that one write
 * late. */
static void overwrite(void)
{
	uint64_t value;

	if ((flags() & ATTENTION) != 0 && begun_before-- <= 0)
		return;
	value = (uint64_t)++overwritten;
	seqbuf_prepare(&channel()->value, &channel()->shape, &value);
	publish(channel(), true);
}

static void a_reader_that_starves_stops_the_writer(void **state)
{
	uint64_t value = 0;

	(void)state;
	for (int begun = 0; begun < 2; begun++) {
		open_numbers(0);
		overwritten = 0;
		begun_before = begun;
		while_copying = overwrite;
		assert_int_equal(ops->borrow(rx, &value, NULL), CHAN_OK);
		while_copying = NULL;
		/* one of them on the straight way */
		assert_int_equal(overwritten, 1 + TRIES + begun);
		assert_int_equal(value, overwritten);
		assert_int_equal(flags(), 0);
		close_all();
	}
}

/* ------------------------------------------------------------------------------------------
 * A function that modifies, and takes its time
 */

static sem_t modify_entered, modify_let_go;

static bool stay(void *value, void *arg)
{
	*(uint64_t *)value = 1; /* nobody sees that */
	sem_post(&modify_entered);
	while (sem_wait(&modify_let_go) != 0)
		;
	return set_to(value, arg);
}

static void modify_slowly(void *arg)
{
	MUST(ops->modify(tx, stay, arg, NULL) == CHAN_OK);
}

static void send_8(void *arg)
{
	uint64_t value = 8;

	MUST(ops->send(arg, &value) == CHAN_OK);
}

/* Whatever anybody else may do meanwhile is done. */
static void meanwhile(void)
{
	struct chan_receiver *other;
	uint64_t value = 9;

	assert_int_equal(ops->borrow(rx, &value, NULL), CHAN_OK);
	assert_int_equal(value, 0);
	assert_int_equal(ops->changed(rx, CHAN_NOW), CHAN_EMPTY);
	assert_int_equal(ops->receiver_clone(rx, &other), CHAN_OK);
	assert_int_equal(ops->receiver_get(rx, CHAN_RECEIVERS), 2);
	ops->receiver_drop(&other);
}

static void a_slow_modification_stops_only_writers(void **state)
{
	struct sleeper modifier, writer;
	struct chan_sender *other;
	uint64_t value = 7;
	bool unseen;

	(void)state;
	sem_init(&modify_entered, 0, 0);
	sem_init(&modify_let_go, 0, 0);
	open_numbers(0);
	sleeper_start(&modifier, modify_slowly, &value);
	sem_wait(&modify_entered);
	meanwhile();
	sem_post(&modify_let_go);
	sleeper_join(&modifier);
	assert_int_equal(ops->borrow_and_update(rx, &value, &unseen), CHAN_OK);
	assert_true(unseen && value == 7);
	close_all();

	open_numbers(0);
	assert_int_equal(ops->sender_clone(tx, &other), CHAN_OK);
	sleeper_start(&modifier, modify_slowly, &value);
	sem_wait(&modify_entered);
	sleeper_start(&writer, send_8, other);
	sleeper_await(&writer);
	meanwhile();
	sem_post(&modify_let_go);
	sleeper_join(&modifier);
	sleeper_join(&writer);
	assert_int_equal(ops->borrow(rx, &value, &unseen), CHAN_OK);
	assert_true(unseen && value == 8);
	ops->sender_drop(&other);
	close_all();
	sem_destroy(&modify_let_go);
	sem_destroy(&modify_entered);
}

/* ------------------------------------------------------------------------------------------
 * Lost wakes: a lone writer that makes no system call, and one who goes to sleep at the same moment
 */

enum { ROUNDS = 20000, SENDS = 3000 };

static void answer(void *arg)
{
	struct chan_sender *back = arg;
	uint64_t got = 0;
	bool unseen;

	while (got != ROUNDS) {
		MUST(ops->changed(rx, CHAN_FOREVER) == CHAN_OK);
		uint64_t before = got;
		MUST(ops->borrow_and_update(rx, &got, &unseen) == CHAN_OK);
		MUST(!unseen && got == before + 1);
		MUST(ops->send(back, &got) == CHAN_OK);
	}
	ops->sender_drop(&back);
	ops->receiver_drop(&rx);
}

/* Each number is sent when the one before has come back. `looks`: how often to look before
 * sleeping; 0 sleeps at once. */
static void play(uint32_t looks)
{
	struct chan_config config = {.size = sizeof(uint64_t), .start = UINT64_MAX - ROUNDS / 2};
	struct chan_receiver *answers;
	struct chan_sender *back;
	struct sleeper player;
	uint64_t got = 0;

	chan_spin_setup();
	uint32_t before = atomic_exchange(&chan_spin_looks, looks);
	assert_int_equal(ops->open(&config, &got, &tx, &rx), CHAN_OK);
	assert_int_equal(ops->open(&config, &got, &back, &answers), CHAN_OK);
	sleeper_start(&player, answer, back);
	for (uint64_t i = 1; i <= ROUNDS; i++) {
		assert_int_equal(ops->send(tx, &i), CHAN_OK);
		assert_int_equal(ops->changed(answers, CHAN_FOREVER), CHAN_OK);
		assert_int_equal(ops->borrow(answers, &got, NULL), CHAN_OK);
		assert_int_equal(got, i);
	}
	sleeper_join(&player);
	assert_int_equal(ops->changed(answers, CHAN_FOREVER), CHAN_CLOSED);
	ops->sender_drop(&tx);
	ops->receiver_drop(&answers);
	atomic_store(&chan_spin_looks, before);
}

static void no_wake_is_lost(void **state)
{
	(void)state;
	play(0);
	play(3);
}

/* Clones of the sender come and go while it writes: with one sender without the lock, with two
 * under it. */
static void clone_and_drop(void *arg)
{
	struct chan_sender *mine = arg, *other;
	uint64_t words[64];

	for (uint64_t i = 1; i <= SENDS; i++) {
		for (int k = 0; k < 64; k++)
			words[k] = i;
		MUST(ops->sender_clone(mine, &other) == CHAN_OK);
		MUST(ops->send(mine, words) == CHAN_OK);
		ops->sender_drop(i % 2 == 0 ? &mine : &other);
		if (mine == NULL)
			mine = other;
		MUST(ops->send_replace(mine, words, words) == CHAN_OK);
	}
	ops->sender_drop(&mine);
}

static void senders_come_and_go(void **state)
{
	struct chan_config config = {.size = 512};
	uint64_t words[64] = {0};
	struct chan_sender *tx2;
	struct sleeper writers[2];
	enum chan_status status;

	(void)state;
	assert_int_equal(ops->open(&config, words, &tx, &rx), CHAN_OK);
	assert_int_equal(ops->sender_clone(tx, &tx2), CHAN_OK);
	sleeper_start(&writers[0], clone_and_drop, tx);
	sleeper_start(&writers[1], clone_and_drop, tx2);
	while ((status = ops->changed(rx, CHAN_FOREVER)) == CHAN_OK) {
		assert_int_equal(ops->borrow(rx, words, NULL), CHAN_OK);
		for (int k = 1; k < 64; k++)
			assert_int_equal(words[k], words[0]);
	}
	assert_int_equal(status, CHAN_CLOSED);
	assert_int_equal(words[0], SENDS);
	for (int i = 0; i < 2; i++)
		sleeper_join(&writers[i]);
	ops->receiver_drop(&rx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TALLIED(nobody_alone_takes_the_lock),
		TALLIED(flags_say_who_there_is),
		TALLIED(attention_ends_with_the_wait),
		TALLIED(a_version_that_was_seen_wakes_nobody),
		TALLIED(a_reader_that_starves_stops_the_writer),
		TALLIED(a_slow_modification_stops_only_writers),
		TALLIED(no_wake_is_lost),
		TALLIED(senders_come_and_go),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
