#include <filesystem>

#include "service_support/command_test.h"
#include "service_support/test_gate.h"

namespace luna::command {
namespace {

class CareTest : public service_support::CommandTest {
 protected:
  ~CareTest() override { std::filesystem::remove_all(directory_); }

  // Backups and checkpoints are files even of a universe in memory.
  const std::string directory_ = testing::TempDir() + "care_test-" +
                                 testing::UnitTest::GetInstance()->current_test_info()->name() +
                                 "-" + std::to_string(host_.runtime().random().Next());
  service_support::TestGate gate_;
};

using service_support::Has;

TEST_F(CareTest, BackupComesBackAsAnotherDatabase) {
  Do("SET a 1");
  EXPECT_TRUE(Has(Do("BACKUP START " + directory_), "objects_copied"));
  EXPECT_TRUE(Has(Do("BACKUP " + directory_), "objects_kept"));
  EXPECT_EQ(Do("BACKUP STOP " + directory_), "-ERR syntax error\r\n");
  EXPECT_EQ(Do("RESTORE " + directory_ + " copy"), "+OK\r\n");
  EXPECT_TRUE(Do("RESTORE " + directory_ + " copy").starts_with("-EXISTS "));
  EXPECT_EQ(Do("USE copy"), "+OK\r\n");
  EXPECT_EQ(Do("GET a"), "$1\r\n1\r\n");
}

TEST_F(CareTest, ChecksAndTidies) {
  Do("SET a 1");
  EXPECT_EQ(Do("FLUSH"), "+OK\r\n");
  EXPECT_EQ(Do("COMPACT"), "+OK\r\n");
  EXPECT_EQ(Do("COMPACT [a [b"), "+OK\r\n");
  EXPECT_EQ(Do("COMPACT + -"), "+OK\r\n");
  EXPECT_EQ(Do("COMPACT x"), "-ERR syntax error\r\n");
  EXPECT_EQ(Do("COMPACT x y").substr(0, 4), "-ERR");
  EXPECT_TRUE(Has(Do("VERIFY"), "$6\r\ndamage\r\n*0\r\n"));
  EXPECT_TRUE(Has(Do("STATS"), "commit_rounds"));
  EXPECT_EQ(Do("GET a"), "$1\r\n1\r\n");
}

TEST_F(CareTest, CheckpointNeedsAnEmptyDirectory) {
  EXPECT_EQ(Do("CHECKPOINT " + directory_), "+OK\r\n");
  EXPECT_EQ(Do("CHECKPOINT " + directory_).front(), '-');
}

TEST_F(CareTest, CopiesMustHaveTheNewest) {
  gate_.at_end = service_support::TestGate::Says::kFenced;
  host_.gate = &gate_;
  EXPECT_EQ(Do("BACKUP START " + directory_), service_support::kFencedReply);
  EXPECT_EQ(Do("CHECKPOINT " + directory_ + "-2"), service_support::kFencedReply);
  gate_.at_end = service_support::TestGate::Says::kYes;
  EXPECT_TRUE(Has(Do("BACKUP " + directory_), "objects_copied"));
  EXPECT_EQ(gate_.Asked(), "3/3");
  std::filesystem::remove_all(directory_ + "-2");
}

}  // namespace
}  // namespace luna::command
