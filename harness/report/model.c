/* SPDX-License-Identifier: MIT */
#include "harness/report/model.h"

#include "harness/bench/compare.h"
#include "harness/bench/provenance.h"
#include "harness/bench/results.h"
#include "harness/bench/summary.h"
#include "harness/report/sha256.h"
#include "harness/report/text.h"
#include "harness/say.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const struct figure report_figures[FIGURES] = {
	{"cpu_ns_per_item", "CPU/item", "ns"},
	{"ctx_switches_per_item", "switches/item", "1"},
	{"p50_ns", "latency p50", "ns"},
	{"p99_ns", "p99", "ns"},
	{"p999_ns", "p99.9", "ns"},
	{"max_ns", "max", "ns"},
	{"bytes_per_channel", "bytes/channel", "1"},
	{"true_capacity", "true capacity", "exact"},
};

/* What a key is made of: members of the context, those of the machine first. The kernel counts
 * by its first two numbers. */
enum { MACHINE_MEMBERS = 8 };
static const char *const members[] = {"machine",      "cpu_model", "cpu_topology", "caches",          "num_cpus",
                                      "cpus_allowed", "governor",  "kernel",       "compiler",        "compiler_flags",
                                      "libc",         "placement", "seconds",      "contract_version"};
enum { MEMBERS = sizeof members / sizeof members[0] };

/* Makes room for one more; NULL: no memory. */
static void *one_more(void *of, size_t count, size_t size)
{
	if ((count & (count - 1)) != 0)
		return of;
	return realloc(of, (count == 0 ? 1 : 2 * count) * size);
}

bool report_broken(const struct report_cell *cell)
{
	return strcmp(cell->verdict, "ok") != 0;
}

bool report_ranked(const struct report_cell *cell)
{
	return cell->control == CONTROL_NONE && !report_broken(cell) && !isnan(cell->score);
}

struct report_cell *report_find(const struct report_block *block, const char *label)
{
	for (size_t i = 0; i < block->count; i++)
		if (strcmp(block->cells[i]->label, label) == 0)
			return block->cells[i];
	return NULL;
}

const struct report_run *report_newest(const struct report *report, const struct report_key *key)
{
	return &report->runs[key->runs[key->run_count - 1]];
}

/* ------------------------------------------------------------------------------------------
 * Cells
 */

static const struct workload *workload_of(const char *scenario)
{
	for (size_t i = 0; workloads[i] != NULL; i++)
		if (strcmp(workloads[i]->name, scenario) == 0)
			return workloads[i];
	return strcmp(scenario, limits.name) == 0 ? &limits : NULL;
}

static char *member_text(json_t *row, const char *name)
{
	const char *text = json_string_value(json_object_get(row, name));
	return strdup(text != NULL ? text : "");
}

static enum control control_of(json_t *row)
{
	const char *text = json_string_value(json_object_get(row, "control"));
	for (enum control c = CONTROL_NULL; c <= CONTROL_LIMIT; c++)
		if (text != NULL && strcmp(text, control_names[c]) == 0)
			return c;
	return CONTROL_NONE;
}

static bool has_rate(const char *params)
{
	const char *rate = strstr(params, "rate:");
	return rate != NULL && (rate == params || rate[-1] == '/') && strcmp(rate, "rate:0") != 0 &&
	       strncmp(rate, "rate:0/", 7) != 0;
}

/* Rates; other programs' files may have times alone. */
static bool take_rates(json_t *rows, struct samples *rates)
{
	if (!summary_samples(rows, "items_per_second", rates))
		return false;
	if (rates->count != 0)
		return true;
	if (!summary_samples(rows, "real_time", rates))
		return false;
	size_t kept = 0;
	for (size_t i = 0; i < rates->count; i++)
		if (rates->value[i] > 0) {
			rates->value[kept] = 1e9 / rates->value[i];
			rates->process[kept++] = rates->process[i];
		}
	rates->count = kept;
	return true;
}

/* Fills in the numbers of a cell whose trials are all good. */
static bool read_numbers(struct report_cell *cell, json_t *rows)
{
	const struct workload *workload = workload_of(cell->scenario);
	const struct figure *own = workload != NULL ? workload->figures : NULL;
	struct samples latency = {0};

	for (size_t i = 0; i < FIGURES; i++)
		cell->figures[i] = summary_median(rows, report_figures[i].member);
	for (size_t i = 0; i < OWN_FIGURES && own != NULL && own[i].member != NULL; i++)
		cell->figures[FIGURES + i] = summary_median(rows, own[i].member);
	cell->saturated = summary_median(rows, "saturated") > 0;
	for (size_t i = 0; i < json_array_size(rows); i++)
		cell->saturated |= json_is_true(json_object_get(json_array_get(rows, i), "saturated"));
	if (!take_rates(rows, &cell->rates))
		return false;
	if (cell->fixed && !summary_samples(rows, "p50_ns", &latency))
		return false;
	const struct samples *from = cell->fixed ? &latency : &cell->rates;
	bool complete = true;
	for (size_t i = 0; i < from->count && complete; i++)
		if (from->value[i] > 0)
			complete = samples_add(&cell->scores, cell->fixed ? 1 / from->value[i] : from->value[i],
			                       from->process[i]);
	samples_free(&latency);
	cell->rate = stats_median(&cell->rates);
	cell->score = stats_median(&cell->scores);
	return complete;
}

/* False: no memory. A name without its two slashes is a scenario, an implementation, or both. */
static bool read_cell(struct report_cell *cell, const char *name, json_t *rows)
{
	json_t *row = json_array_get(rows, 0);
	const char *label = strchr(name, '/'), *params = label != NULL ? strchr(label + 1, '/') : NULL;
	size_t scenario = strcspn(name, "/");

	*cell = (struct report_cell){.rate = NAN, .score = NAN, .interval = {NAN, NAN}, .score_interval = {NAN, NAN}};
	for (size_t i = 0; i < FIGURES + OWN_FIGURES; i++)
		cell->figures[i] = NAN;
	cell->name = strdup(name);
	cell->scenario = strndup(name, scenario);
	cell->label = label == NULL ? strdup(name)
	                            : strndup(label + 1, params != NULL ? (size_t)(params - label - 1) : strlen(label));
	cell->params = strdup(params != NULL ? params + 1 : "");
	cell->verdict = strdup(summary_verdict(rows));
	cell->package = member_text(row, "peer");
	if (cell->name == NULL || cell->scenario == NULL || cell->label == NULL || cell->params == NULL ||
	    cell->verdict == NULL || cell->package == NULL)
		return false;
	cell->control = control_of(row);
	cell->fixed = has_rate(cell->params);
	return report_broken(cell) || read_numbers(cell, rows);
}

static void free_cell(struct report_cell *cell)
{
	free(cell->name);
	free(cell->scenario);
	free(cell->label);
	free(cell->params);
	free(cell->verdict);
	free(cell->package);
	samples_free(&cell->rates);
	samples_free(&cell->scores);
}

/* ------------------------------------------------------------------------------------------
 * Files
 */

static char *doubts_of(json_t *context, json_t *rows)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (out == NULL)
		return NULL;
	provenance_print_doubts(context, rows, out);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

static const char *context_text(json_t *context, const char *name)
{
	const char *text = json_string_value(json_object_get(context, name));
	return text != NULL ? text : "";
}

static int no_memory(void)
{
	say("out of memory");
	return EXIT_MACHINE;
}

static int add_run(struct report *report, json_t *root, size_t file)
{
	json_t *rows = json_object_get(root, "benchmarks"), *context = json_object_get(root, "context"), *cell_rows;
	json_t *cells = summary_by_cell(rows);
	const char *name;
	void *more = one_more(report->runs, report->run_count, sizeof *report->runs);

	if (more != NULL)
		report->runs = more;
	if (more == NULL || cells == NULL) {
		json_decref(cells);
		return no_memory();
	}
	struct report_run *run = &report->runs[report->run_count++];
	*run = (struct report_run){.file = file, .context = context != NULL ? json_incref(context) : json_object()};
	run->commit = context_text(run->context, "commit");
	run->date = context_text(run->context, "date");
	run->doubts = doubts_of(run->context, rows);
	run->cells = calloc(json_object_size(cells) + 1, sizeof *run->cells);
	bool complete = run->doubts != NULL && run->cells != NULL;
	json_object_foreach(cells, name, cell_rows)
	{
		if (!complete)
			break;
		complete = read_cell(&run->cells[run->count++], name, cell_rows);
	}
	json_decref(cells);
	return complete ? EXIT_GOOD : no_memory();
}

/* The whole file in memory: it is hashed, parsed, and copied to data/ as it was at one moment. */
static char *slurp(const char *path, size_t *length)
{
	FILE *file = fopen(path, "re");
	struct text text = {.at = NULL};
	char part[65536];
	size_t n;

	if (file == NULL) {
		say("cannot read '%s': %s", path, strerror(errno));
		return NULL;
	}
	while ((n = fread(part, 1, sizeof part, file)) != 0)
		text_add(&text, part, n);
	bool bad = ferror(file) != 0 || text.failed;
	if (bad)
		say("cannot read '%s': %s", path, text.failed ? "out of memory" : strerror(errno));
	else
		text_add(&text, "", 0);
	fclose(file);
	if (bad)
		text_free(&text);
	*length = text.length;
	return text.at;
}

/* The name in data/: that of the file, made harmless, with digits of its hash where it is taken. */
static char *data_name(const struct report *report, const char *path, const char *sha)
{
	const char *slash = strrchr(path, '/');
	char slug[128], name[160];

	text_slug(slash != NULL ? slash + 1 : path, slug, sizeof slug);
	snprintf(name, sizeof name, "%s", slug);
	bool taken = strcmp(slug, "index.json") == 0 || strcmp(slug, "all.csv") == 0;
	for (size_t i = 0; i < report->file_count; i++)
		taken |= strcmp(report->files[i].name, name) == 0;
	if (taken)
		snprintf(name, sizeof name, "%.12s-%s", sha, slug);
	return strdup(name);
}

/* Takes one file. EXIT_GOOD also where it is there already under another name. */
static int add_file(struct report *report, const char *path)
{
	struct report_file file = {.path = strdup(path)};
	char *bytes = file.path != NULL ? slurp(path, &file.bytes) : NULL;
	json_t *root = NULL;
	int status = EXIT_USAGE;

	if (bytes == NULL)
		goto failed;
	sha256_hex(bytes, file.bytes, file.sha);
	for (size_t i = 0; i < report->file_count; i++)
		if (strcmp(report->files[i].sha, file.sha) == 0) {
			say("'%s' is the same as '%s': it counts once", path, report->files[i].path);
			status = EXIT_GOOD;
			goto failed;
		}
	root = json_loadb(bytes, file.bytes, 0, NULL);
	file.check = json_is_array(json_object_get(root, "rules"));
	if (!file.check) {
		json_decref(root);
		root = results_read(path);
		const char *absurd = compare_absurd(json_object_get(root, "benchmarks"));
		if (absurd != NULL)
			say("'%s' is no result file: %s", path, absurd);
		if (root == NULL || absurd != NULL)
			goto failed;
	}
	status = EXIT_MACHINE;
	file.name = data_name(report, path, file.sha);
	void *more = one_more(report->files, report->file_count, sizeof *report->files);
	if (more != NULL)
		report->files = more;
	if (file.name == NULL || more == NULL) {
		no_memory();
		goto failed;
	}
	report->files[report->file_count++] = file;
	if (!file.check)
		status = add_run(report, root, report->file_count - 1);
	else
		status =
			json_array_extend(report->rules, json_object_get(root, "rules")) == 0 ? EXIT_GOOD : no_memory();
	json_decref(root);
	free(bytes);
	return status;
failed:
	json_decref(root);
	free(bytes);
	free(file.path);
	free(file.name);
	return status;
}

static int only_json(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);
	return entry->d_name[0] != '.' &&
	       (entry->d_type == DT_DIR || (length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0));
}

/* A name that was given must be a result file; what lies in a folder need not, and is left out. */
static int add_path(struct report *report, const char *path, bool given)
{
	struct stat st;
	struct dirent **entries;

	if (stat(path, &st) != 0) {
		say("cannot read '%s': %s", path, strerror(errno));
		return EXIT_USAGE;
	}
	if (!S_ISDIR(st.st_mode)) {
		int status = add_file(report, path);
		return status == EXIT_USAGE && !given ? EXIT_GOOD : status;
	}
	int count = scandir(path, &entries, only_json, alphasort), status = EXIT_GOOD;
	if (count < 0) {
		say("cannot read '%s': %s", path, strerror(errno));
		return EXIT_USAGE;
	}
	for (int i = 0; i < count; i++) {
		char *below = NULL;
		if (status == EXIT_GOOD && asprintf(&below, "%s/%s", path, entries[i]->d_name) < 0)
			status = no_memory();
		else if (status == EXIT_GOOD)
			status = add_path(report, below, false);
		free(below);
		free(entries[i]);
	}
	free(entries);
	return status;
}

/* ------------------------------------------------------------------------------------------
 * Keys
 */

/* "Linux 6.18.44-fc x86_64" -> "Linux 6.18 x86_64" */
static json_t *kernel_series(const char *kernel)
{
	char system[64] = "", machine[64] = "";
	unsigned major = 0, minor = 0;
	if (sscanf(kernel, "%63s %u.%u%*s %63s", system, &major, &minor, machine) < 3)
		return json_string(kernel);
	return json_sprintf("%s %u.%u%s%s", system, major, minor, machine[0] != '\0' ? " " : "", machine);
}

static json_t *identity_of(json_t *context, size_t count)
{
	json_t *identity = json_object();
	for (size_t i = 0; i < count; i++) {
		json_t *value = json_object_get(context, members[i]);
		if (value == NULL)
			continue;
		if (strcmp(members[i], "kernel") == 0 && json_is_string(value))
			json_object_set_new(identity, members[i], kernel_series(json_string_value(value)));
		else
			json_object_set(identity, members[i], value);
	}
	return identity;
}

static bool hash_identity(json_t *identity, char id[9])
{
	char *text = json_dumps(identity, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(6)), hex[65];
	if (text == NULL)
		return false;
	sha256_hex(text, strlen(text), hex);
	snprintf(id, 9, "%.8s", hex);
	free(text);
	return true;
}

static void name_key(struct report_key *key)
{
	json_t *of = key->identity;
	const char *machine = context_text(of, "machine"), *model = context_text(of, "cpu_model");
	const char *compiler = context_text(of, "compiler");
	json_int_t cpus = json_integer_value(json_object_get(of, "cpus_allowed"));
	if (cpus == 0)
		cpus = json_integer_value(json_object_get(of, "num_cpus"));
	snprintf(key->name, sizeof key->name, "%.60s%s%.0lld%s%s%.30s",
	         machine[0] != '\0' ? machine
	         : model[0] != '\0' ? model
	                            : "unknown machine",
	         cpus != 0 ? ", " : "", (long long)cpus,
	         cpus == 0   ? ""
	         : cpus == 1 ? " CPU"
	                     : " CPUs",
	         compiler[0] != '\0' ? ", " : "", compiler);
}

/* The key of a run, which is new unless one has the same identity. False: no memory. */
static bool find_key(struct report *report, struct report_run *run)
{
	struct report_key key = {.identity = identity_of(run->context, MEMBERS)};
	json_t *machine = identity_of(run->context, MACHINE_MEMBERS);
	bool complete = key.identity != NULL && machine != NULL && hash_identity(key.identity, key.id) &&
	                hash_identity(machine, key.machine);

	json_decref(machine);
	for (run->key = 0; complete && run->key < report->key_count; run->key++)
		if (strcmp(report->keys[run->key].id, key.id) == 0) {
			json_decref(key.identity);
			return true;
		}
	void *more = complete ? one_more(report->keys, report->key_count, sizeof *report->keys) : NULL;
	if (more == NULL) {
		json_decref(key.identity);
		return false;
	}
	report->keys = more;
	name_key(&key);
	report->keys[report->key_count++] = key;
	return true;
}

/* Oldest first. Dates of one form, as google-benchmark writes them, sort as text. */
static const struct report *sorted;
static int by_date(const void *a, const void *b)
{
	const struct report_run *x = &sorted->runs[*(const size_t *)a], *y = &sorted->runs[*(const size_t *)b];
	int order = strcmp(x->date, y->date);
	return order != 0 ? order : x->file < y->file ? -1 : x->file > y->file;
}

static int by_newest(const void *a, const void *b)
{
	const struct report_key *x = a, *y = b;
	int order = -strcmp(report_newest(sorted, x)->date, report_newest(sorted, y)->date);
	return order != 0 ? order : strcmp(x->id, y->id);
}

/* ------------------------------------------------------------------------------------------
 * Blocks
 */

static size_t workload_order(const struct workload *workload)
{
	size_t i = 0;
	while (workloads[i] != NULL && workloads[i] != workload)
		i++;
	return i;
}

/* Numbers inside by their value: capacity:32 before capacity:100. */
static int natural(const char *a, const char *b)
{
	while (*a != '\0' && *b != '\0') {
		if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
			char *after_a, *after_b;
			unsigned long long x = strtoull(a, &after_a, 10), y = strtoull(b, &after_b, 10);
			if (x != y)
				return x < y ? -1 : 1;
			a = after_a;
			b = after_b;
		} else if (*a != *b) {
			return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
		} else {
			a++;
			b++;
		}
	}
	return (*a != '\0') - (*b != '\0');
}

static int by_block(const void *a, const void *b)
{
	const struct report_cell *x = *(struct report_cell *const *)a, *y = *(struct report_cell *const *)b;
	const struct workload *wx = workload_of(x->scenario), *wy = workload_of(y->scenario);
	if (wx != wy)
		return workload_order(wx) < workload_order(wy) ? -1 : 1;
	int order = strcmp(x->scenario, y->scenario);
	if (order == 0)
		order = natural(x->params, y->params);
	if (order == 0)
		order = strcmp(x->params, y->params);
	if (order == 0 && x->control != y->control)
		order = x->control < y->control ? -1 : 1;
	if (order == 0 && report_ranked(x) != report_ranked(y))
		order = report_ranked(x) ? -1 : 1;
	if (order == 0 && report_ranked(x) && x->score != y->score)
		order = x->score > y->score ? -1 : 1;
	return order != 0 ? order : strcmp(x->label, y->label);
}

/* "p4/c1024/s8": short, since it stands in every row. */
static void make_anchor(const char *params, char *anchor, size_t size)
{
	static const char *const brief[][2] = {{"producers", "p"}, {"consumers", "n"}, {"capacity", "c"}, {"size", "s"},
	                                       {"batch", "b"},     {"work_ns", "w"},   {"rate", "r"},     {"mode", ""}};
	char slug[128], whole[512] = "";
	size_t n = 0;

	for (const char *at = params; *at != '\0' && n + 128 < sizeof whole;) {
		size_t length = strcspn(at, "/"), name = strcspn(at, ":/");
		for (size_t i = 0; i < sizeof brief / sizeof brief[0]; i++)
			if (strlen(brief[i][0]) == name && strncmp(at, brief[i][0], name) == 0) {
				n += (size_t)snprintf(whole + n, sizeof whole - n, "%s", brief[i][1]);
				break;
			} else if (i + 1 == sizeof brief / sizeof brief[0]) {
				n += (size_t)snprintf(whole + n, sizeof whole - n, "%.*s", (int)(name < 32 ? name : 32),
				                      at);
			}
		const char *value = name < length ? at + name + 1 : at + length;
		size_t left = (size_t)(at + length - value);
		n += (size_t)snprintf(whole + n, sizeof whole - n, "%.*s.", (int)(left < 60 ? left : 60), value);
		at += length + (at[length] == '/');
	}
	if (n != 0)
		whole[n - 1] = '\0';
	text_slug(n != 0 ? whole : "all", slug, sizeof slug);
	snprintf(anchor, size, "%.*s", (int)size - 1, slug);
}

static enum kind kind_of(const struct workload *workload, const char *text)
{
	struct params params;
	const char *why;

	if (workload == NULL || workload == &limits)
		return KIND_COUNT;
	params_default(workload, &params);
	for (const char *at = text; *at != '\0';) {
		char part[128];
		size_t length = strcspn(at, "/");
		snprintf(part, sizeof part, "%.*s", (int)(length < 127 ? length : 127), at);
		char *value = strchr(part, ':');
		if (value != NULL) {
			*value++ = '\0';
			enum param param = param_of_name(part);
			if (param == PARAM_COUNT || param_parse(workload, param, value, &params.v[param]) != NULL)
				return KIND_COUNT;
		}
		at += length + (at[length] == '/');
	}
	return workload->kind(&params, &why);
}

/* A rank is a range: those whose whole interval is above come before it for sure, those whose whole
 * interval is below behind it. */
static void rank(struct report_block *block)
{
	for (size_t i = 0; i < block->ranked; i++) {
		struct report_cell *cell = block->cells[i];
		cell->rank_low = 1;
		cell->rank_high = block->ranked;
		for (size_t k = 0; k < block->ranked; k++) {
			cell->rank_low += block->cells[k]->score_interval.low > cell->score_interval.high;
			cell->rank_high -= block->cells[k]->score_interval.high < cell->score_interval.low;
		}
	}
}

static void finish_block(struct report_block *block)
{
	block->best = block->null_low = NAN;
	for (size_t i = 0; i < block->count; i++) {
		struct report_cell *cell = block->cells[i];
		if (report_broken(cell))
			continue;
		cell->interval = stats_median_interval(&cell->rates);
		cell->score_interval = cell->fixed ? stats_median_interval(&cell->scores) : cell->interval;
		if (report_ranked(cell)) {
			block->best = fmax(block->best, cell->score);
			block->ranked++;
		} else if (cell->control == CONTROL_NULL) {
			block->null_low = cell->score_interval.low;
		}
	}
	block->workload = workload_of(block->scenario);
	block->kind = kind_of(block->workload, block->params);
	make_anchor(block->params, block->anchor, sizeof block->anchor);
	rank(block);
}

/* The cells of the newest run, and what others of its commit have beside. NULL: no memory. */
static struct report_cell **shown_cells(const struct report *report, const struct report_key *key, size_t *count)
{
	const struct report_run *newest = report_newest(report, key);
	json_t *seen = json_object();
	size_t room = 1;

	for (size_t i = 0; i < key->run_count; i++)
		room += report->runs[key->runs[i]].count;
	struct report_cell **cells = calloc(room, sizeof *cells);
	*count = 0;
	for (size_t i = key->run_count; i-- != 0 && cells != NULL && seen != NULL;) {
		struct report_run *run = &report->runs[key->runs[i]];
		if (run != newest && (newest->commit[0] == '\0' || strcmp(run->commit, newest->commit) != 0))
			continue;
		for (size_t k = 0; k < run->count; k++)
			if (json_object_get(seen, run->cells[k].name) == NULL &&
			    json_object_set_new(seen, run->cells[k].name, json_true()) == 0)
				cells[(*count)++] = &run->cells[k];
	}
	json_decref(seen);
	return cells;
}

/* False: no memory. */
static bool make_blocks(const struct report *report, struct report_key *key)
{
	size_t count = 0;
	struct report_cell **cells = shown_cells(report, key, &count);

	/* Blocks and limits point into this one array: limits sort last, as their workload
	 * stands in no table. */
	key->limits = cells;
	key->blocks = calloc(count + 1, sizeof *key->blocks);
	if (cells == NULL || key->blocks == NULL)
		return false;
	qsort(cells, count, sizeof *cells, by_block);
	size_t kept = 0;
	for (size_t i = 0; i < count; i++)
		if (cells[i]->control == CONTROL_LIMIT) {
			struct report_cell *limit = cells[i];
			memmove(cells + kept + 1, cells + kept, (i - kept) * sizeof *cells);
			cells[kept++] = limit;
			if (!report_broken(limit))
				limit->interval = limit->score_interval = stats_median_interval(&limit->rates);
		}
	key->limit_count = kept;
	for (size_t i = kept; i < count; i++) {
		struct report_block *block = key->block_count != 0 ? &key->blocks[key->block_count - 1] : NULL;
		if (block == NULL || strcmp(block->scenario, cells[i]->scenario) != 0 ||
		    strcmp(block->params, cells[i]->params) != 0) {
			block = &key->blocks[key->block_count++];
			block->scenario = cells[i]->scenario;
			block->params = cells[i]->params;
			block->cells = cells + i;
		}
		block->count++;
	}
	for (size_t i = 0; i < key->block_count; i++)
		finish_block(&key->blocks[i]);
	return true;
}

static bool make_keys(struct report *report)
{
	for (size_t i = 0; i < report->run_count; i++)
		if (!find_key(report, &report->runs[i]))
			return false;
	for (size_t k = 0; k < report->key_count; k++) {
		struct report_key *key = &report->keys[k];
		key->runs = calloc(report->run_count, sizeof *key->runs);
		if (key->runs == NULL)
			return false;
		for (size_t i = 0; i < report->run_count; i++)
			if (report->runs[i].key == k)
				key->runs[key->run_count++] = i;
		sorted = report;
		qsort(key->runs, key->run_count, sizeof *key->runs, by_date);
	}
	qsort(report->keys, report->key_count, sizeof *report->keys, by_newest);
	for (size_t k = 0; k < report->key_count; k++) {
		for (size_t i = 0; i < report->keys[k].run_count; i++)
			report->runs[report->keys[k].runs[i]].key = k;
		if (!make_blocks(report, &report->keys[k]))
			return false;
	}
	return true;
}

int report_read(struct report *report, const char *const *paths, size_t count)
{
	*report = (struct report){.rules = json_array()};
	if (report->rules == NULL)
		return no_memory();
	for (size_t i = 0; i < count; i++) {
		int status = add_path(report, paths[i], true);
		if (status != EXIT_GOOD)
			return status;
	}
	if (report->run_count == 0) {
		say("there is no result file in what was named: 'chanbench bench --out=FILE' makes one");
		return EXIT_USAGE;
	}
	return make_keys(report) ? EXIT_GOOD : no_memory();
}

void report_close(struct report *report)
{
	for (size_t i = 0; i < report->run_count; i++) {
		struct report_run *run = &report->runs[i];
		for (size_t k = 0; k < run->count; k++)
			free_cell(&run->cells[k]);
		free(run->cells);
		free(run->doubts);
		json_decref(run->context);
	}
	for (size_t i = 0; i < report->key_count; i++) {
		json_decref(report->keys[i].identity);
		free(report->keys[i].runs);
		free(report->keys[i].blocks);
		free(report->keys[i].limits);
	}
	for (size_t i = 0; i < report->file_count; i++) {
		free(report->files[i].path);
		free(report->files[i].name);
	}
	free(report->runs);
	free(report->keys);
	free(report->files);
	json_decref(report->rules);
}
