#include "cluster/replica/server_name.h"

namespace luna::replica {

std::string TextOf(const ServerName& name) {
  return name.peers.empty() ? name.clients : name.clients + "|" + name.peers;
}

ServerName ParseServerName(std::string_view text) {
  const size_t bar = text.find('|');
  if (bar == std::string_view::npos) {
    return {.clients = std::string(text)};
  }
  const std::string_view rest = text.substr(bar + 1);
  return {.clients = std::string(text.substr(0, bar)),
          .peers = std::string(rest.substr(0, rest.find('|')))};
}

}  // namespace luna::replica
