/* SPDX-License-Identifier: MIT */
#include "harness/report/history.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* 3.29: one in a thousand, both sides. */
enum { SEGMENT_MIN = 5, COUNT_MAX = 2000 };
#define SURE 3.29

/* The rank sum of the first `split` against the rest, as standard deviations from what is expected
 * when they are alike. */
static double rank_sum(const double *values, size_t count, size_t split)
{
	double above = 0, n = (double)split, m = (double)(count - split);
	for (size_t i = 0; i < split; i++)
		for (size_t k = split; k < count; k++)
			above += values[i] > values[k] ? 1 : values[i] == values[k] ? 0.5 : 0;
	return fabs(above - n * m / 2) / sqrt(n * m * (n + m + 1) / 12);
}

static double mean_log(const double *values, size_t count)
{
	double sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += log(values[i]);
	return sum / (double)count;
}

static double squares(const double *values, size_t count, double mean)
{
	double sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += (log(values[i]) - mean) * (log(values[i]) - mean);
	return sum;
}

static void segment(const double *values, size_t count, bool *step)
{
	size_t at = 0;
	double most = 0;

	if (count < 2 * SEGMENT_MIN || count > COUNT_MAX)
		return;
	/* Of places that are equally sure the one that parts the means best. */
	for (size_t split = SEGMENT_MIN; split + SEGMENT_MIN <= count; split++) {
		double before = mean_log(values, split), after = mean_log(values + split, count - split);
		double rest = squares(values, split, before) + squares(values + split, count - split, after);
		double deviation = sqrt(rest / (double)(count - 2)), change = fabs(after - before);
		if (rank_sum(values, count, split) < SURE || change < log(1.05) || change < 2.5 * deviation)
			continue;
		double gain = change * sqrt((double)split * (double)(count - split));
		if (gain > most) {
			most = gain;
			at = split;
		}
	}
	if (at == 0)
		return;
	step[at] = true;
	segment(values, at, step);
	segment(values + at, count - at, step + at);
}

void history_steps(const double *values, size_t count, bool *step)
{
	memset(step, 0, count * sizeof *step);
	segment(values, count, step);
}
