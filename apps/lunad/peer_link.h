// PeerLink: what a lunad of a group says to the other servers and tells them of itself, by the
// settings peer-*. Without it everything works: servers find out by looking at the stream.
// Thread rule: Start and Stop by one thread; the rest is safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/peers/tablet_member.h"
#include "cluster/tablet_server/tablet_server.h"
#include "luna/status.h"
#include "runtime/runtime.h"
#include "service/command/server_group.h"
#include "service/server/settings.h"

namespace luna::lunad {

class PeerLink {
 public:
  // Null when peer-listen is not set. kNotSupported in a build without LUNA_RPC; kBadOption, naming
  // a file. `group`: equal for the servers of this group only.
  static Result<std::unique_ptr<PeerLink>> Open(runtime::Runtime& runtime,
                                                const server::Settings& settings,
                                                const std::string& group);
  virtual ~PeerLink() = default;

  // `server` outlives Stop. kAddressInUse.
  virtual Status Start(tablet_server::TabletServer& server) = 0;
  virtual void Stop() = 0;
  // An append was acknowledged here (ReplicaOptions::appended); before Start and after Stop, too.
  virtual void Appended() = 0;
  // Reads are answered here, or (nothing) no more: then nothing of what was given is called.
  virtual void Follows(std::optional<peers::FollowedHere> followed) = 0;
  // Has that server catch up, if it can be asked, before the lead is given to it. Does not wait;
  // `then` is called once, within about so many nanoseconds, with why it is not ready, if so; or
  // (after Stop) never.
  virtual void Prepare(const std::string& server, uint64_t nanos,
                       std::function<void(const Status& ready)> then) = 0;
  // Who follows this server and was heard of lately.
  virtual std::vector<command::GroupStanding::Follower> followers() = 0;
  // Asks the leader, for a strong read here. Does not wait; `done` is called once, by any thread,
  // within about so many nanoseconds: kFenced, kUnreachable, kDeadline.
  virtual void ReadIndex(uint64_t nanos,
                         std::function<void(Result<wire::ReadIndexReply>)> done) = 0;
};

}  // namespace luna::lunad
