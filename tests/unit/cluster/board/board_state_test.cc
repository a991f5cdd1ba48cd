#include "cluster/board/board_state.h"

#include <gtest/gtest.h>

#include <iterator>
#include <map>
#include <utility>
#include <vector>

namespace luna::board {
namespace {

// A board and the position of its next edit.
class Board {
 public:
  explicit Board(const Mutants& mutants = {}) : state_(mutants) {}

  bool Write(const Edit& edit) {
    const std::string before = state_.Save();
    const bool valid = state_.Apply(++position_, Encode(edit)).value();
    EXPECT_TRUE(valid || state_.Save() == before) << ToString(edit);
    return valid;
  }
  JobId Offered(uint64_t epoch = 1) {
    EXPECT_TRUE(Write(Offer{.epoch = epoch, .payload = "p"}));
    return position_;
  }
  JobId Claimed(Run run) {
    const JobId job = Offered();
    EXPECT_TRUE(Write(Claim{.job = job, .worker = "w", .run = run}));
    return job;
  }
  const BoardState& state() const { return state_; }
  BoardState& state() { return state_; }

 private:
  BoardState state_;
  manifest::Position position_ = 0;
};

class BoardStateTest : public testing::Test {
 protected:
  BoardStateTest() { EXPECT_TRUE(board_.Write(TakeBoard{.epoch = 1})); }
  Board board_;
};

TEST_F(BoardStateTest, OnlyALargerEpochTakesTheBoardAndEverythingGoes) {
  const JobId job = board_.Claimed(7);
  EXPECT_FALSE(board_.Write(TakeBoard{.epoch = 1}));
  EXPECT_TRUE(board_.Write(TakeBoard{.epoch = 4}));
  EXPECT_FALSE(board_.Write(TakeBoard{.epoch = 3}));
  EXPECT_EQ(board_.state().epoch(), 4U);
  EXPECT_TRUE(board_.state().jobs().empty());
  EXPECT_FALSE(board_.Write(Done{.job = job, .run = 7, .result = "late"}));
  EXPECT_FALSE(board_.Write(Withdraw{.job = job}));
}

TEST_F(BoardStateTest, OnlyTheEpochThatHasTheBoardOffers) {
  EXPECT_FALSE(board_.Write(Offer{.epoch = 0, .payload = "p"}));
  EXPECT_FALSE(board_.Write(Offer{.epoch = 2, .payload = "p"}));
  const JobId job = board_.Offered();
  ASSERT_NE(board_.state().Find(job), nullptr);
  EXPECT_EQ(board_.state().Find(job)->payload, "p");
  EXPECT_EQ(board_.state().Find(job)->run, 0U);
  EXPECT_TRUE(board_.Write(TakeBoard{.epoch = 2}));
  EXPECT_FALSE(board_.Write(Offer{.epoch = 1, .payload = "p"}));
}

TEST_F(BoardStateTest, NobodyOffersOnABoardThatNobodyTook) {
  Board fresh;
  EXPECT_FALSE(fresh.Write(Offer{.epoch = 0, .payload = "p"}));
}

TEST_F(BoardStateTest, IsBounded) {
  EXPECT_FALSE(board_.Write(Offer{.epoch = 1, .payload = std::string(kMaxTextBytes + 1, 'x')}));
  for (size_t i = 0; i < kMaxJobs; ++i) {
    board_.Offered();
  }
  EXPECT_FALSE(board_.Write(Offer{.epoch = 1, .payload = "p"}));
  EXPECT_TRUE(board_.Write(Withdraw{.job = board_.state().jobs().begin()->first}));
  const JobId job = board_.Offered();
  EXPECT_FALSE(
      board_.Write(Claim{.job = job, .worker = std::string(kMaxNameBytes + 1, 'w'), .run = 1}));
  EXPECT_TRUE(board_.Write(Claim{.job = job, .worker = "w", .run = 1}));
  EXPECT_FALSE(
      board_.Write(Done{.job = job, .run = 1, .result = std::string(kMaxTextBytes + 1, 'x')}));
}

TEST_F(BoardStateTest, AJobIsClaimedOnce) {
  const JobId job = board_.Offered();
  EXPECT_FALSE(board_.Write(Claim{.job = job + 100, .worker = "w", .run = 7}));
  EXPECT_FALSE(board_.Write(Claim{.job = job, .worker = "w", .run = 0}));
  EXPECT_TRUE(board_.Write(Claim{.job = job, .worker = "w", .run = 7}));
  EXPECT_FALSE(board_.Write(Claim{.job = job, .worker = "v", .run = 8}));
  EXPECT_FALSE(board_.Write(Claim{.job = job, .worker = "w", .run = 7}));
  EXPECT_EQ(board_.state().Find(job)->worker, "w");
  EXPECT_TRUE(board_.Write(Done{.job = job, .run = 7, .result = "r"}));
  EXPECT_FALSE(board_.Write(Claim{.job = job, .worker = "v", .run = 8}));
}

TEST_F(BoardStateTest, SignsOfLifeCountOnlyOfTheRunThatHasTheJob) {
  const JobId job = board_.Claimed(7);
  const uint64_t signs = board_.state().Find(job)->signs;
  EXPECT_FALSE(board_.Write(Beat{.job = job, .run = 8}));
  EXPECT_FALSE(board_.Write(Beat{.job = job, .run = 0}));
  EXPECT_FALSE(board_.Write(Beat{.job = job + 1, .run = 7}));
  EXPECT_EQ(board_.state().Find(job)->signs, signs);
  EXPECT_TRUE(board_.Write(Beat{.job = job, .run = 7}));
  EXPECT_GT(board_.state().Find(job)->signs, signs);
  EXPECT_TRUE(board_.Write(Done{.job = job, .run = 7, .result = "r"}));
  EXPECT_FALSE(board_.Write(Beat{.job = job, .run = 7}));
}

TEST_F(BoardStateTest, WhatWasGivenUpIsForAnyone) {
  const JobId job = board_.Claimed(7);
  EXPECT_FALSE(board_.Write(GiveUp{.job = job, .run = 8}));
  EXPECT_TRUE(board_.Write(GiveUp{.job = job, .run = 7}));
  EXPECT_FALSE(board_.Write(GiveUp{.job = job, .run = 7}));
  EXPECT_FALSE(board_.Write(GiveUp{.job = job, .run = 0}));
  EXPECT_FALSE(board_.Write(Done{.job = job, .run = 7, .result = "r"}));
  EXPECT_TRUE(board_.Write(Claim{.job = job, .worker = "v", .run = 8}));
  EXPECT_FALSE(board_.Write(Done{.job = job, .run = 7, .result = "r"}));
  EXPECT_TRUE(board_.Write(Done{.job = job, .run = 8, .result = "s"}));
  EXPECT_FALSE(board_.Write(GiveUp{.job = job, .run = 8}));
  EXPECT_EQ(board_.state().Find(job)->result, "s");
}

TEST_F(BoardStateTest, OnlyTheRunThatHasTheJobDoesIt) {
  const JobId offered = board_.Offered();
  EXPECT_FALSE(board_.Write(Done{.job = offered, .run = 0, .result = "r"}));
  const JobId job = board_.Claimed(7);
  EXPECT_FALSE(board_.Write(Done{.job = job, .run = 8, .result = "r"}));
  EXPECT_TRUE(board_.Write(Done{.job = job, .run = 7, .result = "r"}));
  EXPECT_FALSE(board_.Write(Done{.job = job, .run = 7, .result = "other"}));
  EXPECT_EQ(board_.state().Find(job)->result, "r");
}

TEST_F(BoardStateTest, WhatIsDoneIsCollectedAndWhatIsNotIsWithdrawn) {
  const JobId done = board_.Claimed(7);
  EXPECT_FALSE(board_.Write(Collect{.job = done}));
  EXPECT_TRUE(board_.Write(Done{.job = done, .run = 7, .result = "r"}));
  EXPECT_FALSE(board_.Write(Withdraw{.job = done}));
  EXPECT_TRUE(board_.Write(Collect{.job = done}));
  EXPECT_FALSE(board_.Write(Collect{.job = done}));
  const JobId late = board_.Claimed(8);
  EXPECT_TRUE(board_.Write(Withdraw{.job = late}));
  EXPECT_FALSE(board_.Write(Done{.job = late, .run = 8, .result = "r"}));
  EXPECT_TRUE(board_.state().jobs().empty());
}

TEST_F(BoardStateTest, GoesOnWhereItWasSaved) {
  const JobId job = board_.Claimed(7);
  const JobId done = board_.Claimed(8);
  EXPECT_TRUE(board_.Write(Done{.job = done, .run = 8, .result = ""}));
  board_.Offered();
  const std::string saved = board_.state().Save();
  BoardState copy;
  ASSERT_TRUE(copy.Load(saved).ok());
  EXPECT_EQ(copy.Save(), saved);
  EXPECT_EQ(copy.epoch(), 1U);
  EXPECT_EQ(copy.Find(done)->result, "");
  EXPECT_TRUE(copy.Apply(100, Encode(Done{.job = job, .run = 7, .result = "r"})).value());
}

TEST_F(BoardStateTest, DamagedSavesAreRefusedAndChangeNothing) {
  board_.Claimed(7);
  const std::string saved = board_.state().Save();
  BoardState copy;
  for (const std::string& wrong : {saved + "x", saved.substr(0, saved.size() - 1)}) {
    EXPECT_EQ(copy.Load(wrong).error().reason(), Reason::kBadFormat);
  }
  std::string newer = saved;
  newer[0] = 2;
  EXPECT_EQ(copy.Load(newer).error().reason(), Reason::kNewerFormat);
  std::string stage = saved;
  stage.back() = 2;
  EXPECT_EQ(copy.Load(stage).error().reason(), Reason::kBadFormat);
  EXPECT_EQ(copy.Save(), BoardState().Save());
  EXPECT_FALSE(copy.Apply(1, "\x07").ok());
}

// What happened to a job, said in another way than the state says it.
struct Story {
  std::vector<Run> runs;  // that had it, in order
  bool held = false;      // by the last
  bool done = false;
};

// Writes edits at random and compares each verdict with what the stories allow.
class Wanderer {
 public:
  Wanderer(uint64_t seed, const Mutants& mutants) : seed_(seed), board_(mutants) {}

  // The first wrong verdict; empty: none.
  std::string Wander() {
    for (int i = 0; i < 300; ++i) {
      ++position_;
      const Step step = Draw();
      if (board_.Write(step.edit) != step.counts) {
        return ToString(step.edit) + (step.counts ? " is void" : " counts");
      }
      if (step.counts) {
        Note(step);
      }
      if (board_.state().epoch() != epoch_ || board_.state().jobs().size() != stories_.size()) {
        return ToString(step.edit) + " leaves other jobs than it should";
      }
    }
    return "";
  }

 private:
  struct Step {
    Edit edit;
    bool counts = false;  // should it
    JobId job = 0;
  };

  uint64_t Random(uint64_t bound) {
    seed_ = seed_ * 6364136223846793005 + 1442695040888963407;
    return (seed_ >> 33) % bound;
  }

  Step Draw() {
    const uint64_t what = Random(8);
    if (what == 0) {
      const uint64_t next = Random(10) == 0 ? epoch_ + 1 : epoch_;
      return {.edit = TakeBoard{.epoch = next}, .counts = next > epoch_};
    }
    if (what <= 2) {
      return {.edit = Offer{.epoch = epoch_, .payload = "p"},
              .counts = epoch_ != 0 && stories_.size() < kMaxJobs};
    }
    const bool known = !stories_.empty() && Random(4) != 0;
    const JobId job =
        known ? std::next(stories_.begin(), static_cast<ptrdiff_t>(Random(stories_.size())))->first
              : Random(position_) + 1;
    const auto found = stories_.find(job);
    const bool there = found != stories_.end();
    const Story story = there ? found->second : Story();
    const bool own = Random(3) != 0 && !story.runs.empty();
    const Run run = own ? story.runs.back() : Random(runs_ + 1) + 1;
    const bool at = story.held && !story.done && run == story.runs.back();
    switch (what) {
      case 3:
        return {.edit = Claim{.job = job, .worker = "w", .run = ++runs_},
                .counts = there && !story.held && !story.done,
                .job = job};
      case 4:
        return {.edit = Beat{.job = job, .run = run}, .counts = at, .job = job};
      case 5:
        return {.edit = GiveUp{.job = job, .run = run}, .counts = at, .job = job};
      case 6:
        return {.edit = Done{.job = job, .run = run, .result = "r"}, .counts = at, .job = job};
      default:
        break;
    }
    return Random(2) == 0
               ? Step{.edit = Withdraw{.job = job}, .counts = there && !story.done, .job = job}
               : Step{.edit = Collect{.job = job}, .counts = there && story.done, .job = job};
  }

  void Note(const Step& step) {
    if (const auto* take = std::get_if<TakeBoard>(&step.edit)) {
      epoch_ = take->epoch;
      stories_.clear();
    } else if (std::holds_alternative<Offer>(step.edit)) {
      stories_[position_] = {};
    } else if (std::holds_alternative<Claim>(step.edit)) {
      stories_[step.job].runs.push_back(runs_);
      stories_[step.job].held = true;
    } else if (std::holds_alternative<GiveUp>(step.edit)) {
      stories_[step.job].held = false;
    } else if (std::holds_alternative<Done>(step.edit)) {
      stories_[step.job].done = true;
    } else if (!std::holds_alternative<Beat>(step.edit)) {
      stories_.erase(step.job);
    }
  }

  uint64_t seed_;
  Board board_;
  std::map<JobId, Story> stories_;  // of the jobs on the board
  uint64_t epoch_ = 0;
  uint64_t position_ = 0;
  Run runs_ = 0;
};

std::string Wander(uint64_t seed, const Mutants& mutants) {
  return Wanderer(seed, mutants).Wander();
}

TEST(BoardStateWandering, FollowsItsRules) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    ASSERT_EQ(Wander(seed, {}), "") << seed;
  }
}

TEST(BoardStateWandering, EachMutantIsCaught) {
  const std::pair<const char*, Mutants> mutants[] = {
      {"claim_any", {.claim_any = true}},
      {"done_by_any", {.done_by_any = true}},
      {"late_result", {.late_result = true}},
      {"keeps_earlier", {.keeps_earlier = true}},
  };
  for (const auto& [name, mutant] : mutants) {
    int caught = 0;
    for (uint64_t seed = 1; seed <= 50; ++seed) {
      caught += Wander(seed, mutant).empty() ? 0 : 1;
    }
    EXPECT_GT(caught, 25) << name;
  }
}

}  // namespace
}  // namespace luna::board
