#include "kernel/rados/ownership.h"

#include <cerrno>
#include <optional>
#include <utility>

#include "base/try.h"
#include "kernel/rados/stream_format.h"

namespace luna::rados {

namespace {

constexpr uint64_t kBeatNanos = 2'000'000'000;
constexpr uint64_t kSilenceNanos = 10'000'000'000;
constexpr uint64_t kLookNanos = 250'000'000;
constexpr uint64_t kMaxIdentityBytes = 4096;
constexpr int kMaxRaces = 10;
constexpr std::string_view kNobody = "nobody";
constexpr std::string_view kShared = "shared";

struct Owner {
  std::string id;
  uint64_t beat = 0;
  std::string addresses;

  bool operator==(const Owner&) const = default;
};

Error Locked(Space& space, const std::string& addresses) {
  return Error(Reason::kUniverseLocked, space.Where("") + ": the client at " + addresses +
                                            " has the universe open; close it there first");
}

Result<Owner> ReadOwner(Space& space) {
  const std::string object(kUniverseObject);
  Found found;
  if (const int code = space.Read(object, 0, 0, found); code < 0) {
    return ToError(code, "reading " + space.Where(object));
  }
  const std::optional<uint64_t> beat = ParseDigits(found.attributes["beat"]);
  if (!beat.has_value() || found.attributes["owner"].empty()) {
    return Error(Reason::kBadFormat, space.Where(object) +
                                         ": its attributes do not parse; restore the universe from "
                                         "a checkpoint");
  }
  return Owner{
      .id = found.attributes["owner"], .beat = *beat, .addresses = found.attributes["addresses"]};
}

// Returns when the owner has been silent for long enough.
Status WaitForSilence(Space& space, const Owner& owner) {
  runtime::Runtime& runtime = space.client().runtime();
  const uint64_t since = runtime.clock().MonotonicNanos();
  while (runtime.clock().MonotonicNanos() - since < kSilenceNanos) {
    runtime.Sleep(kLookNanos);
    const Owner now = TRY(ReadOwner(space));
    if (now.id == kNobody) {
      return {};
    }
    if (now != owner) {
      return Locked(space, now.addresses);
    }
  }
  return {};
}

}  // namespace

Result<Inhabitant> Look(Space& space) {
  const std::string object(kUniverseObject);
  // What is there without a universe may be one that another process made after the first look.
  for (const bool last : {false, true}) {
    Found found;
    const int code = space.Read(object, 0, kMaxIdentityBytes, found);
    if (code >= 0) {
      return Inhabitant{.exists = true, .empty = false, .identity = std::move(found.bytes)};
    }
    if (code != -ENOENT) {
      return ToError(code, "reading " + space.Where(object));
    }
    const bool empty = TRY(space.List("")).empty();
    if (empty || last) {
      return Inhabitant{.empty = empty};
    }
  }
  return Inhabitant{};
}

Status MakeUniverse(Space& space, const std::string& identity, bool replace) {
  const std::string object(kUniverseObject);
  const int code = space.Write(object, [&](WriteOperation& operation) {
    if (!replace) {
      operation.Create();
    }
    operation.WriteAll(identity)
        .Set("owner", kNobody)
        .Set("beat", Digits(1))
        .Set("addresses", kNobody);
  });
  return code >= 0 || code == -EEXIST ? Status()
                                      : Status(ToError(code, "writing " + space.Where(object)));
}

Result<std::string> BeginUniverse(Space& space) {
  const std::string object(kUniverseObject);
  TRY(MakeUniverse(space, "", /*replace=*/false));
  const Owner before = TRY(ReadOwner(space));
  if (!TRY(Look(space)).identity.empty()) {
    return Error(Reason::kForeignDirectory,
                 space.Where(object) + ": there is a universe since this one was begun");
  }
  const std::string maker = Hex(space.client().NewId());
  const int code = space.Write(object, [&](WriteOperation& operation) {
    operation.Compare("owner", before.id).Compare("beat", Digits(1)).Set("owner", maker);
  });
  // A repeat whose first try was applied finds its own name.
  if (code == -ECANCELED && TRY(ReadOwner(space)).id != maker) {
    return Error(Reason::kBackPressure,
                 space.Where(object) + ": somebody else begins a universe here; try again");
  }
  return code < 0 && code != -ECANCELED
             ? Result<std::string>(ToError(code, "writing " + space.Where(object)))
             : Result<std::string>(maker);
}

Status FinishUniverse(Space& space, const std::string& maker, const std::string& identity) {
  const std::string object(kUniverseObject);
  const int code = space.Write(object, [&](WriteOperation& operation) {
    operation.Compare("owner", maker).WriteAll(identity).Set("owner", kNobody);
  });
  if (code == -ECANCELED && TRY(Look(space)).identity == identity) {
    return {};  // the first try was applied
  }
  if (code == -ECANCELED || code == -ENOENT) {
    return Error(Reason::kBackPressure, space.Where(object) +
                                            ": somebody else began the universe anew meanwhile; "
                                            "this copy is void");
  }
  return code < 0 ? Status(ToError(code, "writing " + space.Where(object))) : Status();
}

Result<std::unique_ptr<Ownership>> Ownership::Take(std::shared_ptr<Space> space, bool shared) {
  const std::string object(kUniverseObject);
  const std::string me = shared ? std::string(kShared) : Hex(space->client().NewId());
  const std::string addresses = TRY(space->client().Addresses());
  for (int race = 0; race < kMaxRaces; ++race) {
    Owner owner = TRY(ReadOwner(*space));
    if (owner.id == me) {
      // Others share it, or an attempt without an answer did it; the one of before was settled
      // then.
      return std::unique_ptr<Ownership>(new Ownership(std::move(space), me, owner.beat));
    }
    if (owner.id != kNobody) {
      TRY(WaitForSilence(*space, owner));
      const Owner now = TRY(ReadOwner(*space));
      if (now.id != kNobody) {
        // Before it is owned by another: who fails between the two leaves it as it was.
        TRY(space->client().Evict(owner.addresses));
      }
      owner = now;
    }
    const int code = space->Write(object, [&](WriteOperation& operation) {
      operation.Compare("owner", owner.id)
          .Compare("beat", Digits(owner.beat))
          .Set("owner", me)
          .Set("beat", Digits(owner.beat + 1))
          .Set("addresses", addresses);
    });
    if (code >= 0) {
      return std::unique_ptr<Ownership>(new Ownership(std::move(space), me, owner.beat + 1));
    }
    if (code != -ECANCELED) {
      return ToError(code, "taking " + space->Where(object));
    }
  }
  return Locked(*space, "another address");
}

Ownership::Ownership(std::shared_ptr<Space> space, std::string owner, uint64_t beat)
    : space_(std::move(space)),
      owner_(std::move(owner)),
      beat_(beat),
      stop_(space_->client().runtime().NewEvent()) {
  thread_ = space_->client().runtime().Spawn("rados-owner", runtime::ThreadClass::kForeground,
                                             [this] { Beat(); });
}

Ownership::~Ownership() {
  stop_->Set();
  thread_->Join();
  if (owner_ == kShared) {
    return;  // who wants it alone waits for silence
  }
  // When this fails the next one to open waits for silence.
  static_cast<void>(space_->TryWrite(std::string(kUniverseObject), [&](WriteOperation& operation) {
    operation.Compare("owner", owner_).Set("owner", kNobody);
  }));
}

void Ownership::Beat() {
  while (!stop_->WaitFor(kBeatNanos)) {
    const int code = space_->TryWrite(std::string(kUniverseObject), [&](WriteOperation& operation) {
      operation.Compare("owner", owner_).Set("beat", Digits(beat_ + 1));
    });
    beat_ += code >= 0 ? 1 : 0;
    if (code == -ECANCELED || code == -ENOENT) {
      space_->client().Disown();  // another one took over while this process was paused
      return;
    }
  }
}

}  // namespace luna::rados
