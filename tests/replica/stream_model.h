// StreamModel: a group's stream as a list in memory: epoch and tail guards, nothing else. Notices
// when two processes append under one epoch.
// Thread rule: owned by one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cluster/replica/replica_state.h"

namespace luna::replica {

struct ModelWrite {
  int key = 0;
  uint64_t id = 0;  // unique; also the value
};

struct ModelRecord {
  Epoch epoch = 0;
  std::pair<int, int> writer{};  // node and its life
  AppendKind kind = AppendKind::kCommit;
  bool resting = false;
  int target = -1;  // of a Transfer; -1: anyone
  std::vector<ModelWrite> writes{};
};

class StreamModel {
 public:
  bool Append(Epoch epoch, Sequence expected_tail, ModelRecord record);
  bool Fence(Epoch expected_epoch, std::optional<Sequence> expected_tail, Epoch new_epoch);
  SawTail Look(int node) const;

  Epoch epoch() const { return epoch_; }
  Sequence tail() const { return records_.size(); }
  const std::vector<ModelRecord>& records() const { return records_; }  // [0] is record 1
  const std::string& violation() const { return violation_; }

 private:
  Epoch epoch_ = 1;
  std::vector<ModelRecord> records_;
  std::map<Epoch, std::pair<int, int>> writers_;
  std::string violation_;
};

}  // namespace luna::replica
