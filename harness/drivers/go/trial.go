// SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"sync"
	"sync/atomic"
)

// A worker is one goroutine of a trial.
type worker struct {
	_        [64]byte
	progress atomic.Uint64 // rises while it gets on
	index    uint64
	startNs  uint64 // when the gate opened
	stopNs   uint64 // when its part was over; 0: it does not count
	_        [64]byte
}

// Every so many messages a worker says how far it is: an atomic store each time would be part of
// what is measured.
const progressEvery = 64

type trial struct {
	request  *request
	messages uint64
	salt     uint64

	items     uint64
	elapsedNs uint64
	use       usage
	workers   uint64
	latency   histogram
	figures   map[string]float64
	saturated bool

	lock    sync.Mutex
	failure string
}

// fail says what is broken; the first one counts.
func (t *trial) fail(format string, args ...any) {
	t.lock.Lock()
	defer t.lock.Unlock()
	if t.failure == "" {
		t.failure = fmt.Sprintf(format, args...)
	}
}

func (t *trial) balance(ledgers []*ledger, sents []sent) {
	if text := verdict(ledgers, sents); text != "" {
		t.fail("%s", text)
	}
}

// The workers that are running now, for the line that says how far they are.
var crew struct {
	sync.Mutex
	workers []*worker
	before  uint64
}

func progressNow() uint64 {
	crew.Lock()
	defer crew.Unlock()
	sum := crew.before
	for _, w := range crew.workers {
		sum += w.progress.Load()
	}
	return sum
}

func setCrew(workers []*worker) {
	crew.Lock()
	defer crew.Unlock()
	for _, w := range crew.workers {
		crew.before += w.progress.Load()
	}
	crew.workers = workers
}

// run starts a goroutine for each body; all wait at a gate, and the clock starts when it opens.
func (t *trial) run(bodies []func(w *worker)) []*worker {
	workers := make([]*worker, len(bodies))
	for i := range workers {
		workers[i] = &worker{index: uint64(i)}
	}
	t.runAs(workers, bodies)
	return workers
}

func (t *trial) runAs(workers []*worker, bodies []func(w *worker)) {
	var ready, ended sync.WaitGroup
	gate := make(chan struct{})
	for i := range bodies {
		ready.Add(1)
		ended.Add(1)
		go func(w *worker, body func(w *worker)) {
			ready.Done()
			<-gate
			body(w)
			ended.Done()
		}(workers[i], bodies[i])
	}
	setCrew(workers)
	ready.Wait()
	before := used()
	start := now()
	for _, w := range workers {
		w.startNs = start
	}
	close(gate)
	ended.Wait()
	after := used()
	setCrew(nil)
	t.workers = uint64(len(workers))
	t.use = usage{after.cpuNs - before.cpuNs, after.switches - before.switches, after.voluntary - before.voluntary}
	for _, w := range workers {
		if w.stopNs > start+t.elapsedNs {
			t.elapsedNs = w.stopNs - start
		}
	}
}
