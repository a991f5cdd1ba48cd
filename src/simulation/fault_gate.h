// FaultGate: the judge every file operation passes: numbers the points, cuts the power, strikes
// with the injected faults. FaultyFileSystem and its files share one.
// Thread rule: safe; observer and hook are set before use and called without a Mutex held.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "luna/status.h"
#include "simulation/fault.h"

namespace luna::simulation {

class FaultGate {
 public:
  using Hook = std::function<void(std::string_view operation, const std::string& path)>;
  // Called when an operation starts (no outcome yet: null) and when it has ended (null: no error).
  enum class Moment : uint8_t { kStart, kEnd };
  using Observer = std::function<void(const FileOperation&, Moment, const Error* error)>;

  explicit FaultGate(Hook hook) : hook_(std::move(hook)) {}
  void SetObserver(Observer observer) { observer_ = std::move(observer); }

  // Runs `act` (returning Result<T>) as far as the faults allow. `life` is what life() was when
  // the file was opened: files of before a power cut fail.
  template <typename T, typename Act>
  Result<T> Perform(const FileOperation& operation, uint64_t life, Act&& act) {
    Observe(operation, Moment::kStart, nullptr);
    const Verdict verdict = Judge(operation, life);
    Result<T> result = verdict.runs ? Result<T>(act()) : Result<T>(*verdict.error);
    if (verdict.runs && verdict.error.has_value()) {
      result = *verdict.error;
    }
    if (verdict.cuts) {
      CutPower();
    }
    Observe(operation, Moment::kEnd, result.ok() ? nullptr : &result.error());
    return result;
  }

  void CutAtPoint(uint64_t point, When when);
  void CutPower();
  void RestorePower();  // a new life; the planned cut is forgotten
  void Inject(Fault fault);
  void ClearFaults();

  bool power_is_cut() const;
  uint64_t points() const;
  uint64_t count(Operation operation) const;
  uint64_t life() const;

 private:
  struct Verdict {
    bool runs = true;
    bool cuts = false;           // after the operation
    std::optional<Error> error;  // what the caller is told; set whenever !runs
  };
  struct Armed {
    Fault fault;
    uint64_t seen = 0;  // fitting operations so far
  };

  Verdict Judge(const FileOperation& operation, uint64_t life);
  Verdict JudgePower(const FileOperation& operation) REQUIRES(mutex_);
  Verdict JudgeFaults(const FileOperation& operation) REQUIRES(mutex_);
  Error PowerError(const FileOperation& operation) const REQUIRES(mutex_);
  void Observe(const FileOperation& operation, Moment moment, const Error* error);

  const Hook hook_;
  Observer observer_;
  mutable base::Mutex mutex_;
  bool cut_ GUARDED_BY(mutex_) = false;
  uint64_t points_ GUARDED_BY(mutex_) = 0;
  uint64_t cut_point_ GUARDED_BY(mutex_) = 0;  // 0: no cut is planned
  When cut_when_ GUARDED_BY(mutex_) = When::kBefore;
  uint64_t life_ GUARDED_BY(mutex_) = 1;
  std::array<uint64_t, kOperations> counts_ GUARDED_BY(mutex_) = {};
  std::vector<Armed> armed_ GUARDED_BY(mutex_);
};

}  // namespace luna::simulation
