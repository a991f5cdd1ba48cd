// The inspectors, one for each kind of file. Each fills a FileReport; what it cannot read or what
// does not check becomes the report's damage, not an error. Errors are I/O errors. Everything is
// opened for reading only, and no lock is taken: a universe in use may be looked at.
// Thread rule: an Inspector is owned by one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "apps/luna_inspect/recognise.h"
#include "apps/luna_inspect/report.h"
#include "engine/table/table.h"
#include "kernel/storage/storage.h"
#include "runtime/runtime.h"

namespace luna::inspect {

struct Wishes {
  bool verify = false;   // read everything and check it
  bool entries = false;  // print what is inside
};

struct Inspector {
  runtime::FileSystem& files;
  storage::Storage& storage;  // a FileStorage on `files`
  Printer& printer;
  Wishes wishes;
};

// walk.cc: a file, or all files of a directory (the metadata of databases last), printed as they
// come. kFileMissing; kForeignDirectory if there is nothing of Luna's.
Status InspectPath(Inspector& inspector, const std::string& path);
// One file of a known kind, printed.
Status InspectFile(Inspector& inspector, const std::string& path, Kind kind);

// segment.cc
Status InspectSegment(Inspector& inspector, FileReport& report);
// table.cc; `row`: what the manifest says of it, if that is known.
Status InspectTable(Inspector& inspector, const std::optional<table::TableRow>& row,
                    FileReport& report);
// small_file.cc
Status InspectIdentity(Inspector& inspector, FileReport& report);
Status InspectEpoch(Inspector& inspector, FileReport& report);
Status InspectSnapshot(Inspector& inspector, FileReport& report);
Status InspectBlobPart(Inspector& inspector, FileReport& report);
Status InspectBackup(Inspector& inspector, FileReport& report);
// manifest.cc: of the universe in `directory`: what its manifests say is there, against the files.
Status InspectManifests(Inspector& inspector, const std::string& directory);

// True for errors that say what is stored is wrong, not that it cannot be read now.
bool IsDamage(const Error& error);

}  // namespace luna::inspect
