// SPDX-License-Identifier: MIT

// One value that is always there. Mode read: a writer writes without a pause, readers borrow;
// nothing torn, nothing older than before, the last value found by all. Mode wake: after each write
// the writer waits until every reader has been woken, has read that very value, and has said so
// over a watch channel of its own.

use crate::ledger::share;
use crate::message::{fill_all, name_of, seq_of, whole_all, Payload};
use crate::trial::{workers, Body, Failure, Trial, Worker};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use tokio::sync::watch::{channel, Receiver, Sender};

struct Tower {
    messages: u64,
    salt: u64,
    readers: u64,
    rounds: u64,
    finished: AtomicU64,
    last: AtomicU64,
    workers: Vec<Arc<Worker>>,
    failure: Arc<Failure>,
    ended: Mutex<Vec<Reader>>,
}

#[derive(Clone, Copy, Default)]
struct Reader {
    newest: u64,
    torn: u64,
    older: u64,
    reads: u64,
}

impl Reader {
    /// Borrows and checks; gives the version.
    fn read<M: Payload>(&mut self, salt: u64, rx: &mut Receiver<M>, update: bool) -> u64 {
        let value: M = if update { *rx.borrow_and_update() } else { *rx.borrow() };
        let name = value.words()[0];
        let version = seq_of(name);
        self.reads += 1;
        if name != name_of(salt, 0, version) || !whole_all(&value) {
            self.torn += 1;
        } else if version < self.newest {
            self.older += 1;
        } else {
            self.newest = version;
        }
        version
    }
}

impl Tower {
    async fn write_all<M: Payload>(self: Arc<Self>, tx: Sender<M>) {
        let mut version = 0;
        while self.finished.load(Relaxed) < self.readers {
            version += 1;
            self.last.store(version, Relaxed);
            if tx.send(fill_all::<M>(name_of(self.salt, 0, version))).is_err() {
                version -= 1; // all readers have gone
                break;
            }
            self.workers[0].did(version);
            crate::pace::let_others_run(version).await;
        }
        self.last.store(version, Relaxed);
    }

    async fn read_all<M: Payload>(self: Arc<Self>, r: u64, mut rx: Receiver<M>) {
        let worker = &self.workers[r as usize + 1];
        let mut reader = Reader::default();
        let count = share(self.messages, self.readers, r);
        while reader.reads < count {
            reader.read(self.salt, &mut rx, false);
            worker.did(reader.reads);
            crate::pace::let_others_run(reader.reads).await;
        }
        worker.stop_now();
        self.finished.fetch_add(1, Relaxed);
        // After the writer has gone: what is there must be what it wrote last.
        while rx.changed().await.is_ok() {}
        let version = reader.read(self.salt, &mut rx, false);
        let last = self.last.load(Relaxed);
        if version != last {
            self.failure
                .say(format!("lost the last value: version {last} was written last, version {version} was read"));
        }
        reader.reads -= 1;
        self.ended.lock().unwrap().push(reader);
    }

    async fn write_rounds<M: Payload>(self: Arc<Self>, tx: Sender<M>, mut acks: Vec<Receiver<u64>>) {
        'all: for version in 1..=self.rounds {
            if tx.send(fill_all::<M>(name_of(self.salt, 0, version))).is_err() {
                self.failure.say("send returned CLOSED".into());
                break;
            }
            self.last.store(version, Relaxed);
            for ack in &mut acks {
                if ack.changed().await.is_err() {
                    break 'all;
                }
            }
            self.workers[0].did(version);
        }
        self.workers[0].stop_now();
    }

    async fn wake_up<M: Payload>(self: Arc<Self>, r: u64, mut rx: Receiver<M>, ack: Sender<u64>) {
        let mut reader = Reader::default();
        while rx.changed().await.is_ok() {
            let due = reader.reads + 1;
            let version = reader.read(self.salt, &mut rx, true);
            if version != due {
                self.failure.say(format!("woken for version {due}, but version {version} was read"));
                break;
            }
            if ack.send(due).is_err() {
                break;
            }
            self.workers[r as usize + 1].did(reader.reads);
        }
        self.ended.lock().unwrap().push(reader);
    }
}

pub fn run<M: Payload>(trial: &mut Trial) {
    let readers = trial.request.number("consumers", 1);
    let wake = trial.request.mode() == "wake";
    let tower = Arc::new(Tower {
        messages: trial.messages,
        salt: trial.salt,
        readers,
        rounds: trial.messages / readers + u64::from(trial.messages % readers != 0),
        finished: AtomicU64::new(0),
        last: AtomicU64::new(0),
        workers: workers(readers + 1),
        failure: trial.failure.clone(),
        ended: Mutex::default(),
    });
    let (tx, rx) = channel::<M>(fill_all(name_of(trial.salt, 0, 0)));
    let mut bodies: Vec<Body> = Vec::new();
    let mut acks = Vec::new();
    for r in 0..readers {
        if wake {
            let (ack, back) = channel(0u64);
            acks.push(back);
            bodies.push(Box::pin(tower.clone().wake_up::<M>(r, rx.clone(), ack)));
        } else {
            bodies.push(Box::pin(tower.clone().read_all::<M>(r, rx.clone())));
        }
    }
    drop(rx);
    let writer: Body = if wake {
        Box::pin(tower.clone().write_rounds::<M>(tx, acks))
    } else {
        Box::pin(tower.clone().write_all::<M>(tx))
    };
    bodies.insert(0, writer);
    trial.run(TASKS, &tower.workers, bodies);

    let last = tower.last.load(Relaxed);
    for reader in tower.ended.lock().unwrap().iter() {
        let Reader { newest, torn, older, reads } = *reader;
        trial.items += reads;
        if torn != 0 {
            trial.failure.say(format!("corrupted: {torn} torn values in {reads} reads"));
        }
        if older != 0 {
            trial.failure.say(format!("reordered: {older} values in {reads} reads were older than one read before"));
        }
        if newest > last {
            trial.failure.say(format!("invented: version {newest} was read, version {last} was written last"));
        }
        if wake && reads != tower.rounds {
            trial.failure.say(format!("lost: a reader was woken {reads} times for {} writes", tower.rounds));
        }
    }
    trial.figures.push(("writes_per_second", last as f64 * 1e9 / trial.elapsed_ns as f64));
}
