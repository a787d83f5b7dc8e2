/* SPDX-License-Identifier: MIT */
#include "harness/stress/stress.h"

#include "harness/choice.h"
#include "harness/child.h"
#include "harness/cli/commands.h"
#include "harness/say.h"
#include "harness/stress/campaign.h"
#include "harness/stress/round.h"
#include "harness/stress/verify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const verdict_words[] = {"ok", "TALLY", "HISTORY", "CRASHED", "HUNG", "not run"};

struct asked {
	struct options given;
	struct names impls, kinds;
	struct stress_options options;
};

static int read_options(struct asked *asked, int argc, char **argv)
{
	const char *temporary = getenv("TMPDIR");
	uint64_t threads = 6;
	int status = options_read(&asked->given, &stress_command, argc, argv);
	if (status >= 0)
		return status;
	asked->options = (struct stress_options){.seconds = 5, .timeout = 10, .seed = chan_now() % 1000000};
	asked->options.history = options_get(&asked->given, "no-history") == NULL;
	asked->options.wrap = options_get(&asked->given, "wrap") != NULL;
	asked->options.histories = options_get(&asked->given, "histories");
	if (asked->options.histories != NULL && access(asked->options.histories, W_OK | X_OK) != 0) {
		say("--histories: no file can be left in '%s': %s", asked->options.histories, strerror(errno));
		return EXIT_USAGE;
	}
	if (asked->options.histories == NULL)
		asked->options.histories = temporary != NULL && *temporary != '\0' ? temporary : "/tmp";
	if (options_get(&asked->given, "seconds") != NULL && options_get(&asked->given, "operations") != NULL) {
		say("--seconds and --operations both say when to end: give one of them");
		return EXIT_USAGE;
	}
	if (names_split(&asked->impls, options_get(&asked->given, "impl"), "impl") != 0 ||
	    names_split(&asked->kinds, options_get(&asked->given, "kind"), "kind") != 0 ||
	    names_check("kind", &asked->kinds, kind_names, KIND_COUNT) != 0 ||
	    options_number(&asked->given, "operations", 1, UINT64_MAX >> 1, &asked->options.operations) != 0 ||
	    options_number(&asked->given, "threads", 2, THREADS_MAX, &threads) != 0 ||
	    options_number(&asked->given, "seed", 0, INT64_MAX, &asked->options.seed) != 0 ||
	    options_seconds(&asked->given, "seconds", 0.01, 86400 * 30, &asked->options.seconds) != 0 ||
	    options_seconds(&asked->given, "timeout", 0.5, 3600, &asked->options.timeout) != 0)
		return EXIT_USAGE;
	asked->options.threads = (unsigned)threads;
	return -1;
}

static void print_row(const char *impl, enum kind kind, const struct stress_result *r)
{
	double seconds = (double)r->elapsed_ns / 1e9;
	printf("%-16s %-10s %7" PRIu64 " %11" PRIu64 " %10.0f %9" PRIu64 " %11" PRIu64 " %9.0f %12" PRIu64 "  %s", impl,
	       kind_names[kind], r->rounds, r->operations, seconds > 0 ? (double)r->operations / seconds : 0.0,
	       r->histories, r->recorded, (double)r->largest_ns / 1e6, r->made, verdict_words[r->verdict]);
	if (r->undecided > 0)
		printf(" (%" PRIu64 " undecided)", r->undecided);
	putchar('\n');
	if (r->verdict != STRESS_GOOD)
		printf("\n%s %s, round with --seed=%" PRIu64 ", after %.1f s: %s\n", impl, kind_names[kind], r->seed,
		       seconds, r->text);
	fflush(stdout);
}

static int run_all(const struct asked *asked, const struct impl_set *set)
{
	int status = EXIT_GOOD;
	size_t campaigns = 0;
	child_catch_interrupts();
	printf("seed %" PRIu64 ", up to %u threads\n", asked->options.seed, asked->options.threads);
	printf("%-16s %-10s %7s %11s %10s %9s %11s %9s %12s  %s\n", "implementation", "kind", "rounds", "operations",
	       "per s", "histories", "recorded", "check ms", "values", "verdict");
	for (size_t i = 0; i < set->count; i++) {
		for (enum kind kind = 0; kind < KIND_COUNT; kind++) {
			struct stress_result result;
			if (!choice_has_tested(&asked->impls, &set->infos[i]) || set->infos[i].offered[kind] == 0 ||
			    (asked->kinds.count > 0 &&
			     names_index(&asked->kinds, kind_names[kind]) == asked->kinds.count))
				continue;
			campaigns++;
			if (asked->options.wrap && (set->infos[i].flags & CHAN_HONOURS_START) == 0)
				say("%s %s: its counters cannot be told where to begin: they begin where they do",
				    set->infos[i].name, kind_names[kind]);
			stress_campaign_run(&set->infos[i], kind, &asked->options, &result);
			print_row(set->infos[i].name, kind, &result);
			if (child_interrupted() != 0) {
				say("interrupted: the last row is of a run that was cut short");
				return 128 + child_interrupted();
			}
			if (result.verdict == STRESS_MACHINE)
				status = EXIT_MACHINE;
			else if (result.verdict != STRESS_GOOD && status == EXIT_GOOD)
				status = EXIT_VERDICT;
		}
	}
	if (campaigns == 0) {
		say("nothing to do: no selected implementation has a selected kind");
		return EXIT_USAGE;
	}
	return status;
}

int stress_recheck(const char *path)
{
	static struct verify_result result;
	struct saved_history saved;
	char error[512];
	if (!history_load(path, &saved, error, sizeof error)) {
		say("%s", error);
		return EXIT_USAGE;
	}
	printf("%s %s, round with --seed=%" PRIu64 ", %zu operations: ", saved.impl, kind_names[saved.history.kind],
	       saved.seed, saved.history.count);
	fflush(stdout);
	verify(&saved.history, VERIFY_CONFIGURATIONS, NULL, &result);
	history_unload(&saved);
	switch (result.verdict) {
	case SEARCH_GOOD:
		printf("ok (%" PRIu64 " configurations)\n", result.configurations);
		return EXIT_GOOD;
	case SEARCH_BAD:
		printf("HISTORY\n%s", result.text);
		return EXIT_VERDICT;
	case SEARCH_UNDECIDED:
		printf("undecided\n");
		say("the check was given up after %" PRIu64 " configurations", result.configurations);
		return EXIT_MACHINE;
	default:
		printf("not checked\n");
		say("out of memory for the check of a history");
		return EXIT_MACHINE;
	}
}

static int run(int argc, char **argv)
{
	struct asked asked;
	struct impl_set set = {.count = 0};
	memset(&asked, 0, sizeof asked);
	int status = read_options(&asked, argc, argv);
	if (status >= 0)
		goto done;
	const char *saved = options_get(&asked.given, "check-history");
	if (saved != NULL && asked.given.count > 1)
		say("--check-history checks one file and runs nothing: no other option goes with it");
	if (saved != NULL) {
		status = asked.given.count > 1 ? EXIT_USAGE : stress_recheck(saved);
		goto done;
	}
	if ((status = open_implementations(&asked.given, &set)) != EXIT_GOOD)
		goto done;
	status = choice_check_tested(&asked.impls, &set) != 0 ? EXIT_USAGE : run_all(&asked, &set);
done:
	impl_set_close(&set);
	names_free(&asked.kinds);
	names_free(&asked.impls);
	options_close(&asked.given);
	return status;
}

static const struct option stress_option_table[] = {
	{"impl", "A,B",
         "only these implementations; peers and all stand for several (without it: ours, and those of the plug-ins)",
         false},
	{"kind", "K,L", "only these kinds: mpsc, unbounded, oneshot, broadcast, watch", false},
	{"plugin", "F.so", "also the implementations of this plug-in", true},
	{"seconds", "S", "how long for each kind of each implementation (5)", false},
	{"operations", "N", "instead: until so many operations were done", false},
	{"threads", "N", "at most so many threads in a round, 2 to 16 (6)", false},
	{"seed", "N", "of the first round; the next has the next number (the clock)", false},
	{"wrap", NULL, "in every round the counters begin just before they wrap", false},
	{"no-history", NULL, "record no histories: the tally only, at full speed", false},
	{"histories", "DIR", "where the whole history of a failed check is left, a folder ($TMPDIR, or /tmp)", false},
	{"check-history", "FILE", "runs nothing: checks such a history again", false},
	{"timeout", "S",
         "threads that do nothing for so many seconds hang (10); so does a round that lasts six times as long", false},
	{NULL, NULL, NULL, false},
};

const struct command stress_command = {
	.name = "stress",
	.usage =
		"[--impl=A,B] [--kind=K,L] [--plugin=F.so]... [--seconds=S | --operations=N] [--threads=N] [--seed=N]\n"
		"                        [--wrap] [--no-history] [--histories=DIR] [--timeout=S]\n"
		"       chanbench stress --check-history=FILE",
	.summary = "Lets threads do at random whatever the handles of a channel can, and checks what came of it.",
	.details =
		"Round by round, on fresh channels. The tally: every value that was made ended exactly once, "
		"received, handed\n"
		"back or destroyed. The histories: the results of all operations can be explained by the operations "
		"having\n"
		"taken effect one at a time, each between its call and its return (linearizability). A failure "
		"names the round's\n"
		"seed: --seed with that number begins with the same choices, though not with the same schedule. So the "
		"whole history\n"
		"of a failed check is left in a file, which the failure names.\n"
		"Exit status: 0 all is well, 1 a verdict failed, 2 wrong usage, 3 the machine failed, 128+N "
		"interrupted.\n",
	.examples = "  chanbench stress --seconds=60\n"
		    "  chanbench stress --plugin=./mine.so --impl=mine --kind=mpsc --threads=3\n"
		    "  chanbench stress --check-history=/tmp/chanbench-mine-mpsc-17-Xb3kq9.history\n",
	.options = stress_option_table,
	.run = run,
};
