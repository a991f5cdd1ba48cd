#include "cluster/replica/replica_state.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "base/assert.h"

namespace luna::replica {

namespace {

constexpr uint64_t kMillion = 1'000'000;
constexpr uint64_t kSoonNanos = 10'000'000;
constexpr uint64_t kMinLeaseNanos = 50'000'000;
constexpr uint64_t kMaxLeaseNanos = 60'000'000'000;
constexpr uint64_t kMaxDriftPerMillion = 200'000;

Error BadSetting(const char* name, uint64_t value, const char* range) {
  return Error(Reason::kBadOption,
               std::string(name) + " is " + std::to_string(value) + "; use " + range);
}

}  // namespace

Status Settings::Validate() const {
  if (lease_nanos < kMinLeaseNanos || lease_nanos > kMaxLeaseNanos) {
    return BadSetting("lease_nanos", lease_nanos, "50 ms to 1 min");
  }
  if (drift_per_million > kMaxDriftPerMillion) {
    return BadSetting("drift_per_million", drift_per_million, "0 to 200,000 (20 %)");
  }
  if (jitter_nanos > lease_nanos) {
    return BadSetting("jitter_nanos", jitter_nanos, "at most the lease");
  }
  if (idle_nanos < lease_nanos) {
    return BadSetting("idle_nanos", idle_nanos, "at least the lease");
  }
  return {};
}

uint64_t Settings::LeaseNanos() const {
  return lease_nanos * (kMillion - drift_per_million) / kMillion;
}

uint64_t Settings::WaitNanos() const {
  return (lease_nanos * (kMillion + drift_per_million) + kMillion - 1) / kMillion;
}

ReplicaState::ReplicaState(const Settings& settings, uint64_t seed)
    : settings_(settings), random_(seed) {
  LUNA_ASSERT(settings.Validate().ok());
}

Actions ReplicaState::Handle(Nanos now, const Event& event) {
  now_ = std::max(now_, now);
  std::visit([this](const auto& each) { On(each); }, event);
  return std::exchange(actions_, {});
}

// splitmix64
uint64_t ReplicaState::DrawJitter() {
  uint64_t x = (random_ += 0x9E3779B97F4A7C15);
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  x ^= x >> 31;
  return x % (settings_.jitter_nanos + 1);
}

// --- Following ---

void ReplicaState::Follow() {
  role_ = Role::kFollowing;
  seen_.reset();  // the wait begins anew with what is seen next
  looking_ = false;
  hinted_ = false;
  next_look_ = now_;
  suspected_ = false;
}

void ReplicaState::On(const Tick&) {
  if (role_ == Role::kFollowing) {
    TickFollowing();
  } else if (role_ == Role::kLeading) {
    TickLeading();
  }
}

void ReplicaState::TickFollowing() {
  if (MayFence()) {
    const bool any_tail = (settings_.confirm && suspected_) || settings_.mutants.any_tail;
    Fence(seen_->epoch, any_tail ? std::nullopt : std::optional(seen_->tail));
    return;
  }
  if (!looking_ && now_ >= next_look_) {
    LookNow();
  }
}

// Who gave the lead away has clients for the next leader, and nobody tells it who that is.
uint64_t ReplicaState::look_nanos() const {
  const bool soon = role_ == Role::kFollowing && given_.has_value() && leader_.empty();
  return soon ? std::min(kSoonNanos, settings_.LookNanos()) : settings_.LookNanos();
}

void ReplicaState::LookNow() {
  looking_ = true;
  next_look_ = now_ + look_nanos();
  actions_.emplace_back(std::in_place_type<Look>);  // g++ 12 warns wrongly of a moved Look{}
}

bool ReplicaState::MayFence() const {
  if (!seen_.has_value() || removed_) {
    return false;
  }
  if (seen_->lease == Lease::kGivenToMe || (settings_.confirm && suspected_)) {
    return penalty_ == 0 || now_ - seen_->at >= penalty_;
  }
  const uint64_t silence = now_ - seen_->at;
  if (seen_->lease == Lease::kGivenUp) {
    return silence >= jitter_ + penalty_;
  }
  if (seen_->lease == Lease::kYielded) {
    // Longer than who was given it takes to fence.
    return silence >= 2 * settings_.LookNanos() + jitter_ + penalty_;
  }
  if (seen_->lease == Lease::kResting && !wanted_) {
    return false;
  }
  const uint64_t wait =
      settings_.mutants.short_wait ? settings_.WaitNanos() / 2 : settings_.WaitNanos();
  return silence >= wait + jitter_ + penalty_;
}

void ReplicaState::Fence(Epoch expected_epoch, std::optional<Sequence> expected_tail) {
  role_ = Role::kFencing;
  suspected_ = false;
  if (settings_.mutants.skip_fence && expected_tail.has_value()) {
    epoch_ = expected_epoch;
    On(FenceOk{*expected_tail});
    return;
  }
  epoch_ = expected_epoch + 1;
  const bool given = seen_.has_value() && seen_->lease == Lease::kGivenToMe;
  actions_.push_back(FenceStream{.expected_epoch = expected_epoch,
                                 .expected_tail = expected_tail,
                                 .new_epoch = epoch_,
                                 .start = given && expected_tail.has_value(),
                                 .end = given ? seen_->end : 0});
}

void ReplicaState::On(const SawTail& event) {
  looking_ = false;
  if (std::exchange(hinted_, false) && role_ == Role::kFollowing) {
    LookNow();
  }
  const bool before =
      event.epoch < named_epoch_ || (event.epoch == named_epoch_ && event.tail < named_tail_);
  if (!event.leader.empty() && !before) {
    leader_ = event.leader;
  }
  removed_ = event.removed;
  if (role_ != Role::kFollowing) {
    if (event.epoch > epoch_) {
      Resign();
    }
    return;
  }
  const bool older = seen_.has_value() && (event.epoch < seen_->epoch || event.tail < seen_->tail);
  const bool same = seen_.has_value() && event.epoch == seen_->epoch && event.tail == seen_->tail;
  if (!older && !same) {
    const bool yielded = given_.has_value() && given_->by_word && given_->epoch == event.epoch &&
                         given_->tail == event.tail;
    See({.epoch = event.epoch,
         .tail = event.tail,
         .lease = yielded ? Lease::kYielded : event.lease});
  }
}

void ReplicaState::Name(const std::string& leader, Epoch epoch, Sequence tail) {
  leader_ = leader;
  named_epoch_ = epoch;
  named_tail_ = tail;
}

void ReplicaState::See(const Seen& seen) {
  seen_ = seen;
  seen_->at = now_;
  jitter_ = DrawJitter();
  wanted_ = false;
  suspected_ = false;
  if (seen_->lease == Lease::kGivenToMe) {
    TickFollowing();  // nobody leads until it does
  }
}

void ReplicaState::On(const LookFailed&) {
  looking_ = false;
}

void ReplicaState::On(const Requested&) {
  wanted_ = true;
  last_request_ = now_;
}

void ReplicaState::On(const Suspected&) {
  wanted_ = true;
  suspected_ = role_ == Role::kFollowing;
}

void ReplicaState::On(const Hinted& event) {
  if (role_ != Role::kFollowing) {
    return;
  }
  const bool old = seen_.has_value() && (event.epoch < seen_->epoch || event.tail < seen_->tail);
  if (!event.mine && !event.leader.empty()) {
    if (!old) {
      Name(event.leader, event.epoch, event.tail + 1);  // that record may not say so
    }
    return;  // whoever takes over needs the store more than a look
  }
  if (event.mine && !old) {
    See({.epoch = event.epoch, .tail = event.tail, .lease = Lease::kGivenToMe, .end = event.end});
    return;
  }
  if (looking_) {
    hinted_ = true;  // what it finds may be of before
  } else {
    LookNow();
  }
}

// --- Taking over ---

void ReplicaState::On(const FenceOk& event) {
  if (role_ != Role::kFencing) {
    return;
  }
  role_ = Role::kCatchingUp;
  given_.reset();
  in_flight_.reset();
  renewing_ = false;
  resting_ = false;
  looking_ = false;
  started_ = event.started.has_value();
  const Nanos sent = settings_.mutants.lease_from_ack ? now_ : event.started.value_or(0);
  lease_end_ = started_ ? sent + settings_.LeaseNanos() : 0;
  sent_ = event.started.value_or(sent_);  // it renews this lease
  last_request_ = now_;
  actions_.push_back(CatchUp{.epoch = epoch_, .tail = event.tail});
  if (settings_.mutants.serve_early) {
    On(CaughtUp{});
  }
}

// Another one was faster, or the leader is alive.
void ReplicaState::On(const FenceRefused&) {
  if (role_ == Role::kFencing) {
    Follow();
  }
}

// If it did happen, the epoch seen next is a new one, and nobody's.
void ReplicaState::On(const FenceUnknown&) {
  if (role_ == Role::kFencing) {
    Follow();
  }
}

void ReplicaState::On(const CaughtUp&) {
  if (role_ != Role::kCatchingUp) {
    return;
  }
  if (started_) {
    BeginLeading();
    return;
  }
  role_ = Role::kStarting;
  actions_.push_back(AppendLeaderStart{epoch_});
}

void ReplicaState::BeginLeading() {
  role_ = Role::kLeading;
  penalty_ = 0;
  named_ = now_;
  actions_.push_back(Serve{epoch_});
}

void ReplicaState::On(const LeadFailed&) {
  if (role_ != Role::kFollowing && role_ != Role::kFencing) {
    Resign();
    penalty_ = settings_.WaitNanos();  // another one may do better
  }
}

void ReplicaState::Resign() {
  if (role_ != Role::kFollowing && role_ != Role::kFencing) {
    actions_.push_back(StopServing{epoch_});
  }
  in_flight_.reset();
  lease_end_ = 0;
  asking_ = false;
  Follow();
}

// --- Leading ---

void ReplicaState::TickLeading() {
  const bool idle = !in_flight_.has_value() && now_ - sent_ >= settings_.RenewNanos();
  // Commits say nothing of who leads, however many there are.
  const bool unnamed = in_flight_ != AppendKind::kRenew && now_ - named_ >= settings_.NameNanos();
  if ((idle || unnamed) && !renewing_ && !resting_) {
    Renew(now_ - last_request_ >= settings_.idle_nanos);
  } else if (resting_ && !looking_ && now_ >= next_look_) {
    looking_ = true;  // the only way to learn that another one leads
    next_look_ = now_ + settings_.RenewNanos();
    actions_.push_back(Look{});
  }
  if (!asking_ && confirmed_ < needed_) {
    Ask();
  }
}

void ReplicaState::Renew(bool resting) {
  renewing_ = true;
  named_ = now_;
  resting_ = resting;
  actions_.push_back(AppendRenew{.epoch = epoch_, .resting = resting});
}

void ReplicaState::On(const AppendSent& event) {
  in_flight_ = event.kind;
  sent_ = now_;
  if (event.kind == AppendKind::kRenew) {
    renewing_ = false;
  } else {
    last_request_ = now_;
    resting_ = false;  // the stream goes on, so silence would count again
  }
}

void ReplicaState::On(const AppendAcked& event) {
  const std::optional<AppendKind> kind = std::exchange(in_flight_, std::nullopt);
  if (role_ == Role::kStarting && kind == AppendKind::kLeaderStart) {
    BeginLeading();
  }
  if (role_ == Role::kHandingOver && kind == AppendKind::kTransfer) {
    GiveAway({.epoch = epoch_, .tail = event.tail, .target = target_});
    return;
  }
  if (role_ == Role::kLeading || role_ == Role::kHandingOver) {
    lease_end_ = (settings_.mutants.lease_from_ack ? now_ : sent_) + settings_.LeaseNanos();
  }
}

void ReplicaState::On(const AppendFailed&) {
  const std::optional<AppendKind> kind = std::exchange(in_flight_, std::nullopt);
  renewing_ = false;
  resting_ = false;
  if (role_ == Role::kStarting) {
    On(LeadFailed{});
  } else if (role_ == Role::kHandingOver &&
             kind.value_or(AppendKind::kTransfer) == AppendKind::kTransfer) {
    Resign();  // whoever asked wanted this replica to let go
  }
}

void ReplicaState::On(const AppendFenced&) {
  if (role_ != Role::kFollowing && role_ != Role::kFencing) {
    Resign();
  }
}

void ReplicaState::On(const AppendUnknown&) {
  if (settings_.mutants.unknown_is_failed) {
    On(AppendFailed{});
    return;
  }
  if (settings_.mutants.unknown_is_ok) {
    On(AppendAcked{});
    return;
  }
  if (role_ == Role::kFollowing || role_ == Role::kFencing) {
    return;
  }
  const bool handing_over = role_ == Role::kHandingOver;
  const Epoch epoch = epoch_;
  Resign();
  if (!handing_over) {
    Fence(epoch, std::nullopt);  // nobody but us holds a lease under it
  }
}

void ReplicaState::On(const TransferAsked& event) {
  if (role_ != Role::kLeading) {
    return;
  }
  target_ = event.target;
  if (event.prepared && !event.target.empty()) {
    actions_.push_back(Yield{.epoch = epoch_, .target = event.target});
  } else {
    role_ = Role::kHandingOver;  // no strong read is answered from here on
    actions_.push_back(AppendTransfer{.epoch = epoch_, .target = event.target});
  }
}

void ReplicaState::On(const Yielded& event) {
  if (role_ == Role::kLeading || role_ == Role::kHandingOver) {
    GiveAway({.epoch = epoch_,
              .tail = event.tail,
              .end = event.end,
              .target = event.target,
              .by_word = true});
  }
}

void ReplicaState::GiveAway(Given given) {
  // By a record it may not know yet, and would send clients back here until it fences.
  Name(given.by_word ? given.target : std::string(), epoch_, std::numeric_limits<Sequence>::max());
  given_ = std::move(given);
  Resign();
}

// --- Strong reads ---

Nanos ReplicaState::readable_until() const {
  const bool leading = role_ == Role::kLeading ||
                       (role_ == Role::kHandingOver && settings_.mutants.read_after_transfer);
  return leading && !settings_.confirm ? lease_end_ : 0;
}

Verdict ReplicaState::BeginRead(Nanos now, ReadTicket& ticket, Actions& actions) {
  now_ = std::max(now_, now);
  On(Requested{});
  ticket = {.epoch = epoch_};
  if (MayRead(now_)) {
    return Verdict::kYes;
  }
  if (role_ != Role::kLeading) {
    return role_ == Role::kCatchingUp || role_ == Role::kStarting ? Verdict::kWait : Verdict::kNo;
  }
  Verdict verdict = Verdict::kWait;
  if (settings_.confirm) {
    needed_ = asked_ + (asking_ && settings_.mutants.old_question ? 0 : 1);
    ticket.question = needed_;
    if (!asking_) {
      Ask();
    }
    verdict = Verdict::kYes;
  } else if (!in_flight_.has_value() && !renewing_) {
    Renew(/*resting=*/false);
  }
  std::move(actions_.begin(), actions_.end(), std::back_inserter(actions));
  actions_.clear();
  return verdict;
}

Verdict ReplicaState::EndRead(Nanos now, const ReadTicket& ticket) const {
  if (settings_.mutants.no_second_check && !settings_.confirm) {
    return Verdict::kYes;
  }
  if (ticket.epoch != epoch_ || role_ == Role::kFollowing) {
    return Verdict::kNo;
  }
  if (settings_.confirm) {
    if (role_ != Role::kLeading && role_ != Role::kHandingOver) {
      return Verdict::kNo;
    }
    return confirmed_ >= ticket.question ? Verdict::kYes : Verdict::kWait;
  }
  return MayRead(std::max(now_, now)) ? Verdict::kYes : Verdict::kNo;
}

void ReplicaState::Ask() {
  asking_ = true;
  ++asked_;
  actions_.push_back(ConfirmEpoch{asked_});
}

void ReplicaState::On(const EpochRead& event) {
  if (event.question == asked_) {
    asking_ = false;
  }
  if (role_ != Role::kLeading && role_ != Role::kHandingOver) {
    return;
  }
  if (event.epoch > epoch_) {
    Resign();
    return;
  }
  if (event.epoch == epoch_) {
    confirmed_ = std::max(confirmed_, event.question);
  }
  if (!asking_ && confirmed_ < needed_ && role_ == Role::kLeading) {
    Ask();
  }
}

void ReplicaState::On(const EpochReadFailed& event) {
  if (event.question == asked_) {
    asking_ = false;  // asked again with the next Tick
  }
}

}  // namespace luna::replica
