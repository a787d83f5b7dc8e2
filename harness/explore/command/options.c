/* SPDX-License-Identifier: MIT */
#include "harness/explore/command/command.h"

#include "harness/say.h"

#include <stdlib.h>
#include <string.h>

static const struct option option_table[] = {
	{"impl", "A,B", "only these implementations", false},
	{"plugin-source", "FILE.c",
         "explore this C file instead of ours: a plug-in (CHAN_PLUGIN), or a program with a main; compiled with $CC, or what is there",
         false},
	{"program", "P,Q",
         "only these programs; * stands for anything: 'mpsc/*', '*timeout*', 'rules/*' (the tests of chanbench check)",
         false},
	{"strategy", "S", "random, pct, dfs or auto: all of them in turn (auto)", false},
	{"depth", "D", "pct: how many orderings a bug may need, 1 to 32 (3)", false},
	{"bound", "B", "dfs: at most so many preemptions (and early timeouts) in one schedule (no limit)", false},
	{"schedules", "N", "at most so many schedules of each program", false},
	{"seconds", "S", "at most so long, for all of them together (60, unless --schedules is given)", false},
	{"seed", "N", "of the random choices (1)", false},
	{"memory", "M", "c11, or sc: every load sees the newest store (c11)", false},
	{"replay", "STRING", "run the one schedule that a failure printed", false},
	{"weaken", NULL, "weaken each atomic operation's memory order, one at a time: which are needed?", false},
	{"list", NULL, "show the programs, run nothing", false},
	{"json", NULL, "write the outcome as JSON, and nothing else", false},
	{NULL, NULL, NULL, false},
};

static const struct command explore_table = {
	.name = "explore",
	.usage =
		"[--impl=A,B] [--plugin-source=FILE.c] [--program=P,Q] [--strategy=S] [--depth=D] [--bound=B]\n"
		"                         [--schedules=N] [--seconds=S] [--seed=N] [--memory=M] [--replay=STRING] [--weaken] "
		"[--list] [--json]",
	.summary = "Runs small concurrent programs under every interleaving, and every memory order that C11 allows.",
	.details =
		"The sources are compiled with -fsanitize=thread and linked to a runtime that decides which thread makes "
		"the next step,\n"
		"which store a load sees, and what time it is. Verdicts: ok, race, deadlock (also a lost wakeup), assert (a "
		"broken rule),\n"
		"use-after-free, double-free, leak, ledger, livelock, hang, crash, unsupported. A failure comes with the "
		"schedule, to be\n"
		"replayed, and with what each thread did. 'exhausted' means that nothing is left to explore within what is "
		"modelled;\n"
		"'truncated' says what ended the search before: then 'ok' is not a proof.\n"
		"Tests of rules ('rules/KIND/RULE/TEST') are explored when they are named: every way in which their "
		"threads come to rest.\n"
		"Exit status: 0 every verdict is ok, 1 one is not, 2 wrong usage, 3 the machine failed, 128+N interrupted.\n",
	.examples = "  chanbench explore --impl=mutex --program='mpsc/*'\n"
		    "  chanbench explore --program='rules/*/M-2*' --schedules=500\n"
		    "  chanbench explore --plugin-source=mine.c --seconds=20\n"
		    "  chanbench explore --impl=mutex --program=oneshot/close_against_send --weaken\n",
	.options = option_table,
	.run = explore_command,
};

/* One of the names, or NULL: the first. */
static int read_choice(struct explore_asked *asked, const char *name, const char *const *known, size_t count,
                       const char **value)
{
	struct names names;
	const char *given = options_get(&asked->given, name);
	int failed = names_split(&names, given, name);

	if (failed == 0)
		failed = names_check(name, &names, known, count);
	if (failed == 0 && names.count > 1) {
		say("--%s takes one name, not '%s'", name, given);
		failed = -1;
	}
	*value = given != NULL ? given : known[0];
	names_free(&names);
	return failed;
}

/* Takes a replay string apart. */
static int read_replay(struct explore_asked *asked)
{
	const char *text = options_get(&asked->given, "replay");
	const char *program = text != NULL ? strchr(text, ':') : NULL;
	const char *schedule = program != NULL ? strchr(program + 1, ':') : NULL;

	if (text == NULL)
		return 0;
	if (schedule == NULL) {
		say("--replay takes what a failure printed, IMPLEMENTATION:PROGRAM:SCHEDULE; '%.60s' is not", text);
		return -1;
	}
	asked->replay_impl = strndup(text, (size_t)(program - text));
	asked->replay_program = strndup(program + 1, (size_t)(schedule - program - 1));
	asked->replay = schedule + 1;
	if (asked->replay_impl != NULL && asked->replay_program != NULL)
		return 0;
	say("out of memory");
	return -1;
}

static int check_together(const struct explore_asked *asked)
{
	const struct options *given = &asked->given;

	if (asked->replay != NULL && (asked->weaken || asked->list || options_get(given, "schedules") != NULL)) {
		say("--replay runs one schedule: leave --weaken, --list and --schedules away");
		return -1;
	}
	if (options_get(given, "depth") != NULL && strcmp(asked->strategy, "pct") != 0 &&
	    strcmp(asked->strategy, "auto") != 0) {
		say("--depth is of --strategy=pct, not of %s", asked->strategy);
		return -1;
	}
	if (options_get(given, "bound") != NULL && strcmp(asked->strategy, "dfs") != 0 &&
	    strcmp(asked->strategy, "auto") != 0) {
		say("--bound is of --strategy=dfs, not of %s", asked->strategy);
		return -1;
	}
	return 0;
}

int explore_asked_read(struct explore_asked *asked, int argc, char **argv)
{
	static const char *const strategies[] = {"auto", "random", "pct", "dfs"};
	static const char *const memories[] = {"c11", "sc"};
	uint64_t depth, bound;

	memset(asked, 0, sizeof *asked);
	int status = options_read(&asked->given, &explore_table, argc, argv);
	if (status >= 0)
		return status;
	const struct options *given = &asked->given;
	asked->source = options_get(given, "plugin-source");
	asked->depth = options_get(given, "depth");
	asked->bound = options_get(given, "bound");
	asked->weaken = options_get(given, "weaken") != NULL;
	asked->list = options_get(given, "list") != NULL;
	asked->json = options_get(given, "json") != NULL;
	asked->seed = 1;
	asked->seconds = options_get(given, "schedules") != NULL ? 0 : 60;
	if (read_replay(asked) != 0 || names_split(&asked->impls, options_get(given, "impl"), "impl") != 0 ||
	    names_split(&asked->programs, options_get(given, "program"), "program") != 0 ||
	    read_choice(asked, "strategy", strategies, 4, &asked->strategy) != 0 ||
	    read_choice(asked, "memory", memories, 2, &asked->memory) != 0 ||
	    options_number(given, "depth", 1, 32, &depth) != 0 ||
	    options_number(given, "bound", 0, 1000000, &bound) != 0 ||
	    options_number(given, "schedules", 1, INT64_MAX, &asked->schedules) != 0 ||
	    options_number(given, "seed", 0, INT64_MAX, &asked->seed) != 0 ||
	    options_seconds(given, "seconds", 0.01, 86400.0 * 30, &asked->seconds) != 0 || check_together(asked) != 0)
		return EXIT_USAGE;
	return -1;
}

void explore_asked_free(struct explore_asked *asked)
{
	free(asked->replay_impl);
	free(asked->replay_program);
	names_free(&asked->programs);
	names_free(&asked->impls);
	options_close(&asked->given);
}
