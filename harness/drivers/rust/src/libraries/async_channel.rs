// SPDX-License-Identifier: MIT

//! async-channel, in tasks on Tokio's runtime.

use super::Outcome;
use ::async_channel::TrySendError;
use std::time::Duration;

pub const TASKS: bool = true;
pub type Tx<T> = ::async_channel::Sender<T>;
pub type Rx<T> = ::async_channel::Receiver<T>;

pub fn open<T>(capacity: Option<usize>) -> (Tx<T>, Rx<T>) {
    capacity.map_or_else(::async_channel::unbounded, ::async_channel::bounded)
}

pub async fn send<T>(tx: &mut Tx<T>, value: T) -> bool {
    tx.send(value).await.is_ok()
}

pub fn try_send<T>(tx: &mut Tx<T>, value: T) -> Outcome {
    match tx.try_send(value) {
        Ok(()) => Outcome::Sent,
        Err(TrySendError::Full(_)) => Outcome::Refused,
        Err(TrySendError::Closed(_)) => Outcome::Closed,
    }
}

pub async fn send_within<T>(tx: &mut Tx<T>, value: T, patience: Duration) -> Outcome {
    match tokio::time::timeout(patience, tx.send(value)).await {
        Ok(Ok(())) => Outcome::Sent,
        Err(_) => Outcome::Refused,
        Ok(Err(_)) => Outcome::Closed,
    }
}

pub async fn recv<T>(rx: &mut Rx<T>) -> Option<T> {
    rx.recv().await.ok()
}

pub fn second_rx<T>(rx: &Rx<T>) -> Rx<T> {
    rx.clone()
}

workloads!();
