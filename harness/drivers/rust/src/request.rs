// SPDX-License-Identifier: MIT

//! The command line of `run`.

use std::collections::HashMap;

pub struct Request {
    pub scenario: String,
    pub implementation: String,
    pub placement: String,
    pub messages: u64,
    pub repetitions: u64,
    pub seed: u64,
    pub seconds: f64,
    params: HashMap<String, String>,
}

fn whole(name: &str, value: &str) -> u64 {
    value.parse().unwrap_or_else(|_| crate::usage(&format!("--{name} must be a whole number, not '{value}'")))
}

impl Request {
    pub fn read(arguments: &[String]) -> Request {
        let mut params = HashMap::new();
        for argument in arguments {
            match argument.strip_prefix("--").and_then(|rest| rest.split_once('=')) {
                Some((name, value)) => params.insert(name.to_string(), value.to_string()),
                None => crate::usage(&format!("options are --name=value, not '{argument}'")),
            };
        }
        let mut take = |name: &str, absent: &str| params.remove(name).unwrap_or_else(|| absent.to_string());
        let text = take("seconds", "0.1");
        let seconds = text.parse().unwrap_or(0.0);
        if !(seconds > 0.0 && seconds <= 3600.0) {
            crate::usage(&format!("--seconds must be above 0 and at most 3600, not '{text}'"));
        }
        let request = Request {
            scenario: take("scenario", ""),
            implementation: take("impl", ""),
            placement: take("placement", "free"),
            messages: whole("messages", &take("messages", "0")),
            repetitions: whole("repetitions", &take("repetitions", "1")),
            seed: whole("seed", &take("seed", "1")),
            seconds,
            params,
        };
        if !["free", "cores", "one"].contains(&request.placement.as_str()) {
            crate::usage(&format!("--placement must be free, cores or one, not '{}'", request.placement));
        }
        request
    }

    /// A parameter's value, or what it is for a scenario that does not have it.
    pub fn number(&self, name: &str, absent: u64) -> u64 {
        self.params.get(name).map_or(absent, |value| whole(name, value))
    }

    pub fn mode(&self) -> &str {
        self.params.get("mode").map_or("", |mode| mode)
    }

    /// None: unbounded.
    pub fn capacity(&self) -> Option<usize> {
        match self.params.get("capacity").map(String::as_str) {
            Some("unbounded") => None,
            _ => Some(self.number("capacity", 1) as usize),
        }
    }
}
