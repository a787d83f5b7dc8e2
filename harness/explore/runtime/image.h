/* SPDX-License-Identifier: MIT
 *
 * image.h - the executable's symbols.
 */
#ifndef CHANBENCH_EXPLORE_IMAGE_H
#define CHANBENCH_EXPLORE_IMAGE_H

#include "harness/explore/runtime/core.h"

/* The variable that an address is in; false: none of the executable's. The name lives as long as
 * the process. */
bool explore_image_object(uintptr_t address, const char **name, size_t *offset);

#endif
