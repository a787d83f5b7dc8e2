/* SPDX-License-Identifier: MIT */
#include "impls/testing/elements.h"
#include "impls/mutex/queue.c"

static void queue_keeps_order_and_alignment(void **state)
{
	static const struct {
		size_t size, align, capacity;
	} cases[] = {{8, 8, 1}, {8, 8, 3}, {8, 8, 0}, {24, 8, 0}, {64, 64, 5}, {4096, 4096, 0}, {9000, 8, 0}};

	(void)state;
	for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
		struct layout layout = {cases[c].size, cases[c].align, cases[c].size};
		unsigned char *msg = calloc(1, layout.size);
		struct queue q;
		uint64_t in = 0, out = 0, id;

		assert_true(queue_open(&q, &layout, cases[c].capacity, UINT64_MAX - 3));
		for (size_t round = 0; round < 200; round++) {
			size_t most = cases[c].capacity != 0 ? cases[c].capacity : 1 + round * 7;
			while (queue_len(&q) < most) {
				memcpy(msg, &in, sizeof in);
				assert_true(queue_push(&q, msg));
				in++;
			}
			for (size_t n = round % 2 == 0 ? most : (most + 1) / 2; n > 0; n--) {
				assert_int_equal((uintptr_t)queue_front(&q) % layout.align, 0);
				queue_pop(&q, msg);
				memcpy(&id, msg, sizeof id);
				assert_int_equal(id, out);
				out++;
			}
			assert_int_equal(queue_len(&q), in - out);
		}
		queue_close(&q);
		free(msg);
	}
}

/* What a drained queue keeps is the block at its end and one spare: with no memory to be had, no
 * more than that fits (U-7). */
static void a_drained_queue_keeps_one_spare(void **state)
{
	struct layout layout = {8, 8, 8};
	uint64_t v = 0;
	size_t fit = 0;
	struct queue q;

	(void)state;
	assert_true(queue_open(&q, &layout, 0, 0));
	for (size_t i = 0; i < 100 * q.per_block + 1; i++)
		assert_true(queue_push(&q, &v));
	while (queue_len(&q) > 0)
		queue_pop(&q, NULL);
	atomic_store(&allocations_left, 0);
	while (queue_push(&q, &v))
		fit++;
	assert_int_equal(fit, 2 * q.per_block - 1);
	assert_int_equal(queue_len(&q), fit);
	atomic_store(&allocations_left, PLENTY);
	assert_true(queue_push(&q, &v));
	queue_close(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TALLIED(queue_keeps_order_and_alignment),
		TALLIED(a_drained_queue_keeps_one_spare),
	};

	return cmocka_run_group_tests_name("mutex/queue", tests, NULL, NULL);
}
