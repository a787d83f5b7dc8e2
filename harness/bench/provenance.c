/* SPDX-License-Identifier: MIT */
#include "harness/bench/provenance.h"

#include "build_info.h"
#include "harness/bench/engine_context.h"
#include "impls/channel.h"

#include <gnu/libc-version.h>
#include <math.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

void provenance_print_version(void)
{
	printf("chanbench %s\ncommit %s\ncontract version %u\n", BUILD_VERSION, BUILD_COMMIT, CHAN_CONTRACT_VERSION);
}

/* The first line of a file, without its newline; "" when it cannot be read. */
static void read_line(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "re");
	text[0] = '\0';
	if (file == NULL)
		return;
	if (fgets(text, (int)size, file) != NULL)
		text[strcspn(text, "\n")] = '\0';
	fclose(file);
}

static void set_text(json_t *context, const char *name, const char *text)
{
	if (text[0] != '\0')
		json_object_set_new(context, name, json_string(text));
}

static void add_cpu(json_t *context)
{
	char line[512];
	FILE *file = fopen("/proc/cpuinfo", "re");

	while (file != NULL && fgets(line, sizeof line, file) != NULL) {
		const char *value = strstr(line, ": ");
		if (strncmp(line, "model name", 10) == 0 && value != NULL) {
			line[strcspn(line, "\n")] = '\0';
			set_text(context, "cpu_model", value + 2);
			break;
		}
	}
	if (file != NULL)
		fclose(file);
}

/* For each CPU its core and package: "0:0/0 1:0/0 2:1/0". */
static void add_topology(json_t *context)
{
	char text[4096], path[128], core[16], package[16];
	size_t n = 0;

	text[0] = '\0';
	for (long i = 0; i < sysconf(_SC_NPROCESSORS_CONF) && n + 64 < sizeof text; i++) {
		snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%ld/topology/core_id", i);
		read_line(path, core, sizeof core);
		snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%ld/topology/physical_package_id", i);
		read_line(path, package, sizeof package);
		if (core[0] != '\0')
			n += (size_t)snprintf(text + n, sizeof text - n, "%s%ld:%s/%s", n == 0 ? "" : " ", i, core,
			                      package);
	}
	set_text(context, "cpu_topology", text);
}

static void add_kernel(json_t *context)
{
	struct utsname name;
	cpu_set_t set;
	char line[128];

	if (uname(&name) == 0) {
		char text[sizeof name.sysname + sizeof name.release + sizeof name.machine + 3];
		snprintf(text, sizeof text, "%s %s %s", name.sysname, name.release, name.machine);
		set_text(context, "kernel", text);
	}
	if (sched_getaffinity(0, sizeof set, &set) == 0)
		json_object_set_new(context, "cpus_allowed", json_integer(CPU_COUNT(&set)));
	read_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", line, sizeof line);
	set_text(context, "governor", line[0] != '\0' ? line : "unknown");
	read_line("/proc/sys/kernel/randomize_va_space", line, sizeof line);
	if (line[0] != '\0')
		json_object_set_new(context, "aslr", json_integer(atoi(line)));
}

json_t *provenance_context(void)
{
	char *text = engine_context();
	json_t *root = text != NULL ? json_loads(text, 0, NULL) : NULL;
	json_t *context = json_incref(json_object_get(root, "context"));

	free(text);
	json_decref(root);
	if (context == NULL)
		return NULL;
	json_object_del(context, "host_name");
	json_object_del(context, "executable");
	set_text(context, "commit", BUILD_COMMIT);
	set_text(context, "chanbench_version", BUILD_VERSION);
	json_object_set_new(context, "contract_version", json_integer(CHAN_CONTRACT_VERSION));
	set_text(context, "compiler", COMPILER);
	set_text(context, "compiler_flags", BUILD_FLAGS);
	set_text(context, "build_type", BUILD_TYPE);
	set_text(context, "sanitizers", BUILD_SANITIZERS);
	json_object_set_new(context, "libc", json_sprintf("glibc %s", gnu_get_libc_version()));
	add_kernel(context);
	add_cpu(context);
	add_topology(context);
	return context;
}

/* ------------------------------------------------------------------------------------------
 * What else the machine did
 */

static double seconds_of(const struct rusage *usage)
{
	return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) +
	       (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e6;
}

void machine_use_now(struct machine_use *use)
{
	char line[512];
	/* user nice system idle iowait irq softirq steal; guests are part of user */
	unsigned long long t[8] = {0};
	struct rusage usage;

	read_line("/proc/stat", line, sizeof line);
	sscanf(line, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1], &t[2], &t[3], &t[4], &t[5], &t[6],
	       &t[7]);
	double tick = 1.0 / (double)sysconf(_SC_CLK_TCK);
	use->busy = tick * (double)(t[0] + t[1] + t[2] + t[5] + t[6]);
	use->steal = tick * (double)t[7];
	use->total = use->busy + use->steal + tick * (double)(t[3] + t[4]);
	getrusage(RUSAGE_SELF, &usage);
	use->ours = seconds_of(&usage);
	getrusage(RUSAGE_CHILDREN, &usage);
	use->ours += seconds_of(&usage);
}

void provenance_add_use(json_t *context, const struct machine_use *before, const struct machine_use *after)
{
	double total = after->total - before->total;
	double others = after->busy - before->busy - (after->ours - before->ours);
	if (!(total > 0))
		return; /* there is no /proc/stat, or it stands still */
	json_object_set_new(context, "others_load", json_real(fmax(0, others / total)));
	json_object_set_new(context, "steal", json_real(fmax(0, (after->steal - before->steal) / total)));
}

/* ------------------------------------------------------------------------------------------
 * Doubts
 */

/* The cells that could not keep their rate, and the most threads that any cell had. */
static void scan_rows(json_t *rows, size_t *saturated, json_int_t *threads)
{
	json_t *row;
	size_t i;

	*saturated = 0;
	*threads = 0;
	json_array_foreach(rows, i, row)
	{
		json_t *full = json_object_get(row, "saturated");
		json_int_t n = json_integer_value(json_object_get(row, "threads"));
		*saturated += json_is_true(full) || json_number_value(full) > 0;
		*threads = n > *threads ? n : *threads;
	}
}

__attribute__((format(printf, 3, 4))) static void doubt(FILE *out, bool *any, const char *format, ...)
{
	va_list args;
	fputs("  - ", out);
	va_start(args, format);
	vfprintf(out, format, args);
	va_end(args);
	fputc('\n', out);
	*any = true;
}

bool provenance_print_doubts(json_t *context, json_t *rows, FILE *out)
{
	double others = json_number_value(json_object_get(context, "others_load"));
	double steal = json_number_value(json_object_get(context, "steal"));
	json_int_t cpus = json_integer_value(json_object_get(context, "cpus_allowed")), threads;
	const char *governor = json_string_value(json_object_get(context, "governor"));
	const char *library = json_string_value(json_object_get(context, "library_build_type"));
	size_t saturated;
	bool any = false;

	scan_rows(rows, &saturated, &threads);
	if (others > 0.05)
		doubt(out, &any, "other programs used %.0f %% of the CPUs meanwhile: stop them and measure again",
		      100 * others);
	if (steal > 0.01)
		doubt(out, &any, "the hypervisor gave %.0f %% of the CPU time to other machines (steal)", 100 * steal);
	if (cpus != 0 && threads > cpus)
		doubt(out, &any,
		      "some cells have more threads (up to %lld) than there are CPUs (%lld): they measure the "
		      "scheduler, too",
		      (long long)threads, (long long)cpus);
	if (governor != NULL && strcmp(governor, "unknown") == 0)
		doubt(out, &any,
		      "the CPU frequency governor cannot be seen from here: the clock may have changed meanwhile");
	else if (governor != NULL && strcmp(governor, "performance") != 0)
		doubt(out, &any,
		      "the CPU frequency governor is %s, not performance: the clock may have changed meanwhile",
		      governor);
	if (BUILD_SANITIZERS[0] != '\0')
		doubt(out, &any, "this is a build with sanitizers (%s): its rates mean nothing", BUILD_SANITIZERS);
	else if (strcmp(BUILD_TYPE, "Release") != 0)
		doubt(out, &any, "this is a %s build: measure with the release preset",
		      BUILD_TYPE[0] != '\0' ? BUILD_TYPE : "plain");
	if (saturated != 0)
		doubt(out, &any,
		      "%zu trials could not keep the rate that was asked for (saturated): their latencies are of "
		      "a queue that grows",
		      saturated);
	if (library != NULL && strcmp(library, "release") != 0)
		doubt(out, &any,
		      "the google-benchmark library calls itself a %s build (Debian's does, whatever it is); no "
		      "time is measured inside it",
		      library);
	if (json_is_true(json_object_get(context, "interrupted")))
		doubt(out, &any, "the run was interrupted: what is missing was not measured");
	return any;
}
