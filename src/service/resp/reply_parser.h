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
    kSimple,
    kError,
    kInteger,
    kBulk,
    kNull,
    kArray,
    kMap,
    kSet,
    kDouble,
    kBoolean,
    kVerbatim,
    kBigNumber,
    kPush
  };
  Kind kind = Kind::kNull;
  std::string text;             // simple, error, bulk, verbatim (without "txt:"), big number
  int64_t integer = 0;          // integer, boolean
  double number = 0;            // double
  std::vector<Reply> elements;  // array, set, push; of a map keys and values in turn

  bool failed() const { return kind == Kind::kError; }
};

// Takes what Redis sends: 512 MiB a bulk, lines of 1 MiB, 64 levels. Attributes are skipped.
class ReplyParser {
 public:
  void Feed(std::string_view bytes);
  // The next whole reply; nothing: more bytes are needed. kBadInput: this is no RESP; final.
  Result<std::optional<Reply>> Next();
  // What was fed and belongs to no reply yet, after a whole one; it is forgotten here.
  std::string TakeRest();

 private:
  // An aggregate whose elements are still coming.
  struct Open {
    Reply reply;
    size_t missing = 0;
    bool attribute = false;  // is dropped once complete
  };

  // Reads one value or the head of an aggregate; false: more bytes are needed.
  Result<bool> Step();
  Result<bool> ReadBulk(char kind, std::string_view line, size_t behind);
  Status OpenAggregate(char kind, std::string_view line);
  // A value is complete: into its aggregate, or it is the reply.
  void Complete(Reply reply);

  std::string buffer_;
  size_t begin_ = 0;
  std::vector<Open> open_;
  std::optional<Reply> done_;
  std::optional<Error> failure_;
};

// A request in the array form.
std::string Request(std::span<const std::string_view> arguments);

}  // namespace luna::resp
