#include "runtime/file_system.h"

#include <utility>

#include "base/try.h"

namespace luna::runtime {

namespace {

constexpr std::string_view kNewSuffix = ".new";

// A fresh `path`; one left behind by an interrupted attempt is replaced.
Result<std::unique_ptr<File>> CreateAfresh(FileSystem& files, const std::string& path) {
  auto file = files.Open(path, OpenMode::kCreateNew);
  if (file.ok() || file.error().reason() != Reason::kFileExists) {
    return file;
  }
  TRY(files.Remove(path));
  return files.Open(path, OpenMode::kCreateNew);
}

Status WriteAndSync(FileSystem& files, const std::string& path, std::string_view bytes) {
  const auto file = TRY(CreateAfresh(files, path));
  TRY(file->Write(0, bytes));
  return file->Sync();
}

}  // namespace

std::string JoinPath(std::string_view directory, std::string_view name) {
  std::string path(directory);
  if (!path.empty() && path.back() != '/') {
    path += '/';
  }
  path += name;
  return path;
}

std::string ParentPath(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') {
    path.remove_suffix(1);
  }
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) {
    return ".";
  }
  path = path.substr(0, slash);
  while (!path.empty() && path.back() == '/') {
    path.remove_suffix(1);
  }
  return path.empty() ? "/" : std::string(path);
}

Result<bool> IsNoDirectory(FileSystem& files, const std::string& path) {
  return TRY(files.Exists(path)) && !TRY(files.Exists(JoinPath(path, ".")));
}

Result<std::string> ReadFile(FileSystem& files, const std::string& path) {
  const auto file = TRY(files.Open(path, OpenMode::kRead));
  std::string bytes(TRY(file->Size()), '\0');
  bytes.resize(TRY(file->Read(0, bytes.size(), bytes.data())));
  return bytes;
}

Status WriteFileAtomically(FileSystem& files, const std::string& path, std::string_view bytes) {
  const std::string fresh = path + std::string(kNewSuffix);
  Status written = WriteAndSync(files, fresh, bytes);
  if (written.ok()) {
    written = files.Rename(fresh, path);
  }
  if (!written.ok()) {
    // Best effort: the error to report is the first one, and the next attempt replaces a leftover.
    static_cast<void>(files.Remove(fresh));
    return written;
  }
  return files.SyncDirectory(ParentPath(path));
}

}  // namespace luna::runtime
