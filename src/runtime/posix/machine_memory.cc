#include "runtime/posix/machine_memory.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string_view>

namespace luna::posix {
namespace {

constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();

uint64_t LimitIn(const std::string& path) {
  uint64_t bytes = 0;
  std::ifstream file(path);
  return file >> bytes ? bytes : kNoLimit;  // absent, or "max"
}

// The least limit of `group` and every group above it. In a container the group may be named as
// the host sees it while its files lie at the top: that is looked at, too.
uint64_t LimitAbove(const std::string& mount, std::string group, std::string_view name) {
  uint64_t least = kNoLimit;
  while (true) {
    least = std::min(least, LimitIn(mount + group + "/" + std::string(name)));
    if (group.empty()) {
      return least;
    }
    group.resize(group.rfind('/') == std::string::npos ? 0 : group.rfind('/'));
  }
}

// A line is "NUMBER:CONTROLLERS:GROUP"; version 2 has one, with number 0 and no controllers.
uint64_t LimitOfLine(const std::string& root, const std::string& line) {
  const size_t first = line.find(':');
  const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
  if (second == std::string::npos) {
    return kNoLimit;
  }
  const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
  const std::string group = line.substr(second + 1) == "/" ? "" : line.substr(second + 1);
  if (controllers == ",,") {
    return LimitAbove(root + "/sys/fs/cgroup", group, "memory.max");
  }
  return controllers.find(",memory,") == std::string::npos
             ? kNoLimit
             : LimitAbove(root + "/sys/fs/cgroup/memory", group, "memory.limit_in_bytes");
}

}  // namespace

uint64_t MachineMemory(const std::string& root) {
  uint64_t bytes = static_cast<uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                   static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  std::ifstream groups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    bytes = std::min(bytes, LimitOfLine(root, line));
  }
  return bytes;
}

}  // namespace luna::posix
