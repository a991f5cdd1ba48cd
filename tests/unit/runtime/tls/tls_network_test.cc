#include "runtime/tls/tls_network.h"

#include <gtest/gtest.h>

#include <thread>

#include "runtime/posix/posix_network.h"
#include "unit/runtime/tls/tls_pair.h"

namespace luna::tls {

namespace {

constexpr uint64_t kSecond = 1'000'000'000;

class TlsNetworkTest : public testing::Test {
 protected:
  TlsNetworkTest() { network_.Reload().value(); }

  // Serves one client until it closes; what it sent.
  std::string ServeOne(runtime::Listener& listener) {
    const auto poller = network_.NewPoller();
    poller->Add(listener, 0).value();
    std::unique_ptr<runtime::Socket> socket;
    std::array<runtime::Ready, 4> ready;
    while ((socket = listener.Accept().value()) == nullptr) {
      poller->Wait(ready, kSecond);
    }
    poller->Add(*socket, 1).value();
    std::string all;
    std::array<char, 100> buffer;
    while (true) {
      const auto read = socket->Read(buffer);
      if (!read.ok()) {
        break;
      }
      all.append(buffer.data(), read->bytes);
      if (read->ended) {
        break;
      }
      if (read->bytes == 0) {
        poller->Wait(ready, kSecond);
      }
    }
    poller->Remove(*socket);
    poller->Remove(listener);
    return all;
  }

  support::CertificateFiles files_;
  const std::unique_ptr<runtime::Network> below_ = posix::NewPosixNetwork();
  TlsNetwork network_{files_.runtime(), *below_, files_.Settings()};
};

TEST_F(TlsNetworkTest, ConnectIncludesTheHandshake) {
  const auto listener = network_.Listen("127.0.0.1:0").value();
  std::string sent;
  std::jthread server([&] { sent = ServeOne(*listener); });
  auto client = network_.Connect(listener->address(), 10 * kSecond);
  ASSERT_TRUE(client.ok()) << client.error().message();
  EXPECT_TRUE(client.value()->established());
  EXPECT_EQ(Write(*client.value(), "hello"), 5u);
  client.value()->FinishWrites();
  server.join();
  EXPECT_EQ(sent, "hello");
}

TEST_F(TlsNetworkTest, ConnectSaysWhyAServerIsNotTrusted) {
  files_.Write("other.pem", support::kOtherAuthority);
  TlsNetwork wary(files_.runtime(), *below_, {.ca_file = files_.Path("other.pem")});
  const auto listener = network_.Listen("127.0.0.1:0").value();
  std::jthread server([&] { ServeOne(*listener); });
  const auto client = wary.Connect(listener->address(), 10 * kSecond);
  ASSERT_FALSE(client.ok());
  EXPECT_EQ(client.error().reason(), Reason::kUnreachable);
  EXPECT_NE(client.error().message().find("not trusted"), std::string::npos);
}

TEST_F(TlsNetworkTest, ServersThatSayNothingOrCloseAreNoTlsServers) {
  auto listener = below_->Listen("127.0.0.1:0").value();
  const auto silent = network_.Connect(listener->address(), 20'000'000);
  ASSERT_FALSE(silent.ok());
  EXPECT_EQ(silent.error().reason(), Reason::kDeadline);
  std::jthread closer([&] {
    const auto poller = below_->NewPoller();
    poller->Add(*listener, 0).value();
    int accepted = 0;
    while (accepted < 2) {  // the silent one waits, too
      std::array<runtime::Ready, 1> ready;
      poller->Wait(ready, kSecond);
      while (listener->Accept().value() != nullptr) {
        ++accepted;
      }
    }
    poller->Remove(*listener);
  });
  const auto closed = network_.Connect(listener->address(), 10 * kSecond);
  ASSERT_FALSE(closed.ok());
  EXPECT_EQ(closed.error().reason(), Reason::kUnreachable);
}

TEST_F(TlsNetworkTest, ReloadIsForNewConnectionsAndKeepsWhatWorked) {
  TlsPair pair(files_.Settings(), files_.Settings(), files_);
  Shake(*pair.client_socket, *pair.server_socket);
  files_.Write("server.pem", "damaged");
  const auto before = pair.network.server();
  const Status refused = pair.network.Reload();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason(), Reason::kBadOption);
  EXPECT_EQ(pair.network.server(), before);
  files_.Write("server.pem", support::kExpired);
  ASSERT_TRUE(pair.network.Reload().ok());
  EXPECT_EQ(pair.network.warnings().size(), 1u);
  EXPECT_EQ(Write(*pair.client_socket, "still"), 5u);
  EXPECT_EQ(Read(*pair.server_socket), "still");
  pair.client_socket.reset();
  files_.Write("server.pem", support::kServer);  // the client would show the expired one
  pair.Connect();
  Shake(*pair.client_socket, *pair.server_socket);
  const auto read = pair.client_socket->Read({});
  ASSERT_FALSE(read.ok());
  EXPECT_NE(read.error().message().find("not trusted"), std::string::npos);
}

TEST_F(TlsNetworkTest, ClientsMayKeepWhatTheyReadAndKeepWhatWorked) {
  TlsNetwork client(files_.runtime(), *below_, {.ca_file = files_.Path("ca.pem")});
  const auto listener = network_.Listen("127.0.0.1:0").value();
  const auto connects = [&] {
    std::jthread server([&] { ServeOne(*listener); });
    return client.Connect(listener->address(), 10 * kSecond).ok();
  };
  ASSERT_TRUE(client.ReloadClient().ok());
  files_.Write("ca.pem", "damaged");
  EXPECT_TRUE(connects());
  const Status refused = client.ReloadClient();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason(), Reason::kBadOption);
  EXPECT_TRUE(connects());
  files_.Write("ca.pem", support::kOtherAuthority);
  ASSERT_TRUE(client.ReloadClient().ok());
  EXPECT_FALSE(connects());
}

TEST_F(TlsNetworkTest, WhoIsDialedByNumberIsJudgedByName) {
  for (const std::string host : {"localhost", "elsewhere"}) {
    const auto listener = network_.Listen("127.0.0.1:0").value();
    auto client = network_.DialHost(listener->address(), host).value();
    std::jthread server([&] { ServeOne(*listener); });
    const auto poller = network_.NewPoller();
    poller->Add(*client, 1).value();
    std::array<runtime::Ready, 1> ready;
    bool ok = true;
    for (int i = 0; i < 1000 && ok && !client->established(); ++i) {
      poller->Wait(ready, kSecond / 100);
      ok = client->Read({}).ok();
    }
    EXPECT_EQ(client->established(), host == "localhost");
    EXPECT_EQ(ok, host == "localhost");
    poller->Remove(*client);
    client = nullptr;
  }
}

TEST_F(TlsNetworkTest, NobodyListensWithoutACertificate) {
  TlsNetwork bare(files_.runtime(), *below_, {});
  EXPECT_EQ(bare.Listen("127.0.0.1:0").error().reason(), Reason::kBadOption);
  EXPECT_EQ(bare.Reload().error().reason(), Reason::kBadOption);
  EXPECT_TRUE(bare.warnings().empty());
}

}  // namespace

}  // namespace luna::tls
