// Driver: one thread of the load with its lanes and their poller. Schedule: what all drivers of a
// test share: when it begins and ends, and how many requests are left.
// Thread rule: Schedule::Claim is safe, the rest of it immutable while drivers run; a Driver is
// owned by one thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "apps/bench/lane.h"
#include "runtime/network.h"
#include "runtime/runtime.h"

namespace luna::bench {

struct Schedule {
  static constexpr uint64_t kNone = ~uint64_t{0};

  uint64_t begin_nanos = 0;
  uint64_t from_nanos = 0;     // from here on requests count
  uint64_t end_nanos = kNone;  // no batch is sent any more
  uint64_t requests = 0;       // at most so many that count; 0: no limit
  uint64_t pipeline = 1;
  uint64_t interval_nanos = 0;  // between batches of a lane; 0: closed loop
  std::atomic<uint64_t> claimed = 0;

  // The next batch: its first number and its size; a size of 0: there is none.
  std::pair<uint64_t, uint64_t> Claim(uint64_t now_nanos);
};

class Driver {
 public:
  Driver(runtime::Runtime& runtime, runtime::Network& network, const Workload& workload,
         Schedule& schedule, KeyPicker picker);
  ~Driver();

  // Before Run. The lane's first batch is due `offset_nanos` after the begin.
  Status Add(std::unique_ptr<runtime::Socket> socket, uint64_t offset_nanos);
  void Run();  // until everything is answered or lost

  // After Run.
  const Tally& tally() const { return tally_; }
  uint64_t last_nanos() const { return last_nanos_; }
  double cpu_seconds() const { return cpu_seconds_; }

 private:
  // A lane that is idle until its batch is due.
  using Due = std::pair<uint64_t, size_t>;

  void Advance(size_t number);  // an idle lane: sends, waits until it is due, or has done its work
  void Send(size_t number, uint64_t due_nanos);
  void SendDue();
  uint64_t Patience() const;
  void Take(const runtime::Ready& ready);
  void Count();  // from_nanos has passed
  void GiveUpIfStuck();

  runtime::Clock& clock_;
  runtime::Runtime& runtime_;
  const Workload& workload_;
  Schedule& schedule_;
  KeyPicker picker_;
  const std::unique_ptr<runtime::Poller> poller_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<uint64_t> due_nanos_;  // of each lane's next batch, in an open loop
  std::vector<Due> waiting_;         // a heap, the earliest on top
  size_t busy_ = 0;                  // lanes with a batch on its way
  Tally tally_;
  uint64_t now_nanos_ = 0;
  uint64_t last_nanos_ = 0;  // of the last answer
  double cpu_seconds_ = 0;
  bool counting_ = false;
};

}  // namespace luna::bench
