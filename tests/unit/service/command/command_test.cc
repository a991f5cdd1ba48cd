#include "service/command/command.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

namespace luna::command {
namespace {

// Reason name → RESP word, from the table of docs/errors.md.
std::map<std::string, std::string> DocumentedWords() {
  std::map<std::string, std::string> words;
  const std::string here = __FILE__;
  std::ifstream file(here.substr(0, here.rfind("tests/unit")) + "docs/errors.md");
  for (std::string line; std::getline(file, line);) {
    std::istringstream cells(line);
    std::string bar, reason, code, word;
    cells >> bar >> reason >> bar >> code >> bar >> word;
    if (reason.size() > 2 && reason.front() == '`' && word.size() > 2 && word.front() == '`') {
      words[reason.substr(1, reason.size() - 2)] = word.substr(1, word.size() - 2);
    }
  }
  return words;
}

TEST(RespWord, IsThatOfTheErrorsTableForEveryReason) {
  const auto words = DocumentedWords();
  ASSERT_GT(words.size(), 40u);
  size_t reasons = 0;
  for (int i = 0; i <= static_cast<int>(Reason::kShutDown); ++i) {
    const auto reason = static_cast<Reason>(i);
    const auto found = words.find(std::string(Name(reason)));
    ASSERT_NE(found, words.end()) << Name(reason);
    EXPECT_EQ(RespWord(reason), found->second) << Name(reason);
    ++reasons;
  }
  EXPECT_EQ(reasons, words.size());
}

TEST(ParseInteger, TakesOnlyStrictDecimals) {
  int64_t value = 0;
  EXPECT_TRUE(ParseInteger("0", value) && value == 0);
  EXPECT_TRUE(ParseInteger("-9223372036854775808", value) && value == INT64_MIN);
  EXPECT_TRUE(ParseInteger("9223372036854775807", value) && value == INT64_MAX);
  for (const char* bad :
       {"", "-", "-0", "+1", "01", " 1", "1 ", "1.0", "9223372036854775808", "x"}) {
    EXPECT_FALSE(ParseInteger(bad, value)) << bad;
  }
}

TEST(ParseFloat, TakesWhatRedisTakes) {
  long double value = 0;
  EXPECT_TRUE(ParseFloat("1.5e3", value) && value == 1500);
  EXPECT_TRUE(ParseFloat("-.5", value) && value == -0.5L);
  for (const char* bad : {"", " 1", "1 ", "nan", "1x", "1e9999999"}) {
    EXPECT_FALSE(ParseFloat(bad, value)) << bad;
  }
  EXPECT_FALSE(ParseFloat(std::string(6000, '1'), value));
}

TEST(IsWord, DisregardsCaseOnly) {
  EXPECT_TRUE(IsWord("LiMiT", "limit"));
  EXPECT_FALSE(IsWord("limits", "limit"));
  EXPECT_FALSE(IsWord("limis", "limit"));
}

}  // namespace
}  // namespace luna::command
