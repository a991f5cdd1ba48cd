// CommandTest: a host, one session, and lines sent to it, for tests of command families.
// Thread rule: owned by one thread.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "service_support/test_host.h"

namespace luna::service_support {

class CommandTest : public testing::Test {
 protected:
  // The bytes of the reply to a line of words.
  std::string Do(std::string_view line) { return host_.Line(session_, line); }
  std::string Do(command::Session& session, std::string_view line) {
    return host_.Line(session, line);
  }

  TestHost host_;
  command::Session session_ = host_.NewSession();
};

// Is `part` somewhere in `text`?
inline bool Has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace luna::service_support
