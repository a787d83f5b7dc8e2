/* SPDX-License-Identifier: MIT */
#include "impls/registry.h"

extern const struct chan_impl chan_mutex;

const struct chan_impl *const chan_registry[] = {
	&chan_mutex,
	NULL,
};
