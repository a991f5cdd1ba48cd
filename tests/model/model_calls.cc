// The single calls of a ModelRun: collections, snapshots, upkeep.
#include <algorithm>
#include <chrono>

#include "model/model_operations.h"
#include "model/model_run.h"

namespace luna::test {

namespace {

using Kind = HistoryOperation::Kind;
constexpr int kTries = 20;

}  // namespace

void ModelRun::NoteRead(Timestamp at, HistoryOperation operation) {
  if (at < oldest_known_) {
    return;
  }
  TransactionRecord record;
  record.name = "read " + std::to_string(recorder_.Tick());
  record.start = at;
  record.operations.push_back(std::move(operation));
  past_reads_.push_back(std::move(record));
}

void ModelRun::NoteReadNow(HistoryOperation operation,
                           const std::function<Status(HistoryOperation&)>& read) {
  for (int i = 0; i < kTries; ++i) {
    HistoryOperation attempt = operation;
    const Timestamp before = database_->now();
    if (const Status done = read(attempt); !done.ok()) {
      Note("read", done.error());
      return;
    }
    const Timestamp after = database_->now();
    // Only expiry can change what is seen in between.
    if (MillisOf(before) == MillisOf(after)) {
      NoteRead(after, std::move(attempt));
      return;
    }
  }
}

void ModelRun::WriteCall(const Tokens& tokens) {
  const auto found = tokens.size() < 2 ? std::nullopt : Find(tokens[1]);
  HistoryOperation write = WriteOperation(tokens, found ? found->first : 0);
  if (!found || write.kind == Kind::kGet) {
    return;
  }
  Collection& collection = *found->second;
  Attempt attempt;
  attempt.device = options_.durability == Durability::kDevice;
  attempt.record.begun = recorder_.Tick();
  attempt.record.name = tokens[0] + " " + std::to_string(attempt.record.begun);
  Status done;
  std::optional<int64_t> sum;
  if (write.kind == Kind::kPut) {
    WriteOptions options;
    options.time_to_live = std::chrono::milliseconds(write.ttl_millis);
    done = collection.Put(write.key, write.value, options);
  } else if (write.kind == Kind::kDelete) {
    done = collection.Delete(write.key);
  } else if (write.kind == Kind::kDeleteRange) {
    done = collection.DeleteRange(write.key, write.end);
  } else if (write.kind == Kind::kAppend) {
    done = collection.Append(write.key, write.value);
  } else {
    const auto added = collection.Increment(write.key, write.delta);
    done = added.ok() ? Status() : Status(added.error());
    sum = added.ok() ? std::optional(*added) : std::nullopt;
  }
  const std::string key = write.key;
  const bool leaves_value = write.kind != Kind::kDelete && write.kind != Kind::kDeleteRange;
  attempt.record.operations.push_back(std::move(write));
  if (!done.ok()) {
    Finish(std::move(attempt), done.error(), true);
    return;
  }
  Timestamp commit = database_->now();
  if (leaves_value) {
    const auto value = collection.GetValue(key);
    if (!value.ok()) {
      // Acknowledged, but its timestamp is out of reach: the newest moment is near enough.
      Note("read back", value.error());
    } else if (*value) {
      commit = (*value)->timestamp;
      if (sum && (*value)->bytes != std::to_string(*sum)) {
        Fail("Increment answers " + std::to_string(*sum) + ", the value is " + (*value)->bytes);
      }
    }
  }
  Finish(std::move(attempt), commit, true);
}

void ModelRun::GetCall(const Tokens& tokens) {
  const auto found = tokens.size() < 3 ? std::nullopt : Find(tokens[1]);
  if (!found) {
    return;
  }
  Collection& collection = *found->second;
  if (tokens[0] == "get") {
    const std::string key = ValueOf(tokens[2]);
    NoteReadNow({.kind = Kind::kGet, .collection = found->first, .key = key},
                [&](HistoryOperation& operation) -> Status {
                  const auto value = collection.GetValue(key);
                  if (!value.ok()) {
                    return value.error();
                  }
                  if (*value) {
                    operation.seen.push_back(EntryOf(key, **value));
                  }
                  return {};
                });
    return;
  }
  std::vector<std::string> keys;
  for (size_t i = 2; i < tokens.size(); ++i) {
    keys.push_back(ValueOf(tokens[i]));
  }
  const std::vector<std::string_view> views(keys.begin(), keys.end());
  const Timestamp at = database_->now();
  const auto values = collection.MultiGet(views, {.at = at});
  if (!values.ok()) {
    Note("multiget", values.error());
    return;
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    const auto expected = model_.Get(found->first, keys[i], Moment::At(at));
    const auto& seen = (*values)[i];
    if (expected.has_value() != seen.has_value() || (seen && *seen != expected->value)) {
      Fail("multiget of " + keys[i] + ": expected " + (expected ? Show(*expected) : "nothing") +
           ", saw " + (seen ? *seen : "nothing"));
    }
  }
}

void ModelRun::ScanCall(const Tokens& tokens) {
  const auto found = tokens.size() < 2 ? std::nullopt : Find(tokens[1]);
  if (!found) {
    return;
  }
  NoteReadNow(ScanOperation(tokens, found->first), [&](HistoryOperation& operation) -> Status {
    auto scan = found->second->Scan(operation.scan);
    return scan.ok() ? WalkIterator(**scan, &operation) : Status(scan.error());
  });
}

void ModelRun::SnapshotCall(const Tokens& tokens) {
  if (tokens.size() < 2) {
    return;
  }
  const std::string& name = tokens[1];
  if (tokens[0] == "unsnap") {
    snapshots_.erase(name);
    return;
  }
  if (tokens[0] == "snap") {
    auto snapshot = database_->GetSnapshot();
    if (!snapshot.ok()) {
      Note("snapshot", snapshot.error());
      return;
    }
    snapshots_[name] = {std::move(snapshot).value()};
    return;
  }
  const auto held = snapshots_.find(name);
  const auto found = tokens.size() < 4 ? std::nullopt : Find(tokens[3]);
  if (held == snapshots_.end() || !found) {
    return;
  }
  Snapshot& snapshot = *held->second.snapshot;
  const Tokens rest(tokens.begin() + 2, tokens.end());
  if (rest[0] == "scan") {
    HistoryOperation operation = ScanOperation(rest, found->first);
    auto scan = snapshot.Scan(*found->second, operation.scan);
    const Status walked = scan.ok() ? WalkIterator(**scan, &operation) : Status(scan.error());
    walked.ok() ? NoteRead(snapshot.timestamp(), std::move(operation))
                : Note("snapshot scan", walked.error());
  } else if (rest.size() > 2) {
    const std::string key = ValueOf(rest[2]);
    const auto value = snapshot.Get(*found->second, key);
    if (!value.ok()) {
      Note("snapshot get", value.error());
      return;
    }
    const auto expected = model_.Get(found->first, key, Moment::At(snapshot.timestamp()));
    if (snapshot.timestamp() >= oldest_known_ &&
        (expected.has_value() != value->has_value() || (expected && expected->value != **value))) {
      Fail("snapshot get of " + key + ": expected " + (expected ? Show(*expected) : "nothing") +
           ", saw " + value->value_or("nothing"));
    }
  }
}

void ModelRun::PastCall(const Tokens& tokens) {
  const auto found = tokens.size() < 3 ? std::nullopt : Find(tokens[2]);
  const Timestamp now = database_->now();
  const uint64_t back = tokens.size() < 2 ? 0 : NumberOf(tokens[1]) << 18;
  if (!found || back >= now || now - back < oldest_known_) {
    return;
  }
  auto snapshot = database_->GetSnapshotAt(now - back);
  if (!snapshot.ok()) {
    if (snapshot.error().reason() != Reason::kSnapshotTooOld) {
      Note("past snapshot", snapshot.error());
    }
    return;
  }
  HistoryOperation operation{.kind = Kind::kScan, .collection = found->first};
  operation.walk.assign(1000, "n");
  auto scan = (*snapshot)->Scan(*found->second, operation.scan);
  const Status walked = scan.ok() ? WalkIterator(**scan, &operation) : Status(scan.error());
  walked.ok() ? NoteRead(now - back, std::move(operation)) : Note("past scan", walked.error());
}

void ModelRun::UpkeepCall(const Tokens& tokens) {
  const std::string& verb = tokens[0];
  const auto found = tokens.size() < 2 ? std::nullopt : Find(tokens[1]);
  const Timestamp before =
      commits_.empty() ? 0 : *std::max_element(commits_.begin(), commits_.end());
  Status done;
  if (verb == "flush" && found) {
    done = found->second->Flush();
  } else if (verb == "compact" && found) {
    done = tokens.size() > 3 && tokens[2] < tokens[3]
               ? found->second->Compact(ValueOf(tokens[2]), ValueOf(tokens[3]))
               : found->second->Compact();
  } else if (verb == "sleep" && tokens.size() > 1) {
    world_.Sleep(NumberOf(tokens[1]) * 1'000'000);
  } else if (verb == "persist") {
    done = universe_->Persist();
    if (done.ok()) {
      floor_ = std::max(floor_, before);
    }
  } else if (verb == "stats") {
    const auto stats = universe_->GetStats();
    done = stats.ok() ? Status() : Status(stats.error());
    if (stats.ok() && !stats->background_error.empty() && !faulted_ &&
        !world_.faults().power_is_cut()) {
      Fail("a background job failed: " + stats->background_error);
    }
  }
  if (!done.ok()) {
    Note(verb, done.error());
  }
}

void ModelRun::NamesCall(const Tokens& tokens) {
  if (tokens.size() < 2) {
    return;
  }
  std::map<std::string, uint64_t> names = names_;
  const bool there = names.contains(tokens[1]);
  Status done;
  Reason expected = Reason::kCollectionMissing;
  bool fits = there;
  std::shared_ptr<Collection> made;
  if (tokens[0] == "create") {
    fits = !there;
    expected = Reason::kCollectionExists;
    names[tokens[1]] = ++collections_made_;
    auto created = database_->CreateCollection(tokens[1]);
    done = created.ok() ? Status() : Status(created.error());
    made = created.ok() ? std::move(created).value() : nullptr;
  } else if (tokens[0] == "drop") {
    names.erase(tokens[1]);
    done = database_->DropCollection(tokens[1]);
  } else if (tokens.size() > 2) {
    if (there && names.contains(tokens[2])) {
      fits = false;
      expected = Reason::kCollectionExists;
      if (tokens[1] == tokens[2]) {
        return;  // to its own name: either answer will do
      }
    }
    if (there) {
      names[tokens[2]] = names[tokens[1]];
      names.erase(tokens[1]);
    }
    done = database_->RenameCollection(tokens[1], tokens[2]);
  }
  if (!done.ok() && done.error().code() != ErrorCode::kNotFound &&
      done.error().code() != ErrorCode::kAlreadyExists) {
    pending_names_ = PendingNames{names};
    Note(tokens[0], done.error());
  } else if (done.ok() != fits || (!done.ok() && done.error().reason() != expected)) {
    Fail(tokens[0] + (done.ok() ? " worked, though it must not" : ": " + done.error().ToString()));
  } else if (done.ok()) {
    auto handle = made != nullptr ? made : handles_[tokens[1]];
    if (tokens[0] == "rename") {
      handles_[tokens[2]] = handle;
    }
    if (tokens[0] == "create") {
      handles_[tokens[1]] = handle;
    } else {
      handles_.erase(tokens[1]);
    }
    names_ = std::move(names);
  }
}

void ModelRun::IngestCall(const Tokens& tokens) {
  const auto found = tokens.size() < 5 ? std::nullopt : Find(tokens[1]);
  if (!found) {
    return;
  }
  Attempt attempt;
  attempt.device = true;
  attempt.record.begun = recorder_.Tick();
  attempt.record.name = "ingest " + std::to_string(attempt.record.begun);
  const uint64_t count = NumberOf(tokens[3]);
  for (uint64_t i = 0; i < count; ++i) {
    const std::string number = std::to_string(1000 + i).substr(1);
    attempt.record.operations.push_back({.kind = Kind::kPut,
                                         .collection = found->first,
                                         .key = tokens[2] + number,
                                         .value = ValueOf(tokens[4]) + number});
  }
  size_t at = 0;
  const auto& operations = attempt.record.operations;
  const auto result =
      database_->Ingest(*found->second, [&](std::string_view& key, std::string_view& value) {
        if (at == operations.size()) {
          return false;
        }
        key = operations[at].key;
        value = operations[at].value;
        ++at;
        return true;
      });
  Finish(std::move(attempt), result, true);
}

void ModelRun::CheckpointCall() {
  const std::string directory = "/checkpoint-" + std::to_string(++directories_);
  if (const Status done = universe_->Checkpoint(directory); !done.ok()) {
    Note("checkpoint", done.error());
    return;
  }
  Options options = options_;
  options.location = "file:" + directory;
  options.create_if_missing = false;
  auto copy = Universe::Open(options, {.listener = nullptr, .runtime = &world_});
  if (!copy.ok()) {
    Note("open the checkpoint", copy.error());
    return;
  }
  {
    auto database = (*copy)->OpenDatabase("model");
    database.ok() ? CompareWhole(**database, "in the checkpoint")
                  : Note("open the checkpoint's database", database.error());
  }
  if (const Status closed = (*copy)->Close(); !closed.ok()) {
    Note("close the checkpoint", closed.error());
  }
}

void ModelRun::BackupCall() {
  if (const auto report = database_->Backup("/backup"); !report.ok()) {
    Note("backup", report.error());
    return;
  }
  const std::string name = "restored-" + std::to_string(++directories_);
  if (const Status done = universe_->Restore("/backup", name); !done.ok()) {
    Note("restore", done.error());
    return;
  }
  {
    auto database = universe_->OpenDatabase(name);
    database.ok() ? CompareWhole(**database, "in the restored backup")
                  : Note("open the restored backup", database.error());
  }
  if (const Status dropped = universe_->DropDatabase(name); !dropped.ok()) {
    Note("drop the restored backup", dropped.error());
  }
}

void ModelRun::VerifyCall() {
  const auto report = universe_->Verify();
  if (!report.ok()) {
    Note("verify", report.error());
  } else if (!report->damage.empty()) {
    Note("verify", report->damage.front());
  }
}

void ModelRun::TroubleCall(const Tokens& tokens) {
  simulation::FaultyFileSystem& faults = world_.faults();
  if (tokens[0] == "cut" && tokens.size() > 3) {
    survival_ = tokens[3] == "lost"   ? simulation::Survival::kAllLost
                : tokens[3] == "kept" ? simulation::Survival::kAllKept
                                      : simulation::Survival::kMixed;
    faults.CutAtPoint(faults.points() + NumberOf(tokens[1]),
                      tokens[2] == "before" ? simulation::When::kBefore
                                            : simulation::When::kAfter);
  } else if (tokens[0] == "fault" && tokens.size() > 2) {
    simulation::Fault fault;
    fault.nth = NumberOf(tokens[2]);
    if (tokens[1] == "sync") {
      fault.operation = simulation::Operation::kSync;
      fault.reason = Reason::kSyncFailed;
    } else {
      fault.reason = tokens[1] == "full" ? Reason::kDiskFull : Reason::kIoError;
    }
    faulted_ = true;
    faults.Inject(std::move(fault));
  }
}

}  // namespace luna::test
