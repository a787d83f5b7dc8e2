/* SPDX-License-Identifier: MIT */
#include "harness/check/test.h"

#include "harness/check/actor.h"
#include "harness/check/handles.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

bool rule_test_has_form(const struct rule_test *test, enum kind kind, bool hooks)
{
	if (kind != KIND_BROADCAST && kind != KIND_WATCH)
		return !hooks;
	return (test->flags & (hooks ? TEST_PLAIN : TEST_HOOKS)) == 0;
}

const char *rule_test_lacks(const struct rule_test *test, const struct impl_info *info, enum kind kind)
{
	static char needs[256];
	char *next = needs, *word;
	snprintf(needs, sizeof(needs), "%s", test->needs);
	while ((word = strsep(&next, " ")) != NULL)
		if (*word != '\0' && !info_offers(info, kind, word))
			return word;
	return NULL;
}

bool rule_test_can_start(const struct rule_test *test, const struct impl_info *info)
{
	return (test->flags & TEST_START) == 0 || (info->flags & CHAN_HONOURS_START) != 0;
}

const char *rule_test_unexplored(const struct rule_test *test)
{
	if ((test->flags & TEST_FAULT) != 0)
		return "it comes between the channel and the C library or the kernel";
	if ((test->flags & TEST_SIGNALS) != 0)
		return "it sends signals";
	if ((test->flags & TEST_HEAP) != 0)
		return "it measures the C library's heap";
	if ((test->flags & TEST_LONG) != 0)
		return "it makes tens of thousands of steps";
	return NULL;
}

void rule_test_slug(const struct rule_test *test, bool hooks, char *text, size_t size)
{
	size_t length = 0;
	for (const char *at = test->what; *at != '\0' && length + 1 < size; at++) {
		if (isalnum((unsigned char)*at))
			text[length++] = *at;
		else if (length > 0 && text[length - 1] != '_')
			text[length++] = '_';
	}
	snprintf(text + length, size - length, "%s", hooks ? "+hooks" : "");
}

/* Room for a table of any kind. */
union table {
	struct chan_mpsc_ops mpsc;
	struct chan_oneshot_ops oneshot;
	struct chan_broadcast_ops broadcast;
	struct chan_watch_ops watch;
	void (*functions[1])(void);
};

static bool names(const char *list, const char *word)
{
	size_t length = strlen(word);
	for (const char *at = list; (at = strstr(at, word)) != NULL; at += length)
		if ((at == list || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
			return true;
	return false;
}

/* The table of that kind with nothing in it but the minimum and what the test says it needs. */
static void restrict_table(enum kind kind, const char *needs, const void *all, union table *table)
{
	memset(table, 0, sizeof(*table));
	for (size_t i = 0; kind_op(kind, i) != NULL; i++)
		if (i < kind_minimum(kind) || names(needs, kind_op(kind, i)))
			memcpy((char *)table + i * sizeof(table->functions[0]),
			       (const char *)all + i * sizeof(table->functions[0]), sizeof(table->functions[0]));
}

void rule_test_run(const struct rule_test *rule_test, const struct chan_impl *impl, enum kind kind, bool hooks)
{
	struct test test = {.impl = impl->name, .kind = kind, .hooks = hooks};
	union table table;

	restrict_table(kind, rule_test->needs, any_table(impl, kind), &table);
	test.any = any_of(kind, &table);
	switch (kind) {
	case KIND_ONESHOT:
		test.oneshot = &table.oneshot;
		break;
	case KIND_BROADCAST:
		test.broadcast = &table.broadcast;
		break;
	case KIND_WATCH:
		test.watch = &table.watch;
		break;
	default:
		test.mpsc = &table.mpsc;
	}
	rule_test->run(&test);
	actors_stop();
	handles_drop(&test);
}
