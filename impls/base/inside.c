/* SPDX-License-Identifier: MIT */
#include "impls/base/inside.h"

_Thread_local struct inside *chan_inside_innermost;
