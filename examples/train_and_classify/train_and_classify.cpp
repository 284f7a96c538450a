// Trains a small classifier on an image folder and classifies an image with it: train_and_classify DATA RUN IMAGE
// Ctrl-C stops the training. The next call with the same RUN continues it.
#include <atomic>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <string>

#include <frgan/classifier/classifier.h>
#include <frgan/core/run_files.h>
#include <frgan/train/training.h>

namespace {

std::atomic<int> stop_signal = 0;

frgan::Training start_or_resume(const std::string& data, const std::filesystem::path& run) {
  if (std::filesystem::exists(run / frgan::kCheckpointsFolder)) return frgan::Training::resume(run);
  return frgan::Training::start(frgan::make_run_request("supervised", {{"data", data},
                                                                       {"image-size", 16},
                                                                       {"channels", 1},
                                                                       {"width", 0.125},
                                                                       {"batch-size", 4},
                                                                       {"steps", 300},
                                                                       {"log-every", 1}}),
                                {.folder = run});
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) {
    std::cerr << "usage: train_and_classify DATA RUN IMAGE\n";
    return 2;
  }
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int received) { stop_signal = received; });
  try {
    frgan::Training training = start_or_resume(arguments[1], arguments[2]);
    std::cout << "training from step " << training.steps_done() << '\n' << training.plan_text();
    frgan::Progress progress(frgan::standard_error_progress(), training.planned_steps());
    const frgan::RunResult result = training.run(progress, stop_signal);
    if (!result.finished) {
      std::cout << "stopped at step " << result.summary.steps << '\n';
      return 128 + stop_signal;
    }
    const frgan::Classifier classifier = frgan::Classifier::load(result.checkpoint);
    const frgan::FilePrediction prediction = classifier.classify_file(arguments[3]);
    std::cout << classifier.class_names()[prediction.label] << ' ' << prediction.probabilities[prediction.label]
              << '\n';
  } catch (const frgan::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
