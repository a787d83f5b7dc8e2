// SPDX-License-Identifier: MIT

// One value, once. Mode local: in one worker. Mode request_reply: clients send requests over an
// mpsc channel, each with the sender of a oneshot in it. A reply that is lost is found to be lost:
// its sender was dropped.

use crate::ledger::{share, Ledger, Sent};
use crate::message::name_of;
use crate::trial::{workers, Body, Failure, Trial, Worker};
use std::sync::{Arc, Mutex};
use tokio::sync::oneshot::{channel, Sender};

struct Request {
    name: [u64; 1],
    reply: Sender<[u64; 1]>,
}

type Books = Arc<Mutex<Vec<(u64, Sent, Ledger)>>>;

async fn local(messages: u64, salt: u64, worker: Arc<Worker>, books: Books) {
    let mut sent = Sent::default();
    let mut ledger = Ledger::new(salt, 1, messages, true);
    for i in 0..messages {
        let (tx, rx) = channel();
        let name = name_of(salt, 0, i);
        if tx.send([name]).is_ok() {
            sent.add(name);
        }
        if let Some(message) = reply(rx).await {
            ledger.receive(&message);
        }
        worker.did(i + 1);
    }
    worker.stop_now();
    books.lock().unwrap().push((0, sent, ledger));
}

struct Desk {
    messages: u64,
    salt: u64,
    clients: u64,
    workers: Vec<Arc<Worker>>,
    failure: Arc<Failure>,
    books: Books,
}

impl Desk {
    async fn ask(self: Arc<Self>, k: u64, mut tx: Tx<Request>) {
        let mut sent = Sent::default();
        let mut ledger = Ledger::new(self.salt, self.clients, self.messages, true);
        for i in 0..share(self.messages, self.clients, k) {
            let (once, rx) = channel();
            let name = name_of(self.salt, k, i);
            if !send(&mut tx, Request { name: [name], reply: once }).await {
                self.failure.say("send returned CLOSED".into());
                break;
            }
            sent.add(name);
            if let Some(message) = reply(rx).await {
                ledger.receive(&message);
            }
            self.workers[k as usize].did(i + 1);
        }
        self.workers[k as usize].stop_now();
        self.books.lock().unwrap().push((k, sent, ledger));
    }

    async fn serve(self: Arc<Self>, mut rx: Rx<Request>) {
        let mut ledger = Ledger::new(self.salt, self.clients, self.messages, true);
        while let Some(request) = recv(&mut rx).await {
            if ledger.receive(&request.name) && request.reply.send(request.name).is_err() {
                self.failure.say("oneshot send found its receiver gone".into());
            }
        }
        self.books.lock().unwrap().push((self.clients, Sent::default(), ledger));
    }
}

pub fn run(trial: &mut Trial) {
    let clients = trial.request.number("producers", 1);
    let books = Books::default();
    if trial.request.mode() == "local" {
        let all = workers(1);
        let body: Body = Box::pin(local(trial.messages, trial.salt, all[0].clone(), books.clone()));
        trial.run(TASKS, &all, vec![body]);
        let (_, sent, ledger) = books.lock().unwrap().remove(0);
        trial.items = ledger.received;
        trial.balance(&mut [ledger], &[sent]);
        return;
    }
    let desk = Arc::new(Desk {
        messages: trial.messages,
        salt: trial.salt,
        clients,
        workers: workers(clients + 1),
        failure: trial.failure.clone(),
        books: books.clone(),
    });
    let (tx, rx) = open::<Request>(trial.request.capacity());
    let mut bodies: Vec<Body> = Vec::new();
    for k in 1..clients {
        bodies.push(Box::pin(desk.clone().ask(k, tx.clone())));
    }
    bodies.insert(0, Box::pin(desk.clone().ask(0, tx)));
    bodies.push(Box::pin(desk.clone().serve(rx)));
    trial.run(TASKS, &desk.workers, bodies);

    let mut books = books.lock().unwrap();
    books.sort_by_key(|it| it.0);
    let sents: Vec<Sent> = books.iter().take(clients as usize).map(|it| it.1).collect();
    for (k, _, ledger) in books.drain(..) {
        if k == clients {
            trial.balance(&mut [ledger], &sents);
        } else {
            // Each client gets the replies to its own requests.
            trial.items += ledger.received;
            let mut mine = vec![Sent::default(); clients as usize];
            mine[k as usize] = sents[k as usize];
            trial.balance(&mut [ledger], &mine);
        }
    }
}
