/* SPDX-License-Identifier: MIT
 *
 * workload.h - what a scenario is: a name, its parameters, its presets, and a function that runs
 * one trial of it.
 *
 * One scenario, one file, one line in the table of workloads.c. The file says what it needs of an
 * implementation, so that a cell that cannot run is known before anything is started, and which
 * figures of its own it reports.
 */
#ifndef CHANBENCH_WORKLOAD_H
#define CHANBENCH_WORKLOAD_H

#include "harness/info.h"

/* Every parameter that any scenario has, under its one name. Its unit and its range stand in
 * params.c. */
enum param {
	PARAM_PRODUCERS, /* threads that send */
	PARAM_CONSUMERS, /* threads that receive */
	/* messages; CAPACITY_UNBOUNDED shows as "unbounded" and selects that kind */
	PARAM_CAPACITY,
	PARAM_SIZE,    /* bytes of a message */
	PARAM_BATCH,   /* messages a call; 1: the single forms */
	PARAM_WORK_NS, /* nanoseconds of work on each message, by whoever the scenario says */
	PARAM_RATE,    /* messages a second in all, sent at fixed times; 0: as fast as it goes */
	PARAM_STAGES,  /* pipeline: channels in the chain */
	PARAM_SLOW,    /* broadcast_lag: how many of the consumers are slow */
	PARAM_MODE,    /* a word: the form of the operation or of the scenario, as it says */
	PARAM_COUNT
};

#define CAPACITY_UNBOUNDED UINT64_MAX

struct params {
	uint64_t v[PARAM_COUNT]; /* PARAM_MODE: index into the workload's modes */
};

/* A parameter that a scenario has, and its default in the spelling of the command line ("4",
 * "unbounded", "try"). */
struct workload_param {
	enum param param;
	const char *value;
};

/* A named choice of parameters: "producers=4 capacity=32". Values may be lists
 * ("capacity=2,3,10"): a cell for each combination. What is not named keeps its default. */
struct preset {
	const char *name;
	const char *summary; /* whose parameters these are, or what they show */
	const char *params;
};

/* A figure of the scenario's own, beside those that every row has: a numeric member of its rows
 * and a column in its table. */
struct figure {
	const char *member; /* "blocked_ns" */
	const char *title;  /* "blocked/send": understood without a manual */
	const char *unit;   /* "ns", "messages", "1/s"; "ratio": shown as a percentage */
};

struct trial; /* harness/bench/trial.h */

struct workload {
	const char *name;
	const char *summary;
	/* the kinds it can run on, separated by spaces; the first is the usual one */
	const char *kinds;
	const char *item; /* what items_per_second counts: "messages", "round trips", "reads" */
	/* in the order of the row's name; ends with {PARAM_COUNT, NULL} */
	const struct workload_param *params;
	/* the words of PARAM_MODE; ends with NULL; NULL where there is none */
	const char *const *modes;
	const struct preset *presets; /* ends with {NULL, NULL, NULL} */
	const struct figure *figures; /* ends with {NULL, NULL, NULL}; may be NULL */

	/* The kind that these parameters run on, or KIND_COUNT with a reason in `why`: they do
	 * not go together for anybody. */
	enum kind (*kind)(const struct params *params, const char **why);
	/* NULL, or what the implementation lacks for them ("receiver_clone"). */
	const char *(*lacks)(const struct impl_info *info, const struct params *params);
	/* NULL (the pointer or its result): the null control can run it; else why it makes no
	 * sense there. */
	const char *(*no_null)(const struct params *params);
	/* Runs one trial. */
	void (*run)(struct trial *trial);
};

/* All of them, in the order in which they are shown; ends with NULL. */
extern const struct workload *const workloads[];

/* No scenario for implementations: what two threads do without a channel. Its cells are the
 * ceilings in the tables. */
extern const struct workload limits;

/* --- params.c --- */

/* What a parameter counts and which values it takes. They are the same in every scenario; a mode
 * has words instead. */
struct param_range {
	const char *name; /* "producers" */
	const char *unit; /* "threads that send" */
	uint64_t min, max, multiple;
};

const struct param_range *param_range(enum param param);

/* The range as text: "8 to 1048576, a multiple of 8". Not for PARAM_MODE. */
void param_range_print(enum param param, char *text, size_t size);

const char *param_name(enum param param);   /* "producers" */
enum param param_of_name(const char *name); /* PARAM_COUNT: none */

/* Reads one value. NULL, or one line that says what is wrong with it ("capacity must be 1 to
 * 2^40 or 'unbounded', not '0'"), valid until the next call. */
const char *param_parse(const struct workload *workload, enum param param, const char *text, uint64_t *value);

/* Writes one value as param_parse reads it. */
void param_print(const struct workload *workload, enum param param, uint64_t value, char *text, size_t size);

/* The defaults of a workload. */
void params_default(const struct workload *workload, struct params *params);

#endif
