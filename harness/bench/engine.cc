/* SPDX-License-Identifier: MIT
 *
 * engine.cc - see engine.h
 */
#include "harness/bench/engine.h"

#include <benchmark/benchmark.h>

#include <vector>

namespace
{

/* The trial knows its own error. The library's members for it have other names in each version. */
void RunOnce(benchmark::State &state, const engine_job *job, engine_trial &trial)
{
	for (auto _ : state) {
		trial = {};
		job->run(&trial, job->arg);
		state.SetIterationTime(trial.seconds);
		if (trial.error != nullptr)
			state.SkipWithError(trial.error);
		else
			state.SetItemsProcessed(static_cast<int64_t>(trial.items));
	}
}

class Reporter : public benchmark::BenchmarkReporter
{
      public:
	Reporter(const engine_job *job, const engine_trial *trial) : job_(job), trial_(trial)
	{
	}

	bool ReportContext(const Context &) override
	{
		return true;
	}

	void ReportRuns(const std::vector<Run> &runs) override
	{
		for (const Run &run : runs) {
			if (run.run_type != Run::RT_Iteration)
				continue;
			auto rate = run.counters.find("items_per_second");
			engine_row row = {};
			row.name = job_->name;
			row.error = trial_->error;
			row.real_time_ns = run.GetAdjustedRealTime();
			row.items_per_second = rate == run.counters.end() ? 0 : static_cast<double>(rate->second);
			row.iterations = static_cast<int64_t>(run.iterations);
			job_->row(&row, job_->arg);
		}
	}

      private:
	const engine_job *job_;
	const engine_trial *trial_; /* the one that just ran */
};

} // namespace

int engine_run(const engine_job *job, unsigned repetitions)
{
	/* Stated here, so that no BENCHMARK_... variable of the environment changes what is run. */
	char program[] = "chanbench", list[] = "--benchmark_list_tests=false", filter[] = "--benchmark_filter=.",
	     mixed[] = "--benchmark_enable_random_interleaving=false",
	     perf[] = "--benchmark_perf_counters=", out[] = "--benchmark_out=", repeat[] = "--benchmark_repetitions=1";
	char *argv[] = {program, list, filter, mixed, perf, out, repeat, nullptr};
	int argc = static_cast<int>(sizeof argv / sizeof argv[0]) - 1;
	benchmark::Initialize(&argc, argv);
	engine_trial trial = {};
	benchmark::RegisterBenchmark(job->name, [job, &trial](benchmark::State &state) { RunOnce(state, job, trial); })
		->UseManualTime()
		->Unit(benchmark::kNanosecond)
		->Iterations(1)
		->Repetitions(1);
	Reporter reporter(job, &trial);
	size_t ran = 0;
	for (unsigned i = 0; i < repetitions; i++)
		ran += benchmark::RunSpecifiedBenchmarks(&reporter);
	benchmark::ClearRegisteredBenchmarks();
	return ran == repetitions ? 0 : -1;
}
