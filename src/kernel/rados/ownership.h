// Ownership of a universe in RADOS: the object `universe`, which says that a namespace is one, and
// which client has it open.
//   bytes      the identity of the universe; none while it is being made
//   owner      32 hex digits, one opening; "nobody" when it was closed in order; "shared": any
//              number of clients that share it
//   beat       20 digits, raised every 2 s by the owner, or by each that shares
//   addresses  the owner's, as the cluster knows it; of those that share, the first one's
// Without a clock in common: who wants a universe watches the beat. If it is raised, the universe
// is in use; if it is not for 10 s by the watcher's own clock, the watcher becomes the owner and
// has the cluster evict the client of before, whose late operations then come to nothing, too.
// Those that share are not told apart: what they write late is void by the epochs of the streams
// and manifests, which whoever comes next raises.
// Thread rule: safe.
#pragma once

#include <memory>
#include <string>

#include "base/mutex.h"
#include "kernel/rados/space.h"
#include "luna/status.h"
#include "runtime/runtime.h"

namespace luna::rados {

inline constexpr std::string_view kUniverseObject = "universe";

// What is in a namespace.
struct Inhabitant {
  bool exists = false;     // the object `universe` does
  bool empty = true;       // nothing at all is there
  std::string identity{};  // its bytes; none: a universe or checkpoint in the making
};
// kForeignDirectory when there are objects, but not `universe`, is the caller's to say.
Result<Inhabitant> Look(Space& space);

class Ownership {
 public:
  // Takes the universe, which exists; `shared` with all others that do. kUniverseLocked; kReadOnly
  // when the client of before cannot be evicted.
  static Result<std::unique_ptr<Ownership>> Take(std::shared_ptr<Space> space, bool shared = false);
  // Gives it back, unless others may share it.
  ~Ownership();
  Ownership(const Ownership&) = delete;
  Ownership& operator=(const Ownership&) = delete;

 private:
  Ownership(std::shared_ptr<Space> space, std::string owner, uint64_t beat);
  void Beat();

  const std::shared_ptr<Space> space_;
  const std::string owner_;
  uint64_t beat_;
  const std::unique_ptr<runtime::Event> stop_;
  std::unique_ptr<runtime::Thread> thread_;
};

// Makes the object `universe` as one in the making, unless there is one that is finished
// (kForeignDirectory), and gives the name under which FinishUniverse must finish it: kBackPressure
// once somebody else began it anew.
Result<std::string> BeginUniverse(Space& space);
Status FinishUniverse(Space& space, const std::string& maker, const std::string& identity);

// Makes the object `universe`: as one in the making when `identity` is empty. Nothing happens when
// it is there already, unless `replace`.
Status MakeUniverse(Space& space, const std::string& identity, bool replace);

}  // namespace luna::rados
