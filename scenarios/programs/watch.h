/* SPDX-License-Identifier: MIT
 *
 * watch.h - what the programs on watch share. The value is two words that go together, so that a
 * torn one shows; or, with hooks, a block of memory.
 */
#ifndef CHANBENCH_PROGRAMS_WATCH_H
#define CHANBENCH_PROGRAMS_WATCH_H

#include "scenarios/programs/programs.h"

struct watch_pair {
	uint64_t number, negated;
};

struct watch_scene {
	const struct chan_watch_ops *ops;
	bool hooks;
	struct chan_sender *tx, *other_tx;
	struct chan_receiver *rx, *other_rx;
	unsigned before;
	enum chan_status sent;
};

/* Holds number 0. */
void watch_open(struct watch_scene *s, const struct program_env *env, bool hooks);
enum chan_status watch_send(struct watch_scene *s, struct chan_sender *tx, unsigned number);
/* The number in the value. */
unsigned watch_borrow(struct watch_scene *s, struct chan_receiver *rx, bool *unseen);
void watch_close_down(struct watch_scene *s);

#endif
