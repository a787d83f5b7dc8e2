// SPDX-License-Identifier: MIT

//! std::sync::mpsc with a bound (sync_channel), in threads.

use super::Outcome;
use std::sync::mpsc::{sync_channel, Receiver, SyncSender, TrySendError};
use std::time::Duration;

pub const TASKS: bool = false;
pub type Tx<T> = SyncSender<T>;
pub type Rx<T> = Receiver<T>;

pub fn open<T>(capacity: Option<usize>) -> (Tx<T>, Rx<T>) {
    sync_channel(capacity.unwrap_or_else(|| crate::usage("this one has a bound")))
}

pub async fn send<T>(tx: &mut Tx<T>, value: T) -> bool {
    tx.send(value).is_ok()
}

pub fn try_send<T>(tx: &mut Tx<T>, value: T) -> Outcome {
    match tx.try_send(value) {
        Ok(()) => Outcome::Sent,
        Err(TrySendError::Full(_)) => Outcome::Refused,
        Err(TrySendError::Disconnected(_)) => Outcome::Closed,
    }
}

pub async fn send_within<T>(_: &mut Tx<T>, _: T, _: Duration) -> Outcome {
    crate::usage("std has no send with a deadline")
}

pub async fn recv<T>(rx: &mut Rx<T>) -> Option<T> {
    rx.recv().ok()
}

pub fn second_rx<T>(_: &Rx<T>) -> Rx<T> {
    crate::usage("std has one receiver")
}

workloads!();
