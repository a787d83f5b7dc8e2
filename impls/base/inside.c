/* SPDX-License-Identifier: MIT */
#include "impls/base/inside.h"

_Thread_local struct mark *chan_mark_innermost;
