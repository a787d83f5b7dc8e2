/* SPDX-License-Identifier: MIT */
#include "fuzz/common/ledger.h"
#include "fuzz/common/trace.h"

#include <stdalign.h>
#include <stddef.h>
#include <string.h>

enum { BUFFER = LEDGER_SIZE_MAX * LEDGER_BATCH_MAX, DESTROYED_BYTE = 0xdb };

static alignas(LEDGER_ALIGN_MAX) unsigned char outbox[BUFFER];
static alignas(LEDGER_ALIGN_MAX) unsigned char inbox[BUFFER];

/* Counters of 8, 16, 32 and 64 bits are about to wrap at these, and so is what counts upwards
 * from 0. */
static uint64_t start_near_wrap(struct bytes *in)
{
	static const unsigned widths[] = {0, 8, 16, 32, 63, 64};
	unsigned width = widths[bytes_below(in, 6)];
	uint64_t before = bytes_below(in, 128);

	if (width == 0)
		return 0;
	return width == 64 ? 0 - before : ((uint64_t)1 << width) - before;
}

struct chan_config ledger_open(struct ledger *ledger, struct bytes *in)
{
	static const size_t sizes[] = {8, 0, 1, 24, 256, 2, 4, 64};
	size_t align;

	*ledger = (struct ledger){.size = sizes[bytes_below(in, 8)]};
	unsigned how = bytes_u8(in);
	ledger->hooks = (how & 1) == 0;
	align = (size_t)1 << (how >> 1) % 8; /* 1 to 64; 128 stands for the natural one */
	ledger->align = align > LEDGER_ALIGN_MAX ? alignof(max_align_t) : align;
	while (ledger->size % ledger->align != 0)
		ledger->align /= 2;
	if (ledger->size == 0)
		ledger->align = 1; /* whatever pointer stands for nothing */
	return (struct chan_config){
		.size = ledger->size,
		.align = align > LEDGER_ALIGN_MAX ? 0 : ledger->align,
		.start = start_near_wrap(in),
		.destroy = ledger->hooks ? ledger_destroy : NULL,
		.context = ledger,
	};
}

uint64_t ledger_key(const struct ledger *ledger, uint64_t message)
{
	return ledger->size >= sizeof message ? message : message & (((uint64_t)1 << 8 * ledger->size) - 1);
}

static void *end_aligned(const struct ledger *ledger, unsigned char *buffer, size_t n)
{
	return buffer + BUFFER - n * ledger->size;
}

void *ledger_outbox(const struct ledger *ledger, size_t n)
{
	return end_aligned(ledger, outbox, n);
}

void *ledger_inbox(const struct ledger *ledger, size_t n)
{
	return end_aligned(ledger, inbox, n);
}

/* All bytes of a message's element. */
static void fill(const struct ledger *ledger, unsigned char *element, uint64_t message)
{
	size_t number = ledger->size < sizeof message ? ledger->size : sizeof message;

	memcpy(element, &message, number); /* little endian: the low bytes */
	memset(element + number, (int)(message * 31 + 17) & 0xff, ledger->size - number);
}

void ledger_write(const struct ledger *ledger, void *elements, size_t i, uint64_t message)
{
	fill(ledger, (unsigned char *)elements + i * ledger->size, message);
}

uint64_t ledger_read(const struct ledger *ledger, const void *element)
{
	uint64_t message = 0;

	if (ledger->size > 0)
		memcpy(&message, element, ledger->size < sizeof message ? ledger->size : sizeof message);
	return message;
}

void ledger_check(const struct ledger *ledger, const void *elements, size_t i, uint64_t message, const char *what)
{
	unsigned char right[LEDGER_SIZE_MAX];
	const unsigned char *element = (const unsigned char *)elements + i * ledger->size;

	if (ledger->size == 0)
		return;
	want_u64(ledger_key(ledger, message), ledger_read(ledger, element), what);
	fill(ledger, right, message);
	if (memcmp(element, right, ledger->size) != 0)
		differ("the bytes that were sent", "others", "%s: the element of message %llu", what,
		       (unsigned long long)message);
}

void ledger_destroy(void *msg, void *context)
{
	struct ledger *ledger = context;
	struct model_events *seen = ledger->seen;

	if ((uintptr_t)msg % ledger->align != 0)
		differ("an aligned element", "one that is not", "destroy");
	uint64_t key = ledger_read(ledger, msg);
	if (seen->destroyed_count == MODEL_DESTROYED)
		differ("an end", "more and more", "messages destroyed in one step");
	seen->destroyed[seen->destroyed_count++] = key;
	ledger->destroyed++;
	if (ledger->size > 0)
		memset(msg, DESTROYED_BYTE, ledger->size);
	if (ledger->on_destroy != NULL)
		ledger->on_destroy(ledger->context);
}

int ledger_clone(void *dst, const void *src, void *context)
{
	struct ledger *ledger = context;

	if ((uintptr_t)dst % ledger->align != 0 || (uintptr_t)src % ledger->align != 0)
		differ("aligned elements", "one that is not", "clone");
	if (ledger->fail_clone > 0 && --ledger->fail_clone == 0)
		return -1;
	if (ledger->size > 0)
		memcpy(dst, src, ledger->size);
	ledger->copied++;
	return 0;
}

void ledger_whole(const struct ledger *ledger)
{
	if (ledger->hooks)
		want_u64(ledger->sent + ledger->copied, ledger->received + ledger->destroyed,
		         "the whole ledger: received and destroyed");
}
