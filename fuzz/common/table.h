/* SPDX-License-Identifier: MIT
 *
 * table.h - a growing set of handles of one type. A handle's number is its place here; numbers are
 * never used again in a run, so that a trace names each handle by one name.
 */
#ifndef CHANBENCH_FUZZ_TABLE_H
#define CHANBENCH_FUZZ_TABLE_H

#include "fuzz/common/bytes.h"

enum { TABLE_MAX = 64, TABLE_NONE = TABLE_MAX };

struct table {
	void *handles[TABLE_MAX]; /* NULL: dropped */
	unsigned count;           /* numbers given so far */
	unsigned live;
};

static inline bool table_full(const struct table *table)
{
	return table->count == TABLE_MAX;
}

/* Puts a handle in; not when the table is full. Returns its number. */
static inline unsigned table_add(struct table *table, void *handle)
{
	table->handles[table->count] = handle;
	table->live++;
	return table->count++;
}

/* Takes a handle out and returns it. */
static inline void *table_remove(struct table *table, unsigned number)
{
	void *handle = table->handles[number];
	table->handles[number] = NULL;
	table->live--;
	return handle;
}

/* Puts back what was taken out under that number. */
static inline void table_restore(struct table *table, unsigned number, void *handle)
{
	table->handles[number] = handle;
	table->live++;
}

/* The number of the live handle that the input chooses; TABLE_NONE when there is none. One byte. */
static inline unsigned table_pick(const struct table *table, struct bytes *in)
{
	unsigned choice = bytes_u8(in);
	if (table->live == 0)
		return TABLE_NONE;
	choice %= table->live;
	for (unsigned number = 0;; number++)
		if (table->handles[number] != NULL && choice-- == 0)
			return number;
}

#endif
