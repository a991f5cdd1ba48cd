#include "engine/compaction/merge_task.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/coding.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/try.h"
#include "engine/compaction/overlap.h"

namespace luna::compaction {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kChecksumBytes = 8;

enum class Kind : uint8_t { kMerged = 0, kFailed = 1 };

void PutRows(std::string& out, const std::vector<levels::Row>& rows) {
  base::PutVarint(out, rows.size());
  for (const levels::Row& row : rows) {
    table::EncodeTableRow(*row, out);
  }
}

std::vector<levels::Row> TakeRows(base::ByteReader& reader) {
  std::vector<levels::Row> rows;
  const uint64_t count = reader.Varint();
  for (uint64_t i = 0; i < count && reader.ok(); ++i) {
    rows.push_back(std::make_shared<const table::TableRow>(table::DecodeTableRow(reader)));
  }
  return rows;
}

std::string Seal(std::string bytes, uint64_t seed) {
  base::PutFixed64(bytes, base::Hash(bytes, seed));
  return bytes;
}

Error Damaged(std::string_view what, std::string_view where) {
  return Error(Reason::kBadFormat, std::string(what) + " is damaged: " + std::string(where) +
                                       "; nothing is lost, it is done again");
}

// What lies between version and checksum.
Result<std::string_view> Unseal(std::string_view bytes, uint64_t seed, std::string_view what) {
  if (bytes.size() < 1 + kChecksumBytes) {
    return Damaged(what, "too short");
  }
  if (static_cast<uint8_t>(bytes.front()) != kVersion) {
    return Error(Reason::kNewerFormat, std::string(what) + " has version " +
                                           std::to_string(static_cast<uint8_t>(bytes.front())) +
                                           ", unknown to this build; run the newer one everywhere");
  }
  const std::string_view body = bytes.substr(0, bytes.size() - kChecksumBytes);
  if (base::Hash(body, seed) != base::LoadFixed64(bytes.data() + body.size())) {
    return Error(Reason::kBadChecksum, std::string(what) +
                                           " does not check, or is another one; nothing is lost, "
                                           "it is done again");
  }
  return body.substr(1);
}

// A switch has one form for each of its places.
bool TakeSwitch(base::ByteReader& reader, bool& sound) {
  const uint8_t byte = reader.Byte();
  sound = sound && byte <= 1;
  return byte == 1;
}

}  // namespace

std::string Encode(const MergeTask& task, uint64_t seed) {
  std::string out(1, static_cast<char>(kVersion));
  base::PutString(out, task.bucket);
  base::PutVarint(out, task.job);
  out.push_back(static_cast<char>(task.from_level));
  out.push_back(static_cast<char>(task.to_level));
  out.push_back(task.last ? 1 : 0);
  PutRows(out, task.inputs);
  PutRows(out, task.overlapped);
  base::PutVarint(out, task.retention.safe);
  base::PutVarint(out, task.retention.snapshots.size());
  for (const Timestamp snapshot : task.retention.snapshots) {
    base::PutVarint(out, snapshot);
  }
  base::PutFixed32(out, task.table.block_bytes);
  base::PutFixed32(out, task.table.filter_bits_per_key);
  out.push_back(static_cast<char>(task.table.codec));
  base::PutVarint(out, task.table_bytes);
  return Seal(std::move(out), seed);
}

Result<MergeTask> DecodeTask(std::string_view bytes, uint64_t seed) {
  constexpr std::string_view kWhat = "the description of a merge";
  base::ByteReader reader(TRY(Unseal(bytes, seed, kWhat)));
  MergeTask task;
  bool sound = true;
  task.bucket = reader.String();
  task.job = reader.Varint();
  task.from_level = reader.Byte();
  task.to_level = reader.Byte();
  task.last = TakeSwitch(reader, sound);
  task.inputs = TakeRows(reader);
  task.overlapped = TakeRows(reader);
  task.retention.safe = reader.Varint();
  const uint64_t snapshots = reader.Varint();
  for (uint64_t i = 0; i < snapshots && reader.ok(); ++i) {
    task.retention.snapshots.push_back(reader.Varint());
  }
  task.table.block_bytes = reader.Fixed32();
  task.table.filter_bits_per_key = reader.Fixed32();
  const uint8_t codec = reader.Byte();
  task.table.codec = static_cast<table::Codec>(codec);
  task.table_bytes = reader.Varint();
  if (!reader.ok() || !reader.empty()) {
    return Damaged(kWhat, "wrong length");
  }
  sound = sound && codec <= static_cast<uint8_t>(table::Codec::kZstd) &&
          task.from_level < levels::kLevels && task.to_level < levels::kLevels &&
          task.table.block_bytes > 0 && task.table_bytes > 0 && !task.inputs.empty() &&
          std::ranges::is_sorted(task.retention.snapshots);
  if (!sound) {
    return Damaged(kWhat, "a field is out of range");
  }
  return task;
}

std::string Encode(const MergeOutcome& outcome, uint64_t seed) {
  std::string out(1, static_cast<char>(kVersion));
  if (!outcome.failure.empty()) {
    out.push_back(static_cast<char>(Kind::kFailed));
    base::PutString(out, outcome.failure);
    return Seal(std::move(out), seed);
  }
  out.push_back(static_cast<char>(Kind::kMerged));
  PutRows(out, outcome.written.tables);
  const Dropped& dropped = outcome.written.dropped;
  for (const uint64_t count : {outcome.written.entries_in, dropped.shadowed, dropped.deletions,
                               dropped.covered, dropped.expired}) {
    base::PutVarint(out, count);
  }
  return Seal(std::move(out), seed);
}

Result<MergeOutcome> DecodeOutcome(std::string_view bytes, uint64_t seed) {
  constexpr std::string_view kWhat = "the outcome of a merge";
  base::ByteReader reader(TRY(Unseal(bytes, seed, kWhat)));
  MergeOutcome outcome;
  const uint8_t kind = reader.Byte();
  if (kind == static_cast<uint8_t>(Kind::kFailed)) {
    outcome.failure = reader.String();
  } else if (kind == static_cast<uint8_t>(Kind::kMerged)) {
    Written& written = outcome.written;
    written.tables = TakeRows(reader);
    written.entries_in = reader.Varint();
    written.dropped.shadowed = reader.Varint();
    written.dropped.deletions = reader.Varint();
    written.dropped.covered = reader.Varint();
    written.dropped.expired = reader.Varint();
    for (const levels::Row& row : written.tables) {
      written.entries_out += row->entries;
      written.bytes += row->size;
    }
  } else {
    return Damaged(kWhat, "neither tables nor a failure");
  }
  const bool nameless = kind == static_cast<uint8_t>(Kind::kFailed) && outcome.failure.empty();
  if (!reader.ok() || !reader.empty() || nameless) {
    return Damaged(kWhat, "wrong length");
  }
  return outcome;
}

std::string RunName(uint64_t job, uint64_t run) {
  std::string bytes;
  base::PutFixed64(bytes, run);
  return "j-" + std::to_string(job) + "." + base::Hex(bytes);
}

uint64_t BytesOf(const MergeTask& task) {
  return BytesOf(std::span<const levels::Row>(task.inputs)) +
         BytesOf(std::span<const levels::Row>(task.overlapped));
}

Status Check(const MergeTask& task, uint64_t run, const Written& written) {
  const std::string prefix = RunName(task.job, run) + ".";
  std::set<std::string_view> names;
  for (const levels::Row& row : written.tables) {
    if (!row->object.starts_with(prefix) || !names.insert(row->object).second) {
      return Error(Reason::kBadFormat, "table " + row->object + " is none of run " + prefix +
                                           "*: the outcome is not used");
    }
  }
  uint64_t entries = 0;
  for (const auto* rows : {&task.inputs, &task.overlapped}) {
    for (const levels::Row& row : *rows) {
      entries += row->entries;
    }
  }
  const Dropped& dropped = written.dropped;
  const uint64_t accounted = written.entries_out + dropped.shadowed + dropped.deletions +
                             dropped.covered + dropped.expired;
  if (written.entries_in != entries || accounted != entries) {
    return Error(Reason::kBadFormat, "run " + prefix + "* merged " +
                                         std::to_string(written.entries_in) + " of " +
                                         std::to_string(entries) + " entries and accounts for " +
                                         std::to_string(accounted) + ": the outcome is not used");
  }
  return {};
}

}  // namespace luna::compaction
