#include "engine/transaction/validate.h"

#include <utility>

#include "base/assert.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/try.h"

namespace luna::transaction {
namespace {

std::string Quoted(std::string_view key) {
  return "\"" + base::Printable(key) + "\"";
}

std::string Named(std::string_view key) {
  return "key " + Quoted(key);
}

std::string Named(const entry::KeyRange& range) {
  return "something in the range from " + Quoted(range.begin) + " to " +
         (range.end.empty() ? "the end" : Quoted(range.end));
}

// What of a tablet and since when: the answer comes from the table, or from the tablet itself.
class Questions {
 public:
  Questions(const Judged& judged, const ConflictTable& table, Versions& versions)
      : start_(judged.start), table_(table), versions_(versions) {}

  // Ok, or `reason` if the key or range was changed after the start.
  Status Ask(TabletId tablet, std::string_view key, Reason reason) {
    const uint64_t hash = base::Hash(key);
    const Answer answer = table_.CheckKey(tablet, key, hash, start_);
    if (answer == Answer::kClean) [[likely]] {
      return {};
    }
    if (answer == Answer::kUnknown) {
      const Timestamp newest = TRY(versions_.NewestChange(tablet, key, hash, start_));
      if (newest <= start_) {
        return {};
      }
    }
    return Changed(tablet, Named(key), reason);
  }

  Status Ask(TabletId tablet, const entry::KeyRange& range, Reason reason) {
    const Answer answer = table_.CheckRange(tablet, range, start_);
    if (answer == Answer::kClean) [[likely]] {
      return {};
    }
    if (answer == Answer::kUnknown) {
      const Timestamp newest = TRY(versions_.NewestChangeIn(tablet, range, start_));
      if (newest <= start_) {
        return {};
      }
    }
    return Changed(tablet, Named(range), reason);
  }

 private:
  Error Changed(TabletId tablet, const std::string& what, Reason reason) const {
    return Error(reason,
                 what + " of tablet " + std::to_string(tablet) +
                     (reason == Reason::kReadConflict ? ", which this transaction read,"
                                                      : ", which this transaction writes,") +
                     " was changed by another one after this one started (at timestamp " +
                     std::to_string(start_) + "); run the transaction again");
  }

  const Timestamp start_;
  const ConflictTable& table_;
  Versions& versions_;
};

bool Holds(const Precondition& precondition, const Versions::Newest& newest) {
  switch (precondition.kind) {
    case Precondition::Kind::kExists:
      return newest.value.has_value();
    case Precondition::Kind::kMissing:
      return !newest.value.has_value();
    case Precondition::Kind::kEquals:
      return newest.value.has_value() && newest.value->bytes == precondition.value;
    case Precondition::Kind::kUnchangedSince:
      return newest.timestamp == precondition.timestamp;
  }
  base::AssertionFailed("kind is one of enum Precondition::Kind", __FILE__, __LINE__);
}

std::string Wanted(const Precondition& precondition) {
  switch (precondition.kind) {
    case Precondition::Kind::kExists:
      return "to exist";
    case Precondition::Kind::kMissing:
      return "to be missing";
    case Precondition::Kind::kEquals:
      return "to be " + Quoted(precondition.value);
    case Precondition::Kind::kUnchangedSince:
      return precondition.timestamp == 0
                 ? "to be missing"
                 : "to be unchanged since timestamp " + std::to_string(precondition.timestamp);
  }
  base::AssertionFailed("kind is one of enum Precondition::Kind", __FILE__, __LINE__);
}

Status CheckPreconditions(const Judged& judged, Versions& versions) {
  for (const auto& [tablet, part] : judged.writes->parts()) {
    for (const auto& [key, precondition] : part.preconditions) {
      const Versions::Newest newest = TRY(versions.Read(tablet, key, judged.commit));
      if (!Holds(precondition, newest)) {
        const std::string found = newest.value.has_value()
                                      ? "it is " + Quoted(newest.value->bytes) +
                                            ", written at timestamp " +
                                            std::to_string(newest.timestamp)
                                      : "it is missing";
        return Error(Reason::kPreconditionFailed, "key " + Quoted(key) + " of tablet " +
                                                      std::to_string(tablet) + " was required " +
                                                      Wanted(precondition) + ", but " + found +
                                                      "; read it again and decide anew");
      }
    }
  }
  return {};
}

Status CheckWrites(const Judged& judged, Questions& questions) {
  // The reads of a serializable transaction are all checked, with a reason of their own.
  const ReadSet* const reads = judged.serializable ? nullptr : judged.reads;
  for (const auto& [tablet, part] : judged.writes->parts()) {
    for (const auto& [key, pending] : part.writes) {
      if (pending.base != Pending::Base::kNone ||
          (reads != nullptr && reads->Contains(tablet, key))) {
        TRY(questions.Ask(tablet, key, Reason::kWriteConflict));
      }
    }
    for (const entry::KeyRange& range : part.ranges) {
      TRY(questions.Ask(tablet, range, Reason::kWriteConflict));
    }
  }
  return {};
}

Status CheckReads(const Judged& judged, Questions& questions) {
  for (const auto& [tablet, part] : judged.reads->parts()) {
    for (const std::string& key : part.keys) {
      TRY(questions.Ask(tablet, key, Reason::kReadConflict));
    }
    for (const auto& [begin, end] : part.ranges) {
      TRY(questions.Ask(tablet, entry::KeyRange{begin, end}, Reason::kReadConflict));
    }
  }
  const uint64_t expiry = judged.reads->earliest_expiry_millis();
  if (expiry != 0 && expiry <= entry::MillisOf(judged.commit)) {
    return Error(Reason::kReadConflict,
                 "a value that this transaction read has expired (at " + std::to_string(expiry) +
                     " ms since 1970) before it could commit; run the transaction again");
  }
  return {};
}

}  // namespace

Status Validate(const Judged& judged, const ConflictTable& table, Versions& versions) {
  Questions questions(judged, table, versions);
  if (judged.writes != nullptr) {
    TRY(CheckPreconditions(judged, versions));
    if (judged.start != 0) {
      TRY(CheckWrites(judged, questions));
    }
  }
  if (judged.serializable && judged.reads != nullptr && !judged.reads->empty()) {
    LUNA_ASSERT(judged.start != 0);
    TRY(CheckReads(judged, questions));
  }
  return {};
}

}  // namespace luna::transaction
