// framing: checksummed frames in one segment file of a journal. docs/formats/journal.md draws and
// explains the bytes.
//
// Segment:  header (4096 bytes: magic "LUNAJRNL", format version, 128-bit salt, segment number,
//           stream's first sequence in it, crc32c, zeros) then frames, each 8-byte aligned, then
//           zeros or stale bytes of an earlier use of the file.
// Frame:    crc32c(4) | previous(4) | synced(8) | life(4) | length(4) | check(4) |
//           payload(length) | zeros to 8
//   previous  the crc of the frame before; the crc of nothing (0) in the first: the chain
//   synced    everything before this offset of the segment was on the device when this was written
//   life      random, drawn anew each time the stream is opened
//   check     crc32c of previous … length, seeded with a mix of salt and the frame's offset
//   crc32c    of previous … length and the payload, seeded with the other half of the mix
// A frame proves itself (salt, offset, both checksums); it counts only if the chain leads to it.
// So a stale frame of a recycled segment, a reordered page or what lay beyond a cut tail can never
// pass as the next frame.
// A scan ends at the first frame that does not check. In the last segment that is a *torn tail*,
// legal after a crash, unless a frame further on proves itself and says that the place was synced
// already: then it is corruption, reported as (file, offset).
// Thread rule: FrameEncoder and FrameReader are owned by one thread; the rest is pure functions.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "luna/status.h"
#include "runtime/file_system.h"

namespace luna::framing {

inline constexpr uint64_t kHeaderBytes = 4096;
inline constexpr uint32_t kFrameOverheadBytes = 28;
inline constexpr uint32_t kFormatVersion = 1;

struct SegmentHeader {
  base::Id128 salt;
  uint64_t number = 0;          // 1, 2, ... within the stream
  uint64_t first_sequence = 0;  // of the first record in it
};

// The header's 4096 bytes, and back. Decode: kBadChecksum, kBadFormat, kNewerFormat naming `path`.
std::string EncodeHeader(const SegmentHeader& header);
Result<SegmentHeader> DecodeHeader(std::string_view bytes, const std::string& path);

// Bytes a payload takes in the segment.
uint64_t FrameBytes(uint64_t payload_bytes);

// Builds frames; the caller writes the bytes it returns at the offset the encoder keeps.
class FrameEncoder {
 public:
  // At the start of a segment.
  FrameEncoder(const base::Id128& salt, uint32_t life)
      : FrameEncoder(salt, life, kHeaderBytes, 0) {}
  // After a frame that ends at `offset` and has the crc `chain`.
  FrameEncoder(const base::Id128& salt, uint32_t life, uint64_t offset, uint32_t chain)
      : salt_(salt), life_(life), offset_(offset), chain_(chain) {}

  // Appends the frame of `payload` to `out`. `synced` ≤ offset(): what is on the device.
  void Append(std::string_view payload, uint64_t synced, std::string& out);
  // The same without a copy: Begin appends room for the frame's head to `out` and returns its
  // place; the caller appends the payload; Finish pads it and fills in the head.
  static size_t Begin(std::string& out);
  void Finish(size_t begin, uint64_t synced, std::string& out);

  uint64_t offset() const { return offset_; }  // where the next frame goes
  uint32_t chain() const { return chain_; }    // the last frame's crc

 private:
  base::Id128 salt_;
  uint32_t life_;
  uint64_t offset_;
  uint32_t chain_;
};

// Reads frames in order from a segment whose header was read.
class FrameReader {
 public:
  // Reads like File::Read.
  using Source = std::function<Result<size_t>(uint64_t offset, size_t length, char* to)>;

  // The whole file, at the size it has when first read. `file` outlives the reader; `path` is for
  // messages.
  FrameReader(runtime::File& file, std::string path, const SegmentHeader& header);
  // Only what lies below `limit`, which may be raised later.
  FrameReader(Source source, uint64_t limit, std::string path, const SegmentHeader& header);

  void RaiseLimit(uint64_t limit) { limit_ = limit; }
  // The next payload (valid until the next call), nothing at the end of what checks, or an I/O
  // error.
  Result<std::optional<std::string_view>> Next();
  uint64_t offset() const { return offset_; }  // where the next frame would start
  uint32_t chain() const { return chain_; }
  const std::string& path() const { return path_; }
  // After Next returned nothing: true if a frame of this salt beyond offset() says that offset()
  // had been synced when it was written, which makes the stop corruption and not a torn tail.
  Result<bool> ValidFrameBeyond();

 private:
  struct Head;
  static Head DecodeHead(std::string_view bytes);
  bool HeadChecks(std::string_view bytes, uint64_t offset) const;
  bool FrameChecks(std::string_view frame, uint64_t offset) const;
  Result<std::string_view> Fill(uint64_t offset, size_t need);

  runtime::File* file_ = nullptr;  // to learn the limit from
  Source source_;
  std::string path_;
  base::Id128 salt_;
  uint32_t chain_ = 0;
  uint64_t offset_ = kHeaderBytes;
  std::optional<uint64_t> limit_;
  std::string buffer_;
  uint64_t buffer_offset_ = 0;
};

}  // namespace luna::framing
