// TlsSocket: TLS over any Socket. The handshake happens within Read and Write, so neither waits.
// OpenSSL reads from and writes to the carrier directly: what it holds is at most one record each
// way, and nothing while the connection is idle.
//
// A record that the carrier took in part is counted by the Write that sends its rest. A Read that
// filled all it was offered may leave bytes in OpenSSL: the Poller that watches then reports
// `readable`, see TlsPoller. A peer that closes without saying so in TLS has ended all the same:
// what is said over this carries its own lengths.
// Thread rule: owned by one thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "runtime/network.h"
#include "runtime/tls/context.h"

struct ssl_st;

namespace luna::tls {

// How OpenSSL moves bytes of a TlsSocket's carrier. The caller's.
bio_method_st* NewSocketMethod();

class TlsSocket final : public runtime::Socket {
 public:
  // The server's side.
  TlsSocket(std::shared_ptr<const Context> context, std::unique_ptr<runtime::Socket> carrier);
  // The client's side; the peer's certificate must be one for `host`, a name or an IP address.
  TlsSocket(std::shared_ptr<const Context> context, std::unique_ptr<runtime::Socket> carrier,
            const std::string& host);
  // Says the end to the peer if that does not take waiting.
  ~TlsSocket() override;

  // kIoError, too: no handshake, a certificate that is not trusted, bytes that are no TLS. An empty
  // `into` only gets on with the handshake.
  Result<runtime::Transfer> Read(std::span<char> into) override;
  Result<runtime::Transfer> Write(std::span<const std::string_view> parts) override;
  void FinishWrites() override;
  const std::string& peer() const override { return carrier_->peer(); }
  const std::string& local() const override { return carrier_->local(); }
  runtime::Socket& carrier() override { return *carrier_; }
  // Not any more once the peer refused this side's certificate: in TLS 1.3 it does so after this
  // side took the handshake for done, and looked at nothing of what was written since.
  bool established() const override;

  // What the carrier reports means to the owner: a Read may wait for room to write, a Write for
  // bytes to come.
  void Translate(runtime::Ready& ready) const;
  // Bytes came that the carrier will not report again.
  bool holds_bytes() const;
  uint64_t tag = 0;  // the poller's

  // OpenSSL's: moves bytes of the carrier; how many, or -1: not now (`again`), or never.
  int Pull(char* to, int size, bool& again);
  int Push(const char* from, int size, bool& again);

 private:
  static constexpr size_t kRecordBytes = 16384;

  void Begin();
  Error Broken();
  Result<runtime::Transfer> Shake();

  const std::shared_ptr<const Context> context_;
  const std::unique_ptr<runtime::Socket> carrier_;
  ssl_st* const ssl_;
  std::optional<Error> failure_;  // the connection is lost
  bool carrier_empty_ = false;    // in this Read: it gave less than was asked for
  bool delivered_ = false;        // this Read has bytes for its caller
  bool carrier_ended_ = false;    // the peer sends no more
  bool carrier_gone_ = false;     // nobody takes bytes any more
  bool read_wants_write_ = false;
  bool write_wants_read_ = false;
  bool finished_ = false;             // the end was said, or need not be
  bool refused_ = false;              // for its certificate
  mutable bool established_ = false;  // as far as was seen
};

}  // namespace luna::tls
