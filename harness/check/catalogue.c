/* SPDX-License-Identifier: MIT */
#include "harness/check/catalogue.h"

#include "harness/say.h"

#include <stdlib.h>
#include <string.h>

static size_t section_of(const char *id)
{
	size_t i = 0;
	while (rule_sections[i].letter != '\0' && rule_sections[i].letter != id[0])
		i++;
	return i;
}

static int by_number(const void *a, const void *b)
{
	const struct catalogue_entry *x = a, *y = b;
	if (section_of(x->id) != section_of(y->id))
		return section_of(x->id) < section_of(y->id) ? -1 : 1;
	unsigned long n = strtoul(x->id + 2, NULL, 10), m = strtoul(y->id + 2, NULL, 10);
	return n < m ? -1 : n > m;
}

/* The entry of that id, made when there was none. */
static struct catalogue_entry *entry_of(struct catalogue *catalogue, const char *id)
{
	size_t i = 0;
	while (i < catalogue->count && strcmp(catalogue->entries[i].id, id) != 0)
		i++;
	if (i == catalogue->count)
		catalogue->entries[catalogue->count++] = (struct catalogue_entry){.id = id};
	return &catalogue->entries[i];
}

static void add_row(struct catalogue *catalogue, const struct rule *rule)
{
	struct catalogue_entry *entry = entry_of(catalogue, rule->id);
	entry->kinds |= rule->kinds;
	if (entry->text == NULL)
		entry->text = rule->text;
	for (size_t i = 0; i < RULE_TESTS_MAX && rule->tests[i].what != NULL; i++)
		entry->tests++;
}

static void add_note(struct catalogue *catalogue, const struct rule_note *note)
{
	struct catalogue_entry *entry = entry_of(catalogue, note->id);
	entry->note = note;
	entry->kinds |= note->kinds;
	if (entry->text == NULL)
		entry->text = note->text;
}

int catalogue_open(struct catalogue *catalogue)
{
	size_t most = 0;
	for (const struct rule *const *table = rule_tables; *table != NULL; table++)
		for (const struct rule *rule = *table; rule->id != NULL; rule++)
			most++;
	for (const struct rule_note *const *table = rule_notes; *table != NULL; table++)
		for (const struct rule_note *note = *table; note->id != NULL; note++)
			most++;
	*catalogue = (struct catalogue){.entries = calloc(most + 1, sizeof(*catalogue->entries))};
	if (catalogue->entries == NULL) {
		say("out of memory");
		return -1;
	}
	for (const struct rule *const *table = rule_tables; *table != NULL; table++)
		for (const struct rule *rule = *table; rule->id != NULL; rule++)
			add_row(catalogue, rule);
	for (const struct rule_note *const *table = rule_notes; *table != NULL; table++)
		for (const struct rule_note *note = *table; note->id != NULL; note++)
			add_note(catalogue, note);
	qsort(catalogue->entries, catalogue->count, sizeof(*catalogue->entries), by_number);
	return 0;
}

void catalogue_close(struct catalogue *catalogue)
{
	free(catalogue->entries);
	*catalogue = (struct catalogue){0};
}

void catalogue_rows(const char *id, void (*f)(const struct rule *rule, void *arg), void *arg)
{
	for (const struct rule *const *table = rule_tables; *table != NULL; table++)
		for (const struct rule *rule = *table; rule->id != NULL; rule++)
			if (strcmp(rule->id, id) == 0)
				f(rule, arg);
}
