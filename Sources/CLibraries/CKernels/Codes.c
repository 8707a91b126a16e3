// One-bit codes: making, placing, scanning and estimating with them.

#include "Codes.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// MARK: Making

static float sum16(const float *parts) {
  float sum = 0;
  for (size_t lane = 0; lane < 16; lane++) sum += parts[lane];
  return sum;
}

void qk_codes_from_f16(
    const void *rows, const float *centre, size_t count, size_t dimension, float *residual, uint64_t *signs,
    uint64_t *sizes, float *weights) {
  const size_t words = (dimension + 63) / 64;
  const char *source = rows;
  for (size_t i = 0; i < count; i++, source += 2 * dimension, signs += words, sizes += words) {
    uint16_t halves[512];
    for (size_t j = 0; j < dimension; j += 512) {
      const size_t part = dimension - j < 512 ? dimension - j : 512;
      memcpy(halves, source + 2 * j, 2 * part);
      qk_f32_from_f16(halves, residual + j, part, QK_PATH_AUTO);
    }
    float squares[16] = {0};
    for (size_t j = 0; j < dimension; j++) {
      residual[j] -= centre[j];
      squares[j % 16] += residual[j] * residual[j];
    }
    const float square = sum16(squares), bound = 0.95f * sqrtf(square / (float)dimension);
    float products[16] = {0};
    for (size_t j = 0; j < dimension; j++) {
      const float size = fabsf(residual[j]);
      products[j % 16] += size > bound ? 3 * size : size;
    }
    const float product = sum16(products);
    weights[i] = product > 0 ? square / product : 0;
    for (size_t word = 0; word < words; word++) {
      const size_t start = word * 64, end = start + 64 < dimension ? start + 64 : dimension;
      uint64_t sign = 0, size = 0;
      for (size_t j = start; j < end; j++) {
        const uint64_t above = residual[j] > 0;
        // Away from the centre on the upper side, towards it on the lower: +3 = 2 + 1, +1 = 2 - 1, -1 = -2 + 1.
        sign |= above << (j - start);
        size |= (uint64_t)((fabsf(residual[j]) > bound) == above) << (j - start);
      }
      signs[word] = sign;
      sizes[word] = size;
    }
  }
}

// MARK: Placing

static inline uint64_t *word_of(uint64_t *tiles, size_t row, size_t word, size_t words) {
  return tiles + (row / QK_TILE_ROWS * words + word) * QK_TILE_ROWS + row % QK_TILE_ROWS;
}

void qk_tiles_put(uint64_t *tiles, size_t first, const void *codes, size_t count, size_t words) {
  const char *source = codes;
  for (size_t row = first; row < first + count; row++)
    for (size_t word = 0; word < words; word++, source += 8) memcpy(word_of(tiles, row, word, words), source, 8);
}

void qk_tiles_move(uint64_t *tiles, size_t to, size_t from, size_t count, size_t words) {
  for (size_t i = 0; i < count; i++)
    for (size_t word = 0; word < words; word++)
      *word_of(tiles, to + i, word, words) = *word_of(tiles, from + i, word, words);
}

// MARK: Scanning

void qk_query_planes(const float *query, size_t dimension, uint64_t *planes) {
  float square = 0;
  for (size_t j = 0; j < dimension; j++) square += query[j] * query[j];
  const float unit = 2 * sqrtf(square / (float)dimension) / 3;
  memset(planes, 0, (dimension + 63) / 64 * 3 * sizeof *planes);
  for (size_t j = 0; j < dimension; j++) {
    const float size = unit > 0 ? fabsf(query[j]) / unit + 0.5f : 0;
    const uint64_t level = size < 3 ? (uint64_t)size : 3;
    uint64_t *word = planes + 3 * (j / 64);
    word[0] |= (uint64_t)(query[j] > 0) << j % 64;
    word[1] |= (level & 1) << j % 64;
    word[2] |= (level >> 1) << j % 64;
  }
}

static inline __attribute__((always_inline)) size_t take(
    const uint32_t *tile_distances, unsigned hits, uint32_t first, uint32_t *rows, uint16_t *distances, size_t found) {
  while (hits) {
    const unsigned lane = (unsigned)__builtin_ctz(hits);
    hits &= hits - 1;
    rows[found] = first + lane;
    distances[found++] = (uint16_t)tile_distances[lane];
  }
  return found;
}

// A scan is bound by memory, and hardware fetches ahead no further than a page. Tiles of the usual sizes:
enum { TILES_AHEAD = 12 };

static inline __attribute__((always_inline)) void fetch_tile(const uint64_t *tiles, size_t words) {
  // Fetching beyond the end is harmless.
  for (size_t word = 0; word < words; word++)
    __builtin_prefetch((const char *)tiles + (TILES_AHEAD * words + word) * QK_TILE_ROWS * 8);
}

// One body for every way of counting bits: inlined into functions of different targets.
#define PLAIN_SCAN                                                                                                   \
  size_t found = 0;                                                                                                  \
  for (size_t tile = 0; tile < tile_count; tile++, tiles += words * QK_TILE_ROWS) {                                  \
    const unsigned mask = allowed ? allowed[tile] : 0xffu;                                                           \
    if (!mask) continue;                                                                                             \
    fetch_tile(tiles, words);                                                                                        \
    uint32_t sums[QK_TILE_ROWS] = {0};                                                                               \
    for (size_t word = 0; word < words; word++)                                                                      \
      for (size_t lane = 0; lane < QK_TILE_ROWS; lane++) {                                                           \
        const uint64_t differ = planes[3 * word] ^ tiles[word * QK_TILE_ROWS + lane];                                \
        sums[lane] += (uint32_t)(__builtin_popcountll(differ & planes[3 * word + 1]) +                               \
                                 2 * __builtin_popcountll(differ & planes[3 * word + 2]));                           \
      }                                                                                                              \
    unsigned hits = 0;                                                                                               \
    for (size_t lane = 0; lane < QK_TILE_ROWS; lane++) hits |= (unsigned)(sums[lane] < limit) << lane;               \
    hits &= mask;                                                                                                    \
    if (hits) found = take(sums, hits, base + (uint32_t)(tile * QK_TILE_ROWS), rows, distances, found);              \
  }                                                                                                                  \
  return found;

static size_t rows_plain(
    const uint64_t *planes, const uint64_t *tiles, size_t tile_count, size_t words, const uint8_t *allowed,
    uint32_t limit, uint32_t base, uint32_t *rows, uint16_t *distances) {
  PLAIN_SCAN
}

#if defined(__x86_64__)

static __attribute__((target("popcnt"))) size_t rows_popcnt(
    const uint64_t *planes, const uint64_t *tiles, size_t tile_count, size_t words, const uint8_t *allowed,
    uint32_t limit, uint32_t base, uint32_t *rows, uint16_t *distances) {
  PLAIN_SCAN
}

#define AVX2 __attribute__((target("avx2,popcnt")))

// Bits of each byte by a table of nibbles. Source: Muła, Kurz and Lemire, Faster population counts using AVX2
// instructions, 2018.
static inline AVX2 __m256i bits_of_bytes(__m256i v) {
  const __m256i table = _mm256_setr_epi8(
      0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i low = _mm256_set1_epi8(15);
  return _mm256_add_epi8(
      _mm256_shuffle_epi8(table, _mm256_and_si256(v, low)),
      _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(v, 4), low)));
}

static inline AVX2 __m256i sizes_of_bytes(const uint64_t *planes, __m256i code) {
  const __m256i differ = _mm256_xor_si256(code, _mm256_set1_epi64x((long long)planes[0]));
  const __m256i ones = bits_of_bytes(_mm256_and_si256(differ, _mm256_set1_epi64x((long long)planes[1])));
  const __m256i twos = bits_of_bytes(_mm256_and_si256(differ, _mm256_set1_epi64x((long long)planes[2])));
  return _mm256_add_epi8(ones, _mm256_add_epi8(twos, twos));
}

static AVX2 size_t rows_avx2(
    const uint64_t *planes, const uint64_t *tiles, size_t tile_count, size_t words, const uint8_t *allowed,
    uint32_t limit, uint32_t base, uint32_t *rows, uint16_t *distances) {
  size_t found = 0;
  const __m256i zero = _mm256_setzero_si256(), bound = _mm256_set1_epi64x(limit);
  for (size_t tile = 0; tile < tile_count; tile++, tiles += words * QK_TILE_ROWS) {
    const unsigned mask = allowed ? allowed[tile] : 0xffu;
    if (!mask) continue;
    fetch_tile(tiles, words);
    __m256i low = zero, high = zero;
    // A byte holds the sums of ten words at most.
    for (size_t start = 0; start < words; start += 10) {
      const size_t end = start + 10 < words ? start + 10 : words;
      __m256i low_bytes = zero, high_bytes = zero;
      for (size_t word = start; word < end; word++) {
        const __m256i *p = (const __m256i *)(tiles + word * QK_TILE_ROWS);
        low_bytes = _mm256_add_epi8(low_bytes, sizes_of_bytes(planes + 3 * word, _mm256_loadu_si256(p)));
        high_bytes = _mm256_add_epi8(high_bytes, sizes_of_bytes(planes + 3 * word, _mm256_loadu_si256(p + 1)));
      }
      low = _mm256_add_epi64(low, _mm256_sad_epu8(low_bytes, zero));
      high = _mm256_add_epi64(high, _mm256_sad_epu8(high_bytes, zero));
    }
    const unsigned hits =
        mask & ((unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpgt_epi64(bound, low))) |
                (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpgt_epi64(bound, high))) << 4);
    if (hits) {
      uint64_t wide[QK_TILE_ROWS];
      uint32_t sums[QK_TILE_ROWS];
      _mm256_storeu_si256((__m256i *)wide, low);
      _mm256_storeu_si256((__m256i *)(wide + 4), high);
      for (size_t lane = 0; lane < QK_TILE_ROWS; lane++) sums[lane] = (uint32_t)wide[lane];
      found = take(sums, hits, base + (uint32_t)(tile * QK_TILE_ROWS), rows, distances, found);
    }
  }
  return found;
}

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vpopcntdq")))

static inline __attribute__((always_inline)) AVX512 size_t rows_avx512_of(
    const size_t words, const uint64_t *planes, const uint64_t *tiles, size_t tile_count, const uint8_t *allowed,
    uint32_t limit, uint32_t base, uint32_t *rows, uint16_t *distances) {
  size_t found = 0;
  const __m512i bound = _mm512_set1_epi64(limit);
  for (size_t tile = 0; tile < tile_count; tile++, tiles += words * QK_TILE_ROWS) {
    const unsigned mask = allowed ? allowed[tile] : 0xffu;
    if (!mask) continue;
    fetch_tile(tiles, words);
    __m512i ones = _mm512_setzero_si512(), twos = ones;
    for (size_t word = 0; word < words; word++) {
      const __m512i code = _mm512_loadu_si512(tiles + word * QK_TILE_ROWS);
      const __m512i sign = _mm512_set1_epi64((long long)planes[3 * word]);
      // 0x28: (a ^ b) & c
      ones = _mm512_add_epi64(
          ones, _mm512_popcnt_epi64(_mm512_ternarylogic_epi64(
                    code, sign, _mm512_set1_epi64((long long)planes[3 * word + 1]), 0x28)));
      twos = _mm512_add_epi64(
          twos, _mm512_popcnt_epi64(_mm512_ternarylogic_epi64(
                    code, sign, _mm512_set1_epi64((long long)planes[3 * word + 2]), 0x28)));
    }
    const __m512i sum = _mm512_add_epi64(ones, _mm512_add_epi64(twos, twos));
    const unsigned hits = mask & (unsigned)_mm512_cmplt_epu64_mask(sum, bound);
    if (hits) {
      uint32_t sums[QK_TILE_ROWS];
      _mm256_storeu_si256((__m256i *)sums, _mm512_cvtepi64_epi32(sum));
      found = take(sums, hits, base + (uint32_t)(tile * QK_TILE_ROWS), rows, distances, found);
    }
  }
  return found;
}

static AVX512 size_t rows_avx512(
    const uint64_t *planes, const uint64_t *tiles, size_t tile_count, size_t words, const uint8_t *allowed,
    uint32_t limit, uint32_t base, uint32_t *rows, uint16_t *distances) {
  // The common widths unrolled, with the query in registers.
  switch (words) {
    case 6:
      return rows_avx512_of(6, planes, tiles, tile_count, allowed, limit, base, rows, distances);
    case 12:
      return rows_avx512_of(12, planes, tiles, tile_count, allowed, limit, base, rows, distances);
    case 16:
      return rows_avx512_of(16, planes, tiles, tile_count, allowed, limit, base, rows, distances);
    default:
      return rows_avx512_of(words, planes, tiles, tile_count, allowed, limit, base, rows, distances);
  }
}

#endif

size_t qk_rows_below(
    const uint64_t *planes, const uint64_t *tiles, size_t tile_count, size_t words, const uint8_t *allowed,
    uint32_t limit, uint32_t base, uint32_t *rows, uint16_t *distances, qk_path path) {
#if defined(__x86_64__)
  const qk_path resolved = qk_path_resolved(path);
  if (resolved >= QK_PATH_AVX512 && __builtin_cpu_supports("avx512vpopcntdq"))
    return rows_avx512(planes, tiles, tile_count, words, allowed, limit, base, rows, distances);
  if (resolved != QK_PATH_PLAIN)
    return rows_avx2(planes, tiles, tile_count, words, allowed, limit, base, rows, distances);
  if (__builtin_cpu_supports("popcnt"))
    return rows_popcnt(planes, tiles, tile_count, words, allowed, limit, base, rows, distances);
#endif
  (void)path;
  return rows_plain(planes, tiles, tile_count, words, allowed, limit, base, rows, distances);
}

// MARK: Choosing

size_t qk_keep_nearest(uint32_t *rows, uint16_t *distances, size_t count, size_t wanted, uint32_t *limit) {
  if (count < wanted || wanted == 0) return count < wanted ? count : 0;
  // The largest distance kept, by counting: first its upper bits, then its lower four.
  uint32_t upper[4096] = {0}, lower[16] = {0};
  for (size_t i = 0; i < count; i++) upper[distances[i] >> 4]++;
  size_t before = 0, bucket = 0;
  while (before + upper[bucket] < wanted) before += upper[bucket++];
  for (size_t i = 0; i < count; i++) lower[distances[i] & 15] += (size_t)(distances[i] >> 4) == bucket;
  size_t last = 0;
  while (before + lower[last] < wanted) before += lower[last++];
  const uint32_t largest = (uint32_t)(bucket << 4 | last);
  size_t ties = wanted - before, kept = 0;
  // Without branches: half of them would be guessed wrong.
  for (size_t i = 0; i < count; i++) {
    const uint32_t row = rows[i];
    const uint16_t distance = distances[i];
    const size_t is_tie = (distance == largest) & (ties > 0);
    ties -= is_tie;
    rows[kept] = row;
    distances[kept] = distance;
    kept += (distance < largest) | is_tie;
  }
  *limit = largest;
  return kept;
}

// MARK: Estimating

void qk_sign_sums(const float *query, size_t dimension, size_t words, float *sums) {
  for (size_t byte = 0; byte < 8 * words; byte++, sums += 256) {
    float values[8], all = 0;
    for (size_t i = 0; i < 8; i++) {
      values[i] = 8 * byte + i < dimension ? query[8 * byte + i] : 0;
      all -= values[i];
    }
    sums[0] = all;
    for (size_t value = 1; value < 256; value++)
      sums[value] = sums[value & (value - 1)] + 2 * values[__builtin_ctz((unsigned)value)];
  }
}

static inline const uint64_t *first_word(const uint64_t *tiles, size_t row, size_t words) {
  return tiles + row / QK_TILE_ROWS * words * QK_TILE_ROWS + row % QK_TILE_ROWS;
}

static inline __attribute__((always_inline)) float signed_sum(
    const float *sums, const uint64_t *row, size_t words, size_t stride) {
  float parts[8] = {0};
  for (size_t word = 0; word < words; word++, sums += 8 * 256) {
    const uint64_t bits = row[word * stride];
    for (size_t byte = 0; byte < 8; byte++) parts[byte] += sums[byte * 256 + (bits >> 8 * byte & 0xff)];
  }
  return ((parts[0] + parts[4]) + (parts[1] + parts[5])) + ((parts[2] + parts[6]) + (parts[3] + parts[7]));
}

void qk_code_products(
    const float *sums, const uint64_t *tiles, const uint64_t *sizes, size_t words, const uint32_t *rows, size_t count,
    float *products) {
  for (size_t i = 0; i < count; i++) {
    // A row's signs lie in as many cache lines as words: fetch those of a later row.
    const uint32_t later = i + 8 < count ? rows[i + 8] : rows[i];
    for (size_t word = 0; word < words; word++) {
      __builtin_prefetch(first_word(tiles, later, words) + word * QK_TILE_ROWS);
      if (word % 8 == 0) __builtin_prefetch(sizes + later * words + word);
    }
    products[i] = 2 * signed_sum(sums, first_word(tiles, rows[i], words), words, QK_TILE_ROWS) +
                  signed_sum(sums, sizes + rows[i] * words, words, 1);
  }
}
