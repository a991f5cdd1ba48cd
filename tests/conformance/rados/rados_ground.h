// The ground for the Kernel on RADOS: the cluster that LUNA_CEPH_CONF names (its pool is `luna`),
// and a namespace of one's own in it. Without the variable nothing here may be called.
// Thread rule: owned by one thread.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "kernel/rados/location.h"
#include "kernel/rados/space.h"
#include "runtime/posix/posix_runtime.h"

namespace luna::conformance {

class RadosGround {
 public:
  static std::string Conf() {
    const char* const conf = std::getenv("LUNA_CEPH_CONF");
    return conf == nullptr ? std::string() : conf;
  }

  runtime::Runtime& runtime() { return *runtime_; }
  // A location: of this ground's universe, or of another one beside it.
  std::string url(const std::string& beside = "") const {
    return "rados:luna?conf=" + Conf() + "&namespace=" + name_ + beside + "&timeout=60";
  }
  // Each with a client of its own, as another process would have.
  std::shared_ptr<rados::Space> OpenSpace(const std::string& beside = "",
                                          const std::string& more = "") {
    const rados::Location location = rados::ParseLocation(url(beside) + more).value();
    auto client = rados::Client::Connect(*runtime_, location).value();
    return rados::Space::Open(std::move(client), location.pool, location.name_space).value();
  }

 private:
  const std::unique_ptr<runtime::Runtime> runtime_ = posix::NewPosixRuntime();
  const std::string name_ = "test-" + std::to_string(runtime_->random().Next());
};

}  // namespace luna::conformance
