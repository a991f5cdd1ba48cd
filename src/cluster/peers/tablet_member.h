// TabletMember: a TabletServer as the other servers of its group see it.
// Thread rule: safe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "base/mutex.h"
#include "cluster/peers/peers.h"
#include "cluster/tablet_server/tablet_server.h"
#include "runtime/runtime.h"

namespace luna::peers {

// A universe that is followed here. Calls come from several threads, and do not wait.
struct FollowedHere {
  std::function<void()> hint{};                // there may be something new
  std::function<uint64_t()> applied{};         // the sequence
  std::function<uint64_t()> complete_nanos{};  // everything before is applied; 0: not known
};

class TabletMember final : public Member {
 public:
  // Both outlive it.
  TabletMember(runtime::Runtime& runtime, tablet_server::TabletServer& server)
      : runtime_(runtime), server_(server) {}

  // What is followed, or (nothing) no more: then nothing of what was given is called.
  void Follows(std::optional<FollowedHere> followed);

  wire::StandingReply Standing() override;
  // kFenced; kBackPressure when its lease, or the time, allows no answer.
  Result<wire::ReadIndexReply> ReadIndex(uint64_t budget_nanos) override;
  std::optional<Handover> HandedOver() override;
  void Hint(const wire::Appended& hint) override;
  // Ready: everything is applied that was acknowledged before the call. A call that comes late, of
  // a leader that is none any more, takes nothing from the one that is.
  Result<wire::PrepareReply> Prepare(uint64_t epoch, uint64_t budget_nanos) override;

 private:
  void Hint();
  uint64_t Now() const { return runtime_.clock().MonotonicNanos(); }

  runtime::Runtime& runtime_;
  tablet_server::TabletServer& server_;
  base::Mutex mutex_;
  std::optional<FollowedHere> followed_ GUARDED_BY(mutex_);
};

}  // namespace luna::peers
