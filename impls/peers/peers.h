/* SPDX-License-Identifier: MIT
 *
 * peers.h - the peers that run in process: those that were found when this was built, and those
 * that were not.
 *
 * The table is made by CMake. An entry without an implementation says what to do to get it.
 */
#ifndef CHANBENCH_PEERS_PEERS_H
#define CHANBENCH_PEERS_PEERS_H

#include "impls/channel.h"

struct peer_entry {
	const char *name;
	const struct chan_impl *impl; /* NULL: not built */
	/* of one that was not built: "not built: install libck-dev, then rebuild" */
	const char *cure;
};

/* In the order in which they are shown; ends with {NULL}. */
extern const struct peer_entry chan_peers[];

#endif
