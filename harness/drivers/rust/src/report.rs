// SPDX-License-Identifier: MIT

//! What goes to stdout: one JSON object a line.

use crate::catalogue::{entries, SIZES};
use crate::trial::Trial;
use std::fmt::Write as _;
use std::io::Write as _;

fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    if out.write_all(format!("{text}\n").as_bytes()).and_then(|_| out.flush()).is_err() {
        crate::fail("nobody reads on");
    }
}

fn quoted(text: &str) -> String {
    let clean = |c: char| if c == '"' || c == '\\' || c.is_control() { '?' } else { c };
    format!("\"{}\"", text.chars().map(clean).collect::<String>())
}

fn quoted_all(texts: &[&str]) -> String {
    let all: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", all.join(","))
}

pub fn list() {
    let one = |entry: crate::catalogue::Entry| {
        let package = if entry.krate == "std" {
            "rustc".to_string()
        } else if env!("DRIVER_ORIGIN") == "debian" {
            format!("librust-{}-dev", entry.krate)
        } else {
            format!("crate {}", entry.krate)
        };
        format!(
            "{{\"name\":{},\"version\":{},\"package\":{},\"kinds\":{},\"offers\":{},\"scenarios\":{},\"without\":{},\"sizes\":{:?},\"notes\":{}}}",
            quoted(entry.name),
            quoted(entry.version),
            quoted(&format!("{package} {}", entry.version)),
            quoted_all(entry.kinds),
            quoted_all(entry.offers),
            quoted_all(entry.scenarios),
            quoted_all(entry.without),
            SIZES,
            quoted(entry.notes)
        )
    };
    let all: Vec<String> = entries().into_iter().map(one).collect();
    line(&format!("{{\"protocol\":1,\"implementations\":[{}]}}", all.join(",")));
}

pub fn event(name: &str, member: &str, value: u64) {
    line(&format!("{{\"event\":{},{}:{value}}}", quoted(name), quoted(member)));
}

pub fn row(trial: &Trial, repetition: u64) {
    let failure = trial.failure.text();
    let verdict = if failure.is_empty() { "ok" } else { &failure };
    let mut text = format!(
        "{{\"row\":{{\"repetition_index\":{repetition},\"threads\":{},\"messages\":{},\"items\":{},\"seconds\":{},\"verdict\":{}",
        trial.threads,
        trial.messages,
        trial.items,
        trial.elapsed_ns as f64 / 1e9,
        quoted(verdict)
    );
    if failure.is_empty() {
        figures(trial, &mut text);
    }
    line(&(text + "}}"));
}

fn figures(trial: &Trial, text: &mut String) {
    let mut put = |member: &str, value: &dyn std::fmt::Display| write!(text, ",\"{member}\":{value}").unwrap();
    let items = trial.items as f64;
    let used = &trial.used;
    if trial.request.number("rate", 0) != 0 {
        put("saturated", &trial.saturated);
    } else {
        put("cpu_ns_per_item", &(used.cpu_ns as f64 / items));
        put("ctx_switches_per_item", &((used.voluntary + used.involuntary) as f64 / items));
        put("voluntary_switches", &used.voluntary);
        put("involuntary_switches", &used.involuntary);
    }
    if trial.latency.total != 0 {
        put("p50_ns", &trial.latency.percentile(50.0));
        put("p99_ns", &trial.latency.percentile(99.0));
        put("p999_ns", &trial.latency.percentile(99.9));
        put("max_ns", &trial.latency.max);
    }
    for (member, value) in trial.figures.iter().filter(|it| it.1.is_finite()) {
        put(member, value);
    }
}
