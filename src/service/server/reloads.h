// Reloads: what is to be read again when the operator asks for it (SIGHUP): the log's file,
// certificates, users.
// Thread rule: owned by one thread.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "luna/status.h"

namespace luna::server {

class Reloads {
 public:
  // `reload` keeps what there was when it fails. `what` names it in the log.
  void Add(std::string what, std::function<Status()> reload) {
    all_.push_back({std::move(what), std::move(reload)});
  }
  // Runs all, in the order in which they were added, and tells of each. False: one failed.
  bool Run(base::Log log) const;

 private:
  struct One {
    std::string what;
    std::function<Status()> reload;
  };
  std::vector<One> all_;
};

}  // namespace luna::server
