/* SPDX-License-Identifier: MIT
 *
 * weaken.c - memory-order mutation: is there an execution in which this atomic operation needs the
 * order that it asks for?
 *
 * One line a site and way: "site INDEX PC OPERATION ORDER TO VERDICT EXECUTIONS PLACE", separated
 * by tabs. Verdict "ok" means that the program did not notice. "begin INDEX" comes before each, so
 * that whoever reads it knows which one the process died of.
 */
#include "harness/explore/driver/driver.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { WAYS_MAX = 2 };

static const char *const operation_names[] = {"load", "store", "rmw", "cas", "cas-fail", "fence"};

/* The next weaker orders: what it may be one step from being. Returns how many. */
static size_t one_step_weaker(const struct explore_site *site, int to[WAYS_MAX])
{
	bool loads = site->operation != EXPLORE_SITE_STORE;
	bool stores = site->operation != EXPLORE_SITE_LOAD && site->operation != EXPLORE_SITE_CAS_FAIL;

	switch (site->order) {
	case __ATOMIC_SEQ_CST:
		to[0] = loads && stores ? __ATOMIC_ACQ_REL : loads ? __ATOMIC_ACQUIRE : __ATOMIC_RELEASE;
		return 1;
	case __ATOMIC_ACQ_REL:
		to[0] = __ATOMIC_ACQUIRE;
		to[1] = __ATOMIC_RELEASE;
		return 2;
	case __ATOMIC_ACQUIRE:
	case __ATOMIC_CONSUME:
	case __ATOMIC_RELEASE:
		to[0] = __ATOMIC_RELAXED;
		return 1;
	default:
		return 0;
	}
}

static int by_pc(const void *a, const void *b)
{
	const struct explore_site *x = a, *y = b;

	if (x->pc != y->pc)
		return x->pc < y->pc ? -1 : 1;
	return x->operation != y->operation ? x->operation - y->operation : x->order - y->order;
}

/* The sites that a plain run of the subject meets, in a fixed order; to be freed. NULL: it
 * failed, and that was said. */
static struct explore_site *learn_sites(FILE *out, struct driver_subject *subject,
                                        const struct explore_options *options, size_t *count)
{
	static const char *const too_bad = "fails as it is, before anything is weakened";
	struct explore_options plain = *options;
	struct explore_result result;
	const struct explore_site *met;
	struct explore_site *sites = NULL;

	plain.seconds = options->seconds / 10;
	if (explore_run(driver_subject_run, subject, &plain, &result) != 0)
		fprintf(out, "refused %s\nend\n", result.message);
	else if (result.verdict != EXPLORE_OK)
		fprintf(out, "refused %s: %s\nend\n", too_bad, explore_verdict_name(result.verdict));
	else if ((*count = explore_sites(&met), sites = malloc((*count + 1) * sizeof *sites)) == NULL)
		fprintf(out, "refused out of memory\nend\n");
	else if (*count > 0)
		memcpy(sites, met, *count * sizeof *sites);
	if (sites != NULL)
		qsort(sites, *count, sizeof *sites, by_pc);
	explore_result_free(&result);
	return sites;
}

/* Whether another program has killed it: `killed` is ",PC.OPERATION.ORDER.TO,...,". */
static bool is_killed(const char *killed, const struct explore_site *site, int to)
{
	char way[64];

	snprintf(way, sizeof way, ",%" PRIxPTR ".%s.%s.%s,", site->pc, operation_names[site->operation],
	         explore_order_name(site->order), explore_order_name(to));
	return strstr(killed, way) != NULL;
}

static void try_one(FILE *out, struct driver_subject *subject, const struct explore_options *options, size_t index)
{
	struct explore_result result;
	char place[512];

	fprintf(out, "begin %zu\n", index);
	fflush(out);
	explore_site_describe(options->weaken.pc, place, sizeof place);
	int failed = explore_run(driver_subject_run, subject, options, &result);
	fprintf(out, "site\t%zu\t%" PRIxPTR "\t%s\t%s\t%s\t%s\t%" PRIu64 "\t%s\n", index, options->weaken.pc,
	        operation_names[options->weaken.operation], explore_order_name(options->weaken.order),
	        explore_order_name(options->weaken_to), failed != 0 ? "refused" : explore_verdict_name(result.verdict),
	        result.executions, place);
	fflush(out);
	explore_result_free(&result);
}

int driver_weaken(FILE *out, struct driver_subject *subject, const struct explore_options *options, size_t skip,
                  const char *killed)
{
	struct explore_options weak = *options;
	size_t count = 0, index = 0, ways = 0;
	int to[WAYS_MAX];
	struct explore_site *sites = learn_sites(out, subject, options, &count);

	if (sites == NULL)
		return 0;
	for (size_t i = 0; i < count; i++)
		for (size_t n = one_step_weaker(&sites[i], to); n > 0; n--)
			ways += !is_killed(killed, &sites[i], to[n - 1]);
	weak.shorten = false;
	weak.seconds = options->seconds * 0.9 / (double)(ways > 0 ? ways : 1);
	for (size_t i = 0; i < count; i++) {
		size_t n = one_step_weaker(&sites[i], to);
		for (size_t way = 0; way < n; way++, index++) {
			weak.weaken = sites[i];
			weak.weaken_to = to[way];
			if (index >= skip && !is_killed(killed, &sites[i], to[way]))
				try_one(out, subject, &weak, index);
		}
	}
	free(sites);
	fprintf(out, "end\n");
	fflush(out);
	return 0;
}
