// SPDX-License-Identifier: MIT

//! Waiting for a point in time, and letting others run where nobody is preempted.

use crate::machine::now;
use std::time::Duration;

/// Sleeps to shortly before, and yields for the rest: a timer may be late, in tasks (Tokio's wheel)
/// by a millisecond or two.
pub async fn wait_until(tasks: bool, due: u64) {
    let wakeup = if tasks { 3_000_000 } else { 100_000 };
    let at = now();
    if due > at + wakeup {
        let rest = Duration::from_nanos(due - at - wakeup);
        #[cfg(feature = "tokio")]
        if tasks {
            tokio::time::sleep(rest).await;
        }
        if !tasks {
            std::thread::sleep(rest);
        }
    }
    while now() < due {
        #[cfg(feature = "tokio")]
        if tasks {
            tokio::task::yield_now().await;
        }
        if !tasks {
            std::thread::yield_now();
        }
    }
}

/// For tasks in loops without a wait: yields at every 128th step, which is the budget that Tokio's
/// own operations have.
#[cfg(feature = "tokio")]
pub async fn let_others_run(step: u64) {
    if step % 128 == 0 {
        tokio::task::yield_now().await;
    }
}

#[cfg(not(feature = "tokio"))]
pub async fn let_others_run(_: u64) {}
