#include "engine/group/job_failures.h"

#include <gtest/gtest.h>

namespace luna::group {
namespace {

using background::Job;
using background::Priority;

const Job kFlush{.kind = "flush", .payload = "1/2", .priority = Priority::kFlush};
const Job kCompact{.kind = "compact", .payload = "1/2", .priority = Priority::kNormal};
const Job kOther{.kind = "compact", .payload = "1/3", .priority = Priority::kNormal};
const Error kFull(Reason::kDiskFull, "no room");

TEST(JobFailures, LastUntilTheSameJobSucceeds) {
  JobFailures failures;
  EXPECT_EQ(failures.Newest(), "");
  failures.Add(kFlush, kFull, 1);
  failures.Remove(kCompact);
  EXPECT_EQ(failures.Newest(), kFull.ToString());
  failures.Remove(kFlush);
  EXPECT_EQ(failures.Newest(), "");
}

TEST(JobFailures, TheNewestOfThoseInForceIsTold) {
  JobFailures failures;
  failures.Add(kOther, Error(Reason::kDiskFull, "first"), 1);
  failures.Add(kCompact, Error(Reason::kDiskFull, "second"), 2);
  EXPECT_EQ(failures.Newest(), Error(Reason::kDiskFull, "second").ToString());
  failures.Add(kOther, Error(Reason::kIoError, "third"), 3);
  EXPECT_EQ(failures.Newest(), Error(Reason::kIoError, "third").ToString());
  failures.Remove(kOther);
  EXPECT_EQ(failures.Newest(), Error(Reason::kDiskFull, "second").ToString());
}

TEST(JobFailures, DamageStays) {
  for (const Reason reason : {Reason::kBadChecksum, Reason::kLostData}) {
    JobFailures failures;
    const Error lasting(reason, "gone");
    failures.Add(kCompact, kFull, 1);
    failures.Add(kCompact, lasting, 2);
    failures.Add(kCompact, kFull, 3);
    failures.Remove(kCompact);
    EXPECT_EQ(failures.Newest(), lasting.ToString());
    EXPECT_TRUE(failures.Due(1000, 1).empty());  // trying again mends nothing
  }
}

TEST(JobFailures, AreTriedAgainAfterAPause) {
  JobFailures failures;
  failures.Add(kCompact, kFull, 100);
  failures.Add(kFlush, kFull, 104);
  EXPECT_TRUE(failures.Due(109, 10).empty());
  const auto due = failures.Due(110, 10);
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(due[0].kind, "compact");
  EXPECT_EQ(due[0].payload, "1/2");
  EXPECT_EQ(due[0].priority, Priority::kNormal);
  EXPECT_EQ(failures.Due(115, 10).size(), 1u);  // the other; the first one's pause began anew
  EXPECT_EQ(failures.Newest(), kFull.ToString());
  EXPECT_EQ(failures.Due(120, 10).size(), 1u);
}

}  // namespace
}  // namespace luna::group
