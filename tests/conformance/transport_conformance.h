// The suite that every Transport passes, see transport_test.cc. To add an implementation: write a
// factory and INSTANTIATE_TEST_SUITE_P(Name, TransportConformance, testing::Values(factory)).
// Thread rule: owned by one thread.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "cluster/transport/transport.h"
#include "runtime/runtime.h"

namespace luna::conformance {

// A server and a client of it, each with its own Transport.
class TransportPlace {
 public:
  virtual ~TransportPlace() = default;
  virtual runtime::Runtime& runtime() = 0;
  virtual transport::Transport& server() = 0;
  virtual transport::Transport& client() = 0;
  virtual std::string any_port() const = 0;  // an address of the server with port 0
  // Where somebody takes what is sent, or nobody does, and nothing ever comes back.
  virtual std::string DeafAddress() = 0;
  // Ends the client's Transport, while calls may be under way.
  virtual void EndClient() = 0;
};

using TransportFactory = std::unique_ptr<TransportPlace> (*)();

// Answers by a function of the request.
class Answerer final : public transport::Service {
 public:
  using Answer = std::function<Result<wire::Reply>(const wire::Request&, uint64_t)>;
  explicit Answerer(Answer answer) : answer_(std::move(answer)) {}
  Result<wire::Reply> Handle(const wire::Request& request, uint64_t budget_nanos) override {
    return answer_(request, budget_nanos);
  }

 private:
  const Answer answer_;
};

class TransportConformance : public testing::TestWithParam<TransportFactory> {
 protected:
  static constexpr uint64_t kMilli = 1'000'000;
  static constexpr uint64_t kLong = 20'000 * kMilli;

  TransportPlace& place() { return *place_; }
  runtime::Runtime& runtime() { return place_->runtime(); }
  std::unique_ptr<transport::Port> Listen(transport::Service& service) {
    return place_->server().Listen(place_->any_port(), service).value();
  }
  Result<wire::Reply> Call(const std::string& address, const wire::Request& request,
                           uint64_t budget_nanos = kLong) {
    return place_->client().Call(address, request, budget_nanos);
  }
  uint64_t Now() { return runtime().clock().MonotonicNanos(); }

 private:
  const std::unique_ptr<TransportPlace> place_ = GetParam()();
};

// Says back the number it was asked with.
inline Result<wire::Reply> Echo(const wire::Request& request, uint64_t /*budget*/) {
  const auto& question = std::get<wire::ReadIndex>(request);
  return wire::Reply(wire::ReadIndexReply{.epoch = 1, .sequence = question.epoch});
}

}  // namespace luna::conformance
