#include "service/follower/staleness_gate.h"

#include <algorithm>
#include <string>
#include <utility>

namespace luna::follower {

namespace {

std::string Millis(uint64_t nanos) {
  return std::to_string(nanos / 1'000'000) + " ms";
}

}  // namespace

StalenessGate::StalenessGate(runtime::Clock& clock, Followed followed)
    : clock_(clock), followed_(std::move(followed)) {}

Error StalenessGate::TooOld(uint64_t age_nanos, const std::string& why) const {
  const uint64_t complete = followed_.complete_nanos();
  if (complete == 0) {
    return {Reason::kDeadline,
            "this server follows and has not caught up yet; try again later, or send READWRITE"};
  }
  const uint64_t now = clock_.MonotonicNanos();
  return {Reason::kDeadline, "this server is " + Millis(now - std::min(now, complete)) +
                                 " behind, and BOUNDED allows " + Millis(age_nanos) +
                                 "; try again later, or send READWRITE (" + why + ")"};
}

Result<command::ReadGate::Ticket> StalenessGate::Begin(uint64_t age_nanos, bool may_wait) {
  const uint64_t complete = followed_.complete_nanos();
  const uint64_t now = clock_.MonotonicNanos();
  if (complete != 0 && (age_nanos == kAnyAge || now - std::min(now, complete) <= age_nanos)) {
    return Ticket{};
  }
  if (age_nanos == kAnyAge) {
    return TooOld(age_nanos, {});
  }
  if (!may_wait) {
    return Error(Reason::kNotInMemory, "it is too old; a look at the stream has to be waited for");
  }
  const uint64_t moment = std::max<uint64_t>(now - std::min(now, age_nanos), 1);
  const Status came = followed_.await(moment, now + std::min(age_nanos, kLongestWaitNanos));
  if (!came.ok()) {
    return TooOld(age_nanos, came.error().message());
  }
  return Ticket{};
}

}  // namespace luna::follower
