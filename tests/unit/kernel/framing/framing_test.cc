#include "kernel/framing/framing.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/coding.h"
#include "runtime/memory/memory_file_system.h"

namespace luna::framing {
namespace {

constexpr base::Id128 kSalt{.high = 0x0123456789abcdef, .low = 0xfedcba9876543210};
constexpr SegmentHeader kHeader{.salt = kSalt, .number = 7, .first_sequence = 41};

// A file in memory with given bytes.
class Disk {
 public:
  explicit Disk(std::string_view bytes) {
    file_ = files_->Open("/segment", runtime::OpenMode::kCreateNew).value();
    file_->Write(0, bytes).value();
  }
  runtime::File& file() { return *file_; }

 private:
  const std::unique_ptr<memory::MemoryFileSystem> files_ = memory::NewMemoryFileSystem();
  std::unique_ptr<runtime::File> file_;
};

struct Scan {
  std::vector<std::string> payloads;
  uint64_t end = 0;
  bool corrupt = false;
};

Scan ScanSegment(std::string_view bytes, const SegmentHeader& header = kHeader) {
  Disk disk(bytes);
  FrameReader reader(disk.file(), "segment", header);
  Scan scan;
  while (const auto payload = reader.Next().value()) {
    scan.payloads.emplace_back(*payload);
  }
  scan.end = reader.offset();
  scan.corrupt = reader.ValidFrameBeyond().value();
  return scan;
}

// A segment of these payloads; each frame says that everything before it is synced if `synced`.
std::string Segment(const std::vector<std::string>& payloads, bool synced, uint32_t life = 1) {
  std::string bytes = EncodeHeader(kHeader);
  FrameEncoder encoder(kSalt, life);
  for (const std::string& payload : payloads) {
    encoder.Append(payload, synced ? encoder.offset() : 0, bytes);
  }
  EXPECT_EQ(encoder.offset(), bytes.size());
  return bytes;
}

TEST(Framing, HeaderSurvivesItsBytes) {
  const std::string bytes = EncodeHeader(kHeader);
  ASSERT_EQ(bytes.size(), kHeaderBytes);
  EXPECT_EQ(bytes.substr(0, 8), "LUNAJRNL");
  const SegmentHeader header = DecodeHeader(bytes, "p").value();
  EXPECT_EQ(header.salt, kSalt);
  EXPECT_EQ(header.number, 7u);
  EXPECT_EQ(header.first_sequence, 41u);
}

TEST(Framing, HeaderDamageIsNamed) {
  const std::string good = EncodeHeader(kHeader);
  EXPECT_EQ(DecodeHeader(good.substr(0, 100), "p").error().reason(), Reason::kBadFormat);
  std::string bytes = good;
  bytes[0] = 'X';
  EXPECT_EQ(DecodeHeader(bytes, "p").error().reason(), Reason::kBadFormat);
  for (size_t bit = 64; bit < 8 * 52; ++bit) {
    bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    const auto header = DecodeHeader(bytes, "the-path");
    ASSERT_FALSE(header.ok()) << "bit " << bit;
    EXPECT_EQ(header.error().reason(), Reason::kBadChecksum);
    EXPECT_NE(header.error().message().find("the-path"), std::string::npos);
  }
}

TEST(Framing, AHeaderThatCountsFromZeroIsRefused) {
  for (const SegmentHeader& header :
       {SegmentHeader{.salt = kSalt, .number = 0, .first_sequence = 1},
        SegmentHeader{.salt = kSalt, .number = 1, .first_sequence = 0}}) {
    const auto decoded = DecodeHeader(EncodeHeader(header), "the-path");
    ASSERT_FALSE(decoded.ok());
    EXPECT_EQ(decoded.error().reason(), Reason::kBadFormat);
    EXPECT_NE(decoded.error().message().find("the-path"), std::string::npos);
  }
}

TEST(Framing, BytesNeverChange) {
  // The format's vector: a change here is a new format version.
  std::string bytes;
  FrameEncoder encoder(kSalt, 0x01020304);
  encoder.Append("hello", 4096, bytes);
  ASSERT_EQ(bytes.size(), 40u);
  EXPECT_EQ(base::LoadFixed32(bytes.data() + 4), 0u);
  EXPECT_EQ(base::LoadFixed64(bytes.data() + 8), 4096u);
  EXPECT_EQ(base::LoadFixed32(bytes.data() + 16), 0x01020304u);
  EXPECT_EQ(base::LoadFixed32(bytes.data() + 20), 5u);
  EXPECT_EQ(bytes.substr(28, 5), "hello");
  EXPECT_EQ(bytes.substr(33), std::string(7, '\0'));
  EXPECT_EQ(base::LoadFixed32(bytes.data()), encoder.chain());
  EXPECT_EQ(base::LoadFixed32(bytes.data()), 0x1ed3a2bbu);
  EXPECT_EQ(base::LoadFixed32(bytes.data() + 24), 0x1f07ef65u);
}

TEST(Framing, FramesAreAlignedAndReadBack) {
  std::vector<std::string> payloads;
  for (size_t length : {0, 1, 3, 4, 5, 12, 1000, 300'000}) {
    payloads.emplace_back(length, static_cast<char>('a' + length % 26));
    EXPECT_EQ(FrameBytes(length) % 8, 0u);
    EXPECT_GE(FrameBytes(length), length + kFrameOverheadBytes);
  }
  const std::string bytes = Segment(payloads, true);
  for (const size_t zeros : {size_t{0}, size_t{5}, size_t{1} << 20}) {
    const Scan scan = ScanSegment(bytes + std::string(zeros, '\0'));
    EXPECT_EQ(scan.payloads, payloads);
    EXPECT_EQ(scan.end, bytes.size());
    EXPECT_FALSE(scan.corrupt);
  }
}

TEST(Framing, InPlaceEncodingMakesTheSameBytes) {
  std::string copied;
  FrameEncoder first(kSalt, 1);
  first.Append("payload", 0, copied);
  first.Append("more", 0, copied);
  std::string in_place;
  FrameEncoder second(kSalt, 1);
  for (const std::string_view payload : {"payload", "more"}) {
    const size_t begin = FrameEncoder::Begin(in_place);
    in_place += payload;
    second.Finish(begin, 0, in_place);
  }
  EXPECT_EQ(copied, in_place);
  EXPECT_EQ(first.chain(), second.chain());
}

TEST(Framing, EncoderContinuesWhereAReaderStopped) {
  std::string bytes = Segment({"one", "two"}, true);
  Disk disk(bytes);
  FrameReader reader(disk.file(), "segment", kHeader);
  while (reader.Next().value().has_value()) {
  }
  FrameEncoder encoder(kSalt, 9, reader.offset(), reader.chain());
  encoder.Append("three", 0, bytes);
  EXPECT_EQ(ScanSegment(bytes).payloads, (std::vector<std::string>{"one", "two", "three"}));
}

TEST(Framing, LimitHidesWhatLiesBeyond) {
  const std::string bytes = Segment({"one", "two"}, true);
  const uint64_t first_end = kHeaderBytes + FrameBytes(3);
  Disk disk(bytes);
  FrameReader reader(
      [&](uint64_t offset, size_t length, char* to) {
        EXPECT_LE(offset + length, bytes.size());
        return disk.file().Read(offset, length, to);
      },
      first_end, "segment", kHeader);
  EXPECT_EQ(reader.Next().value(), "one");
  EXPECT_FALSE(reader.Next().value().has_value());
  reader.RaiseLimit(bytes.size());
  EXPECT_EQ(reader.Next().value(), "two");
  EXPECT_FALSE(reader.Next().value().has_value());
}

TEST(Framing, ReadErrorsArePassedOn) {
  FrameReader reader(
      [](uint64_t, size_t, char*) -> Result<size_t> { return Error(Reason::kIoError, "broken"); },
      10'000, "segment", kHeader);
  EXPECT_EQ(reader.Next().error().reason(), Reason::kIoError);
  EXPECT_EQ(reader.ValidFrameBeyond().error().reason(), Reason::kIoError);
}

TEST(Framing, EveryCutIsATornTail) {
  const std::vector<std::string> payloads = {"first", "second one", "third"};
  const std::string bytes = Segment(payloads, true);
  std::vector<uint64_t> ends = {kHeaderBytes};
  for (const std::string& payload : payloads) {
    ends.push_back(ends.back() + FrameBytes(payload.size()));
  }
  for (size_t cut = kHeaderBytes; cut < bytes.size(); ++cut) {
    for (const size_t zeros : {size_t{0}, size_t{64}}) {
      const Scan scan = ScanSegment(bytes.substr(0, cut) + std::string(zeros, '\0'));
      // Padding may be missing or not: only the payload counts once its bytes are there.
      size_t whole = 0;
      while (whole < payloads.size() &&
             ends[whole] + kFrameOverheadBytes + payloads[whole].size() <= cut) {
        ++whole;
      }
      ASSERT_LE(scan.payloads.size(), whole) << cut;
      ASSERT_GE(scan.payloads.size() + 1, whole) << cut;
      ASSERT_FALSE(scan.corrupt) << cut;
    }
  }
}

TEST(Framing, EveryBitFlipIsDetectedOrHarmless) {
  const std::vector<std::string> payloads = {"first", "second one", "third", "the last"};
  const std::string good = Segment(payloads, true);
  const uint64_t last = good.size() - FrameBytes(payloads.back().size());
  for (size_t bit = 8 * kHeaderBytes; bit < 8 * good.size(); ++bit) {
    std::string bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    const Scan scan = ScanSegment(bytes);
    ASSERT_LE(scan.payloads.size(), payloads.size());
    for (size_t i = 0; i < scan.payloads.size(); ++i) {
      ASSERT_EQ(scan.payloads[i], payloads[i]) << "bit " << bit;
    }
    // Only in the newest frame, which nothing vouches for yet, a flip looks like a torn write.
    if (scan.payloads.size() < payloads.size() && bit / 8 < last) {
      ASSERT_TRUE(scan.corrupt) << "bit " << bit;
    }
  }
}

TEST(Framing, HoleBeforeUnsyncedFramesIsATornTail) {
  const std::string good = Segment({"first", "second one", "third", "the last"}, false);
  std::string bytes = good;
  bytes[kHeaderBytes + kFrameOverheadBytes] ^= 1;
  const Scan scan = ScanSegment(bytes);
  EXPECT_TRUE(scan.payloads.empty());
  EXPECT_FALSE(scan.corrupt);
}

TEST(Framing, VouchingFrameIsFoundFarAway) {
  // Frames were unsynced; much later one was written after a sync that covered the first.
  std::string bytes = EncodeHeader(kHeader);
  FrameEncoder encoder(kSalt, 1);
  encoder.Append("first", 0, bytes);
  encoder.Append(std::string(700'001, 'x'), 0, bytes);
  const uint64_t synced = encoder.offset();
  encoder.Append("unsynced", synced, bytes);
  encoder.Append(std::string(500'000, 'y'), synced, bytes);
  std::string damaged = bytes;
  damaged[kHeaderBytes + kFrameOverheadBytes] ^= 1;
  EXPECT_TRUE(ScanSegment(damaged).corrupt);
  // A hole at or after the synced offset stays a torn tail.
  damaged = bytes;
  damaged[synced + kFrameOverheadBytes] ^= 1;
  const Scan scan = ScanSegment(damaged);
  EXPECT_EQ(scan.payloads.size(), 2u);
  EXPECT_FALSE(scan.corrupt);
  // Nor does a voucher count that is damaged itself.
  damaged = bytes;
  damaged[kHeaderBytes + kFrameOverheadBytes] ^= 1;
  damaged[synced + kFrameOverheadBytes] ^= 1;
  damaged[bytes.size() - 10] ^= 1;
  EXPECT_FALSE(ScanSegment(damaged).corrupt);
}

TEST(Framing, FramesOfARecycledSegmentNeverPass) {
  const std::string old = Segment({"first", "second one", "third"}, true);
  SegmentHeader header = kHeader;
  header.salt.low ^= 1;
  EXPECT_TRUE(ScanSegment(old, header).payloads.empty());
  EXPECT_FALSE(ScanSegment(old, header).corrupt);
}

TEST(Framing, FrameAtAnotherPlaceNeverPasses) {
  const std::string bytes = Segment({"same", "same", "same"}, false);
  const uint64_t size = FrameBytes(4);
  std::string moved = bytes;
  moved.replace(kHeaderBytes + size, size, bytes.substr(kHeaderBytes + 2 * size, size));
  EXPECT_EQ(ScanSegment(moved).payloads.size(), 1u);
}

TEST(Framing, WhatLayBeyondACutTailNeverReturns) {
  // A life wrote three frames, the first was lost. The next life writes the very same record there:
  // what follows must not become its continuation.
  const std::string before = Segment({"a", "b", "c"}, false, /*life=*/1);
  const std::string again = Segment({"a"}, false, /*life=*/2);
  const Scan scan = ScanSegment(again + before.substr(again.size()));
  EXPECT_EQ(scan.payloads, std::vector<std::string>{"a"});
  EXPECT_FALSE(scan.corrupt);
  // With the same life it would have: the test tests something.
  const std::string same = Segment({"a"}, false, /*life=*/1);
  EXPECT_EQ(ScanSegment(same + before.substr(same.size())).payloads.size(), 3u);
}

TEST(Framing, LengthBeyondTheSegmentAllocatesNothing) {
  std::string bytes = EncodeHeader(kHeader);
  FrameEncoder encoder(kSalt, 1);
  encoder.Append(std::string(100'000, 'z'), 0, bytes);
  bytes.resize(kHeaderBytes + kFrameOverheadBytes + 10);  // the head checks, the rest is gone
  const Scan scan = ScanSegment(bytes);
  EXPECT_TRUE(scan.payloads.empty());
  EXPECT_FALSE(scan.corrupt);
}

}  // namespace
}  // namespace luna::framing
