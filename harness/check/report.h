/* SPDX-License-Identifier: MIT
 *
 * report.h - what `chanbench check` prints.
 */
#ifndef CHANBENCH_CHECK_REPORT_H
#define CHANBENCH_CHECK_REPORT_H

#include "harness/check/run.h"

#include <stdio.h>

/* What came of every case, in the order in which they ran. */
struct report {
	const struct test_case *cases;
	struct outcome *outcomes;
	size_t count;
};

struct matrix;

/* One failure in full. */
void report_failure(FILE *out, const struct test_case *test_case, const struct outcome *outcome);

/* What was declared, not offered and untestable; then the matrix, or (NULL) a table of counts
 * per implementation and kind; and a last line. */
void report_print(FILE *out, const struct report *report, const struct matrix *matrix);

#endif
