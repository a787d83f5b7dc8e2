# SPDX-License-Identifier: MIT
#
# scripts/steps_terminal.sh - steps of scripts/test: what `bench` and `compare` show on a terminal
# and in a pipe. Sourced.

# bench_small FILE ARGUMENT...
bench_small() {
	local file=$1
	shift
	chanbench release bench --scenario=spsc --param=capacity=32 --impl=mutex,futex --seconds=0.01 --out="$file" "$@"
}

# The end of a run, plain in a pipe and with colours only where they are wanted, never too wide.
glance() {
	local json=$work/glance.json
	expect 0 bench_small "$json" && says "$out" '^At a glance$' && says "$out" '^  mpsc: .*first in ' || return
	if grep -q $'\033' "$out"; then echo "escape sequences in a pipe" && return 1; fi
	[ -z "$(awk 'length > 100' "$out")" ] || { awk 'length > 100' "$out" && echo "wider than 100" && return 1; }
	expect 0 bench_small "$json" --color=always && says "$out" $'\033' || return
	refused 2 "--color must be auto, always or never" bench --color=red || return
	# A terminal of 70 columns, with and without NO_COLOR.
	local program="$build_root/release/chanbench bench --scenario=spsc --param=capacity=32 --impl=mutex,futex --seconds=0.01"
	TERM=xterm script -qec "stty cols 70; $program" /dev/null </dev/null >"$work/tty" 2>&1 || return
	says "$work/tty" $'\033' || return
	TERM=xterm NO_COLOR=1 script -qec "stty cols 70; $program 2>/dev/null" /dev/null </dev/null 2>&1 | tr -d '\r' >"$work/tty" || return
	if grep -q $'\033' "$work/tty"; then echo "colours in spite of NO_COLOR" && return 1; fi
	[ -z "$(awk 'length > 70' "$work/tty")" ] || { awk 'length > 70' "$work/tty" && echo "wider than 70" && return 1; }
}

# Planted changes in a file that was measured: each is what compare says it is.
compare_says() {
	local old=$work/compare.old.json new=$work/compare.new.json bad=0
	bench_small "$old" >/dev/null || return
	# Rates as even as can be, so that the machine of the test does not matter.
	jq '.benchmarks |= [.[] | if .control == null then .items_per_second = 1000000 * (1 + .process / 1000) else . end |
		if .control == "aa" then .items_per_second = 1010000 else . end]' "$old" >"$new" && cp "$new" "$old"
	expect 0 chanbench release compare "$old" "$old" && says "$out" 'nothing that could be seen' || bad=1
	jq '.benchmarks |= [.[] | if (.name | startswith("spsc/futex/")) then .items_per_second *= 0.5 else . end]' "$old" >"$new"
	expect 1 chanbench release compare "$old" "$new" && says "$out" '^  SLOWER .* 0.500 ' || bad=1
	expect 0 chanbench release compare "$new" "$old" && says "$out" '^  faster .* 2.000 ' || bad=1
	jq '.context.cpu_model = "another"' "$new" >"$work/compare.machine.json"
	refused 2 'different machines.*cpu_model' compare "$old" "$work/compare.machine.json" || bad=1
	expect 1 chanbench release compare --across-machines "$old" "$work/compare.machine.json" &&
		says "$out" 'ratios to mutex' || bad=1
	jq '.benchmarks |= map(select(.process < 2))' "$old" >"$work/compare.few.json"
	expect 2 chanbench release compare "$old" "$work/compare.few.json" && says "$err" 'nothing was compared' || bad=1
	jq '.benchmarks = []' "$old" >"$work/compare.none.json"
	expect 2 chanbench release compare "$work/compare.none.json" "$work/compare.none.json" &&
		says "$err" 'nothing was compared' || bad=1
	return $bad
}
