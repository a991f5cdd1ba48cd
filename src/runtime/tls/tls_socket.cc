#include "runtime/tls/tls_socket.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/assert.h"

namespace luna::tls {

namespace {

int ReadCarrier(BIO* bio, char* to, int size) {
  BIO_clear_retry_flags(bio);
  bool again = false;
  const int moved = static_cast<TlsSocket*>(BIO_get_data(bio))->Pull(to, size, again);
  if (again) {
    BIO_set_retry_read(bio);
  }
  return moved;
}

int WriteCarrier(BIO* bio, const char* from, int size) {
  BIO_clear_retry_flags(bio);
  bool again = false;
  const int moved = static_cast<TlsSocket*>(BIO_get_data(bio))->Push(from, size, again);
  if (again) {
    BIO_set_retry_write(bio);
  }
  return moved;
}

// OpenSSL asks to flush, which there is nothing to do for, and about things a socket has not.
long ControlCarrier(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

bool IsIpAddress(const std::string& host) {
  ASN1_OCTET_STRING* parsed = a2i_IPADDRESS(host.c_str());
  ASN1_OCTET_STRING_free(parsed);
  ERR_clear_error();
  return parsed != nullptr;
}

// What a peer says of a certificate that it does not accept, or misses. It says so before it takes
// the handshake for done.
bool IsAboutCertificate(unsigned long code) {
  switch (ERR_GET_REASON(code)) {
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
      return true;
    default:
      return false;
  }
}

// The piece that starts `offset` bytes into the parts: as it lies there if it is long enough for a
// record or the last, else joined with what follows. Never shorter for the same offset when bytes
// are added at the end, which OpenSSL relies on.
std::string_view PieceAt(std::span<const std::string_view> parts, size_t offset,
                         std::span<char> room) {
  size_t i = 0;
  while (i < parts.size() && offset >= parts[i].size()) {
    offset -= parts[i++].size();
  }
  if (i == parts.size()) {
    return {};
  }
  if (i + 1 == parts.size() || parts[i].size() - offset >= room.size()) {
    return parts[i].substr(offset, room.size());
  }
  size_t filled = 0;
  for (; i < parts.size() && filled < room.size(); ++i) {
    const std::string_view more =
        parts[i].substr(std::exchange(offset, 0)).substr(0, room.size() - filled);
    std::memcpy(room.data() + filled, more.data(), more.size());
    filled += more.size();
  }
  return {room.data(), filled};
}

}  // namespace

bio_method_st* NewSocketMethod() {
  BIO_METHOD* method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "luna socket");
  if (method != nullptr) {
    BIO_meth_set_read(method, &ReadCarrier);
    BIO_meth_set_write(method, &WriteCarrier);
    BIO_meth_set_ctrl(method, &ControlCarrier);
  }
  return method;
}

TlsSocket::TlsSocket(std::shared_ptr<const Context> context,
                     std::unique_ptr<runtime::Socket> carrier)
    : context_(std::move(context)), carrier_(std::move(carrier)), ssl_(SSL_new(context_->get())) {
  Begin();
  SSL_set_accept_state(ssl_);
}

TlsSocket::TlsSocket(std::shared_ptr<const Context> context,
                     std::unique_ptr<runtime::Socket> carrier, const std::string& host)
    : context_(std::move(context)), carrier_(std::move(carrier)), ssl_(SSL_new(context_->get())) {
  Begin();
  SSL_set_connect_state(ssl_);
  if (IsIpAddress(host)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_), host.c_str());
  } else {
    SSL_set_hostflags(ssl_, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    SSL_set1_host(ssl_, host.c_str());
    SSL_set_tlsext_host_name(ssl_, host.c_str());
  }
}

void TlsSocket::Begin() {
  LUNA_ASSERT(ssl_ != nullptr);
  BIO* bio = BIO_new(context_->method());
  LUNA_ASSERT(bio != nullptr);
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
}

TlsSocket::~TlsSocket() {
  if (!finished_ && !failure_ && !carrier_gone_ && established()) {
    SSL_shutdown(ssl_);
  }
  ERR_clear_error();
  SSL_free(ssl_);
}

bool TlsSocket::established() const {
  // OpenSSL takes a connection that broke for one that has not begun.
  established_ = established_ || SSL_is_init_finished(ssl_) == 1;
  return established_ && !refused_;
}

bool TlsSocket::holds_bytes() const {
  return SSL_has_pending(ssl_) == 1;
}

void TlsSocket::Translate(runtime::Ready& ready) const {
  const bool readable = ready.readable || (ready.writable && read_wants_write_);
  ready.writable = ready.writable || (ready.readable && write_wants_read_);
  ready.readable = readable;
}

int TlsSocket::Pull(char* to, int size, bool& again) {
  again = true;
  // Who got something is told when more comes; who got nothing must have seen that there is
  // nothing.
  if (carrier_ended_ || (carrier_empty_ && delivered_)) {
    return -1;
  }
  const auto read = carrier_->Read(std::span(to, static_cast<size_t>(size)));
  if (!read.ok()) {
    failure_ = read.error();
    again = false;
    return -1;
  }
  carrier_ended_ = read->ended;
  carrier_empty_ = read->bytes < static_cast<size_t>(size);
  return read->bytes > 0 ? static_cast<int>(read->bytes) : -1;
}

int TlsSocket::Push(const char* from, int size, bool& again) {
  const std::string_view bytes(from, static_cast<size_t>(size));
  const auto written = carrier_->Write(std::span(&bytes, 1));
  if (!written.ok()) {
    failure_ = written.error();
  } else if (written->ended) {
    carrier_gone_ = true;
  } else if (written->bytes == 0) {
    again = true;
  }
  return written.ok() && written->bytes > 0 ? static_cast<int>(written->bytes) : -1;
}

Error TlsSocket::Broken() {
  if (!failure_) {
    const unsigned long code = ERR_peek_error();
    const char* words = ERR_reason_error_string(code);
    const long verified = SSL_get_verify_result(ssl_);
    std::string text = "TLS with " + peer() + ": ";
    if (verified != X509_V_OK) {
      text += "its certificate is not trusted: ";
      text += X509_verify_cert_error_string(verified);
      text += "; name who signed it with tls-ca, or connect to the name it was made for";
    } else if (ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER ||
               ERR_GET_REASON(code) == SSL_R_HTTP_REQUEST) {
      text += "what it sent is no TLS; connect to its port for TLS";
    } else {
      refused_ = IsAboutCertificate(code);
      text += words != nullptr ? words : "the handshake was broken off";
      text += "; check certificates and versions on both sides";
    }
    failure_ = Error(Reason::kIoError, text);
  }
  ERR_clear_error();
  return *failure_;
}

Result<runtime::Transfer> TlsSocket::Shake() {
  runtime::Transfer transfer;
  if (!established()) {
    ERR_clear_error();
    const int done = SSL_do_handshake(ssl_);
    const int error = SSL_get_error(ssl_, done);
    read_wants_write_ = error == SSL_ERROR_WANT_WRITE;
    transfer.ended = carrier_ended_ || carrier_gone_;
    if (done != 1 && error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE &&
        !transfer.ended) {
      return Broken();
    }
  }
  return transfer;
}

Result<runtime::Transfer> TlsSocket::Read(std::span<char> into) {
  if (failure_) {
    return *failure_;
  }
  carrier_empty_ = false;
  delivered_ = false;
  read_wants_write_ = false;
  if (into.empty()) {
    return Shake();
  }
  runtime::Transfer transfer;
  while (transfer.bytes < into.size()) {
    ERR_clear_error();
    delivered_ = transfer.bytes > 0;
    size_t got = 0;
    if (SSL_read_ex(ssl_, into.data() + transfer.bytes, into.size() - transfer.bytes, &got) == 1) {
      transfer.bytes += got;
      continue;
    }
    const int error = SSL_get_error(ssl_, 0);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
      read_wants_write_ = error == SSL_ERROR_WANT_WRITE;
      transfer.ended = carrier_ended_;
      return transfer;
    }
    // Who takes no bytes any more may have said why.
    if (error == SSL_ERROR_ZERO_RETURN || (carrier_gone_ && error != SSL_ERROR_SSL)) {
      transfer.ended = true;
      return transfer;
    }
    const Error broken = Broken();
    if (transfer.bytes == 0) {
      return broken;
    }
    transfer.ended = true;  // what came before the damage was whole; nothing follows it
    return transfer;
  }
  return transfer;
}

Result<runtime::Transfer> TlsSocket::Write(std::span<const std::string_view> parts) {
  if (failure_) {
    return *failure_;
  }
  delivered_ = false;
  write_wants_read_ = false;
  runtime::Transfer transfer;
  std::array<char, kRecordBytes> room;
  while (true) {
    const std::string_view piece = PieceAt(parts, transfer.bytes, room);
    if (piece.empty()) {
      return transfer;
    }
    ERR_clear_error();
    size_t done = 0;
    if (SSL_write_ex(ssl_, piece.data(), piece.size(), &done) == 1) {
      transfer.bytes += done;
      continue;
    }
    const int error = SSL_get_error(ssl_, 0);
    if (carrier_gone_ || (error == SSL_ERROR_WANT_READ && carrier_ended_)) {
      transfer.ended = true;
      return transfer;
    }
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
      write_wants_read_ = error == SSL_ERROR_WANT_READ;
      return transfer;
    }
    return Broken();
  }
}

void TlsSocket::FinishWrites() {
  if (!std::exchange(finished_, true) && !failure_ && established()) {
    SSL_shutdown(ssl_);
    ERR_clear_error();
  }
  carrier_->FinishWrites();
}

}  // namespace luna::tls
