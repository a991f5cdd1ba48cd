// ReadAhead: a reader that may take what the stream has before anybody asks for it, so that whoever
// asks soon need not wait for the store.
// Thread rule: owned by one thread.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "kernel/journal/journal.h"
#include "luna/status.h"

namespace luna::journal {

class ReadAhead final : public StreamReader {
 public:
  // `reader` reads on behind record `last`.
  ReadAhead(std::unique_ptr<StreamReader> reader, Sequence last)
      : reader_(std::move(reader)), last_(last) {}

  // Takes what there is up to record `until`, or until it holds some `bytes`. After a failure
  // nothing more is taken: Next asks again.
  void Take(Sequence until, size_t bytes);
  // First what was taken.
  Result<std::optional<Record>> Next() override;

 private:
  struct Taken {
    Sequence sequence = 0;
    Epoch epoch = 0;
    std::string payload;
  };
  const std::unique_ptr<StreamReader> reader_;
  Sequence last_ = 0;  // that was read
  std::deque<Taken> taken_;
  size_t bytes_ = 0;     // of taken_
  std::string payload_;  // of the last that Next gave
};

}  // namespace luna::journal
