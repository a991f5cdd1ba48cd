// What `luna` does, a function each: exit code, or the error that ends the program with kExitError.
// Each makes its own connection or session and closes it before it returns.
// Thread rule: called once, from main.
#pragma once

#include "apps/luna/request.h"
#include "luna/status.h"

namespace luna::cli {

using Verb = Result<int> (*)(const Request&);

// command.cc: one command, or those on standard input
Result<int> RunCommand(const Request& request);
Result<int> RunStandardInput(const Request& request);
Result<int> ShowHelp(const Request& request);
// prompt.cc
Result<int> RunPrompt(const Request& request);
// load.cc, export.cc
Result<int> Load(const Request& request);
Result<int> Export(const Request& request);
// attach.cc
Result<int> Attach(const Request& request);
// demo.cc, on a directory; DemoLoad is the process that the demonstration kills
Result<int> Demo(const Request& request);
Result<int> DemoLoad(const Request& request);

}  // namespace luna::cli
