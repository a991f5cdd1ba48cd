#include "runtime/posix/posix_limits.h"

#include <sys/resource.h>

#include "base/assert.h"

namespace luna::posix {

uint64_t RaiseDescriptorLimit() {
  rlimit limit = {};
  const int unknown = ::getrlimit(RLIMIT_NOFILE, &limit);
  LUNA_ASSERT(unknown == 0);
  rlimit wanted = limit;
  wanted.rlim_cur = limit.rlim_max;
  const bool raised = ::setrlimit(RLIMIT_NOFILE, &wanted) == 0;
  return raised ? wanted.rlim_cur : limit.rlim_cur;
}

}  // namespace luna::posix
