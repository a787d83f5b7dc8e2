# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The steps of scripts/test, each a function that succeeds or prints what was wrong. Sourced, not
# run. $work is theirs.

have() {
	command -v "$1" >/dev/null
}

# ------------------------------------------------------------------------------------------
# Sanitizers (lib.sh says what "${plainly[@]}" is for)

# sanitizers_start: whether they do here; a few times, because it is a matter of chance.
sanitizers_start() {
	local sanitizer
	echo 'int main(void) { return 0; }' >"$work/start.c"
	for sanitizer in thread address,undefined; do
		gcc -fsanitize=$sanitizer -o "$work/start" "$work/start.c" || return
		for _ in 1 2 3 4 5 6 7 8; do
			"${plainly[@]}" "$work/start" || return
		done
	done >"$work/start.log" 2>&1
}

# ------------------------------------------------------------------------------------------
# Helpers

# chanbench FLAVOUR ARGUMENT...
chanbench() {
	local flavour=$1 program=$build_root/$1/chanbench
	shift
	case $flavour in
	*san) "${plainly[@]}" "$program" "$@" ;;
	*) "$program" "$@" ;;
	esac
}

# expect STATUS COMMAND...: runs it; what it printed is in $out and $err.
expect() {
	local wanted=$1 status=0
	shift
	out=$work/out.$BASHPID err=$work/err.$BASHPID
	"$@" >"$out" 2>"$err" || status=$?
	[ "$status" -eq "$wanted" ] && return
	printf 'exit status %d, expected %d: %s\n' "$status" "$wanted" "$*"
	tail -n 60 "$out" "$err"
	return 1
}

# says FILE PATTERN: whether a line matches; else shows the file.
says() {
	grep -Eiq -- "$2" "$1" && return
	printf 'no line matches /%s/ in:\n' "$2"
	cat "$1"
	return 1
}

# holds FILE FILTER: whether the jq filter holds for the file.
holds() {
	jq -e "$2" "$1" >/dev/null && return
	printf 'this does not hold for %s: %s\n' "$1" "$2"
	jq -r '(.benchmarks // [])[] | select(.verdict != "ok") | .name + ": " + .verdict' "$1" | head -n 40
	return 1
}

# refused STATUS PATTERN ARGUMENT...: chanbench ends with that status, after one line on stderr that
# matches.
refused() {
	local wanted=$1 pattern=$2
	shift 2
	expect "$wanted" chanbench release "$@" || return
	says "$err" "$pattern" || return
	[ "$(wc -l <"$err")" -eq 1 ] || { echo "more than one line for: $*" && cat "$err" && return 1; }
}

files() { # files PATTERN...: of the tree, committed or about to be; without git whatever is there
	if git -C "$root" rev-parse --git-dir >/dev/null 2>&1; then
		git -c safe.directory='*' -C "$root" ls-files -co --exclude-standard -- "$@"
	else
		local names=()
		for pattern; do names+=(-o -name "$pattern"); done
		(cd "$root" && find . -path ./build -prune -o \( "${names[@]:1}" \) -type f -print | sed 's/^\.\///')
	fi
}

# ------------------------------------------------------------------------------------------
# The sources

style() {
	local bad=0 file words
	cd "$root" || return
	if [ -n "$formatter" ]; then
		files '*.c' '*.h' '*.cc' | xargs -rd '\n' "$formatter" --dry-run -Werror || bad=1
	fi
	for file in $(files '*.c' '*.h' '*.cc'); do
		head -n 1 "$file" | grep -q 'SPDX-License-Identifier: MIT' || { echo "$file: no licence line" && bad=1; }
		[ "$(wc -l <"$file")" -le 900 ] || { echo "$file: over 900 lines" && bad=1; }
	done
	# Taken apart here, so that this line does not find itself.
	words='\b(TO''DO|FIX''ME|XX''X)\b|/(ho''me|ro''ot)/[a-z]'
	if files '*' | xargs -rd '\n' grep -nIE -e "$words" || files '*' | xargs -rd '\n' grep -nIF -e "$root/"; then
		echo "left undone by its own words, or a path of somebody's machine" && bad=1
	fi
	# A comment ends at column 100, with tabs of 8.
	if files '*.c' '*.h' '*.cc' '*.hh' | xargs -rd '\n' awk '
		FNR == 1 { inside = 0 }
		{
			line = $0
			for (width = i = 0; i++ < length(line);)
				width += substr(line, i, 1) == "\t" ? 8 - width % 8 : 1
			gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
			comment = inside || index(line, "/*")
			if (match(line, /.*\/\*/))
				inside = index(substr(line, RLENGTH + 1), "*/") == 0
			else if (index(line, "*/"))
				inside = 0
			if (comment && width > 100) { print FILENAME ":" FNR ": " width " columns"; wide = 1 }
		}
		END { exit !wide }'; then
		echo "comments over 100 columns, above" && bad=1
	fi
	if files 'scenarios/rules/*.c' | xargs -rd '\n' grep -nE '\b(usleep|nanosleep|sleep)\('; then
		echo "a rule that sleeps instead of observing" && bad=1
	fi
	for file in scripts/* .ci/run; do
		[ -d "$file" ] || [[ $file == *.c ]] || bash -n "$file" || bad=1
	done
	return $bad
}

run_shellcheck() {
	cd "$root" && shellcheck -x -S warning -P scripts scripts/{bench,test,soak,fuzz,explore,mutants,coverage,setup,ports} harness/explore/explorable .ci/run .clusterfuzzlite/build.sh \
		harness/drivers/build
}

# ------------------------------------------------------------------------------------------
# What a fuzzing cluster builds

# cluster_build: builds as ClusterFuzzLite does, and runs each target on its seeds and a thousand
# inputs more, from another folder.
cluster_build() {
	local out=$work/cluster/out target seeds=$work/cluster/seeds status=0
	# A compiler that fails is the script's failure, also as a cluster calls it.
	CC=false CXX=false LIB_FUZZING_ENGINE=-fsanitize=fuzzer OUT=$out WORK=$work/cluster/broken bash "$root/.clusterfuzzlite/build.sh" \
		&>"$work/cluster.broken" || status=$?
	[ "$status" -ne 0 ] || { echo "a build without a compiler ends with 0" && return 1; }
	CC=clang CXX=clang++ CFLAGS='-O1 -fsanitize=address,fuzzer-no-link' CXXFLAGS='-O1 -fsanitize=address,fuzzer-no-link' \
		LIB_FUZZING_ENGINE=-fsanitize=fuzzer SANITIZER=address OUT=$out WORK=$work/cluster bash "$root/.clusterfuzzlite/build.sh" || return
	cd "$out" || return
	for target in "$root"/fuzz/fuzz_*.c; do
		target=$(basename "$target" .c)
		grep -q '^\[libfuzzer\]' "$target.options" || return
		[ ! -f "$root/fuzz/$target.dict" ] || cmp "$target.dict" "$root/fuzz/$target.dict" || return
		rm -rf "$seeds" && mkdir -p "$seeds" && unzip -q "${target}_seed_corpus.zip" -d "$seeds" || return
		"${plainly[@]}" "./$target" -runs=1000 -timeout=10 -artifact_prefix="$work/cluster/" "$seeds" || return
	done
}

# ------------------------------------------------------------------------------------------
# What is built

# A warning is an error in the flavours that are made for tests. Users build release, where it is none; here it is.
build_without_warnings() {
	build "$1" || return
	! grep -nE '(^|[^a-z])warning: ' "$build_root/$1.log"
}

unit_tests() {
	local flavour=$1 prefix=()
	shift
	[[ $flavour != *san ]] || prefix=("${plainly[@]}")
	"${prefix[@]}" ctest --test-dir "$build_root/$flavour" --output-on-failure --no-tests=error -j "$(nproc)" "$@"
}

# All families at once: a test mostly waits until nothing moves.
rules() {
	local name bad=0 names
	declare -A running=()
	mapfile -t names < <(chanbench "$1" list --json | jq -r '.implementations[] | select(.peer == null).name')
	[ ${#names[@]} -gt 0 ] || return
	for name in "${names[@]}"; do
		chanbench "$1" check --impl="$name" >"$work/rules.$name" 2>&1 &
		running[$name]=$!
	done
	for name in "${names[@]}"; do
		wait "${running[$name]}" || bad=1
		cat "$work/rules.$name"
	done
	return $bad
}

stress() { # FLAVOUR SECONDS
	chanbench "$1" stress --seconds="$2" --histories="$work"
}

# What a failed check saw is left whole, and can be checked again. The channel exchanges messages,
# which the tally may be the first to miss; then another seed is tried.
history_files() {
	local folder=$work/histories bad=0 seed file
	mkdir -p "$folder" && rm -f "$folder"/* && broken "$work/broken.so" || return
	for seed in 1 2 3 4 5; do
		expect 1 chanbench release stress --plugin="$work/broken.so" --impl=broken_swap --kind=mpsc --threads=2 \
			--seconds=60 --seed=$seed --histories="$folder" || return
		file=$(sed -n 's/^the whole history is in \(.*\); chanbench stress --check-history=FILE .*/\1/p' "$out")
		[ -z "$file" ] || break
	done
	[ -s "$file" ] || { cat "$out" && echo "no history was left" && return 1; }
	expect 1 chanbench release stress --check-history="$file" || bad=1
	says "$out" '^broken_swap mpsc, .* operations: HISTORY' && says "$out" 'in the other order than they were sent' || bad=1
	head -c 3000 "$file" >"$folder/cut"
	refused 2 'cut, line [0-9]+: .*cut off' stress --check-history="$folder/cut" || bad=1
	refused 2 'missing: No such file' stress --check-history="$folder/missing" || bad=1
	refused 2 'no other option' stress --check-history="$file" --seed=1 || bad=1
	refused 2 'no file can be left in .*missing.: No such file' stress --histories="$folder/missing" || bad=1
	for seed in 1 2 3 4 5; do
		expect 1 env TMPDIR="$folder/missing" "$build_root/release/chanbench" stress --plugin="$work/broken.so" \
			--impl=broken_swap --kind=mpsc --threads=2 --seconds=60 --seed=$seed || return
		! grep -q HISTORY "$out" || break
	done
	says "$out" "could not be written to a file in $folder/missing: No such file or directory" || bad=1
	return $bad
}

# Everything that can run, once, with its ledger; no scenario may go without a good trial.
scenarios() {
	local json=$work/scenarios.$1.json
	expect 0 chanbench "$1" bench --quick --seconds=0.01 --processes=1 --repetitions=1 --no-controls --out="$json" || return
	holds "$json" '.benchmarks | length > 0 and all(.verdict == "ok" and .items_per_second > 0)' || return
	chanbench "$1" list --json >"$work/list.$1.json" || return
	jq -r '.scenarios[].name' "$work/list.$1.json" | sort >"$work/wanted.$1"
	jq -r '.benchmarks[].name | split("/")[0]' "$json" | sort -u >"$work/measured.$1"
	diff "$work/wanted.$1" "$work/measured.$1" || { echo "scenarios without a trial, above" && return 1; }
}

# What the machine can do without a channel: each of them says it, and the tables begin with it.
limits() {
	local json=$work/limits.json name
	expect 0 chanbench "$1" bench --scenario=limits --seconds=0.01 --processes=1 --repetitions=1 --out="$json" || return
	holds "$json" '.benchmarks | length == 5 and all(.verdict == "ok" and .items_per_second > 0 and .control == "limit")' || return
	expect 0 chanbench "$1" bench --scenario=spsc,ping_pong --impl=mutex --seconds=0.01 --processes=1 --repetitions=1 || return
	for name in ring ring_by_32 cache_line futex cond; do
		[ "$(grep -c "^  $name (limit) *ok" "$out")" = 1 ] || { echo "not once before the tables: $name" && return 1; }
	done
}

# Every scenario over the whole range of its parameters, shortly.
sweeps() {
	local flavour=$1 json=$work/sweeps.json sweep
	local -a sweeps=(
		"fan_in --param=producers=1,2,4,8,64 --param=capacity=1,10,32,100,1024,10000,unbounded --param=size=8,64,256,1024 --param=batch=1,32"
		"pipeline --param=stages=1,3,16 --param=capacity=1,10,1024,unbounded"
		"broadcast_lag --param=producers=1,4 --param=consumers=1,4,16 --param=capacity=2,16,100,1024 --param=slow=0,1"
		"backpressure --param=capacity=2,3,10 --param=mode=block,try,deadline --param=work_ns=0,850,100000"
		"spsc --param=capacity=1,32,1024,unbounded --param=size=8,1024 --param=batch=1,32"
		"mpmc --param=producers=1,4,16 --param=consumers=2,4,16 --param=capacity=1,1024,unbounded"
		"ping_pong --param=capacity=1,unbounded --param=size=8,1024"
		"oneshot --param=mode=local,request_reply --param=producers=1,4"
		"watch --param=mode=read,wake --param=consumers=1,4,16 --param=size=8,64,1024"
	)
	for sweep in "${sweeps[@]}"; do
		# shellcheck disable=SC2086 # several words
		expect 0 chanbench "$flavour" bench --scenario=$sweep --seconds=0.01 --processes=1 --repetitions=1 \
			--no-controls --out="$json" || return
		holds "$json" '.benchmarks | length > 0 and all(.verdict == "ok")' || return
	done
}

placements() {
	local placement
	for placement in free cores one; do
		expect 0 chanbench release bench --quick --seconds=0.02 --processes=1 --repetitions=1 --no-controls \
			--placement=$placement || return
	done
}

quick_table() {
	expect 0 chanbench release bench --quick && cat "$out" && says "$out" '^At a glance$' && says "$out" '^  mpsc: '
}

repeat() {
	local times=$1
	shift
	for ((i = 0; i < times; i++)); do
		"$@" >"$work/repeat.$BASHPID" 2>&1 || { cat "$work/repeat.$BASHPID" && return 1; }
	done
}

# loaded COMMAND...: beside twice as many busy loops as there are CPUs.
loaded() {
	local busy=() status=0
	for ((i = 0; i < 2 * $(nproc); i++)); do
		while :; do :; done &
		busy+=($!)
	done
	"$@" || status=$?
	kill "${busy[@]}"
	return $status
}

# ------------------------------------------------------------------------------------------
# The front door

wrong_usage() {
	local bad=0
	refused 2 "did you mean 'bench'" bensh || bad=1
	refused 2 "did you mean 'fan_in'" bench --scenario=fanin || bad=1
	refused 2 "did you mean 'mutex'" bench --impl=mutx || bad=1
	refused 2 "did you mean '--?quick'" bench --qick || bad=1
	refused 2 'capacity' bench --scenario=spsc --param=capacity=0 || bad=1
	refused 2 'capacity' bench --scenario=spsc --param=capacity=99999999999999999999999 || bad=1
	refused 2 'size' bench --scenario=spsc --param=size=99999999999 || bad=1
	refused 2 'placement' bench --placement=moon || bad=1
	refused 2 'no-such-file' compare "$work/no-such-file.json" "$work/no-such-file.json" || bad=1
	for command in "" list bench compare check stress explore; do
		expect 0 chanbench release $command --help || bad=1
		[ -s "$out" ] || { echo "$command --help says nothing" && bad=1; }
	done
	expect 2 "$root/scripts/bench" --qick || bad=1
	expect 2 "$root/scripts/test" --ful || bad=1
	return $bad
}

unwritable() {
	local bad=0 small=(bench --scenario=spsc --impl=mutex --seconds=0.01 --processes=1 --repetitions=1 --no-controls)
	refused 3 'no-such-folder' "${small[@]}" --out="$work/no-such-folder/out.json" || bad=1
	refused 3 "$work" "${small[@]}" --out="$work" || bad=1
	expect 3 chanbench release "${small[@]}" --out=/dev/full && says "$err" '/dev/full' || bad=1
	expect 0 chanbench release "${small[@]}" --out=/dev/stdout && says "$out" '"benchmarks"' || bad=1
	[ -c /dev/full ] || { echo "/dev/full was replaced" && bad=1; }
	return $bad
}

# child_names PID PATTERN: whether a child of that process has that on its command line, which is
# the parent's until it executes something.
child_names() {
	local child
	for child in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do
		[ -r "/proc/$child/cmdline" ] || continue
		tr '\0' ' ' 2>/dev/null <"/proc/$child/cmdline" | grep -q -e "$2" && return
	done
	return 1
}

# Ctrl-C and SIGTERM in the middle: what was measured is kept and marked, and the status says which
# it was.
interrupted() {
	local bad=0 signal status pid json number
	broken "$work/broken.so" || return
	for signal in INT TERM; do
		json=$work/interrupted.$signal.json
		number=$(kill -l $signal)
		# The second implementation hangs until the watchdog's minutes are over: the signal
		# finds it there.
		"$build_root/release/chanbench" bench --scenario=spsc --plugin="$work/broken.so" --impl=mutex,broken_close \
			--timeout=300 --seconds=0.02 --processes=2 --repetitions=1 --no-controls --out="$json" \
			>"$work/out.$signal" 2>"$work/err.$signal" &
		pid=$!
		until child_names $pid 'bench-cell .*broken_close' || ! kill -0 $pid 2>/dev/null; do :; done
		kill -$signal $pid
		wait $pid
		status=$?
		[ "$status" -eq $((128 + number)) ] || { echo "SIG$signal: status $status" && bad=1; }
		says "$work/out.$signal" 'the run was interrupted' || bad=1
		holds "$json" '.context.interrupted == true' || bad=1
	done
	return $bad
}
