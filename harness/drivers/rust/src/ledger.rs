// SPDX-License-Identifier: MIT

//! The books of harness/bench/ledger.h, kept anew: each message exactly once, whole, and in order
//! for each producer. One ledger a consumer; the books are balanced at the end against what the
//! producers say they sent.

use crate::message::{name_of, producer_of, seq_of, whole, Payload};

#[derive(Clone, Copy, Default)]
pub struct Sent {
    pub count: u64,
    pub sum: u64,
}

impl Sent {
    pub fn add(&mut self, name: u64) {
        self.count += 1;
        self.sum = self.sum.wrapping_add(name);
    }
}

#[derive(Default)]
pub struct Lane {
    /// One more than the highest number received.
    pub next: u64,
    /// The producer sends less than this.
    limit: u64,
    /// A bit for each number received; None: exactly those below `next` were.
    seen: Option<Vec<u64>>,
}

impl Lane {
    fn bits(&mut self) -> &mut Vec<u64> {
        let (next, limit) = (self.next, self.limit);
        self.seen.get_or_insert_with(|| {
            let mut seen = vec![0; (limit / 64 + 1) as usize];
            for i in 0..next {
                seen[(i / 64) as usize] |= 1 << (i % 64);
            }
            seen
        })
    }
}

#[derive(Default)]
pub struct Ledger {
    pub lanes: Vec<Lane>,
    salt: u64,
    pub received: u64,
    pub nameless: u64,
    sum: u64,
    spoiled: u64,
    invented: u64,
    duplicated: u64,
    reordered: u64,
}

/// What is wrong, in numbers; `lost` can be put right by somebody who knows why (a lag that was
/// announced).
#[derive(Default)]
pub struct Balance {
    pub lost: u64,
    total: u64,
    sum: u64,
    duplicated: u64,
    reordered: u64,
    corrupted: u64,
    invented: u64,
    replaced: bool,
}

/// How many of `total` messages number i of n has.
pub fn share(total: u64, n: u64, i: u64) -> u64 {
    total / n + u64::from(i < total % n)
}

impl Ledger {
    /// A consumer that is not alone cannot foresee any message, so it keeps bits from the start.
    pub fn new(salt: u64, producers: u64, total: u64, alone: bool) -> Ledger {
        let mut ledger = Ledger { salt, ..Ledger::default() };
        for p in 0..producers {
            let mut lane = Lane { limit: share(total, producers, p), ..Lane::default() };
            if !alone {
                lane.bits();
            }
            ledger.lanes.push(lane);
        }
        ledger
    }

    pub fn enter(&mut self, producer: u64, seq: u64, name: u64) {
        self.received += 1;
        self.sum = self.sum.wrapping_add(name);
        match self.lanes.get_mut(producer as usize) {
            Some(lane) if lane.seen.is_none() && lane.next == seq && seq < lane.limit => lane.next += 1,
            _ => self.odd(producer, seq),
        }
    }

    /// Everything but the next message in turn.
    #[cold]
    fn odd(&mut self, producer: u64, seq: u64) {
        let lane = match self.lanes.get_mut(producer as usize) {
            Some(lane) if seq < lane.limit => lane,
            _ => {
                self.invented += 1;
                return;
            }
        };
        let (word, bit) = ((seq / 64) as usize, 1 << (seq % 64));
        let next = lane.next;
        let seen = lane.bits();
        if seen[word] & bit != 0 {
            self.duplicated += 1;
        } else if seq < next {
            self.reordered += 1;
        }
        seen[word] |= bit;
        lane.next = next.max(seq + 1);
    }

    /// Enters a message as it came. False: its name is no name.
    pub fn receive<M: Payload>(&mut self, message: &M) -> bool {
        let name = message.words()[0];
        let (producer, seq) = (producer_of(name), seq_of(name));
        if name != name_of(self.salt, producer, seq) {
            self.nameless += 1;
            return false;
        }
        self.spoiled += u64::from(!whole(message));
        self.enter(producer, seq, name);
        true
    }
}

/// Balances the ledgers of all consumers against what was sent, once.
pub fn balance(ledgers: &mut [Ledger], sents: &[Sent]) -> Balance {
    let mut b = Balance::default();
    let (first, others) = ledgers.split_first_mut().expect("a ledger");
    for (p, sent) in sents.iter().enumerate() {
        b.total += sent.count;
        b.sum = b.sum.wrapping_sub(sent.sum);
        let all = first.lanes[p].bits();
        for other in others.iter_mut() {
            for (to, &word) in all.iter_mut().zip(other.lanes[p].bits().iter()) {
                b.duplicated += u64::from((*to & word).count_ones());
                *to |= word;
            }
        }
        for (w, &word) in all.iter().enumerate() {
            let due = match sent.count.saturating_sub(w as u64 * 64) {
                64.. => u64::MAX,
                n => (1 << n) - 1,
            };
            b.lost += u64::from((due & !word).count_ones());
            b.invented += u64::from((word & !due).count_ones());
        }
    }
    let mut nameless = 0;
    for l in ledgers.iter() {
        b.sum = b.sum.wrapping_add(l.sum);
        nameless += l.nameless;
        b.corrupted += l.nameless + l.spoiled;
        b.duplicated += l.duplicated;
        b.reordered += l.reordered;
        b.invented += l.invented;
    }
    // A message without a name came in place of one that was sent.
    b.replaced = nameless != 0 || b.lost != 0;
    b.lost -= nameless.min(b.lost);
    b
}

impl Balance {
    /// None, or what is wrong.
    pub fn verdict(&self) -> Option<String> {
        let wrong = [
            ("lost", self.lost),
            ("duplicated", self.duplicated),
            ("reordered", self.reordered),
            ("corrupted", self.corrupted),
            ("invented", self.invented),
        ];
        let mut text = String::new();
        for (what, count) in wrong.iter().filter(|it| it.1 != 0) {
            if text.is_empty() {
                text = format!("{what} {count} of {} messages", self.total);
            } else {
                text += &format!(", {what} {count}");
            }
        }
        if text.is_empty() && self.sum != 0 && !self.replaced {
            text = "checksum: the names received do not add up to those sent".into();
        }
        Some(text).filter(|text| !text.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: u64 = 12345;

    /// Two producers of 100 messages each; `fault` may change what one consumer, or two, get.
    fn books(consumers: usize, fault: fn(&mut Vec<u64>)) -> String {
        let mut sents = [Sent::default(); 2];
        let mut got = Vec::new();
        for i in 0..100 {
            for (p, sent) in sents.iter_mut().enumerate() {
                let name = name_of(SALT, p as u64, i);
                sent.add(name);
                got.push(name);
            }
        }
        fault(&mut got);
        let mut ledgers: Vec<Ledger> = (0..consumers).map(|_| Ledger::new(SALT, 2, 200, consumers == 1)).collect();
        for (i, &name) in got.iter().enumerate() {
            ledgers[i * consumers / 250 % consumers].receive(&[name]);
        }
        balance(&mut ledgers, &sents).verdict().unwrap_or_default()
    }

    fn expect(fault: fn(&mut Vec<u64>), want: &str) {
        for consumers in 1..=2 {
            assert_eq!(books(consumers, fault), want, "{consumers} consumers");
        }
    }

    #[test]
    fn names_what_is_wrong() {
        expect(|_| (), "");
        expect(|got| drop(got.remove(50)), "lost 1 of 200 messages");
        expect(|got| got.truncate(199), "lost 1 of 200 messages");
        expect(|got| got.push(got[199]), "duplicated 1 of 200 messages");
        expect(|got| got.swap(60, 62), "reordered 1 of 200 messages");
        expect(|got| got[60] ^= 1 << 50, "corrupted 1 of 200 messages");
        expect(|got| got[60] = got[62], "lost 1 of 200 messages, duplicated 1");
        expect(|got| got.push(name_of(SALT, 2, 0)), "invented 1 of 200 messages");
        expect(|got| got.push(name_of(SALT, 1, 100)), "invented 1 of 200 messages");
        expect(|got| got.fill(0), "corrupted 200 of 200 messages");
    }
}
