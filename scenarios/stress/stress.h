/* SPDX-License-Identifier: MIT
 *
 * stress.h - the scenarios of stress: one a kind, everything that its handles can do, at random and at once.
 */
#ifndef CHANBENCH_SCENARIOS_STRESS_H
#define CHANBENCH_SCENARIOS_STRESS_H

#include "harness/stress/round.h"

extern const struct scenario stress_mpsc, stress_unbounded, stress_oneshot, stress_broadcast, stress_watch;

#endif
