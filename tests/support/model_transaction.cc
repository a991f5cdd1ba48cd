#include "support/model_transaction.h"

#include <algorithm>
#include <charconv>

namespace luna::test {

namespace {

std::optional<int64_t> Number(const std::string& text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || std::to_string(number) != text) {
    return std::nullopt;
  }
  return number;
}

bool Holds(const std::string& begin, const std::string& end, const std::string& key) {
  return key >= begin && (end.empty() || key < end);
}

// The end of the keys with a prefix; empty: there is none.
std::string PrefixEnd(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') {
    prefix.pop_back();
  }
  if (!prefix.empty()) {
    prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  }
  return prefix;
}

}  // namespace

bool TransactionRecord::Writes() const {
  using Kind = HistoryOperation::Kind;
  size_t writes = 0;
  std::vector<std::pair<std::string, size_t>> savepoints;
  for (const HistoryOperation& operation : operations) {
    const auto found =
        std::find_if(savepoints.rbegin(), savepoints.rend(),
                     [&](const auto& savepoint) { return savepoint.first == operation.key; });
    if (operation.kind == Kind::kSetSavepoint) {
      savepoints.emplace_back(operation.key, writes);
    } else if (operation.kind == Kind::kRollbackTo && found != savepoints.rend()) {
      writes = found->second;
      savepoints.erase(found.base(), savepoints.end());
    } else if (operation.kind == Kind::kRelease && found != savepoints.rend()) {
      savepoints.erase(std::prev(found.base()), savepoints.end());
    } else if (operation.kind >= Kind::kPut && operation.kind <= Kind::kAppend) {
      ++writes;
    }
  }
  return writes > 0;
}

bool ModelTransaction::InDeletedRange(uint64_t collection, const std::string& key) const {
  return std::any_of(writes_.ranges.begin(), writes_.ranges.end(), [&](const Span& span) {
    return span.collection == collection && Holds(span.begin, span.end, key);
  });
}

void ModelTransaction::Apply(const HistoryOperation& operation) {
  using Kind = HistoryOperation::Kind;
  const std::pair<uint64_t, std::string> place{operation.collection, operation.key};
  const auto latest = [&] {
    return std::find_if(savepoints_.rbegin(), savepoints_.rend(),
                        [&](const auto& savepoint) { return savepoint.first == operation.key; });
  };
  switch (operation.kind) {
    case Kind::kGet:
    case Kind::kScan:
      return;
    case Kind::kPut:
      writes_.keys[place] = {Pending::Base::kPut, operation.value, operation.ttl_millis,
                             operation.type, {}};
      return;
    case Kind::kDelete:
      writes_.keys[place] = {Pending::Base::kDelete, "", 0, 0, {}};
      return;
    case Kind::kDeleteRange:
      std::erase_if(writes_.keys, [&](const auto& write) {
        return write.first.first == operation.collection &&
               Holds(operation.key, operation.end, write.first.second);
      });
      writes_.ranges.push_back({operation.collection, operation.key, operation.end});
      return;
    case Kind::kIncrement:
    case Kind::kAppend: {
      auto [pending, added] = writes_.keys.try_emplace(place);
      if (added && InDeletedRange(operation.collection, operation.key)) {
        pending->second.base = Pending::Base::kDelete;
      }
      pending->second.changes.push_back(
          {operation.kind == Kind::kIncrement, operation.delta, operation.value});
      return;
    }
    case Kind::kSetSavepoint:
      savepoints_.emplace_back(operation.key, writes_);
      return;
    case Kind::kRollbackTo:
      if (const auto found = latest(); found != savepoints_.rend()) {
        writes_ = found->second;
        savepoints_.erase(found.base(), savepoints_.end());
      }
      return;
    case Kind::kRelease:
      if (const auto found = latest(); found != savepoints_.rend()) {
        savepoints_.erase(std::prev(found.base()), savepoints_.end());
      }
      return;
  }
}

ModelTransaction::Evaluated ModelTransaction::Evaluate(const std::string& key,
                                                       const Pending& pending,
                                                       std::optional<ModelEntry> committed) {
  std::optional<ModelEntry> entry;
  if (pending.base == Pending::Base::kNone) {
    entry = std::move(committed);
  } else if (pending.base == Pending::Base::kPut) {
    entry = ModelEntry{key, pending.value, 0, 0, pending.type};
  }
  for (const Change& change : pending.changes) {
    if (!entry) {
      entry = ModelEntry{key, change.increments ? "0" : "", 0, 0, 0};
    }
    if (!change.increments) {
      entry->value += change.suffix;
      continue;
    }
    const auto number = Number(entry->value);
    int64_t sum = 0;
    if (!number || __builtin_add_overflow(*number, change.delta, &sum)) {
      return {false, std::nullopt};
    }
    entry->value = std::to_string(sum);
  }
  if (entry) {
    entry->timestamp = 0;
  }
  return {true, std::move(entry)};
}

std::optional<std::vector<ModelEntry>> ModelTransaction::Merged(uint64_t collection,
                                                                const std::string& begin,
                                                                const std::string& end) const {
  std::map<std::string, ModelEntry> entries;
  for (ModelEntry& entry : model_.Range(collection, begin, end, moment_)) {
    if (!InDeletedRange(collection, entry.key)) {
      const std::string key = entry.key;
      entries[key] = std::move(entry);
    }
  }
  for (auto write = writes_.keys.lower_bound({collection, begin});
       write != writes_.keys.end() && write->first.first == collection; ++write) {
    const std::string& key = write->first.second;
    if (!end.empty() && key >= end) {
      break;
    }
    Evaluated evaluated =
        Evaluate(key, write->second, model_.Get(collection, key, moment_));
    if (!evaluated.possible) {
      return std::nullopt;
    }
    entries.erase(key);
    if (evaluated.entry) {
      entries[key] = std::move(*evaluated.entry);
    }
  }
  std::vector<ModelEntry> merged;
  for (auto& [key, entry] : entries) {
    merged.push_back(std::move(entry));
  }
  return merged;
}

std::optional<std::vector<ModelEntry>> ModelTransaction::Scan(
    const HistoryOperation& operation) const {
  const ScanOptions& options = operation.scan;
  const std::string begin = std::max(options.begin, options.prefix);
  std::string end = options.end;
  if (const std::string bound = PrefixEnd(options.prefix);
      !bound.empty() && (end.empty() || bound < end)) {
    end = bound;
  }
  auto entries = Merged(operation.collection, begin, end);
  if (!entries) {
    return std::nullopt;
  }
  if (options.reverse) {
    std::reverse(entries->begin(), entries->end());
  }
  return Walk(*entries, options, operation.walk);
}

std::vector<ModelEntry> Walk(const std::vector<ModelEntry>& entries, const ScanOptions& options,
                             const std::vector<std::string>& walk) {
  std::vector<ModelEntry> seen;
  const auto size = static_cast<ptrdiff_t>(entries.size());
  ptrdiff_t at = 0;
  uint64_t shown = 0;
  const auto look = [&] {
    const bool valid = at >= 0 && at < size && (options.limit == 0 || shown < options.limit);
    if (valid) {
      seen.push_back(entries[static_cast<size_t>(at)]);
    }
    return valid;
  };
  if (!look()) {
    return seen;
  }
  for (const std::string& step : walk) {
    if (step == "n") {
      ++at;
      ++shown;
    } else if (step == "p") {
      --at;
      shown -= shown > 0 ? 1 : 0;
    } else {
      const std::string key = step.substr(1);
      const auto found = std::find_if(entries.begin(), entries.end(), [&](const ModelEntry& entry) {
        return options.reverse ? entry.key <= key : entry.key >= key;
      });
      at = found - entries.begin();
    }
    if (!look()) {
      break;
    }
  }
  return seen;
}

std::optional<std::vector<ModelEntry>> ModelTransaction::Read(
    const HistoryOperation& operation) const {
  if (operation.kind == HistoryOperation::Kind::kScan) {
    return Scan(operation);
  }
  auto entries = Merged(operation.collection, operation.key, operation.key + '\0');
  return entries;
}

std::optional<std::vector<ModelTransaction::Effect>> ModelTransaction::Effects(
    Timestamp timestamp) const {
  std::map<std::pair<uint64_t, std::string>, VersionedModel::Version> versions;
  for (const Span& span : writes_.ranges) {
    for (const std::string& key : model_.Keys(span.collection, span.begin, span.end)) {
      versions[{span.collection, key}] = {timestamp, std::nullopt, 0, 0};
    }
  }
  for (const auto& [place, pending] : writes_.keys) {
    const auto& [collection, key] = place;
    Evaluated evaluated = Evaluate(
        key, pending, model_.Get(collection, key, Moment::JustBefore(timestamp)));
    if (!evaluated.possible) {
      return std::nullopt;
    }
    VersionedModel::Version version{timestamp, std::nullopt, 0, 0};
    if (evaluated.entry) {
      version.value = std::move(evaluated.entry->value);
      version.type = evaluated.entry->type;
      version.expiry_millis = evaluated.entry->expiry_millis;
      if (pending.base == Pending::Base::kPut && pending.ttl_millis != 0) {
        version.expiry_millis = MillisOf(timestamp) + pending.ttl_millis;
      }
    }
    versions[place] = std::move(version);
  }
  std::vector<Effect> effects;
  for (auto& [place, version] : versions) {
    effects.push_back({place.first, place.second, std::move(version)});
  }
  return effects;
}

}  // namespace luna::test
