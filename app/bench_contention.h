// frgan bench --contention: the training step beside other programs that use the cores.
#pragma once

namespace frgan {

// Times steps with one thread, with all cores and with a measured number of threads (train/thread_team.h). Measures on
// an idle machine, then beside one and two processes that keep a core busy. Beside them, it measures with equal and
// with lower priority. It times small steps and steps at full width, each in a process of its own. Prints a table.
// Returns the exit code: 1 if the measured number is more than twice as slow as the better of the two fixed numbers.
int run_contention();

}  // namespace frgan
