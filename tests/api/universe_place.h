// A universe on a file system in memory that can be closed and opened again, and lose its power.
// Thread rule: owned by one thread.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kernel/overlay_runtime.h"
#include "luna/luna.h"
#include "runtime/memory/memory_file_system.h"
#include "runtime/posix/posix_runtime.h"

// Calls name the options they mean and leave out the others.

namespace luna {

// The reason of a failed Result or Status; nothing for success.
template <typename T>
std::optional<Reason> ReasonOf(const Result<T>& result) {
  return result.ok() ? std::nullopt : std::optional<Reason>(result.error().reason());
}

class UniversePlace : public testing::Test {
 protected:
  UniversePlace() { options_.location = "file:/u"; }
  void SetUp() override { Open(); }
  void TearDown() override { Close(); }

  Result<std::unique_ptr<Universe>> TryOpen() { return Universe::Open(options_, Parts()); }
  void Open() {
    auto opened = TryOpen();
    ASSERT_TRUE(opened.ok()) << opened.error().ToString();
    universe_ = std::move(opened).value();
    database_ = universe_->OpenOrCreateDatabase("d").value();
    collection_ = database_->OpenOrCreateCollection("c").value();
  }
  void Close() {
    collection_.reset();
    database_.reset();
    universe_.reset();
  }
  void Reopen() {
    Close();
    Open();
  }
  virtual Components Parts() { return {.listener = nullptr, .runtime = &runtime_}; }

  // "-" for a missing key.
  std::string Get(const std::string& key) { return Get(*collection_, key); }
  static std::string Get(Collection& collection, const std::string& key) {
    const auto value = collection.Get(key);
    EXPECT_TRUE(value.ok()) << value.error().ToString();
    return value.ok() ? value->value_or("-") : "error";
  }
  // "a=1 b=2 "
  static std::string Text(Result<std::unique_ptr<Iterator>> iterator) {
    EXPECT_TRUE(iterator.ok()) << iterator.error().ToString();
    std::string text;
    for (; (*iterator)->Valid(); (*iterator)->Next()) {
      text += std::string((*iterator)->key()) + "=" + std::string((*iterator)->value()) + " ";
    }
    EXPECT_TRUE((*iterator)->status().ok()) << (*iterator)->status().error().ToString();
    return text;
  }
  std::string Scan(const ScanOptions& options = {}) { return Text(collection_->Scan(options)); }
  void Put(const std::string& key, const std::string& value) {
    const Status put = collection_->Put(key, value);
    ASSERT_TRUE(put.ok()) << put.error().ToString();
  }
  // Names of all objects of the database's bucket.
  std::vector<std::string> Objects(uint64_t database = 1) {
    const std::string bucket = "/u/objects/db-" + std::to_string(database);
    return files().Exists(bucket).value() ? files().List(bucket).value()
                                          : std::vector<std::string>();
  }
  runtime::FileSystem& files() { return runtime_.files(); }

  const std::unique_ptr<runtime::Runtime> posix_ = posix::NewPosixRuntime();
  memory::MemoryFileSystem* memory_ = nullptr;
  kernel::OverlayRuntime runtime_{*posix_, NewFiles()};
  Options options_;
  std::unique_ptr<Universe> universe_;
  std::shared_ptr<Database> database_;
  std::shared_ptr<Collection> collection_;

 private:
  std::unique_ptr<runtime::FileSystem> NewFiles() {
    auto files = memory::NewMemoryFileSystem();
    memory_ = files.get();
    return files;
  }
};

}  // namespace luna
