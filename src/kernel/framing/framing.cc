#include "kernel/framing/framing.h"

#include <algorithm>
#include <utility>

#include "base/coding.h"
#include "base/crc32c.h"
#include "base/try.h"

namespace luna::framing {
namespace {

constexpr std::string_view kMagic = "LUNAJRNL";
constexpr size_t kHeaderUsedBytes = 8 + 4 + 4 + 16 + 8 + 8;  // and the crc after it
constexpr size_t kReadBytes = 256 << 10;
constexpr uint64_t kAlignment = 8;

// Places in a frame's head.
constexpr size_t kCrcAt = 0;
constexpr size_t kPreviousAt = 4;
constexpr size_t kSyncedAt = 8;
constexpr size_t kLifeAt = 16;
constexpr size_t kLengthAt = 20;
constexpr size_t kCheckAt = 24;

// The checksums' seeds: a frame copied to another place or segment does not check.
struct Seeds {
  uint32_t frame;
  uint32_t head;
};
Seeds SeedsAt(const base::Id128& salt, uint64_t offset) {
  const uint64_t mixed = base::Mix(salt, offset);
  return {static_cast<uint32_t>(mixed), static_cast<uint32_t>(mixed >> 32)};
}

uint32_t HeadCheck(const char* head, uint32_t seed) {
  return base::Crc32c({head + kPreviousAt, kCheckAt - kPreviousAt}, seed);
}

// Leaves `check` out: a crc32c taken over bytes and their own crc32c no longer depends on the
// bytes, and the chain would be cut.
uint32_t FrameCrc(const char* head, std::string_view payload, uint32_t seed) {
  return base::Crc32c(payload, base::Crc32c({head + kPreviousAt, kCheckAt - kPreviousAt}, seed));
}

uint64_t RoundUp(uint64_t bytes) {
  return (bytes + kAlignment - 1) & ~(kAlignment - 1);
}

}  // namespace

std::string EncodeHeader(const SegmentHeader& header) {
  std::string out(kMagic);
  out.reserve(kHeaderBytes);
  base::PutFixed32(out, kFormatVersion);
  base::PutFixed32(out, 0);
  base::PutFixed64(out, header.salt.high);
  base::PutFixed64(out, header.salt.low);
  base::PutFixed64(out, header.number);
  base::PutFixed64(out, header.first_sequence);
  base::PutFixed32(out, base::Crc32c(out));
  out.resize(kHeaderBytes, '\0');
  return out;
}

Result<SegmentHeader> DecodeHeader(std::string_view bytes, const std::string& path) {
  if (bytes.size() < kHeaderBytes) {
    return Error(Reason::kBadFormat,
                 path + ": a segment has a header of 4096 bytes, this file only " +
                     std::to_string(bytes.size()) + " bytes; restore the file from a backup");
  }
  base::ByteReader reader(bytes);
  if (reader.Bytes(kMagic.size()) != kMagic) {
    return Error(Reason::kBadFormat, path + ": not a journal segment (bad magic at offset 0); " +
                                         "restore the file from a backup");
  }
  const uint32_t version = reader.Fixed32();
  reader.Fixed32();
  SegmentHeader header;
  header.salt.high = reader.Fixed64();
  header.salt.low = reader.Fixed64();
  header.number = reader.Fixed64();
  header.first_sequence = reader.Fixed64();
  if (reader.Fixed32() != base::Crc32c(bytes.substr(0, kHeaderUsedBytes))) {
    return Error(Reason::kBadChecksum, path + ": checksum of the segment header at offset 0 is " +
                                           "wrong; restore the file from a backup");
  }
  if (version > kFormatVersion) {
    return Error(Reason::kNewerFormat, path + ": segment format " + std::to_string(version) +
                                           ", this build reads up to " +
                                           std::to_string(kFormatVersion) + "; use a newer build");
  }
  if (version == 0 || header.number == 0 || header.first_sequence == 0) {
    return Error(Reason::kBadFormat,
                 path + ": the segment header at offset 0 counts from 0 (format " +
                     std::to_string(version) + ", segment " + std::to_string(header.number) +
                     ", first record " + std::to_string(header.first_sequence) +
                     "); restore the file from a backup");
  }
  return header;
}

uint64_t FrameBytes(uint64_t payload_bytes) {
  return RoundUp(kFrameOverheadBytes + payload_bytes);
}

size_t FrameEncoder::Begin(std::string& out) {
  const size_t begin = out.size();
  out.append(kFrameOverheadBytes, '\0');
  return begin;
}

void FrameEncoder::Finish(size_t begin, uint64_t synced, std::string& out) {
  const size_t checked_bytes = out.size() - begin;
  out.append(RoundUp(checked_bytes) - checked_bytes, '\0');
  char* const head = out.data() + begin;
  const Seeds seeds = SeedsAt(salt_, offset_);
  base::StoreFixed32(head + kPreviousAt, chain_);
  base::StoreFixed64(head + kSyncedAt, synced);
  base::StoreFixed32(head + kLifeAt, life_);
  base::StoreFixed32(head + kLengthAt, static_cast<uint32_t>(checked_bytes - kFrameOverheadBytes));
  base::StoreFixed32(head + kCheckAt, HeadCheck(head, seeds.head));
  chain_ = FrameCrc(head, {head + kFrameOverheadBytes, checked_bytes - kFrameOverheadBytes},
                    seeds.frame);
  base::StoreFixed32(head + kCrcAt, chain_);
  offset_ += RoundUp(checked_bytes);
}

void FrameEncoder::Append(std::string_view payload, uint64_t synced, std::string& out) {
  const size_t begin = Begin(out);
  out.append(payload);
  Finish(begin, synced, out);
}

struct FrameReader::Head {
  uint32_t crc;
  uint32_t previous;
  uint64_t synced;
  uint32_t length;
  uint32_t check;
};

FrameReader::FrameReader(runtime::File& file, std::string path, const SegmentHeader& header)
    : file_(&file),
      source_([&file](uint64_t offset, size_t length, char* to) {
        return file.Read(offset, length, to);
      }),
      path_(std::move(path)),
      salt_(header.salt) {}

FrameReader::FrameReader(Source source, uint64_t limit, std::string path,
                         const SegmentHeader& header)
    : source_(std::move(source)), path_(std::move(path)), salt_(header.salt), limit_(limit) {}

FrameReader::Head FrameReader::DecodeHead(std::string_view bytes) {
  const char* head = bytes.data();
  return {.crc = base::LoadFixed32(head + kCrcAt),
          .previous = base::LoadFixed32(head + kPreviousAt),
          .synced = base::LoadFixed64(head + kSyncedAt),
          .length = base::LoadFixed32(head + kLengthAt),
          .check = base::LoadFixed32(head + kCheckAt)};
}

bool FrameReader::HeadChecks(std::string_view bytes, uint64_t offset) const {
  return HeadCheck(bytes.data(), SeedsAt(salt_, offset).head) == DecodeHead(bytes).check;
}

bool FrameReader::FrameChecks(std::string_view frame, uint64_t offset) const {
  return FrameCrc(frame.data(), frame.substr(kFrameOverheadBytes), SeedsAt(salt_, offset).frame) ==
         DecodeHead(frame).crc;
}

// Bytes of the segment from `offset`: `need` of them, fewer at the limit or the end of the file.
Result<std::string_view> FrameReader::Fill(uint64_t offset, size_t need) {
  if (!limit_.has_value()) {
    limit_ = TRY(file_->Size());
  }
  need = std::min<uint64_t>(need, *limit_ > offset ? *limit_ - offset : 0);
  if (need == 0) {
    return std::string_view();
  }
  if (offset < buffer_offset_ || offset + need > buffer_offset_ + buffer_.size()) {
    // What is at hand already moves to the front, so that small frames cost no second read.
    if (offset >= buffer_offset_ && offset < buffer_offset_ + buffer_.size()) {
      buffer_.erase(0, offset - buffer_offset_);
    } else {
      buffer_.clear();
    }
    buffer_offset_ = offset;
    const size_t have = buffer_.size();
    const uint64_t wanted = std::max<uint64_t>(need, kReadBytes);
    buffer_.resize(std::min<uint64_t>(wanted, *limit_ - offset));
    Result<size_t> got = source_(offset + have, buffer_.size() - have, buffer_.data() + have);
    if (!got.ok()) {
      buffer_.clear();
      return got.error();
    }
    buffer_.resize(have + *got);
  }
  const std::string_view at_hand = std::string_view(buffer_).substr(offset - buffer_offset_);
  return at_hand.substr(0, need);
}

Result<std::optional<std::string_view>> FrameReader::Next() {
  const std::string_view head_bytes = TRY(Fill(offset_, kFrameOverheadBytes));
  if (head_bytes.size() < kFrameOverheadBytes || !HeadChecks(head_bytes, offset_)) {
    return std::optional<std::string_view>();
  }
  const Head head = DecodeHead(head_bytes);
  if (head.previous != chain_ || FrameBytes(head.length) > *limit_ - offset_) {
    return std::optional<std::string_view>();
  }
  const size_t frame_bytes = kFrameOverheadBytes + size_t{head.length};
  const std::string_view frame = TRY(Fill(offset_, frame_bytes));
  if (frame.size() < frame_bytes || !FrameChecks(frame, offset_)) {
    return std::optional<std::string_view>();
  }
  chain_ = head.crc;
  offset_ += FrameBytes(head.length);
  return std::optional<std::string_view>(frame.substr(kFrameOverheadBytes));
}

Result<bool> FrameReader::ValidFrameBeyond() {
  // `at` is a candidate; most bytes are refused by two comparisons, long before a checksum.
  uint64_t at = offset_ + kAlignment;
  for (;;) {
    std::string_view bytes = TRY(Fill(at, kReadBytes));
    if (bytes.size() < kFrameOverheadBytes) {
      return false;
    }
    for (; bytes.size() >= kFrameOverheadBytes; bytes.remove_prefix(kAlignment), at += kAlignment) {
      const uint64_t synced = base::LoadFixed64(bytes.data() + kSyncedAt);
      if (synced <= offset_ || synced > at || !HeadChecks(bytes, at)) {
        continue;
      }
      const size_t frame_bytes = kFrameOverheadBytes + size_t{DecodeHead(bytes).length};
      if (frame_bytes > *limit_ - at) {
        continue;
      }
      const std::string_view frame = TRY(Fill(at, frame_bytes));
      if (frame.size() == frame_bytes && FrameChecks(frame, at)) {
        return true;
      }
      at += kAlignment;
      break;  // the buffer has moved
    }
  }
}

}  // namespace luna::framing
