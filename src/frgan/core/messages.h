// Messages that a library function passes to its caller while it works. The library itself never prints.
#pragma once

#include <functional>
#include <string>

namespace frgan {

// Each function receives one line without a line break. By default, messages are ignored.
//
//   Messages messages;
//   messages.warning = [](const std::string& text) { std::cerr << "warning: " << text << '\n'; };
//   const RunEvaluation evaluation = evaluate_run({.checkpoint = "runs/a"}, messages);
struct Messages {
  using Receiver = std::function<void(const std::string&)>;

  Receiver warning = [](const std::string&) {};   // the result may differ from what the caller expects
  Receiver note = [](const std::string&) {};      // about the data, such as unreadable images
  Receiver progress = [](const std::string&) {};  // a long operation begins
};

}  // namespace frgan
