// TestGate: a ReadGate that counts how it is asked and answers as the test decides.
// Thread rule: safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "service/command/read_gate.h"

namespace luna::service_support {

class TestGate final : public command::ReadGate {
 public:
  enum class Says : uint8_t {
    kYes,
    kFenced,       // another leads
    kWait,         // yes, after a wait: kNotInMemory to those who may not
    kNeverSurely,  // kBackPressure
  };
  std::atomic<Says> at_begin{Says::kYes};
  std::atomic<Says> at_end{Says::kYes};
  // The last one, as Name(Freshness).
  std::string asked_for() const {
    const base::MutexLock lock(mutex_);
    return asked_for_;
  }
  bool offers_strong = true;

  Status Offers(const command::Freshness& freshness) override {
    return offers_strong || freshness != command::Freshness::Strong()
               ? Status()
               : Status(Error(Reason::kNotSupported, "set peer-listen"));
  }
  Result<Ticket> Begin(const command::Freshness& freshness, bool may_wait) override {
    ++begun_;
    {
      const base::MutexLock lock(mutex_);
      asked_for_ = command::Name(freshness);
    }
    if (const Status said = Say(at_begin, may_wait); !said.ok()) {
      return said.error();
    }
    return Ticket{.epoch = kEpoch, .question = ++questions_};
  }
  Status End(const Ticket& ticket, bool may_wait) override {
    ++ended_;
    if (ticket.epoch != kEpoch || ticket.question == 0 || ticket.question > questions_) {
      return Error(Reason::kBadOption, "this ticket was never given");
    }
    return Say(at_end, may_wait);
  }

  void set(Says says) { at_begin = at_end = says; }
  // Calls since it was asked last, "begun/ended".
  std::string Asked() {
    return std::to_string(begun_.exchange(0)) + "/" + std::to_string(ended_.exchange(0));
  }

 private:
  static constexpr uint64_t kEpoch = 7;

  static Status Say(Says says, bool may_wait) {
    switch (says) {
      case Says::kYes:
        break;
      case Says::kFenced:
        return Error(Reason::kFenced, "there:6479 leads this group; go there");
      case Says::kWait:
        return may_wait ? Status() : Status(Error(Reason::kNotInMemory, "it would have to wait"));
      case Says::kNeverSurely:
        return Error(Reason::kBackPressure, "nothing is known of the lease; try again");
    }
    return {};
  }

  mutable base::Mutex mutex_;
  std::string asked_for_ GUARDED_BY(mutex_);
  std::atomic<int> begun_{0};
  std::atomic<int> ended_{0};
  std::atomic<uint64_t> questions_{0};
};

inline constexpr std::string_view kFencedReply =
    "-READONLY there:6479 leads this group; go there\r\n";

}  // namespace luna::service_support
