/* SPDX-License-Identifier: MIT
 *
 * fuzz_unbounded.c - the unbounded channel. What an input means: run/mpsc.c.
 */
#include "fuzz/common/target.h"
#include "fuzz/run/mpsc.h"

static bool offers(const struct chan_impl *impl)
{
	return impl->unbounded != NULL;
}

static void run(const struct chan_impl *impl, struct bytes *in)
{
	mpsc_run(impl, impl->unbounded, false, in);
}

const struct fuzz_target fuzz_target = {.name = "fuzz_unbounded", .offers = offers, .run = run};
