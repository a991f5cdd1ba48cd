// Files that are read whole and have one checksum: identity, epoch, snapshot, blob part, backup.
#include <algorithm>
#include <optional>
#include <string>

#include "apps/luna_inspect/inspect.h"
#include "base/coding.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/try.h"
#include "base/writer.h"
#include "engine/blob/part.h"
#include "kernel/identity.h"
#include "kernel/journal/segments.h"
#include "kernel/manifest/snapshot_format.h"

namespace luna::inspect {
namespace {

std::string TextOf(const base::Id128& id) {
  std::string bytes;
  base::PutFixed64(bytes, __builtin_bswap64(id.high));
  base::PutFixed64(bytes, __builtin_bswap64(id.low));
  return base::Hex(bytes);
}

// One checksum covers the whole file, so the bad byte may be anywhere in it.
void WholeFile(FileReport& report, const Error& error) {
  report.Damaged(0, report.bytes, error);
}

}  // namespace

bool IsDamage(const Error& error) {
  return error.code() == ErrorCode::kCorruption || error.reason() == Reason::kNewerFormat;
}

Status InspectIdentity(Inspector& inspector, FileReport& report) {
  const std::string bytes = TRY(runtime::ReadFile(inspector.files, report.path));
  const auto identity = kernel::DecodeIdentity(bytes, report.path);
  if (!identity.ok()) {
    WholeFile(report, identity.error());
    return {};
  }
  report.Add("universe", TextOf(identity->universe));
  report.Add("created_millis", identity->created_wall_millis);
  return {};
}

Status InspectEpoch(Inspector& inspector, FileReport& report) {
  const journal::SegmentDirectory directory(inspector.files, runtime::ParentPath(report.path));
  const auto mark = directory.ReadEpoch();
  if (!mark.ok()) {
    if (!IsDamage(mark.error())) {
      return mark.error();
    }
    WholeFile(report, mark.error());
    return {};
  }
  if (mark->has_value()) {
    report.Add("epoch", (*mark)->epoch);
    report.Add("removed", std::string((*mark)->removed ? "yes" : "no"));
  }
  return {};
}

Status InspectSnapshot(Inspector& inspector, FileReport& report) {
  const std::string bytes = TRY(runtime::ReadFile(inspector.files, report.path));
  const auto snapshot = manifest::DecodeSnapshot(bytes, report.path);
  if (!snapshot.ok()) {
    WholeFile(report, snapshot.error());
    return {};
  }
  report.Add("position", snapshot->position);
  report.Add("state_bytes", uint64_t{snapshot->state.size()});
  return {};
}

Status InspectBlobPart(Inspector& inspector, FileReport& report) {
  const std::string bytes = TRY(runtime::ReadFile(inspector.files, report.path));
  const auto trailer = blob::CheckPart(bytes, report.path);
  if (!trailer.ok()) {
    WholeFile(report, trailer.error());
    return {};
  }
  report.Add("part", uint64_t{trailer->part});
  report.Add("payload_bytes", trailer->payload_bytes);
  report.Add("whole_bytes", trailer->whole_bytes);
  report.Add("writer", base::WriterName(trailer->writer));
  return {};
}

// docs/formats/backup.md: magic, version, newest timestamp, writer, state, XXH3-64 of all before.
Status InspectBackup(Inspector& inspector, FileReport& report) {
  const std::string bytes = TRY(runtime::ReadFile(inspector.files, report.path));
  constexpr size_t kChecksumBytes = 8;
  const std::string_view body =
      std::string_view(bytes).substr(0, bytes.size() - std::min(bytes.size(), kChecksumBytes));
  base::ByteReader reader(body);
  reader.Bytes(8);
  const uint32_t version = reader.Fixed32();
  const Timestamp newest = reader.Fixed64();
  const std::string_view writer = reader.String();
  const std::string_view state = reader.String();
  if (!body.starts_with("LUNABKUP") || !reader.ok() || !reader.empty() ||
      base::LoadFixed64(bytes.data() + body.size()) != base::Hash(body)) {
    WholeFile(report, Error(Reason::kBadChecksum,
                            report.path + ": the backup does not match its checksum; restore an "
                                          "older one by removing it"));
    return {};
  }
  report.Add("format_version", uint64_t{version});
  report.Add("writer", std::string(writer));
  report.Add("newest_timestamp", std::to_string(newest));
  report.Add("state_bytes", uint64_t{state.size()});
  return {};
}

}  // namespace luna::inspect
