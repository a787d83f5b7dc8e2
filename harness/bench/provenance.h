/* SPDX-License-Identifier: MIT
 *
 * provenance.h - where numbers come from: what was built, on what machine, and what else that
 * machine did meanwhile.
 *
 * Neither the name of the host nor a path is recorded: result files are published.
 */
#ifndef CHANBENCH_PROVENANCE_H
#define CHANBENCH_PROVENANCE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* What the machine has done so far, from /proc/stat, and how much of it was this process and its
 * children. */
struct machine_use {
	double busy, steal, total; /* CPU seconds */
	double ours;
};

void machine_use_now(struct machine_use *use);

/* The context of a result file, without what belongs to the one run. NULL: out of memory. */
json_t *provenance_context(void);

/* Adds what happened between two moments: "others_load" (the share of all CPU time that other
 * programs used) and "steal" (that the hypervisor gave to other machines). */
void provenance_add_use(json_t *context, const struct machine_use *before, const struct machine_use *after);

/* Prints, from the context and the rows, a line for everything that makes the numbers doubtful;
 * false when there is nothing. */
bool provenance_print_doubts(json_t *context, json_t *rows, FILE *out);

/* What --version prints. */
void provenance_print_version(void);

#endif
