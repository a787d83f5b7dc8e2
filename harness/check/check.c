/* SPDX-License-Identifier: MIT
 *
 * check.c - `chanbench check` from its command line to its report: it plans a case for each test,
 * kind and form of each implementation, runs one after another in a child (run.h), and writes what
 * came of them (report.h, matrix.h, formats.h).
 */
#include "harness/check/check.h"

#include "harness/bench/results.h"
#include "harness/check/catalogue.h"
#include "harness/check/formats.h"
#include "harness/check/matrix.h"
#include "harness/check/report.h"
#include "harness/check/run.h"
#include "harness/check/test.h"
#include "harness/child.h"
#include "harness/choice.h"
#include "harness/cli/commands.h"
#include "harness/say.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------------------
 * The command line
 */

#define RULES_MAX 1024

static bool matches(const char *pattern, const char *id)
{
	return fnmatch(pattern, id, 0) == 0;
}

bool check_options_rule(const struct check_options *options, const char *id)
{
	for (size_t i = 0; i < options->rules.count; i++)
		if (matches(options->rules.of[i], id))
			return true;
	return options->rules.count == 0;
}

/* Says which of the names is no rule's. */
static int check_rules(const struct names *rules)
{
	static const char *ids[RULES_MAX];
	size_t count = 0;
	for (const struct rule *const *table = rule_tables; *table != NULL; table++)
		for (const struct rule *rule = *table; rule->id != NULL && count < RULES_MAX; rule++)
			ids[count++] = rule->id;
	for (const struct rule_note *const *table = rule_notes; *table != NULL; table++)
		for (const struct rule_note *note = *table; note->id != NULL && count < RULES_MAX; note++)
			ids[count++] = note->id;
	for (size_t n = 0; n < rules->count; n++) {
		size_t i = 0;
		while (i < count && !matches(rules->of[n], ids[i]))
			i++;
		if (i < count)
			continue;
		const char *nearest = say_nearest(rules->of[n], ids, count);
		if (nearest != NULL)
			say("there is no rule '%s'; did you mean '%s'?", rules->of[n], nearest);
		else
			say("there is no rule '%s': 'chanbench check --list' shows all", rules->of[n]);
		return -1;
	}
	return 0;
}

static int read_kinds(const struct options *given, unsigned *kinds)
{
	struct names names;
	int failed = names_split(&names, options_get(given, "kind"), "kind");
	if (failed == 0)
		failed = names_check("kind", &names, kind_names, KIND_COUNT);
	*kinds = names.count == 0 ? (1u << KIND_COUNT) - 1 : 0;
	for (size_t i = 0; failed == 0 && i < names.count; i++)
		*kinds |= 1u << kind_of_name(names.of[i]);
	names_free(&names);
	return failed;
}

/* Reads the format, and looks at which options go together. 0, or -1 after one line. */
static int read_format(struct check_options *options)
{
	static const char *const formats[] = {"text", "tap", "junit", "json", "markdown"};
	const char *format = options_get(&options->given, "format");
	bool json = options_get(&options->given, "json") != NULL;
	size_t i = 0;
	while (format != NULL && i < 5 && strcmp(format, formats[i]) != 0)
		i++;
	if (i == 5 || (i == FORMAT_JSON && !options->matrix) || (i == FORMAT_MARKDOWN && !options->list)) {
		say("--format=%s: there are text, tap and junit", format);
		return -1;
	}
	options->format = (enum check_format)i;
	if (json && (!options->matrix || (format != NULL && i != FORMAT_JSON))) {
		say(options->matrix ? "--json and --format=%s: only one of them" : "--json goes with --rules", format);
		return -1;
	}
	if (json)
		options->format = FORMAT_JSON;
	if (options->matrix && (i == FORMAT_TAP || i == FORMAT_JUNIT)) {
		say("--rules with --format=%s: these list tests, not rules", format);
		return -1;
	}
	if (options->list && (options->matrix || options->out != NULL || options->repeat > 1)) {
		say("--list runs nothing: leave --rules, --out and --repeat away");
		return -1;
	}
	return 0;
}

static int read_options(struct check_options *options, int argc, char **argv)
{
	uint64_t seconds = 10;
	memset(options, 0, sizeof(*options));
	int status = options_read(&options->given, &check_command, argc, argv);
	if (status >= 0)
		return status;
	options->repeat = 1;
	options->strict_peers = options_get(&options->given, "strict-peers") != NULL;
	options->matrix = options_get(&options->given, "rules") != NULL;
	options->out = options_get(&options->given, "out");
	options->list = options_get(&options->given, "list") != NULL;
	if (names_split(&options->impls, options_get(&options->given, "impl"), "impl") != 0 ||
	    names_split(&options->rules, options_get(&options->given, "rule"), "rule") != 0 ||
	    check_rules(&options->rules) != 0 || read_kinds(&options->given, &options->kinds) != 0 ||
	    options_number(&options->given, "timeout", 1, 86400, &seconds) != 0 ||
	    options_number(&options->given, "repeat", 1, 1000000, &options->repeat) != 0 || read_format(options) != 0)
		return EXIT_USAGE;
	options->timeout_ns = seconds * 1000000000u;
	return -1;
}

static void free_options(struct check_options *options)
{
	names_free(&options->rules);
	names_free(&options->impls);
	options_close(&options->given);
}

/* ------------------------------------------------------------------------------------------
 * What is run
 */

/* About how many bytes one test takes in a report. */
#define OUTCOME_BYTES 300

static void list_rules(const struct check_options *options)
{
	size_t rules = 0, tests = 0;
	for (const struct rule *const *table = rule_tables; *table != NULL; table++)
		for (const struct rule *rule = *table; rule->id != NULL; rule++) {
			if ((rule->kinds & options->kinds) == 0 || !check_options_rule(options, rule->id))
				continue;
			rules++;
			printf("%s (", rule->id);
			for (int k = 0, n = 0; k < KIND_COUNT; k++)
				if ((rule->kinds >> k & 1) != 0)
					printf("%s%s", n++ > 0 ? ", " : "", kind_names[k]);
			printf(")  %s\n", rule->text);
			for (size_t i = 0; i < RULE_TESTS_MAX && rule->tests[i].what != NULL; i++, tests++)
				printf("    %s\n", rule->tests[i].what);
		}
	printf("%zu rules, %zu tests\n", rules, tests);
}

/* Plans the tests of one rule for one kind of an implementation and returns their number. They are
 * written to `cases` unless it is NULL. */
static size_t plan_rule(const struct impl_info *info, enum kind kind, const struct rule *rule, struct test_case *cases)
{
	size_t count = 0;
	for (size_t i = 0; i < RULE_TESTS_MAX && rule->tests[i].what != NULL; i++) {
		const struct rule_test *test = &rule->tests[i];
		for (int hooks = 0; hooks <= 1; hooks++) {
			if (!rule_test_has_form(test, kind, hooks != 0))
				continue;
			if (cases != NULL)
				cases[count] = (struct test_case){info, kind, rule, test, hooks != 0};
			count++;
		}
	}
	return count;
}

static size_t plan(const struct check_options *options, const struct impl_set *set, struct test_case *cases)
{
	size_t count = 0;
	for (size_t i = 0; i < set->count; i++)
		for (int k = 0; k < KIND_COUNT; k++) {
			const struct impl_info *info = &set->infos[i];
			if (info->offered[k] == 0 || (options->kinds >> k & 1) == 0 ||
			    !choice_has_tested(&options->impls, info))
				continue;
			for (const struct rule *const *table = rule_tables; *table != NULL; table++)
				for (const struct rule *rule = *table; rule->id != NULL; rule++)
					if ((rule->kinds >> k & 1) != 0 && check_options_rule(options, rule->id))
						count += plan_rule(info, (enum kind)k, rule,
						                   cases != NULL ? cases + count : NULL);
		}
	return count;
}

/* Shows on a terminal how far the run has come. */
static void progress(const struct report *report, size_t total)
{
	if (!isatty(STDERR_FILENO))
		return;
	if (report->count == total) {
		fprintf(stderr, "\r\033[K");
		return;
	}
	const struct test_case *test_case = &report->cases[report->count];
	fprintf(stderr, "\r\033[K%zu of %zu  %s %s %s", report->count + 1, total, test_case->info->name,
	        kind_names[test_case->kind], test_case->rule->id);
}

/* How many tests of an implementation and kind may hang before the others are left out. */
#define HANGS_MAX 3

static bool same_part(const struct test_case *a, const struct test_case *b)
{
	return a->info == b->info && a->kind == b->kind;
}

/* Runs one test after another. EXIT_VERDICT: a test failed. Failures are shown on `text` as they
 * come. */
static int run_all(const struct check_options *options, struct report *report, size_t total, FILE *text)
{
	int status = EXIT_GOOD;
	unsigned hangs = 0;
	report->count = 0;
	while (report->count < total) {
		struct outcome *outcome = &report->outcomes[report->count];
		const struct test_case *test_case = &report->cases[report->count];
		if (report->count > 0 && !same_part(test_case, test_case - 1))
			hangs = 0;
		progress(report, total);
		if (hangs < HANGS_MAX)
			case_run(test_case, options->timeout_ns, outcome);
		else
			case_skip(test_case, "skipped after 3 hangs", outcome);
		if (child_interrupted() != 0)
			break;
		report->count++;
		hangs += outcome->hung;
		if (outcome->machine) {
			say("the process for a test %s", outcome->seen);
			return EXIT_MACHINE;
		}
		if (outcome->verdict != FAILED)
			continue;
		if (!test_case->info->peer || options->strict_peers)
			status = EXIT_VERDICT;
		if (hangs >= HANGS_MAX && !outcome->hung)
			continue; /* the table counts it */
		if (isatty(STDERR_FILENO))
			fprintf(stderr, "\r\033[K");
		report_failure(text, test_case, outcome);
		if (hangs == HANGS_MAX && outcome->hung)
			fprintf(text, "%s %s: %d tests hung; its other tests are skipped, and count as failed\n\n",
			        test_case->info->name, kind_names[test_case->kind], HANGS_MAX);
		fflush(text);
	}
	progress(report, report->count);
	if (child_interrupted() == 0)
		return status;
	say("interrupted: %zu of %zu tests ran", report->count, total);
	return 128 + child_interrupted();
}

/* Whether this run had the verdicts of the first one. If not, it says what differs. */
static bool same_as_first(const struct report *report, const enum verdict *first, FILE *text)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct test_case *test_case = &report->cases[i];
		if (report->outcomes[i].verdict == first[i])
			continue;
		fprintf(text, "%s %s %s: %s was %s in the first run and is %s now\n", test_case->info->name,
		        kind_names[test_case->kind], test_case->rule->id, test_case->test->what,
		        verdict_names[first[i]], verdict_names[report->outcomes[i].verdict]);
		return false;
	}
	return true;
}

static int run_repeatedly(const struct check_options *options, struct report *report, size_t total, FILE *text)
{
	enum verdict *first = calloc(total, sizeof(*first));
	int status = EXIT_GOOD;
	uint64_t run = 0;
	if (first == NULL) {
		say("out of memory");
		return EXIT_MACHINE;
	}
	child_catch_interrupts();
	while (run < options->repeat && status == EXIT_GOOD) {
		run++;
		status = run_all(options, report, total, text);
		for (size_t i = 0; run == 1 && i < report->count; i++)
			first[i] = report->outcomes[i].verdict;
		if (status == EXIT_GOOD && !same_as_first(report, first, text))
			status = EXIT_VERDICT;
	}
	free(first);
	if (options->repeat > 1)
		fprintf(text, "%s %" PRIu64 " of %" PRIu64 "%s\n\n",
		        status == EXIT_GOOD      ? "runs:"
		        : status == EXIT_VERDICT ? "failed in run"
		                                 : "stopped in run",
		        run, options->repeat, status == EXIT_GOOD ? ", no failure, no difference" : "");
	return status;
}

/* The report in the format asked for; NULL: out of memory. To be freed. */
static char *render(const struct check_options *options, const struct report *report, const struct matrix *matrix)
{
	char *text = NULL;
	size_t length = 0;
	if (options->format == FORMAT_JSON)
		return matrix_json(matrix);
	FILE *out = open_memstream(&text, &length);
	if (out == NULL)
		return NULL;
	if (options->format == FORMAT_TAP)
		formats_tap(out, report);
	else if (options->format == FORMAT_JUNIT)
		formats_junit(out, report);
	else {
		for (size_t i = 0; i < report->count; i++)
			if (report->outcomes[i].verdict == FAILED)
				report_failure(out, &report->cases[i], &report->outcomes[i]);
		report_print(out, report, matrix);
	}
	bool whole = ferror(out) == 0;
	if (fclose(out) != 0 || !whole) {
		free(text);
		return NULL;
	}
	return text;
}

/* Where the text goes during the run. NULL: nowhere, since the standard output is for another
 * format. */
static FILE *text_stream(const struct check_options *options, const struct results_out *out)
{
	if (options->out == NULL)
		return options->format == FORMAT_TEXT ? stdout : NULL;
	return say_is_stdout(out->fd) ? NULL : stdout;
}

/* Runs what is planned and writes what came of it. */
static int run_and_report(const struct check_options *options, struct report *report, size_t total)
{
	struct results_out out = {.fd = -1};
	struct matrix matrix = {0};
	FILE *nowhere = NULL, *text;
	char *rendered = NULL;
	int status = EXIT_MACHINE;

	if (options->out != NULL && results_open(&out, options->out, total * OUTCOME_BYTES) != 0)
		return EXIT_USAGE;
	if ((text = text_stream(options, &out)) == NULL && (text = nowhere = fopen("/dev/null", "w")) == NULL) {
		say("cannot write to /dev/null: %s", strerror(errno));
		goto done;
	}
	status = run_repeatedly(options, report, total, text);
	if (status == EXIT_MACHINE)
		goto done;
	if ((options->matrix || options->format == FORMAT_JSON) && matrix_open(&matrix, options, report) != 0) {
		status = EXIT_MACHINE;
		goto done;
	}
	report_print(text, report, options->matrix ? &matrix : NULL);
	if (options->out != NULL || options->format != FORMAT_TEXT) {
		rendered = render(options, report, options->matrix ? &matrix : NULL);
		if (rendered == NULL)
			say("out of memory");
		else if (options->out == NULL)
			fputs(rendered, stdout);
		if (rendered == NULL || (options->out != NULL && results_write_text(&out, rendered) != 0))
			status = EXIT_MACHINE;
		else if (options->format == FORMAT_JSON && options->out == NULL)
			fputc('\n', stdout);
	}
	if (fflush(stdout) != 0 || ferror(stdout)) {
		say("the report could not be written");
		status = EXIT_MACHINE;
	}
done:
	if (nowhere != NULL)
		fclose(nowhere);
	results_discard(&out);
	matrix_close(&matrix);
	free(rendered);
	return status;
}

static int run(int argc, char **argv)
{
	struct check_options options;
	struct impl_set set = {.infos = NULL};
	struct test_case *cases = NULL;
	struct outcome *outcomes = NULL;
	int status = read_options(&options, argc, argv);

	if (status >= 0)
		goto done;
	if (options.list) {
		status = EXIT_GOOD;
		if (options.format != FORMAT_MARKDOWN)
			list_rules(&options);
		else if (catalogue_write_page(stdout) != 0)
			status = EXIT_MACHINE;
		if (fflush(stdout) != 0)
			status = EXIT_MACHINE;
		goto done;
	}
	if ((status = open_implementations(&options.given, &set)) != EXIT_GOOD)
		goto done;
	if (choice_check_tested(&options.impls, &set) != 0) {
		status = EXIT_USAGE;
		goto done;
	}
	size_t total = plan(&options, &set, NULL);
	if (total == 0) {
		say("nothing to check: no selected implementation has a kind that a selected rule with a test speaks "
		    "of");
		status = EXIT_USAGE;
		goto done;
	}
	cases = calloc(total, sizeof(*cases));
	outcomes = calloc(total, sizeof(*outcomes));
	if (cases == NULL || outcomes == NULL) {
		say("out of memory");
		status = EXIT_MACHINE;
		goto done;
	}
	plan(&options, &set, cases);
	struct report report = {cases, outcomes, 0};
	status = run_and_report(&options, &report, total);
done:
	free(outcomes);
	free(cases);
	impl_set_close(&set);
	free_options(&options);
	return status;
}

static const struct option check_option_table[] = {
	{"impl", "A,B",
         "only these; 'peers': all peers, 'all': everything (without it: ours, and those of the plug-ins)", false},
	{"strict-peers", NULL, "peers that break rules count for the exit status, too", false},
	{"kind", "K,L", "only these kinds: mpsc, unbounded, oneshot, broadcast, watch", false},
	{"rule", "M-12,B-*", "only these rules; * stands for anything", false},
	{"plugin", "F.so", "also the implementations of this plug-in", true},
	{"rules", NULL, "print what each implementation makes of each rule", false},
	{"json", NULL, "with --rules: as JSON, and nothing else", false},
	{"format", "text|tap|junit", "how the outcome of each test is written (text)", false},
	{"out", "FILE", "write that (JSON, TAP, XML, text) to this file, and the text to the standard output", false},
	{"repeat", "N", "run all of it N times, up to the first run that fails or differs", false},
	{"timeout", "S", "a test that makes no progress for so many seconds hangs (10)", false},
	{"list", NULL, "show the rules and their tests, run nothing", false},
	{NULL, NULL, NULL, false},
};

const struct command check_command = {
	.name = "check",
	.usage = "[--impl=A,B] [--kind=K,L] [--rule=RULES] [--plugin=F.so]... [--rules [--json]] [--format=F] "
		 "[--out=FILE] "
		 "[--repeat=N] [--timeout=S] [--list]",
	.summary = "Tests whether an implementation keeps the rules of the contract.",
	.details = "Each test runs in a process of its own. Verdicts: passed; failed; declared (the implementation "
		   "says that it\n"
		   "does not keep the rule); not offered (it lacks a function that the test needs); untestable (and "
		   "why).\n"
		   "After 3 hangs the other tests of that implementation and kind are not run: they count as failed.\n"
		   "Exit status: 0 nothing failed, 1 something did, 2 wrong usage, 3 the machine failed, 128+N "
		   "interrupted.\n",
	.examples = "  chanbench check --rule='M-*' --kind=mpsc\n"
		    "  chanbench check --plugin=./mine.so --impl=mine\n"
		    "  chanbench check --format=junit --out=check.xml\n",
	.options = check_option_table,
	.run = run,
};
