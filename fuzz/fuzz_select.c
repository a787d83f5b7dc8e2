/* SPDX-License-Identifier: MIT
 *
 * fuzz_select.c - chan_select over channels of all kinds, against their models. What an input
 * means: run/select.h.
 */
#include "fuzz/common/compare.h"
#include "fuzz/common/target.h"
#include "fuzz/common/trace.h"
#include "fuzz/run/select.h"

#include <string.h>

static struct select_run run;

static void operate(struct select_run *r, struct bytes *in)
{
	unsigned what = bytes_below(in, 16);
	if (what < 4)
		select_select(r, in);
	else if (what < 7)
		select_send(r, in);
	else if (what < 9)
		select_open(r, in);
	else if (what == 9)
		select_recv(r, in);
	else if (what == 10)
		select_permit(r, in);
	else if (what == 11)
		select_close(r, in);
	else if (what == 12)
		select_arm(r, in);
	else if (what == 13)
		select_disarm(r, in);
	else if (what == 14)
		select_receiver_drop(r, bytes_below(in, CHANNELS));
	else
		select_sender_drop(r, bytes_below(in, CHANNELS), bytes_below(in, SELECT_SENDERS));
}

static void end_step(struct select_run *r)
{
	compare_events(&r->tally, &r->step);
	select_check(r);
	step_clear(&r->step);
}

static bool offers(const struct chan_impl *impl)
{
	return impl->mpsc != NULL || impl->unbounded != NULL || impl->oneshot != NULL || impl->broadcast != NULL ||
	       impl->watch != NULL;
}

static void run_input(const struct chan_impl *impl, struct bytes *in)
{
	struct select_run *r = &run;
	r->impl = impl;
	r->tally = (struct tally){.size = sizeof(uint64_t), .align = sizeof(uint64_t)};
	r->step.any_turn = target_deviates(impl, "M-23");
	step_clear(&r->step);
	waiters_begin(&r->waiters, &r->step.seen);
	memset(r->channels, 0, sizeof r->channels);
	r->permit = (struct chan_permit){0};
	while (!bytes_end(in)) {
		operate(r, in);
		end_step(r);
	}
	if (r->permit.count > 0) {
		select_permit(r, in);
		end_step(r);
	}
	for (enum select_channel channel = BOUNDED; channel < CHANNELS; channel++) {
		for (unsigned sender = 0; sender < SELECT_SENDERS; sender++) {
			select_sender_drop(r, channel, sender);
			end_step(r);
		}
		select_receiver_drop(r, channel);
		end_step(r);
	}
}

const struct fuzz_target fuzz_target = {.name = "fuzz_select", .offers = offers, .run = run_input};
