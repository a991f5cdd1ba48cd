// The suite that every FileSystem passes, see file_system_test.cc. To add an implementation: write
// a factory and INSTANTIATE_TEST_SUITE_P(Name, FileSystemConformance, testing::Values(factory)).
// Thread rule: owned by one thread.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "runtime/file_system.h"

namespace luna::conformance {

// A file system and an empty directory in it; what it made goes with it.
class FileSystemPlace {
 public:
  virtual ~FileSystemPlace() = default;
  virtual runtime::FileSystem& files() = 0;
  virtual std::string directory() const = 0;
};

using FileSystemFactory = std::unique_ptr<FileSystemPlace> (*)();

class FileSystemConformance : public testing::TestWithParam<FileSystemFactory> {
 protected:
  runtime::FileSystem& files() { return place_->files(); }
  std::string Path(const std::string& name) const {
    return runtime::JoinPath(place_->directory(), name);
  }
  std::unique_ptr<runtime::File> Create(const std::string& name) {
    return files().Open(Path(name), runtime::OpenMode::kCreateNew).value();
  }
  void Fill(const std::string& name, std::string_view bytes) {
    Create(name)->Write(0, bytes).value();
  }
  std::string Contents(const std::string& name) {
    return runtime::ReadFile(files(), Path(name)).value();
  }

 private:
  const std::unique_ptr<FileSystemPlace> place_ = GetParam()();
};

// Passes if `status` (a Result of any kind) failed for `reason` with a message that names `part`.
template <typename Status>
testing::AssertionResult FailsFor(const Status& status, Reason reason, const std::string& part) {
  if (status.ok()) {
    return testing::AssertionFailure() << "succeeded";
  }
  if (status.error().reason() != reason ||
      status.error().message().find(part) == std::string::npos) {
    return testing::AssertionFailure() << status.error().ToString();
  }
  return testing::AssertionSuccess();
}

}  // namespace luna::conformance
