// PlaceName: which collection a cursor or a count belongs to, for as long as the server runs.
// Thread rule: pure functions.
#pragma once

#include <string>

#include "service/command/session.h"

namespace luna::command {

// Names may be given again after a drop; collection ids are not.
inline std::string PlaceName(const Session& session) {
  return session.database->name() + '\0' + std::to_string(session.collection->id());
}

}  // namespace luna::command
