// RESP, the protocol of Redis, versions 2 and 3: https://redis.io/docs/reference/protocol-spec.
// Thread rule: plain values.
#pragma once

#include <cstddef>
#include <cstdint>

namespace luna::resp {

enum class Version : uint8_t { k2 = 2, k3 = 3 };

// What a request may hold at most; more is a protocol error. Redis' values.
struct Limits {
  size_t bulk_bytes = size_t{512} << 20;   // proto-max-bulk-len
  size_t arguments = size_t{1} << 20;      // of one request
  size_t inline_bytes = size_t{64} << 10;  // a line of the inline form, and any length line
  size_t request_bytes = size_t{1} << 30;  // a whole request (client-query-buffer-limit)
  bool authenticated = true;               // false: errors say so

  // Before a client has authenticated.
  static constexpr Limits Unauthenticated() {
    return {.bulk_bytes = 16 << 10,
            .arguments = 10,
            .inline_bytes = size_t{64} << 10,
            .request_bytes = size_t{1} << 20,
            .authenticated = false};
  }
};

}  // namespace luna::resp
