// Grounds for local implementations: a runtime and an empty directory, on the real file system, in
// memory, or where power can be cut; and the walk over all crashes of a workload.
// Thread rule: owned by one thread.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "base/try.h"
#include "kernel/overlay_runtime.h"
#include "runtime/memory/memory_file_system.h"
#include "runtime/posix/posix_runtime.h"
#include "simulation/faulty_file_system.h"

namespace luna::conformance {

class PosixGround {
 public:
  PosixGround() {
    std::string pattern = std::filesystem::temp_directory_path() / "luna-ground-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
  }
  ~PosixGround() { std::filesystem::remove_all(directory_); }
  runtime::Runtime& runtime() { return *runtime_; }
  std::string directory() const { return directory_; }

 private:
  const std::unique_ptr<runtime::Runtime> runtime_ = posix::NewPosixRuntime();
  std::string directory_;
};

class MemoryGround {
 public:
  runtime::Runtime& runtime() { return runtime_; }
  std::string directory() const { return "/ground"; }

 private:
  const std::unique_ptr<runtime::Runtime> posix_ = posix::NewPosixRuntime();
  kernel::OverlayRuntime runtime_{*posix_, memory::NewMemoryFileSystem()};
};

class FaultyGround {
 public:
  runtime::Runtime& runtime() { return runtime_; }
  simulation::FaultyFileSystem& faults() { return *faults_; }

 private:
  std::unique_ptr<runtime::FileSystem> NewFaulty() {
    auto faulty = std::make_unique<simulation::FaultyFileSystem>(*memory_);
    faults_ = faulty.get();
    return faulty;
  }

  const std::unique_ptr<runtime::Runtime> posix_ = posix::NewPosixRuntime();
  const std::unique_ptr<memory::MemoryFileSystem> memory_ = memory::NewMemoryFileSystem();
  simulation::FaultyFileSystem* faults_ = nullptr;
  kernel::OverlayRuntime runtime_{*posix_, NewFaulty()};
};

struct Crash {
  uint64_t point;
  simulation::When when;
  simulation::Survival survival;
};

// Runs `check` for a power cut before and after each of `points`, with everything unsynced lost,
// kept, or mixed.
inline void ForEveryCrash(uint64_t points, const std::function<void(const Crash&)>& check) {
  using simulation::Survival;
  using simulation::When;
  for (uint64_t point = 1; point <= points; ++point) {
    for (const When when : {When::kBefore, When::kAfter}) {
      for (const Survival survival : {Survival::kAllLost, Survival::kAllKept, Survival::kMixed}) {
        SCOPED_TRACE("point " + std::to_string(point) + ", when " +
                     std::to_string(static_cast<int>(when)) + ", survival " +
                     std::to_string(static_cast<int>(survival)));
        check({.point = point, .when = when, .survival = survival});
        if (testing::Test::HasFailure()) {
          return;
        }
      }
    }
  }
}

}  // namespace luna::conformance
