#include "words.h"

#include <cstring>
#include <set>
#include <sstream>
#include <string>

char *sort_words(const char *text) {
	std::istringstream in(text);
	std::multiset<std::string> words;
	for (std::string word; in >> word;)
		words.insert(word);
	std::string out;
	for (const auto &word : words)
		out += out.empty() ? word : " " + word;
	return strdup(out.c_str());
}
