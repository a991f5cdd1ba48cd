// RequestParser: bytes of a client in, requests out. Takes the array form (*2\r\n$3\r\nGET\r\n...)
// and the inline form (a line of words, with quotes and escapes as in redis-cli). Incremental and
// bounded: a bulk is received straight into its place, nothing is parsed twice, and memory grows
// with what was received, not with what a header promised.
// Thread rule: owned by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
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
  // Bytes that somebody else received; as any number of Room() and Filled().
  void Feed(std::string_view bytes);

  // The next whole request into `arguments` (never empty; views valid until Room()). False: more
  // bytes are needed. Empty lines and empty arrays are skipped, as Redis does. An error (kBadInput)
  // has Redis' words after "Protocol error: " ("invalid bulk length", "unbalanced quotes in
  // request", "too big inline request", "expected '$', got 'x'"), is final, and the connection is
  // to be closed after it was sent.
  Result<bool> Next(std::vector<std::string_view>& arguments);

  // Looks ahead, behind a whole request or before the first: of the requests of two words that
  // follow, were received whole and in the array form, and begin with the word `name` as it is, the
  // second words; up to the first that is something else, and at most `most`. Appends them to
  // `seconds`. Takes nothing and judges nothing.
  void Ahead(std::string_view name, size_t most, std::vector<std::string_view>& seconds) const;

  // Gives the room back while nothing is buffered; the next Room() makes a new one. As Room(), it
  // ends the arguments of requests taken before.
  void Release();

  // What was received and not yet taken, after a whole request; valid until Room().
  std::string_view Rest() const { return {buffer_.get() + begin_, end_ - begin_}; }

  // Bytes received and not yet taken, and the room for them.
  size_t buffered() const { return end_ - begin_; }
  size_t capacity() const { return capacity_; }

 private:
  // An argument of the request that is being received; from begin_ on.
  struct Piece {
    size_t offset = 0;
    size_t length = 0;
  };
  enum class Step : uint8_t { kMore, kDone, kFailed };

  Step ReadArray();
  Step ReadBulk();
  Step ReadInline();
  // The number in the line at cursor_, behind its first byte; `end` is where the next line begins.
  Step ReadLength(std::string_view too_long, std::string_view invalid, int64_t& length,
                  size_t& end);
  Step ReadLongLength(std::string_view too_long, std::string_view invalid, int64_t& length,
                      size_t& end);
  bool SplitLine(size_t length);
  Step Fail(std::string_view what);
  void FinishRequest(size_t length);
  void Reallocate(size_t capacity);

  static constexpr size_t kUnknown = ~size_t{0};

  Limits limits_;
  std::unique_ptr<char[]> buffer_;
  size_t capacity_ = 0;
  size_t begin_ = 0;  // of what is not taken yet: the request that is being received
  size_t end_ = 0;    // of what was received
  // Of that request, all offsets from begin_ on: how far it was read, how many arguments are still
  // to come, the length of the one at the cursor if its header was read.
  size_t cursor_ = 0;
  size_t missing_ = 0;
  size_t bulk_ = kUnknown;
  size_t searched_ = 0;  // no line end up to here, from the cursor on
  std::vector<Piece> pieces_;
  std::optional<Error> failure_;
};

}  // namespace luna::resp
