// backup: a database copied to a directory and back. The directory is a storage of its own with two
// buckets: "objects" (tables and blob parts, by their names) and "backups" ("backup-<number>":
// magic, format version, the newest timestamp, the build that wrote it, the DatabaseState's saved
// bytes, XXH3-64). Objects are immutable and never reuse names, so each further backup copies only
// new ones (docs/formats/backup.md).
// Thread rule: functions are safe.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/universe/database_core.h"
#include "luna/database.h"

namespace luna::universe {

// Flushes the database and copies what `directory` lacks.
Result<BackupReport> WriteBackup(DatabaseCore& database, const std::string& directory);

// The newest backup in a directory, checked.
struct SavedDatabase {
  catalog::DatabaseState state;
  Timestamp newest = 0;
  std::string writer;  // the build that wrote the backup: base::WriterName
};
Result<std::unique_ptr<SavedDatabase>> ReadBackup(Engine& engine, const std::string& directory);
// Copies its objects into `bucket`.
Status CopyFromBackup(Engine& engine, const std::string& directory, const SavedDatabase& saved,
                      const std::string& bucket);
// Of the objects in `bucket`, those that `tables` and `blobs` (names, not parts) name. kLostData if
// one of the tables is not there.
Result<std::vector<std::string>> ObjectsOf(storage::Storage& storage, const std::string& bucket,
                                           const std::set<std::string>& tables,
                                           const std::set<std::string>& blobs);

}  // namespace luna::universe
