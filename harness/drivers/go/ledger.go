// SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"math/bits"
	"strings"
)

// The books of harness/bench/ledger.h, kept anew: each message exactly once, whole, and in order
// for each producer. One ledger a consumer; the books are balanced at the end against what the
// producers say they sent.

type sent struct {
	count, sum uint64
}

type ledgerLane struct {
	next  uint64   // one more than the highest number received
	limit uint64   // the producer sends less than this
	seen  []uint64 // a bit for each number received; nil: exactly those below next were
}

type ledger struct {
	lanes                                              []ledgerLane
	salt                                               uint64
	received, sum                                      uint64
	nameless, spoiled, invented, duplicated, reordered uint64
}

// share says how many of total messages number i of n has.
func share(total, n, i uint64) uint64 {
	if i < total%n {
		return total/n + 1
	}
	return total / n
}

func (lane *ledgerLane) keepBits() {
	lane.seen = make([]uint64, lane.limit/64+1)
	for i := uint64(0); i < lane.next; i++ {
		lane.seen[i/64] |= 1 << (i % 64)
	}
}

// newLedger: a consumer that is not alone cannot foresee any message, so it keeps bits from the
// start.
func newLedger(salt, producers, total uint64, alone bool) *ledger {
	l := &ledger{lanes: make([]ledgerLane, producers), salt: salt}
	for p := range l.lanes {
		l.lanes[p].limit = share(total, producers, uint64(p))
		if !alone {
			l.lanes[p].keepBits()
		}
	}
	return l
}

func (l *ledger) enter(producer, seq, name uint64) {
	l.received++
	l.sum += name
	if producer < uint64(len(l.lanes)) {
		lane := &l.lanes[producer]
		if lane.seen == nil && lane.next == seq && seq < lane.limit {
			lane.next++
			return
		}
	}
	l.odd(producer, seq)
}

// odd enters everything but the next message in turn.
func (l *ledger) odd(producer, seq uint64) {
	if producer >= uint64(len(l.lanes)) || seq >= l.lanes[producer].limit {
		l.invented++
		return
	}
	lane := &l.lanes[producer]
	if lane.seen == nil {
		lane.keepBits()
	}
	bit := uint64(1) << (seq % 64)
	if lane.seen[seq/64]&bit != 0 {
		l.duplicated++
	} else if seq < lane.next {
		l.reordered++
	}
	lane.seen[seq/64] |= bit
	if seq >= lane.next {
		lane.next = seq + 1
	}
}

// receive enters a message as it came. False: its name is no name.
func receive[M payload](l *ledger, m *M) bool {
	name := (*m)[0]
	producer, seq := producerOf(name), seqOf(name)
	if name != nameOf(l.salt, producer, seq) {
		l.nameless++
		return false
	}
	if !whole(m) {
		l.spoiled++
	}
	l.enter(producer, seq, name)
	return true
}

// verdict balances the ledgers of all consumers against what was sent, once: "" or what is wrong.
func verdict(ledgers []*ledger, sents []sent) string {
	var total, sum, lost, duplicated, reordered, nameless, spoiled, invented uint64
	for p, s := range sents {
		total += s.count
		sum -= s.sum
		all := &ledgers[0].lanes[p]
		if all.seen == nil {
			all.keepBits()
		}
		for _, other := range ledgers[1:] {
			for w, word := range other.lanes[p].seen {
				duplicated += uint64(bits.OnesCount64(all.seen[w] & word))
				all.seen[w] |= word
			}
		}
		for w, word := range all.seen {
			due := ^uint64(0)
			if first := uint64(w) * 64; s.count <= first {
				due = 0
			} else if s.count < first+64 {
				due = 1<<(s.count-first) - 1
			}
			lost += uint64(bits.OnesCount64(due &^ word))
			invented += uint64(bits.OnesCount64(word &^ due))
		}
	}
	for _, l := range ledgers {
		sum += l.sum
		nameless += l.nameless
		spoiled += l.spoiled
		duplicated += l.duplicated
		reordered += l.reordered
		invented += l.invented
	}
	// A message without a name came in place of one that was sent.
	if nameless < lost {
		lost -= nameless
	} else {
		lost = 0
	}
	var wrong []string
	for _, it := range []struct {
		what  string
		count uint64
	}{{"lost", lost}, {"duplicated", duplicated}, {"reordered", reordered}, {"corrupted", nameless + spoiled}, {"invented", invented}} {
		if it.count == 0 {
			continue
		}
		text := fmt.Sprintf("%s %d", it.what, it.count)
		if len(wrong) == 0 {
			text += fmt.Sprintf(" of %d messages", total)
		}
		wrong = append(wrong, text)
	}
	if len(wrong) == 0 && sum != 0 {
		return "checksum: the names received do not add up to those sent"
	}
	return strings.Join(wrong, ", ")
}
