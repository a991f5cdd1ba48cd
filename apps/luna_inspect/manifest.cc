// What the manifests say is there, against the files: missing and exchanged objects show only so.
// The state is built as the engine builds it, without its writer: newest snapshot, then edits.
#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "apps/luna_inspect/inspect.h"
#include "base/try.h"
#include "engine/basestore/object_names.h"
#include "engine/blob/blob.h"
#include "engine/catalog/database_state.h"
#include "engine/catalog/universe_state.h"
#include "kernel/framing/framing.h"
#include "kernel/journal/batch.h"
#include "kernel/manifest/edit_format.h"
#include "kernel/manifest/snapshot_format.h"
#include "kernel/universe_directory.h"

namespace luna::inspect {
namespace {

using runtime::JoinPath;

struct StoredEdit {
  uint64_t position = 0;
  std::string bytes;  // a stored record
};

// All records of a stream that check, in order; damage is reported with the segments themselves.
Result<std::vector<StoredEdit>> ReadRecords(Inspector& inspector, const std::string& stream) {
  std::vector<StoredEdit> records;
  const std::vector<std::string> names = TRY(inspector.files.List(stream));
  for (const std::string& name : names) {
    if (!name.ends_with(".segment")) {
      continue;
    }
    const std::string path = JoinPath(stream, name);
    const auto file = TRY(inspector.files.Open(path, runtime::OpenMode::kRead));
    std::string head(framing::kHeaderBytes, '\0');
    head.resize(TRY(file->Read(0, head.size(), head.data())));
    const framing::SegmentHeader header = TRY(framing::DecodeHeader(head, path));
    framing::FrameReader frames(*file, path, header);
    while (const auto payload = TRY(frames.Next())) {
      auto batch = journal::BatchReader::Open(*payload);
      while (batch.has_value() && !batch->empty()) {
        const journal::Record record = batch->Next();
        records.push_back({.position = record.sequence, .bytes = std::string(record.payload)});
      }
    }
  }
  return records;
}

// The newest snapshot that a mark names and that is whole.
Result<std::optional<manifest::Snapshot>> FindSnapshot(Inspector& inspector,
                                                       const std::vector<StoredEdit>& records,
                                                       const std::string& bucket) {
  for (auto edit = records.rbegin(); edit != records.rend(); ++edit) {
    const std::string where = "position " + std::to_string(edit->position);
    const manifest::StoredRecord record = TRY(manifest::DecodeRecord(edit->bytes, where));
    if (record.kind != manifest::RecordKind::kSnapshotMark) {
      continue;
    }
    const manifest::SnapshotMark mark = TRY(manifest::DecodeMark(record.bytes, where));
    auto snapshot = manifest::ReadSnapshot(inspector.storage, bucket, mark);
    if (snapshot.ok()) {
      return std::optional(std::move(*snapshot));
    }
  }
  return std::optional<manifest::Snapshot>();
}

Status BuildState(Inspector& inspector, const std::string& stream, const std::string& bucket,
                  manifest::State& state) {
  const std::vector<StoredEdit> records = TRY(ReadRecords(inspector, stream));
  auto snapshot = TRY(FindSnapshot(inspector, records, bucket));
  uint64_t applied = 0;
  manifest::NonceWindow nonces;
  if (snapshot.has_value()) {
    TRY(state.Load(snapshot->state));
    applied = snapshot->position;
    nonces = std::move(snapshot->nonces);
  }
  if (!records.empty() && records.front().position > applied + 1) {
    return Error(Reason::kLostData, stream + ": edits up to " +
                                        std::to_string(records.front().position - 1) +
                                        " were released, and no snapshot covers them; restore "
                                        "the universe from a backup");
  }
  for (const StoredEdit& edit : records) {
    if (edit.position <= applied) {
      continue;
    }
    const manifest::StoredRecord record = TRY(
        manifest::DecodeRecord(edit.bytes, stream + ", position " + std::to_string(edit.position)));
    if (nonces.Contains(record.nonce)) {
      continue;
    }
    if (record.kind == manifest::RecordKind::kEdit) {
      TRY(state.Apply(edit.position, record.bytes));
    }
    nonces.Add(record.nonce);
  }
  return {};
}

// Tables whose file is gone or is not the one the manifest means, by path.
Status CheckTables(Inspector& inspector, const std::string& bucket,
                   const catalog::DatabaseState& state, std::vector<FileReport>& wrong) {
  for (const auto& [id, collection] : state.collections()) {
    for (int level = 0; level < levels::kLevels; ++level) {
      for (const levels::Row& row : collection.levels->level(level)) {
        const std::string path = JoinPath(bucket, row->object);
        FileReport report;
        report.path = path;
        report.kind = "table in the manifest";
        const auto own =
            table::ReadTableRow({.storage = &inspector.storage, .bucket = bucket}, row->object);
        if (!own.ok() && own.error().reason() == Reason::kObjectMissing) {
          report.Damaged(0, std::nullopt,
                         Error(Reason::kLostData,
                               path + " is missing, though the manifest names it; bring it back "
                                      "or restore the universe from a backup"));
        } else if (own.ok() && (own->salt != row->salt || own->size != row->size ||
                                own->tail_checksum != row->tail_checksum)) {
          report.bytes = own->size;
          report.Damaged(0, own->size,
                         Error(Reason::kLostData,
                               path + " is whole, but not the table the manifest means; bring "
                                      "that one back or restore the universe from a backup"));
        }
        if (report.damage.has_value()) {
          wrong.push_back(std::move(report));
        }
      }
    }
  }
  return {};
}

// Blobs that a table refers to and of which no part is there.
Status CheckBlobs(Inspector& inspector, const std::string& bucket,
                  const catalog::DatabaseState& state, std::vector<FileReport>& wrong) {
  const std::set<std::string> named = state.LiveBlobs();
  if (named.empty()) {
    return {};
  }
  std::set<std::string> found;
  for (const std::string& object : TRY(inspector.files.List(bucket))) {
    found.insert(blob::NameOfPart(object));
  }
  for (const std::string& name : named) {
    if (!found.contains(name)) {
      FileReport report;
      report.path = JoinPath(bucket, name);
      report.kind = "blob in the manifest";
      report.Damaged(0, std::nullopt,
                     Error(Reason::kLostData,
                           report.path + ": no part of it is there, though a table refers to it; "
                                         "bring it back or restore the universe from a backup"));
      wrong.push_back(std::move(report));
    }
  }
  return {};
}

Result<std::vector<FileReport>> CheckDatabase(Inspector& inspector, const std::string& directory,
                                              catalog::DatabaseId id) {
  const std::string stream =
      JoinPath(kernel::JournalPath(directory), "manifest-" + std::to_string(id));
  const std::string bucket = JoinPath(kernel::ObjectsPath(directory), basestore::BucketName(id));
  catalog::DatabaseState state;
  TRY(BuildState(inspector, stream, bucket, state));
  std::vector<FileReport> wrong;
  TRY(CheckTables(inspector, bucket, state, wrong));
  TRY(CheckBlobs(inspector, bucket, state, wrong));
  return wrong;
}

void PrintDamage(Inspector& inspector, const std::string& path, const Error& error) {
  FileReport report;
  report.path = path;
  report.kind = "manifest";
  report.Damaged(0, std::nullopt, error);
  inspector.printer.Print(report);
}

}  // namespace

Status InspectManifests(Inspector& inspector, const std::string& directory) {
  const std::string system = JoinPath(kernel::JournalPath(directory), "manifest-0");
  catalog::UniverseState universe;
  const Status built =
      BuildState(inspector, system,
                 JoinPath(kernel::ObjectsPath(directory), basestore::BucketName(0)), universe);
  if (!built.ok()) {
    PrintDamage(inspector, system, built.error());
    return {};
  }
  for (const auto& [id, name] : universe.databases()) {
    // Twice if something is wrong: a universe in use removes a table when its manifest moved on.
    auto wrong = CheckDatabase(inspector, directory, id);
    if (wrong.ok() && !wrong->empty()) {
      wrong = CheckDatabase(inspector, directory, id);
    }
    if (!wrong.ok()) {
      PrintDamage(inspector, "database " + name, wrong.error());
      continue;
    }
    for (const FileReport& report : *wrong) {
      inspector.printer.Print(report);
    }
  }
  return {};
}

}  // namespace luna::inspect
