#include "simulation/fault_gate.h"

#include "base/assert.h"

namespace luna::simulation {

void FaultGate::CutAtPoint(uint64_t point, When when) {
  const base::MutexLock lock(mutex_);
  LUNA_ASSERT(point > points_);
  cut_point_ = point;
  cut_when_ = when;
}

void FaultGate::CutPower() {
  const base::MutexLock lock(mutex_);
  cut_ = true;
}

void FaultGate::RestorePower() {
  const base::MutexLock lock(mutex_);
  cut_ = false;
  cut_point_ = 0;
  ++life_;
}

void FaultGate::Inject(Fault fault) {
  LUNA_ASSERT(fault.nth > 0);
  const base::MutexLock lock(mutex_);
  armed_.push_back({.fault = std::move(fault)});
}

void FaultGate::ClearFaults() {
  const base::MutexLock lock(mutex_);
  armed_.clear();
}

bool FaultGate::power_is_cut() const {
  const base::MutexLock lock(mutex_);
  return cut_;
}

uint64_t FaultGate::points() const {
  const base::MutexLock lock(mutex_);
  return points_;
}

uint64_t FaultGate::count(Operation operation) const {
  const base::MutexLock lock(mutex_);
  return counts_[static_cast<size_t>(operation)];
}

uint64_t FaultGate::life() const {
  const base::MutexLock lock(mutex_);
  return life_;
}

FaultGate::Verdict FaultGate::Judge(const FileOperation& operation, uint64_t life) {
  Verdict verdict;
  {
    const base::MutexLock lock(mutex_);
    if (cut_) {
      return {.runs = false, .error = PowerError(operation)};
    }
    if (life != life_) {
      return {.runs = false,
              .error = Error(Reason::kIoError, std::string(Name(operation.kind)) + " " +
                                                   operation.path +
                                                   ": opened before a power cut; open it again")};
    }
    ++counts_[static_cast<size_t>(operation.kind)];
    verdict = JudgeFaults(operation);
    if (IsPoint(operation.kind)) {
      ++points_;
      if (points_ == cut_point_) {
        verdict = JudgePower(operation);
      }
    }
  }
  if (IsPoint(operation.kind) && hook_) {
    hook_(Name(operation.kind), operation.path);
  }
  return verdict;
}

FaultGate::Verdict FaultGate::JudgePower(const FileOperation& operation) {
  if (cut_when_ == When::kBefore) {
    cut_ = true;
    return {.runs = false, .error = PowerError(operation)};
  }
  return {.runs = true, .cuts = true, .error = PowerError(operation)};
}

FaultGate::Verdict FaultGate::JudgeFaults(const FileOperation& operation) {
  Verdict verdict;
  for (Armed& armed : armed_) {
    const Fault& fault = armed.fault;
    if (fault.operation != operation.kind ||
        operation.path.find(fault.path_part) == std::string::npos) {
      continue;
    }
    ++armed.seen;
    const bool strikes =
        armed.seen == fault.nth || (armed.seen > fault.nth && fault.from_then_on);
    if (strikes && !verdict.error.has_value()) {
      verdict.runs = fault.takes_effect;
      verdict.error = Error(fault.reason, std::string(Name(operation.kind)) + " " +
                                              operation.path + " at offset " +
                                              std::to_string(operation.offset) +
                                              ": injected fault");
    }
  }
  return verdict;
}

Error FaultGate::PowerError(const FileOperation& operation) const {
  const std::string where =
      cut_point_ == 0 ? "" : " at point " + std::to_string(cut_point_);
  return Error(Reason::kIoError, "power cut" + where + ": " + std::string(Name(operation.kind)) +
                                     " " + operation.path +
                                     " failed; the disk answers again after a restart");
}

void FaultGate::Observe(const FileOperation& operation, Moment moment, const Error* error) {
  if (observer_) {
    observer_(operation, moment, error);
  }
}

}  // namespace luna::simulation
