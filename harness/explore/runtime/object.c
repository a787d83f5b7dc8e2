/* SPDX-License-Identifier: MIT
 *
 * object.c - the runtime's records of the program's synchronisation objects, found by address and
 * type: one hash table, which begins empty in each execution (entries are stamped with its number).
 */
#include "harness/explore/runtime/region.h"
#include <string.h>

#define TABLE_BITS 12

struct object {
	struct object *next, *before; /* in its bucket; of all */
	uintptr_t address;            /* 0: forgotten */
	unsigned type;
	max_align_t data[];
};

static struct {
	uint32_t generation;
	struct object *first;
} table[1u << TABLE_BITS];

static struct object *all; /* of the execution, the newest first */

void explore_objects_reset(void)
{
	all = NULL;
}

static struct object **bucket(uintptr_t address)
{
	size_t at = (address / 8 * 0x9e3779b97f4a7c15ul) >> (64 - TABLE_BITS);
	if (table[at].generation != explore_now.generation) {
		table[at].generation = explore_now.generation;
		table[at].first = NULL;
	}
	return &table[at].first;
}

void *explore_object(const volatile void *address, unsigned type, size_t size)
{
	static max_align_t outside[64];
	if (!explore_active()) {
		memset(outside, 0, sizeof(outside));
		return outside;
	}
	struct object **first = bucket((uintptr_t)address);
	for (struct object *object = *first; object != NULL; object = object->next) {
		if (object->address == (uintptr_t)address && object->type == type)
			return object->data;
	}
	struct object *object = explore_scratch(sizeof(*object) + size);
	*object = (struct object){.next = *first, .before = all, .address = (uintptr_t)address, .type = type};
	*first = object;
	all = object;
	return object->data;
}

void explore_object_forget(const volatile void *address, unsigned type)
{
	if (!explore_active())
		return;
	for (struct object *object = *bucket((uintptr_t)address); object != NULL; object = object->next) {
		if (object->address == (uintptr_t)address && object->type == type)
			object->address = 0;
	}
}

void explore_objects_forget(uintptr_t address, size_t size)
{
	for (struct object *object = all; object != NULL; object = object->before) {
		if (object->address - address < size)
			object->address = 0;
	}
}
