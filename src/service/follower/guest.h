// Guest: one client of a server that does not lead, from its arrival to its end.
//
//   silent ──first bytes──► seeking ──► dialing ──► passing ──► leaving ──► gone
//    │ ▲                       ▲                       │           ▲
//    │ └───────────────────────┴───── taking back ◄────┘           │
//    └──(writes = refuse)► refused ────────────────────────────────┘
//                          returning ──────────────────────────────┘
//
// Silent: nothing was asked yet. Seeking: it waits for a leader; its owner gives it a socket to one
// (Dial) when it can; one that others had begins so if it has asked for something. Passing: two
// lanes. They open when it was greeted: whoever was dialed said that it leads (GROUP LEADS, which
// is passed on by nobody, so that no two servers pass clients to each other), and took the
// introduction of one that others had. Until then nothing of the
// client's was passed to anybody, and it may seek again or depart. Taking back: the leader leads no
// more and gives the client back, which then is as one that others had. When another one leads, a
// leader has a moment for that. Returning: the other side of it: the client is a connection of a
// server that passed somebody on, and has a mark (giving_back.h). Leaving: the last
// words are written and the end is said; what the client still sends is read and dropped for a
// while, because a socket that is closed with bytes unread takes the last words away with it.
// Thread rule: owned by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "runtime/network.h"
#include "service/follower/follower_port.h"
#include "service/follower/lane.h"
#include "service/follower/refuser.h"
#include "service/follower/tallies.h"
#include "service/resp/reply_parser.h"

namespace luna::follower {

// What all guests of a port share. Outlives them.
struct Surroundings {
  const FollowerSettings* settings = nullptr;
  Tallies* tallies = nullptr;
  runtime::Poller* poller = nullptr;
  std::string leader;         // as others call it; empty: nobody else is known
  bool leader_tls = false;    // clients speak TLS there
  bool leads_itself = false;  // so this server is told, but its port does not serve
  bool takes_over = false;    // it is about to lead: whoever asks is told when it does
  std::string trouble;        // why the leader was not reached, if it was not
  std::span<char> scratch;
};

class Guest {
 public:
  enum class Phase : uint8_t {
    kSilent,
    kSeeking,
    kDialing,
    kPassing,
    kTakingBack,
    kRefused,
    kReturning,
    kLeaving,
    kGone
  };

  // `tag` is the poller's for the client, `tag` + 1 for the leader.
  Guest(Surroundings& surroundings, std::unique_ptr<runtime::Socket> client, uint64_t tag,
        uint64_t now_nanos);
  // One that others had.
  Guest(Surroundings& surroundings, command::Departing departing, uint64_t tag, uint64_t now_nanos);
  // Closes both sockets.
  ~Guest();
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;

  void NoticedClient(const runtime::Ready& ready);
  void NoticedLeader(const runtime::Ready& ready);
  // While seeking: a socket on its way to the leader of the surroundings, and a new mark, by which
  // the leader may give the client back.
  void Dial(std::unique_ptr<runtime::Socket> leader, std::string mark, uint64_t now_nanos);
  // Does what can be done now, and what is due. True: there is more to do after others had a turn.
  bool Advance(uint64_t now_nanos);

  // Came to be given back.
  bool returns() const { return returns_; }
  // Nobody was passed a request of its own, and nothing is left to be said to it.
  bool may_depart() const;
  // That, and a server that follows may answer it.
  bool may_read_here() const;
  // The client with what it said; the guest is gone then.
  command::Departing Depart();

  Phase phase() const { return phase_; }
  const std::string& leader() const { return leader_name_; }  // the one dialed last
  // That one did not accept this server's certificate, and looked at nothing of what was passed on.
  bool turned_away() const { return turned_away_; }

 private:
  static constexpr uint64_t kNever = ~uint64_t{0};

  bool AdvanceSilent(uint64_t now_nanos);
  bool AdvanceSeeking(uint64_t now_nanos);
  bool AdvanceDialing(uint64_t now_nanos);
  bool Reach(uint64_t now_nanos);
  bool AdvancePassing(uint64_t now_nanos);
  bool AdvanceTakingBack(uint64_t now_nanos);
  bool AdvanceReturning(uint64_t now_nanos);
  bool AdvanceRefused(uint64_t now_nanos);
  bool AdvanceLeaving(uint64_t now_nanos);
  bool PassOn(uint64_t now_nanos);
  bool Greet(uint64_t now_nanos);
  bool HearGreeting(uint64_t now_nanos);                         // false: nothing more can be heard
  bool TakeReply(const resp::Reply& reply, uint64_t now_nanos);  // false: it is not what it was for
  void Disown(std::string_view why, uint64_t now_nanos);
  bool BeginTakingBack(uint64_t now_nanos);
  bool HearReturn(uint64_t now_nanos);
  bool TakeBack(resp::Reply given, uint64_t now_nanos);
  bool TakeRequests();
  bool AnswerRequests(uint64_t now_nanos);  // true: no whole request is left
  // Writes last_words_. False: the client is gone.
  bool Flush(uint64_t now_nanos);
  bool IsTakenOver() const;
  void HearFirst(uint64_t now_nanos);
  void CloseLeader();
  void SeekAgain(std::string trouble);
  bool LoseLeader(uint64_t now_nanos);
  bool LeaveUnled(uint64_t now_nanos);
  bool Leave(uint64_t now_nanos);
  bool End();
  void CountPassed();

  Surroundings& surroundings_;
  const uint64_t tag_;
  std::unique_ptr<runtime::Socket> client_;
  std::unique_ptr<runtime::Socket> leader_;
  std::string leader_name_;  // whom leader_ was dialed for
  Phase phase_ = Phase::kSilent;
  Lane to_leader_;
  Lane to_client_;
  uint64_t counted_to_leader_ = 0;  // of the lanes' bytes
  uint64_t counted_to_client_ = 0;
  bool leader_deaf_ = false;          // it takes no more bytes
  uint64_t given_up_nanos_ = kNever;  // when a leader that another one followed is lost
  bool turned_away_ = false;
  const uint64_t handshake_deadline_nanos_;
  std::string introduction_;
  size_t unheard_ = 0;    // replies to it
  std::string greeting_;  // of this leader; empty: none is due, or it is over
  size_t greeted_ = 0;    // bytes of it that were sent
  size_t heard_ = 0;      // replies to it; while taking back, bytes
  resp::ReplyParser replies_;
  resp::Version version_ = resp::Version::k2;  // that the client expects
  bool for_leader_ = false;
  bool returns_ = false;
  uint64_t deadline_nanos_ = kNever;       // of this phase
  uint64_t dial_deadline_nanos_ = kNever;  // of this attempt
  // Refused and leaving.
  std::optional<Refuser> refuser_;
  std::string words_;  // not written yet, from words_sent_ on
  size_t words_sent_ = 0;
  bool readable_ = true;
  bool end_seen_ = false;  // the Poller knows of it
  bool ended_ = false;     // it was read
  bool end_said_ = false;  // to the client
};

}  // namespace luna::follower
