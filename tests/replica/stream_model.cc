#include "replica/stream_model.h"

namespace luna::replica {

bool StreamModel::Append(Epoch epoch, Sequence expected_tail, ModelRecord record) {
  if (epoch != epoch_ || expected_tail != tail()) {
    return false;
  }
  const auto [writer, first] = writers_.emplace(epoch, record.writer);
  if (!first && writer->second != record.writer) {
    violation_ = "two processes append under epoch " + std::to_string(epoch);
  }
  record.epoch = epoch;
  records_.push_back(std::move(record));
  return true;
}

bool StreamModel::Fence(Epoch expected_epoch, std::optional<Sequence> expected_tail,
                        Epoch new_epoch) {
  if (expected_epoch != epoch_ || new_epoch <= epoch_ ||
      (expected_tail.has_value() && *expected_tail != tail())) {
    return false;
  }
  epoch_ = new_epoch;
  return true;
}

SawTail StreamModel::Look(int node) const {
  SawTail saw{.epoch = epoch_, .tail = tail()};
  if (!records_.empty()) {
    const ModelRecord& last = records_.back();
    if (last.kind == AppendKind::kTransfer) {
      saw.lease = last.target == node ? Lease::kGivenToMe
                  : last.target < 0   ? Lease::kGivenUp
                                      : Lease::kRunning;
    } else if (last.resting) {
      saw.lease = Lease::kResting;
    }
    saw.leader = std::to_string(last.writer.first);
  }
  return saw;
}

}  // namespace luna::replica
