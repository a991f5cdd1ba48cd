// Transports of servers in one process: a request is handled by a thread of whoever sent it.
// Thread rule: safe, as Transport's.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "cluster/transport/transport.h"
#include "threads/shared_place.h"

namespace luna::threads {

// Who listens where.
class Exchange {
 public:
  explicit Exchange(runtime::Runtime& runtime) : runtime_(runtime) {}

  void Open(const std::string& address, transport::Service& service) {
    auto lent = std::make_shared<Lent<transport::Service*>>(runtime_);
    lent->Give(&service);
    const base::MutexLock lock(mutex_);
    places_[address] = std::move(lent);
  }
  // Returns when nothing is handled there.
  void Close(const std::string& address) { Find(address)->TakeBack(); }
  Result<wire::Reply> Handle(const std::string& address, const wire::Request& request,
                             uint64_t budget_nanos) {
    Result<wire::Reply> reply = Error(Reason::kUnreachable, address + ": nobody listens");
    if (const auto place = Find(address); place != nullptr) {
      place->With(
          [&](transport::Service& service) { reply = service.Handle(request, budget_nanos); });
    }
    return reply;
  }

 private:
  std::shared_ptr<Lent<transport::Service*>> Find(const std::string& address) {
    const base::MutexLock lock(mutex_);
    const auto found = places_.find(address);
    return found == places_.end() ? nullptr : found->second;
  }

  runtime::Runtime& runtime_;
  base::Mutex mutex_;
  std::map<std::string, std::shared_ptr<Lent<transport::Service*>>> places_ GUARDED_BY(mutex_);
};

class DirectTransport final : public transport::Transport {
 public:
  DirectTransport(runtime::Runtime& runtime, Exchange& exchange)
      : Transport(runtime), exchange_(exchange), woken_(runtime.NewEvent()) {
    for (int i = 0; i < 2; ++i) {
      threads_.push_back(
          runtime.Spawn("direct", runtime::ThreadClass::kForeground, [this] { Run(); }));
    }
  }
  ~DirectTransport() override {
    stopping_ = true;
    woken_->Set();
    for (const auto& thread : threads_) {
      thread->Join();
    }
    for (const Call& call : calls_) {
      call.done(Error(Reason::kShutDown, "the transport ends"));
    }
  }

  Result<std::unique_ptr<transport::Port>> Listen(std::string_view address,
                                                  transport::Service& service) override {
    exchange_.Open(std::string(address), service);
    return std::unique_ptr<transport::Port>(
        std::make_unique<DirectPort>(exchange_, std::string(address)));
  }
  void Send(std::string_view address, const wire::Request& request, uint64_t budget_nanos,
            Done done) override {
    {
      const base::MutexLock lock(mutex_);
      calls_.push_back({.address = std::string(address),
                        .request = request,
                        .deadline_nanos = Now() + budget_nanos,
                        .done = std::move(done)});
    }
    woken_->Set();
  }

 private:
  struct Call {
    std::string address{};
    wire::Request request{};
    uint64_t deadline_nanos = 0;
    Done done{};
  };
  class DirectPort final : public transport::Port {
   public:
    DirectPort(Exchange& exchange, std::string address)
        : exchange_(exchange), address_(std::move(address)) {}
    ~DirectPort() override { exchange_.Close(address_); }
    const std::string& address() const override { return address_; }

   private:
    Exchange& exchange_;
    const std::string address_;
  };

  uint64_t Now() { return runtime_.clock().MonotonicNanos(); }
  // Of the next call; nothing: there is none.
  std::optional<Call> Next() {
    const base::MutexLock lock(mutex_);
    if (calls_.empty()) {
      woken_->Reset();
      return {};
    }
    Call call = std::move(calls_.front());
    calls_.pop_front();
    return call;
  }
  void Run() {
    while (!stopping_) {
      const std::optional<Call> call = Next();
      if (!call.has_value()) {
        (void)woken_->WaitFor(10 * kMillisecond);
      } else if (const uint64_t now = Now(); now >= call->deadline_nanos) {
        call->done(Error(Reason::kDeadline, "nobody came to it"));
      } else {
        call->done(exchange_.Handle(call->address, call->request, call->deadline_nanos - now));
      }
    }
  }

  Exchange& exchange_;
  const std::unique_ptr<runtime::Event> woken_;
  std::atomic<bool> stopping_{false};
  base::Mutex mutex_;
  std::deque<Call> calls_ GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<runtime::Thread>> threads_;
};

}  // namespace luna::threads
