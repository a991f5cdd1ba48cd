#include "protocols/release_model.h"

#include <algorithm>

namespace luna::protocols {
namespace {

enum Record : uint8_t { kCommit0, kCommit1, kPrepare, kFinish, kCheckpoint };
// A checkpoint's byte: the kind, and whether it carries the prepared transaction.
constexpr uint8_t kCarries = 0x10;

uint8_t KindOf(uint8_t record) {
  return record & 0x0f;
}

// The tablet whose tables will hold what the record wrote, or -1.
int TabletOf(uint8_t record) {
  if (record == kCommit0 || record == kFinish) return 0;
  return record == kCommit1 ? 1 : -1;
}

// The last record of a kind among the first `upto`, or -1.
int Last(const ReleaseState& state, uint8_t kind, int upto) {
  for (int at = upto - 1; at >= 0; --at) {
    if (KindOf(state.records[at]) == kind) return at;
  }
  return -1;
}

// Whether recovery at this flushed position must know the prepared transaction's writes: it is
// undecided, or its Finish is to be replayed.
bool NeedsPrepare(const ReleaseState& state, int upto, int flushed) {
  const int finish = Last(state, kFinish, upto);
  return Last(state, kPrepare, upto) >= 0 && (finish < 0 || finish >= flushed);
}

bool Carries(const ReleaseState& state, int checkpoint) {
  return checkpoint >= 0 && (state.records[checkpoint] & kCarries) != 0;
}

constexpr uint8_t kSpent = 255;  // an edit that landed and can never be valid again

// A Flush edit in a byte; 0 is none, because upto > 0.
uint8_t Edit(int tablet, int from, int upto) {
  return Byte(tablet << 6 | from << 3 | upto);
}
int EditTablet(uint8_t edit) {
  return edit >> 6;
}
int EditFrom(uint8_t edit) {
  return edit >> 3 & 7;
}
int EditUpto(uint8_t edit) {
  return edit & 7;
}

char Name(int writer) {
  return Byte('A' + writer) & 0x7f;
}

}  // namespace

ReleaseState ReleaseModel::Initial() const {
  ReleaseState state;
  state.records[0] = kCheckpoint;
  state.tail = 1;
  state.writers[0].applied = 1;
  return state;
}

std::string_view ReleaseModel::Violation(const ReleaseState& state) const {
  for (int at = 0; at < state.tail; ++at) {
    const int tablet = TabletOf(state.records[at]);
    if (tablet < 0 || (state.tabled >> at & 1) != 0) continue;
    if (at < state.flushed[tablet]) return "recovery skips a commit that no table holds";
    if (at < state.released) return "a commit is neither in a table nor in the stream";
  }
  const int checkpoint = Last(state, kCheckpoint, state.tail);
  if (checkpoint < state.released) return "recovery finds no checkpoint: no control state";
  const int prepare = Last(state, kPrepare, state.tail);
  if (NeedsPrepare(state, state.tail, state.flushed[0]) && prepare < state.released &&
      !Carries(state, checkpoint)) {
    return "recovery does not know the writes of a prepared transaction";
  }
  return "";
}

bool ReleaseModel::Good(const ReleaseState& state) const {
  const int last = Last(state, kCheckpoint, state.tail);
  if (state.released == last) return true;
  bool unflushed = false;
  for (int at = 0; at < last; ++at) {
    const int tablet = TabletOf(state.records[at]);
    unflushed = unflushed || (tablet >= 0 && at >= state.flushed[tablet]);
  }
  if (unflushed && state.edits_sent == setting_.edits) return true;
  const bool pinned = NeedsPrepare(state, state.tail, state.flushed[0]) && !Carries(state, last);
  return pinned && state.tail == setting_.records;
}

void ReleaseModel::Next(const ReleaseState& state, Steps<ReleaseState>& steps) const {
  Append(state, steps);
  AppendCheckpoint(state, steps);
  TakeOver(state, steps);
  for (int writer = 0; writer < 2; ++writer) {
    for (int tablet = 0; tablet < kTablets; ++tablet) SendFlush(state, writer, tablet, steps);
    Release(state, writer, steps);
  }
  for (int slot = 0; slot < state.edits_sent; ++slot) LandEdit(state, slot, steps);
}

// Only the leader appends: the fence sees to that (LeaseModel). An append is applied with its ack.
void ReleaseModel::Append(const ReleaseState& state, Steps<ReleaseState>& steps) const {
  if (state.tail == setting_.records) return;
  const auto append = [&](uint8_t record, std::string_view label) {
    ReleaseState next = state;
    next.records[next.tail++] = record;
    next.writers[next.leader].applied = next.tail;
    steps.Add(Name(state.leader), label, next);
  };
  append(kCommit0, "a commit to tablet 0");
  if (Last(state, kCommit1, state.tail) < 0) append(kCommit1, "a commit to tablet 1");
  const bool prepared = Last(state, kPrepare, state.tail) >= 0;
  if (!prepared) append(kPrepare, "a transaction prepares on tablet 0");
  if (prepared && Last(state, kFinish, state.tail) < 0) append(kFinish, "it finishes");
}

void ReleaseModel::AppendCheckpoint(const ReleaseState& state, Steps<ReleaseState>& steps) const {
  const int last = Last(state, kCheckpoint, state.tail);
  if (state.tail == setting_.records || last == state.tail - 1) return;
  bool needed = NeedsPrepare(state, state.tail, state.flushed[0]);
  if (Is(ReleaseMutant::kDoneAtFinish) && Last(state, kFinish, state.tail) >= 0) needed = false;
  const bool must = needed && Carries(state, last) && !Is(ReleaseMutant::kForgetsCarried);
  for (const bool carries : {false, true}) {
    if (carries ? !needed : must) continue;
    ReleaseState next = state;
    next.records[next.tail++] = Byte(kCheckpoint | (carries ? kCarries : 0));
    next.writers[next.leader].applied = next.tail;
    steps.Add(Name(state.leader),
              carries ? "a checkpoint carries the prepared transaction" : "a checkpoint", next);
  }
}

// Recovery, after which the new leader's memory holds what the invariant promises.
void ReleaseModel::TakeOver(const ReleaseState& state, Steps<ReleaseState>& steps) const {
  if (state.takeovers == setting_.takeovers) return;
  ReleaseState next = state;
  ++next.takeovers;
  next.leader = Byte(1 - state.leader);
  ReleaseWriter& writer = next.writers[next.leader];
  const uint8_t releasing = writer.releasing;  // of its last life, still on its way
  writer = {};
  writer.applied = state.tail;
  writer.sent = state.flushed;
  writer.releasing = releasing;
  steps.Add(Name(next.leader), "the other writer takes over", next);
}

// Several flushes of a tablet may be on their way: each begins where the one before ended.
void ReleaseModel::SendFlush(const ReleaseState& state, int writer, int tablet,
                             Steps<ReleaseState>& steps) const {
  const ReleaseWriter& sender = state.writers[writer];
  bool holds = false;
  for (int at = sender.sent[tablet]; at < sender.applied; ++at) {
    holds = holds || TabletOf(state.records[at]) == tablet;
  }
  if (!holds) return;
  const uint8_t edit = Edit(tablet, sender.sent[tablet], sender.applied);
  ReleaseState next = state;
  if (std::ranges::find(state.edits, edit) == state.edits.end()) {
    if (state.edits_sent == setting_.edits) return;
    next.edits[next.edits_sent++] = edit;
    std::sort(next.edits.begin(), next.edits.begin() + next.edits_sent);
  }
  next.writers[writer].sent[tablet] = sender.applied;
  steps.Add(Name(writer),
            writer == state.leader ? "a flush edit is sent" : "a deposed leader sends a flush edit",
            next);
}

// Judged by position. A writer learns that its last edit is void and flushes from there again.
void ReleaseModel::LandEdit(const ReleaseState& state, int slot, Steps<ReleaseState>& steps) const {
  const uint8_t edit = state.edits[slot];
  if (edit == kSpent) return;
  const int tablet = EditTablet(edit);
  const bool valid =
      state.flushed[tablet] == EditFrom(edit) || Is(ReleaseMutant::kFlushWithoutFrom);
  ReleaseState next = state;
  if (valid) {
    next.flushed[tablet] = Byte(EditUpto(edit));
    for (int at = EditFrom(edit); at < EditUpto(edit); ++at) {
      if (TabletOf(state.records[at]) == tablet) next.tabled |= Byte(1 << at);
    }
  }
  for (ReleaseWriter& writer : next.writers) {
    if (valid || writer.sent[tablet] != EditUpto(edit)) continue;
    if (Is(ReleaseMutant::kVoidCountsAsFlushed)) {
      writer.claimed[tablet] = std::max(writer.claimed[tablet], Byte(EditUpto(edit)));
    } else {
      writer.sent[tablet] = state.flushed[tablet];
    }
  }
  if (EditFrom(edit) < next.flushed[tablet] && !Is(ReleaseMutant::kFlushWithoutFrom)) {
    next.edits[slot] = kSpent;
    std::sort(next.edits.begin(), next.edits.begin() + next.edits_sent);
  }
  steps.Add('m', valid ? "a flush edit is valid" : "a flush edit is void", next);
}

void ReleaseModel::Release(const ReleaseState& state, int writer,
                           Steps<ReleaseState>& steps) const {
  const ReleaseWriter& sender = state.writers[writer];
  const Bound bound = BoundOf(state, sender);
  ReleaseState next = state;
  if (bound.upto > state.released && bound.upto > sender.releasing) {
    next.writers[writer].releasing = Byte(bound.upto);
    steps.Add(Name(writer), bound.label, next);
    next = state;
  }
  if (sender.releasing == 0) return;
  const bool old = sender.releasing <= state.released;
  if (!old) next.released = sender.releasing;
  next.writers[writer].releasing = 0;
  steps.Add(Name(writer), old ? "a late release changes nothing" : "the stream is released", next);
}

// min over tablets of the first record that no table holds, the last checkpoint, and the Prepare
// that the last checkpoint does not carry. A deposed leader knows fewer records than there are; so
// its bound is smaller, never larger.
ReleaseModel::Bound ReleaseModel::BoundOf(const ReleaseState& state,
                                          const ReleaseWriter& writer) const {
  Bound bound = {writer.applied, "a release of everything"};
  const auto hold = [&](int at, std::string_view label) {
    if (at >= 0 && at < bound.upto) bound = {at, label};
  };
  auto flushed = state.flushed;
  for (int tablet = 0; tablet < kTablets; ++tablet) {
    flushed[tablet] =
        std::max(flushed[tablet],
                 Is(ReleaseMutant::kBeforeEdit) ? writer.sent[tablet] : writer.claimed[tablet]);
  }
  for (int at = writer.applied - 1; at >= 0; --at) {
    const int tablet = TabletOf(state.records[at]);
    if (tablet < 0 || at < flushed[tablet]) continue;
    const bool cold = flushed[tablet] == 0 && flushed[1 - tablet] > 0;
    if (cold && Is(ReleaseMutant::kIgnoresColdTablet)) continue;
    hold(at, "a release is held back by an unflushed record");
  }
  if (Is(ReleaseMutant::kEmptyTabletPins)) {
    for (const int upto : flushed) hold(upto, "a release is held back by a tablet");
  }
  const int checkpoint = Last(state, kCheckpoint, writer.applied);
  if (!Is(ReleaseMutant::kIgnoresCheckpoint)) {
    hold(checkpoint, "a release is held back by the last checkpoint");
  }
  bool needed = NeedsPrepare(state, writer.applied, flushed[0]) && !Carries(state, checkpoint);
  if (Is(ReleaseMutant::kDoneAtFinish) && Last(state, kFinish, writer.applied) >= 0) needed = false;
  if (needed && !Is(ReleaseMutant::kIgnoresPrepare)) {
    hold(Last(state, kPrepare, writer.applied), "a release is held back by a prepare");
  }
  return bound;
}

Report Check(const ReleaseSetting& setting) {
  return Explore(ReleaseModel(setting));
}

}  // namespace luna::protocols
