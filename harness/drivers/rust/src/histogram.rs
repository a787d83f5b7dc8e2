// SPDX-License-Identifier: MIT

//! Latencies in buckets as harness/bench/histogram.h has them: below 256 one a value, then 128 for
//! each power of two.

const SUB_BITS: u32 = 7;
const SUB: u64 = 1 << SUB_BITS;
const BUCKETS: usize = ((64 - SUB_BITS as usize) << SUB_BITS) + (1 << SUB_BITS);

pub struct Histogram {
    pub total: u64,
    pub max: u64,
    counts: Vec<u64>,
}

impl Histogram {
    pub fn new() -> Histogram {
        Histogram { total: 0, max: 0, counts: vec![0; BUCKETS] }
    }

    pub fn record(&mut self, value: u64) {
        let mut bucket = value;
        if value >= 2 * SUB {
            let shift = 63 - value.leading_zeros() - SUB_BITS;
            bucket = (u64::from(shift) << SUB_BITS) + (value >> shift);
        }
        self.total += 1;
        self.max = self.max.max(value);
        self.counts[bucket as usize] += 1;
    }

    pub fn merge(&mut self, other: &Histogram) {
        self.total += other.total;
        self.max = self.max.max(other.max);
        for (to, n) in self.counts.iter_mut().zip(&other.counts) {
            *to += n;
        }
    }

    /// The largest value of the bucket in which so many percent are reached.
    pub fn percentile(&self, percent: f64) -> u64 {
        let rank = (percent / 100.0 * self.total as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        let reaches = |n: &u64| {
            seen += n;
            seen >= rank
        };
        let bucket = self.counts.iter().position(reaches).unwrap_or(0) as u64;
        let largest = if bucket < 2 * SUB {
            bucket
        } else {
            let shift = (bucket >> SUB_BITS) - 1;
            ((bucket - (shift << SUB_BITS) + 1) << shift).wrapping_sub(1)
        };
        largest.min(self.max)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn percentiles_are_exact_to_a_part_in_128() {
        let mut h = super::Histogram::new();
        (1..=100_000).for_each(|value| h.record(value));
        for (percent, exact) in [(50.0, 50_000), (99.0, 99_000), (99.9, 99_900), (100.0, 100_000)] {
            let got = h.percentile(percent);
            assert!(got >= exact && got as f64 <= exact as f64 * 1.008, "{percent} %: {got}");
        }
    }
}
