#include "group/group_follower.h"

#include "base/try.h"
#include "kernel/kernel_view.h"

namespace luna::test {

namespace {

constexpr uint64_t kMillisecond = 1'000'000;
constexpr uint64_t kPauseNanos = 10 * kMillisecond;

}  // namespace

GroupFollower::GroupFollower(kernel::Kernel& kernel, FollowerSettings settings, uint64_t seed)
    : kernel_(kernel),
      settings_(std::move(settings)),
      random_(seed),
      stop_(kernel.runtime().NewEvent()),
      asked_(kernel.runtime().NewEvent()),
      asker_(
          kernel.runtime().Spawn("asker", runtime::ThreadClass::kForeground, [this] { Ask(); })) {}

GroupFollower::~GroupFollower() {
  (void)Stop();
  over_ = true;
  asked_->Set();
  asker_->Join();
}

void GroupFollower::Start() {
  if (thread_ != nullptr) {
    return;
  }
  stop_->Reset();
  thread_ =
      kernel_.runtime().Spawn("follower", runtime::ThreadClass::kForeground, [this] { Run(); });
}

std::unique_ptr<universe::Inheritance> GroupFollower::Stop() {
  if (thread_ == nullptr) {
    return nullptr;
  }
  stop_->Set();
  thread_->Join();
  thread_ = nullptr;
  serves_ = false;
  if (here_.gate != nullptr) {
    here_.gate->Stop();
  }
  while (users_ > 0) {
    kernel_.runtime().Sleep(kMillisecond);
  }
  here_.collections = {};
  here_.database.reset();
  here_.gate.reset();
  const auto universe = std::exchange(here_.universe, nullptr);
  return universe == nullptr ? nullptr : universe->Stop();
}

void GroupFollower::Hint() {
  if (serves_) {
    here_.universe->Hint();
  }
}

void GroupFollower::Run() {
  while (!stop_->IsSet()) {
    if (Open().ok()) {
      serves_ = true;
      return;
    }
    (void)stop_->WaitFor(kPauseNanos);
  }
}

Status GroupFollower::Open() {
  if (here_.universe == nullptr) {
    here_.universe = TRY(universe::OpenFollowed(settings_.options, {},
                                                {.kernel = kernel::NewKernelView(kernel_, {}),
                                                 .look_nanos = settings_.look_nanos,
                                                 .grace_nanos = settings_.grace_nanos}));
  }
  here_.database = TRY(here_.universe->universe().OpenDatabase("d"));
  here_.collections[0] = TRY(here_.database->OpenCollection("a"));
  here_.collections[1] = TRY(here_.database->OpenCollection("b"));
  universe::FollowedUniverse& followed = *here_.universe;
  here_.gate = std::make_unique<follower::FreshnessGate>(
      kernel_.runtime(),
      follower::FreshnessGate::Followed{
          .complete_nanos = [&followed] { return followed.state().complete_nanos; },
          .await = [&followed](
                       uint64_t moment,
                       uint64_t deadline) { return followed.AwaitComplete(moment, deadline); },
          .await_shown = [&followed](
                             uint64_t sequence,
                             uint64_t deadline) { return followed.AwaitShown(sequence, deadline); },
          .shown_at_most = [&followed] { return followed.state().shown_at_most; }},
      [this](uint64_t, Done done) {
        questions_.push_back(std::move(done));
        asked_->Set();
      });
  return {};
}

void GroupFollower::Ask() {
  runtime::Runtime& runtime = kernel_.runtime();
  while (!over_) {
    asked_->Wait();
    asked_->Reset();
    for (const Done& done : std::exchange(questions_, {})) {
      runtime.Sleep(random_.Below(settings_.travel_nanos + 1));
      const auto answer = settings_.ask_leader();
      runtime.Sleep(random_.Below(settings_.travel_nanos + 1));
      done(answer);
    }
  }
}

}  // namespace luna::test
