// SPDX-License-Identifier: MIT

//! Tokio in tasks on its multi-thread runtime. `bounded` and `unbounded` are its mpsc channels;
//! oneshot, broadcast and watch stand beside them.

pub mod bounded {
    use crate::libraries::Outcome;
    use std::time::Duration;
    use tokio::sync::mpsc::error::{SendTimeoutError, TrySendError};
    use tokio::sync::mpsc::{channel, Receiver, Sender};

    pub const TASKS: bool = true;
    pub type Tx<T> = Sender<T>;
    pub type Rx<T> = Receiver<T>;

    pub fn open<T>(capacity: Option<usize>) -> (Tx<T>, Rx<T>) {
        channel(capacity.unwrap_or_else(|| crate::usage("this one has a bound")))
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
        match tx.send_timeout(value, patience).await {
            Ok(()) => Outcome::Sent,
            Err(SendTimeoutError::Timeout(_)) => Outcome::Refused,
            Err(SendTimeoutError::Closed(_)) => Outcome::Closed,
        }
    }

    pub async fn recv<T>(rx: &mut Rx<T>) -> Option<T> {
        rx.recv().await
    }

    pub fn second_rx<T>(_: &Rx<T>) -> Rx<T> {
        crate::usage("Tokio's mpsc has one receiver")
    }

    workloads!();

    pub async fn reply<T>(rx: tokio::sync::oneshot::Receiver<T>) -> Option<T> {
        rx.await.ok()
    }
    pub mod oneshot {
        use super::*;
        include!("../workloads/oneshot.rs");
    }

    pub async fn hear<T: Clone>(
        rx: &mut tokio::sync::broadcast::Receiver<T>,
    ) -> Result<T, tokio::sync::broadcast::error::RecvError> {
        rx.recv().await
    }
    pub mod broadcast {
        use super::*;
        include!("../workloads/broadcast.rs");
    }

    pub mod watch {
        use super::*;
        include!("../workloads/watch.rs");
    }
}

pub mod unbounded {
    use crate::libraries::Outcome;
    use std::time::Duration;
    use tokio::sync::mpsc::{unbounded_channel, UnboundedReceiver, UnboundedSender};

    pub const TASKS: bool = true;
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
        rx.recv().await
    }

    pub fn second_rx<T>(_: &Rx<T>) -> Rx<T> {
        crate::usage("Tokio's mpsc has one receiver")
    }

    workloads!();
}
