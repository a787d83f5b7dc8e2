// SPDX-License-Identifier: MIT

package main

import (
	"os"
	"runtime"
	"syscall"
	"time"
	"unsafe"
)

var zero = time.Now()

// now is the monotonic clock in nanoseconds.
func now() uint64 { return uint64(time.Since(zero)) }

type usage struct {
	cpuNs, switches, voluntary uint64
}

// used is what this process has used so far: all threads of the runtime, its garbage collector's
// too.
func used() usage {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		fail("getrusage: %v", err)
	}
	return usage{uint64(r.Utime.Nano() + r.Stime.Nano()), uint64(r.Nvcsw + r.Nivcsw), uint64(r.Nvcsw)}
}

// onOneCPU restricts the process to the first CPU that it may use. The runtime counts CPUs when it
// starts, and its threads are there by then, so the program is started anew.
func onOneCPU() {
	var set [128]uint64
	size := uintptr(len(set) * 8)
	runtime.LockOSThread()
	if _, _, e := syscall.RawSyscall(syscall.SYS_SCHED_GETAFFINITY, 0, size, uintptr(unsafe.Pointer(&set))); e != 0 {
		fail("sched_getaffinity: %v", e)
	}
	found := false
	more := false
	for i := range set {
		for bit := uint64(1); bit != 0; bit <<= 1 {
			if set[i]&bit != 0 && found {
				set[i] &^= bit
				more = true
			}
			found = found || set[i]&bit != 0
		}
	}
	if !more {
		runtime.UnlockOSThread()
		return
	}
	if _, _, e := syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, size, uintptr(unsafe.Pointer(&set))); e != 0 {
		fail("sched_setaffinity: %v", e)
	}
	fail("exec: %v", syscall.Exec("/proc/self/exe", os.Args, os.Environ()))
}

var stepsPerNs = 1.0

// steps is a chain of dependent multiplications that the compiler cannot leave out: its caller uses
// the result.
//
//go:noinline
func steps(count uint64) uint64 {
	x := count
	for i := uint64(0); i < count; i++ {
		x = x*mix + 1
	}
	return x
}

func calibrateWork() {
	const count = 200000
	best := ^uint64(0)
	for i := 0; i < 15; i++ {
		start := now()
		steps(count)
		if took := now() - start; took < best {
			best = took
		}
	}
	stepsPerNs = count / float64(best+1)
}

// work keeps the CPU busy for about so long: an amount of work and not a span of time.
func work(ns uint64) {
	if ns != 0 {
		steps(uint64(float64(ns) * stepsPerNs))
	}
}

// waitUntil sleeps to shortly before, and yields for the rest: a timer may be late by tens of
// microseconds.
func waitUntil(due uint64) {
	const wakeup = 200000
	if at := now(); due > at+wakeup {
		time.Sleep(time.Duration(due - at - wakeup))
	}
	for now() < due {
		runtime.Gosched()
	}
}
