#include "report.h"

#include <Arduino.h>
#include <ESP8266WiFi.h>
#include <time.h>

#include "board.h"

footfall::Status report_status(const footfall::CrossingSource& source, const footfall::Queue& queue,
                               const Radio& radio) {
    footfall::Status status;
    status.firmware = kFirmwareVersion;
    status.uptime_s = source.now_ms() / 1000;
    status.rssi_dbm = radio.rssi_dbm();
    status.heap_bytes = ESP.getFreeHeap();
    status.queued = queue.waiting();
    status.dropped = queue.dropped();
    status.aborted = source.aborted();
    status.outer_blocked_s = source.blocked_s(footfall::Beam::kOuter);
    status.inner_blocked_s = source.blocked_s(footfall::Beam::kInner);
    return status;
}

void print_status(const footfall::Status& status, const footfall::Clock& clock,
                  const footfall::CrossingSource& source) {
    Serial.printf("firmware         %s, up for %ld s, last reset: %s\n", status.firmware,
                  static_cast<long>(status.uptime_s), ESP.getResetReason().c_str());
    if (clock.is_set()) {
        const time_t utc_s = static_cast<time_t>(clock.utc_ms(source.now_ms()) / 1000);
        struct tm parts;
        gmtime_r(&utc_s, &parts);
        Serial.printf("clock            %04d-%02d-%02d %02d:%02d:%02d UTC\n", parts.tm_year + 1900, parts.tm_mon + 1,
                      parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
    } else {
        Serial.println("clock            not set");
    }
    Serial.printf("queue            %ld waiting, %ld dropped\n", static_cast<long>(status.queued),
                  static_cast<long>(status.dropped));
    Serial.printf("beams            %s, %ld aborted, blocked: outer %ld s, inner %ld s, %lu edges lost\n",
                  source.is_counting() ? "counting" : "blocked", static_cast<long>(status.aborted),
                  static_cast<long>(status.outer_blocked_s), static_cast<long>(status.inner_blocked_s),
                  static_cast<unsigned long>(source.lost_edges()));
    Serial.printf("memory           %ld bytes free, largest block %lu, stack %lu\n",
                  static_cast<long>(status.heap_bytes), static_cast<unsigned long>(ESP.getMaxFreeBlockSize()),
                  static_cast<unsigned long>(ESP.getFreeContStack()));
    Serial.printf("WiFi             %s, %d dBm\n", WiFi.localIP().toString().c_str(),
                  static_cast<int>(status.rssi_dbm));
}
