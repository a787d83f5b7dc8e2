/* SPDX-License-Identifier: MIT
 *
 * stress.c - the scenarios of stress: one a kind, everything that its handles can do, at random and
 * at once.
 */
#include "harness/stress/round.h"

extern const struct scenario stress_mpsc, stress_unbounded, stress_oneshot, stress_broadcast, stress_watch;

const struct scenario *const stress_scenarios[KIND_COUNT] = {&stress_mpsc, &stress_unbounded, &stress_oneshot,
                                                             &stress_broadcast, &stress_watch};
