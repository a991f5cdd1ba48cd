#include "service/command/set_options.h"

#include <gtest/gtest.h>

#include <optional>

namespace luna::command {
namespace {

using Condition = SetOptions::Condition;

bool Holds(Condition condition, const std::optional<Value>& current, int64_t version = 0) {
  SetOptions options;
  options.condition = condition;
  options.expected = "v";
  options.version = version;
  return options.Holds(current);
}

TEST(SetOptions, ConditionsLookAtTheValue) {
  const std::optional<Value> missing;
  const std::optional<Value> same(Value{.bytes = "v", .timestamp = 7});
  const std::optional<Value> other(Value{.bytes = "w", .timestamp = 0});
  EXPECT_TRUE(Holds(Condition::kNone, missing));
  EXPECT_TRUE(Holds(Condition::kMissing, missing));
  EXPECT_FALSE(Holds(Condition::kMissing, same));
  EXPECT_TRUE(Holds(Condition::kExists, same));
  EXPECT_FALSE(Holds(Condition::kExists, missing));
  EXPECT_TRUE(Holds(Condition::kEquals, same));
  EXPECT_FALSE(Holds(Condition::kEquals, other));
  EXPECT_FALSE(Holds(Condition::kEquals, missing));
  EXPECT_TRUE(Holds(Condition::kVersion, same, 7));
  EXPECT_FALSE(Holds(Condition::kVersion, same, 8));
  EXPECT_FALSE(Holds(Condition::kVersion, same, -7));
  EXPECT_TRUE(Holds(Condition::kVersion, missing, 0));
  EXPECT_FALSE(Holds(Condition::kVersion, missing, 7));
  EXPECT_FALSE(Holds(Condition::kVersion, other, 0));  // an own write has no version
}

TEST(SetOptions, AreBlindWithoutConditionAndGet) {
  SetOptions options;
  EXPECT_TRUE(options.blind());
  options.time = TimeOption{"5", {}};
  EXPECT_TRUE(options.blind());
  options.keep_expiry = true;
  EXPECT_FALSE(options.blind());
}

}  // namespace
}  // namespace luna::command
