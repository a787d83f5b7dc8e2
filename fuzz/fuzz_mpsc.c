/* SPDX-License-Identifier: MIT
 *
 * fuzz_mpsc.c - the bounded mpsc channel. What an input means: run/mpsc.c.
 */
#include "fuzz/common/target.h"
#include "fuzz/run/mpsc.h"

static bool offers(const struct chan_impl *impl)
{
	return impl->mpsc != NULL;
}

static void run(const struct chan_impl *impl, struct bytes *in)
{
	mpsc_run(impl, impl->mpsc, true, in);
}

const struct fuzz_target fuzz_target = {.name = "fuzz_mpsc", .offers = offers, .run = run};
