#include "engine/transaction/write_set.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/assert.h"
#include "base/text.h"
#include "base/try.h"

namespace luna::transaction {
namespace {

// What an entry takes in a journal record beside key and value: tablet, kind, type, expiry,
// lengths.
constexpr uint64_t kEntryBytes = 32;
// Map nodes, string headers and allocator rounding, beside the bytes themselves.
constexpr uint64_t kNodeBytes = 192;

uint64_t BytesOf(const Change& change) {
  const auto* append = std::get_if<Append>(&change);
  return kEntryBytes + (append == nullptr ? 0 : append->suffix.size());
}

uint64_t BytesOf(std::string_view key, const Pending& pending) {
  uint64_t bytes = kEntryBytes + key.size() + pending.value.size();
  for (const Change& change : pending.changes) {
    bytes += BytesOf(change);
  }
  return bytes;
}

uint64_t BytesOf(const entry::KeyRange& range) {
  return kEntryBytes + range.begin.size() + range.end.size();
}

// The range of `ranges` (ascending, disjoint) that begins last at or before `key` is the only one
// that can hold it.
template <typename Ranges>
auto AfterKey(Ranges& ranges, std::string_view key) {
  return std::upper_bound(
      ranges.begin(), ranges.end(), key,
      [](std::string_view k, const entry::KeyRange& range) { return k < range.begin; });
}

// The ranges that overlap or touch `range`: they become one with it.
std::pair<size_t, size_t> Touching(const std::vector<entry::KeyRange>& ranges,
                                   const entry::KeyRange& range) {
  auto first = AfterKey(ranges, range.begin);
  if (first != ranges.begin()) {
    const entry::KeyRange& before = *std::prev(first);
    if (before.end.empty() || before.end >= range.begin) {
      --first;
    }
  }
  auto last = range.end.empty() ? ranges.end() : AfterKey(ranges, range.end);
  return {static_cast<size_t>(first - ranges.begin()), static_cast<size_t>(last - ranges.begin())};
}

// An optional minus and digits, no zero in front: exactly what an increment writes.
std::optional<int64_t> ParseInteger(std::string_view text) {
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.empty() || digits.front() < '0' || digits.front() > '9' ||
      (digits.front() == '0' && text.size() > 1)) {
    return std::nullopt;
  }
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

Status Apply(const Increment& increment, std::string& bytes) {
  const std::optional<int64_t> before = ParseInteger(bytes);
  if (!before.has_value()) {
    return Error(Reason::kBadNumber, "the value \"" + base::Printable(bytes) +
                                         "\" is no decimal 64-bit integer and cannot be "
                                         "incremented; store a number first");
  }
  int64_t after = 0;
  if (__builtin_add_overflow(*before, increment.delta, &after)) {
    return Error(Reason::kBadNumber,
                 "incrementing " + std::to_string(*before) + " by " +
                     std::to_string(increment.delta) +
                     " leaves the range of 64-bit integers; use a smaller step");
  }
  bytes = std::to_string(after);
  return {};
}

Status Apply(const Append& append, std::string& bytes) {
  if (append.suffix.size() > entry::kMaxValueBytes - bytes.size()) {
    return Error(Reason::kValueTooLarge,
                 "appending " + std::to_string(append.suffix.size()) + " bytes to a value of " +
                     std::to_string(bytes.size()) + " passes the limit of " +
                     base::FormatBytes(entry::kMaxValueBytes) + " for a value; split it");
  }
  bytes += append.suffix;
  return {};
}

}  // namespace

Result<std::optional<Current>> Evaluate(const Pending& pending, std::optional<Current> committed) {
  std::optional<Current> current;
  switch (pending.base) {
    case Pending::Base::kNone:
      current = std::move(committed);
      break;
    case Pending::Base::kPut:
      current = Current{pending.value, pending.type, 0};
      break;
    case Pending::Base::kBlob:
      LUNA_ASSERT(committed.has_value());  // the blob's bytes, read by the caller
      current = std::move(committed);
      current->type = pending.type;
      break;
    case Pending::Base::kDelete:
      break;
  }
  for (const Change& change : pending.changes) {
    if (const auto* increment = std::get_if<Increment>(&change)) {
      if (!current.has_value()) {
        current = Current{"0", 0, 0};
      }
      TRY(Apply(*increment, current->bytes));
    } else {
      if (!current.has_value()) {
        current.emplace();
      }
      LUNA_ASSERT(current->bytes.size() <= entry::kMaxValueBytes);
      TRY(Apply(std::get<Append>(change), current->bytes));
    }
  }
  return current;
}

WriteSet::WriteSet(base::MemoryBudget* budget) : charge_(budget) {}

// The sizes after the Pending of `key` changed from `before` to `after` (null: none). While undo
// steps are kept the old one moves there.
WriteSet::Sizes WriteSet::Replaced(std::string_view key, const Pending* before,
                                   const Pending* after) const {
  Sizes sizes{bytes_, memory_, undo_memory_};
  if (before != nullptr) {
    const uint64_t bytes = BytesOf(key, *before);
    sizes.bytes -= bytes;
    sizes.memory -= bytes + kNodeBytes;
  }
  if (after != nullptr) {
    const uint64_t bytes = BytesOf(key, *after);
    sizes.bytes += bytes;
    sizes.memory += bytes + kNodeBytes;
  }
  if (recording()) {
    const uint64_t undo = kNodeBytes + key.size() + (before == nullptr ? 0 : BytesOf(key, *before));
    sizes.memory += undo;
    sizes.undo_memory += undo;
  }
  return sizes;
}

Status WriteSet::Accept(const Sizes& sizes) {
  if (sizes.bytes > kMaxBytes && sizes.bytes > bytes_) {
    return Error(Reason::kTransactionTooLarge,
                 "the transaction's writes would take " + base::FormatBytes(sizes.bytes) +
                     ", more than the " + base::FormatBytes(kMaxBytes) +
                     " that one commit may hold; split it into several transactions");
  }
  TRY(charge_.TryResize(sizes.memory));
  bytes_ = sizes.bytes;
  memory_ = sizes.memory;
  undo_memory_ = sizes.undo_memory;
  return {};
}

Status WriteSet::Store(TabletId tablet, std::string_view key, Pending pending) {
  const auto part = parts_.find(tablet);
  Pending* before = nullptr;
  if (part != parts_.end()) {
    const auto found = part->second.writes.find(key);
    before = found == part->second.writes.end() ? nullptr : &found->second;
  }
  TRY(Accept(Replaced(key, before, &pending)));
  if (recording()) {
    undo_.push_back(
        {tablet,
         WriteUndo{std::string(key),
                   before == nullptr ? std::nullopt : std::optional<Pending>(std::move(*before))}});
  }
  if (before != nullptr) {
    *before = std::move(pending);
  } else {
    Part& target = part == parts_.end() ? parts_[tablet] : part->second;
    target.writes.emplace(key, std::move(pending));
  }
  return {};
}

Status WriteSet::Put(TabletId tablet, std::string_view key, std::string_view value,
                     Expiry expiry, uint8_t type) {
  return Store(tablet, key, Pending{Pending::Base::kPut, std::string(value), type, expiry, {}});
}

Status WriteSet::PutBlob(TabletId tablet, std::string_view key, std::string reference,
                         Expiry expiry, uint8_t type) {
  return Store(tablet, key,
               Pending{Pending::Base::kBlob, std::move(reference), type, expiry, {}});
}

Status WriteSet::Delete(TabletId tablet, std::string_view key) {
  return Store(tablet, key, Pending{Pending::Base::kDelete, {}, 0, {}, {}});
}

Status WriteSet::DeleteRange(TabletId tablet, const entry::KeyRange& range) {
  if (range.empty()) {
    return {};
  }
  const auto found = parts_.find(tablet);
  const Part none;
  const Part& part = found == parts_.end() ? none : found->second;
  const auto [first, last] = Touching(part.ranges, range);
  entry::KeyRange merged = range;
  Sizes sizes{bytes_, memory_, undo_memory_};
  for (size_t i = first; i < last; ++i) {
    const entry::KeyRange& old = part.ranges[i];
    merged.begin = std::min(merged.begin, old.begin);
    if (old.end.empty() || (!merged.end.empty() && old.end > merged.end)) {
      merged.end = old.end;
    }
    sizes.bytes -= BytesOf(old);
    sizes.memory -= recording() ? 0 : BytesOf(old) + kNodeBytes;
    sizes.undo_memory += recording() ? BytesOf(old) + kNodeBytes : 0;
  }
  sizes.bytes += BytesOf(merged);
  const uint64_t grown = (recording() ? 2 : 1) * (BytesOf(merged) + kNodeBytes);
  sizes.memory += grown;
  sizes.undo_memory += recording() ? grown / 2 : 0;
  for (auto write = part.writes.lower_bound(range.begin);
       write != part.writes.end() && range.Contains(write->first); ++write) {
    const uint64_t bytes = BytesOf(write->first, write->second);
    sizes.bytes -= bytes;
    sizes.memory -= recording() ? 0 : bytes + kNodeBytes;
    sizes.undo_memory += recording() ? bytes + kNodeBytes : 0;
  }
  TRY(Accept(sizes));
  Part& target = parts_[tablet];
  auto write = target.writes.lower_bound(range.begin);
  while (write != target.writes.end() && range.Contains(write->first)) {
    auto node = target.writes.extract(write++);
    if (recording()) {
      undo_.push_back({tablet, WriteUndo{std::move(node.key()), std::move(node.mapped())}});
    }
  }
  const auto from = target.ranges.begin() + static_cast<ptrdiff_t>(first);
  const auto to = target.ranges.begin() + static_cast<ptrdiff_t>(last);
  if (recording()) {
    undo_.push_back({tablet, RangeUndo{merged, std::vector<entry::KeyRange>(from, to)}});
  }
  target.ranges.insert(target.ranges.erase(from, to), std::move(merged));
  return {};
}

Status WriteSet::AddChange(TabletId tablet, std::string_view key, Change change) {
  const auto part = parts_.find(tablet);
  if (part != parts_.end()) {
    const auto found = part->second.writes.find(key);
    if (found != part->second.writes.end()) {
      return Extend(tablet, key, found->second, std::move(change));
    }
  }
  Pending pending;
  pending.base = InDeletedRange(tablet, key) ? Pending::Base::kDelete : Pending::Base::kNone;
  pending.changes.push_back(std::move(change));
  return Store(tablet, key, std::move(pending));
}

// Adds a change to a key already written. Neighbours that add up to the same are kept as one, so
// that a counter counted up in a loop stays small: appends, and increments of the same sign (of
// different sign the sum would hide an overflow on the way).
Status WriteSet::Extend(TabletId tablet, std::string_view key, Pending& pending, Change change) {
  Change* last = pending.changes.empty() ? nullptr : &pending.changes.back();
  auto* sum = last == nullptr ? nullptr : std::get_if<Increment>(last);
  auto* text = last == nullptr ? nullptr : std::get_if<Append>(last);
  const auto* increment = std::get_if<Increment>(&change);
  const auto* append = std::get_if<Append>(&change);
  int64_t total = 0;
  const bool adds = sum != nullptr && increment != nullptr &&
                    (sum->delta < 0) == (increment->delta < 0) &&
                    !__builtin_add_overflow(sum->delta, increment->delta, &total);
  const bool lengthens = text != nullptr && append != nullptr;

  uint64_t growth = BytesOf(change);
  if (adds) {
    growth = 0;
  } else if (lengthens) {
    growth = append->suffix.size();
  }
  const uint64_t undo = recording() ? kNodeBytes + key.size() : 0;
  TRY(Accept({bytes_ + growth, memory_ + growth + undo, undo_memory_ + undo}));

  ChangeUndo step{std::string(recording() ? key : std::string_view()), std::nullopt, std::nullopt};
  if (adds) {
    step.delta = std::exchange(sum->delta, total);
  } else if (lengthens) {
    step.suffix_bytes = text->suffix.size();
    text->suffix += append->suffix;
  } else {
    pending.changes.push_back(std::move(change));
  }
  if (recording()) {
    undo_.push_back({tablet, std::move(step)});
  }
  return {};
}

Status WriteSet::Require(TabletId tablet, std::string_view key, Precondition precondition) {
  const uint64_t growth = kEntryBytes + key.size() + precondition.value.size();
  const uint64_t undo = recording() ? kNodeBytes : 0;
  TRY(Accept({bytes_ + growth, memory_ + growth + kNodeBytes + undo, undo_memory_ + undo}));
  parts_[tablet].preconditions.emplace_back(std::string(key), std::move(precondition));
  if (recording()) {
    undo_.push_back({tablet, RequireUndo{}});
  }
  return {};
}

void WriteSet::SetSavepoint(std::string_view name) {
  savepoints_.push_back({std::string(name), undo_.size(), bytes_, memory_, undo_memory_});
}

std::vector<WriteSet::Savepoint>::iterator WriteSet::FindSavepoint(std::string_view name) {
  auto at = savepoints_.end();
  while (at != savepoints_.begin()) {
    --at;
    if (at->name == name) {
      return at;
    }
  }
  return savepoints_.end();
}

namespace {

Error SavepointMissing(std::string_view name) {
  return Error(Reason::kSavepointMissing, "the transaction has no savepoint \"" +
                                              base::Printable(name) +
                                              "\"; set it first, or check the name");
}

}  // namespace

Status WriteSet::RollbackTo(std::string_view name) {
  const auto savepoint = FindSavepoint(name);
  if (savepoint == savepoints_.end()) {
    return SavepointMissing(name);
  }
  while (undo_.size() > savepoint->undo_steps) {
    TakeBack(undo_.back());
    undo_.pop_back();
  }
  bytes_ = savepoint->bytes;
  memory_ = savepoint->memory;
  undo_memory_ = savepoint->undo_memory;
  savepoints_.erase(std::next(savepoint), savepoints_.end());
  ++rollbacks_;
  return charge_.TryResize(memory_);  // never grows, so never refused
}

Status WriteSet::ReleaseSavepoint(std::string_view name) {
  const auto savepoint = FindSavepoint(name);
  if (savepoint == savepoints_.end()) {
    return SavepointMissing(name);
  }
  savepoints_.erase(savepoint, savepoints_.end());
  if (savepoints_.empty()) {
    undo_.clear();
    memory_ -= std::exchange(undo_memory_, 0);
  }
  return charge_.TryResize(memory_);
}

void WriteSet::TakeBack(Undo& undo) {
  Part& part = parts_[undo.tablet];
  if (auto* write = std::get_if<WriteUndo>(&undo.step)) {
    if (write->before.has_value()) {
      part.writes.insert_or_assign(std::move(write->key), std::move(*write->before));
    } else {
      part.writes.erase(write->key);
    }
  } else if (auto* changed = std::get_if<ChangeUndo>(&undo.step)) {
    const auto found = part.writes.find(changed->key);
    LUNA_ASSERT(found != part.writes.end() && !found->second.changes.empty());
    std::vector<Change>& changes = found->second.changes;
    if (changed->delta.has_value()) {
      std::get<Increment>(changes.back()).delta = *changed->delta;
    } else if (changed->suffix_bytes.has_value()) {
      std::get<Append>(changes.back()).suffix.resize(*changed->suffix_bytes);
    } else {
      changes.pop_back();
    }
  } else if (auto* deleted = std::get_if<RangeUndo>(&undo.step)) {
    const auto after = AfterKey(part.ranges, deleted->added.begin);
    LUNA_ASSERT(after != part.ranges.begin() && *std::prev(after) == deleted->added);
    const auto gap = part.ranges.erase(std::prev(after));
    part.ranges.insert(gap, std::make_move_iterator(deleted->replaced.begin()),
                       std::make_move_iterator(deleted->replaced.end()));
  } else {
    part.preconditions.pop_back();
  }
  if (part.writes.empty() && part.ranges.empty() && part.preconditions.empty()) {
    parts_.erase(undo.tablet);
  }
}

const Pending* WriteSet::Find(TabletId tablet, std::string_view key) const {
  const auto part = parts_.find(tablet);
  if (part == parts_.end()) {
    return nullptr;
  }
  const auto found = part->second.writes.find(key);
  return found == part->second.writes.end() ? nullptr : &found->second;
}

const entry::KeyRange* WriteSet::DeletedRangeOf(TabletId tablet, std::string_view key) const {
  const auto part = parts_.find(tablet);
  if (part == parts_.end() || part->second.ranges.empty()) {
    return nullptr;
  }
  const auto after = AfterKey(part->second.ranges, key);
  if (after == part->second.ranges.begin() || !std::prev(after)->Contains(key)) {
    return nullptr;
  }
  return &*std::prev(after);
}

}  // namespace luna::transaction
