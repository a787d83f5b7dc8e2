/* SPDX-License-Identifier: MIT
 *
 * record.c - the choices of an execution, and the strings that replay them.
 *
 * Every decision, of whatever sort, is a number: 0 is what would happen undisturbed (the running
 * thread goes on, a load sees the newest store, nothing is spurious). So a schedule is a list of
 * small numbers, mostly 0, and its end can be left off.
 *
 *   x1-4f0c9a31d2b7e650-c-1-12b7a3c
 *   |  |                | | `- 12 times 0, then 1 ('a' is 1, 'b' 2 ...), ... : "12b" is twelve
 *                       zeros and a 2
 *   |  |                | `--- the budget of spurious returns
 *   |  |                `----- the memory model: c11 or sc
 *   |  `---------------------- the fingerprint of the program's code, the runtime's included
 *   `------------------------- the version of this format
 */
#include "harness/explore/search/search.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT "x1"

struct explore_choices explore_choices;

void explore_choices_reserve(uint64_t steps)
{
	size_t room = (size_t)steps * 4 + 1024;
	if (explore_choices.room >= room)
		return;
	explore_choices.made = explore_reserve(room, "the record of choices");
	explore_choices.room = room;
}

static inline void record(unsigned choice)
{
	if (unlikely(explore_choices.count == explore_choices.room))
		explore_fail(EXPLORE_UNSUPPORTED, "one execution makes more than %zu choices", explore_choices.room);
	explore_choices.made[explore_choices.count++] = (uint8_t)choice;
}

void explore_prune(void)
{
	explore_now.pruned = true;
	explore_end();
}

unsigned explore_choose_thread(const struct explore_candidates *candidates)
{
	unsigned choice = explore_strategy_now.table->thread(explore_strategy_now.self, candidates);
	if (choice == EXPLORE_PRUNE)
		explore_prune();
	if (candidates->count > 1)
		record(choice);
	return choice;
}

unsigned explore_choose_value(unsigned n)
{
	unsigned choice = explore_strategy_now.table->value(explore_strategy_now.self, n);
	record(choice);
	return choice;
}

unsigned explore_choose_offered(const uint8_t *offered, unsigned n)
{
	unsigned choice = offered[explore_strategy_now.table->value(explore_strategy_now.self, n)];
	record(choice);
	return choice;
}

/* 1 .. 24 are 'a' to 'x'; from 25 on 'z', two letters. */
static void put_value(struct explore_text *text, unsigned value)
{
	if (value <= 24)
		explore_text_add(text, "%c", 'a' + (int)value - 1);
	else
		explore_text_add(text, "z%c%c", 'a' + (int)value / 26, 'a' + (int)value % 26);
}

char *explore_replay_encode(const uint8_t *made, size_t count)
{
	struct explore_text text = {0};
	explore_text_add(&text, FORMAT "-%016lx-%c-%u-", explore_fingerprint(),
	                 explore_options.memory == EXPLORE_SC ? 's' : 'c', explore_options.spurious);
	for (size_t at = 0, zeros = 0; at < count; at++) {
		if (made[at] == 0) {
			zeros++;
			continue;
		}
		if (zeros > 0)
			explore_text_add(&text, "%zu", zeros);
		put_value(&text, made[at]);
		zeros = 0;
	}
	return text.text;
}

static const char *parse_choices(const char *at, uint8_t *made, size_t *count)
{
	size_t n = 0;
	while (*at != '\0') {
		if (isdigit((unsigned char)*at)) {
			char *end;
			unsigned long zeros = strtoul(at, &end, 10);
			if (zeros > explore_choices.room - n)
				return "more choices than an execution can make";
			memset(made + n, 0, zeros);
			n += zeros;
			at = end;
			continue;
		}
		if (n == explore_choices.room)
			return "more choices than an execution can make";
		if (*at >= 'a' && *at <= 'x') {
			made[n++] = (uint8_t)(*at++ - 'a' + 1);
		} else if (*at == 'z' && islower((unsigned char)at[1]) && islower((unsigned char)at[2])) {
			made[n++] = (uint8_t)((at[1] - 'a') * 26 + at[2] - 'a');
			at += 3;
		} else {
			return "it is damaged";
		}
	}
	*count = n;
	return NULL;
}

const char *explore_replay_decode(const char *string, struct explore_options *options, uint8_t **made, size_t *count)
{
	unsigned long fingerprint;
	char memory;
	unsigned spurious;
	int length = 0;
	if (strncmp(string, FORMAT "-", strlen(FORMAT) + 1) != 0)
		return string[0] == 'x' && isdigit((unsigned char)string[1])
		               ? "it is of another version of the explorer"
		               : "it is not one of the explorer's";
	if (sscanf(string, FORMAT "-%16lx-%c-%u-%n", &fingerprint, &memory, &spurious, &length) != 3 || length == 0 ||
	    (memory != 'c' && memory != 's'))
		return "it is damaged";
	if (fingerprint != explore_fingerprint())
		return "it is of other code: the program, its compiler or the explorer has changed since";
	options->memory = memory == 's' ? EXPLORE_SC : EXPLORE_C11;
	options->spurious = spurious;
	*made = malloc(explore_choices.room);
	if (*made == NULL)
		return "no memory";
	const char *why = parse_choices(string + length, *made, count);
	if (why != NULL)
		free(*made);
	return why;
}

/* ---- deciders that are lists ---- */

static void script_begin(void *self)
{
	((struct explore_script *)self)->at = 0;
}

static unsigned script_value(void *self, unsigned n)
{
	struct explore_script *script = self;
	unsigned choice = script->at < script->count ? script->made[script->at] : 0;
	script->at++;
	return choice < n ? choice : 0;
}

static unsigned script_thread(void *self, const struct explore_candidates *candidates)
{
	return candidates->count > 1 ? script_value(self, candidates->count) : 0;
}

static bool script_end(void *self)
{
	(void)self;
	return false;
}

const struct explore_strategy_table explore_script_table = {script_begin, script_thread, script_value, script_end};

static unsigned bytes_value(void *self, unsigned n)
{
	struct explore_script *script = self;
	return script->at < script->count ? script->made[script->at++] % n : 0;
}

static unsigned bytes_thread(void *self, const struct explore_candidates *candidates)
{
	return candidates->count > 1 ? bytes_value(self, candidates->count) : 0;
}

const struct explore_strategy_table explore_bytes_table = {script_begin, bytes_thread, bytes_value, script_end};
