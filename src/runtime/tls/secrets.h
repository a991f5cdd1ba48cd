// Digests, comparisons and random letters where somebody must not guess.
// Thread rule: pure functions; safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace luna::tls {

// SHA-256 in 64 lower-case hexadecimal digits.
std::string Sha256Hex(std::string_view bytes);
// Equal bytes, in a time that tells only whether the lengths are equal.
bool IsSameSecret(std::string_view one, std::string_view other);
// `digits` random hexadecimal digits that nobody can foresee.
std::string RandomHex(size_t digits);

}  // namespace luna::tls
