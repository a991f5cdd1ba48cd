#include "simulation/sim_kernel/sim_reader.h"

#include "simulation/sim_kernel/sim_journal.h"
#include "unit/simulation/sim_kernel/sim_world.h"

namespace luna::sim_kernel {
namespace {

class SimReaderTest : public SimWorld {
 protected:
  void Append(uint64_t records, const std::string& text = "x") {
    for (uint64_t i = 0; i < records; ++i) {
      const Sequence tail = stream_->state().tail;
      const std::string record = std::to_string(tail + 1) + text;
      const std::string_view view = record;
      ASSERT_EQ(stream_->Append(1, tail, std::span(&view, 1), Durability::kDevice).outcome,
                journal::AppendResult::Outcome::kOk);
    }
  }
  static Sequence CountFrom(journal::StreamReader& reader, Sequence after) {
    while (const auto record = reader.Next().value()) {
      EXPECT_EQ(record->sequence, ++after);
      EXPECT_EQ(record->payload.substr(0, record->payload.find('x')), std::to_string(after));
    }
    return after;
  }

  const std::shared_ptr<Endpoint> endpoint_ = Server();
  const std::unique_ptr<journal::Journal> journal_ = NewSimJournal(endpoint_);
  std::unique_ptr<journal::Stream> stream_ = journal_->Open("s", {.segment_bytes = 8192}).value();
};

TEST_F(SimReaderTest, ReadsOverPagesAndGoesOnAtTheTail) {
  const auto reader = stream_->Read(0).value();
  EXPECT_FALSE(reader->Next().value().has_value());
  Append(50, std::string(4000, 'x'));
  EXPECT_EQ(CountFrom(*reader, 0), 50u);
  Append(3);
  EXPECT_EQ(CountFrom(*reader, 50), 53u);
  EXPECT_EQ(CountFrom(*stream_->Read(20).value(), 20), 53u);
}

TEST_F(SimReaderTest, OutlivesItsStream) {
  Append(3);
  const auto reader = stream_->Read(1).value();
  stream_.reset();
  EXPECT_EQ(CountFrom(*reader, 1), 3u);
}

TEST_F(SimReaderTest, ReleasedRecordsAreLostData) {
  Append(50, std::string(4000, 'x'));
  const auto reader = stream_->Read(0).value();
  ASSERT_TRUE(stream_->Release(40).ok());
  EXPECT_EQ(stream_->Read(0).error().reason(), Reason::kLostData);
  const auto lost = reader->Next();
  ASSERT_FALSE(lost.ok());
  EXPECT_EQ(lost.error().reason(), Reason::kLostData);
  EXPECT_NE(lost.error().message().find("sim:u/stream/s"), std::string::npos);
}

TEST_F(SimReaderTest, AnotherServersReleaseIsSeenByTheReader) {
  Append(50, std::string(4000, 'x'));
  const auto other = NewSimJournal(Server())->Open("s", {.segment_bytes = 8192}).value();
  ASSERT_TRUE(stream_->Release(40).ok());
  EXPECT_EQ(other->Read(0).value()->Next().error().reason(), Reason::kLostData);
  EXPECT_GT(other->state().released, 0u);
}

TEST_F(SimReaderTest, ARemovedStreamCannotBeRead) {
  Append(1);
  const auto reader = stream_->Read(0).value();
  stream_.reset();
  ASSERT_TRUE(journal_->Remove("s").ok());
  EXPECT_EQ(reader->Next().error().reason(), Reason::kStreamMissing);
}

TEST_F(SimReaderTest, ASlowReadDoesNotTakeBackWhatIsKnown) {
  Append(1);
  wire().SetFaults(endpoint_->server(),
                   {.slow_read_per_mille = kAlways, .slow_read = {.least = 100, .most = 100}});
  const auto reading = Spawn([&] {
    const auto reader = stream_->Read(0).value();
    EXPECT_EQ(CountFrom(*reader, 0), 5u);  // the second look shows the others
  });
  SleepMillis(50);
  Append(4);
  SleepMillis(60);  // the first look has come back
  EXPECT_EQ(stream_->state().tail, 5u);
  reading->Join();
}

TEST_F(SimReaderTest, NewsThatAreOlderAreNoNews) {
  OpenedStream opened{.endpoint = endpoint_, .name = "s"};
  opened.Learn({.state = {.tail = 7}, .change = 3});
  opened.Learn({.state = {.tail = 5}, .change = 2});
  EXPECT_EQ(opened.view.state.tail, 7u);
  opened.Learn({.state = {.tail = 9}, .change = 4});
  EXPECT_EQ(opened.view.state.tail, 9u);
}

}  // namespace
}  // namespace luna::sim_kernel
