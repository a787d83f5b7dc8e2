/* SPDX-License-Identifier: MIT
 *
 * target.h - what a fuzz target is, and what runs one.
 *
 * A target is a file that defines `fuzz_target`. It is linked with driver.c and with one of two
 * mains: that of libFuzzer (or of any engine that calls LLVMFuzzerTestOneInput), or replay.c, which
 * runs the files it is given once each and needs no engine. (A target that is about no
 * implementation may define the two LLVMFuzzer functions itself; then the driver is left out.)
 *
 * The driver runs each input on every implementation that the target can be run on; peers, which
 * are somebody else's queues, only where one is named. It resets the trace (trace.h) and the tally
 * of memory (memory.h) before each run, and after it wants as many blocks freed as were allocated.
 * A target keeps nothing from one run to the next.
 *
 * Options, which the driver takes out of the command line before the engine sees it (or from the
 * environment):
 *   --impl=NAME     CHANBENCH_IMPL      this implementation only
 *   --plugin=FILE   CHANBENCH_PLUGIN    the implementations in this shared object instead of the
 *                                       built-in ones
 */
#ifndef CHANBENCH_FUZZ_TARGET_H
#define CHANBENCH_FUZZ_TARGET_H

#include "fuzz/common/bytes.h"
#include "impls/channel.h"

struct fuzz_target {
	const char *name; /* "fuzz_mpsc" */

	/* Whether the target can be run on this implementation: it has the kind. NULL: the
	 * target is about no implementation, and is run once with `impl` NULL. */
	bool (*offers)(const struct chan_impl *impl);

	/* Runs one input. What goes wrong ends the process (trace.h: differ). */
	void (*run)(const struct chan_impl *impl, struct bytes *in);
};

extern const struct fuzz_target fuzz_target;

/* The driver: what an engine calls, and replay.c does. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whether the implementation declares that it does not keep that rule ("M-22"). */
bool target_deviates(const struct chan_impl *impl, const char *rule);

#endif
