/* SPDX-License-Identifier: MIT
 *
 * histogram.h - counts of latencies, log-linear, in fixed memory.
 *
 * Values below 256 have a bucket each; above that every power of two is divided into 128 buckets of
 * equal width. What is read back is the largest value of a bucket, so it is never below the exact
 * answer and above it by at most one part in 128 (0.8 %); the minimum and the maximum are exact.
 * Recording takes constant time and allocates nothing. One histogram belongs to one thread; merge
 * them when the threads are done.
 */
#ifndef CHANBENCH_BENCH_HISTOGRAM_H
#define CHANBENCH_BENCH_HISTOGRAM_H

#include <stdint.h>
#include <stdio.h>

#define HISTOGRAM_SUB_BITS 7u
#define HISTOGRAM_BUCKETS  (((64u - HISTOGRAM_SUB_BITS) << HISTOGRAM_SUB_BITS) + (1u << HISTOGRAM_SUB_BITS))

struct histogram {
	uint64_t total;
	uint64_t min; /* UINT64_MAX while empty */
	uint64_t max;
	double sum;
	uint64_t counts[HISTOGRAM_BUCKETS];
};

void histogram_init(struct histogram *histogram);
void histogram_record(struct histogram *histogram, uint64_t value);
void histogram_merge(struct histogram *into, const struct histogram *from);

/* The smallest value v of those that can be read back such that at least `percent` of all
 * recorded values are <= v; 100: the maximum. 0 while empty. */
uint64_t histogram_percentile(const struct histogram *histogram, double percent);

/* Writes the percentile distribution as HdrHistogram's tools write and read it, values divided
 * by `scale`. 0, or -1 (errno). */
int histogram_write(const struct histogram *histogram, double scale, FILE *file);

#endif
