// Matrix products whose right side lies in panels that the registers take as they come. No torch here: panels.cpp is
// compiled once for each instruction set.
#pragma once

#include <cstdint>

namespace disco {

/// The columns of a matrix lie in panels: (panels, rows, 32), the last one filled up with zeros.
constexpr std::int64_t panel_columns = 32;
constexpr std::int64_t panel_count(std::int64_t columns) { return (columns + panel_columns - 1) / panel_columns; }
constexpr std::int64_t padded_columns(std::int64_t columns) { return panel_count(columns) * panel_columns; }

/// Floats from one row to the next of a left side with so many columns: not a power of two, or the rows that are
/// multiplied together would share the same few lines of the cache.
constexpr std::int64_t row_stride(std::int64_t columns) { return columns + 16; }

/// m = u · v + bias, for u (count, inner) whose rows are row_stride(inner) floats apart, v (panels, inner, 32), and
/// bias (padded columns) or null. m's rows are the padded columns, one after the other.
void multiply_by_panels(const float* u, const float* v, const float* bias, std::int64_t count, std::int64_t inner,
                        std::int64_t panels, float* m);

/// m (rows, padded columns) += uᵀ · v, for u (inner, rows) whose rows are row_stride(rows) floats apart, and
/// v (panels, inner, 32).
void add_products_by_panels(const float* u, const float* v, std::int64_t rows, std::int64_t inner, std::int64_t panels,
                            float* m);

}  // namespace disco
