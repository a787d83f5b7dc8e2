// SPDX-License-Identifier: MIT

//! A waker that wakes nobody (std's own is not in every compiler that we take).

use std::ptr::null;
use std::task::{RawWaker, RawWakerVTable, Waker};

static TABLE: RawWakerVTable = RawWakerVTable::new(|_| RawWaker::new(null(), &TABLE), |_| (), |_| (), |_| ());

pub fn none() -> Waker {
    unsafe { Waker::from_raw(RawWaker::new(null(), &TABLE)) }
}
