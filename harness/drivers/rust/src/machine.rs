// SPDX-License-Identifier: MIT

//! The clock, the CPUs, what the process has used, and work.

use crate::message::MIX;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The monotonic clock in nanoseconds.
pub fn now() -> u64 {
    let mut ts = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut ts) };
    ts.tv_sec as u64 * 1_000_000_000 + ts.tv_nsec as u64
}

#[derive(Clone, Copy, Default)]
pub struct Usage {
    pub cpu_ns: u64,
    pub voluntary: u64,
    pub involuntary: u64,
}

/// What this process has used so far, all threads together.
pub fn used() -> Usage {
    let mut r: libc::rusage = unsafe { std::mem::zeroed() };
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut r) };
    let ns = |t: libc::timeval| t.tv_sec as u64 * 1_000_000_000 + t.tv_usec as u64 * 1000;
    Usage { cpu_ns: ns(r.ru_utime) + ns(r.ru_stime), voluntary: r.ru_nvcsw as u64, involuntary: r.ru_nivcsw as u64 }
}

/// The CPUs that this process may use.
pub fn cpus() -> Vec<usize> {
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    let size = std::mem::size_of::<libc::cpu_set_t>();
    if unsafe { libc::sched_getaffinity(0, size, &mut set) } != 0 {
        crate::fail(&format!("sched_getaffinity: {}", std::io::Error::last_os_error()));
    }
    (0..libc::CPU_SETSIZE as usize).filter(|&cpu| unsafe { libc::CPU_ISSET(cpu, &set) }).collect()
}

/// Restricts this thread, and those that it starts, to one CPU.
pub fn pin(cpu: usize) {
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    let size = std::mem::size_of::<libc::cpu_set_t>();
    unsafe { libc::CPU_SET(cpu, &mut set) };
    if unsafe { libc::sched_setaffinity(0, size, &set) } != 0 {
        crate::fail(&format!("sched_setaffinity: {}", std::io::Error::last_os_error()));
    }
}

/// Steps of work for 1024 ns.
static SPEED: AtomicU64 = AtomicU64::new(1024);

/// Makes every step of the chain one that somebody uses (std::hint::black_box is not in every
/// compiler that we take).
#[inline(always)]
fn seen(mut x: u64) -> u64 {
    unsafe { std::arch::asm!("/* {0} */", inout(reg) x, options(nomem, nostack, preserves_flags)) };
    x
}

fn steps(count: u64) {
    let mut x = count;
    for _ in 0..count {
        x = seen(x.wrapping_mul(MIX).wrapping_add(1));
    }
}

pub fn calibrate_work() {
    const COUNT: u64 = 200_000;
    let measure = |_| {
        let start = now();
        steps(COUNT);
        now() - start
    };
    let best = (0..15).map(measure).min().unwrap().max(1);
    SPEED.store((COUNT * 1024 / best).max(1), Relaxed);
}

/// Keeps the CPU busy for about so long: an amount of work and not a span of time.
pub fn work(ns: u64) {
    if ns != 0 {
        steps(ns * SPEED.load(Relaxed) / 1024);
    }
}
