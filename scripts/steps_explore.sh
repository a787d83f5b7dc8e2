# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Steps of scripts/test: the explorer. Sourced after steps.sh.

explore() { # FLAVOUR SECONDS
	chanbench "$1" explore --seconds="$2"
}

# explored MACRO [ARGUMENT...]: explores scripts/broken_program.c with that macro defined; what it
# says is in $out.
explored() {
	local source=$work/explored/$1.c status=1
	[ "$1" != OK ] || status=0
	mkdir -p "$work/explored" && { echo "#define $1" && cat "$root/scripts/broken_program.c"; } >"$source" || return
	expect $status chanbench release explore --plugin-source="$source" --seconds=10 "${@:2}"
}

# Each defect has its verdict, with each compiler that is here; and its schedule can be had again,
# from another process.
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
	refused 2 'README\.md is neither a C source' explore --plugin-source="$root/README.md" || bad=1
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
	expect 3 chanbench tsan explore --impl=mutex && says "$err" 'no explorer: it does not go with sanitizers' || bad=1
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

# Two threads that do two operations each, some of which wait: nothing is left to explore, on each
# implementation of ours.
explorer_exhausts() {
	local programs='mpsc/try_send_try_recv,unbounded/try_send_try_recv,oneshot/send_recv,broadcast/send_against_try_recv,watch/write_against_borrow'
	programs+=,mpsc/timeout_against_delivery,mpsc/permit_set_dropped,watch/changed_against_drop
	expect 0 chanbench release explore --program="$programs" --strategy=dfs --schedules=40000 --json || return
	holds "$out" '.runs | length == 20 and all(.verdict == "ok" and .exhausted)'
}

# The same seed explores the same schedules, whatever else the machine does, and wherever: another
# directory, another environment, other addresses, one processor.
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

# The tests of the rules, each under a few schedules on each implementation of ours; --list accounts
# for every test. A wakeup that is lost in the moment between a look and the wait is found by the
# rule that speaks of it.
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
