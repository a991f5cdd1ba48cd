#include "replica/replica_world.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "replica/register_checker.h"

namespace luna::replica {
namespace {

constexpr uint64_t kMutantSeeds = 2000;  // a mutant must be noticed within so many

uint64_t Seeds() {
  const char* given = std::getenv("LUNA_SEEDS");
  return given != nullptr ? std::stoull(given) : 300;
}

TEST(ReplicaWorld, NothingIsLostOrStaleAndSomebodyServesAfterwards) {
  Report sum;
  for (uint64_t seed = 1; seed <= Seeds(); ++seed) {
    const Report report = RunWorld(seed, {});
    ASSERT_EQ(report.violation, "") << "seed " << seed;
    sum.reads += report.reads;
    sum.acknowledged += report.acknowledged;
    sum.elections += report.elections;
    sum.transfers += report.transfers;
    sum.yields += report.yields;
    sum.starts_with_fence += report.starts_with_fence;
    sum.rests += report.rests;
    sum.unknowns += report.unknowns;
    sum.self_fences += report.self_fences;
    sum.stopped_reads += report.stopped_reads;
    sum.confirmed_reads += report.confirmed_reads;
  }
  // A rule that was never reached was not tested.
  const uint64_t few = Seeds() / 10;
  EXPECT_GT(sum.reads, 100 * Seeds());
  EXPECT_GT(sum.acknowledged, 20 * Seeds());
  EXPECT_GT(sum.elections, 2 * Seeds());
  EXPECT_GT(sum.transfers, few);
  EXPECT_GT(sum.yields, few);
  EXPECT_GT(sum.starts_with_fence, few);
  EXPECT_GT(sum.rests, few);
  EXPECT_GT(sum.unknowns, few);
  EXPECT_GT(sum.self_fences, few);
  EXPECT_GT(sum.stopped_reads, few);
  EXPECT_GT(sum.confirmed_reads, few);
}

TEST(ReplicaWorld, TheSameSeedIsTheSameWorld) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    EXPECT_EQ(RunWorld(seed, {}), RunWorld(seed, {})) << "seed " << seed;
  }
}

class MutantTest : public testing::TestWithParam<std::pair<const char*, bool Mutants::*>> {};

TEST_P(MutantTest, IsNoticed) {
  Mutants mutants;
  mutants.*GetParam().second = true;
  for (uint64_t seed = 1; seed <= kMutantSeeds; ++seed) {
    const Report report = RunWorld(seed, mutants);
    if (!report.violation.empty()) {
      RecordProperty("seed", std::to_string(seed));
      RecordProperty("violation", report.violation);
      return;
    }
  }
  FAIL() << GetParam().first << " goes unnoticed";
}

INSTANTIATE_TEST_SUITE_P(Rules, MutantTest,
                         testing::Values(std::pair("SkipFence", &Mutants::skip_fence),
                                         std::pair("AnyTail", &Mutants::any_tail),
                                         std::pair("ShortWait", &Mutants::short_wait),
                                         std::pair("LeaseFromAck", &Mutants::lease_from_ack),
                                         std::pair("NoSecondCheck", &Mutants::no_second_check),
                                         std::pair("ServeEarly", &Mutants::serve_early),
                                         std::pair("UnknownIsFailed", &Mutants::unknown_is_failed),
                                         std::pair("UnknownIsOk", &Mutants::unknown_is_ok),
                                         std::pair("OldQuestion", &Mutants::old_question),
                                         std::pair("ReadAfterTransfer",
                                                   &Mutants::read_after_transfer)),
                         [](const auto& each) { return std::string(each.param.first); });

// --- The judge itself ---

ModelRecord Writes(std::vector<ModelWrite> writes) {
  return {.writer = {0, 1}, .writes = std::move(writes)};
}

TEST(RegisterChecker, AcceptsWhatOneOrderExplains) {
  RegisterChecker checker;
  const uint64_t first = checker.BeginWrite(1, 10);
  const uint64_t second = checker.BeginWrite(1, 15);
  checker.EndWrite(first, Answer::kOk, 20);
  checker.Read(1, first, 21, 25);   // the second is under way
  checker.Read(1, second, 22, 26);  // and seen by another at the same time
  EXPECT_EQ(checker.Judge({Writes({{1, first}}), Writes({{1, second}})}, true), "");
}

TEST(RegisterChecker, NoticesStaleReads) {
  RegisterChecker checker;
  const uint64_t first = checker.BeginWrite(1, 10);
  checker.EndWrite(first, Answer::kOk, 20);
  checker.Read(1, 0, 21, 25);
  const std::vector<ModelRecord> records = {Writes({{1, first}})};
  EXPECT_NE(checker.Judge(records, true), "");
  EXPECT_EQ(checker.Judge(records, false), "");
}

TEST(RegisterChecker, NoticesReadsThatGoBack) {
  RegisterChecker checker;
  const uint64_t open = checker.BeginWrite(1, 10);
  checker.Read(1, open, 11, 12);
  checker.Read(1, 0, 13, 14);
  EXPECT_NE(checker.Judge({Writes({{1, open}})}, true), "");
}

TEST(RegisterChecker, NoticesLostDoubledAndFalselyFailedWrites) {
  RegisterChecker checker;
  const uint64_t id = checker.BeginWrite(1, 10);
  EXPECT_EQ(checker.Judge({}, true), "");
  EXPECT_NE(checker.Judge({Writes({{1, id}, {1, id}})}, true), "");
  RegisterChecker failed = checker;
  failed.EndWrite(id, Answer::kFailed, 12);
  EXPECT_NE(failed.Judge({Writes({{1, id}})}, true), "");
  checker.EndWrite(id, Answer::kOk, 12);
  EXPECT_NE(checker.Judge({}, true), "");
}

TEST(StreamModel, NoticesTwoWritersOfOneEpoch) {
  StreamModel stream;
  EXPECT_TRUE(stream.Append(1, 0, {.writer = {0, 1}}));
  EXPECT_FALSE(stream.Append(1, 0, {.writer = {1, 1}}));
  EXPECT_EQ(stream.violation(), "");
  EXPECT_TRUE(stream.Append(1, 1, {.writer = {1, 1}}));
  EXPECT_NE(stream.violation(), "");
}

}  // namespace
}  // namespace luna::replica
