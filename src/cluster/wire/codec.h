// The bytes of messages: protobuf, as peer.proto has it. What comes from a stranger is bounded and
// checked here; nothing above sees a message that is not whole.
// Thread rule: pure functions; safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "cluster/wire/messages.h"
#include "luna/status.h"

namespace luna::wire {

inline constexpr size_t kMaxMessageBytes = size_t{4} << 20;
inline constexpr size_t kMaxTextBytes =
    4096;  // of one field; of an error's message, the rest is cut
inline constexpr uint32_t kVersion = 1;

// The most memory that decoding takes at any moment, what it returns included.
constexpr size_t MaxDecodeBytes(size_t message_bytes) {
  return 4 * message_bytes + (size_t{32} << 10);
}

struct Incoming {
  Request request;
  uint64_t budget_nanos = 0;  // for how long the sender waits
};

// The budget travels in whole milliseconds, at least one. kValueTooLarge: a text that is.
Result<std::string> EncodeRequest(const Request& request, uint64_t budget_nanos);
// kBadFormat: no message, or one that exceeds the bounds; kNewerFormat, kNotSupported: of a newer
// build.
Result<Incoming> DecodeRequest(std::string_view bytes);

// A reply, or the error that is the answer; a reply with a text too large becomes kValueTooLarge.
std::string EncodeReply(const Result<Reply>& reply);
// The error that the peer answered with, too, its message cut to kMaxTextBytes. One whose reason
// this build does not know is kNotSupported. Otherwise as DecodeRequest.
Result<Reply> DecodeReply(std::string_view bytes);

}  // namespace luna::wire
