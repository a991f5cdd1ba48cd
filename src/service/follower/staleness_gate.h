// StalenessGate: lets the reads of a server that follows begin when what it has is as new as was
// asked for. Ages are told by this process's own clock: everything that was acknowledged before a
// moment of it is here (engine's FollowedUniverse). What is read after Begin is no older than that.
// Thread rule: safe, as far as what it asks is.
#pragma once

#include <cstdint>
#include <functional>

#include "runtime/runtime.h"
#include "service/command/read_gate.h"

namespace luna::follower {

class StalenessGate final : public command::ReadGate {
 public:
  static constexpr uint64_t kLongestWaitNanos = 1'000'000'000;

  struct Followed {
    // The moment up to which everything is here, of the monotonic clock; 0: nothing is. Cheap.
    std::function<uint64_t()> complete_nanos;
    // Waits until that is `moment_nanos` or later, until `deadline_nanos` at most; an error: it is
    // not, and why.
    std::function<Status(uint64_t moment_nanos, uint64_t deadline_nanos)> await;
  };
  // `clock` outlives it.
  StalenessGate(runtime::Clock& clock, Followed followed);

  // kDeadline: too old, after a wait of `age_nanos` or kLongestWaitNanos at most.
  Result<Ticket> Begin(uint64_t age_nanos, bool may_wait) override;
  Status End(const Ticket&, bool) override { return {}; }  // nothing gets older by being read

 private:
  Error TooOld(uint64_t age_nanos, const std::string& why) const;

  runtime::Clock& clock_;
  const Followed followed_;
};

}  // namespace luna::follower
