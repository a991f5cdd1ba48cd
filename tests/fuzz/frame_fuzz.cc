// Fuzzes what is read from a journal. Segments as they are, frames torn and spoilt where the input
// says (what counts, and whether the end is a torn tail or corruption, is computed here a second
// way), batches, whole streams whose frames are intact but say what the input says, and the small
// files. The first byte chooses what the rest is.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "base/coding.h"
#include "base/crc32c.h"
#include "base/hash.h"
#include "kernel/framing/framing.h"
#include "kernel/identity.h"
#include "kernel/journal/batch.h"
#include "kernel/journal/local_journal.h"
#include "kernel/journal/segments.h"
#include "simulation/simulated_runtime.h"

namespace {

using namespace luna;

constexpr base::Id128 kSalt{.high = 11, .low = 22};

// Depends on all of the input, so that no input holds a frame that checks: libFuzzer learns a
// checksum from the comparison that refused it.
base::Id128 SaltOf(std::string_view program) {
  return {.high = base::Hash(program, 11), .low = base::Hash(program, 22)};
}

framing::FrameReader Reader(std::string_view segment, const framing::SegmentHeader& header) {
  const auto source = [segment](uint64_t offset, size_t length, char* to) -> Result<size_t> {
    return offset < segment.size() ? segment.copy(to, length, offset) : 0;
  };
  return framing::FrameReader(source, segment.size(), "fuzz", header);
}

// Payloads up to where nothing counts any more.
std::vector<std::string> Payloads(framing::FrameReader& reader) {
  std::vector<std::string> payloads;
  while (const auto payload = reader.Next().value()) {
    payloads.emplace_back(*payload);
  }
  return payloads;
}

void UseSegment(std::string_view bytes) {
  const auto header = framing::DecodeHeader(bytes, "fuzz");
  if (!header.ok()) {
    return;
  }
  const auto again = framing::DecodeHeader(framing::EncodeHeader(*header), "fuzz");
  LUNA_ASSERT(again.ok() && again->salt == header->salt && again->number == header->number &&
              again->first_sequence == header->first_sequence);
  framing::FrameReader reader = Reader(bytes, *header);
  Payloads(reader);
  LUNA_ASSERT(reader.offset() <= bytes.size());
  static_cast<void>(reader.ValidFrameBeyond().value());
}

// A frame as it was written.
struct Written {
  uint64_t offset = 0;
  uint64_t synced = 0;
  std::string payload;
};

struct Segment {
  std::string bytes;
  std::vector<Written> frames;
};

Segment WriteSegment(base::ByteReader& in, const framing::SegmentHeader& header) {
  Segment segment;
  segment.bytes = framing::EncodeHeader(header);
  framing::FrameEncoder encoder(header.salt, 1);
  uint64_t synced = 0;
  for (int frames = in.Byte() % 16; frames > 0; --frames) {
    const uint8_t how = in.Byte();
    if ((how & 1) != 0) {
      synced = encoder.offset();
    }
    if ((how & 2) != 0) {  // another life of the stream
      encoder = framing::FrameEncoder(header.salt, how, encoder.offset(), encoder.chain());
    }
    Written frame{.offset = encoder.offset(), .synced = synced, .payload = {}};
    frame.payload.assign(in.Fixed16() % 1024, static_cast<char>(how));
    encoder.Append(frame.payload, synced, segment.bytes);
    segment.frames.push_back(std::move(frame));
  }
  return segment;
}

// Spoils `bytes` behind the header as the input says.
void Spoil(base::ByteReader& in, std::string& bytes) {
  const uint8_t how = in.Byte();
  const uint64_t behind = bytes.size() - framing::kHeaderBytes;
  const uint64_t at = framing::kHeaderBytes + (behind == 0 ? 0 : in.Fixed32() % behind);
  if (how % 4 == 1) {
    bytes.resize(at);
  } else if (how % 4 == 2 && at < bytes.size()) {
    bytes[at] = static_cast<char>(bytes[at] ^ std::max<uint8_t>(in.Byte(), 1));
  } else if (how % 4 == 3) {
    const uint64_t length = std::min<uint64_t>(512, bytes.size() - at);
    bytes.replace(at, length, std::string(length, '\0'));
  }
  bytes += in.rest();  // as if the file had been used before
}

bool IsWhole(const Written& frame, std::string_view before, std::string_view after) {
  const uint64_t length = framing::kFrameOverheadBytes + frame.payload.size();
  return frame.offset + length <= after.size() &&
         before.substr(frame.offset, length) == after.substr(frame.offset, length);
}

void JudgeTail(std::string_view program) {
  base::ByteReader in(program);
  const framing::SegmentHeader header{.salt = SaltOf(program), .number = 1, .first_sequence = 1};
  const Segment segment = WriteSegment(in, header);
  std::string bytes = segment.bytes;
  Spoil(in, bytes);
  framing::FrameReader reader = Reader(bytes, header);
  const std::vector<std::string> read = Payloads(reader);

  size_t count = 0;
  const auto& frames = segment.frames;
  while (count < frames.size() && IsWhole(frames[count], segment.bytes, bytes) &&
         frames[count].offset + framing::FrameBytes(frames[count].payload.size()) <= bytes.size()) {
    ++count;
  }
  LUNA_ASSERT(read.size() == count);
  for (size_t i = 0; i < count; ++i) {
    LUNA_ASSERT(read[i] == frames[i].payload);
  }
  const uint64_t end = reader.offset();
  const bool vouched = std::any_of(
      frames.begin() + static_cast<ptrdiff_t>(count), frames.end(), [&](const Written& frame) {
        return frame.offset > end && frame.synced > end && IsWhole(frame, segment.bytes, bytes);
      });
  LUNA_ASSERT(reader.ValidFrameBeyond().value() == vouched);
  if (vouched || end > bytes.size()) {
    return;
  }
  // A torn tail: what is written over it counts, and nothing that lay behind it.
  framing::FrameEncoder encoder(header.salt, 0x1000, end, reader.chain());
  std::string frame;
  encoder.Append("after", end, frame);
  bytes.resize(std::max(bytes.size(), end + frame.size()));
  bytes.replace(end, frame.size(), frame);
  framing::FrameReader next = Reader(bytes, header);
  LUNA_ASSERT(Payloads(next).size() == count + 1);
  LUNA_ASSERT(next.offset() == encoder.offset() && next.chain() == encoder.chain());
  LUNA_ASSERT(!next.ValidFrameBeyond().value());
}

void UseBatch(std::string_view payload) {
  std::optional<journal::BatchReader> batch = journal::BatchReader::Open(payload);
  if (!batch.has_value()) {
    return;
  }
  const journal::Sequence first = batch->next_sequence();
  std::vector<std::string_view> records;
  for (journal::Sequence sequence = first; !batch->empty(); ++sequence) {
    LUNA_ASSERT(sequence < batch->end_sequence());
    const journal::Record record = batch->Next();
    LUNA_ASSERT(record.sequence == sequence && record.epoch == batch->epoch());
    records.push_back(record.payload);
  }
  LUNA_ASSERT(batch->end_sequence() == first + records.size());
  std::string again;
  journal::AppendBatch(batch->epoch(), first, records, again);
  LUNA_ASSERT(again == payload && journal::BatchBytes(records) == payload.size());
}

// The stream "j/s" with the frames that the input says.
class StreamFiles {
 public:
  explicit StreamFiles(runtime::FileSystem& files) : files_(files), directory_(files, "j/s") {
    files_.CreateDirectories("j/s").value();
  }

  void Write(base::ByteReader& in) {
    const uint8_t how = in.Byte();
    directory_.WriteEpoch({.epoch = uint64_t{how} % 8 + 1, .removed = how == 255}).value();
    header_ = {.salt = kSalt, .number = 1, .first_sequence = 1};
    if ((how & 8) != 0) {
      header_.number = Number(in);
      header_.first_sequence = Number(in);
    }
    sequence_ = header_.first_sequence;
    for (int segments = 0; segments < 3; ++segments) {
      const bool last = !WriteSegment(in);
      ++header_.number;
      header_.first_sequence = sequence_;
      if (last) {
        break;
      }
    }
  }

 private:
  // No stream comes near 2^64.
  static uint64_t Number(base::ByteReader& in) { return in.Fixed64() >> 1; }

  // False: it is the last one.
  bool WriteSegment(base::ByteReader& in) {
    std::string bytes = framing::EncodeHeader(header_);
    framing::FrameEncoder encoder(kSalt, 1);
    uint8_t how = 0;
    for (int frames = 0; frames < 16 && !in.empty(); ++frames) {
      how = in.Byte();
      if (how >= 250) {
        break;
      }
      encoder.Append(Payload(in, how), encoder.offset(), bytes);
    }
    if (how == 251) {
      bytes += in.Bytes(in.Byte());
    }
    const auto file =
        files_.Open(directory_.SegmentPath(header_.number), runtime::OpenMode::kCreateNew).value();
    file->Write(0, bytes).value();
    return how == 250 && !in.empty();
  }

  // A batch that goes on (a seal if it has no records), one that begins where the input says, or
  // any bytes.
  std::string Payload(base::ByteReader& in, uint8_t how) {
    if (how % 8 == 7) {
      return std::string(in.Bytes(in.Byte()));
    }
    const journal::Sequence first = how % 8 == 6 ? Number(in) : sequence_;
    std::vector<std::string_view> records((how % 8 + 1) / 2);
    for (std::string_view& record : records) {
      record = in.Bytes(in.Byte());
    }
    std::string payload;
    journal::AppendBatch(how / 8 % 8 + 1, first, records, payload);
    sequence_ = first + records.size();
    return payload;
  }

  runtime::FileSystem& files_;
  journal::SegmentDirectory directory_;
  framing::SegmentHeader header_;
  journal::Sequence sequence_ = 1;
};

// All records after what was released; nothing if one of them is damaged.
std::optional<std::vector<std::string>> ReadAll(journal::Stream& stream) {
  const journal::StreamState state = stream.state();
  const auto reader = stream.Read(state.released);
  LUNA_ASSERT(reader.ok());
  std::vector<std::string> records;
  for (;;) {
    const auto record = (*reader)->Next();
    if (!record.ok()) {
      LUNA_ASSERT(record.error().code() == ErrorCode::kCorruption);
      return std::nullopt;
    }
    if (!record->has_value()) {
      break;
    }
    LUNA_ASSERT((*record)->sequence == state.released + records.size() + 1);
    records.emplace_back((*record)->payload);
  }
  LUNA_ASSERT(state.released + records.size() == state.tail);
  return records;
}

void UseStream(std::string_view program) {
  simulation::SimulatedRuntime world(1);
  base::ByteReader in(program);
  StreamFiles(world.files()).Write(in);
  constexpr journal::StreamOptions kOptions{.segment_bytes = 8 << 10};
  const auto journal = journal::OpenLocalJournal(world, "j").value();
  auto stream = journal->Open("s", kOptions);
  if (!stream.ok()) {
    LUNA_ASSERT(stream.error().code() == ErrorCode::kCorruption);
    return;
  }
  std::optional<std::vector<std::string>> records = ReadAll(**stream);
  // What follows must be there in the next life, behind what was there in this one.
  for (const bool roll : {false, true}) {
    const std::string_view appended[] = {"one", "two"};
    if (roll) {
      LUNA_ASSERT((*stream)->Roll().ok());
    }
    const journal::StreamState state = (*stream)->state();
    const auto result = (*stream)->Append(state.epoch, state.tail, appended, Durability::kDevice);
    LUNA_ASSERT(result.outcome == journal::AppendResult::Outcome::kOk);
    LUNA_ASSERT(result.tail == state.tail + 2);
    if (records.has_value()) {
      records->insert(records->end(), {"one", "two"});
    }
    stream->reset();
    stream = journal->Open("s", kOptions);
    LUNA_ASSERT(stream.ok() && (*stream)->state().tail == state.tail + 2);
    LUNA_ASSERT(ReadAll(**stream) == records);
  }
}

void UseEpoch(std::string_view bytes) {
  simulation::SimulatedRuntime world(1);
  world.files().CreateDirectories("s").value();
  const auto file = world.files().Open("s/epoch", runtime::OpenMode::kCreateNew).value();
  file->Write(0, bytes).value();
  journal::SegmentDirectory directory(world.files(), "s");
  const auto mark = directory.ReadEpoch();
  if (mark.ok()) {
    LUNA_ASSERT(mark->has_value());
    directory.WriteEpoch(**mark).value();
    const auto again = directory.ReadEpoch();
    LUNA_ASSERT(again.ok() && (*again)->epoch == (*mark)->epoch);
    LUNA_ASSERT((*again)->removed == (*mark)->removed);
    LUNA_ASSERT(runtime::ReadFile(world.files(), "s/epoch").value() == bytes);
  }
}

void UseIdentity(std::string_view bytes) {
  const auto identity = kernel::DecodeIdentity(bytes, "fuzz");
  if (identity.ok()) {
    const auto again = kernel::DecodeIdentity(kernel::EncodeIdentity(*identity), "fuzz");
    LUNA_ASSERT(again.ok() && again->universe == identity->universe);
    LUNA_ASSERT(again->created_wall_millis == identity->created_wall_millis);
  }
}

// Small files end with the crc32c of what precedes it: puts the right one there.
std::string WithChecksum(std::string_view bytes, size_t length) {
  std::string fixed(bytes.substr(0, length));
  if (fixed.size() == length) {
    fixed.resize(length - 4);
    base::PutFixed32(fixed, base::Crc32c(fixed));
  }
  return fixed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view rest(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  switch (bytes[0] % 6) {
    case 0:
      UseSegment(rest);
      break;
    case 1:
      JudgeTail(rest);
      break;
    case 2:
      UseBatch(rest);
      break;
    case 3:
      UseStream(rest);
      break;
    case 4:
      UseEpoch(rest);
      UseIdentity(rest);
      break;
    default:
      UseEpoch(WithChecksum(rest, 28));
      UseIdentity(WithChecksum(rest, 64));
  }
  return 0;
}
