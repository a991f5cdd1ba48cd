#include "service/connection/output.h"

#include <string_view>

#include "base/try.h"

namespace luna::connection {

namespace {

constexpr size_t kKeptRoom = size_t{64} << 10;  // more is given back when it was sent
constexpr size_t kSwapped = 4096;               // fewer bytes are copied: that keeps both rooms
constexpr size_t kCutAt = size_t{64} << 10;     // sent bytes kept, or as many as wait

// A string keeps its room when an empty one is assigned: to give it back, they are swapped.

}  // namespace

void Output::Take(std::string& replies) {
  if (bytes_.empty() && replies.size() > kSwapped) {
    bytes_.swap(replies);
    return;
  }
  bytes_.append(replies);
  if (replies.capacity() > kKeptRoom) {
    std::string().swap(replies);
  }
  replies.clear();
}

Result<runtime::Transfer> Output::Flush(runtime::Socket& socket) {
  runtime::Transfer total;
  while (sent_ < bytes_.size()) {
    const std::string_view rest = std::string_view(bytes_).substr(sent_);
    const runtime::Transfer written = TRY(socket.Write(std::span(&rest, 1)));
    sent_ += written.bytes;
    total.bytes += written.bytes;
    total.ended = written.ended;
    if (written.bytes < rest.size()) {
      if (sent_ > kCutAt && sent_ > bytes_.size() / 2) {
        bytes_.erase(0, sent_);
        sent_ = 0;
      }
      return total;
    }
  }
  sent_ = 0;
  if (bytes_.capacity() > kKeptRoom) {
    std::string().swap(bytes_);
  }
  bytes_.clear();
  return total;
}

void Output::Release() {
  if (pending() == 0) {
    std::string().swap(bytes_);
    sent_ = 0;
  }
}

}  // namespace luna::connection
