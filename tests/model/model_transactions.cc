// The transactions of a ModelRun.
#include <algorithm>
#include <chrono>

#include "model/model_operations.h"
#include "model/model_run.h"
#include "support/model_transaction.h"

namespace luna::test {

namespace {

using Kind = HistoryOperation::Kind;

std::optional<Durability> RaisedDurability(const Tokens& tokens) {
  return OptionOf(tokens, "durability") == "device" ? std::optional(Durability::kDevice)
                                                    : std::nullopt;
}

Status DoWrite(Transaction& transaction, Collection& collection, const HistoryOperation& write) {
  switch (write.kind) {
    case Kind::kPut:
      return transaction.Put(collection, write.key, write.value,
                             std::chrono::milliseconds(write.ttl_millis), write.type);
    case Kind::kDelete:
      return transaction.Delete(collection, write.key);
    case Kind::kDeleteRange:
      return transaction.DeleteRange(collection, write.key, write.end);
    case Kind::kIncrement:
      return transaction.Increment(collection, write.key, write.delta);
    default:
      return transaction.Append(collection, write.key, write.value);
  }
}

Precondition PreconditionOf(const Tokens& tokens) {
  return tokens[3] == "exists"    ? Precondition::Exists()
         : tokens[3] == "missing" ? Precondition::Missing()
                                  : Precondition::Equals(
                                        ValueOf(tokens.size() > 4 ? tokens[4] : ""));
}

}  // namespace

std::unique_ptr<Transaction> ModelRun::BeginAttempt(const std::string& head, Attempt* attempt) {
  const Tokens tokens = SplitTokens(head);
  TransactionOptions options;
  options.isolation = HasToken(tokens, "snapshot") ? Isolation::kSnapshot
                                                   : Isolation::kSerializable;
  options.durability = RaisedDurability(tokens);
  if (const std::string id = OptionOf(tokens, "id"); !id.empty()) {
    options.id = TransactionId{script_.seed, NumberOf(id)};
  }
  attempt->id = options.id;
  attempt->device = options.durability.value_or(options_.durability) == Durability::kDevice;
  attempt->record.isolation = options.isolation;
  attempt->record.begun = recorder_.Tick();
  attempt->record.name = "transaction " + std::to_string(attempt->record.begun);
  auto begun = database_->Begin(options);
  if (!begun.ok()) {
    Note("begin", begun.error());
    return nullptr;
  }
  attempt->record.start = (*begun)->start_timestamp();
  return std::move(begun).value();
}

void ModelRun::RunOperations(Transaction& transaction, const std::vector<std::string>& operations,
                             Attempt* attempt) {
  for (const std::string& operation : operations) {
    const Tokens tokens = SplitTokens(operation);
    if (tokens.empty()) {
      continue;
    }
    if (tokens[0] == "rollback") {
      attempt->rolled_back = true;
    } else if (const Status done = RunOperation(transaction, tokens, attempt); !done.ok()) {
      attempt->rolled_back = true;
      const Reason reason = done.error().reason();
      if (reason != Reason::kLockTimeout && reason != Reason::kBadNumber) {
        Note(operation, done.error());
      }
    }
    if (attempt->rolled_back || over()) {
      transaction.Rollback();
      attempt->rolled_back = true;
      return;
    }
    if (operations.size() > 1) {
      world_.Yield();
    }
  }
}

Status ModelRun::RunOperation(Transaction& transaction, const Tokens& tokens, Attempt* attempt) {
  const std::string& verb = tokens[0];
  if (tokens.size() == 2) {
    const Kind kind = verb == "save"   ? Kind::kSetSavepoint
                      : verb == "back" ? Kind::kRollbackTo
                                       : Kind::kRelease;
    Status done = kind == Kind::kSetSavepoint ? transaction.SetSavepoint(tokens[1])
                  : kind == Kind::kRollbackTo ? transaction.RollbackTo(tokens[1])
                                              : transaction.ReleaseSavepoint(tokens[1]);
    if (done.ok()) {
      attempt->record.operations.push_back({.kind = kind, .key = tokens[1]});
      return {};
    }
    return done.error().reason() == Reason::kSavepointMissing ? Status() : done;
  }
  const auto found = tokens.size() < 2 ? std::nullopt : Find(tokens[1]);
  if (!found) {
    return {};
  }
  Collection& collection = *found->second;
  if (verb == "scan") {
    HistoryOperation operation = ScanOperation(tokens, found->first);
    auto scan = transaction.Scan(collection, operation.scan);
    if (!scan.ok()) {
      return scan.error();
    }
    if (const Status walked = WalkIterator(**scan, &operation); !walked.ok()) {
      return walked;
    }
    attempt->record.operations.push_back(std::move(operation));
    return {};
  }
  if (tokens.size() < 3) {
    return {};
  }
  const std::string key = ValueOf(tokens[2]);
  if (verb == "get" || verb == "getu") {
    if (verb == "getu") {
      if (auto locked = transaction.GetForUpdate(collection, key); !locked.ok()) {
        return locked.error();
      }
    }
    auto got = transaction.GetValue(collection, key);
    if (!got.ok()) {
      return got.error();
    }
    HistoryOperation operation{.kind = Kind::kGet, .collection = found->first, .key = key};
    if (*got) {
      operation.seen.push_back(EntryOf(key, **got));
    }
    attempt->record.operations.push_back(std::move(operation));
    return {};
  }
  if (verb == "require" && tokens.size() > 3) {
    const Precondition precondition = PreconditionOf(tokens);
    attempt->requirements.push_back({found->first, key, precondition});
    return transaction.Require(collection, key, precondition);
  }
  HistoryOperation write = WriteOperation(tokens, found->first);
  if (write.kind == Kind::kGet) {
    return {};
  }
  Status done = DoWrite(transaction, collection, write);
  if (done.ok()) {
    attempt->record.operations.push_back(std::move(write));
  }
  return done;
}

void ModelRun::TransactionLine(const std::string& line, bool alone) {
  std::vector<std::string> parts = SplitAt(line, ';');
  Attempt attempt;
  const auto transaction = BeginAttempt(parts[0], &attempt);
  if (transaction == nullptr) {
    return;
  }
  parts.erase(parts.begin());
  RunOperations(*transaction, parts, &attempt);
  if (attempt.rolled_back) {
    attempt.record.ended = recorder_.Tick();
    recorder_.Add(std::move(attempt.record));
    return;
  }
  const auto result = transaction->Commit();
  Finish(std::move(attempt), result, alone);
}

void ModelRun::BatchLine(const std::string& line, bool alone) {
  std::vector<std::string> parts = SplitAt(line, ';');
  const Tokens head = SplitTokens(parts[0]);
  Attempt attempt;
  const auto durability = RaisedDurability(head);
  attempt.device = durability.value_or(options_.durability) == Durability::kDevice;
  attempt.record.begun = recorder_.Tick();
  attempt.record.name = "batch " + std::to_string(attempt.record.begun);
  WriteBatch batch;
  // The last write of a key counts; a range deletes what stands before it.
  for (size_t i = 1; i < parts.size(); ++i) {
    const Tokens tokens = SplitTokens(parts[i]);
    const auto found = tokens.size() < 3 ? std::nullopt : Find(tokens[1]);
    if (!found) {
      continue;
    }
    HistoryOperation write = WriteOperation(tokens, found->first);
    if (write.kind == Kind::kPut) {
      batch.Put(*found->second, write.key, write.value,
                std::chrono::milliseconds(write.ttl_millis));
    } else if (write.kind == Kind::kDelete) {
      batch.Delete(*found->second, write.key);
    } else if (write.kind == Kind::kDeleteRange) {
      batch.DeleteRange(*found->second, write.key, write.end);
    } else {
      continue;
    }
    attempt.record.operations.push_back(std::move(write));
  }
  const auto result = database_->Write(batch, {.durability = durability});
  Finish(std::move(attempt), result, alone);
}

void ModelRun::AllLine(const std::string& line) {
  std::vector<std::string> pieces = SplitAt(line, '|');
  std::vector<Attempt> attempts;
  std::vector<std::unique_ptr<Transaction>> transactions;
  std::vector<Transaction*> committing;
  std::vector<size_t> places;
  for (size_t i = 1; i < pieces.size() && !over(); ++i) {
    std::vector<std::string> parts = SplitAt(pieces[i], ';');
    Attempt& attempt = attempts.emplace_back();
    auto transaction = BeginAttempt(parts[0], &attempt);
    if (transaction == nullptr) {
      return;
    }
    parts.erase(parts.begin());
    // A lock held by the first would make the second wait for its time.
    std::erase_if(parts, [](const std::string& part) { return part.starts_with("getu"); });
    RunOperations(*transaction, parts, &attempt);
    if (!attempt.rolled_back) {
      committing.push_back(transaction.get());
      places.push_back(attempts.size() - 1);
    }
    transactions.push_back(std::move(transaction));
  }
  const auto results = database_->CommitAll(committing);
  if (results.size() != committing.size()) {
    Fail("CommitAll answers " + std::to_string(results.size()) + " of " +
         std::to_string(committing.size()) + " transactions");
    return;
  }
  for (size_t i = 0; i < places.size(); ++i) {
    Finish(std::move(attempts[places[i]]), results[i], false);  // they may meet each other
  }
}

void ModelRun::Finish(Attempt attempt, const Result<Timestamp>& result, bool alone) {
  TransactionRecord& record = attempt.record;
  record.ended = recorder_.Tick();
  if (result.ok()) {
    world_.trace().Add("commit", {*result});
    record.outcome = TransactionRecord::Outcome::kCommitted;
    record.commit = *result;
    if (alone) {
      CheckRequirements(attempt, true);
    }
    if (record.Writes()) {
      commits_.push_back(record.commit);
      if (attempt.device) {
        floor_ = std::max(floor_, record.commit);
      }
    }
    if (attempt.id) {
      CheckOutcome(attempt, true, record.commit);
    }
    recorder_.Add(std::move(record));
    return;
  }
  const Error& error = result.error();
  world_.trace().Add("commit failed: " + std::string(Name(error.reason())));
  if (error.code() == ErrorCode::kConflict || error.code() == ErrorCode::kInvalidArgument) {
    CheckAborted(attempt, error, alone);
    recorder_.Add(std::move(record));
    return;
  }
  Note("commit", error);
  record.outcome = TransactionRecord::Outcome::kUnknown;
  unknown_.push_back(std::move(attempt));
}

void ModelRun::CheckAborted(const Attempt& attempt, const Error& error, bool alone) {
  if (attempt.id) {
    CheckOutcome(attempt, false, 0);
  }
  if (!alone) {
    return;
  }
  switch (error.reason()) {
    case Reason::kBadNumber:
      return;
    case Reason::kPreconditionFailed:
      CheckRequirements(attempt, false);
      return;
    case Reason::kReadConflict:
      if (error.message().find("expired") != std::string::npos) {
        return;
      }
      [[fallthrough]];
    default:
      Fail("a transaction with nobody beside it was refused: " + error.ToString());
  }
}

void ModelRun::CheckRequirements(const Attempt& attempt, bool held) {
  const Timestamp commit = attempt.record.commit != 0 ? attempt.record.commit : database_->now();
  bool all = true;
  for (const Requirement& requirement : attempt.requirements) {
    const auto entry = model_.Get(requirement.collection, requirement.key,
                                  held ? Moment::JustBefore(commit) : Moment::At(commit));
    const Precondition::Kind kind = requirement.precondition.kind;
    all = all && (kind == Precondition::Kind::kExists    ? entry.has_value()
                  : kind == Precondition::Kind::kMissing ? !entry.has_value()
                                                         : entry && entry->value ==
                                                               requirement.precondition.value);
  }
  const bool undone = std::any_of(
      attempt.record.operations.begin(), attempt.record.operations.end(),
      [](const HistoryOperation& operation) { return operation.kind == Kind::kRollbackTo; });
  if (all != held && !undone) {
    Fail(held ? "a commit with a precondition that does not hold"
              : "refused for a precondition, but all of them hold");
  }
}

void ModelRun::CheckOutcome(const Attempt& attempt, bool committed, Timestamp timestamp) {
  const auto outcome = database_->GetOutcome(*attempt.id, attempt.record.start);
  if (!outcome.ok()) {
    Note("outcome", outcome.error());
  } else if (outcome->committed != committed ||
             (committed && timestamp != outcome->timestamp && attempt.record.Writes())) {
    Fail("the outcome of " + attempt.record.name + " is told as " +
         (outcome->committed ? "committed at " : "aborted, ") +
         std::to_string(outcome->timestamp) + "; its answer was " +
         (committed ? std::to_string(timestamp) : "aborted"));
  }
}

void ModelRun::Replay() {
  auto problems = checker_.Check(recorder_.Take());
  // Reads of the past know no order in real time; the model holds all they may see by now.
  const auto past = checker_.CheckReads(past_reads_);
  past_reads_.clear();
  problems.insert(problems.end(), past.begin(), past.end());
  if (!problems.empty()) {
    Fail(problems.front());
  }
}

}  // namespace luna::test
