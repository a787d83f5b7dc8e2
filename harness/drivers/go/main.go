// SPDX-License-Identifier: MIT

// The driver of Go: goroutines and Go's own channels, measured at home. ../README.md has the
// protocol.
//
// GOMAXPROCS is left at its default, the CPUs that the process may use. Senders of a channel end by
// closing it, the last one of several; whoever sends with a deadline selects between the channel
// and a timer; try is a select with a default.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	exitUsage   = 2
	exitMachine = 3
)

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "driver-go: "+format+"\n", args...)
	os.Exit(exitMachine)
}

func usageError(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "driver-go: "+format+"\n", args...)
	os.Exit(exitUsage)
}

var output sync.Mutex

func printLine(object any) {
	line, err := json.Marshal(object)
	if err != nil {
		fail("%v", err)
	}
	output.Lock()
	defer output.Unlock()
	if _, err := os.Stdout.Write(append(line, '\n')); err != nil {
		fail("%v", err)
	}
}

type object = map[string]any

type request struct {
	scenario, impl, placement   string
	params                      map[string]string
	messages, repetitions, seed uint64
	seconds                     float64
}

func parse(name, value string) uint64 {
	number, err := strconv.ParseUint(value, 10, 64)
	if err != nil {
		usageError("--%s must be a whole number, not '%s'", name, value)
	}
	return number
}

// number is a parameter's value, or what it is for a scenario that does not have it.
func (r *request) number(name string, absent uint64) uint64 {
	if value, there := r.params[name]; there {
		return parse(name, value)
	}
	return absent
}

// room is what make is given: the capacity; go_unbuffered has none.
func (r *request) room() int {
	if r.impl == "go_unbuffered" {
		return 0
	}
	return int(r.number("capacity", 1))
}

func readRequest(args []string) *request {
	r := &request{params: map[string]string{}, placement: "free", repetitions: 1, seconds: 0.1, seed: 1}
	for _, arg := range args {
		name, value, found := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
		if !found || !strings.HasPrefix(arg, "--") {
			usageError("options are --name=value, not '%s'", arg)
		}
		switch name {
		case "scenario":
			r.scenario = value
		case "impl":
			r.impl = value
		case "placement":
			r.placement = value
		case "messages":
			r.messages = parse(name, value)
		case "repetitions":
			r.repetitions = parse(name, value)
		case "seed":
			r.seed = parse(name, value)
		case "seconds":
			seconds, err := strconv.ParseFloat(value, 64)
			if err != nil || !(seconds > 0 && seconds <= 3600) {
				usageError("--seconds must be above 0 and at most 3600, not '%s'", value)
			}
			r.seconds = seconds
		default:
			r.params[name] = value
		}
	}
	return r
}

// bySize picks the function for the message's size.
func bySize(r *request, f1, f2, f4, f8, f32, f128 func(*trial)) func(*trial) {
	switch r.number("size", 8) {
	case 8:
		return f1
	case 16:
		return f2
	case 32:
		return f4
	case 64:
		return f8
	case 256:
		return f32
	case 1024:
		return f128
	}
	usageError("messages of %s bytes are not offered", r.params["size"])
	return nil
}

func choose(r *request) func(*trial) {
	if r.impl != "go" && r.impl != "go_unbuffered" {
		usageError("no implementation '%s'", r.impl)
	}
	if r.impl == "go_unbuffered" && r.number("capacity", 1) != 1 || r.number("batch", 1) != 1 || r.params["capacity"] == "unbounded" {
		usageError("%s does not offer these parameters", r.impl)
	}
	switch r.scenario {
	case "fan_in", "spsc", "mpmc", "backpressure":
		return bySize(r, runStream[[1]uint64], runStream[[2]uint64], runStream[[4]uint64], runStream[[8]uint64], runStream[[32]uint64], runStream[[128]uint64])
	case "ping_pong":
		return bySize(r, runPingPong[[1]uint64], runPingPong[[2]uint64], runPingPong[[4]uint64], runPingPong[[8]uint64], runPingPong[[32]uint64], runPingPong[[128]uint64])
	case "pipeline":
		return runPipeline
	case "oneshot":
		return runOneshot
	}
	usageError("no scenario '%s' here", r.scenario)
	return nil
}

func list() {
	notes := "goroutines, GOMAXPROCS = CPUs; a goroutine has no CPU of its own: placement cores is free here"
	sizes := []int{8, 16, 32, 64, 256, 1024}
	version := strings.TrimPrefix(runtime.Version(), "go")
	printLine(object{"protocol": 1, "implementations": []object{
		{"name": "go", "version": version, "package": "go " + version, "kinds": []string{"mpsc", "oneshot"},
			"offers": []string{"mpsc.sender_clone", "mpsc.receiver_clone"}, "sizes": sizes,
			"scenarios": []string{"fan_in", "pipeline", "backpressure", "spsc", "mpmc", "ping_pong", "oneshot"}, "notes": "buffered channels; " + notes},
		{"name": "go_unbuffered", "version": version, "package": "go " + version, "kinds": []string{"mpsc"},
			"offers": []string{"mpsc.sender_clone", "mpsc.receiver_clone"}, "sizes": sizes, "capacity_most": 1,
			"scenarios": []string{"fan_in", "pipeline", "backpressure", "spsc", "mpmc", "ping_pong"}, "notes": "unbuffered channels, in place of capacity 1: the two sides meet; " + notes},
	}})
}

var trials uint64

func runTrial(r *request, body func(*trial), messages uint64) *trial {
	trials++
	// Messages of an earlier trial are none of this one.
	t := &trial{request: r, messages: messages, salt: (r.seed+1)*mix + trials*0xd1b54a32d192ed03}
	body(t)
	if t.items == 0 {
		t.fail("nothing was received")
	}
	return t
}

// calibrate finds how many messages a trial of the length asked for takes; and what went wrong
// meanwhile.
func calibrate(r *request, body func(*trial)) (messages uint64, broken string) {
	if rate := r.number("rate", 0); rate != 0 {
		return uint64(float64(rate)*r.seconds) + 1, ""
	}
	messages = 64
	for {
		t := runTrial(r, body, messages)
		factor := r.seconds * 1e9 / float64(t.elapsedNs+1)
		if t.failure != "" && broken == "" {
			broken = "while calibrating: " + t.failure
		}
		if t.failure != "" && messages >= 100000 {
			return messages, broken
		}
		done := factor <= 2
		if !done && factor > 16 {
			factor = 16
		}
		next := float64(messages) * factor
		switch {
		case next < 1:
			messages = 1
		case next > float64(seqMax):
			messages = seqMax
		default:
			messages = uint64(next)
		}
		if done {
			return messages, broken
		}
	}
}

func row(t *trial, repetition uint64) object {
	o := object{"repetition_index": repetition, "threads": t.workers, "messages": t.messages, "items": t.items,
		"seconds": float64(t.elapsedNs) / 1e9, "verdict": "ok"}
	if t.failure != "" {
		o["verdict"] = t.failure
		return o
	}
	if t.request.number("rate", 0) != 0 {
		o["saturated"] = t.saturated
	} else {
		o["cpu_ns_per_item"] = float64(t.use.cpuNs) / float64(t.items)
		o["ctx_switches_per_item"] = float64(t.use.switches) / float64(t.items)
		o["voluntary_switches"] = t.use.voluntary
		o["involuntary_switches"] = t.use.switches - t.use.voluntary
	}
	if t.latency.total != 0 {
		o["p50_ns"] = t.latency.percentile(50)
		o["p99_ns"] = t.latency.percentile(99)
		o["p999_ns"] = t.latency.percentile(99.9)
		o["max_ns"] = t.latency.max
	}
	for member, value := range t.figures {
		o[member] = value
	}
	return o
}

func run(r *request) {
	body := choose(r)
	switch r.placement {
	case "free", "cores":
	case "one":
		onOneCPU()
	default:
		usageError("--placement must be free, cores or one, not '%s'", r.placement)
	}
	calibrateWork()
	go func() {
		var said uint64
		for range time.Tick(500 * time.Millisecond) {
			if done := progressNow(); done != said {
				printLine(object{"event": "progress", "messages": done})
				said = done
			}
		}
	}()
	messages, broken := r.messages, ""
	if messages == 0 {
		messages, broken = calibrate(r, body)
	}
	printLine(object{"event": "calibrated", "messages": messages})
	for k := uint64(0); k < r.repetitions; k++ {
		printLine(object{"event": "trial", "repetition": k})
		t := runTrial(r, body, messages)
		if broken != "" {
			t.failure = broken
		}
		printLine(object{"row": row(t, k)})
	}
	printLine(object{"event": "done"})
}

func main() {
	switch {
	case len(os.Args) == 2 && os.Args[1] == "list":
		list()
	case len(os.Args) > 2 && os.Args[1] == "run":
		run(readRequest(os.Args[2:]))
	default:
		usageError("usage: list | run --scenario=S --impl=I --NAME=VALUE...")
	}
}
