// luna-inspect: what is in the files of a universe, and whether it is what was written.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "apps/luna_inspect/file_storage.h"
#include "apps/luna_inspect/inspect.h"
#include "apps/output/screen.h"
#include "base/try.h"
#include "runtime/posix/posix_runtime.h"

namespace luna::inspect {
namespace {

struct Arguments {
  std::string path;
  Wishes wishes;
  bool json = false;
};

Result<int> Run(const Arguments& arguments) {
  const auto files = posix::NewPosixFileSystem();
  const auto storage = NewFileStorage(*files);
  Printer printer(arguments.json);
  Inspector inspector{
      .files = *files, .storage = *storage, .printer = printer, .wishes = arguments.wishes};
  TRY(InspectPath(inspector, arguments.path));
  printer.Summary();
  TRY(output::FinishOutput());
  return printer.damaged() == 0 ? output::kExitOk : output::kExitNegative;
}

int Main(int count, char** words) {
  Arguments arguments;
  CLI::App app{"luna-inspect: prints and verifies the files of a universe; changes nothing"};
  app.name("luna-inspect");
  app.add_option("PATH", arguments.path, "directory of a universe, or one of its files")
      ->required();
  app.add_flag("--verify", arguments.wishes.verify,
               "read everything; names the first bad bytes of each damaged file");
  app.add_flag("--entries", arguments.wishes.entries,
               "also print the records of journals and manifests and the entries of tables");
  app.add_flag("--json", arguments.json, "JSON, an object a line");
  app.footer("Exit codes: 0 nothing is damaged, 1 something is, 2 wrong usage, 3 error.");
  app.failure_message([](const CLI::App*, const CLI::Error& error) {
    return "luna-inspect: " + std::string(error.what()) + "; see luna-inspect --help\n";
  });
  try {
    app.parse(count, words);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? output::kExitOk : output::kExitUsage;
  }
  const Result<int> exit = Run(arguments);
  if (exit.ok()) {
    return *exit;
  }
  output::PrintError("luna-inspect", exit.error());
  return output::kExitError;
}

}  // namespace
}  // namespace luna::inspect

int main(int count, char** words) {
  return luna::inspect::Main(count, words);
}
