// Descriptor: an open file descriptor that closes itself, and open(2) with its errors named.
// Thread rule: guarded by the caller.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "luna/status.h"

namespace luna::posix {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;

  int number() const { return number_; }

 private:
  int number_;  // -1: moved from
};

// open(2) with `flags` and O_CLOEXEC, tried again when a signal comes. New files get mode 0644.
// `doing` begins the message of an error.
Result<Descriptor> OpenDescriptor(std::string_view doing, const std::string& path, int flags);

}  // namespace luna::posix
