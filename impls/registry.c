/* SPDX-License-Identifier: MIT */
#include "impls/registry.h"

extern const struct chan_impl chan_mutex;
extern const struct chan_impl chan_futex;
extern const struct chan_impl chan_vyukov;

const struct chan_impl *const chan_registry[] = {
	&chan_mutex,
	&chan_futex,
	&chan_vyukov,
	NULL,
};
