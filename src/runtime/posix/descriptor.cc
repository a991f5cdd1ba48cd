#include "runtime/posix/descriptor.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/posix/system_error.h"

namespace luna::posix {

Descriptor::~Descriptor() {
  if (number_ >= 0) {
    // Nothing hangs on its answer: durable bytes were synced, and Linux frees the number anyway.
    ::close(number_);
  }
}

Result<Descriptor> OpenDescriptor(std::string_view doing, const std::string& path, int flags) {
  constexpr int kMode = 0644;
  while (true) {
    const int number = ::open(path.c_str(), flags | O_CLOEXEC, kMode);
    if (number >= 0) {
      return Descriptor(number);
    }
    if (errno != EINTR) {
      return SystemError(doing, path, errno);
    }
  }
}

}  // namespace luna::posix
