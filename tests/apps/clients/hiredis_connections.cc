#include "apps/clients/hiredis_connections.h"

#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <poll.h>

namespace luna::clients {
namespace {

constexpr const char* kHost = "127.0.0.1";

Reply Copy(const redisReply& from) {
  Reply reply{.type = from.type, .integer = from.integer, .text = {}, .elements = {}};
  if (from.str != nullptr) {
    reply.text.assign(from.str, from.len);
  }
  for (size_t i = 0; from.type == REDIS_REPLY_ARRAY && i < from.elements; ++i) {
    reply.elements.push_back(Copy(*from.element[i]));
  }
  return reply;
}

// A command in the form in which hiredis takes words of any bytes.
struct Arguments {
  explicit Arguments(const Words& words) {
    for (const std::string& word : words) {
      starts.push_back(word.data());
      sizes.push_back(word.size());
    }
  }
  int count() const { return static_cast<int>(starts.size()); }

  std::vector<const char*> starts;
  std::vector<size_t> sizes;
};

class Blocking final : public Connection {
 public:
  explicit Blocking(int port) : context_(redisConnect(kHost, port)) {}
  ~Blocking() override { redisFree(context_); }
  Blocking(const Blocking&) = delete;
  Blocking& operator=(const Blocking&) = delete;

  bool connected() const { return context_ != nullptr && context_->err == 0; }

  std::vector<Reply> Pipeline(const std::vector<Words>& commands) override {
    for (const Words& words : commands) {
      Arguments arguments(words);
      redisAppendCommandArgv(context_, arguments.count(), arguments.starts.data(),
                             arguments.sizes.data());
    }
    std::vector<Reply> replies(commands.size());
    for (Reply& reply : replies) {
      void* received = nullptr;
      if (redisGetReply(context_, &received) != REDIS_OK) {
        break;
      }
      reply = Copy(*static_cast<redisReply*>(received));
      freeReplyObject(received);
    }
    return replies;
  }

  bool Reconnect() override { return redisReconnect(context_) == REDIS_OK; }

 private:
  redisContext* context_;
};

// The adapter: hiredis says what it waits for, the loop polls until no reply is awaited.
class Asynchronous final : public Connection {
 public:
  explicit Asynchronous(int port) : port_(port) { Reconnect(); }
  ~Asynchronous() override {
    if (context_ != nullptr) {
      redisAsyncFree(context_);
    }
  }
  Asynchronous(const Asynchronous&) = delete;
  Asynchronous& operator=(const Asynchronous&) = delete;

  std::vector<Reply> Pipeline(const std::vector<Words>& commands) override {
    replies_.clear();
    for (const Words& words : commands) {
      Arguments arguments(words);
      if (context_ != nullptr) {
        redisAsyncCommandArgv(context_, &OnReply, this, arguments.count(), arguments.starts.data(),
                              arguments.sizes.data());
      }
    }
    while (context_ != nullptr && replies_.size() < commands.size()) {
      PollOnce();
    }
    replies_.resize(commands.size());
    return replies_;
  }

  bool Reconnect() override {
    if (context_ != nullptr) {
      redisAsyncFree(context_);
    }
    context_ = redisAsyncConnect(kHost, port_);
    if (context_ == nullptr || context_->err != 0) {
      return false;
    }
    context_->data = this;
    context_->ev.data = this;
    context_->ev.addRead = [](void* self) { Of(self).events_ |= POLLIN; };
    context_->ev.delRead = [](void* self) { Of(self).events_ &= ~POLLIN; };
    context_->ev.addWrite = [](void* self) { Of(self).events_ |= POLLOUT; };
    context_->ev.delWrite = [](void* self) { Of(self).events_ &= ~POLLOUT; };
    context_->ev.cleanup = [](void* self) { Of(self).events_ = 0; };
    redisAsyncSetConnectCallback(context_, [](const redisAsyncContext* context, int status) {
      if (status != REDIS_OK) {
        Of(context->data).context_ = nullptr;  // hiredis frees it
      }
    });
    redisAsyncSetDisconnectCallback(context_, [](const redisAsyncContext* context, int) {
      Of(context->data).context_ = nullptr;  // hiredis frees it
    });
    return Call({"PING"}).text == "PONG";
  }

 private:
  static Asynchronous& Of(void* self) { return *static_cast<Asynchronous*>(self); }

  static void OnReply(redisAsyncContext*, void* received, void* self) {
    Of(self).replies_.push_back(received == nullptr ? Reply{}
                                                    : Copy(*static_cast<redisReply*>(received)));
  }

  void PollOnce() {
    pollfd waited{.fd = context_->c.fd, .events = static_cast<short>(events_), .revents = 0};
    poll(&waited, 1, -1);
    if ((waited.revents & (POLLIN | POLLERR | POLLHUP)) != 0) {
      redisAsyncHandleRead(context_);
    }
    if (context_ != nullptr && (waited.revents & POLLOUT) != 0) {
      redisAsyncHandleWrite(context_);
    }
  }

  int port_;
  int events_ = 0;
  redisAsyncContext* context_ = nullptr;
  std::vector<Reply> replies_;
};

}  // namespace

std::unique_ptr<Connection> ConnectBlocking(int port) {
  auto connection = std::make_unique<Blocking>(port);
  return connection->connected() ? std::move(connection) : nullptr;
}

std::unique_ptr<Connection> ConnectAsynchronous(int port) {
  auto connection = std::make_unique<Asynchronous>(port);
  return connection->Call({"PING"}).text == "PONG" ? std::move(connection) : nullptr;
}

}  // namespace luna::clients
