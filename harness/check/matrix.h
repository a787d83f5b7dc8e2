/* SPDX-License-Identifier: MIT
 *
 * matrix.h - rule by rule, what each implementation makes of it: `chanbench check --rules`.
 *
 * What all tests of a rule came to, over the kinds that were checked: failed if any failed; else
 * declared if the rule is; else passed if any passed; else untestable if any was; else not offered.
 */
#ifndef CHANBENCH_CHECK_MATRIX_H
#define CHANBENCH_CHECK_MATRIX_H

#include "harness/check/catalogue.h"
#include "harness/check/check.h"
#include "harness/check/report.h"

/* The rules that were asked for, and the implementations that were run. */
struct matrix {
	struct catalogue catalogue;
	const struct catalogue_entry **rows;
	size_t row_count;
	const struct impl_info **columns;
	size_t column_count;
	const struct report *report;
};

/* 0, or -1 after one line. */
int matrix_open(struct matrix *matrix, const struct check_options *options, const struct report *report);
void matrix_close(struct matrix *matrix);

void matrix_print(FILE *out, const struct matrix *matrix);

/* {"rules":[{"id":"M-1","text":"...","kinds":["mpsc"],"results":{"mutex":"passed"},"reasons":{}}]};
 * NULL: out of memory. To be freed. */
char *matrix_json(const struct matrix *matrix);

#endif
