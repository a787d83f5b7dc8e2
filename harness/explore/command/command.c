/* SPDX-License-Identifier: MIT
 *
 * command.c - `chanbench explore`: shares the time among the subjects, and tells what came of it.
 */
#include "harness/explore/command/command.h"

#include "harness/child.h"
#include "harness/say.h"
#include "harness/explore/driver/program.h"

#include <stdlib.h>
#include <string.h>

/* Each program runs, if only a little. */
#define SECONDS_LEAST 0.001

struct tally {
	size_t ran, exhausted, failed;
	json_t *runs; /* NULL: text */
};

/* Of this build's programs, what the explorable program does not tell. */
static const struct program *find_program(const char *name)
{
	const char *slash = strchr(name, '/');
	enum kind kind;
	char kind_name[16];

	if (slash == NULL)
		return NULL;
	snprintf(kind_name, sizeof kind_name, "%.*s", (int)(slash - name), name);
	if ((kind = kind_of_name(kind_name)) == KIND_COUNT)
		return NULL;
	for (const struct program *const *table = program_tables; *table != NULL; table++)
		for (const struct program *program = *table; program->name != NULL; program++)
			if ((program->kinds >> kind & 1) != 0 && strcmp(program->name, slash + 1) == 0)
				return program;
	return NULL;
}

struct left_out {
	const struct explore_target *target;
	const struct explore_asked *asked;
	json_t *programs; /* NULL: text */
};

static bool has_program(const struct explore_target *target, const char *name)
{
	size_t i = 0;

	while (i < target->count && strcmp(target->subjects[i].program, name) != 0)
		i++;
	return i < target->count;
}

static void list_left_out(const char *name, const struct rule *rule, const char *why, void *arg)
{
	struct left_out *left_out = arg;

	if (!explore_asked_for(left_out->asked, name) || has_program(left_out->target, name))
		return;
	if (why == NULL)
		why = "no implementation here has what it needs";
	if (left_out->programs != NULL)
		json_array_append_new(left_out->programs,
		                      json_pack("{s:s,s:s,s:s}", "program", name, "rules", rule->id, "why", why));
	else
		printf("%-16s %-40s %s (%s)\n", "not explored", name, why, rule->id);
}

static int list(const struct explore_target *target, const struct explore_asked *asked)
{
	bool as_json = asked->json;
	json_t *programs = json_array();
	struct left_out left_out = {target, asked, as_json ? json_array() : NULL};

	for (size_t i = 0; i < target->count; i++) {
		const struct explore_subject *subject = &target->subjects[i];
		const struct program *program = find_program(subject->program);
		const struct rule *rule = program == NULL ? explore_rule_of(subject->program) : NULL;
		const char *summary = program != NULL ? program->summary
		                      : rule != NULL  ? rule->text
		                                      : "",
			   *rules = program != NULL ? program->rules
		                    : rule != NULL  ? rule->id
		                                    : "";
		if (as_json)
			json_array_append_new(programs, json_pack("{s:s,s:s,s:s,s:s}", "program", subject->program,
			                                          "implementation", subject->impl, "rules", rules,
			                                          "summary", summary));
		else
			printf("%-16s %-40s %s%s%s%s\n", subject->impl, subject->program, summary,
			       rules[0] != '\0' ? " (" : "", rules, rules[0] != '\0' ? ")" : "");
	}
	if (asked->source == NULL || target->subjects[0].name[0] != '-')
		explore_rules(list_left_out, &left_out);
	if (as_json)
		return explore_print_json(
			json_pack("{s:o,s:o}", "programs", programs, "not_explored", left_out.programs));
	json_decref(programs);
	return EXIT_GOOD;
}

static void take_outcome(const struct explore_asked *asked, const struct explore_subject *subject,
                         const struct explore_outcome *outcome, struct tally *tally)
{
	bool ok = strcmp(outcome->verdict, "ok") == 0;

	tally->ran++;
	tally->failed += !ok;
	tally->exhausted += ok && outcome->exhausted;
	if (tally->runs != NULL) {
		json_array_append_new(tally->runs, explore_json(subject, outcome));
		return;
	}
	if (asked->replay == NULL)
		explore_print_row(subject, outcome);
	if (!ok)
		explore_print_failure(asked, subject, outcome);
	else if (asked->replay != NULL)
		printf("%s %s: ok: this schedule does not fail\n", subject->impl, subject->program);
}

/* Explores those that are not `done`, each for its part of what is left, but `most` seconds at
 * most (0: no limit). A subject that is exhausted or fails is done; in the last pass every
 * one is. */
static int run_pass(const struct explore_target *target, const struct explore_asked *asked, double *left, double most,
                    bool *done, struct tally *tally)
{
	size_t waiting = 0;

	for (size_t i = 0; i < target->count; i++)
		waiting += !done[i];
	for (size_t i = 0; i < target->count; i++) {
		struct explore_outcome outcome;
		double share = 0;
		if (done[i])
			continue;
		if (asked->seconds > 0) {
			share = *left / (double)waiting;
			share = most > 0 && share > most ? most : share < SECONDS_LEAST ? SECONDS_LEAST : share;
		}
		uint64_t began = chan_now();
		int status = explore_run_subject(target, &target->subjects[i], asked, share, &outcome);
		double took = (double)(chan_now() - began) / 1e9;
		*left = *left > took ? *left - took : 0;
		waiting--;
		done[i] = status == EXIT_GOOD && (most == 0 || outcome.exhausted || strcmp(outcome.verdict, "ok") != 0);
		if (done[i])
			take_outcome(asked, &target->subjects[i], &outcome, tally);
		explore_outcome_free(&outcome);
		if (status != EXIT_GOOD)
			return status;
	}
	return EXIT_GOOD;
}

/* Twice where the time is limited: most are exhausted at once, and what they leave is for the
 * others. */
static int run_all(const struct explore_target *target, const struct explore_asked *asked, struct tally *tally)
{
	double left = asked->seconds, first = asked->seconds / (double)target->count / 8;
	bool *done = calloc(target->count, sizeof *done);
	int status = EXIT_GOOD;

	if (done == NULL) {
		say("out of memory");
		return EXIT_MACHINE;
	}
	if (asked->seconds > 0 && target->count > 1)
		status = run_pass(target, asked, &left, first, done, tally);
	if (status == EXIT_GOOD)
		status = run_pass(target, asked, &left, 0, done, tally);
	free(done);
	return status != EXIT_GOOD ? status : tally->failed > 0 ? EXIT_VERDICT : EXIT_GOOD;
}

static void summarize(const struct tally *tally)
{
	size_t truncated = tally->ran - tally->exhausted - tally->failed;

	printf("\n%zu explored, %zu failed, %zu exhausted", tally->ran, tally->failed, tally->exhausted);
	if (truncated > 0)
		printf(", %zu truncated: what was not run there may still fail", truncated);
	putchar('\n');
}

static int explore(const struct explore_target *target, const struct explore_asked *asked)
{
	struct tally tally = {.runs = asked->json ? json_array() : NULL};

	if (!asked->json && asked->replay == NULL)
		explore_print_head();
	int status = run_all(target, asked, &tally);
	if (status >= 128)
		say("interrupted: %zu of %zu were explored", tally.ran, target->count);
	if (asked->json) {
		json_t *root = json_pack("{s:o,s:b}", "runs", tally.runs, "interrupted", status >= 128);
		int printed = explore_print_json(root);
		return printed != EXIT_GOOD ? printed : status;
	}
	if (asked->replay == NULL && tally.ran > 0)
		summarize(&tally);
	return status;
}

int explore_command(int argc, char **argv)
{
	struct explore_asked asked;
	struct explore_target target = {.count = 0};
	int status = explore_asked_read(&asked, argc, argv);

	if (status >= 0)
		goto done;
	/* Without spinning: a loop that looks again is many schedules and no new behaviour. */
	setenv("CHANBENCH_SPIN", "0", 0);
	child_catch_interrupts();
	if ((status = explore_target_open(&target, &asked)) == EXIT_GOOD) {
		if (asked.list)
			status = list(&target, &asked);
		else
			status = asked.weaken ? explore_weaken(&target, &asked) : explore(&target, &asked);
	}
	explore_target_close(&target);
done:
	explore_asked_free(&asked);
	return status;
}
