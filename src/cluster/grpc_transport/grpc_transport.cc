#include "cluster/grpc_transport/grpc_transport.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "base/mutex.h"
#include "base/try.h"
#include "cluster/grpc_transport/grpc.h"
#include "cluster/grpc_transport/grpc_port.h"
#include "cluster/wire/codec.h"
#include "runtime/network.h"
#include "runtime/tls/context.h"

namespace luna::grpc_transport {

namespace {

// Connections kept; a group has fewer members than that.
constexpr size_t kChannelsMax = 64;

struct Credentials {
  bool tls = false;
  std::shared_ptr<grpc::ChannelCredentials> client{};
  std::shared_ptr<grpc::ServerCredentials> server{};
};

Result<Credentials> PlainCredentials() {
  return Credentials{.client = grpc::InsecureChannelCredentials(),
                     .server = grpc::InsecureServerCredentials()};
}

Result<Credentials> TlsCredentials(runtime::Runtime& runtime, const GrpcSettings& settings) {
  // gRPC does not say what is wrong with a file; this does.
  TRY(tls::Context::ForServer(runtime, {.certificate_file = settings.certificate_file,
                                        .key_file = settings.key_file,
                                        .ca_file = settings.ca_file,
                                        .client_auth = tls::ClientAuth::kRequired}));
  runtime::FileSystem& files = runtime.files();
  const std::string ca = TRY(runtime::ReadFile(files, settings.ca_file));
  const std::string certificate = TRY(runtime::ReadFile(files, settings.certificate_file));
  const std::string key = TRY(runtime::ReadFile(files, settings.key_file));
  grpc::SslServerCredentialsOptions server(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  server.pem_root_certs = ca;
  server.pem_key_cert_pairs.push_back({key, certificate});
  return Credentials{
      .tls = true,
      .client = grpc::SslCredentials(
          {.pem_root_certs = ca, .pem_private_key = key, .pem_cert_chain = certificate}),
      .server = grpc::SslServerCredentials(server)};
}

grpc::ChannelArguments ChannelArguments() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(static_cast<int>(wire::kMaxMessageBytes));
  arguments.SetMaxSendMessageSize(static_cast<int>(wire::kMaxMessageBytes));
  // A peer that comes back is found soon.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1'000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 10'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 3'000);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);  // whoever asks knows whether to ask again
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  return arguments;
}

Error ErrorOf(const grpc::Status& status, const std::string& address) {
  const std::string said = ": " + status.error_message();
  switch (status.error_code()) {
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return {Reason::kDeadline, "the server at " + address + " did not answer within the time"};
    case grpc::StatusCode::CANCELLED:
      return {Reason::kShutDown, "the call to " + address + " was ended by this server's end"};
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return {Reason::kBackPressure, "the server at " + address + " takes no more" + said};
    case grpc::StatusCode::UNIMPLEMENTED:
      return {Reason::kNotSupported, "no server of Luna answers at " + address + said};
    default:
      return {Reason::kUnreachable,
              "the server at " + address + " was not reached, or is not whom this one trusts" +
                  said + "; look at its peer-listen and at peer-tls-ca, -cert and -key of both"};
  }
}

class GrpcTransport final : public transport::Transport {
 public:
  GrpcTransport(runtime::Runtime& runtime, const GrpcSettings& settings, Credentials credentials)
      : Transport(runtime),
        settings_(settings),
        credentials_(std::move(credentials)),
        caller_(runtime.Spawn("luna-peer-call", runtime::ThreadClass::kForeground,
                              [this] { TakeReplies(); })) {}

  ~GrpcTransport() override {
    {
      base::MutexLock lock(mutex_);
      closed_ = true;
    }
    // The rest is the other thread's, after what its callbacks may just be doing.
    end_.Set(&completions_, gpr_now(GPR_CLOCK_MONOTONIC), nullptr);
    caller_->Join();
  }

  Result<std::unique_ptr<transport::Port>> Listen(std::string_view address,
                                                  transport::Service& service) override {
    return GrpcPort::Open(runtime_, TRY(Permitted(address)), service,
                          {.credentials = credentials_.server,
                           .workers = settings_.workers,
                           .queue_limit = settings_.queue_limit});
  }

  void Send(std::string_view address, const wire::Request& request, uint64_t budget_nanos,
            Done done) override {
    auto call = std::make_unique<Call>();
    if (const Status begun = Begin(address, request, budget_nanos, *call); !begun.ok()) {
      done(begun.error());
      return;
    }
    call->done = std::move(done);
    Call* const sent = call.release();
    sent->reader->StartCall();
    sent->reader->Finish(&sent->reply, &sent->status, sent);
  }

 private:
  // Is gRPC's from StartCall to the end of Finish.
  struct Call {
    std::string address;
    grpc::ClientContext context;
    std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
    grpc::ByteBuffer reply;
    grpc::Status status;
    Done done;
  };
  struct Channel {
    std::shared_ptr<grpc::Channel> channel;
    uint64_t used = 0;
  };

  // The address in its one form, if bytes may go there.
  Result<std::string> Permitted(std::string_view address) const {
    const runtime::HostAndPort parsed = TRY(runtime::ParseAddress(address));
    const bool loopback = parsed.host == "localhost" || parsed.host == "::1" ||
                          (parsed.is_number() && parsed.host.starts_with("127."));
    if (!credentials_.tls && !loopback) {
      return Error(
          Reason::kBadOption,
          std::string(address) +
              " is reached over a network: servers talk to one another in the clear on one "
              "machine only; set peer-tls-ca, peer-tls-cert and peer-tls-key");
    }
    return runtime::FormatAddress(parsed);
  }

  Status Begin(std::string_view address, const wire::Request& request, uint64_t budget_nanos,
               Call& call) {
    call.address = TRY(Permitted(address));
    const grpc::Slice bytes(TRY(wire::EncodeRequest(request, budget_nanos)));
    const auto channel = ChannelTo(call.address);
    constexpr uint64_t kLongest = std::numeric_limits<int64_t>::max() / 4;
    call.context.set_deadline(gpr_time_add(
        gpr_now(GPR_CLOCK_MONOTONIC),
        gpr_time_from_nanos(static_cast<int64_t>(std::min(budget_nanos, kLongest)), GPR_TIMESPAN)));
    {
      base::MutexLock lock(mutex_);
      if (closed_) {
        return Error(Reason::kShutDown, "this server ends");
      }
      calls_.insert(&call);
    }
    call.reader = grpc::GenericStub(channel).PrepareUnaryCall(
        &call.context, kMethod, grpc::ByteBuffer(&bytes, 1), &completions_);
    return {};
  }

  std::shared_ptr<grpc::Channel> ChannelTo(const std::string& address) {
    {
      base::MutexLock lock(mutex_);
      if (const auto found = channels_.find(address); found != channels_.end()) {
        found->second.used = ++uses_;
        return found->second.channel;
      }
    }
    // By the resolver of names and numbers, whatever the address looks like.
    auto channel =
        grpc::CreateCustomChannel("dns:///" + address, credentials_.client, ChannelArguments());
    base::MutexLock lock(mutex_);
    if (channels_.size() >= kChannelsMax) {
      channels_.erase(std::min_element(
          channels_.begin(), channels_.end(),
          [](const auto& one, const auto& other) { return one.second.used < other.second.used; }));
    }
    return channels_.emplace(address, Channel{.channel = channel, .used = ++uses_})
        .first->second.channel;
  }

  void TakeReplies() {
    void* tag = nullptr;
    bool ok = false;
    while (completions_.Next(&tag, &ok)) {
      if (tag == nullptr) {
        End();
        continue;
      }
      const std::unique_ptr<Call> call(static_cast<Call*>(tag));
      {
        base::MutexLock lock(mutex_);
        calls_.erase(call.get());
      }
      call->done(ReplyOf(*call));
    }
  }

  static Result<wire::Reply> ReplyOf(const Call& call) {
    if (!call.status.ok()) {
      return ErrorOf(call.status, call.address);
    }
    grpc::Slice slice;
    if (!call.reply.DumpToSingleSlice(&slice).ok()) {
      return Error(Reason::kBadFormat, "the server at " + call.address + " sent no reply");
    }
    return wire::DecodeReply({reinterpret_cast<const char*>(slice.begin()), slice.size()});
  }

  void End() {
    std::set<Call*> left;
    {
      base::MutexLock lock(mutex_);
      left = calls_;
    }
    for (Call* call : left) {
      call->context.TryCancel();
    }
    completions_.Shutdown();
  }

  const GrpcSettings settings_;
  const Credentials credentials_;
  base::Mutex mutex_;
  std::map<std::string, Channel> channels_ GUARDED_BY(mutex_);
  uint64_t uses_ GUARDED_BY(mutex_) = 0;
  std::set<Call*> calls_ GUARDED_BY(mutex_);  // under way
  bool closed_ GUARDED_BY(mutex_) = false;
  grpc::CompletionQueue completions_;
  grpc::Alarm end_;
  const std::unique_ptr<runtime::Thread> caller_;
};

}  // namespace

Result<std::unique_ptr<transport::Transport>> OpenGrpcTransport(runtime::Runtime& runtime,
                                                                const GrpcSettings& settings) {
  const bool any =
      !settings.ca_file.empty() || !settings.certificate_file.empty() || !settings.key_file.empty();
  const bool all =
      !settings.ca_file.empty() && !settings.certificate_file.empty() && !settings.key_file.empty();
  if (any != all) {
    return Error(Reason::kBadOption,
                 "peer-tls-ca, peer-tls-cert and peer-tls-key need one another: servers show each "
                 "other certificates in both directions");
  }
  // What it would write to standard error can be provoked by strangers; what matters comes with the
  // error of a call.
  gpr_set_log_function([](gpr_log_func_args*) {});
  return std::make_unique<GrpcTransport>(
      runtime, settings, TRY(any ? TlsCredentials(runtime, settings) : PlainCredentials()));
}

}  // namespace luna::grpc_transport
