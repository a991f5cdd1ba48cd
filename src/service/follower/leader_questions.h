// LeaderQuestions: what strong reads of a follower ask the leader. One question is on its way at a
// time, and answers everybody who came before it was sent; who comes meanwhile waits for the next
// one. So many readers cost the leader as much as one.
// Thread rule: safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "luna/status.h"
#include "runtime/runtime.h"

namespace luna::follower {

// Of the leader's stream, by sequences, while it surely led.
struct LeaderPoint {
  uint64_t tail = 0;       // what was acknowledged, or read there, is at or before it
  uint64_t published = 0;  // what is at or before it, is seen by whoever reads there from now on
};

// Sends one question. Does not wait; `done` is called once, by any thread (this one as well),
// within about so many nanoseconds, and does not wait either.
using AskLeader =
    std::function<void(uint64_t nanos, std::function<void(Result<LeaderPoint>)> done)>;

class LeaderQuestions {
 public:
  // Of one question. Who finds another one on its way waits for both.
  static constexpr uint64_t kQuestionNanos = 500'000'000;

  // `runtime` outlives it; answers may come after its end.
  LeaderQuestions(runtime::Runtime& runtime, AskLeader ask);

  // The answer to a question that was sent after this call began. Waits until `deadline_nanos` of
  // the monotonic clock at most: kDeadline; kShutDown after Stop; the question's errors.
  Result<LeaderPoint> Ask(uint64_t deadline_nanos);
  // The newest `published` that was heard of. What is published stays so, whoever leads then.
  uint64_t published() const;
  // Whoever asks, or will, is told kShutDown at once.
  void Stop();

 private:
  struct State;

  void Send(uint64_t number);

  runtime::Runtime& runtime_;
  const AskLeader ask_;
  const std::shared_ptr<State> state_;  // shared with questions on their way
};

}  // namespace luna::follower
