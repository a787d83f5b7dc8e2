// SPDX-License-Identifier: MIT

// A message there and back over two channels. The caller's messages are producer 0's, the answers
// producer 1's: an echo is no answer. One that is lost is waited for without end, which the
// watchdog finds.

use crate::ledger::{Ledger, Sent};
use crate::message::{fill, name_of, Payload};
use crate::trial::{workers, Body, Trial, Worker};
use std::sync::{Arc, Mutex};

/// What one side sent and what it heard.
type Side = Arc<Mutex<(Sent, Ledger)>>;

async fn call<M: Payload>(messages: u64, salt: u64, mut tx: Tx<M>, mut rx: Rx<M>, worker: Arc<Worker>, side: Side) {
    let mut sent = Sent::default();
    let mut ledger = Ledger::new(salt, 2, 2 * messages, true);
    for i in 0..messages {
        let name = name_of(salt, 0, i);
        if !send(&mut tx, fill::<M>(name)).await {
            break;
        }
        sent.add(name);
        match recv(&mut rx).await {
            Some(message) => ledger.receive(&message),
            None => break,
        };
        worker.did(i + 1);
    }
    worker.stop_now();
    *side.lock().unwrap() = (sent, ledger);
}

async fn answer<M: Payload>(messages: u64, salt: u64, mut tx: Tx<M>, mut rx: Rx<M>, side: Side) {
    let mut sent = Sent::default();
    let mut ledger = Ledger::new(salt, 2, 2 * messages, true);
    while let Some(message) = recv(&mut rx).await {
        ledger.receive(&message);
        let name = name_of(salt, 1, sent.count);
        if !send(&mut tx, fill::<M>(name)).await {
            break;
        }
        sent.add(name);
    }
    *side.lock().unwrap() = (sent, ledger);
}

pub fn run<M: Payload>(trial: &mut Trial) {
    let (messages, salt) = (trial.messages, trial.salt);
    let all = workers(2);
    let (caller, answerer) = (Side::default(), Side::default());
    let (there, heard) = open::<M>(trial.request.capacity());
    let (back, answered) = open::<M>(trial.request.capacity());
    let bodies: Vec<Body> = vec![
        Box::pin(call::<M>(messages, salt, there, answered, all[0].clone(), caller.clone())),
        Box::pin(answer::<M>(messages, salt, back, heard, answerer.clone())),
    ];
    trial.run(TASKS, &all, bodies);

    let (calls, answered) = std::mem::take(&mut *caller.lock().unwrap());
    let (answers, heard) = std::mem::take(&mut *answerer.lock().unwrap());
    trial.items = answered.received;
    trial.balance(&mut [heard], &[calls, Sent::default()]);
    trial.balance(&mut [answered], &[Sent::default(), answers]);
}
