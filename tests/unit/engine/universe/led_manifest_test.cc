#include "engine/universe/led_manifest.h"

#include <gtest/gtest.h>

#include "engine/catalog/database_state.h"
#include "kernel/kernel.h"
#include "runtime/posix/posix_runtime.h"

namespace luna::universe {
namespace {

// One manifest, written by whoever leads it in turn: the store lets one at a time have it open, so
// a deposed leader is made by letting the next one's TakeLead in behind its back.
class LedManifestTest : public testing::Test {
 protected:
  LedManifestTest()
      : runtime_(posix::NewPosixRuntime()),
        kernel_(kernel::OpenKernel("memory:", *runtime_, {}).value()) {}

  Result<std::unique_ptr<manifest::Manifest>> Lead(uint64_t epoch) {
    state_ = catalog::DatabaseState();
    auto plain = kernel_->OpenManifest("manifest-1", "db-1", state_);
    plain_ = plain->get();
    return LeadManifest(std::move(plain).value(), state_.leads(), {.epoch = epoch},
                        [this](const Error& error) { lost_.push_back(error.reason()); });
  }
  static Result<bool> Create(manifest::Manifest& manifest, const std::string& name) {
    return manifest.Commit(catalog::Encode(catalog::CreateCollection{.name = name}));
  }
  void Depose(uint64_t epoch) {
    ASSERT_TRUE(plain_->Commit(catalog::Encode(catalog::TakeLead{.epoch = epoch})).value());
  }

  const std::unique_ptr<runtime::Runtime> runtime_;
  const std::unique_ptr<kernel::Kernel> kernel_;
  catalog::DatabaseState state_;
  manifest::Manifest* plain_ = nullptr;
  std::vector<Reason> lost_;
};

TEST_F(LedManifestTest, TakesTheLeadAndWritesAsTheLeader) {
  const auto led = Lead(5).value();
  EXPECT_EQ(state_.leads().EpochOf(catalog::kFirstGroup), 5u);
  manifest::Position at = 0;
  const auto created = led->Commit(catalog::Encode(catalog::CreateCollection{.name = "c"}),
                                   [&](manifest::Position position) { at = position; });
  EXPECT_TRUE(created.value());
  led->Inspect([&](manifest::Position applied) { EXPECT_EQ(applied, at); });
  EXPECT_EQ(state_.FindCollection("c")->id, at);
  EXPECT_FALSE(Create(*led, "c").value());  // void by its own rule
  EXPECT_TRUE(led->CatchUp().ok());
  EXPECT_TRUE(led->Snapshot().ok());
  EXPECT_TRUE(lost_.empty());
}

TEST_F(LedManifestTest, OnceDeposedEveryEditIsFenced) {
  const auto led = Lead(5).value();
  Depose(6);
  const auto created = Create(*led, "c");
  ASSERT_FALSE(created.ok());
  EXPECT_EQ(created.error().reason(), Reason::kFenced);
  EXPECT_NE(created.error().message().find("epoch 6 leads group 1"), std::string::npos);
  EXPECT_EQ(state_.FindCollection("c"), nullptr);
  EXPECT_EQ(lost_, std::vector<Reason>{Reason::kFenced});
}

TEST_F(LedManifestTest, WhoComesLateIsRefused) {
  ASSERT_TRUE(Create(*Lead(6).value(), "c").value());
  EXPECT_EQ(Lead(5).error().reason(), Reason::kFenced);
  EXPECT_TRUE(Lead(6).ok());  // the first try's answer may have been lost
  ASSERT_TRUE(Create(*Lead(7).value(), "d").value());
  EXPECT_EQ(state_.collections().size(), 2u);
}

TEST_F(LedManifestTest, WhoLeadsIsInTheSnapshot) {
  ASSERT_TRUE(Create(*Lead(6).value(), "c").value());
  ASSERT_TRUE(Lead(7).value()->Snapshot().ok());
  EXPECT_EQ(Lead(6).error().reason(), Reason::kFenced);
  const auto plain = kernel_->OpenManifest("manifest-1", "db-1", state_).value();
  EXPECT_FALSE(Create(*plain, "d").value());  // by nobody
}

}  // namespace
}  // namespace luna::universe
