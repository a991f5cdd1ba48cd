#include "service/server/reloads.h"

namespace luna::server {

bool Reloads::Run(base::Log log) const {
  bool all_done = true;
  for (const One& one : all_) {
    const Status reloaded = one.reload();
    if (reloaded.ok()) {
      log.Info("reloaded", {{"what", one.what}});
    } else {
      log.Error("reload-failed", {{"what", one.what}, {"error", reloaded.error().message()}});
      all_done = false;
    }
  }
  return all_done;
}

}  // namespace luna::server
