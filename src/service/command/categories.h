// The ACL categories of Redis that commands belong to: "@read", "@fast", ...
// Thread rule: pure functions.
#pragma once

#include <string_view>
#include <vector>

#include "service/command/command.h"

namespace luna::command {

std::vector<std::string_view> CategoriesOf(const Command& command);
// All there are, without the "@".
std::vector<std::string_view> AllCategories();

}  // namespace luna::command
