#include "service/server/log_sink.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>

namespace luna::server {
namespace {

using base::Log;
using base::LogLevel;

class LineLogTest : public testing::Test {
 protected:
  LineLogTest() { std::filesystem::remove_all(path_); }
  ~LineLogTest() override {
    std::filesystem::remove_all(path_);
    std::filesystem::remove_all(path_ + ".1");
  }
  static std::string Content(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  const std::string path_ = testing::TempDir() + "line_log_" +
                            testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(LineLogTest, WritesALineAnEventAtOnce) {
  const auto sink = LineLog::Open(path_, LogLevel::kInfo).value();
  const Log log(sink.get());
  log.Info("listening", {{"address", "127.0.0.1:6479"}});
  log.Warning("late");
  const std::string time = R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z )";
  EXPECT_TRUE(std::regex_match(Content(path_), std::regex(time +
                                                          "INFO listening "
                                                          "address=127\\.0\\.0\\.1:6479\n" +
                                                          time + "WARNING late\n")))
      << Content(path_);
}

TEST_F(LineLogTest, LevelChangesWhileItRuns) {
  const auto sink = LineLog::Open(path_, LogLevel::kWarning).value();
  const Log log(sink.get());
  log.Info("unseen");
  sink->SetLevel(LogLevel::kDebug);
  log.Debug("seen");
  EXPECT_EQ(Content(path_).find("unseen"), std::string::npos);
  EXPECT_NE(Content(path_).find(" DEBUG seen\n"), std::string::npos);
}

TEST_F(LineLogTest, ReopensAfterItWasRenamed) {
  const auto sink = LineLog::Open(path_, LogLevel::kInfo).value();
  const Log log(sink.get());
  log.Info("first");
  std::filesystem::rename(path_, path_ + ".1");
  log.Info("second");
  sink->Reopen().value();
  log.Info("third");
  EXPECT_NE(Content(path_ + ".1").find("second"), std::string::npos);
  EXPECT_EQ(Content(path_).find("second"), std::string::npos);
  EXPECT_NE(Content(path_).find("third"), std::string::npos);
}

TEST_F(LineLogTest, AppendsToWhatIsThere) {
  {
    Log(LineLog::Open(path_, LogLevel::kInfo).value().get()).Info("first");
  }
  {
    Log(LineLog::Open(path_, LogLevel::kInfo).value().get()).Info("second");
  }
  EXPECT_NE(Content(path_).find("first"), std::string::npos);
  EXPECT_NE(Content(path_).find("second"), std::string::npos);
}

TEST_F(LineLogTest, WithoutReachableFolderNamesTheFile) {
  std::ofstream(path_) << "a file, no folder";
  const auto opened = LineLog::Open(path_ + "/log", LogLevel::kInfo);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().reason(), Reason::kIoError);
  EXPECT_NE(opened.error().message().find(path_), std::string::npos);
}

TEST_F(LineLogTest, ReopenThatFailsKeepsTheOldFile) {
  const auto sink = LineLog::Open(path_, LogLevel::kInfo).value();
  std::filesystem::rename(path_, path_ + ".1");
  std::filesystem::create_directory(path_);
  EXPECT_EQ(sink->Reopen().error().reason(), Reason::kIoError);
  Log(sink.get()).Info("kept");
  EXPECT_NE(Content(path_ + ".1").find("kept"), std::string::npos);
}

TEST_F(LineLogTest, FullDiskLosesLinesAndCountsThem) {
  const auto sink = LineLog::Open("/dev/full", LogLevel::kInfo).value();
  EXPECT_EQ(sink->lost(), 0u);
  Log(sink.get()).Info("lost");
  Log(sink.get()).Info("lost");
  EXPECT_EQ(sink->lost(), 2u);
}

TEST_F(LineLogTest, StandardErrorNeedsNoFile) {
  const auto sink = LineLog::Open("", LogLevel::kError).value();
  testing::internal::CaptureStderr();
  Log(sink.get()).Error("told");
  Log(sink.get()).Info("unseen");
  EXPECT_TRUE(sink->Reopen().ok());
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(text.ends_with(" ERROR told\n")) << text;
}

}  // namespace
}  // namespace luna::server
