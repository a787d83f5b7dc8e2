/* SPDX-License-Identifier: MIT
 *
 * quota.h - the CPU time that control groups let this process have.
 */
#ifndef CHANBENCH_BASE_QUOTA_H
#define CHANBENCH_BASE_QUOTA_H

#include <stdint.h>

#define CHAN_QUOTA_NONE UINT32_MAX

/* The smallest quota of the groups in which the process is, in hundredths of a CPU: version 2's
 * cpu.max or version 1's cpu.cfs_quota_us, of the group and of all above it. CHAN_QUOTA_NONE:
 * there is none. `list` is the file that names the groups (/proc/self/cgroup), `mount` the
 * folder in which they are mounted (/sys/fs/cgroup). In a container the group's own path may not
 * be there, so the groups above it that are there count. */
uint32_t chan_quota(const char *list, const char *mount);

#endif
