#include "kernel/universe_copy.h"

#include <gtest/gtest.h>

#include <vector>

#include "runtime/posix/posix_runtime.h"

namespace luna::kernel {
namespace {

using Records = std::vector<std::string>;

// A universe in memory as the target.
class Target final : public UnfinishedUniverse {
 public:
  explicit Target(Kernel& kernel) : kernel_(kernel) {}
  journal::Journal& journal() override { return kernel_.journal(); }
  storage::Storage& storage() override { return kernel_.storage(); }
  runtime::Runtime& runtime() override { return kernel_.runtime(); }
  Status Finish() override { return {}; }

 private:
  Kernel& kernel_;
};

class UniverseCopyTest : public testing::Test {
 protected:
  std::unique_ptr<Kernel> Open() {
    return OpenKernel("memory:", *runtime_, {.create_if_missing = true, .background = {}}).value();
  }
  std::unique_ptr<journal::Stream> Stream(Kernel& kernel) {
    return kernel.journal().Open("s", {.segment_bytes = 8 << 10}).value();
  }
  static void Append(journal::Stream& stream, const Records& records) {
    const journal::StreamState state = stream.state();
    const std::vector<std::string_view> views(records.begin(), records.end());
    ASSERT_EQ(stream.Append(state.epoch, state.tail, views, Durability::kDevice).outcome,
              journal::AppendResult::Outcome::kOk);
  }
  static void Put(Kernel& kernel, const std::string& bucket, const std::string& object,
                  const std::string& bytes) {
    const auto writer = kernel.storage().Create(bucket, object).value();
    ASSERT_TRUE(writer->Append(bytes).ok());
    ASSERT_TRUE(writer->Finish().ok());
  }
  static std::string Get(Kernel& kernel, const std::string& bucket, const std::string& object) {
    const auto reader = kernel.storage().Open(bucket, object).value();
    std::string bytes(reader->size(), '\0');
    EXPECT_TRUE(reader->Read(0, bytes.size(), bytes.data()).ok());
    return bytes;
  }
  Result<CopyProgress> Copy() {
    return CopyUniverse(*from_, target_, [&](const CopyProgress& progress) {
      ++told_;
      last_ = progress;
    });
  }

  const std::unique_ptr<runtime::Runtime> runtime_ = posix::NewPosixRuntime();
  const std::unique_ptr<Kernel> from_ = Open();
  const std::unique_ptr<Kernel> to_ = Open();
  Target target_{*to_};
  int told_ = 0;
  CopyProgress last_;
};

TEST_F(UniverseCopyTest, StreamsKeepSequencesAndEpochsAndAreRaisedByOne) {
  journal::StreamState state;
  std::vector<std::pair<journal::Epoch, std::string>> retained;
  {
    const auto stream = Stream(*from_);
    for (int i = 0; i < 30; ++i) {
      if (i == 10 || i == 20) {
        ASSERT_TRUE(stream->Fence(stream->state().epoch, std::nullopt, i).ok());
      }
      Append(*stream, {"one " + std::to_string(i), std::string(1000, 'x'), ""});
    }
    ASSERT_TRUE(stream->Release(40).ok());
    state = stream->state();
    ASSERT_GT(state.released, 0u);
    const auto reader = stream->Read(state.released).value();
    while (const auto record = reader->Next().value()) {
      retained.emplace_back(record->epoch, record->payload);
    }
  }
  const CopyProgress progress = Copy().value();
  EXPECT_EQ(progress.streams, 1u);
  EXPECT_EQ(progress.records, retained.size());
  const auto copy = Stream(*to_);
  EXPECT_EQ(copy->state().released, state.released);
  EXPECT_EQ(copy->state().tail, state.tail);
  EXPECT_EQ(copy->state().epoch, state.epoch + 1);
  const auto reader = copy->Read(state.released).value();
  journal::Sequence sequence = state.released;
  for (const auto& [epoch, payload] : retained) {
    const auto record = reader->Next().value();
    ASSERT_TRUE(record.has_value());
    EXPECT_EQ(record->sequence, ++sequence);
    EXPECT_EQ(record->epoch, epoch);
    EXPECT_EQ(record->payload, payload);
  }
  EXPECT_FALSE(reader->Next().value().has_value());
  Append(*copy, {"goes on"});
}

TEST_F(UniverseCopyTest, AStreamWithoutRecordsIsCopiedToo) {
  {
    const auto stream = Stream(*from_);
  }
  ASSERT_TRUE(Copy().ok());
  const auto copy = Stream(*to_);
  EXPECT_EQ(copy->state().tail, 0u);
  EXPECT_EQ(copy->state().epoch, 2u);
}

TEST_F(UniverseCopyTest, ObjectsAreTheSameBytesUnderTheSameNames) {
  const std::string large(2'500'000, 'l');
  Put(*from_, "db-1", "t-1.1.1", "table");
  Put(*from_, "db-1", "b-1.1.2.0", large);
  Put(*from_, "db-2", "empty", "");
  const CopyProgress progress = Copy().value();
  EXPECT_EQ(progress.objects, 3u);
  EXPECT_EQ(progress.objects_in_all, 3u);
  EXPECT_EQ(progress.bytes, large.size() + 5);
  EXPECT_EQ(to_->storage().ListBuckets().value(), (Records{"db-1", "db-2"}));
  EXPECT_EQ(Get(*to_, "db-1", "t-1.1.1"), "table");
  EXPECT_EQ(Get(*to_, "db-1", "b-1.1.2.0"), large);
  EXPECT_EQ(Get(*to_, "db-2", "empty"), "");
  EXPECT_EQ(told_, 3);
  EXPECT_EQ(last_.objects, 3u);
}

TEST_F(UniverseCopyTest, NothingThatIsThereIsWrittenOver) {
  Append(*Stream(*from_), {"a"});
  Append(*Stream(*to_), {"b"});
  EXPECT_EQ(Copy().error().reason(), Reason::kStreamExists);
  ASSERT_TRUE(to_->journal().Remove("s").ok());
  Put(*from_, "db-1", "t", "from");
  Put(*to_, "db-1", "t", "to");
  EXPECT_EQ(Copy().error().reason(), Reason::kObjectExists);
}

TEST_F(UniverseCopyTest, OnlyAPoolIsATarget) {
  for (const char* url : {"/somewhere", "file:/somewhere", "memory:"}) {
    EXPECT_EQ(BeginUniverse(url, *runtime_, false).error().reason(), Reason::kNotSupported) << url;
  }
}

}  // namespace
}  // namespace luna::kernel
