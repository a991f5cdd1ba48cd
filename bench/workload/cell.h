// RunCell: one group on one engine in a child process of its own, so that memory, CPU and bytes are
// its alone. Its directory is made before and removed after, however it ends.
// Thread rule: called by the only thread of the parent.
#pragma once

#include <vector>

#include "workload/workload.h"

namespace luna::bench {

// What its workloads cost; empty when the child failed (it said why on standard error).
// `cell.setup.directory` names the directory; it must not exist.
std::vector<Measure> RunCell(const Group& group, const Cell& cell);

}  // namespace luna::bench
