// SPDX-License-Identifier: MIT

//! The driver of Rust: Tokio and the channels that stand beside it, measured at home. ../README.md
//! has the protocol.

mod catalogue;
mod histogram;
mod ledger;
mod libraries;
mod machine;
mod message;
mod pace;
mod report;
mod request;
mod text;
mod trial;
mod waker;

use catalogue::Run;
use message::{MIX, SEQ_MAX};
use request::Request;
use std::sync::Arc;
use std::time::Duration;
use trial::Trial;

pub fn fail(why: &str) -> ! {
    eprintln!("driver-rust: {why}");
    std::process::exit(3)
}

pub fn usage(why: &str) -> ! {
    eprintln!("driver-rust: {why}");
    std::process::exit(2)
}

struct Cell {
    request: Arc<Request>,
    run: Run,
    trials: u64,
}

impl Cell {
    fn trial(&mut self, messages: u64) -> Trial {
        self.trials += 1;
        // Messages of an earlier trial are none of this one.
        let seed = self.request.seed.wrapping_add(1).wrapping_mul(MIX);
        let salt = seed.wrapping_add(self.trials.wrapping_mul(0xd1b5_4a32_d192_ed03));
        let mut trial = Trial::new(&self.request, messages, salt);
        (self.run)(&mut trial);
        if trial.items == 0 {
            trial.failure.say("nothing was received".into());
        }
        trial
    }

    /// How many messages a trial of the length asked for takes; and what went wrong meanwhile.
    fn calibrate(&mut self) -> (u64, String) {
        let rate = self.request.number("rate", 0);
        if rate != 0 {
            return ((rate as f64 * self.request.seconds) as u64 + 1, String::new());
        }
        let mut broken = String::new();
        let mut messages = 64;
        loop {
            let trial = self.trial(messages);
            let failure = trial.failure.text();
            if !failure.is_empty() && broken.is_empty() {
                broken = format!("while calibrating: {failure}");
            }
            if !failure.is_empty() && messages >= 100_000 {
                return (messages, broken);
            }
            let factor = self.request.seconds * 1e9 / trial.elapsed_ns.max(1) as f64;
            let done = factor <= 2.0;
            let next = messages as f64 * if done { factor } else { factor.min(16.0) };
            messages = (next as u64).clamp(1, SEQ_MAX);
            if done {
                return (messages, broken);
            }
        }
    }
}

fn say_progress() {
    let mut said = 0;
    loop {
        std::thread::sleep(Duration::from_millis(500));
        let done = trial::progress();
        if done != said {
            report::event("progress", "messages", done);
        }
        said = done;
    }
}

fn run(request: Request) {
    let run = catalogue::choose(&request);
    match request.placement.as_str() {
        "one" => machine::pin(machine::cpus()[0]),
        #[cfg(feature = "tokio")]
        "cores" => trial::tasks::pin_threads(),
        _ => {}
    }
    machine::calibrate_work();
    if std::thread::Builder::new().spawn(say_progress).is_err() {
        fail("cannot start a thread");
    }
    let mut cell = Cell { request: Arc::new(request), run, trials: 0 };
    let (messages, broken) = match cell.request.messages {
        0 => cell.calibrate(),
        messages => (messages, String::new()),
    };
    report::event("calibrated", "messages", messages);
    for k in 0..cell.request.repetitions {
        report::event("trial", "repetition", k);
        let trial = cell.trial(messages);
        if !broken.is_empty() {
            trial.failure.say(broken.clone());
        }
        report::row(&trial, k);
    }
    report::event("done", "repetitions", cell.request.repetitions);
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("list") if arguments.len() == 1 => report::list(),
        Some("run") => run(Request::read(&arguments[1..])),
        _ => usage("usage: list | run --scenario=S --impl=I --NAME=VALUE..."),
    }
}
