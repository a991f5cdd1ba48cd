#include "apps/bench/load.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/memory/memory_network.h"
#include "runtime/posix/posix_runtime.h"
#include "service/resp/request_parser.h"

namespace luna::bench {
namespace {

// Answers every command of every connection with the same bytes, until it is destroyed. It may
// stand still once for a while.
class Parrot {
 public:
  Parrot(runtime::Runtime& runtime, runtime::Network& network, std::string reply,
         uint64_t stall_nanos = 0)
      : runtime_(runtime),
        poller_(network.NewPoller()),
        listener_(std::move(network.Listen("127.0.0.1:0")).value()),
        reply_(std::move(reply)),
        stall_nanos_(stall_nanos) {
    thread_ = runtime.Spawn("parrot", runtime::ThreadClass::kForeground, [this] { Run(); });
  }
  ~Parrot() {
    stopping_ = true;
    poller_->Wake();
    thread_->Join();
    for (const auto& client : clients_) {
      poller_->Remove(*client->socket);
    }
    poller_->Remove(*listener_);
  }
  const std::string& address() const { return listener_->address(); }
  uint64_t answered() const { return answered_; }

 private:
  struct Client {
    std::unique_ptr<runtime::Socket> socket;
    resp::RequestParser parser;
    std::string out;
  };

  void Run() {
    ASSERT_TRUE(poller_->Add(*listener_, 1'000'000).ok());
    std::array<runtime::Ready, 16> ready;
    while (!stopping_) {
      poller_->Wait(ready, 1'000'000'000);
      while (true) {
        auto accepted = listener_->Accept();
        if (!accepted.ok() || *accepted == nullptr) {
          break;
        }
        clients_.push_back(std::make_unique<Client>());
        clients_.back()->socket = std::move(*accepted);
        ASSERT_TRUE(poller_->Add(*clients_.back()->socket, clients_.size()).ok());
      }
      for (const auto& client : clients_) {
        Serve(*client);
      }
    }
  }

  void Serve(Client& client) {
    std::vector<std::string_view> arguments;
    while (true) {
      const std::span<char> room = client.parser.Room();
      const auto read = client.socket->Read(room);
      if (!read.ok() || read->bytes == 0) {
        break;
      }
      client.parser.Filled(read->bytes);
      while (true) {
        const Result<bool> next = client.parser.Next(arguments);
        if (!next.ok() || !*next) {
          break;
        }
        if (++answered_ == 50 && stall_nanos_ > 0) {
          runtime_.Sleep(stall_nanos_);
        }
        client.out += reply_;
      }
    }
    while (!client.out.empty()) {
      const auto written = client.socket->Write(std::array{std::string_view(client.out)});
      if (!written.ok() || written->bytes == 0) {
        break;
      }
      client.out.erase(0, written->bytes);
    }
  }

  runtime::Runtime& runtime_;
  const std::unique_ptr<runtime::Poller> poller_;
  const std::unique_ptr<runtime::Listener> listener_;
  const std::string reply_;
  const uint64_t stall_nanos_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::atomic<uint64_t> answered_ = 0;
  std::atomic<bool> stopping_ = false;
  std::unique_ptr<runtime::Thread> thread_;
};

class LoadTest : public testing::Test {
 protected:
  Settings Small(const Parrot& parrot) const {
    Settings settings;
    settings.server = parrot.address();
    settings.connections = 4;
    settings.pipeline = 3;
    settings.keys = 100;
    settings.requests = 1000;
    settings.warm_up_seconds = 0;
    return settings;
  }

  const std::unique_ptr<runtime::Runtime> runtime_ = posix::NewPosixRuntime();
  const std::unique_ptr<runtime::Network> network_ = memory::NewMemoryNetwork(*runtime_);
};

TEST_F(LoadTest, SendsExactlyWhatWasAskedFor) {
  const Parrot parrot(*runtime_, *network_, "+OK\r\n");
  Settings settings = Small(parrot);
  settings.threads = 2;
  const auto outcome = RunTest(*runtime_, *network_, settings, TestKind::kSet);
  ASSERT_TRUE(outcome.ok()) << outcome.error().message();
  EXPECT_EQ(outcome->tally.requests(), 1000u);
  EXPECT_EQ(parrot.answered(), 1000u);
  EXPECT_TRUE(outcome->tally.clean());
  EXPECT_GT(outcome->seconds, 0);
}

TEST_F(LoadTest, WrongAnswersAndErrorsAreCounted) {
  const Parrot wrong(*runtime_, *network_, ":5\r\n");
  const auto first = RunTest(*runtime_, *network_, Small(wrong), TestKind::kSet);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->tally.wrong, 1000u);
  const Parrot angry(*runtime_, *network_, "-BUSY later\r\n");
  const auto second = RunTest(*runtime_, *network_, Small(angry), TestKind::kGet);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->tally.failed, 1000u);
  EXPECT_EQ(second->tally.examples.at("BUSY"), "BUSY later");
}

TEST_F(LoadTest, ServerThatSpeaksNoRespLosesTheConnections) {
  const Parrot parrot(*runtime_, *network_, "what?\r\n");
  const auto outcome = RunTest(*runtime_, *network_, Small(parrot), TestKind::kGet);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->tally.lost, 4u);
  EXPECT_FALSE(outcome->tally.clean());
}

TEST_F(LoadTest, MoreRepliesThanRequestsAreNoticed) {
  const Parrot parrot(*runtime_, *network_, "+OK\r\n+OK\r\n");
  const auto outcome = RunTest(*runtime_, *network_, Small(parrot), TestKind::kSet);
  ASSERT_TRUE(outcome.ok());
  EXPECT_GT(outcome->tally.lost, 0u);
}

TEST_F(LoadTest, RateIsKept) {
  const Parrot parrot(*runtime_, *network_, "+OK\r\n");
  Settings settings = Small(parrot);
  settings.requests = 300;
  settings.rate = 3000;
  const auto outcome = RunTest(*runtime_, *network_, settings, TestKind::kSet);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->tally.requests(), 300u);
  EXPECT_GE(outcome->seconds, 0.09);
}

// One request in half a minute from each lane: they do not outlive the test.
TEST_F(LoadTest, LowRateEndsInTime) {
  const Parrot parrot(*runtime_, *network_, "+OK\r\n");
  Settings settings = Small(parrot);
  settings.requests = 0;
  settings.seconds = 0.2;
  settings.rate = 0.4;
  const uint64_t begin = runtime_->clock().MonotonicNanos();
  const auto outcome = RunTest(*runtime_, *network_, settings, TestKind::kSet);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->tally.requests(), 3u);  // a batch of the first lane
  EXPECT_LT(runtime_->clock().MonotonicNanos() - begin, 7'000'000'000u);
}

// 2,000 requests a second and a pause of 100 ms: some 200 requests were due while nothing was
// answered. A closed loop would show four slow ones.
TEST_F(LoadTest, RequestsThatWereDueDuringAStallCountAsSlow) {
  const Parrot parrot(*runtime_, *network_, "+OK\r\n", 100'000'000);
  Settings settings = Small(parrot);
  settings.pipeline = 1;
  settings.requests = 600;
  settings.rate = 2000;
  const auto outcome = RunTest(*runtime_, *network_, settings, TestKind::kSet);
  ASSERT_TRUE(outcome.ok());
  EXPECT_GE(outcome->tally.latency_nanos.max(), 95'000'000u);
  // At least 150 of 600 waited 20 ms or longer.
  EXPECT_GE(outcome->tally.latency_nanos.Quantile(0.75), 20'000'000u);
}

TEST_F(LoadTest, NobodyListening) {
  Settings settings;
  settings.server = "127.0.0.1:1";
  const auto outcome = RunTest(*runtime_, *network_, settings, TestKind::kSet);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().reason(), Reason::kUnreachable);
}

TEST_F(LoadTest, RefusedPasswordIsToldInTheServersWords) {
  const Parrot parrot(*runtime_, *network_, "-WRONGPASS no\r\n");
  Settings settings = Small(parrot);
  settings.password = "secret";
  const auto outcome = RunTest(*runtime_, *network_, settings, TestKind::kSet);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().reason(), Reason::kBadOption);
  EXPECT_NE(outcome.error().message().find("WRONGPASS no"), std::string::npos);
}

}  // namespace
}  // namespace luna::bench
