// RadosReader: a stream's records in order, over its segments, while others append to it. Each time
// it runs out of records it asks the cluster for more.
// Thread rule: owned by one thread; appends to the stream may run at the same time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "kernel/journal/batch.h"
#include "kernel/journal/journal.h"
#include "kernel/rados/chain.h"

namespace luna::rados {

class RadosReader final : public journal::StreamReader {
 public:
  // From the first record after `after`, whose frame begins at `spot` or behind it.
  RadosReader(std::shared_ptr<Chain> chain, Spot spot, Sequence after)
      : chain_(std::move(chain)), spot_(std::move(spot)), next_(after + 1) {}

  Result<std::optional<journal::Record>> Next() override;

 private:
  // Takes the next frame apart; false at the tail.
  Result<bool> NextBatch();
  // Gets more bytes, or goes on to the next segment; false when there is neither.
  Result<bool> Fetch(uint64_t needed);
  Result<bool> GoOn(const Segment& segment);
  Status FindAgain();

  const std::shared_ptr<Chain> chain_;
  Spot spot_;           // of the frame to take apart next
  std::string buffer_;  // bytes of its segment from `buffer_offset_`
  uint64_t buffer_offset_ = 0;
  Sequence next_;  // the record to give next
  journal::BatchReader batch_;
};

// One read of the last segment's attributes a look.
// Thread rule: guarded by the caller.
class RadosFollower final : public journal::StreamFollower {
 public:
  explicit RadosFollower(std::shared_ptr<Chain> chain) : chain_(std::move(chain)) {}

  Result<journal::StreamState> Look() override;
  Result<std::unique_ptr<journal::StreamReader>> Read(Sequence after) override;

 private:
  const std::shared_ptr<Chain> chain_;
};

}  // namespace luna::rados
