/* SPDX-License-Identifier: MIT
 *
 * notes.c - what the documentation says beyond the rules' texts: the sections, and the rules M, P
 * and U.
 */
#include "scenarios/rules/rules.h"

const struct rule_section rule_sections[] = {
	{'M', "mpsc",
         "Many senders, one receiver (several where `receiver_clone` is offered), and a bound. A "
         "*slot* is room for one message: free, reserved by a permit, given to a sender that waits, or "
         "filled. The channel is *idle* when all slots are free. What does not speak of capacity, "
         "slots or permits holds for the unbounded kind too, as each rule's kinds say."},
	{'P', "several receivers", "Only where `receiver_clone` is offered."},
	{'U', "unbounded", "What differs when there is no bound."},
	{'O', "oneshot",
         "One value, once. A receiver that has been given its result (the value, or closed) is "
         "*terminated*."},
	{'B', "broadcast",
         "Every receiver sees every message that was sent while it was subscribed, or is told how many "
         "it lost. A channel keeps the newest R messages, R being the capacity rounded up to a power "
         "of two. The *tail* is where the next message goes; each receiver has a position of its own. "
         "With hooks (`clone`, `destroy`) a kept message is a value with an owner; without, it is "
         "bytes."},
	{'W', "watch",
         "One value that is always there, with a version; each receiver has a version that it has "
         "seen."},
	{'S', "select and time",
         "Deadlines are absolute, in nanoseconds of the monotonic clock. A select is built from `arm` "
         "and `disarm` (select.h): its rules are rules about those two."},
	{'D', "the life of messages",
         "For each message exactly one of: a receiver has it, its sender has it back, the channel has "
         "destroyed it."},
	{'X', "all of it together", "What holds with any number of threads."},
	{'C', "configurations", "What `open` refuses, in every kind."},
	{0},
};

const struct rule_note queue_notes[] = {
	{.id = "M-1", .more = "A ring with one slot is a special case for many algorithms; here it is not."},
	{.id = "M-2",
         .more = "Also one whose bytes overflow a size_t when multiplied by the element's size: it is never "
                 "silently smaller."},
	{.id = "M-3", .more = "An implementation whose ring is larger, or a power of two, keeps a separate limit."},
	{.id = "M-6",
         .more = "While others are at work the sum may be smaller for a moment (a message is out and its slot "
                 "not yet back), never larger."},
	{.id = "M-8", .more = "It is never below zero, and never counts a mark for the end of the stream."},
	{.id = "M-9", .more = "So it lies between what has been sent for certain and what may have been."},
	{.id = "M-10",
         .more = "The place before it may be claimed and not yet written: the receiver then waits for that "
                 "sender, who is in the middle of its step."},
	{.id = "M-11", .more = "Channels that keep messages in blocks go wrong at their edges: 31, 32, 33 messages."},
	{.id = "M-13", .more = "Weak senders do not count; an owned permit does."},
	{.id = "M-14", .more = "It cannot see that all senders are gone: it is one itself."},
	{.id = "M-15", .more = "Identity, not likeness: two channels with the same parameters differ."},
	{.id = "M-19", .more = "The receiver may go away with the message unread."},
	{.id = "M-21",
         .more = "Slots that waiting senders are owed are not for it: that is M-22, and no spurious failure."},
	{.id = "M-22", .more = "A try to send is full meanwhile, even if a slot has just been freed. May be declared."},
	{.id = "M-23", .more = "Across different handles. May be declared."},
	{.id = "M-25",
         .more = "Otherwise a large reservation could starve. May be declared: then a reservation takes all of "
                 "its slots or none, so that two of them cannot starve each other."},
	{.id = "M-26", .more = "Also when it was given the slot in the very moment in which its time was up."},
	{.id = "M-28", .more = "The value stays with the caller, untouched, and is not destroyed."},
	{.id = "M-33", .more = "Its slot returns, so that the channel can become idle."},
	{.id = "M-34",
         .more = "There is no third outcome: no message that was sent and is neither received nor drained."},
	{.id = "M-37", .more = "The message is destroyed at the latest with the last handle."},
	{.id = "M-40", .more = "With CHAN_NOW it is full (M-41)."},
	{.id = "M-41", .more = "No size is too large to be asked for."},
	{.id = "M-44",
         .more = "An owned permit has its sender inside: it counts as one, can be handed to another thread, "
                 "and gives it back when it ends."},
	{.id = "M-49", .more = "Each of them may still send."},
	{.id = "M-50", .more = "Each way in which that happens is a test of its own."},
	{.id = "M-52", .more = "Of two that go at the same time exactly one is the last."},
	{.id = "M-56",
         .more = "A receiver that finds the head claimed and not yet written waits for that one sender, also "
                 "with CHAN_NOW: the contract's one exception to never blocking, see X-2."},
	{.id = "M-59", .more = "It writes from the first element on and leaves the rest of the array alone."},
	{.id = "M-61", .more = "Also when it meets the end on its way."},
	{.id = "M-66",
         .more = "The order is the one in which places are claimed; a permit claims its place when it is sent "
                 "with."},
	{.id = "M-67",
         .more = "Shown with plain data under ThreadSanitizer; without it the test can only see values that "
                 "are too old."},
	{.id = "M-68", .more = "This is what makes a bounded channel a semaphore. Shown as M-67 is."},
	{.id = "M-69", .more = "Shown as M-67 is."},
	{.id = "M-70", .more = "So nobody sees a state older than what it knows already. Shown as M-67 is."},
	{.id = "M-73", .more = "It registers first and looks then."},
	{.id = "M-75", .more = "In a race with the last drop it gives either a sender of an open channel or none."},
	{.id = "M-76", .more = "The sender that comes of it can only fail."},
	{.id = "U-2",
         .more = "Out of memory is a status, and the value stays with the caller. That 2^63 messages are too "
                 "many cannot be shown."},
	{.id = "U-3", .more = "There is no third outcome between received and failed."},
	{.id = "U-7", .more = "Not only when the channel is freed."},
	{0},
};

const struct rule_note *const rule_notes[] = {queue_notes, other_notes, NULL};
