/* SPDX-License-Identifier: MIT */
#include "harness/check/options.h"

#include "harness/say.h"

#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RULES_MAX 1024
#define WORD_SIZE 128

void check_options_help(void)
{
	fputs("chanbench check - does an implementation keep the rules of the contract?\n"
	      "\n"
	      "  chanbench check [--impl=NAMES] [--kind=KINDS] [--rule=RULES] [--plugin=FILE.so]... "
	      "[--timeout=SECONDS]\n"
	      "  chanbench check --list\n"
	      "\n"
	      "  --impl=A,B       only these implementations (without it: all, and those of the plug-ins)\n"
	      "  --kind=K,L       only these kinds: mpsc, unbounded, oneshot, broadcast, watch\n"
	      "  --rule=M-12,B-*  only these rules; * stands for anything\n"
	      "  --plugin=F.so    also the implementations of this plug-in; may be repeated\n"
	      "  --timeout=S      a test that makes no progress for so many seconds hangs (10)\n"
	      "  --list           show the rules and their tests, run nothing\n"
	      "\n"
	      "Each test runs in a process of its own. Verdicts: passed; failed; declared (the implementation says "
	      "that it does\n"
	      "not keep the rule); not offered (it lacks a function that the test needs); untestable (and why).\n"
	      "Exit status: 0 nothing failed, 1 something did, 2 wrong usage, 3 the machine failed, 128+N "
	      "interrupted.\n"
	      "\n"
	      "  chanbench check --rule='M-*' --kind=mpsc\n"
	      "  chanbench check --plugin=./mine.so --impl=mine\n",
	      stdout);
}

size_t list_next(const char **list, const char **word)
{
	while (**list == ',')
		(*list)++;
	*word = *list;
	size_t length = strcspn(*list, ",");
	*list += length;
	return length;
}

static void copy_word(char *to, size_t size, const char *word, size_t length)
{
	snprintf(to, size, "%.*s", (int)length, word);
}

bool rule_list_names(const char *list, const char *id)
{
	const char *word;
	size_t length;
	char pattern[WORD_SIZE];
	while ((length = list_next(&list, &word)) > 0) {
		copy_word(pattern, sizeof(pattern), word, length);
		if (fnmatch(pattern, id, 0) == 0)
			return true;
	}
	return false;
}

/* Says which word of the list names no rule. */
static int check_rules(const char *list)
{
	static const char *ids[RULES_MAX];
	size_t count = 0, length;
	const char *word;
	char pattern[WORD_SIZE];
	for (const struct rule *const *table = rule_tables; *table != NULL; table++)
		for (const struct rule *rule = *table; rule->id != NULL && count < RULES_MAX; rule++)
			ids[count++] = rule->id;
	while ((length = list_next(&list, &word)) > 0) {
		size_t i = 0;
		copy_word(pattern, sizeof(pattern), word, length);
		while (i < count && fnmatch(pattern, ids[i], 0) != 0)
			i++;
		if (i < count)
			continue;
		const char *nearest = say_nearest(pattern, ids, count);
		if (nearest != NULL)
			say("there is no test for a rule '%s'; did you mean '%s'? 'chanbench check --list' shows all",
			    pattern, nearest);
		else
			say("there is no test for a rule '%s'; 'chanbench check --list' shows all", pattern);
		return -1;
	}
	return 0;
}

static int parse_kinds(const char *list, unsigned *kinds)
{
	const char *word;
	size_t length;
	char name[WORD_SIZE];
	*kinds = 0;
	while ((length = list_next(&list, &word)) > 0) {
		copy_word(name, sizeof(name), word, length);
		enum kind kind = kind_of_name(name);
		if (kind == KIND_COUNT) {
			const char *nearest = say_nearest(name, kind_names, KIND_COUNT);
			say("unknown kind '%s'; did you mean '%s'?", name, nearest != NULL ? nearest : kind_names[0]);
			return -1;
		}
		*kinds |= 1u << kind;
	}
	return 0;
}

static int parse_timeout(const char *text, uint64_t *ns)
{
	char *end;
	errno = 0;
	unsigned long seconds = strtoul(text, &end, 10);
	if (errno != 0 || *text < '0' || *text > '9' || *end != '\0' || seconds == 0 || seconds > 86400) {
		say("--timeout must be 1 to 86400 seconds, not '%s'", text);
		return -1;
	}
	*ns = (uint64_t)seconds * 1000000000u;
	return 0;
}

static int refuse_option(const char *text)
{
	static const char *const names[] = {"--impl", "--kind", "--rule", "--plugin", "--timeout", "--list", "--help"};
	char name[WORD_SIZE];
	copy_word(name, sizeof(name), text, strcspn(text, "="));
	const char *nearest = say_nearest(name, names, sizeof(names) / sizeof(names[0]));
	if (nearest != NULL)
		say("check: '%s' is not right; did you mean '%s'? 'chanbench check --help' shows all", text, nearest);
	else
		say("check: '%s' is not right; 'chanbench check --help' shows all", text);
	return -1;
}

int check_options_parse(int argc, char **argv, struct check_options *options)
{
	static const struct option longs[] = {
		{"impl", required_argument, NULL, 'i'},    {"kind", required_argument, NULL, 'k'},
		{"rule", required_argument, NULL, 'r'},    {"plugin", required_argument, NULL, 'p'},
		{"timeout", required_argument, NULL, 't'}, {"list", no_argument, NULL, 'l'},
		{"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
	};
	*options = (struct check_options){.kinds = (1u << KIND_COUNT) - 1, .timeout_ns = UINT64_C(10000000000)};
	optind = 0; /* this process may have parsed another command line before */
	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, "+:h", longs, NULL)) != -1;) {
		switch (c) {
		case 'i':
			options->impls = optarg;
			break;
		case 'r':
			options->rules = optarg;
			if (check_rules(optarg) != 0)
				return -1;
			break;
		case 'k':
			if (parse_kinds(optarg, &options->kinds) != 0)
				return -1;
			break;
		case 'p':
			if (options->plugin_count == OPTION_PLUGINS_MAX) {
				say("at most %d plug-ins at a time", OPTION_PLUGINS_MAX);
				return -1;
			}
			options->plugins[options->plugin_count++] = optarg;
			break;
		case 't':
			if (parse_timeout(optarg, &options->timeout_ns) != 0)
				return -1;
			break;
		case 'l':
			options->list = true;
			break;
		case 'h':
			options->help = true;
			break;
		default:
			return refuse_option(argv[optind - 1]);
		}
	}
	return optind < argc ? refuse_option(argv[optind]) : 0;
}
