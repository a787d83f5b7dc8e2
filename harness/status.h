/* SPDX-License-Identifier: MIT
 *
 * status.h - the names of the contract's statuses, for whoever has to say one.
 */
#ifndef CHANBENCH_HARNESS_STATUS_H
#define CHANBENCH_HARNESS_STATUS_H

#include "impls/channel.h"

/* "CHAN_OK", ...; "a status that does not exist" for any other number. */
const char *status_name(enum chan_status status);

#endif
