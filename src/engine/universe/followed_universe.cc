#include "engine/universe/followed_universe.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/try.h"
#include "engine/universe/local_universe.h"

namespace luna::universe {

namespace {

using group::FollowingGroup;
using Halt = FollowingGroup::Halt;

constexpr uint64_t kRefreshNanos = 500'000'000;
// Looks that follow at once upon one that did not get to an end.
constexpr int kMostAtOnce = 3;

class Follower final : public FollowedUniverse, public Following {
 public:
  Follower(runtime::Runtime& runtime, Follow follow)
      : leader_(std::move(follow.leader)),
        look_nanos_(follow.look_nanos),
        stale_nanos_(follow.grace_nanos / 3 * 2),
        runtime_(runtime),
        look_(runtime_.NewEvent()) {}
  ~Follower() override { (void)Stop(); }

  Status Open(const Options& options, const Components& components,
              std::unique_ptr<kernel::Kernel> kernel) {
    universe_ = TRY(LocalUniverse::OpenFollowed(options, components, std::move(kernel), *this));
    thread_ = runtime_.Spawn("follow", runtime::ThreadClass::kForeground, [this] { Run(); });
    return {};
  }

  // --- FollowedUniverse ---

  Universe& universe() override { return *universe_; }
  FollowedState state() const override {
    base::MutexLock lock(mutex_);
    return state_;
  }
  Status AwaitComplete(uint64_t moment_nanos, uint64_t deadline_nanos) override;
  Status AwaitShown(journal::Sequence sequence, uint64_t deadline_nanos) override;
  void Hint() override { look_->Set(); }
  std::unique_ptr<Inheritance> Stop() override;

  // --- Following ---

  Error Refusal() const override;
  Status CheckReadable() const override;
  void Refresh() override {
    const uint64_t now = Now();
    (void)AwaitComplete(now, now + kRefreshNanos);
  }

 private:
  uint64_t Now() const { return runtime_.clock().MonotonicNanos(); }
  FollowingGroup& group() { return universe_->following_group(); }
  void Run();
  // True: the next look should follow at once.
  Result<bool> Look();
  Result<bool> Apply(journal::Sequence tail, const LocalUniverse::Marks& marks);
  Status CatchUp();
  Status MakeRoom();
  Result<bool> BeginAnew(const journal::StreamState& stream);
  void ShowCommits(const LocalUniverse::Marks& marks);
  void Tell(uint64_t complete_nanos, const Status& status);
  Status Await(const std::function<bool(const FollowedState&)>& reached, uint64_t deadline_nanos);

  const std::function<std::string()> leader_;
  const uint64_t look_nanos_;
  const uint64_t stale_nanos_;
  runtime::Runtime& runtime_;
  const std::unique_ptr<runtime::Event> look_;
  std::unique_ptr<LocalUniverse> universe_;
  std::unique_ptr<runtime::Thread> thread_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> readable_{false};
  std::atomic<uint64_t> manifests_nanos_{0};  // as of when the manifests are known

  // The thread's.
  bool begun_ = false;  // the stream is applied from where it begins
  bool fresh_ = true;   // no look was complete since then
  journal::Epoch epoch_ = 0;

  mutable base::Mutex mutex_;
  FollowedState state_ GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<runtime::Event>> waiters_ GUARDED_BY(mutex_);
};

// --- What users are told ---

Error Follower::Refusal() const {
  const std::string leader = leader_ ? leader_() : "";
  return {Reason::kFenced,
          "this server only follows; " +
              (leader.empty() ? "another one leads, or will soon: try again" : "ask " + leader)};
}

Status Follower::CheckReadable() const {
  if (!readable_.load(std::memory_order_acquire)) {
    return Error(Reason::kBackPressure, "this server follows and has not caught up yet; try again");
  }
  if (Now() - manifests_nanos_.load(std::memory_order_acquire) > stale_nanos_) {
    return Error(Reason::kBackPressure,
                 "this server follows and has not heard of the universe for long; try again");
  }
  return {};
}

Status Follower::AwaitComplete(uint64_t moment_nanos, uint64_t deadline_nanos) {
  const auto reached = [=](const FollowedState& state) {
    return state.complete_nanos >= moment_nanos && state.complete_nanos != 0;
  };
  return Await(reached, deadline_nanos);
}

Status Follower::AwaitShown(journal::Sequence sequence, uint64_t deadline_nanos) {
  const auto reached = [=](const FollowedState& state) { return state.shown >= sequence; };
  return Await(reached, deadline_nanos);
}

Status Follower::Await(const std::function<bool(const FollowedState&)>& reached,
                       uint64_t deadline_nanos) {
  while (true) {
    std::shared_ptr<runtime::Event> changed;
    std::string trouble;
    {
      base::MutexLock lock(mutex_);
      if (reached(state_)) {
        return {};
      }
      trouble = state_.trouble;
      changed = runtime_.NewEvent();
      waiters_.push_back(changed);
    }
    if (stopping_.load(std::memory_order_acquire)) {
      return Error(Reason::kShutDown, "the universe is followed here no more");
    }
    if (trouble.empty()) {
      Hint();  // else it tries again by itself, when it did not just fail
    }
    const uint64_t now = Now();
    if (now >= deadline_nanos || !changed->WaitFor(deadline_nanos - now)) {
      return Error(Reason::kBackPressure, "this server follows and is behind" +
                                              (trouble.empty() ? "" : " (" + trouble + ")") +
                                              "; try again");
    }
  }
}

void Follower::Tell(uint64_t complete_nanos, const Status& status) {
  std::vector<std::shared_ptr<runtime::Event>> waiters;
  {
    base::MutexLock lock(mutex_);
    state_.applied = group().applied();
    state_.epoch = epoch_;
    state_.complete_nanos = std::max(state_.complete_nanos, complete_nanos);
    state_.trouble = status.ok() ? "" : status.error().ToString();
    waiters.swap(waiters_);
  }
  for (const auto& waiter : waiters) {
    waiter->Set();
  }
}

std::unique_ptr<Inheritance> Follower::Stop() {
  stopping_.store(true, std::memory_order_release);
  if (thread_ == nullptr) {
    return nullptr;
  }
  look_->Set();
  thread_->Join();
  thread_.reset();
  Tell(0, {});  // nobody waits for more
  (void)universe_->Close();
  auto left = begun_ ? universe_->Leave() : Result<std::unique_ptr<Inheritance>>(nullptr);
  return left.ok() ? std::move(left).value() : nullptr;
}

// --- The thread ---

void Follower::Run() {
  int at_once = 0;
  while (!stopping_.load(std::memory_order_acquire)) {
    look_->Reset();
    const uint64_t began = Now();
    const Result<bool> again = Look();
    const bool complete = again.ok() && !*again;
    Tell(complete ? began : 0, again.ok() ? Status() : Status(again.error()));
    if (again.ok() && *again && at_once < kMostAtOnce) {
      ++at_once;
      continue;
    }
    at_once = 0;
    (void)look_->WaitFor(look_nanos_);
  }
}

Status Follower::CatchUp() {
  const uint64_t began = Now();
  TRY(universe_->CatchUp());
  manifests_nanos_.store(began, std::memory_order_release);
  return {};
}

// The manifests first: what they say is flushed is in the stream by then, and what they say is safe
// to forget is not after what the look finds.
Result<bool> Follower::Look() {
  TRY(CatchUp());
  const LocalUniverse::Marks marks = universe_->ReadMarks(fresh_);
  const journal::StreamState stream = TRY(group().Look());
  epoch_ = stream.epoch;
  if (!begun_ || group().applied() < stream.released) {
    return BeginAnew(stream);
  }
  Result<bool> again = Apply(stream.tail, marks);
  if (!again.ok() && again.error().reason() == Reason::kLostData) {
    return BeginAnew(TRY(group().Look()));
  }
  return again;
}

// Whoever reads something newer than before finds that told.
void Follower::ShowCommits(const LocalUniverse::Marks& marks) {
  {
    base::MutexLock lock(mutex_);
    state_.shown_at_most = std::max(state_.shown_at_most, group().applied());
  }
  universe_->ShowCommits(marks);
}

// True: only in part, another look must follow.
Result<bool> Follower::Apply(journal::Sequence tail, const LocalUniverse::Marks& marks) {
  bool later = false;  // the manifests are newer than the tail
  while (true) {
    const journal::Sequence before = group().applied();
    const Halt halt = TRY(group().Advance(tail, later));
    if (halt == Halt::kTail) {
      break;
    }
    if (halt == Halt::kFull && later && group().applied() == before) {
      TRY(MakeRoom());
      return true;
    }
    if (halt == Halt::kTables && later && group().applied() == before) {
      return Error(Reason::kBackPressure, "record " + std::to_string(before + 1) +
                                              " adds tables that the manifest has not yet");
    }
    TRY(CatchUp());
    later = true;
    if (halt != Halt::kStranger) {
      ShowCommits({});
      universe_->ShowTables();
    }
  }
  if (later) {
    ShowCommits({});
    return true;
  }
  ShowCommits(marks);
  universe_->ShowTables();
  fresh_ = false;
  readable_.store(true, std::memory_order_release);
  base::MutexLock lock(mutex_);
  state_.shown = std::max(state_.shown, group().applied());
  return false;
}

// What the leader flushed, memory need not hold; where it does all the same, it begins anew with
// what it must. Else it waits for the leader's flushes.
Status Follower::MakeRoom() {
  if (group().HoldsFlushed()) {
    begun_ = false;
    return {};
  }
  return Error(Reason::kBackPressure,
               "the memtables are full; it goes on when the leader has flushed");
}

// The manifests after the look: they hold whatever was released by then.
Result<bool> Follower::BeginAnew(const journal::StreamState& stream) {
  readable_.store(false, std::memory_order_release);
  TRY(CatchUp());
  universe_->Restart();
  group().BeginAnew(stream.released);
  begun_ = true;
  fresh_ = true;
  return true;
}

}  // namespace

Result<std::unique_ptr<FollowedUniverse>> OpenFollowed(const Options& options,
                                                       const Components& components,
                                                       Follow follow) {
  std::unique_ptr<kernel::Kernel> kernel = std::move(follow.kernel);
  auto follower = std::make_unique<Follower>(kernel->runtime(), std::move(follow));
  TRY(follower->Open(options, components, std::move(kernel)));
  return std::unique_ptr<FollowedUniverse>(std::move(follower));
}

}  // namespace luna::universe
