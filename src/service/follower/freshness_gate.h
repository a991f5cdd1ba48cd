// FreshnessGate: lets the reads of a server that follows begin when what it has is as new as was
// asked for, and be told when they may be.
//
// Bounded: ages are told by this process's own clock: everything that was acknowledged before a
// moment of it is here (engine's FollowedUniverse). What is read after Begin is no older than that.
//
// Strong: Begin asks the leader how far its stream goes, and waits until that is seen here: the
// read then misses nothing that anybody was told before. But the stream is read by followers a
// little before its leader's own readers see it, so the read may be ahead of them: End holds it
// back until the leader is known to have published whatever may have been read. Else a reader at
// the leader would be told, later, of an older state.
// Thread rule: safe, as far as what it asks is.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "runtime/runtime.h"
#include "service/command/read_gate.h"
#include "service/follower/leader_questions.h"

namespace luna::follower {

class FreshnessGate final : public command::ReadGate {
 public:
  static constexpr uint64_t kLongestWaitNanos = 1'000'000'000;

  struct Followed {
    // The moment up to which everything is here, of the monotonic clock; 0: nothing is. Cheap.
    std::function<uint64_t()> complete_nanos;
    // Waits until that is `moment_nanos` or later, until `deadline_nanos` at most; an error: it is
    // not, and why.
    std::function<Status(uint64_t moment_nanos, uint64_t deadline_nanos)> await;
    // Likewise until readers see everything of the stream up to `sequence`.
    std::function<Status(uint64_t sequence, uint64_t deadline_nanos)> await_shown;
    // Nobody has seen anything after it; asked after a read it covers that. Cheap.
    std::function<uint64_t()> shown_at_most;
  };
  // `runtime` outlives it. `ask` may be empty: then there are no strong reads.
  FreshnessGate(runtime::Runtime& runtime, Followed followed, AskLeader ask);

  // Nobody waits here any more, now or later: reads that would are refused.
  void Stop();

  // kNotSupported: strong, and the leader cannot be asked.
  Status Offers(const command::Freshness& freshness) override;
  // kDeadline: too old, after a wait of the bound or kLongestWaitNanos at most; or it is not known
  // to be as new as a strong read must be.
  Result<Ticket> Begin(const command::Freshness& freshness, bool may_wait) override;
  // kDeadline: it is not known to be published, after kLongestWaitNanos.
  Status End(const Ticket& ticket, bool may_wait) override;

 private:
  Result<Ticket> BeginBounded(uint64_t age_nanos, bool may_wait);
  Result<Ticket> BeginStrong(bool may_wait);
  Status AwaitShown(uint64_t sequence, uint64_t deadline_nanos);
  Status AwaitPublished(uint64_t sequence, uint64_t deadline_nanos);
  Error NotCaughtUp() const;
  Error TooOld(uint64_t age_nanos, const std::string& why) const;
  uint64_t Now() const { return runtime_.clock().MonotonicNanos(); }

  runtime::Runtime& runtime_;
  const Followed followed_;
  const bool can_ask_;
  LeaderQuestions questions_;
  const std::unique_ptr<runtime::Event> stop_;
};

}  // namespace luna::follower
