/* SPDX-License-Identifier: MIT
 *
 * recheck.h - checks a history that a stress left behind (history_file.h), without the run that
 * made it.
 */
#ifndef CHANBENCH_STRESS_RECHECK_H
#define CHANBENCH_STRESS_RECHECK_H

/* Prints what it is and what came of it. The result is the exit status (harness/say.h); a
 * history whose check was given up is a failure of the harness. */
int recheck(const char *path);

#endif
