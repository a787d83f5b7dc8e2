/* SPDX-License-Identifier: MIT
 *
 * config.c - configurations that are never right, in every kind. They have no rule number: the
 * contract states them.
 */
#include "scenarios/rules/rules.h"
#include "scenarios/rules/steps.h"

#include <malloc.h>
#include <stdlib.h>

static void refuse(struct test *t, const struct chan_config *config, const char *what)
{
	struct chan_sender *tx = NULL;
	struct chan_receiver *rx = NULL;
	step("open with %s", what);
	want_status(CHAN_INVALID, try_open(t, config, &tx, &rx), __FILE__, __LINE__);
	want_true(tx == NULL && rx == NULL);
}

static void bad_sizes(struct test *t)
{
	struct chan_config config = plain_config(t, 4);
	config.size = CHAN_SIZE_MAX + 1;
	refuse(t, &config, "a size over the limit");
	config.size = SIZE_MAX;
	refuse(t, &config, "the largest size_t as size");
	config.size = 12;
	config.align = 8;
	refuse(t, &config, "a size that is no multiple of the alignment");
}

static void bad_alignments(struct test *t)
{
	static const size_t bad[] = {3, 24, CHAN_ALIGN_MAX * 2, SIZE_MAX, SIZE_MAX / 2 + 1};
	struct chan_config config = plain_config(t, 4);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		config.align = bad[i];
		config.size = bad[i] <= 24 ? 24 : 0;
		refuse(t, &config, "an alignment that is no power of two, or too large");
	}
}

static void ignore(void *msg, void *context)
{
	(void)msg;
	(void)context;
}

static void destroy_alone(struct test *t)
{
	struct chan_config config = plain_config(t, 4);
	config.destroy = ignore;
	config.clone = NULL;
	refuse(t, &config, "destroy and no clone");
}

static void null_parameters(struct test *t)
{
	struct chan_config config = plain_config(t, 4);
	struct chan_sender *tx = NULL;
	struct chan_receiver *rx = NULL;
	want(CHAN_INVALID, try_open(t, NULL, &tx, &rx));
	want(CHAN_INVALID, try_open(t, &config, NULL, &rx));
	want_true(tx == NULL && rx == NULL);
	if (t->kind == KIND_BROADCAST)
		return;
	want(CHAN_INVALID, try_open(t, &config, &tx, NULL));
	want_true(tx == NULL);
}

/* Capacities that no memory holds, some of which come to few or no bytes when they are computed
 * in a size_t. A channel that takes one has to keep many messages in it, unharmed: nothing was
 * truncated. */
static void too_much_memory(struct test *t)
{
	static const struct {
		size_t capacity, size;
	} all[] = {{(size_t)1 << 60, 8},      {(size_t)1 << 60, 16},         {((size_t)1 << 60) + 1, 16},
	           {(size_t)1 << 52, 4096},   {((size_t)1 << 52) + 1, 4096}, {((size_t)1 << 32) + 1, (size_t)1 << 24},
	           {CHAN_CAPACITY_MAX, 65536}};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct chan_config config = {.size = all[i].size, .capacity = all[i].capacity, .start = t->start};
		struct chan_sender *tx = NULL;
		struct chan_receiver *rx = NULL;
		unsigned char *element = calloc(1, all[i].size);
		want_true(element != NULL);
		step("open with a capacity of %zu elements of %zu bytes", all[i].capacity, all[i].size);
		enum chan_status status = try_open(t, &config, &tx, &rx);
		if (status == CHAN_OK) { /* memory as it is needed */
			keep_sender(tx);
			keep_receiver(rx);
			step("send and receive 100 messages");
			for (unsigned char n = 0; n < 100; n++) {
				element[0] = element[all[i].size - 1] = n;
				if (send_element(t, &tx, element, NULL, CHAN_NOW) != CHAN_OK)
					broken_because("CHAN_OK from a send with a huge capacity", "a failure");
			}
			for (unsigned char n = 0; n < 100; n++) {
				status = recv_element(t, rx, element, NULL, CHAN_NOW);
				if (status != CHAN_OK || element[0] != n || element[all[i].size - 1] != n)
					broken_because("the messages as they were sent", "others, or none");
			}
			handles_drop(t);
		} else if (status != CHAN_NOMEM && status != CHAN_INVALID) {
			broken_because("CHAN_NOMEM, CHAN_INVALID or CHAN_OK", status_name(status));
		} else {
			want_true(tx == NULL && rx == NULL);
		}
		free(element);
	}
}

/* A leak of one byte a channel would show: no chunk is smaller than 24 bytes. What malloc itself
 * keeps comes to a thousand bytes at times, depending on where the heap begins. Where a
 * sanitizer has replaced malloc there is nothing to see here, but its own leak check runs after
 * every test. */
static void nothing_leaks(struct test *t)
{
	struct chan_config config = plain_config(t, 4);
	size_t before = 0;
	for (int i = 0; i < 1200; i++) {
		struct chan_sender *tx = NULL;
		struct chan_receiver *rx = NULL;
		if (i == 200)
			before = mallinfo2().uordblks;
		if (try_open(t, &config, &tx, &rx) != CHAN_OK)
			broken_because("CHAN_OK from open", "a failure after many channels were opened and dropped");
		keep_sender(tx);
		keep_receiver(rx);
		if (t->kind == KIND_ONESHOT) {
			forget(tx);
			t->oneshot->send(&tx, &(uint64_t){1});
		} else {
			try_send(t, tx, 1);
		}
		handles_drop(t);
	}
	size_t now = mallinfo2().uordblks;
	want_true(now < before + 12000);
}

#define ALL (RULE_QUEUES | RULE_ONESHOT | RULE_BROADCAST | RULE_WATCH)

const struct rule config_rules[] = {
	{"C-1",
         ALL,
         "A size over the limit, or no multiple of the alignment, is invalid.",
         {{"three sizes", bad_sizes, "", TEST_PLAIN}}},
	{"C-2",
         ALL,
         "An alignment that is no power of two, or over the limit, is invalid.",
         {{"five alignments", bad_alignments, "", TEST_PLAIN}}},
	{"C-3",
         RULE_BROADCAST | RULE_WATCH,
         "destroy without clone is invalid: one value would be destroyed twice.",
         {{"destroy alone", destroy_alone, "", TEST_PLAIN}}},
	{"C-4",
         ALL,
         "A NULL where open needs something is invalid.",
         {{"config, handles", null_parameters, "", TEST_PLAIN}}},
	{"C-5",
         RULE_MPSC | RULE_BROADCAST,
         "A capacity whose memory cannot be had is refused cleanly.",
         {{"more than there is", too_much_memory, "", TEST_PLAIN}}},
	{"D-6",
         ALL,
         "With its last handle all of a channel is freed.",
         {{"1200 channels", nothing_leaks, "", TEST_HEAP}}},
	{0},
};
