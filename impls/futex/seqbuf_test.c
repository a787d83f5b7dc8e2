/* SPDX-License-Identifier: MIT */
#include "impls/base/words.h"
#include "impls/testing/elements.h"

/* Lets a test write while a reader copies: after the first half of its words. */
static void (*while_copying)(void);

static void load_interrupted(void *element, const chan_word_t *words, size_t size)
{
	size_t half = size / 16 * 8;

	chan_words_load(element, words, half);
	if (while_copying != NULL)
		while_copying();
	chan_words_load((char *)element + half, words + half / 8, size - half);
}

#define chan_words_load load_interrupted
#include "impls/futex/seqbuf.h"

#define LARGEST 1100

static struct seqbuf_shape shape;
static struct seqbuf *buf;
static int writes_meanwhile;
static unsigned char next_fill;

static void fill(unsigned char *element, unsigned char with)
{
	memset(element, with, LARGEST);
}

static void write_one(unsigned char with, uint64_t version)
{
	unsigned char element[LARGEST];

	fill(element, with);
	seqbuf_prepare(buf, &shape, element);
	seqbuf_publish(buf, &shape, version);
}

static void open_buf(size_t size, uint64_t start)
{
	unsigned char element[LARGEST];
	void *memory;

	seqbuf_shape(&shape, size);
	assert_int_equal(posix_memalign(&memory, SEQBUF_LINE, seqbuf_bytes(&shape)), 0);
	buf = memory;
	fill(element, 1);
	seqbuf_init(buf, &shape, element, start);
	while_copying = NULL;
}

/* Reads; true when the copy counts, and then every byte must be of the value `with`, and none
 * behind it touched. */
static bool reads(unsigned char with, uint64_t version)
{
	unsigned char element[LARGEST + 1];
	struct seqbuf_read read;

	memset(element, 0xEE, sizeof element);
	if (!seqbuf_try_read(buf, &shape, true, element, &read))
		return false;
	assert_int_equal(read.version, version);
	for (size_t i = 0; i < sizeof element; i++)
		assert_int_equal(element[i], i < shape.size ? with : 0xEE);
	return true;
}

static const size_t sizes[] = {0, 1, 7, 8, 9, 16, 17, 20, 24, 40, 63, 64, 65, 128, 200, 256, 257, 512, 513, LARGEST};
#define SIZES (sizeof sizes / sizeof *sizes)

static void every_size_comes_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < SIZES; i++) {
		open_buf(sizes[i], UINT64_MAX - 2);
		assert_true(reads(1, UINT64_MAX - 2));
		for (unsigned char k = 2; k < 10; k++) { /* over the wrap */
			write_one(k, UINT64_MAX - 3 + k);
			assert_true(reads(k, UINT64_MAX - 3 + k));
			assert_int_equal(seqbuf_version(buf, &shape), UINT64_MAX - 3 + k);
		}
		free(buf);
	}
}

static size_t buffers(size_t size)
{
	seqbuf_shape(&shape, size);
	return (size_t)shape.mask + 1;
}

/* Two buffers in the line of the numbers; else up to eight, each on lines of its own, in the
 * room that there is for them. */
static void as_many_buffers_as_there_is_room_for(void **state)
{
	(void)state;
	assert_int_equal(buffers(8), 2);
	assert_int_equal(seqbuf_bytes(&shape), SEQBUF_LINE);
	assert_int_equal(buffers(16), 2);
	assert_int_equal(seqbuf_bytes(&shape), SEQBUF_LINE);
	for (size_t i = 0; i < SIZES; i++) {
		size_t count = buffers(sizes[i]);
		if (shape.first + count * shape.stride <= SEQBUF_LINE)
			continue;
		assert_int_equal(seqbuf_bytes(&shape), shape.first + count * shape.stride);
		assert_true(shape.first >= 8 + 8 * count);
		assert_int_equal(shape.first % SEQBUF_LINE, 0);
		assert_int_equal(shape.stride % SEQBUF_LINE, 0);
		assert_true(count == SEQBUF_LEAST || count * shape.stride <= SEQBUF_ROOM);
		assert_true(count == SEQBUF_MOST || 2 * count * shape.stride > SEQBUF_ROOM);
	}
	assert_int_equal(buffers(256), 8);
	assert_int_equal(buffers(257), 4);
	assert_int_equal(buffers(1024), 2);
}

/* A write that is not published does not change its version: what was modified silently. */
static void the_version_goes_with_the_value(void **state)
{
	(void)state;
	open_buf(64, 5);
	write_one(2, 6);
	write_one(3, 6);
	write_one(4, 6);
	assert_true(reads(4, 6));
	write_one(5, 7);
	assert_true(reads(5, 7));
	free(buf);
}

static void write_meanwhile(void)
{
	for (int i = 0; i < writes_meanwhile; i++)
		write_one(next_fill++, 0);
}

static void begin_a_write(void)
{
	unsigned char element[LARGEST];

	fill(element, next_fill);
	seqbuf_prepare(buf, &shape, element);
}

/* Both ends of the condition: a copy counts up to the last write that leaves its buffer alone,
 * and not from the next on. */
static void a_copy_that_was_overwritten_does_not_count(void **state)
{
	(void)state;
	for (size_t i = 0; i < SIZES; i++)
		for (int n = 0; n < 10; n++) {
			open_buf(sizes[i], UINT64_MAX - 2);
			next_fill = 2;
			writes_meanwhile = n;
			while_copying = write_meanwhile;
			assert_int_equal(reads(1, UINT64_MAX - 2), n < (int)shape.mask);
			free(buf);
		}
}

/* A writer that stands in the middle of a write is passed by. */
static void a_write_that_stands_stops_nobody(void **state)
{
	(void)state;
	open_buf(64, 0);
	next_fill = 2;
	while_copying = begin_a_write;
	for (int i = 0; i < 3; i++)
		assert_true(reads(1, 0));
	while_copying = NULL;
	seqbuf_publish(buf, &shape, 1);
	assert_true(reads(2, 1));
	free(buf);
}

/* The writer's own view: the value before, until it publishes. */
static void the_writer_gets_what_it_replaces(void **state)
{
	unsigned char element[LARGEST];

	(void)state;
	open_buf(64, 0);
	fill(element, 2);
	seqbuf_prepare(buf, &shape, element);
	seqbuf_get(buf, &shape, element);
	assert_int_equal(element[0], 1);
	assert_int_equal(element[63], 1);
	seqbuf_publish(buf, &shape, 1);
	seqbuf_get(buf, &shape, element);
	assert_int_equal(element[63], 2);
	free(buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_size_comes_back),
		cmocka_unit_test(as_many_buffers_as_there_is_room_for),
		cmocka_unit_test(the_version_goes_with_the_value),
		cmocka_unit_test(a_copy_that_was_overwritten_does_not_count),
		cmocka_unit_test(a_write_that_stands_stops_nobody),
		cmocka_unit_test(the_writer_gets_what_it_replaces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
