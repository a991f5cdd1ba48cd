// JobFailures: which background jobs ended badly and have not ended well since. A job is its kind
// and payload. Damage (kCorruption) stays: no later success mends it.
// Thread rule: guarded by the caller.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "kernel/background/background.h"
#include "luna/status.h"

namespace luna::group {

class JobFailures {
 public:
  void Add(const background::Job& job, const Error& error, uint64_t now_nanos);
  // The job ended well: its failure is over, unless it stays.
  void Remove(const background::Job& job);
  // The newest failure in force; empty = none.
  std::string Newest() const;
  // Jobs to be tried again: those that failed `pause_nanos` ago or earlier. Their pause begins
  // anew.
  std::vector<background::Job> Due(uint64_t now_nanos, uint64_t pause_nanos);

 private:
  using Name = std::pair<std::string, std::string>;  // kind, payload
  struct Failure {
    background::Job job;
    std::string text;
    uint64_t number = 0;  // counts failures
    uint64_t failed_nanos = 0;
    bool stays = false;
  };

  std::map<Name, Failure> failures_;
  uint64_t count_ = 0;
};

}  // namespace luna::group
