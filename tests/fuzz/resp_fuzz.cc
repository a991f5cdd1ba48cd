// Fuzzes the service's parsers. A RequestParser fed in pieces must take the same requests, and fail
// with the same words, as one that gets all at once, and reserve little more than it received; a
// ReplyParser must take the same replies. The first byte seeds the sizes of the pieces.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "service/resp/reply_parser.h"
#include "service/resp/request_parser.h"

namespace {

using namespace luna;
using namespace luna::resp;

// Sizes that follow from a seed; 0: everything at once.
class Pieces {
 public:
  explicit Pieces(uint64_t seed) : state_(seed) {}
  size_t Next(size_t most) {
    if (state_ == 0) {
      return most;
    }
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return std::min<size_t>(most, 1 + (state_ >> 33) % ((state_ >> 60) < 12 ? 8 : 600));
  }

 private:
  uint64_t state_;
};

// All requests and the error, as text that tells them apart.
std::string Requests(std::string_view bytes, Limits limits, uint64_t seed) {
  RequestParser parser(limits);
  Pieces pieces(seed);
  std::string found;
  std::vector<std::string_view> arguments;
  size_t received = 0;
  while (received < bytes.size()) {
    const std::span<char> room = parser.Room();
    LUNA_ASSERT(!room.empty());
    LUNA_ASSERT(parser.capacity() <= 2 * received + (size_t{1} << 20) + (size_t{16} << 10));
    const size_t part = pieces.Next(std::min(room.size(), bytes.size() - received));
    std::memcpy(room.data(), bytes.data() + received, part);
    parser.Filled(part);
    received += part;
    for (;;) {
      const Result<bool> next = parser.Next(arguments);
      if (!next.ok()) {
        return found + "failed: " + next.error().message();
      }
      if (!*next) {
        break;
      }
      LUNA_ASSERT(!arguments.empty());
      found += Request(arguments);
    }
  }
  return found + "left: " + std::to_string(parser.buffered());
}

void Describe(const Reply& reply, std::string& found) {
  found += std::to_string(static_cast<int>(reply.kind)) + ":" + reply.text + ":" +
           std::to_string(reply.integer) + "(";
  for (const Reply& element : reply.elements) {
    Describe(element, found);
  }
  found += ")";
}

std::string Replies(std::string_view bytes, uint64_t seed) {
  ReplyParser parser;
  Pieces pieces(seed);
  std::string found;
  while (!bytes.empty()) {
    const size_t part = pieces.Next(bytes.size());
    parser.Feed(bytes.substr(0, part));
    bytes.remove_prefix(part);
    for (;;) {
      const auto next = parser.Next();
      if (!next.ok()) {
        return found + "failed";
      }
      if (!*next) {
        break;
      }
      Describe(**next, found);
    }
  }
  return found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size == 0) {
    return 0;
  }
  const uint64_t seed = 1 + bytes[0];
  const std::string_view rest(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  Limits small;
  small.bulk_bytes = 200;
  small.arguments = 20;
  small.inline_bytes = 100;
  for (const Limits& limits : {Limits(), Limits::Unauthenticated(), small}) {
    LUNA_ASSERT(Requests(rest, limits, seed) == Requests(rest, limits, 0));
  }
  LUNA_ASSERT(Replies(rest, seed) == Replies(rest, 0));
  return 0;
}
