// SPDX-License-Identifier: MIT

package main

// One value, once: a channel of capacity 1 that is used once, as Go programs answer requests. Mode
// local: in one goroutine. Mode request_reply: clients send requests, each with the reply's channel
// in it.

type oneRequest struct {
	name  [1]uint64
	reply chan [1]uint64
}

func runOneshot(t *trial) {
	if t.request.params["mode"] == "local" {
		runLocal(t)
	} else {
		runRequests(t)
	}
}

func runLocal(t *trial) {
	books := newLedger(t.salt, 1, t.messages, true)
	var made sent
	t.run([]func(*worker){func(w *worker) {
		for i := uint64(0); i < t.messages; i++ {
			name := nameOf(t.salt, 0, i)
			once := make(chan [1]uint64, 1)
			once <- [1]uint64{name}
			made.count++
			made.sum += name
			m := <-once
			receive(books, &m)
			if i%progressEvery == 0 {
				w.progress.Store(i + 1)
			}
		}
		w.stopNs = now()
	}})
	t.items = books.received
	t.balance([]*ledger{books}, []sent{made})
}

func runRequests(t *trial) {
	clients := t.request.number("producers", 1)
	requests := make(chan oneRequest, t.request.room())
	served := newLedger(t.salt, clients, t.messages, true)
	replies := make([]*ledger, clients)
	asked := make([]sent, clients)
	done := make(chan struct{}, clients)
	var bodies []func(*worker)
	for k := range replies {
		replies[k] = newLedger(t.salt, clients, t.messages, true)
		bodies = append(bodies, func(w *worker) {
			k := w.index
			count := share(t.messages, clients, k)
			var sum uint64
			for i := uint64(0); i < count; i++ {
				name := nameOf(t.salt, k, i)
				reply := make(chan [1]uint64, 1)
				requests <- oneRequest{[1]uint64{name}, reply}
				sum += name
				m := <-reply
				receive(replies[k], &m)
				if i%progressEvery == 0 {
					w.progress.Store(i + 1)
				}
			}
			w.stopNs = now()
			asked[k] = sent{count, sum}
			done <- struct{}{}
		})
	}
	bodies = append(bodies, func(w *worker) {
		for r := range requests {
			if receive(served, &r.name) {
				r.reply <- r.name
			}
		}
	})
	go func() { // the channel of many senders is closed by somebody who has seen them all end
		for range replies {
			<-done
		}
		close(requests)
	}()
	t.run(bodies)
	t.balance([]*ledger{served}, asked)
	for k := range replies { // each client gets the replies to its own requests
		mine := make([]sent, clients)
		mine[k] = asked[k]
		t.items += replies[k].received
		t.balance([]*ledger{replies[k]}, mine)
	}
}
