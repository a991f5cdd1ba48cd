#include "apps/luna/place_shown.h"

#include "apps/luna/command_docs.h"

namespace luna::cli {

void PlaceShown::Saw(const std::vector<std::string>& words, const resp::Reply& reply) {
  const std::string name = UpperCase(words[0]);
  const bool ends = name == "COMMIT" || name == "EXEC" || name == "DISCARD" ||
                    (name == "ROLLBACK" && words.size() == 1);
  if (ends || reply.text.starts_with("NOTXN")) {
    EndTransaction();
  }
  if (reply.failed() || reply.text == "QUEUED") {
    return;
  }
  if (name == "BEGIN") {
    state_ = " (txn)";
  } else if (name == "MULTI") {
    state_ = " (multi)";
  } else if (name == "SELECT" && words.size() == 2) {
    collection_ = words[1];
  } else if (name == "RESET") {
    *this = PlaceShown("default", "0");
  } else if (name == "USE" && words.size() == 3) {
    database_ = words[1];
    collection_ = words[2];
  } else if (name == "USE" && words.size() == 2) {
    const size_t dot = words[1].find('.');
    database_ = words[1].substr(0, dot);
    collection_ = dot == std::string::npos ? "0" : words[1].substr(dot + 1);
  }
}

}  // namespace luna::cli
