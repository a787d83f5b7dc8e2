/* SPDX-License-Identifier: MIT
 *
 * weaken.c - `chanbench explore --weaken`: which memory orders does the code need, as far as the
 * programs can tell?
 *
 * A place in the source (file, line, column) may have become several call sites: inlined, unrolled,
 * merged with another. What is tried is a site, what is reported is a place: an order of it is
 * needed when one of its sites noticed the weaker one. The programs of one implementation go after
 * each other; what one has killed the next need not try.
 */
#include "harness/explore/command/command.h"

#include "harness/child.h"
#include "harness/say.h"
#include "impls/channel.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { GRACE_SECONDS = 300 };

/* One way of weakening one site. */
struct way {
	char pc[20], operation[12], order[12], to[12];
	char *place;
	const char *impl;
	unsigned met; /* by how many programs */
	uint64_t tried;
	const char *killer; /* the program; NULL: it survives */
	char verdict[24];
	uint64_t after;
};

struct ways {
	struct way *of;
	size_t count;
	const struct explore_subject *subject; /* under way */
	size_t begun;                          /* index of the one that was begun last, + 1 */
	bool ended, no_memory;
	char refused[256];
};

static struct way *way_get(struct ways *ways, const char *pc, const char *order, const char *to, const char *operation,
                           const char *place)
{
	const char *impl = ways->subject->impl;

	for (size_t i = 0; i < ways->count; i++) {
		struct way *way = &ways->of[i];
		if (strcmp(way->pc, pc) == 0 && strcmp(way->order, order) == 0 && strcmp(way->to, to) == 0 &&
		    strcmp(way->operation, operation) == 0 && strcmp(way->impl, impl) == 0)
			return way;
	}
	struct way *grown = realloc(ways->of, (ways->count + 1) * sizeof *grown);
	if (grown == NULL)
		return NULL;
	ways->of = grown;
	struct way *way = &grown[ways->count];
	/* Where it stands, and not who called that. */
	*way = (struct way){.impl = impl, .place = strndup(place, strcspn(place, "<"))};
	if (way->place == NULL)
		return NULL;
	for (size_t end = strlen(way->place); end > 0 && way->place[end - 1] == ' '; end--)
		way->place[end - 1] = '\0';
	snprintf(way->pc, sizeof way->pc, "%s", pc);
	snprintf(way->operation, sizeof way->operation, "%s", operation);
	snprintf(way->order, sizeof way->order, "%s", order);
	snprintf(way->to, sizeof way->to, "%s", to);
	ways->count++;
	return way;
}

/* "site INDEX PC OPERATION ORDER TO VERDICT EXECUTIONS PLACE", by tabs */
static void take_site(struct ways *ways, const char *line)
{
	char *copy = strdup(line), *rest = copy, *field[9] = {NULL};
	size_t n = 0;

	while (n < 9 && copy != NULL && (field[n] = strsep(&rest, "\t")) != NULL)
		n++;
	struct way *way = n == 9 ? way_get(ways, field[2], field[4], field[5], field[3], field[8]) : NULL;
	if (way == NULL) {
		ways->no_memory = true;
	} else {
		way->met++;
		way->tried += strtoull(field[7], NULL, 10);
		if (strcmp(field[6], "ok") != 0 && way->killer == NULL) {
			way->killer = ways->subject->program;
			way->after = strtoull(field[7], NULL, 10);
			snprintf(way->verdict, sizeof way->verdict, "%s", field[6]);
		}
	}
	free(copy);
}

static void take_line(const char *line, void *arg)
{
	struct ways *ways = arg;

	/* the program's own: not what is looked at */
	if (strstr(line, " in program_raise") != NULL)
		return;
	if (strncmp(line, "begin ", 6) == 0)
		ways->begun = strtoul(line + 6, NULL, 10) + 1;
	else if (strncmp(line, "site\t", 5) == 0)
		take_site(ways, line);
	else if (strncmp(line, "refused ", 8) == 0)
		snprintf(ways->refused, sizeof ways->refused, "%s", line + 8);
	else if (strcmp(line, "end") == 0)
		ways->ended = true;
}

/* "killed=PC.OPERATION.ORDER.TO,...": what this implementation's earlier programs have killed. */
static char *killed_argument(const struct ways *ways)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (out == NULL)
		return NULL;
	fprintf(out, "killed=,");
	for (size_t i = 0; i < ways->count; i++) {
		const struct way *way = &ways->of[i];
		if (way->killer != NULL && strcmp(way->impl, ways->subject->impl) == 0)
			fprintf(out, "%s.%s.%s.%s,", way->pc, way->operation, way->order, way->to);
	}
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/* One child; again from behind a site that its process died of. */
static int weaken_subject(const struct explore_target *target, const struct explore_asked *asked, double seconds,
                          struct ways *ways)
{
	const struct explore_subject *subject = ways->subject;
	char *argv[EXPLORE_ARGUMENTS_MAX];
	struct child_result result;
	size_t skip = 0;

	ways->ended = false;
	while (!ways->ended) {
		ways->begun = 0;
		if (!explore_arguments(target, "weaken", subject, asked, seconds, argv))
			return EXIT_MACHINE;
		int n = 0;
		while (argv[n] != NULL)
			n++;
		if (asprintf(&argv[n], "skip=%zu", skip) < 0 || (argv[n + 1] = killed_argument(ways)) == NULL) {
			say("out of memory");
			return EXIT_MACHINE;
		}
		struct child_spec spec = {.argv = (const char *const *)argv,
		                          .on_line = take_line,
		                          .on_line_arg = ways,
		                          .total_ns = seconds > 0 ? (uint64_t)((seconds + (double)GRACE_SECONDS) * 1e9)
		                                                  : 0};
		child_run(&spec, &result);
		explore_arguments_free(argv);
		if (result.end == CHILD_INTERRUPTED)
			return 128 + child_interrupted();
		if (ways->refused[0] != '\0') {
			say("%s %s: %s", subject->impl, subject->program, ways->refused);
			return EXIT_VERDICT;
		}
		if (!ways->ended && ways->begun == 0) {
			char how[128];
			child_describe(&result, how, sizeof how);
			say("%s %s: the explorable program %s", subject->impl, subject->program, how);
			return EXIT_MACHINE;
		}
		skip = ways->begun; /* when it has not ended */
	}
	if (ways->no_memory)
		say("out of memory");
	return ways->no_memory ? EXIT_MACHINE : EXIT_GOOD;
}

/* ------------------------------------------------------------------------------------------
 * By place
 */

static bool same_place(const struct way *a, const struct way *b)
{
	return strcmp(a->impl, b->impl) == 0 && strcmp(a->place, b->place) == 0 &&
	       strcmp(a->operation, b->operation) == 0 && strcmp(a->order, b->order) == 0 && strcmp(a->to, b->to) == 0;
}

static int by_place(const void *a, const void *b)
{
	const struct way *x = a, *y = b;
	int order = strcmp(x->impl, y->impl);

	if (order == 0)
		order = strverscmp(x->place, y->place);
	if (order == 0)
		order = strcmp(x->operation, y->operation);
	if (order == 0)
		order = strcmp(x->order, y->order);
	return order != 0 ? order : strcmp(x->to, y->to);
}

/* Merges the sites of one place into its first. */
static void merge(struct ways *ways)
{
	size_t kept = 0;

	qsort(ways->of, ways->count, sizeof *ways->of, by_place);
	for (size_t i = 0; i < ways->count; i++) {
		struct way *way = &ways->of[i], *last = kept > 0 ? &ways->of[kept - 1] : NULL;
		if (last == NULL || !same_place(last, way)) {
			ways->of[kept++] = *way;
			continue;
		}
		last->tried += way->tried;
		last->met = last->met > way->met ? last->met : way->met;
		if (last->killer == NULL && way->killer != NULL) {
			last->killer = way->killer;
			last->after = way->after;
			memcpy(last->verdict, way->verdict, sizeof last->verdict);
		}
		free(way->place);
	}
	ways->count = kept;
}

static void print_table(const struct ways *ways)
{
	size_t survived = 0;
	const char *impl = "";

	for (size_t i = 0; i < ways->count; i++) {
		const struct way *way = &ways->of[i];
		if (strcmp(impl, way->impl) != 0) {
			impl = way->impl;
			printf("%s%s\n", i > 0 ? "\n" : "", impl);
		}
		printf("  %-8s %-7s -> %-7s  ", way->operation, way->order, way->to);
		if (way->killer != NULL)
			printf("killed by %s (%s) after %" PRIu64, way->killer, way->verdict, way->after);
		else
			printf("SURVIVED %" PRIu64 " schedules of %u program%s", way->tried, way->met,
			       way->met == 1 ? "" : "s");
		printf("\n        %s\n", way->place);
		survived += way->killer == NULL;
	}
	printf("\n%zu ways to weaken an order, %zu killed, %zu survived", ways->count, ways->count - survived,
	       survived);
	puts(survived > 0 ? ": not needed, or no program shows that they are" : "");
}

static int print_json(const struct ways *ways)
{
	json_t *sites = json_array();

	for (size_t i = 0; i < ways->count; i++) {
		const struct way *way = &ways->of[i];
		json_t *site = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:I}", "implementation", way->impl, "place",
		                         way->place, "operation", way->operation, "order", way->order, "weakened_to",
		                         way->to, "outcome", way->killer != NULL ? "killed" : "survived", "executions",
		                         (json_int_t)(way->killer != NULL ? way->after : way->tried));
		json_object_set_new(site, "program", way->killer != NULL ? json_string(way->killer) : json_null());
		json_object_set_new(site, "verdict", json_string(way->killer != NULL ? way->verdict : "ok"));
		json_array_append_new(sites, site);
	}
	return explore_print_json(json_pack("{s:o}", "sites", sites));
}

int explore_weaken(const struct explore_target *target, const struct explore_asked *asked)
{
	struct ways ways = {.count = 0};
	double left = asked->seconds;
	int status = EXIT_GOOD;

	for (size_t i = 0; i < target->count && status == EXIT_GOOD; i++) {
		double share = asked->seconds > 0 ? left / (double)(target->count - i) : 0;
		uint64_t began = chan_now();
		if (asked->seconds > 0 && share < 0.001)
			share = 0.001;
		ways.subject = &target->subjects[i];
		status = weaken_subject(target, asked, share, &ways);
		left -= (double)(chan_now() - began) / 1e9;
		if (left < 0)
			left = 0;
	}
	if (status == EXIT_GOOD || status >= 128) {
		merge(&ways);
		int printed = EXIT_GOOD;
		if (asked->json)
			printed = print_json(&ways);
		else
			print_table(&ways);
		if (status >= 128)
			say("interrupted: not every program has tried every site");
		status = printed != EXIT_GOOD ? printed : status;
	}
	for (size_t i = 0; i < ways.count; i++)
		free(ways.of[i].place);
	free(ways.of);
	return status;
}
