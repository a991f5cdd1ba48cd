#include <array>
#include <atomic>
#include <vector>

#include "cluster/grpc_transport/grpc_transport.h"
#include "conformance/file_system_conformance.h"
#include "conformance/transport_conformance.h"
#include "runtime/posix/posix_network.h"
#include "simulation/sim_transport/sim_net.h"
#include "simulation/sim_transport/sim_transport.h"
#include "simulation/simulated_runtime.h"
#include "support/certificate_files.h"

namespace luna::conformance {

namespace {

using transport::As;

class GrpcPlace : public TransportPlace {
 public:
  explicit GrpcPlace(const grpc_transport::GrpcSettings& settings = {})
      : server_(grpc_transport::OpenGrpcTransport(*runtime_, settings).value()),
        client_(grpc_transport::OpenGrpcTransport(*runtime_, settings).value()) {}
  runtime::Runtime& runtime() override { return *runtime_; }
  transport::Transport& server() override { return *server_; }
  transport::Transport& client() override { return *client_; }
  std::string any_port() const override { return "127.0.0.1:0"; }
  std::string DeafAddress() override {
    deaf_ = network_->Listen("127.0.0.1:0").value();
    return deaf_->address();
  }
  void EndClient() override { client_ = nullptr; }

 private:
  const std::unique_ptr<runtime::Runtime> runtime_ = posix::NewPosixRuntime();
  const std::unique_ptr<runtime::Network> network_ = posix::NewPosixNetwork();
  std::unique_ptr<runtime::Listener> deaf_;  // connections wait there for ever
  std::unique_ptr<transport::Transport> server_;
  std::unique_ptr<transport::Transport> client_;
};

class TlsGrpcPlace : public TransportPlace {
 public:
  runtime::Runtime& runtime() override { return below_.runtime(); }
  transport::Transport& server() override { return below_.server(); }
  transport::Transport& client() override { return below_.client(); }
  std::string any_port() const override { return "localhost:0"; }
  std::string DeafAddress() override { return below_.DeafAddress(); }
  void EndClient() override { below_.EndClient(); }

 private:
  support::CertificateFiles files_;
  GrpcPlace below_{{.ca_file = files_.Path("ca.pem"),
                    .certificate_file = files_.Path("server.pem"),
                    .key_file = files_.Path("server.key")}};
};

class SimPlace : public TransportPlace {
 public:
  SimPlace() { net_.SetFaults({.delay_least_nanos = 100'000, .delay_most_nanos = 3'000'000}); }
  runtime::Runtime& runtime() override { return world_; }
  transport::Transport& server() override { return *server_; }
  transport::Transport& client() override { return *client_; }
  std::string any_port() const override { return "server:0"; }
  std::string DeafAddress() override {
    net_.SetCut("client", "deaf", true);
    return "deaf:1";
  }
  void EndClient() override { client_ = nullptr; }

 private:
  simulation::SimulatedRuntime world_{1};
  const simulation::SimulatedRuntime::Stay stay_{world_};
  sim_transport::SimNet net_{world_, world_.trace(), 1};
  std::unique_ptr<transport::Transport> server_ =
      sim_transport::NewSimTransport(net_, "server", world_);
  std::unique_ptr<transport::Transport> client_ =
      sim_transport::NewSimTransport(net_, "client", world_);
};

template <typename Place>
std::unique_ptr<TransportPlace> Make() {
  return std::make_unique<Place>();
}

INSTANTIATE_TEST_SUITE_P(Grpc, TransportConformance, testing::Values(&Make<GrpcPlace>));
INSTANTIATE_TEST_SUITE_P(GrpcTls, TransportConformance, testing::Values(&Make<TlsGrpcPlace>));
INSTANTIATE_TEST_SUITE_P(Sim, TransportConformance, testing::Values(&Make<SimPlace>));

TEST_P(TransportConformance, EachKindOfRequestIsAnsweredInItsKind) {
  Answerer service([](const wire::Request& request, uint64_t) -> Result<wire::Reply> {
    const std::array<wire::Reply, 4> replies = {
        wire::ReadIndexReply{.epoch = 2, .sequence = 3}, wire::AppendedReply{},
        wire::StandingReply{.server = {.clients = "a:1", .peers = "a:2"}, .applied = 9},
        wire::PrepareReply{.applied = 4, .ready = true}};
    return replies.at(request.index());
  });
  const auto port = Listen(service);
  EXPECT_EQ(As<wire::ReadIndexReply>(Call(port->address(), wire::ReadIndex{})).value().sequence,
            3u);
  EXPECT_TRUE(As<wire::AppendedReply>(Call(port->address(), wire::Appended{})).ok());
  EXPECT_EQ(As<wire::StandingReply>(Call(port->address(), wire::AskStanding{})).value().server,
            (wire::Server{.clients = "a:1", .peers = "a:2"}));
  EXPECT_TRUE(As<wire::PrepareReply>(Call(port->address(), wire::Prepare{})).value().ready);
}

TEST_P(TransportConformance, ErrorsTravelWithTheirReason) {
  Answerer service([](const wire::Request&, uint64_t) -> Result<wire::Reply> {
    return Error(Reason::kMemoryBudget, "no room; try later");
  });
  const auto port = Listen(service);
  EXPECT_TRUE(FailsFor(Call(port->address(), wire::Prepare{}), Reason::kMemoryBudget,
                       "no room; try later"));
}

TEST_P(TransportConformance, ManyCallsAtATimeGetTheirOwnReplies) {
  constexpr uint64_t kCalls = 200;
  Answerer service(Echo);
  const auto port = Listen(service);
  std::atomic<uint64_t> left = kCalls;
  std::atomic<uint64_t> wrong = 0;
  const auto done = runtime().NewEvent();
  for (uint64_t i = 0; i < kCalls; ++i) {
    place().client().Send(port->address(), wire::ReadIndex{.epoch = i}, kLong,
                          [&, i](const Result<wire::Reply>& reply) {
                            const auto mine = As<wire::ReadIndexReply>(reply);
                            wrong += mine.ok() && mine->sequence == i ? 0 : 1;
                            if (--left == 0) {
                              done->Set();
                            }
                          });
  }
  done->Wait();
  EXPECT_EQ(wrong, 0u);
}

TEST_P(TransportConformance, WhoAnswersKnowsHowLongTheCallerWaits) {
  std::atomic<uint64_t> budget = 0;
  Answerer service([&](const wire::Request&, uint64_t nanos) -> Result<wire::Reply> {
    budget = nanos;
    return wire::Reply(wire::AppendedReply{});
  });
  const auto port = Listen(service);
  ASSERT_TRUE(Call(port->address(), wire::Appended{}, 7'000 * kMilli).ok());
  EXPECT_LE(budget, 7'000 * kMilli);
  EXPECT_GT(budget, 0u);
}

TEST_P(TransportConformance, SlowAnswersEndAtTheDeadline) {
  const auto finish = runtime().NewEvent();
  Answerer service([&](const wire::Request&, uint64_t) -> Result<wire::Reply> {
    finish->Wait();
    return wire::Reply(wire::AppendedReply{});
  });
  const auto port = Listen(service);
  const uint64_t began = Now();
  EXPECT_TRUE(FailsFor(Call(port->address(), wire::Appended{}, 50 * kMilli), Reason::kDeadline,
                       port->address()));
  EXPECT_GE(Now() - began, 40 * kMilli);  // their timers may be early by some
  EXPECT_LT(Now() - began, 5'000 * kMilli);
  finish->Set();
}

TEST_P(TransportConformance, SilenceEndsAtTheDeadline) {
  const std::string address = place().DeafAddress();
  const uint64_t began = Now();
  const auto reply = Call(address, wire::Appended{}, 50 * kMilli);
  EXPECT_TRUE(FailsFor(reply, Reason::kDeadline, address));
  EXPECT_LT(Now() - began, 5'000 * kMilli);
}

TEST_P(TransportConformance, WhereNobodyListensCallsFailAtOnce) {
  Answerer service(Echo);
  auto port = Listen(service);
  const std::string address = port->address();
  port.reset();
  const uint64_t began = Now();
  EXPECT_TRUE(FailsFor(Call(address, wire::ReadIndex{}), Reason::kUnreachable, address));
  EXPECT_LT(Now() - began, kLong / 2);
}

TEST_P(TransportConformance, ServersThatComeBackAreFound) {
  Answerer service(Echo);
  auto port = Listen(service);
  const std::string address = port->address();
  ASSERT_TRUE(Call(address, wire::ReadIndex{}).ok());
  port.reset();
  ASSERT_FALSE(Call(address, wire::ReadIndex{}).ok());
  port = place().server().Listen(address, service).value();
  const uint64_t began = Now();
  while (!Call(address, wire::ReadIndex{}).ok() && Now() - began < kLong) {
    runtime().Sleep(10 * kMilli);
  }
  EXPECT_TRUE(Call(address, wire::ReadIndex{}).ok());
}

TEST_P(TransportConformance, PortsEndWhenTheirHandlersHave) {
  std::atomic<bool> handling = false;
  const auto begun = runtime().NewEvent();
  Answerer service([&](const wire::Request&, uint64_t) -> Result<wire::Reply> {
    handling = true;
    begun->Set();
    runtime().Sleep(30 * kMilli);
    handling = false;
    return wire::Reply(wire::AppendedReply{});
  });
  auto port = Listen(service);
  const auto done = runtime().NewEvent();
  place().client().Send(port->address(), wire::Appended{}, kLong,
                        [&](const Result<wire::Reply>&) { done->Set(); });
  begun->Wait();
  port.reset();
  EXPECT_FALSE(handling);
  done->Wait();
}

TEST_P(TransportConformance, TheEndOfATransportEndsItsCalls) {
  const auto finish = runtime().NewEvent();
  const auto begun = runtime().NewEvent();
  Answerer service([&](const wire::Request&, uint64_t) -> Result<wire::Reply> {
    begun->Set();
    finish->Wait();
    return wire::Reply(wire::AppendedReply{});
  });
  const auto port = Listen(service);
  std::atomic<int> ended = 0;
  std::optional<Reason> reason;
  place().client().Send(
      port->address(), wire::Appended{}, kLong, [&](const Result<wire::Reply>& reply) {
        reason = reply.ok() ? std::nullopt : std::optional(reply.error().reason());
        ++ended;
      });
  begun->Wait();
  place().EndClient();
  EXPECT_EQ(ended, 1);
  EXPECT_EQ(reason, Reason::kShutDown);
  finish->Set();
}

TEST_P(TransportConformance, CallbacksMayCallAgain) {
  Answerer service(Echo);
  const auto port = Listen(service);
  std::atomic<uint64_t> last = 0;
  const auto done = runtime().NewEvent();
  std::function<void(uint64_t)> ask = [&](uint64_t number) {
    place().client().Send(port->address(), wire::ReadIndex{.epoch = number}, kLong,
                          [&](const Result<wire::Reply>& reply) {
                            last = As<wire::ReadIndexReply>(reply).value().sequence;
                            last < 20 ? ask(last + 1) : done->Set();
                          });
  };
  ask(1);
  done->Wait();
  EXPECT_EQ(last, 20u);
}

TEST_P(TransportConformance, BadAddressesAndTakenOnesAreNamed) {
  Answerer service(Echo);
  const auto port = Listen(service);
  EXPECT_TRUE(FailsFor(place().server().Listen(port->address(), service), Reason::kAddressInUse,
                       port->address()));
  for (const std::string address : {"nothing", "1.2.3.4", "a:b"}) {
    EXPECT_TRUE(FailsFor(place().server().Listen(address, service), Reason::kBadOption, address));
    EXPECT_TRUE(FailsFor(Call(address, wire::Prepare{}), Reason::kBadOption, address));
  }
}

TEST_P(TransportConformance, TextsThatAreTooLargeAreNotSent) {
  Answerer service(Echo);
  const auto port = Listen(service);
  EXPECT_TRUE(FailsFor(Call(port->address(), wire::Prepare{.group = std::string(5000, 'x')}),
                       Reason::kValueTooLarge, "5000"));
}

}  // namespace

}  // namespace luna::conformance
