// SPDX-License-Identifier: MIT

//! One file a library: its channels under the names that the workloads know, and nothing else.
//!
//! A file has `TASKS` (workers are tasks on Tokio's runtime; else threads), `Tx`, `Rx`, `open`,
//! `send`, `try_send`, `send_within`, `recv` and `second_rx`. The workloads are written once and
//! compiled into each of them, so that every call is a direct one.

/// What became of a send that does not wait for ever.
#[derive(PartialEq)]
pub enum Outcome {
    Sent,
    Refused,
    Closed,
}

macro_rules! workloads {
    () => {
        pub mod stream {
            use super::*;
            include!("../workloads/stream.rs");
        }
        pub mod pipeline {
            use super::*;
            include!("../workloads/pipeline.rs");
        }
        pub mod ping_pong {
            use super::*;
            include!("../workloads/ping_pong.rs");
        }
    };
}

#[cfg(all(feature = "async-channel", feature = "tokio"))]
pub mod async_channel;
#[cfg(feature = "crossbeam-channel")]
pub mod crossbeam;
#[cfg(feature = "flume")]
pub mod flume;
#[cfg(feature = "kanal")]
pub mod kanal;
#[cfg(all(feature = "kanal", feature = "tokio"))]
pub mod kanal_async;
pub mod std_bounded;
pub mod std_unbounded;
#[cfg(feature = "tokio")]
pub mod tokio_blocking;
#[cfg(feature = "tokio")]
pub mod tokio_tasks;
