/* SPDX-License-Identifier: MIT */
#include "fuzz/common/sequence.h"
#include "fuzz/common/compare.h"
#include "fuzz/common/memory.h"
#include "fuzz/common/trace.h"

#include <stdlib.h>

static void on_destroy(void *context)
{
	sequence_call(context, IN_DESTROY);
}

static void on_wake(struct fuzz_waiter *waiter, void *context)
{
	(void)waiter;
	sequence_call(context, IN_WAKE);
}

static int clone_hook(void *dst, const void *src, void *context)
{
	struct sequence *q = context;
	if (q->cloned_count == SEQUENCE_CLONES)
		differ("an end", "more and more", "clones in one step");
	q->cloned[q->cloned_count++] = tally_read(&q->tally, src);
	sequence_call(q, PINNED);
	return tally_clone(dst, src, &q->tally);
}

struct chan_config sequence_open(struct sequence *q, struct bytes *in, bool clones)
{
	struct chan_config config = tally_open(&q->tally, in);
	step_clear(&q->step);
	q->step.any_turn = false;
	waiters_begin(&q->waiters, &q->step.seen);
	q->waiters.on_wake = on_wake;
	q->waiters.context = q;
	q->tally.seen = &q->step.seen;
	q->tally.on_destroy = on_destroy;
	q->tally.context = q;
	q->from = NOWHERE;
	q->depth = 0;
	q->identity = 0;
	q->clones = clones && (q->tally.hooks || bytes_bool(in));
	if (q->clones)
		config.clone = clone_hook;
	return config;
}

void sequence_begin(struct sequence *q, struct bytes *in)
{
	unsigned what = bytes_u8(in);
	step_clear(&q->step);
	q->cloned_count = q->expected_clone_count = 0;
	q->called_back = false;
	q->from = NOWHERE;
	q->tally.fail_clone = what % 8 == 7; /* the next one */
	if (what < 128)
		return;
	q->from = IN_DESTROY + what / 8 % 3;
	for (size_t i = 0; i < SEQUENCE_CALL; i++)
		q->call[i] = bytes_u8(in);
}

void sequence_call(struct sequence *q, enum place place)
{
	struct bytes in = {q->call, sizeof q->call};
	if (q->from != place)
		return;
	q->from = NOWHERE;
	q->called_back = true;
	q->depth++;
	q->call_back(q, &in, place);
	q->depth--;
}

static int by_key(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static void sort(struct sequence *q, struct model_events *events)
{
	for (size_t i = 0; i < events->destroyed_count; i++)
		events->destroyed[i] = tally_key(&q->tally, events->destroyed[i]);
	qsort(events->destroyed, events->destroyed_count, sizeof events->destroyed[0], by_key);
}

void sequence_end(struct sequence *q)
{
	if (q->called_back) {
		sort(q, &q->step.expected);
		sort(q, &q->step.seen);
	}
	compare_events(&q->tally, &q->step);
	want_u64(q->expected_clone_count, q->cloned_count, "calls of clone");
	for (size_t i = 0; i < q->cloned_count; i++)
		want_u64(q->expected_clones[i], q->cloned[i], "the message that was cloned");
	q->tally.fail_clone = 0;
}

/* Two elements: the second is the step's, the first the callback's. */
static void *element_of(const struct sequence *q, void *pair)
{
	return (char *)pair + (q->depth > 0 ? 0 : q->tally.size);
}

void *sequence_out(struct sequence *q, uint64_t message)
{
	void *element = element_of(q, tally_outbox(&q->tally, 2));
	tally_write(&q->tally, element, 0, message);
	return q->tally.size == 0 && message % 2 == 0 ? NULL : element;
}

void *sequence_in(struct sequence *q)
{
	return element_of(q, tally_inbox(&q->tally, 2));
}

void sequence_received(struct sequence *q, const void *element, uint64_t message)
{
	if (q->tally.size > 0) /* else it may be NULL */
		tally_check(&q->tally, element, 0, message, "the message");
	q->tally.received++;
}

void sequence_expect_clone(struct sequence *q, uint64_t message)
{
	q->expected_clones[q->expected_clone_count++] = tally_key(&q->tally, message);
}

void sequence_property(char handle, unsigned number, enum chan_property property, uint64_t expected, uint64_t seen)
{
	if (expected != CHAN_UNKNOWN)
		compare_property(handle, number, property, expected, seen);
}

void sequence_identity(struct sequence *q, char handle, unsigned number, uint64_t seen)
{
	if (seen == CHAN_UNKNOWN)
		return;
	if (q->identity == 0)
		q->identity = seen;
	compare_property(handle, number, CHAN_IDENTITY, q->identity, seen);
}

void sequence_short_of_memory(struct sequence *q, struct bytes *in)
{
	unsigned k = bytes_u8(in);
	if (q->depth == 0 && k >= 224)
		memory_fail(k % 4 + 1);
}

bool sequence_made(enum chan_status expected, enum chan_status seen)
{
	bool failed = memory_calm();
	trace_gave(seen);
	if (failed && seen == CHAN_NOMEM)
		return false;
	want_status(expected, seen, "making a handle");
	return seen == CHAN_OK;
}

void sequence_want_null(const void *handle)
{
	if (handle != NULL)
		differ("NULL", "a handle", "what was dropped or used up");
}

uint64_t sequence_deadline(struct bytes *in)
{
	return bytes_u8(in) % 4 == 3 ? 1 : CHAN_NOW;
}

unsigned sequence_pick_waiter(const struct sequence *q, struct bytes *in)
{
	unsigned choice = bytes_u8(in);
	if (q->waiting->count == 0)
		return MODEL_WAITERS;
	return q->waiting->waiters[choice % q->waiting->count].number;
}

bool sequence_armed_on(const struct sequence *q, bool sender, unsigned handle)
{
	for (size_t i = 0; i < q->waiting->count; i++)
		if (q->waiting->waiters[i].sender == sender && q->waiting->waiters[i].handle == handle)
			return true;
	return false;
}

void sequence_give_waiters(struct sequence *q)
{
	for (unsigned number = 0; number < q->waiters.count; number++) {
		bool armed = false;

		for (size_t i = 0; i < q->waiting->count; i++)
			armed |= q->waiting->waiters[i].number == number;
		if (!armed && q->waiters.all[number].armed)
			waiters_give(&q->waiters.all[number]);
	}
}
