// demo: Luna at work on a Debian package index, in front of the user.
#include "apps/luna/demo.h"

#include <algorithm>
#include <cstdio>

#include "apps/luna/statistics.h"
#include "apps/luna/verbs.h"
#include "apps/output/escape.h"
#include "apps/output/screen.h"
#include "base/hash.h"
#include "base/try.h"

namespace luna::cli {

using output::Grouped;

void Presenter::Title(const std::string& text) {
  output::Print("\n" + text + "\n");
  std::fflush(stdout);
}

void Presenter::Line(const std::string& text) {
  output::Print("  " + text + "\n");
  std::fflush(stdout);
}

void Presenter::Check(bool holds, const std::string& text) {
  ++checks_;
  failed_ += holds ? 0 : 1;
  Line((holds ? "ok: " : "FAILED: ") + text);
}

std::string Rate(uint64_t count, double seconds) {
  const double per_second = static_cast<double>(count) / std::max(seconds, 1e-6);
  return Grouped(count) + " in " + output::Fixed(seconds, 2) + " s, " +
         Grouped(static_cast<uint64_t>(per_second)) + "/s";
}

std::string FirstLine(std::string_view text) {
  constexpr size_t kColumns = 70;
  const std::string_view line = text.substr(0, text.find('\n'));
  return output::Escape(line.substr(0, kColumns)) + (line.size() < text.size() ? " ..." : "");
}

uint64_t ChecksumOf(std::string_view stanza) {
  return base::Hash(stanza);
}

namespace {

// Everything up to the moment the universe is closed for the crash.
Result<IndexFacts> ShowOpen(const Request& request, Presenter& presenter) {
  const auto session = TRY(Session::Open(request, Missing::kIsMade));
  const auto database = TRY(session->OpenDatabase());
  const auto packages = TRY(database->OpenOrCreateCollection("packages"));
  const auto sections = TRY(database->OpenOrCreateCollection("sections"));
  const Shelves shelves{.database = *database, .packages = *packages, .sections = *sections};
  presenter.Title("Loading " + request.file + " into collections packages and sections");
  IndexFacts facts = TRY(LoadIndex(request.file, shelves, presenter));
  TRY(ShowReads(shelves, facts, presenter));
  TRY(ShowScans(shelves, facts, presenter));
  TRY(ShowConflict(*database, presenter));
  TRY(ShowSnapshot(*database, presenter));
  presenter.Title("Statistics, after a flush");
  TRY(packages->Flush());
  TRY(sections->Flush());
  output::Print(DescribeStats(TRY(session->universe().GetStats())));
  TRY(session->Close());
  return facts;
}

}  // namespace

Result<int> Demo(const Request& request) {
  Presenter presenter;
  presenter.Title("Universe in " + request.universe);
  const IndexFacts facts = TRY(ShowOpen(request, presenter));
  TRY(ShowCrash(request, facts, presenter));
  if (presenter.failed() > 0) {
    return Error(Reason::kLostData, Grouped(presenter.failed()) + " of " +
                                        Grouped(presenter.checks()) +
                                        " checks failed; look for FAILED above");
  }
  presenter.Title("All " + Grouped(presenter.checks()) + " checks hold. Go on with, for example:");
  const std::string place = " --universe " + request.universe;
  presenter.Line("luna" + place + " --collection packages RANGE PREFIX libssl KEYS");
  presenter.Line("luna" + place + " STATS");
  return output::kExitOk;
}

}  // namespace luna::cli
