#include "runtime/memory/memory_stream.h"

#include <algorithm>
#include <cstring>

namespace luna::memory {

runtime::Transfer Stream::Read(int side, std::span<char> into) {
  runtime::Transfer transfer;
  Watcher writer;
  {
    const base::MutexLock lock(mutex_);
    Side& mine = sides_[side];
    Side& other = sides_[1 - side];
    transfer.bytes = std::min(into.size(), mine.waiting());
    if (transfer.bytes > 0) {
      std::memcpy(into.data(), mine.received.data() + mine.taken, transfer.bytes);
      mine.taken += transfer.bytes;
    }
    transfer.ended = transfer.bytes == 0 && !into.empty() && mine.peer_finished;
    if (mine.waiting() == 0) {
      mine.received.clear();
      mine.taken = 0;
    }
    if (transfer.bytes > 0 && std::exchange(other.wants_room, false)) {
      writer = other.watcher;
    }
  }
  writer.Tell(false, true, false);
  return transfer;
}

runtime::Transfer Stream::Write(int side, std::span<const std::string_view> parts) {
  runtime::Transfer transfer;
  Watcher reader;
  {
    const base::MutexLock lock(mutex_);
    Side& mine = sides_[side];
    Side& other = sides_[1 - side];
    if (other.closed || other.peer_finished) {
      return {.bytes = 0, .ended = true};
    }
    other.received.erase(0, std::exchange(other.taken, 0));
    for (const std::string_view part : parts) {
      const size_t room = buffer_bytes_ - other.received.size();
      const size_t fits = std::min(part.size(), room);
      other.received.append(part.data(), fits);
      transfer.bytes += fits;
      if (fits < part.size()) {
        mine.wants_room = true;
        break;
      }
    }
    if (transfer.bytes > 0) {
      reader = other.watcher;
    }
  }
  reader.Tell(true, false, false);
  return transfer;
}

void Stream::FinishWrites(int side) {
  Watcher reader;
  {
    const base::MutexLock lock(mutex_);
    Side& other = sides_[1 - side];
    other.peer_finished = true;
    reader = other.watcher;
  }
  reader.Tell(true, false, true);
}

void Stream::Close(int side) {
  Watcher reader;
  {
    const base::MutexLock lock(mutex_);
    sides_[side].closed = true;
    sides_[side].watcher = {};
    Side& other = sides_[1 - side];
    other.peer_finished = true;
    reader = other.watcher;
  }
  reader.Tell(true, true, true);
}

Watcher Stream::SetWatcher(int side, Watcher watcher) {
  Watcher before;
  bool readable = false;
  bool writable = false;
  bool ended = false;
  {
    const base::MutexLock lock(mutex_);
    Side& mine = sides_[side];
    const Side& other = sides_[1 - side];
    before = std::exchange(mine.watcher, watcher);
    ended = mine.peer_finished;
    readable = mine.waiting() > 0 || ended;
    writable = other.closed || other.waiting() < buffer_bytes_;
  }
  if (readable || writable) {
    watcher.Tell(readable, writable, ended);
  }
  return before;
}

bool Port::Offer(std::unique_ptr<runtime::Socket>& socket) {
  Watcher watcher;
  {
    const base::MutexLock lock(mutex_);
    if (closed_) {
      return false;
    }
    waiting_.push_back(std::move(socket));
    watcher = watcher_;
  }
  watcher.Tell(true, false, false);
  return true;
}

std::unique_ptr<runtime::Socket> Port::Take() {
  const base::MutexLock lock(mutex_);
  if (waiting_.empty()) {
    return nullptr;
  }
  std::unique_ptr<runtime::Socket> socket = std::move(waiting_.front());
  waiting_.pop_front();
  return socket;
}

void Port::Close() {
  std::deque<std::unique_ptr<runtime::Socket>> refused;  // closed after the mutex is given back
  const base::MutexLock lock(mutex_);
  closed_ = true;
  watcher_ = {};
  refused.swap(waiting_);
}

bool Port::closed() {
  const base::MutexLock lock(mutex_);
  return closed_;
}

Watcher Port::SetWatcher(Watcher watcher) {
  Watcher before;
  bool waits = false;
  {
    const base::MutexLock lock(mutex_);
    before = std::exchange(watcher_, watcher);
    waits = !waiting_.empty();
  }
  if (waits) {
    watcher.Tell(true, false, false);
  }
  return before;
}

}  // namespace luna::memory
