#include "cluster/replica/server_name.h"

#include <algorithm>

namespace luna::replica {

namespace {

constexpr std::string_view kTls = "tls";

// Takes the text up to the next '|' away from `text`, and that.
std::string_view TakePart(std::string_view& text) {
  const std::string_view part = text.substr(0, text.find('|'));
  text.remove_prefix(std::min(part.size() + 1, text.size()));
  return part;
}

}  // namespace

std::string TextOf(const ServerName& name) {
  const std::string tls = name.tls ? "|" + std::string(kTls) : "";
  return name.peers.empty() && tls.empty() ? name.clients : name.clients + "|" + name.peers + tls;
}

ServerName ParseServerName(std::string_view text) {
  const std::string_view clients = TakePart(text);
  const std::string_view peers = TakePart(text);
  return {
      .clients = std::string(clients), .peers = std::string(peers), .tls = TakePart(text) == kTls};
}

}  // namespace luna::replica
