/* SPDX-License-Identifier: MIT
 *
 * matrix.h - scenarios by implementations: what a run comes to.
 */
#ifndef CHANBENCH_REPORT_MATRIX_H
#define CHANBENCH_REPORT_MATRIX_H

#include "harness/report/plots.h"

struct matrix {
	const char **scenarios;
	size_t scenario_count;
	/* one cell of each implementation, for its name and class */
	const struct report_cell **labels;
	size_t label_count;
	struct matrix_cell *cells; /* [label * scenario_count + scenario] */
};

/* False: no memory. Implementations of ours come first, then those that are the fastest most
 * often. */
bool matrix_make(struct matrix *matrix, const struct report_key *key);
void matrix_free(struct matrix *matrix);

/* One line a kind: who is the fastest how often, and who of ours. */
struct conclusion {
	size_t cells, first; /* of that kind; where it is in front, perhaps together with others */
	const char *label;   /* NULL: nobody has a number */
	double least;        /* its smallest ratio to the fastest */
	size_t measured;     /* in how many it has a number */
};
/* `own`: only among ours. KIND_COUNT: scenarios that this program does not know. */
void matrix_conclude(const struct report_key *key, enum kind kind, bool own, struct conclusion *conclusion);

#endif
