// GrpcTransport: a Transport over gRPC. Both sides of a connection show a certificate that the
// group's authority signed, or (without certificates) both are on this machine: anything else is
// refused. One connection a peer, kept and made anew when it is needed.
// Thread rule: see transport.h. Threads of ours: "luna-peer-call" runs callbacks of Send; a port
// has "luna-peer-io", which moves bytes, and "luna-peer-0"…, which handle requests. gRPC starts a
// few of its own on first use, for timers, names and what its pollers leave over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "cluster/transport/transport.h"
#include "luna/status.h"
#include "runtime/runtime.h"

namespace luna::grpc_transport {

struct GrpcSettings {
  // PEM files; all three, or none. The certificate is shown to servers and to clients.
  std::string ca_file = {};
  std::string certificate_file = {};
  std::string key_file = {};
  uint32_t workers = 4;      // threads of a port that handle requests
  size_t queue_limit = 256;  // requests that wait for them; more are told kBackPressure
};

// The files are read once. kBadOption: one is missing, cannot be read, or does not fit the others;
// the message names it.
Result<std::unique_ptr<transport::Transport>> OpenGrpcTransport(runtime::Runtime& runtime,
                                                                const GrpcSettings& settings);

}  // namespace luna::grpc_transport
