#include "kernel/journal/read_ahead.h"

#include <gtest/gtest.h>

#include <vector>

namespace luna::journal {
namespace {

// Records "11", "12", ... up to its tail; fails once where it is told to.
class Numbers final : public StreamReader {
 public:
  Result<std::optional<Record>> Next() override {
    ++asked;
    if (next == fails_at) {
      fails_at = 0;
      return Error(Reason::kIoError, "record " + std::to_string(next));
    }
    if (next > tail) {
      return std::optional<Record>();
    }
    text_ = std::to_string(next);
    return std::optional(Record{.sequence = next++, .epoch = 3, .payload = text_});
  }

  Sequence next = 11;
  Sequence tail = 20;
  Sequence fails_at = 0;
  int asked = 0;

 private:
  std::string text_;
};

class ReadAheadTest : public testing::Test {
 protected:
  // Until the tail.
  std::vector<Sequence> ReadAll() {
    std::vector<Sequence> all;
    while (true) {
      const auto record = ahead_.Next().value();
      if (!record.has_value()) {
        return all;
      }
      EXPECT_EQ(record->payload, std::to_string(record->sequence));
      EXPECT_EQ(record->epoch, 3u);
      all.push_back(record->sequence);
    }
  }
  static std::vector<Sequence> Run(Sequence first, Sequence last) {
    std::vector<Sequence> all;
    for (Sequence sequence = first; sequence <= last; ++sequence) {
      all.push_back(sequence);
    }
    return all;
  }

  std::unique_ptr<Numbers> own_ = std::make_unique<Numbers>();
  Numbers& below_ = *own_;
  ReadAhead ahead_{std::move(own_), 10};
};

TEST_F(ReadAheadTest, WithoutTakingItReadsOn) {
  EXPECT_EQ(ReadAll(), Run(11, 20));
}

TEST_F(ReadAheadTest, WhatWasTakenIsNotAskedForAgain) {
  ahead_.Take(15, 1000);
  EXPECT_EQ(below_.asked, 5);
  for (Sequence sequence = 11; sequence <= 15; ++sequence) {
    EXPECT_EQ(ahead_.Next().value()->sequence, sequence);
  }
  EXPECT_EQ(below_.asked, 5);
  EXPECT_EQ(ReadAll(), Run(16, 20));
}

TEST_F(ReadAheadTest, TakesNothingBehindWhatWasAskedFor) {
  ahead_.Take(10, 1000);
  EXPECT_EQ(below_.asked, 0);
  EXPECT_EQ(ahead_.Next().value()->sequence, 11u);
  EXPECT_EQ(ahead_.Next().value()->sequence, 12u);
  ahead_.Take(12, 1000);
  EXPECT_EQ(below_.asked, 2);
  ahead_.Take(13, 1000);
  ahead_.Take(14, 1000);
  ahead_.Take(14, 1000);
  EXPECT_EQ(below_.asked, 4);
  EXPECT_EQ(ReadAll(), Run(13, 20));
}

TEST_F(ReadAheadTest, TakesNoMoreThanThereIsAndThanItMayHold) {
  ahead_.Take(100, 5);  // of two bytes each
  EXPECT_EQ(below_.asked, 3);
  ahead_.Take(100, 1000);
  EXPECT_EQ(below_.asked, 11);
  below_.tail = 25;
  EXPECT_EQ(ReadAll(), Run(11, 25));
}

TEST_F(ReadAheadTest, AFailureIsToldInItsPlace) {
  below_.fails_at = 13;
  ahead_.Take(20, 1000);
  EXPECT_EQ(ahead_.Next().value()->sequence, 11u);
  EXPECT_EQ(ahead_.Next().value()->sequence, 12u);
  below_.fails_at = 13;  // still
  EXPECT_EQ(ahead_.Next().error().reason(), Reason::kIoError);
}

}  // namespace
}  // namespace luna::journal
