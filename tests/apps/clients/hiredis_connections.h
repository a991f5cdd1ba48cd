// Connections made with hiredis, whose two interfaces answer the same questions: blocking, and
// asynchronous with an event loop of poll(2).
// Thread rule: each is owned by one thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace luna::clients {

using Words = std::vector<std::string>;

struct Reply {
  int type = 0;  // REDIS_REPLY_...; 0: the connection was lost
  long long integer = 0;
  std::string text;  // of a string, a status, or an error
  std::vector<Reply> elements;
};

class Connection {
 public:
  virtual ~Connection() = default;
  // Sends all the commands, then takes their replies in order.
  virtual std::vector<Reply> Pipeline(const std::vector<Words>& commands) = 0;
  // Connects anew after the connection was lost. False: nobody listens.
  virtual bool Reconnect() = 0;

  Reply Call(const Words& words) { return Pipeline({words}).front(); }
};

// Both are null when nobody listens.
std::unique_ptr<Connection> ConnectBlocking(int port);
std::unique_ptr<Connection> ConnectAsynchronous(int port);

}  // namespace luna::clients
