#include "service/follower/lane.h"

#include <gtest/gtest.h>

#include <array>

#include "runtime/memory/memory_network.h"
#include "runtime/posix/posix_runtime.h"

namespace luna::follower {

namespace {

using Outcome = Lane::Outcome;
constexpr runtime::Ready kReadable = {.readable = true};
constexpr runtime::Ready kWritable = {.writable = true};

// A lane from one stream into another; the test has both far ends.
class LaneTest : public testing::Test {
 protected:
  struct Ends {
    std::unique_ptr<runtime::Socket> far;
    std::unique_ptr<runtime::Socket> near;
  };
  LaneTest() : source_(Connect("a:1")), sink_(Connect("a:2")) {}

  Ends Connect(const std::string& address) {
    const auto listener = network_->Listen(address).value();
    Ends ends;
    ends.far = network_->Connect(address, 0).value();
    ends.near = listener->Accept().value();
    return ends;
  }
  static size_t Write(runtime::Socket& socket, std::string_view bytes) {
    return socket.Write(std::span(&bytes, 1)).value().bytes;
  }
  static std::string Read(runtime::Socket& socket) {
    std::array<char, 100> buffer;
    const auto read = socket.Read(buffer).value();
    return {buffer.data(), read.bytes};
  }
  Outcome Pump() { return lane_.Pump(*source_.near, *sink_.near, scratch_); }

  const std::unique_ptr<runtime::Runtime> runtime_ = posix::NewPosixRuntime();
  const std::unique_ptr<runtime::Network> network_ = memory::NewMemoryNetwork(*runtime_, 10);
  Ends source_;
  Ends sink_;
  Lane lane_;
  std::array<char, 8> scratch_ = {};
};

TEST_F(LaneTest, BytesArePassedInOrder) {
  EXPECT_EQ(Write(*source_.far, "ten bytes!"), 10u);
  EXPECT_EQ(Pump(), Outcome::kWaits);
  EXPECT_EQ(Read(*sink_.far), "ten bytes!");
  EXPECT_EQ(lane_.passed_bytes(), 10u);
  EXPECT_EQ(lane_.pending(), 0u);
}

TEST_F(LaneTest, WhatTheSinkDoesNotTakeStopsTheReading) {
  EXPECT_EQ(Write(*source_.far, "0123456789"), 10u);
  EXPECT_EQ(Pump(), Outcome::kWaits);
  EXPECT_EQ(Write(*source_.far, "abcdefghij"), 10u);
  lane_.NoticedSource(kReadable);
  EXPECT_EQ(Pump(), Outcome::kWaits);
  EXPECT_EQ(lane_.pending(), 8u);              // as much as the scratch holds
  EXPECT_EQ(Write(*source_.far, "more"), 4u);  // the rest waits at the source
  EXPECT_EQ(Write(*source_.far, "xxxxxxx"), 4u);
  lane_.NoticedSource(kReadable);
  EXPECT_EQ(Pump(), Outcome::kWaits);
  EXPECT_EQ(lane_.pending(), 8u);
  EXPECT_EQ(Read(*sink_.far), "0123456789");
  lane_.NoticedSink(kWritable);
  EXPECT_EQ(Pump(), Outcome::kWaits);
  EXPECT_EQ(Read(*sink_.far), "abcdefghij");
  lane_.NoticedSink(kWritable);
  EXPECT_EQ(Pump(), Outcome::kWaits);
  EXPECT_EQ(Read(*sink_.far), "morexxxx");
  EXPECT_EQ(lane_.passed_bytes(), 28u);
}

TEST_F(LaneTest, TheEndFollowsTheLastByte) {
  EXPECT_EQ(Write(*source_.far, "0123456789"), 10u);
  EXPECT_EQ(Pump(), Outcome::kWaits);
  EXPECT_EQ(Write(*source_.far, "last"), 4u);
  source_.far->FinishWrites();
  lane_.NoticedSource({.readable = true, .ended = true});
  EXPECT_EQ(Pump(), Outcome::kWaits);
  EXPECT_EQ(lane_.pending(), 4u);
  EXPECT_EQ(Read(*sink_.far), "0123456789");
  lane_.NoticedSink(kWritable);
  EXPECT_EQ(Pump(), Outcome::kEnded);
  EXPECT_EQ(Read(*sink_.far), "last");
  std::array<char, 1> one;
  EXPECT_TRUE(sink_.far->Read(one).value().ended);
  EXPECT_EQ(Pump(), Outcome::kEnded);
}

TEST_F(LaneTest, FirstBytesAreKeptUntilThereIsASink) {
  EXPECT_EQ(Write(*source_.far, "0123456789"), 10u);
  EXPECT_EQ(lane_.ReadFirst(*source_.near, scratch_).value().bytes, 8u);
  EXPECT_EQ(lane_.pending(), 8u);
  EXPECT_EQ(Pump(), Outcome::kWaits);
  EXPECT_EQ(Read(*sink_.far), "0123456789");
}

TEST_F(LaneTest, BytesFromElsewhereGoFirstAndWhatWasKeptMayBeTakenAway) {
  lane_.Keep("be");
  EXPECT_EQ(Write(*source_.far, "fore"), 4u);
  EXPECT_EQ(Pump(), Outcome::kWaits);
  EXPECT_EQ(Read(*sink_.far), "before");
  lane_.Keep("gone");
  EXPECT_EQ(lane_.TakeKept(), "gone");
  EXPECT_EQ(lane_.pending(), 0u);
}

TEST_F(LaneTest, NothingFirstIsNothing) {
  EXPECT_EQ(lane_.ReadFirst(*source_.near, scratch_).value().bytes, 0u);
  EXPECT_FALSE(lane_.source_ended());
  source_.far.reset();
  lane_.NoticedSource({.readable = true, .ended = true});
  EXPECT_EQ(lane_.ReadFirst(*source_.near, scratch_).value().bytes, 0u);
  EXPECT_TRUE(lane_.source_ended());
}

TEST_F(LaneTest, ASinkThatIsGoneIsLost) {
  EXPECT_EQ(Write(*source_.far, "x"), 1u);
  sink_.far.reset();
  EXPECT_EQ(Pump(), Outcome::kSinkLost);
}

// --- Marks ---

constexpr std::string_view kMark = "MaMark";

TEST_F(LaneTest, AMarkIsFoundHoweverTheReadsSplitIt) {
  for (size_t split = 0; split <= kMark.size(); ++split) {
    SCOPED_TRACE(split);
    Lane lane;
    lane.Watch(std::string(kMark));
    const auto pump = [&] { return lane.Pump(*source_.near, *sink_.near, scratch_); };
    const std::string first = "ab" + std::string(kMark.substr(0, split));
    EXPECT_EQ(Write(*source_.far, first), first.size());
    EXPECT_EQ(pump(), split == kMark.size() ? Outcome::kMarked : Outcome::kWaits);
    EXPECT_EQ(Read(*sink_.far), "ab");
    const std::string second = std::string(kMark.substr(split)) + "xyz";
    EXPECT_EQ(Write(*source_.far, second), second.size());
    if (split < kMark.size()) {
      EXPECT_FALSE(lane.marked());
      lane.NoticedSource(kReadable);
      EXPECT_EQ(pump(), Outcome::kMarked);
    }
    EXPECT_TRUE(lane.marked());
    EXPECT_EQ(pump(), Outcome::kMarked);
    EXPECT_EQ(lane.passed_bytes(), 2u);
    EXPECT_EQ(lane.pending(), 0u);
    EXPECT_EQ(lane.TakeBehindMark() + Read(*source_.near), "xyz");
    EXPECT_EQ(Read(*sink_.far), "");
  }
}

TEST_F(LaneTest, AMarkThatComesAByteAtATimeIsFound) {
  lane_.Watch(std::string(kMark));
  std::string passed;
  // Beginnings of it that turn out to be none go before it.
  const std::string all = "MMaMaM." + std::string(kMark);
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(Write(*source_.far, all.substr(i, 1)), 1u);
    lane_.NoticedSource(kReadable);
    EXPECT_EQ(Pump(), i + 1 == all.size() ? Outcome::kMarked : Outcome::kWaits);
    passed += Read(*sink_.far);
  }
  EXPECT_EQ(passed, "MMaMaM.");
  EXPECT_EQ(lane_.TakeBehindMark(), "");
}

TEST_F(LaneTest, WhatMayBeTheBeginningOfAMarkWaitsForTheNextRead) {
  lane_.Watch(std::string(kMark));
  EXPECT_EQ(Write(*source_.far, "abMaMa"), 6u);
  EXPECT_EQ(Pump(), Outcome::kWaits);
  EXPECT_EQ(Read(*sink_.far), "ab");
  EXPECT_EQ(Write(*source_.far, "x"), 1u);
  lane_.NoticedSource(kReadable);
  EXPECT_EQ(Pump(), Outcome::kWaits);
  EXPECT_EQ(Read(*sink_.far), "MaMax");
  EXPECT_FALSE(lane_.marked());
}

TEST_F(LaneTest, WhatMayBeTheBeginningOfAMarkIsPassedAtTheEnd) {
  for (const bool at_once : {true, false}) {
    Lane lane;
    lane.Watch(std::string(kMark));
    const Ends source = Connect("a:3");
    const Ends sink = Connect("a:4");
    EXPECT_EQ(Write(*source.far, "abMaMar"), 7u);
    if (!at_once) {
      EXPECT_EQ(lane.Pump(*source.near, *sink.near, scratch_), Outcome::kWaits);
      EXPECT_EQ(Read(*sink.far), "ab");
    }
    source.far->FinishWrites();
    lane.NoticedSource({.readable = true, .ended = true});
    EXPECT_EQ(lane.Pump(*source.near, *sink.near, scratch_), Outcome::kEnded);
    EXPECT_EQ(Read(*sink.far), at_once ? "abMaMar" : "MaMar");
    EXPECT_EQ(lane.passed_bytes(), 7u);
  }
}

TEST_F(LaneTest, WhereNoMarkIsEverythingIsPassed) {
  lane_.Watch(std::string(kMark));
  std::string passed;
  std::string sent;
  for (int i = 0; i < 20; ++i) {
    const std::string some = i % 3 == 0 ? "MaMar" : i % 3 == 1 ? "0MaMaM" : "kMark";
    EXPECT_EQ(Write(*source_.far, some), some.size());
    sent += some;
    lane_.NoticedSource(kReadable);
    EXPECT_EQ(Pump(), Outcome::kWaits);
    passed += Read(*sink_.far);
  }
  EXPECT_TRUE(sent.starts_with(passed));
  EXPECT_LT(sent.size() - passed.size(), kMark.size());
  EXPECT_FALSE(lane_.marked());
}

TEST_F(LaneTest, WhatCameBeforeTheMarkMayBePendingStill) {
  EXPECT_EQ(Write(*source_.far, "0123456789"), 10u);
  EXPECT_EQ(Pump(), Outcome::kWaits);  // the sink is full
  lane_.Watch(std::string(kMark));
  EXPECT_EQ(Write(*source_.far, "ab" + std::string(kMark)), 8u);
  lane_.NoticedSource(kReadable);
  EXPECT_EQ(Pump(), Outcome::kMarked);
  EXPECT_EQ(lane_.pending(), 2u);
  EXPECT_TRUE(lane_.Flush(*sink_.near));
  EXPECT_EQ(lane_.pending(), 2u);
  EXPECT_EQ(Read(*sink_.far), "0123456789");
  lane_.NoticedSink(kWritable);
  EXPECT_TRUE(lane_.Flush(*sink_.near));
  EXPECT_EQ(Read(*sink_.far), "ab");
  EXPECT_EQ(lane_.passed_bytes(), 12u);
  sink_.far.reset();
  EXPECT_TRUE(lane_.Flush(*sink_.near)) << "nothing is pending";
}

TEST_F(LaneTest, FirstBytesAreWatchedToo) {
  lane_.Watch(std::string(kMark));
  EXPECT_EQ(Write(*source_.far, "a" + std::string(kMark) + "b"), 8u);
  EXPECT_EQ(lane_.ReadFirst(*source_.near, scratch_).value().bytes, 8u);
  EXPECT_TRUE(lane_.marked());
  EXPECT_EQ(Write(*source_.far, "c"), 1u);
  lane_.NoticedSource(kReadable);
  EXPECT_EQ(lane_.ReadFirst(*source_.near, scratch_).value().bytes, 1u);
  EXPECT_EQ(lane_.kept(), "a");
  EXPECT_EQ(lane_.TakeBehindMark(), "bc");
}

TEST_F(LaneTest, AnotherSinkGetsWhatTheLastOneDidNotTake) {
  EXPECT_EQ(Write(*source_.far, "0123456789"), 10u);
  EXPECT_EQ(Pump(), Outcome::kWaits);
  EXPECT_EQ(Write(*source_.far, "rest"), 4u);
  lane_.NoticedSource(kReadable);
  EXPECT_EQ(Pump(), Outcome::kWaits);
  EXPECT_EQ(lane_.pending(), 4u);
  lane_.Finish(*sink_.near);
  EXPECT_EQ(Read(*sink_.far), "0123456789");
  std::array<char, 1> one;
  EXPECT_TRUE(sink_.far->Read(one).value().ended);
  lane_.Redirect("first ");
  const Ends next = Connect("a:3");
  source_.far->FinishWrites();
  lane_.NoticedSource({.readable = true, .ended = true});
  EXPECT_EQ(lane_.Pump(*source_.near, *next.near, scratch_), Outcome::kEnded);
  EXPECT_EQ(Read(*next.far), "first rest");
  EXPECT_TRUE(next.far->Read(one).value().ended);
}

// --- Sources ---

// A source that never ends leaves others their turn.
class Endless final : public runtime::Socket {
 public:
  explicit Endless(bool broken) : broken_(broken) {}
  Result<runtime::Transfer> Read(std::span<char> into) override {
    if (broken_) {
      return Error(Reason::kIoError, "the line was cut");
    }
    return runtime::Transfer{.bytes = into.size()};
  }
  Result<runtime::Transfer> Write(std::span<const std::string_view> parts) override {
    return runtime::Transfer{.bytes = parts[0].size()};
  }
  void FinishWrites() override {}
  const std::string& peer() const override { return name_; }
  const std::string& local() const override { return name_; }

 private:
  const bool broken_;
  const std::string name_ = "endless";
};

TEST_F(LaneTest, EndlessSourcesAreInterrupted) {
  Endless source(false);
  Endless sink(false);
  EXPECT_EQ(lane_.Pump(source, sink, scratch_), Outcome::kMore);
  EXPECT_GT(lane_.passed_bytes(), 0u);
}

TEST_F(LaneTest, ASourceThatBreaksIsLost) {
  Endless source(true);
  EXPECT_EQ(lane_.Pump(source, *sink_.near, scratch_), Outcome::kSourceLost);
  EXPECT_EQ(lane_.ReadFirst(source, scratch_).error().reason(), Reason::kIoError);
}

}  // namespace

}  // namespace luna::follower
