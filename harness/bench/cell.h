/* SPDX-License-Identifier: MIT
 *
 * cell.h - the inside of `chanbench bench-cell`: what it was asked, and what it writes.
 */
#ifndef CHANBENCH_BENCH_CELL_H
#define CHANBENCH_BENCH_CELL_H

#include "harness/bench/engine.h"
#include "harness/bench/trial.h"

#include <stdio.h>

struct cell_request {
	const struct workload *workload;
	const char *impl;
	const char *plugin; /* NULL: built in */
	struct params params;
	uint64_t repetitions;
	double seconds;    /* the length that trials are to have */
	uint64_t messages; /* 0: as many as that takes */
	enum placement placement;
	uint64_t seed;
	/* null, or no channel at all (limits), in place of an implementation */
	bool control;
	const char *histogram; /* file for the latencies of the last trial; NULL: none */
};

/* Reads the command line. 0; or -1 after one line that says what is wrong. */
int cell_request_read(int argc, char **argv, struct cell_request *request);

/* What stays the same from trial to trial. */
struct cell {
	const struct cell_request *request;
	const struct chan_impl *impl;
	char name[512];
	enum kind kind;
	uint64_t messages;
	uint64_t bytes;         /* of one channel; 0: not known */
	uint64_t true_capacity; /* where it is not the one asked for (peers); else 0 */
	uint64_t trials;        /* run so far, calibrating ones included */
	char calibration[300];  /* what was broken while calibrating; "": nothing */
};

/* "scenario/implementation/key:value/..." with every parameter in the workload's order. */
void cell_name(const struct cell_request *request, char *text, size_t size);

/* Runs one trial of that many messages. */
void cell_trial(struct cell *cell, uint64_t messages, struct trial *trial);

/* Finds how many messages a trial of the length asked for takes. */
void cell_calibrate(struct cell *cell);

/* Bytes that one channel takes, or 0 where the allocator cannot be asked (sanitizers). Opens
 * channels: before any other thread. */
uint64_t cell_bytes(const struct chan_impl *impl, enum kind kind, const struct params *params);

/* What a channel says that it holds, where that is not what was asked for: rings round up, the
 * kernel has its limits. Else 0. */
uint64_t cell_true_capacity(const struct chan_impl *impl, enum kind kind, const struct params *params);

/* --- row.c: one JSON object a line to descriptor 3, from any thread --- */

/* Moves the pipe away from descriptor 3, and lets what is written there go nowhere: a plug-in
 * that closes descriptors that it does not know, or writes to them, disturbs no report. Before a
 * plug-in is loaded. 0; -1 after one line: there is no pipe. */
int row_open(void);

void row_event(const char *event, const char *member, uint64_t value); /* member NULL: none */
void row_write(const struct cell *cell, const struct trial *trial, const struct engine_row *engine,
               uint64_t repetition);

#endif
