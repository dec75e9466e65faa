#include <iostream>
#include <stdexcept>
#include <string>

int main() {
    try {
        throw std::runtime_error("thrown");
    } catch (const std::exception &error) {
        std::cout << "hello, " << std::string(error.what()) << std::endl;
    }
}
