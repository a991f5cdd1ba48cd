#include "model/model_run.h"

#include <algorithm>
#include <chrono>

namespace luna::test {

namespace {

constexpr const char* kLocation = "file:/universe";
constexpr uint64_t kKiB = 1024;

simulation::SimulationOptions WorldOptions(const ModelScript& script,
                                           simulation::Trace::Sink sink) {
  simulation::SimulationOptions options;
  options.file_max_nanos = script.file_max_nanos;
  options.max_switches = 3'000'000;  // a seed takes some ten thousand
  options.trace_sink = std::move(sink);
  return options;
}

Durability DurabilityOf(const std::string& name) {
  return name == "relaxed"   ? Durability::kRelaxed
         : name == "process" ? Durability::kProcess
                             : Durability::kDevice;
}

}  // namespace

ModelRun::ModelRun(const ModelScript& script, simulation::Trace::Sink sink)
    : script_(script),
      world_(script.seed, WorldOptions(script, std::move(sink))),
      checker_(model_) {}

Verdict ModelRun::Run() {
  do {
    over_ = false;
    world_.Run([&] { Life(); });
    if (over_ && failure_.empty()) {
      world_.faults().ClearFaults();
      world_.faults().Restart(survival_.value_or(simulation::Survival::kMixed),
                              script_.seed + lives_);
      survival_.reset();
      faulted_ = false;
      must_recover_ = true;
      ended_durability_ = options_.durability;
    }
    ++lives_;
  } while (over_ && failure_.empty());
  return {failure_.empty(), failure_, world_.trace().hash()};
}

void ModelRun::Life() {
  if (options_line_.empty()) {
    options_line_ = script_.lines.empty() ? Tokens() : SplitTokens(script_.lines.front());
  }
  if (Open(options_line_)) {
    RunSteps();
  }
  if (!over()) {
    FinalCheck();
  }
  CloseUniverse();
}

void ModelRun::CloseUniverse() {
  snapshots_.clear();
  handles_.clear();
  database_.reset();
  if (universe_ != nullptr) {
    if (const Status closed = universe_->Close(); !closed.ok() && !over()) {
      Note("close", closed.error());
    }
    universe_.reset();
  }
}

bool ModelRun::Open(const Tokens& tokens) {
  options_line_ = tokens;
  options_ = Options{.location = kLocation, .memory_budget_bytes = uint64_t{64} << 20};
  options_.durability = DurabilityOf(OptionOf(tokens, "durability"));
  options_.memtable_bytes = NumberOf(OptionOf(tokens, "memtable")) * kKiB;
  options_.table_bytes = NumberOf(OptionOf(tokens, "table")) * kKiB;
  options_.block_bytes = static_cast<uint32_t>(NumberOf(OptionOf(tokens, "block"), 8192));
  options_.filter_bits_per_key = static_cast<uint32_t>(NumberOf(OptionOf(tokens, "bits"), 12));
  options_.history_retention =
      std::chrono::milliseconds(NumberOf(OptionOf(tokens, "retention")));
  options_.compaction_interval =
      std::chrono::seconds(NumberOf(OptionOf(tokens, "interval"), 1800));
  const std::string space = OptionOf(tokens, "space");
  options_.space_amp_target = space.empty() ? 1.25 : std::stod(space);
  auto opened = Universe::Open(options_, {.listener = nullptr, .runtime = &world_});
  if (!opened.ok()) {
    Note("open", opened.error());
    return false;
  }
  universe_ = std::move(opened).value();
  auto database = universe_->OpenOrCreateDatabase("model");
  if (!database.ok()) {
    Note("open database", database.error());
    return false;
  }
  database_ = std::move(database).value();
  if (MillisOf(database_->now()) > world_.clock().WallMillis()) {
    Fail("time is ahead of the clock after opening: what expires would expire early");
  }
  if (must_recover_) {
    CheckRecovered();
  }
  for (const auto& [name, number] : names_) {
    auto collection = database_->OpenCollection(name);
    if (!collection.ok()) {
      Note("open collection " + name, collection.error());
      return false;
    }
    handles_[name] = std::move(collection).value();
  }
  return !over();
}

void ModelRun::RunSteps() {
  while (next_ < script_.lines.size() && !over()) {
    std::string line = script_.lines[next_];
    const size_t first = next_++;
    if (TakeFiber(line) == 0) {
      world_.trace().Add(line);
      Step(line, true);
      if (!over()) {
        Replay();
      }
    } else {
      for (std::string more; next_ < script_.lines.size(); ++next_) {
        more = script_.lines[next_];
        if (TakeFiber(more) == 0) {
          break;
        }
      }
      RunParallel(first, next_);
      Replay();
    }
    if (world_.faults().power_is_cut()) {
      over_ = true;
    }
  }
  if (over_) {
    Replay();  // what was acknowledged before the end
  }
}

void ModelRun::RunParallel(size_t first, size_t end) {
  std::map<uint64_t, std::vector<std::string>> fibers;
  for (size_t i = first; i < end; ++i) {
    std::string line = script_.lines[i];
    const uint64_t fiber = TakeFiber(line);
    fibers[fiber].push_back(line);
  }
  std::vector<std::unique_ptr<runtime::Thread>> threads;
  for (const auto& [number, lines] : fibers) {
    threads.push_back(world_.Spawn("fiber", runtime::ThreadClass::kForeground, [&] {
      for (const std::string& line : lines) {
        if (over()) {
          return;
        }
        Step(line, false);
        world_.Yield();
      }
    }));
  }
  for (const auto& thread : threads) {
    thread->Join();
  }
}

void ModelRun::Step(const std::string& line, bool alone) {
  const Tokens tokens = SplitTokens(line);
  const std::string& verb = tokens.empty() ? line : tokens[0];
  if (verb == "txn") {
    TransactionLine(line, alone);
  } else if (verb == "batch") {
    BatchLine(line, alone);
  } else if (verb == "snapread") {
    SnapshotCall(tokens);
  } else if (verb == "flush" || verb == "compact") {
    UpkeepCall(tokens);
  } else if (verb == "verify") {
    VerifyCall();
  } else if (!alone) {
    Fail("'" + line + "' cannot run beside others");
  } else if (verb == "open") {
    Reopen(tokens);
  } else if (verb == "put" || verb == "del" || verb == "delrange" || verb == "incr" ||
             verb == "append") {
    WriteCall(tokens);
  } else if (verb == "get" || verb == "multiget") {
    GetCall(tokens);
  } else if (verb == "scan") {
    ScanCall(tokens);
  } else if (verb == "all") {
    AllLine(line);
  } else if (verb == "snap" || verb == "unsnap") {
    SnapshotCall(tokens);
  } else if (verb == "past") {
    PastCall(tokens);
  } else if (verb == "create" || verb == "drop" || verb == "rename") {
    NamesCall(tokens);
  } else if (verb == "ingest") {
    IngestCall(tokens);
  } else if (verb == "checkpoint") {
    CheckpointCall();
  } else if (verb == "backup") {
    BackupCall();
  } else if (verb == "cut" || verb == "fault") {
    TroubleCall(tokens);
  } else {
    UpkeepCall(tokens);
  }
}

void ModelRun::Reopen(const Tokens& tokens) {
  if (next_ == 1) {
    return;  // the first line is how the first life opened
  }
  CloseUniverse();
  oldest_known_ = std::max(oldest_known_, model_.newest());
  if (!over()) {
    (void)Open(tokens);  // failures are noted
  }
}

void ModelRun::FinalCheck() {
  VerifyCall();
  if (!over()) {
    CompareWhole(*database_, "at the end");
  }
  if (world_.faults().power_is_cut()) {
    over_ = true;
  }
}

void ModelRun::Note(const std::string& what, const Error& error) {
  if (over()) {
    return;
  }
  if (world_.faults().power_is_cut()) {
    over_ = true;
    return;
  }
  const ErrorCode code = error.code();
  if (faulted_ && (code == ErrorCode::kClosed || code == ErrorCode::kUnavailable)) {
    over_ = true;
    return;
  }
  Fail(what + ": " + error.ToString());
}

void ModelRun::Fail(const std::string& why) {
  if (failure_.empty()) {
    failure_ = "step " + std::to_string(next_) + " of " + std::to_string(script_.lines.size()) +
               " ('" + (next_ > 0 ? script_.lines[next_ - 1].substr(0, 200) : "") + "'), life " +
               std::to_string(lives_ + 1) + ": " + why;
    world_.trace().Add("failed: " + why);
  }
}

std::optional<std::pair<uint64_t, std::shared_ptr<Collection>>> ModelRun::Find(
    const std::string& name) {
  const auto number = names_.find(name);
  const auto handle = handles_.find(name);
  if (number == names_.end() || handle == handles_.end()) {
    return std::nullopt;
  }
  return std::pair(number->second, handle->second);
}

}  // namespace luna::test
