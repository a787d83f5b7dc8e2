// SPDX-License-Identifier: MIT

//! std::sync::mpsc without a bound (channel), in threads.

use super::Outcome;
use std::sync::mpsc::{channel, Receiver, Sender};
use std::time::Duration;

pub const TASKS: bool = false;
pub type Tx<T> = Sender<T>;
pub type Rx<T> = Receiver<T>;

pub fn open<T>(_: Option<usize>) -> (Tx<T>, Rx<T>) {
    channel()
}

pub async fn send<T>(tx: &mut Tx<T>, value: T) -> bool {
    tx.send(value).is_ok()
}

pub fn try_send<T>(tx: &mut Tx<T>, value: T) -> Outcome {
    tx.send(value).map_or(Outcome::Closed, |_| Outcome::Sent)
}

pub async fn send_within<T>(tx: &mut Tx<T>, value: T, _: Duration) -> Outcome {
    try_send(tx, value)
}

pub async fn recv<T>(rx: &mut Rx<T>) -> Option<T> {
    rx.recv().ok()
}

pub fn second_rx<T>(_: &Rx<T>) -> Rx<T> {
    crate::usage("std has one receiver")
}

workloads!();
