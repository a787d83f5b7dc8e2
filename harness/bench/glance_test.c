/* SPDX-License-Identifier: MIT */
#include "harness/bench/glance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PEERS = 12, IMPLS = PEERS + 2 };

static struct impl_info infos[IMPLS];
static struct impl_set set = {.infos = infos, .count = IMPLS};

/* Two of ours, and peers p0 to p11. */
static int fill(void **state)
{
	(void)state;
	for (size_t i = 0; i < IMPLS; i++) {
		memset(&infos[i], 0, sizeof infos[i]);
		if (i < 2)
			snprintf(infos[i].name, sizeof infos[i].name, "%s", i == 0 ? "mutex" : "futex");
		else
			snprintf(infos[i].name, sizeof infos[i].name, "p%zu", i - 2);
		infos[i].peer = i >= 2;
		infos[i].offered[KIND_MPSC] = UINT64_MAX;
	}
	return 0;
}

static void add(json_t *rows, const struct plan *plan, const struct cell *cell, double rate, const char *verdict)
{
	char name[1024];
	plan_name(plan, cell, name, sizeof name);
	for (int i = 0; i < 8; i++) {
		json_t *row = json_pack("{s:s,s:i,s:s,s:f}", "name", name, "process", i, "verdict",
		                        i == 3 ? verdict : "ok", "items_per_second", rate * (1 + 0.01 * i));
		assert_int_equal(json_array_append_new(rows, row), 0);
	}
}

/* Everything of spsc, at the rates of `rates` by implementation; a verdict for one of them. */
static char *print(const char *impls, const double *rates, size_t broken, const char *verdict, struct screen screen)
{
	static const char *const params[] = {"capacity=32"};
	struct plan_request request = {
		.impls = impls, .scenarios = "spsc", .params = params, .param_count = 1, .controls = true};
	struct plan plan;
	json_t *rows = json_array();
	char *text = NULL;
	size_t size = 0;

	assert_int_equal(plan_make(&plan, &request, &set), 0);
	for (size_t i = 0; i < plan.cell_count; i++) {
		const struct cell *cell = &plan.cells[i];
		size_t index = cell->impl != NULL ? (size_t)(cell->impl - infos) : 0;
		if (cell->control == CONTROL_NULL)
			add(rows, &plan, cell, 1e9, "ok");
		else if (cell->impl != NULL)
			add(rows, &plan, cell, rates[index] * (cell->control == CONTROL_AA ? 1.1 : 1),
			    index == broken ? verdict : "ok");
	}
	screen.out = open_memstream(&text, &size);
	assert_true(glance_print(&plan, rows, &screen));
	fclose(screen.out);
	json_decref(rows);
	plan_close(&plan);
	return text;
}

static void has(const char *text, const char *wanted)
{
	if (strstr(text, wanted) == NULL)
		fail_msg("no '%s' in:\n%s", wanted, text);
}

static void has_not(const char *text, const char *unwanted)
{
	if (strstr(text, unwanted) != NULL)
		fail_msg("'%s' in:\n%s", unwanted, text);
}

static void test_ratio_rank_and_noise(void **state)
{
	const double rates[IMPLS] = {1e6, 4e6};
	char *text = print("mutex,futex", rates, SIZE_MAX, "ok", (struct screen){.columns = 100});
	(void)state;
	has(text, "  0.25    2  1.00    1    10 %");
	has(text, "mpsc: futex (first in 1 of 1 cell, never below 1.00); then mutex (first in 0 of 1 cell");
	has_not(text, "\033");
	has_not(text, "at the limit");
	free(text);
}

static void test_overlap_is_a_range(void **state)
{
	const double rates[IMPLS] = {4.01e6, 4e6};
	char *text = print("mutex,futex", rates, SIZE_MAX, "ok", (struct screen){.columns = 100});
	(void)state;
	has(text, "  1.00  1-2  1.00  1-2");
	free(text);
}

/* However fast: the ratio is to the fastest that is correct. */
static void test_broken_is_a_word(void **state)
{
	const double rates[IMPLS] = {1e6, 9e8};
	char *text = print("mutex,futex", rates, 1, "lost 3 of 100 messages", (struct screen){.columns = 100});
	(void)state;
	has(text, "  1.00    1   lost");
	has(text, "mpsc: mutex (first in 1 of 1 cell, never below 1.00); there is no other; BROKEN in 1: futex");
	free(text);
}

static void test_at_the_limit(void **state)
{
	const double rates[IMPLS] = {1e6, 1e9};
	char *text = print("mutex,futex", rates, SIZE_MAX, "ok", (struct screen){.columns = 100});
	(void)state;
	has(text, " *\n");
	has(text, "at the limit");
	free(text);
}

/* Ours, and the best eight of twelve peers; no line is longer than the screen. */
static void test_many(void **state)
{
	double rates[IMPLS] = {1e3, 2e3};
	(void)state;
	for (size_t i = 2; i < IMPLS; i++)
		rates[i] = 1e5 * (double)(i + 1);
	char *text = print("all", rates, SIZE_MAX, "ok", (struct screen){.columns = 100});
	has(text, "4 more peers");
	has(text, "mutex");
	has(text, "p11");
	has(text, "p4");
	has_not(text, "p3");
	for (const char *line = text; line != NULL && *line != '\0';) {
		size_t length = strcspn(line, "\n");
		assert_in_range(length, 0, 100);
		line += length + (line[length] == '\n');
	}
	free(text);
}

static void test_colour_is_not_alone(void **state)
{
	const double rates[IMPLS] = {1e6, 4e6};
	char *text = print("mutex,futex", rates, 0, "hung", (struct screen){.columns = 100, .colour = true});
	(void)state;
	has(text, "\033[1;31mhung\033[0m");
	has(text, "\033[32m1.00    1\033[0m");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ratio_rank_and_noise),
		cmocka_unit_test(test_overlap_is_a_range),
		cmocka_unit_test(test_broken_is_a_word),
		cmocka_unit_test(test_at_the_limit),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_colour_is_not_alone),
	};
	return cmocka_run_group_tests(tests, fill, NULL);
}
