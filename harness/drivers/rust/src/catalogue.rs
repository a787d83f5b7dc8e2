// SPDX-License-Identifier: MIT

//! What there is: each library's name, version, abilities, and the function for each scenario.

use crate::request::Request;
use crate::trial::Trial;

pub type Run = fn(&mut Trial);

pub struct Entry {
    pub name: &'static str,
    pub version: &'static str,
    pub krate: &'static str,
    pub kinds: &'static [&'static str],
    pub offers: &'static [&'static str],
    pub scenarios: &'static [&'static str],
    /// scenario:mode that it cannot run.
    pub without: &'static [&'static str],
    pub notes: &'static str,
    choose: fn(&Request) -> Option<Run>,
}

/// Bytes of a message that every library here is compiled for.
pub const SIZES: &[u64] = &[8, 64, 256, 1024];

macro_rules! by_size {
    ($request:expr, $($run:ident)::+) => {
        match $request.number("size", 8) {
            8 => Some($($run)::+::<[u64; 1]> as Run),
            64 => Some($($run)::+::<[u64; 8]> as Run),
            256 => Some($($run)::+::<[u64; 32]> as Run),
            1024 => Some($($run)::+::<[u64; 128]> as Run),
            _ => None,
        }
    };
}

macro_rules! mpsc {
    ($request:expr, $($library:ident)::+) => {
        match $request.scenario.as_str() {
            "fan_in" | "spsc" | "mpmc" | "backpressure" => by_size!($request, $($library)::+::stream::run),
            "ping_pong" => by_size!($request, $($library)::+::ping_pong::run),
            "pipeline" => Some($($library)::+::pipeline::run as Run),
            _ => None,
        }
    };
}

macro_rules! split {
    ($request:expr, $($bounded:ident)::+, $($unbounded:ident)::+) => {
        if $request.capacity().is_some() {
            mpsc!($request, $($bounded)::+)
        } else {
            mpsc!($request, $($unbounded)::+)
        }
    };
}

const BOTH: &[&str] = &["mpsc", "unbounded"];
const SENDERS: &[&str] = &["mpsc.sender_clone", "unbounded.sender_clone"];
#[allow(dead_code)] // without any of the crates
const BOTH_SIDES: &[&str] =
    &["mpsc.sender_clone", "mpsc.receiver_clone", "unbounded.sender_clone", "unbounded.receiver_clone"];
const ONE_RECEIVER: &[&str] = &["fan_in", "pipeline", "backpressure", "spsc", "ping_pong"];
#[allow(dead_code)]
const ALL_MPMC: &[&str] = &["fan_in", "pipeline", "backpressure", "spsc", "mpmc", "ping_pong"];

pub fn entries() -> Vec<Entry> {
    vec![
        #[cfg(feature = "tokio")]
        Entry {
            name: "tokio_tasks",
            version: env!("VERSION_TOKIO"),
            krate: "tokio",
            kinds: &["mpsc", "unbounded", "oneshot", "broadcast", "watch"],
            offers: &[
                "mpsc.sender_clone",
                "unbounded.sender_clone",
                "broadcast.sender_clone",
                "watch.subscribe",
                "watch.receiver_clone",
            ],
            scenarios: &[
                "fan_in",
                "pipeline",
                "backpressure",
                "spsc",
                "ping_pong",
                "broadcast_lag",
                "oneshot",
                "watch",
            ],
            without: &[],
            notes: "tasks on the multi-thread runtime, a thread a CPU; timers of 1 ms",
            choose: |request| {
                use crate::libraries::tokio_tasks::{bounded, unbounded};
                match request.scenario.as_str() {
                    "oneshot" => Some(bounded::oneshot::run as Run),
                    "broadcast_lag" => by_size!(request, bounded::broadcast::run),
                    "watch" => by_size!(request, bounded::watch::run),
                    _ => split!(request, bounded, unbounded),
                }
            },
        },
        #[cfg(feature = "tokio")]
        Entry {
            name: "tokio_blocking",
            version: env!("VERSION_TOKIO"),
            krate: "tokio",
            kinds: if cfg!(broadcast_blocks) {
                &["mpsc", "unbounded", "oneshot", "broadcast"]
            } else {
                &["mpsc", "unbounded", "oneshot"]
            },
            offers: if cfg!(broadcast_blocks) {
                &["mpsc.sender_clone", "unbounded.sender_clone", "broadcast.sender_clone"]
            } else {
                SENDERS
            },
            scenarios: if cfg!(broadcast_blocks) {
                &["fan_in", "pipeline", "backpressure", "spsc", "ping_pong", "oneshot", "broadcast_lag"]
            } else {
                &["fan_in", "pipeline", "backpressure", "spsc", "ping_pong", "oneshot"]
            },
            without: &["backpressure:deadline"],
            notes: "threads: blocking_send, blocking_recv",
            choose: |request| {
                use crate::libraries::tokio_blocking::{bounded, unbounded};
                match request.scenario.as_str() {
                    "oneshot" => Some(bounded::oneshot::run as Run),
                    #[cfg(broadcast_blocks)]
                    "broadcast_lag" => by_size!(request, bounded::broadcast::run),
                    _ => split!(request, bounded, unbounded),
                }
            },
        },
        #[cfg(feature = "crossbeam-channel")]
        Entry {
            name: "crossbeam",
            version: env!("VERSION_CROSSBEAM_CHANNEL"),
            krate: "crossbeam-channel",
            kinds: BOTH,
            offers: BOTH_SIDES,
            scenarios: ALL_MPMC,
            without: &[],
            notes: "threads",
            choose: |request| mpsc!(request, crate::libraries::crossbeam),
        },
        #[cfg(feature = "flume")]
        Entry {
            name: "flume",
            version: env!("VERSION_FLUME"),
            krate: "flume",
            kinds: BOTH,
            offers: BOTH_SIDES,
            scenarios: ALL_MPMC,
            without: &[],
            notes: "threads",
            choose: |request| mpsc!(request, crate::libraries::flume),
        },
        #[cfg(feature = "kanal")]
        Entry {
            name: "kanal",
            version: env!("VERSION_KANAL"),
            krate: "kanal",
            kinds: BOTH,
            offers: BOTH_SIDES,
            scenarios: ALL_MPMC,
            without: &[],
            notes: "threads",
            choose: |request| mpsc!(request, crate::libraries::kanal),
        },
        #[cfg(all(feature = "kanal", feature = "tokio"))]
        Entry {
            name: "kanal_async",
            version: env!("VERSION_KANAL"),
            krate: "kanal",
            kinds: BOTH,
            offers: BOTH_SIDES,
            scenarios: ALL_MPMC,
            without: &[],
            notes: "tasks on Tokio's multi-thread runtime; a deadline is tokio::time::timeout",
            choose: |request| mpsc!(request, crate::libraries::kanal_async),
        },
        #[cfg(all(feature = "async-channel", feature = "tokio"))]
        Entry {
            name: "async_channel",
            version: env!("VERSION_ASYNC_CHANNEL"),
            krate: "async-channel",
            kinds: BOTH,
            offers: BOTH_SIDES,
            scenarios: ALL_MPMC,
            without: &[],
            notes: "tasks on Tokio's multi-thread runtime; a deadline is tokio::time::timeout",
            choose: |request| mpsc!(request, crate::libraries::async_channel),
        },
        Entry {
            name: "std",
            version: env!("VERSION_STD"),
            krate: "std",
            kinds: BOTH,
            offers: SENDERS,
            scenarios: ONE_RECEIVER,
            without: &["backpressure:deadline"],
            notes: "std::sync::mpsc, threads",
            choose: |request| split!(request, crate::libraries::std_bounded, crate::libraries::std_unbounded),
        },
    ]
}

/// The function for this request; ends the program when there is none.
pub fn choose(request: &Request) -> Run {
    let entry = entries().into_iter().find(|entry| entry.name == request.implementation);
    let entry = entry.unwrap_or_else(|| crate::usage(&format!("no implementation '{}' here", request.implementation)));
    let mode = format!("{}:{}", request.scenario, request.mode());
    let offered = entry.scenarios.contains(&request.scenario.as_str())
        && !entry.without.contains(&mode.as_str())
        && request.number("batch", 1) == 1;
    let run = if offered { (entry.choose)(request) } else { None };
    run.unwrap_or_else(|| {
        crate::usage(&format!("{} does not offer {} with these parameters", entry.name, request.scenario))
    })
}
