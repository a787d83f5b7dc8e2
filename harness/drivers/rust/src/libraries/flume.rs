// SPDX-License-Identifier: MIT

//! flume, in threads.

use super::Outcome;
use ::flume::{SendTimeoutError, TrySendError};
use std::time::Duration;

pub const TASKS: bool = false;
pub type Tx<T> = ::flume::Sender<T>;
pub type Rx<T> = ::flume::Receiver<T>;

pub fn open<T>(capacity: Option<usize>) -> (Tx<T>, Rx<T>) {
    capacity.map_or_else(::flume::unbounded, ::flume::bounded)
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

pub async fn send_within<T>(tx: &mut Tx<T>, value: T, patience: Duration) -> Outcome {
    match tx.send_timeout(value, patience) {
        Ok(()) => Outcome::Sent,
        Err(SendTimeoutError::Timeout(_)) => Outcome::Refused,
        Err(SendTimeoutError::Disconnected(_)) => Outcome::Closed,
    }
}

pub async fn recv<T>(rx: &mut Rx<T>) -> Option<T> {
    rx.recv().ok()
}

pub fn second_rx<T>(rx: &Rx<T>) -> Rx<T> {
    rx.clone()
}

workloads!();
