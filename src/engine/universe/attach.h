// attach: an embedded universe moves up: a copy of it at a place that several servers can reach,
// where it is served from then on. Nothing is converted: streams, manifests and objects are the
// same bytes. The copy is a universe of its own, with another identity; the original stays as it
// was, but for what opening it after a crash recovers.
// Thread rule: functions are safe.
#pragma once

#include <functional>
#include <string>

#include "kernel/universe_copy.h"

namespace luna::universe {

struct AttachReport {
  kernel::CopyProgress copied{};
  uint64_t databases = 0;
  uint64_t verified = 0;  // objects
};

// Copies all of `from`, which nobody else may have open, and reads the copy: every table and blob
// that its manifests name is there and whole, and so is every other blob. Only then is it finished.
// Errors: those of CopyUniverse and BeginUniverse's result; kBadChecksum, kLostData for damage,
// which `luna verify` finds in the original, too.
Result<AttachReport> Attach(kernel::Kernel& from, kernel::UnfinishedUniverse& to,
                            const std::function<void(const kernel::CopyProgress&)>& tell);

}  // namespace luna::universe
