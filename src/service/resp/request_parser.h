// RequestParser: bytes of a client in, requests out. Takes the array form (*2\r\n$3\r\nGET\r\n...)
// and the inline form (a line of words, with quotes and escapes as in redis-cli). Incremental and
// bounded: a bulk is received straight into its place, nothing is parsed twice, and memory grows
// with what was received, not with what a header promised.
// Thread rule: owned by one thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "luna/status.h"
#include "service/resp/protocol.h"

namespace luna::resp {

class RequestParser {
 public:
  explicit RequestParser(Limits limits = {});

  void set_limits(Limits limits) { limits_ = limits; }

  // Where the next bytes go: at least 1 byte, more when the rest of a large bulk is awaited. The
  // arguments of requests taken before stay valid until this call.
  std::span<char> Room();
  // The first `bytes` of Room() were filled.
  void Filled(size_t bytes);

  // The next whole request into `arguments` (never empty; views valid until Room()). False: more
  // bytes are needed. Empty lines and empty arrays are skipped, as Redis does. An error (kBadInput)
  // has Redis' words after "Protocol error: " ("invalid bulk length", "unbalanced quotes in
  // request", "too big inline request", "expected '$', got 'x'"), is final, and the connection is
  // to be closed after it was sent.
  Result<bool> Next(std::vector<std::string_view>& arguments);

  // Bytes received and not yet taken, and the room for them.
  size_t buffered() const;
  size_t capacity() const;

 private:
  Limits limits_;
  std::string buffer_;
  size_t begin_ = 0;  // of what is not taken yet
  size_t end_ = 0;    // of what was received
};

}  // namespace luna::resp
