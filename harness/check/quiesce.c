/* SPDX-License-Identifier: MIT */
#include "harness/check/quiesce.h"

#include "impls/channel.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Looks that must agree, and the pause between two of them. */
#define LOOKS    4
#define PAUSE_NS 200000

/* Reads a small file below `folder` and returns its length. -1: the thread is gone. */
static ssize_t slurp(int folder, const char *thread, const char *file, char *text, size_t size)
{
	char path[300];
	snprintf(path, sizeof(path), "%s/%s", thread, file);
	int fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ssize_t length = read(fd, text, size - 1);
	close(fd);
	if (length >= 0)
		text[length] = '\0';
	return length;
}

static bool sleeps(int folder, const char *thread)
{
	char text[1024];
	if (slurp(folder, thread, "stat", text, sizeof(text)) <= 0)
		return false;
	/* "tid (name) S ...": a name can hold anything, also ')' */
	const char *end = strrchr(text, ')');
	return end != NULL && end[1] == ' ' && end[2] == 'S';
}

/* Both kinds of context switches of a thread, mixed into `sum`. */
static bool count_switches(int folder, const char *thread, uint64_t *sum)
{
	char text[4096];
	if (slurp(folder, thread, "status", text, sizeof(text)) <= 0)
		return false;
	const char *voluntary = strstr(text, "\nvoluntary_ctxt_switches:");
	const char *forced = strstr(text, "\nnonvoluntary_ctxt_switches:");
	if (voluntary == NULL || forced == NULL)
		return false;
	uint64_t n = strtoull(strchr(voluntary, ':') + 1, NULL, 10) + strtoull(strchr(forced, ':') + 1, NULL, 10);
	*sum = (*sum ^ strtoull(thread, NULL, 10)) * 0x9e3779b97f4a7c15u + n;
	return true;
}

/* One look: true if all other threads sleep. `*sum` differs between two looks if a thread ran
 * meanwhile. */
static bool look(DIR *folder, const char *self, uint64_t *sum)
{
	const struct dirent *entry;
	*sum = 0;
	rewinddir(folder);
	while ((entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] == '.' || strcmp(entry->d_name, self) == 0)
			continue;
		if (!sleeps(dirfd(folder), entry->d_name) || !count_switches(dirfd(folder), entry->d_name, sum))
			return false;
	}
	return true;
}

bool quiesce(uint64_t bound_ns)
{
	static const struct timespec pause = {0, PAUSE_NS};
	char self[32];
	uint64_t end = chan_deadline_in(bound_ns), before = 0, now;
	int agreed = 0;
	DIR *folder = opendir("/proc/self/task");
	if (folder == NULL)
		return false;
	snprintf(self, sizeof(self), "%d", (int)gettid());
	while (agreed < LOOKS && chan_now() < end) {
		if (!look(folder, self, &now))
			agreed = 0;
		else
			agreed = agreed > 0 && now == before ? agreed + 1 : 1;
		before = now;
		nanosleep(&pause, NULL);
	}
	closedir(folder);
	return agreed == LOOKS;
}
