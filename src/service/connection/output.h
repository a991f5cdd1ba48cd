// Output: bytes on their way to a client, gathered so that one write sends many replies.
// Thread rule: owned by one thread.
#pragma once

#include <cstddef>
#include <string>

#include "runtime/network.h"

namespace luna::connection {

class Output {
 public:
  // Where the next replies are appended; nothing before its present end may change.
  std::string& tail() { return bytes_; }
  // Appends `replies`, which comes back empty, with room for the next ones.
  void Take(std::string& replies);
  size_t pending() const { return bytes_.size() - sent_; }
  size_t room() const { return bytes_.capacity(); }
  // Writes until nothing is left or the system takes no more; how much that was. `ended`: the
  // client is gone.
  Result<runtime::Transfer> Flush(runtime::Socket& socket);
  // Gives back all room if nothing is pending.
  void Release();

 private:
  std::string bytes_;
  size_t sent_ = 0;  // of bytes_
};

}  // namespace luna::connection
