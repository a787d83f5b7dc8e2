# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What scripts/bench and scripts/test share: the list of packages, their installation, and the
# build. Sourced, not run.
#
# Everything is built with Debian's own tools, whatever else stands first in PATH, and into build/
# (or $CHANBENCH_BUILD). Exit status 3 from any function here: the machine cannot do it; what is
# missing was said in one line.

# What the program is built from, and what the tests need beside it. The only lists there are, by
# Debian's names; where_from has what is called otherwise elsewhere.
packages_build=(gcc g++ cmake ninja-build pkg-config libbenchmark-dev libcmocka-dev libjansson-dev)
packages_peers=(libglib2.0-dev libaprutil1-dev libtbb-dev libconcurrentqueue-dev libboost-dev libck-dev
	liburcu-dev libdpdk-dev golang-go cargo rustc librust-libc-dev librust-tokio-dev
	librust-crossbeam-channel-dev librust-flume-dev librust-async-channel-dev)
packages_test=(clang clang-format jq)
packages_full=(libclang-rt-dev zip unzip lintian)
packages_coverage=(gcovr)

# releases: where these names hold. Seen: the two commands ran there from a bare root. Names: the
# names were looked up, nothing was run.
releases=(
	"debian 12 seen"
	"debian 13 seen"
	"ubuntu 24.04 names"
	"ubuntu 26.04 names"
)

# release_known: whether this machine's is one of them; what it is stands in $release.
release_known() {
	local line
	release=$(. /etc/os-release 2>/dev/null && echo "${ID-unknown} ${VERSION_ID-${VERSION_CODENAME-}}")
	for line in "${releases[@]}"; do
		[ "${line% *}" != "${release% }" ] || return 0
	done
	return 1
}

me=scripts/$(basename "$0")
root=$(CDPATH='' cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd -P)
build_root=${CHANBENCH_BUILD:-$root/build}
[[ $build_root == /* ]] || build_root=$PWD/$build_root

# "${plainly[@]}" COMMAND: for programs built with sanitizers. Those of gcc 12 and clang 14 do not
# start where the kernel spreads mappings over more bits than they know of (vm.mmap_rnd_bits 32).
# Without address space randomization they do. A container may forbid that.
plainly=()
setarch "$(uname -m)" -R true 2>/dev/null && plainly=(setarch "$(uname -m)" -R)

say() {
	printf '%s: %s\n' "$me" "$*" >&2
}

machine_fails() {
	say "$*"
	exit 3
}

# Before anything else: whether there is a place to build in.
need_build_root() {
	mkdir -p "$build_root" 2>/dev/null && [ -w "$build_root" ] ||
		machine_fails "cannot write to $build_root; clone to a folder that is yours, or set CHANBENCH_BUILD to one that is"
}

# From here on the tools are Debian's, and nothing in the environment changes what they do.
clean_environment() {
	export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
	unset CDPATH CC CXX CFLAGS CXXFLAGS CPPFLAGS LDFLAGS CPATH C_INCLUDE_PATH CPLUS_INCLUDE_PATH LIBRARY_PATH \
		LD_LIBRARY_PATH LD_PRELOAD MAKEFLAGS DESTDIR PKG_CONFIG PKG_CONFIG_PATH PKG_CONFIG_LIBDIR CMAKE_GENERATOR \
		CMAKE_TOOLCHAIN_FILE CMAKE_PREFIX_PATH CMAKE_BUILD_TYPE NINJA_STATUS
}

# missing_packages NAME...: those that are not installed, one a line.
missing_packages() {
	comm -23 <(printf '%s\n' "$@" | sort) \
		<(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p' | sort)
}

# install_packages NAME...: installs what is missing. Costs one dpkg-query when nothing is.
install_packages() (
	clean_environment
	if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
		say "no apt here that can be run, so what is installed is not looked at; needed, by Debian's names: $*"
		exit 0
	fi
	mapfile -t missing < <(missing_packages "$@")
	[ ${#missing[@]} -gt 0 ] || exit 0

	release_known || say "'$release' is no release that this was tried on; trying Debian's names"
	by_hand="apt-get install --no-install-recommends ${missing[*]}"
	as_root=()
	if [ "$(id -u)" -ne 0 ]; then
		command -v sudo >/dev/null ||
			machine_fails "packages are missing, and this is neither root nor is there sudo; as root: $by_hand"
		as_root=(sudo)
		[ -t 0 ] || as_root=(sudo -n)
		"${as_root[@]}" true ||
			machine_fails "packages are missing, and sudo does not let us install them; as root: $by_hand"
	fi

	say "installing with apt: ${missing[*]}"
	log=$build_root/apt.log
	apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300)
	# A stale index is refreshed; when that fails, what the machine knows may still be enough.
	"${apt[@]}" update </dev/null >"$log" 2>&1 || true
	if ! "${apt[@]}" install --no-install-recommends "${missing[@]}" </dev/null >>"$log" 2>&1; then
		grep -E '^(E|Err|W):' "$log" | tail -n 8 >&2
		release_known || machine_fails "on '$release' these may have other names. To build: ${packages_build[*]}." \
			"For the tests: ${packages_test[*]}. For peers: ${packages_peers[*]}"
		machine_fails "apt could not install what is missing (is there a network? log: $log); by hand, as root: $by_hand"
	fi
	mapfile -t missing < <(missing_packages "$@")
	[ ${#missing[@]} -eq 0 ] || machine_fails "apt ended well, but these are still not installed: ${missing[*]}"
)

# build PRESET [TARGET]: configures and builds build/PRESET, or one target of it, quietly. The log
# is build/PRESET.log; when something fails its end is shown. Builds of one tree wait for each
# other.
build() (
	clean_environment
	preset=$1
	target=${2:-all}
	log=$build_root/$preset.log
	exec 9>"$build_root/.lock"
	flock -n 9 || { say "waiting for another build in $build_root" && flock 9; }

	configure=(cmake -S "$root" --preset "$preset" -B "$build_root/$preset")
	say "building $build_root/$preset"
	# What is left of a build elsewhere, or with another compiler, is not worth a question: once
	# more from the start.
	if ! { "${configure[@]}" >"$log" 2>&1 || "${configure[@]}" --fresh >"$log" 2>&1; } ||
		! cmake --build "$build_root/$preset" --target "$target" >>"$log" 2>&1; then
		tail -n 60 "$log" >&2
		machine_fails "the build failed (log: $log)"
	fi
)
