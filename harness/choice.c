/* SPDX-License-Identifier: MIT */
#include "harness/choice.h"

#include "harness/say.h"

#include <stdlib.h>
#include <string.h>

static bool names_it(const struct names *names, const char *name)
{
	return names_index(names, name) != names->count;
}

int choice_check(const struct names *names, const struct impl_set *set)
{
	size_t count = 0, peers = 0;
	const char **known = calloc(set->count + 2, sizeof *known);

	if (known == NULL) {
		say("out of memory");
		return -1;
	}
	for (size_t i = 0; i < set->absent_count; i++)
		if (names_it(names, set->absent[i].name) && impl_set_find(set, set->absent[i].name) == NULL) {
			say("'%s' is %s", set->absent[i].name, set->absent[i].cure);
			free(known);
			return -1;
		}
	for (size_t i = 0; i < set->count; i++) {
		known[count++] = set->infos[i].name;
		peers += set->infos[i].peer;
	}
	known[count++] = "all";
	known[count++] = "peers";
	int failed = names_check("implementation", names, known, count);
	if (failed == 0 && peers == 0 && names_it(names, "peers")) {
		say("there is no peer in this build: 'chanbench list' says what to install");
		failed = -1;
	}
	free(known);
	return failed;
}

bool choice_has(const struct names *names, const struct impl_info *info)
{
	if (names->count == 0)
		return !info->peer || info->driver.named;
	return names_it(names, info->name) || names_it(names, "all") || (info->peer && names_it(names, "peers"));
}

int choice_check_tested(const struct names *names, const struct impl_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct impl_info *info = &set->infos[i];
		if (info->driver.program[0] != '\0' && names_it(names, info->name)) {
			say("'%s' runs in a program of its own, not behind the contract: it can be measured (chanbench bench "
			    "--impl=%s) but not tested",
			    info->name, info->name);
			return -1;
		}
	}
	return choice_check(names, set);
}

bool choice_has_tested(const struct names *names, const struct impl_info *info)
{
	return info->driver.program[0] == '\0' && choice_has(names, info);
}
