/* SPDX-License-Identifier: MIT
 *
 * driver.c - what drivers there are, and what they have.
 */
#include "harness/bench/driver.h"

#include "harness/child.h"
#include "harness/say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROTOCOL = 1, LIST_SECONDS = 5, LIST_MAX = 1 << 20 };

/* ------------------------------------------------------------------------------------------
 * One implementation of a list
 */

static bool take_text(const json_t *object, const char *member, char *text, size_t size)
{
	const char *value = json_string_value(json_object_get(object, member));
	if (value == NULL)
		return false;
	/* It goes into tables: one line of printable ASCII. */
	size_t n = 0;
	for (; value[n] != '\0' && n + 1 < size; n++)
		text[n] = value[n] >= ' ' && value[n] <= '~' ? value[n] : '?';
	text[n] = '\0';
	return true;
}

/* "mpsc.receiver_clone" */
static bool take_offer(struct impl_info *info, const char *offer)
{
	char kind[16];
	size_t n = strcspn(offer, ".");
	if (n >= sizeof kind || offer[n] == '\0')
		return false;
	snprintf(kind, sizeof kind, "%.*s", (int)n, offer);
	return kind_of_name(kind) != KIND_COUNT && info->offered[kind_of_name(kind)] != 0 &&
	       info_offer(info, kind_of_name(kind), offer + n + 1);
}

static const char *take_kinds(const json_t *object, struct impl_info *info)
{
	json_t *item;
	size_t i;

	json_array_foreach(json_object_get(object, "kinds"), i, item)
	{
		const char *name = json_string_value(item);
		if (name == NULL || kind_of_name(name) == KIND_COUNT)
			return "has a kind that is none in its \"kinds\"";
		info->offered[kind_of_name(name)] |= ((uint64_t)1 << kind_minimum(kind_of_name(name))) - 1;
	}
	json_array_foreach(json_object_get(object, "offers"), i, item)
	{
		const char *offer = json_string_value(item);
		if (offer == NULL || !take_offer(info, offer))
			return "has something that is no function of its kinds in its \"offers\"";
	}
	return i == 0 && json_array_size(json_object_get(object, "kinds")) == 0 ? "has no \"kinds\"" : NULL;
}

/* " fan_in spsc "; false: one of them is no name, or they are too long together. */
static bool take_names(const json_t *array, char *text, size_t size)
{
	json_t *item;
	size_t i, n = (size_t)snprintf(text, size, " ");

	json_array_foreach(array, i, item)
	{
		const char *name = json_string_value(item);
		if (name == NULL || strchr(name, ' ') != NULL || n + strlen(name) + 2 > size)
			return false;
		n += (size_t)snprintf(text + n, size - n, "%s ", name);
	}
	return true;
}

static const char *take_limits(const json_t *object, struct info_driver *driver)
{
	json_t *item;
	size_t i;

	if (!take_names(json_object_get(object, "scenarios"), driver->scenarios, sizeof driver->scenarios) ||
	    strcmp(driver->scenarios, " ") == 0)
		return "has no \"scenarios\", or something that is no name in it";
	if (!take_names(json_object_get(object, "without"), driver->without, sizeof driver->without))
		return "has something that is no scenario:mode in its \"without\"";
	json_array_foreach(json_object_get(object, "sizes"), i, item)
	{
		if (i == sizeof driver->sizes / sizeof driver->sizes[0] || json_integer_value(item) <= 0)
			return "has something that is no number of bytes in its \"sizes\", or more than 16";
		driver->sizes[driver->size_count++] = (uint64_t)json_integer_value(item);
	}
	json_t *most = json_object_get(object, "capacity_most");
	if (most != NULL && json_integer_value(most) <= 0)
		return "has no number above 0 as its \"capacity_most\"";
	driver->capacity_most = (uint64_t)json_integer_value(most);
	return NULL;
}

/* NULL, or what is wrong. */
static const char *take_implementation(const json_t *object, const char *program, struct impl_info *info)
{
	*info = (struct impl_info){.peer = true};
	if (!take_text(object, "name", info->name, sizeof info->name) || info->name[0] == '\0' ||
	    strspn(info->name, "abcdefghijklmnopqrstuvwxyz0123456789_-") != strlen(info->name))
		return "has no \"name\" of a-z, 0-9, '_' and '-'";
	if (!take_text(object, "version", info->version, sizeof info->version))
		return "has no \"version\"";
	if (!take_text(object, "package", info->package, sizeof info->package) || info->package[0] == '\0')
		return "has no \"package\"";
	take_text(object, "notes", info->summary, sizeof info->summary);
	snprintf(info->family, sizeof info->family, "%s", info->name);
	snprintf(info->driver.program, sizeof info->driver.program, "%s", program);
	const char *wrong = take_kinds(object, info);
	return wrong != NULL ? wrong : take_limits(object, &info->driver);
}

/* ------------------------------------------------------------------------------------------
 * A list
 */

struct listing {
	char *text;
	size_t length;
	bool overlong;
};

static void on_line(const char *line, void *arg)
{
	struct listing *listing = arg;
	size_t n = strlen(line);
	if (n > LIST_MAX - 2 - listing->length) {
		listing->overlong = true;
		return;
	}
	memcpy(listing->text + listing->length, line, n);
	listing->length += n;
	listing->text[listing->length++] = '\n';
	listing->text[listing->length] = '\0';
}

/* What it printed, or NULL after one line. */
static json_t *ask(const char *program)
{
	struct listing listing = {.text = calloc(1, LIST_MAX)};
	struct child_result result;
	json_t *root = NULL;
	json_error_t error;
	char end[256];

	if (listing.text == NULL) {
		say("out of memory");
		return NULL;
	}
	struct child_spec spec = {.argv = (const char *const[]){program, "list", NULL},
	                          .lines_on_stdout = true,
	                          .on_line = on_line,
	                          .on_line_arg = &listing,
	                          .total_ns = LIST_SECONDS * (uint64_t)1000000000};
	child_run(&spec, &result);
	child_describe(&result, end, sizeof end);
	if (result.end != CHILD_EXITED || result.code != 0)
		say("driver '%s': its 'list' %s: it is left out", program, end);
	else if (listing.overlong || (root = json_loads(listing.text, 0, &error)) == NULL)
		say("driver '%s': what its 'list' prints is no JSON object: it is left out", program);
	else if (json_integer_value(json_object_get(root, "protocol")) != PROTOCOL ||
	         !json_is_array(json_object_get(root, "implementations")))
		say("driver '%s': its 'list' is not of protocol %d: it is left out", program, PROTOCOL);
	else
		goto done;
	json_decref(root);
	root = NULL;
done:
	free(listing.text);
	return root;
}

static int add_listed(struct impl_set *set, const char *program, bool named)
{
	json_t *root = ask(program), *item;
	size_t i, before = set->count;
	const char *wrong = NULL;

	if (root == NULL)
		return -1;
	json_array_foreach(json_object_get(root, "implementations"), i, item)
	{
		struct impl_info info;
		wrong = take_implementation(item, program, &info);
		info.driver.named = named;
		if (wrong != NULL) {
			say("driver '%s': an implementation in its 'list' %s: it is left out", program, wrong);
			set->count = before;
			break;
		}
		if (strcmp(info.name, "null") != 0 && impl_set_find(set, info.name) == NULL) {
			if (!impl_set_add(set, &info)) {
				say("out of memory");
				break;
			}
		} else if (named) {
			say("driver '%s': the name '%s' is taken: that one is left out", program, info.name);
		}
	}
	json_decref(root);
	return wrong != NULL ? -1 : 0;
}

int driver_add(struct impl_set *set, const char *program)
{
	return add_listed(set, program, true);
}

/* ------------------------------------------------------------------------------------------
 * Those that come with this program
 *
 * They lie in one folder, and names.txt beside them says which there could be, in two lines for
 * each: "PROGRAM: NAME NAME...", and how one gets it where it is not there.
 */

/* Where an installed chanbench has them, from the folder of the program. */
#ifndef CHANBENCH_DRIVERS_INSTALLED
#define CHANBENCH_DRIVERS_INSTALLED "../lib/chanbench/drivers"
#endif

static void add_absent(struct impl_set *set, const char *names, const char *cure)
{
	for (names += strspn(names, " "); *names != '\0'; names += strspn(names, " ")) {
		char name[33];
		size_t n = strcspn(names, " ");
		snprintf(name, sizeof name, "%.*s", (int)n, names);
		if (impl_set_find(set, name) == NULL && !impl_set_add_absent(set, name, cure))
			say("out of memory");
		names += n;
	}
}

/* Opens names.txt, and leaves its folder in `folder`: beside the program in a build, elsewhere when
 * it is installed. NULL: there is none. */
static FILE *open_names(char folder[PATH_MAX])
{
	static const char *const places[] = {"drivers", CHANBENCH_DRIVERS_INSTALLED};
	char self[PATH_MAX], file[PATH_MAX + 16];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	FILE *names = NULL;

	self[n > 0 ? n : 0] = '\0';
	char *slash = strrchr(self, '/');
	if (slash != NULL)
		*slash = '\0';
	for (size_t i = 0; names == NULL && i < sizeof places / sizeof places[0]; i++) {
		n = snprintf(folder, PATH_MAX, "%s/%s", self, places[i]);
		snprintf(file, sizeof file, "%s/names.txt", folder);
		if (n < PATH_MAX)
			names = fopen(file, "re");
	}
	return names;
}

void driver_add_own(struct impl_set *set)
{
	char folder[PATH_MAX], program[PATH_MAX + 64], line[1024], cure[256];
	FILE *file = open_names(folder);

	while (file != NULL && fgets(line, sizeof line, file) != NULL && fgets(cure, sizeof cure, file) != NULL) {
		line[strcspn(line, "\n")] = cure[strcspn(cure, "\n")] = '\0';
		size_t n = strcspn(line, ":");
		const char *names = line[n] == ':' ? line + n + 1 : "";
		snprintf(program, sizeof program, "%s/%.*s", folder, (int)(n < 60 ? n : 60), line);
		if (access(program, X_OK) != 0)
			add_absent(set, names, cure);
		else if (add_listed(set, program, false) == 0)
			add_absent(set, names, "not in the packages that its driver was built from");
	}
	if (file != NULL)
		fclose(file);
}

/* ------------------------------------------------------------------------------------------ */

static bool has_name(const char *names, const char *scenario, const char *colon, const char *mode)
{
	char name[96];
	snprintf(name, sizeof name, " %s%s%s ", scenario, colon, mode);
	return strstr(names, name) != NULL;
}

const char *driver_lacks(const struct impl_info *info, const struct block *block)
{
	const struct info_driver *driver = &info->driver;
	const struct workload *workload = block->workload;
	const uint64_t *v = block->params.v;
	bool fits = driver->size_count == 0 || v[PARAM_SIZE] == 0;

	if (!has_name(driver->scenarios, workload->name, "", ""))
		return workload->name;
	if (workload->modes != NULL && has_name(driver->without, workload->name, ":", workload->modes[v[PARAM_MODE]]))
		return workload->modes[v[PARAM_MODE]];
	if (driver->capacity_most != 0 && v[PARAM_CAPACITY] > driver->capacity_most)
		return "capacity";
	for (size_t i = 0; i < driver->size_count; i++)
		fits |= driver->sizes[i] == v[PARAM_SIZE];
	return fits ? NULL : "size";
}
