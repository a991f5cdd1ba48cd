#include "service/follower/freshness_gate.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/try.h"

namespace luna::follower {

namespace {

using command::Freshness;

constexpr uint64_t kMilli = 1'000'000;
constexpr uint64_t kSliceNanos = 20 * kMilli;  // of a wait that Stop does not end by itself
// Between two questions whether something is published: applying a record takes the leader less,
// but an append whose outcome it does not know yet may take long.
constexpr uint64_t kFirstPauseNanos = kMilli / 2;
constexpr uint64_t kLongestPauseNanos = 16 * kMilli;
constexpr uint64_t kStrongTicket = 1;  // Ticket::question of a strong read

std::string Millis(uint64_t nanos) {
  return std::to_string(nanos / kMilli) + " ms";
}

Error Unconfirmed(const Error& why) {
  return {Reason::kDeadline,
          "this server follows, and it is not known whether what it has is the newest (" +
              why.message() +
              "); try again later, or send READWRITE (the leader reads) or READONLY (as old as "
              "what is here)"};
}

}  // namespace

FreshnessGate::FreshnessGate(runtime::Runtime& runtime, Followed followed, AskLeader ask)
    : runtime_(runtime),
      followed_(std::move(followed)),
      can_ask_(static_cast<bool>(ask)),
      questions_(runtime, std::move(ask)),
      stop_(runtime.NewEvent()) {}

void FreshnessGate::Stop() {
  stop_->Set();
  questions_.Stop();
}

Status FreshnessGate::Offers(const Freshness& freshness) {
  if (freshness.kind == Freshness::Kind::kStrong && !can_ask_) {
    return Error(Reason::kNotSupported,
                 "READONLY STRONG has this server ask the leader, and it talks to no other server; "
                 "set peer-listen on every server of the group, or send READWRITE");
  }
  return {};
}

Result<command::ReadGate::Ticket> FreshnessGate::Begin(const Freshness& freshness, bool may_wait) {
  switch (freshness.kind) {
    case Freshness::Kind::kAny:
      return followed_.complete_nanos() != 0 ? Result<Ticket>(Ticket{}) : NotCaughtUp();
    case Freshness::Kind::kBounded:
      return BeginBounded(freshness.age_nanos, may_wait);
    case Freshness::Kind::kStrong:
      break;
  }
  TRY(Offers(freshness));
  return BeginStrong(may_wait);
}

Status FreshnessGate::End(const Ticket& ticket, bool may_wait) {
  if (ticket.question != kStrongTicket) {
    return {};  // nothing gets older by being read
  }
  const uint64_t most = followed_.shown_at_most();
  if (most <= questions_.published()) {
    return {};
  }
  if (!may_wait) {
    return Error(Reason::kNotInMemory, "the leader has to be asked");
  }
  const Status published = AwaitPublished(most, Now() + kLongestWaitNanos);
  return published.ok() ? Status() : Status(Unconfirmed(published.error()));
}

// --- Bounded ---

Error FreshnessGate::NotCaughtUp() const {
  return {Reason::kDeadline,
          "this server follows and has not caught up yet; try again later, or send READWRITE"};
}

Error FreshnessGate::TooOld(uint64_t age_nanos, const std::string& why) const {
  const uint64_t complete = followed_.complete_nanos();
  if (complete == 0) {
    return NotCaughtUp();
  }
  const uint64_t now = Now();
  return {Reason::kDeadline, "this server is " + Millis(now - std::min(now, complete)) +
                                 " behind, and BOUNDED allows " + Millis(age_nanos) +
                                 "; try again later, or send READWRITE (" + why + ")"};
}

Result<command::ReadGate::Ticket> FreshnessGate::BeginBounded(uint64_t age_nanos, bool may_wait) {
  const uint64_t complete = followed_.complete_nanos();
  const uint64_t now = Now();
  if (complete != 0 && now - std::min(now, complete) <= age_nanos) {
    return Ticket{};
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

// --- Strong ---

Result<command::ReadGate::Ticket> FreshnessGate::BeginStrong(bool may_wait) {
  if (!may_wait) {
    return Error(Reason::kNotInMemory, "the leader has to be asked");
  }
  const uint64_t deadline = Now() + kLongestWaitNanos;
  const Result<LeaderPoint> point = questions_.Ask(deadline);
  if (!point.ok()) {
    return Unconfirmed(point.error());
  }
  if (const Status shown = AwaitShown(point->tail, deadline); !shown.ok()) {
    return Unconfirmed(shown.error());
  }
  return Ticket{.question = kStrongTicket};
}

Status FreshnessGate::AwaitShown(uint64_t sequence, uint64_t deadline_nanos) {
  while (true) {
    const uint64_t until = std::min(deadline_nanos, Now() + kSliceNanos);
    Status shown = followed_.await_shown(sequence, until);
    if (shown.ok() || until == deadline_nanos || stop_->IsSet()) {
      return shown;
    }
    // It may not even wait for what it cannot get.
    if (Now() < until && stop_->WaitFor(kFirstPauseNanos)) {
      return shown;
    }
  }
}

Status FreshnessGate::AwaitPublished(uint64_t sequence, uint64_t deadline_nanos) {
  for (uint64_t pause = kFirstPauseNanos;; pause = std::min(2 * pause, kLongestPauseNanos)) {
    const LeaderPoint point = TRY(questions_.Ask(deadline_nanos));
    if (point.published >= sequence) {
      return {};
    }
    if (Now() + pause >= deadline_nanos || stop_->WaitFor(pause)) {
      return Error(Reason::kDeadline,
                   "the leader has not published record " + std::to_string(sequence) + " yet");
    }
  }
}

}  // namespace luna::follower
