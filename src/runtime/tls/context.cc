#include "runtime/tls/context.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <ctime>
#include <limits>

#include "base/assert.h"
#include "base/try.h"
#include "runtime/tls/tls_socket.h"

namespace luna::tls {

namespace {

struct Freed {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Bio = std::unique_ptr<BIO, Freed>;
using Certificate = std::unique_ptr<X509, Freed>;
using Key = std::unique_ptr<EVP_PKEY, Freed>;

Result<std::string> ReadPem(runtime::Runtime& runtime, const std::string& file,
                            const std::string& what) {
  auto read = runtime::ReadFile(runtime.files(), file);
  if (!read.ok()) {
    return Error(Reason::kBadOption, "cannot read the " + what + " '" + file +
                                         "': " + read.error().message() +
                                         "; correct the path, or let this user read it");
  }
  if (read->size() > static_cast<size_t>(std::numeric_limits<int>::max())) {
    return Error(Reason::kBadOption, "the " + what + " '" + file + "' is too large to be one");
  }
  return read;
}

Bio BioOf(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// A key that asks for a passphrase gets none.
int NoPassphrase(char* /*to*/, int /*size*/, int /*writing*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

Result<std::vector<Certificate>> ReadCertificates(runtime::Runtime& runtime,
                                                  const std::string& file,
                                                  const std::string& what) {
  const std::string text = TRY(ReadPem(runtime, file, what));
  const Bio bio = BioOf(text);
  std::vector<Certificate> certificates;
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back(certificate);
  }
  const unsigned long end = ERR_peek_last_error();
  ERR_clear_error();
  if (certificates.empty() || ERR_GET_REASON(end) != PEM_R_NO_START_LINE) {
    return Error(Reason::kBadOption,
                 "the " + what + " '" + file +
                     "' is not in PEM form or damaged; it must hold BEGIN CERTIFICATE … END "
                     "CERTIFICATE and nothing that is not whole");
  }
  return certificates;
}

std::string DateOf(const ASN1_TIME* time) {
  const Bio bio(BIO_new(BIO_s_mem()));
  ASN1_TIME_print(bio.get(), time);
  char* text = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<size_t>(size)};
}

// "" if the certificate is valid now.
std::string DatesWarning(const X509* certificate, const std::string& file, uint64_t now_millis) {
  auto now = static_cast<time_t>(now_millis / 1000);
  const ASN1_TIME* from = X509_get0_notBefore(certificate);
  const ASN1_TIME* until = X509_get0_notAfter(certificate);
  if (X509_cmp_time(until, &now) < 0) {
    return "the certificate '" + file + "' expired on " + DateOf(until) +
           ": the other side will refuse it; renew it, then reload";
  }
  if (X509_cmp_time(from, &now) > 0) {
    return "the certificate '" + file + "' is not valid before " + DateOf(from) +
           ": the other side will refuse it; check the clock";
  }
  return {};
}

}  // namespace

Context::Context(bool server)
    : server_(server),
      context_(SSL_CTX_new(server ? TLS_server_method() : TLS_client_method())),
      method_(NewSocketMethod()) {
  LUNA_ASSERT(context_ != nullptr && method_ != nullptr);
  constexpr std::string_view kName = "luna";
  SSL_CTX_set_min_proto_version(context_, TLS1_2_VERSION);
  SSL_CTX_set_options(context_, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                    SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(context_, 0);
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_session_id_context(context_, reinterpret_cast<const unsigned char*>(kName.data()),
                                 kName.size());
  // An idle connection keeps no record buffers, and a record is read by one call.
  SSL_CTX_set_mode(context_, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context_, 1);
}

Context::~Context() {
  SSL_CTX_free(context_);
  BIO_meth_free(method_);
}

Status Context::UseCertificate(runtime::Runtime& runtime, const TlsSettings& settings) {
  auto chain = TRY(ReadCertificates(runtime, settings.certificate_file, "certificate"));
  if (SSL_CTX_use_certificate(context_, chain.front().get()) != 1) {
    ERR_clear_error();
    return Error(Reason::kBadOption, "the certificate '" + settings.certificate_file +
                                         "' has a key that is too weak or of an unknown kind; make "
                                         "one of 2048 bits RSA or prime256v1");
  }
  for (size_t i = 1; i < chain.size(); ++i) {
    SSL_CTX_add1_chain_cert(context_, chain[i].get());
  }
  for (const Certificate& certificate : chain) {
    if (std::string warning = DatesWarning(certificate.get(), settings.certificate_file,
                                           runtime.clock().WallMillis());
        !warning.empty()) {
      warnings_.push_back(std::move(warning));
    }
  }
  return UseKey(runtime, settings);
}

Status Context::UseKey(runtime::Runtime& runtime, const TlsSettings& settings) {
  const std::string text = TRY(ReadPem(runtime, settings.key_file, "private key"));
  const Bio bio = BioOf(text);
  bool encrypted = false;
  const Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, &NoPassphrase, &encrypted));
  ERR_clear_error();
  const std::string start = "the private key '" + settings.key_file + "' ";
  if (encrypted) {
    return Error(Reason::kBadOption,
                 start +
                     "has a passphrase, which nobody could type here; take it off: openssl "
                     "pkey -in OLD -out NEW");
  }
  if (key == nullptr) {
    return Error(Reason::kBadOption, start +
                                         "is not in PEM form or damaged; it must hold BEGIN "
                                         "PRIVATE KEY … END PRIVATE KEY");
  }
  if (SSL_CTX_use_PrivateKey(context_, key.get()) != 1 ||
      SSL_CTX_check_private_key(context_) != 1) {
    ERR_clear_error();
    return Error(Reason::kBadOption, start + "does not belong to the certificate '" +
                                         settings.certificate_file +
                                         "'; give the key it was made with");
  }
  return {};
}

Status Context::Trust(runtime::Runtime& runtime, const std::string& file) {
  const auto trusted = TRY(ReadCertificates(runtime, file, "file of trusted certificates"));
  for (const Certificate& certificate : trusted) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context_), certificate.get());
    if (server_) {
      SSL_CTX_add_client_CA(context_, certificate.get());
    }
  }
  ERR_clear_error();
  return {};
}

Result<std::shared_ptr<const Context>> Context::ForServer(runtime::Runtime& runtime,
                                                          const TlsSettings& settings) {
  if (settings.certificate_file.empty() || settings.key_file.empty()) {
    return Error(Reason::kBadOption,
                 "a server that speaks TLS needs a certificate and its private key; set tls-cert "
                 "and tls-key");
  }
  if (settings.client_auth != ClientAuth::kNo && settings.ca_file.empty()) {
    return Error(Reason::kBadOption,
                 "clients are to show certificates, but nobody is trusted to have signed them; "
                 "set tls-ca");
  }
  const std::shared_ptr<Context> context(new Context(true));
  TRY(context->UseCertificate(runtime, settings));
  if (!settings.ca_file.empty()) {
    TRY(context->Trust(runtime, settings.ca_file));
  }
  int verify = SSL_VERIFY_NONE;
  if (settings.client_auth != ClientAuth::kNo) {
    verify = SSL_VERIFY_PEER;
    verify |= settings.client_auth == ClientAuth::kRequired ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  }
  SSL_CTX_set_verify(context->context_, verify, nullptr);
  return std::shared_ptr<const Context>(context);
}

Result<std::shared_ptr<const Context>> Context::ForClient(runtime::Runtime& runtime,
                                                          const TlsSettings& settings) {
  if (settings.certificate_file.empty() != settings.key_file.empty()) {
    return Error(Reason::kBadOption,
                 "a client's certificate and its private key go together; set both tls-cert and "
                 "tls-key, or neither");
  }
  const std::shared_ptr<Context> context(new Context(false));
  if (!settings.certificate_file.empty()) {
    TRY(context->UseCertificate(runtime, settings));
  }
  if (settings.ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(context->context_);
    ERR_clear_error();
  } else {
    TRY(context->Trust(runtime, settings.ca_file));
  }
  SSL_CTX_set_verify(context->context_, SSL_VERIFY_PEER, nullptr);
  return std::shared_ptr<const Context>(context);
}

}  // namespace luna::tls
