# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Steps of scripts/test: the library as somebody's program gets it. Sourced after steps.sh.

# The shared library shows what its headers declare, and nothing else.
exports() {
	local library=$build_root/release/impls/libchannels.so
	nm -D --defined-only "$library" | awk '{ print $3 }' | sort -u >"$work/exported"
	cat "$root"/impls/{channel,channels,source,select,event}.h | sed 's,/\*.*\*/,,' |
		grep -E '^(extern const |struct |enum |int |void |bool |size_t |uint64_t )' | grep -vE '^struct [a-z_]+;|chan_plugin' |
		grep -oE '\bchan_[a-z0-9_]+(\(|;|\[)' | tr -d '([;' | sort -u >"$work/declared"
	diff "$work/declared" "$work/exported" || { echo "declared (<) and exported (>) differ" && return 1; }
	readelf -d "$library" | grep -q 'SONAME.*libchannels\.so\.1' || { echo "no soname" && return 1; }
}

# library_only FOLDER OPTION...: the channels alone, where there is nothing but a C compiler.
library_only() {
	local build=$work/$1 bare=$work/bare tool
	shift
	mkdir -p "$bare" && rm -rf "$build" || return
	for tool in cc ar ranlib ld as ninja cmake awk sed sh bash dirname mkdir mv cat head grep nm uname gzip env; do
		ln -sf "$(command -v $tool)" "$bare/" || return
	done
	env -i PATH="$bare" HOME="$work" cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
		-DCHANBENCH_LIBRARY_ONLY=ON "$@" && env -i PATH="$bare" cmake --build "$build" || return
	if find "$build" -name '*_test*' -o -name chanbench | grep -v '/include/' | grep .; then
		echo "more than the library was built" && return 1
	fi
}

# Each way to it, from the installed tree and from the sources: a project of twenty lines is built and run.
consumers() {
	local top=$work/consumers prefix=$work/consumers/prefix way
	rm -rf "$top" && mkdir -p "$top" && readme_block c >"$top/use.c" || return
	library_only library -DCMAKE_INSTALL_PREFIX="$prefix" && cmake --install "$work/library" >/dev/null || return
	cat >"$top/CMakeLists.txt" <<-'END'
		cmake_minimum_required(VERSION 3.25)
		project(consumer C)
		if(WAY STREQUAL "sources")
		  add_subdirectory(${CHANNELS} channels)
		else()
		  find_package(channels 1.0 REQUIRED)
		endif()
		get_directory_property(options COMPILE_OPTIONS)
		if(options OR CMAKE_C_STANDARD)
		  message(FATAL_ERROR "flags came along: ${options} ${CMAKE_C_STANDARD}")
		endif()
		if(TARGET harness OR TARGET peers OR TARGET fuzzing)
		  message(FATAL_ERROR "targets came along")
		endif()
		add_executable(use use.c)
		target_link_libraries(use PRIVATE channels::channels)
	END
	for way in installed sources; do
		cmake -S "$top" -B "$top/$way" -G Ninja -DWAY=$way -DCHANNELS="$root" -DCMAKE_PREFIX_PATH="$prefix" &&
			cmake --build "$top/$way" && [ "$("$top/$way/use")" = 7 ] || { echo "not by CMake: $way" && return 1; }
	done
	export PKG_CONFIG_PATH
	PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name channels.pc)")
	# shellcheck disable=SC2046 # several words
	cc -o "$top/pc" "$top/use.c" $(pkg-config --cflags --libs channels) -Wl,-rpath,"$(pkg-config --variable=libdir channels)" &&
		[ "$("$top/pc")" = 7 ] || { echo "not by pkg-config" && return 1; }
	# shellcheck disable=SC2046
	cc -static -o "$top/pc-static" "$top/use.c" $(pkg-config --cflags --static --libs channels) && [ "$("$top/pc-static")" = 7 ] ||
		{ echo "not by pkg-config --static" && return 1; }
	cc -I"$prefix/include" -o "$top/plain" "$top/use.c" "$(find "$prefix" -name libchannels.a)" -pthread &&
		[ "$("$top/plain")" = 7 ] || { echo "not by plain cc" && return 1; }
	if have g++; then
		sed 's/{\.size = sizeof(int), \.capacity = 32}/{}/; s/struct chan_sender \*tx;/config.size = sizeof(int), config.capacity = 32; &/' \
			"$top/use.c" >"$top/use.cc" && g++ -std=c++17 -Wall -Wextra -Wpedantic -Werror -I"$prefix/include" -o "$top/cxx" \
			"$top/use.cc" "$(find "$prefix" -name libchannels.a)" -pthread && [ "$("$top/cxx")" = 7 ] ||
			{ echo "not from C++" && return 1; }
	fi
	cmake --build "$work/library" --target uninstall >/dev/null && ! find "$prefix" -type f | grep . ||
		{ echo "left by uninstall, above" && return 1; }
	library_only shared -DBUILD_SHARED_LIBS=ON -DBUILD_TESTING=OFF && [ -f "$work/shared/impls/libchannels.so" ] &&
		[ ! -f "$work/shared/impls/libchannels.a" ] || { echo "BUILD_SHARED_LIBS is not heard" && return 1; }
}

# The pages say what the program says.
pages() {
	local made=$build_root/release/install command
	for command in list bench compare check stress explore; do
		grep -q "^\.SH \"chanbench $command\"" "$made/chanbench.1" || { echo "no $command in chanbench.1" && return 1; }
	done
	bash -c '. "$1" && COMP_WORDS=(chanbench ben) COMP_CWORD=1 && _chanbench && [ "${COMPREPLY[*]}" = bench ] &&
		COMP_WORDS=(chanbench bench --qu) COMP_CWORD=2 && _chanbench && [ "${COMPREPLY[*]}" = --quick ]' pages "$made/chanbench.bash" ||
		{ echo "completion does not complete" && return 1; }
	grep -q 'chan_deadline_in' "$made/channels.3" || { echo "no chan_deadline_in in channels.3" && return 1; }
	have man || return 0
	for command in chanbench.1 channels.3; do
		[ -z "$(man --warnings -l "$made/$command" 2>&1 >/dev/null)" ] || { man --warnings -l "$made/$command" 2>&1 >/dev/null && return 1; }
	done
}

# cpack makes three packages; they install, a program is linked to them, and lintian finds no error.
debian_packages() {
	local folder=$work/packages root_of=$work/packages/root file
	rm -rf "$folder" && mkdir -p "$folder" "$root_of" && (cd "$build_root/release" && cpack -G DEB -B "$folder") || return
	[ "$(find "$folder" -maxdepth 1 -name '*.deb' | wc -l)" -eq 3 ] || { echo "not three packages" && return 1; }
	for file in "$folder"/*.deb; do
		dpkg-deb -x "$file" "$root_of" && lintian --allow-root --fail-on error "$file" || return
	done
	readme_block c >"$folder/use.c" && cc -I"$root_of/usr/include" -o "$folder/use" "$folder/use.c" -L"$root_of/usr/lib" -lchannels &&
		[ "$(LD_LIBRARY_PATH=$root_of/usr/lib "$folder/use")" = 7 ] && "$root_of/usr/bin/chanbench" list >/dev/null
}
