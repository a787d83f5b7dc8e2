/* SPDX-License-Identifier: MIT
 *
 * rule.h - a rule of the contract, its tests, and what a test is given.
 *
 * The tables in scenarios/rules are the only place where a rule is stated: its number, the kinds
 * that it speaks of, one line in our words, its tests, and the functions beyond the minimum that
 * each test calls. A test sees only those: any other optional function is NULL in the tables that
 * it is given, so that a forgotten need shows at once, with every implementation.
 *
 * The documentation of the rules (impls/SEMANTICS.md) is made from the same tables (catalogue.h).
 *
 *   static const struct rule rules[] = {
 *           {"M-20", RULE_MPSC, "A try_send never blocks; closed wins over full.",
 *            {{"a full channel", full_is_full, ""}, {"closed and full", closed_wins, "close"}}},
 *           {0}};
 */
#ifndef CHANBENCH_CHECK_RULE_H
#define CHANBENCH_CHECK_RULE_H

#include "harness/any.h"

/* Which kinds a rule speaks of. */
#define RULE_MPSC      (1u << KIND_MPSC)
#define RULE_UNBOUNDED (1u << KIND_UNBOUNDED)
#define RULE_QUEUES    (RULE_MPSC | RULE_UNBOUNDED)
#define RULE_ONESHOT   (1u << KIND_ONESHOT)
#define RULE_BROADCAST (1u << KIND_BROADCAST)
#define RULE_WATCH     (1u << KIND_WATCH)

enum test_flags {
	TEST_START = 1, /* starts the channel's counters elsewhere than at 0 */
	TEST_PLAIN = 2, /* broadcast, watch: only elements without hooks */
	/* broadcast, watch: only elements with hooks. With neither flag the test runs both ways */
	TEST_HOOKS = 4,

	/* What the explorer cannot run (test.h): */
	/* comes between the channel and the C library or the kernel, or ends threads by force */
	TEST_FAULT = 8,
	TEST_SIGNALS = 16, /* sends signals */
	TEST_HEAP = 32,    /* measures the C library's heap */
	/* is about large numbers: tens of thousands of steps, and nobody waits */
	TEST_LONG = 64
};

/* What a test is given. */
struct test {
	const char *impl; /* the name */
	enum kind kind;

	/* The table of its kind, the others NULL. `mpsc` serves mpsc and unbounded. */
	const struct chan_mpsc_ops *mpsc;
	const struct chan_oneshot_ops *oneshot;
	const struct chan_broadcast_ops *broadcast;
	const struct chan_watch_ops *watch;
	struct any_ops any; /* and what it shares with the other kinds' */

	bool hooks;     /* elements have `clone` and `destroy` */
	uint64_t start; /* where the counters of channels opened from now on begin */
};

struct rule_test {
	/* what this test looks at, a few words; unique within its rule */
	const char *what;
	void (*run)(struct test *test); /* returns when the rule was kept */
	const char *needs;              /* functions beyond the minimum, separated by spaces */
	unsigned flags;                 /* of enum test_flags */
};

#define RULE_TESTS_MAX 8

struct rule {
	const char *id;                         /* "M-22" */
	unsigned kinds;                         /* RULE_MPSC ... */
	const char *text;                       /* what it says, one line */
	struct rule_test tests[RULE_TESTS_MAX]; /* ends with {0} unless full */
};

/* All tables of scenarios/rules, in the order of the contract; ends with NULL. Each ends with
 * {0}. */
extern const struct rule *const rule_tables[];

/* What the documentation says of a rule beyond its text (scenarios/rules/notes.c and others),
 * and the rules that have no test. */
struct rule_note {
	const char *id;
	const char *more; /* sentences; NULL: nothing */

	/* Of a rule without a test: the kinds that it speaks of, what it says, and why there is
	 * none. Else 0 and NULL. */
	unsigned kinds;
	const char *text;
	const char *untestable;
};

/* Each ends with {0}. */
extern const struct rule_note *const rule_notes[];

/* The rules by their letter, in the order of the documentation. */
struct rule_section {
	char letter;
	const char *title;
	const char *intro;
};

extern const struct rule_section rule_sections[]; /* ends with {0} */

#endif
