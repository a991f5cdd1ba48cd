#include "apps/bench/driver.h"

#include <sys/resource.h>

#include <algorithm>
#include <functional>

namespace luna::bench {
namespace {

// So long nothing was answered: what is missing is lost.
constexpr uint64_t kStuckNanos = 30'000'000'000;
constexpr uint64_t kLookNanos = 1'000'000'000;
// The poller waits in whole milliseconds: shorter than this it is only asked.
constexpr uint64_t kShortNanos = 2'000'000;

double ThreadCpuSeconds() {
  rusage usage = {};
  ::getrusage(RUSAGE_THREAD, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

std::pair<uint64_t, uint64_t> Schedule::Claim(uint64_t now_nanos) {
  if (now_nanos >= end_nanos) {
    return {0, 0};
  }
  if (requests == 0 || now_nanos < from_nanos) {
    return {0, pipeline};
  }
  const uint64_t first = claimed.fetch_add(pipeline, std::memory_order_relaxed);
  return {first, first >= requests ? 0 : std::min(pipeline, requests - first)};
}

Driver::Driver(runtime::Runtime& runtime, runtime::Network& network, const Workload& workload,
               Schedule& schedule, KeyPicker picker)
    : clock_(runtime.clock()),
      runtime_(runtime),
      workload_(workload),
      schedule_(schedule),
      picker_(picker),
      poller_(network.NewPoller()) {}

Driver::~Driver() {
  for (const auto& lane : lanes_) {
    poller_->Remove(lane->socket());
  }
}

Status Driver::Add(std::unique_ptr<runtime::Socket> socket, uint64_t offset_nanos) {
  const Status added = poller_->Add(*socket, lanes_.size());
  if (added.ok()) {
    lanes_.push_back(std::make_unique<Lane>(std::move(socket)));
    due_nanos_.push_back(offset_nanos);
  }
  return added;
}

void Driver::Run() {
  now_nanos_ = last_nanos_ = clock_.MonotonicNanos();
  Count();
  for (size_t i = 0; i < lanes_.size(); ++i) {
    due_nanos_[i] += schedule_.begin_nanos;
    Advance(i);
  }
  std::array<runtime::Ready, 256> ready;
  while (busy_ > 0 || !waiting_.empty()) {
    const size_t count = poller_->Wait(ready, Patience());
    now_nanos_ = clock_.MonotonicNanos();
    Count();
    for (size_t i = 0; i < count; ++i) {
      Take(ready[i]);
    }
    SendDue();
    if (count == 0) {
      GiveUpIfStuck();
    }
  }
  cpu_seconds_ = ThreadCpuSeconds() - cpu_seconds_;
}

void Driver::Count() {
  if (counting_ || now_nanos_ < schedule_.from_nanos) {
    return;
  }
  counting_ = true;
  cpu_seconds_ = ThreadCpuSeconds();
  tally_.missing = 0;
  tally_.conflicts = 0;
}

uint64_t Driver::Patience() const {
  if (waiting_.empty()) {
    return kLookNanos;
  }
  const uint64_t due = waiting_.front().first;
  const uint64_t left = due - std::min(due, now_nanos_);
  if (left < kShortNanos) {
    runtime_.Yield();
    return 0;
  }
  return std::min(left - kShortNanos / 2, kLookNanos);
}

void Driver::Take(const runtime::Ready& ready) {
  Lane& lane = *lanes_[ready.tag];
  if (lane.idle()) {
    if (!lane.lost() && ready.ended) {
      lane.Lose("the server closed the connection", tally_);
    }
    return;
  }
  if (ready.writable) {
    lane.Write(tally_);
  }
  if (ready.readable) {
    lane.Receive(workload_, clock_, tally_);
    last_nanos_ = clock_.MonotonicNanos();
  }
  if (lane.idle()) {
    --busy_;
    Advance(ready.tag);
  }
}

void Driver::Advance(size_t number) {
  if (lanes_[number]->lost()) {
    return;
  }
  if (schedule_.interval_nanos == 0) {
    return Send(number, 0);
  }
  waiting_.emplace_back(due_nanos_[number], number);
  std::push_heap(waiting_.begin(), waiting_.end(), std::greater<Due>());
}

void Driver::SendDue() {
  if (now_nanos_ >= schedule_.end_nanos) {
    waiting_.clear();
  }
  while (!waiting_.empty() && waiting_.front().first <= now_nanos_) {
    std::pop_heap(waiting_.begin(), waiting_.end(), std::greater<Due>());
    const auto [due, number] = waiting_.back();
    waiting_.pop_back();
    due_nanos_[number] += schedule_.interval_nanos;
    Send(number, due);
  }
}

// `due_nanos` 0: now.
void Driver::Send(size_t number, uint64_t due_nanos) {
  Lane& lane = *lanes_[number];
  if (lane.lost()) {
    return;
  }
  const uint64_t now = clock_.MonotonicNanos();
  const auto [first, count] = schedule_.Claim(now);
  if (count == 0) {
    return;
  }
  const Batch batch = {.first = first,
                       .count = count,
                       .nanos = due_nanos == 0 ? now : due_nanos,
                       .counts = now >= schedule_.from_nanos};
  lane.Send(workload_, picker_, batch, tally_);
  busy_ += lane.idle() ? 0 : 1;
}

void Driver::GiveUpIfStuck() {
  if (busy_ == 0 || now_nanos_ - std::min(now_nanos_, last_nanos_) < kStuckNanos) {
    return;
  }
  for (const auto& lane : lanes_) {
    if (!lane->idle()) {
      lane->Lose("no answer within 30 s", tally_);
      --busy_;
    }
  }
  waiting_.clear();
}

}  // namespace luna::bench
