// journal: streams of records, the durable log of everything (Kernel contract K1-K4).
//
// A stream is a dense sequence of records 1, 2, 3, ..., each appended under an epoch. Accepted
// appends form a dense prefix; a refused one is never applied later; an unknown one may have been.
// One appender at a time holds the largest epoch; Fence raises it, and nothing with a smaller epoch
// is accepted afterwards, delayed requests included. Durable (at its level) = visible to readers.
// Thread rule: Journal is safe. A Stream's Append, Persist, Fence, FenceAndAppend, Release and Roll
// are guarded by the caller (one at a time); Read and state() are safe. No stream is closed while
// it is linked.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "luna/options.h"
#include "luna/status.h"

namespace luna::journal {

using Epoch = uint64_t;
using Sequence = uint64_t;  // of a record in a stream; 0 = before the first

inline constexpr uint64_t kMaxRecordBytes = uint64_t{32} << 20;

struct Record {
  Sequence sequence = 0;
  Epoch epoch = 0;
  std::string_view payload;  // valid until the reader's next call
};

// K1's answer. Only kUnknown leaves open whether the batch is in the stream.
struct AppendResult {
  enum class Outcome : uint8_t { kOk, kFenced, kMoved, kUnknown, kFailed };
  Outcome outcome = Outcome::kOk;
  Sequence tail = 0;           // kOk: the new tail; kMoved: the tail found
  Epoch epoch = 0;             // kFenced: the epoch found
  std::optional<Error> error;  // kUnknown, kFailed (definitely not applied: full disk, too large)
};

struct StreamState {
  Epoch epoch = 0;
  Sequence released = 0;  // records up to here are gone
  Sequence tail = 0;      // the last record
  uint64_t retained_bytes = 0;
  // Where the next record goes, in the journal's own measure; 0: it does not say. For
  // FenceAndAppend.
  uint64_t end = 0;
};

// Reads records in order, up to the tail at the time of each call.
class StreamReader {
 public:
  virtual ~StreamReader() = default;
  // The next record, or nothing at the tail. kBadChecksum and kLostData name file and offset.
  virtual Result<std::optional<Record>> Next() = 0;
};

class Stream {
 public:
  virtual ~Stream() = default;
  // K1. Appends `records` as one unit if `epoch` is the stream's (a new one has 1) and
  // `expected_tail` its tail. After kUnknown everything but reading fails with kSyncFailed until
  // the stream is opened anew.
  // Returns when the batch is durable at `durability`.
  virtual AppendResult Append(Epoch epoch, Sequence expected_tail,
                              std::span<const std::string_view> records, Durability durability) = 0;
  // Makes everything appended so far durable at `durability` (raises kRelaxed and kProcess
  // appends). kDiskFull: nothing is lost, try again; kSyncFailed: as after Append's kUnknown.
  virtual Status Persist(Durability durability) = 0;
  // K2. Sets the epoch to `new_epoch` (larger, else kBadOption) if it is `expected_epoch` and, when
  // given, the tail is `expected_tail`; returns the tail. kFenced when epoch or tail differs.
  virtual Result<Sequence> Fence(Epoch expected_epoch, std::optional<Sequence> expected_tail,
                                 Epoch new_epoch) = 0;
  // K2 and K1: a fence at a tail, and `records` appended behind it under the new epoch; returns the
  // tail then. A shared journal does both in one step where they fit into the segment; else they
  // follow each other. kFenced, kBadOption: neither was done. Any other error leaves open what was.
  // `end`: as StreamState's of whoever appended last, which spares a look at the stream; a wrong
  // one does no harm.
  virtual Result<Sequence> FenceAndAppend(Epoch expected_epoch, Sequence expected_tail,
                                          Epoch new_epoch,
                                          std::span<const std::string_view> records,
                                          uint64_t /*end*/ = 0) {
    if (const auto fenced = Fence(expected_epoch, expected_tail, new_epoch); !fenced.ok()) {
      return fenced;
    }
    AppendResult done = Append(new_epoch, expected_tail, records, Durability::kDevice);
    if (done.outcome == AppendResult::Outcome::kOk) {
      return done.tail;
    }
    return done.error.has_value()
               ? *std::move(done.error)
               : Error(Reason::kSyncFailed, "another one fenced the stream right after this one");
  }
  // K3. From the first record after `after`. kLostData if it was released already.
  virtual Result<std::unique_ptr<StreamReader>> Read(Sequence after) = 0;
  // K4. Records up to `upto` are not needed any more; their space may be reused. Idempotent.
  virtual Status Release(Sequence upto) = 0;
  virtual StreamState state() const = 0;
  // Closes the current segment and begins a new one, so that all that came before can be linked.
  virtual Status Roll() = 0;
};

struct StreamOptions {
  uint64_t segment_bytes = uint64_t{64} << 20;  // also bounds a record; zeroed once, then recycled
  // Of a stream that is made by opening it, and is a copy of another: its epoch, and how many
  // records it begins behind, as if they had been released.
  Epoch first_epoch = 1;
  Sequence released = 0;
  bool create = true;  // false: kStreamMissing where there is none
  // Whether opening settles what an earlier user of the same epoch gave up on: from then on it is
  // in the stream or never will be. False leaves that to the first Fence or Append, which is faster
  // where one follows anyway; until then the tail may move.
  bool settle = true;
};

// A stream seen from outside: K3 by anyone. It neither opens nor fences the stream, and whoever
// appends to it does not notice. Guarded by the caller; readers are their own.
class StreamFollower {
 public:
  virtual ~StreamFollower() = default;
  // The stream's state by a read that begins now, so every append and fence that ended before is
  // seen. kStreamMissing.
  virtual Result<StreamState> Look() = 0;
  // As Stream's, after a Look.
  virtual Result<std::unique_ptr<StreamReader>> Read(Sequence after) = 0;
};

class Journal {
 public:
  virtual ~Journal() = default;
  // Makes the stream if it is missing (StreamOptions::create); `name` is [a-z0-9.-]+. Recovers the
  // tail: a torn tail is cut silently, anything else that does not check is kBadChecksum or
  // kLostData. kStreamExists when it is open already; kBadName; kBadOption (segment_bytes: 8 KiB to
  // 1 GiB).
  virtual Result<std::unique_ptr<Stream>> Open(const std::string& name,
                                               const StreamOptions& options) = 0;
  // The stream may be missing, open (here or in another process, where the journal is shared) or
  // closed. kBadName; kNotSupported where nobody needs it.
  virtual Result<std::unique_ptr<StreamFollower>> Follow(const std::string& name) {
    return Error(Reason::kNotSupported, name + ": streams of this journal cannot be followed");
  }
  virtual Result<bool> Exists(const std::string& name) = 0;
  virtual Result<std::vector<std::string>> List() = 0;
  virtual Status Remove(const std::string& name) = 0;  // not while open
  // Checkpoint: rolls nothing; links (or, for unsealed segments, copies up to the tail of the last
  // acknowledged record) every retained segment of the open or closed stream `name` below
  // `directory`, which gets the same layout. A linked segment is never recycled.
  virtual Status Link(const std::string& name, const std::string& directory) = 0;
};

}  // namespace luna::journal
