#include "simulation/sim_kernel/sim_stream.h"

#include <algorithm>
#include <utility>

#include "base/try.h"

namespace luna::sim_kernel {

using journal::AppendResult;
using Outcome = AppendResult::Outcome;

namespace {

constexpr uint64_t kMinSegmentBytes = 8 << 10;
constexpr uint64_t kMaxSegmentBytes = uint64_t{1} << 30;
constexpr int kMaxRaces = 1000;  // each lost to somebody else who won

struct Made {
  bool full = false;
  uint64_t id = 0;
  StreamView view = {};
};

}  // namespace

// What a change of a stream comes to.
struct SimStream::Judged {
  Verdict verdict = Verdict::kMissing;
  StreamView view = {};
  Sequence tail = 0;  // that a fence found
};

// --- Open ---

SimStream::SimStream(std::shared_ptr<Endpoint> endpoint, const std::string& name,
                     const journal::StreamOptions& options, std::function<void()> closed)
    : opened_(std::make_shared<OpenedStream>(
          OpenedStream{.endpoint = std::move(endpoint), .name = name})),
      options_(options),
      closed_(std::move(closed)) {}

Result<std::unique_ptr<journal::Stream>> SimStream::Open(std::shared_ptr<Endpoint> endpoint,
                                                         const std::string& name,
                                                         const journal::StreamOptions& options,
                                                         std::function<void()> closed) {
  std::unique_ptr<SimStream> stream(
      new SimStream(std::move(endpoint), name, options, std::move(closed)));
  if (options.segment_bytes < kMinSegmentBytes || options.segment_bytes > kMaxSegmentBytes) {
    return Error(Reason::kBadOption, "stream " + name + ": segments of " +
                                         std::to_string(options.segment_bytes) +
                                         " bytes; use 8 KiB to 1 GiB");
  }
  TRY(stream->Create());
  TRY(stream->TakeTurn());
  return std::unique_ptr<journal::Stream>(std::move(stream));
}

// Finds it or makes it. A request that comes when the stream it made was removed makes none again.
Status SimStream::Create() {
  Endpoint& endpoint = *opened_->endpoint;
  SimStore& store = endpoint.store();
  const Made made = TRY(endpoint.Ask<Made>(
      opened_->object(), Access::kWrite,
      [&store, name = opened_->name, id = store.NewId(), epoch = options_.first_epoch,
       released = options_.released](Space& space, const Arrival&) -> Made {
        auto found = space.streams.find(name);
        if (found == space.streams.end() && store.full()) {
          return {.full = true};
        }
        if (found == space.streams.end() && space.streams_made.insert(id).second) {
          StoredStream made(id, store.guards(), epoch, released);
          found = space.streams.emplace(name, std::move(made)).first;
        }
        if (found == space.streams.end()) {
          return {};
        }
        return {.id = found->second.id(), .view = found->second.view()};
      }));
  if (made.full) {
    return endpoint.Full(opened_->object());
  }
  if (made.id == 0) {
    return opened_->Missing();
  }
  opened_->id = made.id;
  opened_->Learn(made.view);
  return {};
}

Result<SimStream::Judged> SimStream::Ask(std::function<void(StoredStream&, Judged&)> deed) {
  const Judged judged =
      TRY(opened_->endpoint->Ask<Judged>(opened_->object(), Access::kWrite,
                                         [name = opened_->name, id = opened_->id,
                                          deed = std::move(deed)](Space& space, const Arrival&) {
                                           Judged result;
                                           if (StoredStream* stream = space.FindStream(name, id)) {
                                             deed(*stream, result);
                                             result.view = stream->view();
                                           }
                                           return result;
                                         }));
  if (judged.verdict == Verdict::kMissing) {
    return opened_->Missing();
  }
  opened_->Learn(judged.view);
  return judged;
}

// Compared with the turn before, so that one that comes late does not undo a later one.
Status SimStream::TakeTurn() {
  const uint64_t turn = opened_->endpoint->store().NewId();
  for (int race = 0; race < kMaxRaces; ++race) {
    const Judged judged =
        TRY(Ask([before = opened_->view.turn, turn](StoredStream& stream, Judged& result) {
          result.verdict = stream.TakeTurn(before, turn);
        }));
    if (judged.verdict == Verdict::kDone) {
      return {};
    }
  }
  return Error(Reason::kBackPressure,
               opened_->where() + ": others opened it every time; try again");
}

// --- Append ---

AppendResult SimStream::Append(Epoch epoch, Sequence expected_tail,
                               std::span<const std::string_view> records, Durability) {
  if (poison_.has_value()) {
    return Answer(Outcome::kFailed, poison_);
  }
  Endpoint& endpoint = *opened_->endpoint;
  AppendRequest request{.epoch = epoch,
                        .expected_tail = expected_tail,
                        .records = {records.begin(), records.end()},
                        .segment_bytes = options_.segment_bytes};
  if (std::optional<Error> error = CheckSize(request.records)) {
    return Answer(Outcome::kFailed, std::move(error));
  }
  for (int race = 0; race < kMaxRaces; ++race) {
    request.turn = opened_->view.turn;
    const Tried<Judged> tried = endpoint.Try<Judged>(
        opened_->object(), Access::kWrite,
        [&store = endpoint.store(), name = opened_->name, id = opened_->id, request,
         key = opened_->where()](Space& space, const Arrival& at) {
          Judged judged;
          if (StoredStream* stream = space.FindStream(name, id)) {
            judged.verdict = store.full() ? Verdict::kFull : stream->Append(request, at.late);
            judged.view = stream->view();
          }
          if (judged.verdict == Verdict::kDone && !request.records.empty()) {
            store.Announce(key);
          }
          return judged;
        });
    if (!tried.answer.has_value()) {
      const Error error = endpoint.NoAnswer(opened_->object(), tried.fate);
      return tried.fate == Fate::kNotSent ? Answer(Outcome::kFailed, error) : Unknown(error);
    }
    opened_->Learn(tried.answer->view);
    switch (tried.answer->verdict) {
      case Verdict::kDone: {
        AppendResult done = Answer(Outcome::kOk, {});
        done.tail = tried.answer->view.state.tail;
        return done;
      }
      case Verdict::kFenced:
        return Answer(Outcome::kFenced, {});
      case Verdict::kMoved:
        return Answer(Outcome::kMoved, {});
      case Verdict::kFull:
        return Answer(Outcome::kFailed, endpoint.Full(opened_->object()));
      case Verdict::kTurn:
        break;  // somebody else opened the stream: nothing was written, and the turn is known now
      case Verdict::kMissing:
      case Verdict::kReleased:
        return Answer(Outcome::kFailed, opened_->Missing());
    }
  }
  return Answer(Outcome::kFailed,
                Error(Reason::kBackPressure,
                      opened_->where() + ": others opened it every time; nothing was written"));
}

std::optional<Error> SimStream::CheckSize(const std::vector<std::string>& records) const {
  uint64_t largest = 0;
  for (const std::string& record : records) {
    largest = std::max<uint64_t>(largest, record.size());
  }
  if (largest <= journal::kMaxRecordBytes && BatchBytes(records) <= options_.segment_bytes) {
    return std::nullopt;
  }
  return Error(Reason::kTransactionTooLarge,
               opened_->where() + ": " + std::to_string(records.size()) + " records of " +
                   std::to_string(BatchBytes(records)) + " bytes in all, of which one has " +
                   std::to_string(largest) + "; a segment takes " +
                   std::to_string(options_.segment_bytes) + " and a record has at most " +
                   std::to_string(journal::kMaxRecordBytes) + ", write less at once");
}

AppendResult SimStream::Answer(Outcome outcome, std::optional<Error> error) const {
  return {.outcome = outcome,
          .tail = opened_->view.state.tail,
          .epoch = opened_->view.state.epoch,
          .error = std::move(error)};
}

AppendResult SimStream::Unknown(const Error& cause) {
  poison_ = Error(Reason::kSyncFailed,
                  opened_->where() +
                      ": the stream takes no more appends, as it is unknown whether the last one "
                      "was stored (" +
                      cause.message() + "); open the stream again");
  return Answer(Outcome::kUnknown, poison_);
}

Status SimStream::Persist(Durability) {
  return poison_.has_value() ? Status(*poison_) : Status();
}

// --- Fence, read, release ---

Result<Sequence> SimStream::Fence(Epoch expected_epoch, std::optional<Sequence> expected_tail,
                                  Epoch new_epoch) {
  return RaiseEpoch(
      {.expected_epoch = expected_epoch, .expected_tail = expected_tail, .new_epoch = new_epoch});
}

Result<Sequence> SimStream::FenceAndAppend(Epoch expected_epoch, Sequence expected_tail,
                                           Epoch new_epoch,
                                           std::span<const std::string_view> records,
                                           uint64_t /*end*/) {
  FenceRequest request{.expected_epoch = expected_epoch,
                       .expected_tail = expected_tail,
                       .new_epoch = new_epoch,
                       .records = {records.begin(), records.end()},
                       .segment_bytes = options_.segment_bytes};
  if (std::optional<Error> error = CheckSize(request.records)) {
    return *std::move(error);
  }
  return RaiseEpoch(std::move(request));
}

Result<Sequence> SimStream::RaiseEpoch(FenceRequest request) {
  if (poison_.has_value()) {
    return *poison_;
  }
  if (request.new_epoch <= request.expected_epoch) {
    return Error(Reason::kBadOption, opened_->where() + ": a fence raises the epoch: " +
                                         std::to_string(request.new_epoch) + " is not above " +
                                         std::to_string(request.expected_epoch));
  }
  SimStore& store = opened_->endpoint->store();
  request.id = store.NewId();
  const Judged judged =
      TRY(Ask([&store, request, key = opened_->where()](StoredStream& stream, Judged& result) {
        if (store.full() && !request.records.empty()) {
          result.verdict = Verdict::kFull;
          return;
        }
        result.verdict = stream.Fence(request, result.tail);
        if (result.verdict == Verdict::kDone && !request.records.empty()) {
          store.Announce(key);
        }
      }));
  if (judged.verdict == Verdict::kFull) {
    return opened_->endpoint->Full(opened_->object());
  }
  if (judged.verdict == Verdict::kDone) {
    return judged.tail;
  }
  return Error(Reason::kFenced, opened_->where() + ": the epoch is " +
                                    std::to_string(judged.view.state.epoch) + " and the tail " +
                                    std::to_string(judged.view.state.tail) +
                                    ", not what the fence expects; read the tail anew");
}

Result<std::unique_ptr<journal::StreamReader>> SimStream::Read(Sequence after) {
  if (after < opened_->view.state.released) {
    return opened_->Released(after);
  }
  return std::unique_ptr<journal::StreamReader>(std::make_unique<SimReader>(opened_, after));
}

Status SimStream::Change(const std::function<void(StoredStream&)>& change) {
  if (poison_.has_value()) {
    return *poison_;
  }
  TRY(Ask([change](StoredStream& stream, Judged& result) {
    change(stream);
    result.verdict = Verdict::kDone;
  }));
  return {};
}

Status SimStream::Release(Sequence upto) {
  return Change([upto](StoredStream& stream) { stream.Release(upto); });
}

Status SimStream::Roll() {
  return Change([](StoredStream& stream) { stream.Roll(); });
}

}  // namespace luna::sim_kernel
