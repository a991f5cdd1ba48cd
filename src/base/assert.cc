#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace luna::base {

void AssertionFailed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "luna: assertion failed: %s (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace luna::base
