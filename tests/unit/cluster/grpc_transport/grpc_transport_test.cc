#include "cluster/grpc_transport/grpc_transport.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "support/certificate_files.h"

namespace luna::grpc_transport {
namespace {

using transport::Port;
using transport::Transport;

constexpr uint64_t kSecond = 1'000'000'000;

class Ready final : public transport::Service {
 public:
  Result<wire::Reply> Handle(const wire::Request& /*request*/, uint64_t /*budget*/) override {
    return wire::Reply(wire::PrepareReply{.applied = 1, .ready = true});
  }
};

class GrpcTransport : public testing::Test {
 protected:
  GrpcSettings Settings() const {
    return {.ca_file = files_.Path("ca.pem"),
            .certificate_file = files_.Path("server.pem"),
            .key_file = files_.Path("server.key")};
  }
  Result<std::unique_ptr<Transport>> Open(const GrpcSettings& settings) {
    return OpenGrpcTransport(files_.runtime(), settings);
  }
  // What a client with one set of files hears from a server with another.
  Result<wire::Reply> Ask(const GrpcSettings& client, const GrpcSettings& server) {
    const auto listening = Open(server).value();
    const auto port = listening->Listen("localhost:0", ready_).value();
    return Open(client).value()->Call(port->address(), wire::Prepare{}, 5 * kSecond);
  }
  void ExpectBadOption(const GrpcSettings& settings, const std::string& part) {
    const auto opened = Open(settings);
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().reason(), Reason::kBadOption);
    EXPECT_NE(opened.error().message().find(part), std::string::npos) << opened.error().message();
  }
  static void ExpectUnreachable(const Result<wire::Reply>& reply, const std::string& part = "") {
    ASSERT_FALSE(reply.ok());
    EXPECT_EQ(reply.error().reason(), Reason::kUnreachable) << reply.error().ToString();
    EXPECT_NE(reply.error().message().find(part), std::string::npos) << reply.error().message();
    EXPECT_NE(reply.error().message().find("peer-tls-ca"), std::string::npos);
  }

  support::CertificateFiles files_;
  Ready ready_;
};

TEST_F(GrpcTransport, BothSidesTrustTheSameAuthority) {
  EXPECT_TRUE(Ask(Settings(), Settings()).ok());
}

TEST_F(GrpcTransport, ServersOfAnotherAuthorityAreNotTrusted) {
  files_.Write("other.pem", support::kOtherAuthority);
  files_.Write("other.key", support::kOtherKey);
  GrpcSettings other = Settings();
  other.ca_file = files_.Path("other.pem");
  ExpectUnreachable(Ask(other, Settings()), "certificate verify failed");
}

TEST_F(GrpcTransport, ClientsOfAnotherAuthorityAreNotAnswered) {
  files_.Write("other.pem", support::kOtherAuthority);
  files_.Write("other.key", support::kOtherKey);
  GrpcSettings other = Settings();
  other.certificate_file = files_.Path("other.pem");
  other.key_file = files_.Path("other.key");
  ExpectUnreachable(Ask(other, Settings()));
}

TEST_F(GrpcTransport, ExpiredCertificatesAreNotTrusted) {
  files_.Write("expired.pem", support::kExpired);
  GrpcSettings expired = Settings();
  expired.certificate_file = files_.Path("expired.pem");
  ExpectUnreachable(Ask(Settings(), expired), "certificate verify failed");
  ExpectUnreachable(Ask(expired, Settings()));
}

TEST_F(GrpcTransport, PlainAndTlsDoNotMeet) {
  ExpectUnreachable(Ask(Settings(), {}));
  ExpectUnreachable(Ask({}, Settings()));
}

TEST_F(GrpcTransport, CertificatesAreForAllOrNone) {
  for (int missing = 0; missing < 3; ++missing) {
    GrpcSettings settings = Settings();
    (missing == 0   ? settings.ca_file
     : missing == 1 ? settings.certificate_file
                    : settings.key_file)
        .clear();
    ExpectBadOption(settings, "need one another");
  }
}

TEST_F(GrpcTransport, FilesThatDoNotFitAreNamed) {
  GrpcSettings settings = Settings();
  settings.ca_file = files_.Path("nowhere.pem");
  ExpectBadOption(settings, "nowhere.pem");
  settings = Settings();
  files_.Write("other.key", support::kOtherKey);
  settings.key_file = files_.Path("other.key");
  ExpectBadOption(settings, "other.key");
}

TEST_F(GrpcTransport, OtherMachinesAreReachedWithTlsOnly) {
  const auto plain = Open({}).value();
  for (const std::string address : {"0.0.0.0:0", "10.1.2.3:7", "db.example:7", "127.example:7"}) {
    const auto port = plain->Listen(address, ready_);
    ASSERT_FALSE(port.ok());
    EXPECT_EQ(port.error().reason(), Reason::kBadOption);
    EXPECT_NE(port.error().message().find(address), std::string::npos);
    EXPECT_EQ(plain->Call(address, wire::Prepare{}, kSecond).error().reason(), Reason::kBadOption);
  }
  EXPECT_TRUE(Open(Settings()).value()->Listen("0.0.0.0:0", ready_).ok());
}

TEST_F(GrpcTransport, AddressesAreNothingButHostAndPort) {
  const auto plain = Open({}).value();
  EXPECT_EQ(plain->Call("unix:/tmp/x:1", wire::Prepare{}, kSecond).error().reason(),
            Reason::kBadOption);
}

}  // namespace
}  // namespace luna::grpc_transport
