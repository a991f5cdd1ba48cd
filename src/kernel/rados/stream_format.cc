#include "kernel/rados/stream_format.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "base/coding.h"
#include "base/crc32c.h"
#include "base/try.h"
#include "kernel/journal/batch.h"

namespace luna::rados {

namespace {

constexpr std::string_view kMagic = "LUNASTRM";
constexpr uint32_t kFormat = 1;
constexpr uint32_t kRemovedFlag = 1;
constexpr size_t kDigits = 20;

Error Broken(Reason reason, const std::string& where, const std::string& what) {
  return Error(reason, where + ": " + what + "; restore the universe from a checkpoint");
}

}  // namespace

std::string Digits(uint64_t number) {
  const std::string digits = std::to_string(number);
  return std::string(kDigits - digits.size(), '0') + digits;
}

std::optional<uint64_t> ParseDigits(std::string_view text) {
  uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (text.size() != kDigits || parsed.ec != std::errc() || parsed.ptr != end) {
    return std::nullopt;
  }
  return number;
}

std::string Hex(const base::Id128& id) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (const uint64_t half : {id.high, id.low}) {
    for (int shift = 60; shift >= 0; shift -= 4) {
      text += kHex[(half >> shift) & 15];
    }
  }
  return text;
}

std::string EncodeHead(const Head& head) {
  std::string bytes(kMagic);
  base::PutFixed32(bytes, kFormat);
  base::PutFixed32(bytes, head.removed ? kRemovedFlag : 0);
  base::PutFixed64(bytes, head.first);
  base::PutString(bytes, head.segment);
  base::PutVarint(bytes, head.dropping.size());
  for (const std::string& segment : head.dropping) {
    base::PutString(bytes, segment);
  }
  base::PutFixed32(bytes, base::Crc32c(bytes));
  return bytes;
}

Result<Head> DecodeHead(std::string_view bytes,
                        const std::map<std::string, std::string>& attributes,
                        const std::string& where) {
  constexpr size_t kSmallest = kMagic.size() + 4 + 4 + 8 + 1 + 1 + 4;
  if (bytes.size() < kSmallest || !bytes.starts_with(kMagic)) {
    return Broken(Reason::kBadFormat, where, "this is no head of a stream");
  }
  const std::string_view checked = bytes.substr(0, bytes.size() - 4);
  if (base::LoadFixed32(bytes.data() + checked.size()) != base::Crc32c(checked)) {
    return Broken(Reason::kBadChecksum, where,
                  "the head of the stream does not match its checksum");
  }
  base::ByteReader reader(checked.substr(kMagic.size()));
  const uint32_t format = reader.Fixed32();
  if (format > kFormat) {
    return Error(Reason::kNewerFormat, where + ": a stream of format " + std::to_string(format) +
                                           "; use a newer version of Luna");
  }
  Head head;
  head.removed = (reader.Fixed32() & kRemovedFlag) != 0;
  head.first = reader.Fixed64();
  head.segment = reader.String();
  for (uint64_t left = reader.Varint(); left > 0 && reader.ok(); --left) {
    head.dropping.emplace_back(reader.String());
  }
  const auto version = attributes.find("version");
  const auto number = version == attributes.end() ? std::nullopt : ParseDigits(version->second);
  if (!reader.ok() || !reader.empty() || head.first == 0 || !number.has_value()) {
    return Broken(Reason::kBadFormat, where, "the head of the stream does not parse");
  }
  head.version = *number;
  return head;
}

Result<Segment> DecodeSegment(std::string name,
                              const std::map<std::string, std::string>& attributes,
                              const std::string& where) {
  const auto get = [&](const char* attribute) {
    const auto found = attributes.find(attribute);
    return found == attributes.end() ? std::string() : found->second;
  };
  Segment segment{.name = std::move(name), .turn = get("turn"), .next = get("next")};
  const std::string epoch = get("epoch");
  segment.sealed = epoch == kSealed;
  const std::string place = get("place");
  const size_t dot = std::min(place.find('.'), place.size());
  const auto tail = ParseDigits(std::string_view(place).substr(0, dot));
  const auto length = ParseDigits(std::string_view(place).substr(std::min(dot + 1, place.size())));
  const auto first = ParseDigits(get("first"));
  const auto number = segment.sealed ? 0 : ParseDigits(epoch);
  if (!number || !tail || !length || !first || *first == 0 || *tail + 1 < *first ||
      segment.sealed == segment.next.empty()) {
    return Broken(Reason::kBadFormat, where, "the attributes of the segment do not parse");
  }
  segment.epoch = *number;
  segment.tail = *tail;
  segment.length = *length;
  segment.first = *first;
  return segment;
}

uint64_t FrameBytes(std::span<const std::string_view> records) {
  return kFrameHeadBytes + journal::BatchBytes(records);
}

std::string EncodeFrame(const base::Id128& id, Epoch epoch, Sequence first,
                        std::span<const std::string_view> records) {
  std::string frame;
  frame.reserve(FrameBytes(records));
  base::PutFixed32(frame, static_cast<uint32_t>(journal::BatchBytes(records)));
  base::PutFixed32(frame, 0);
  base::PutFixed64(frame, id.high);
  base::PutFixed64(frame, id.low);
  journal::AppendBatch(epoch, first, records, frame);
  base::StoreFixed32(frame.data() + 4, base::Crc32c(std::string_view(frame).substr(8)));
  return frame;
}

Result<std::optional<std::string_view>> DecodeFrame(std::string_view bytes,
                                                    const std::string& where, uint64_t& needed) {
  needed = kFrameHeadBytes;
  if (bytes.size() >= needed) {
    needed += base::LoadFixed32(bytes.data());
  }
  if (bytes.size() < needed) {
    return std::optional<std::string_view>();
  }
  if (base::LoadFixed32(bytes.data() + 4) != base::Crc32c(bytes.substr(8, needed - 8))) {
    return Broken(Reason::kBadChecksum, where, "the frame does not match its checksum");
  }
  return std::optional(bytes.substr(kFrameHeadBytes, needed - kFrameHeadBytes));
}

}  // namespace luna::rados
