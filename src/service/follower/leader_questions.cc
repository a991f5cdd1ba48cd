#include "service/follower/leader_questions.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace luna::follower {

struct LeaderQuestions::State {
  using Waiters = std::vector<std::shared_ptr<runtime::Event>>;

  static void Wake(const Waiters& waiters) {
    for (const auto& waiter : waiters) {
      waiter->Set();
    }
  }

  mutable base::Mutex mutex;
  uint64_t sent GUARDED_BY(mutex) = 0;      // questions
  uint64_t answered GUARDED_BY(mutex) = 0;  // of them; fewer: one is on its way
  uint64_t published GUARDED_BY(mutex) = 0;
  std::optional<Result<LeaderPoint>> last GUARDED_BY(mutex);  // answer
  bool stopped GUARDED_BY(mutex) = false;
  Waiters waiters GUARDED_BY(mutex);
};

LeaderQuestions::LeaderQuestions(runtime::Runtime& runtime, AskLeader ask)
    : runtime_(runtime), ask_(std::move(ask)), state_(std::make_shared<State>()) {}

Result<LeaderPoint> LeaderQuestions::Ask(uint64_t deadline_nanos) {
  std::optional<uint64_t> wanted;
  while (true) {
    const std::shared_ptr<runtime::Event> changed = runtime_.NewEvent();
    std::optional<uint64_t> own;  // to be sent by this thread
    {
      base::MutexLock lock(state_->mutex);
      if (state_->stopped) {
        return Error(Reason::kShutDown, "this server follows no more");
      }
      if (!wanted.has_value()) {
        wanted = state_->sent + 1;
      }
      if (state_->answered >= *wanted) {
        return *state_->last;
      }
      if (state_->answered == state_->sent) {
        own = ++state_->sent;
      }
      state_->waiters.push_back(changed);
    }
    if (own.has_value()) {
      Send(*own);
    }
    const uint64_t now = runtime_.clock().MonotonicNanos();
    if (!changed->WaitFor(deadline_nanos - std::min(now, deadline_nanos))) {
      return Error(Reason::kDeadline, "the leader does not answer in time");
    }
  }
}

void LeaderQuestions::Send(uint64_t number) {
  ask_(kQuestionNanos, [state = state_, number](const Result<LeaderPoint>& answer) {
    State::Waiters waiters;
    {
      base::MutexLock lock(state->mutex);
      state->answered = number;
      state->last = answer;
      if (answer.ok()) {
        state->published = std::max(state->published, answer->published);
      }
      waiters.swap(state->waiters);
    }
    State::Wake(waiters);
  });
}

uint64_t LeaderQuestions::published() const {
  base::MutexLock lock(state_->mutex);
  return state_->published;
}

void LeaderQuestions::Stop() {
  State::Waiters waiters;
  {
    base::MutexLock lock(state_->mutex);
    state_->stopped = true;
    waiters.swap(state_->waiters);
  }
  State::Wake(waiters);
}

}  // namespace luna::follower
