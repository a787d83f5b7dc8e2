// SPDX-License-Identifier: MIT

// Senders that never wait, receivers of which some are slow. For each receiver: received + lagged =
// sent, in order; with one sender every lag counts exactly the messages that are missing at that
// place. Mode example: capacity 2, five sends, then "missed 3", message 3, message 4, closed, on a
// fresh channel each time.

use crate::ledger::{balance, share, Ledger, Sent};
use crate::machine::work;
use crate::message::{fill, name_of, seq_of, Payload};
use crate::trial::{workers, Body, Failure, Trial, Worker};
use std::sync::{Arc, Mutex};
use tokio::sync::broadcast::{channel, error::RecvError, Receiver, Sender};

struct Air {
    messages: u64,
    salt: u64,
    senders: u64,
    receivers: u64,
    slow: u64,
    work_ns: u64,
    workers: Vec<Arc<Worker>>,
    failure: Arc<Failure>,
    sent: Mutex<Vec<(u64, Sent)>>,
    heard: Mutex<Vec<(u64, Listener)>>,
}

struct Listener {
    ledger: Ledger,
    told: u64,
    pending: u64,
    longest: u64,
    /// The first lag that did not count right: what it said, and what was missing.
    wrong: Option<(u64, u64)>,
    /// The last message had no name: nothing is known of its place.
    unsure: bool,
}

impl Air {
    async fn speak<M: Payload>(self: Arc<Self>, p: u64, tx: Sender<M>) {
        let mut sent = Sent::default();
        for i in 0..share(self.messages, self.senders, p) {
            let name = name_of(self.salt, p, i);
            match tx.send(fill::<M>(name)) {
                Ok(reached) if reached as u64 == self.receivers => sent.add(name),
                Ok(reached) => {
                    self.failure.say(format!("send counted {reached} receivers instead of {}", self.receivers));
                    break;
                }
                Err(_) => {
                    self.failure.say("send returned CLOSED".into());
                    break;
                }
            }
            self.workers[p as usize].did(i + 1);
            if TASKS {
                crate::pace::let_others_run(i).await;
            }
        }
        self.sent.lock().unwrap().push((p, sent));
    }

    fn enter<M: Payload>(&self, listener: &mut Listener, message: &M) {
        let due = listener.ledger.lanes[0].next;
        let known = listener.ledger.receive(message);
        let gap = seq_of(message.words()[0]).saturating_sub(due);
        let sure = self.senders == 1 && known && !listener.unsure;
        if sure && listener.pending != 0 && gap != listener.pending && listener.wrong.is_none() {
            listener.wrong = Some((listener.pending, gap));
        }
        listener.unsure = !known;
        listener.pending = 0;
    }

    async fn listen<M: Payload>(self: Arc<Self>, r: u64, mut rx: Receiver<M>) {
        let worker = &self.workers[(self.senders + r) as usize];
        let work_ns = if r < self.slow { self.work_ns } else { 0 };
        // Gaps are to be expected: bits from the start.
        let ledger = Ledger::new(self.salt, self.senders, self.messages, false);
        let mut listener = Listener { ledger, told: 0, pending: 0, longest: 0, wrong: None, unsure: false };
        let mut steps = 0;
        loop {
            match hear(&mut rx).await {
                Ok(message) => {
                    self.enter(&mut listener, &message);
                    work(work_ns);
                }
                Err(RecvError::Lagged(missed)) => {
                    if missed == 0 {
                        self.failure.say(format!("wrong lag: receiver {r} was told that it missed 0 messages"));
                    }
                    listener.told += missed;
                    listener.pending += missed;
                    listener.longest = listener.longest.max(missed);
                }
                Err(RecvError::Closed) => break,
            }
            steps += 1;
            worker.did(steps);
            if steps > 2 * self.messages + 1000 {
                self.failure.say(format!("receiver {r} got more than twice what was sent"));
                break;
            }
        }
        worker.stop_now();
        if listener.pending != 0 {
            self.failure.say(format!("wrong lag: receiver {r} was told of missed messages, and nothing came after"));
        }
        self.heard.lock().unwrap().push((r, listener));
    }
}

/// The identity: what a receiver did not get is what it was told that it missed. Gives how many
/// those were.
fn settle(trial: &Trial, r: u64, listener: Listener, sents: &[Sent]) -> u64 {
    let mut books = balance(&mut [listener.ledger], sents);
    let missing = books.lost;
    books.lost = missing.saturating_sub(listener.told);
    if let Some(text) = books.verdict() {
        trial.failure.say(format!("{text} (receiver {r})"));
    } else if let Some((told, gap)) = listener.wrong {
        let text = format!("wrong lag: told of {told} missed messages at one place, where {gap} were");
        trial.failure.say(format!("{text} (receiver {r})"));
    } else if listener.told > missing {
        let told = listener.told;
        let text = format!("wrong lag: told of {told} missed messages in all, where {missing} were");
        trial.failure.say(format!("{text} (receiver {r})"));
    }
    missing
}

fn run_stream<M: Payload>(trial: &mut Trial) {
    let request = trial.request.clone();
    let (senders, receivers) = (request.number("producers", 1), request.number("consumers", 1));
    let air = Arc::new(Air {
        messages: trial.messages,
        salt: trial.salt,
        senders,
        receivers,
        slow: request.number("slow", 0),
        work_ns: request.number("work_ns", 0),
        workers: workers(senders + receivers),
        failure: trial.failure.clone(),
        sent: Mutex::default(),
        heard: Mutex::default(),
    });
    let (tx, first) = channel::<M>(request.capacity().unwrap_or(1));
    let mut rxs: Vec<Receiver<M>> = (1..receivers).map(|_| tx.subscribe()).collect();
    rxs.insert(0, first);
    let mut bodies: Vec<Body> = Vec::new();
    for p in 1..senders {
        bodies.push(Box::pin(air.clone().speak::<M>(p, tx.clone())));
    }
    bodies.insert(0, Box::pin(air.clone().speak::<M>(0, tx)));
    for (r, rx) in rxs.into_iter().enumerate() {
        bodies.push(Box::pin(air.clone().listen::<M>(r as u64, rx)));
    }
    trial.run(TASKS, &air.workers, bodies);

    let mut sent = air.sent.lock().unwrap();
    sent.sort_by_key(|it| it.0);
    let sents: Vec<Sent> = sent.iter().map(|it| it.1).collect();
    trial.items = sents.iter().map(|it| it.count).sum();
    let (mut received, mut least, mut most, mut longest) = (0, u64::MAX, 0, 0);
    for (r, listener) in air.heard.lock().unwrap().drain(..) {
        received += listener.ledger.received;
        longest = longest.max(listener.longest);
        let missing = settle(trial, r, listener, &sents);
        least = least.min(missing);
        most = most.max(missing);
    }
    trial.figures.push(("deliveries_per_second", received as f64 * 1e9 / trial.elapsed_ns as f64));
    trial.figures.push(("lagged_least", least as f64 / trial.items as f64));
    trial.figures.push(("lagged_most", most as f64 / trial.items as f64));
    trial.figures.push(("lag_longest", longest as f64));
}

async fn examples<M: Payload>(messages: u64, salt: u64, worker: Arc<Worker>, failure: Arc<Failure>) {
    for done in 0..messages {
        let (tx, mut rx) = channel::<M>(2);
        for i in 0..5 {
            if tx.send(fill::<M>(name_of(salt, 0, i))).is_err() {
                failure.say("send returned CLOSED".into());
            }
        }
        drop(tx);
        let name = |i| name_of(salt, 0, i);
        let lag = hear(&mut rx).await;
        let third = hear(&mut rx).await;
        let fourth = hear(&mut rx).await;
        let end = hear(&mut rx).await;
        let is =
            |got: Result<M, RecvError>, i| got.map_or(false, |m| m.words()[0] == name(i) && crate::message::whole(&m));
        if !matches!(lag, Err(RecvError::Lagged(3))) {
            failure.say("wrong lag: capacity 2, five sends: not 'missed 3'".into());
        } else if !is(third, 3) || !is(fourth, 4) || !matches!(end, Err(RecvError::Closed)) {
            failure.say("capacity 2, five sends: not messages 3 and 4 and then the end".into());
        }
        worker.did(done + 1);
    }
    worker.stop_now();
}

pub fn run<M: Payload>(trial: &mut Trial) {
    if trial.request.mode() != "example" {
        return run_stream::<M>(trial);
    }
    let all = workers(1);
    let body = examples::<M>(trial.messages, trial.salt, all[0].clone(), trial.failure.clone());
    trial.run(TASKS, &all, vec![Box::pin(body)]);
    trial.items = all[0].progress.load(std::sync::atomic::Ordering::Relaxed);
}
