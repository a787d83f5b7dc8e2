/* SPDX-License-Identifier: MIT
 *
 * Every program on real threads, on every implementation of ours, a hundred times. A thread that is
 * never woken is found by the limit on the test's time.
 */
#include "harness/explore/driver/program.h"

#include "impls/channels.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

enum { RUNS = 100 };

static void every_program(void **state)
{
	struct impl_info info;
	size_t ran = 0;

	(void)state;
	for (const struct chan_impl *const *impl = chan_registry; *impl != NULL; impl++) {
		assert_null(info_describe(*impl, "", &info));
		for (const struct program *const *table = program_tables; *table != NULL; table++)
			for (const struct program *program = *table; program->name != NULL; program++)
				for (enum kind kind = 0; kind < KIND_COUNT; kind++) {
					if (!program_offered(program, &info, kind))
						continue;
					printf("%s %s/%s\n", info.name, kind_names[kind], program->name);
					fflush(stdout); /* the last line is the one that hangs */
					for (int run = 0; run < RUNS; run++)
						program_run(program, *impl, kind);
					ran++;
				}
	}
	assert_true(ran > 0);
}

static void names_are_unique(void **state)
{
	(void)state;
	for (const struct program *const *table = program_tables; *table != NULL; table++)
		for (const struct program *program = *table; program->name != NULL; program++) {
			assert_true(program->kinds != 0 && program->rules != NULL && program->summary != NULL);
			for (const struct program *const *t = program_tables; *t != NULL; t++)
				for (const struct program *other = *t; other->name != NULL; other++)
					assert_true(other == program || (other->kinds & program->kinds) == 0 ||
					            strcmp(other->name, program->name) != 0);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(names_are_unique), cmocka_unit_test(every_program)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
