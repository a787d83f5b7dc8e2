/* SPDX-License-Identifier: MIT
 *
 * litmus.c - the litmus tests: message passing, store buffering, independent reads of independent
 * writes, coherence, release sequences, fences, read-modify-writes. Names as in the literature
 * (Alglave, Maranget, Tautschnig 2014).
 */
#include "harness/explore/under_test/litmus.h"
#include "harness/explore/under_test/threads.h"
#include <stdatomic.h>
#include <stddef.h>

int litmus_register[LITMUS_REGISTERS];
static atomic_int x, y, z;

#define r litmus_register

#define rlx memory_order_relaxed
#define acq memory_order_acquire
#define rel memory_order_release
#define ar  memory_order_acq_rel
#define sc  memory_order_seq_cst

#define THREAD(name, ...)                                                                                              \
	static void name(void)                                                                                         \
	{                                                                                                              \
		__VA_ARGS__;                                                                                           \
	}
#define ALLOWS(name, condition)                                                                                        \
	static bool name(const int *v)                                                                                 \
	{                                                                                                              \
		return condition;                                                                                      \
	}
#define STORE(object, value, order) atomic_store_explicit(&(object), value, order)
#define LOAD(object, order)         atomic_load_explicit(&(object), order)

int litmus_run(void *arg)
{
	const struct litmus *litmus = arg;
	for (int i = 0; i < LITMUS_THREADS && litmus->thread[i] != NULL; i++)
		start(litmus->thread[i]);
	join_all();
	if (litmus->last != NULL)
		litmus->last();
	return 0;
}

static bool anything(const int *v)
{
	(void)v;
	return true;
}

/* Message passing: x is the message, y the flag. */
THREAD(mp_relaxed, STORE(x, 1, rlx); STORE(y, 1, rlx))
THREAD(mp_release, STORE(x, 1, rlx); STORE(y, 1, rel))
THREAD(mp_release_fence, STORE(x, 1, rlx); atomic_thread_fence(rel); STORE(y, 1, rlx))
THREAD(read_relaxed, r[0] = LOAD(y, rlx); r[1] = LOAD(x, rlx))
THREAD(read_acquire, r[0] = LOAD(y, acq); r[1] = LOAD(x, rlx))
THREAD(read_acquire_fence, r[0] = LOAD(y, rlx); atomic_thread_fence(acq); r[1] = LOAD(x, rlx))
THREAD(read_late_fence, r[0] = LOAD(y, rlx); r[1] = LOAD(x, rlx); atomic_thread_fence(acq))
ALLOWS(message_arrives, !(v[0] == 1 && v[1] == 0))

/* Store buffering. */
THREAD(sb0_relaxed, STORE(x, 1, rlx); r[0] = LOAD(y, rlx))
THREAD(sb1_relaxed, STORE(y, 1, rlx); r[1] = LOAD(x, rlx))
THREAD(sb0_acqrel, STORE(x, 1, rel); r[0] = LOAD(y, acq))
THREAD(sb1_acqrel, STORE(y, 1, rel); r[1] = LOAD(x, acq))
THREAD(sb0_sc, STORE(x, 1, sc); r[0] = LOAD(y, sc))
THREAD(sb1_sc, STORE(y, 1, sc); r[1] = LOAD(x, sc))
THREAD(sb0_fence, STORE(x, 1, rlx); atomic_thread_fence(sc); r[0] = LOAD(y, rlx))
THREAD(sb1_fence, STORE(y, 1, rlx); atomic_thread_fence(sc); r[1] = LOAD(x, rlx))
THREAD(sb0_weak_fence, STORE(x, 1, rlx); atomic_thread_fence(ar); r[0] = LOAD(y, rlx))
THREAD(sb0_exchange, atomic_exchange_explicit(&x, 1, ar); r[0] = LOAD(y, acq))
THREAD(sb0_sc_store, STORE(x, 1, sc); r[0] = LOAD(y, acq))
ALLOWS(no_zeros, v[0] != 0 || v[1] != 0)

/* Store buffering where the fence of one side reaches the load through another thread. */
THREAD(sbh0, STORE(x, 1, rlx); atomic_thread_fence(sc); STORE(z, 1, rel))
THREAD(sbh1, r[0] = LOAD(z, acq); r[1] = LOAD(y, rlx))
THREAD(sbh2, STORE(y, 1, rlx); atomic_thread_fence(sc); r[2] = LOAD(x, rlx))
ALLOWS(sbh, !(v[0] == 1 && v[1] == 0 && v[2] == 0))

/* Store buffering where x = 1 is known to come before the fence that must not see it. */
THREAD(sbt1, r[3] = LOAD(z, rlx); STORE(y, 1, rlx); atomic_thread_fence(sc); r[1] = LOAD(x, rlx))
THREAD(sbt2, r[2] = LOAD(x, rlx); STORE(z, r[2], rlx))
ALLOWS(sbt, (v[0] != 0 || v[1] != 0) && !(v[2] == 0 && v[3] == 1))

/* Independent reads of independent writes. */
THREAD(x_relaxed, STORE(x, 1, rlx))
THREAD(y_relaxed, STORE(y, 1, rlx))
THREAD(x_release, STORE(x, 1, rel))
THREAD(y_release, STORE(y, 1, rel))
THREAD(x_sc, STORE(x, 1, sc))
THREAD(y_sc, STORE(y, 1, sc))
THREAD(xy_acquire, r[0] = LOAD(x, acq); r[1] = LOAD(y, acq))
THREAD(yx_acquire, r[2] = LOAD(y, acq); r[3] = LOAD(x, acq))
THREAD(xy_sc, r[0] = LOAD(x, sc); r[1] = LOAD(y, sc))
THREAD(yx_sc, r[2] = LOAD(y, sc); r[3] = LOAD(x, sc))
THREAD(xy_fence, r[0] = LOAD(x, rlx); atomic_thread_fence(sc); r[1] = LOAD(y, rlx))
THREAD(yx_fence, r[2] = LOAD(y, rlx); atomic_thread_fence(sc); r[3] = LOAD(x, rlx))
ALLOWS(one_order, !(v[0] == 1 && v[1] == 0 && v[2] == 1 && v[3] == 0))

/* Write-to-read causality. */
THREAD(wrc1, r[0] = LOAD(x, rlx); STORE(y, 1, rel))
THREAD(wrc2, r[1] = LOAD(y, acq); r[2] = LOAD(x, rlx))
THREAD(wrc2_relaxed, r[1] = LOAD(y, rlx); r[2] = LOAD(x, rlx))
ALLOWS(causality, !(v[0] == 1 && v[1] == 1 && v[2] == 0))

/* Coherence. */
THREAD(x_twice, STORE(x, 1, rlx); STORE(x, 2, rlx))
THREAD(x_is_2, STORE(x, 2, rlx))
THREAD(xx_relaxed, r[0] = LOAD(x, rlx); r[1] = LOAD(x, rlx))
THREAD(xx_other, r[2] = LOAD(x, rlx); r[3] = LOAD(x, rlx))
THREAD(corw, r[0] = LOAD(x, rlx); STORE(x, 1, rlx))
THREAD(cowr, STORE(x, 1, rlx); r[0] = LOAD(x, rlx))
THREAD(last_x, r[1] = LOAD(x, rlx))
ALLOWS(not_back, v[0] <= v[1])
ALLOWS(cowr_allows, v[0] != 0 && v[1] != 0 && !(v[0] == 2 && v[1] == 1))
ALLOWS(corw_allows, v[0] != 1 && v[1] != 0 && !(v[0] == 2 && v[1] == 2))

static bool in_order(const int *pair, int first)
{
	int a = pair[0] == 0 ? 0 : pair[0] == first ? 1 : 2;
	int b = pair[1] == 0 ? 0 : pair[1] == first ? 1 : 2;
	return a <= b;
}
ALLOWS(one_modification_order, (in_order(v, 1) && in_order(v + 2, 1)) || (in_order(v, 2) && in_order(v + 2, 2)))

/* Release sequences: x is the message, y carries it. */
THREAD(rs_head, STORE(x, 1, rlx); STORE(y, 2, rel))
THREAD(rs_add, atomic_fetch_add_explicit(&y, 1, rlx))
THREAD(rs_other, STORE(y, 3, rlx))
THREAD(rs_self, STORE(x, 1, rlx); STORE(y, 2, rel); STORE(y, 3, rlx))
THREAD(rs_one, STORE(y, 1, rlx))
ALLOWS(rs_rmw, v[1] <= 1 && !(v[0] >= 2 && v[1] == 0))
ALLOWS(rs_goes_on, v[0] != 1 && v[1] <= 1 && !(v[0] >= 2 && v[1] == 0))
ALLOWS(rs_broken, v[0] != 1 && v[1] <= 1 && !(v[0] == 2 && v[1] == 0))
ALLOWS(rs_maybe_broken, v[1] <= 1 && !(v[0] == 2 && v[1] == 0))

/* Read-modify-writes. */
THREAD(add0, r[0] = atomic_fetch_add_explicit(&x, 1, rlx))
THREAD(add1, r[1] = atomic_fetch_add_explicit(&x, 1, rlx))
THREAD(add2, r[2] = atomic_fetch_add_explicit(&x, 1, rlx))
ALLOWS(all_different, v[0] != v[1] && v[1] != v[2] && v[0] != v[2])
THREAD(cas0, r[0] = 0; atomic_compare_exchange_strong_explicit(&x, &r[0], 1, rlx, rlx))
THREAD(cas1, r[1] = 0; atomic_compare_exchange_strong_explicit(&x, &r[1], 2, rlx, rlx))
ALLOWS(one_wins, (v[0] == 0 && v[1] == 1) || (v[0] == 2 && v[1] == 0))
THREAD(cas_fails, r[0] = 3; atomic_compare_exchange_strong_explicit(&x, &r[0], 9, rlx, rlx); r[1] = LOAD(x, rlx))

/* What the model leaves out: no load sees a store that comes later. C11 allows the last outcome
 * of each. */
THREAD(lb0, r[0] = LOAD(x, rlx); STORE(y, 1, rlx))
THREAD(lb1, r[1] = LOAD(y, rlx); STORE(x, 1, rlx))
ALLOWS(no_ones, v[0] == 0 || v[1] == 0)
THREAD(ww0, STORE(x, 1, rlx); STORE(y, 2, rlx))
THREAD(ww1, STORE(y, 1, rlx); STORE(x, 2, rlx))
THREAD(last_xy, r[0] = LOAD(x, rlx); r[1] = LOAD(y, rlx))
ALLOWS(ww_allows, v[0] != 0 && v[1] != 0 && !(v[0] == 1 && v[1] == 1))

#define BITS                                                                                                           \
	{                                                                                                              \
		0, 1, -1                                                                                               \
	}
#define TERNS                                                                                                          \
	{                                                                                                              \
		0, 1, 2, -1                                                                                            \
	}
#define QUARTS                                                                                                         \
	{                                                                                                              \
		0, 1, 2, 3, -1                                                                                         \
	}

const struct litmus litmus_tests[] = {
	{"MP relaxed", {mp_relaxed, read_relaxed}, NULL, 2, BITS, anything},
	{"MP release, relaxed", {mp_release, read_relaxed}, NULL, 2, BITS, anything},
	{"MP relaxed, acquire", {mp_relaxed, read_acquire}, NULL, 2, BITS, anything},
	{"MP release, acquire", {mp_release, read_acquire}, NULL, 2, BITS, message_arrives},
	{"MP release fence, acquire", {mp_release_fence, read_acquire}, NULL, 2, BITS, message_arrives},
	{"MP release, acquire fence", {mp_release, read_acquire_fence}, NULL, 2, BITS, message_arrives},
	{"MP fences", {mp_release_fence, read_acquire_fence}, NULL, 2, BITS, message_arrives},
	{"MP acquire fence too late", {mp_release_fence, read_late_fence}, NULL, 2, BITS, anything},
	{"SB relaxed", {sb0_relaxed, sb1_relaxed}, NULL, 2, BITS, anything},
	{"SB release, acquire", {sb0_acqrel, sb1_acqrel}, NULL, 2, BITS, anything},
	{"SB seq_cst", {sb0_sc, sb1_sc}, NULL, 2, BITS, no_zeros},
	{"SB seq_cst fences", {sb0_fence, sb1_fence}, NULL, 2, BITS, no_zeros},
	{"SB seq_cst and a fence", {sb0_sc, sb1_fence}, NULL, 2, BITS, no_zeros},
	{"SB one fence", {sb0_fence, sb1_relaxed}, NULL, 2, BITS, anything},
	{"SB a fence and an acq_rel fence", {sb0_weak_fence, sb1_fence}, NULL, 2, BITS, anything},
	{"SB an exchange is no fence", {sb0_exchange, sb1_fence}, NULL, 2, BITS, anything},
	{"SB a seq_cst store is no fence", {sb0_sc_store, sb1_sc}, NULL, 2, BITS, anything},
	{"SB fence through synchronisation", {sbh0, sbh1, sbh2}, NULL, 3, BITS, sbh},
	{"SB fences in either order", {sb0_fence, sbt1, sbt2}, NULL, 4, BITS, sbt},
	{"IRIW relaxed, acquire", {x_relaxed, y_relaxed, xy_acquire, yx_acquire}, NULL, 4, BITS, anything},
	{"IRIW release, acquire", {x_release, y_release, xy_acquire, yx_acquire}, NULL, 4, BITS, anything},
	{"IRIW seq_cst", {x_sc, y_sc, xy_sc, yx_sc}, NULL, 4, BITS, one_order},
	{"IRIW seq_cst fences", {x_relaxed, y_relaxed, xy_fence, yx_fence}, NULL, 4, BITS, one_order},
	{"IRIW one fence", {x_relaxed, y_relaxed, xy_fence, yx_acquire}, NULL, 4, BITS, anything},
	{"WRC", {x_relaxed, wrc1, wrc2}, NULL, 3, BITS, causality},
	{"WRC relaxed", {x_relaxed, wrc1, wrc2_relaxed}, NULL, 3, BITS, anything},
	{"CoRR", {x_twice, xx_relaxed}, NULL, 2, TERNS, not_back},
	{"CoRR two readers", {x_relaxed, x_is_2, xx_relaxed, xx_other}, NULL, 4, TERNS, one_modification_order},
	{"CoWR", {cowr, x_is_2}, last_x, 2, TERNS, cowr_allows},
	{"CoRW", {corw, x_is_2}, last_x, 2, TERNS, corw_allows},
	{"release sequence, read-modify-write", {rs_head, rs_add, read_acquire}, NULL, 2, QUARTS, rs_rmw},
	{"release sequence, same thread", {rs_self, read_acquire}, NULL, 2, QUARTS, rs_goes_on},
	{"release sequence, interrupted", {rs_head, rs_other, read_acquire}, NULL, 2, QUARTS, rs_broken},
	{"release sequence, same thread, interrupted",
         {rs_self, rs_one, read_acquire},
         NULL,
         2,
         QUARTS,
         rs_maybe_broken},
	{"additions", {add0, add1, add2}, NULL, 3, TERNS, all_different},
	{"compare-exchange", {cas0, cas1}, NULL, 2, TERNS, one_wins},
	{"compare-exchange that fails", {x_twice, cas_fails}, NULL, 2, TERNS, not_back},
	{"LB (not modelled)", {lb0, lb1}, NULL, 2, BITS, no_ones},
	{"2+2W (not modelled)", {ww0, ww1}, last_xy, 2, TERNS, ww_allows},
	{NULL, {NULL}, NULL, 0, {0}, NULL},
};
