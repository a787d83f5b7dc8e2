/* SPDX-License-Identifier: MIT
 *
 * progress.h - one line on a terminal's stderr that says how far a run is and how long it still
 * takes.
 */
#ifndef CHANBENCH_PROGRESS_H
#define CHANBENCH_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
	bool shown;
	uint64_t steps, done, started;
};

void progress_start(struct progress *progress, bool shown, uint64_t steps);

/* A step called `name` begins. */
void progress_step(struct progress *progress, const char *name);

/* Takes the line away. */
void progress_stop(struct progress *progress);

#endif
