// GrpcPort: an address at which gRPC takes requests. One thread moves bytes, a few handle requests
// from a bounded queue, so that a handler that waits holds up nobody but those behind it.
// Thread rule: owned by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "cluster/grpc_transport/grpc.h"
#include "cluster/transport/transport.h"
#include "luna/status.h"
#include "runtime/runtime.h"

namespace luna::grpc_transport {

// The one method there is.
inline constexpr const char* kMethod = "/luna.v1.Peer/Call";

struct PortSettings {
  std::shared_ptr<grpc::ServerCredentials> credentials{};
  uint32_t workers = 0;
  size_t queue_limit = 0;
};

class GrpcPort final : public transport::Port {
 public:
  // kAddressInUse, or it is no address of this machine.
  static Result<std::unique_ptr<transport::Port>> Open(runtime::Runtime& runtime,
                                                       const std::string& address,
                                                       transport::Service& service,
                                                       const PortSettings& settings);
  GrpcPort(runtime::Runtime& runtime, transport::Service& service, size_t queue_limit);
  ~GrpcPort() override;

  const std::string& address() const override { return address_; }

 private:
  // A call from its arrival to its end. gRPC has it (as a tag) while an operation is under way.
  struct Call {
    enum class Phase : uint8_t { kAwaited, kReading, kFinishing };
    Phase phase = Phase::kAwaited;
    grpc::GenericServerContext context;
    grpc::GenericServerAsyncReaderWriter stream{&context};
    grpc::ByteBuffer bytes;
    uint64_t arrived_nanos = 0;
  };

  Status Start(const std::string& address, const PortSettings& settings);
  void AwaitCall();
  void MoveBytes();
  void Advance(std::unique_ptr<Call> call, bool ok);
  void Queue(std::unique_ptr<Call> call);
  void Work();
  Result<wire::Reply> Handle(const Call& call, const std::string& bytes);
  static void Finish(std::unique_ptr<Call> call, const Result<wire::Reply>& reply);
  static void Refuse(std::unique_ptr<Call> call, grpc::StatusCode code, const char* why);

  runtime::Runtime& runtime_;
  transport::Service& service_;
  const size_t queue_limit_;
  std::string address_;
  grpc::AsyncGenericService calls_;
  std::unique_ptr<grpc::ServerCompletionQueue> completions_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<runtime::Thread> mover_;
  std::vector<std::unique_ptr<runtime::Thread>> workers_;

  base::Mutex mutex_;
  std::deque<std::unique_ptr<Call>> queue_ GUARDED_BY(mutex_);
  std::deque<runtime::Event*> idle_ GUARDED_BY(mutex_);  // of workers that wait
  bool stopping_ GUARDED_BY(mutex_) = false;             // nothing more is handled
  bool stopped_ GUARDED_BY(mutex_) = false;              // nothing more comes
};

}  // namespace luna::grpc_transport
