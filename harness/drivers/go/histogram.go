// SPDX-License-Identifier: MIT

package main

import (
	"math"
	"math/bits"
)

// Latencies in buckets as harness/bench/histogram.h has them: below 256 one a value, then 128 for
// each power of two.
const (
	subBits = 7
	sub     = uint64(1) << subBits
)

type histogram struct {
	total, max uint64
	counts     [(64-subBits)<<subBits + 1<<subBits]uint64
}

func (h *histogram) record(value uint64) {
	bucket := value
	if value >= 2*sub {
		shift := uint64(63 - bits.LeadingZeros64(value) - subBits)
		bucket = shift<<subBits + value>>shift
	}
	h.total++
	h.counts[bucket]++
	if value > h.max {
		h.max = value
	}
}

// percentile gives the largest value of the bucket in which so many percent are reached.
func (h *histogram) percentile(percent float64) uint64 {
	rank := uint64(math.Max(1, math.Ceil(percent/100*float64(h.total))))
	var seen, bucket uint64
	for ; seen+h.counts[bucket] < rank; bucket++ {
		seen += h.counts[bucket]
	}
	largest := bucket
	if bucket >= 2*sub {
		shift := bucket>>subBits - 1
		largest = (bucket-shift<<subBits+1)<<shift - 1
	}
	if largest > h.max {
		return h.max
	}
	return largest
}

func (h *histogram) merge(other *histogram) {
	h.total += other.total
	if other.max > h.max {
		h.max = other.max
	}
	for i, n := range other.counts {
		h.counts[i] += n
	}
}
