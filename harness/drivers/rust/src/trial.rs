// SPDX-License-Identifier: MIT

//! One run of a workload on fresh channels: its workers, threads or tasks as the library wants
//! them, and what they used.

use crate::histogram::Histogram;
use crate::ledger::{balance, Ledger, Sent};
use crate::machine::{cpus, now, pin, used, Usage};
use crate::request::Request;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed, Ordering::Release};
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Context, Poll};

/// What a worker does. In a thread it is polled once and never waits for anything but by blocking,
/// so one text serves both.
pub type Body = Pin<Box<dyn Future<Output = ()> + Send>>;

#[derive(Default)]
#[repr(align(128))]
pub struct Worker {
    /// Rises while it gets on.
    pub progress: AtomicU64,
    /// When the gate opened.
    pub start: AtomicU64,
    /// When its part was over; 0: it does not count.
    pub stop: AtomicU64,
}

impl Worker {
    pub fn did(&self, n: u64) {
        self.progress.store(n, Release);
    }
    pub fn stop_now(&self) {
        self.stop.store(now(), Relaxed);
    }
    pub fn stop_if_not_yet(&self) {
        if self.stop.load(Relaxed) == 0 {
            self.stop_now();
        }
    }
}

#[derive(Default)]
pub struct Failure(Mutex<String>);

impl Failure {
    /// Says what is broken; the first one counts.
    pub fn say(&self, text: String) {
        let mut first = self.0.lock().unwrap();
        if first.is_empty() {
            *first = text;
        }
    }
    pub fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

pub struct Trial {
    pub request: Arc<Request>,
    pub messages: u64,
    pub salt: u64,

    pub items: u64,
    pub elapsed_ns: u64,
    pub used: Usage,
    pub threads: u64,
    pub latency: Histogram,
    pub figures: Vec<(&'static str, f64)>,
    pub saturated: bool,
    pub failure: Arc<Failure>,
}

/// The workers that are running now, and the sum of what those before them have done.
static CREW: Mutex<(Vec<Arc<Worker>>, u64)> = Mutex::new((Vec::new(), 0));

pub fn progress() -> u64 {
    let crew = CREW.lock().unwrap();
    crew.0.iter().map(|w| w.progress.load(Relaxed)).sum::<u64>() + crew.1
}

fn set_crew(workers: Vec<Arc<Worker>>) {
    let before = progress();
    *CREW.lock().unwrap() = (workers, before);
}

pub fn workers(n: u64) -> Vec<Arc<Worker>> {
    (0..n).map(|_| Arc::default()).collect()
}

impl Trial {
    pub fn new(request: &Arc<Request>, messages: u64, salt: u64) -> Trial {
        Trial {
            request: request.clone(),
            messages,
            salt,
            items: 0,
            elapsed_ns: 0,
            used: Usage::default(),
            threads: 0,
            latency: Histogram::new(),
            figures: Vec::new(),
            saturated: false,
            failure: Arc::default(),
        }
    }

    pub fn balance(&self, ledgers: &mut [Ledger], sents: &[Sent]) {
        if let Some(text) = balance(ledgers, sents).verdict() {
            self.failure.say(text);
        }
    }

    /// Runs the workers' bodies. All wait at a gate, and the clock starts when it opens.
    pub fn run(&mut self, tasks: bool, workers: &[Arc<Worker>], bodies: Vec<Body>) {
        set_crew(workers.to_vec());
        let start = |at: u64| workers.iter().for_each(|w| w.start.store(at, Relaxed));
        let (started, before) = if tasks {
            tasks::run(bodies, start)
        } else {
            run_threads(self.request.placement == "cores", bodies, start)
        };
        let after = used();
        set_crew(Vec::new());
        self.threads = workers.len() as u64;
        self.used = Usage {
            cpu_ns: after.cpu_ns - before.cpu_ns,
            voluntary: after.voluntary - before.voluntary,
            involuntary: after.involuntary - before.involuntary,
        };
        let last = workers.iter().map(|w| w.stop.load(Relaxed)).max().unwrap_or(0);
        self.elapsed_ns = last.saturating_sub(started);
    }
}

/// Polls to the end a body that blocks instead of waiting.
fn finish(mut body: Body) {
    let waker = crate::waker::none();
    if body.as_mut().poll(&mut Context::from_waker(&waker)) == Poll::Pending {
        crate::fail("a worker in a thread has nobody to wake it");
    }
}

fn run_threads(cores: bool, bodies: Vec<Body>, start: impl Fn(u64)) -> (u64, Usage) {
    let gate = Arc::new(Barrier::new(bodies.len() + 1));
    let cpus = cpus();
    let spawn = |(i, body): (usize, Body)| {
        let (gate, cpu) = (gate.clone(), cpus[i % cpus.len()]);
        let thread = std::thread::Builder::new().spawn(move || {
            if cores {
                pin(cpu);
            }
            gate.wait(); // all are there
            gate.wait(); // and the clock has started
            finish(body);
        });
        thread.unwrap_or_else(|error| crate::fail(&format!("cannot start a thread: {error}")))
    };
    let threads: Vec<_> = bodies.into_iter().enumerate().map(spawn).collect();
    gate.wait();
    let before = used();
    let at = now();
    start(at);
    gate.wait();
    for thread in threads {
        thread.join().expect("a worker does not panic");
    }
    (at, before)
}

#[cfg(feature = "tokio")]
pub mod tasks {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use std::sync::Once;
    use tokio::runtime::{Builder, Runtime};

    static mut RUNTIME: Option<Runtime> = None;
    static MADE: Once = Once::new();
    static CORES: AtomicU64 = AtomicU64::new(0);

    /// Placement cores: the runtime's threads have a CPU each.
    pub fn pin_threads() {
        CORES.store(1, Relaxed);
    }

    /// Tokio's multi-thread runtime with as many threads as the process has CPUs, its default.
    pub fn runtime() -> &'static Runtime {
        MADE.call_once(|| {
            let cpus = cpus();
            let mut builder = Builder::new_multi_thread();
            builder.worker_threads(cpus.len()).enable_time();
            if CORES.load(Relaxed) != 0 {
                let next = AtomicUsize::new(0);
                builder.on_thread_start(move || pin(cpus[next.fetch_add(1, Relaxed) % cpus.len()]));
            }
            let runtime = builder.build();
            let runtime = runtime.unwrap_or_else(|error| crate::fail(&format!("no runtime: {error}")));
            unsafe { RUNTIME = Some(runtime) };
        });
        unsafe { (*std::ptr::addr_of!(RUNTIME)).as_ref().unwrap() }
    }

    pub fn run(bodies: Vec<Body>, start: impl Fn(u64)) -> (u64, Usage) {
        let gate = Arc::new(tokio::sync::Barrier::new(bodies.len() + 1));
        let spawn = |body: Body| {
            let gate = gate.clone();
            runtime().spawn(async move {
                gate.wait().await;
                body.await
            })
        };
        let tasks: Vec<_> = bodies.into_iter().map(spawn).collect();
        runtime().block_on(async move {
            // The last one to come opens the gate: give the others the time to be there.
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            let before = used();
            let at = now();
            start(at);
            gate.wait().await;
            for task in tasks {
                task.await.expect("a worker does not panic");
            }
            (at, before)
        })
    }
}

#[cfg(not(feature = "tokio"))]
mod tasks {
    use super::*;
    pub fn run(_: Vec<Body>, _: impl Fn(u64)) -> (u64, Usage) {
        crate::fail("built without Tokio")
    }
}
