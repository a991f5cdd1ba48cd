// The prompt: lines from a terminal, with history, completion and hints. This file alone knows
// libedit.
#include <histedit.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "apps/luna/command.h"
#include "apps/luna/command_docs.h"
#include "apps/luna/place_shown.h"
#include "apps/luna/quoting.h"
#include "apps/luna/verbs.h"
#include "apps/output/escape.h"
#include "apps/output/screen.h"
#include "base/try.h"

namespace luna::cli {
namespace {

constexpr int kHistoryLines = 1000;
constexpr std::chrono::milliseconds kSlow{100};

// Whose wait Ctrl-C ends: a signal handler has no other way to know.
std::atomic<client::Client*> waiting{nullptr};

void OnInterrupt(int) {
  if (client::Client* client = waiting.load(); client != nullptr) {
    client->Interrupt();
  }
}

// While it lives Ctrl-C is a signal; else, at the prompt, a key.
class InterruptsFromKeys {
 public:
  InterruptsFromKeys() { Set(true); }
  ~InterruptsFromKeys() { Set(false); }
  InterruptsFromKeys(const InterruptsFromKeys&) = delete;
  InterruptsFromKeys& operator=(const InterruptsFromKeys&) = delete;

 private:
  static void Set(bool signals) {
    termios mode = {};
    if (tcgetattr(STDIN_FILENO, &mode) == 0) {
      constexpr auto kSignals = static_cast<tcflag_t>(ISIG);
      mode.c_lflag = signals ? mode.c_lflag | kSignals : mode.c_lflag & ~kSignals;
      tcsetattr(STDIN_FILENO, TCSANOW, &mode);
    }
  }
};

std::filesystem::path HistoryFile() {
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  if (state != nullptr && *state != '\0') {
    return std::filesystem::path(state) / "luna" / "history";
  }
  return home == nullptr ? std::filesystem::path()
                         : std::filesystem::path(home) / ".local" / "state" / "luna" / "history";
}

// Lines with a password in them are not kept.
bool IsSecret(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    const std::string upper = UpperCase(word);
    if (upper == "AUTH" || upper == "ACL" || upper == "REQUIREPASS" || upper == "PASSWORD") {
      return true;
    }
  }
  return false;
}

// Owned by one thread.
class Prompt {
 public:
  explicit Prompt(const Request& request)
      : request_(request), place_(request.target.database, request.target.collection) {}
  ~Prompt();
  Prompt(const Prompt&) = delete;
  Prompt& operator=(const Prompt&) = delete;

  Result<int> Run();

 private:
  void SetUp();
  void Remember(const std::string& line);
  // False: the user wants to end.
  Result<bool> RunLine(const std::string& line);
  Status RunWords(const std::vector<std::string>& words);
  Status Reconnect();
  std::vector<std::string> WordsBeforeCursor() const;
  unsigned char Complete();
  void ShowChoices(const std::vector<std::string>& choices) const;
  const char* Hint();

  static Prompt& Of(EditLine* editor) {
    void* self = nullptr;
    el_get(editor, EL_CLIENTDATA, &self);
    return *static_cast<Prompt*>(self);
  }
  static char* Text(EditLine* editor) { return Of(editor).text_.data(); }
  static char* HintText(EditLine* editor) { return const_cast<char*>(Of(editor).Hint()); }
  static unsigned char OnTab(EditLine* editor, int) { return Of(editor).Complete(); }
  static unsigned char OnSpace(EditLine* editor, int) {
    el_insertstr(editor, " ");
    return CC_REFRESH;
  }
  static unsigned char OnCancel(EditLine* editor, int) {
    Of(editor).cancelled_ = true;
    return CC_NEWLINE;
  }

  const Request& request_;
  client::Target target_;
  std::unique_ptr<client::Client> client_;
  CommandDocs docs_;
  PlaceShown place_;
  EditLine* editor_ = nullptr;
  History* history_ = nullptr;
  HistEvent event_ = {};
  std::string text_;  // the prompt
  std::string hint_;
  bool cancelled_ = false;
};

Prompt::~Prompt() {
  waiting = nullptr;
  if (editor_ != nullptr) {
    el_end(editor_);
  }
  if (history_ != nullptr) {
    history_end(history_);
  }
}

void Prompt::SetUp() {
  std::setlocale(LC_CTYPE, "");
  editor_ = el_init("luna", stdin, stdout, stderr);
  history_ = history_init();
  history(history_, &event_, H_SETSIZE, kHistoryLines);
  history(history_, &event_, H_SETUNIQUE, 1);
  if (const auto file = HistoryFile(); !file.empty()) {
    history(history_, &event_, H_LOAD, file.c_str());
  }
  el_set(editor_, EL_CLIENTDATA, this);
  el_set(editor_, EL_EDITOR, "emacs");
  el_set(editor_, EL_HIST, history, history_);
  el_set(editor_, EL_PROMPT_ESC, &Prompt::Text, '\1');
  el_set(editor_, EL_RPROMPT_ESC, &Prompt::HintText, '\1');
  el_set(editor_, EL_ADDFN, "luna-complete", "completes the word", &Prompt::OnTab);
  el_set(editor_, EL_ADDFN, "luna-space", "shows what may follow", &Prompt::OnSpace);
  el_set(editor_, EL_ADDFN, "luna-cancel", "takes the line back", &Prompt::OnCancel);
  el_set(editor_, EL_BIND, "\t", "luna-complete", nullptr);
  el_set(editor_, EL_BIND, " ", "luna-space", nullptr);
  el_set(editor_, EL_BIND, "^C", "luna-cancel", nullptr);
  el_set(editor_, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  // While a line is edited Ctrl-C is a key, not a signal.
  el_set(editor_, EL_SETTY, "-d", "-isig", nullptr);
  el_set(editor_, EL_SETTY, "-x", "-isig", nullptr);
  struct sigaction action = {};
  action.sa_handler = OnInterrupt;
  sigaction(SIGINT, &action, nullptr);
}

void Prompt::Remember(const std::string& line) {
  history(history_, &event_, H_ENTER, line.c_str());
  const auto file = HistoryFile();
  if (file.empty()) {
    return;
  }
  std::error_code ignored;  // a history that cannot be kept is no reason to stop
  std::filesystem::create_directories(file.parent_path(), ignored);
  const mode_t before = umask(077);
  history(history_, &event_, H_SAVE, file.c_str());
  umask(before);
}

std::vector<std::string> Prompt::WordsBeforeCursor() const {
  const LineInfo* line = el_line(editor_);
  const std::string_view text(line->buffer, static_cast<size_t>(line->cursor - line->buffer));
  std::vector<std::string> words = SplitWords(text).value_or(std::vector<std::string>());
  if (text.empty() || text.back() == ' ') {
    words.emplace_back();
  }
  return words;
}

unsigned char Prompt::Complete() {
  const std::vector<std::string> words = WordsBeforeCursor();
  if (words.empty()) {
    return CC_REFRESH_BEEP;
  }
  const std::vector<std::string> choices = docs_.Completions(words);
  if (choices.empty()) {
    return CC_REFRESH_BEEP;
  }
  std::string shared = choices.front();
  for (const std::string& choice : choices) {
    while (!choice.starts_with(shared)) {
      shared.pop_back();
    }
  }
  const std::string& begun = words.back();
  if (shared.size() > begun.size() || choices.size() == 1) {
    el_deletestr(editor_, static_cast<int>(begun.size()));
    el_insertstr(editor_, (shared + (choices.size() == 1 ? " " : "")).c_str());
    return CC_REFRESH;
  }
  ShowChoices(choices);
  return CC_REDISPLAY;
}

void Prompt::ShowChoices(const std::vector<std::string>& choices) const {
  winsize size = {};
  const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  const size_t columns = known ? size.ws_col : 80;
  std::string text = "\n";
  size_t column = 0;
  for (const std::string& choice : choices) {
    if (column + choice.size() + 2 > columns && column > 0) {
      text += "\n";
      column = 0;
    }
    text += choice + "  ";
    column += choice.size() + 2;
  }
  output::Print(text + "\n");
  std::fflush(stdout);
}

const char* Prompt::Hint() {
  hint_.clear();
  const std::vector<std::string> words = WordsBeforeCursor();
  if (words.size() > 1) {
    if (const CommandDoc* doc = docs_.Find(words); doc != nullptr && !doc->syntax.empty()) {
      hint_ = WantsColours() ? "\1\x1b[90m\1" + doc->syntax + "\1\x1b[0m\1" : doc->syntax;
    }
  }
  return hint_.c_str();
}

Status Prompt::Reconnect() {
  waiting = nullptr;
  client_ = nullptr;
  target_.database = place_.database();
  target_.collection = place_.collection();
  client_ = TRY(client::Client::Connect(target_));
  place_.EndTransaction();
  waiting = client_.get();
  return {};
}

Status Prompt::RunWords(const std::vector<std::string>& words) {
  const auto begin = std::chrono::steady_clock::now();
  const auto answered = [&] {
    const InterruptsFromKeys interrupts;
    return CallAndShow(*client_, request_, words);
  }();
  if (!answered.ok()) {
    const bool in_transaction = place_.in_transaction();
    const bool lost = answered.error().reason() == Reason::kUnreachable;
    output::PrintError("luna", answered.error());
    TRY(Reconnect());
    output::Print(std::string("connected again") +
                  (in_transaction ? "; the transaction is rolled back" : "") +
                  (lost ? "; give the command again if it is still wanted\n" : "\n"));
    return {};
  }
  place_.Saw(words, answered->reply);
  const auto took = std::chrono::steady_clock::now() - begin;
  if (took > kSlow) {
    output::Print("(" + output::Fixed(std::chrono::duration<double>(took).count(), 2) + " s)\n");
  }
  return {};
}

Result<bool> Prompt::RunLine(const std::string& line) {
  const auto words = SplitWords(line);
  if (!words.has_value()) {
    output::Print("the quotes do not fit\n");
    return true;
  }
  if (words->empty()) {
    return true;
  }
  if (!IsSecret(*words)) {
    Remember(line);
  }
  const std::string name = UpperCase(words->front());
  if (name == "QUIT" || name == "EXIT") {
    return false;
  }
  if (name == "HELP" || name == "?") {
    output::Print(docs_.Help({words->begin() + 1, words->end()}));
  } else if (name == "CLEAR") {
    output::Print("\x1b[H\x1b[2J");
  } else if (IsMeant(request_, *words)) {
    TRY(RunWords(*words));
  }
  return true;
}

Result<int> Prompt::Run() {
  // Threads of a service in this process are born with Ctrl-C blocked: it is for this one.
  sigset_t interrupt;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  pthread_sigmask(SIG_BLOCK, &interrupt, nullptr);
  target_ = request_.target;
  target_.make_universe = true;
  client_ = TRY(client::Client::Connect(target_));
  docs_ = TRY(CommandDocs::Read(*client_));
  SetUp();
  waiting = client_.get();
  pthread_sigmask(SIG_UNBLOCK, &interrupt, nullptr);
  for (bool more = true; more;) {
    text_ =
        "luna " + output::Escape(client_->address()) + " " + output::Escape(place_.Text()) + "> ";
    std::fflush(stdout);
    int length = 0;
    cancelled_ = false;
    // Before the prompt is shown, not after: a control key typed in between is a key as well.
    el_set(editor_, EL_PREP_TERM, 1);
    const char* line = el_gets(editor_, &length);
    if (cancelled_) {
      output::Print("^C\n");
      continue;
    }
    if (line == nullptr || length <= 0) {
      output::Print("\n");
      break;
    }
    std::string typed(line, static_cast<size_t>(length));
    while (typed.ends_with('\n') || typed.ends_with('\r')) {
      typed.pop_back();
    }
    more = TRY(RunLine(typed));
  }
  waiting = nullptr;
  TRY(client_->Close());
  return output::kExitOk;
}

}  // namespace

Result<int> RunPrompt(const Request& request) {
  return Prompt(request).Run();
}

}  // namespace luna::cli
