/* SPDX-License-Identifier: MIT */
#include "fuzz/common/tally.h"
#include "fuzz/common/trace.h"

#include <stdalign.h>
#include <stddef.h>
#include <string.h>

enum { BUFFER = TALLY_SIZE_MAX * TALLY_BATCH_MAX, DESTROYED_BYTE = 0xdb };

static alignas(TALLY_ALIGN_MAX) unsigned char outbox[BUFFER];
static alignas(TALLY_ALIGN_MAX) unsigned char inbox[BUFFER];

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

struct chan_config tally_open(struct tally *tally, struct bytes *in)
{
	static const size_t sizes[] = {8, 0, 1, 24, 256, 2, 4, 64};
	size_t align;
	*tally = (struct tally){.size = sizes[bytes_below(in, 8)]};
	unsigned how = bytes_u8(in);
	tally->hooks = (how & 1) == 0;
	align = (size_t)1 << (how >> 1) % 8; /* 1 to 64; 128 stands for the natural one */
	tally->align = align > TALLY_ALIGN_MAX ? alignof(max_align_t) : align;
	while (tally->size % tally->align != 0)
		tally->align /= 2;
	if (tally->size == 0)
		tally->align = 1; /* whatever pointer stands for nothing */
	return (struct chan_config){
		.size = tally->size,
		.align = align > TALLY_ALIGN_MAX ? 0 : tally->align,
		.start = start_near_wrap(in),
		.destroy = tally->hooks ? tally_destroy : NULL,
		.context = tally,
	};
}

uint64_t tally_key(const struct tally *tally, uint64_t message)
{
	return tally->size >= sizeof message ? message : message & (((uint64_t)1 << 8 * tally->size) - 1);
}

static void *end_aligned(const struct tally *tally, unsigned char *buffer, size_t n)
{
	return buffer + BUFFER - n * tally->size;
}

void *tally_outbox(const struct tally *tally, size_t n)
{
	return end_aligned(tally, outbox, n);
}

void *tally_inbox(const struct tally *tally, size_t n)
{
	return end_aligned(tally, inbox, n);
}

/* All bytes of a message's element. */
static void fill(const struct tally *tally, unsigned char *element, uint64_t message)
{
	size_t number = tally->size < sizeof message ? tally->size : sizeof message;
	memcpy(element, &message, number); /* little endian: the low bytes */
	memset(element + number, (int)(message * 31 + 17) & 0xff, tally->size - number);
}

void tally_write(const struct tally *tally, void *elements, size_t i, uint64_t message)
{
	fill(tally, (unsigned char *)elements + i * tally->size, message);
}

uint64_t tally_read(const struct tally *tally, const void *element)
{
	uint64_t message = 0;
	if (tally->size > 0)
		memcpy(&message, element, tally->size < sizeof message ? tally->size : sizeof message);
	return message;
}

void tally_check(const struct tally *tally, const void *elements, size_t i, uint64_t message, const char *what)
{
	unsigned char right[TALLY_SIZE_MAX];
	const unsigned char *element = (const unsigned char *)elements + i * tally->size;
	if (tally->size == 0)
		return;
	want_u64(tally_key(tally, message), tally_read(tally, element), what);
	fill(tally, right, message);
	if (memcmp(element, right, tally->size) != 0)
		differ("the bytes that were sent", "others", "%s: the element of message %llu", what,
		       (unsigned long long)message);
}

void tally_destroy(void *msg, void *context)
{
	struct tally *tally = context;
	struct model_events *seen = tally->seen;
	if ((uintptr_t)msg % tally->align != 0)
		differ("an aligned element", "one that is not", "destroy");
	uint64_t key = tally_read(tally, msg);
	if (seen->destroyed_count == MODEL_DESTROYED)
		differ("an end", "more and more", "messages destroyed in one step");
	seen->destroyed[seen->destroyed_count++] = key;
	tally->destroyed++;
	if (tally->size > 0)
		memset(msg, DESTROYED_BYTE, tally->size);
	if (tally->on_destroy != NULL)
		tally->on_destroy(tally->context);
}

int tally_clone(void *dst, const void *src, void *context)
{
	struct tally *tally = context;
	if ((uintptr_t)dst % tally->align != 0 || (uintptr_t)src % tally->align != 0)
		differ("aligned elements", "one that is not", "clone");
	if (tally->fail_clone > 0 && --tally->fail_clone == 0)
		return -1;
	if (tally->size > 0)
		memcpy(dst, src, tally->size);
	tally->copied++;
	return 0;
}

void tally_whole(const struct tally *tally)
{
	if (tally->hooks)
		want_u64(tally->sent + tally->copied, tally->received + tally->destroyed,
		         "the whole tally: received and destroyed");
}
