/* SPDX-License-Identifier: MIT
 *
 * histogram.c - see histogram.h
 */
#include "harness/bench/histogram.h"

#include <math.h>
#include <string.h>

#define SUB ((uint64_t)1 << HISTOGRAM_SUB_BITS)

static size_t bucket_of(uint64_t value)
{
	if (value < 2 * SUB)
		return (size_t)value;
	unsigned shift = 63u - (unsigned)__builtin_clzll(value) - HISTOGRAM_SUB_BITS;
	return ((size_t)shift << HISTOGRAM_SUB_BITS) + (size_t)(value >> shift);
}

static uint64_t largest_in(size_t bucket)
{
	if (bucket < 2 * SUB)
		return bucket;
	unsigned shift = (unsigned)(bucket >> HISTOGRAM_SUB_BITS) - 1;
	uint64_t sub = bucket - ((uint64_t)shift << HISTOGRAM_SUB_BITS);
	return ((sub + 1) << shift) - 1; /* of the last bucket: 2^64 - 1, by wrapping round */
}

void histogram_init(struct histogram *histogram)
{
	memset(histogram, 0, sizeof *histogram);
	histogram->min = UINT64_MAX;
}

void histogram_record(struct histogram *histogram, uint64_t value)
{
	histogram->total++;
	histogram->sum += (double)value;
	if (value < histogram->min)
		histogram->min = value;
	if (value > histogram->max)
		histogram->max = value;
	histogram->counts[bucket_of(value)]++;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	into->total += from->total;
	into->sum += from->sum;
	if (from->min < into->min)
		into->min = from->min;
	if (from->max > into->max)
		into->max = from->max;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		into->counts[i] += from->counts[i];
}

/* The value at which `rank` of the recorded ones (1 to total) are reached, and how many there
 * are up to it. */
static uint64_t value_at(const struct histogram *histogram, uint64_t rank, uint64_t *reached)
{
	uint64_t seen = 0;
	size_t i = 0;
	while ((seen += histogram->counts[i]) < rank)
		i++;
	*reached = seen;
	uint64_t value = largest_in(i);
	return value < histogram->max ? value : histogram->max;
}

static uint64_t rank_of(const struct histogram *histogram, double percent)
{
	double rank = ceil(percent / 100 * (double)histogram->total);
	if (rank < 1)
		return 1;
	return rank >= (double)histogram->total ? histogram->total : (uint64_t)rank;
}

uint64_t histogram_percentile(const struct histogram *histogram, double percent)
{
	uint64_t reached;
	if (histogram->total == 0)
		return 0;
	return value_at(histogram, rank_of(histogram, percent), &reached);
}

/* From the buckets, each value taken as the largest of its bucket. */
static double deviation(const struct histogram *histogram, double mean)
{
	double sum = 0;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		double off = (double)largest_in(i) - mean;
		if (histogram->counts[i] != 0)
			sum += off * off * (double)histogram->counts[i];
	}
	return sqrt(sum / (double)histogram->total);
}

int histogram_write(const struct histogram *histogram, double scale, FILE *file)
{
	double n = (double)histogram->total;
	double mean = histogram->total != 0 ? histogram->sum / n : 0;
	double sd = histogram->total != 0 ? deviation(histogram, mean) : 0;

	fprintf(file, "%12s %14s %10s %16s\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
	/* Five lines for each halving of what is left above, as HdrHistogram has them. */
	double percent = 0;
	for (uint64_t reached = 0; reached < histogram->total;) {
		uint64_t value = value_at(histogram, rank_of(histogram, percent), &reached);
		if (reached < histogram->total)
			fprintf(file, "%12.3f %2.12f %10llu %14.2f\n", (double)value / scale, percent / 100,
			        (unsigned long long)reached, 1 / (1 - percent / 100));
		else
			fprintf(file, "%12.3f %2.12f %10llu\n", (double)histogram->max / scale, 1.0,
			        (unsigned long long)reached);
		percent += 100 / (5 * exp2(floor(log2(100 / (100 - percent))) + 1));
	}
	fprintf(file, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", mean / scale, sd / scale);
	fprintf(file, "#[Max     = %12.3f, Total count    = %12llu]\n", (double)histogram->max / scale,
	        (unsigned long long)histogram->total);
	fprintf(file, "#[Buckets = %12u, SubBuckets     = %12u]\n", 64u - HISTOGRAM_SUB_BITS, 2u << HISTOGRAM_SUB_BITS);
	return ferror(file) ? -1 : 0;
}
