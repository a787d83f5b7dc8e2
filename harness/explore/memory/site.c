/* SPDX-License-Identifier: MIT
 *
 * site.c - atomic call sites: what was met, and weakening one of them (memory-order mutation).
 *
 * A site is the return address of the hook together with the order it was called with: a compiler
 * may merge calls that differ in the order only into one. A compare-exchange is two, one for each
 * of its orders.
 */
#include "harness/explore/memory/memory.h"

#define TABLE_BITS 14

static struct explore_site table[1u << TABLE_BITS], list[1u << TABLE_BITS];
static size_t count;
bool explore_weakening;

void explore_site_note(uintptr_t pc, int order, int operation)
{
	size_t at = ((pc ^ (uintptr_t)order << 56 ^ (uintptr_t)operation << 48) * 0x9e3779b97f4a7c15ul) >>
	            (64 - TABLE_BITS);
	for (;; at = (at + 1) & ((1u << TABLE_BITS) - 1)) {
		if (likely(table[at].pc == pc && table[at].order == order && table[at].operation == operation))
			return;
		if (table[at].pc == 0)
			break;
	}
	if (count == (1u << TABLE_BITS) - 1)
		explore_fail(EXPLORE_UNSUPPORTED, "more than %zu atomic call sites", count);
	table[at] = (struct explore_site){.pc = pc, .order = order, .operation = operation};
	list[count++] = (struct explore_site){.pc = pc - explore_code_base(), .order = order, .operation = operation};
}

int explore_site_order(uintptr_t pc, int order, int operation)
{
	const struct explore_site *weak = &explore_options.weaken;
	bool is_it = weak->pc == pc - explore_code_base() && weak->order == order && weak->operation == operation;
	return is_it ? explore_options.weaken_to : order;
}

size_t explore_sites(const struct explore_site **sites)
{
	*sites = list;
	return count;
}
