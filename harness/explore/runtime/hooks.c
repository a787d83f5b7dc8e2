/* SPDX-License-Identifier: MIT
 *
 * hooks.c - what the compiler calls under -fsanitize=thread: __tsan_*.
 *
 * Plain accesses are checked for races and for freed memory, and are no steps: a program in which
 * the order of plain accesses matters has a race. Atomic operations are steps. Outside of an
 * execution (constructors) they do what they say. A memory order comes with hints in its upper
 * bits, which are not for us.
 */
#include "harness/explore/memory/memory.h"
#include <string.h>

/* ---- plain accesses ---- */

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

/* ---- atomic operations ---- */

#define ORDER_MASK 0xffff

/* The order a call site asks for; another one when the site is being weakened (site.c). */
static inline int order_at(int order, uintptr_t pc, int operation)
{
	order &= ORDER_MASK;
	explore_site_note(pc, order, operation);
	return unlikely(explore_weakening) ? explore_site_order(pc, order, operation) : order;
}

#define HOOK(type, name, bits, ...) type __tsan_atomic##bits##_##name(__VA_ARGS__)

#define RMW(bits, name, what, direct)                                                                                  \
	HOOK(uint##bits##_t, name, bits, volatile uint##bits##_t *p, uint##bits##_t v, int order)                      \
	{                                                                                                              \
		if (!explore_runs())                                                                                   \
			return direct(p, v, __ATOMIC_SEQ_CST);                                                         \
		return (uint##bits##_t)explore_atomic_rmw((uintptr_t)p, bits / 8, what, v,                             \
		                                          order_at(order, EXPLORE_PC, EXPLORE_SITE_RMW), EXPLORE_PC);  \
	}

/* compare_exchange_val is clang's only compare-exchange, strong or weak: it never fails
 * spuriously. */
#define HOOKS(bits)                                                                                                    \
	HOOK(uint##bits##_t, load, bits, const volatile uint##bits##_t *p, int order)                                  \
	{                                                                                                              \
		if (!explore_runs())                                                                                   \
			return __atomic_load_n(p, __ATOMIC_SEQ_CST);                                                   \
		return (uint##bits##_t)explore_atomic_load(                                                            \
			(uintptr_t)p, bits / 8, order_at(order, EXPLORE_PC, EXPLORE_SITE_LOAD), EXPLORE_PC);           \
	}                                                                                                              \
	HOOK(void, store, bits, volatile uint##bits##_t *p, uint##bits##_t v, int order)                               \
	{                                                                                                              \
		if (!explore_runs())                                                                                   \
			__atomic_store_n(p, v, __ATOMIC_SEQ_CST);                                                      \
		else                                                                                                   \
			explore_atomic_store((uintptr_t)p, bits / 8, v,                                                \
			                     order_at(order, EXPLORE_PC, EXPLORE_SITE_STORE), EXPLORE_PC);             \
	}                                                                                                              \
	RMW(bits, exchange, RMW_EXCHANGE, __atomic_exchange_n)                                                         \
	RMW(bits, fetch_add, RMW_ADD, __atomic_fetch_add)                                                              \
	RMW(bits, fetch_sub, RMW_SUB, __atomic_fetch_sub)                                                              \
	RMW(bits, fetch_and, RMW_AND, __atomic_fetch_and)                                                              \
	RMW(bits, fetch_or, RMW_OR, __atomic_fetch_or)                                                                 \
	RMW(bits, fetch_xor, RMW_XOR, __atomic_fetch_xor)                                                              \
	RMW(bits, fetch_nand, RMW_NAND, __atomic_fetch_nand)                                                           \
	HOOK(uint##bits##_t, compare_exchange_val, bits, volatile uint##bits##_t *p, uint##bits##_t expected,          \
	     uint##bits##_t desired, int order, int failure)                                                           \
	{                                                                                                              \
		if (!explore_runs()) {                                                                                 \
			__atomic_compare_exchange_n(p, &expected, desired, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);     \
			return expected;                                                                               \
		}                                                                                                      \
		uint64_t value = expected;                                                                             \
		explore_atomic_compare((uintptr_t)p, bits / 8, &value, desired,                                        \
		                       order_at(order, EXPLORE_PC, EXPLORE_SITE_CAS),                                  \
		                       order_at(failure, EXPLORE_PC, EXPLORE_SITE_CAS_FAIL), false, EXPLORE_PC);       \
		return (uint##bits##_t)value;                                                                          \
	}                                                                                                              \
	COMPARE(bits, strong, false)                                                                                   \
	COMPARE(bits, weak, true)

#define COMPARE(bits, name, may_fail)                                                                                  \
	HOOK(_Bool, compare_exchange_##name, bits, volatile uint##bits##_t *p, uint##bits##_t *expected,               \
	     uint##bits##_t desired, int order, int failure)                                                           \
	{                                                                                                              \
		if (!explore_runs())                                                                                   \
			return __atomic_compare_exchange_n(p, expected, desired, 0, __ATOMIC_SEQ_CST,                  \
			                                   __ATOMIC_SEQ_CST);                                          \
		uint64_t value = *expected;                                                                            \
		bool done = explore_atomic_compare(                                                                    \
			(uintptr_t)p, bits / 8, &value, desired, order_at(order, EXPLORE_PC, EXPLORE_SITE_CAS),        \
			order_at(failure, EXPLORE_PC, EXPLORE_SITE_CAS_FAIL), may_fail, EXPLORE_PC);                   \
		if (!done)                                                                                             \
			*expected = (uint##bits##_t)value;                                                             \
		return done;                                                                                           \
	}

/* clang-format off */
HOOKS(8)
HOOKS(16)
HOOKS(32)
HOOKS(64)
/* clang-format on */

void __tsan_atomic_thread_fence(int order)
{
	if (!explore_runs())
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	else
		explore_atomic_fence(order_at(order, EXPLORE_PC, EXPLORE_SITE_FENCE), EXPLORE_PC);
}

void __tsan_atomic_signal_fence(int order)
{
	(void)order; /* between a thread and its own signal handler: there are none here */
}

/* 128 bits: refused by name, when they are met. */
static _Noreturn void wide(uintptr_t pc)
{
	explore_fail(EXPLORE_UNSUPPORTED, "atomic operation on 128 bits at " EXPLORE_CODE ": not modelled", pc);
}

#define WIDE(name)                                                                                                     \
	_Noreturn void __tsan_atomic128_##name(void);                                                                  \
	_Noreturn void __tsan_atomic128_##name(void)                                                                   \
	{                                                                                                              \
		wide(EXPLORE_PC);                                                                                      \
	}
/* clang-format off */
WIDE(load)
WIDE(store)
WIDE(exchange)
WIDE(fetch_add)
WIDE(fetch_sub)
WIDE(fetch_and)
WIDE(fetch_or)
WIDE(fetch_xor)
WIDE(fetch_nand)
WIDE(compare_exchange_val)
WIDE(compare_exchange_strong)
WIDE(compare_exchange_weak)
/* clang-format on */
