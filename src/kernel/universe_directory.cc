#include "kernel/universe_directory.h"

#include <utility>
#include <vector>

#include "base/try.h"

namespace luna::kernel {

namespace {

constexpr std::string_view kLockName = "LOCK";
constexpr std::string_view kJournalName = "journal";
constexpr std::string_view kObjectsName = "objects";

using runtime::FileSystem;
using runtime::JoinPath;

std::string IdentityPath(const std::string& directory) {
  return JoinPath(directory, kIdentityName);
}

Result<std::vector<std::string>> NamesIn(FileSystem& files, const std::string& path) {
  if (TRY(runtime::IsNoDirectory(files, path))) {
    return Error(Reason::kForeignDirectory,
                 path + ": is a file where a directory must be; choose another path");
  }
  return files.List(path);
}

enum class Content : uint8_t { kUniverse, kNothing, kForeign };

struct Finding {
  Content content = Content::kNothing;
  std::string foreign;  // a name that is not ours
};

Result<Finding> Look(FileSystem& files, const std::string& path) {
  if (!TRY(files.Exists(path))) {
    return Finding{};
  }
  if (TRY(files.Exists(IdentityPath(path)))) {
    return Finding{.content = Content::kUniverse, .foreign = {}};
  }
  for (const std::string& name : TRY(NamesIn(files, path))) {
    const bool place = name == kJournalName || name == kObjectsName;
    const bool leftover = name == kLockName || name == std::string(kIdentityName) + ".new";
    const bool ours = leftover || (place && TRY(NamesIn(files, JoinPath(path, name))).empty());
    if (!ours) {
      return Finding{.content = Content::kForeign, .foreign = name};
    }
  }
  return Finding{};
}

Error Foreign(const std::string& path, const std::string& name) {
  return Error(Reason::kForeignDirectory,
               path + ": holds '" + name + "' but no file " + std::string(kIdentityName) +
                   ", so it is no universe (or an unfinished checkpoint); choose an empty "
                   "directory, or bring the file back");
}

Error Missing(const std::string& path) {
  return Error(Reason::kUniverseMissing,
               path + ": there is no universe; check the path, or open with create_if_missing");
}

Status MakePlaces(FileSystem& files, const std::string& path) {
  TRY(files.CreateDirectories(JournalPath(path)));
  TRY(files.CreateDirectories(ObjectsPath(path)));
  return files.SyncDirectory(path);
}

Status CheckPlaces(FileSystem& files, const std::string& path) {
  for (const std::string& place : {JournalPath(path), ObjectsPath(path)}) {
    if (!TRY(files.Exists(place))) {
      return Error(Reason::kLostData, place +
                                          ": the directory is missing from the universe; restore "
                                          "the universe from a backup or checkpoint");
    }
  }
  return {};
}

Result<Identity> ReadIdentity(FileSystem& files, const std::string& path) {
  const std::string file = IdentityPath(path);
  const std::string bytes = TRY(runtime::ReadFile(files, file));
  const Identity identity = TRY(DecodeIdentity(bytes, file));
  TRY(CheckPlaces(files, path));
  return identity;
}

Result<Identity> MakeUniverse(runtime::Runtime& runtime, const std::string& path) {
  Identity identity;
  identity.universe.high = runtime.random().Next();
  identity.universe.low = runtime.random().Next();
  identity.created_wall_millis = runtime.clock().WallMillis();
  TRY(MakePlaces(runtime.files(), path));
  TRY(runtime::WriteFileAtomically(runtime.files(), IdentityPath(path), EncodeIdentity(identity)));
  return identity;
}

// Syncs `path` and the directories in it.
Status SyncTree(FileSystem& files, const std::string& path) {
  for (const std::string& name : TRY(files.List(path))) {
    TRY(files.SyncDirectory(JoinPath(path, name)));
  }
  return files.SyncDirectory(path);
}

}  // namespace

std::string JournalPath(const std::string& directory) {
  return JoinPath(directory, kJournalName);
}

std::string ObjectsPath(const std::string& directory) {
  return JoinPath(directory, kObjectsName);
}

Result<UniverseDirectory> OpenDirectory(runtime::Runtime& runtime, std::string path,
                                        bool create_if_missing) {
  FileSystem& files = runtime.files();
  // A first look, so that nothing is left in a directory that is not ours.
  const Finding before = TRY(Look(files, path));
  if (before.content == Content::kForeign) {
    return Foreign(path, before.foreign);
  }
  if (before.content == Content::kNothing) {
    if (!create_if_missing) {
      return Missing(path);
    }
    TRY(files.CreateDirectories(path));
  }
  auto lock = TRY(files.Lock(JoinPath(path, kLockName)));
  // Another process may have made the universe since.
  const Finding found = TRY(Look(files, path));
  if (found.content == Content::kForeign) {
    return Foreign(path, found.foreign);
  }
  const Identity identity = TRY(found.content == Content::kUniverse ? ReadIdentity(files, path)
                                                                    : MakeUniverse(runtime, path));
  return UniverseDirectory{.path = std::move(path), .identity = identity, .lock = std::move(lock)};
}

Status BeginDirectory(FileSystem& files, const std::string& path) {
  if (TRY(files.Exists(path))) {
    const std::vector<std::string> names = TRY(NamesIn(files, path));
    if (!names.empty()) {
      return Error(Reason::kForeignDirectory, path + ": holds '" + names.front() +
                                                  "'; a checkpoint needs a directory that is "
                                                  "missing or empty");
    }
  }
  TRY(files.CreateDirectories(path));
  return MakePlaces(files, path);
}

Status FinishDirectory(FileSystem& files, const std::string& path, const Identity& identity) {
  TRY(SyncTree(files, JournalPath(path)));
  TRY(SyncTree(files, ObjectsPath(path)));
  TRY(files.SyncDirectory(path));
  return runtime::WriteFileAtomically(files, IdentityPath(path), EncodeIdentity(identity));
}

}  // namespace luna::kernel
