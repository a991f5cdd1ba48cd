#include "runtime/tls/secrets.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>

#include "base/assert.h"
#include "base/text.h"

namespace luna::tls {

std::string Sha256Hex(std::string_view bytes) {
  constexpr size_t kDigestBytes = 32;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest = {};
  unsigned int size = 0;
  const int made =
      EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
  LUNA_ASSERT(made == 1 && size == kDigestBytes);
  return base::Hex({reinterpret_cast<const char*>(digest.data()), size});
}

bool IsSameSecret(std::string_view one, std::string_view other) {
  return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

std::string RandomHex(size_t digits) {
  std::string bytes((digits + 1) / 2, '\0');
  const int made =
      RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  LUNA_ASSERT(made == 1);  // without random numbers there are no secrets
  std::string text = base::Hex(bytes);
  text.resize(digits);
  return text;
}

}  // namespace luna::tls
