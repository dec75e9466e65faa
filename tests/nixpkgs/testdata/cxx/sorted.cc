#include <algorithm>
#include <string>
#include <vector>

namespace {
std::vector<std::string> words() { return {"pear", "apple", "fig"}; }
}

extern "C" int sorted(void) {
  auto all = words();
  std::sort(all.begin(), all.end());
  return all.front() == "apple";
}
