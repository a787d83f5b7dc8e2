/* SPDX-License-Identifier: MIT
 *
 * cell_child.h - the program that measures one cell, in a process of its own.
 *
 *   chanbench bench-cell --scenario=S --impl=I [--plugin=FILE] --param=k=v ... --repetitions=N
 *   --seconds=T --messages=N
 *                        --placement=free|cores|one --seed=N [--control=null|limit]
 *                        [--histogram=FILE]
 *
 * It writes to descriptor 3, one JSON object a line:
 *
 *   {"event":"calibrated","messages":N}   how long the trials will be
 *   {"event":"trial","repetition":k}      one begins
 *   {"event":"progress","messages":n}     about twice a second, but only while the workers get on:
 *                                         silence is a hang
 *   {"row":{...}}                         one is over: google-benchmark's row of an iteration, and
 *                                         ours
 *   {"event":"done"}                      all are over
 *
 * A trial whose ledger does not balance has no rate and says why in its verdict; that is a result,
 * and the exit status is EXIT_GOOD. EXIT_USAGE, EXIT_MACHINE: one line on stderr.
 */
#ifndef CHANBENCH_BENCH_CELL_CHILD_H
#define CHANBENCH_BENCH_CELL_CHILD_H

int bench_cell_main(int argc, char **argv);

#endif
