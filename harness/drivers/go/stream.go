// SPDX-License-Identifier: MIT

package main

import (
	"sync/atomic"
	"time"
)

// Producers that send and consumers that receive until the channel is closed: fan_in, spsc, mpmc,
// backpressure. The last producer to end closes the channel.
type stream[M payload] struct {
	trial                *trial
	producers, consumers uint64
	watched              bool // depth, time in send, latency from just before the send
	mode                 string
	rate, workNs, room   uint64

	channel chan M
	open    atomic.Int64 // producers that have not ended
	workers []*worker    // the producers, then the consumers
	lanes   []streamLane
	readers []streamReader
}

// When message s was sent stands in slot s modulo their number, a power of two above
// capacity + 2: the consumer is done with a slot before the producer comes to it again.
type streamLane struct {
	_                 [128]byte
	stamps            []atomic.Uint64
	inSendNs, refused uint64
	sent              sent
}

type streamReader struct {
	_       [128]byte
	ledger  *ledger
	latency histogram
	depth   uint64
}

func (s *stream[M]) dueNs(start, producer, i uint64) uint64 {
	return start + uint64(float64(i*s.producers+producer)*1e9/float64(s.rate))
}

func (s *stream[M]) produce(w *worker) {
	lane := &s.lanes[w.index]
	count := share(s.trial.messages, s.producers, w.index)
	if s.watched || s.rate != 0 {
		s.produceTimed(w, lane, count)
	} else {
		s.producePlain(w, lane, count)
	}
	if s.open.Add(-1) == 0 {
		close(s.channel)
	}
}

func (s *stream[M]) producePlain(w *worker, lane *streamLane, count uint64) {
	var m M
	var sum uint64
	for i := uint64(0); i < count; i++ {
		name := nameOf(s.trial.salt, w.index, i)
		fill(&m, name)
		s.channel <- m
		sum += name
		if i%progressEvery == 0 {
			w.progress.Store(i + 1)
		}
	}
	lane.sent = sent{count, sum}
}

func (s *stream[M]) produceTimed(w *worker, lane *streamLane, count uint64) {
	var m M
	var seq uint64
	patience := time.Duration(s.workNs/2) * time.Nanosecond
	if patience < time.Microsecond {
		patience = time.Microsecond
	}
	at := now()
	for i := uint64(0); i < count; i++ {
		name := nameOf(s.trial.salt, w.index, seq)
		fill(&m, name)
		if s.rate != 0 {
			waitUntil(s.dueNs(w.startNs, w.index, i))
			at = now()
		}
		if lane.stamps != nil {
			lane.stamps[seq&uint64(len(lane.stamps)-1)].Store(at)
		}
		sent := true
		switch s.mode {
		case "try":
			select {
			case s.channel <- m:
			default:
				sent = false
			}
		case "deadline":
			timer := time.NewTimer(patience)
			select {
			case s.channel <- m:
			case <-timer.C:
				sent = false
			}
			timer.Stop()
		default:
			s.channel <- m
		}
		after := now()
		lane.inSendNs += after - at
		if !sent && s.mode == "deadline" && after < at+uint64(patience) {
			s.trial.fail("send gave up before its deadline")
		}
		at = after
		if sent {
			lane.sent.sum += name
			seq++
			w.progress.Store(seq)
		} else {
			lane.refused++
		}
	}
	lane.sent.count = seq
}

// lookUpAt: the number of messages at which a consumer has to look up.
func (s *stream[M]) lookUpAt(received uint64) uint64 {
	if s.consumers == 1 && received < s.trial.messages {
		return s.trial.messages
	}
	return 2*s.trial.messages + 1000
}

// lookUp stops the clock at the last message. False: there is no end to them.
func (s *stream[M]) lookUp(w *worker, received uint64) bool {
	if w.stopNs == 0 && s.consumers == 1 {
		w.stopNs = now()
	}
	if received < 2*s.trial.messages+1000 {
		return true
	}
	s.trial.fail("received more than twice the %d messages sent", s.trial.messages)
	return false
}

func (s *stream[M]) depthNow(received uint64) uint64 {
	var sum uint64
	for _, w := range s.workers[:s.producers] {
		sum += w.progress.Load()
	}
	if sum > received {
		return sum - received
	}
	return 0
}

func (s *stream[M]) sentNs(w *worker, name uint64) uint64 {
	producer, seq := producerOf(name), seqOf(name)
	if producer >= s.producers {
		return ^uint64(0)
	}
	if stamps := s.lanes[producer].stamps; stamps != nil {
		return stamps[seq&uint64(len(stamps)-1)].Load()
	}
	return s.dueNs(w.startNs, producer, seq)
}

func (s *stream[M]) consume(w *worker) {
	reader := &s.readers[w.index-s.producers]
	timed := s.watched || s.rate != 0
	var received uint64
	limit := s.lookUpAt(0)
	for {
		if s.watched {
			if depth := s.depthNow(received); depth > reader.depth {
				reader.depth = depth
			}
		}
		m, ok := <-s.channel
		if !ok {
			break
		}
		if timed {
			at := now()
			if receive(reader.ledger, &m) {
				since := s.sentNs(w, m[0])
				if at > since {
					reader.latency.record(at - since)
				} else {
					reader.latency.record(0)
				}
			}
			work(s.workNs)
		} else {
			receive(reader.ledger, &m)
		}
		received++
		if timed || received%progressEvery == 0 {
			w.progress.Store(received)
		}
		if received >= limit {
			if !s.lookUp(w, received) {
				break
			}
			limit = s.lookUpAt(received)
		}
	}
	if w.stopNs == 0 {
		w.stopNs = now()
	}
}

func runStream[M payload](t *trial) {
	r := t.request
	s := &stream[M]{trial: t, producers: r.number("producers", 1), consumers: 1, rate: r.number("rate", 0),
		workNs: r.number("work_ns", 0), room: r.number("capacity", 1), mode: r.params["mode"], watched: r.scenario == "backpressure"}
	if r.scenario == "mpmc" {
		s.consumers = r.number("consumers", 1)
	}
	s.channel = make(chan M, r.room())
	s.open.Store(int64(s.producers))
	s.lanes = make([]streamLane, s.producers)
	s.readers = make([]streamReader, s.consumers)
	slots := uint64(1)
	for slots < s.room+3 {
		slots *= 2
	}
	var bodies []func(*worker)
	for p := range s.lanes {
		if s.watched {
			s.lanes[p].stamps = make([]atomic.Uint64, slots)
		}
		bodies = append(bodies, s.produce)
	}
	for c := range s.readers {
		s.readers[c].ledger = newLedger(t.salt, s.producers, t.messages, s.consumers == 1)
		bodies = append(bodies, s.consume)
	}
	for i := range bodies {
		s.workers = append(s.workers, &worker{index: uint64(i)})
	}
	t.runAs(s.workers, bodies)
	s.conclude()
}

func (s *stream[M]) conclude() {
	t := s.trial
	var ledgers []*ledger
	var sents []sent
	var inSend, refused, accepted, depth uint64
	for i := range s.lanes {
		lane := &s.lanes[i]
		sents = append(sents, lane.sent)
		inSend += lane.inSendNs
		refused += lane.refused
		accepted += lane.sent.count
	}
	for i := range s.readers {
		reader := &s.readers[i]
		ledgers = append(ledgers, reader.ledger)
		t.items += reader.ledger.received
		if reader.depth > depth {
			depth = reader.depth
		}
		t.latency.merge(&reader.latency)
	}
	t.balance(ledgers, sents)
	if s.watched {
		attempts := float64(accepted + refused)
		t.figures = map[string]float64{"in_send_ns": float64(inSend) / attempts, "depth": float64(depth), "refused_ratio": float64(refused) / attempts}
		if depth > s.room {
			t.fail("held %d messages with a capacity of %d", depth, s.room)
		}
	}
	if s.rate != 0 {
		t.saturated = float64(t.elapsedNs) > float64(t.items)/float64(s.rate)*1e9*1.05
	}
}
