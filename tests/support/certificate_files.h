// CertificateFiles: the tests' certificates as files in a directory of their own.
// Thread rule: owned by one thread.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "runtime/posix/posix_runtime.h"
#include "runtime/tls/context.h"
#include "support/certificates.h"

namespace luna::support {

class CertificateFiles {
 public:
  CertificateFiles() : runtime_(posix::NewPosixRuntime()) {
    directory_ = testing::TempDir() + "luna-tls-" + std::to_string(runtime_->random().Next());
    runtime_->files().CreateDirectories(directory_).value();
    Write("server.pem", kServer);
    Write("server.key", kServerKey);
    Write("ca.pem", kAuthority);
  }
  ~CertificateFiles() {
    const auto names = runtime_->files().List(directory_);
    for (const std::string& name : names.ok() ? names.value() : std::vector<std::string>()) {
      EXPECT_TRUE(runtime_->files().Remove(Path(name)).ok());
    }
    EXPECT_TRUE(runtime_->files().RemoveDirectory(directory_).ok());
  }
  runtime::Runtime& runtime() { return *runtime_; }
  std::string Path(std::string_view name) const { return runtime::JoinPath(directory_, name); }
  void Write(std::string_view name, std::string_view text) {
    runtime::WriteFileAtomically(runtime_->files(), Path(name), text).value();
  }
  // A server for localhost, and a client that trusts it and may show the same certificate.
  tls::TlsSettings Settings(tls::ClientAuth auth = tls::ClientAuth::kNo) const {
    return {.certificate_file = Path("server.pem"),
            .key_file = Path("server.key"),
            .ca_file = Path("ca.pem"),
            .client_auth = auth};
  }

 private:
  const std::unique_ptr<runtime::Runtime> runtime_;
  std::string directory_;
};

}  // namespace luna::support
