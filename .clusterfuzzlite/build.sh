#!/bin/bash
# SPDX-License-Identifier: MIT
#
# .clusterfuzzlite/build.sh - builds every fuzz target the way ClusterFuzzLite and OSS-Fuzz want it,
# here as well as there:
#
#   CC=clang CXX=clang++ CFLAGS='-O1 -fsanitize=address,fuzzer-no-link' CXXFLAGS=$CFLAGS \
#   LIB_FUZZING_ENGINE=-fsanitize=fuzzer OUT=/tmp/out .clusterfuzzlite/build.sh
#
# CC, CXX, CFLAGS, CXXFLAGS and LIB_FUZZING_ENGINE are taken as they are; the sanitizers are in the
# flags, so SANITIZER need not be known. WORK is where it builds (a temporary folder if not set). In
# OUT there is then, for each target: NAME, NAME_seed_corpus.zip (its corpus and its regressions),
# NAME.dict, NAME.options; and in OUT/lib the libraries that they need and a runner may not have.

# Not in the first line, which `bash build.sh` never reads.
set -eu

# A cluster runs a copy that lies outside the tree, from inside the tree.
here=$(dirname "$(readlink -f "$0")")
root=$(readlink -f "$here/..")
[ -f "$root/fuzz/CMakeLists.txt" ] || root=${SRC:-}/chanbench
if [ ! -f "$root/fuzz/CMakeLists.txt" ]; then
	echo "$0: the tree is neither above this script nor in \$SRC/chanbench" >&2
	exit 3
fi
: "${CC:=clang}" "${CXX:=clang++}" "${CFLAGS:=-O1 -fsanitize=address,fuzzer-no-link}" "${LIB_FUZZING_ENGINE:=-fsanitize=fuzzer}"
: "${CXXFLAGS:=$CFLAGS}" "${OUT:?the folder that the targets go to}"
export CC CXX CFLAGS CXXFLAGS
missing=()
for tool in "$CC" "$CXX" cmake ninja pkg-config zip; do
	command -v "${tool%% *}" >/dev/null || missing+=("$tool")
done
if [ ${#missing[@]} -gt 0 ]; then
	echo "$0: not installed: ${missing[*]}" >&2
	exit 3
fi

mkdir -p "$OUT/lib"
OUT=$(readlink -f "$OUT")
work=${WORK:-}
if [ -z "$work" ]; then
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
fi

targets=()
for source in "$root"/fuzz/fuzz_*.c; do
	targets+=("$(basename "$source" .c)")
done
cmake -S "$root" -B "$work/chanbench" -G Ninja -DCMAKE_BUILD_TYPE=None "-DCHANBENCH_FUZZ_ENGINE=$LIB_FUZZING_ENGINE" \
	"-DCMAKE_EXE_LINKER_FLAGS=-Wl,--as-needed,--disable-new-dtags,-rpath,\$ORIGIN/lib"
cmake --build "$work/chanbench" --target "${targets[@]}"

for target in "${targets[@]}"; do
	cp "$work/chanbench/fuzz/$target" "$OUT/$target"
	# What is not the C library's comes along.
	ldd "$OUT/$target" | sed -n 's/^\t\(lib[^ ]*\) => \(\/[^ ]*\) .*/\1 \2/p' |
		{ grep -vE '^lib(c|m|dl|rt|pthread|resolv|util|gcc_s|stdc\+\+)\.so' || true; } |
		while read -r name file; do
			[ "$file" -ef "$OUT/lib/$name" ] || cp -L "$file" "$OUT/lib/$name"
		done

	rm -f "$OUT/${target}_seed_corpus.zip"
	inputs=()
	for folder in "$root/fuzz/corpus/$target" "$root/fuzz/regressions/$target"; do
		[ ! -d "$folder" ] || inputs+=("$folder"/*)
	done
	zip -q -j "$OUT/${target}_seed_corpus.zip" "${inputs[@]}"
	[ ! -f "$root/fuzz/$target.dict" ] || cp "$root/fuzz/$target.dict" "$OUT/"
	cp "$root/fuzz/fuzz.options" "$OUT/$target.options"
done
for target in "${targets[@]}"; do
	[ -x "$OUT/$target" ] || { echo "$0: $target was not built" >&2 && exit 1; }
done
echo "$0: ${#targets[@]} targets in $OUT"
