#include "protocols/steward_model.h"

#include <algorithm>

namespace luna::protocols {
namespace {

constexpr int kLeaseTicks = 2;
constexpr int kUploads = 2;
enum Object : uint8_t { kIn, kOut1, kOut2, kOld, kFresh };
enum Phase : uint8_t { kIdle, kSent, kGranted, kRefused };

uint8_t Bit(int object) {
  return Byte(1 << object);
}
bool Has(uint8_t objects, int object) {
  return (objects >> object & 1) != 0;
}
uint8_t Current(const StewardState& state) {
  return state.referenced[state.version];
}

// The version since which nothing refers to the object; readers at older ones need it.
int UnreferencedSince(const StewardState& state, int object) {
  int version = state.version;
  while (version >= 0 && !Has(state.referenced[version], object)) --version;
  return version + 1;
}

void Refer(StewardState& state, uint8_t objects) {
  state.referenced[state.version + 1] = objects;
  ++state.version;
}

char Name(int steward) {
  return Byte('1' + steward) & 0x7f;
}

}  // namespace

StewardState StewardModel::Initial() const {
  StewardState state;
  state.referenced[0] = state.present = Bit(kIn);
  state.jobs[0] = Job::kOpen;
  state.stewards[0].authority = kLeaseTicks;
  if (!setting_.makers) {
    state.present |= Bit(kOut1);
    state.uploads[kOut1] = kUploads;
  }
  return state;
}

std::string_view StewardModel::Violation(const StewardState& state) const {
  if ((Current(state) & ~state.present) != 0) return "an object that is referenced was removed";
  for (const StewardReader& reader : state.readers) {
    if (reader.lease == 0) continue;
    for (int version = reader.position; version <= state.version; ++version) {
      if ((state.referenced[version] & ~state.present) != 0) {
        return "a reader with a lease misses an object";
      }
    }
  }
  return "";
}

bool StewardModel::Good(const StewardState& state) const {
  return state.present == Current(state);
}

void StewardModel::Next(const StewardState& state, Steps<StewardState>& steps) const {
  if (setting_.readers > 0) Tick(state, steps);
  if (setting_.makers) {
    Upload(state, steps);
    ScheduleJobs(state, steps);
    LandJobCommit(state, 1, steps);
    LandFlush(state, kOld, steps);
    LandFlush(state, kFresh, steps);
  }
  LandJobCommit(state, 0, steps);
  for (int reader = 0; reader < setting_.readers; ++reader) Ask(state, reader, steps);
  AnswerRequest(state, steps);
  Elect(state, steps);
  for (int steward = 0; steward < kStewards; ++steward) {
    LookWhoIsCurrent(state, steward, steps);
    DecideDelete(state, steward, steps);
    LandDelete(state, steward, steps);
  }
  Remove(state, steps);
}

void StewardModel::Tick(const StewardState& state, Steps<StewardState>& steps) const {
  StewardState next = state;
  const auto tick = [](uint8_t& left) { left = Byte(std::max(left - 1, 0)); };
  tick(next.wait);
  tick(next.request.left);
  for (StewardReader& reader : next.readers) {
    tick(reader.lease);
    if (reader.lease == 0 && next.request.phase == kIdle) reader.position = 0;
  }
  for (Steward& steward : next.stewards) {
    tick(steward.authority);
    for (Registration& lease : steward.leases) {
      tick(lease.left);
      if (lease.left == 0) lease.position = 0;
    }
  }
  steps.Add('-', "time passes", next);
}

int StewardModel::OutputOf(int job) const {
  return job == 0 || Is(StewardMutant::kReusesName) ? kOut1 : kOut2;
}

// Executors and leaders upload before their edit, and perhaps once more, late. A name that is there
// is left alone.
void StewardModel::Upload(const StewardState& state, Steps<StewardState>& steps) const {
  for (const int maker : {kOut1, kOut2, kOld, kFresh}) {
    if (state.uploads[maker] == kUploads) continue;
    if (maker == kOut2 && state.jobs[1] == Job::kNone) continue;
    const int object = maker == kOut2 ? OutputOf(1) : maker;
    if (Has(state.present, object) && state.uploads[maker] > 0) continue;
    StewardState next = state;
    ++next.uploads[maker];
    next.present |= Bit(object);
    const bool again = Has(state.deleted, object) && !Has(state.present, object);
    steps.Add('m', again ? "an upload comes after its removal" : "an object is uploaded", next);
  }
}

void StewardModel::ScheduleJobs(const StewardState& state, Steps<StewardState>& steps) const {
  for (int job = 0; job < 2; ++job) {
    if (state.jobs[job] != Job::kOpen) continue;
    StewardState next = state;
    next.jobs[job] = Job::kAborted;
    steps.Add('s', "a job is aborted", next);
  }
  if (state.jobs[0] == Job::kAborted && state.jobs[1] == Job::kNone) {
    StewardState next = state;
    next.jobs[1] = Job::kOpen;
    steps.Add('s', "the next job starts", next);
  }
}

void StewardModel::LandJobCommit(const StewardState& state, int job,
                                 Steps<StewardState>& steps) const {
  const int output = OutputOf(job);
  if (state.uploads[job == 0 ? kOut1 : kOut2] == 0 || state.jobs[job] == Job::kNone) return;
  const bool late = state.jobs[job] == Job::kAborted && Is(StewardMutant::kCommitAfterAbort);
  StewardState next = state;
  if ((state.jobs[job] == Job::kOpen || late) && Has(Current(state), kIn)) {
    next.jobs[job] = Job::kCommitted;
    Refer(next, Byte((Current(state) & ~Bit(kIn)) | Bit(output)));
    steps.Add('e', "a job commits", next);
  } else {
    steps.Add('e',
              state.jobs[job] == Job::kAborted ? "a late commit of an aborted job is void"
                                               : "a second commit of a job is void",
              next);
  }
}

void StewardModel::LandFlush(const StewardState& state, int object,
                             Steps<StewardState>& steps) const {
  if (state.uploads[object] == 0) return;
  StewardState next = state;
  if (state.flushed == 0) {
    next.flushed = 1;
    Refer(next, Byte(Current(state) | Bit(object)));
    steps.Add('l', object == kOld ? "a deposed leader's flush is valid" : "a flush is valid", next);
  } else {
    steps.Add('l', object == kOld ? "a deposed leader's flush is void" : "a flush is void", next);
  }
}

// A reader without a lease forgot what it used; it may ask for any position it once read.
void StewardModel::Ask(const StewardState& state, int reader, Steps<StewardState>& steps) const {
  if (state.request.phase != kIdle) return;
  const StewardReader& asker = state.readers[reader];
  for (int steward = 0; steward <= state.current; ++steward) {
    const int oldest = asker.lease > 0 ? asker.position : 0;
    for (int position = oldest; position <= state.version; ++position) {
      StewardState next = state;
      next.readers[reader].position = Byte(position);  // it uses nothing older from now on
      next.request = {kSent, Byte(reader), Byte(steward), kLeaseTicks};
      steps.Add(Name(steward), "a reader asks for a lease", next);
    }
  }
}

void StewardModel::AnswerRequest(const StewardState& state, Steps<StewardState>& steps) const {
  const LeaseRequest& request = state.request;
  if (request.phase == kIdle) return;
  StewardState next = state;
  StewardReader& reader = next.readers[request.reader];
  Steward& steward = next.stewards[request.steward];
  if (request.phase == kSent && (steward.authority > 0 || Is(StewardMutant::kGrantsForever))) {
    const bool grants = reader.position >= steward.floor || Is(StewardMutant::kGrantsBelowDeletes);
    if (grants) steward.leases[request.reader] = {reader.position, kLeaseTicks};
    next.request.phase = grants ? kGranted : kRefused;
    const bool deposed = request.steward != state.current;
    steps.Add(Name(request.steward),
              !grants   ? "a lease is refused: its objects may be gone"
              : deposed ? "a deposed steward grants a lease"
                        : "a lease is granted",
              next);
  } else if (request.phase == kGranted) {
    const bool from_reply = Is(StewardMutant::kLeaseFromReply);
    reader.lease = from_reply ? kLeaseTicks : std::max(reader.lease, request.left);
    next.request = {};
    steps.Add('r', "a reader hears of its lease", next);
  } else if (request.phase == kRefused) {
    reader = {};
    next.request = {};
    steps.Add('r', "a reader is too old: SnapshotTooOld", next);
  }
  // No answer: the reader gives up, and keeps the lease it has.
  next = state;
  if (state.readers[request.reader].lease == 0) next.readers[request.reader].position = 0;
  next.request = {};
  steps.Add('r', "a reader hears nothing", next);
}

void StewardModel::Elect(const StewardState& state, Steps<StewardState>& steps) const {
  if (state.current == 1) return;
  StewardState next = state;
  next.current = 1;
  next.wait = Is(StewardMutant::kNoWait)          ? 0
              : Is(StewardMutant::kWaitsOneLease) ? kLeaseTicks
                                                  : 2 * kLeaseTicks;
  if (setting_.readers == 0) next.wait = 0;  // no time passes then
  Steward& steward = next.stewards[1];
  steward.authority = kLeaseTicks;
  for (int object = 0; object < kObjects; ++object) {
    if (!Has(state.deleted, object) || Is(StewardMutant::kForgetsOldDeletes)) continue;
    steward.floor = Byte(std::max<int>(steward.floor, UnreferencedSince(state, object)));
  }
  steps.Add('2', "a new steward is elected", next);
}

void StewardModel::LookWhoIsCurrent(const StewardState& state, int steward,
                                    Steps<StewardState>& steps) const {
  if (state.current != steward || state.stewards[steward].authority == kLeaseTicks) return;
  StewardState next = state;
  next.stewards[steward].authority = kLeaseTicks;
  steps.Add(Name(steward), "a steward sees that it is current", next);
}

// Decided by edits: the job that made it is over, or its flush can no longer be valid.
bool StewardModel::CanNeverBeReferenced(const StewardState& state, int object) const {
  if (Is(StewardMutant::kOrphanByAge)) return true;
  const auto over = [](Job job) { return job == Job::kCommitted || job == Job::kAborted; };
  if (object == kOut1) return over(state.jobs[0]);
  if (object == kOut2) return over(state.jobs[1]);
  return object == kIn || state.flushed == 1;
}

bool StewardModel::MayDelete(const StewardState& state, int steward, int object) const {
  if (Has(Current(state), object) || !Has(state.present, object)) return false;
  const int since = UnreferencedSince(state, object);
  if (since == 0 && Is(StewardMutant::kKeepsOrphans)) return false;
  if (since == 0 && !CanNeverBeReferenced(state, object)) return false;
  if (Is(StewardMutant::kIgnoresLeases)) return true;
  return std::ranges::all_of(state.stewards[steward].leases, [&](const Registration& lease) {
    return lease.left == 0 || lease.position >= since;
  });
}

void StewardModel::DecideDelete(const StewardState& state, int steward,
                                Steps<StewardState>& steps) const {
  if (steward > state.current || (steward == 1 && state.wait > 0)) return;
  for (int object = 0; object < kObjects; ++object) {
    const bool known = Has(state.deleted | state.stewards[steward].deleting, object);
    if (known || !MayDelete(state, steward, object)) continue;
    StewardState next = state;
    Steward& after = next.stewards[steward];
    const int since = UnreferencedSince(state, object);
    after.deleting |= Bit(object);
    after.floor = Byte(std::max<int>(after.floor, since));
    steps.Add(Name(steward),
              since > 0 ? "a steward deletes a table" : "a steward deletes an orphan", next);
  }
}

void StewardModel::LandDelete(const StewardState& state, int steward,
                              Steps<StewardState>& steps) const {
  const uint8_t objects = state.stewards[steward].deleting;
  for (int object = 0; object < kObjects; ++object) {
    if (!Has(objects, object)) continue;
    StewardState next = state;
    next.stewards[steward].deleting &= Byte(~Bit(object));
    const bool current = state.current == steward || Is(StewardMutant::kDeleteIgnoresSteward);
    if (current && !Has(Current(state), object)) {
      next.deleted |= Bit(object);
      steps.Add(Name(steward), "a Delete edit is valid", next);
    } else {
      steps.Add(Name(steward),
                current ? "a Delete edit is void: referenced"
                        : "a Delete edit is void: of a deposed steward",
                next);
    }
  }
}

// The physical delete: late, twice, by whoever remembers a valid Delete edit.
void StewardModel::Remove(const StewardState& state, Steps<StewardState>& steps) const {
  uint8_t removable = state.deleted;
  if (Is(StewardMutant::kRemovesBeforeEdit)) {
    for (const Steward& steward : state.stewards) removable |= steward.deleting;
  }
  for (int object = 0; object < kObjects; ++object) {
    if (!Has(removable & state.present, object)) continue;
    StewardState next = state;
    next.present &= Byte(~Bit(object));
    steps.Add('-', "an object is removed", next);
  }
}

Report Check(const StewardSetting& setting) {
  return Explore(StewardModel(setting));
}

}  // namespace luna::protocols
