/* SPDX-License-Identifier: MIT
 *
 * stress.h - `chanbench stress`: real threads at every kind of every implementation, with a tally
 * of live objects and histories that are checked for linearizability.
 */
#ifndef CHANBENCH_STRESS_H
#define CHANBENCH_STRESS_H

/* argv[0] is "stress". The result is the exit status (harness/say.h). */
int stress_main(int argc, char **argv);

#endif
