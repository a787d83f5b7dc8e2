// SPDX-License-Identifier: MIT

// Numbers are generated, squared, written as text, in a chain of workers: the text at the end must
// be that of the i-th square. Messages are numbers of 8 bytes, and at the end texts of 32.

use crate::ledger::{Ledger, Sent};
use crate::text::{check, number_of, write, Text};
use crate::trial::{workers, Body, Failure, Trial, Worker};
use std::sync::{Arc, Mutex};

async fn generate(messages: u64, mut tx: Tx<u64>, worker: Arc<Worker>, made: Arc<Mutex<Sent>>, failure: Arc<Failure>) {
    let mut sent = Sent::default();
    for i in 0..messages {
        if !send(&mut tx, number_of(i)).await {
            failure.say("send returned CLOSED".into());
            break;
        }
        sent.add(i);
        worker.did(i + 1);
    }
    *made.lock().unwrap() = sent;
}

async fn pass_on(square: bool, mut rx: Rx<u64>, mut tx: Tx<u64>) {
    while let Some(number) = recv(&mut rx).await {
        let number = if square { number * number } else { number };
        if !send(&mut tx, number).await {
            break;
        }
    }
}

async fn write_all(mut rx: Rx<u64>, mut tx: Tx<Text>) {
    while let Some(number) = recv(&mut rx).await {
        if !send(&mut tx, write(number)).await {
            break;
        }
    }
}

async fn finish(messages: u64, mut rx: Rx<Text>, worker: Arc<Worker>, books: Arc<Mutex<Ledger>>) {
    let mut ledger = Ledger::new(0, 1, messages, true);
    let mut done = 0;
    while let Some(text) = recv(&mut rx).await {
        check(&mut ledger, &text);
        done += 1;
        worker.did(done);
        if done == messages {
            worker.stop_now();
        }
    }
    worker.stop_if_not_yet();
    *books.lock().unwrap() = ledger;
}

pub fn run(trial: &mut Trial) {
    let stages = trial.request.number("stages", 3);
    let capacity = trial.request.capacity();
    let all = workers(stages + 1);
    let made = Arc::new(Mutex::new(Sent::default()));
    let books = Arc::new(Mutex::new(Ledger::default()));

    let (tx, mut rx) = open::<u64>(capacity);
    let mut bodies: Vec<Body> =
        vec![Box::pin(generate(trial.messages, tx, all[0].clone(), made.clone(), trial.failure.clone()))];
    for k in 1..stages - 1 {
        let (tx, next) = open::<u64>(capacity);
        bodies.push(Box::pin(pass_on(k == 1, std::mem::replace(&mut rx, next), tx)));
    }
    let (tx, end) = open::<Text>(capacity);
    bodies.push(Box::pin(write_all(rx, tx)));
    bodies.push(Box::pin(finish(trial.messages, end, all[stages as usize].clone(), books.clone())));
    trial.run(TASKS, &all, bodies);

    let mut ledgers = [std::mem::take(&mut *books.lock().unwrap())];
    trial.items = ledgers[0].received;
    trial.balance(&mut ledgers, &[*made.lock().unwrap()]);
}
