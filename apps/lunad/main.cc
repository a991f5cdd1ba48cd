// lunad: the service as a program. This file alone knows CLI11: it gathers the configuration from
// the file, the environment and flags, which follow one table (service/server/settings.h).
#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "apps/lunad/serve.h"
#include "apps/output/screen.h"
#include "base/try.h"
#include "base/writer.h"
#include "service/server/config.h"

namespace luna::lunad {
namespace {

std::string_view TypeOf(const server::Setting& setting) {
  using Kind = server::Setting::Kind;
  switch (setting.kind) {
    case Kind::kNumber:
      return "N";
    case Kind::kBytes:
      return "SIZE";
    case Kind::kSwitch:
      return "BOOL";
    case Kind::kList:
    case Kind::kChoice:
    case Kind::kText:
      break;
  }
  return "TEXT";
}

// Of a regular file, or anything else that ends.
Result<std::string> ContentOf(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text;
  std::array<char, 4096> piece;
  while (file.read(piece.data(), piece.size()) || file.gcount() > 0) {
    text.append(piece.data(), static_cast<size_t>(file.gcount()));
  }
  if (!file.is_open() || file.bad()) {
    return Error(Reason::kIoError, "cannot read the configuration '" + path +
                                       "': " + std::strerror(errno) +
                                       "; correct --config, or "
                                       "permit it");
  }
  return text;
}

class CommandLine {
 public:
  CommandLine() {
    app_.name("lunad");
    app_.set_version_flag("--version", "lunad " + std::string(base::kVersion));
    app_.footer(
        "Each setting may also stand in the file of --config, by the same name, or in the "
        "environment as LUNA_NAME; flags win over the environment, the environment over the "
        "file.\nSIGTERM and SIGINT stop in order, a second one at once; SIGHUP opens the log "
        "again. "
        "Exit codes: 0 stopped in order, 1 at once, 2 wrong usage or settings, 3 error.");
    app_.failure_message([](const CLI::App*, const CLI::Error& error) {
      return "lunad: " + std::string(error.what()) + "; see lunad --help\n";
    });
    app_.add_option("--config", config_path_, "file of settings, TOML; also from LUNA_CONFIG")
        ->type_name("PATH");
    app_.add_flag("--print-config", print_config_,
                  "print every setting and where it came from, as such a file, and end");
    app_.add_flag("--check-config", check_config_, "judge the settings and end");
    for (const server::Setting& setting : server::AllSettings()) {
      AddSetting(setting);
    }
  }

  int Run(int count, char** arguments) {
    try {
      app_.parse(count, arguments);
    } catch (const CLI::ParseError& error) {
      return app_.exit(error) == 0 ? output::kExitOk : output::kExitUsage;
    }
    const Status done = Act();
    if (done.ok()) {
      return output::kExitOk;
    }
    output::PrintError("lunad", done.error());
    return done.error().reason() == Reason::kBadOption ? output::kExitUsage : output::kExitError;
  }

 private:
  void AddSetting(const server::Setting& setting) {
    const std::string shown = server::TextOf(setting, server::Settings());
    app_.add_option("--" + std::string(setting.name), flags_[&setting],
                    std::string(setting.description) + (shown.empty() ? "" : " [" + shown + "]"))
        ->expected(1)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->type_name(std::string(TypeOf(setting)));
  }

  Status Gather() {
    const char* from_environment = std::getenv("LUNA_CONFIG");
    if (config_path_.empty() && from_environment != nullptr) {
      config_path_ = from_environment;
    }
    if (!config_path_.empty()) {
      const std::string text = TRY(ContentOf(config_path_));
      TRY(config_.TakeFile(text, config_path_));
    }
    TRY(config_.TakeEnvironment([](const std::string& name) { return std::getenv(name.c_str()); }));
    for (const server::Setting& setting : server::AllSettings()) {
      if (const auto& texts = flags_[&setting]; !texts.empty()) {
        TRY(config_.TakeFlag(setting, texts));
      }
    }
    return {};
  }

  Status Act() {
    TRY(Gather());
    if (print_config_) {
      output::Print(config_.ToToml());
      return output::FinishOutput();
    }
    if (check_config_) {
      TRY(server::CheckTogether(config_.settings()));
      TRY(PasswordOf(config_.settings()));
      output::Print("the settings are sound\n");
      return output::FinishOutput();
    }
    return Serve(config_);
  }

  server::Config config_;
  std::map<const server::Setting*, std::vector<std::string>> flags_;
  std::string config_path_;
  bool print_config_ = false;
  bool check_config_ = false;
  CLI::App app_{"lunad: Luna's service; serves one universe to Redis clients"};
};

}  // namespace
}  // namespace luna::lunad

int main(int count, char** arguments) {
  return luna::lunad::CommandLine().Run(count, arguments);
}
