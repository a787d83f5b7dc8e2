/* SPDX-License-Identifier: MIT
 *
 * model.h - what a report is made from: result files, sorted by what may be compared with what.
 *
 * Numbers stand on one axis only when they have the same key: machine, compiler and flags, libc,
 * placement, seconds of a trial, contract version. Runs of one key are its history. What is shown
 * of a key is its newest run; another run of the same commit adds the cells that this one does not
 * have. Nothing is averaged, neither over runs nor over keys.
 */
#ifndef CHANBENCH_REPORT_MODEL_H
#define CHANBENCH_REPORT_MODEL_H

#include "harness/bench/plan.h"
#include "harness/bench/stats.h"

#include <jansson.h>

/* The figures that every scenario can have, in the order of the table's columns; those of the
 * scenario's own follow. */
enum figure_index {
	FIGURE_CPU,
	FIGURE_SWITCHES,
	FIGURE_P50,
	FIGURE_P99,
	FIGURE_P999,
	FIGURE_MAX,
	FIGURE_BYTES,
	FIGURE_CAPACITY,
	FIGURES
};
enum { OWN_FIGURES = 6 };

extern const struct figure report_figures[FIGURES];

struct report_cell {
	char *name;     /* of its rows: "fan_in/futex/producers:4/capacity:32" */
	char *scenario; /* "fan_in" */
	char *label;    /* the implementation, with "@aa" behind it for the second of an A/A pair */
	char *params;   /* "producers:4/capacity:32" */
	char *verdict;  /* "ok", or what was wrong: then there is no number here */
	char *package;  /* of a peer; "": one of ours */
	enum control control;
	bool fixed; /* messages were sent at a fixed rate: judged by its median latency */
	bool saturated;
	struct samples rates, scores; /* above is better: rates, or one over latencies */
	double rate, score;           /* medians; NaN: none */
	struct interval interval, score_interval;
	double figures[FIGURES + OWN_FIGURES];
	size_t rank_low, rank_high; /* 0: none */
};

struct report_run {
	size_t file; /* of the report's files */
	size_t key;
	json_t *context;
	const char *commit, *date; /* of the context; "" */
	char *doubts;              /* a line each */
	struct report_cell *cells;
	size_t count;
};

/* Cells that differ in the implementation alone: what a table has. */
struct report_block {
	const char *scenario, *params;
	const struct workload *workload; /* NULL: of a scenario that this program does not know */
	enum kind kind;                  /* KIND_COUNT: not known either */
	char anchor[96];
	/* the best first, the broken ones behind them, then the controls */
	struct report_cell **cells;
	size_t count, ranked; /* how many of them have a rank */
	double best;          /* score; NaN: nobody's */
	double null_low;      /* the lower end of the null control's interval */
};

struct report_key {
	char id[9];       /* digits of the hash of what follows */
	char machine[9];  /* the same of the machine alone */
	char name[160];   /* "AMD EPYC, 2 CPUs, gcc 12.2.0" */
	json_t *identity; /* what the key is made of, by name */
	size_t *runs;     /* oldest first */
	size_t run_count;
	struct report_block *blocks;
	size_t block_count;
	struct report_cell **limits; /* of the machine, in no block */
	size_t limit_count;
};

struct report_file {
	char *path, *name; /* name: as data/ has it */
	char sha[65];
	size_t bytes;
	bool check; /* of `check --rules --json` */
};

struct report {
	struct report_file *files;
	size_t file_count;
	struct report_run *runs;
	size_t run_count;
	struct report_key *keys; /* the one with the newest run first */
	size_t key_count;
	json_t *rules; /* an array: those of all check files */
};

/* Reads files, and all *.json below folders. EXIT_GOOD, or the status to leave with after one line.
 * End with report_close, whatever it returned. */
int report_read(struct report *report, const char *const *paths, size_t count);
void report_close(struct report *report);

/* Whether it takes part in the ranking of its block. */
bool report_ranked(const struct report_cell *cell);
bool report_broken(const struct report_cell *cell);

/* The cell of that label in a block; NULL. */
struct report_cell *report_find(const struct report_block *block, const char *label);

/* The newest run of a key. */
const struct report_run *report_newest(const struct report *report, const struct report_key *key);

#endif
