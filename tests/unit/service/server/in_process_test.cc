// How a program embeds the service: a Service on streams within the process and clients that talk
// RESP through a Socket, with neither a port nor a thread of their own.
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "luna/luna.h"
#include "runtime/memory/memory_network.h"
#include "runtime/posix/posix_runtime.h"
#include "service/resp/reply_parser.h"
#include "service/server/service.h"

namespace luna::server {
namespace {

constexpr uint64_t kPatienceNanos = 10'000'000'000;

// A client of a service in the same process.
// Thread rule: owned by one thread.
class Client {
 public:
  Client(runtime::Network& network, std::string_view address)
      : socket_(network.Connect(address, kPatienceNanos).value()), poller_(network.NewPoller()) {
    poller_->Add(*socket_, 1).value();
  }
  ~Client() { poller_->Remove(*socket_); }

  void Send(std::initializer_list<std::string_view> arguments) {
    const std::string request = resp::Request(std::span(arguments.begin(), arguments.size()));
    std::string_view left = request;
    while (!left.empty()) {
      const auto written = socket_->Write(std::span(&left, 1)).value();
      ASSERT_FALSE(written.ended);
      left.remove_prefix(written.bytes);
      if (written.bytes == 0) {
        Wait();
      }
    }
  }
  // The next reply; nothing after the service closed the connection.
  std::optional<resp::Reply> Receive() {
    for (;;) {
      if (auto reply = parser_.Next().value()) {
        return reply;
      }
      std::array<char, 4096> buffer;
      const auto read = socket_->Read(buffer).value();
      parser_.Feed(std::string_view(buffer.data(), read.bytes));
      if (read.bytes == 0 && read.ended) {
        return std::nullopt;
      }
      if (read.bytes == 0) {
        Wait();
      }
    }
  }
  resp::Reply Ask(std::initializer_list<std::string_view> arguments) {
    Send(arguments);
    return Receive().value();
  }
  // No more requests; what was sent is answered.
  void Finish() { socket_->FinishWrites(); }

 private:
  void Wait() {
    std::array<runtime::Ready, 1> ready;
    ASSERT_GT(poller_->Wait(ready, kPatienceNanos), 0u);
  }

  const std::unique_ptr<runtime::Socket> socket_;
  const std::unique_ptr<runtime::Poller> poller_;
  resp::ReplyParser parser_;
};

class InProcess : public testing::Test {
 protected:
  InProcess() {
    ServiceSettings settings;
    settings.connections.addresses = {"localhost:0"};
    service_ = std::make_unique<Service>(*runtime_, *network_, *universe_, settings);
    service_->Start().value();
  }
  Client Connect() { return Client(*network_, service_->addresses().front()); }

  const std::unique_ptr<runtime::Runtime> runtime_ = posix::NewPosixRuntime();
  const std::unique_ptr<Universe> universe_ =
      Universe::Open({.location = "memory:", .durability = Durability::kProcess},
                     {.listener = nullptr, .runtime = runtime_.get()})
          .value();
  const std::unique_ptr<runtime::Network> network_ = memory::NewMemoryNetwork(*runtime_);
  std::unique_ptr<Service> service_;  // ends before what it serves
};

TEST_F(InProcess, AnswersCommandsWithValuesOfAnyBytes) {
  Client client = Connect();
  const std::string value("line\r\n\0end", 10);
  EXPECT_EQ(client.Ask({"SET", "a", value}).text, "OK");
  EXPECT_EQ(client.Ask({"GET", "a"}).text, value);
  EXPECT_EQ(client.Ask({"GET", "missing"}).kind, resp::Reply::Kind::kNull);
  EXPECT_EQ(client.Ask({"INCR", "a"}).text, "ERR value is not an integer or out of range");
  const std::string large(1 << 20, 'v');  // more than the streams hold
  EXPECT_EQ(client.Ask({"SET", "large", large}).text, "OK");
  EXPECT_EQ(client.Ask({"GET", "large"}).text, large);
}

TEST_F(InProcess, AnswersAPipelineInOrder) {
  constexpr int kRequests = 1000;
  Client client = Connect();
  for (int i = 0; i < kRequests; ++i) {
    client.Send({"INCR", "n"});
  }
  for (int i = 1; i <= kRequests; ++i) {
    EXPECT_EQ(client.Receive().value().integer, i);
  }
  EXPECT_EQ(client.Ask({"GET", "n"}).text, std::to_string(kRequests));
}

TEST_F(InProcess, RunsMultiAsOneTransaction) {
  Client client = Connect();
  EXPECT_EQ(client.Ask({"MULTI"}).text, "OK");
  EXPECT_EQ(client.Ask({"SET", "a", "1"}).text, "QUEUED");
  EXPECT_EQ(client.Ask({"INCRBY", "a", "41"}).text, "QUEUED");
  const resp::Reply replies = client.Ask({"EXEC"});
  ASSERT_EQ(replies.elements.size(), 2u);
  EXPECT_EQ(replies.elements[0].text, "OK");
  EXPECT_EQ(replies.elements[1].integer, 42);
}

TEST_F(InProcess, TwoClientsSeeEachOthersCommitsOnly) {
  Client first = Connect();
  Client second = Connect();
  EXPECT_EQ(first.Ask({"SET", "a", "1"}).text, "OK");
  EXPECT_EQ(second.Ask({"WATCH", "a"}).text, "OK");
  EXPECT_EQ(first.Ask({"BEGIN"}).kind, resp::Reply::Kind::kInteger);
  EXPECT_EQ(first.Ask({"SET", "a", "2"}).text, "OK");
  EXPECT_EQ(first.Ask({"GET", "a"}).text, "2");
  EXPECT_EQ(second.Ask({"GET", "a"}).text, "1");
  EXPECT_FALSE(first.Ask({"COMMIT"}).failed());
  EXPECT_EQ(second.Ask({"GET", "a"}).text, "2");
  EXPECT_EQ(second.Ask({"MULTI"}).text, "OK");
  EXPECT_EQ(second.Ask({"SET", "a", "3"}).text, "QUEUED");
  EXPECT_EQ(second.Ask({"EXEC"}).kind, resp::Reply::Kind::kNull) << "the watched key was changed";
  EXPECT_EQ(first.Ask({"GET", "a"}).text, "2");
}

TEST_F(InProcess, WhatWasSentBeforeTheCloseIsAnsweredAndStays) {
  {
    Client client = Connect();
    client.Send({"SET", "a", "1"});
    client.Send({"GET", "a"});
    client.Finish();
    EXPECT_EQ(client.Receive().value().text, "OK");
    EXPECT_EQ(client.Receive().value().text, "1");
    EXPECT_FALSE(client.Receive().has_value());
  }
  // The program may use the universe beside the service.
  const auto database = universe_->OpenDatabase("default").value();
  const auto collection = database->OpenCollection("0").value();
  EXPECT_EQ(collection->Get("a").value(), "1");
}

TEST_F(InProcess, ClosesAfterQuitAndWhenItStops) {
  Client quits = Connect();
  EXPECT_EQ(quits.Ask({"QUIT"}).text, "OK");
  EXPECT_FALSE(quits.Receive().has_value());
  Client stays = Connect();
  EXPECT_EQ(stays.Ask({"PING"}).text, "PONG");
  const std::string address = service_->addresses().front();
  service_->Stop();
  EXPECT_FALSE(stays.Receive().has_value());
  EXPECT_EQ(network_->Connect(address, 1'000'000).error().reason(), Reason::kUnreachable);
}

}  // namespace
}  // namespace luna::server
