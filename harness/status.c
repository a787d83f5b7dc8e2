/* SPDX-License-Identifier: MIT */
#include "harness/status.h"

const char *status_name(enum chan_status status)
{
	static const char *const names[] = {
		[CHAN_OK] = "CHAN_OK",           [CHAN_FULL] = "CHAN_FULL",     [CHAN_EMPTY] = "CHAN_EMPTY",
		[CHAN_CLOSED] = "CHAN_CLOSED",   [CHAN_LAGGED] = "CHAN_LAGGED", [CHAN_TIMEOUT] = "CHAN_TIMEOUT",
		[CHAN_INVALID] = "CHAN_INVALID", [CHAN_NOMEM] = "CHAN_NOMEM",
	};
	unsigned i = (unsigned)status;
	return i < sizeof names / sizeof names[0] ? names[i] : "a status that does not exist";
}
