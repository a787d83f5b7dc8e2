/* SPDX-License-Identifier: MIT */
#include "impls/base/quota.h"
#include "impls/testing/elements.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char top[64];

static int make_top(void **state)
{
	(void)state;
	strcpy(top, "/tmp/chan-quota-XXXXXX");
	return mkdtemp(top) == NULL;
}

static int remove_top(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", top);
	return system(command);
}

/* Writes `text` to top/`name`, and makes the folders on the way. */
static void put_file(const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", top, name);
	for (char *at = path + strlen(top) + 1; (at = strchr(at, '/')) != NULL; *at++ = '/') {
		*at = '\0';
		mkdir(path, 0700);
	}
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	fclose(file);
}

static uint32_t quota(void)
{
	char list[128], mount[128];

	snprintf(list, sizeof list, "%s/list", top);
	snprintf(mount, sizeof mount, "%s/mount", top);
	return chan_quota(list, mount);
}

static void there_is_none(void **state)
{
	(void)state;
	assert_int_equal(quota(), CHAN_QUOTA_NONE);
	put_file("list", "0::/a/b\n");
	assert_int_equal(quota(), CHAN_QUOTA_NONE);
	put_file("mount/a/b/cpu.max", "max 100000\n");
	assert_int_equal(quota(), CHAN_QUOTA_NONE);
	put_file("mount/a/b/cpu.max", "nonsense\n");
	assert_int_equal(quota(), CHAN_QUOTA_NONE);
}

static void the_smallest_on_the_way_up_counts(void **state)
{
	(void)state;
	put_file("list", "0::/a/b\n");
	put_file("mount/a/b/cpu.max", "400000 100000\n");
	assert_int_equal(quota(), 400);
	put_file("mount/a/cpu.max", "75000 50000\n");
	assert_int_equal(quota(), 150);
	put_file("mount/cpu.max", "50000 100000\n");
	assert_int_equal(quota(), 50);
	put_file("mount/b/cpu.max", "10000 100000\n"); /* not on the way */
	assert_int_equal(quota(), 50);
}

static void a_container_sees_what_is_above_its_path_only(void **state)
{
	(void)state;
	put_file("list", "0::/of/the/host\n");
	put_file("mount/cpu.max", "100000 100000\n");
	assert_int_equal(quota(), 100);
}

static void version_1_has_two_files(void **state)
{
	(void)state;
	put_file("list", "9:name=systemd:/\n3:cpuset:/x\n2:cpu,cpuacct:/x\n0::/\n");
	put_file("mount/cpu,cpuacct/x/cpu.cfs_quota_us", "-1\n");
	put_file("mount/cpu,cpuacct/x/cpu.cfs_period_us", "100000\n");
	assert_int_equal(quota(), CHAN_QUOTA_NONE);
	put_file("mount/cpu,cpuacct/x/cpu.cfs_quota_us", "150000\n");
	assert_int_equal(quota(), 150);
	put_file("list", "3:cpuset,cpuacct:/x\n");
	assert_int_equal(quota(), CHAN_QUOTA_NONE);
	put_file("list", "1:cpu:/y\n0::/\n");
	put_file("mount/cpu/y/cpu.cfs_quota_us", "200000\n");
	put_file("mount/cpu/y/cpu.cfs_period_us", "100000\n");
	assert_int_equal(quota(), 200);
	put_file("mount/unified/cpu.max", "90000 100000\n");
	assert_int_equal(quota(), 90);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_top, remove_top)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(there_is_none),
		TEST(the_smallest_on_the_way_up_counts),
		TEST(a_container_sees_what_is_above_its_path_only),
		TEST(version_1_has_two_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
