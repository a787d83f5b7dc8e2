/* SPDX-License-Identifier: MIT */
#include "harness/bench/names.h"

#include "harness/say.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

size_t names_index(const struct names *names, const char *name)
{
	size_t i = 0;
	while (i < names->count && strcmp(names->of[i], name) != 0)
		i++;
	return i;
}

int names_split(struct names *names, const char *text, const char *what)
{
	*names = (struct names){.text = text != NULL ? strdup(text) : NULL};
	if (text != NULL && names->text == NULL) {
		say("out of memory");
		return -1;
	}
	for (char *name = names->text, *next; name != NULL; name = next) {
		next = strchr(name, ',');
		if (next != NULL)
			*next++ = '\0';
		if (name[0] == '\0')
			say("--%s has an empty name in '%s'", what, text);
		else if (names_index(names, name) != names->count)
			say("--%s names '%s' twice", what, name);
		else if (names->count == NAMES_MAX)
			say("--%s names more than %d", what, NAMES_MAX);
		else {
			names->of[names->count++] = name;
			continue;
		}
		return -1;
	}
	return 0;
}

void names_free(struct names *names)
{
	free(names->text);
	*names = (struct names){.text = NULL};
}

int names_check(const char *what, const struct names *names, const char *const *known, size_t count)
{
	for (size_t i = 0; i < names->count; i++) {
		bool found = false;
		for (size_t k = 0; k < count; k++)
			found |= strcmp(known[k], names->of[i]) == 0;
		if (found)
			continue;
		const char *nearest = say_nearest(names->of[i], known, count);
		if (nearest != NULL)
			say("unknown %s '%s'; did you mean '%s'?", what, names->of[i], nearest);
		else
			say("unknown %s '%s': 'chanbench list' shows them all", what, names->of[i]);
		return -1;
	}
	return 0;
}
