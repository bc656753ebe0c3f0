#include "posix_input.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

namespace {

// Parses one line; false if it is invalid.
bool parse_line(const char* line, bool is_crossings, Input& input) {
    char* rest = nullptr;
    const double ms = strtod(line, &rest);
    if (rest == line || *rest != ',' || !(ms >= 0 && ms < 1e13)) {
        return false;
    }
    input = {llround(ms * 1000), false, false, 0};
    rest++;
    if (is_crossings) {
        input.direction = strcmp(rest, "entry") == 0 ? 1 : strcmp(rest, "exit") == 0 ? -1 : 0;
        return input.direction != 0;
    }
    const bool is_right =
        (rest[0] == '0' || rest[0] == '1') && rest[1] == ',' && (rest[2] == '0' || rest[2] == '1') && rest[3] == 0;
    input.outer = rest[0] == '1';
    input.inner = is_right && rest[2] == '1';
    return is_right;
}

}  // namespace

std::string read_inputs(const std::string& path, bool is_crossings, std::vector<Input>& inputs) {
    FILE* file = path == "-" ? stdin : fopen(path.c_str(), "r");
    if (file == nullptr) {
        return path + ": " + strerror(errno);
    }
    std::string complaint;
    char line[128];
    for (size_t number = 1; complaint.empty() && fgets(line, sizeof line, file) != nullptr; number++) {
        for (size_t size = strlen(line); size > 0 && isspace(static_cast<unsigned char>(line[size - 1])); size--) {
            line[size - 1] = 0;
        }
        if (*line == 0 || *line == '#' || (inputs.empty() && isalpha(static_cast<unsigned char>(*line)))) {
            continue;
        }
        Input input = {};
        if (!parse_line(line, is_crossings, input)) {
            complaint =
                path + ", line " + std::to_string(number) + ": expected t_ms," + (is_crossings ? "entry" : "1,0");
        } else if (!inputs.empty() && input.at_us < inputs.back().at_us) {
            complaint = path + ", line " + std::to_string(number) + ": time goes back";
        } else {
            inputs.push_back(input);
        }
    }
    if (file != stdin) {
        fclose(file);
    }
    return complaint;
}
