// FaultyFileSystem: a MemoryFileSystem whose power can be cut and whose operations can fail.
// Every operation that changes the disk (create, write, truncate, sync, rename, link, remove,
// directory sync, directories made and removed) is a *point*, numbered from 1.
//
// A crash test on any runtime: count the points of a workload, then cut at each of them.
//
//   auto memory = memory::NewMemoryFileSystem();
//   FaultyFileSystem files(*memory);
//   Workload(files);                                  // returns at the first error
//   const uint64_t points = files.points();
//   for (uint64_t point = 1; point <= points; ++point) {
//     auto memory = memory::NewMemoryFileSystem();
//     FaultyFileSystem files(*memory);
//     files.CutAtPoint(point, When::kAfter);
//     Workload(files);                                // from the cut on, everything is kIoError
//     files.Restart(Survival::kMixed, /*seed=*/point);
//     CheckWhatWasPromised(files);                    // opens anew; the disk answers again
//   }
//
// Inside a SimulatedRuntime use runtime.faults(): there each operation is also a place where the
// seed may switch fibers, before and after it takes effect.
// After a power cut every operation fails with kIoError ("power cut at point N"), so that what ran
// before can unwind; end it before Restart. Files and locks of before stay dead after Restart.
// Thread rule: safe. The MemoryFileSystem must live longer, this longer than its Files.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/file_system.h"
#include "runtime/memory/memory_file_system.h"
#include "simulation/fault.h"
#include "simulation/fault_gate.h"

namespace luna::simulation {

class FaultyFileSystem final : public runtime::FileSystem {
 public:
  // `operation` is Name(Operation). Called at each point right before it takes effect, also at
  // the one where power is cut; not when power is already cut. No Mutex is held.
  using Hook = FaultGate::Hook;

  explicit FaultyFileSystem(memory::MemoryFileSystem& memory, Hook hook = {})
      : memory_(memory), gate_(std::move(hook)) {}

  // --- Power ---
  // Plans a cut at point `point` (counted since construction, so points() + 1 is the next).
  void CutAtPoint(uint64_t point, When when) { gate_.CutAtPoint(point, when); }
  void CutPower() { gate_.CutPower(); }  // now
  bool power_is_cut() const { return gate_.power_is_cut(); }
  // Cuts the power if it is not, decides what survives (`seed` is for kMixed), and lets operations
  // work again. A cut that was planned is forgotten; injected faults stay.
  void Restart(Survival survival, uint64_t seed = 0);

  // --- Errors ---
  // A Sync that failed is never made up for: later Syncs of that File answer success and do
  // nothing, as real systems do. Whoever tries again loses what it believes to be safe.
  void Inject(Fault fault) { gate_.Inject(std::move(fault)); }
  void ClearFaults();  // injected faults and the disk-full limit
  // A write or truncate that would let the files hold more than `bytes` in all fails with
  // kDiskFull; what fits of a write is written. Removing files makes room.
  void DiskFullAfterBytes(uint64_t bytes) { capacity_bytes_ = bytes; }

  // --- Decay: neither counted nor failing nor a point; what it does is durable at once (the whole
  // file is synced). Errors: kFileMissing; kBadRange beyond the end of the file. ---
  Status FlipBit(const std::string& path, uint64_t offset, unsigned bit);  // bit 0 … 7
  Status TruncateFile(const std::string& path, uint64_t size);             // only shorter

  // --- What happened ---
  uint64_t points() const { return gate_.points(); }  // since construction
  uint64_t count(Operation operation) const { return gate_.count(operation); }
  // For SimulatedRuntime: is told of every operation, before and after. Set before use.
  void SetObserver(FaultGate::Observer observer) { gate_.SetObserver(std::move(observer)); }

  // --- FileSystem ---
  Result<std::unique_ptr<runtime::File>> Open(const std::string& path,
                                              runtime::OpenMode mode) override;
  Result<bool> Exists(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& directory) override;
  Status CreateDirectories(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Link(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  Status RemoveDirectory(const std::string& path) override;
  Status SyncDirectory(const std::string& path) override;
  Result<std::unique_ptr<runtime::FileLock>> Lock(const std::string& path) override;

 private:
  Status PerformOn(Operation kind, const std::string& path, const std::function<Status()>& act);

  memory::MemoryFileSystem& memory_;
  FaultGate gate_;
  std::atomic<uint64_t> capacity_bytes_ = std::numeric_limits<uint64_t>::max();
};

}  // namespace luna::simulation
