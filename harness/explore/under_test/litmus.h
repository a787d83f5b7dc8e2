/* SPDX-License-Identifier: MIT
 *
 * litmus.h - litmus tests: tiny programs whose set of outcomes says what a memory model allows.
 */
#ifndef CHANBENCH_EXPLORE_UNDER_TEST_LITMUS_H
#define CHANBENCH_EXPLORE_UNDER_TEST_LITMUS_H

#include <stdbool.h>

#define LITMUS_THREADS   4
#define LITMUS_REGISTERS 4

struct litmus {
	const char *name;
	void (*thread[LITMUS_THREADS])(void); /* NULL: no more */
	void (*last)(void);                   /* after all have ended; may be NULL */
	int registers;
	int values[6]; /* what a register may hold, from 0 on; -1 ends */
	/* Whether the model allows these registers. All that it allows must be found, and
	 * nothing else. */
	bool (*allows)(const int *r);
};

extern const struct litmus litmus_tests[]; /* ends with a NULL name */
extern int litmus_register[LITMUS_REGISTERS];
int litmus_run(void *litmus);

#endif
