// MemorySocket and MemoryListener: two ends of a stream within the process, and where new ones
// arrive.
// Thread rule: sockets and listeners are owned by one thread at a time; Stream and Port, which two
// sides share, are safe.
#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "base/mutex.h"
#include "runtime/memory/memory_poller.h"
#include "runtime/network.h"

namespace luna::memory {

// What two sockets share. Side 0 connected, side 1 was accepted.
class Stream {
 public:
  explicit Stream(size_t buffer_bytes) : buffer_bytes_(buffer_bytes) {}

  runtime::Transfer Read(int side, std::span<char> into);
  runtime::Transfer Write(int side, std::span<const std::string_view> parts);
  void FinishWrites(int side);
  void Close(int side);
  Watcher SetWatcher(int side, Watcher watcher);  // the one before

 private:
  struct Side {
    std::string received;  // what the other side wrote; taken up to `taken`
    size_t taken = 0;
    bool peer_finished = false;  // nothing follows `received`
    bool closed = false;
    bool wants_room = false;  // its last write found too little
    Watcher watcher;
    size_t waiting() const { return received.size() - taken; }
  };
  const size_t buffer_bytes_;
  base::Mutex mutex_;
  std::array<Side, 2> sides_ GUARDED_BY(mutex_);
};

class MemorySocket final : public runtime::Socket {
 public:
  MemorySocket(std::shared_ptr<Stream> stream, int side, std::string peer, std::string local)
      : stream_(std::move(stream)), side_(side), peer_(std::move(peer)), local_(std::move(local)) {}
  ~MemorySocket() override { stream_->Close(side_); }

  Result<runtime::Transfer> Read(std::span<char> into) override {
    return stream_->Read(side_, into);
  }
  Result<runtime::Transfer> Write(std::span<const std::string_view> parts) override {
    return stream_->Write(side_, parts);
  }
  void FinishWrites() override { stream_->FinishWrites(side_); }
  const std::string& peer() const override { return peer_; }
  const std::string& local() const override { return local_; }
  Watcher SetWatcher(Watcher watcher) { return stream_->SetWatcher(side_, std::move(watcher)); }

 private:
  const std::shared_ptr<Stream> stream_;
  const int side_;
  const std::string peer_;
  const std::string local_;
};

// Where a listener's connections wait.
class Port {
 public:
  // False: nobody listens any more.
  bool Offer(std::unique_ptr<runtime::Socket>& socket);
  std::unique_ptr<runtime::Socket> Take();
  void Close();
  bool closed();
  Watcher SetWatcher(Watcher watcher);

 private:
  base::Mutex mutex_;
  bool closed_ GUARDED_BY(mutex_) = false;
  std::deque<std::unique_ptr<runtime::Socket>> waiting_ GUARDED_BY(mutex_);
  Watcher watcher_ GUARDED_BY(mutex_);
};

class MemoryListener final : public runtime::Listener {
 public:
  MemoryListener(std::shared_ptr<Port> port, std::string address)
      : port_(std::move(port)), address_(std::move(address)) {}
  ~MemoryListener() override { port_->Close(); }

  Result<std::unique_ptr<runtime::Socket>> Accept() override { return port_->Take(); }
  const std::string& address() const override { return address_; }
  Watcher SetWatcher(Watcher watcher) { return port_->SetWatcher(std::move(watcher)); }

 private:
  const std::shared_ptr<Port> port_;
  const std::string address_;
};

}  // namespace luna::memory
