// The suite that manifests pass on every Kernel (contract K5), see manifest_test.cc: two writers on
// one stream, a State to see through, and a journal that behaves like a remote one on top: several
// streams on one name, stale views of the tail, appends of unknown outcome, delayed repeats. To add
// a Kernel: write a factory and INSTANTIATE_TEST_SUITE_P(Name, ManifestConformance, ...).
// Thread rule: a TroubledJournal is safe.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/try.h"
#include "kernel/journal/journal.h"
#include "kernel/manifest/manifest.h"
#include "runtime/turn.h"
#include "support/words.h"

namespace luna::conformance {

using manifest::Words;

enum class Trouble : uint8_t {
  kNone,
  kUnknownStored,  // stored, but the answer is lost
  kUnknownLost,    // the request is lost
  kFailed,         // definitely not stored
  kStoredTwice,    // a duplicated request is stored behind
};

class TroubledJournal : public journal::Journal {
 public:
  TroubledJournal(runtime::Runtime& runtime, journal::Journal& below)
      : below_(below), turn_(runtime) {}

  // For the next appends, in this order; then none.
  void Expect(std::initializer_list<Trouble> troubles) { troubles_ = troubles; }
  void ExpectAlways(Trouble trouble) { always_ = trouble; }
  uint64_t appends() const { return appends_; }
  journal::Stream& stream(const std::string& name) { return *streams_.at(name); }

  Result<std::unique_ptr<journal::Stream>> Open(const std::string& name,
                                                const journal::StreamOptions& options) override {
    if (!streams_.contains(name)) {
      streams_[name] = TRY(below_.Open(name, options));
    }
    return std::make_unique<Remote>(*this, *streams_[name]);
  }
  Result<bool> Exists(const std::string& name) override { return below_.Exists(name); }
  Result<std::vector<std::string>> List() override { return below_.List(); }
  Status Remove(const std::string& name) override { return below_.Remove(name); }
  Status Link(const std::string& name, const std::string& directory) override {
    return below_.Link(name, directory);
  }

 private:
  // One of several users of a stream: knows of the tail only what it last saw.
  class Remote : public journal::Stream {
   public:
    Remote(TroubledJournal& journal, journal::Stream& below)
        : journal_(journal), below_(below), seen_tail_(below.state().tail) {}

    journal::AppendResult Append(journal::Epoch epoch, journal::Sequence expected_tail,
                                 std::span<const std::string_view> records,
                                 Durability durability) override {
      const runtime::TurnHold hold(journal_.turn_);
      journal::AppendResult result =
          journal_.Append(below_, epoch, expected_tail, records, durability);
      if (result.outcome == journal::AppendResult::Outcome::kOk) {
        seen_tail_ = result.tail;
      }
      return result;
    }
    Status Persist(Durability durability) override { return below_.Persist(durability); }
    Result<journal::Sequence> Fence(journal::Epoch expected_epoch,
                                    std::optional<journal::Sequence> expected_tail,
                                    journal::Epoch new_epoch) override {
      return below_.Fence(expected_epoch, expected_tail, new_epoch);
    }
    Result<std::unique_ptr<journal::StreamReader>> Read(journal::Sequence after) override {
      seen_tail_ = below_.state().tail;
      return below_.Read(after);
    }
    Status Release(journal::Sequence upto) override {
      const runtime::TurnHold hold(journal_.turn_);
      return below_.Release(upto);
    }
    journal::StreamState state() const override {
      journal::StreamState state = below_.state();
      state.tail = seen_tail_;
      return state;
    }
    Status Roll() override { return below_.Roll(); }

   private:
    TroubledJournal& journal_;
    journal::Stream& below_;
    journal::Sequence seen_tail_;
  };

  journal::AppendResult Append(journal::Stream& stream, journal::Epoch epoch,
                               journal::Sequence expected_tail,
                               std::span<const std::string_view> records, Durability durability) {
    using Outcome = journal::AppendResult::Outcome;
    ++appends_;
    Trouble trouble = always_;
    if (!troubles_.empty()) {
      trouble = troubles_.front();
      troubles_.pop_front();
    }
    if (trouble == Trouble::kFailed || trouble == Trouble::kUnknownLost) {
      return {.outcome = trouble == Trouble::kFailed ? Outcome::kFailed : Outcome::kUnknown,
              .tail = 0,
              .epoch = 0,
              .error = Error(Reason::kDiskFull, "trouble")};
    }
    journal::AppendResult result = stream.Append(epoch, expected_tail, records, durability);
    if (result.outcome == Outcome::kOk && trouble == Trouble::kUnknownStored) {
      return {.outcome = Outcome::kUnknown, .tail = 0, .epoch = 0, .error = {}};
    }
    if (result.outcome == Outcome::kOk && trouble == Trouble::kStoredTwice) {
      EXPECT_EQ(stream.Append(epoch, result.tail, records, durability).outcome, Outcome::kOk);
    }
    return result;
  }

  journal::Journal& below_;
  runtime::Turn turn_;
  std::map<std::string, std::unique_ptr<journal::Stream>> streams_;
  std::deque<Trouble> troubles_;
  Trouble always_ = Trouble::kNone;
  uint64_t appends_ = 0;
};

// A journal and a storage, empty; what they hold goes with it.
class ManifestPlace {
 public:
  virtual ~ManifestPlace() = default;
  virtual runtime::Runtime& runtime() = 0;
  virtual journal::Journal& journal() = 0;
  virtual storage::Storage& storage() = 0;
};

using ManifestFactory = std::unique_ptr<ManifestPlace> (*)();

// Two writers of one manifest, each with its own view.
class ManifestConformance : public testing::TestWithParam<ManifestFactory> {
 protected:
  ManifestConformance() {
    a_ = Open(a_words_);
    b_ = Open(b_words_);
  }

  std::unique_ptr<manifest::Manifest> Open(Words& words) {
    words = Words();
    return manifest::Manifest::Open(place_->runtime(), troubled_, place_->storage(), "m", "meta",
                                    words)
        .value();
  }
  // A record as it stands in the stream.
  std::string Stored(manifest::Position position) {
    const auto reader = troubled_.stream("m").Read(position - 1).value();
    return std::string(reader->Next().value()->payload);
  }
  void AppendRaw(std::string_view record) {
    journal::Stream& stream = troubled_.stream("m");
    const journal::StreamState state = stream.state();
    ASSERT_EQ(
        stream.Append(state.epoch, state.tail, std::span(&record, 1), Durability::kDevice).outcome,
        journal::AppendResult::Outcome::kOk);
  }

  const std::unique_ptr<ManifestPlace> place_ = GetParam()();
  TroubledJournal troubled_{place_->runtime(), place_->journal()};
  Words a_words_;
  Words b_words_;
  std::unique_ptr<manifest::Manifest> a_;
  std::unique_ptr<manifest::Manifest> b_;
};

}  // namespace luna::conformance
