#include "engine/universe/backup.h"

#include <algorithm>
#include <utility>

#include "base/coding.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/try.h"
#include "base/writer.h"
#include "engine/blob/blob.h"
#include "kernel/storage/local_storage.h"

namespace luna::universe {

namespace {

constexpr std::string_view kMagic = "LUNABKUP";
constexpr uint32_t kVersion = 1;
constexpr const char* kObjects = "objects";
constexpr const char* kBackups = "backups";
constexpr size_t kCopyBytes = size_t{1} << 20;

std::string BackupName(uint64_t number) {
  std::string digits = std::to_string(number);
  return "backup-" + std::string(16 - std::min<size_t>(16, digits.size()), '0') + digits;
}

std::string Encode(const std::string& state, Timestamp newest) {
  std::string bytes(kMagic);
  base::PutFixed32(bytes, kVersion);
  base::PutFixed64(bytes, newest);
  base::PutString(bytes, base::WriterName());
  base::PutString(bytes, state);
  base::PutFixed64(bytes, base::Hash(bytes));
  return bytes;
}

Status Decode(const std::string& bytes, const std::string& name, SavedDatabase& saved) {
  constexpr size_t kLeast = 8 + 4 + 8 + 1 + 1 + 8;
  if (bytes.size() < kLeast || !bytes.starts_with(kMagic)) {
    return Error(Reason::kBadFormat, name + " is no Luna backup");
  }
  if (base::LoadFixed64(bytes.data() + bytes.size() - 8) !=
      base::Hash({bytes.data(), bytes.size() - 8})) {
    return Error(Reason::kBadChecksum,
                 name +
                     " (offset 0): its checksum does not match; restore an older backup by "
                     "removing it");
  }
  base::ByteReader reader(
      std::string_view(bytes).substr(kMagic.size(), bytes.size() - kMagic.size() - 8));
  const uint32_t version = reader.Fixed32();
  if (version != kVersion) {
    return Error(Reason::kNewerFormat, name + " has format version " + std::to_string(version) +
                                           "; this build reads version " +
                                           std::to_string(kVersion));
  }
  saved.newest = reader.Fixed64();
  saved.writer = reader.String();
  const std::string_view state = reader.String();
  if (!reader.ok() || !reader.empty()) {
    return Error(Reason::kBadFormat,
                 name + " has the wrong length; restore an older backup by " + "removing it");
  }
  return saved.state.Load(state);
}

Result<std::string> ReadObject(storage::Storage& storage, const std::string& bucket,
                               const std::string& name) {
  const auto reader = TRY(storage.Open(bucket, name));
  std::string bytes(reader->size(), '\0');
  TRY(reader->Read(0, bytes.size(), bytes.data()));
  return bytes;
}

// Nothing is made, swept or read where something else lives.
Status CheckPlace(runtime::FileSystem& files, const std::string& directory) {
  if (TRY(runtime::IsNoDirectory(files, directory))) {
    return Error(Reason::kForeignDirectory,
                 directory + ": is a file; backups live in a directory of their own");
  }
  if (!TRY(files.Exists(directory))) {
    return {};
  }
  for (const std::string& name : TRY(files.List(directory))) {
    if (name != kObjects && name != kBackups) {
      return Error(Reason::kForeignDirectory,
                   directory + ": holds '" + name +
                       "', so it is no place of backups; give an empty directory, or one that "
                       "backup wrote to");
    }
  }
  return {};
}

struct Place {
  storage::Storage& storage;
  std::string bucket;
};

// Copies one object unless it is there; the bytes copied.
Result<uint64_t> Copy(const Place& from, const Place& to, const std::string& name) {
  const auto reader = TRY(from.storage.Open(from.bucket, name));
  auto writer = TRY(to.storage.Create(to.bucket, name));
  std::string buffer(kCopyBytes, '\0');
  for (uint64_t at = 0; at < reader->size();) {
    const size_t length = std::min<uint64_t>(kCopyBytes, reader->size() - at);
    TRY(reader->Read(at, length, buffer.data()));
    TRY(writer->Append({buffer.data(), length}));
    at += length;
  }
  TRY(writer->Finish());
  return reader->size();
}

Result<BackupReport> CopyMissing(const Place& from, const Place& to,
                                 const std::vector<std::string>& names) {
  BackupReport report;
  const std::vector<std::string> there = TRY(to.storage.List(to.bucket));
  for (const std::string& name : names) {
    if (std::binary_search(there.begin(), there.end(), name)) {
      ++report.objects_kept;
      continue;
    }
    report.bytes_copied += TRY(Copy(from, to, name));
    ++report.objects_copied;
  }
  return report;
}

}  // namespace

Result<std::vector<std::string>> ObjectsOf(storage::Storage& storage, const std::string& bucket,
                                           const std::set<std::string>& tables,
                                           const std::set<std::string>& blobs) {
  std::vector<std::string> names;
  size_t found = 0;
  for (const std::string& object : TRY(storage.List(bucket))) {
    const std::string blob = blob::NameOfPart(object);
    if (tables.contains(object)) {
      ++found;
      names.push_back(object);
    } else if (!blob.empty() && blobs.contains(blob)) {
      names.push_back(object);
    }
  }
  if (found != tables.size()) {
    return Error(Reason::kLostData, "bucket " + bucket + " lacks " +
                                        std::to_string(tables.size() - found) +
                                        " of the tables that the manifest names; run verify");
  }
  return names;
}

Result<BackupReport> WriteBackup(DatabaseCore& database, const std::string& directory) {
  Engine& engine = database.engine();
  TRY(CheckPlace(engine.runtime.files(), directory));
  const auto target = TRY(storage::OpenLocalStorage(engine.runtime, directory));
  storage::Storage& source = engine.kernel->storage();
  // Nothing the state names is removed while the gate is closed.
  GateClosed closed(engine.gate);
  std::string state;
  std::set<std::string> tables;
  std::set<std::string> blobs;
  TRY(engine.group->WithDatabaseFlushed(database.id(), [&]() -> Status {
    database.manifest().Inspect([&](manifest::Position) {
      state = database.state().Save();
      tables = database.state().LiveTables();
      blobs = database.state().LiveBlobs();
    });
    return {};
  }));
  // Not inside: reading the clock may log a new limit, which waits for its own turn.
  const Timestamp newest = engine.group->ReadTimestamp(database.id());
  const auto names = TRY(ObjectsOf(source, database.bucket(), tables, blobs));
  const BackupReport report =
      TRY(CopyMissing({source, database.bucket()}, {*target, kObjects}, names));
  const auto backups = TRY(target->List(kBackups));
  uint64_t number = 1;  // above every one there is: older ones may have been removed
  while (!backups.empty() && BackupName(number) <= backups.back()) {
    ++number;
  }
  auto writer = TRY(target->Create(kBackups, BackupName(number)));
  TRY(writer->Append(Encode(state, newest)));
  TRY(writer->Finish());
  return report;
}

Result<std::unique_ptr<SavedDatabase>> ReadBackup(Engine& engine, const std::string& directory) {
  if (!TRY(engine.runtime.files().Exists(directory))) {
    return Error(Reason::kFileMissing, "there is no directory " + directory + " to restore from");
  }
  TRY(CheckPlace(engine.runtime.files(), directory));
  const auto source = TRY(storage::OpenLocalStorage(engine.runtime, directory));
  const auto backups = TRY(source->List(kBackups));
  if (backups.empty()) {
    return Error(Reason::kForeignDirectory,
                 directory + " holds no backup; give the directory that backup wrote to");
  }
  const std::string bytes = TRY(ReadObject(*source, kBackups, backups.back()));
  auto saved = std::make_unique<SavedDatabase>();
  TRY(Decode(bytes, directory + "/" + kBackups + "/" + backups.back(), *saved));
  return saved;
}

Status CopyFromBackup(Engine& engine, const std::string& directory, const SavedDatabase& saved,
                      const std::string& bucket) {
  const auto source = TRY(storage::OpenLocalStorage(engine.runtime, directory));
  const auto names =
      TRY(ObjectsOf(*source, kObjects, saved.state.LiveTables(), saved.state.LiveBlobs()));
  TRY(CopyMissing({*source, kObjects}, {engine.kernel->storage(), bucket}, names));
  return {};
}

}  // namespace luna::universe
