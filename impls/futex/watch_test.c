/* SPDX-License-Identifier: MIT */
#include "impls/testing/items_testing.h"

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
#include "impls/futex/watch_write.c"
#include "impls/futex/watch_read.c"

static bool seen_all(const struct chan_receiver *r)
{
	const struct handle *h = (const struct handle *)r;

	if (chan_futex_watch_hooked(h))
		return ((const struct watch_receiver *)r)->seen == watch_of(h)->version;
	return ((const struct chan_futex_watch_receiver *)r)->seen == chan_futex_watch_version(chan_futex_watch_of(h));
}

#define WATCH              chan_futex_watch_ops
#define WATCH_SEEN_ALL(rx) seen_all(rx)
#include "impls/testing/watch_testing.h"

#include <semaphore.h>

static struct futex_watch *channel(void)
{
	return chan_futex_watch_of((struct handle *)(rx != NULL ? (void *)rx : (void *)tx));
}

static unsigned flags_of(void)
{
	return chan_futex_watch_flags(channel());
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
	assert_int_equal(flags_of(), 0);
	assert_int_equal(ops->sender_clone(tx, &clone), CHAN_OK);
	assert_int_equal(ops->sender_clone(clone, &third), CHAN_OK);
	assert_int_equal(flags_of(), WATCH_SHARED);
	ops->sender_drop(&clone);
	assert_int_equal(flags_of(), WATCH_SHARED);
	ops->sender_drop(&tx);
	assert_int_equal(flags_of(), 0);
	tx = third;
	assert_int_equal(ops->receiver_clone(rx, &other), CHAN_OK);
	ops->receiver_drop(&other);
	assert_int_equal(flags_of(), 0);
	ops->receiver_drop(&rx);
	assert_int_equal(flags_of(), WATCH_DESERTED);
	assert_int_equal(ops->subscribe(tx, &rx), CHAN_OK);
	assert_int_equal(flags_of(), 0);
	ops->sender_drop(&tx);
	assert_int_equal(flags_of(), WATCH_ENDED);
	ops->receiver_drop(&rx);
}

/* Attention is asked for by who waits, and no longer than somebody does. */
static void attention_ends_with_the_wait(void **state)
{
	struct counter changed = COUNTER;
	enum chan_status status;
	struct sleeper s;
	uint64_t value = 1;

	(void)state;
	open_numbers(0);
	sleeper_start(&s, changed_forever, &status);
	sleeper_await(&s);
	assert_int_equal(flags_of(), WATCH_ATTENTION);
	assert_int_equal(ops->send(tx, &value), CHAN_OK);
	assert_int_equal(flags_of(), 0);
	sleeper_join(&s);

	assert_int_equal(ops->arm_changed(rx, &changed.waiter), CHAN_ARMED);
	assert_int_equal(flags_of(), WATCH_ATTENTION);
	assert_false(ops->disarm(&changed.waiter));
	assert_int_equal(ops->send(tx, &value), CHAN_OK); /* finds nobody */
	assert_int_equal(flags_of(), 0);
	assert_int_equal(ops->changed(rx, 1), CHAN_OK);
	assert_int_equal(ops->changed(rx, 1), CHAN_TIMEOUT);
	assert_int_equal(ops->send(tx, &value), CHAN_OK);
	assert_int_equal(flags_of(), 0);
	close_all();
}

/* The writer comes late to the lock: the receiver has seen what it wrote, and waits for the
 * next. */
static void a_version_that_was_seen_wakes_nobody(void **state)
{
	struct counter first = COUNTER, second = COUNTER;
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
	assert_int_equal(flags_of(), WATCH_ATTENTION);
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

	if ((flags_of() & WATCH_ATTENTION) != 0 && begun_before-- <= 0)
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
		assert_int_equal(flags_of(), 0);
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

/* ------------------------------------------------------------------------------------------ */

static void nothing_is_lost_without_memory(void **state)
{
	struct chan_config large = {.size = 4096};
	enum chan_status status = CHAN_NOMEM;
	struct chan_receiver *other;
	struct chan_sender *clone;
	char value[4096] = {0};
	long n = 0;

	(void)state;
	for (; status != CHAN_OK; n++) {
		tx = NULL;
		rx = NULL;
		atomic_store(&allocations_left, n);
		status = ops->open(&large, value, &tx, &rx);
		assert_true(status == CHAN_OK || (status == CHAN_NOMEM && tx == NULL && rx == NULL));
	}
	assert_int_equal(n, 4); /* the channel, a sender, a receiver: each failed once */
	atomic_store(&allocations_left, 0);
	assert_int_equal(ops->sender_clone(tx, &clone), CHAN_NOMEM);
	assert_int_equal(ops->receiver_clone(rx, &other), CHAN_NOMEM);
	assert_int_equal(ops->subscribe(tx, &other), CHAN_NOMEM);
	assert_int_equal(ops->modify(tx, set_to, value, NULL), CHAN_NOMEM);
	assert_int_equal(ops->send(tx, value), CHAN_OK);
	assert_int_equal(ops->borrow(rx, value, NULL), CHAN_OK);
	atomic_store(&allocations_left, PLENTY);
	assert_int_equal(ops->modify(tx, set_to, value, NULL), CHAN_OK);
	assert_int_equal(ops->sender_get(tx, CHAN_SENDERS), 1);
	assert_int_equal(ops->sender_get(tx, CHAN_RECEIVERS), 1);
	assert_int_equal(flags_of(), 0);
	close_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WATCH_TESTS,
		TEST(nobody_alone_takes_the_lock),
		TEST(flags_say_who_there_is),
		TEST(attention_ends_with_the_wait),
		TEST(a_version_that_was_seen_wakes_nobody),
		TEST(a_reader_that_starves_stops_the_writer),
		TEST(a_slow_modification_stops_only_writers),
		TEST(nothing_is_lost_without_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
