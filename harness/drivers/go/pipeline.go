// SPDX-License-Identifier: MIT

package main

import "bytes"

// Numbers are generated, squared, written as text, in a chain of goroutines: the text at the end
// must be that of the i-th square. Messages are numbers of 8 bytes, and at the end texts of 32.

type text [32]byte

const prefix = "Result: "

// Numbers whose square fits 64 bits; longer trials begin again.
func numberOf(seq uint64) uint64 { return seq & 0xffffffff }

func write(t *text, number uint64) {
	var digits [20]byte
	n := 0
	for {
		digits[n] = byte('0' + number%10)
		n++
		if number /= 10; number == 0 {
			break
		}
	}
	at := copy(t[:], prefix)
	for ; n > 0; n-- {
		t[at] = digits[n-1]
		at++
	}
	t[at] = 0
}

func read(t *text) (number uint64, good bool) {
	if !bytes.HasPrefix(t[:], []byte(prefix)) {
		return 0, false
	}
	at := len(prefix)
	for ; at < len(t) && t[at] >= '0' && t[at] <= '9'; at++ {
		number = number*10 + uint64(t[at]-'0')
	}
	return number, at > len(prefix) && at < len(t) && t[at] == 0
}

func rootOf(square uint64) uint64 {
	var root uint64
	for bit := uint64(1) << 31; bit != 0; bit >>= 1 {
		if (root+bit)*(root+bit) <= square {
			root += bit
		}
	}
	return root
}

func check(l *ledger, t *text) {
	square, good := read(t)
	due := l.lanes[0].next
	root := numberOf(due)
	if good && root*root != square {
		root = rootOf(square)
	}
	if !good || root*root != square {
		l.nameless++
		return
	}
	// Numbers repeat after 2^32: the one nearest to what is due.
	seq := due + uint64(int64(int32(uint32(root-due))))
	l.enter(0, seq, seq)
}

func runPipeline(t *trial) {
	r := t.request
	stages := r.number("stages", 3)
	links := make([]chan uint64, stages-1)
	for k := range links {
		links[k] = make(chan uint64, r.room())
	}
	end := make(chan text, r.room())
	books := newLedger(0, 1, t.messages, true)
	var made sent

	bodies := []func(*worker){func(w *worker) {
		for i := uint64(0); i < t.messages; i++ {
			links[0] <- numberOf(i)
			made.count++
			made.sum += i
			if i%progressEvery == 0 {
				w.progress.Store(i + 1)
			}
		}
		close(links[0])
	}}
	for k := uint64(1); k < stages; k++ {
		bodies = append(bodies, func(w *worker) { transform(links, end, w.index) })
	}
	bodies = append(bodies, func(w *worker) {
		var done uint64
		for result := range end {
			check(books, &result)
			if done++; done == t.messages {
				w.stopNs = now()
			}
			if done%progressEvery == 0 {
				w.progress.Store(done)
			}
		}
		if w.stopNs == 0 {
			w.stopNs = now()
		}
	})
	t.run(bodies)
	t.items = books.received
	t.balance([]*ledger{books}, []sent{made})
}

// transform is goroutine k, between links k - 1 and k; the first squares, the last writes.
func transform(links []chan uint64, end chan text, k uint64) {
	last := k == uint64(len(links))
	for number := range links[k-1] {
		if k == 1 {
			number *= number
		}
		if last {
			var result text
			write(&result, number)
			end <- result
		} else {
			links[k] <- number
		}
	}
	if last {
		close(end)
	} else {
		close(links[k])
	}
}
