// Files and directories, in the order of their names.
#include <functional>
#include <string>
#include <vector>

#include "apps/luna_inspect/inspect.h"
#include "base/try.h"
#include "kernel/identity.h"

namespace luna::inspect {
namespace {

using runtime::JoinPath;

bool IsDirectory(runtime::FileSystem& files, const std::string& path) {
  return files.List(path).ok();
}

// A file that is gone is none of ours any more: a universe in use removes what it does not need.
Status WithoutMissing(const Status& status) {
  const bool gone = !status.ok() && (status.error().reason() == Reason::kFileMissing ||
                                     status.error().reason() == Reason::kObjectMissing);
  return gone ? Status() : status;
}

Status WalkFile(Inspector& inspector, const std::string& path, uint64_t& found) {
  const auto kind = Recognise(inspector.files, path);
  if (!kind.ok()) {
    return WithoutMissing(kind.error());
  }
  if (*kind == Kind::kNothing || *kind == Kind::kForeign) {
    return {};
  }
  ++found;
  return WithoutMissing(InspectFile(inspector, path, *kind));
}

Status WalkDirectory(Inspector& inspector, const std::string& directory, uint64_t& found) {
  const auto names = inspector.files.List(directory);
  if (!names.ok()) {
    return WithoutMissing(names.error());
  }
  for (const std::string& name : *names) {
    const std::string path = JoinPath(directory, name);
    TRY(IsDirectory(inspector.files, path) ? WalkDirectory(inspector, path, found)
                                           : WalkFile(inspector, path, found));
  }
  return {};
}

using Inspection = Status (*)(Inspector&, FileReport&);

Inspection InspectionOf(Kind kind) {
  switch (kind) {
    case Kind::kIdentity:
      return &InspectIdentity;
    case Kind::kEpoch:
      return &InspectEpoch;
    case Kind::kSegment:
      return &InspectSegment;
    case Kind::kSnapshot:
      return &InspectSnapshot;
    case Kind::kBlobPart:
      return &InspectBlobPart;
    case Kind::kBackup:
      return &InspectBackup;
    default:
      return nullptr;
  }
}

}  // namespace

Status InspectFile(Inspector& inspector, const std::string& path, Kind kind) {
  FileReport report;
  report.path = path;
  report.kind = Name(kind);
  {
    const auto file = TRY(inspector.files.Open(path, runtime::OpenMode::kRead));
    report.bytes = TRY(file->Size());
  }
  if (const Inspection inspection = InspectionOf(kind); inspection != nullptr) {
    TRY(inspection(inspector, report));
  } else {
    TRY(InspectTable(inspector, std::nullopt, report));
  }
  inspector.printer.Print(report);
  return {};
}

Status InspectPath(Inspector& inspector, const std::string& path) {
  if (!TRY(inspector.files.Exists(path))) {
    return Error(Reason::kFileMissing, path + " is not there; name a universe or one of its files");
  }
  if (!IsDirectory(inspector.files, path)) {
    const Kind kind = TRY(Recognise(inspector.files, path));
    if (kind == Kind::kForeign || kind == Kind::kNothing) {
      return Error(Reason::kForeignDirectory,
                   path +
                       " is no file of Luna's that holds anything; name a journal segment, a "
                       "table, a blob part, a snapshot, or a universe");
    }
    return InspectFile(inspector, path, kind);
  }
  uint64_t found = 0;
  TRY(WalkDirectory(inspector, path, found));
  if (found == 0) {
    return Error(Reason::kForeignDirectory,
                 path + " holds no file of Luna's; name the directory of a universe");
  }
  const bool universe = TRY(inspector.files.Exists(JoinPath(path, "journal")));
  return inspector.wishes.verify && universe ? InspectManifests(inspector, path) : Status();
}

}  // namespace luna::inspect
