// SPDX-License-Identifier: MIT

//! Tokio in threads, by its blocking calls (blocking_send, blocking_recv). Its watch has none to
//! wait with.

pub mod bounded {
    use crate::libraries::Outcome;
    use std::time::Duration;
    use tokio::sync::mpsc::error::TrySendError;
    use tokio::sync::mpsc::{channel, Receiver, Sender};

    pub const TASKS: bool = false;
    pub type Tx<T> = Sender<T>;
    pub type Rx<T> = Receiver<T>;

    pub fn open<T>(capacity: Option<usize>) -> (Tx<T>, Rx<T>) {
        channel(capacity.unwrap_or_else(|| crate::usage("this one has a bound")))
    }

    pub async fn send<T>(tx: &mut Tx<T>, value: T) -> bool {
        tx.blocking_send(value).is_ok()
    }

    pub fn try_send<T>(tx: &mut Tx<T>, value: T) -> Outcome {
        match tx.try_send(value) {
            Ok(()) => Outcome::Sent,
            Err(TrySendError::Full(_)) => Outcome::Refused,
            Err(TrySendError::Closed(_)) => Outcome::Closed,
        }
    }

    pub async fn send_within<T>(_: &mut Tx<T>, _: T, _: Duration) -> Outcome {
        crate::usage("Tokio has no blocking send with a deadline")
    }

    pub async fn recv<T>(rx: &mut Rx<T>) -> Option<T> {
        rx.blocking_recv()
    }

    pub fn second_rx<T>(_: &Rx<T>) -> Rx<T> {
        crate::usage("Tokio's mpsc has one receiver")
    }

    workloads!();

    pub async fn reply<T>(rx: tokio::sync::oneshot::Receiver<T>) -> Option<T> {
        rx.blocking_recv().ok()
    }
    pub mod oneshot {
        use super::*;
        include!("../workloads/oneshot.rs");
    }

    #[cfg(broadcast_blocks)]
    pub async fn hear<T: Clone>(
        rx: &mut tokio::sync::broadcast::Receiver<T>,
    ) -> Result<T, tokio::sync::broadcast::error::RecvError> {
        rx.blocking_recv()
    }
    #[cfg(broadcast_blocks)]
    pub mod broadcast {
        use super::*;
        include!("../workloads/broadcast.rs");
    }
}

pub mod unbounded {
    use crate::libraries::Outcome;
    use std::time::Duration;
    use tokio::sync::mpsc::{unbounded_channel, UnboundedReceiver, UnboundedSender};

    pub const TASKS: bool = false;
    pub type Tx<T> = UnboundedSender<T>;
    pub type Rx<T> = UnboundedReceiver<T>;

    pub fn open<T>(_: Option<usize>) -> (Tx<T>, Rx<T>) {
        unbounded_channel()
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
        rx.blocking_recv()
    }

    pub fn second_rx<T>(_: &Rx<T>) -> Rx<T> {
        crate::usage("Tokio's mpsc has one receiver")
    }

    workloads!();
}
