# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Steps of scripts/test: pages made of result files. Sourced after steps.sh.

report_program() {
	"$build_root/release/chanbench" report "$@"
}

# made_file DATE COMMIT FACTOR [CPU]: a result file of two implementations, three processes of three trials.
made_file() {
	jq -n --arg date "$1" --arg commit "$2" --argjson factor "$3" --arg cpu "${4:-CPU A}" '
		{context: {date: $date, commit: $commit, cpu_model: $cpu, cpus_allowed: 2, num_cpus: 2, governor: "performance",
			compiler: "gcc 12", compiler_flags: "-O2", libc: "glibc 2.36", placement: "free", seconds: 0.1, contract_version: 1},
		benchmarks: [["mutex", "futex"][] as $impl | ["1", "32", "1024"][] as $capacity | range(9) |
			"fan_in/\($impl)/producers:4/capacity:\($capacity)/size:8/batch:1/rate:0" as $name |
			{name: $name, run_name: $name, run_type: "iteration", verdict: "ok", process: (. / 3 | floor), cpu_ns_per_item: 12.5,
			items_per_second: ((1e6 + 4e3 * .) * (if $impl == "futex" then 10 * $factor else 1 end))}]}'
}

# The same files give the same bytes; every reference leads somewhere; nothing leads out; the budgets hold.
report_pages() {
	local site=$work/report page target
	rm -rf "$site"* && report_program "$root/results/all.json" --out="$site" --single="$site.html" --svg="$site.svg" || return
	report_program "$root/results/all.json" --out="$site.again" && diff -r "$site" "$site.again" || { echo "not the same bytes" && return 1; }
	for page in $(cd "$site" && find . -name '*.html'); do
		grep -q "default-src 'none'" "$site/$page" || { echo "$page: no policy" && return 1; }
		! grep -oE '(src|href)="(https?:)?//[^"]*"' "$site/$page" || { echo "$page leads out" && return 1; }
		[ "$(stat -c %s "$site/$page")" -le 400000 ] || { echo "$page is too large" && return 1; }
		for target in $(grep -oE 'href="[^"]*"' "$site/$page" | sed 's/^href="//; s/"$//; s/#.*//' | grep -v '^data:' | sort -u); do
			[ -e "$site/$(dirname "$page")/$target" ] || { echo "$page leads to $target, which is not there" && return 1; }
		done
	done
	[ "$(stat -c %s "$site/assets/report.css")" -le 8192 ] && [ "$(stat -c %s "$site/assets/report.js")" -le 15360 ] &&
		[ "$(stat -c %s "$site.html")" -le 3000000 ] && [ "$(du -sk "$site" | cut -f1)" -le 6000 ] || { echo "too large" && return 1; }
	(cd "$site/data" && jq -r '.files[] | "\(.sha256)  \(.name)"' index.json | sha256sum -c --quiet) || return
	grep -q '<b>ck_ring' "$site/index.html" && return 1
	grep -q 'not done after 24 s' "$site/index.html" || { echo "what is broken is not said" && return 1; }
}

# What a file says is never markup.
report_hostile() {
	local site=$work/hostile attack
	rm -rf "$site"* && mkdir "$site.in" || return
	attack='"><script>alert(1)</script><img src=x onerror=alert(2)>'
	made_file 2026-01-01T00:00:00 abc 1 | jq --arg a "$attack" '.context.cpu_model = $a | .context.commit = $a | .context.date = $a |
		.context[$a] = $a | .benchmarks += [
			{name: ("fan_in/" + $a), verdict: $a}, {name: ($a + "/x/y:1"), verdict: "ok", items_per_second: 5, peer: $a},
			{name: "../../../etc/x/../y/z:..", verdict: "ok", items_per_second: 5}, {name: "", verdict: "ok", items_per_second: 1}]' \
		>"$site.in/a\"<b>.json"
	report_program "$site.in" --out="$site" --single="$site.html" --svg="$site.svg" || return
	! grep -rlE '<script>alert|<img|onerror=alert\(2\)>' "$site.svg" "$site.html" "$site" --include='*.html' --include='*.svg' ||
		{ echo "markup came through" && return 1; }
	[ -z "$(find "$work" -maxdepth 1 -newer "$site.in" -name 'etc')" ]
}

# Two machines are never on one axis; a planted loss of 20 % over twenty commits is found where it is.
report_history() {
	local site=$work/history i
	rm -rf "$site"* && mkdir "$site.in" || return
	for i in {10..29}; do
		made_file "2026-01-${i}T00:00:00" "c0ffee$i" "$([ "$i" -lt 20 ] && echo 1.0$((i % 3)) || echo 0.8$((i % 3)))" >"$site.in/$i.json" || return
	done
	report_program "$site.in" --out="$site" || return
	grep -q 'slower.*<code>c0ffee19</code> .. <code>c0ffee20</code>' "$site/trend.html" || { echo "the loss was not found" && return 1; }
	grep -q 'In 3 of 6 cells' "$site/trend.html" || { echo "more or less was found than was planted" && return 1; }
	made_file 2025-01-01T00:00:00 b 2 "CPU B" >"$site.in/b.json"
	report_program "$site.in" --out="$site" && grep -q 'on 2 of 2' "$site/machines.html" && [ "$(find "$site" -name 'index.*.html' | wc -l)" -eq 1 ]
}

report_refuses() {
	local bad=0
	refused 2 'there is no result file|no-such' report "$work/no-such.json" --out="$work/none" || bad=1
	mkdir -p "$work/empty" "$work/full" && touch "$work/full/mine"
	refused 2 'no result file' report "$work/empty" --out="$work/none" || bad=1
	refused 2 'something else' report "$root/results/all.json" --out="$work/full" || bad=1
	refused 2 'where to write' report "$root/results/all.json" || bad=1
	refused 3 'cannot write' report "$root/results/all.json" --out=/proc/none || bad=1
	refused 3 '/dev/full' report "$root/results/all.json" --single=/dev/full || bad=1
	[ -e "$work/full/mine" ] || { echo "what was not ours is gone" && bad=1; }
	return $bad
}
