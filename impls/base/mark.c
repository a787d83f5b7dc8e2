/* SPDX-License-Identifier: MIT */
#include "impls/base/mark.h"

_Thread_local struct mark *chan_mark_innermost;
