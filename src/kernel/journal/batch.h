// batch: the records of one append as the payload of one frame:
//   epoch(8) | sequence of the first record(8) | count(4) | count × (length(4) | bytes)
// Without records it is a seal: written at an orderly close, so that its frame vouches for those
// before it.
// Thread rule: plain functions; a BatchReader is owned by one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "kernel/journal/journal.h"

namespace luna::journal {

// Size of the payload of a batch.
uint64_t BatchBytes(std::span<const std::string_view> records);
// Appends the payload to `out`.
void AppendBatch(Epoch epoch, Sequence first, std::span<const std::string_view> records,
                 std::string& out);

// Takes the records of a payload one by one; they are views into it.
class BatchReader {
 public:
  BatchReader() = default;
  // Checks that `payload` is whole; nothing if it is not a batch.
  static std::optional<BatchReader> Open(std::string_view payload);

  Epoch epoch() const { return epoch_; }
  Sequence next_sequence() const { return next_; }         // of the record Next gives
  Sequence end_sequence() const { return next_ + left_; }  // after the last one
  bool empty() const { return left_ == 0; }
  Record Next();  // not when empty

 private:
  Epoch epoch_ = 0;
  Sequence next_ = 0;
  uint32_t left_ = 0;
  std::string_view rest_;
};

}  // namespace luna::journal
