// What standard error is connected to.
#pragma once

#include <string>
#include <string_view>

namespace disco {

struct TerminalSize {
  int columns = 80, rows = 24;
};

bool standard_error_is_terminal();
/// 80 × 24 where there is no terminal or it does not say.
TerminalSize terminal_size();
/// The terminal says that it shows 24-bit colour (COLORTERM) and the locale is UTF-8.
bool terminal_shows_pictures();
bool locale_is_utf8();

/// All at once, so that lines of several threads do not mix. Errors are dropped: there is nowhere to tell them.
void write_to_standard_error(std::string_view text);

/// "2:31", "1:02:03".
std::string clock_time(double seconds);
/// "1.5 GiB", "300 MiB".
std::string byte_size(double bytes);

}  // namespace disco
