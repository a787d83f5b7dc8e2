/* SPDX-License-Identifier: MIT */
#include "harness/report/matrix.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void matrix_free(struct matrix *matrix)
{
	free(matrix->scenarios);
	free(matrix->labels);
	free(matrix->cells);
	*matrix = (struct matrix){.cells = NULL};
}

static size_t firsts(const struct report_key *key, const char *label)
{
	size_t n = 0;
	for (size_t i = 0; i < key->block_count; i++) {
		const struct report_cell *cell = report_find(&key->blocks[i], label);
		n += cell != NULL && cell->rank_low == 1;
	}
	return n;
}

static const struct report_key *ordered;
static int by_firsts(const void *a, const void *b)
{
	const struct report_cell *x = *(const struct report_cell *const *)a, *y = *(const struct report_cell *const *)b;
	bool own_x = x->package[0] == '\0', own_y = y->package[0] == '\0';
	if (own_x != own_y)
		return own_x ? -1 : 1;
	size_t first_x = firsts(ordered, x->label), first_y = firsts(ordered, y->label);
	return first_x != first_y ? (first_x > first_y ? -1 : 1) : strcmp(x->label, y->label);
}

static void enter(struct matrix_cell *into, const struct report_block *block, const struct report_cell *cell)
{
	if (report_broken(cell)) {
		into->word = cell->verdict;
		into->wrong = block;
		into->ratio = NAN;
		return;
	}
	if (!report_ranked(cell))
		return;
	double ratio = cell->score / block->best;
	into->low = into->blocks == 0 || cell->rank_low < into->low ? cell->rank_low : into->low;
	into->high = cell->rank_high > into->high ? cell->rank_high : into->high;
	into->blocks++;
	if (into->wrong != NULL)
		return; /* one broken cell, and there is no number */
	into->word = "ok";
	into->ratio =
		into->blocks == 1
			? ratio
			: exp((log(into->ratio) * (double)(into->blocks - 1) + log(ratio)) / (double)into->blocks);
}

bool matrix_make(struct matrix *matrix, const struct report_key *key)
{
	size_t most = 1;
	json_t *rows = json_object();

	for (size_t i = 0; i < key->block_count; i++)
		most += key->blocks[i].count;
	*matrix = (struct matrix){.scenarios = calloc(key->block_count + 1, sizeof *matrix->scenarios),
	                          .labels = calloc(most, sizeof *matrix->labels)};
	if (matrix->scenarios == NULL || matrix->labels == NULL || rows == NULL)
		goto failed;
	for (size_t i = 0; i < key->block_count; i++) {
		const struct report_block *block = &key->blocks[i];
		if (i == 0 || strcmp(block->scenario, key->blocks[i - 1].scenario) != 0)
			matrix->scenarios[matrix->scenario_count++] = block->scenario;
		for (size_t k = 0; k < block->count; k++)
			if (block->cells[k]->control == CONTROL_NONE &&
			    json_object_get(rows, block->cells[k]->label) == NULL) {
				json_object_set_new(rows, block->cells[k]->label, json_true());
				matrix->labels[matrix->label_count++] = block->cells[k];
			}
	}
	ordered = key;
	if (matrix->label_count <= 200) /* beyond that the order is that of the file */
		qsort(matrix->labels, matrix->label_count, sizeof *matrix->labels, by_firsts);
	for (size_t i = 0; i < matrix->label_count; i++)
		json_object_set_new(rows, matrix->labels[i]->label, json_integer((json_int_t)i));
	matrix->cells = calloc(matrix->scenario_count * matrix->label_count + 1, sizeof *matrix->cells);
	if (matrix->cells == NULL)
		goto failed;
	for (size_t i = 0; i < matrix->scenario_count * matrix->label_count; i++)
		matrix->cells[i].ratio = NAN;
	for (size_t i = 0, column = 0; i < key->block_count; i++) {
		const struct report_block *block = &key->blocks[i];
		column += i != 0 && strcmp(block->scenario, key->blocks[i - 1].scenario) != 0;
		for (size_t k = 0; k < matrix->label_count; k++)
			matrix->cells[k * matrix->scenario_count + column].of++;
		for (size_t k = 0; k < block->count; k++) {
			if (block->cells[k]->control != CONTROL_NONE)
				continue;
			size_t row = (size_t)json_integer_value(json_object_get(rows, block->cells[k]->label));
			enter(&matrix->cells[row * matrix->scenario_count + column], block, block->cells[k]);
		}
	}
	json_decref(rows);
	return true;
failed:
	json_decref(rows);
	matrix_free(matrix);
	return false;
}

void matrix_conclude(const struct report_key *key, enum kind kind, bool own, struct conclusion *conclusion)
{
	*conclusion = (struct conclusion){.least = NAN};
	for (size_t i = 0; i < key->block_count; i++)
		conclusion->cells += key->blocks[i].kind == kind && key->blocks[i].ranked != 0;
	json_t *seen = json_object();
	for (size_t i = 0; i < key->block_count; i++) {
		if (key->blocks[i].kind != kind)
			continue;
		for (size_t k = 0; k < key->blocks[i].ranked; k++) {
			const struct report_cell *candidate = key->blocks[i].cells[k];
			struct conclusion this = {.label = candidate->label, .cells = conclusion->cells, .least = NAN};
			if ((own && candidate->package[0] != '\0') || json_object_get(seen, candidate->label) != NULL ||
			    json_object_size(seen) > 200)
				continue;
			json_object_set_new(seen, candidate->label, json_true());
			for (size_t b = 0; b < key->block_count; b++) {
				const struct report_block *block = &key->blocks[b];
				const struct report_cell *cell =
					block->kind == kind ? report_find(block, candidate->label) : NULL;
				if (cell == NULL || !report_ranked(cell))
					continue;
				this.measured++;
				this.first += cell->rank_low == 1;
				this.least = fmin(this.least, cell->score / block->best);
			}
			if (conclusion->label == NULL || this.first > conclusion->first ||
			    (this.first == conclusion->first && this.least > conclusion->least))
				*conclusion = this;
		}
	}
	json_decref(seen);
}
