/* SPDX-License-Identifier: MIT */
#include "harness/bench/engine_context.h"

#include <benchmark/benchmark.h>
#include <cstring>
#include <sstream>

char *engine_context(void)
try {
	std::ostringstream text;
	benchmark::JSONReporter reporter;
	reporter.SetOutputStream(&text);
	reporter.SetErrorStream(&text);
	reporter.ReportContext(benchmark::BenchmarkReporter::Context());
	text << "]}";
	return strdup(text.str().c_str());
} catch (...) {
	return nullptr;
}
