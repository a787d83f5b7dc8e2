/* SPDX-License-Identifier: MIT */
#include "harness/bench/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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
 * Processes
 */

/* The median of each process into `medians`, which has room for as many as there are samples.
 * Returns how many; 0 too when memory ran out. */
static size_t process_medians(const struct samples *samples, double *medians)
{
	size_t n = samples->count, count = 0;
	bool *taken = calloc(n + 1, sizeof *taken);
	double *of_one = malloc((n + 1) * sizeof *of_one);

	for (size_t i = 0; i < n && taken != NULL && of_one != NULL; i++) {
		size_t used = 0;
		if (taken[i])
			continue;
		for (size_t k = i; k < n; k++)
			if (!taken[k] && samples->process[k] == samples->process[i]) {
				taken[k] = true;
				of_one[used++] = samples->value[k];
			}
		medians[count++] = median_of(of_one, used);
	}
	free(taken);
	free(of_one);
	return count;
}

bool stats_processes(const struct samples *samples, struct samples *processes)
{
	double *medians = malloc((samples->count + 1) * sizeof *medians);
	size_t n = medians != NULL ? process_medians(samples, medians) : 0;
	bool complete = samples->count == 0 || n != 0;

	*processes = (struct samples){0};
	for (size_t i = 0; i < n && complete; i++)
		complete = samples_add(processes, medians[i], (uint32_t)i);
	free(medians);
	return complete;
}

/* The 97.5 % point of Student's distribution. */
static double student(size_t freedom)
{
	static const double table[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228};
	const double z = 1.959964;
	if (freedom <= sizeof table / sizeof table[0])
		return table[freedom - 1];
	double v = (double)freedom; /* Cornish and Fisher, two terms */
	return z + (z * z * z + z) / (4 * v) + (5 * pow(z, 5) + 16 * z * z * z + 3 * z) / (96 * v * v);
}

/* Of logarithms where all values are above 0; a latency can be 0. */
static struct interval student_interval(const double *values, size_t n)
{
	double sum = 0, squares = 0;
	bool logs = true;

	for (size_t i = 0; i < n; i++)
		logs &= values[i] > 0;
	for (size_t i = 0; i < n; i++)
		sum += logs ? log(values[i]) : values[i];
	double mean = sum / (double)n;
	for (size_t i = 0; i < n; i++)
		squares += pow((logs ? log(values[i]) : values[i]) - mean, 2);
	double half = student(n - 1) * sqrt(squares / (double)(n - 1) / (double)n);
	if (logs)
		return (struct interval){exp(mean - half), exp(mean + half)};
	return (struct interval){fmax(0, mean - half), mean + half};
}

struct interval stats_median_interval(const struct samples *samples)
{
	struct interval interval = {NAN, NAN};
	double *medians = malloc((samples->count + 1) * sizeof *medians), median = stats_median(samples);
	size_t n = medians != NULL ? process_medians(samples, medians) : 0;

	if (n >= 2) {
		interval = student_interval(medians, n);
		interval.low = fmin(interval.low, median);
		interval.high = fmax(interval.high, median);
	}
	free(medians);
	return interval;
}

/* ------------------------------------------------------------------------------------------
 * Two sets of processes
 */

/* In how many ways `take` of the ranks can be chosen so that their sum is s, as a share of all:
 * shares[s]. Ranks are whole numbers (midranks doubled). NULL: out of memory. */
static double *rank_sums(const size_t *ranks, size_t count, size_t take, size_t most)
{
	double *ways = calloc((take + 1) * (most + 1), sizeof *ways), *shares = calloc(most + 1, sizeof *shares);
	double all = 0;

	if (ways == NULL || shares == NULL) {
		free(shares);
		free(ways);
		return NULL;
	}
	ways[0] = 1;
	for (size_t i = 0; i < count; i++)
		for (size_t n = take < i + 1 ? take : i + 1; n > 0; n--)
			for (size_t s = most; s >= ranks[i]; s--)
				ways[n * (most + 1) + s] += ways[(n - 1) * (most + 1) + s - ranks[i]];
	for (size_t s = 0; s <= most; s++)
		all += ways[take * (most + 1) + s];
	for (size_t s = 0; s <= most; s++)
		shares[s] = ways[take * (most + 1) + s] / all;
	free(ways);
	return shares;
}

/* Exact two-sided p of the rank sum, given the ties that there are; -1: out of memory. */
static double mann_whitney(const double *a, size_t n, const double *b, size_t m)
{
	size_t count = n + m, most = 2 * count * count, sum = 0;
	size_t *ranks = calloc(count, sizeof *ranks);
	double *all = malloc(count * sizeof *all), *shares = NULL, p = -1;

	if (ranks == NULL || all == NULL)
		goto done;
	memcpy(all, a, n * sizeof *all);
	memcpy(all + n, b, m * sizeof *all);
	for (size_t i = 0; i < count; i++) {
		ranks[i] = 1;
		for (size_t k = 0; k < count; k++)
			ranks[i] += all[k] < all[i] ? 2 : all[k] == all[i];
		sum += i < n ? ranks[i] : 0;
	}
	shares = rank_sums(ranks, count, n, most);
	if (shares == NULL)
		goto done;
	double middle = (double)(n * (count + 1)), away = fabs((double)sum - middle);
	p = 0;
	for (size_t s = 0; s <= most; s++)
		if (fabs((double)s - middle) >= away - 1e-9)
			p += shares[s];
	p = fmin(p, 1);
done:
	free(shares);
	free(all);
	free(ranks);
	return p;
}

/* How many of the smallest pairs are outside a 99 % interval on either side, plus one; 0: there are
 * too few processes for one. -1: out of memory. */
static long critical(size_t n, size_t m)
{
	size_t count = n + m, least = n * (n + 1) / 2;
	size_t *ranks = malloc(count * sizeof *ranks);
	double *shares = NULL, below = 0;
	long outside = 0;

	for (size_t i = 0; i < count && ranks != NULL; i++)
		ranks[i] = i + 1;
	if (ranks != NULL)
		shares = rank_sums(ranks, count, n, count * (count + 1) / 2);
	for (size_t u = 0; shares != NULL && u < n * m / 2; u++) {
		below += shares[least + u];
		if (below > 0.005)
			break;
		outside++;
	}
	if (shares == NULL)
		outside = -1;
	free(shares);
	free(ranks);
	return outside;
}

/* Beyond so many processes in both, only the first are compared: the exact test takes their fourth
 * power. */
enum { PROCESSES_MOST = 30 };

bool stats_ratio(const struct samples *over, const struct samples *under, struct stats_ratio *result)
{
	double *a = malloc((over->count + 1) * sizeof *a), *b = malloc((under->count + 1) * sizeof *b), *pairs = NULL;
	size_t n = 0, m = 0, count = 0;
	bool complete = false;

	*result = (struct stats_ratio){NAN, {0, INFINITY}, NAN};
	if (a == NULL || b == NULL)
		goto done;
	n = process_medians(over, a);
	m = process_medians(under, b);
	n = n < PROCESSES_MOST ? n : PROCESSES_MOST;
	m = m < PROCESSES_MOST ? m : PROCESSES_MOST;
	pairs = malloc((n * m + 1) * sizeof *pairs);
	if (pairs == NULL)
		goto done;
	complete = true;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < m; k++)
			if (a[i] > 0 && b[k] > 0)
				pairs[count++] = a[i] / b[k];
	if (count == 0 || count != n * m)
		goto done; /* no ratio to 0 */
	result->ratio = median_of(pairs, count);
	result->p = mann_whitney(a, n, b, m);
	long outside = critical(n, m);
	complete = outside >= 0 && result->p >= 0;
	if (outside > 0)
		result->interval = (struct interval){pairs[outside - 1], pairs[count - (size_t)outside]};
done:
	free(pairs);
	free(b);
	free(a);
	return complete;
}

bool stats_adjust(double *p, size_t count)
{
	double *sorted = malloc((count + 1) * sizeof *sorted), *q = malloc((count + 1) * sizeof *q);
	size_t n = 0;

	if (sorted == NULL || q == NULL) {
		free(sorted);
		free(q);
		return false;
	}
	for (size_t i = 0; i < count; i++)
		if (!isnan(p[i]))
			sorted[n++] = p[i];
	qsort(sorted, n, sizeof *sorted, ascending);
	for (size_t i = n; i-- > 0;) {
		q[i] = fmin(1, sorted[i] * (double)n / (double)(i + 1));
		if (i + 1 < n)
			q[i] = fmin(q[i], q[i + 1]);
	}
	for (size_t i = 0; i < count; i++)
		for (size_t k = n; k-- > 0 && !isnan(p[i]);)
			if (sorted[k] == p[i]) {
				p[i] = q[k];
				break;
			}
	free(sorted);
	free(q);
	return true;
}
