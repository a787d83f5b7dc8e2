# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Steps of scripts/test: what is installed, and plug-ins, also broken ones. Sourced after steps.sh.

prefix() {
	cmake --install "$build_root/release" --prefix "$work/installed" >/dev/null
}

# The header alone as C and as C++, and a program that links the library and picks from it.
installed() {
	prefix || return
	cat >"$work/winner.c" <<-'END'
		#include <chanbench/channels.h>
		#include <stdio.h>
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

# takes_part FLAVOUR FILE NAME OTHERS: a plug-in is listed, keeps the rules, and gets numbers beside
# the others.
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

# The README's program and its commands, in their order, as if typed at the top of a clone. What
# takes minutes there is asked for less: a first run of the bench measures every cell once. The test
# command is this one. What needs other languages (setup --peers, and what measures peers) is run
# with --full.
readme_commands() {
	local top="$work/a clone"
	rm -rf "$top" && mkdir "$top" && ln -s "$root/impls" "$top/" && ln -s "$build_root" "$top/build" || return
	mkdir "$top/scripts" && ln -s "$root/scripts/setup" "$top/scripts/setup" || return
	cat >"$top/scripts/bench" <<-END
		#!/bin/sh
		[ \$# -gt 0 ] || set -- --quick
		exec "$root/scripts/bench" "\$@" --seconds=0.02 --processes=1 --repetitions=1 --no-controls
	END
	chmod +x "$top/scripts/bench" && readme_block c >"$top/use.c" || return
	readme_block sh | grep -v '^\./scripts/test$' >"$top/commands" || return
	if [ -z "$full" ]; then
		grep -v -e '--peers' -e 'glib' "$top/commands" >"$top/shorter" && mv "$top/shorter" "$top/commands" || return
	fi
	[ "$(wc -l <"$top/commands")" -ge 6 ] || { echo "the README has lost its commands" && return 1; }
	(cd "$top" && HOME=$work/home expect 0 bash -eux commands && cat "$out" && says "$out" '^7$') || return
	takes_part release "$top/mine.so" semaphores mutex
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
		build/* | chanbench/*.h) ;; # made, not kept
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

# Each broken channel is named for what it did, in the table, in the file and by the exit status;
# the others' numbers stand.
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

# A soak of seconds: every kind of ours gets its line; what loses values is found; wrong usage and
# Ctrl-C have their statuses.
soak() {
	local bad=0 kind pid soak=$root/scripts/soak
	expect 0 "$soak" --minutes=0.02 || return
	for kind in mpsc unbounded oneshot broadcast watch; do
		says "$out" "^[a-z]+ +$kind .* ok$" || bad=1
	done
	broken "$work/broken.so" || return
	expect 1 "$soak" --minutes=0.02 --plugin="$work/broken.so" --impl=broken_drop --kind=mpsc || bad=1
	says "$out" '^broken_drop +mpsc .*(TALLY|HUNG)' || bad=1
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

# What is wrong with a plug-in itself is said in one line that names the file, by every command that
# loads it.
broken_plugins() {
	local bad=0 command
	broken "$work/version.so" BROKEN_VERSION && broken "$work/symbol.so" BROKEN_SYMBOL &&
		broken "$work/hang.so" BROKEN_LOAD_HANG && broken "$work/crash.so" BROKEN_LOAD_CRASH || return
	echo "no shared object" >"$work/text.so"
	for command in list check bench; do
		refused 2 'missing\.so.*no such file' $command --plugin="$work/missing.so" || bad=1
		refused 2 'text\.so.*cannot be loaded' $command --plugin="$work/text.so" || bad=1
		refused 2 'symbol\.so.*no plug-in' $command --plugin="$work/symbol.so" || bad=1
		refused 2 'version\.so.*version 3.*version 2' $command --plugin="$work/version.so" || bad=1
		refused 2 'crash\.so.*crashed \(SIGSEGV\)' $command --plugin="$work/crash.so" || bad=1
	done
	refused 2 'hang\.so.*hangs' list --plugin="$work/hang.so" || bad=1
	return $bad
}
