/* SPDX-License-Identifier: MIT */
#include "harness/bench/stats.h"

#include "harness/bench/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DRAWS = 2000 };

bool samples_add(struct samples *samples, double value, uint32_t process)
{
	/* Room grows by doubling, at the powers of two. */
	if ((samples->count & (samples->count - 1)) == 0) {
		size_t room = samples->count == 0 ? 1 : 2 * samples->count;
		double *values = realloc(samples->value, room * sizeof *values);
		if (values == NULL)
			return false;
		samples->value = values;
		uint32_t *processes = realloc(samples->process, room * sizeof *processes);
		if (processes == NULL)
			return false;
		samples->process = processes;
	}
	samples->value[samples->count] = value;
	samples->process[samples->count] = process;
	samples->count++;
	return true;
}

void samples_free(struct samples *samples)
{
	free(samples->value);
	free(samples->process);
	*samples = (struct samples){0};
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Sorts `values`. */
static double median_of(double *values, size_t n)
{
	if (n == 0)
		return NAN;
	qsort(values, n, sizeof *values, ascending);
	return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

double stats_median(const struct samples *samples)
{
	double *copy = malloc((samples->count + 1) * sizeof *copy);
	if (copy == NULL)
		return NAN;
	if (samples->count != 0)
		memcpy(copy, samples->value, samples->count * sizeof *copy);
	double median = median_of(copy, samples->count);
	free(copy);
	return median;
}

double stats_min(const struct samples *samples)
{
	double least = NAN;
	for (size_t i = 0; i < samples->count; i++)
		least = fmin(least, samples->value[i]);
	return least;
}

double stats_max(const struct samples *samples)
{
	double most = NAN;
	for (size_t i = 0; i < samples->count; i++)
		most = fmax(most, samples->value[i]);
	return most;
}

/* ------------------------------------------------------------------------------------------
 * Drawing
 */

/* The samples again, those of one process side by side. */
struct clusters {
	double *value;
	size_t *start; /* of each process; start[count] is the end */
	size_t count;
	double *drawn; /* room for one draw: no longer than all processes as long as the longest */
};

static void clusters_free(struct clusters *c)
{
	free(c->value);
	free(c->start);
	free(c->drawn);
}

static bool clusters_make(struct clusters *c, const struct samples *samples)
{
	size_t n = samples->count, used = 0, longest = 0;
	bool *taken = calloc(n, sizeof *taken);

	*c = (struct clusters){.value = malloc(n * sizeof *c->value), .start = malloc((n + 1) * sizeof *c->start)};
	if (taken == NULL || c->value == NULL || c->start == NULL)
		goto done;
	for (size_t i = 0; i < n; i++) {
		if (taken[i])
			continue;
		c->start[c->count++] = used;
		for (size_t k = i; k < n; k++)
			if (!taken[k] && samples->process[k] == samples->process[i]) {
				taken[k] = true;
				c->value[used++] = samples->value[k];
			}
		if (used - c->start[c->count - 1] > longest)
			longest = used - c->start[c->count - 1];
	}
	c->start[c->count] = used;
	c->drawn = malloc(c->count * longest * sizeof *c->drawn);
done:
	free(taken);
	if (c->drawn == NULL)
		clusters_free(c);
	return c->drawn != NULL;
}

static double draw_median(const struct clusters *c, uint64_t *state)
{
	size_t n = 0;
	for (size_t i = 0; i < c->count; i++) {
		size_t p = random_below(state, c->count), start = c->start[p], length = c->start[p + 1] - start;
		for (size_t k = 0; k < length; k++)
			c->drawn[n++] = c->value[start + random_below(state, length)];
	}
	return median_of(c->drawn, n);
}

/* The interval in the middle that holds so many thousandths of the values; sorts. */
static struct interval middle(double *values, size_t thousandths)
{
	size_t outside = DRAWS * (1000 - thousandths) / 2000;
	qsort(values, DRAWS, sizeof *values, ascending);
	return (struct interval){values[outside], values[DRAWS - 1 - outside]};
}

struct interval stats_median_interval(const struct samples *samples)
{
	struct interval interval = {NAN, NAN};
	struct clusters c;
	uint64_t state = 1;
	double values[DRAWS];

	if (samples->count == 0 || !clusters_make(&c, samples))
		return interval;
	for (size_t i = 0; i < DRAWS; i++)
		values[i] = draw_median(&c, &state);
	clusters_free(&c);
	return middle(values, 950);
}

struct interval stats_ratio_interval(const struct samples *over, const struct samples *under)
{
	struct interval interval = {NAN, NAN};
	struct clusters above, below;
	uint64_t state = 1;
	double values[DRAWS];

	if (over->count == 0 || under->count == 0 || !clusters_make(&above, over))
		return interval;
	if (!clusters_make(&below, under)) {
		clusters_free(&above);
		return interval;
	}
	for (size_t i = 0; i < DRAWS; i++) {
		double numerator = draw_median(&above, &state);
		values[i] = numerator / draw_median(&below, &state);
	}
	clusters_free(&above);
	clusters_free(&below);
	return middle(values, 990);
}
