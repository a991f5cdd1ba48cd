// The suite that every Journal passes (contract K1 to K4), see journal_test.cc. To add an
// implementation: write a factory and INSTANTIATE_TEST_SUITE_P(Name, JournalConformance, …).
// Thread rule: owned by one thread.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/journal/journal.h"

namespace luna::conformance {

// Where a journal lives; what it made goes with it.
class JournalPlace {
 public:
  virtual ~JournalPlace() = default;
  // The same journal each time, as after a restart; the one of before is closed.
  virtual std::unique_ptr<journal::Journal> Open() = 0;
  // Two directories for Link: a target, and the journal found there.
  virtual std::string link_target() const = 0;
  virtual std::unique_ptr<journal::Journal> OpenLinked() = 0;
};

using JournalFactory = std::unique_ptr<JournalPlace> (*)();

class JournalConformance : public testing::TestWithParam<JournalFactory> {
 protected:
  using Outcome = journal::AppendResult::Outcome;
  static constexpr journal::StreamOptions kSmall{.segment_bytes = 16 << 10};

  JournalConformance() { Reopen(); }

  void Reopen(const journal::StreamOptions& options = kSmall) {
    stream_.reset();
    journal_.reset();
    journal_ = place_->Open();
    stream_ = journal_->Open("s", options).value();
  }
  journal::AppendResult Append(const std::vector<std::string>& records,
                               Durability durability = Durability::kDevice) {
    const journal::StreamState state = stream_->state();
    return AppendAt(state.epoch, state.tail, records, durability);
  }
  journal::AppendResult AppendAt(journal::Epoch epoch, journal::Sequence tail,
                                 const std::vector<std::string>& records,
                                 Durability durability = Durability::kDevice) {
    const std::vector<std::string_view> views(records.begin(), records.end());
    return stream_->Append(epoch, tail, views, durability);
  }
  // What is read after `after`, checked to be dense.
  static std::vector<std::string> Read(journal::Stream& stream, journal::Sequence after = 0) {
    std::vector<std::string> records;
    const auto reader = stream.Read(after).value();
    while (const auto record = reader->Next().value()) {
      EXPECT_EQ(record->sequence, ++after);
      records.emplace_back(record->payload);
    }
    return records;
  }
  std::vector<std::string> Read(journal::Sequence after = 0) { return Read(*stream_, after); }

  const std::unique_ptr<JournalPlace> place_ = GetParam()();
  std::unique_ptr<journal::Journal> journal_;
  std::unique_ptr<journal::Stream> stream_;
};

}  // namespace luna::conformance
