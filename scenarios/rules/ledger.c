/* SPDX-License-Identifier: MIT */
#include "scenarios/rules/ledger.h"

#include <string.h>

static void note_destroyed(void *msg, void *context)
{
	struct ledger *l = context;
	uint64_t value;
	memcpy(&value, msg, sizeof(value));
	pthread_mutex_lock(&l->mutex);
	if (l->count < LEDGER_VALUES)
		l->destroyed[l->count] = value;
	l->count++;
	if (value < LEDGER_VALUES)
		l->of[value]++;
	l->elsewhere += pthread_equal(pthread_self(), l->owner) == 0;
	pthread_mutex_unlock(&l->mutex);
	memset(msg, 0xdb, sizeof(value)); /* whoever looks at it again sees it */
	if (l->also != NULL)
		l->also(l, value);
}

static int note_cloned(void *dst, const void *src, void *context)
{
	struct ledger *l = context;
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

struct chan_config ledger_config(struct test *t, struct ledger *ledger, size_t capacity)
{
	struct chan_config config = {.size = sizeof(uint64_t),
	                             .capacity = capacity,
	                             .start = t->start,
	                             .destroy = note_destroyed,
	                             .context = ledger};
	memset(ledger, 0, sizeof(*ledger));
	pthread_mutex_init(&ledger->mutex, NULL);
	ledger->owner = pthread_self();
	ledger->test = t;
	if (t->kind == KIND_BROADCAST || t->kind == KIND_WATCH)
		config.clone = note_cloned;
	return config;
}

uint64_t ledger_count(struct ledger *ledger)
{
	pthread_mutex_lock(&ledger->mutex);
	uint64_t count = ledger->count;
	pthread_mutex_unlock(&ledger->mutex);
	return count;
}

void want_order(struct ledger *ledger, uint64_t n, const char *file, int line)
{
	step("look at what was destroyed");
	want_number(n, ledger_count(ledger), file, line);
	for (uint64_t i = 0; i < n; i++)
		want_number(i, ledger->destroyed[i], file, line);
}
