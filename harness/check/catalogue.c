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

/* Calls `f` for each row of the tables that has this id, in their order. */
static void catalogue_rows(const char *id, void (*f)(const struct rule *rule, void *arg), void *arg)
{
	for (const struct rule *const *table = rule_tables; *table != NULL; table++)
		for (const struct rule *rule = *table; rule->id != NULL; rule++)
			if (strcmp(rule->id, id) == 0)
				f(rule, arg);
}

/* ------------------------------------------------------------------------------------------
 * The page
 */

static const char head[] =
	"<!-- Made by `chanbench check --list --format=markdown` from the tables in scenarios/rules: change those. "
	"-->\n"
	"# The rules\n"
	"\n"
	"What a channel must do, rule by rule. [channel.h](channel.h) is the contract that programs and "
	"implementations\n"
	"are written against; this page numbers what it demands, so that a test, a comment or a report can say which "
	"rule\n"
	"it means. `chanbench check` tests an implementation against them, `chanbench check --rules` prints which rule "
	"each\n"
	"implementation keeps.\n"
	"\n"
	"**What is demanded.** Every rule of each kind that an implementation offers, as far as it offers the "
	"functions that\n"
	"the rule speaks of. A function that is not offered is shown as such and is no failure; one that is offered is "
	"held\n"
	"to its rules.\n"
	"\n"
	"**What may be declared.** Who is served first among senders that wait: M-22, M-23 and M-25, and nothing else. "
	"An\n"
	"implementation names the rule and says in a line what it does instead. The tests still run; the verdict is\n"
	"*declared*, never *passed*.\n"
	"\n"
	"**What has no test.** A few rules say why at their place: the contract leaves no way to break them, or to see "
	"it, or\n"
	"they are measured elsewhere. In the matrix they are *untestable*.\n"
	"\n"
	"**Out of scope.** What belongs to an asynchronous runtime and not to a channel between threads: budgets that "
	"make a\n"
	"task yield though it could go on, instrumentation, panics of a blocking call inside a runtime, and the rule "
	"that\n"
	"of several wakers only the last one is kept (every waiter here is registered by itself). Where a language "
	"drops a\n"
	"future that waits, C has a deadline that expired or a select that chose something else: what is said of "
	"giving up\n"
	"means these. Where a library would panic, the call returns CHAN_INVALID.\n";

struct row_context {
	FILE *out;
	const char *first; /* the text that is already there */
	size_t tests;
};

static void print_kinds(FILE *out, unsigned kinds)
{
	int n = 0;
	if (kinds == (1u << KIND_COUNT) - 1) {
		fprintf(out, " (all kinds)");
		return;
	}
	fprintf(out, " (");
	for (int k = 0; k < KIND_COUNT; k++)
		if ((kinds >> k & 1) != 0)
			fprintf(out, "%s%s", n++ > 0 ? ", " : "", kind_names[k]);
	fprintf(out, ")");
}

static void print_other_text(const struct rule *rule, void *arg)
{
	struct row_context *context = arg;
	if (strcmp(rule->text, context->first) != 0)
		fprintf(context->out, " %s", rule->text);
}

static void print_tests(const struct rule *rule, void *arg)
{
	struct row_context *context = arg;
	for (size_t i = 0; i < RULE_TESTS_MAX && rule->tests[i].what != NULL; i++)
		fprintf(context->out, "%s%s", context->tests++ > 0 ? "; " : "", rule->tests[i].what);
}

static void print_entry(FILE *out, const struct catalogue_entry *entry)
{
	struct row_context context = {.out = out, .first = entry->text};
	fprintf(out, "- **%s**", entry->id);
	print_kinds(out, entry->kinds);
	fprintf(out, " %s", entry->text);
	catalogue_rows(entry->id, print_other_text, &context);
	if (entry->note != NULL && entry->note->more != NULL)
		fprintf(out, " %s", entry->note->more);
	if (entry->tests == 0) {
		fprintf(out, " *No test: %s*\n", entry->note->untestable);
		return;
	}
	fprintf(out, "\n  *Tested: ");
	catalogue_rows(entry->id, print_tests, &context);
	fprintf(out, ".*\n");
}

int catalogue_write_page(FILE *out)
{
	struct catalogue catalogue;
	if (catalogue_open(&catalogue) != 0)
		return -1;
	fputs(head, out);
	for (const struct rule_section *section = rule_sections; section->letter != '\0'; section++) {
		fprintf(out, "\n## %c: %s\n\n%s\n\n", section->letter, section->title, section->intro);
		for (size_t i = 0; i < catalogue.count; i++)
			if (catalogue.entries[i].id[0] == section->letter)
				print_entry(out, &catalogue.entries[i]);
	}
	catalogue_close(&catalogue);
	return 0;
}
