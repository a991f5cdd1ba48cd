// How a stream lies in RADOS (docs/formats/rados.md).
//   stream/NAME             the head: which segment is the first one kept
//   segment/NAME/<unique>   a segment: frames, and attributes that every append compares and sets
// Head, bytes: "LUNASTRM" | format(4) | flags(4), 1 = being removed | first record kept(8) |
//   first segment (string) | count(varint) of segments to be removed, each a string | crc32c(4)
// Head, attribute `version`: 20 digits, raised by each change.
// Segment, attributes:
//   epoch   20 digits, or "sealed": this segment takes no more, `next` goes on
//   place   20 digits "." 20 digits: the last record, and where the next frame goes
//   turn    32 hex digits, new whenever a stream is opened: what was under way before is void
//   first   20 digits, the first record; never changes
//   next    name of the next segment; only when sealed
// Frame: length of the payload(4) | crc32c of what follows(4) | id of the append(16) | payload,
//   a batch as kernel/journal/batch.h has it.
// Thread rule: plain functions and values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "kernel/journal/journal.h"
#include "luna/status.h"

namespace luna::rados {

using journal::Epoch;
using journal::Sequence;

inline constexpr std::string_view kStreamPrefix = "stream/";
inline constexpr std::string_view kSegmentPrefix = "segment/";
inline constexpr std::string_view kSealed = "sealed";
inline constexpr size_t kFrameHeadBytes = 4 + 4 + 16;

std::string Digits(uint64_t number);  // 20 of them
std::optional<uint64_t> ParseDigits(std::string_view text);
std::string Hex(const base::Id128& id);  // 32 digits

struct Head {
  bool removed = false;
  Sequence first = 1;
  std::string segment{};
  std::vector<std::string> dropping{};
  uint64_t version = 1;  // the attribute
};

std::string EncodeHead(const Head& head);
// kBadFormat, kBadChecksum, kNewerFormat naming `where`.
Result<Head> DecodeHead(std::string_view bytes,
                        const std::map<std::string, std::string>& attributes,
                        const std::string& where);

// A segment as its attributes describe it.
struct Segment {
  std::string name{};  // of the object
  Epoch epoch = 0;
  bool sealed = false;
  Sequence first = 1;
  Sequence tail = 0;  // the last record of the stream when this was the last segment
  uint64_t length = 0;
  std::string turn{};
  std::string next{};

  std::string place() const { return Digits(tail) + "." + Digits(length); }
};

Result<Segment> DecodeSegment(std::string name,
                              const std::map<std::string, std::string>& attributes,
                              const std::string& where);

uint64_t FrameBytes(std::span<const std::string_view> records);
std::string EncodeFrame(const base::Id128& id, Epoch epoch, Sequence first,
                        std::span<const std::string_view> records);

// The payload of the frame at the front of `bytes`; nothing when more bytes are needed (`needed` of
// them in all). kBadChecksum naming `where`.
Result<std::optional<std::string_view>> DecodeFrame(std::string_view bytes,
                                                    const std::string& where, uint64_t& needed);

}  // namespace luna::rados
