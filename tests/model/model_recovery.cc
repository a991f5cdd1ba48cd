// What a ModelRun demands after a power cut, and whole comparisons.
#include <algorithm>

#include "model/model_operations.h"
#include "model/model_run.h"
#include "support/model_transaction.h"

namespace luna::test {

namespace {

using Found = std::map<uint64_t, std::vector<ModelEntry>>;

std::map<std::string, uint64_t> Listed(const std::vector<std::string>& list,
                                       const std::map<std::string, uint64_t>& names) {
  std::map<std::string, uint64_t> listed;
  for (const std::string& name : list) {
    const auto found = names.find(name);
    listed[name] = found == names.end() ? 0 : found->second;
  }
  return listed;
}

Result<std::vector<ModelEntry>> ScanAll(Snapshot& snapshot, Collection& collection) {
  HistoryOperation all;
  all.walk.assign(100'000, "n");
  auto scan = snapshot.Scan(collection, {});
  if (!scan.ok()) {
    return scan.error();
  }
  if (const Status walked = WalkIterator(**scan, &all); !walked.ok()) {
    return walked.error();
  }
  return std::move(all.seen);
}

}  // namespace

void ModelRun::CheckRecovered() {
  for (const std::string& name : universe_->ListDatabases().value()) {
    if (name.starts_with("restored-")) {
      if (const Status dropped = universe_->DropDatabase(name); !dropped.ok()) {
        Note("drop an unfinished restore", dropped.error());
        return;
      }
    }
  }
  Timestamp now = 0;
  if (!ReconcileNames()) {
    return;
  }
  if (ended_durability_ != Durability::kDevice) {
    checker_.ForgetCommits();
  }
  const auto found = ReadAll(&now);
  if (!found) {
    return;
  }
  std::string why;
  bool matches = MatchUnknown(now, *found, &why);
  std::sort(commits_.begin(), commits_.end());
  for (auto commit = commits_.rbegin(); !matches && failure_.empty() && commit != commits_.rend();
       ++commit) {
    // Without the newest ones, from the newest on.
    const auto before = std::next(commit);
    const Timestamp upto = before == commits_.rend() ? floor_ : *before;
    if (upto >= floor_ && *commit > floor_) {
      std::string ignored;
      matches = Matches(upto, {}, now, *found, &ignored);
    }
  }
  if (!matches) {
    Fail("after the power cut: " + why + " (" + std::to_string(unknown_.size()) +
         " commits without an answer, durable up to " + std::to_string(floor_) + ")");
    return;
  }
  for (const auto& [number, entries] : *found) {
    model_.Replace(number, entries);
  }
  floor_ = oldest_known_ = now;
  commits_.clear();
  unknown_.clear();
  must_recover_ = false;
}

// The collections are what they were, or what a change under way would have made of them.
bool ModelRun::ReconcileNames() {
  const auto list = database_->ListCollections();
  if (!list.ok()) {
    Note("list collections", list.error());
    return false;
  }
  if (Listed(*list, names_) != names_) {
    if (!pending_names_ || Listed(*list, pending_names_->names) != pending_names_->names) {
      std::string text;
      for (const std::string& name : *list) {
        text += " " + name;
      }
      Fail("after the power cut the collections are" + text);
      return false;
    }
    names_ = pending_names_->names;
  }
  pending_names_.reset();
  return true;
}

std::optional<Found> ModelRun::ReadAll(Timestamp* at) {
  auto snapshot = database_->GetSnapshot();
  if (!snapshot.ok()) {
    Note("snapshot", snapshot.error());
    return std::nullopt;
  }
  *at = (*snapshot)->timestamp();
  Found found;
  for (const auto& [name, number] : names_) {
    auto collection = database_->OpenCollection(name);
    if (!collection.ok()) {
      Note("open collection " + name, collection.error());
      return std::nullopt;
    }
    auto entries = ScanAll(**snapshot, **collection);
    if (!entries.ok()) {
      Note("scan " + name, entries.error());
      return std::nullopt;
    }
    found[number] = std::move(entries).value();
  }
  return found;
}

// Is what was found the model as of `upto` with `applied` on top, in this order? When an unanswered
// commit took effect is for the engine to know: what it appended to may have expired before or
// after, so the earliest and the latest moment are both tried.
bool ModelRun::Matches(Timestamp upto, const std::vector<const Attempt*>& applied, Timestamp now,
                       const Found& found, std::string* why) {
  if (!applied.empty() &&
      MatchesFrom(std::max(upto, applied.front()->record.start), upto, applied, now, found, why)) {
    return true;
  }
  return MatchesFrom(now, upto, applied, now, found, why);
}

// The same with the commits right after the moment `commit`.
bool ModelRun::MatchesFrom(Timestamp commit, Timestamp upto,
                           const std::vector<const Attempt*>& applied, Timestamp now,
                           const Found& found, std::string* why) {
  VersionedModel scratch;
  for (const auto& [number, entries] : found) {
    scratch.Replace(number, model_.Range(number, "", "", {upto, commit}));
  }
  for (const Attempt* attempt : applied) {
    ModelTransaction transaction(scratch, Moment::JustBefore(++commit));
    for (const HistoryOperation& operation : attempt->record.operations) {
      transaction.Apply(operation);
    }
    const auto effects = transaction.Effects(commit);
    if (!effects) {
      *why = "an impossible increment";
      return false;
    }
    for (const auto& effect : *effects) {
      scratch.Add(effect.collection, effect.key, effect.version);
    }
  }
  for (const auto& [number, entries] : found) {
    std::vector<ModelEntry> expected;
    for (ModelEntry& entry : scratch.Range(number, "", "", {std::max(commit, now), now})) {
      const auto same = std::find_if(entries.begin(), entries.end(), [&](const ModelEntry& other) {
        return other.key == entry.key;
      });
      const bool unanswered = entry.timestamp > upto;
      if (unanswered && same != entries.end()) {
        entry.timestamp = same->timestamp;
        entry.expiry_millis = same->expiry_millis;
      } else if (unanswered && entry.expiry_millis != 0) {
        continue;  // expired by now
      }
      expected.push_back(std::move(entry));
    }
    if (std::string difference = Difference(expected, entries); !difference.empty()) {
      *why = "collection " + std::to_string(number) + ", " + difference;
      return false;
    }
  }
  return true;
}

// 0: may be there or not; 1: must be; -1: must not.
bool ModelRun::OutcomesOfUnknown(std::vector<int>* forced) {
  for (const Attempt& attempt : unknown_) {
    forced->push_back(0);
    if (!attempt.id) {
      continue;
    }
    const auto outcome = database_->GetOutcome(*attempt.id, attempt.record.start);
    if (!outcome.ok()) {
      if (outcome.error().reason() != Reason::kOutcomeNotKept) {
        Note("outcome", outcome.error());
        return false;
      }
      continue;
    }
    forced->back() = outcome->committed ? 1 : -1;
  }
  return true;
}

// Every subset of the unanswered commits, in every order.
bool ModelRun::MatchUnknown(Timestamp now, const Found& found, std::string* why) {
  std::vector<int> forced;
  if (!OutcomesOfUnknown(&forced)) {
    return false;
  }
  const size_t count = unknown_.size();
  for (size_t subset = 0; subset < (size_t{1} << count); ++subset) {
    std::vector<size_t> chosen;
    bool allowed = true;
    for (size_t i = 0; i < count; ++i) {
      const bool in = ((subset >> i) & 1) != 0;
      allowed = allowed && forced[i] != (in ? -1 : 1);
      if (in) {
        chosen.push_back(i);
      }
    }
    do {
      std::vector<const Attempt*> applied;
      for (size_t i : chosen) {
        applied.push_back(&unknown_[i]);
      }
      std::string reason;
      if (allowed && Matches(model_.newest(), applied, now, found, &reason)) {
        return true;
      }
      *why = why->empty() ? reason : *why;
    } while (std::next_permutation(chosen.begin(), chosen.end()));
  }
  return false;
}

void ModelRun::CompareWhole(Database& database, const std::string& what) {
  const auto list = database.ListCollections();
  if (!list.ok()) {
    Note("list collections " + what, list.error());
    return;
  }
  if (Listed(*list, names_) != names_) {
    Fail("other collections " + what);
    return;
  }
  auto snapshot = database.GetSnapshot();
  if (!snapshot.ok()) {
    Note("snapshot " + what, snapshot.error());
    return;
  }
  for (const auto& [name, number] : names_) {
    auto collection = database.OpenCollection(name);
    auto entries = collection.ok() ? ScanAll(**snapshot, **collection)
                                   : Result<std::vector<ModelEntry>>(collection.error());
    if (!entries.ok()) {
      Note("scan " + name + " " + what, entries.error());
      return;
    }
    const Moment moment{model_.newest(), (*snapshot)->timestamp()};
    const std::string difference = Difference(model_.Range(number, "", "", moment), *entries);
    if (!difference.empty()) {
      Fail("collection " + name + " " + what + ": " + difference);
    }
  }
}

}  // namespace luna::test
