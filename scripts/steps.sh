# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The steps of scripts/test, each a function that succeeds or prints what was wrong. Sourced, not run. $work is theirs.

have() {
	command -v "$1" >/dev/null
}

# ------------------------------------------------------------------------------------------------------------------
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

# ------------------------------------------------------------------------------------------------------------------
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

files() { # files PATTERN...: of the tree, committed or about to be; without git whatever is there
	if git -C "$root" rev-parse --git-dir >/dev/null 2>&1; then
		git -c safe.directory='*' -C "$root" ls-files -co --exclude-standard -- "$@"
	else
		local names=()
		for pattern; do names+=(-o -name "$pattern"); done
		(cd "$root" && find . -path ./build -prune -o \( "${names[@]:1}" \) -type f -print | sed 's/^\.\///')
	fi
}

# ------------------------------------------------------------------------------------------------------------------
# The sources

style() {
	local bad=0 file words
	cd "$root" || return
	if clang-format --version | grep -q 'version 14\.'; then
		files '*.c' '*.h' '*.cc' | xargs -rd '\n' clang-format --dry-run -Werror || bad=1
	else
		echo "clang-format is not version 14, whose format the tree has: cannot compare" && bad=1
	fi
	for file in $(files '*.c' '*.h' '*.cc'); do
		head -n 1 "$file" | grep -q 'SPDX-License-Identifier: MIT' || { echo "$file: no licence line" && bad=1; }
		[ "$(wc -l <"$file")" -le 500 ] || [ "$file" = impls/channel.h ] || { echo "$file: over 500 lines" && bad=1; }
	done
	# Taken apart here, so that this line does not find itself.
	words='\b(TO''DO|FIX''ME|XX''X)\b|/(ho''me|ro''ot)/[a-z]'
	if files '*' | xargs -rd '\n' grep -nIE -e "$words" || files '*' | xargs -rd '\n' grep -nIF -e "$root/"; then
		echo "left undone by its own words, or a path of somebody's machine" && bad=1
	fi
	if files 'impls/*' | xargs -rd '\n' grep -nE '#include "(harness|scenarios)/'; then
		echo "impls/ must know nothing of the harness" && bad=1
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
	cd "$root" && shellcheck -x -S warning -P scripts scripts/{bench,test,soak,fuzz,explore,mutants,coverage,setup} harness/explore/explorable .ci/run .clusterfuzzlite/build.sh \
		impls/peers/drivers/build
}

# ------------------------------------------------------------------------------------------------------------------
# What a fuzzing cluster builds

# cluster_build: builds as ClusterFuzzLite does, and runs each target on its seeds and a thousand inputs more, from another folder.
cluster_build() {
	local out=$work/cluster/out target seeds=$work/cluster/seeds
	CC=clang CXX=clang++ CFLAGS='-O1 -fsanitize=address,fuzzer-no-link' CXXFLAGS='-O1 -fsanitize=address,fuzzer-no-link' \
		LIB_FUZZING_ENGINE=-fsanitize=fuzzer SANITIZER=address OUT=$out WORK=$work/cluster "$root/.clusterfuzzlite/build.sh" || return
	cd "$out" || return
	for target in "$root"/fuzz/fuzz_*.c; do
		target=$(basename "$target" .c)
		grep -q '^\[libfuzzer\]' "$target.options" || return
		[ ! -f "$root/fuzz/$target.dict" ] || cmp "$target.dict" "$root/fuzz/$target.dict" || return
		rm -rf "$seeds" && mkdir -p "$seeds" && unzip -q "${target}_seed_corpus.zip" -d "$seeds" || return
		"${plainly[@]}" "./$target" -runs=1000 -timeout=10 -artifact_prefix="$work/cluster/" "$seeds" || return
	done
}

# ------------------------------------------------------------------------------------------------------------------
# What is built

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

explore() { # FLAVOUR SECONDS
	chanbench "$1" explore --seconds="$2"
}

# explored MACRO [ARGUMENT...]: explores scripts/broken_program.c with that macro defined; what it says is in $out.
explored() {
	local source=$work/explored/$1.c status=1
	[ "$1" != OK ] || status=0
	mkdir -p "$work/explored" && { echo "#define $1" && cat "$root/scripts/broken_program.c"; } >"$source" || return
	expect $status chanbench release explore --plugin-source="$source" --seconds=10 "${@:2}"
}

# Each defect has its verdict, with each compiler that is here; and its schedule can be had again, from another process.
explorer_verdicts() {
	local bad=0 macro verdict replay compiler
	for compiler in clang-19 clang-14 gcc; do
		have $compiler || continue
		export CC=$compiler
		explored OK --json && holds "$out" '.runs[0] | .verdict == "ok" and .exhausted and .replay == null' || bad=1
		for macro in RACE DEADLOCK ASSERT USE_AFTER_FREE DOUBLE_FREE LEAK LIVELOCK HANG; do
			verdict=$(tr 'A-Z_' 'a-z-' <<<"$macro")
			explored $macro --json && holds "$out" ".runs[0].verdict == \"$verdict\"" || { bad=1 && continue; }
			replay=$(jq -r '.runs[0].replay' "$out")
			explored $macro --replay="$replay" && says "$out" "^$macro.c main: $verdict" || bad=1
		done
	done
	unset CC
	refused 2 'of other code' explore --plugin-source="$work/explored/LEAK.c" --replay="${replay/HANG.c/LEAK.c}" || bad=1
	expect 1 chanbench release explore --plugin-source="$work/explored/RACE.c" && says "$out" 'explore --plugin-source=.* --replay=' || bad=1
	return $bad
}

# What cannot be explored is said, and never passes.
explorer_refuses() {
	local bad=0 folder=$work/explored
	mkdir -p "$folder" || return
	echo 'int main(void) { return missing; }' >"$folder/wrong.c"
	echo 'int nothing;' >"$folder/nothing.c"
	echo 'int n; int main(void) { __asm__ volatile("lock incl %0" : "+m"(n)); return 0; }' >"$folder/assembler.c"
	echo 'struct s { long a, b; }; _Atomic struct s p; int main(void) { struct s v = p; v.a = 1; p = v; return 0; }' >"$folder/wide.c"
	refused 2 'missing\.c: No such file' explore --plugin-source="$folder/missing.c" || bad=1
	expect 2 chanbench release explore --plugin-source="$folder/wrong.c" && says "$err" 'wrong\.c does not compile with' || bad=1
	refused 2 'neither a plug-in' explore --plugin-source="$folder/nothing.c" || bad=1
	refused 2 'atomic instructions that the explorer cannot see' explore --plugin-source="$folder/assembler.c" || bad=1
	refused 2 'more than 8 bytes' explore --plugin-source="$folder/wide.c" || bad=1
	refused 2 "did you mean 'pct'" explore --strategy=pcd || bad=1
	refused 2 "unknown program 'mpsc/send_rec'; did you mean 'mpsc/send_recv'" explore --program=mpsc/send_rec || bad=1
	refused 2 "unknown implementation 'mutx'; did you mean 'mutex'" explore --impl=mutx || bad=1
	refused 2 'seconds' explore --seconds=0 || bad=1
	refused 2 'replay' explore --replay=nonsense || bad=1
	refused 2 'is of mpsc/nothing on mutex' explore --replay=mutex:mpsc/nothing:x || bad=1
	refused 2 'refused' explore --replay=mutex:mpsc/send_recv:x1-0000-c-1- || bad=1
	expect 3 env CC=no-such-compiler "$build_root/release/chanbench" explore --plugin-source="$folder/wide.c" &&
		says "$err" 'no-such-compiler' || bad=1
	return $bad
}

# The orders that hand a value over are needed, and those of a counter that nobody goes by are not.
explorer_weakens() {
	mkdir -p "$work/explored" || return
	cat >"$work/explored/orders.c" <<-'END'
		#include <assert.h>
		#include <pthread.h>
		#include <stdatomic.h>
		static int value;
		static atomic_int ready, counter;
		static void *give(void *arg)
		{
			atomic_fetch_add_explicit(&counter, 1, memory_order_acq_rel);
			value = 42;
			atomic_store_explicit(&ready, 1, memory_order_release);
			return arg;
		}
		int main(void)
		{
			pthread_t thread;
			pthread_create(&thread, NULL, give, NULL);
			if (atomic_load_explicit(&ready, memory_order_acquire) == 1)
				assert(value == 42);
			pthread_join(thread, NULL);
			return 0;
		}
	END
	expect 0 chanbench release explore --plugin-source="$work/explored/orders.c" --weaken --seconds=10 --json || return
	holds "$out" '.sites | length == 4 and all((.operation == "rmw") == (.outcome == "survived"))'
}

# Two threads that do two operations each, some of which wait: nothing is left to explore, on each implementation of ours.
explorer_exhausts() {
	local programs='mpsc/try_send_try_recv,unbounded/try_send_try_recv,oneshot/send_recv,broadcast/send_against_try_recv,watch/write_against_borrow'
	programs+=,mpsc/timeout_against_delivery,mpsc/permit_set_dropped,watch/changed_against_drop
	expect 0 chanbench release explore --program="$programs" --strategy=dfs --schedules=40000 --json || return
	holds "$out" '.runs | length == 24 and all(.verdict == "ok" and .exhausted)'
}

# The same seed explores the same schedules, whatever else the machine does, and wherever: another directory, another
# environment, other addresses, one processor.
explorer_repeats() {
	local bad=0 strategy facts='[.runs[] | [.implementation, .program, .verdict, .executions, .states, .redundant, .exhausted]]'
	local arguments=(--program='*two_senders*,broadcast/*,rules/mpsc/S-15/*' --seed=7 --schedules=500 --json)
	for strategy in random pct dfs auto; do
		expect 0 chanbench release explore --strategy=$strategy "${arguments[@]}" && jq -c "$facts" "$out" >"$work/repeats.1" || return
		(cd / && "${plainly[@]}" taskset -c 0 env -i TZ=Asia/Tokyo LC_ALL=C.UTF-8 HOME=/nonexistent LONG="$(printf '%05000d' 0)" \
			"$build_root/release/chanbench" explore --strategy=$strategy "${arguments[@]}") >"$work/repeats.json" &&
			jq -c "$facts" "$work/repeats.json" >"$work/repeats.2" || return
		cmp "$work/repeats.1" "$work/repeats.2" || { echo "--strategy=$strategy differs from run to run" && bad=1; }
	done
	return $bad
}

# Ctrl-C in the middle: what was explored is told, and nothing is left behind.
explorer_interrupted() {
	local bad=0 pid status folder=$work/explored/tmp
	rm -rf "$folder" && mkdir -p "$folder" || return
	{ echo '#define HANG' && cat "$root/scripts/broken_program.c"; } >"$folder.c"
	TMPDIR=$folder "$build_root/release/chanbench" explore --seconds=600 --json >"$work/out.explore" 2>"$work/err.explore" &
	pid=$!
	until child_names $pid 'run mutex' || ! kill -0 $pid 2>/dev/null; do :; done
	kill -INT $pid
	wait $pid
	status=$?
	[ $status -eq 130 ] || { echo "SIGINT: status $status" && bad=1; }
	holds "$work/out.explore" '.interrupted == true' && says "$work/err.explore" 'interrupted' || bad=1
	TMPDIR=$folder "$build_root/release/chanbench" explore --plugin-source="$folder.c" >"$work/out.explore" 2>&1 &
	pid=$!
	until child_names $pid explorable || ! kill -0 $pid 2>/dev/null; do :; done
	kill -TERM $pid
	wait $pid
	status=$?
	[ $status -eq 143 ] || { echo "SIGTERM: status $status" && bad=1; }
	[ -z "$(ls -A "$folder")" ] || { echo "left behind:" && ls -lR "$folder" && bad=1; }
	return $bad
}

# A plug-in's source, out of the tree.
explorer_plugin() {
	mkdir -p "$work/explored" && cp "$root/impls/example/example.c" "$work/explored/" || return
	expect 0 chanbench release explore --plugin-source="$work/explored/example.c" --schedules=1000 --json || return
	holds "$out" '.runs | length > 10 and all(.verdict == "ok" and .implementation == "example")'
}

# The tests of the rules, each under a few schedules on each implementation of ours; --list accounts for every test. A wakeup that is
# lost in the moment between a look and the wait is found by the rule that speaks of it.
explorer_rules() {
	local bad=0 source=$work/explored/forgetful.c replay
	mkdir -p "$work/explored" || return
	expect 0 chanbench release explore --program='rules/*' --schedules=20 --json &&
		holds "$out" '.runs | length > 1500 and all(.verdict == "ok")' || bad=1
	expect 0 chanbench release explore --list --program='rules/*' && says "$out" '^not explored +rules/mpsc/S-16/five_signals +it sends signals' &&
		! grep 'no implementation here' "$out" || bad=1
	sed 's/^\( *\t*\)pthread_cond_wait(cond, lock);/pthread_mutex_unlock(lock); pthread_mutex_lock(lock);\n&/' \
		"$root/impls/example/example.c" >"$source" || return
	expect 1 chanbench release explore --plugin-source="$source" --program='rules/mpsc/X-1/*' --schedules=500 --json &&
		holds "$out" '.runs[0] | .verdict == "assert" and (.message | startswith("X-1: No wake is lost"))' || return
	replay=$(jq -r '.runs[0].replay' "$out")
	expect 1 chanbench release explore --plugin-source="$source" --replay="$replay" && says "$out" 'X-1: No wake is lost' &&
		says "$out" 'T0 -- thread a: ' || bad=1
	return $bad
}

stress() { # FLAVOUR SECONDS
	chanbench "$1" stress --seconds="$2" --histories="$work"
}

# What a failed check saw is left whole, and can be checked again. The channel exchanges messages, which a ledger may be the first to miss; then
# another seed is tried.
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

# What the machine can do without a channel: each of them says it, and every table shows it.
limits() {
	local json=$work/limits.json name
	expect 0 chanbench "$1" bench --scenario=limits --seconds=0.01 --processes=1 --repetitions=1 --out="$json" || return
	holds "$json" '.benchmarks | length == 5 and all(.verdict == "ok" and .items_per_second > 0 and .control == "limit")' || return
	expect 0 chanbench "$1" bench --scenario=spsc,ping_pong --impl=mutex --seconds=0.01 --processes=1 --repetitions=1 || return
	for name in ring ring_by_32 cache_line futex cond; do
		[ "$(grep -c "^  $name (limit) *ok" "$out")" -gt 1 ] || { echo "not in every table: $name" && return 1; }
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
	expect 0 chanbench release bench --quick && cat "$out"
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

# ------------------------------------------------------------------------------------------------------------------
# Installed, and plug-ins

prefix() {
	cmake --install "$build_root/release" --prefix "$work/installed" >/dev/null
}

# The header alone as C and as C++, and a program that links the library and picks from it.
installed() {
	prefix || return
	cat >"$work/winner.c" <<-'END'
		#include <chanbench/channel.h>
		#include <stdio.h>
		extern const struct chan_impl chan_mutex;
		int main(void)
		{
			struct chan_config config = {.size = sizeof(int), .capacity = 2};
			struct chan_sender *tx;
			struct chan_receiver *rx;
			int value = 7, got = 0;
			if (chan_mutex.mpsc->open(&config, &tx, &rx) != CHAN_OK)
				return 1;
			chan_mutex.mpsc->send(tx, &value, CHAN_FOREVER);
			chan_mutex.mpsc->sender_drop(&tx);
			chan_mutex.mpsc->recv(rx, &got, chan_deadline_in(1000000000));
			chan_mutex.mpsc->receiver_drop(&rx);
			printf("%d\n", got);
			return 0;
		}
	END
	local lib
	lib=$(find "$work/installed" -name libchannels.a)
	for compiler in gcc clang; do
		$compiler -std=gnu11 -Wall -Wextra -Werror -I"$work/installed/include" -o "$work/winner" "$work/winner.c" "$lib" -pthread || return
		[ "$("$work/winner")" = 7 ] || { echo "$compiler: the value did not arrive" && return 1; }
	done
	echo '#include <chanbench/channel.h>' >"$work/header.cc"
	for compiler in g++ clang++; do
		$compiler -std=c++17 -pedantic -Wall -Wextra -Werror -I"$work/installed/include" -fsyntax-only "$work/header.cc" || return
	done
	for compiler in gcc clang; do
		$compiler -std=c11 -pedantic -Wall -Wextra -Werror -I"$work/installed/include" -x c -fsyntax-only "$work/header.cc" || return
	done
	"$work/installed/bin/chanbench" list --json | jq -e '.implementations | length > 0' >/dev/null
}

# takes_part FLAVOUR FILE NAME OTHERS: a plug-in is listed, keeps the rules, and gets numbers beside the others.
takes_part() {
	local flavour=$1 file=$2 name=$3 others=$4 json=$work/takes_part.$3.$1.json
	chanbench "$flavour" list --json --plugin="$file" >"$json" || return
	holds "$json" ".implementations | map(.name) | index(\"$name\") != null" || return
	expect 0 chanbench "$flavour" check --plugin="$file" --impl="$name" || return
	expect 0 chanbench "$flavour" bench --quick --seconds=0.02 --processes=1 --repetitions=1 --no-controls \
		--plugin="$file" --impl="$name${others:+,$others}" --out="$json" || return
	holds "$json" ".benchmarks | map(select(.name | split(\"/\")[1] == \"$name\")) | length > 0 and all(.verdict == \"ok\")" ||
		return
	says "$out" "(^|[^a-z])$name .* ok"
}

# example_plugin COMPILER FLAVOUR: out of the tree, against the installed header alone.
example_plugin() {
	local file=$work/example.$1.$2.so sanitize=()
	[ "$2" != tsan ] || sanitize=(-fsanitize=thread -g)
	prefix || return
	cp "$root/impls/example/example.c" "$work/"
	(cd "$work" && "$1" -std=gnu11 -O2 -Wall -Wextra -Wconversion -Wshadow -Werror -fPIC -shared "${sanitize[@]}" \
		-Iinstalled/include -o "$file" example.c) || return
	takes_part "$2" "$file" example mutex
}

# readme_block LANGUAGE: the code blocks of that language in the README.
readme_block() {
	awk -v language="$1" '$0 == "```" language { on = 1; next } /^```/ { on = 0 } on' "$root/README.md"
}

# The plug-in of the README, with the README's own commands, as if typed at the top of a clone.
readme_plugin() {
	local lines top="$work/a clone"
	rm -rf "$top" && mkdir "$top" && ln -s "$root/impls" "$root/scripts" "$top/" && ln -s "$build_root" "$top/build" || return
	readme_block c >"$top/mine.c"
	lines=$(grep -vc '^#include' "$top/mine.c")
	[ "$lines" -gt 0 ] && [ "$lines" -le 30 ] || { echo "the README's plug-in has $lines lines, not 1 to 30" && return 1; }
	readme_block sh | sed -n '/mine\.c/,$p' >"$top/commands"
	[ -s "$top/commands" ] || { echo "the README has no commands for its plug-in" && return 1; }
	(cd "$top" && expect 0 bash -eux commands && cat "$out") || return
	takes_part release "$top/mine.so" mine mutex
}

# Every path, option and preset that the README puts between backquotes is there.
readme_names() {
	local bad=0 name
	{
		chanbench release --help
		for name in list bench compare check stress explore; do chanbench release $name --help; done
		cat "$root"/scripts/{bench,test,soak,fuzz,explore,mutants,coverage,setup} harness/explore/explorable # their options
	} >"$work/help" 2>&1
	for name in $(grep -oE -- '--[a-z][a-z-]+' "$root/README.md" | sort -u); do
		case $name in
		--full | --help | --install | --prefix | --preset | --build) ;;
		*) grep -q -e "$name" "$work/help" || { echo "README names $name, which no --help does" && bad=1; } ;;
		esac
	done
	for name in $(grep -oE '`[a-zA-Z.]+/[a-zA-Z_./]*`' "$root/README.md" | tr -d '`' | sort -u); do
		case $name in
		build/* | chanbench/channel.h) ;; # made, not kept
		*) [ -e "$root/$name" ] || { echo "README names $name, which is not there" && bad=1; } ;;
		esac
	done
	return $bad
}

# broken FILE [MACRO]: builds scripts/broken_plugin.c.
broken() {
	gcc -std=gnu11 -O2 -Wall -Wextra -Wconversion -Wshadow -Werror -fPIC -shared -I"$root" ${2:+"-D$2"} -o "$1" \
		"$root/scripts/broken_plugin.c" "$build_root/release/impls/libchannels.a" -pthread
}

# table_verdict FILE NAME: what the table says of an implementation, footnotes put in their place.
table_verdict() {
	awk -v name="$2" '
		$1 == name && match($0, /\[[0-9]+\]/) { line = $0; note = substr($0, RSTART, RLENGTH); next }
		$1 == name { print }
		note != "" && $1 == note { print line ": " $0; note = "" }' "$1"
}

# Each broken channel is named for what it did, in the table, in the file and by the exit status; the others' numbers stand.
broken_channels() {
	local json=$work/broken.json bad=0 name verdict
	local -A verdicts=([drop]='lost [0-9]+' [duplicate]='duplicated [0-9]+' [swap]='reordered [0-9]+'
		[close]='hung' [crash]='crashed .SIGSEGV.' [lag]='wrong lag')
	broken "$work/broken.so" || return
	expect 1 chanbench release bench --plugin="$work/broken.so" --scenario=spsc,broadcast_lag --preset=comparison \
		--processes=1 --repetitions=2 --seconds=0.05 --timeout=2 --no-controls --out="$json" \
		--impl=mutex,broken_drop,broken_duplicate,broken_swap,broken_close,broken_crash,broken_lag || return
	cat "$out"
	for name in "${!verdicts[@]}"; do
		verdict=${verdicts[$name]}
		table_verdict "$out" "broken_$name" >"$work/verdict"
		says "$work/verdict" "(BROKEN.*)?$verdict" || bad=1
		holds "$json" "[.benchmarks[] | select(.name | contains(\"/broken_$name/\"))] | length > 0 and
			any(.verdict | test(\"$verdict\"; \"i\")) and all(.verdict != \"ok\" and .error_occurred and
			(has(\"items_per_second\") | not))" || bad=1
	done
	holds "$json" '[.benchmarks[] | select(.name | contains("/mutex/"))] | length > 0 and
		all(.verdict == "ok" and .items_per_second > 0)' || bad=1
	return $bad
}

# A soak of seconds: every kind of ours gets its line; what loses values is found; wrong usage and Ctrl-C have their statuses.
soak() {
	local bad=0 kind pid soak=$root/scripts/soak
	expect 0 "$soak" --minutes=0.02 || return
	for kind in mpsc unbounded oneshot broadcast watch; do
		says "$out" "^[a-z]+ +$kind .* ok$" || bad=1
	done
	broken "$work/broken.so" || return
	expect 1 "$soak" --minutes=0.02 --plugin="$work/broken.so" --impl=broken_drop --kind=mpsc || bad=1
	says "$out" '^broken_drop +mpsc .*(LEDGER|HUNG)' || bad=1
	expect 2 "$soak" --minutes=0 || bad=1
	expect 2 "$soak" --minute=1 || bad=1
	expect 2 "$soak" --kind=pipe || bad=1
	expect 0 "$soak" --help && says "$out" '--minutes=N' || bad=1
	"$soak" --minutes=30 --impl=mutex --kind=mpsc >"$work/out.soak" 2>&1 &
	pid=$!
	until child_names $pid stress || ! kill -0 $pid 2>/dev/null; do :; done
	kill -TERM $pid
	wait $pid || [ $? -eq 143 ] || { echo "SIGTERM: status $?" && bad=1; }
	says "$work/out.soak" 'interrupted' && says "$work/out.soak" '^mutex +mpsc .* ok' || bad=1
	return $bad
}

# refused STATUS PATTERN ARGUMENT...: chanbench ends with that status, after one line on stderr that matches.
refused() {
	local wanted=$1 pattern=$2
	shift 2
	expect "$wanted" chanbench release "$@" || return
	says "$err" "$pattern" || return
	[ "$(wc -l <"$err")" -eq 1 ] || { echo "more than one line for: $*" && cat "$err" && return 1; }
}

# What is wrong with a plug-in itself is said in one line that names the file, by every command that loads it.
broken_plugins() {
	local bad=0 command
	broken "$work/version.so" BROKEN_VERSION && broken "$work/symbol.so" BROKEN_SYMBOL &&
		broken "$work/hang.so" BROKEN_LOAD_HANG && broken "$work/crash.so" BROKEN_LOAD_CRASH || return
	echo "no shared object" >"$work/text.so"
	for command in list check bench; do
		refused 2 'missing\.so.*no such file' $command --plugin="$work/missing.so" || bad=1
		refused 2 'text\.so.*cannot be loaded' $command --plugin="$work/text.so" || bad=1
		refused 2 'symbol\.so.*no plug-in' $command --plugin="$work/symbol.so" || bad=1
		refused 2 'version\.so.*version 2.*version 1' $command --plugin="$work/version.so" || bad=1
		refused 2 'crash\.so.*crashed \(SIGSEGV\)' $command --plugin="$work/crash.so" || bad=1
	done
	refused 2 'hang\.so.*hangs' list --plugin="$work/hang.so" || bad=1
	return $bad
}

# ------------------------------------------------------------------------------------------------------------------
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

# child_names PID WORD: whether a child of that process has the word on its command line.
child_names() {
	local child
	for child in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do
		[ -r "/proc/$child/cmdline" ] || continue
		tr '\0' ' ' 2>/dev/null <"/proc/$child/cmdline" | grep -q -e "$2" && return
	done
	return 1
}

# Ctrl-C and SIGTERM in the middle: what was measured is kept and marked, and the status says which it was.
interrupted() {
	local bad=0 signal status pid json number
	broken "$work/broken.so" || return
	for signal in INT TERM; do
		json=$work/interrupted.$signal.json
		number=$(kill -l $signal)
		# The second implementation hangs until the watchdog's minutes are over: the signal finds it there.
		"$build_root/release/chanbench" bench --scenario=spsc --plugin="$work/broken.so" --impl=mutex,broken_close \
			--timeout=300 --seconds=0.02 --processes=2 --repetitions=1 --no-controls --out="$json" \
			>"$work/out.$signal" 2>"$work/err.$signal" &
		pid=$!
		until child_names $pid broken_close || ! kill -0 $pid 2>/dev/null; do :; done
		kill -$signal $pid
		wait $pid
		status=$?
		[ "$status" -eq $((128 + number)) ] || { echo "SIG$signal: status $status" && bad=1; }
		says "$work/out.$signal" 'the run was interrupted' || bad=1
		holds "$json" '.context.interrupted == true' || bad=1
	done
	return $bad
}
