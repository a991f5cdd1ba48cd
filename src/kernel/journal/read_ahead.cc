#include "kernel/journal/read_ahead.h"

#include <utility>

namespace luna::journal {

void ReadAhead::Take(Sequence until, size_t bytes) {
  while (last_ < until && bytes_ < bytes) {
    const auto record = reader_->Next();
    if (!record.ok() || !record->has_value()) {
      return;
    }
    const Record& read = **record;
    taken_.push_back(
        {.sequence = read.sequence, .epoch = read.epoch, .payload = std::string(read.payload)});
    last_ = read.sequence;
    bytes_ += read.payload.size();
  }
}

Result<std::optional<Record>> ReadAhead::Next() {
  if (taken_.empty()) {
    auto next = reader_->Next();
    if (next.ok() && next->has_value()) {
      last_ = (*next)->sequence;
    }
    return next;
  }
  Taken next = std::move(taken_.front());
  taken_.pop_front();
  bytes_ -= next.payload.size();
  payload_ = std::move(next.payload);
  return std::optional(Record{.sequence = next.sequence, .epoch = next.epoch, .payload = payload_});
}

}  // namespace luna::journal
