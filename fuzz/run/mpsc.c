/* SPDX-License-Identifier: MIT */
#include "fuzz/run/mpsc.h"
#include "fuzz/common/compare.h"
#include "fuzz/common/memory.h"
#include "fuzz/common/target.h"
#include "fuzz/common/trace.h"

/* ------------------------------------------------------------------------------------------
 * Steps
 */

void mpsc_begin(struct mpsc_run *r, bool nests)
{
	step_clear(&r->step);
	r->nested.allowed = nests;
	r->nested.done = false;
	memory_fail(r->fail);
	r->fail = 0;
}

enum chan_status mpsc_called(struct mpsc_run *r, enum chan_status seen, bool allocates)
{
	bool failed = memory_calm();

	trace_gave(seen);
	r->step.no_memory = failed && allocates && seen == CHAN_NOMEM;
	return seen;
}

static void check_identity(struct mpsc_run *r, uint64_t seen)
{
	if (seen == CHAN_UNKNOWN)
		return;
	if (r->identity == 0)
		r->identity = seen;
	want_u64(r->identity, seen, "CHAN_IDENTITY");
}

/* A message that came too late and has nothing to be destroyed with may be there or not (M-37). */
static bool undefined(const struct mpsc_run *r, enum chan_property property)
{
	return (property == CHAN_LEN || property == CHAN_CAPACITY) && r->model.receivers == 0 && !r->ledger.hooks &&
	       r->model.len > 0;
}

#define CHECK_HANDLES(r, table, get, type, letter, expected)                                                           \
	for (unsigned i_ = 0; (r)->ops->get != NULL && i_ < (r)->table.count; i_++) {                                  \
		if ((r)->table.handles[i_] == NULL)                                                                    \
			continue;                                                                                      \
		for (int p_ = CHAN_LEN; p_ < CHAN_IDENTITY; p_++)                                                      \
			if (!undefined(r, (enum chan_property)p_))                                                     \
				compare_property(                                                                      \
					letter, i_, (enum chan_property)p_, (expected)[p_],                            \
					(r)->ops->get((const type *)(r)->table.handles[i_], (enum chan_property)p_));  \
		check_identity(r, (r)->ops->get((const type *)(r)->table.handles[i_], CHAN_IDENTITY));                 \
	}

/* Every property of every handle. */
static void check_properties(struct mpsc_run *r)
{
	uint64_t as_sender[CHAN_IDENTITY], as_receiver[CHAN_IDENTITY];

	for (int p = CHAN_LEN; p < CHAN_IDENTITY; p++) {
		as_sender[p] = mpsc_model_get(&r->model, false, (enum chan_property)p);
		as_receiver[p] = mpsc_model_get(&r->model, true, (enum chan_property)p);
	}
	CHECK_HANDLES(r, senders, sender_get, struct chan_sender, 's', as_sender)
	CHECK_HANDLES(r, receivers, receiver_get, struct chan_receiver, 'r', as_receiver)
	CHECK_HANDLES(r, weaks, weak_get, struct chan_weak, 'w', as_sender)
}

void mpsc_agree(struct mpsc_run *r, enum chan_status expected, enum chan_status seen)
{
	want_status(expected, seen, "status");
	mpsc_nested_agree(r);
	compare_events(&r->ledger, &r->step);
	check_properties(r);
}

/* ------------------------------------------------------------------------------------------
 * A run
 */

static size_t capacity_from(struct bytes *in)
{
	static const uint16_t edges[] = {31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 1023, 1024, 1025};
	unsigned choice = bytes_u8(in);

	return choice < 70 ? choice + 1 : choice < 200 ? choice % 4 + 1 : edges[choice % 15];
}

/* False: out of memory, as was to be. */
static bool open_both(struct mpsc_run *r, bool bounded, struct bytes *in)
{
	struct chan_config config = ledger_open(&r->ledger, in);
	struct chan_sender *tx = NULL;
	struct chan_receiver *rx = NULL;

	config.capacity = bounded ? capacity_from(in) : 0;
	r->fail = bytes_u8(in) % 64 == 63 ? bytes_below(in, 8) : 0;
	r->ledger.seen = &r->step.seen;
	r->ledger.on_destroy = mpsc_in_callback;
	r->ledger.context = r;
	waiters_begin(&r->waiters, &r->step.seen);
	r->waiters.on_wake = mpsc_on_wake;
	r->waiters.context = r;

	mpsc_begin(r, false);
	step("open(size %u, align %u, capacity %u, start %x, destroy: %u) as s0, r0", config.size, config.align,
	     config.capacity, config.start, r->ledger.hooks);
	enum chan_status status = mpsc_called(r, r->ops->open(&config, &tx, &rx), true);
	want_status(r->step.no_memory ? CHAN_NOMEM : CHAN_OK, status, "status");
	if (status != CHAN_OK) {
		want_u64(1, tx == NULL && rx == NULL, "handles untouched");
		return false;
	}
	mpsc_model_open(&r->model, config.capacity);
	table_add(&r->senders, tx);
	table_add(&r->receivers, rx);
	return true;
}

static void do_fail(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	(void)deadline;
	r->fail = 1 + bytes_below(in, 4);
	r->nested.action = NEST_NOTHING;
}

static void do_nest(struct mpsc_run *r, struct bytes *in, uint64_t deadline)
{
	(void)deadline;
	r->nested.action = (enum mpsc_nested_action)(NEST_SEND + bytes_below(in, NEST_ACTIONS - NEST_SEND));
	r->nested.choice = bytes_u8(in);
	r->fail = 0;
}

/* By the low five bits of an operation's byte; what is common stands twice. */
static mpsc_operation *const operations[32] = {
	mpsc_do_send,
	mpsc_do_recv,
	mpsc_do_send_many,
	mpsc_do_recv_many,
	mpsc_do_reserve,
	mpsc_do_reserve_owned,
	mpsc_do_permit_send,
	mpsc_do_permit_release,
	mpsc_do_sender_clone,
	mpsc_do_sender_drop,
	mpsc_do_receiver_clone,
	mpsc_do_receiver_drop,
	mpsc_do_downgrade,
	mpsc_do_upgrade,
	mpsc_do_weak_clone,
	mpsc_do_weak_drop,
	mpsc_do_close,
	mpsc_do_closed,
	mpsc_do_arm_send,
	mpsc_do_arm_recv,
	mpsc_do_arm_closed,
	mpsc_do_disarm,
	do_fail,
	do_nest,
	mpsc_do_send,
	mpsc_do_recv,
	mpsc_do_send,
	mpsc_do_recv,
	mpsc_do_send_many,
	mpsc_do_arm_send,
	mpsc_do_arm_recv,
	mpsc_do_disarm,
};

static void drop_all(struct mpsc_run *r, struct bytes *in)
{
	static mpsc_operation *const drops[4] = {mpsc_do_receiver_drop, mpsc_do_sender_drop, mpsc_do_weak_drop,
	                                         mpsc_do_permit_release};

	r->fail = 0;
	for (unsigned choice = 0; r->senders.live + r->receivers.live + r->weaks.live + r->permits_live > 0; choice++) {
		if (!bytes_end(in))
			choice = bytes_u8(in);
		drops[choice % 4](r, in, CHAN_NOW);
	}
}

void mpsc_run(const struct chan_impl *impl, const struct chan_mpsc_ops *ops, bool bounded, struct bytes *in)
{
	static struct mpsc_run run;
	struct mpsc_run *r = &run;

	r->ops = ops;
	r->senders = r->receivers = r->weaks = (struct table){.count = 0};
	r->permit_count = r->permits_live = 0;
	r->identity = 0;
	r->nested.action = NEST_NOTHING;
	r->step.any_turn =
		target_deviates(impl, "M-22") || target_deviates(impl, "M-23") || target_deviates(impl, "M-25");
	if (!open_both(r, bounded, in))
		return;
	check_properties(r);
	while (!bytes_end(in)) {
		unsigned byte = bytes_u8(in);

		operations[byte % 32](r, in, byte < 128 ? CHAN_NOW : MPSC_PAST);
	}
	drop_all(r, in);
	ledger_whole(&r->ledger);
}
