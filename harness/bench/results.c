/* SPDX-License-Identifier: MIT */
#include "harness/bench/results.h"

#include "harness/say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A run of a thousand cells makes some tens of megabytes. */
#define FILE_MAX ((off_t)1 << 30)

static int refuse(const struct results_out *out, const char *what, int error)
{
	say("cannot write '%s': %s%s", out->path, what, strerror(error));
	return -1;
}

/* 0, or why so many bytes cannot be had. Leaves the file empty. */
static int has_room(int fd, size_t expected)
{
	int error = posix_fallocate(fd, 0, (off_t)expected + 1);
	if (error == EINVAL || error == EOPNOTSUPP)
		return 0; /* it cannot be asked here */
	if (error == 0 && ftruncate(fd, 0) != 0)
		error = errno;
	return error;
}

int results_open(struct results_out *out, const char *path, size_t expected)
{
	struct stat st;

	*out = (struct results_out){.fd = -1};
	if (strlen(path) >= PATH_MAX - 16) {
		say("cannot write '%.64s...': the name is too long", path);
		return -1;
	}
	snprintf(out->path, sizeof out->path, "%s", path);
	bool exists = stat(path, &st) == 0;
	if (!exists && errno != ENOENT)
		return refuse(out, "", errno);
	if (!exists && lstat(path, &st) == 0)
		/* and must not be replaced by a file */
		return refuse(out, "it is a link to nothing: ", ENOENT);
	if (exists && S_ISDIR(st.st_mode))
		return refuse(out, "", EISDIR);
	if (exists && !S_ISREG(st.st_mode)) {
		/* Without O_NONBLOCK a FIFO that nobody reads would be waited for without end. */
		out->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		if (out->fd < 0 && errno == ENXIO && S_ISFIFO(st.st_mode))
			return refuse(out, "nobody reads this FIFO; start its reader first: ", ENXIO);
		if (out->fd < 0)
			return refuse(out, "", errno);
		fcntl(out->fd, F_SETFL, fcntl(out->fd, F_GETFL) & ~O_NONBLOCK);
		/* A device may be full, too; to JSON a blank line is nothing. */
		if (!S_ISCHR(st.st_mode) || write(out->fd, "\n", 1) == 1)
			return 0;
		int error = errno;
		results_discard(out);
		return refuse(out, "", error);
	}
	/* What may not be written to must not be replaced either. */
	if (exists && access(path, W_OK) != 0)
		return refuse(out, "", errno);
	if (!exists)
		snprintf(out->target, sizeof out->target, "%s", path);
	else if (realpath(path, out->target) == NULL)
		return refuse(out, "", errno);
	if (snprintf(out->temporary, sizeof out->temporary, "%s.XXXXXX", out->target) >= PATH_MAX) {
		out->temporary[0] = '\0';
		return refuse(out, "", ENAMETOOLONG);
	}
	out->fd = mkostemp(out->temporary, O_CLOEXEC);
	if (out->fd < 0) {
		int error = errno;
		out->temporary[0] = '\0';
		return refuse(out, "no file can be made beside it: ", error);
	}
	mode_t mask = umask(0);
	umask(mask);
	int error = fchmod(out->fd, exists ? st.st_mode & 07777 : 0666 & ~mask) == 0 ? 0 : errno;
	if (error == 0)
		error = has_room(out->fd, expected);
	if (error == 0)
		return 0;
	results_discard(out);
	return refuse(out, "", error);
}

static int write_all(int fd, const char *text, size_t length)
{
	while (length != 0) {
		ssize_t n = write(fd, text, length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		text += n;
		length -= (size_t)n;
	}
	return 0;
}

/* A rename lasts when its folder is on the disk. Not every file system can do that; the data are
 * safe by then. */
static void sync_folder(const char *file)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(file, '/');
	snprintf(folder, sizeof folder, "%.*s", slash == NULL ? 1 : (int)(slash - file) + 1,
	         slash == NULL ? "." : file);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		(void)fsync(fd);
		close(fd);
	}
}

int results_write(struct results_out *out, json_t *context, json_t *rows)
{
	json_t *root = json_pack("{s:O,s:O}", "context", context, "benchmarks", rows);
	char *text = root != NULL ? json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(12)) : NULL;
	json_decref(root);
	int status = results_write_text(out, text);
	free(text);
	return status;
}

int results_write_text(struct results_out *out, const char *text)
{
	int error = 0;
	if (text == NULL)
		error = ENOMEM;
	else if (write_all(out->fd, text, strlen(text)) != 0 || write_all(out->fd, "\n", 1) != 0)
		error = errno;
	else if (out->temporary[0] != '\0' && fsync(out->fd) != 0)
		error = errno;
	if (close(out->fd) != 0 && error == 0)
		error = errno;
	out->fd = -1;
	if (error == 0 && out->temporary[0] != '\0' && rename(out->temporary, out->target) != 0)
		error = errno;
	if (error != 0) {
		results_discard(out);
		return refuse(out, "", error);
	}
	if (out->temporary[0] != '\0')
		sync_folder(out->target);
	return 0;
}

void results_discard(struct results_out *out)
{
	if (out->fd >= 0)
		close(out->fd);
	out->fd = -1;
	if (out->temporary[0] != '\0')
		unlink(out->temporary);
	out->temporary[0] = '\0';
}

static const char *wrong_shape(json_t *root)
{
	json_t *rows = json_object_get(root, "benchmarks"), *row;
	size_t i;

	if (!json_is_object(root) || !json_is_array(rows))
		return "it has no array 'benchmarks'";
	if (json_object_get(root, "context") != NULL && !json_is_object(json_object_get(root, "context")))
		return "its 'context' is no object";
	json_array_foreach(rows, i, row) if (!json_is_string(json_object_get(
						     row, "name"))) return "one of its benchmarks has no 'name'";
	return NULL;
}

json_t *results_read(const char *path)
{
	struct stat st;
	json_error_t error;
	FILE *file = fopen(path, "re");

	if (file == NULL || fstat(fileno(file), &st) != 0) {
		say("cannot read '%s': %s", path, strerror(errno));
		goto failed;
	}
	if (S_ISDIR(st.st_mode)) {
		say("cannot read '%s': it is a folder", path);
		goto failed;
	}
	if (S_ISREG(st.st_mode) && st.st_size > FILE_MAX) {
		say("cannot read '%s': it is larger than 1 GiB", path);
		goto failed;
	}
	json_t *root = json_loadf(file, 0, &error);
	if (root == NULL) {
		if (st.st_size == 0 && S_ISREG(st.st_mode))
			say("'%s' is no result file: it is empty", path);
		else
			say("'%s' is no result file: line %d, column %d: %s", path, error.line, error.column,
			    error.text);
		goto failed;
	}
	fclose(file);
	const char *wrong = wrong_shape(root);
	if (wrong == NULL)
		return root;
	say("'%s' is no result file: %s", path, wrong);
	json_decref(root);
	return NULL;
failed:
	if (file != NULL)
		fclose(file);
	return NULL;
}
