#include "service/command/categories.h"

#include <utility>

namespace luna::command {

std::vector<std::string_view> CategoriesOf(const Command& command) {
  constexpr std::pair<std::string_view, std::string_view> kGroups[] = {
      {"string", "@string"},      {"generic", "@keyspace"},         {"connection", "@connection"},
      {"cluster", "@connection"}, {"transactions", "@transaction"},
  };
  std::vector<std::string_view> categories;
  if ((command.flags & kFlagWrite) != 0) {
    categories.push_back("@write");
  }
  if ((command.flags & kFlagReadOnly) != 0) {
    categories.push_back("@read");
  }
  for (const auto& [group, category] : kGroups) {
    if (command.group == group) {
      categories.push_back(category);
    }
  }
  if ((command.flags & kFlagAdmin) != 0) {
    categories.push_back("@admin");
    categories.push_back("@dangerous");
  }
  categories.push_back((command.flags & kFlagFast) != 0 ? "@fast" : "@slow");
  return categories;
}

std::vector<std::string_view> AllCategories() {
  return {"keyspace", "read", "write",     "string",     "admin",
          "fast",     "slow", "dangerous", "connection", "transaction"};
}

}  // namespace luna::command
