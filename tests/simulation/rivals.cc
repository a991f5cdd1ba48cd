#include "simulation/rivals.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <set>

#include "simulation/seeded_random.h"
#include "simulation/sim_kernel/sim_kernel.h"
#include "simulation/simulated_runtime.h"

namespace luna::rivals {

namespace {

using journal::AppendResult;
using Outcome = AppendResult::Outcome;
using sim_kernel::Cut;
using sim_kernel::SimFaults;
using sim_kernel::SimKernel;
using Texts = std::vector<std::string>;

constexpr int kRivals = 4;
constexpr int kSteps = 25;
constexpr uint64_t kMilli = 1'000'000;
constexpr char kStream[] = "contested";

// --- The judge ---

std::string JudgeAcknowledged(const Ledger::Acknowledged& batch,
                              const std::vector<FoundRecord>& stream) {
  for (size_t i = 0; i < batch.records.size(); ++i) {
    const Sequence place = batch.after + i;  // records are counted from 1
    if (place >= stream.size() || stream[place].text != batch.records[i]) {
      return "acknowledged " + batch.records[i] + " is not record " + std::to_string(place + 1);
    }
    if (stream[place].epoch != batch.epoch) {
      return "acknowledged " + batch.records[i] + " is of another epoch";
    }
  }
  return {};
}

std::string JudgeFence(const Ledger::Fence& fence, const std::vector<FoundRecord>& stream) {
  for (size_t i = 0; i < stream.size(); ++i) {
    const bool before = i < fence.tail;
    if (before != (stream[i].epoch < fence.epoch)) {
      return "record " + std::to_string(i + 1) + " of epoch " + std::to_string(stream[i].epoch) +
             (before ? " before" : " after") + " the fence of epoch " +
             std::to_string(fence.epoch) + " at " + std::to_string(fence.tail);
    }
  }
  return {};
}

// --- A rival ---

class Rival {
 public:
  Rival(SimKernel& kernel, simulation::SimulatedRuntime& world, int number, uint64_t seed,
        Ledger& ledger)
      : kernel_(kernel), world_(world), number_(number), random_(seed), ledger_(ledger) {}

  void Live() {
    for (int step = 0; step < kSteps; ++step) {
      world_.Sleep(random_.Below(100 * kMilli));
      Step();
    }
    while (!in_doubt_.empty()) {
      Resolve();
    }
  }

 private:
  void Step() {
    if (stream_ == nullptr && !Open()) {
      return;
    }
    if (!in_doubt_.empty()) {
      Resolve();
    } else if (random_.Chance(250)) {
      Fence();
    } else if (leads_.has_value()) {
      Append(*leads_, tail_);
    } else if (random_.Chance(500)) {
      Append(stream_->state().epoch, stream_->state().tail);
    } else {
      Read();
    }
  }

  bool Open() {
    auto opened = kernel_.journal().Open(kStream, {});
    Count(opened.ok() ? "opened" : "not opened");
    if (opened.ok()) {
      stream_ = std::move(opened).value();
    }
    return stream_ != nullptr;
  }

  // By what is known, which may be old; sometimes whatever the tail.
  void Fence() {
    const journal::StreamState state = stream_->state();
    const Epoch epoch = state.epoch + 1 + random_.Below(2);
    const bool compares = random_.Chance(500);
    const auto tail =
        stream_->Fence(state.epoch, compares ? std::optional(state.tail) : std::nullopt, epoch);
    Count(tail.ok() ? "fenced" : std::string("fence: ") + std::string(Name(tail.error().reason())));
    leads_.reset();
    if (!tail.ok()) {
      return;
    }
    if (compares && *tail != state.tail) {
      ledger_.broken.push_back("a fence at another tail than expected");
    }
    ledger_.fences.push_back({.epoch = epoch, .tail = *tail});
    leads_ = epoch;
    tail_ = *tail;
  }

  void Append(Epoch epoch, Sequence after) {
    Texts texts;
    for (uint64_t i = 0; i <= random_.Below(3); ++i) {
      texts.push_back(std::to_string(number_) + "." + std::to_string(++written_));
    }
    const std::vector<std::string_view> views(texts.begin(), texts.end());
    const AppendResult result = stream_->Append(epoch, after, views, Durability::kDevice);
    tail_ = result.tail;
    if (result.outcome == Outcome::kOk) {
      Count("appended");
      if (result.tail != after + texts.size()) {
        ledger_.broken.push_back("an append at another place than expected");
      }
      ledger_.acknowledged.push_back({.epoch = epoch, .after = after, .records = texts});
    } else if (result.outcome == Outcome::kUnknown) {
      Count("unknown");
      in_doubt_ = texts;
      stream_.reset();
    } else {
      Count(result.outcome == Outcome::kFenced ? "append: fenced" : "append: moved");
      ledger_.refused.insert(ledger_.refused.end(), texts.begin(), texts.end());
      if (result.outcome == Outcome::kFenced) {
        leads_.reset();
      }
    }
  }

  // A leader by a fence of its own, an equal by opening the stream anew: what is not there then
  // will never be.
  void Resolve() {
    if (stream_ == nullptr && !Open()) {
      return;
    }
    if (leads_.has_value()) {
      Fence();
      if (!leads_.has_value()) {
        return;  // next time as an equal
      }
    }
    const std::optional<Texts> found = Read();
    if (!found.has_value()) {
      return;
    }
    for (const std::string& text : in_doubt_) {
      const bool there = std::find(found->begin(), found->end(), text) != found->end();
      Count(there ? "was applied" : "was not applied");
      if (!there) {
        ledger_.refused.push_back(text);
      }
    }
    in_doubt_.clear();
  }

  std::optional<Texts> Read() {
    const auto reader = stream_->Read(0);
    Texts texts;
    while (reader.ok()) {
      const auto record = (*reader)->Next();
      if (!record.ok()) {
        break;
      }
      if (!record->has_value()) {
        Count("read");
        return texts;
      }
      texts.emplace_back((*record)->payload);
    }
    Count("not read");
    return std::nullopt;
  }

  void Count(const std::string& what) { ++ledger_.counts[what]; }

  SimKernel& kernel_;
  simulation::SimulatedRuntime& world_;
  const int number_;
  simulation::SeededRandom random_;
  Ledger& ledger_;
  std::unique_ptr<journal::Stream> stream_;
  std::optional<Epoch> leads_;
  Sequence tail_ = 0;  // as the leader knows it
  Texts in_doubt_;
  int written_ = 0;
};

// --- The world ---

SimFaults DrawFaults(simulation::SeededRandom& random) {
  const auto upto = [&](uint64_t most) { return static_cast<uint32_t>(random.Below(most + 1)); };
  return {.request_delay = {.least = 0, .most = upto(60)},
          .reply_delay = {.least = 0, .most = upto(60)},
          .lost_request_per_mille = upto(50),
          .lost_reply_per_mille = upto(50),
          .late_per_mille = upto(150),
          .late = {.least = 0, .most = upto(1000)},
          .stall_per_mille = upto(50),
          .stall = {.least = 0, .most = upto(300)},
          .slow_read_per_mille = upto(200),
          .slow_read = {.least = 0, .most = upto(300)},
          .timeout_millis = 200,
          .tries = 2};
}

class Contest {
 public:
  Contest(uint64_t seed, const sim_kernel::SimGuards& guards)
      : world_(seed),
        store_(world_, world_.trace(), seed, guards),
        random_(seed ^ 0x636F6E74657374) {}

  History Hold() {
    world_.Run([this] {
      for (int i = 0; i < kRivals; ++i) {
        kernels_.push_back(SimKernel::Open(store_, world_, "sim:u").value());
      }
      std::vector<std::unique_ptr<runtime::Thread>> fibers;
      for (int i = 0; i < kRivals; ++i) {
        store_.wire().SetFaults(kernels_[i]->server(), DrawFaults(random_));
        fibers.push_back(Spawn([this, i, seed = random_.Next()] {
          Rival(*kernels_[i], world_, i, seed, ledger_).Live();
        }));
      }
      const auto cutter = Spawn([this] { Cutting(); });
      for (const auto& fiber : fibers) {
        fiber->Join();
      }
      over_ = true;
      cutter->Join();
      kernels_.clear();
      world_.Sleep(10'000 * kMilli);  // what is late has come
      history_.violation = JudgeAll();
    });
    history_.hash = world_.trace().hash();
    history_.counts = ledger_.counts;
    return history_;
  }

 private:
  std::unique_ptr<runtime::Thread> Spawn(std::function<void()> body) {
    return world_.Spawn("rival", runtime::ThreadClass::kForeground, std::move(body));
  }

  // One server at a time, for up to half a second.
  void Cutting() {
    while (!over_) {
      const sim_kernel::ServerId server = kernels_[random_.Below(kRivals)]->server();
      store_.wire().SetCut(server, random_.Chance(500) ? Cut::kDrop : Cut::kHold);
      world_.Sleep(random_.Below(500 * kMilli));
      store_.wire().SetCut(server, Cut::kNone);
      world_.Sleep(random_.Below(1000 * kMilli));
    }
  }

  std::string JudgeAll() {
    const auto kernel = SimKernel::Open(store_, world_, "sim:u").value();
    const auto stream = kernel->journal().Open(kStream, {}).value();
    const auto reader = stream->Read(0).value();
    std::vector<FoundRecord> found;
    while (const auto record = reader->Next().value()) {
      if (record->sequence != found.size() + 1) {
        return "a gap before record " + std::to_string(record->sequence);
      }
      found.push_back({.epoch = record->epoch, .text = std::string(record->payload)});
    }
    return Judge(ledger_, found);
  }

  simulation::SimulatedRuntime world_;
  sim_kernel::SimStore store_;
  simulation::SeededRandom random_;
  std::vector<std::unique_ptr<SimKernel>> kernels_;
  Ledger ledger_;
  History history_;
  bool over_ = false;
};

}  // namespace

std::string Judge(const Ledger& ledger, const std::vector<FoundRecord>& stream) {
  if (!ledger.broken.empty()) {
    return ledger.broken.front();
  }
  std::set<std::string> texts;
  for (const FoundRecord& record : stream) {
    if (!texts.insert(record.text).second) {
      return record.text + " is there twice";
    }
  }
  for (const std::string& text : ledger.refused) {
    if (texts.contains(text)) {
      return text + " is there, though it was refused";
    }
  }
  for (const Ledger::Acknowledged& batch : ledger.acknowledged) {
    if (std::string violation = JudgeAcknowledged(batch, stream); !violation.empty()) {
      return violation;
    }
  }
  std::set<Epoch> epochs;
  for (const Ledger::Fence& fence : ledger.fences) {
    if (!epochs.insert(fence.epoch).second) {
      return "epoch " + std::to_string(fence.epoch) + " was given twice";
    }
    if (std::string violation = JudgeFence(fence, stream); !violation.empty()) {
      return violation;
    }
  }
  return {};
}

History LiveThrough(uint64_t seed, const sim_kernel::SimGuards& guards) {
  return Contest(seed, guards).Hold();
}

}  // namespace luna::rivals
