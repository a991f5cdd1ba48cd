// The Kernel of `rados:POOL?conf=PATH&namespace=NAME&client=NAME&timeout=SECONDS`: a universe is a
// namespace of a Ceph pool, open in one process at a time (kernel/rados/ownership.h) unless it is
// shared. Checkpoints are other namespaces of the same cluster. Jobs are threads of this process.
// Thread rule: functions are safe.
#pragma once

#include <memory>
#include <string>

#include "kernel/kernel.h"
#include "kernel/universe_copy.h"

namespace luna::kernel {

// As OpenKernel; kUnreachable when no monitor answers; kNotSupported in a build without LUNA_RADOS.
Result<std::unique_ptr<Kernel>> OpenRadosKernel(const std::string& url, runtime::Runtime& runtime,
                                                const KernelOptions& options);

// As BeginUniverse.
Result<std::unique_ptr<UnfinishedUniverse>> BeginRadosUniverse(const std::string& url,
                                                               runtime::Runtime& runtime,
                                                               bool replace);

}  // namespace luna::kernel
