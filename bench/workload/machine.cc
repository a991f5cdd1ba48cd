// What the figures were measured on.
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>

#include "workload/report.h"

namespace luna::bench {
namespace {

// The rest of the first line of a file that begins with `name`, behind the colon.
std::string Line(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name)) {
      const size_t colon = line.find(':');
      const size_t text = line.find_first_not_of(" \t", colon + 1);
      return text == std::string::npos ? "" : line.substr(text);
    }
  }
  return "unknown";
}

std::string Gibibytes(double bytes) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.0f GiB", bytes / (1 << 30));
  return text.data();
}

}  // namespace

std::string MachineLine() {
  utsname system{};
  uname(&system);
  const double memory =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  return Line("/proc/cpuinfo", "model name") + ", " +
         std::to_string(sysconf(_SC_NPROCESSORS_ONLN)) + " cores, " + Gibibytes(memory) +
         ", Linux " + system.release + "\nBuild: g++ " __VERSION__ ", " LUNA_BENCH_FLAGS;
}

}  // namespace luna::bench
