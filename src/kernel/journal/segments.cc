#include "kernel/journal/segments.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/coding.h"
#include "base/crc32c.h"
#include "base/try.h"

namespace luna::journal {
namespace {

using runtime::OpenMode;

constexpr std::string_view kSegmentSuffix = ".segment";
constexpr std::string_view kSpareSuffix = ".spare";
constexpr std::string_view kLinkedSuffix = ".linked";
constexpr std::string_view kEpochName = "epoch";
constexpr size_t kMaxSpares = 2;

constexpr std::string_view kEpochMagic = "LUNAEPOC";
constexpr uint32_t kEpochVersion = 1;
constexpr size_t kEpochBytes = 8 + 4 + 4 + 8 + 4;

constexpr size_t kDigits = 16;

std::string NumberName(uint64_t number) {
  std::string name(kDigits, '0');
  for (size_t i = kDigits; i > 0 && number > 0; --i, number >>= 4) {
    name[i - 1] = "0123456789abcdef"[number & 15];
  }
  return name;
}

// The number in "<16 hex digits><suffix>".
std::optional<uint64_t> ParseName(std::string_view name, std::string_view suffix) {
  if (name.size() != kDigits + suffix.size() || !name.ends_with(suffix)) {
    return std::nullopt;
  }
  uint64_t number = 0;
  for (const char digit : name.substr(0, kDigits)) {
    const size_t value = std::string_view("0123456789abcdef").find(digit);
    if (value == std::string_view::npos) {
      return std::nullopt;
    }
    number = number << 4 | value;
  }
  return number;
}

Error EpochError(Reason reason, const std::string& path, const std::string& what) {
  return Error(reason, path + ": " + what + "; restore the file from a backup");
}

}  // namespace

Result<std::optional<EpochMark>> SegmentDirectory::ReadEpoch() const {
  const std::string path = runtime::JoinPath(path_, kEpochName);
  if (!TRY(files_.Exists(path))) {
    return std::optional<EpochMark>();
  }
  const std::string bytes = TRY(runtime::ReadFile(files_, path));
  base::ByteReader reader(bytes);
  if (bytes.size() < kEpochBytes || reader.Bytes(kEpochMagic.size()) != kEpochMagic) {
    return EpochError(Reason::kBadFormat, path,
                      "not an epoch file (bad magic at offset 0, or too short)");
  }
  const uint32_t version = reader.Fixed32();
  const uint32_t removed = reader.Fixed32();
  const Epoch epoch = reader.Fixed64();
  if (reader.Fixed32() != base::Crc32c({bytes.data(), kEpochBytes - 4})) {
    return EpochError(Reason::kBadChecksum, path,
                      "checksum of the epoch file's 28 bytes at offset 0 is wrong");
  }
  if (version > kEpochVersion) {
    return Error(Reason::kNewerFormat, path + ": epoch file of format " + std::to_string(version) +
                                           "; use a newer build");
  }
  if (version == 0 || removed > 1 || bytes.size() != kEpochBytes) {
    return EpochError(Reason::kBadFormat, path,
                      "an epoch file of format " + std::to_string(version) + " with " +
                          std::to_string(bytes.size()) + " bytes and the mark " +
                          std::to_string(removed));
  }
  return std::optional<EpochMark>(EpochMark{.epoch = epoch, .removed = removed == 1});
}

Status SegmentDirectory::WriteEpoch(const EpochMark& mark) {
  std::string bytes(kEpochMagic);
  base::PutFixed32(bytes, kEpochVersion);
  base::PutFixed32(bytes, mark.removed ? 1 : 0);
  base::PutFixed64(bytes, mark.epoch);
  base::PutFixed32(bytes, base::Crc32c(bytes));
  return runtime::WriteFileAtomically(files_, runtime::JoinPath(path_, kEpochName), bytes);
}

Result<std::shared_ptr<const Segment>> SegmentDirectory::OpenSegment(uint64_t number) const {
  auto segment = std::make_shared<Segment>();
  segment->path = SegmentPath(number);
  segment->file = TRY(files_.Open(segment->path, OpenMode::kReadWrite));
  segment->size_bytes = TRY(segment->file->Size());
  std::array<char, framing::kHeaderBytes> bytes;
  const size_t got = TRY(segment->file->Read(0, bytes.size(), bytes.data()));
  segment->header = TRY(framing::DecodeHeader({bytes.data(), got}, segment->path));
  if (segment->header.number != number) {
    return Error(Reason::kBadFormat, segment->path + ": its header says it is segment " +
                                         std::to_string(segment->header.number) +
                                         "; files were exchanged, restore them from a backup");
  }
  return std::shared_ptr<const Segment>(std::move(segment));
}

Result<std::vector<std::shared_ptr<const Segment>>> SegmentDirectory::Open() {
  const std::vector<std::string> names = TRY(files_.List(path_));
  std::vector<std::shared_ptr<const Segment>> segments;
  for (const std::string& name : names) {
    const std::optional<uint64_t> number = ParseName(name, kSegmentSuffix);
    if (!number.has_value()) {
      continue;
    }
    std::shared_ptr<const Segment> segment = TRY(OpenSegment(*number));
    if (!segments.empty()) {
      const framing::SegmentHeader& before = segments.back()->header;
      if (before.number + 1 != *number) {
        return Error(Reason::kLostData, SegmentPath(before.number + 1) + " is missing between " +
                                            segments.back()->path + " and " + segment->path +
                                            "; restore it from a backup");
      }
      if (before.first_sequence >= segment->header.first_sequence) {
        return Error(Reason::kBadFormat, segment->path +
                                             ": begins before the segment that precedes it; "
                                             "restore both from a backup");
      }
    }
    segments.push_back(std::move(segment));
  }
  spares_.clear();
  linked_.clear();
  for (const std::string& name : names) {
    const std::string path = runtime::JoinPath(path_, name);
    if (ParseName(name, kSpareSuffix).has_value()) {
      if (spares_.size() < kMaxSpares) {
        spares_.push_back(path);
      } else {
        TRY(files_.Remove(path));
      }
    }
    if (const auto number = ParseName(name, kLinkedSuffix)) {
      if (!segments.empty() && *number >= segments.front()->header.number) {
        linked_.insert(*number);
      } else {
        TRY(files_.Remove(path));
      }
    }
  }
  // A name left by a process that was killed before it synced may still be lost with power; it must
  // not be, once records follow it.
  TRY(files_.SyncDirectory(path_));
  return segments;
}

Result<std::string> SegmentDirectory::Prepare(const framing::SegmentHeader& header) {
  std::string path = Path(header.number, kSpareSuffix);
  if (!spares_.empty()) {
    path = spares_.back();
    spares_.pop_back();
  }
  const bool exists = TRY(files_.Exists(path));
  const auto file = TRY(files_.Open(path, exists ? OpenMode::kReadWrite : OpenMode::kCreateNew));
  Status written = file->Write(0, framing::EncodeHeader(header));
  if (written.ok()) {
    written = file->Sync();
  }
  if (!written.ok()) {
    // Best effort, for the room on a full disk; a leftover is a spare of the next life.
    static_cast<void>(files_.Remove(path));
    return written.error();
  }
  return path;
}

Result<std::shared_ptr<const Segment>> SegmentDirectory::Publish(const std::string& prepared,
                                                                 uint64_t number) {
  TRY(files_.Rename(prepared, SegmentPath(number)));
  TRY(files_.SyncDirectory(path_));
  return OpenSegment(number);
}

Status SegmentDirectory::Drop(const Segment& segment, bool recycle, uint64_t segment_bytes) {
  const uint64_t number = segment.header.number;
  const bool linked = linked_.contains(number);
  if (!TRY(files_.Exists(segment.path))) {
    TRY(files_.SyncDirectory(path_));  // an earlier attempt came that far
  } else if (!recycle || linked || spares_.size() >= kMaxSpares ||
             TRY(segment.file->Size()) > segment_bytes) {
    TRY(files_.Remove(segment.path));
    TRY(files_.SyncDirectory(path_));
  } else {
    const std::string spare = Path(number, kSpareSuffix);
    TRY(files_.Rename(segment.path, spare));
    // Only when the old name is gone for good may the bytes change.
    TRY(files_.SyncDirectory(path_));
    spares_.push_back(spare);
  }
  if (linked) {
    linked_.erase(number);
    TRY(files_.Remove(LinkedPath(number)));
  }
  return {};
}

Status SegmentDirectory::MarkLinked(uint64_t number) {
  if (linked_.contains(number)) {
    return {};
  }
  const std::string path = LinkedPath(number);
  if (!TRY(files_.Exists(path))) {
    TRY(files_.Open(path, OpenMode::kCreateNew));
  }
  TRY(files_.SyncDirectory(path_));
  linked_.insert(number);
  return {};
}

std::string SegmentDirectory::Path(uint64_t number, std::string_view suffix) const {
  return runtime::JoinPath(path_, NumberName(number).append(suffix));
}

std::string SegmentDirectory::SegmentPath(uint64_t number) const {
  return Path(number, kSegmentSuffix);
}

std::string SegmentDirectory::LinkedPath(uint64_t number) const {
  return Path(number, kLinkedSuffix);
}

Status SegmentDirectory::Erase() {
  const std::string epoch_path = runtime::JoinPath(path_, kEpochName);
  if (TRY(files_.Exists(epoch_path))) {
    TRY(WriteEpoch({.epoch = 0, .removed = true}));
  }
  for (const std::string& name : TRY(files_.List(path_))) {
    if (name != kEpochName) {
      TRY(files_.Remove(runtime::JoinPath(path_, name)));
    }
  }
  TRY(files_.SyncDirectory(path_));
  if (TRY(files_.Exists(epoch_path))) {
    TRY(files_.Remove(epoch_path));
    TRY(files_.SyncDirectory(path_));
  }
  spares_.clear();
  linked_.clear();
  return {};
}

}  // namespace luna::journal
