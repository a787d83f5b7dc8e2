/* SPDX-License-Identifier: MIT */
#include "harness/check/options.h"

#include "harness/check/check.h"
#include "harness/say.h"

#include <fnmatch.h>
#include <string.h>

#define RULES_MAX 1024

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

static const struct command check_command = {
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
	.run = check_main,
};

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

/* Each of them, and what goes with what. 0, or -1 after one line. */
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

int check_options_read(struct check_options *options, int argc, char **argv)
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

void check_options_free(struct check_options *options)
{
	names_free(&options->rules);
	names_free(&options->impls);
	options_close(&options->given);
}
