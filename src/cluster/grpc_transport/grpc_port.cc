#include "cluster/grpc_transport/grpc_port.h"

#include <algorithm>
#include <utility>

#include "base/try.h"
#include "cluster/wire/codec.h"
#include "runtime/network.h"

namespace luna::grpc_transport {

namespace {

constexpr uint64_t kLongestBudgetNanos = 60'000'000'000;
constexpr uint64_t kGraceNanos = 200'000'000;  // for replies that are on their way
constexpr int kHandshakeMillis = 5'000;
constexpr int kStreamsOfAConnection = 128;
constexpr int kHeaderBytes = 8 << 10;
constexpr size_t kMemoryBytes = size_t{64} << 20;  // of everything gRPC reads before we have it

void Bound(grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(static_cast<int>(wire::kMaxMessageBytes));
  builder.SetMaxSendMessageSize(static_cast<int>(wire::kMaxMessageBytes));
  builder.SetResourceQuota(grpc::ResourceQuota("luna-peer").Resize(kMemoryBytes));
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMillis);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsOfAConnection);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kHeaderBytes);
  // Two processes on one port would each get some of the connections.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // Peers ping every ten seconds while they wait for something.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5'000);
}

}  // namespace

Result<std::unique_ptr<transport::Port>> GrpcPort::Open(runtime::Runtime& runtime,
                                                        const std::string& address,
                                                        transport::Service& service,
                                                        const PortSettings& settings) {
  auto port = std::make_unique<GrpcPort>(runtime, service, settings.queue_limit);
  TRY(port->Start(address, settings));
  return port;
}

GrpcPort::GrpcPort(runtime::Runtime& runtime, transport::Service& service, size_t queue_limit)
    : runtime_(runtime), service_(service), queue_limit_(queue_limit) {}

Status GrpcPort::Start(const std::string& address, const PortSettings& settings) {
  runtime::HostAndPort real = TRY(runtime::ParseAddress(address));
  grpc::ServerBuilder builder;
  Bound(builder);
  int selected = 0;
  builder.AddListeningPort(address, settings.credentials, &selected);
  builder.RegisterAsyncGenericService(&calls_);
  completions_ = builder.AddCompletionQueue();
  server_ = builder.BuildAndStart();
  if (server_ == nullptr || selected == 0) {
    return Error(
        Reason::kAddressInUse,
        "cannot listen on " + address +
            " for other servers: another process does, or it is no address of this machine");
  }
  real.port = static_cast<uint16_t>(selected);
  address_ = runtime::FormatAddress(real);
  AwaitCall();
  mover_ =
      runtime_.Spawn("luna-peer-io", runtime::ThreadClass::kForeground, [this] { MoveBytes(); });
  for (uint32_t i = 0; i < settings.workers; ++i) {
    workers_.push_back(runtime_.Spawn("luna-peer-" + std::to_string(i),
                                      runtime::ThreadClass::kForeground, [this] { Work(); }));
  }
  return {};
}

// gRPC wants the calls gone before the server, and those end with their handlers: so these go on
// while the server is shut down. Then nobody has a call any more, and the rest ends.
GrpcPort::~GrpcPort() {
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
  }
  if (mover_ != nullptr) {
    server_->Shutdown(
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                     gpr_time_from_nanos(static_cast<int64_t>(kGraceNanos), GPR_TIMESPAN)));
  }
  std::deque<runtime::Event*> idle;
  {
    base::MutexLock lock(mutex_);
    stopped_ = true;
    idle.swap(idle_);
  }
  for (runtime::Event* event : idle) {
    event->Set();
  }
  for (const auto& worker : workers_) {
    worker->Join();
  }
  if (completions_ != nullptr) {
    completions_->Shutdown();
  }
  if (mover_ != nullptr) {
    mover_->Join();
  } else if (completions_ != nullptr) {
    void* tag = nullptr;
    bool ok = false;
    while (completions_->Next(&tag, &ok)) {
    }
  }
}

// --- The thread that moves bytes ---

void GrpcPort::AwaitCall() {
  Call* const call = std::make_unique<Call>().release();
  calls_.RequestCall(&call->context, &call->stream, completions_.get(), completions_.get(), call);
}

void GrpcPort::MoveBytes() {
  void* tag = nullptr;
  bool ok = false;
  while (completions_->Next(&tag, &ok)) {
    Advance(std::unique_ptr<Call>(static_cast<Call*>(tag)), ok);
  }
}

void GrpcPort::Advance(std::unique_ptr<Call> call, bool ok) {
  switch (call->phase) {
    case Call::Phase::kAwaited:
      if (ok) {
        AwaitCall();
        call->phase = Call::Phase::kReading;
        Call* const reading = call.release();
        reading->stream.Read(&reading->bytes, reading);
      }
      return;  // not ok: the server ends
    case Call::Phase::kReading:
      if (!ok) {
        Refuse(std::move(call), grpc::StatusCode::INVALID_ARGUMENT, "no request");
      } else if (call->context.method() != kMethod) {
        Refuse(std::move(call), grpc::StatusCode::UNIMPLEMENTED, "no such method");
      } else {
        Queue(std::move(call));
      }
      return;
    case Call::Phase::kFinishing:
      return;  // it was told, or is gone
  }
}

void GrpcPort::Queue(std::unique_ptr<Call> call) {
  call->arrived_nanos = runtime_.clock().MonotonicNanos();
  runtime::Event* idle = nullptr;
  {
    base::MutexLock lock(mutex_);
    if (queue_.size() < queue_limit_) {
      queue_.push_back(std::move(call));
      if (!idle_.empty()) {
        idle = idle_.front();
        idle_.pop_front();
      }
    }
  }
  if (call != nullptr) {
    Finish(std::move(call),
           Error(Reason::kBackPressure, address_ + " has too many requests of other servers"));
  } else if (idle != nullptr) {
    idle->Set();
  }
}

void GrpcPort::Finish(std::unique_ptr<Call> call, const Result<wire::Reply>& reply) {
  const grpc::Slice bytes(wire::EncodeReply(reply));
  call->phase = Call::Phase::kFinishing;
  Call* const finishing = call.release();
  finishing->stream.WriteAndFinish(grpc::ByteBuffer(&bytes, 1), {}, grpc::Status::OK, finishing);
}

void GrpcPort::Refuse(std::unique_ptr<Call> call, grpc::StatusCode code, const char* why) {
  call->phase = Call::Phase::kFinishing;
  Call* const finishing = call.release();
  finishing->stream.Finish(grpc::Status(code, why), finishing);
}

// --- The threads that handle requests ---

void GrpcPort::Work() {
  const std::unique_ptr<runtime::Event> woken = runtime_.NewEvent();
  while (true) {
    std::unique_ptr<Call> call;
    bool stopping = false;
    {
      base::MutexLock lock(mutex_);
      stopping = stopping_;
      if (!queue_.empty()) {
        call = std::move(queue_.front());
        queue_.pop_front();
      } else if (stopped_) {
        return;
      } else {
        woken->Reset();
        idle_.push_back(woken.get());
      }
    }
    if (call == nullptr) {
      woken->Wait();
      continue;
    }
    grpc::Slice slice;
    const bool whole = call->bytes.DumpToSingleSlice(&slice).ok();
    const std::string bytes(reinterpret_cast<const char*>(slice.begin()), whole ? slice.size() : 0);
    const Result<wire::Reply> reply =
        stopping ? Error(Reason::kShutDown, address_ + " ends") : Handle(*call, bytes);
    Finish(std::move(call), reply);
  }
}

Result<wire::Reply> GrpcPort::Handle(const Call& call, const std::string& bytes) {
  const wire::Incoming incoming = TRY(wire::DecodeRequest(bytes));
  const uint64_t budget = std::min(incoming.budget_nanos, kLongestBudgetNanos);
  const uint64_t waited = runtime_.clock().MonotonicNanos() - call.arrived_nanos;
  if (waited >= budget) {
    return Error(Reason::kDeadline, address_ + " came to the request too late");
  }
  return service_.Handle(incoming.request, budget - waited);
}

}  // namespace luna::grpc_transport
