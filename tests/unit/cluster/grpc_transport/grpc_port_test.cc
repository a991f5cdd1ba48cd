#include "cluster/grpc_transport/grpc_port.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

#include "cluster/grpc_transport/grpc_transport.h"
#include "runtime/posix/posix_network.h"
#include "runtime/posix/posix_runtime.h"

namespace luna::grpc_transport {
namespace {

constexpr uint64_t kMilli = 1'000'000;
constexpr uint64_t kLong = 20'000 * kMilli;

class Waiting final : public transport::Service {
 public:
  explicit Waiting(runtime::Runtime& runtime) : gate_(runtime.NewEvent()) {}
  Result<wire::Reply> Handle(const wire::Request& /*request*/, uint64_t /*budget*/) override {
    ++handled_;
    gate_->Wait();
    return wire::Reply(wire::AppendedReply{});
  }
  void Open() { gate_->Set(); }
  int handled() const { return handled_; }

 private:
  const std::unique_ptr<runtime::Event> gate_;
  std::atomic<int> handled_ = 0;
};

class GrpcPortTest : public testing::Test {
 protected:
  std::unique_ptr<transport::Port> Open(size_t queue_limit = 16) {
    return GrpcPort::Open(*runtime_, "127.0.0.1:0", service_,
                          {.credentials = grpc::InsecureServerCredentials(),
                           .workers = 1,
                           .queue_limit = queue_limit})
        .value();
  }
  bool Answers(const transport::Port& port) {
    return client_->Call(port.address(), wire::Appended{}, kLong).ok();
  }

  const std::unique_ptr<runtime::Runtime> runtime_ = posix::NewPosixRuntime();
  const std::unique_ptr<runtime::Network> network_ = posix::NewPosixNetwork();
  const std::unique_ptr<transport::Transport> client_ = OpenGrpcTransport(*runtime_, {}).value();
  Waiting service_{*runtime_};
};

TEST_F(GrpcPortTest, RequestsBeyondTheQueueAreToldSo) {
  constexpr int kCalls = 20;
  const auto port = Open(4);
  std::atomic<int> answered = 0;
  std::atomic<int> refused = 0;
  const auto some = runtime_->NewEvent();
  const auto all = runtime_->NewEvent();
  const auto send = [&] {
    client_->Send(port->address(), wire::Appended{}, kLong, [&](const Result<wire::Reply>& reply) {
      refused += !reply.ok() && reply.error().reason() == Reason::kBackPressure ? 1 : 0;
      if (refused == kCalls - 5) {
        some->Set();
      }
      if (++answered == kCalls) {
        all->Set();
      }
    });
  };
  send();
  while (service_.handled() == 0) {
    runtime_->Yield();
  }
  for (int i = 1; i < kCalls; ++i) {
    send();
  }
  some->Wait();
  service_.Open();
  all->Wait();
  EXPECT_EQ(refused, kCalls - 5);  // one is handled, four wait
  EXPECT_EQ(service_.handled(), 5);
}

TEST_F(GrpcPortTest, RequestsThatWaitedTooLongAreNotHandled) {
  const auto port = Open();
  const auto first = runtime_->NewEvent();
  client_->Send(port->address(), wire::Appended{}, kLong,
                [&](const Result<wire::Reply>&) { first->Set(); });
  while (service_.handled() == 0) {
    runtime_->Yield();
  }
  EXPECT_EQ(client_->Call(port->address(), wire::Appended{}, 20 * kMilli).error().reason(),
            Reason::kDeadline);
  runtime_->Sleep(30 * kMilli);
  service_.Open();
  first->Wait();
  EXPECT_TRUE(Answers(*port));
  EXPECT_EQ(service_.handled(), 2);
}

TEST_F(GrpcPortTest, GarbageDoesNoHarm) {
  service_.Open();
  const auto port = Open();
  const std::vector<std::string> garbage = {
      "GET / HTTP/1.1\r\n\r\n",
      "*1\r\n$4\r\nPING\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string(40, '\xff'),
      std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 9),
      std::string(100'000, '\0')};
  uint64_t random = 1;
  for (int i = 0; i < 60; ++i) {
    const auto socket = network_->Connect(port->address(), kLong).value();
    std::string bytes = garbage[i % garbage.size()];
    for (char& byte : bytes) {
      random = random * 6364136223846793005u + 1442695040888963407u;
      byte = i >= 6 && random >> 62 == 0 ? static_cast<char>(random >> 40) : byte;
    }
    const std::string_view part = bytes;
    ASSERT_TRUE(socket->Write(std::span(&part, 1)).ok());
  }
  EXPECT_TRUE(Answers(*port));
}

TEST_F(GrpcPortTest, MethodsAndBytesOfOthersAreRefused) {
  service_.Open();
  const auto port = Open();
  const auto channel = grpc::CreateChannel(port->address(), grpc::InsecureChannelCredentials());
  for (const char* method : {"/luna.v1.Peer/Other", kMethod}) {
    grpc::CompletionQueue completions;
    grpc::ClientContext context;
    const grpc::Slice bytes("garbage");
    grpc::ByteBuffer reply;
    grpc::Status status;
    const auto reader = grpc::GenericStub(channel).PrepareUnaryCall(
        &context, method, grpc::ByteBuffer(&bytes, 1), &completions);
    reader->StartCall();
    reader->Finish(&reply, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    ASSERT_TRUE(completions.Next(&tag, &ok));
    EXPECT_EQ(status.error_code(), std::string_view(method) == kMethod
                                       ? grpc::StatusCode::OK  // an error of ours inside
                                       : grpc::StatusCode::UNIMPLEMENTED);
  }
  EXPECT_EQ(service_.handled(), 0);
  EXPECT_TRUE(Answers(*port));
}

TEST_F(GrpcPortTest, TakenAddressesAreNamed) {
  const auto port = Open();
  const auto other = GrpcPort::Open(
      *runtime_, port->address(), service_,
      {.credentials = grpc::InsecureServerCredentials(), .workers = 1, .queue_limit = 1});
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().reason(), Reason::kAddressInUse);
  EXPECT_NE(other.error().message().find(port->address()), std::string::npos);
}

}  // namespace
}  // namespace luna::grpc_transport
