// A universe on a Kernel that several processes have open: led here, under a fence that was won
// already (cluster/replica). It is closed when leadership ends, and opened anew for the next.
// What dies stays for a grace, as other processes may still read it. What an earlier leader left
// half-done is not swept at once: it may still be at work, not knowing that it was deposed. The
// leader looks for it later (orphans.h).
// Thread rule: functions are safe.
#pragma once

#include <memory>

#include "engine/basestore/merge_executor.h"
#include "engine/group/group.h"
#include "engine/universe/inheritance.h"
#include "engine/universe/orphans.h"
#include "kernel/kernel.h"
#include "luna/components.h"
#include "luna/options.h"
#include "luna/universe.h"

namespace luna::universe {

struct Lead {
  std::unique_ptr<kernel::Kernel> kernel{};  // a view (kernel/kernel_view.h): its jobs end with it
  group::Leadership leadership{};
  group::AppendObserver* observer = nullptr;
  uint64_t release_bytes = journal::StreamOptions{}.segment_bytes;  // as GroupContext's
  // Of the same Kernel. Null, or what does not fit the options: everything is read from the stream.
  std::unique_ptr<Inheritance> inherited{};
  Removal removal{};
  basestore::MergeExecutor* merges = nullptr;  // asked first; outlives the universe
};

struct LedUniverse {
  std::unique_ptr<Universe> universe;
  group::Group* group = nullptr;  // the universe's, for Renew and HandOver
};

// `options.location` is not looked at. Errors: as Universe::Open, but for those of the location;
// kFenced when a later epoch leads already.
Result<LedUniverse> OpenLed(const Options& options, const Components& components, Lead lead);

}  // namespace luna::universe
