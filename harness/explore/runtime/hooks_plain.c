/* SPDX-License-Identifier: MIT
 *
 * hooks_plain.c - what the compiler calls for plain accesses under -fsanitize=thread. They are
 * checked for races and for freed memory, and are no steps: a program in which the order of plain
 * accesses matters has a race.
 */
#include "harness/explore/runtime/core.h"
#include <string.h>

void __tsan_init(void);
void __tsan_func_entry(void *pc);
void __tsan_func_exit(void);

void __tsan_init(void)
{
	explore_region_open();
}

void __tsan_func_entry(void *pc)
{
	(void)pc;
}

void __tsan_func_exit(void)
{
}

#define ACCESS(name, bytes, kind)                                                                                      \
	void __tsan_##name##bytes(void *p);                                                                            \
	void __tsan_##name##bytes(void *p)                                                                             \
	{                                                                                                              \
		if (explore_runs())                                                                                    \
			explore_access((uintptr_t)p, bytes, kind, EXPLORE_PC);                                         \
	}

#define ACCESSES(name, kind)                                                                                           \
	ACCESS(name, 2, kind)                                                                                          \
	ACCESS(name, 4, kind)                                                                                          \
	ACCESS(name, 8, kind)                                                                                          \
	ACCESS(name, 16, kind)

/* clang-format off */
ACCESS(read, 1, 0)
ACCESSES(read, 0)
ACCESSES(unaligned_read, 0)
ACCESS(volatile_read, 1, 0)
ACCESSES(volatile_read, 0)
ACCESSES(unaligned_volatile_read, 0)
ACCESS(write, 1, EXPLORE_ACCESS_WRITE)
ACCESSES(write, EXPLORE_ACCESS_WRITE)
ACCESSES(unaligned_write, EXPLORE_ACCESS_WRITE)
ACCESS(volatile_write, 1, EXPLORE_ACCESS_WRITE)
ACCESSES(volatile_write, EXPLORE_ACCESS_WRITE)
ACCESSES(unaligned_volatile_write, EXPLORE_ACCESS_WRITE)
ACCESS(read_write, 1, EXPLORE_ACCESS_WRITE)
ACCESSES(read_write, EXPLORE_ACCESS_WRITE)
ACCESSES(unaligned_read_write, EXPLORE_ACCESS_WRITE)
/* clang-format on */

void __tsan_read_range(void *p, size_t size);
void __tsan_write_range(void *p, size_t size);
void *__tsan_memcpy(void *to, const void *from, size_t size);
void *__tsan_memmove(void *to, const void *from, size_t size);
void *__tsan_memset(void *to, int value, size_t size);

void __tsan_read_range(void *p, size_t size)
{
	explore_read(p, size, EXPLORE_PC);
}

void __tsan_write_range(void *p, size_t size)
{
	explore_write(p, size, EXPLORE_PC);
}

void *__tsan_memcpy(void *to, const void *from, size_t size)
{
	explore_read(from, size, EXPLORE_PC);
	explore_write(to, size, EXPLORE_PC);
	return memcpy(to, from, size);
}

void *__tsan_memmove(void *to, const void *from, size_t size)
{
	explore_read(from, size, EXPLORE_PC);
	explore_write(to, size, EXPLORE_PC);
	return memmove(to, from, size);
}

void *__tsan_memset(void *to, int value, size_t size)
{
	explore_write(to, size, EXPLORE_PC);
	return memset(to, value, size);
}
