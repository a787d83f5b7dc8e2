// SPDX-License-Identifier: MIT

//! kanal's asynchronous side, in tasks on Tokio's runtime.

use super::Outcome;
use std::time::Duration;

pub const TASKS: bool = true;
pub type Tx<T> = ::kanal::AsyncSender<T>;
pub type Rx<T> = ::kanal::AsyncReceiver<T>;

pub fn open<T>(capacity: Option<usize>) -> (Tx<T>, Rx<T>) {
    capacity.map_or_else(::kanal::unbounded_async, ::kanal::bounded_async)
}

pub async fn send<T>(tx: &mut Tx<T>, value: T) -> bool {
    tx.send(value).await.is_ok()
}

pub fn try_send<T>(tx: &mut Tx<T>, value: T) -> Outcome {
    match tx.try_send(value) {
        Ok(true) => Outcome::Sent,
        Ok(false) => Outcome::Refused,
        Err(_) => Outcome::Closed,
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
