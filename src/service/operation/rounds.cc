#include "service/operation/rounds.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/assert.h"
#include "service/command/read_gate.h"

namespace luna::operation {

namespace {

constexpr std::string_view kSavepoint = "\x01 round";
constexpr uint64_t kCommandBytes = 64;  // what one takes beside its arguments, roughly

// The one place that chooses how rounds see the others who write in this process. Serializable
// costs nothing for commands that write without reading: only reads are remembered.
TransactionOptions RoundOptions() {
  return {.isolation = Isolation::kSerializable, .durability = {}, .id = {}};
}

uint64_t BytesOf(const Request& request) {
  uint64_t bytes = kCommandBytes;
  for (const std::string_view argument : request.arguments) {
    bytes += argument.size();
  }
  return bytes;
}

std::string ErrorText(const Error& error) {
  return std::string(command::RespWord(error.reason())) + " " + error.message();
}

// Whether the reply from `begin` on may be the refusal of a transaction that is full. A reply that
// is not shown may be any.
bool MayBeTooLarge(const std::string& replies, size_t begin) {
  const std::string_view reply = std::string_view(replies).substr(begin);
  return reply.empty() ||
         reply.substr(1).starts_with(command::RespWord(Reason::kTransactionTooLarge));
}

}  // namespace

void Rounds::Run(std::span<Operation* const> operations) {
  ended_nanos_ = 0;
  for (Operation* operation : operations) {
    for (const Request& request : operation->requests()) {
      if (operation->overflows()) [[unlikely]] {
        CommitOpen();  // the answer follows replies that stay
        operation->Overflow();
      } else if (command::PlaceOf(*request.command, *operation->session) ==
                 command::Place::kWrite) {
        Add(*operation, request);
      } else {
        CommitOpen();
        RunStraight(*operation, request);
      }
    }
  }
  CommitOpen();
}

void Rounds::RunStraight(Operation& operation, const Request& request) {
  resp::ReplyWriter reply(operation.replies, operation.session->version);
  const bool succeeded =
      runner_.Run(*request.command, request.arguments, *operation.session, nullptr, reply);
  operation.failures += succeeded ? 0 : 1;
}

Rounds::Round& Rounds::RoundOf(const std::shared_ptr<Database>& database) {
  for (size_t i = 0; i < open_; ++i) {
    if (rounds_[i].database == database) {
      return rounds_[i];
    }
  }
  if (open_ == rounds_.size()) {
    rounds_.emplace_back();
  }
  Round& round = rounds_[open_++];
  round.database = database;
  return round;
}

void Rounds::Add(Operation& operation, const Request& request) {
  const uint64_t bytes = BytesOf(request);
  Round* round = &RoundOf(operation.session->database);
  if (round->steps.size() >= kCommandsMax ||
      (!round->steps.empty() && round->bytes + bytes > kBytesMax)) {
    Commit(*round);
  }
  Step step{.operation = &operation,
            .request = &request,
            .reply_begin = operation.replies.size(),
            .replies = operation.session->replies};
  if (!RunStep(*round, step)) {
    // Small arguments can write much (APPEND to a large value): what is there commits first.
    Commit(*round);
    step.reply_begin = operation.replies.size();
    RunStep(*round, step);
  }
  round->steps.push_back(step);
  round->bytes += bytes;
}

bool Rounds::Begin(Round& round, Step& step) {
  if (round.transaction != nullptr) {
    return true;
  }
  auto begun = round.database->Begin(RoundOptions());
  if (begun.ok()) {
    round.transaction = std::move(begun).value();
    return true;
  }
  resp::ReplyWriter reply(step.operation->replies, step.operation->session->version);
  reply.Fail(ErrorText(begun.error()));
  step.failed = true;
  return false;
}

bool Rounds::RunStep(Round& round, Step& step) {
  if (!Begin(round, step)) {
    return true;  // answered
  }
  Operation& operation = *step.operation;
  Transaction& transaction = *round.transaction;
  const bool guarded = (step.request->command->flags & command::kFlagPartial) != 0;
  if (guarded) {
    // Savepoints fail only in a transaction that is done, and then so does everything after.
    static_cast<void>(transaction.SetSavepoint(kSavepoint).ok());
  }
  resp::ReplyWriter reply(operation.replies, operation.session->version);
  const Request& request = *step.request;
  step.failed =
      !runner_.Run(*request.command, request.arguments, *operation.session, &transaction, reply);
  if (guarded) {
    if (step.failed) {
      static_cast<void>(transaction.RollbackTo(kSavepoint).ok());
    }
    static_cast<void>(transaction.ReleaseSavepoint(kSavepoint).ok());
  }
  if (step.failed && !round.steps.empty() && MayBeTooLarge(operation.replies, step.reply_begin)) {
    operation.replies.resize(step.reply_begin);
    operation.session->replies = step.replies;
    return false;
  }
  return true;
}

void Rounds::CommitOpen() {
  for (size_t i = 0; i < open_; ++i) {
    Commit(rounds_[i]);
    rounds_[i].database = nullptr;
  }
  open_ = 0;
}

void Rounds::Commit(Round& round) {
  ended_nanos_ = 0;  // what follows is not the next command's time
  for (int attempt = 1; round.transaction != nullptr; ++attempt) {
    const uint64_t start = runner_.runtime->clock().MonotonicNanos();
    const Timestamp begun = round.transaction->start_timestamp();
    const auto committed = round.transaction->Commit();
    const uint64_t nanos = runner_.runtime->clock().MonotonicNanos() - start;
    round.transaction = nullptr;
    if (committed.ok()) {
      committed_.Add();
      round_commands_.Add(round.steps.size());
      commit_micros_.Add(nanos / 1000);
      runner_.NoteLatency("commit", nanos);
      if (*committed == begun) {  // nothing was written: all answers rest on what was read
        ConfirmReads(round);
      }
      break;
    }
    const bool conflict = committed.error().code() == ErrorCode::kConflict;
    if (!conflict || attempt >= kAttemptsMax || !RunAgain(round)) {
      FailCommit(round, committed.error());
      break;
    }
  }
  Close(round);
}

void Rounds::ConfirmReads(Round& round) {
  const Status confirmed = command::Confirm(runner_.host->read_gate());
  if (!confirmed.ok()) {
    FailSteps(round, confirmed.error(), confirmed);
  }
}

// A refusal rests on what was read, too. And who asks knows better than the journal who leads now.
void Rounds::FailCommit(Round& round, const Error& error) {
  const Status confirmed = command::Confirm(runner_.host->read_gate());
  const bool is_fenced = error.reason() == Reason::kFenced;
  FailSteps(round, is_fenced && !confirmed.ok() ? confirmed.error() : error, confirmed);
}

void Rounds::Close(Round& round) {
  for (const Step& step : round.steps) {
    step.operation->failures += step.failed ? 1 : 0;
  }
  round.steps.clear();
  round.bytes = 0;
}

// Takes back all replies and runs the steps in a fresh transaction. False: that cannot be had, or
// no longer holds them all.
bool Rounds::RunAgain(Round& round) {
  constexpr uint64_t kPauseNanos = 50'000;
  repeated_.Add();
  runner_.runtime->Sleep(runner_.runtime->random().Next() % kPauseNanos);
  for (size_t i = round.steps.size(); i-- > 0;) {
    const Step& step = round.steps[i];
    step.operation->replies.resize(step.reply_begin);
    step.operation->session->replies = step.replies;
  }
  std::vector<Step> steps = std::exchange(round.steps, {});
  bool fits = true;
  for (Step& step : steps) {
    step.reply_begin = step.operation->replies.size();
    step.replies = step.operation->session->replies;
    step.failed = false;
    fits = fits && RunStep(round, step) && round.transaction != nullptr;
    round.steps.push_back(step);
  }
  if (!fits) {
    round.transaction = nullptr;  // rolled back
  }
  return fits;
}

// The steps' replies become `error`; a command that had failed for its own reason keeps its reply,
// if that is `confirmed`.
void Rounds::FailSteps(Round& round, const Error& error, const Status& confirmed) {
  const std::string text = ErrorText(error);
  std::string kept;
  for (size_t i = 0; i < round.steps.size();) {
    Operation& operation = *round.steps[i].operation;
    kept.assign(operation.replies, round.steps[i].reply_begin);
    operation.replies.resize(round.steps[i].reply_begin);
    const size_t from = round.steps[i].reply_begin;
    for (; i < round.steps.size() && round.steps[i].operation == &operation; ++i) {
      Step& step = round.steps[i];
      const bool is_last =
          i + 1 == round.steps.size() || round.steps[i + 1].operation != &operation;
      const size_t begin = step.reply_begin - from;
      const size_t end = is_last ? kept.size() : round.steps[i + 1].reply_begin - from;
      const bool shown = step.replies == command::Session::Replies::kOn;
      if (!shown || (step.failed && confirmed.ok())) {
        operation.replies.append(kept, begin, end - begin);
      } else {
        resp::ReplyWriter reply(operation.replies, operation.session->version);
        reply.Fail(step.failed ? ErrorText(confirmed.error()) : text);
        if (!step.failed && runner_.counts != nullptr) {
          runner_.counts->FailedLater(*step.request->command, "-" + text);
        }
      }
      step.failed = true;
    }
  }
}

}  // namespace luna::operation
