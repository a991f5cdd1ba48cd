#include <thread>

#include "conformance/file_system_conformance.h"
#include "conformance/network_conformance.h"
#include "runtime/memory/memory_network.h"
#include "runtime/posix/posix_network.h"
#include "runtime/posix/posix_runtime.h"
#include "runtime/tls/tls_network.h"
#include "support/certificate_files.h"

namespace luna::conformance {

namespace {

class PosixNetworkPlace : public NetworkPlace {
 public:
  runtime::Network& network() override { return *network_; }

 private:
  const std::unique_ptr<runtime::Network> network_ = posix::NewPosixNetwork();
};

class MemoryNetworkPlace : public NetworkPlace {
 public:
  runtime::Network& network() override { return *network_; }

 private:
  const std::unique_ptr<runtime::Runtime> runtime_ = posix::NewPosixRuntime();
  const std::unique_ptr<runtime::Network> network_ = memory::NewMemoryNetwork(*runtime_);
};

// TLS whose handshakes the test moves on, both ends being its own.
class LazyNetwork final : public runtime::Network {
 public:
  LazyNetwork(runtime::Runtime& runtime, runtime::Network& below, tls::TlsSettings settings)
      : tls_(runtime, below, std::move(settings)) {
    tls_.Reload().value();
  }
  Result<std::unique_ptr<runtime::Listener>> Listen(std::string_view address) override {
    return tls_.Listen(address);
  }
  Result<std::unique_ptr<runtime::Socket>> Connect(std::string_view address,
                                                   uint64_t nanos) override {
    return tls_.Begin(address, nanos);
  }
  Result<std::unique_ptr<runtime::Socket>> Dial(std::string_view address) override {
    return tls_.Dial(address);
  }
  Result<std::string> Resolve(std::string_view address) override { return tls_.Resolve(address); }
  std::unique_ptr<runtime::Poller> NewPoller() override { return tls_.NewPoller(); }

 private:
  tls::TlsNetwork tls_;
};

template <typename Below>
class TlsPlace : public NetworkPlace {
 public:
  runtime::Network& network() override { return network_; }
  void Meet(runtime::Socket& client, runtime::Socket& server) override {
    while (!client.established() || !server.established()) {
      ASSERT_TRUE(client.Read({}).ok());
      ASSERT_TRUE(server.Read({}).ok());
    }
  }

 private:
  support::CertificateFiles files_;
  Below below_;
  LazyNetwork network_{files_.runtime(), below_.network(), files_.Settings()};
};

template <typename Place>
std::unique_ptr<NetworkPlace> Make() {
  return std::make_unique<Place>();
}

INSTANTIATE_TEST_SUITE_P(Posix, NetworkConformance, testing::Values(&Make<PosixNetworkPlace>));
INSTANTIATE_TEST_SUITE_P(Memory, NetworkConformance, testing::Values(&Make<MemoryNetworkPlace>));
INSTANTIATE_TEST_SUITE_P(TlsOverPosix, NetworkConformance,
                         testing::Values(&Make<TlsPlace<PosixNetworkPlace>>));
INSTANTIATE_TEST_SUITE_P(TlsOverMemory, NetworkConformance,
                         testing::Values(&Make<TlsPlace<MemoryNetworkPlace>>));

TEST_P(NetworkConformance, BytesGoBothWaysInOrder) {
  const Pair pair = Connect();
  const std::array<std::string_view, 3> parts = {"one ", "", "two"};
  EXPECT_EQ(pair.client->Write(parts).value().bytes, 7u);
  EXPECT_EQ(Read(*pair.server, 7), "one two");
  EXPECT_EQ(Write(*pair.server, "back").bytes, 4u);
  EXPECT_EQ(Read(*pair.client, 4), "back");
}

TEST_P(NetworkConformance, BothSidesKnowTheAddresses) {
  const auto listener = Listen();
  EXPECT_FALSE(listener->address().ends_with(":0")) << listener->address();
  const auto client = network().Connect(listener->address(), kLong).value();
  const auto server = Accept(*listener);
  EXPECT_EQ(client->peer(), listener->address());
  EXPECT_EQ(server->local(), listener->address());
  EXPECT_EQ(server->peer(), client->local());
  EXPECT_NE(server->peer(), server->local());
}

TEST_P(NetworkConformance, NothingToReadIsNoEnd) {
  const Pair pair = Connect();
  std::array<char, 4> buffer;
  const auto read = pair.server->Read(buffer).value();
  EXPECT_EQ(read.bytes, 0u);
  EXPECT_FALSE(read.ended);
  const auto listener = Listen();
  EXPECT_EQ(listener->Accept().value(), nullptr);
}

TEST_P(NetworkConformance, NamesOfThisMachineAreAddresses) {
  const auto listener = network().Listen("localhost:0").value();
  const std::string& address = listener->address();
  auto client = network().Connect("localhost" + address.substr(address.rfind(':')), kLong).value();
  const Pair pair = {std::move(client), Accept(*listener)};
  Meet(pair);
  EXPECT_EQ(Write(*pair.client, "x").bytes, 1u);
  EXPECT_EQ(Read(*pair.server, 1), "x");
}

TEST_P(NetworkConformance, SlowReadersMakeWritesPartial) {
  const Pair pair = Connect();
  const auto poller = network().NewPoller();
  ASSERT_TRUE(poller->Add(*pair.client, 5).ok());
  Settle(*poller);
  std::string bytes(8 << 20, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(i * 131 >> 7);
  }
  size_t sent = 0;
  while (const size_t more = Write(*pair.client, std::string_view(bytes).substr(sent)).bytes) {
    sent += more;
  }
  EXPECT_GT(sent, 0u);
  ASSERT_LT(sent, bytes.size());
  std::string received;
  std::jthread reader([&] { received = Read(*pair.server, bytes.size()); });
  while (sent < bytes.size()) {
    const auto written = Write(*pair.client, std::string_view(bytes).substr(sent));
    sent += written.bytes;
    if (written.bytes == 0) {
      EXPECT_TRUE(Await(*poller, 5).writable);
    }
  }
  reader.join();
  EXPECT_TRUE(received == bytes);
  poller->Remove(*pair.client);
}

TEST_P(NetworkConformance, FinishedWritesAreReadToTheirEnd) {
  const Pair pair = Connect();
  const auto poller = network().NewPoller();
  ASSERT_TRUE(poller->Add(*pair.server, 3).ok());
  Settle(*poller);
  EXPECT_EQ(Write(*pair.client, "last words").bytes, 10u);
  pair.client->FinishWrites();
  runtime::Ready ready = Await(*poller, 3);
  while (!ready.ended) {
    EXPECT_TRUE(ready.readable);
    ready = Await(*poller, 3);
  }
  poller->Remove(*pair.server);
  EXPECT_EQ(Read(*pair.server, 100), "last words");
  std::array<char, 4> buffer;
  EXPECT_TRUE(pair.server->Read(buffer).value().ended);
  EXPECT_EQ(Write(*pair.server, "still heard").bytes, 11u);
  EXPECT_EQ(Read(*pair.client, 11), "still heard");
}

TEST_P(NetworkConformance, ClosedPeersEndReadsAndWrites) {
  Pair pair = Connect();
  pair.server.reset();
  EXPECT_EQ(Read(*pair.client, 1), "");
  // The system tells the writer only after the peer refused something.
  const auto poller = network().NewPoller();
  ASSERT_TRUE(poller->Add(*pair.client, 1).ok());
  bool ended = Write(*pair.client, "anybody?").ended;
  while (!ended) {
    Await(*poller, 1);
    ended = Write(*pair.client, "anybody?").ended;
  }
  EXPECT_TRUE(ended);
  poller->Remove(*pair.client);
}

TEST_P(NetworkConformance, PollersReportWhatWasReadyBeforeTheyWatched) {
  const Pair pair = Connect();
  EXPECT_EQ(Write(*pair.client, "early").bytes, 5u);
  EXPECT_EQ(Read(*pair.server, 1), "e");
  const auto poller = network().NewPoller();
  const uint64_t tag = uint64_t{3} << 40 | 17;
  ASSERT_TRUE(poller->Add(*pair.server, tag).ok());
  const runtime::Ready ready = Await(*poller, tag);
  EXPECT_TRUE(ready.readable);
  EXPECT_TRUE(ready.writable);
  EXPECT_FALSE(ready.ended);
  poller->Remove(*pair.server);
}

TEST_P(NetworkConformance, EveryArrivalIsReported) {
  const Pair pair = Connect();
  const auto poller = network().NewPoller();
  ASSERT_TRUE(poller->Add(*pair.server, 1).ok());
  Settle(*poller);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Write(*pair.client, "x").bytes, 1u);
    EXPECT_TRUE(Await(*poller, 1).readable);
    std::array<char, 8> buffer;
    EXPECT_EQ(pair.server->Read(buffer).value().bytes, 1u);
  }
  poller->Remove(*pair.server);
}

TEST_P(NetworkConformance, RemovedSocketsAreNotReported) {
  const Pair pair = Connect();
  const auto poller = network().NewPoller();
  ASSERT_TRUE(poller->Add(*pair.server, 1).ok());
  EXPECT_EQ(Write(*pair.client, "x").bytes, 1u);
  poller->Remove(*pair.server);
  std::array<runtime::Ready, 4> ready;
  EXPECT_EQ(poller->Wait(ready, 2'000'000), 0u);
}

TEST_P(NetworkConformance, WakesEndOneWait) {
  const auto poller = network().NewPoller();
  std::array<runtime::Ready, 4> ready;
  poller->Wake();
  poller->Wake();
  EXPECT_EQ(poller->Wait(ready, kLong), 0u);  // at once, or the test's time-out ends it
  EXPECT_EQ(poller->Wait(ready, 1'000'000), 0u);
  for (int i = 0; i < 100; ++i) {
    std::atomic<bool> returned = false;
    std::jthread waiter([&] {
      EXPECT_EQ(poller->Wait(ready, ~uint64_t{0}), 0u);
      returned = true;
    });
    poller->Wake();
    waiter.join();
    EXPECT_TRUE(returned);
  }
}

TEST_P(NetworkConformance, NoWakeIsLostBetweenManyThreads) {
  const auto poller = network().NewPoller();
  constexpr int kRounds = 2000;
  std::atomic<int> asked = 0;
  std::vector<std::jthread> wakers;
  for (int i = 0; i < 2; ++i) {
    wakers.emplace_back([&] {
      for (int j = 0; j < kRounds; ++j) {
        ++asked;
        poller->Wake();
      }
    });
  }
  std::array<runtime::Ready, 4> ready;
  while (asked < 2 * kRounds) {
    poller->Wait(ready, ~uint64_t{0});  // every change of `asked` is followed by a Wake
  }
  EXPECT_EQ(asked, 2 * kRounds);
}

TEST_P(NetworkConformance, DialedSocketsSayWhenTheyAreThere) {
  const auto listener = Listen();
  auto client = network().Dial(listener->address()).value();
  const auto poller = network().NewPoller();
  ASSERT_TRUE(poller->Add(client->carrier(), 4).ok());
  std::array<char, 4> buffer;
  EXPECT_EQ(client->Read(buffer).value().bytes, 0u);
  EXPECT_TRUE(Await(*poller, 4).writable);
  EXPECT_TRUE(client->carrier().established());
  poller->Remove(client->carrier());
  EXPECT_EQ(client->peer(), listener->address());
  const Pair pair = {std::move(client), Accept(*listener)};
  Meet(pair);
  EXPECT_EQ(pair.server->peer(), pair.client->local());
  EXPECT_EQ(Write(*pair.client, "dialed").bytes, 6u);
  EXPECT_EQ(Read(*pair.server, 6), "dialed");
}

// Some networks know at once that nobody listens, others a little later.
TEST_P(NetworkConformance, DialsToNobodyFail) {
  auto listener = Listen();
  const std::string address = listener->address();
  listener.reset();
  auto dialed = network().Dial(address);
  if (!dialed.ok()) {
    EXPECT_TRUE(FailsFor(dialed, Reason::kUnreachable, address));
    return;
  }
  runtime::Socket& socket = **dialed;
  const auto poller = network().NewPoller();
  ASSERT_TRUE(poller->Add(socket.carrier(), 1).ok());
  EXPECT_TRUE(Await(*poller, 1).ended);
  poller->Remove(socket.carrier());
  EXPECT_FALSE(socket.carrier().established());
  EXPECT_TRUE(FailsFor(socket.Read({}), Reason::kIoError, address));
}

TEST_P(NetworkConformance, DialsWantNumbersWhichResolveFinds) {
  const auto listener = Listen();
  const std::string port = listener->address().substr(listener->address().rfind(':'));
  EXPECT_TRUE(FailsFor(network().Dial("localhost" + port), Reason::kBadOption, "localhost" + port));
  EXPECT_TRUE(FailsFor(network().Dial("nothing"), Reason::kBadOption, "nothing"));
  EXPECT_EQ(network().Resolve("localhost" + port).value(), listener->address());
  EXPECT_EQ(network().Resolve("[::1]:7").value(), "[::1]:7");
  EXPECT_TRUE(FailsFor(network().Resolve("no-such-host.invalid:1"), Reason::kUnreachable,
                       "no-such-host.invalid:1"));
  EXPECT_TRUE(FailsFor(network().Resolve("1.2.3.4"), Reason::kBadOption, "1.2.3.4"));
}

TEST_P(NetworkConformance, AddressesAreFreeAgainWhileTheirConnectionsLive) {
  auto listener = Listen();
  const std::string address = listener->address();
  const auto client = network().Connect(address, kLong).value();
  const auto server = Accept(*listener);
  listener.reset();
  for (int i = 0; i < 3; ++i) {
    listener = network().Listen(address).value();
    const auto other = network().Connect(address, kLong).value();
    EXPECT_NE(Accept(*listener), nullptr);
    listener.reset();
  }
  EXPECT_FALSE(network().Connect(address, kLong).ok());
}

TEST_P(NetworkConformance, TakenAddressesAreNamed) {
  const auto listener = Listen();
  EXPECT_TRUE(
      FailsFor(network().Listen(listener->address()), Reason::kAddressInUse, listener->address()));
}

TEST_P(NetworkConformance, AddressesAreFreeAgainAfterTheListener) {
  auto listener = Listen();
  const std::string address = listener->address();
  auto client = network().Connect(address, kLong).value();
  auto server = Accept(*listener);
  server.reset();  // the side that closes first keeps the address for a while
  client.reset();
  listener.reset();
  EXPECT_TRUE(FailsFor(network().Connect(address, kLong), Reason::kUnreachable, address));
  EXPECT_TRUE(network().Listen(address).ok());
}

TEST_P(NetworkConformance, WaitingConnectionsEndWithTheListener) {
  auto listener = Listen();
  const auto client = network().Connect(listener->address(), kLong).value();
  listener.reset();
  EXPECT_EQ(Read(*client, 1), "");
}

TEST_P(NetworkConformance, BadAddressesAreRefused) {
  for (const std::string address : {"nothing", "127.0.0.1:", "127.0.0.1:65536", ":6479", "::1:6479",
                                    "127.0.0.1:64x", "1.2.3.4 5:1"}) {
    EXPECT_TRUE(FailsFor(network().Listen(address), Reason::kBadOption, address));
    EXPECT_TRUE(FailsFor(network().Connect(address, kLong), Reason::kBadOption, address));
  }
}

TEST_P(NetworkConformance, TwoHundredSocketsShareAPoller) {
  constexpr size_t kSockets = 200;
  const auto listener = Listen();
  const auto poller = network().NewPoller();
  std::vector<Pair> pairs;
  for (size_t i = 0; i < kSockets; ++i) {
    auto client = network().Connect(listener->address(), kLong).value();
    pairs.push_back({std::move(client), Accept(*listener)});
    Meet(pairs.back());
    ASSERT_TRUE(poller->Add(*pairs.back().server, i).ok());
  }
  Settle(*poller);
  for (size_t i = 0; i < kSockets; ++i) {
    EXPECT_EQ(Write(*pairs[i].client, std::to_string(i)).bytes, std::to_string(i).size());
  }
  std::vector<std::string> received(kSockets);
  size_t complete = 0;
  while (complete < kSockets) {
    std::array<runtime::Ready, 64> ready;
    const size_t count = poller->Wait(ready, kLong);
    for (size_t i = 0; i < count; ++i) {
      std::string& mine = received.at(ready[i].tag);
      std::array<char, 16> buffer;
      mine.append(buffer.data(), pairs[ready[i].tag].server->Read(buffer).value().bytes);
      complete += mine == std::to_string(ready[i].tag) ? 1 : 0;
    }
  }
  for (size_t i = 0; i < kSockets; ++i) {
    EXPECT_EQ(received[i], std::to_string(i));
    poller->Remove(*pairs[i].server);
  }
}

}  // namespace

}  // namespace luna::conformance
