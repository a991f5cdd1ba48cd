// A manifest in a temporary directory on the real file system, with Words as its state.
// Thread rule: owned by one thread.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "kernel/journal/local_journal.h"
#include "kernel/manifest/manifest.h"
#include "kernel/storage/local_storage.h"
#include "runtime/posix/posix_runtime.h"
#include "support/words.h"

namespace luna::manifest {

class ManifestPlace : public testing::Test {
 protected:
  using Set = std::set<std::string>;

  ManifestPlace() { Reopen(); }
  ~ManifestPlace() override {
    manifest_.reset();
    std::filesystem::remove_all(root_);
  }

  Result<std::unique_ptr<Manifest>> TryOpen() {
    manifest_.reset();
    state_ = Words();
    return Manifest::Open(*runtime_, *journal_, *storage_, "m", "meta", state_);
  }
  void Reopen() { manifest_ = TryOpen().value(); }
  bool Commit(std::string_view edit) { return manifest_->Commit(edit).value(); }
  Position At() {
    Position at = 0;
    manifest_->Inspect([&](Position position) { at = position; });
    return at;
  }
  std::vector<std::string> Objects() { return storage_->List("meta").value(); }
  std::string ObjectPath(const std::string& object) const {
    return root_ + "/objects/meta/" + object;
  }
  void FlipByte(const std::string& object, uint64_t offset) {
    const auto file =
        runtime_->files().Open(ObjectPath(object), runtime::OpenMode::kReadWrite).value();
    char byte = 0;
    file->Read(offset, 1, &byte).value();
    byte = static_cast<char>(byte ^ 1);
    file->Write(offset, {&byte, 1}).value();
  }

  const std::unique_ptr<runtime::Runtime> runtime_ = posix::NewPosixRuntime();
  const std::string root_ = MakeRoot();
  const std::unique_ptr<journal::Journal> journal_ =
      journal::OpenLocalJournal(*runtime_, root_ + "/journal").value();
  const std::unique_ptr<storage::Storage> storage_ =
      storage::OpenLocalStorage(*runtime_, root_ + "/objects").value();
  Words state_;
  std::unique_ptr<Manifest> manifest_;

 private:
  static std::string MakeRoot() {
    std::string pattern = std::filesystem::temp_directory_path() / "luna-manifest-XXXXXX";
    return ::mkdtemp(pattern.data());
  }
};

}  // namespace luna::manifest
