/* SPDX-License-Identifier: MIT */
#include "impls/channels.h"

#include <stddef.h>

const struct chan_impl *const chan_registry[] = {
	&chan_mutex,
	&chan_futex,
	&chan_vyukov,
	NULL,
};
