/* SPDX-License-Identifier: MIT
 *
 * state.c - the program's globals and thread-local variables, put back for each execution.
 *
 * The globals are the sections explore_data and explore_bss: that is what the build renames .data
 * and .bss of the objects under test to, so that the linker keeps them together and says where they
 * are. What the heap held when the program began (constructors may allocate) is put back, too.
 * Thread-local variables are those of the executable, from its TLS image.
 */
#include "harness/explore/runtime/region.h"
#include <elf.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* SEAM: the sections of globals. The linker defines these four, when an object has the section: the
 * build renames .data and .bss of the objects under test. A program without globals lacks one. */
extern char __start_explore_data[] __attribute__((weak));
extern char __stop_explore_data[] __attribute__((weak));
extern char __start_explore_bss[] __attribute__((weak));
extern char __stop_explore_bss[] __attribute__((weak));

#define PARTS         3
#define SAME_TOGETHER 256 /* bytes that are compared at once, for most have not changed */

static struct part {
	char *base;
	size_t size;
	char *saved;
	size_t room;
} parts[PARTS];

/* The executable's thread-local variables: where the initial image is, and how far below the fs
 * base the live one begins. */
static struct {
	bool known;
	const void *image;
	size_t image_size, size, below;
} tls;

static int find_tls(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		if (header->p_type != PT_TLS || info->dlpi_tls_data == NULL)
			continue;
		uintptr_t fs;
		__asm__("movq %%fs:0, %0" : "=r"(fs));
		tls.image = (const void *)(info->dlpi_addr + header->p_vaddr);
		tls.image_size = header->p_filesz;
		tls.size = header->p_memsz;
		tls.below = fs - (uintptr_t)info->dlpi_tls_data;
	}
	return 1; /* the executable comes first, and is all we want */
}

void explore_tls_reset(uintptr_t fs)
{
	char *live = (char *)fs - tls.below;
	memcpy(live, tls.image, tls.image_size);
	memset(live + tls.image_size, 0, tls.size - tls.image_size);
}

static void find_globals(void)
{
	parts[0] = (struct part){.base = __start_explore_data,
	                         .size = (size_t)(__stop_explore_data - __start_explore_data),
	                         .saved = parts[0].saved,
	                         .room = parts[0].room};
	parts[1] = (struct part){.base = __start_explore_bss,
	                         .size = (size_t)(__stop_explore_bss - __start_explore_bss),
	                         .saved = parts[1].saved,
	                         .room = parts[1].room};
	uintptr_t low = UINTPTR_MAX, high = 0;
	for (unsigned i = 0; i < 2; i++) {
		uintptr_t base = (uintptr_t)parts[i].base;
		if (parts[i].size == 0)
			continue;
		low = base < low ? base : low;
		high = base + parts[i].size > high ? base + parts[i].size : high;
	}
	if (explore_globals_shadow != NULL || high == 0)
		return;
	explore_globals_base = low & ~7ul;
	explore_globals_size = high - explore_globals_base + 8;
	explore_globals_shadow = explore_reserve(explore_globals_size, "shadow memory");
}

void explore_state_save(void)
{
	if (!tls.known) {
		dl_iterate_phdr(find_tls, NULL);
		tls.known = true;
	}
	find_globals();
	parts[2].base = (char *)HEAP_BASE;
	parts[2].size = explore_heap_used();
	for (unsigned i = 0; i < PARTS; i++) {
		struct part *part = &parts[i];
		if (part->room < part->size) {
			part->saved = explore_reserve(part->size, "the initial state");
			part->room = part->size;
		}
		if (part->size > 0)
			memcpy(part->saved, part->base, part->size);
	}
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 29;
}

/* Goes on from `at` over what is as it was. */
static size_t same(const struct part *part, size_t at)
{
	while (at + SAME_TOGETHER <= part->size && memcmp(part->base + at, part->saved + at, SAME_TOGETHER) == 0)
		at += SAME_TOGETHER;
	return at;
}

uint64_t explore_state_restore(void)
{
	uint64_t hash = 1;
	for (unsigned i = 0; i < PARTS; i++) {
		struct part *part = &parts[i];
		size_t at;
		for (at = same(part, 0); at + 8 <= part->size; at = same(part, at + 8)) {
			uint64_t word, saved;
			memcpy(&word, part->base + at, 8);
			memcpy(&saved, part->saved + at, 8);
			if (word == saved)
				continue;
			hash = mix(hash, at + i) + mix(hash, word);
			memcpy(part->base + at, &saved, 8);
		}
		for (; at < part->size; at++) {
			hash = mix(hash, (uint8_t)part->base[at]);
			part->base[at] = part->saved[at];
		}
	}
	return hash;
}

void explore_state_scan(void (*visit)(uintptr_t from, size_t size))
{
	for (unsigned i = 0; i < 2; i++)
		visit((uintptr_t)parts[i].base, parts[i].size);
	for (unsigned mask = explore_now.alive; mask != 0; mask &= mask - 1) {
		unsigned id = (unsigned)__builtin_ctz(mask);
		struct explore_thread *thread = &explore_now.thread[id];
		uintptr_t sp =
			thread == explore_now.current ? (uintptr_t)__builtin_frame_address(0) : (uintptr_t)thread->sp;
		visit(explore_coroutine_fs(id) - tls.below, tls.size);
		visit(sp, slot_base(id) + SLOT_SIZE - SLOT_PARKED - sp);
	}
}
