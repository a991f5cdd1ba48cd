// Context: what one side of TLS connections shares: its certificate and key, whom it trusts, and
// the versions it speaks (TLS 1.2 and 1.3). Made from PEM files, once; to change them make another.
// Neither sessions nor tickets are kept: every connection shakes hands in full.
// Thread rule: immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "luna/status.h"
#include "runtime/runtime.h"

struct ssl_ctx_st;
struct bio_method_st;

namespace luna::tls {

// Whether a server asks its clients for a certificate.
enum class ClientAuth : uint8_t { kNo, kOptional, kRequired };

// Paths of PEM files; "" = none.
struct TlsSettings {
  std::string certificate_file = {};  // one's own first, then those that lead to the root
  std::string key_file = {};          // of the first certificate, without a passphrase
  std::string ca_file =
      {};  // whose certificates are trusted; none: a client trusts the system's store
  ClientAuth client_auth = ClientAuth::kNo;
};

class Context {
 public:
  // kBadOption: a file that cannot be read, is not PEM, a key of another certificate, no
  // certificate, or clients to be asked and no ca_file. The message names file and remedy.
  static Result<std::shared_ptr<const Context>> ForServer(runtime::Runtime& runtime,
                                                          const TlsSettings& settings);
  // The certificate, if one is given, is shown to servers that ask.
  static Result<std::shared_ptr<const Context>> ForClient(runtime::Runtime& runtime,
                                                          const TlsSettings& settings);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  ssl_ctx_st* get() const { return context_; }
  const bio_method_st* method() const { return method_; }  // of sockets' bytes
  // What is not wrong but will be: certificates that expired, or are not valid yet.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  explicit Context(bool server);
  Status UseCertificate(runtime::Runtime& runtime, const TlsSettings& settings);
  Status UseKey(runtime::Runtime& runtime, const TlsSettings& settings);
  Status Trust(runtime::Runtime& runtime, const std::string& file);

  const bool server_;
  ssl_ctx_st* const context_;
  bio_method_st* const method_;
  std::vector<std::string> warnings_;
};

}  // namespace luna::tls
