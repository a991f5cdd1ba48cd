#include "cluster/board/edits.h"

#include "base/coding.h"
#include "base/text.h"

namespace luna::board {
namespace {

// Numbers of kinds in stored edits; never reused.
enum Kind : uint8_t {
  kTakeBoard = 1,
  kOffer = 2,
  kClaim = 3,
  kBeat = 4,
  kGiveUp = 5,
  kDone = 6,
  kWithdraw = 7,
  kCollect = 8,
};

struct Encoder {
  std::string out;

  void Start(Kind kind) { out.push_back(static_cast<char>(kind)); }
  void Number(uint64_t value) { base::PutVarint(out, value); }
  void Working(Kind kind, JobId job, Run run) {
    Start(kind);
    Number(job);
    base::PutFixed64(out, run);
  }

  void operator()(const TakeBoard& edit) {
    Start(kTakeBoard);
    Number(edit.epoch);
  }
  void operator()(const Offer& edit) {
    Start(kOffer);
    Number(edit.epoch);
    base::PutString(out, edit.payload);
  }
  void operator()(const Claim& edit) {
    Working(kClaim, edit.job, edit.run);
    base::PutString(out, edit.worker);
  }
  void operator()(const Beat& edit) { Working(kBeat, edit.job, edit.run); }
  void operator()(const GiveUp& edit) { Working(kGiveUp, edit.job, edit.run); }
  void operator()(const Done& edit) {
    Working(kDone, edit.job, edit.run);
    base::PutString(out, edit.result);
  }
  void operator()(const Withdraw& edit) {
    Start(kWithdraw);
    Number(edit.job);
  }
  void operator()(const Collect& edit) {
    Start(kCollect);
    Number(edit.job);
  }
};

Claim TakeClaim(base::ByteReader& in) {
  Claim claim;
  claim.job = in.Varint();
  claim.run = in.Fixed64();
  claim.worker = in.String();
  return claim;
}

// Fields are read in the order they are written: braces evaluate left to right.
Result<Edit> Take(uint8_t kind, base::ByteReader& in) {
  switch (kind) {
    case kTakeBoard:
      return Edit(TakeBoard{in.Varint()});
    case kOffer:
      return Edit(Offer{in.Varint(), std::string(in.String())});
    case kClaim:
      return Edit(TakeClaim(in));
    case kBeat:
      return Edit(Beat{in.Varint(), in.Fixed64()});
    case kGiveUp:
      return Edit(GiveUp{in.Varint(), in.Fixed64()});
    case kDone:
      return Edit(Done{in.Varint(), in.Fixed64(), std::string(in.String())});
    case kWithdraw:
      return Edit(Withdraw{in.Varint()});
    case kCollect:
      return Edit(Collect{in.Varint()});
    default:
      return Error(Reason::kNewerFormat,
                   "an edit of the board of jobs has kind " + std::to_string(kind) +
                       ", unknown to this build; run the newer one everywhere");
  }
}

struct Teller {
  static std::string Job(std::string_view what, JobId job) {
    return std::string(what) + " job " + std::to_string(job);
  }
  static std::string Working(std::string_view what, JobId job, Run run) {
    return Job(what, job) + ", run " + std::to_string(run);
  }
  std::string operator()(const TakeBoard& edit) const {
    return "TakeBoard epoch " + std::to_string(edit.epoch);
  }
  std::string operator()(const Offer& edit) const {
    return "Offer by epoch " + std::to_string(edit.epoch) + ", " +
           base::FormatBytes(edit.payload.size());
  }
  std::string operator()(const Claim& edit) const {
    return Job("Claim", edit.job) + " by " + base::Printable(edit.worker) + ", run " +
           std::to_string(edit.run);
  }
  std::string operator()(const Beat& edit) const { return Working("Beat", edit.job, edit.run); }
  std::string operator()(const GiveUp& edit) const { return Working("GiveUp", edit.job, edit.run); }
  std::string operator()(const Done& edit) const {
    return Working("Done", edit.job, edit.run) + ", " + base::FormatBytes(edit.result.size());
  }
  std::string operator()(const Withdraw& edit) const { return Job("Withdraw", edit.job); }
  std::string operator()(const Collect& edit) const { return Job("Collect", edit.job); }
};

}  // namespace

std::string Encode(const Edit& edit) {
  Encoder encoder;
  std::visit(encoder, edit);
  return std::move(encoder.out);
}

Result<Edit> Decode(std::string_view bytes) {
  base::ByteReader reader(bytes);
  const uint8_t kind = reader.Byte();
  Result<Edit> edit = reader.ok() ? Take(kind, reader) : Result<Edit>(Edit());
  if (edit.ok() && (!reader.ok() || !reader.empty())) {
    return Error(Reason::kBadFormat,
                 "an edit of the board of jobs has the wrong length; remove the stream of the "
                 "board while no server runs: nothing but unfinished jobs is in it");
  }
  return edit;
}

std::string ToString(const Edit& edit) {
  return std::visit(Teller(), edit);
}

}  // namespace luna::board
