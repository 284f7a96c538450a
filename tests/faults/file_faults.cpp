#include "file_faults.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <new>
#include <sstream>
#include <string>
#include <utility>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace frgan {
namespace {

namespace fs = std::filesystem;

// The function of the C library that a function of this file replaces.
template <class Function>
Function* original(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

// What is on disk: contents of files and entries of folders, by inode.
struct Disk {
  std::map<ino_t, std::string> contents;
  std::map<ino_t, std::map<std::string, ino_t>> folders;

  void sync(const fs::path& path) {
    struct stat status {};
    if (stat(path.c_str(), &status) != 0) return;
    if (S_ISREG(status.st_mode)) {
      std::ostringstream bytes;
      bytes << std::ifstream(path, std::ios::binary).rdbuf();
      contents[status.st_ino] = bytes.str();
    } else if (S_ISDIR(status.st_mode)) {
      std::map<std::string, ino_t>& entries = folders[status.st_ino];
      entries.clear();
      for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
        struct stat found {};
        if (lstat(entry.path().c_str(), &found) != 0) continue;
        entries[entry.path().filename()] = found.st_ino;
        if (S_ISDIR(found.st_mode)) folders.try_emplace(found.st_ino);  // empty until it is synced itself
      }
    }
  }
  void write(ino_t inode, const fs::path& path) const {
    if (const auto folder = folders.find(inode); folder != folders.end()) {
      fs::create_directories(path);
      for (const auto& [name, entry] : folder->second) write(entry, path / name);
    } else {
      const auto content = contents.find(inode);
      std::ofstream(path, std::ios::binary) << (content == contents.end() ? "" : content->second);
    }
  }
};

struct State {
  FileFault fault;
  int64_t calls = 0;
  bool busy = false;              // in a function of this file: its own calls do not count
  bool allocation_fails = false;  // the next one
  Disk disk;
};
// Never destroyed: files are closed after static objects are destroyed. Not allocated with operator new, which uses it.
State& state() {
  alignas(State) static std::array<std::byte, sizeof(State)> memory;
  static State* const only = new (memory.data()) State;
  return *only;
}

// Suspends counting and failing allocations.
class Busy {
 public:
  Busy() { state().busy = true; }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;
  ~Busy() { state().busy = false; }
};

[[noreturn]] void die() {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

[[noreturn]] void cut_power() {
  struct stat root {};
  stat(state().fault.below.c_str(), &root);
  state().disk.write(root.st_ino, state().fault.survivors);
  die();
}

fs::path path_of(const char* path) {
  return fs::absolute(path);
}
fs::path path_of(int descriptor) {
  std::error_code ignored;
  return fs::read_symlink("/proc/self/fd/" + std::to_string(descriptor), ignored);
}

// Counts a call for this path or descriptor. Returns the error with which the call must fail, or 0.
template <class File>
int fault_of_call(File file, bool is_write = false) {
  State& now = state();
  if (now.busy || now.fault.counted.empty()) return 0;
  const Busy busy;
  if (!path_of(file).string().starts_with(now.fault.counted)) return 0;
  if (++now.calls != now.fault.at) return 0;
  switch (now.fault.kind) {
    case FaultKind::kKill:
      die();
    case FaultKind::kPowerCut:
      cut_power();
    case FaultKind::kDiskFull:
      return ENOSPC;
    case FaultKind::kIoError:
      return EIO;
    case FaultKind::kAllocation:
      now.allocation_fails = true;
      return 0;
    case FaultKind::kShortWrite:
      return is_write ? EINTR : 0;
    case FaultKind::kNone:
      break;
  }
  return 0;
}

int fails(int error) {
  errno = error;
  return -1;
}

void note_sync(int descriptor) {
  State& now = state();
  if (now.busy || now.fault.kind != FaultKind::kPowerCut) return;
  const Busy busy;
  now.disk.sync(path_of(descriptor));
}

}  // namespace

void set_file_fault(const FileFault& fault) {
  const Busy busy;
  State& now = state();
  now.fault = fault;
  now.calls = 0;
  if (fault.kind != FaultKind::kPowerCut) return;
  now.disk = {};
  now.disk.sync(fault.below);
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(fault.below)) now.disk.sync(entry.path());
}

bool can_fail_allocations() {
#ifdef __SANITIZE_ADDRESS__
  return false;
#else
  return true;
#endif
}

int64_t counted_file_calls() {
  return state().calls;
}

}  // namespace frgan

extern "C" {

int open(const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & O_CREAT) != 0) {
    va_list rest;
    va_start(rest, flags);
    mode = va_arg(rest, mode_t);
    va_end(rest);
    if (const int error = frgan::fault_of_call(path)) return frgan::fails(error);
  }
  return frgan::original<int(const char*, int, ...)>("open")(path, flags, mode);
}

ssize_t write(int descriptor, const void* bytes, size_t count) {
  static auto* const real = frgan::original<ssize_t(int, const void*, size_t)>("write");
  const int error = frgan::fault_of_call(descriptor, /*is_write=*/true);
  if (error == EINTR && count > 1) return real(descriptor, bytes, count / 2);
  return error != 0 ? frgan::fails(error) : real(descriptor, bytes, count);
}

int fsync(int descriptor) {
  if (const int error = frgan::fault_of_call(descriptor)) return frgan::fails(error);
  const int result = frgan::original<int(int)>("fsync")(descriptor);
  frgan::note_sync(descriptor);
  return result;
}

int rename(const char* from, const char* to) noexcept {
  if (const int error = frgan::fault_of_call(to)) return frgan::fails(error);
  return frgan::original<int(const char*, const char*)>("rename")(from, to);
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) noexcept {
  if (const int error = frgan::fault_of_call(to))
    return frgan::fails(error);  // io/checkpoint_files.cpp gives whole paths
  return frgan::original<int(int, const char*, int, const char*, unsigned)>("renameat2")(from_folder, from, to_folder,
                                                                                         to, flags);
}

int unlinkat(int folder, const char* path, int flags) noexcept {  // std::filesystem::remove_all
  if (const int error = frgan::fault_of_call(folder)) return frgan::fails(error);
  frgan::state().allocation_fails = false;  // remove_all of libstdc++ 12 allocates in noexcept functions
  return frgan::original<int(int, const char*, int)>("unlinkat")(folder, path, flags);
}

int unlink(const char* path) noexcept {
  if (const int error = frgan::fault_of_call(path)) return frgan::fails(error);
  return frgan::original<int(const char*)>("unlink")(path);
}

int mkdir(const char* path, mode_t mode) noexcept {
  if (const int error = frgan::fault_of_call(path)) return frgan::fails(error);
  return frgan::original<int(const char*, mode_t)>("mkdir")(path, mode);
}

int ftruncate(int descriptor, off_t size) noexcept {
  if (const int error = frgan::fault_of_call(descriptor)) return frgan::fails(error);
  return frgan::original<int(int, off_t)>("ftruncate")(descriptor, size);
}

}  // extern "C"

#ifndef __SANITIZE_ADDRESS__  // which replaces these operators itself
void* operator new(size_t size) {
  if (!frgan::state().busy && std::exchange(frgan::state().allocation_fails, false)) throw std::bad_alloc();
  if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}
#endif
