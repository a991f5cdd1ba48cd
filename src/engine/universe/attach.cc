#include "engine/universe/attach.h"

#include <map>
#include <set>

#include "base/try.h"
#include "engine/basestore/object_names.h"
#include "engine/blob/blob.h"
#include "engine/catalog/database_state.h"
#include "engine/catalog/universe_state.h"
#include "engine/table/table.h"
#include "engine/universe/database_core.h"

namespace luna::universe {

namespace {

Status OpenState(kernel::UnfinishedUniverse& copy, catalog::DatabaseId database,
                 manifest::State& state) {
  const std::string name = ManifestName(database);
  if (!TRY(copy.journal().Exists(name))) {
    return Error(Reason::kLostData,
                 "stream " + name + " is missing; verify the original, or restore it");
  }
  TRY(manifest::Manifest::Open(copy.runtime(), copy.journal(), copy.storage(), name,
                               basestore::BucketName(database), state));
  return {};
}

// How many objects were read.
Result<uint64_t> VerifyDatabase(kernel::UnfinishedUniverse& copy, catalog::DatabaseId id) {
  catalog::DatabaseState state;
  TRY(OpenState(copy, id, state));
  const std::string bucket = basestore::BucketName(id);
  uint64_t objects = 0;
  for (const auto& [collection, parts] : state.collections()) {
    for (int level = 0; level < levels::kLevels; ++level) {
      for (const levels::Row& row : parts.levels->level(level)) {
        TRY(table::Table::Open({.storage = &copy.storage(), .bucket = bucket}, *row)->Verify());
        ++objects;
      }
    }
  }
  // By name, so that a part that is missing is noticed; those of memtables one by one.
  const std::set<std::string> named = state.LiveBlobs();
  for (const std::string& blob : named) {
    TRY(blob::Verify(copy.storage(), bucket, blob));
    ++objects;
  }
  for (const std::string& object : TRY(copy.storage().List(bucket))) {
    const std::string blob = blob::NameOfPart(object);
    if (!blob.empty() && !named.contains(blob)) {
      TRY(blob::VerifyPart(copy.storage(), bucket, object));
      ++objects;
    }
  }
  return objects;
}

}  // namespace

Result<AttachReport> Attach(kernel::Kernel& from, kernel::UnfinishedUniverse& to,
                            const std::function<void(const kernel::CopyProgress&)>& tell) {
  AttachReport report;
  report.copied = TRY(kernel::CopyUniverse(from, to, tell));
  catalog::UniverseState system;
  TRY(OpenState(to, 0, system));
  for (const auto& [id, name] : system.databases()) {
    report.verified += TRY(VerifyDatabase(to, id));
    ++report.databases;
  }
  TRY(to.Finish());
  return report;
}

}  // namespace luna::universe
