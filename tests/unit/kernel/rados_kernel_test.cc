#include "kernel/rados_kernel.h"

#include <gtest/gtest.h>

#include "runtime/posix/posix_runtime.h"

namespace luna::kernel {

namespace {

// With a cluster: the conformance suite. Here: what is said without one.
TEST(RadosKernel, SaysWhatIsMissing) {
  const auto runtime = posix::NewPosixRuntime();
  const std::string url = "rados:luna?conf=/nowhere/ceph.conf";
  const auto kernel = OpenKernel(url, *runtime, {});
  ASSERT_FALSE(kernel.ok());
  const Reason reason = kernel.error().reason();
  EXPECT_TRUE(reason == Reason::kBadOption || reason == Reason::kNotSupported);
  const bool built = reason == Reason::kBadOption;
  const std::string named = built ? "/nowhere/ceph.conf" : "-DLUNA_RADOS=ON";
  EXPECT_NE(kernel.error().message().find(named), std::string::npos) << kernel.error().message();
}

}  // namespace

}  // namespace luna::kernel
