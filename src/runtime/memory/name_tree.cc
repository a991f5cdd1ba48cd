#include "runtime/memory/name_tree.h"

#include <algorithm>

#include "base/try.h"

namespace luna::memory {

namespace {

constexpr std::string_view kNotThere = "it is not there";
constexpr std::string_view kIsDirectory = "it is a directory";
constexpr std::string_view kIsNoDirectory = "it is not a directory";
constexpr std::string_view kNotEmpty = "the directory is not empty";

std::vector<std::string_view> Split(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const std::string_view part = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(path.size(), part.size() + 1));
    if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
  }
  return parts;
}

}  // namespace

NameTree::NameTree() = default;

NameTree::Entry NameTree::At(const Slot& slot) {
  const auto found = slot.directory->names.find(slot.name);
  return found == slot.directory->names.end() ? Entry() : found->second;
}

Result<NameTree::Slot> NameTree::Locate(std::string_view doing, const std::string& path) const {
  const std::vector<std::string_view> parts = Split(path);
  if (parts.empty()) {
    return MemoryError(Reason::kIoError, doing, path, "it is the root");
  }
  Slot slot = {root_, std::string(parts.front())};
  for (size_t i = 1; i < parts.size(); ++i) {
    const Entry entry = At(slot);
    if (entry.empty()) {
      return MemoryError(Reason::kFileMissing, doing, path, "its directory is not there");
    }
    if (entry.directory == nullptr) {
      return MemoryError(Reason::kIoError, doing, path, "a file stands in its path");
    }
    slot = {entry.directory, std::string(parts[i])};
  }
  return slot;
}

Result<NameTree::Entry> NameTree::Find(std::string_view doing, const std::string& path) const {
  if (Split(path).empty()) {
    return Entry{nullptr, root_};
  }
  const Entry entry = At(TRY(Locate(doing, path)));
  if (entry.empty()) {
    return MemoryError(Reason::kFileMissing, doing, path, kNotThere);
  }
  if (entry.directory == nullptr && (path.ends_with('/') || path.ends_with("/."))) {
    return MemoryError(Reason::kIoError, doing, path, kIsNoDirectory);
  }
  return entry;
}

Result<std::shared_ptr<NameTree::Directory>> NameTree::FindDirectory(
    std::string_view doing, const std::string& path) const {
  const Entry entry = TRY(Find(doing, path));
  if (entry.directory == nullptr) {
    return MemoryError(Reason::kIoError, doing, path, kIsNoDirectory);
  }
  return entry.directory;
}

Result<std::shared_ptr<FileNode>> NameTree::FindFile(std::string_view doing,
                                                     const std::string& path) const {
  const Entry entry = TRY(Find(doing, path));
  if (entry.file == nullptr) {
    return MemoryError(Reason::kIoError, doing, path, kIsDirectory);
  }
  return entry.file;
}

bool NameTree::Exists(const std::string& path) const {
  return Find("cannot find", path).ok();
}

Result<std::vector<std::string>> NameTree::List(const std::string& directory) const {
  const std::shared_ptr<Directory> found = TRY(FindDirectory("cannot list", directory));
  std::vector<std::string> names;
  for (const auto& [name, entry] : found->names) {
    names.push_back(name);
  }
  return names;
}

Status NameTree::Add(std::string_view doing, const std::string& path,
                     std::shared_ptr<FileNode> file) {
  Slot slot = TRY(Locate(doing, path));
  if (!At(slot).empty()) {
    return MemoryError(Reason::kFileExists, doing, path, "the name is taken");
  }
  Make({std::move(slot), Entry{std::move(file), nullptr}, Slot()});
  return {};
}

Status NameTree::Rename(const std::string& from, const std::string& to) {
  const std::string doing = "cannot rename to '" + to + "' the file";
  Slot source = TRY(Locate(doing, from));
  Slot target = TRY(Locate(doing, to));
  const Entry moved = At(source);
  const Entry replaced = At(target);
  if (moved.empty()) {
    return MemoryError(Reason::kFileMissing, doing, from, kNotThere);
  }
  if (moved == replaced) {
    return {};  // as POSIX wants: two names of one file both stay
  }
  if (moved.directory != nullptr && source.directory != target.directory) {
    return MemoryError(Reason::kIoError, doing, from, "a directory stays within its parent");
  }
  if (replaced.directory != nullptr &&
      (moved.directory == nullptr || !replaced.directory->names.empty())) {
    return MemoryError(Reason::kIoError, doing, from, "a directory has that name");
  }
  if (replaced.file != nullptr && moved.directory != nullptr) {
    return MemoryError(Reason::kIoError, doing, from, "a file has that name");
  }
  Make({std::move(target), moved, std::move(source)});
  return {};
}

Status NameTree::Remove(const std::string& path) {
  constexpr std::string_view kDoing = "cannot remove";
  TRY(FindFile(kDoing, path));
  Make({TRY(Locate(kDoing, path)), Entry(), Slot()});
  return {};
}

Status NameTree::RemoveDirectory(const std::string& path) {
  constexpr std::string_view kDoing = "cannot remove directory";
  Slot slot = TRY(Locate(kDoing, path));
  const std::shared_ptr<Directory> directory = TRY(FindDirectory(kDoing, path));
  if (!directory->names.empty()) {
    return MemoryError(Reason::kIoError, kDoing, path, kNotEmpty);
  }
  Make({std::move(slot), Entry(), Slot()});
  return {};
}

Status NameTree::CreateDirectories(const std::string& path) {
  constexpr std::string_view kDoing = "cannot create directory";
  std::shared_ptr<Directory> parent = root_;
  for (const std::string_view part : Split(path)) {
    Slot slot = {parent, std::string(part)};
    Entry entry = At(slot);
    if (entry.file != nullptr) {
      return MemoryError(Reason::kFileExists, kDoing, path, "a file stands in its path");
    }
    if (entry.empty()) {
      entry.directory = std::make_shared<Directory>();
      Make({std::move(slot), entry, Slot()});
      Sync(parent);
    }
    parent = entry.directory;
  }
  return {};
}

Status NameTree::SyncDirectory(const std::string& path) {
  Sync(TRY(FindDirectory("cannot sync directory", path)));
  return {};
}

void NameTree::Apply(const Change& change, Names Directory::*image) {
  if (change.from.directory != nullptr) {
    (*change.from.directory.*image).erase(change.from.name);
  }
  Names& names = *change.to.directory.*image;
  if (change.entry.empty()) {
    names.erase(change.to.name);
  } else {
    names[change.to.name] = change.entry;
  }
}

void NameTree::Make(Change change) {
  Apply(change, &Directory::names);
  unsynced_.push_back(std::move(change));
}

void NameTree::Sync(const std::shared_ptr<Directory>& directory) {
  // A rename ties two directories together: neither half may become durable without the other, nor
  // before what happened to the other directory earlier. So both are synced, as journals do.
  std::vector<const Directory*> together = {directory.get()};
  for (size_t i = 0; i < together.size(); ++i) {
    for (const Change& change : unsynced_) {
      if (!change.Touches(together[i])) {
        continue;
      }
      for (const Directory* other : {change.to.directory.get(), change.from.directory.get()}) {
        if (other != nullptr && std::ranges::find(together, other) == together.end()) {
          together.push_back(other);
        }
      }
    }
  }
  std::vector<Change> left;
  for (Change& change : unsynced_) {
    if (std::ranges::find(together, change.to.directory.get()) != together.end()) {
      Apply(change, &Directory::synced);
    } else {
      left.push_back(std::move(change));
    }
  }
  unsynced_ = std::move(left);
}

void NameTree::Collect(const Entry& entry, Files& files) {
  if (entry.file != nullptr) {
    files.emplace(entry.file->id(), entry.file);
  }
  if (entry.directory != nullptr) {
    for (const Names* names : {&entry.directory->names, &entry.directory->synced}) {
      for (const auto& [name, inner] : *names) {
        Collect(inner, files);
      }
    }
  }
}

void NameTree::Revert(Directory& directory) {
  directory.names = directory.synced;
  for (const auto& [name, entry] : directory.names) {
    if (entry.directory != nullptr) {
      Revert(*entry.directory);
    }
  }
}

void NameTree::Crash(const std::function<Fate()>& fate) {
  Files files;
  Collect({nullptr, root_}, files);
  for (const Change& change : unsynced_) {
    Collect(change.entry, files);
  }
  for (const auto& [id, file] : files) {
    file->Crash(fate);
  }
  for (const Change& change : unsynced_) {
    if (fate() == Fate::kKept) {
      Apply(change, &Directory::synced);
    }
  }
  unsynced_.clear();
  Revert(*root_);
}

}  // namespace luna::memory
