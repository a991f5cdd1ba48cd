// Random operations on the engine and on an ordered map with versions.
//   LUNA_SEEDS=100         how many seeds
//   LUNA_FIRST_SEED=1      from which on
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "model/model_generator.h"
#include "model/random_model.h"

namespace luna::test {
namespace {

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : NumberOf(text, otherwise);
}

TEST(Model, RandomOperationsAgreeWithTheModel) {
  const uint64_t first = FromEnvironment("LUNA_FIRST_SEED", 1);
  const uint64_t seeds = FromEnvironment("LUNA_SEEDS", 100);
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    const Verdict verdict = RunModelSeed(seed);
    ASSERT_TRUE(verdict.ok) << verdict.message;
  }
}

TEST(Model, TheSameSeedGivesTheSameTrace) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const Verdict once = RunModelSeed(seed, false);
    const Verdict again = RunModelSeed(seed, false);
    EXPECT_EQ(once.trace_hash, again.trace_hash) << "seed " << seed;
    EXPECT_NE(once.trace_hash, 0U) << "seed " << seed << ": " << once.message;
  }
}

TEST(Model, KeptScriptsStayMended) {
  for (const auto& file : std::filesystem::directory_iterator(LUNA_REGRESSIONS)) {
    if (file.path().extension() != ".txt") {
      continue;
    }
    const ModelScript script = ReadScript(file.path());
    ASSERT_FALSE(script.lines.empty()) << file.path();
    const Verdict verdict = RunModelScript(script);
    EXPECT_TRUE(verdict.ok) << file.path() << ": " << verdict.message;
  }
}

TEST(ModelScript, PrintsWhatItParsed) {
  const ModelScript script = GenerateScript(3);
  const ModelScript parsed = ParseScript(PrintScript(script));
  EXPECT_EQ(parsed.lines, script.lines);
  EXPECT_EQ(parsed.seed, script.seed);
  EXPECT_EQ(parsed.file_max_nanos, script.file_max_nanos);
}

TEST(ModelScript, LongValuesAreCounted) {
  EXPECT_EQ(ValueOf("ab*7"), "ab0ab1a");
  EXPECT_EQ(ValueOf("plain"), "plain");
  std::string line = "12: put a b";
  EXPECT_EQ(TakeFiber(line), 12U);
  EXPECT_EQ(line, "put a b");
  EXPECT_EQ(TakeFiber(line), 0U);
}

TEST(Shrink, LeavesOutWhatTheFailureDoesNotNeed) {
  ModelScript script;
  script.lines = {"open", "a", "b", "txn x ; one ; two ; three", "c", "d"};
  const auto fails = [](const ModelScript& trial) {
    const std::string text = PrintScript(trial);
    return text.find("\nb\n") != std::string::npos && text.find("two") != std::string::npos;
  };
  const std::vector<std::string> expected = {"open", "b", "txn x ; two"};
  EXPECT_EQ(Shrink(script, fails).lines, expected);
}

}  // namespace
}  // namespace luna::test
