// Lane: one connection of the load: a batch of requests at a time, written at once, its replies
// judged as they come.
// Thread rule: owned by one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "apps/bench/tally.h"
#include "apps/bench/workload.h"
#include "runtime/network.h"
#include "runtime/runtime.h"

namespace luna::bench {

struct Batch {
  uint64_t first = 0;  // number of its first request
  uint64_t count = 0;
  uint64_t nanos = 0;  // from when its latency counts
  bool counts = true;  // false: of the warm-up
};

class Lane {
 public:
  explicit Lane(std::unique_ptr<runtime::Socket> socket) : socket_(std::move(socket)) {}

  runtime::Socket& socket() { return *socket_; }
  bool idle() const { return answered_ == requests_.size(); }
  bool lost() const { return lost_; }

  // A batch of requests, not before the last one was answered.
  void Send(const Workload& workload, KeyPicker& picker, const Batch& batch, Tally& tally);
  // What the socket has, judged.
  void Receive(const Workload& workload, runtime::Clock& clock, Tally& tally);
  // The socket takes bytes again.
  void Write(Tally& tally);
  // Gives up: what is not answered is lost.
  void Lose(std::string_view why, Tally& tally);

 private:
  bool Read(Tally& tally);  // false: nothing more now
  void Judge(const Workload& workload, uint64_t now_nanos, Tally& tally);

  std::unique_ptr<runtime::Socket> socket_;
  std::string out_;
  size_t written_ = 0;
  std::vector<Request> requests_;
  size_t answered_ = 0;
  uint64_t sent_nanos_ = 0;
  bool counts_ = false;
  std::vector<char> in_;
  size_t filled_ = 0;
  bool emptied_ = false;  // the last read took all there was
  bool lost_ = false;
};

}  // namespace luna::bench
