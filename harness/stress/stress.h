/* SPDX-License-Identifier: MIT
 *
 * stress.h - `chanbench stress`: real threads at every kind of every implementation, with a tally
 * of live objects and histories that are checked for linearizability.
 */
#ifndef CHANBENCH_STRESS_H
#define CHANBENCH_STRESS_H

#include "harness/options.h"

extern const struct command stress_command;

/* Checks a history that a stress left behind (history.h), without the run that made it, and prints
 * what came of it. The result is the exit status (harness/say.h); a history whose check was given
 * up is a failure of the harness. */
int stress_recheck(const char *path);

#endif
