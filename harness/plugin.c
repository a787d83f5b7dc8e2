/* SPDX-License-Identifier: MIT
 *
 * plugin.c - sets of implementations: the built-in ones, and those that plug-ins bring. A child
 * loads each plug-in and describes it. The process that runs an implementation loads it again.
 */
#include "harness/child.h"
#include "harness/info.h"
#include "harness/say.h"
#include "impls/peers/peers.h"
#include "impls/channels.h"

#include <dlfcn.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Constructors, and the reading of a few tables, take milliseconds. */
#define LOAD_SECONDS 5

/* ------------------------------------------------------------------------------------------
 * In the process that runs it
 */

/* What a loaded file holds; NULL with one line in `error`. */
static const struct chan_plugin *open_plugin(const char *file, char *error, size_t size)
{
	void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	if (handle == NULL) {
		const char *why = dlerror();
		size_t n = strlen(file);
		if (strncmp(why, file, n) == 0 && strncmp(why + n, ": ", 2) == 0)
			why += n + 2; /* the caller names the file */
		snprintf(error, size, "cannot be loaded: %s", why);
		return NULL;
	}
	const struct chan_plugin *plugin = dlsym(handle, "chan_plugin");
	if (plugin == NULL)
		snprintf(error, size, "is no plug-in: it does not define chan_plugin (see CHAN_PLUGIN in channel.h)");
	else if (plugin->magic != CHAN_PLUGIN_MAGIC)
		snprintf(error, size, "is no plug-in: its chan_plugin begins with 0x%08x, not with 0x%08x",
		         (unsigned)plugin->magic, CHAN_PLUGIN_MAGIC);
	else if (plugin->version != CHAN_CONTRACT_VERSION)
		snprintf(error, size,
		         "was built against version %u of the contract, and this is version %u: compile it again",
		         (unsigned)plugin->version, CHAN_CONTRACT_VERSION);
	else if (plugin->impls == NULL || plugin->impls[0] == NULL)
		snprintf(error, size, "holds no implementation");
	else
		return plugin;
	return NULL;
}

const struct chan_impl *impl_load(const char *name, const char *file, char *error, size_t size)
{
	const struct chan_impl *const *impls = chan_registry;
	if (file != NULL && file[0] != '\0') {
		const struct chan_plugin *plugin = open_plugin(file, error, size);
		if (plugin == NULL)
			return NULL;
		impls = plugin->impls;
	} else {
		for (const struct peer_entry *entry = chan_peers; entry->name != NULL; entry++)
			if (entry->impl != NULL && strcmp(entry->name, name) == 0)
				return entry->impl;
	}
	for (; *impls != NULL; impls++)
		if (strcmp((*impls)->name, name) == 0)
			return *impls;
	snprintf(error, size, "has no implementation '%s'", name);
	return NULL;
}

/* ------------------------------------------------------------------------------------------
 * Describing a plug-in: a child loads it and writes one JSON object a line: {"info":{...}} for each
 * implementation, then {"end":true}; or {"error":"..."}
 */

static int send_json(int pipe, json_t *object)
{
	char *text = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;
	int result = text != NULL && dprintf(pipe, "%s\n", text) > 0 ? 0 : -1;
	free(text);
	json_decref(object);
	return result;
}

static json_t *info_to_json(const struct impl_info *info)
{
	json_t *offered = json_array(), *deviations = json_array();
	for (int k = 0; k < KIND_COUNT; k++)
		json_array_append_new(offered, json_integer((json_int_t)info->offered[k]));
	for (size_t i = 0; i < info->deviation_count; i++)
		json_array_append_new(deviations, json_pack("{s:s,s:s}", "rule", info->deviations[i].rule, "why",
		                                            info->deviations[i].why));
	return json_pack("{s:{s:s,s:s,s:s,s:s,s:s,s:I,s:o,s:o}}", "info", "name", info->name, "family", info->family,
	                 "version", info->version, "summary", info->summary, "package", info->package, "flags",
	                 (json_int_t)info->flags, "offered", offered, "deviations", deviations);
}

static bool info_from_json(json_t *root, const char *file, struct impl_info *info)
{
	const char *name, *family, *version, *summary, *package;
	json_int_t flags;
	json_t *offered, *deviations, *item;
	size_t i;

	if (json_unpack(root, "{s:{s:s,s:s,s:s,s:s,s:s,s:I,s:o,s:o}}", "info", "name", &name, "family", &family,
	                "version", &version, "summary", &summary, "package", &package, "flags", &flags, "offered",
	                &offered, "deviations", &deviations) != 0)
		return false;
	*info = (struct impl_info){.flags = (unsigned)flags, .peer = (flags & CHAN_PEER) != 0};
	snprintf(info->name, sizeof info->name, "%s", name);
	snprintf(info->family, sizeof info->family, "%s", family);
	snprintf(info->version, sizeof info->version, "%s", version);
	snprintf(info->summary, sizeof info->summary, "%s", summary);
	snprintf(info->package, sizeof info->package, "%s", package);
	snprintf(info->plugin, sizeof info->plugin, "%s", file);
	for (int k = 0; k < KIND_COUNT; k++)
		info->offered[k] = (uint64_t)json_integer_value(json_array_get(offered, (size_t)k));
	json_array_foreach(deviations, i, item)
	{
		const char *rule, *why;
		if (i == sizeof info->deviations / sizeof info->deviations[0] ||
		    json_unpack(item, "{s:s,s:s}", "rule", &rule, "why", &why) != 0)
			return false;
		struct info_deviation *to = &info->deviations[info->deviation_count++];
		snprintf(to->rule, sizeof to->rule, "%s", rule);
		snprintf(to->why, sizeof to->why, "%s", why);
	}
	return true;
}

static int describe_in_child(int pipe, void *arg)
{
	const char *file = arg;
	char error[1024];
	const struct chan_plugin *plugin = open_plugin(file, error, sizeof error);
	if (plugin == NULL) {
		send_json(pipe, json_pack("{s:s}", "error", error));
		return EXIT_USAGE;
	}
	for (const struct chan_impl *const *impl = plugin->impls; *impl != NULL; impl++) {
		struct impl_info info;
		const char *wrong = info_describe(*impl, file, &info);
		if (wrong != NULL) {
			snprintf(error, sizeof error, "breaks the contract: %s%s%s", info.name,
			         info.name[0] != '\0' ? ": " : "", wrong);
			send_json(pipe, json_pack("{s:s}", "error", error));
			return EXIT_USAGE;
		}
		if (send_json(pipe, info_to_json(&info)) != 0)
			return EXIT_MACHINE;
	}
	return send_json(pipe, json_pack("{s:b}", "end", 1)) == 0 ? 0 : EXIT_MACHINE;
}

/* ------------------------------------------------------------------------------------------
 * The set
 */

struct description {
	struct impl_set *set;
	const char *named; /* as on the command line */
	char file[PATH_MAX];
	char error[1024]; /* "": none yet */
	bool ended;
};

bool impl_set_add(struct impl_set *set, const struct impl_info *info)
{
	struct impl_info *infos = realloc(set->infos, (set->count + 1) * sizeof *infos);
	if (infos == NULL)
		return false;
	set->infos = infos;
	infos[set->count++] = *info;
	return true;
}

bool impl_set_add_absent(struct impl_set *set, const char *name, const char *cure)
{
	struct impl_absent *absent = realloc(set->absent, (set->absent_count + 1) * sizeof *absent);
	if (absent == NULL)
		return false;
	set->absent = absent;
	snprintf(absent[set->absent_count].name, sizeof absent->name, "%s", name);
	snprintf(absent[set->absent_count++].cure, sizeof absent->cure, "%s", cure);
	return true;
}

static void on_description(const char *line, void *arg)
{
	struct description *d = arg;
	struct impl_info info;
	json_t *root = json_loads(line, 0, NULL);
	const char *error = json_string_value(json_object_get(root, "error"));

	if (d->error[0] != '\0')
		goto done;
	if (error != NULL) {
		snprintf(d->error, sizeof d->error, "%s", error);
	} else if (json_is_true(json_object_get(root, "end"))) {
		d->ended = true;
	} else if (!info_from_json(root, d->file, &info)) {
		snprintf(d->error, sizeof d->error, "could not be described: it disturbs the process that loads it");
	} else if (strcmp(info.name, "null") == 0 || impl_set_find(d->set, info.name) != NULL) {
		const struct impl_info *other = impl_set_find(d->set, info.name);
		snprintf(d->error, sizeof d->error, "has an implementation named '%s', and that name is taken%s%.400s",
		         info.name,
		         other == NULL              ? " by the null control"
		         : other->plugin[0] == '\0' ? ": it is built in"
		                                    : " by ",
		         other == NULL ? "" : other->plugin);
	} else if (!impl_set_add(d->set, &info)) {
		snprintf(d->error, sizeof d->error, "out of memory");
	}
done:
	json_decref(root);
}

static int describe(struct impl_set *set, const char *named)
{
	struct description d = {.set = set, .named = named};
	struct stat st;

	if (realpath(named, d.file) == NULL || stat(d.file, &st) != 0) {
		say("plug-in '%s': %s", named, strerror(errno));
		return -1;
	}
	if (!S_ISREG(st.st_mode)) {
		say("plug-in '%s' is not a file", named);
		return -1;
	}
	struct child_spec spec = {.body = describe_in_child,
	                          .arg = d.file,
	                          .on_line = on_description,
	                          .on_line_arg = &d,
	                          .total_ns = LOAD_SECONDS * (uint64_t)1000000000u};
	struct child_result result;
	child_run(&spec, &result);
	if (result.end == CHILD_INTERRUPTED) {
		say("interrupted while plug-in '%s' was being loaded", named);
	} else if (d.error[0] != '\0') {
		say("plug-in '%s' %s", named, d.error);
	} else if (result.end == CHILD_OVERDUE) {
		say("plug-in '%s' hangs when it is loaded: not done after %d s", named, LOAD_SECONDS);
	} else if (!d.ended) {
		char end[128];
		child_describe(&result, end, sizeof end);
		say("plug-in '%s' cannot be loaded: the process that loads it %s", named, end);
	} else {
		return 0; /* what became of the child after its last line is its own affair */
	}
	return -1;
}

static int add_built_in(struct impl_set *set, const struct chan_impl *impl)
{
	struct impl_info info;
	const char *wrong = info_describe(impl, "", &info);
	if (wrong == NULL && !impl_set_add(set, &info))
		wrong = "out of memory";
	if (wrong == NULL)
		return 0;
	say("the built-in implementation '%s' breaks the contract: %s", info.name, wrong);
	return -1;
}

int impl_set_open(struct impl_set *set, const char *const *plugins, size_t plugin_count)
{
	*set = (struct impl_set){0};
	for (const struct chan_impl *const *impl = chan_registry; *impl != NULL; impl++)
		if (add_built_in(set, *impl) != 0)
			goto failed;
	for (const struct peer_entry *entry = chan_peers; entry->name != NULL; entry++) {
		if (entry->impl != NULL && add_built_in(set, entry->impl) != 0)
			goto failed;
		if (entry->impl == NULL && !impl_set_add_absent(set, entry->name, entry->cure)) {
			say("out of memory");
			goto failed;
		}
	}
	for (size_t i = 0; i < plugin_count; i++)
		if (describe(set, plugins[i]) != 0)
			goto failed;
	return 0;
failed:
	impl_set_close(set);
	return -1;
}

void impl_set_close(struct impl_set *set)
{
	free(set->infos);
	free(set->absent);
	*set = (struct impl_set){0};
}

const struct impl_info *impl_set_find(const struct impl_set *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->infos[i].name, name) == 0)
			return &set->infos[i];
	return NULL;
}
