#include "runtime/posix/descriptor.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace luna::posix {

namespace {

bool IsOpen(int number) {
  return ::fcntl(number, F_GETFD) >= 0;
}

TEST(Descriptor, ClosesOnceWhereItWasMovedTo) {
  int number = -1;
  {
    Descriptor first = OpenDescriptor("cannot open", "/dev/null", O_RDONLY).value();
    number = first.number();
    const Descriptor second(std::move(first));
    EXPECT_EQ(second.number(), number);
    EXPECT_TRUE(IsOpen(number));
  }
  EXPECT_FALSE(IsOpen(number));
}

TEST(Descriptor, IsNotInheritedByOtherPrograms) {
  const Descriptor descriptor = OpenDescriptor("cannot open", "/dev/null", O_RDONLY).value();
  EXPECT_NE(::fcntl(descriptor.number(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(Descriptor, FailureNamesThePath) {
  const Result<Descriptor> missing = OpenDescriptor("cannot open", "/no/such/file", O_RDONLY);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().reason(), Reason::kFileMissing);
  EXPECT_NE(missing.error().message().find("/no/such/file"), std::string::npos);
}

}  // namespace

}  // namespace luna::posix
