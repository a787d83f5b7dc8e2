/* SPDX-License-Identifier: MIT
 *
 * campaign_child.h - the side of a stress campaign that touches the channel. It reports in lines:
 *
 *   alive                the threads are at work
 *   round N SEED         begins
 *   stats ...            after each round, the sums so far, in the order of STATS_FORMAT
 *   tally | history | endless
 *                        the verdict when it is not good; then
 *   text ...             each line of what went wrong
 *   ended
 */
#ifndef CHANBENCH_STRESS_CAMPAIGN_CHILD_H
#define CHANBENCH_STRESS_CAMPAIGN_CHILD_H

#include "harness/stress/campaign.h"
#include "harness/stress/round.h"

#include <inttypes.h>

#define STATS_FIELDS 11
#define STATS_PRINT                                                                                                    \
	"stats %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64           \
	" %" PRIu64 " %" PRIu64 " %" PRIu64
#define STATS_SCAN                                                                                                     \
	"stats %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64           \
	" %" SCNu64 " %" SCNu64 " %" SCNu64

struct stress_campaign {
	const struct impl_info *info;
	enum kind kind;
	const struct stress_options *options;
	struct board *board; /* shared with the parent */
};

/* The body of the child. Its exit status is 0 when it could report all that it had to. */
int stress_campaign_child(int pipe, void *campaign);

#endif
