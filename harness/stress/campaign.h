/* SPDX-License-Identifier: MIT
 *
 * campaign.h - the stress of one kind of one implementation, in a process of its own.
 */
#ifndef CHANBENCH_STRESS_CAMPAIGN_H
#define CHANBENCH_STRESS_CAMPAIGN_H

#include "harness/info.h"

struct stress_options {
	double seconds;        /* how long each campaign goes on */
	uint64_t operations;   /* 0: no limit but the time; else it ends after so many */
	uint64_t seed;         /* of the first round; each further one has the next number */
	unsigned threads;      /* at most so many */
	bool history;          /* record and check histories */
	bool wrap;             /* counters begin just before they wrap, in every round */
	double timeout;        /* a campaign whose threads do nothing for so long hangs */
	const char *histories; /* the directory where a history that failed is left */
};

enum stress_verdict { STRESS_GOOD, STRESS_TALLY, STRESS_HISTORY, STRESS_CRASHED, STRESS_HUNG, STRESS_MACHINE };

struct stress_result {
	enum stress_verdict verdict;
	uint64_t rounds, operations;
	uint64_t histories, recorded;                 /* histories checked, operations in them */
	uint64_t undecided;                           /* histories whose check was given up */
	uint64_t made, received, returned, destroyed; /* values; clones count as made */
	uint64_t largest, largest_ns;                 /* the longest check: operations, time */
	uint64_t elapsed_ns, seed;                    /* seed: of the last round */
	char text[20480];                             /* what went wrong */
};

void stress_campaign_run(const struct impl_info *info, enum kind kind, const struct stress_options *options,
                         struct stress_result *result);

#endif
