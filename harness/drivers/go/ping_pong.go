// SPDX-License-Identifier: MIT

package main

// A message there and back over two channels. The caller's messages are producer 0's, the answers
// producer 1's: an echo is no answer. One that is lost is waited for without end, which the
// watchdog finds.

func runPingPong[M payload](t *trial) {
	r := t.request
	there, back := make(chan M, r.room()), make(chan M, r.room())
	heard, answered := newLedger(t.salt, 2, 2*t.messages, true), newLedger(t.salt, 2, 2*t.messages, true)
	var calls, answers [2]sent

	t.run([]func(*worker){
		func(w *worker) {
			var m M
			for i := uint64(0); i < t.messages; i++ {
				name := nameOf(t.salt, 0, i)
				fill(&m, name)
				there <- m
				calls[0].count++
				calls[0].sum += name
				m, ok := <-back
				if !ok {
					break
				}
				receive(answered, &m)
				if i%progressEvery == 0 {
					w.progress.Store(i + 1)
				}
			}
			w.stopNs = now()
			close(there)
		},
		func(w *worker) {
			var i uint64
			for m := range there {
				receive(heard, &m)
				name := nameOf(t.salt, 1, i)
				fill(&m, name)
				back <- m
				i++
				answers[1].count++
				answers[1].sum += name
			}
			close(back)
		},
	})
	t.items = answered.received
	t.balance([]*ledger{heard}, calls[:])
	t.balance([]*ledger{answered}, answers[:])
}
