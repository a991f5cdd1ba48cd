// lunad: the service as a program. This file alone knows CLI11: it turns arguments and environment
// into Settings.
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <string>

#include "apps/lunad/serve.h"
#include "apps/lunad/settings.h"
#include "apps/output/screen.h"
#include "base/text.h"

namespace luna::lunad {
namespace {

class CommandLine {
 public:
  CommandLine() {
    app_.name("lunad");
    app_.set_version_flag("--version", "lunad " + std::string(kVersion));
    app_.footer(
        "SIGTERM and SIGINT stop in order, a second one at once. Exit codes: 0 stopped in order, 1 "
        "at once, 2 wrong usage, 3 error.");
    app_.failure_message([](const CLI::App*, const CLI::Error& error) {
      return "lunad: " + std::string(error.what()) + "; see lunad --help\n";
    });
    AddUniverse();
    AddNetwork();
    app_.add_flag("--print-config", print_config_,
                  "print every setting and where it came from, as TOML, and end");
  }

  int Run(int count, char** arguments) {
    TakeEnvironment("LUNA_UNIVERSE", "universe", settings_.universe);
    TakeEnvironment("LUNA_PASSWORD", "password", settings_.password);
    try {
      app_.parse(count, arguments);
    } catch (const CLI::ParseError& error) {
      return app_.exit(error) == 0 ? output::kExitOk : output::kExitUsage;
    }
    for (const CLI::Option* option : app_.get_options()) {
      if (option->count() > 0) {
        const std::string name = option->get_single_name();
        origins_[name == "no-protected" ? "protected" : name] = "command line";
      }
    }
    return print_config_ ? Print() : Serving();
  }

 private:
  void TakeEnvironment(const char* variable, const std::string& name, std::string& value) {
    if (const char* given = std::getenv(variable); given != nullptr && *given != '\0') {
      value = given;
      origins_[name] = variable;
    }
  }

  void AddUniverse() {
    app_.add_option("--universe", settings_.universe,
                    "directory of the universe, made if missing; also from LUNA_UNIVERSE "
                    "[./luna-data]");
    app_.add_option_function<std::string>(
            "--memory",
            [this](const std::string& text) {
              const auto bytes = base::ParseBytes(text);
              if (!bytes.has_value()) {
                throw CLI::ValidationError("--memory", "'" + text + "' is no size, like 512MiB");
              }
              settings_.memory_bytes = *bytes;
            },
            "memory for everything the engine holds, at least 64MiB [256MiB]")
        ->type_name("SIZE");
    app_.add_option_function<std::string>(
            "--durability",
            [this](const std::string& level) {
              settings_.durability = level == "device"    ? Durability::kDevice
                                     : level == "process" ? Durability::kProcess
                                                          : Durability::kRelaxed;
            },
            "what a write survives: device (power loss), process (a killed process), relaxed "
            "(nothing for 0.1 s) [device]")
        ->check(CLI::IsMember({"device", "process", "relaxed"}))
        ->type_name("LEVEL");
  }

  void AddNetwork() {
    app_.add_option("--listen", settings_.listen,
                    "address to listen on, may be repeated; port 0 is any [127.0.0.1:6479]")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->type_name("HOST:PORT");
    app_.add_option(
            "--password", settings_.password,
            "what clients must give; better from LUNA_PASSWORD, which other users do not see")
        ->type_name("PASSWORD");
    app_.add_flag_callback(
        "--no-protected", [this] { settings_.protected_mode = false; },
        "listen on addresses that other machines may reach even without a password");
    app_.add_option("--maxclients", settings_.max_clients, "connections at a time [10000]")
        ->check(CLI::Range(1, 1'000'000))
        ->type_name("N");
    app_.add_option("--handlers", settings_.handlers,
                    "threads that talk to clients and answer reads [1]")
        ->check(CLI::Range(1, 256))
        ->type_name("N");
    app_.add_option("--readers", settings_.readers, "threads for commands that take long [1]")
        ->check(CLI::Range(1, 256))
        ->type_name("N");
    app_.add_option("--timeout", settings_.timeout_seconds,
                    "seconds after which an idle connection is closed; 0 never [0]")
        ->check(CLI::Range(0, 1'000'000'000))
        ->type_name("SECONDS");
    app_.add_option("--tls-listen", settings_.tls_listen, "address to listen on with TLS")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->type_name("HOST:PORT");
    app_.add_option("--tls-cert", settings_.tls_cert, "certificate chain for TLS, PEM");
    app_.add_option("--tls-key", settings_.tls_key, "private key for TLS, PEM");
    app_.add_option("--tls-ca", settings_.tls_ca, "whose client certificates are trusted, PEM");
    app_.add_option("--tls-client-auth", settings_.tls_client_auth,
                    "whether clients must show a certificate [no]")
        ->check(CLI::IsMember({"no", "optional", "required"}));
    app_.add_option("--acl-file", settings_.acl_file, "file of users and their rights");
    app_.add_option("--addresses-file", settings_.addresses_file,
                    "file to write the addresses to, one a line, once clients may come")
        ->type_name("PATH");
  }

  int Print() {
    output::Print(ToToml(settings_, origins_));
    return Report(output::FinishOutput());
  }

  int Serving() { return Report(Serve(settings_)); }

  static int Report(const Status& status) {
    if (status.ok()) {
      return output::kExitOk;
    }
    output::PrintError("lunad", status.error());
    return status.error().reason() == Reason::kBadOption ? output::kExitUsage : output::kExitError;
  }

  Settings settings_;
  Origins origins_;
  bool print_config_ = false;
  CLI::App app_{"lunad: Luna's service; serves one universe to Redis clients"};
};

}  // namespace
}  // namespace luna::lunad

int main(int count, char** arguments) {
  return luna::lunad::CommandLine().Run(count, arguments);
}
