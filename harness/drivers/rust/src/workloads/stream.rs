// SPDX-License-Identifier: MIT

// Producers that send and consumers that receive until the channel is closed: fan_in, spsc, mpmc,
// backpressure.

use crate::histogram::Histogram;
use crate::ledger::{share, Ledger, Sent};
use crate::machine::{now, work};
use crate::message::{fill, name_of, producer_of, seq_of, Payload};
use crate::pace::wait_until;
use crate::trial::{workers, Body, Failure, Trial, Worker};
use std::sync::atomic::{AtomicU64, Ordering::Acquire, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

/// What all workers of a trial look at.
struct Stream {
    messages: u64,
    salt: u64,
    producers: u64,
    consumers: u64,
    /// Depth, time in send, latency from just before the send.
    watched: bool,
    rate: u64,
    work_ns: u64,
    mode: String,
    workers: Vec<Arc<Worker>>,
    /// One a producer: when message s was sent stands in slot s modulo their number, a power of two
    /// above capacity + 2, so that the consumer is done with a slot before the producer comes to it
    /// again.
    stamps: Vec<Vec<AtomicU64>>,
    failure: Arc<Failure>,
    made: Mutex<Vec<(u64, Made)>>,
    read: Mutex<Vec<Reader>>,
}

#[derive(Clone, Copy, Default)]
struct Made {
    sent: Sent,
    in_send_ns: u64,
    refused: u64,
}

struct Reader {
    ledger: Ledger,
    latency: Histogram,
    depth: u64,
}

impl Stream {
    fn timed(&self) -> bool {
        self.watched || self.rate != 0
    }

    fn due_ns(&self, start: u64, producer: u64, i: u64) -> u64 {
        start + ((i * self.producers + producer) as f64 * 1e9 / self.rate as f64) as u64
    }

    async fn produce<M: Payload>(self: Arc<Self>, p: u64, mut tx: Tx<M>) {
        let count = share(self.messages, self.producers, p);
        let made = if self.timed() {
            self.produce_timed::<M>(p, &mut tx, count).await
        } else {
            self.produce_plain::<M>(p, &mut tx, count).await
        };
        self.made.lock().unwrap().push((p, made));
    }

    async fn produce_plain<M: Payload>(&self, p: u64, tx: &mut Tx<M>, count: u64) -> Made {
        let worker = &self.workers[p as usize];
        let mut made = Made::default();
        for i in 0..count {
            let name = name_of(self.salt, p, i);
            if !send(tx, fill::<M>(name)).await {
                self.failure.say("send returned CLOSED".into());
                break;
            }
            made.sent.add(name);
            worker.did(i + 1);
        }
        made
    }

    async fn produce_timed<M: Payload>(&self, p: u64, tx: &mut Tx<M>, count: u64) -> Made {
        let worker = &self.workers[p as usize];
        let patience = std::time::Duration::from_nanos((self.work_ns / 2).max(1000));
        let mut made = Made::default();
        let mut at = now();
        for i in 0..count {
            let seq = made.sent.count;
            let name = name_of(self.salt, p, seq);
            if self.rate != 0 {
                wait_until(TASKS, self.due_ns(worker.start.load(Relaxed), p, i)).await;
                at = now();
            }
            if let Some(slots) = self.stamps.get(p as usize) {
                slots[seq as usize & (slots.len() - 1)].store(at, Relaxed);
            }
            let outcome = match self.mode.as_str() {
                "try" => try_send(tx, fill::<M>(name)),
                "deadline" => send_within(tx, fill::<M>(name), patience).await,
                _ if send(tx, fill::<M>(name)).await => Outcome::Sent,
                _ => Outcome::Closed,
            };
            let after = now();
            made.in_send_ns += after - at;
            match outcome {
                Outcome::Sent => {
                    made.sent.add(name);
                    worker.did(made.sent.count);
                }
                Outcome::Refused => {
                    made.refused += 1;
                    if self.mode == "deadline" && after < at + patience.as_nanos() as u64 {
                        self.failure.say("send gave up before its deadline".into());
                    }
                    if TASKS && self.mode == "try" {
                        crate::pace::let_others_run(made.refused).await;
                    }
                }
                Outcome::Closed => {
                    self.failure.say("send returned CLOSED".into());
                    break;
                }
            }
            at = after;
        }
        made
    }

    /// The number of messages at which a consumer has to look up.
    fn look_up_at(&self, received: u64) -> u64 {
        if self.consumers == 1 && received < self.messages {
            self.messages
        } else {
            2 * self.messages + 1000
        }
    }

    /// Stops the clock at the last message. False: there is no end to them.
    fn look_up(&self, worker: &Worker, received: u64) -> bool {
        if self.consumers == 1 {
            worker.stop_if_not_yet();
        }
        let endless = received >= 2 * self.messages + 1000;
        if endless {
            self.failure.say(format!("received more than twice the {} messages sent", self.messages));
        }
        !endless
    }

    /// What was sent and not received: each send that is counted here has returned.
    fn depth_now(&self, received: u64) -> u64 {
        let producers = &self.workers[..self.producers as usize];
        producers.iter().map(|w| w.progress.load(Acquire)).sum::<u64>().saturating_sub(received)
    }

    fn sent_ns(&self, start: u64, name: u64) -> u64 {
        let (producer, seq) = (producer_of(name), seq_of(name));
        match self.stamps.get(producer as usize) {
            Some(slots) => slots[seq as usize & (slots.len() - 1)].load(Relaxed),
            None if producer < self.producers => self.due_ns(start, producer, seq),
            None => u64::MAX,
        }
    }

    async fn consume<M: Payload>(self: Arc<Self>, c: u64, mut rx: Rx<M>) {
        let worker = &self.workers[(self.producers + c) as usize];
        let ledger = Ledger::new(self.salt, self.producers, self.messages, self.consumers == 1);
        let mut reader = Reader { ledger, latency: Histogram::new(), depth: 0 };
        if self.timed() {
            self.consume_timed::<M>(&mut rx, worker, &mut reader).await;
        } else {
            self.consume_plain::<M>(&mut rx, worker, &mut reader).await;
        }
        worker.stop_if_not_yet();
        self.read.lock().unwrap().push(reader);
    }

    async fn consume_plain<M: Payload>(&self, rx: &mut Rx<M>, worker: &Worker, reader: &mut Reader) {
        let mut received = 0;
        let mut limit = self.look_up_at(0);
        while let Some(message) = recv(rx).await {
            reader.ledger.receive(&message);
            received += 1;
            worker.did(received);
            if received >= limit {
                if !self.look_up(worker, received) {
                    break;
                }
                limit = self.look_up_at(received);
            }
        }
    }

    async fn consume_timed<M: Payload>(&self, rx: &mut Rx<M>, worker: &Worker, reader: &mut Reader) {
        let start = worker.start.load(Relaxed);
        let mut received = 0;
        let mut limit = self.look_up_at(0);
        loop {
            if self.watched {
                reader.depth = reader.depth.max(self.depth_now(received));
            }
            let message = match recv(rx).await {
                Some(message) => message,
                None => break,
            };
            let at = now();
            if reader.ledger.receive(&message) {
                reader.latency.record(at.saturating_sub(self.sent_ns(start, message.words()[0])));
            }
            work(self.work_ns);
            received += 1;
            worker.did(received);
            if received >= limit {
                if !self.look_up(worker, received) {
                    break;
                }
                limit = self.look_up_at(received);
            }
        }
    }
}

pub fn run<M: Payload>(trial: &mut Trial) {
    let request = trial.request.clone();
    let producers = request.number("producers", 1);
    let consumers = if request.scenario == "mpmc" { request.number("consumers", 1) } else { 1 };
    let watched = request.scenario == "backpressure";
    let slots = (request.capacity().unwrap_or(0) + 3).next_power_of_two();
    let lane = || (0..slots).map(|_| AtomicU64::new(0)).collect();
    let stream = Arc::new(Stream {
        messages: trial.messages,
        salt: trial.salt,
        producers,
        consumers,
        watched,
        rate: request.number("rate", 0),
        work_ns: request.number("work_ns", 0),
        mode: request.mode().to_string(),
        workers: workers(producers + consumers),
        stamps: (0..if watched { producers } else { 0 }).map(|_| lane()).collect(),
        failure: trial.failure.clone(),
        made: Mutex::default(),
        read: Mutex::default(),
    });
    let (tx, rx) = open::<M>(request.capacity());
    let mut bodies: Vec<Body> = Vec::new();
    for p in 1..producers {
        bodies.push(Box::pin(stream.clone().produce::<M>(p, tx.clone())));
    }
    bodies.insert(0, Box::pin(stream.clone().produce::<M>(0, tx)));
    for c in 1..consumers {
        bodies.push(Box::pin(stream.clone().consume::<M>(c, second_rx(&rx))));
    }
    bodies.insert(producers as usize, Box::pin(stream.clone().consume::<M>(0, rx)));
    trial.run(TASKS, &stream.workers, bodies);
    conclude(trial, &stream);
}

fn conclude(trial: &mut Trial, stream: &Stream) {
    let mut made = stream.made.lock().unwrap();
    made.sort_by_key(|it| it.0);
    let sents: Vec<Sent> = made.iter().map(|it| it.1.sent).collect();
    let accepted: u64 = sents.iter().map(|sent| sent.count).sum();
    let refused: u64 = made.iter().map(|it| it.1.refused).sum();
    let in_send: u64 = made.iter().map(|it| it.1.in_send_ns).sum();
    let mut ledgers = Vec::new();
    let mut depth = 0;
    for reader in stream.read.lock().unwrap().drain(..) {
        trial.items += reader.ledger.received;
        trial.latency.merge(&reader.latency);
        depth = depth.max(reader.depth);
        ledgers.push(reader.ledger);
    }
    trial.balance(&mut ledgers, &sents);
    if stream.watched {
        let attempts = (accepted + refused) as f64;
        let capacity = trial.request.capacity().unwrap_or(usize::MAX) as u64;
        trial.figures.push(("in_send_ns", in_send as f64 / attempts));
        trial.figures.push(("depth", depth as f64));
        trial.figures.push(("refused_ratio", refused as f64 / attempts));
        if depth > capacity {
            trial.failure.say(format!("held {depth} messages with a capacity of {capacity}"));
        }
    }
    if stream.rate != 0 {
        trial.saturated = trial.elapsed_ns as f64 > trial.items as f64 / stream.rate as f64 * 1.05e9;
    }
}
