// Replies as text: for people as redis-cli shows them, as plain lines, as JSON, as CSV.
// Thread rule: pure functions.
#pragma once

#include <string>

#include "apps/luna/request.h"
#include "service/resp/reply_parser.h"

namespace luna::cli {

// What is printed for a reply, line end included. `look` is not kFitting.
std::string TextOf(const resp::Reply& reply, Look look, bool colours);
// An error reply, for stderr.
std::string ErrorText(const resp::Reply& reply, bool colours);

}  // namespace luna::cli
