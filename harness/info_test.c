/* SPDX-License-Identifier: MIT */
#include "harness/info.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Tables whose functions are never called: any address will do. */
static enum chan_status some_open(const struct chan_config *config, struct chan_sender **tx, struct chan_receiver **rx)
{
	(void)config;
	(void)tx;
	(void)rx;
	return CHAN_NOMEM;
}
static enum chan_status some_send(struct chan_sender *tx, const void *msg, uint64_t deadline)
{
	(void)tx;
	(void)msg;
	(void)deadline;
	return CHAN_INVALID;
}
static enum chan_status some_recv(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	(void)rx;
	(void)msg;
	(void)deadline;
	return CHAN_INVALID;
}
static void some_sender_drop(struct chan_sender **tx)
{
	*tx = NULL;
}
static void some_receiver_drop(struct chan_receiver **rx)
{
	*rx = NULL;
}
static enum chan_arm some_arm(struct chan_receiver *rx, struct chan_waiter *waiter)
{
	(void)rx;
	(void)waiter;
	return CHAN_NOT_ARMED;
}
static void some_permit_release(struct chan_permit *permit)
{
	permit->count = 0;
}
static uint64_t some_get(const struct chan_weak *weak, enum chan_property property)
{
	(void)weak;
	(void)property;
	return CHAN_UNKNOWN;
}

static const struct chan_mpsc_ops minimum = {.open = some_open,
                                             .send = some_send,
                                             .recv = some_recv,
                                             .sender_drop = some_sender_drop,
                                             .receiver_drop = some_receiver_drop};

static struct chan_impl impl_with(const struct chan_mpsc_ops *ops)
{
	return (struct chan_impl){.name = "mine", .mpsc = ops};
}

static void expect(const struct chan_impl *impl, const char *complaint)
{
	struct impl_info info;
	const char *got = info_describe(impl, "", &info);
	if (complaint == NULL)
		assert_null(got);
	else
		assert_string_equal(got, complaint);
}

static void test_minimum_is_enough(void **state)
{
	struct chan_impl impl = impl_with(&minimum);
	struct impl_info info;
	(void)state;
	assert_null(info_describe(&impl, "/somewhere/mine.so", &info));
	assert_string_equal(info.name, "mine");
	assert_string_equal(info.family, "mine");
	assert_string_equal(info.plugin, "/somewhere/mine.so");
	assert_true(info_offers(&info, KIND_MPSC, "receiver_drop"));
	assert_false(info_offers(&info, KIND_MPSC, "sender_clone"));
	assert_false(info_offers(&info, KIND_UNBOUNDED, "open"));
}

/* The last function of a table is where a shifted list would show. */
static void test_each_bit_is_its_function(void **state)
{
	struct chan_mpsc_ops ops = minimum;
	struct impl_info info;
	(void)state;
	ops.weak_get = some_get;
	struct chan_impl impl = impl_with(&ops);
	assert_null(info_describe(&impl, "", &info));
	assert_true(info_offers(&info, KIND_MPSC, "weak_get"));
	assert_false(info_offers(&info, KIND_MPSC, "receiver_get"));

	/* Every function of every table is named once: the names are as many as the pointers. */
	static const size_t sizes[KIND_COUNT] = {sizeof(struct chan_mpsc_ops), sizeof(struct chan_mpsc_ops),
	                                         sizeof(struct chan_oneshot_ops), sizeof(struct chan_broadcast_ops),
	                                         sizeof(struct chan_watch_ops)};
	for (enum kind kind = 0; kind < KIND_COUNT; kind++) {
		size_t n = 0;
		for (; kind_op(kind, n) != NULL; n++)
			for (size_t k = 0; k < n; k++)
				assert_string_not_equal(kind_op(kind, n), kind_op(kind, k));
		assert_int_equal(n, sizes[kind] / sizeof(void (*)(void)));
		assert_int_equal(kind_of_name(kind_names[kind]), kind);
	}
	assert_int_equal(kind_of_name("mpmc"), KIND_COUNT);
}

static void test_bad_tables(void **state)
{
	struct chan_mpsc_ops ops = minimum;
	struct chan_impl impl = impl_with(&ops);
	(void)state;
	ops.receiver_drop = NULL;
	expect(&impl, "its mpsc lacks receiver_drop, which is part of the minimum");
	ops = minimum;
	ops.arm_recv = some_arm;
	expect(&impl, "its mpsc has arm_recv without disarm");
	ops = minimum;
	ops.permit_release = some_permit_release;
	expect(&impl, "its mpsc has permit_release without permit_send");
	impl.mpsc = NULL;
	expect(&impl, "it offers no kind at all");
}

static void test_bad_names(void **state)
{
	struct chan_impl impl = impl_with(&minimum);
	(void)state;
	impl.name = "Mine";
	expect(&impl, "the name 'Mine' is not 1 to 32 of a-z, 0-9, '_' and '-'");
	impl.name = "";
	expect(&impl, "the name '' is not 1 to 32 of a-z, 0-9, '_' and '-'");
	impl.name = NULL;
	expect(&impl, "an implementation in it has no name");
	impl.name = "abcdefghijklmnopqrstuvwxyz012345";
	expect(&impl, NULL);
	impl.name = "abcdefghijklmnopqrstuvwxyz0123456";
	expect(&impl, "the name 'abcdefghijklmnopqrstuvwxyz012345' is not 1 to 32 of a-z, 0-9, '_' and '-'");
}

static void test_deviations(void **state)
{
	static const struct chan_deviation good[] = {{"M-22", "lets others\noverhaul"}, {NULL, NULL}};
	static const struct chan_deviation bad[] = {{"M-46", "loses messages"}, {NULL, NULL}};
	struct chan_impl impl = impl_with(&minimum);
	struct impl_info info;
	(void)state;
	impl.deviations = good;
	assert_null(info_describe(&impl, "", &info));
	assert_int_equal(info.deviation_count, 1);
	assert_string_equal(info.deviations[0].why, "lets others?overhaul");
	impl.deviations = bad;
	expect(&impl, "it declares a deviation from M-46; only M-22, M-23 and M-25 may be declared");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_minimum_is_enough), cmocka_unit_test(test_each_bit_is_its_function),
		cmocka_unit_test(test_bad_tables),        cmocka_unit_test(test_bad_names),
		cmocka_unit_test(test_deviations),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
