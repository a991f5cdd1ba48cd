#include "cluster/transport/transport.h"

#include <gtest/gtest.h>

#include <utility>

#include "runtime/posix/posix_runtime.h"

namespace luna::transport {
namespace {

// Says back the request's epoch: at once, or from a thread of its own.
class Echo final : public Transport {
 public:
  Echo(runtime::Runtime& runtime, bool at_once) : Transport(runtime), at_once_(at_once) {}
  ~Echo() override {
    if (thread_ != nullptr) {
      thread_->Join();
    }
  }
  Result<std::unique_ptr<Port>> Listen(std::string_view address, Service& /*service*/) override {
    return Error(Reason::kBadOption, std::string(address));
  }
  void Send(std::string_view /*address*/, const wire::Request& request, uint64_t /*budget_nanos*/,
            Done done) override {
    const uint64_t epoch = std::get<wire::Prepare>(request).epoch;
    auto answer = [epoch, done = std::move(done)] {
      done(wire::Reply(wire::PrepareReply{.applied = epoch, .ready = true}));
    };
    if (at_once_) {
      answer();
    } else {
      thread_ = runtime_.Spawn("echo", runtime::ThreadClass::kForeground, std::move(answer));
    }
  }

 private:
  const bool at_once_;
  std::unique_ptr<runtime::Thread> thread_;
};

TEST(Transport, CallWaitsForTheAnswerOfWhoeverGivesIt) {
  const auto runtime = posix::NewPosixRuntime();
  for (const bool at_once : {true, false}) {
    Echo transport(*runtime, at_once);
    const auto reply = transport.Call("a:1", wire::Prepare{.epoch = 17}, 1'000'000);
    EXPECT_EQ(As<wire::PrepareReply>(reply).value().applied, 17u);
  }
}

TEST(Transport, RepliesOfOtherKindsAreErrors) {
  const Result<wire::Reply> reply = wire::Reply(wire::AppendedReply{});
  EXPECT_TRUE(As<wire::AppendedReply>(reply).ok());
  EXPECT_EQ(As<wire::PrepareReply>(reply).error().reason(), Reason::kBadFormat);
}

TEST(Transport, WhoDoesNotLeadNamesTheLeader) {
  const Result<wire::Reply> known = wire::Reply(wire::NotLeader{{.clients = "b:1", .peers = {}}});
  EXPECT_EQ(As<wire::ReadIndexReply>(known).error().reason(), Reason::kFenced);
  EXPECT_NE(As<wire::ReadIndexReply>(known).error().message().find("ask b:1"), std::string::npos);
  const Result<wire::Reply> unknown = wire::Reply(wire::NotLeader{});
  EXPECT_EQ(As<wire::ReadIndexReply>(unknown).error().reason(), Reason::kFenced);
  EXPECT_EQ(As<wire::NotLeader>(known).value().leader.clients, "b:1");
}

TEST(Transport, ErrorsStayWhatTheyAre) {
  const Result<wire::Reply> reply = Error(Reason::kUnreachable, "nobody there");
  EXPECT_EQ(As<wire::PrepareReply>(reply).error().reason(), Reason::kUnreachable);
}

}  // namespace
}  // namespace luna::transport
