// SPDX-License-Identifier: MIT

package main

// Messages as harness/bench/message.h lays them out: the first word is the name (a tag of 16 bits
// that depends on the trial's salt, the producer in 12 bits, the number in 36), the last one is
// derived from it, and so is one between.
const (
	seqBits = 36
	seqMax  = uint64(1)<<seqBits - 1
	mix     = uint64(0x9e3779b97f4a7c15)
	tag     = uint64(0xffff) << 48
)

// payload is what a channel carries by value. Other sizes are not offered: a Go channel has its
// element's size from its type.
type payload interface {
	[1]uint64 | [2]uint64 | [4]uint64 | [8]uint64 | [32]uint64 | [128]uint64
}

func nameOf(salt, producer, seq uint64) uint64 {
	low := producer<<seqBits | seq
	return ((low^salt)*mix)&tag | low
}

func seqOf(name uint64) uint64      { return name & seqMax }
func producerOf(name uint64) uint64 { return (name &^ tag) >> seqBits }
func wordOf(name, k uint64) uint64  { return (name + k) * mix }

// Which of the inner words is derived from the name.
func innerOf(name, words uint64) uint64 {
	return 1 + (((name*mix)>>32)*(words-2))>>32
}

func fill[M payload](m *M, name uint64) {
	words := uint64(len(*m))
	(*m)[0] = name
	if words > 1 {
		(*m)[words-1] = wordOf(name, words-1)
	}
	if words > 2 {
		k := innerOf(name, words)
		(*m)[k] = wordOf(name, k)
	}
}

// whole says whether the other words are those of the name in word 0.
func whole[M payload](m *M) bool {
	words := uint64(len(*m))
	name := (*m)[0]
	if words > 1 && (*m)[words-1] != wordOf(name, words-1) {
		return false
	}
	if words <= 2 {
		return true
	}
	k := innerOf(name, words)
	return (*m)[k] == wordOf(name, k)
}
