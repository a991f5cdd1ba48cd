#include "runtime/posix/process_usage.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

namespace luna::posix {
namespace {

double SecondsOf(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

uint64_t CountDescriptors() {
  DIR* folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) {
    return 0;
  }
  uint64_t count = 0;
  while (const dirent* entry = ::readdir(folder)) {
    count += entry->d_name[0] == '.' ? 0 : 1;
  }
  ::closedir(folder);
  return count > 0 ? count - 1 : 0;  // without the folder's own
}

}  // namespace

ProcessUsage UsageOfProcess() {
  ProcessUsage usage;
  usage.pid = static_cast<uint64_t>(::getpid());
  if (rusage times = {}; ::getrusage(RUSAGE_SELF, &times) == 0) {
    usage.user_seconds = SecondsOf(times.ru_utime);
    usage.system_seconds = SecondsOf(times.ru_stime);
    usage.peak_resident_bytes = static_cast<uint64_t>(times.ru_maxrss) * 1024;
  }
  if (rlimit limit = {}; ::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    usage.most_descriptors = limit.rlim_cur;
  }
  const auto page_bytes = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  uint64_t virtual_pages = 0;
  uint64_t resident_pages = 0;
  if (std::ifstream pages("/proc/self/statm"); pages >> virtual_pages >> resident_pages) {
    usage.virtual_bytes = virtual_pages * page_bytes;
    usage.resident_bytes = resident_pages * page_bytes;
  }
  usage.open_descriptors = CountDescriptors();
  return usage;
}

}  // namespace luna::posix
