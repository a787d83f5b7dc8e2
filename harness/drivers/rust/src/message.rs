// SPDX-License-Identifier: MIT

//! Messages as harness/bench/message.h lays them out: the first word is the name (a tag of 16 bits
//! that depends on the trial's salt, the producer in 12 bits, the number in 36), the last one is
//! derived from it, and so is one between.

pub const SEQ_BITS: u32 = 36;
pub const SEQ_MAX: u64 = (1 << SEQ_BITS) - 1;
pub const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
const TAG: u64 = 0xffff << 48;

/// What a channel carries by value.
pub trait Payload: Copy + Send + Sync + 'static {
    const ZERO: Self;
    fn words(&self) -> &[u64];
    fn words_mut(&mut self) -> &mut [u64];
}

impl<const N: usize> Payload for [u64; N] {
    const ZERO: Self = [0; N];
    fn words(&self) -> &[u64] {
        self
    }
    fn words_mut(&mut self) -> &mut [u64] {
        self
    }
}

pub fn name_of(salt: u64, producer: u64, seq: u64) -> u64 {
    let low = producer << SEQ_BITS | seq;
    ((low ^ salt).wrapping_mul(MIX) & TAG) | low
}

pub fn seq_of(name: u64) -> u64 {
    name & SEQ_MAX
}

pub fn producer_of(name: u64) -> u64 {
    (name & !TAG) >> SEQ_BITS
}

fn word_of(name: u64, k: usize) -> u64 {
    name.wrapping_add(k as u64).wrapping_mul(MIX)
}

/// Which of the inner words is derived from the name.
fn inner_of(name: u64, words: usize) -> usize {
    1 + (((name.wrapping_mul(MIX) >> 32) * (words as u64 - 2)) >> 32) as usize
}

pub fn fill<M: Payload>(name: u64) -> M {
    let mut message = M::ZERO;
    let words = message.words_mut();
    let count = words.len();
    words[0] = name;
    if count > 1 {
        words[count - 1] = word_of(name, count - 1);
    }
    if count > 2 {
        let k = inner_of(name, count);
        words[k] = word_of(name, k);
    }
    message
}

/// Whether the other words are those of the name in word 0.
pub fn whole<M: Payload>(message: &M) -> bool {
    let words = message.words();
    let (name, count) = (words[0], words.len());
    if count > 1 && words[count - 1] != word_of(name, count - 1) {
        return false;
    }
    count <= 2 || {
        let k = inner_of(name, count);
        words[k] == word_of(name, k)
    }
}

/// The same with every word: for values that may be torn.
#[cfg(feature = "tokio")]
pub fn fill_all<M: Payload>(name: u64) -> M {
    let mut message = M::ZERO;
    for (k, word) in message.words_mut().iter_mut().enumerate() {
        *word = if k == 0 { name } else { word_of(name, k) };
    }
    message
}

#[cfg(feature = "tokio")]
pub fn whole_all<M: Payload>(message: &M) -> bool {
    let words = message.words();
    words.iter().enumerate().skip(1).all(|(k, &word)| word == word_of(words[0], k))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What harness/bench/message.h makes of the same numbers.
    #[test]
    fn names_are_those_of_the_harness() {
        assert_eq!(name_of(12345, 3, 77), NAME);
        assert_eq!((producer_of(NAME), seq_of(NAME)), (3, 77));
        let message: [u64; 8] = fill(NAME);
        assert!(whole(&message));
        assert_eq!(message, WORDS);
    }

    const NAME: u64 = 0xf5ed_0030_0000_004d;
    const WORDS: [u64; 8] = [NAME, 0, 0, 0x47be_4de7_c746_c690, 0, 0, 0, 0xc09c_34cd_c470_b6e4];
}
