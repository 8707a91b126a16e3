#pragma once
// Codes of vectors: the signs of their components about a centre, which are scanned, and one more bit of their sizes,
// for estimates. Signs stand in tiles of eight rows, word j of all eight side by side, so that a register holds eight
// rows and no sum crosses lanes.

#include <stddef.h>
#include <stdint.h>

#include "CKernels.h"

#if defined(__cplusplus)
extern "C" {
#endif

/// Rows of a tile.
enum { QK_TILE_ROWS = 8 };

/// Codes of `count` rows of binary16 (at any alignment), (dimension + 63) / 64 words each, component j at bit j % 64 of
/// word j / 64, 0 beyond the dimension. `signs` says which components lie above the centre's. `sizes` halves each side
/// at .95 times the residual's root mean square: with both, 1 for a set bit and -1 for another, a component is taken
/// for 2 · sign + size, which is ±1 or ±3. By its weight, |r|² / (r · that) for the residual r, the product with a
/// query estimates r · query. Source of the estimate: Gao and Long, RaBitQ, SIGMOD 2024, section 3.2, with one bit. The
/// arithmetic is the same on every CPU. `residual` is room for `dimension` numbers.
void qk_codes_from_f16(
    const void *rows, const float *centre, size_t count, size_t dimension, float *residual, uint64_t *signs,
    uint64_t *sizes, float *weights);

/// Puts `count` codes of `words` words each, at any alignment, into rows `first` … of `tiles`.
void qk_tiles_put(uint64_t *tiles, size_t first, const void *codes, size_t count, size_t words);
/// Moves `count` rows of tiles down, from row `from` to row `to` < `from`.
void qk_tiles_move(uint64_t *tiles, size_t to, size_t from, size_t count, size_t words);

/// A query as it is compared with codes, three words for each word of a code: the signs of its components, and their
/// sizes in two bits, the lower and the higher, up to twice their root mean square. Components that are small count for
/// nothing and large ones threefold, which finds as much as exact products with the signs nearly do (see
/// docs/decisions/0013-one-bit-codes.md).
void qk_query_planes(const float *query, size_t dimension, uint64_t *planes);

/// The rows of `tile_count` tiles at a distance from a query (by `qk_query_planes`) below `limit`: their numbers,
/// counted from `base`, into `rows`, and the distances into `distances`, both with room for all rows. The distance is
/// the sum of the sizes, 0 to 3, of the components whose signs differ. `allowed` has a byte for each tile with a bit
/// for each row, or is NULL for all of them. Returns how many there are. At most 21,845 components.
size_t qk_rows_below(
    const uint64_t *planes, const uint64_t *tiles, size_t tile_count, size_t words, const uint8_t *allowed,
    uint32_t limit, uint32_t base, uint32_t *rows, uint16_t *distances, qk_path path);

/// Keeps the `wanted` nearest of `count` rows, of equal ones the first, in the order that they have. Returns how many
/// are left; when those are `wanted`, `*limit` becomes the largest distance among them.
size_t qk_keep_nearest(uint32_t *rows, uint16_t *distances, size_t count, size_t wanted, uint32_t *limit);

/// sums[b * 256 + v] = Σ ±query[8 b + i], plus where bit i of v is set: what `qk_code_products` looks up. There are
/// 8 · `words` bytes b; components beyond the dimension count as 0.
void qk_sign_sums(const float *query, size_t dimension, size_t words, float *sums);

/// products[i] = Σ query[j] · (2 · sign + size) for the row rows[i], by `qk_sign_sums` of the query: signs in tiles,
/// sizes one row after the other.
void qk_code_products(
    const float *sums, const uint64_t *tiles, const uint64_t *sizes, size_t words, const uint32_t *rows, size_t count,
    float *products);

#if defined(__cplusplus)
}
#endif
