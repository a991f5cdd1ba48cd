#include "cluster/tablet_server/followed_reads.h"

#include <algorithm>
#include <utility>

#include "base/try.h"
#include "kernel/kernel_view.h"

namespace luna::tablet_server {

namespace {

constexpr uint64_t kFirstPauseNanos = 50'000'000;
constexpr uint64_t kLongestPauseNanos = 1'000'000'000;

// Nobody has led yet, or has not made what clients begin in.
bool IsToCome(Reason reason) {
  return reason == Reason::kStreamMissing || reason == Reason::kUniverseMissing ||
         reason == Reason::kDatabaseMissing || reason == Reason::kCollectionMissing ||
         reason == Reason::kBackPressure;
}

}  // namespace

FollowedReads::FollowedReads(kernel::Kernel& kernel, const TabletServerOptions& options,
                             std::function<std::string()> leader, Serving& serving)
    : kernel_(kernel),
      options_(options),
      leader_(std::move(leader)),
      serving_(serving),
      woken_(kernel.runtime().NewEvent()),
      ended_(kernel.runtime().NewEvent()) {}

FollowedReads::~FollowedReads() {
  (void)Stop();
  Await();
}

void FollowedReads::Await() {
  if (thread_ != nullptr) {
    thread_->Join();
    thread_ = nullptr;
  }
}

void FollowedReads::Start() {
  Await();
  stopping_ = false;
  expected_ = false;
  given_ = 0;
  tail_ = 0;
  reads_ = true;
  ended_->Reset();
  inheritance_.reset();
  NoteDatabases();
  thread_ = kernel_.runtime().Spawn("tablet-follow", runtime::ThreadClass::kForeground,
                                    [this] { Run(); });
}

std::unique_ptr<universe::Inheritance> FollowedReads::Stop() {
  if (thread_ == nullptr) {
    return nullptr;
  }
  stopping_ = true;
  woken_->Set();
  if (!ended_->WaitFor(kPatienceNanos)) {
    options_.log.Warning("reads-linger", {{"so", "the universe is opened from its manifests"}});
    return nullptr;
  }
  thread_->Join();
  thread_ = nullptr;
  return std::move(inheritance_);
}

std::optional<universe::FollowedState> FollowedReads::state() const {
  base::MutexLock lock(mutex_);
  return followed_ == nullptr ? std::nullopt : std::optional(followed_->state());
}

void FollowedReads::Expect(replica::Epoch epoch, journal::Sequence tail) {
  tail_ = tail;
  given_ = epoch;
  expected_ = true;
  woken_->Set();
}

void FollowedReads::Run() {
  while (true) {
    woken_->Reset();
    // Not at once: if the lead has just moved, whoever takes over needs the store more.
    uint64_t pause = kFirstPauseNanos;
    bool begun = false;
    while (!begun && !IsOver() && !woken_->WaitFor(pause)) {
      begun = Begin();
      pause = std::min(2 * pause, kLongestPauseNanos);
    }
    if (begun && !IsOver()) {
      woken_->Wait();
    }
    End();
    ended_->Set();
    // Whom Stop left to linger has nobody to hand anything to, and must not hold the manifests.
    NoteDatabases();
    if (inheritance_ != nullptr && expected_.load() && !stopping_.load()) {
      (void)inheritance_->BeginWriting(kernel_.runtime());
      serving_.PrepareToServe();
      TakeLead();
    }
    reads_ = false;
    if (AwaitStop(kExpectNanos)) {
      return;
    }
    ended_->Reset();
    inheritance_.reset();
    NoteDatabases();
    expected_ = false;
    reads_ = true;
  }
}

std::vector<catalog::DatabaseId> FollowedReads::databases() const {
  base::MutexLock lock(mutex_);
  return databases_;
}

void FollowedReads::NoteDatabases() {
  base::MutexLock lock(mutex_);
  databases_.clear();
  if (inheritance_ == nullptr) {
    taken_ = 0;
  } else {
    for (const auto& [id, home] : inheritance_->group.databases) {
      databases_.push_back(id);
    }
  }
}

// Also when Stop has come: whoever called it needs that next, and waits.
void FollowedReads::TakeLead() {
  const replica::Epoch epoch = given_.exchange(0);
  // Who was prepared is told once more, when the lead is given to it.
  if (epoch == 0 || inheritance_ == nullptr) {
    return;
  }
  if (taken_ != epoch && inheritance_->TakeLead(kernel_.runtime(), epoch).ok()) {
    taken_ = epoch;
  }
  inheritance_->ReadAhead(tail_.load());
}

// False: the time is over.
bool FollowedReads::AwaitStop(uint64_t nanos) {
  runtime::Clock& clock = kernel_.runtime().clock();
  const uint64_t deadline = clock.MonotonicNanos() + nanos;
  while (true) {
    woken_->Reset();
    TakeLead();
    const uint64_t now = clock.MonotonicNanos();
    if (stopping_.load() || now >= deadline) {
      return stopping_.load();
    }
    (void)woken_->WaitFor(deadline - now);
  }
}

bool FollowedReads::Begin() {
  const Status begun = Open();
  if (begun.ok()) {
    served_ = true;
    trouble_.clear();
    options_.log.Info("reads-here", {});
    return true;
  }
  const std::string trouble = begun.error().ToString();
  if (!IsToCome(begun.error().reason()) && trouble != trouble_) {
    options_.log.Warning("no-reads-here", {{"error", trouble}});
    trouble_ = trouble;
  }
  return false;
}

Status FollowedReads::Open() {
  universe::FollowedUniverse* followed = nullptr;
  {
    base::MutexLock lock(mutex_);
    followed = followed_.get();
  }
  if (followed == nullptr) {
    auto opened = TRY(universe::OpenFollowed(
        options_.universe, {.listener = options_.listener, .runtime = &kernel_.runtime()},
        {.kernel = kernel::NewKernelView(kernel_, {.flush_threads = 1, .compaction_threads = 1}),
         .leader = leader_}));
    followed = opened.get();
    base::MutexLock lock(mutex_);
    followed_ = std::move(opened);
  }
  return serving_.ServeReads(*followed);
}

void FollowedReads::End() {
  if (std::exchange(served_, false)) {
    serving_.StopReads();
  }
  std::unique_ptr<universe::FollowedUniverse> followed;
  {
    base::MutexLock lock(mutex_);
    followed = std::move(followed_);
  }
  if (followed != nullptr) {
    inheritance_ = followed->Stop();
  }
}

}  // namespace luna::tablet_server
