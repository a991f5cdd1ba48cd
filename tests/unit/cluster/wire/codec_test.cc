#include "cluster/wire/codec.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace luna::wire {
namespace {

const std::vector<Request> kRequests = {
    ReadIndex{.group = "group-1", .epoch = 7},
    Appended{.group = "group-1", .epoch = 7, .tail = 900, .closed = uint64_t{1} << 60},
    Appended{.group = "group-1", .tail = 9, .last = true, .target = "b:1", .end = 4096},
    AskStanding{.group = "group-1", .from = {.clients = "a:1", .peers = "a:2"}, .applied = 6},
    AskStanding{},
    Prepare{.group = "group-1", .epoch = ~uint64_t{0}},
};

const std::vector<Reply> kReplies = {
    ReadIndexReply{.epoch = 7, .sequence = 12, .published = 11},
    AppendedReply{},
    StandingReply{.server = {.clients = "a:1", .peers = "a:2"},
                  .role = "following",
                  .epoch = 7,
                  .leader = {.clients = "b:1", .peers = ""},
                  .applied = 5,
                  .complete_age_millis = 0,
                  .build = "1.2"},
    StandingReply{},
    PrepareReply{.applied = 5, .ready = true},
    NotLeader{{.clients = "b:1", .peers = "b:2"}},
};

TEST(Codec, RequestsComeAsTheyWent) {
  for (const Request& request : kRequests) {
    const Incoming incoming = DecodeRequest(EncodeRequest(request, 2'500'000'000).value()).value();
    EXPECT_EQ(incoming.request, request);
    EXPECT_EQ(incoming.budget_nanos, 2'500'000'000u);
  }
}

TEST(Codec, RepliesComeAsTheyWent) {
  for (const Reply& reply : kReplies) {
    EXPECT_EQ(DecodeReply(EncodeReply(reply)).value(), reply);
  }
}

TEST(Codec, BudgetsAreWholeMillisecondsAndNeverNone) {
  const auto budget = [](uint64_t nanos) {
    return DecodeRequest(EncodeRequest(Prepare{}, nanos).value())->budget_nanos;
  };
  EXPECT_EQ(budget(0), 1'000'000u);
  EXPECT_EQ(budget(1'999'999), 1'000'000u);
  EXPECT_EQ(budget(~uint64_t{0}), 0xFFFFFFFFu * uint64_t{1'000'000});
}

TEST(Codec, ErrorsKeepReasonAndMessage) {
  for (uint16_t i = 0; i <= static_cast<uint16_t>(Reason::kShutDown); ++i) {
    const auto reason = static_cast<Reason>(i);
    const auto back = DecodeReply(EncodeReply(Error(reason, "what, where, what next")));
    ASSERT_FALSE(back.ok());
    EXPECT_EQ(back.error().reason(), reason);
    EXPECT_EQ(back.error().message(), "what, where, what next");
  }
}

TEST(Codec, ReasonsOfANewerBuildAreNotGuessed) {
  // version 1; failure {reason "tide", message "high"}
  const std::string bytes = std::string("\x08\x01\x12\x0c\x0a\x04tide\x12\x04high", 16);
  const auto back = DecodeReply(bytes);
  ASSERT_FALSE(back.ok());
  EXPECT_EQ(back.error().reason(), Reason::kNotSupported);
  EXPECT_NE(back.error().message().find("'tide'"), std::string::npos);
  EXPECT_NE(back.error().message().find("high"), std::string::npos);
}

TEST(Codec, LongReasonsOfANewerBuildLeaveRoomForTheMessage) {
  // version 1; failure {reason of 5,000 bytes, message of 5,004}
  std::string bytes("\x08\x01\x12\x9a\x4e\x0a\x88\x27", 8);
  bytes += std::string(5'000, 't') + "\x12\x8c\x27" + "high" + std::string(5'000, 'm');
  const auto back = DecodeReply(bytes);
  ASSERT_FALSE(back.ok());
  EXPECT_EQ(back.error().reason(), Reason::kNotSupported);
  EXPECT_NE(back.error().message().find("high"), std::string::npos);
  EXPECT_EQ(back.error().message().size(), kMaxTextBytes);
}

// Messages quote keys, and are cut anywhere.
TEST(Codec, TextsAreAnyBytes) {
  const std::string raw("\xff\x00\xc3", 3);
  const auto back = DecodeReply(EncodeReply(Error(Reason::kWriteConflict, "key " + raw)));
  ASSERT_FALSE(back.ok());
  EXPECT_EQ(back.error().reason(), Reason::kWriteConflict);
  EXPECT_EQ(back.error().message(), "key " + raw);
  std::string letters(kMaxTextBytes - 1, 'm');
  letters += "\xc3\xa9";  // an e with its accent
  const auto cut = DecodeReply(EncodeReply(Error(Reason::kIoError, letters)));
  ASSERT_FALSE(cut.ok());
  EXPECT_EQ(cut.error().reason(), Reason::kIoError);
  EXPECT_EQ(cut.error().message(), letters.substr(0, kMaxTextBytes));
  const Request request = AskStanding{.group = raw, .from = {.clients = raw, .peers = raw}};
  EXPECT_EQ(DecodeRequest(EncodeRequest(request, 1).value())->request, request);
  const Reply reply = StandingReply{.server = {.clients = raw}, .role = raw, .build = raw};
  EXPECT_EQ(DecodeReply(EncodeReply(reply)).value(), reply);
}

TEST(Codec, LongMessagesAreCutLongTextsRefused) {
  const auto back = DecodeReply(EncodeReply(Error(Reason::kIoError, std::string(10'000, 'm'))));
  EXPECT_EQ(back.error().message().size(), kMaxTextBytes);
  const std::string large(kMaxTextBytes + 1, 'x');
  EXPECT_EQ(EncodeRequest(AskStanding{.group = "g", .from = {.peers = large}}, 1).error().reason(),
            Reason::kValueTooLarge);
  EXPECT_TRUE(EncodeRequest(Prepare{.group = large.substr(1)}, 1).ok());
  EXPECT_EQ(DecodeReply(EncodeReply(Reply(NotLeader{{.clients = large}}))).error().reason(),
            Reason::kValueTooLarge);
}

TEST(Codec, NothingAboveSeesAMessageOutOfBounds) {
  // version 1, read_index.group of 5,000 bytes
  std::string bytes("\x08\x01\x1a\x8b\x27\x0a\x88\x27", 8);
  bytes.append(5'000, 'x');
  const auto request = DecodeRequest(bytes);
  ASSERT_FALSE(request.ok());
  EXPECT_EQ(request.error().reason(), Reason::kBadFormat);
  EXPECT_NE(request.error().message().find("5000 bytes"), std::string::npos);
  EXPECT_EQ(DecodeRequest(std::string(kMaxMessageBytes + 1, '\0')).error().reason(),
            Reason::kBadFormat);
}

TEST(Codec, UnknownFieldsAreIgnored) {
  const std::string more("\xc2\x3e\x05later", 8);  // field 1000: a text
  for (const Request& request : kRequests) {
    EXPECT_EQ(DecodeRequest(EncodeRequest(request, 1'000'000).value() + more)->request, request);
  }
  for (const Reply& reply : kReplies) {
    EXPECT_EQ(DecodeReply(EncodeReply(reply) + more).value(), reply);
  }
}

TEST(Codec, NewerMessagesAreNamed) {
  EXPECT_EQ(DecodeRequest("\x08\x02").error().reason(), Reason::kNewerFormat);
  EXPECT_EQ(DecodeReply("\x08\x02").error().reason(), Reason::kNewerFormat);
  EXPECT_EQ(DecodeRequest("\x08\x01").error().reason(), Reason::kNotSupported);  // no body known
  EXPECT_EQ(DecodeReply("\x08\x01").error().reason(), Reason::kNotSupported);
}

TEST(Codec, GarbageIsNoMessage) {
  uint64_t random = 1;
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes;
    for (int j = 0; j < i % 40; ++j) {
      random = random * 6364136223846793005u + 1442695040888963407u;
      bytes.push_back(static_cast<char>(random >> 56));
    }
    const auto request = DecodeRequest(bytes);
    const auto reply = DecodeReply(bytes);
    EXPECT_TRUE(request.ok() || request.error().reason() != Reason::kIoError);
    EXPECT_TRUE(reply.ok() || !reply.error().message().empty());
  }
  EXPECT_EQ(DecodeRequest("").error().reason(), Reason::kBadFormat);
  EXPECT_EQ(DecodeReply("").error().reason(), Reason::kBadFormat);
  EXPECT_EQ(DecodeRequest("GET / HTTP/1.1\r\n").error().reason(), Reason::kBadFormat);
}

TEST(Codec, FieldsThatDoNotLieInTheirMessageAreRefused) {
  const auto refused = [](std::string_view bytes) {
    const auto reply = DecodeReply(bytes);
    return !reply.ok() && reply.error().reason() == Reason::kBadFormat;
  };
  using namespace std::string_view_literals;
  const std::string_view in_standing = "\x08\x01\x2a\xff\xff\xff\x3e\x12\xff\xff\xff\x1e"sv;
  const std::string_view in_server = "\x08\x01\x2a\x08\x0a\xff\xff\xff\x3e\x0a\x01x"sv;
  EXPECT_TRUE(refused(in_standing));
  EXPECT_TRUE(refused(in_server));
  EXPECT_TRUE(refused("\x08\x01\x22\x00\x0b\x0c"sv));  // a group
  EXPECT_FALSE(refused("\x08\x01\x22\x00"sv));
}

TEST(Codec, CutMessagesAreRefusedOrOfFewerFields) {
  for (const Request& request : kRequests) {
    const std::string bytes = EncodeRequest(request, 5'000'000).value();
    for (size_t size = 0; size < bytes.size(); ++size) {
      const auto cut = DecodeRequest(std::string_view(bytes).substr(0, size));
      EXPECT_TRUE(!cut.ok() || cut->request.index() == request.index());
    }
  }
}

}  // namespace
}  // namespace luna::wire
