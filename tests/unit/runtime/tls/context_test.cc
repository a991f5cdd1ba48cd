#include "runtime/tls/context.h"

#include <gtest/gtest.h>

#include "support/certificate_files.h"

namespace luna::tls {

namespace {

class ContextTest : public testing::Test {
 protected:
  std::string ServerError(const TlsSettings& settings) {
    const auto made = Context::ForServer(files_.runtime(), settings);
    EXPECT_FALSE(made.ok());
    if (made.ok()) {
      return "";
    }
    EXPECT_EQ(made.error().reason(), Reason::kBadOption);
    return made.error().message();
  }
  void ExpectError(const TlsSettings& settings, const std::string& file, const std::string& words) {
    const std::string message = ServerError(settings);
    EXPECT_NE(message.find(file), std::string::npos) << message;
    EXPECT_NE(message.find(words), std::string::npos) << message;
  }

  support::CertificateFiles files_;
};

TEST_F(ContextTest, GoodFilesMakeBothSidesWithoutWarnings) {
  const auto server = Context::ForServer(files_.runtime(), files_.Settings());
  ASSERT_TRUE(server.ok()) << server.error().message();
  EXPECT_TRUE(server.value()->warnings().empty());
  EXPECT_TRUE(Context::ForServer(files_.runtime(), files_.Settings(ClientAuth::kRequired)).ok());
  EXPECT_TRUE(Context::ForClient(files_.runtime(), files_.Settings()).ok());
  EXPECT_TRUE(Context::ForClient(files_.runtime(), {}).ok());
}

TEST_F(ContextTest, ChainsBesideTheCertificateAreTaken) {
  files_.Write("server.pem", std::string(support::kServer) + std::string(support::kAuthority));
  EXPECT_TRUE(Context::ForServer(files_.runtime(), files_.Settings()).ok());
}

TEST_F(ContextTest, MissingSettingsAreNamed) {
  TlsSettings settings = files_.Settings();
  settings.key_file.clear();
  ExpectError(settings, "tls-key", "needs a certificate");
  EXPECT_FALSE(Context::ForClient(files_.runtime(), settings).ok());
  settings = files_.Settings(ClientAuth::kOptional);
  settings.ca_file.clear();
  ExpectError(settings, "tls-ca", "nobody is trusted");
}

TEST_F(ContextTest, FilesThatAreNotThereAreNamed) {
  for (std::string TlsSettings::*file :
       {&TlsSettings::certificate_file, &TlsSettings::key_file, &TlsSettings::ca_file}) {
    TlsSettings settings = files_.Settings();
    settings.*file = files_.Path("none");
    ExpectError(settings, files_.Path("none"), "cannot read");
  }
}

TEST_F(ContextTest, FilesThatAreNotPemAreNamed) {
  const std::string half(support::kServer.substr(0, support::kServer.size() / 2));
  for (const std::string& text :
       {std::string(), std::string("hello"), half, std::string(support::kServer) + half}) {
    files_.Write("bad", text);
    for (std::string TlsSettings::*file :
         {&TlsSettings::certificate_file, &TlsSettings::key_file, &TlsSettings::ca_file}) {
      TlsSettings settings = files_.Settings();
      settings.*file = files_.Path("bad");
      ExpectError(settings, files_.Path("bad"), "not in PEM form or damaged");
    }
  }
}

TEST_F(ContextTest, KeysOfOthersAndLockedKeysAreRefused) {
  files_.Write("server.key", support::kOtherKey);
  ExpectError(files_.Settings(), files_.Path("server.key"), "does not belong to the certificate");
  files_.Write("server.key", support::kLockedKey);
  ExpectError(files_.Settings(), files_.Path("server.key"), "has a passphrase");
}

TEST_F(ContextTest, ExpiryIsAWarning) {
  files_.Write("server.pem", support::kExpired);
  const auto server = Context::ForServer(files_.runtime(), files_.Settings());
  ASSERT_TRUE(server.ok()) << server.error().message();
  ASSERT_EQ(server.value()->warnings().size(), 1u);
  const std::string& warning = server.value()->warnings().front();
  EXPECT_NE(warning.find("expired on Jan  1 00:00:00 2021"), std::string::npos) << warning;
}

}  // namespace

}  // namespace luna::tls
