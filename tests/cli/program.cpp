#include "program.h"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace frgan {
namespace {

using File = std::unique_ptr<FILE, int (*)(FILE*)>;

std::string written_to(FILE* file) {
  std::rewind(file);
  std::string text;
  for (int c; (c = std::fgetc(file)) != EOF;) text += static_cast<char>(c);
  return text;
}

}  // namespace

Outcome run_frgan(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
                  const Interruption& interruption) {
  const File out(std::tmpfile(), std::fclose), err(std::tmpfile(), std::fclose);
  std::string program = FRGAN_PROGRAM;
  std::vector<std::string> words = arguments, variables = environment;
  std::vector<char*> pointers = {program.data()};
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    for (std::string& variable : variables) putenv(variable.data());
    dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
    dup2(fileno(out.get()), STDOUT_FILENO);
    dup2(fileno(err.get()), STDERR_FILENO);
    execv(FRGAN_PROGRAM, pointers.data());
    _exit(127);
  }
  int status = 0;
  bool waiting = interruption.signal != 0;
  while (waitpid(child, &status, waiting ? WNOHANG : 0) == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    if (!interruption.when()) continue;
    kill(child, interruption.signal);
    waiting = false;
  }
  Outcome outcome = {WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status), written_to(out.get()),
                     written_to(err.get())};
  EXPECT_NE(outcome.code, 127) << FRGAN_PROGRAM << " could not be started";
  return outcome;
}

std::string text_of(const std::filesystem::path& path) {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  EXPECT_FALSE(text.str().empty()) << path;
  return text.str();
}

}  // namespace frgan
