#include "kernel/kernel.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "runtime/posix/posix_runtime.h"

namespace luna::kernel {
namespace {

class KernelTest : public testing::Test {
 protected:
  KernelTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "luna-kernel-XXXXXX";
    root_ = ::mkdtemp(pattern.data());
  }
  ~KernelTest() override { std::filesystem::remove_all(root_); }

  Result<std::unique_ptr<Kernel>> Open(const std::string& url, bool create = true) {
    return OpenKernel(url, *runtime_, {.create_if_missing = create, .background = {}});
  }
  Reason WhyNot(const std::string& url, bool create = true) {
    const auto kernel = Open(url, create);
    EXPECT_FALSE(kernel.ok()) << url;
    return kernel.error().reason();
  }

  const std::unique_ptr<runtime::Runtime> runtime_ = posix::NewPosixRuntime();
  std::string root_;
};

TEST_F(KernelTest, FileUrlsAndBarePathsNameTheSamePlace) {
  const base::Id128 id = Open("file:" + root_ + "/u").value()->universe_id();
  EXPECT_EQ(Open(root_ + "/u", false).value()->universe_id(), id);
  EXPECT_EQ(Open(root_ + "/u///", false).value()->universe_id(), id);
  EXPECT_EQ(Open(root_ + "/u", false).value()->location(), root_ + "/u");
}

TEST_F(KernelTest, PathsAreTakenLiterally) {
  for (const std::string name : {"a%20b", "a b", "a:b", "ünïcode", "quote'\"", "-x"}) {
    ASSERT_TRUE(Open("file:" + root_ + "/" + name).ok()) << name;
    EXPECT_TRUE(std::filesystem::exists(root_ + "/" + name + "/LUNA")) << name;
    EXPECT_TRUE(Open(root_ + "/" + name, false).ok()) << name;
  }
}

TEST_F(KernelTest, UnknownSchemesAreBadOptionsThatListTheKnownOnes) {
  for (const std::string url : {"redis:pool", "s3:bucket", "files:x", "", "file:", "memory:x"}) {
    const auto kernel = Open(url);
    ASSERT_FALSE(kernel.ok()) << url;
    EXPECT_EQ(kernel.error().reason(), Reason::kBadOption) << url;
    EXPECT_NE(kernel.error().message().find("file:PATH"), std::string::npos);
    EXPECT_NE(kernel.error().message().find("memory:"), std::string::npos);
  }
}

TEST_F(KernelTest, MemoryLeavesNothingAndIsNeverTheSame) {
  const auto one = Open("memory:").value();
  const auto two = Open("memory:").value();
  EXPECT_NE(one->universe_id(), two->universe_id());
  EXPECT_EQ(one->location(), "memory:");
  EXPECT_EQ(WhyNot("memory:", false), Reason::kUniverseMissing);
}

TEST_F(KernelTest, ASecondOpeningIsRefusedWhileTheFirstLives) {
  auto first = Open(root_ + "/u").value();
  EXPECT_EQ(WhyNot(root_ + "/u"), Reason::kUniverseLocked);
  first.reset();
  EXPECT_TRUE(Open(root_ + "/u").ok());
}

TEST_F(KernelTest, OtherPeoplesPlacesAreRefused) {
  EXPECT_EQ(WhyNot(root_ + "/none", false), Reason::kUniverseMissing);
  std::filesystem::create_directories(root_ + "/foreign/photos");
  EXPECT_EQ(WhyNot(root_ + "/foreign"), Reason::kForeignDirectory);
}

TEST_F(KernelTest, AFileInPlaceOfTheDirectoryIsAnError) {
  runtime_->files().Open(root_ + "/file", runtime::OpenMode::kCreateNew).value();
  const auto kernel = Open(root_ + "/file");
  ASSERT_FALSE(kernel.ok());
  EXPECT_NE(kernel.error().message().find(root_ + "/file"), std::string::npos);
}

TEST_F(KernelTest, EndsWithWorkStillQueued) {
  auto kernel = Open("memory:").value();
  const auto started = runtime_->NewEvent();
  kernel->background().Register("wait", [&](const background::Job&, background::JobContext& job) {
    started->Set();
    while (!job.stopping()) {
      runtime_->Sleep(1'000'000);
    }
  });
  kernel->background().Spawn({.kind = "wait", .payload = "1"});
  kernel->background().Spawn({.kind = "wait", .payload = "2"});
  started->Wait();
  kernel.reset();
  EXPECT_TRUE(started->IsSet());
}

}  // namespace
}  // namespace luna::kernel
