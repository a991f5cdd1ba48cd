#include "service/command/categories.h"

#include <algorithm>

#include "service_support/command_test.h"

namespace luna::command {
namespace {

TEST(Categories, EveryCommandBelongsToKnownOnes) {
  service_support::TestHost host;
  const auto all = AllCategories();
  for (const Command* row : host.commands().all()) {
    const auto categories = CategoriesOf(*row);
    EXPECT_FALSE(categories.empty()) << row->name;
    for (const std::string_view category : categories) {
      EXPECT_EQ(category.front(), '@');
      EXPECT_NE(std::ranges::find(all, category.substr(1)), all.end()) << category;
    }
  }
}

}  // namespace
}  // namespace luna::command
