// Fuzzes what servers say to one another. Bytes of a stranger decode to what encodes to the same
// again, or to an error that says why, within the memory that codec.h grants; whatever a server
// may say comes as it went, or is refused where it is said. The first byte chooses what the rest
// is.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/assert.h"
#include "base/coding.h"
#include "cluster/wire/codec.h"

// Of the sanitizers; absent in builds without them, which count nothing.
extern "C" {
using MallocHook = void (*)(const volatile void* block, size_t bytes);
using FreeHook = void (*)(const volatile void* block);
int __sanitizer_install_malloc_and_free_hooks(MallocHook, FreeHook) __attribute__((weak));
size_t __sanitizer_get_allocated_size(const volatile void* block) __attribute__((weak));
}

namespace {

using namespace luna;

// What is allocated and not yet freed, since the count began, and the most that it ever was.
// Blocks from before the count that are freed within it make it too low, never too high.
bool counting = false;
int64_t allocated = 0;
int64_t allocated_max = 0;

void OnMalloc(const volatile void* /*block*/, size_t bytes) {
  if (counting) {
    allocated += static_cast<int64_t>(bytes);
    allocated_max = std::max(allocated_max, allocated);
  }
}

void OnFree(const volatile void* block) {
  if (counting && block != nullptr) {
    allocated -= static_cast<int64_t>(__sanitizer_get_allocated_size(block));
  }
}

template <typename Decode>
auto WithinBounds(std::string_view bytes, const Decode& decode) {
  static const bool hooked = __sanitizer_install_malloc_and_free_hooks != nullptr &&
                             __sanitizer_install_malloc_and_free_hooks(OnMalloc, OnFree) != 0;
  allocated = 0;
  allocated_max = 0;
  counting = hooked;
  auto result = decode(bytes);
  counting = false;
  LUNA_ASSERT(static_cast<uint64_t>(allocated_max) <= wire::MaxDecodeBytes(bytes.size()));
  return result;
}

void CheckRefusal(const Error& error) {
  LUNA_ASSERT(error.reason() == Reason::kBadFormat || error.reason() == Reason::kNewerFormat ||
              error.reason() == Reason::kNotSupported);
  LUNA_ASSERT(!error.message().empty());
}

void UseRequest(std::string_view bytes) {
  const auto incoming = WithinBounds(bytes, wire::DecodeRequest);
  if (!incoming.ok()) {
    CheckRefusal(incoming.error());
    return;
  }
  const auto encoded = wire::EncodeRequest(incoming->request, incoming->budget_nanos);
  LUNA_ASSERT(encoded.ok());
  const auto again = wire::DecodeRequest(*encoded);
  LUNA_ASSERT(again.ok() && again->request == incoming->request);
  LUNA_ASSERT(again->budget_nanos == std::max<uint64_t>(incoming->budget_nanos, 1'000'000));
}

void UseReply(std::string_view bytes) {
  const auto reply = WithinBounds(bytes, wire::DecodeReply);
  const auto again = wire::DecodeReply(wire::EncodeReply(reply));
  LUNA_ASSERT(reply.ok() == again.ok());
  if (reply.ok()) {
    LUNA_ASSERT(*again == *reply);
    return;
  }
  LUNA_ASSERT(again.error().reason() == reply.error().reason());
  LUNA_ASSERT(again.error().message() == reply.error().message());
  LUNA_ASSERT(reply.error().message().size() <= wire::kMaxTextBytes);
}

// What a server says, as the input has it: any bytes in its texts, some of them too many.
class Speaker {
 public:
  explicit Speaker(std::string_view program) : in_(program) {}

  wire::Request Request() {
    switch (in_.Byte() % 4) {
      case 0:
        return wire::ReadIndex{.group = Text(), .epoch = in_.Fixed64()};
      case 1:
        return wire::Appended{.group = Text(),
                              .epoch = in_.Fixed64(),
                              .tail = in_.Fixed64(),
                              .closed = in_.Fixed64(),
                              .last = Bit(),
                              .target = Text(),
                              .end = in_.Fixed64()};
      case 2:
        return wire::AskStanding{.group = Text(), .from = Server(), .applied = in_.Fixed64()};
      default:
        return wire::Prepare{.group = Text(), .epoch = in_.Fixed64()};
    }
  }

  Result<wire::Reply> Reply() {
    switch (in_.Byte() % 6) {
      case 0:
        return wire::ReadIndexReply{
            .epoch = in_.Fixed64(), .sequence = in_.Fixed64(), .published = in_.Fixed64()};
      case 1:
        return wire::AppendedReply{};
      case 2:
        return wire::StandingReply{.server = Server(),
                                   .role = Text(),
                                   .epoch = in_.Fixed64(),
                                   .leader = Server(),
                                   .applied = in_.Fixed64(),
                                   .complete_age_millis = in_.Fixed64(),
                                   .build = Text()};
      case 3:
        return wire::PrepareReply{.applied = in_.Fixed64(), .ready = Bit()};
      case 4:
        return wire::NotLeader{Server()};
      default: {
        const auto reason = static_cast<Reason>(in_.Byte() % (1 + kLastReason));
        return Error(reason, Text());
      }
    }
  }

  uint64_t Budget() { return in_.Fixed64(); }
  // A text that it said exceeded the bounds.
  bool too_large() const { return too_large_; }

 private:
  static constexpr auto kLastReason = static_cast<uint16_t>(Reason::kShutDown);

  bool Bit() { return (in_.Byte() & 1) != 0; }

  wire::Server Server() { return {.clients = Text(), .peers = Text()}; }

  std::string Text() {
    const uint8_t how = in_.Byte();
    std::string text(in_.Bytes(std::min<size_t>(how % 64, in_.rest().size())));
    if (how >= 192 && !text.empty()) {  // around the bound
      const size_t size = wire::kMaxTextBytes - 8 + how % 16;
      while (text.size() < size) {
        text += text.substr(0, size - text.size());
      }
    }
    too_large_ = too_large_ || text.size() > wire::kMaxTextBytes;
    return text;
  }

  base::ByteReader in_;
  bool too_large_ = false;
};

void SayRequest(std::string_view program) {
  Speaker speaker(program);
  const uint64_t budget = speaker.Budget();
  const wire::Request request = speaker.Request();
  const auto encoded = wire::EncodeRequest(request, budget);
  LUNA_ASSERT(encoded.ok() == !speaker.too_large());
  if (!encoded.ok()) {
    LUNA_ASSERT(encoded.error().reason() == Reason::kValueTooLarge);
    return;
  }
  LUNA_ASSERT(encoded->size() <= wire::kMaxMessageBytes);
  const auto incoming = WithinBounds(*encoded, wire::DecodeRequest);
  LUNA_ASSERT(incoming.ok() && incoming->request == request);
  LUNA_ASSERT(incoming->budget_nanos >= 1'000'000);
  LUNA_ASSERT(incoming->budget_nanos <= std::max<uint64_t>(budget, 1'000'000));
}

void SayReply(std::string_view program) {
  Speaker speaker(program);
  const Result<wire::Reply> reply = speaker.Reply();
  const std::string encoded = wire::EncodeReply(reply);
  LUNA_ASSERT(encoded.size() <= wire::kMaxMessageBytes);
  const auto back = WithinBounds(encoded, wire::DecodeReply);
  if (!reply.ok()) {
    LUNA_ASSERT(!back.ok() && back.error().reason() == reply.error().reason());
    LUNA_ASSERT(back.error().message() == reply.error().message().substr(0, wire::kMaxTextBytes));
  } else if (speaker.too_large()) {
    LUNA_ASSERT(!back.ok() && back.error().reason() == Reason::kValueTooLarge);
  } else {
    LUNA_ASSERT(back.ok() && *back == *reply);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view rest(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  switch (bytes[0] % 4) {
    case 0:
      UseRequest(rest);
      break;
    case 1:
      UseReply(rest);
      break;
    case 2:
      SayRequest(rest);
      break;
    default:
      SayReply(rest);
  }
  return 0;
}
