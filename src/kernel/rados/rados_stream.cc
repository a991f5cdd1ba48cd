#include "kernel/rados/rados_stream.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/try.h"
#include "kernel/rados/rados_reader.h"

namespace luna::rados {

using journal::AppendResult;
using Outcome = AppendResult::Outcome;

namespace {

constexpr uint64_t kMinSegmentBytes = 8 << 10;
constexpr uint64_t kMaxSegmentBytes = uint64_t{1} << 30;
constexpr uint64_t kMaxObjectBytes = uint64_t{64} << 20;  // RADOS takes up to 128 MiB as it comes
constexpr int kMaxRaces = 1000;                           // each lost to somebody else who won

Error Lost(const std::string& where, const char* what) {
  return Error(Reason::kBackPressure,
               where + ": others were faster every time; " + what + " did not happen, try again");
}

}  // namespace

void SetSegment(WriteOperation& operation, const Segment& segment) {
  operation.Set("epoch", segment.sealed ? std::string(kSealed) : Digits(segment.epoch))
      .Set("place", segment.place())
      .Set("turn", segment.turn)
      .Set("first", Digits(segment.first));
  if (segment.sealed) {
    operation.Set("next", segment.next);
  }
}

RadosStream::RadosStream(std::shared_ptr<Space> space, std::shared_ptr<Chain> chain,
                         const journal::StreamOptions& options, std::function<void()> closed)
    : space_(std::move(space)),
      options_(options),
      closed_(std::move(closed)),
      chain_(std::move(chain)) {}

RadosStream::~RadosStream() {
  closed_();
}

// --- Open ---

Result<std::unique_ptr<journal::Stream>> RadosStream::Open(std::shared_ptr<Space> space,
                                                           const std::string& name,
                                                           std::shared_ptr<Chain> chain,
                                                           const journal::StreamOptions& options,
                                                           std::function<void()> closed) {
  std::unique_ptr<RadosStream> stream(
      new RadosStream(std::move(space), std::move(chain), options, std::move(closed)));
  if (options.segment_bytes < kMinSegmentBytes || options.segment_bytes > kMaxSegmentBytes) {
    return Error(Reason::kBadOption, "stream " + name + ": segments of " +
                                         std::to_string(options.segment_bytes) +
                                         " bytes; use 8 KiB to 1 GiB");
  }
  TRY(stream->Recover());
  return std::unique_ptr<journal::Stream>(std::move(stream));
}

Status RadosStream::Recover() {
  const std::deque<Segment> found = chain_->segments();
  if (!found.empty()) {
    last_ = found.back();
  } else {
    const std::optional<Head> head = TRY(chain_->ReadHead());
    if (head.has_value() && head->removed) {
      return Error(Reason::kStreamExists,
                   chain_->Where(chain_->HeadName()) + ": the stream is being removed; try again");
    }
    if (!head.has_value()) {
      TRY(Create());
    }
    TRY(Refresh());
  }
  return options_.settle ? TakeTurn() : Status();
}

// Two may create at once; the head that is there first counts, and the other's segment goes.
Status RadosStream::Create() {
  Segment segment{.epoch = options_.first_epoch,
                  .first = options_.released + 1,
                  .tail = options_.released,
                  .turn = Hex(space_->client().NewId())};
  segment.name = TRY(MakeSegment(segment));
  const Head head{.first = segment.first, .segment = segment.name};
  const std::string name = chain_->HeadName();
  const int code = space_->Write(name, [&](WriteOperation& operation) {
    operation.Create().WriteAll(EncodeHead(head)).Set("version", Digits(head.version));
  });
  if (code < 0 && code != -EEXIST) {
    return ToError(code, "making " + chain_->Where(name));
  }
  if (code == -EEXIST) {
    const std::optional<Head> winner = TRY(chain_->ReadHead());
    if (!winner.has_value() || winner->segment != segment.name) {
      TRY(space_->Remove(segment.name));
    }
  }
  return {};
}

// The new object's name, which is unlike any other: a request that comes late can only make an
// object that nobody will ever look for.
Result<std::string> RadosStream::MakeSegment(const Segment& segment) {
  Patience patience(space_->client());
  int code = 0;
  do {
    const std::string name =
        chain_->SegmentPrefix() + Digits(segment.first) + "-" + Hex(space_->client().NewId());
    code = space_->TryWrite(name, [&](WriteOperation& operation) {
      operation.Create();
      SetSegment(operation, segment);
    });
    if (code >= 0) {
      return name;
    }
  } while (patience.Again(code));
  return ToError(code, "making a segment of " + chain_->Where(chain_->HeadName()));
}

// Compares the turn, too: an attempt that comes late must not take it back from who came after.
Status RadosStream::TakeTurn() {
  const std::string turn = Hex(space_->client().NewId());
  for (int race = 0; race < kMaxRaces; ++race) {
    const int code = space_->Write(last_.name, [&](WriteOperation& operation) {
      operation.Compare("epoch", Digits(last_.epoch)).Compare("turn", last_.turn).Set("turn", turn);
    });
    if (code < 0 && code != -ECANCELED && code != -ENOENT) {
      return ToError(code, "opening " + chain_->Where(chain_->HeadName()));
    }
    TRY(Refresh());  // after the turn was set it is exact: what was under way is done or void
    if (code >= 0) {
      return {};
    }
  }
  return Lost(chain_->Where(chain_->HeadName()), "opening");
}

Status RadosStream::Refresh() {
  last_ = TRY(chain_->FindEnd());
  return {};
}

// --- Append ---

AppendResult RadosStream::Append(Epoch epoch, Sequence expected_tail,
                                 std::span<const std::string_view> records, Durability) {
  if (poison_.has_value()) {
    return Failed(*poison_);
  }
  if (Refuse(epoch, expected_tail).has_value()) {
    if (const Status fresh = Refresh(); !fresh.ok()) {
      return Failed(fresh.error());
    }
    if (std::optional<AppendResult> refused = Refuse(epoch, expected_tail)) {
      return *std::move(refused);
    }
  }
  if (records.empty()) {
    return {.tail = last_.tail, .epoch = last_.epoch, .error = {}};
  }
  if (std::optional<Error> error = CheckSize(records)) {
    return Failed(*std::move(error));
  }
  const std::string frame =
      EncodeFrame(space_->client().NewId(), epoch, expected_tail + 1, records);
  for (int race = 0; race < kMaxRaces; ++race) {
    const uint64_t most = std::min(options_.segment_bytes, kMaxObjectBytes);
    if (last_.length > 0 && last_.length + frame.size() > most) {
      const Result<Step> rolled = RollOnce();
      if (!rolled.ok()) {
        return Failed(rolled.error());
      }
    } else {
      AppendResult result = Submit(frame, expected_tail + records.size());
      if (result.outcome != Outcome::kMoved) {
        return result;
      }
    }
    if (std::optional<AppendResult> refused = Refuse(epoch, expected_tail)) {
      return *std::move(refused);
    }
  }
  return Failed(Lost(chain_->Where(chain_->HeadName()), "the append"));
}

std::optional<AppendResult> RadosStream::Refuse(Epoch epoch, Sequence expected_tail) const {
  if (epoch != last_.epoch) {
    return AppendResult{
        .outcome = Outcome::kFenced, .tail = last_.tail, .epoch = last_.epoch, .error = {}};
  }
  if (expected_tail != last_.tail) {
    return AppendResult{
        .outcome = Outcome::kMoved, .tail = last_.tail, .epoch = last_.epoch, .error = {}};
  }
  return std::nullopt;
}

std::optional<Error> RadosStream::CheckSize(std::span<const std::string_view> records) const {
  const std::string where = chain_->Where(chain_->HeadName());
  for (const std::string_view record : records) {
    if (record.size() > journal::kMaxRecordBytes) {
      return Error(Reason::kTransactionTooLarge,
                   where + ": a record of " + std::to_string(record.size()) +
                       " bytes; records have at most " + std::to_string(journal::kMaxRecordBytes) +
                       ", write less at once");
    }
  }
  const uint64_t most = std::min(options_.segment_bytes, kMaxObjectBytes);
  if (FrameBytes(records) > most) {
    return Error(Reason::kTransactionTooLarge,
                 where + ": " + std::to_string(records.size()) + " records of " +
                     std::to_string(FrameBytes(records)) +
                     " bytes in all do not fit into a segment of " + std::to_string(most) +
                     " bytes; write less at once");
  }
  return std::nullopt;
}

AppendResult RadosStream::Failed(Error error) const {
  return {.outcome = Outcome::kFailed,
          .tail = last_.tail,
          .epoch = last_.epoch,
          .error = std::move(error)};
}

AppendResult RadosStream::Unknown(const Error& cause) {
  poison_ = Error(Reason::kSyncFailed,
                  chain_->Where(chain_->HeadName()) +
                      ": the stream takes no more appends, as it is unknown whether the last one "
                      "was stored (" +
                      cause.message() + "); open the universe again");
  return {
      .outcome = Outcome::kUnknown, .tail = last_.tail, .epoch = last_.epoch, .error = *poison_};
}

int RadosStream::TryAppend(const Segment& before, const Segment& after, const std::string& frame) {
  return space_->TryWrite(before.name, [&](WriteOperation& operation) {
    operation.Compare("epoch", Digits(before.epoch))
        .Compare("place", before.place())
        .Compare("turn", before.turn)
        .Write(before.length, frame)
        .Set("place", after.place());
  });
}

// kMoved: not stored and never will be; last_ is fresh.
AppendResult RadosStream::Submit(const std::string& frame, Sequence tail) {
  const Segment before = last_;
  Segment after = before;
  after.tail = tail;
  after.length += frame.size();
  const std::string what = "appending to " + chain_->Where(before.name);
  bool in_doubt = false;
  Patience patience(space_->client());
  while (true) {
    const int code = TryAppend(before, after, frame);
    if (code >= 0) {
      last_ = after;
      chain_->Appended(last_);
      return {.tail = tail, .epoch = last_.epoch, .error = {}};
    }
    if (code == -ECANCELED || code == -ENOENT) {
      const Result<bool> applied = in_doubt ? WasApplied(before, frame) : Result<bool>(false);
      const Status fresh = applied.ok() ? Refresh() : Status(applied.error());
      if (!fresh.ok()) {
        return in_doubt ? Unknown(fresh.error()) : Failed(fresh.error());
      }
      if (*applied) {
        return {.tail = tail, .epoch = before.epoch, .error = {}};
      }
      return {.outcome = Outcome::kMoved, .tail = last_.tail, .epoch = last_.epoch, .error = {}};
    }
    in_doubt |= IsTransient(code);
    if (!patience.Again(code)) {
      return in_doubt ? Unknown(ToError(code, what)) : Failed(ToError(code, what));
    }
  }
}

Result<bool> RadosStream::WasApplied(const Segment& before, const std::string& frame) {
  Found found;
  const int code = space_->Read(before.name, before.length, kFrameHeadBytes, found);
  if (code < 0) {
    return ToError(code, "reading back " + chain_->Where(before.name));
  }
  return found.bytes == std::string_view(frame).substr(0, kFrameHeadBytes);
}

Status RadosStream::Persist(Durability) {
  return poison_.has_value() ? Status(*poison_) : Status();
}

// --- Fence ---

Result<Sequence> RadosStream::Fence(Epoch expected_epoch, std::optional<Sequence> expected_tail,
                                    Epoch new_epoch) {
  return RaiseEpoch({.from = expected_epoch, .tail = expected_tail, .to = new_epoch});
}

Result<Sequence> RadosStream::FenceAndAppend(Epoch expected_epoch, Sequence expected_tail,
                                             Epoch new_epoch,
                                             std::span<const std::string_view> records,
                                             uint64_t end) {
  if (std::optional<Error> error = CheckSize(records)) {
    return *std::move(error);
  }
  const bool is_told =
      last_.epoch == expected_epoch && last_.tail < expected_tail && last_.length < end;
  if (is_told) {
    last_.tail = expected_tail;  // the guard sees whether it is so
    last_.length = end;
  } else if (last_.epoch != expected_epoch || last_.tail != expected_tail) {
    TRY(Refresh());  // whether they fit
  }
  const uint64_t most = std::min(options_.segment_bytes, kMaxObjectBytes);
  if (records.empty() || last_.length + FrameBytes(records) > most) {
    return Stream::FenceAndAppend(expected_epoch, expected_tail, new_epoch, records);
  }
  return RaiseEpoch(
      {.from = expected_epoch,
       .tail = expected_tail,
       .to = new_epoch,
       .frame = EncodeFrame(space_->client().NewId(), new_epoch, expected_tail + 1, records),
       .records = records.size()});
}

Result<Sequence> RadosStream::RaiseEpoch(const Raise& raise) {
  if (poison_.has_value()) {
    return *poison_;
  }
  const std::string where = chain_->Where(chain_->HeadName());
  if (raise.to <= raise.from) {
    return Error(Reason::kBadOption, where +
                                         ": a fence raises the epoch: " + std::to_string(raise.to) +
                                         " is not above " + std::to_string(raise.from));
  }
  for (int race = 0; race < kMaxRaces; ++race) {
    const bool differs =
        last_.epoch != raise.from || (raise.tail.has_value() && *raise.tail != last_.tail);
    if (race > 0 || differs) {
      TRY(Refresh());
    }
    if (last_.epoch != raise.from) {
      return Error(Reason::kFenced, where + ": the epoch is " + std::to_string(last_.epoch) +
                                        ", not " + std::to_string(raise.from) +
                                        "; read the tail anew");
    }
    if (raise.tail.has_value() && *raise.tail != last_.tail) {
      return Error(Reason::kFenced, where + ": the tail is " + std::to_string(last_.tail) +
                                        ", not " + std::to_string(*raise.tail) +
                                        "; read the tail anew");
    }
    if (TRY(SetEpoch(raise)) == Step::kDone) {
      return last_.tail;
    }
  }
  return Lost(where, "the fence");
}

// The turn tells our epoch from the same number set by a rival.
Result<RadosStream::Step> RadosStream::SetEpoch(const Raise& raise) {
  const Segment before = last_;
  Segment after = before;
  after.epoch = raise.to;
  after.turn = Hex(space_->client().NewId());
  after.tail += raise.records;
  after.length += raise.frame.size();
  const int code = space_->Write(before.name, [&](WriteOperation& operation) {
    operation.Compare("epoch", Digits(before.epoch));
    if (raise.tail.has_value()) {
      operation.Compare("place", before.place());
    }
    operation.Set("epoch", Digits(after.epoch)).Set("turn", after.turn);
    if (!raise.frame.empty()) {
      operation.Write(before.length, raise.frame).Set("place", after.place());
    }
  });
  if (code < 0 && code != -ECANCELED && code != -ENOENT) {
    return ToError(code, "fencing " + chain_->Where(before.name));
  }
  if (code >= 0 && raise.tail.has_value()) {
    last_ = after;  // all else is as the guard found it
    chain_->Appended(last_);
    return Step::kDone;
  }
  TRY(Refresh());
  // After -ECANCELED, too, an attempt without an answer may have been the one that did it.
  return last_.epoch == after.epoch && (code >= 0 || last_.turn == after.turn) ? Step::kDone
                                                                               : Step::kMoved;
}

// --- Roll, read, release ---

Status RadosStream::Roll() {
  if (poison_.has_value()) {
    return *poison_;
  }
  if (last_.length == 0) {
    return {};
  }
  if (TRY(RollOnce()) == Step::kMoved) {
    return Error(Reason::kFenced, chain_->Where(chain_->HeadName()) +
                                      ": somebody else wrote to the stream; read the tail anew");
  }
  return {};
}

// The next segment is there before the seal names it, so nobody ever has to complete a roll.
Result<RadosStream::Step> RadosStream::RollOnce() {
  const Segment before = last_;
  Segment next{.epoch = before.epoch,
               .first = before.tail + 1,
               .tail = before.tail,
               .turn = Hex(space_->client().NewId())};
  next.name = TRY(MakeSegment(next));
  const int code = space_->Write(before.name, [&](WriteOperation& operation) {
    operation.Compare("epoch", Digits(before.epoch))
        .Compare("place", before.place())
        .Compare("turn", before.turn)
        .Set("epoch", kSealed)
        .Set("next", next.name);
  });
  if (code < 0 && code != -ECANCELED && code != -ENOENT) {
    return ToError(code, "rolling " + chain_->Where(before.name));
  }
  if (code < 0) {
    const std::optional<Segment> found = TRY(chain_->ReadSegment(before.name));
    const bool sealed_by_us = found.has_value() && found->next == next.name;
    if (!sealed_by_us) {
      static_cast<void>(space_->Remove(next.name));  // nobody knows it; only space is lost
      TRY(Refresh());
      return Step::kMoved;
    }
  }
  Segment sealed = before;
  sealed.sealed = true;
  sealed.next = next.name;
  chain_->Rolled(sealed, next);
  last_ = next;
  chain_->Appended(last_);
  return Step::kDone;
}

Result<std::unique_ptr<journal::StreamReader>> RadosStream::Read(Sequence after) {
  Spot spot = TRY(chain_->Locate(after));
  return std::unique_ptr<journal::StreamReader>(
      std::make_unique<RadosReader>(chain_, std::move(spot), after));
}

Status RadosStream::Release(Sequence upto) {
  if (poison_.has_value()) {
    return *poison_;
  }
  for (int race = 0; race < kMaxRaces; ++race) {
    Head head = TRY(chain_->ReadHead()).value_or(Head{.removed = true});
    if (head.removed) {
      return chain_->Missing();
    }
    const Head before = head;
    std::erase_if(head.dropping, [&](const std::string& name) { return dropped_.contains(name); });
    const std::deque<Segment> segments = chain_->segments();
    for (size_t i = 0; i + 1 < segments.size() && segments[i + 1].first - 1 <= upto; ++i) {
      if (segments[i].name == head.segment) {
        head.dropping.push_back(segments[i].name);
        head.segment = segments[i + 1].name;
        head.first = segments[i + 1].first;
      }
    }
    if (head.first != before.first) {
      ++head.version;
      const int code = space_->Write(chain_->HeadName(), [&](WriteOperation& operation) {
        operation.Compare("version", Digits(before.version))
            .WriteAll(EncodeHead(head))
            .Set("version", Digits(head.version));
      });
      if (code == -ECANCELED) {
        continue;  // somebody else's release, or our own that was answered late
      }
      if (code < 0) {
        return ToError(code, "releasing records of " + chain_->Where(chain_->HeadName()));
      }
    }
    chain_->Released(head);
    for (const std::string& name : head.dropping) {
      TRY(space_->Remove(name));
      dropped_.insert(name);
    }
    return {};
  }
  return Lost(chain_->Where(chain_->HeadName()), "the release");
}

}  // namespace luna::rados
