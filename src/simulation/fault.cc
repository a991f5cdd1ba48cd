#include "simulation/fault.h"

#include <array>

namespace luna::simulation {

std::string_view Name(Operation operation) {
  static constexpr std::array<std::string_view, kOperations> kNames = {
      "create", "write",          "truncate",           "sync",
      "rename", "link",           "remove",             "sync_directory",
      "create_directories", "remove_directory", "open", "read",
      "size",   "exists",         "list",               "lock",
      "start_writeback"};
  return kNames[static_cast<size_t>(operation)];
}

bool IsPoint(Operation operation) { return operation < Operation::kOpen; }

}  // namespace luna::simulation
