// The dates of HTTP headers (RFC 9110, section 5.6.7).
#pragma once

#include <stdint.h>

namespace footfall {

// Reads "Sun, 06 Nov 1994 08:49:37 GMT" into seconds since 1970 UTC. False for anything else; the two obsolete forms
// are not read, since no server has sent them for decades.
bool parse_http_date(const char* text, int64_t& utc_s);

// Reads the value of a Retry-After header: seconds, or a date, of which *now_utc_s* is subtracted. At most an hour is
// returned. False where it cannot be read.
bool parse_retry_after(const char* text, int64_t now_utc_s, int64_t& wait_s);

}  // namespace footfall
