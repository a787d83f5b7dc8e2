/* SPDX-License-Identifier: MIT */
#include "impls/base/quota.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define PATH_MOST 4096

/* Reads the first line of a file of a group. False: there is no such file. */
static bool read_line(const char *group, const char *name, char *line, int size)
{
	char path[PATH_MOST + 64];

	snprintf(path, sizeof path, "%s/%s", group, name);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return false;
	bool there = fgets(line, size, file) != NULL;
	fclose(file);
	return there;
}

/* What one group allows. */
static uint32_t quota_of(const char *group)
{
	long long quota = 0, period = 0;
	char line[128];

	if (read_line(group, "cpu.max", line, sizeof line)) {
		if (sscanf(line, "%lld %lld", &quota, &period) != 2) /* "max 100000" */
			return CHAN_QUOTA_NONE;
	} else if (!read_line(group, "cpu.cfs_quota_us", line, sizeof line) || sscanf(line, "%lld", &quota) != 1 ||
	           !read_line(group, "cpu.cfs_period_us", line, sizeof line) || sscanf(line, "%lld", &period) != 1) {
		return CHAN_QUOTA_NONE;
	}
	if (quota <= 0 || period <= 0 || quota / period > 1000000) /* -1: none */
		return CHAN_QUOTA_NONE;
	return (uint32_t)(quota * 100 / period);
}

/* The smallest quota on the way from the group up to the mount. */
static uint32_t smallest(const char *mount, const char *group)
{
	char path[PATH_MOST];
	size_t root = strlen(mount);
	uint32_t least = CHAN_QUOTA_NONE;

	if ((size_t)snprintf(path, sizeof path, "%s%s", mount, group) >= sizeof path)
		return CHAN_QUOTA_NONE;
	for (char *end = path + strlen(path); end != NULL; end = strrchr(path + root, '/')) {
		*end = '\0';
		uint32_t quota = quota_of(path);
		if (quota < least)
			least = quota;
	}
	return least;
}

/* Whether `controllers`, as "cpu,cpuacct", has "cpu" in it. */
static bool names_cpu(char *controllers)
{
	char *rest = NULL;

	for (char *name = strtok_r(controllers, ",", &rest); name != NULL; name = strtok_r(NULL, ",", &rest))
		if (strcmp(name, "cpu") == 0)
			return true;
	return false;
}

uint32_t chan_quota(const char *list, const char *mount)
{
	/* version 2 alone, and beside version 1; version 1's controllers together, and apart */
	static const char *const both[] = {"", "/unified"}, *const first[] = {"/cpu,cpuacct", "/cpu"};
	char line[PATH_MOST], folder[PATH_MOST];
	uint32_t least = CHAN_QUOTA_NONE;

	FILE *file = fopen(list, "re");
	if (file == NULL)
		return least;
	while (fgets(line, sizeof line, file) != NULL) {
		/* "0::/group", or "1:cpu,cpuacct:/group" */
		char *controllers = strchr(line, ':');
		char *group = controllers == NULL ? NULL : strchr(controllers + 1, ':');
		if (group == NULL)
			continue;
		*group++ = '\0';
		group[strcspn(group, "\n")] = '\0';
		bool second = controllers[1] == '\0';
		if (!second && !names_cpu(controllers + 1))
			continue;
		for (int i = 0; i < 2; i++) {
			snprintf(folder, sizeof folder, "%s%s", mount, second ? both[i] : first[i]);
			uint32_t quota = smallest(folder, group);
			if (quota < least)
				least = quota;
		}
	}
	fclose(file);
	return least;
}
