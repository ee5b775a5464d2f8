/// Runs a fuzz target over every file of a directory: the corpus as a regression test, without
/// libFuzzer.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::vector<std::filesystem::path> files_of(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator{directory}) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// In a buffer of its exact size, so that a sanitizer sees the first byte read behind it.
std::vector<std::uint8_t> bytes_of(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  file.exceptions(std::ios::badbit | std::ios::failbit);
  std::vector<std::uint8_t> bytes(std::filesystem::file_size(path));
  if (!bytes.empty()) {
    file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  return bytes;
}

int replay(const std::filesystem::path& directory) {
  const auto files = files_of(directory);
  for (const auto& path : files) {
    const auto bytes = bytes_of(path);
    // Said before, so that the last line names the input that crashed.
    std::printf("%s\n", path.filename().c_str());
    std::fflush(stdout);
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }
  std::printf("%zu inputs\n", files.size());
  return files.empty() ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
    return 2;
  }
  try {
    return replay(argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argv[1], error.what());
    return 1;
  }
}
