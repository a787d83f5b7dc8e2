# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Steps of scripts/test: beside other programs that take the CPUs. Sourced after steps.sh.

# slow_cells FILE: what is slower than half of `mutex` in the same cell, by medians, or did not run.
slow_cells() {
	jq -r '
		[.benchmarks[] | select(.run_type == "iteration")
			| (.name | split("/")) as $name
			| { cell: ($name[:1] + $name[2:] | join("/")), impl: $name[1], verdict,
			    rate: (.items_per_second // 0) }
			| select(.impl | IN("mutex", "futex", "vyukov"))]
		| group_by(.cell)[]
		| (map(select(.impl == "mutex").rate) | sort | .[length / 2 | floor] // 0) as $mutex
		| group_by(.impl)[]
		| (map(.rate) | sort | .[length / 2 | floor]) as $rate
		| select($mutex == 0 or $rate < $mutex / 2 or any(.[]; .verdict != "ok"))
		| "\(.[0].impl) \(.[0].cell): \($rate | floor) a second, mutex \($mutex | floor), \([.[].verdict] | unique | join(" "))"' "$1"
}

# Beside two busy loops for each CPU no family is slower than half of `mutex`. A second run is made
# if one seems to be: what the kernel gives to whom is luck in part.
busy_machine() {
	local try status slow again= out=$work/busy.json
	loops=() # not local: the trap is run when the function is over
	trap 'kill "${loops[@]}" 2>/dev/null' EXIT
	for ((try = 2 * $(nproc); try > 0; try--)); do
		while :; do :; done &
		loops+=($!)
	done
	for try in 1 2; do
		"$build_root/release/chanbench" bench --scenario=ping_pong,spsc,fan_in --impl=mutex,futex,vyukov \
			--param=capacity=1024 --processes=3 --repetitions=1 --seconds=0.1 --timeout=20 --no-controls \
			--out="$out"
		status=$?
		[ "$status" -eq 0 ] || return 1
		[ "$(jq '[.benchmarks[] | select(.run_type == "iteration")] | length' "$out")" -ge 27 ] ||
			{ echo "too few trials were measured" && return 1; }
		slow=$(slow_cells "$out") || return 1
		[ -n "$slow" ] || return 0
		# only what was slow in both
		[ -z "$again" ] || slow=$(grep -F "$again" <<<"$slow") || return 0
		again=$(sed "s/: [0-9]* a second.*//" <<<"$slow")
		echo "try $try: slower than half of mutex beside $((2 * $(nproc))) busy loops:" && echo "$slow"
	done
	return 1
}
