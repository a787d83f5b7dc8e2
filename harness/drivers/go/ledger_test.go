// SPDX-License-Identifier: MIT

package main

import "testing"

const salt = 12345

// What harness/bench/message.h makes of the same numbers.
func TestMessagesAreThoseOfTheHarness(t *testing.T) {
	const name = 0xf5ed00300000004d
	want := [8]uint64{name, 0, 0, 0x47be4de7c746c690, 0, 0, 0, 0xc09c34cdc470b6e4}
	var m [8]uint64
	fill(&m, nameOf(salt, 3, 77))
	if m != want || producerOf(name) != 3 || seqOf(name) != 77 || !whole(&m) {
		t.Errorf("%x", m)
	}
	for _, k := range []int{3, 7} {
		spoiled := m
		spoiled[k]++
		if whole(&spoiled) {
			t.Errorf("word %d is wrong, and nobody sees it", k)
		}
	}
}

// Two producers of 100 messages each; `fault` may change what one consumer, or two, get.
func books(consumers int, fault func(got []uint64) []uint64) string {
	var sents [2]sent
	var got []uint64
	for i := uint64(0); i < 100; i++ {
		for p := range sents {
			name := nameOf(salt, uint64(p), i)
			sents[p].count++
			sents[p].sum += name
			got = append(got, name)
		}
	}
	var ledgers []*ledger
	for c := 0; c < consumers; c++ {
		ledgers = append(ledgers, newLedger(salt, 2, 200, consumers == 1))
	}
	for i, name := range fault(got) {
		receive(ledgers[i*consumers/250%consumers], &[1]uint64{name})
	}
	return verdict(ledgers, sents[:])
}

func TestLedgerNamesWhatIsWrong(t *testing.T) {
	for _, it := range []struct {
		want  string
		fault func(got []uint64) []uint64
	}{
		{"", func(got []uint64) []uint64 { return got }},
		{"lost 1 of 200 messages", func(got []uint64) []uint64 { return append(got[:50], got[51:]...) }},
		{"lost 1 of 200 messages", func(got []uint64) []uint64 { return got[:199] }},
		{"duplicated 1 of 200 messages", func(got []uint64) []uint64 { return append(got, got[199]) }},
		{"reordered 1 of 200 messages", func(got []uint64) []uint64 { got[60], got[62] = got[62], got[60]; return got }},
		{"corrupted 1 of 200 messages", func(got []uint64) []uint64 { got[60] ^= 1 << 50; return got }},
		{"lost 1 of 200 messages, duplicated 1", func(got []uint64) []uint64 { got[60] = got[62]; return got }},
		{"invented 1 of 200 messages", func(got []uint64) []uint64 { return append(got, nameOf(salt, 2, 0)) }},
		{"invented 1 of 200 messages", func(got []uint64) []uint64 { return append(got, nameOf(salt, 1, 100)) }},
		{"corrupted 200 of 200 messages", func(got []uint64) []uint64 { return make([]uint64, 200) }},
	} {
		for consumers := 1; consumers <= 2; consumers++ {
			if text := books(consumers, it.fault); text != it.want {
				t.Errorf("%d consumers: '%s' instead of '%s'", consumers, text, it.want)
			}
		}
	}
}

func TestPipelineNamesWhatIsWrong(t *testing.T) {
	for fault, want := range map[string]string{"": "", "lost": "lost 1 of 100 messages", "corrupted": "corrupted 1 of 100 messages"} {
		l := newLedger(0, 1, 100, true)
		var made sent
		for i := uint64(0); i < 100; i++ {
			var result text
			write(&result, i*i)
			made.count++
			made.sum += i
			if i == 42 && string(result[:13]) != "Result: 1764\x00" {
				t.Errorf("%s", result)
			}
			if i == 42 && fault == "corrupted" {
				result[9] = '6'
			}
			if i != 42 || fault != "lost" {
				check(l, &result)
			}
		}
		if text := verdict([]*ledger{l}, []sent{made}); text != want {
			t.Errorf("'%s' instead of '%s'", text, want)
		}
	}
}

func TestHistogram(t *testing.T) {
	var h histogram
	for i := uint64(1); i <= 100000; i++ {
		h.record(i)
	}
	for percent, exact := range map[float64]uint64{50: 50000, 99: 99000, 99.9: 99900, 100: 100000} {
		if got := h.percentile(percent); got < exact || float64(got) > float64(exact)*1.008 {
			t.Errorf("%v %%: %d instead of %d", percent, got, exact)
		}
	}
}
