# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Steps of scripts/test: that the house is as its pages say. Sourced after steps.sh.

# table_of FILE HEADING: the rows of the first table below that heading, without the backquotes.
table_of() {
	awk -v heading="$2" '
		$0 == heading { on = 1; next }
		on && /^## / { exit }
		on && /^\|/ { if (++n > 2) { gsub(/`/, ""); print } }
		on && n && !/^\|/ { exit }' "$1"
}

# Nobody includes what the README's table does not give to the folder. A file belongs to the longest
# folder of the table that holds it. The public headers of impls/ are everybody's.
arrows() {
	local bad=0 folder allowed file include ok
	declare -A may=()
	while IFS='|' read -r _ folder _ allowed _; do
		may[${folder// /}]=$allowed
	done < <(table_of "$root/README.md" '## Where things are')
	[ ${#may[@]} -ge 10 ] || { echo "the README has no table of folders" && return 1; }
	while IFS=: read -r file include; do
		[[ $file != *_test.c && $file != */testing/* && $file != *_testing.h ]] || continue
		folder=$(dirname "$file")/
		until [ -n "${may[$folder]+x}" ] || [ "$folder" = ./ ]; do folder=$(dirname "$folder")/; done
		ok=
		for allowed in "$folder" impls/{channel,channels,select,event,source}.h ${may[$folder]-}; do
			[[ $include != "$allowed"* ]] || ok=yes
		done
		[ -n "$ok" ] || { echo "$file includes $include; $folder may include: ${may[$folder]-nothing}" && bad=1; }
	done < <(cd "$root" && files '*.c' '*.h' '*.cc' '*.hh' |
		xargs -rd '\n' grep -oE '^ *#include "(impls|harness|scenarios|fuzz)/[^"]+"' | sed 's/: *#include "/:/; s/"$//')
	# The families and peers are known to the library's own list and to nobody in the harness.
	if (cd "$root" && files 'harness/*.c' 'harness/*.h' 'harness/*.cc' | grep -vE '_test\.c$|/under_test/' |
		xargs -rd '\n' grep -nE '"(mutex|futex|vyukov|example|glib|apr|tbb|ck_ring|rte_ring|moodycamel|std|crossbeam|kanal|flume|tokio|go)([_@][a-z_]*)?"|"[^"]*\b(vyukov|glib|apr|tbb|ck_ring|rte_ring|moodycamel|crossbeam|kanal|flume|tokio_[a-z]+|driver-[a-z]+)\b|\bchan_(mutex|futex|vyukov)\b' |
		grep -vE ':[0-9]+:\s*(/\*| \*)|"futex_wait'); then
		echo "harness/ must know no implementation by its name" && bad=1
	fi
	return $bad
}

# Every global symbol of the library is its own.
symbols() {
	! nm -g --defined-only "$build_root/release/impls/libchannels.a" | awk 'NF == 3 { print $3 }' | grep -v '^chan_'
}

# files_run IMPL KIND fast|all: the files of impls/ of which code ran.
files_run() {
	local counts=$work/follow/counts
	rm -rf "$counts" && mkdir -p "$counts" || return
	GCOV_PREFIX=$counts GCOV_PREFIX_STRIP=99 "$work/follow/follow" "$@" || return
	(
		cd "$counts" && for data in *.gcda; do
			cp "$work/follow/${data%.gcda}.gcno" . && gcov --json-format --stdout "$data" 2>/dev/null
		done
	) | jq -r '.files[] | select(any(.lines[]; .count > 0)).file' | sed -n 's,^.*\(impls/.*\),\1,p' | sort -u
}

# subjects FILE...: how many there are to read, a header and the source of the same name being one, and
# the contract none.
subjects() {
	printf '%s\n' "$@" | sed '/^channel\.h$/d; s/\.[ch]$//' | sort -u | wc -l
}

# The way of a message leads through the files that impls/README.md names, and through no others: at
# most 5 when it is sent and received at once; with all that waits and wakes at most 10 subjects, and 5
# in the mutex family.
follow_a_message() {
	local bad=0 rows=0 impl kind fast all name ran
	mkdir -p "$work/follow" || return
	(
		cd "$work/follow" && for name in "$root"/impls/*.c "$root"/impls/{base,mutex,fastpath,futex,vyukov}/*.c; do
			case $name in *_test.c) continue ;; esac
			gcc -std=gnu11 -D_GNU_SOURCE --coverage -O2 -DNDEBUG -I"$root" -c "$name" \
				-o "$(sed "s,^$root/,,; s,/,_,g; s,\.c$,.o," <<<"$name")" || exit
		done
		gcc -std=gnu11 -D_GNU_SOURCE -O1 -I"$root" "$root/scripts/follow.c" ./*.o --coverage -o follow -pthread
	) || return
	while IFS='|' read -r _ impl kind fast all _; do
		impl=${impl// /} kind=${kind// /}
		ran=$(files_run "$impl" "$kind" fast) || { echo "$impl $kind does not run" && bad=1 && continue; }
		for name in $ran; do
			[[ " $fast " == *" ${name#impls/} "* ]] || { echo "$impl $kind, fast: impls/README.md does not name $name" && bad=1; }
		done
		if [ "$kind" = oneshot ]; then
			[ "$(grep -oE '[a-z]+/[a-z_.]+' <<<"$fast" | grep -vc '^base/')" -eq 1 ] ||
				{ echo "$impl $kind: more than one file and the primitives: $fast" && bad=1; }
			continue
		fi
		[ "$(wc -w <<<"$fast")" -le 5 ] || { echo "$impl $kind, fast: more than 5 files: $fast" && bad=1; }
		ran=$(files_run "$impl" "$kind" all) || { echo "$impl $kind does not run" && bad=1 && continue; }
		for name in $ran; do
			[[ " $fast $all " == *" ${name#impls/} "* ]] || { echo "$impl $kind, all: impls/README.md does not name $name" && bad=1; }
		done
		# shellcheck disable=SC2086 # several words
		[ "$(subjects $fast $all)" -le $([ "$impl" = mutex ] && echo 5 || echo 10) ] ||
			{ echo "$impl $kind: too many subjects: $fast $all" && bad=1; }
		rows=$((rows + 1))
	done < <(table_of "$root/impls/README.md" '## The way of a message')
	[ $rows -ge 6 ] || { echo "impls/README.md has no table of ways" && bad=1; }
	return $bad
}
