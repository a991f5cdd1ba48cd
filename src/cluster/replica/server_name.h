// ServerName: how a record of the stream names the server that leads: "HOST:PORT", where it talks
// to clients, and if it listens to other servers, "|HOST:PORT" for that; a third part "tls" says
// that clients are to speak TLS at the first address. Servers of builds from before the second part
// take the whole text for the first, others pass over parts that they do not know.
// Thread rule: pure functions; safe.
#pragma once

#include <string>
#include <string_view>

namespace luna::replica {

struct ServerName {
  std::string clients = {};
  std::string peers = {};  // empty: it does not listen to others
  bool tls = false;        // what is said at `clients` is said in TLS
};

std::string TextOf(const ServerName& name);
// Any text is a name; what stands after a third '|' is for builds to come.
ServerName ParseServerName(std::string_view text);

}  // namespace luna::replica
