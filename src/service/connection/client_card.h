// ClientCard: what others may know of a connection: CLIENT LIST reads it, CLIENT KILL finds the
// connection by it. The connection's handler writes it; numbers with every turn, names when a
// command may have changed them.
// Thread rule: Row is safe; Publish and PublishNames are called by one thread at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/mutex.h"
#include "service/command/host.h"
#include "service/command/session.h"

namespace luna::connection {

class ClientCard {
 public:
  explicit ClientCard(const command::Session& session);

  // Of the connection at its handler.
  size_t handler = 0;
  uint64_t tag = 0;

  uint64_t id() const { return id_; }
  const std::string& peer() const { return peer_; }
  void Publish(const command::Session& session, uint64_t input_bytes, uint64_t output_bytes);
  void PublishNames(const command::Session& session);
  command::ClientRow Row(uint64_t now_nanos) const;

 private:
  struct Names {
    std::string name;
    std::string user;
    std::string database;
    std::string collection;
    std::string library_name;
    std::string library_version;
    std::string reads;
  };

  const uint64_t id_;
  const std::string peer_;
  const std::string local_;
  const uint64_t connected_nanos_;
  std::atomic<uint64_t> active_nanos_;
  std::atomic<const command::Command*> last_command_ = nullptr;
  std::atomic<uint64_t> input_bytes_ = 0;
  std::atomic<uint64_t> output_bytes_ = 0;
  std::atomic<int> version_ = 2;
  std::atomic<int> queued_ = -1;
  std::atomic<bool> monitoring_ = false;
  mutable base::Mutex mutex_;
  Names names_ GUARDED_BY(mutex_);
};

}  // namespace luna::connection
