/* SPDX-License-Identifier: MIT */
#include "harness/bench/plan.h"

#include "harness/bench/sweep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Two implementations that nobody runs: one with everything, one with the bounded channel alone. */
static struct impl_info infos[2];
static const struct impl_set set = {.infos = infos, .count = 2};

static int make_infos(void **state)
{
	(void)state;
	memset(infos, 0, sizeof infos);
	strcpy(infos[0].name, "all");
	strcpy(infos[1].name, "few");
	for (enum kind kind = 0; kind < KIND_COUNT; kind++)
		infos[0].offered[kind] = UINT64_MAX;
	infos[1].offered[KIND_MPSC] = 0x1f; /* the minimum: no sender_clone */
	return 0;
}

static struct plan plan;

static int make(struct plan_request request)
{
	return plan_make(&plan, &request, &set);
}

static size_t count(enum control control, bool runs)
{
	size_t n = 0;
	for (size_t i = 0; i < plan.cell_count; i++)
		n += plan.cells[i].control == control && (plan.cells[i].lacks == NULL) == runs;
	return n;
}

static void test_one_block_with_its_controls(void **state)
{
	char name[256];
	(void)state;
	assert_int_equal(make((struct plan_request){.scenarios = "spsc",
	                                            .params = (const char *[]){"capacity=7"},
	                                            .param_count = 1,
	                                            .controls = true}),
	                 0);
	assert_int_equal(plan.blocks[0].count, 4); /* null, all, few, all again */
	assert_int_equal(count(CONTROL_NULL, true), 1);
	assert_int_equal(count(CONTROL_AA, true), 1);
	const struct cell *again = &plan.cells[3];
	assert_int_equal(again->control, CONTROL_AA);
	assert_ptr_equal(plan.cells[again->twin].impl, again->impl);
	assert_int_equal(plan.cells[again->twin].control, CONTROL_NONE);
	assert_int_equal(plan.cells[1].twin, 1);
	plan_name(&plan, again, name, sizeof name);
	assert_non_null(strstr(name, "spsc/all@aa/capacity:7/"));
	plan_name(&plan, &plan.cells[0], name, sizeof name);
	assert_non_null(strstr(name, "spsc/null/capacity:7/"));
	plan_close(&plan);

	assert_int_equal(make((struct plan_request){
				 .scenarios = "spsc", .params = (const char *[]){"capacity=7"}, .param_count = 1}),
	                 0);
	assert_int_equal(plan.cell_count, 2);
	plan_close(&plan);
}

static void test_every_combination_once(void **state)
{
	(void)state;
	assert_int_equal(
		make((struct plan_request){.impls = "all",
	                                   .scenarios = "fan_in",
	                                   .params = (const char *[]){"producers=1,2,4", "capacity=1,unbounded"},
	                                   .param_count = 2}),
		0);
	assert_int_equal(plan.block_count, 6);
	for (size_t i = 0; i < plan.block_count; i++)
		for (size_t k = 0; k < i; k++)
			assert_true(plan.blocks[i].params.v[PARAM_PRODUCERS] !=
			                    plan.blocks[k].params.v[PARAM_PRODUCERS] ||
			            plan.blocks[i].params.v[PARAM_CAPACITY] != plan.blocks[k].params.v[PARAM_CAPACITY]);
	assert_int_equal(plan.blocks[0].kind, KIND_MPSC);
	assert_int_equal(plan.blocks[1].kind, KIND_UNBOUNDED);
	plan_close(&plan);
}

static void test_what_is_lacking(void **state)
{
	(void)state;
	assert_int_equal(make((struct plan_request){
				 .scenarios = "fan_in", .params = (const char *[]){"producers=2"}, .param_count = 1}),
	                 0);
	assert_string_equal(plan.cells[1].lacks, "sender_clone");
	plan_close(&plan);
	assert_int_equal(make((struct plan_request){.scenarios = "spsc",
	                                            .params = (const char *[]){"capacity=unbounded"},
	                                            .param_count = 1}),
	                 0);
	assert_string_equal(plan.cells[1].lacks, "unbounded");
	plan_close(&plan);
	/* Nothing that could run remains: the limits alone are no reason to start. */
	assert_int_equal(make((struct plan_request){.impls = "few", .scenarios = "watch", .controls = true}), -1);
	plan_close(&plan);
}

static void test_all_presets_of_everything(void **state)
{
	(void)state;
	assert_int_equal(make((struct plan_request){.controls = true}), 0);
	for (size_t i = 0; i < plan.block_count; i++)
		for (size_t k = plan.blocks[i].first; k < plan.blocks[i].first + plan.blocks[i].count; k++)
			assert_int_equal(plan.cells[k].block, i);
	for (size_t w = 0; workloads[w] != NULL; w++) {
		bool found = false;
		for (size_t i = 0; i < plan.block_count; i++)
			found |= plan.blocks[i].workload == workloads[w];
		assert_true(found);
	}
	plan_close(&plan);
}

static void test_only_who_has_it(void **state)
{
	(void)state;
	/* Not named: who lacks the parameter, or cannot take its value, is left out. */
	assert_int_equal(make((struct plan_request){.params = (const char *[]){"consumers=2"}, .param_count = 1}), 0);
	for (size_t i = 0; i < plan.block_count; i++)
		assert_true(sweep_has(plan.blocks[i].workload, PARAM_CONSUMERS));
	plan_close(&plan);
	/* Named: it must have it. */
	assert_int_equal(make((struct plan_request){
				 .scenarios = "spsc", .params = (const char *[]){"consumers=2"}, .param_count = 1}),
	                 -1);
	plan_close(&plan);
}

/* Every run with controls has them, once, after all else; and they can be asked for by name,
 * then alone. */
static void test_limits(void **state)
{
	static const char *const ring[] = {"mode=ring"};
	char name[256];

	(void)state;
	for (int named = 0; named < 2; named++) {
		assert_int_equal(make((struct plan_request){.scenarios = named ? "limits,spsc" : "spsc",
		                                            .presets = named ? NULL : "comparison",
		                                            .controls = true}),
		                 0);
		assert_int_equal(count(CONTROL_LIMIT, true), 5);
		for (size_t i = 0; i < 5; i++) {
			const struct block *block = &plan.blocks[plan.block_count - 5 + i];
			assert_ptr_equal(block->workload, &limits);
			assert_int_equal(block->count, 1);
			assert_int_equal(block->params.v[PARAM_MODE], i);
		}
		plan_name(&plan, &plan.cells[plan.cell_count - 5], name, sizeof name);
		assert_string_equal(name, "limits/limit/mode:ring");
		plan_close(&plan);
	}
	assert_int_equal(make((struct plan_request){.scenarios = "spsc"}), 0);
	assert_int_equal(count(CONTROL_LIMIT, true), 0);
	plan_close(&plan);
	assert_int_equal(make((struct plan_request){.scenarios = "limits", .params = ring, .param_count = 1}), 0);
	assert_int_equal(plan.cell_count, 1);
	plan_close(&plan);
}

static void test_refused(void **state)
{
	static const struct {
		const char *impls, *scenarios, *presets, *param;
	} bad[] = {
		{"al", NULL, NULL, NULL},          {"all,all", NULL, NULL, NULL},
		{"all,", NULL, NULL, NULL},        {NULL, "fan", NULL, NULL},
		{NULL, "fan_*", NULL, NULL},       {NULL, NULL, "nothing", NULL},
		{NULL, NULL, NULL, "producers"},   {NULL, NULL, NULL, "producers="},
		{NULL, NULL, NULL, "=1"},          {NULL, NULL, NULL, "producer=1"},
		{NULL, NULL, NULL, "producers=0"}, {NULL, NULL, NULL, "producers=1,1"},
		{NULL, NULL, NULL, "capacity=0"},  {NULL, NULL, NULL, "producers=1,,2"},
		{NULL, NULL, NULL, "size=8 "},
	};
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(make((struct plan_request){.impls = bad[i].impls,
		                                            .scenarios = bad[i].scenarios,
		                                            .presets = bad[i].presets,
		                                            .params = &bad[i].param,
		                                            .param_count = bad[i].param != NULL}),
		                 -1);
		plan_close(&plan);
	}
	assert_int_equal(
		make((struct plan_request){.params = (const char *[]){"producers=1", "producers=2"}, .param_count = 2}),
		-1);
	plan_close(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_block_with_its_controls),
		cmocka_unit_test(test_every_combination_once),
		cmocka_unit_test(test_what_is_lacking),
		cmocka_unit_test(test_all_presets_of_everything),
		cmocka_unit_test(test_only_who_has_it),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests(tests, make_infos, NULL);
}
