/* SPDX-License-Identifier: MIT
 *
 * broadcast.h - what the programs on broadcast share. Two ways to carry a message: as bytes, which
 * may be read while they are being overwritten and are checked afterwards, and as a block of memory
 * behind `clone` and `destroy`.
 */
#ifndef CHANBENCH_PROGRAMS_BROADCAST_H
#define CHANBENCH_PROGRAMS_BROADCAST_H

#include "scenarios/programs/programs.h"

/* Bytes: two words that go together, so that a torn one shows. */
struct broadcast_pair {
	uint64_t number, negated;
};

struct broadcast_scene {
	const struct chan_broadcast_ops *ops;
	bool hooks;
	struct chan_sender *tx, *other_tx;
	struct chan_receiver *rx, *other_rx;
	unsigned before, sent, received, other_received;
	uint64_t missed;
	unsigned order[2][2];
};

void broadcast_open(struct broadcast_scene *s, const struct program_env *env, size_t capacity, bool hooks);
enum chan_status broadcast_send(struct broadcast_scene *s, struct chan_sender *tx, unsigned number);
enum chan_status broadcast_recv(struct broadcast_scene *s, struct chan_receiver *rx, unsigned *number, uint64_t *missed,
                                uint64_t deadline);
void broadcast_close_down(struct broadcast_scene *s);

#endif
