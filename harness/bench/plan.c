/* SPDX-License-Identifier: MIT */
#include "harness/bench/plan.h"

#include "harness/bench/driver.h"
#include "harness/bench/names.h"
#include "harness/bench/sweep.h"
#include "harness/choice.h"
#include "harness/say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS_MAX = 100000 };

const char *const control_names[] = {[CONTROL_NULL] = "null", [CONTROL_AA] = "aa", [CONTROL_LIMIT] = "limit"};

/* ------------------------------------------------------------------------------------------
 * Making
 */

struct making {
	struct plan *plan;
	const struct plan_request *request;
	const struct impl_set *set;
	struct names impls, scenarios, presets;
	const struct workload *workload;
	const struct preset *preset; /* NULL: none */
	/* why the first scenario that was left out cannot take the parameters; "": none */
	char complaint[512];
	int failed;
};

static void *grow(void *array, size_t count, size_t size, struct making *m)
{
	/* By doubling, at the powers of two. */
	if ((count & (count - 1)) != 0)
		return array;
	void *larger = realloc(array, (count == 0 ? 1 : 2 * count) * size);
	if (larger == NULL) {
		say("out of memory");
		m->failed = -1;
		return array;
	}
	return larger;
}

static void add_cell(struct making *m, struct cell cell)
{
	struct plan *plan = m->plan;
	if (plan->cell_count == CELLS_MAX) {
		say("these are more than %d cells: choose with --impl, --scenario, --preset and --param", CELLS_MAX);
		m->failed = -1;
	}
	plan->cells = m->failed ? plan->cells : grow(plan->cells, plan->cell_count, sizeof cell, m);
	if (m->failed)
		return;
	cell.block = plan->block_count - 1;
	if (cell.control != CONTROL_AA)
		cell.twin = plan->cell_count;
	plan->cells[plan->cell_count++] = cell;
	plan->blocks[cell.block].count++;
}

static const char *what_lacks(const struct block *block, const struct impl_info *info)
{
	const char *lacks = info->driver.program[0] != '\0' ? driver_lacks(info, block) : NULL;
	if (lacks != NULL)
		return lacks;
	if (info->offered[block->kind] == 0)
		return kind_names[block->kind];
	return block->workload->lacks != NULL ? block->workload->lacks(info, &block->params) : NULL;
}

static void add_cells(struct making *m)
{
	const struct block *block = &m->plan->blocks[m->plan->block_count - 1];
	size_t repeated = SIZE_MAX;

	if (block->workload == &limits) {
		add_cell(m, (struct cell){.control = CONTROL_LIMIT});
		return;
	}
	if (m->request->controls &&
	    (block->workload->no_null == NULL || block->workload->no_null(&block->params) == NULL))
		add_cell(m, (struct cell){.control = CONTROL_NULL});
	for (size_t i = 0; i < m->set->count && !m->failed; i++) {
		const struct impl_info *info = &m->set->infos[i];
		if (!choice_has(&m->impls, info))
			continue;
		const char *lacks = what_lacks(block, info);
		add_cell(m, (struct cell){.impl = info, .lacks = lacks});
		if (lacks == NULL && repeated == SIZE_MAX)
			repeated = m->plan->cell_count - 1;
	}
	if (m->request->controls && repeated != SIZE_MAX && !m->failed)
		add_cell(m,
		         (struct cell){.impl = m->plan->cells[repeated].impl, .control = CONTROL_AA, .twin = repeated});
}

static bool same_params(const struct workload *workload, const struct params *a, const struct params *b)
{
	for (const struct workload_param *p = workload->params; p->param != PARAM_COUNT; p++)
		if (a->v[p->param] != b->v[p->param])
			return false;
	return true;
}

static void name_preset(struct block *block, const struct preset *preset)
{
	size_t n = strlen(block->presets);
	if (preset == NULL)
		return;
	/* One preset can come to the same parameters twice, and two presets can share a cell. */
	const char *last = strrchr(block->presets, ' ');
	if (strcmp(last != NULL ? last + 1 : block->presets, preset->name) != 0)
		snprintf(block->presets + n, sizeof block->presets - n, "%s%s", n != 0 ? ", " : "", preset->name);
}

static void add_block(const struct params *params, void *arg)
{
	struct making *m = arg;
	struct plan *plan = m->plan;
	struct block block = {.workload = m->workload, .params = *params, .first = plan->cell_count};
	const char *why = NULL;

	if (m->failed)
		return;
	for (size_t i = 0; i < plan->block_count; i++)
		if (plan->blocks[i].workload == m->workload &&
		    same_params(m->workload, &plan->blocks[i].params, params)) {
			name_preset(&plan->blocks[i], m->preset);
			return;
		}
	block.kind = m->workload->kind(params, &why);
	if (block.kind == KIND_COUNT) {
		char text[512];
		plan_params(&block, ' ', text, sizeof text);
		say("left out: %s %s: %s", m->workload->name, text, why != NULL ? why : "they do not go together");
		return;
	}
	name_preset(&block, m->preset);
	plan->blocks = grow(plan->blocks, plan->block_count, sizeof block, m);
	if (m->failed)
		return;
	plan->blocks[plan->block_count++] = block;
	add_cells(m);
}

/* Everything of one preset (or, without, of the defaults), with the parameters of the request
 * over it. */
static int add_sweep(struct making *m)
{
	struct sweep sweep;
	const char *wrong = NULL;

	sweep_default(m->workload, &sweep);
	for (const char *at = m->preset != NULL ? m->preset->params : ""; *at != '\0' && wrong == NULL;) {
		size_t length = strcspn(at, " ");
		if (length != 0)
			wrong = sweep_set(m->workload, &sweep, at, length);
		at += length + strspn(at + length, " ");
	}
	for (size_t i = 0; i < m->request->param_count && wrong == NULL; i++)
		wrong = sweep_set(m->workload, &sweep, m->request->params[i], strlen(m->request->params[i]));
	if (wrong != NULL && m->scenarios.count != 0) {
		say("%s", wrong);
		return -1;
	}
	/* of a scenario that was not named: no reason to stop while others can take it */
	if (wrong != NULL) {
		if (m->complaint[0] == '\0')
			snprintf(m->complaint, sizeof m->complaint, "%s", wrong);
		return 0;
	}
	sweep_each(m->workload, &sweep, add_block, m);
	return m->failed;
}

static const struct preset *find_preset(const struct workload *workload, const char *name)
{
	const struct preset *preset = workload->presets;
	while (preset != NULL && preset->name != NULL && strcmp(preset->name, name) != 0)
		preset++;
	return preset != NULL && preset->name != NULL ? preset : NULL;
}

static bool has_all_params(const struct making *m, const struct workload *workload)
{
	for (size_t i = 0; i < m->request->param_count; i++) {
		char name[64];
		snprintf(name, sizeof name, "%.*s", (int)strcspn(m->request->params[i], "="), m->request->params[i]);
		enum param param = param_of_name(name);
		if (!sweep_has(workload, param))
			return false;
	}
	return true;
}

static int add_workload(struct making *m, const struct workload *workload)
{
	/* A scenario that was named must have what else is named; the others are then left out
	 * silently. */
	bool named = m->scenarios.count != 0;

	m->workload = workload;
	m->preset = NULL;
	if (!named && !has_all_params(m, workload))
		return 0;
	if (m->presets.count != 0) {
		for (size_t i = 0; i < m->presets.count; i++) {
			m->preset = find_preset(workload, m->presets.of[i]);
			if (m->preset == NULL && named) {
				say("%s has no preset '%s': 'chanbench list' shows them all", workload->name,
				    m->presets.of[i]);
				return -1;
			}
			if (m->preset != NULL && add_sweep(m) != 0)
				return -1;
		}
		return 0;
	}
	if (m->request->param_count != 0 || workload->presets == NULL || workload->presets[0].name == NULL)
		return add_sweep(m);
	for (m->preset = workload->presets; m->preset->name != NULL; m->preset++)
		if (add_sweep(m) != 0)
			return -1;
	return 0;
}

/* All limits, whatever presets and parameters the request has for the others. */
static int add_limits(struct making *m)
{
	struct sweep sweep;

	m->workload = &limits;
	m->preset = NULL;
	sweep_default(&limits, &sweep);
	sweep_set(&limits, &sweep, limits.presets[0].params, strlen(limits.presets[0].params));
	sweep_each(&limits, &sweep, add_block, m);
	return m->failed;
}

/* ------------------------------------------------------------------------------------------
 * Checking the names of a request
 */

static int check_all_names(const struct making *m)
{
	const char *scenarios[NAMES_MAX + 1], *presets[4 * NAMES_MAX];
	size_t scenario_count = 0, preset_count = 0;

	for (; workloads[scenario_count] != NULL && scenario_count < NAMES_MAX; scenario_count++) {
		const struct workload *workload = workloads[scenario_count];
		scenarios[scenario_count] = workload->name;
		for (const struct preset *p = workload->presets; p != NULL && p->name != NULL; p++)
			if (preset_count < 4 * NAMES_MAX)
				presets[preset_count++] = p->name;
	}
	scenarios[scenario_count++] = limits.name;
	if (choice_check(&m->impls, m->set) != 0 ||
	    names_check("scenario", &m->scenarios, scenarios, scenario_count) != 0)
		return -1;
	return names_check("preset", &m->presets, presets, preset_count);
}

/* Each --param is the only one of its name, and somebody has a parameter of that name. */
static int check_params(const struct making *m)
{
	const char *known[PARAM_COUNT];

	for (enum param param = 0; param < PARAM_COUNT; param++)
		known[param] = param_name(param);
	for (size_t i = 0; i < m->request->param_count; i++) {
		const char *text = m->request->params[i];
		size_t n = strcspn(text, "=");
		char name[64];
		struct names names = {.of = {name}, .count = 1};
		if (n == 0 || text[n] == '\0') {
			say("'--param=%s' is no parameter: write --param=name=value or --param=name=value,value", text);
			return -1;
		}
		snprintf(name, sizeof name, "%.*s", (int)n, text);
		if (names_check("parameter", &names, known, PARAM_COUNT) != 0)
			return -1;
		for (size_t k = 0; k < i; k++)
			if (strncmp(m->request->params[k], text, n + 1) == 0) {
				say("--param=%s and --param=%s: write --param=%s=A,B for several values",
				    m->request->params[k], text, name);
				return -1;
			}
	}
	return 0;
}

/* ------------------------------------------------------------------------------------------ */

static int check_remaining(const struct making *m)
{
	const struct plan *plan = m->plan;

	if (plan->block_count == 0 && m->complaint[0] != '\0') {
		say("%s", m->complaint);
		return -1;
	}
	if (plan->block_count == 0) {
		say("nothing to measure: no scenario has all of the presets and parameters that were asked for");
		return -1;
	}
	for (size_t i = 0; i < plan->cell_count; i++)
		if ((plan->cells[i].control == CONTROL_NONE && plan->cells[i].lacks == NULL) ||
		    plan->cells[i].control == CONTROL_LIMIT)
			return 0;
	const struct cell *cell = &plan->cells[plan->cell_count - 1];
	say("nothing to measure: no implementation that was asked for can run it (%s lacks %s)",
	    cell->impl != NULL ? cell->impl->name : "none", cell->lacks != NULL ? cell->lacks : "all");
	return -1;
}

int plan_make(struct plan *plan, const struct plan_request *request, const struct impl_set *set)
{
	struct making m = {.plan = plan, .request = request, .set = set};

	*plan = (struct plan){.strict_peers = request->strict_peers};
	if (names_split(&m.impls, request->impls, "impl") != 0 ||
	    names_split(&m.scenarios, request->scenarios, "scenario") != 0 ||
	    names_split(&m.presets, request->presets, "preset") != 0 || check_all_names(&m) != 0 ||
	    check_params(&m) != 0)
		m.failed = -1;
	for (size_t i = 0; workloads[i] != NULL && !m.failed; i++)
		if (m.scenarios.count == 0 || names_index(&m.scenarios, workloads[i]->name) != m.scenarios.count)
			m.failed = add_workload(&m, workloads[i]);
	bool limits_named = names_index(&m.scenarios, limits.name) != m.scenarios.count;
	if (limits_named && !m.failed)
		m.failed = add_workload(&m, &limits);
	if (!m.failed)
		m.failed = check_remaining(&m);
	if (request->controls && !limits_named && !m.failed)
		m.failed = add_limits(&m);
	names_free(&m.impls);
	names_free(&m.scenarios);
	names_free(&m.presets);
	return m.failed;
}

void plan_close(struct plan *plan)
{
	free(plan->blocks);
	free(plan->cells);
	*plan = (struct plan){0};
}

void plan_label(const struct cell *cell, char *text, size_t size)
{
	if (cell->impl == NULL)
		snprintf(text, size, "%s", control_names[cell->control]);
	else
		snprintf(text, size, "%s%s", cell->impl->name, cell->control == CONTROL_AA ? "@aa" : "");
}

void plan_params(const struct block *block, char separator, char *text, size_t size)
{
	size_t n = 0;
	text[0] = '\0';
	for (const struct workload_param *p = block->workload->params; p->param != PARAM_COUNT && n < size; p++) {
		char value[64];
		param_print(block->workload, p->param, block->params.v[p->param], value, sizeof value);
		if (n != 0 && n + 1 < size)
			text[n++] = separator;
		n += (size_t)snprintf(text + n, size - n, "%s:%s", param_name(p->param), value);
	}
}

void plan_name(const struct plan *plan, const struct cell *cell, char *text, size_t size)
{
	const struct block *block = &plan->blocks[cell->block];
	char label[64], params[512];
	plan_label(cell, label, sizeof label);
	plan_params(block, '/', params, sizeof params);
	snprintf(text, size, "%s/%s/%s", block->workload->name, label, params);
}
