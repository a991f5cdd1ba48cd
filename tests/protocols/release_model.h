// ReleaseModel: how far a stream may be released, of two tablets, two writers and one manifest.
//
// The stream holds commits to tablet 0 or 1, one prepared transaction on tablet 0 and its Finish
// (which names the Prepare and does not repeat its writes), and checkpoints, which alone hold the
// control state (membership, limit). Manifest edits Flush{tablet, from, upto} are judged by
// position; they and releases travel: they may land late, twice or never, also after their sender
// was deposed. One writer leads; the other takes over whenever it likes, by recovery, and the old
// one, which does not know, goes on flushing and releasing what it has in memory. That covers a
// crash at each step. A writer computes a bound from the manifest of that moment: an older one
// gives a smaller bound.
//
// In every state recovery from manifest and retained stream must rebuild what was acknowledged:
// every commit, the finished or undecided transaction, the control state.
// Thread rule: plain values; a model is immutable.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "protocols/explorer.h"

namespace luna::protocols {

enum class ReleaseMutant : uint8_t {
  kNone,
  kBeforeEdit,           // a flush counts once its edit is sent
  kIgnoresCheckpoint,    // the bound leaves out the last checkpoint
  kIgnoresPrepare,       // … the Prepare that no checkpoint carries
  kDoneAtFinish,         // … a Prepare as soon as its Finish is in the stream
  kForgetsCarried,       // a checkpoint need not repeat what the one before carried
  kVoidCountsAsFlushed,  // a void Flush edit raises the flushed position in memory
  kIgnoresColdTablet,    // the bound leaves out a tablet that never flushed, if the other did
  kFlushWithoutFrom,     // a Flush edit is valid whatever was flushed before
  kEmptyTabletPins,      // the bound is min(flushed), also of tablets with nothing to flush
};

struct ReleaseSetting {
  ReleaseMutant mutant = ReleaseMutant::kNone;
  uint8_t records = 5;
  uint8_t edits = 3;
  uint8_t takeovers = 1;
};

inline constexpr int kReleaseRecords = 6;  // at most
inline constexpr int kTablets = 2;

struct ReleaseWriter {
  uint8_t applied = 0;                      // it knows the records [0, applied)
  std::array<uint8_t, kTablets> sent{};     // its flushes went up to here
  std::array<uint8_t, kTablets> claimed{};  // mutant: flushed in its memory only
  uint8_t releasing = 0;                    // a release on its way
};

struct ReleaseState {
  std::array<uint8_t, kReleaseRecords> records{};
  uint8_t tail = 0;
  uint8_t released = 0;                     // the records [0, released) are gone
  std::array<uint8_t, kTablets> flushed{};  // the manifest's
  uint8_t tabled = 0;                       // records in tables, as bits
  std::array<uint8_t, 3> edits{};           // Flush edits that may land (again)
  uint8_t edits_sent = 0;
  uint8_t leader = 0;
  uint8_t takeovers = 0;
  std::array<ReleaseWriter, 2> writers;
};

class ReleaseModel {
 public:
  using State = ReleaseState;

  explicit ReleaseModel(const ReleaseSetting& setting) : setting_(setting) {}
  State Initial() const;
  std::string_view Violation(const State& state) const;
  // Nothing before the last checkpoint is kept; or what it takes is beyond the model's bounds: a
  // flush more, a checkpoint more.
  bool Good(const State& state) const;
  void Next(const State& state, Steps<State>& steps) const;

 private:
  struct Bound {
    int upto;
    std::string_view label;  // what holds it back
  };

  bool Is(ReleaseMutant mutant) const { return setting_.mutant == mutant; }
  void Append(const State& state, Steps<State>& steps) const;
  void AppendCheckpoint(const State& state, Steps<State>& steps) const;
  void TakeOver(const State& state, Steps<State>& steps) const;
  void SendFlush(const State& state, int writer, int tablet, Steps<State>& steps) const;
  void LandEdit(const State& state, int slot, Steps<State>& steps) const;
  void Release(const State& state, int writer, Steps<State>& steps) const;
  Bound BoundOf(const State& state, const ReleaseWriter& writer) const;

  ReleaseSetting setting_;
};

// Visits every state of the model.
Report Check(const ReleaseSetting& setting);

}  // namespace luna::protocols
