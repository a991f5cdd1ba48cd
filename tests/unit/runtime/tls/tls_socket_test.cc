#include "runtime/tls/tls_socket.h"

#include <gtest/gtest.h>

#include "unit/runtime/tls/tls_pair.h"

namespace luna::tls {

namespace {

class TlsSocketTest : public testing::Test {
 protected:
  support::CertificateFiles files_;
};

// What the side said that gave up.
std::string FailureOf(runtime::Socket& socket) {
  std::array<char, 8> buffer;
  const auto read = socket.Read(buffer);
  EXPECT_FALSE(read.ok());
  if (read.ok()) {
    return "";
  }
  EXPECT_EQ(read.error().reason(), Reason::kIoError);
  const std::string_view word = "x";
  EXPECT_FALSE(socket.Write(std::span(&word, 1)).ok());  // lost is lost
  return read.error().message();
}

TEST_F(TlsSocketTest, HandshakesHappenWithinReadsAndWrites) {
  TlsPair pair(files_.Settings(), files_.Settings(), files_);
  EXPECT_FALSE(pair.client_socket->established());
  EXPECT_EQ(Write(*pair.client_socket, "hello"), 0u);
  EXPECT_EQ(Read(*pair.server_socket), "");
  EXPECT_EQ(Write(*pair.client_socket, "hello"), 5u);
  EXPECT_EQ(Read(*pair.server_socket), "hello");
  EXPECT_TRUE(pair.server_socket->established());
  EXPECT_EQ(Write(*pair.server_socket, "welcome"), 7u);
  EXPECT_EQ(Read(*pair.client_socket), "welcome");
}

TEST_F(TlsSocketTest, SmallPiecesTravelTogetherAndLargeOnesWhole) {
  TlsPair pair(files_.Settings(), files_.Settings(), files_, 1 << 20);
  Shake(*pair.client_socket, *pair.server_socket);
  const std::string large(100'000, 'l');
  const std::vector<std::string_view> parts = {"a", "", "bc", large, "", "d", "ef", ""};
  const size_t total = large.size() + 6;
  EXPECT_EQ(pair.client_socket->Write(parts).value().bytes, total);
  EXPECT_EQ(Read(*pair.server_socket, total + 1), "abc" + large + "def");
}

TEST_F(TlsSocketTest, RecordsTakenInPartAreCountedWhenTheRestIsSent) {
  for (const size_t buffer : {size_t{6000}, size_t{16383}, size_t{20000}, size_t{50000}}) {
    TlsPair pair(files_.Settings(), files_.Settings(), files_, buffer);
    Shake(*pair.client_socket, *pair.server_socket);
    ASSERT_TRUE(pair.server_socket->established());
    std::string bytes(300'000, '\0');
    for (size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = static_cast<char>(i * 131 >> 7);
    }
    size_t sent = 0;
    std::string received;
    for (int i = 0; i < 10000 && received.size() < bytes.size(); ++i) {
      sent += Write(*pair.client_socket, std::string_view(bytes).substr(sent));
      EXPECT_LE(received.size(), bytes.size());
      received += Read(*pair.server_socket, 1 + i % 7000);
    }
    EXPECT_TRUE(received == bytes) << buffer;
    EXPECT_EQ(sent, bytes.size());
  }
}

TEST_F(TlsSocketTest, EndsAreReadWhetherSaidInTlsOrNot) {
  for (const bool said : {true, false}) {
    TlsPair pair(files_.Settings(), files_.Settings(), files_);
    Shake(*pair.client_socket, *pair.server_socket);
    EXPECT_EQ(Write(*pair.client_socket, "last words"), 10u);
    said ? pair.client_socket->FinishWrites() : pair.client_socket->carrier().FinishWrites();
    std::array<char, 100> buffer;
    auto read = pair.server_socket->Read(buffer).value();
    EXPECT_EQ(read.bytes, 10u);
    EXPECT_EQ(read.ended, said);
    read = pair.server_socket->Read(buffer).value();
    EXPECT_EQ(read.bytes, 0u);
    EXPECT_TRUE(read.ended);
    EXPECT_EQ(Write(*pair.server_socket, "still heard"), 11u);
    EXPECT_EQ(Read(*pair.client_socket), "still heard");
  }
}

TEST_F(TlsSocketTest, PeersThatVanishInTheHandshakeHaveEnded) {
  TlsPair pair(files_.Settings(), files_.Settings(), files_);
  static_cast<void>(pair.client_socket->Read({}).ok());
  pair.client_socket.reset();
  std::array<char, 10> buffer;
  EXPECT_TRUE(pair.server_socket->Read(buffer).value().ended);
}

TEST_F(TlsSocketTest, WhatIsNoTlsLosesTheConnection) {
  TlsPair pair(files_.Settings(), files_.Settings(), files_);
  for (const std::string_view words : {"GET / HTTP/1.1\r\n\r\n", "PING\r\nPING\r\nPING\r\n"}) {
    pair.Connect();
    const std::string_view sent[] = {words};
    EXPECT_EQ(pair.client_socket->carrier().Write(sent).value().bytes, words.size());
    const std::string message = FailureOf(*pair.server_socket);
    EXPECT_NE(message.find("is no TLS"), std::string::npos) << message;
  }
}

TEST_F(TlsSocketTest, DamagedRecordsLoseTheConnection) {
  TlsPair pair(files_.Settings(), files_.Settings(), files_);
  Shake(*pair.client_socket, *pair.server_socket);
  EXPECT_EQ(Write(*pair.client_socket, "whole"), 5u);
  const std::string_view damage[] = {std::string_view("\x17\x03\x03\x00\x20", 5),
                                     "0123456789012345678901234567890123456789"};
  EXPECT_GT(pair.client_socket->carrier().Write(damage).value().bytes, 0u);
  std::array<char, 100> buffer;
  const auto read = pair.server_socket->Read(buffer).value();
  EXPECT_EQ(std::string_view(buffer.data(), read.bytes), "whole");
  EXPECT_TRUE(read.ended);
  FailureOf(*pair.server_socket);
}

TEST_F(TlsSocketTest, ServersOfUnknownAuthoritiesAreNotTrusted) {
  files_.Write("other.pem", support::kOtherAuthority);
  TlsPair pair(files_.Settings(), {.ca_file = files_.Path("other.pem")}, files_);
  for (int i = 0; i < 3; ++i) {
    static_cast<void>(pair.server_socket->Read({}).ok());
    static_cast<void>(pair.client_socket->Read({}).ok());
  }
  const std::string message = FailureOf(*pair.client_socket);
  EXPECT_NE(message.find("not trusted"), std::string::npos) << message;
  EXPECT_NE(FailureOf(*pair.server_socket).find("alert"), std::string::npos);
}

TEST_F(TlsSocketTest, CertificatesMustBeForTheHost) {
  const auto context = Context::ForClient(files_.runtime(), files_.Settings()).value();
  for (const std::string host : {"localhost", "127.0.0.1", "::1", "elsewhere", "127.0.0.2"}) {
    TlsPair pair(files_.Settings(), files_.Settings(), files_);
    auto carrier = pair.below->Connect(pair.listener->address(), 0).value();
    TlsSocket client(context, std::move(carrier), host);
    const auto server = pair.listener->Accept().value();
    Shake(client, *server);
    const bool is_its_host = host != "elsewhere" && host != "127.0.0.2";
    EXPECT_EQ(client.established() && server->established(), is_its_host) << host;
    if (!is_its_host) {
      EXPECT_NE(FailureOf(client).find("mismatch"), std::string::npos) << host;
    }
  }
}

TEST_F(TlsSocketTest, ClientsShowCertificatesWhereTheyMust) {
  const TlsSettings none = {.ca_file = files_.Path("ca.pem")};
  TlsSettings foreign = none;
  files_.Write("other.pem", support::kOtherAuthority);
  files_.Write("other.key", support::kOtherKey);
  foreign.certificate_file = files_.Path("other.pem");
  foreign.key_file = files_.Path("other.key");
  const TlsSettings good = files_.Settings();
  const auto works = [&](ClientAuth auth, const TlsSettings& client) {
    TlsPair pair(files_.Settings(auth), client, files_);
    Shake(*pair.client_socket, *pair.server_socket);
    return pair.server_socket->established();
  };
  EXPECT_TRUE(works(ClientAuth::kRequired, good));
  EXPECT_FALSE(works(ClientAuth::kRequired, none));
  EXPECT_FALSE(works(ClientAuth::kRequired, foreign));
  EXPECT_TRUE(works(ClientAuth::kOptional, good));
  EXPECT_TRUE(works(ClientAuth::kOptional, none));
  EXPECT_FALSE(works(ClientAuth::kOptional, foreign));
  EXPECT_TRUE(works(ClientAuth::kNo, foreign));
}

// In TLS 1.3 a client hears of it after it took the handshake for done.
TEST_F(TlsSocketTest, WhoseCertificateIsRefusedIsNoLongerEstablished) {
  files_.Write("other.pem", support::kOtherAuthority);
  files_.Write("other.key", support::kOtherKey);
  const TlsSettings none = {.ca_file = files_.Path("ca.pem")};
  TlsSettings foreign = none;
  foreign.certificate_file = files_.Path("other.pem");
  foreign.key_file = files_.Path("other.key");
  for (const TlsSettings& client : {none, foreign}) {
    TlsPair pair(files_.Settings(ClientAuth::kRequired), client, files_);
    static_cast<void>(pair.client_socket->Read({}).ok());
    static_cast<void>(pair.server_socket->Read({}).ok());
    static_cast<void>(pair.client_socket->Read({}).ok());
    EXPECT_TRUE(pair.client_socket->established());
    EXPECT_EQ(Write(*pair.client_socket, "secret"), 6u);
    FailureOf(*pair.server_socket);
    FailureOf(*pair.client_socket);
    EXPECT_FALSE(pair.client_socket->established());
  }
  TlsPair pair(files_.Settings(), none, files_);
  Shake(*pair.client_socket, *pair.server_socket);
  const std::string garbage(64, 'x');
  const std::string_view damage = garbage;
  static_cast<void>(pair.server_socket->carrier().Write(std::span(&damage, 1)).ok());
  FailureOf(*pair.client_socket);
  EXPECT_TRUE(pair.client_socket->established());  // this is another matter
}

}  // namespace

}  // namespace luna::tls
