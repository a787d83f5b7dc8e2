/* SPDX-License-Identifier: MIT */
#include "scenarios/rules/tally.h"

#include <string.h>

static void note_destroyed(void *msg, void *context)
{
	struct tally *l = context;
	uint64_t value;
	memcpy(&value, msg, sizeof(value));
	pthread_mutex_lock(&l->mutex);
	if (l->count < TALLY_VALUES)
		l->destroyed[l->count] = value;
	l->count++;
	if (value < TALLY_VALUES)
		l->of[value]++;
	l->elsewhere += pthread_equal(pthread_self(), l->owner) == 0;
	pthread_mutex_unlock(&l->mutex);
	memset(msg, 0xdb, sizeof(value)); /* whoever looks at it again sees it */
	if (l->also != NULL)
		l->also(l, value);
}

static int note_cloned(void *dst, const void *src, void *context)
{
	struct tally *l = context;
	if (l->on_clone != NULL)
		l->on_clone(l);
	pthread_mutex_lock(&l->mutex);
	bool fail = l->fail_clone;
	if (!fail)
		l->clones++;
	pthread_mutex_unlock(&l->mutex);
	if (fail)
		return -1;
	memcpy(dst, src, sizeof(uint64_t));
	return 0;
}

struct chan_config tally_config(struct test *t, struct tally *tally, size_t capacity)
{
	struct chan_config config = {.size = sizeof(uint64_t),
	                             .capacity = capacity,
	                             .start = t->start,
	                             .destroy = note_destroyed,
	                             .context = tally};
	memset(tally, 0, sizeof(*tally));
	pthread_mutex_init(&tally->mutex, NULL);
	tally->owner = pthread_self();
	tally->test = t;
	if (t->kind == KIND_BROADCAST || t->kind == KIND_WATCH)
		config.clone = note_cloned;
	return config;
}

uint64_t tally_count(struct tally *tally)
{
	pthread_mutex_lock(&tally->mutex);
	uint64_t count = tally->count;
	pthread_mutex_unlock(&tally->mutex);
	return count;
}

void want_order(struct tally *tally, uint64_t n, const char *file, int line)
{
	step("look at what was destroyed");
	want_number(n, tally_count(tally), file, line);
	for (uint64_t i = 0; i < n; i++)
		want_number(i, tally->destroyed[i], file, line);
}
