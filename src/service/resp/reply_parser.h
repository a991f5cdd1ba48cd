// ReplyParser: replies of a server as values, for clients. RESP2 and RESP3, incremental, bounded
// depth.
// Thread rule: owned by one thread; Reply is a plain value.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "luna/status.h"

namespace luna::resp {

struct Reply {
  enum class Kind : uint8_t {
    kSimple, kError, kInteger, kBulk, kNull, kArray, kMap, kSet, kDouble, kBoolean, kVerbatim,
    kBigNumber, kPush
  };
  Kind kind = Kind::kNull;
  std::string text;             // simple, error, bulk, verbatim (without "txt:"), big number
  int64_t integer = 0;          // integer, boolean
  double number = 0;            // double
  std::vector<Reply> elements;  // array, set, push; of a map keys and values in turn

  bool failed() const { return kind == Kind::kError; }
};

class ReplyParser {
 public:
  void Feed(std::string_view bytes);
  // The next whole reply; nothing: more bytes are needed. kBadInput: this is no RESP.
  Result<std::optional<Reply>> Next();

 private:
  std::string buffer_;
  size_t begin_ = 0;
};

// A request in the array form.
std::string Request(std::span<const std::string_view> arguments);

}  // namespace luna::resp
