#include "settings/portal_page.h"

#include <string.h>

namespace footfall {

namespace {

constexpr char kHead[] =
    "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>Footfall counter</title>"
    "<style>body{font:16px system-ui,sans-serif;max-width:34em;margin:1em auto;padding:0 1em}"
    "label{display:block;margin-top:.9em;font-weight:600}"
    "input{font:inherit;width:100%;box-sizing:border-box;padding:.4em}"
    ".wrong{color:#a40000;margin:.2em 0}button{font:inherit;margin-top:1.2em;padding:.6em 1.2em}</style></head><body>"
    "<h1>Footfall counter</h1><p>The counter keeps counting while this page is open.</p>"
    "<form method=\"post\" action=\"/save\">";
constexpr char kTail[] = "<button>Check and save</button></form></body></html>";

void write(TextSink& sink, const char* text) { sink.write(text, strlen(text)); }

void write_escaped(TextSink& sink, const char* text) {
    for (; *text != '\0'; ++text) {
        switch (*text) {
            case '&':
                write(sink, "&amp;");
                break;
            case '<':
                write(sink, "&lt;");
                break;
            case '>':
                write(sink, "&gt;");
                break;
            case '"':
                write(sink, "&quot;");
                break;
            default:
                sink.write(text, 1);
        }
    }
}

void write_input(TextSink& sink, const Settings& settings, size_t index) {
    char value[160];
    const size_t length = render_setting(settings, index, value, sizeof value);
    const bool secret = setting_is_secret(index);
    write(sink, "<input id=\"");
    write(sink, setting_name(index));
    write(sink, "\" name=\"");
    write(sink, setting_name(index));
    write(sink, secret ? "\" type=\"password\" autocomplete=\"new-password\" placeholder=\"" : "\" value=\"");
    if (secret) {
        write(sink, length > 0 ? "set; leave empty to keep it" : "not set");
    } else {
        write_escaped(sink, value);
    }
    write(sink, "\">");
}

}  // namespace

void render_portal_page(const Settings& settings, const SettingProblems& problems, TextSink& sink) {
    write(sink, kHead);
    for (size_t index = 0; index < kSettingCount; ++index) {
        const char* name = setting_name(index);
        write(sink, "<label for=\"");
        write(sink, name);
        write(sink, "\">");
        write(sink, name);
        write(sink, "</label>");
        for (size_t at = 0; at < problems.count; ++at) {
            if (strcmp(problems.problems[at].name, name) == 0) {
                write(sink, "<p class=\"wrong\">");
                write_escaped(sink, problems.problems[at].sentence);
                write(sink, "</p>");
            }
        }
        write_input(sink, settings, index);
    }
    write(sink, kTail);
}

bool keeps_when_empty(size_t index) { return setting_is_secret(index); }

}  // namespace footfall
