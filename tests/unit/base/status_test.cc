#include "luna/status.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

#include "base/try.h"

namespace luna {
namespace {

constexpr uint16_t kReasons = static_cast<uint16_t>(Reason::kShutDown) + 1;
constexpr uint8_t kCodes = static_cast<uint8_t>(ErrorCode::kClosed) + 1;

bool IsStableWord(std::string_view word) {
  return !word.empty() && word.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == word.npos;
}

TEST(Status, EveryReasonHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (uint16_t reason = 0; reason < kReasons; ++reason) {
    const std::string_view name = Name(static_cast<Reason>(reason));
    EXPECT_TRUE(IsStableWord(name)) << name;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
}

TEST(Status, ThereAreElevenCodesAndEachHasANameAndAReason) {
  EXPECT_EQ(kCodes, 11);
  std::set<ErrorCode> used;
  for (uint16_t reason = 0; reason < kReasons; ++reason) {
    used.insert(CodeOf(static_cast<Reason>(reason)));
  }
  EXPECT_EQ(used.size(), kCodes);
  std::set<std::string_view> names;
  for (uint8_t code = 0; code < kCodes; ++code) {
    const std::string_view name = Name(static_cast<ErrorCode>(code));
    EXPECT_TRUE(IsStableWord(name)) << name;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
}

TEST(Status, ReasonsAreListedInTheOrderOfTheirCodes) {
  for (uint16_t reason = 1; reason < kReasons; ++reason) {
    EXPECT_LE(CodeOf(static_cast<Reason>(reason - 1)), CodeOf(static_cast<Reason>(reason)))
        << Name(static_cast<Reason>(reason));
  }
}

TEST(Status, TheBordersBetweenCodesAreWhereTheHeaderSays) {
  EXPECT_EQ(CodeOf(Reason::kBadName), ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(Reason::kBadInput), ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(Reason::kNewerFormat), ErrorCode::kUnsupported);
  EXPECT_EQ(CodeOf(Reason::kDatabaseExists), ErrorCode::kAlreadyExists);
  EXPECT_EQ(CodeOf(Reason::kDatabaseMissing), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(Reason::kWriteConflict), ErrorCode::kConflict);
  EXPECT_EQ(CodeOf(Reason::kUniverseLocked), ErrorCode::kBusy);
  EXPECT_EQ(CodeOf(Reason::kDiskFull), ErrorCode::kUnavailable);
  EXPECT_EQ(CodeOf(Reason::kDeadline), ErrorCode::kTimedOut);
  EXPECT_EQ(CodeOf(Reason::kFenced), ErrorCode::kNotLeader);
  EXPECT_EQ(CodeOf(Reason::kBadChecksum), ErrorCode::kCorruption);
  EXPECT_EQ(CodeOf(Reason::kIoError), ErrorCode::kClosed);
}

TEST(Status, AnErrorSaysCodeReasonAndMessage) {
  const Error error(Reason::kWriteConflict, "key 'a' was written at 7");
  EXPECT_EQ(error.code(), ErrorCode::kConflict);
  EXPECT_EQ(error.reason(), Reason::kWriteConflict);
  EXPECT_EQ(error.message(), "key 'a' was written at 7");
  EXPECT_EQ(error.ToString(), "conflict (write_conflict): key 'a' was written at 7");
}

TEST(Status, SuccessHoldsNoErrorAndCopiesShareTheirMessage) {
  const Status fine;
  EXPECT_TRUE(fine.ok());
  const Status failed = Error(Reason::kDiskFull, "full");
  const Status copy = failed;
  EXPECT_FALSE(copy.ok());
  EXPECT_EQ(&copy.error().message(), &failed.error().message());
}

TEST(Status, AResultCarriesMovableValuesAndConverts) {
  Result<std::unique_ptr<int>> owned = std::make_unique<int>(5);
  ASSERT_TRUE(owned.ok());
  const std::unique_ptr<int> taken = std::move(owned).value();
  EXPECT_EQ(*taken, 5);
  const Result<std::string> converted = "literal";
  EXPECT_EQ(converted.value(), "literal");
  EXPECT_EQ(converted->size(), 7u);
  EXPECT_EQ(*converted, "literal");
}

TEST(StatusDeathTest, TheValueOfAFailedResultStopsTheProcessWithItsMessage) {
  const Result<int> failed = Error(Reason::kFileMissing, "no file /x");
  EXPECT_DEATH(static_cast<void>(failed.value()), "not_found \\(file_missing\\): no file /x");
  const Status status = Error(Reason::kShutDown, "closed by the caller");
  EXPECT_DEATH(status.value(), "closed \\(shut_down\\): closed by the caller");
}

TEST(StatusDeathTest, AReasonOutsideTheListStopsTheProcess) {
  EXPECT_DEATH(static_cast<void>(CodeOf(static_cast<Reason>(kReasons))), "assertion failed");
  EXPECT_DEATH(static_cast<void>(Name(static_cast<Reason>(kReasons))), "assertion failed");
  EXPECT_DEATH(static_cast<void>(Name(static_cast<ErrorCode>(kCodes))), "assertion failed");
}

Result<int> Half(int number) {
  if (number % 2 != 0) {
    return Error(Reason::kBadNumber, std::to_string(number) + " is odd");
  }
  return number / 2;
}

Status CheckedTwice(int number, int& quarter) {
  const int half = TRY(Half(number));
  quarter = TRY(Half(half));
  return {};
}

TEST(Try, GivesTheValueOrReturnsTheError) {
  int quarter = 0;
  EXPECT_TRUE(CheckedTwice(12, quarter).ok());
  EXPECT_EQ(quarter, 3);
  const Status failed = CheckedTwice(14, quarter);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().reason(), Reason::kBadNumber);
  EXPECT_EQ(failed.error().message(), "7 is odd");
  EXPECT_EQ(quarter, 3);
}

}  // namespace
}  // namespace luna
