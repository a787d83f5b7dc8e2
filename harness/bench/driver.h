/* SPDX-License-Identifier: MIT
 *
 * driver.h - programs that bring channels of other languages, under the runtimes that these belong
 * to.
 *
 * A driver lists what it has and runs one cell at a time; harness/drivers/README.md is its
 * protocol. It is a stranger: it may be missing, crash, hang, print anything and claim anything.
 * Listing one that is wrong costs one line, and the others are listed all the same; what it says of
 * a trial is believed only as far as it can be true.
 */
#ifndef CHANBENCH_BENCH_DRIVER_H
#define CHANBENCH_BENCH_DRIVER_H

#include "harness/bench/plan.h"

#include <jansson.h>

/* Asks `program` (searched in PATH if it has no slash) what it has, and adds that to the set. 0;
 * or -1 after one line that says what is wrong with it, and the set is as before. A name that is
 * taken is left out with a line of its own. */
int driver_add(struct impl_set *set, const char *program);

/* Asks the drivers that come with this program; names.txt in their folder says which there are
 * (harness/drivers/README.md). What a driver that has not been built would have is added to the set
 * as absent. A name that is taken stays with the implementation that has it. */
void driver_add_own(struct impl_set *set);

/* What this implementation of a driver lacks for the block; NULL: nothing that its list speaks
 * of. */
const char *driver_lacks(const struct impl_info *info, const struct block *block);

/* What is known when a row comes. */
struct driver_trial {
	const struct block *block;
	uint64_t messages; /* what a trial of this cell has; 0: the driver has not said so */
	double elapsed;    /* seconds since it was started */
	double claimed;    /* seconds that its rows have claimed before this one */
};

/* Makes a row of ours of what the driver says of a trial: figures that are numbers, and "ok"
 * only for a count and a time that are possible. NULL: out of memory. */
json_t *driver_row(const struct driver_trial *trial, const json_t *said);

#endif
