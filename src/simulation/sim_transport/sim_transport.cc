#include "simulation/sim_transport/sim_transport.h"

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/try.h"
#include "cluster/wire/codec.h"
#include "runtime/network.h"

namespace luna::sim_transport {

namespace {

class SimPort final : public transport::Port {
 public:
  SimPort(SimNet& net, LifeId life, std::string address)
      : net_(net), life_(life), address_(std::move(address)) {}
  ~SimPort() override { net_.Close(life_, address_); }
  const std::string& address() const override { return address_; }

 private:
  SimNet& net_;
  const LifeId life_;
  const std::string address_;
};

std::string Handle(transport::Service& service, const std::string& bytes) {
  const Result<wire::Incoming> incoming = wire::DecodeRequest(bytes);
  return wire::EncodeReply(incoming.ok() ? service.Handle(incoming->request, incoming->budget_nanos)
                                         : Result<wire::Reply>(incoming.error()));
}

class SimTransport final : public transport::Transport {
 public:
  SimTransport(SimNet& net, const std::string& host, runtime::Runtime& runtime)
      : Transport(runtime), net_(net), life_(net.Join(host)) {
    net_.AtEnd(life_, [this] { EndCalls(); });
  }

  ~SimTransport() override {
    closed_ = true;
    EndCalls();
    for (const auto& call : calls_) {
      while (call->thread == nullptr) {
        runtime_.Yield();  // a callback is just beginning it
      }
      call->thread->Join();
    }
    net_.AtEnd(life_, {});
  }

  Result<std::unique_ptr<transport::Port>> Listen(std::string_view address,
                                                  transport::Service& service) override {
    std::string open =
        TRY(net_.Open(life_, std::string(address),
                      [&service](const std::string& bytes) { return Handle(service, bytes); }));
    return std::make_unique<SimPort>(net_, life_, std::move(open));
  }

  void Send(std::string_view address, const wire::Request& request, uint64_t budget_nanos,
            Done done) override {
    const Status begun = Begin(address, request, budget_nanos, done);
    if (!begun.ok()) {
      done(begun.error());
    }
  }

 private:
  // Shared with what is on its way, which may arrive when nobody waits any more.
  struct Answer {
    std::unique_ptr<runtime::Event> came;
    std::optional<Result<wire::Reply>> reply;
    std::string address;
  };
  struct Call {
    std::shared_ptr<Answer> answer;
    std::unique_ptr<runtime::Thread> thread;
    bool ended = false;
  };

  Status Begin(std::string_view address, const wire::Request& request, uint64_t budget_nanos,
               const Done& done) {
    TRY(runtime::ParseAddress(address));
    const std::string bytes = TRY(wire::EncodeRequest(request, budget_nanos));
    if (closed_ || !net_.alive(life_)) {
      return Error(Reason::kShutDown, "this server ends");
    }
    Reap();
    auto answer = std::make_shared<Answer>();
    answer->came = runtime_.NewEvent();
    answer->address = address;
    auto call = std::make_unique<Call>();
    call->answer = answer;
    Call* const self = call.get();
    calls_.push_back(std::move(call));
    net_.Carry(life_, answer->address, bytes,
               [answer](std::optional<std::string> reply) { Arrive(*answer, std::move(reply)); });
    self->thread = runtime_.Spawn("net-call", runtime::ThreadClass::kForeground,
                                  [self, budget_nanos, done] { Await(*self, budget_nanos, done); });
    return {};
  }

  static void Arrive(Answer& answer, std::optional<std::string> reply) {
    if (answer.reply.has_value()) {
      return;
    }
    answer.reply = reply.has_value()
                       ? wire::DecodeReply(*reply)
                       : Error(Reason::kUnreachable, "nobody listens at " + answer.address);
    answer.came->Set();
  }

  static void Await(Call& call, uint64_t budget_nanos, const Done& done) {
    Answer& answer = *call.answer;
    if (!answer.came->WaitFor(budget_nanos) && !answer.reply.has_value()) {
      answer.reply = Error(Reason::kDeadline, "no answer from " + answer.address);
    }
    done(*answer.reply);
    call.ended = true;
  }

  // Waking one lets others run, who begin calls or see the end of some.
  void EndCalls() {
    std::vector<std::shared_ptr<Answer>> answers;
    for (const auto& call : calls_) {
      answers.push_back(call->answer);
    }
    for (const auto& answer : answers) {
      if (!answer->reply.has_value()) {
        answer->reply = Error(Reason::kShutDown, "this server ended");
      }
      answer->came->Set();
    }
  }

  // A Join lets others run, so the calls are taken out first.
  void Reap() {
    std::vector<std::unique_ptr<Call>> ended;
    for (auto& call : calls_) {
      if (call->ended && call->thread != nullptr) {
        ended.push_back(std::move(call));
      }
    }
    std::erase(calls_, nullptr);
    for (const auto& call : ended) {
      call->thread->Join();
    }
  }

  SimNet& net_;
  const LifeId life_;
  std::vector<std::unique_ptr<Call>> calls_;
  bool closed_ = false;
};

}  // namespace

std::unique_ptr<transport::Transport> NewSimTransport(SimNet& net, const std::string& host,
                                                      runtime::Runtime& runtime) {
  return std::make_unique<SimTransport>(net, host, runtime);
}

}  // namespace luna::sim_transport
