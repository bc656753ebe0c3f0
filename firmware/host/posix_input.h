// Reads a trace or a list of crossings.
#pragma once

#include <stdint.h>

#include <string>
#include <vector>

struct Input {
    int64_t at_us;  // on the trace's clock
    bool outer;     // of a trace: interrupted?
    bool inner;
    int8_t direction;  // of a list of crossings: 1 entry, -1 exit
};

// Reads the file at *path* ("-": stdin): lines t_ms,outer,inner, or t_ms,entry|exit if *is_crossings*. Skips a header,
// empty lines and lines that start with #. Returns an error message, or an empty string.
std::string read_inputs(const std::string& path, bool is_crossings, std::vector<Input>& inputs);
